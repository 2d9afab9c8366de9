//! What an eye said on the way to its door: exact figures, which no profile tells.

use std::collections::BTreeMap;

use anyhow::Context;
use outis_record::{Message, Notice, Progress, RECORD_LEN, Record};

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
        let (records, _) = bytes.as_chunks::<RECORD_LEN>();
        for record in records {
            match Record::from_bytes(*record).message().context("an eye said what is no record")? {
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
}
