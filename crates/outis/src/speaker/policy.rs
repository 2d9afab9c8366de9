//! When a loudspeaker speaks: not at night, and not all the time. Knows no clock; the time is an argument.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

/// Hours of the day in which no loudspeaker speaks, in local time. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Quiet {
    from: Time,
    until: Time,
}

impl TryFrom<String> for Quiet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" are no hours such as \"22:00-07:00\"");
        let (from, until) = text.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let two = |text: &str| text.parse().ok().filter(|_| text.len() == 2);
            Time::new(two(hour)?, two(minute)?, 0, 0).ok()
        };
        // The end of the day is midnight again.
        let until = if until.trim() == "24:00" { "00:00" } else { until };
        let (from, until) = time(from).zip(time(until)).ok_or_else(wrong)?;
        Ok(Self { from, until })
    }
}

impl Quiet {
    /// From its first minute to the one before its last; the same time twice is the whole day.
    fn covers(self, now: Time) -> bool {
        if self.from < self.until {
            self.from <= now && now < self.until
        } else {
            now >= self.from || now < self.until
        }
    }
}

/// What becomes of an alert at one loudspeaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It speaks.
    Speak,
    /// It would speak, but is only tried out.
    DryRun,
    /// Nobody is to be woken.
    Quiet,
    /// It has spoken not long ago.
    Cooling,
}

/// The rules of all loudspeakers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Policy {
    pub(crate) quiet: Vec<Quiet>,
    pub(crate) cool_down: Duration,
    pub(crate) dry_run: bool,
}

impl Policy {
    /// What becomes of an alert now, at a loudspeaker that has spoken last at `last`. Times of day are local, others of a
    /// clock that nobody sets.
    pub(crate) fn decide(&self, time_of_day: Time, now: Duration, last: Option<Duration>) -> Decision {
        if self.quiet.iter().any(|quiet| quiet.covers(time_of_day)) {
            return Decision::Quiet;
        }
        if last.is_some_and(|last| now.saturating_sub(last) < self.cool_down) {
            return Decision::Cooling;
        }
        if self.dry_run { Decision::DryRun } else { Decision::Speak }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn quiet(text: &str) -> Quiet {
        Quiet::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn nobody_is_woken() {
        // (hours, time of day, whether it is quiet)
        let cases = [
            ("22:00-07:00", time(21, 59, 59, 999_999_999), false),
            ("22:00-07:00", time(22, 0, 0, 0), true),
            ("22:00-07:00", time(0, 0, 0, 0), true),
            ("22:00-07:00", time(6, 59, 59, 0), true),
            ("22:00-07:00", time(7, 0, 0, 0), false),
            ("12:30-14:00", time(12, 29, 0, 0), false),
            ("12:30-14:00", time(13, 0, 0, 0), true),
            ("20:00-24:00", time(23, 59, 59, 0), true),
            ("20:00-24:00", time(0, 0, 0, 0), false),
            ("00:00-24:00", time(15, 0, 0, 0), true),
        ];
        for (hours, at, expected) in cases {
            let policy = Policy { quiet: vec![quiet("03:00-03:01"), quiet(hours)], ..Policy::default() };
            let decision = policy.decide(at, Duration::ZERO, None);
            assert_eq!(decision == Decision::Quiet, expected, "{hours} at {at}");
        }
        for wrong in
            ["", "22:00", "22-7", "22:00-7:00", "25:00-07:00", "22:60-07:00", "24:00-07:00", "a:bc-de:fg"]
        {
            assert!(Quiet::try_from(wrong.to_owned()).unwrap_err().contains("22:00-07:00"), "{wrong}");
        }
    }

    #[test]
    fn nobody_hears_it_all_the_time() {
        let policy =
            Policy { cool_down: Duration::from_secs(60), quiet: vec![quiet("22:00-07:00")], dry_run: false };
        let noon = time(12, 0, 0, 0);
        let at = |now_s: u64, last_s: Option<u64>| {
            policy.decide(noon, Duration::from_secs(now_s), last_s.map(Duration::from_secs))
        };
        assert_eq!(at(0, None), Decision::Speak, "the first one at once");
        assert_eq!([at(59, Some(0)), at(60, Some(0))], [Decision::Cooling, Decision::Speak]);
        assert_eq!(
            policy.decide(time(23, 0, 0, 0), Duration::from_secs(600), Some(Duration::ZERO)),
            Decision::Quiet
        );
        let dry = Policy { dry_run: true, ..policy.clone() };
        assert_eq!(dry.decide(noon, Duration::ZERO, None), Decision::DryRun);
        assert_eq!(
            dry.decide(noon, Duration::from_secs(9), Some(Duration::ZERO)),
            Decision::Cooling,
            "as it would be"
        );
    }
}
