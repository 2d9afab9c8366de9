//! Who goes with whom so that the sum of the weights is greatest.

/// For each row its column, or `None`; the sum of the chosen weights is as great as it can be.
/// Weights are not negative; a pair of weight 0 is never chosen.
///
/// Shortest augmenting paths with potentials (Kuhn 1955, Jonker and Volgenant 1987), O(n³).
pub(super) fn heaviest(weights: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = weights.len();
    let columns = weights.first().map_or(0, Vec::len);
    let size = rows.max(columns);
    // A square of costs, filled up with pairs of no weight. Index 0 is a row and a column that do not exist.
    let cost = |row: usize, column: usize| {
        if row <= rows && column <= columns { -weights[row - 1][column - 1] } else { 0.0 }
    };
    let (mut row_price, mut column_price) = (vec![0.0; size + 1], vec![0.0; size + 1]);
    let mut row_of = vec![0_usize; size + 1];
    for row in 1..=size {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![f64::INFINITY; size + 1];
        let mut came_from = vec![0_usize; size + 1];
        let mut visited = vec![false; size + 1];
        while row_of[column] != 0 {
            visited[column] = true;
            let here = row_of[column];
            let (mut step, mut nearest) = (f64::INFINITY, 0);
            for next in (1..=size).filter(|&next| !visited[next]) {
                let reduced = cost(here, next) - row_price[here] - column_price[next];
                if reduced < slack[next] {
                    (slack[next], came_from[next]) = (reduced, column);
                }
                if slack[next] < step {
                    (step, nearest) = (slack[next], next);
                }
            }
            for other in 0..=size {
                if visited[other] {
                    row_price[row_of[other]] += step;
                    column_price[other] -= step;
                } else {
                    slack[other] -= step;
                }
            }
            column = nearest;
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    let mut chosen = vec![None; rows];
    for column in 1..=columns {
        let row = row_of[column];
        if row <= rows && weights[row - 1][column - 1] > 0.0 {
            chosen[row - 1] = Some(column - 1);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn weight(weights: &[Vec<f64>], chosen: &[Option<usize>]) -> f64 {
        chosen.iter().enumerate().filter_map(|(row, column)| Some(weights[row][(*column)?])).sum()
    }

    fn best_by_trying(weights: &[Vec<f64>], free: &mut Vec<usize>) -> f64 {
        let Some((first, rest)) = weights.split_first() else { return 0.0 };
        let mut best = best_by_trying(rest, free);
        for index in 0..free.len() {
            let column = free.remove(index);
            best = best.max(first[column] + best_by_trying(rest, free));
            free.insert(index, column);
        }
        best
    }

    #[test]
    fn as_good_as_trying_everything() {
        let mut random = Random::new(3);
        for (rows, columns) in [(0, 0), (1, 1), (3, 3), (2, 5), (5, 2), (5, 5), (1, 6), (4, 0)] {
            for _ in 0..40 {
                let draw = |random: &mut Random| if random.chance(0.4) { 0.0 } else { random.unit() };
                let weights: Vec<Vec<f64>> =
                    (0..rows).map(|_| (0..columns).map(|_| draw(&mut random)).collect()).collect();
                let chosen = heaviest(&weights);
                let mut columns_used: Vec<usize> = chosen.iter().flatten().copied().collect();
                columns_used.sort_unstable();
                columns_used.dedup();
                assert_eq!(columns_used.len(), chosen.iter().flatten().count(), "a column twice");
                let best = best_by_trying(&weights, &mut (0..columns).collect());
                assert!((weight(&weights, &chosen) - best).abs() < 1e-9, "{rows}x{columns}");
            }
        }
    }
}
