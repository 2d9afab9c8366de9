//! What an eye said on the way to its door: exact figures, which no profile tells.

use std::collections::BTreeMap;

use anyhow::Context;
use outis_record::{
    Class, DirectionalCount, LineIndex, Measure, Message, Notice, Progress, RECORD_LEN, Record,
};

/// An eye with a page speaks this often, in seconds: figures are as old as that at most.
pub(super) const WORD_S: f64 = 0.5;

/// Sums since an eye's start, or over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Frames that came.
    pub frames: u32,
    /// Frames at which the detector looked.
    pub looks: u32,
    /// Looks that were left out because the eye was behind.
    pub behind: u32,
    /// Other faults.
    pub faults: u32,
    /// Media time.
    pub media_ms: u64,
    /// Of that, what was observed: in time and in the picture.
    pub observed_ms: u64,
}

impl Heard {
    /// All records up to the last whole one.
    ///
    /// # Errors
    /// When one is malformed.
    pub(super) fn of(bytes: &[u8]) -> anyhow::Result<Self> {
        let (mut heard, mut observed) = (Self::default(), BTreeMap::new());
        for message in messages(bytes) {
            match message? {
                Message::Progress(progress) | Message::End { progress, .. } => heard.progress(progress),
                Message::Notice { notice: Notice::Behind, count } => heard.behind += count,
                Message::Notice { count, .. } => heard.faults += count,
                // Running totals come again and again; the newest count.
                Message::WindowDone { window, observed_ms, .. } => {
                    observed.insert(window.start_ms(), u64::from(observed_ms));
                }
                Message::Cell { .. }
                | Message::Alert(_)
                | Message::GroundView(_)
                | Message::GroundQuality(_) => {}
            }
        }
        heard.observed_ms = observed.values().sum();
        Ok(heard)
    }

    fn progress(&mut self, progress: Progress) {
        (self.frames, self.looks, self.media_ms) = (progress.frames, progress.looks, progress.media_ms);
    }

    /// The share of time that was observed.
    pub fn observed(&self) -> f64 {
        self.observed_ms as f64 / (self.media_ms as f64).max(1.0)
    }

    /// What came after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            frames: self.frames.saturating_sub(before.frames),
            looks: self.looks.saturating_sub(before.looks),
            behind: self.behind.saturating_sub(before.behind),
            faults: self.faults.saturating_sub(before.faults),
            media_ms: self.media_ms.saturating_sub(before.media_ms),
            observed_ms: self.observed_ms.saturating_sub(before.observed_ms),
        }
    }
}

/// How many people passed over each of so many lines, as far as the eye had settled that.
///
/// # Errors
/// When a record is malformed.
pub(super) fn passages(bytes: &[u8], lines: usize) -> anyhow::Result<Vec<DirectionalCount>> {
    // Running totals, as above.
    let mut newest = BTreeMap::new();
    for message in messages(bytes) {
        if let Message::Cell { window, class: Class::Person, measure, .. } = message?
            && let Measure::LineCrossings { line, forward, backward } = measure
        {
            newest.insert((window.start_ms(), line), DirectionalCount { forward, backward });
        }
    }
    let mut passages = vec![DirectionalCount::default(); lines];
    for ((_, LineIndex(line)), count) in newest {
        let sum = passages.get_mut(usize::from(line)).context("an eye counted over a line that is none")?;
        (sum.forward, sum.backward) = (sum.forward + count.forward, sum.backward + count.backward);
    }
    Ok(passages)
}

/// What was said until so much of the film was seen; nothing when that is not so yet.
///
/// # Errors
/// When a record is malformed.
pub(super) fn until(bytes: &[u8], media_ms: u64) -> anyhow::Result<Option<&[u8]>> {
    for (index, message) in messages(bytes).enumerate() {
        if let Message::Progress(progress) = message?
            && progress.media_ms >= media_ms
        {
            return Ok(bytes.get(..(index + 1) * RECORD_LEN));
        }
    }
    Ok(None)
}

/// All records up to the last whole one.
fn messages(bytes: &[u8]) -> impl Iterator<Item = anyhow::Result<Message>> {
    let (records, _) = bytes.as_chunks::<RECORD_LEN>();
    records
        .iter()
        .map(|record| Record::from_bytes(*record).message().context("an eye said what is no record"))
}

#[cfg(test)]
mod tests {
    use outis_record::{Window, WindowState};

    use super::*;

    #[test]
    fn the_newest_totals_of_each_window_count() {
        let progress =
            |frames| Message::Progress(Progress { frames, looks: frames / 5, ..Progress::default() });
        let window = |start_s: i64, observed_ms| Message::WindowDone {
            window: Window::new(1000 * start_s, 900_000).unwrap(),
            state: WindowState::Open,
            observed_ms,
            looks: 0,
            cells: 0,
        };
        let messages = [
            progress(25),
            window(0, 4_000),
            Message::Notice { notice: Notice::Behind, count: 3 },
            window(0, 9_000),
            Message::Notice { notice: Notice::FormatChange, count: 1 },
            window(900, 500),
            progress(50),
            Message::Notice { notice: Notice::Behind, count: 2 },
        ];
        let mut bytes: Vec<u8> =
            messages.iter().flat_map(|message| *Record::from(*message).as_bytes()).collect();
        let first = Heard::of(&bytes[..2 * RECORD_LEN]).unwrap();
        bytes.extend([7; 9]);
        let all = Heard::of(&bytes).unwrap();
        let expected = Heard { frames: 50, looks: 10, behind: 5, faults: 1, media_ms: 0, observed_ms: 9_500 };
        assert_eq!(all, expected, "half a record waits for its rest");
        assert_eq!((all.since(&first).frames, all.since(&first).observed_ms), (25, 5_500));
        assert!(Heard::of(&[7; RECORD_LEN]).is_err());
    }

    #[test]
    fn passages_are_summed_over_windows_up_to_a_moment() {
        let progress = |media_ms| Message::Progress(Progress { media_ms, ..Progress::default() });
        let passed = |start_s: i64, class, line, forward| Message::Cell {
            window: Window::new(1000 * start_s, 900_000).unwrap(),
            state: WindowState::Open,
            class,
            measure: Measure::LineCrossings { line: LineIndex(line), forward, backward: 1 },
        };
        let messages = [
            passed(0, Class::Person, 0, 2),
            passed(0, Class::Person, 0, 3),
            passed(0, Class::Bicycle, 0, 9),
            progress(59_900),
            passed(900, Class::Person, 0, 4),
            passed(900, Class::Person, 1, 5),
            progress(60_400),
            passed(900, Class::Person, 1, 6),
        ];
        let bytes: Vec<u8> = messages.iter().flat_map(|message| *Record::from(*message).as_bytes()).collect();
        let count = |forward, backward| DirectionalCount { forward, backward };
        assert_eq!(passages(&bytes, 2).unwrap(), [count(7, 2), count(6, 1)]);
        let minute = until(&bytes, 60_000).unwrap().unwrap();
        assert_eq!(passages(minute, 2).unwrap(), [count(7, 2), count(5, 1)]);
        assert_eq!(until(&bytes, 61_000).unwrap(), None, "that was not seen yet");
        assert!(passages(&bytes, 1).is_err(), "of two lines one was drawn");
    }
}
