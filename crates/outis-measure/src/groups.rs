//! Who walks with whom, by their motion alone: near to each other for a while, and not drifting apart.
//!
//! McPhail and Wohlstein (1982) say from film that two people walk together who are within 7 feet of each other and as
//! fast as each other to within half a foot a second; Ge, Collins and Ruback (2012) made a machine of it. What is said of
//! two people follows from their own two tracks, and from nobody else's.

use std::collections::BTreeMap;

use crate::{GroundPoint, MediaTime, TrackId};

/// Who walks together is no farther apart, in metres: 7 feet.
pub(crate) const TOGETHER_M: f32 = 2.13;

/// Nearer than this, in metres, one comes to people one knows: Hall's (1966) border of personal distance.
pub(crate) const PERSONAL_M: f32 = 1.2;

/// For how long people must keep so near before they are believed to walk together: seconds, and metres. Within personal
/// distance strangers do not walk for two seconds; within 7 feet it takes longer to tell them from a crowd that goes the
/// same way.
const RULES: [(f32, f32); 2] = [(2.0, PERSONAL_M), (5.0, TOGETHER_M)];

/// Who walks together drifts apart no faster, in metres per second: half a foot a second.
const DRIFT_M_S: f32 = 0.15;

/// What two people seem to drift by in all because their four positions are known to some 10 cm only, in metres: by so
/// much do positions that have settled err in the mean square on the simulated street (7 to 13 cm).
const DRIFT_UNSURE_M: f32 = 0.2;

/// Slower than this nobody walks: two people who stand beside each other may be strangers at a stop.
const WALKING_M_S: f32 = 0.5;

/// After a pause longer than this, in seconds, it begins anew: one of the two was not seen, or elsewhere.
const PAUSE_MAX_S: f32 = 1.5;

/// A pair that was not near for this long is forgotten, in seconds.
const FORGET_S: f32 = 10.0;

/// The most pairs that are remembered; beyond it new ones are not, and so are strangers.
const PAIRS_MAX: usize = 8_192;

/// What is remembered of two people who came near each other.
#[derive(Debug, Clone)]
struct Company {
    /// Where both were while they were near, up to the longest of the [`RULES`].
    way: Vec<Step>,
    together: bool,
    near_at: MediaTime,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    at: MediaTime,
    first: GroundPoint,
    second: GroundPoint,
}

/// All pairs of people who are or were near each other.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// By their numbers, the lower one first.
    pairs: BTreeMap<(TrackId, TrackId), Company>,
}

impl Groups {
    /// Two people are within [`TOGETHER_M`] of each other at a look.
    pub(crate) fn near(&mut self, at: MediaTime, a: (TrackId, GroundPoint), b: (TrackId, GroundPoint)) {
        let (first, second) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        let two = (first.0, second.0);
        if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&two) {
            return;
        }
        let stranger = || Company { way: Vec::new(), together: false, near_at: at };
        let company = self.pairs.entry(two).or_insert_with(stranger);
        if at.seconds_since(company.near_at) > PAUSE_MAX_S {
            company.way.clear();
        }
        company.near_at = at;
        if !company.together {
            company.way.push(Step { at, first: first.1, second: second.1 });
            company.together = RULES.iter().any(|&(span_s, within_m)| company.walks(span_s, within_m));
            let longest_s = RULES.iter().fold(0.0f32, |longest_s, rule| longest_s.max(rule.0));
            let old = company.way.partition_point(|step| at.seconds_since(step.at) > longest_s);
            // One step beyond the span stays, to span it.
            company.way.drain(..old.saturating_sub(1));
        }
        if company.together {
            company.way = Vec::new();
        }
    }

    /// Whether two people are known to walk together.
    pub(crate) fn are_together(&self, a: TrackId, b: TrackId) -> bool {
        self.pairs.get(&(a.min(b), a.max(b))).is_some_and(|company| company.together)
    }

    /// Forgets those who have not been near each other for long.
    pub(crate) fn forget(&mut self, now: MediaTime) {
        self.pairs.retain(|_, company| now.seconds_since(company.near_at) <= FORGET_S);
    }
}

