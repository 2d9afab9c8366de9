//! How long to wait before a camera is started again, and how often an eye that broke the rules gets another chance.
//! Pure: time comes in as an argument.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The first wait; after it they double.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait after a run that counted nothing.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest wait after one that counted: it is there, and comes and goes.
const LONGEST_OF_ONE_THAT_COUNTS: Duration = Duration::from_secs(2);

/// After so long at work the next failure is a first one again.
const GOOD_RUN: Duration = Duration::from_secs(60);

/// How many times an eye that broke the rules, or was stopped by the kernel, is started anew within [`STRIKES_WITHIN`].
const STRIKES_MAX: usize = 3;

/// The time in which [`STRIKES_MAX`] are counted.
const STRIKES_WITHIN: Duration = Duration::from_secs(3600);

/// The waits between the runs of one camera.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// How long to wait after a run that has counted for so long.
    pub(crate) fn after(&mut self, counted: Duration) -> Duration {
        if counted >= GOOD_RUN {
            self.next = FIRST;
        }
        let longest = if counted.is_zero() { LONGEST } else { LONGEST_OF_ONE_THAT_COUNTS };
        let wait = self.next.min(longest);
        self.next = (wait * 2).min(LONGEST);
        wait
    }

    /// The camera has changed: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// What speaks against a camera's eyes.
#[derive(Debug, Default)]
pub(crate) struct Strikes(VecDeque<Instant>);

impl Strikes {
    /// Takes one more; false when it was one too many.
    pub(crate) fn another(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|&then| now.duration_since(then) >= STRIKES_WITHIN) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() <= STRIKES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_half_a_minute_and_begin_anew_after_a_good_run() {
        let mut backoff = Backoff::default();
        let mut wait = |counted_s| backoff.after(Duration::from_secs(counted_s)).as_secs_f64();
        let waits: Vec<f64> = (0..9).map(|_| wait(0)).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!((wait(60), wait(0)), (0.5, 1.0));
    }

    #[test]
    fn a_camera_that_comes_and_goes_is_never_waited_for_long() {
        let mut backoff = Backoff::default();
        let mut wait = |counted_s| backoff.after(Duration::from_secs(counted_s)).as_secs_f64();
        let waits: Vec<f64> = (0..5).map(|_| wait(3)).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!([wait(0), wait(0), wait(59), wait(60)], [4.0, 8.0, 2.0, 0.5]);
    }

    #[test]
    fn three_strikes_an_hour() {
        let start = Instant::now();
        let mut strikes = Strikes::default();
        let mut at = |minutes: u64| strikes.another(start + Duration::from_secs(60 * minutes));
        assert_eq!([0, 10, 20].map(&mut at), [true; 3]);
        assert!(!at(59), "the fourth within the hour");
        assert!(!at(61), "there are three of this hour still");
        assert!(at(140), "an hour has passed since");
    }
}
