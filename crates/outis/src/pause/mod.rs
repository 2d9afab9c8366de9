//! Pauses that passers-by ask for: who may have a camera paused for how long, as pure bookkeeping.
//!
//! It knows no person: a request is a camera's name and a length. What limits them is how much of the camera's time is
//! paused already, whoever asked.

pub(crate) mod command;
pub(crate) mod keep;
pub(crate) mod spans;

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use self::spans::Spans;

/// The shortest and the longest pause that can be asked for at once, in seconds: to walk through a picture takes longer
/// than the one, and who stays longer than the other asks again.
pub(crate) const SECONDS: RangeInclusive<u32> = 10..=600;

/// Over no shorter time is the paused share looked at: in a window of a second every pause would be too long.
const PERIOD_MS_MIN: u32 = 900_000;

/// Section `[pause]`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PauseTerms {
    /// How long a pause is unless something else is asked for.
    pub(crate) seconds: u32,
    /// At most so much of a window is paused.
    pub(crate) window_share: f64,
}

impl Default for PauseTerms {
    fn default() -> Self {
        Self { seconds: 90, window_share: 0.5 }
    }
}

impl PauseTerms {
    /// # Errors
    /// Says what can be.
    pub(crate) fn check(self) -> Result<Self, String> {
        if !SECONDS.contains(&self.seconds) {
            let (least, most) = (SECONDS.start(), SECONDS.end());
            return Err(format!("seconds is {}; {least} to {most} are possible", self.seconds));
        }
        if !(0.1..=1.0).contains(&self.window_share) {
            return Err(format!(
                "window_share is {}; 0.1 to 1 are possible. People must be able to object: no share switches pauses off",
                self.window_share
            ));
        }
        Ok(self)
    }
}

/// A request, as the page takes it.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) camera: String,
    pub(crate) seconds: Option<u32>,
    pub(crate) answer: oneshot::Sender<Result<Paused, Refused>>,
}

/// Nothing of the camera is looked at any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paused {
    /// For so long from now.
    pub(crate) seconds: u32,
}

/// Why a camera is not paused. Each is shown to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no camera of this name")]
    Unknown,
    #[error("a pause lasts {least} to {most} seconds", least = SECONDS.start(), most = SECONDS.end())]
    Length,
    #[error("this camera has ended: nothing of it is looked at")]
    Ended,
    #[error(
        "this camera has been paused for as much of this period as its operator allows; ask again in {wait_s} s, or speak \
         to the operator"
    )]
    TooMuch {
        /// Until the next period.
        wait_s: u32,
    },
}

/// The pauses of all cameras, by their names, on the wall clock.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pauses {
    terms: PauseTerms,
    spans: BTreeMap<String, Spans>,
}

impl Pauses {
    pub(crate) fn new(terms: PauseTerms) -> Self {
        Self { terms, spans: BTreeMap::new() }
    }

    /// Pauses a camera from now on, for so many seconds; to when, in milliseconds from the Unix epoch. One that is paused
    /// stays so for at least as long.
    ///
    /// # Errors
    /// When too much of a period would be paused.
    pub(crate) fn ask(
        &mut self,
        camera: &str,
        seconds: Option<u32>,
        window_ms: u32,
        now_ms: i64,
    ) -> Result<i64, Refused> {
        let seconds = seconds.unwrap_or(self.terms.seconds);
        if !SECONDS.contains(&seconds) {
            return Err(Refused::Length);
        }
        let until_ms = now_ms.saturating_add(1000 * i64::from(seconds));
        let mut spans = self.spans.get(camera).cloned().unwrap_or_default();
        spans.add(now_ms, until_ms);
        let period_ms = i64::from(window_ms.max(PERIOD_MS_MIN));
        let most_ms = (period_ms as f64 * self.terms.window_share) as i64;
        // A pause may reach into the next period, and no farther.
        let first_ms = now_ms.div_euclid(period_ms).saturating_mul(period_ms);
        for start_ms in [first_ms, first_ms.saturating_add(period_ms)] {
            let end_ms = start_ms.saturating_add(period_ms);
            if spans.within(start_ms, end_ms) > most_ms {
                let wait_s = u64::try_from(end_ms - now_ms).unwrap_or(0).div_ceil(1000);
                return Err(Refused::TooMuch { wait_s: u32::try_from(wait_s).unwrap_or(u32::MAX) });
            }
        }
        let until_ms = spans.end_ms().max(until_ms);
        self.spans.insert(camera.to_owned(), spans);
        Ok(until_ms)
    }