impl Step {
    fn apart(&self) -> (f32, f32) {
        (self.second.x_m - self.first.x_m, self.second.y_m - self.first.y_m)
    }
}

impl Company {
    /// Whether for the last `span_s` seconds both walked, never farther apart than `within_m`, without drifting.
    fn walks(&self, span_s: f32, within_m: f32) -> bool {
        let Some(end) = self.way.last() else { return false };
        let Some(from) = self.way.iter().rposition(|step| end.at.seconds_since(step.at) >= span_s - 0.01)
        else {
            return false;
        };
        let start = &self.way[from];
        let span_s = end.at.seconds_since(start.at);
        let near = |step: &Step| step.apart().0.hypot(step.apart().1) <= within_m;
        let ((x0, y0), (x1, y1)) = (start.apart(), end.apart());
        let drift_m_s = (x1 - x0).hypot(y1 - y0) / span_s;
        let went = |from: GroundPoint, to: GroundPoint| from.distance_m(to) / span_s;
        drift_m_s <= DRIFT_M_S.hypot(DRIFT_UNSURE_M / span_s)
            && went(start.first, end.first) >= WALKING_M_S
            && went(start.second, end.second) >= WALKING_M_S
            && self.way[from..].iter().all(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> [TrackId; 2] {
        [TrackId::for_test(1), TrackId::for_test(2)]
    }

    /// Whether two who walk along x at these speeds, so far apart across, are found to walk together in so long.
    fn together(speeds_m_s: [f32; 2], apart_m: f32, seconds: f32) -> bool {
        let (mut groups, [a, b]) = (Groups::default(), two());
        let mut at = MediaTime::ZERO;
        for look in 0..=(5.0 * seconds) as u16 {
            at = MediaTime::from_seconds(f64::from(look) / 5.0);
            let [p, q] = speeds_m_s.map(|speed| speed * f32::from(look) / 5.0);
            let (p, q) = (GroundPoint { x_m: p, y_m: 0.0 }, GroundPoint { x_m: q, y_m: apart_m });
            if (p.x_m - q.x_m).hypot(apart_m) < TOGETHER_M {
                groups.near(at, (b, q), (a, p));
            }
        }
        groups.forget(at);
        groups.are_together(b, a)
    }

    #[test]
    fn who_walks_together() {
        let cases = [
            ("a couple", [1.3, 1.3], 0.7, 2.0, true),
            ("a couple, too soon to say", [1.3, 1.3], 0.7, 1.6, false),
            ("friends", [1.2, 1.2], 1.8, 5.0, true),
            ("perhaps friends", [1.2, 1.2], 1.8, 4.6, false),
            ("too far apart", [1.2, 1.2], 2.2, 9.0, false),
            ("one overtakes the other", [1.1, 1.6], 0.7, 9.0, false),
            ("they meet", [1.3, -1.3], 0.7, 9.0, false),
            ("they stand", [0.0, 0.0], 0.7, 9.0, false),
            ("one stands", [0.0, 0.1], 0.7, 9.0, false),
        ];
        for (name, speeds, apart_m, seconds, expected) in cases {
            assert_eq!(together(speeds, apart_m, seconds), expected, "{name}");
        }
    }

    #[test]
    fn who_was_together_stays_so_until_forgotten() {
        let (mut groups, [a, b]) = (Groups::default(), two());
        let point = |x_m| GroundPoint { x_m, y_m: 0.0 };
        let mut at = MediaTime::ZERO;
        for look in 0..=10u16 {
            at = MediaTime::from_seconds(f64::from(look) / 5.0);
            groups.near(at, (a, point(f32::from(look))), (b, point(0.5 + f32::from(look))));
        }
        groups.forget(at.plus_seconds(FORGET_S));
        assert!(groups.are_together(a, b));
        groups.forget(at.plus_seconds(FORGET_S + 0.1));
        assert!(!groups.are_together(a, b));
    }
}
