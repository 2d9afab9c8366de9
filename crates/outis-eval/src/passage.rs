//! Which passages over a line are true: a rule on the true boxes of known people.
//!
//! A passage counts when the foot was surely on one side, then surely on the other, and went from the one to the
//! other through the segment. "Surely" is 6 % of the person's height away from the line for 0.17 s: less is
//! smaller than any detector's jitter. Who goes around an end of the segment changes sides without a passage.

use std::collections::BTreeMap;

use outis_measure::{ImageBox, Line};
use outis_record::DirectionalCount;

use crate::mot::Frames;

/// Distance from the line from which a side is believed, as a share of the person's height.
const SURE_SHARE: f32 = 0.06;
/// How long the foot must stay there.
const SURE_S: f64 = 0.17;

/// Passages over each line, in the order of the lines, of people given as (number, true box) frame by frame.
pub fn count(frames: &Frames<(i64, ImageBox)>, fps: f64, lines: &[Line]) -> Vec<DirectionalCount> {
    let mut people: BTreeMap<i64, Vec<(f64, ImageBox)>> = BTreeMap::new();
    for (index, present) in frames.iter().enumerate() {
        for &(person, bbox) in present {
            people.entry(person).or_default().push((index as f64 / fps, bbox));
        }
    }
    let total = |line: &Line| {
        people.values().map(|way| passages(line, way)).fold(DirectionalCount::default(), |sum, one| {
            DirectionalCount { forward: sum.forward + one.forward, backward: sum.backward + one.backward }
        })
    };
    lines.iter().map(total).collect()
}

/// Passages of one person, given as (seconds, true box) in order of time.
pub fn passages(line: &Line, way: &[(f64, ImageBox)]) -> DirectionalCount {
    let mut count = DirectionalCount::default();
    let mut sure: Option<bool> = None;
    // Side on which the foot is beyond the margin just now, and since when.
    let mut beyond: Option<(bool, f64)> = None;
    let mut through = false;
    let mut before: Option<(f32, f32)> = None;
    for &(time_s, bbox) in way {
        let foot = bbox.foot();
        let (distance, along) = (line.distance_px(foot), line.along_px(foot));
        if let Some((distance_before, along_before)) = before
            && (distance_before > 0.0) != (distance > 0.0)
        {
            let share = distance_before / (distance_before - distance);
            let crossed_at = along_before + share * (along - along_before);
            through = (0.0..=line.length_px()).contains(&crossed_at);
        }
        before = Some((distance, along));

        let side = distance > 0.0;
        beyond = match beyond {
            _ if distance.abs() < SURE_SHARE * bbox.height => None,
            Some((same, since_s)) if same == side => Some((same, since_s)),
            _ => Some((side, time_s)),
        };
        if beyond.is_some_and(|(_, since_s)| time_s - since_s >= SURE_S) {
            match sure {
                Some(old) if old != side && through && side => count.forward += 1,
                Some(old) if old != side && through => count.backward += 1,
                _ => {}
            }
            sure = Some(side);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use outis_measure::ImagePoint;

    use super::*;

    /// Feet of a person 100 px tall over a line from (100, 0) down to (100, 200), one per 25th of a second.
    /// Its right side, where d > 0, is that of smaller x.
    fn check(name: &str, feet: &[(f32, f32)], expected: (u32, u32)) {
        let line = Line::new(ImagePoint::new(100.0, 0.0), ImagePoint::new(100.0, 200.0)).unwrap();
        let way: Vec<(f64, ImageBox)> = feet
            .iter()
            .enumerate()
            .map(|(i, &(x, y))| {
                (i as f64 / 25.0, ImageBox::from_left_top_width_height(x - 15.0, y - 100.0, 30.0, 100.0))
            })
            .collect();
        let count = passages(&line, &way);
        assert_eq!((count.forward, count.backward), expected, "{name}");
    }

    fn stay(x: f32, y: f32, frames: usize) -> Vec<(f32, f32)> {
        vec![(x, y); frames]
    }

    #[test]
    fn rule_table() {
        let (left, right) = (stay(120.0, 100.0, 10), stay(80.0, 100.0, 10));
        check("to the right", &[left.clone(), right.clone()].concat(), (1, 0));
        check("to the left", &[right.clone(), left.clone()].concat(), (0, 1));
        check("and back", &[left.clone(), right.clone(), left.clone()].concat(), (1, 1));
        check("stands on the line", &stay(100.0, 100.0, 500), (0, 0));
        check("too shallow", &[left.clone(), stay(95.0, 100.0, 50), left.clone()].concat(), (0, 0));
        check("too short", &[left.clone(), stay(90.0, 100.0, 5), left.clone()].concat(), (0, 0));
        check("just long enough", &[left.clone(), stay(90.0, 100.0, 6)].concat(), (1, 0));
        check("came from the line", &[stay(100.0, 100.0, 20), right.clone()].concat(), (0, 0));
        let around = [left.clone(), stay(120.0, 230.0, 5), stay(80.0, 230.0, 5), right.clone()].concat();
        check("around the end", &around, (0, 0));
        check("around the end and back through", &[around, left.clone()].concat(), (0, 1));
        check("at the very end", &[stay(120.0, 199.0, 10), stay(80.0, 199.0, 10)].concat(), (1, 0));
        let pause = [left, stay(99.0, 100.0, 100), stay(101.0, 100.0, 100), right].concat();
        check("pauses on the line", &pause, (1, 0));
    }
}