    /// To when a camera is paused, if it is.
    pub(crate) fn until_ms(&self, camera: &str, now_ms: i64) -> Option<i64> {
        self.spans.get(camera).map(Spans::end_ms).filter(|&until_ms| until_ms > now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW_MS: u32 = 900_000;

    /// At what second, for how many; until when, or for how long to wait.
    type Case = (i64, Option<u32>, Result<i64, Refused>);

    fn play(terms: PauseTerms, window_ms: u32, cases: &[Case]) {
        let mut pauses = Pauses::new(terms);
        for (at_s, seconds, expected) in cases {
            let until = pauses.ask("gate", *seconds, window_ms, 1000 * at_s);
            assert_eq!(until.map(|ms| ms / 1000), *expected, "at {at_s}");
        }
    }

    const TOO_MUCH: fn(u32) -> Result<i64, Refused> = |wait_s| Err(Refused::TooMuch { wait_s });

    #[test]
    fn pauses_follow_and_prolong_each_other_up_to_half_of_a_window() {
        let terms = PauseTerms::default();
        play(
            terms,
            WINDOW_MS,
            &[
                (0, None, Ok(90)),
                (30, None, Ok(120)),
                // A short one does not shorten.
                (40, Some(10), Ok(120)),
                (200, Some(330), Ok(530)),
                (600, Some(10), TOO_MUCH(300)),
                // What reaches into the next window counts there.
                (890, Some(20), TOO_MUCH(10)),
                (900, Some(450), Ok(1350)),
                (1350, Some(10), TOO_MUCH(450)),
            ],
        );
    }

    #[test]
    fn a_window_of_a_second_can_be_paused_and_one_of_an_hour_for_half_an_hour() {
        let terms = PauseTerms::default();
        play(terms, 1000, &[(0, None, Ok(90)), (100, Some(360), Ok(460)), (500, None, TOO_MUCH(400))]);
        let times: Vec<Case> = (0..3).map(|i| (600 * i, Some(600), Ok(600 * (i + 1)))).collect();
        play(terms, 3_600_000, &times);
    }

    #[test]
    fn with_a_share_of_one_nobody_is_refused() {
        let terms = PauseTerms { window_share: 1.0, ..PauseTerms::default() }.check().unwrap();
        let times: Vec<Case> = (0..50).map(|i| (80 * i, None, Ok(80 * i + 90))).collect();
        play(terms, WINDOW_MS, &times);
    }

    #[test]
    fn lengths_and_shares_have_limits() {
        play(
            PauseTerms::default(),
            WINDOW_MS,
            &[
                (0, Some(9), Err(Refused::Length)),
                (0, Some(601), Err(Refused::Length)),
                (0, Some(10), Ok(10)),
            ],
        );
        for (seconds, window_share, part) in
            [(9, 0.5, "seconds is 9"), (90, 0.0, "window_share is 0"), (90, f64::NAN, "window_share is NaN")]
        {
            let said = PauseTerms { seconds, window_share }.check().unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn cameras_are_paused_each_by_itself() {
        let mut pauses = Pauses::new(PauseTerms::default());
        pauses.ask("gate", None, WINDOW_MS, 0).unwrap();
        assert_eq!(pauses.until_ms("gate", 89_999), Some(90_000));
        assert_eq!(pauses.until_ms("gate", 90_000), None);
        assert_eq!(pauses.until_ms("yard", 0), None);
    }
}
