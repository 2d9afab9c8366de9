//! Who is how near to whom, of the people at one moment. Positions in, distances out; it remembers nothing.

use crate::GroundPoint;

/// Two people of one look, by their positions in the list of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The one that comes first in the list.
    pub a: u16,
    /// The other.
    pub b: u16,
    /// How far they are from each other, in metres.
    pub distance_m: f32,
}

/// All pairs nearer than a distance, the nearest first; of pairs as near as each other the one that comes first in the
/// list. Without numbers nobody is near. At most the first 65,535 positions are looked at.
pub fn pairs_nearer(positions: &[GroundPoint], than_m: f32) -> Vec<Pair> {
    // In order of x, so that only a strip has to be searched.
    let mut order: Vec<u16> = (0..u16::MAX).take(positions.len()).collect();
    order.sort_by(|&i, &j| positions[usize::from(i)].x_m.total_cmp(&positions[usize::from(j)].x_m));
    let mut pairs = Vec::new();
    for (at, &i) in order.iter().enumerate() {
        let p = positions[usize::from(i)];
        for &j in &order[at + 1..] {
            let q = positions[usize::from(j)];
            if q.x_m - p.x_m >= than_m {
                break;
            }
            let distance_m = p.distance_m(q);
            if distance_m < than_m {
                pairs.push(Pair { a: i.min(j), b: i.max(j), distance_m });
            }
        }
    }
    pairs.sort_by(|p, q| p.distance_m.total_cmp(&q.distance_m).then((p.a, p.b).cmp(&(q.a, q.b))));
    pairs
}

/// Of pairs in order, those at which neither has `each_max` others already.
///
/// What one person more changes is bounded so: the numbers of others of all people differ by no more than `each_max` in
/// sum, however many the new one is near to (Day, Li and Lyu 2016, *Publishing graph degree distribution with node
/// differential privacy*: projection by adding edges in a fixed order).
pub(crate) fn at_most_each(pairs: impl Iterator<Item = Pair>, people: usize, each_max: u32) -> Vec<Pair> {
    let mut others = vec![0u32; people];
    pairs
        .filter(|pair| {
            let (a, b) = (usize::from(pair.a), usize::from(pair.b));
            let may = others[a] < each_max && others[b] < each_max;
            if may {
                others[a] += 1;
                others[b] += 1;
            }
            may
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(x_m: f32, y_m: f32) -> GroundPoint {
        GroundPoint { x_m, y_m }
    }

    #[test]
    fn pairs_by_hand() {
        let people = [at(0.0, 0.0), at(3.0, 4.0), at(0.0, 1.0), at(f32::NAN, 0.0), at(0.6, 0.8)];
        let pairs: Vec<_> = pairs_nearer(&people, 4.5).iter().map(|p| (p.a, p.b, p.distance_m)).collect();
        // (0.6, 0.8) is 1 m from the first, √0.4 m from the third and 4 m from the second.
        let expected = [(2, 4, 0.4f32.sqrt()), (0, 2, 1.0), (0, 4, 1.0), (1, 4, 4.0), (1, 2, 18f32.sqrt())];
        assert_eq!(pairs.len(), expected.len(), "{pairs:?}");
        for (pair, expected) in pairs.iter().zip(expected) {
            assert_eq!((pair.0, pair.1), (expected.0, expected.1), "{pairs:?}");
            assert!((pair.2 - expected.2).abs() < 1e-6, "{pairs:?}");
        }
        assert_eq!(pairs_nearer(&people, f32::NAN), [], "a distance that is none");
    }

    proptest! {
        #[test]
        fn the_strip_leaves_nobody_out(
            people in prop::collection::vec((-9f32..9.0, -9f32..9.0), 0..40),
            than_m in 0f32..6.0,
        ) {
            let people: Vec<GroundPoint> = people.into_iter().map(|(x, y)| at(x, y)).collect();
            let mut naive = 0;
            for (i, p) in people.iter().enumerate() {
                naive += people[i + 1..].iter().filter(|q| (q.x_m - p.x_m).hypot(q.y_m - p.y_m) < than_m).count();
            }
            prop_assert_eq!(pairs_nearer(&people, than_m).len(), naive);
        }

        /// One person more, wherever, changes how many others all people have by no more than the limit in sum.
        #[test]
        fn one_person_more_changes_no_more_than_the_limit(
            people in prop::collection::vec((0f32..4.0, 0f32..4.0), 1..40),
            each_max in 1u32..4,
        ) {
            let people: Vec<GroundPoint> = people.into_iter().map(|(x, y)| at(x, y)).collect();
            let others = |people: &[GroundPoint]| {
                let pairs = pairs_nearer(people, 1.5).into_iter();
                let mut others = vec![0i64; people.len()];
                for pair in at_most_each(pairs, people.len(), each_max) {
                    others[usize::from(pair.a)] += 1;
                    others[usize::from(pair.b)] += 1;
                }
                others
            };
            let (with, without) = (others(&people), others(&people[..people.len() - 1]));
            let changed: i64 = with.iter().zip(&without).map(|(a, b)| (a - b).abs()).sum();
            let flipped = with.iter().zip(&without).filter(|(a, b)| (**a > 0) != (**b > 0)).count();
            prop_assert!(changed <= i64::from(each_max) && flipped <= each_max as usize);
        }
    }
}
