//! Spans of time, in milliseconds of one clock: when a camera was paused.

use std::collections::VecDeque;

/// How many are kept: a day of the shortest pauses. The oldest are of windows that have long been told.
const SPANS_MAX: usize = 8640;

/// Spans that do not touch, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spans(VecDeque<(i64, i64)>);

impl Spans {
    /// Adds a span that begins no earlier than the newest; what it shares with that is counted once.
    pub(crate) fn add(&mut self, from_ms: i64, until_ms: i64) {
        match self.0.back_mut() {
            Some((_, end_ms)) if from_ms <= *end_ms => *end_ms = until_ms.max(*end_ms),
            _ => self.0.push_back((from_ms, until_ms)),
        }
        if self.0.len() > SPANS_MAX {
            self.0.pop_front();
        }
    }

    /// How many milliseconds of them lie between two moments.
    pub(crate) fn within(&self, from_ms: i64, until_ms: i64) -> i64 {
        let shared = |&(start_ms, end_ms): &(i64, i64)| (end_ms.min(until_ms) - start_ms.max(from_ms)).max(0);
        // The newest are asked for.
        self.0.iter().rev().take_while(|(_, end_ms)| *end_ms > from_ms).map(shared).sum()
    }

    /// The end of the newest; the beginning of time without one.
    pub(crate) fn end_ms(&self) -> i64 {
        self.0.back().map_or(i64::MIN, |(_, end_ms)| *end_ms)
    }

    /// All that end after a moment.
    pub(crate) fn after(&self, at_ms: i64) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().copied().filter(move |(_, end_ms)| *end_ms > at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_two_moments() {
        let mut spans = Spans::default();
        assert_eq!((spans.within(i64::MIN, i64::MAX), spans.end_ms()), (0, i64::MIN));
        for (from_ms, until_ms) in [(10, 20), (15, 30), (40, 50), (45, 46)] {
            spans.add(from_ms, until_ms);
        }
        assert_eq!(spans.after(0).collect::<Vec<_>>(), [(10, 30), (40, 50)]);
        assert_eq!(spans.after(30).collect::<Vec<_>>(), [(40, 50)]);
        for (from_ms, until_ms, expected) in
            [(0, 100, 30), (0, 10, 0), (0, 11, 1), (29, 41, 2), (30, 40, 0), (50, 100, 0)]
        {
            assert_eq!(spans.within(from_ms, until_ms), expected, "{from_ms}..{until_ms}");
        }
    }

    #[test]
    fn there_is_an_end_to_them() {
        let mut spans = Spans::default();
        for second in 0..2 * SPANS_MAX as i64 {
            spans.add(2000 * second, 2000 * second + 1000);
        }
        assert_eq!(spans.after(0).count(), SPANS_MAX);
    }
}
