//! Which detection belongs to which track: the cheapest matching of a sparse bipartite graph.
//!
//! Gating leaves few candidate pairs, and they fall into small groups that have nothing to do with each
//! other. A group of one pair is decided at sight; the others by shortest augmenting paths
//! (Jonker & Volgenant 1987).

/// A possible pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) track: usize,
    pub(super) detection: usize,
    /// What the pair is worth over leaving both alone; positive.
    pub(super) gain: f32,
}

/// The matching with the greatest total gain, as pairs (track, detection) in order of the tracks.
pub(super) fn best_matching(
    candidates: &[Candidate],
    tracks: usize,
    detections: usize,
) -> Vec<(usize, usize)> {
    let mut groups = Groups::new(tracks + detections);
    for pair in candidates {
        groups.join(pair.track, tracks + pair.detection);
    }
    let mut sorted: Vec<(usize, Candidate)> =
        candidates.iter().map(|pair| (groups.find(pair.track), *pair)).collect();
    sorted.sort_unstable_by_key(|(group, pair)| (*group, pair.track, pair.detection));
    let mut matching = Vec::with_capacity(tracks.min(detections));
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        match group {
            [(_, only)] => matching.push((only.track, only.detection)),
            several => match_group(several, &mut matching),
        }
    }
    matching.sort_unstable();
    matching
}

/// Union-find with path halving.
struct Groups(Vec<usize>);

impl Groups {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}

fn match_group(group: &[(usize, Candidate)], matching: &mut Vec<(usize, usize)>) {
    let mut rows: Vec<usize> = group.iter().map(|(_, pair)| pair.track).collect();
    let mut columns: Vec<usize> = group.iter().map(|(_, pair)| pair.detection).collect();
    rows.dedup();
    columns.sort_unstable();
    columns.dedup();
    // Every row also has a column of its own at cost 0: "this track stays alone".
    let width = columns.len() + rows.len();
    const NEVER: f32 = 1e9;
    let mut cost = vec![NEVER; rows.len() * width];
    for (row, line) in cost.chunks_exact_mut(width).enumerate() {
        line[columns.len() + row] = 0.0;
    }
    let mut row = 0;
    for (_, pair) in group {
        while rows[row] != pair.track {
            row += 1;
        }
        let column = columns.binary_search(&pair.detection).expect("columns hold every detection");
        cost[row * width + column] = -pair.gain;
    }
    for (row, column) in shortest_augmenting_paths(&cost, width).into_iter().enumerate() {
        if let Some(&detection) = columns.get(column) {
            matching.push((rows[row], detection));
        }
    }
}

/// The column of each row in the cheapest full assignment; there are at least as many columns as rows.
fn shortest_augmenting_paths(cost: &[f32], width: usize) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let height = cost.len() / width;
    let mut row_price = vec![0.0f32; height];
    let mut column_price = vec![0.0f32; width];
    let mut row_of = vec![NONE; width];
    let mut previous = vec![NONE; width];
    let mut distance = vec![f32::INFINITY; width];
    let mut done = vec![false; width];
    for start in 0..height {
        previous.fill(NONE);
        distance.fill(f32::INFINITY);
        done.fill(false);
        let (mut row, mut reached, mut here) = (start, 0.0, NONE);
        let end = loop {
            let (mut nearest, mut best) = (NONE, f32::INFINITY);
            for column in 0..width {
                if done[column] {
                    continue;
                }
                let through = reached + cost[row * width + column] - row_price[row] - column_price[column];
                if through < distance[column] {
                    distance[column] = through;
                    previous[column] = here;
                }
                if distance[column] < best {
                    (nearest, best) = (column, distance[column]);
                }
            }
            (reached, here) = (best, nearest);
            done[here] = true;
            if row_of[here] == NONE {
                break here;
            }
            row = row_of[here];
        };
        row_price[start] += reached;
        for column in 0..width {
            if done[column] && row_of[column] != NONE {
                row_price[row_of[column]] += reached - distance[column];
                column_price[column] -= reached - distance[column];
            }
        }
        let mut column = end;
        loop {
            let before = previous[column];
            row_of[column] = if before == NONE { start } else { row_of[before] };
            if before == NONE {
                break;
            }
            column = before;
        }
    }
    let mut column_of = vec![NONE; height];
    for (column, &row) in row_of.iter().enumerate() {
        if row != NONE {
            column_of[row] = column;
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gain(candidates: &[Candidate], matching: &[(usize, usize)]) -> f32 {
        let find = |&(t, d)| candidates.iter().find(|c| (c.track, c.detection) == (t, d)).unwrap().gain;
        matching.iter().map(|pair: &(usize, usize)| find(pair)).sum()
    }

    /// The best gain by trying everything.
    fn exhaustive(candidates: &[Candidate]) -> f32 {
        let Some((first, rest)) = candidates.split_first() else { return 0.0 };
        let compatible: Vec<Candidate> = rest
            .iter()
            .filter(|c| c.track != first.track && c.detection != first.detection)
            .copied()
            .collect();
        (first.gain + exhaustive(&compatible)).max(exhaustive(rest))
    }

    proptest! {
        #[test]
        fn as_good_as_trying_everything(pairs in proptest::collection::btree_map((0usize..5, 0usize..5), 1u8..50, 0..11)) {
            let candidates: Vec<Candidate> = pairs
                .iter()
                .map(|(&(track, detection), &gain)| Candidate { track, detection, gain: f32::from(gain) })
                .collect();
            let matching = best_matching(&candidates, 5, 5);
            prop_assert_eq!(gain(&candidates, &matching), exhaustive(&candidates));
        }
    }
}
