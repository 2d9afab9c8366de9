//! Keeps an eye of a live camera in the present: while it is behind, it looks at nothing until it has caught up.
//!
//! A machine that is too slow for its cameras would else count what was minutes ago, and more and more so. No clock on the
//! wall is asked: where the eye has once been with the stream, measured by the steady clock, is where it can be.

use std::time::Instant;

use outis_measure::MediaTime;

/// From here on it is behind, in milliseconds: some looks' work.
const BEHIND_MS: i64 = 700;

/// Here it has caught up.
const CAUGHT_UP_MS: i64 = 250;

/// An eye that gains more than this from one frame to the next has been behind all along: what had come while it was
/// loading its model, for one.
const GAIN_MS: i64 = 20;

/// By how much an eye may be behind after a [rest](Haste::excuse), in milliseconds: the second for which packets wait, and
/// the decoding of what led up to them.
const EXCUSED_MS: i64 = 4_000;

/// Whether an eye is behind.
#[derive(Debug)]
pub(crate) struct Haste {
    live: bool,
    begun: Option<Instant>,
    /// By how much the steady clock was ahead of media time when the eye was farthest.
    best_ms: Option<i64>,
    /// What was said of the newest frame, which may be asked for twice.
    newest: Option<MediaTime>,
    behind: bool,
    is_excused: bool,
}

impl Haste {
    /// For a live stream, or for a file, which waits.
    pub(crate) fn new(live: bool) -> Self {
        Self { live, begun: None, best_ms: None, newest: None, behind: false, is_excused: false }
    }

    /// Whether to go on without looking at the frame of this time.
    pub(crate) fn is_behind(&mut self, at: MediaTime) -> bool {
        if self.live && self.newest != Some(at) {
            self.newest = Some(at);
            let elapsed = self.begun.get_or_insert_with(Instant::now).elapsed();
            let elapsed_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
            self.judge(elapsed_ms.saturating_sub(at.as_millis()));
        }
        self.behind
    }

    /// Whether the eye was behind at the newest frame that was asked for.
    pub(crate) fn was_behind(&self) -> bool {
        self.behind
    }

    /// Takes it that the eye let packets wait, and has to catch up without passing anything over.
    pub(crate) fn excuse(&mut self) {
        self.is_excused = true;
    }

    fn judge(&mut self, ahead_ms: i64) {
        let best_ms = self.best_ms.unwrap_or(ahead_ms);
        self.best_ms = Some(best_ms.min(ahead_ms));
        self.is_excused &= ahead_ms - best_ms > CAUGHT_UP_MS;
        let behind_ms = if self.is_excused { EXCUSED_MS } else { BEHIND_MS };
        self.behind = if ahead_ms < best_ms {
            best_ms - ahead_ms > GAIN_MS
        } else {
            ahead_ms - best_ms > if self.behind { CAUGHT_UP_MS } else { behind_ms }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(ahead_ms: &[i64]) -> Vec<bool> {
        let mut haste = Haste::new(true);
        let behind = ahead_ms.iter().map(|&ms| {
            haste.judge(ms);
            haste.behind
        });
        behind.collect()
    }

    #[test]
    fn an_eye_that_is_behind_catches_up_before_it_looks_again() {
        let behind = judge(&[0, 700, 701, 600, 251, 250, 600, 900, 0]);
        assert_eq!(behind, [false, false, true, true, true, false, false, true, false]);
    }

    #[test]
    fn who_let_packets_wait_is_excused_until_he_has_caught_up() {
        let mut haste = Haste::new(true);
        haste.judge(0);
        haste.excuse();
        let behind = [1_900, 2_600, 900, 251, 250, 701].map(|ms| {
            haste.judge(ms);
            haste.behind
        });
        assert_eq!(behind, [false, false, false, false, false, true]);
        haste.judge(0);
        haste.excuse();
        haste.judge(EXCUSED_MS + 1);
        assert!(haste.behind, "there is an end to it");
    }

    #[test]
    fn what_came_while_it_was_loading_is_passed_over() {
        // Ten frames a second that have waited for three seconds are decoded in five milliseconds each.
        let mut ahead_ms: Vec<i64> = (0..=30).map(|frame| -95 * frame).collect();
        ahead_ms.extend([-2_845, -2_852, -2_600]);
        let behind = judge(&ahead_ms);
        assert!(!behind[0] && behind[1..=30].iter().all(|&behind| behind), "{behind:?}");
        assert_eq!(behind[31..], [false; 3]);
    }

    #[test]
    fn a_file_waits_and_a_frame_is_judged_once() {
        let mut file = Haste::new(false);
        assert!(!file.is_behind(MediaTime::from_micros(0)) && file.best_ms.is_none());
        let mut live = Haste::new(true);
        live.is_behind(MediaTime::from_micros(0));
        assert!(live.is_behind(MediaTime::from_micros(1_000_000)), "a second was gained");
        assert!(live.is_behind(MediaTime::from_micros(1_000_000)), "the same frame");
    }
}
