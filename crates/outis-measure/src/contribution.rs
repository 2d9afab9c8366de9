//! What one passage adds to a window's totals, kept within [`PassageBounds`]. Noise hides one passage only if no
//! passage adds more than the noise was made for, so this is the first step of every noisy release; the rest is
//! the door's.

use outis_record::{PassageBounds, Place};

/// What one passage has added so far, over its whole life.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contribution {
    /// The counters it has raised: a line's or zone's place, and the direction.
    raised: Vec<(Place, bool)>,
    present_ms: u64,
    has_stayed: bool,
}

impl Contribution {
    /// Whether it may raise the counter of a place and direction by one; then it has.
    pub(crate) fn raise(&mut self, place: Place, forward: bool) -> bool {
        let counter = (place, forward);
        let may = self.raised.len() < PassageBounds::COUNTS as usize && !self.raised.contains(&counter);
        if may {
            self.raised.push(counter);
        }
        may
    }

    /// What counts of another span of presence in the picture, in milliseconds.
    pub(crate) fn present(&mut self, span_ms: u64) -> u64 {
        let counts_ms = span_ms.min(PassageBounds::PRESENT_MS - self.present_ms);
        self.present_ms += counts_ms;
        counts_ms
    }

    /// What counts of a stay in a zone, in milliseconds: of the first one only.
    pub(crate) fn stay(&mut self, dwell_ms: u64) -> Option<u64> {
        let first = !std::mem::replace(&mut self.has_stayed, true);
        first.then_some(dwell_ms.min(PassageBounds::PRESENT_MS))
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{LineIndex, ZoneIndex};

    use super::*;

    #[test]
    fn bounds_hold_over_a_whole_life() {
        let mut passage = Contribution::default();
        let line = |index| Place::Line(LineIndex(index));
        let raised = [
            passage.raise(line(0), true),
            passage.raise(line(0), true),
            passage.raise(line(0), false),
            passage.raise(Place::Zone(ZoneIndex(0)), true),
            passage.raise(line(1), true),
            passage.raise(line(1), false),
            passage.raise(line(2), true),
            passage.raise(line(3), true),
        ];
        assert_eq!(raised, [true, false, true, true, true, true, true, false]);
        let present = [100_000, 15_000, 15_000, 15_000].map(|ms| passage.present(ms));
        assert_eq!(present, [100_000, 15_000, 5_000, 0]);
        assert_eq!([passage.stay(500_000), passage.stay(1)], [Some(120_000), None]);
    }
}
