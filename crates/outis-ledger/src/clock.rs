//! The times of entries: those of a clock that anybody can set, told from one that nobody can.

/// A difference between two clocks that is a clock being set, in seconds. Less is what trimming a clock does.
const JUMP_S: i64 = 10;

const DAY_S: i64 = 86_400;

/// What the clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock on the wall, in seconds from the Unix epoch. It may be set.
    pub wall_s: i64,
    /// A clock that nobody can set, in milliseconds from any moment.
    pub steady_ms: u64,
}

/// Gives entries their times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// Time of the newest entry.
    newest_s: Option<i64>,
    /// What the clocks said then, if that was in this run.
    then: Option<Moment>,
}

/// The time of an entry, and what must be logged before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) at_s: i64,
    /// The clock was set.
    pub(crate) set: Option<Set>,
    /// This day is over, in days from the Unix epoch.
    pub(crate) day_over: Option<i64>,
}

/// A clock that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Set {
    /// What it would have said.
    pub(crate) before_s: i64,
    pub(crate) by_s: i64,
}

impl Clock {
    /// Takes note of an entry of an earlier run.
    pub(crate) fn replay(&mut self, at_s: i64) {
        self.newest_s = Some(at_s);
    }

    /// The time of a new entry. It never runs backwards, unless the clock was set.
    pub(crate) fn stamp(&mut self, now: Moment) -> Stamp {
        let newest_s = self.newest_s.unwrap_or(now.wall_s);
        // How long the device was off nobody knows, so between runs only the way back is a clock being set.
        let expected_s = self.then.map_or(now.wall_s.max(newest_s), |then| {
            let elapsed_ms = now.steady_ms.saturating_sub(then.steady_ms);
            then.wall_s.saturating_add(i64::try_from(elapsed_ms / 1000).unwrap_or(i64::MAX))
        });
        let by_s = now.wall_s.saturating_sub(expected_s);
        let set = (by_s.abs() > JUMP_S).then_some(Set { before_s: expected_s.max(newest_s), by_s });
        let at_s = if set.is_some() { now.wall_s } else { now.wall_s.max(newest_s) };
        let day = newest_s.div_euclid(DAY_S);
        (self.newest_s, self.then) = (Some(at_s), Some(now));
        Stamp { at_s, set, day_over: (at_s.div_euclid(DAY_S) > day).then_some(day) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_entries() {
        let set = |before_s, by_s| Some(Set { before_s, by_s });
        // The wall clock in seconds, the steady one in milliseconds; then what is expected.
        let steps = [
            ("the first", 1000, 0, 1000, None, None),
            ("a minute later", 1060, 60_000, 1060, None, None),
            ("trimmed back by two seconds", 1068, 70_000, 1068, None, None),
            ("trimmed back below the newest", 1067, 71_000, 1068, None, None),
            ("set forwards by an hour", 4677, 81_000, 4677, set(1077, 3600), None),
            ("set backwards by an hour", 1087, 91_000, 1087, set(4687, -3600), None),
            ("the next day", 87_487, 86_491_000, 87_487, None, Some(0)),
            ("set back by a day", 1097, 86_501_000, 1097, set(87_497, -86_400), None),
        ];
        let mut clock = Clock::default();
        for (name, wall_s, steady_ms, at_s, set, day_over) in steps {
            assert_eq!(clock.stamp(Moment { wall_s, steady_ms }), Stamp { at_s, set, day_over }, "{name}");
        }
        let mut next_run = Clock::default();
        next_run.replay(50_000);
        let boot = Moment { wall_s: 7, steady_ms: 3 };
        assert_eq!(next_run.stamp(boot).set, set(50_000, -49_993), "a clock that forgot everything");
        assert_eq!(
            next_run.stamp(Moment { wall_s: 60_000, ..boot }).set,
            set(7, 59_993),
            "and was then told the time"
        );
    }
}
