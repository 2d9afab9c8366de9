//! Ties the times of a live stream to when its packets came.
//!
//! A camera's timestamps say exactly how far two frames are apart, and nothing about the time of day: its clock drifts,
//! stops with the stream, is set, and wraps. When packets came is known with the jitter of a network, by a clock that is
//! never set. Knows numbers only.

/// Timestamps and arrivals that are further apart than this do not tell of the same time any more.
const APART_MAX_US: i64 = 2_000_000;

/// Smaller distances are worn off slowly, by one part in so many, so that speeds stay true to a thousandth. A camera's
/// quartz errs by less than a tenth of that.
const SLEW: i64 = 1_000;

/// What a frame is put after the one before it while time waits for arrivals.
const NUDGE_US: i64 = 1_000;

/// Later arrivals are not believed: keeps sums far from the end of what 64 bits hold.
const ARRIVAL_MAX_US: u64 = 1 << 60;

/// What is known of the frames that were placed.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// From the stream's time to media time, which counts from the first arrival.
    offset_us: i64,
    last_us: Option<i64>,
}

impl Arrivals {
    /// The media time of the next frame, which the stream's own clock puts at `stream_us` if it has a time, and whose
    /// packet came at `arrival_us`; and whether time had to jump or wait. Grows from call to call.
    pub(crate) fn place(&mut self, stream_us: i64, stamped: bool, arrival_us: u64) -> (i64, bool) {
        // Fits, by the limit.
        let arrival_us = arrival_us.min(ARRIVAL_MAX_US) as i64;
        let Some(last_us) = self.last_us else { return (self.anchor(stream_us, arrival_us), false) };
        let least_us = last_us.saturating_add(NUDGE_US);
        let at_us = stream_us.saturating_add(self.offset_us);
        let apart_us = at_us.saturating_sub(arrival_us);
        if !stamped || apart_us.saturating_abs() > APART_MAX_US {
            return (self.anchor(stream_us, arrival_us.max(least_us)), stamped);
        }
        let slew_us = at_us.saturating_sub(last_us).max(0) / SLEW;
        let at_us = at_us.saturating_sub(apart_us.clamp(-slew_us, slew_us));
        (self.anchor(stream_us, at_us.max(last_us.saturating_add(1))), false)
    }

    /// Where a frame that the stream's own clock puts at `stream_us` will be placed if nothing is wrong, but for what is
    /// worn off.
    pub(crate) fn expected_us(&self, stream_us: i64) -> i64 {
        stream_us.saturating_add(self.offset_us)
    }

    fn anchor(&mut self, stream_us: i64, at_us: i64) -> i64 {
        self.offset_us = at_us.saturating_sub(stream_us);
        self.last_us = Some(at_us);
        at_us
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000;

    /// Stream time, arrival, and what comes of it, in milliseconds.
    fn check(name: &str, frames: &[(Option<i64>, u64, i64, bool)]) {
        let mut arrivals = Arrivals::default();
        for (number, &(stream_ms, arrival_ms, at_ms, jumped)) in frames.iter().enumerate() {
            let placed =
                arrivals.place(stream_ms.unwrap_or(0) * MS, stream_ms.is_some(), arrival_ms * MS as u64);
            let near = (placed.0 - at_ms * MS).abs() < MS;
            assert!(near && placed.1 == jumped, "{name}, frame {number}: {placed:?}");
        }
    }

    #[test]
    fn timestamps_rule_while_they_agree_with_arrivals() {
        let t = Some;
        check(
            "jitter does not show",
            &[(t(0), 0, 0, false), (t(40), 95, 40, false), (t(80), 96, 80, false), (t(120), 121, 120, false)],
        );
        check("the first frame is shown when it came", &[(t(0), 700, 700, false), (t(40), 740, 740, false)]);
        check(
            "a burst at the beginning",
            &[(t(0), 0, 0, false), (t(900), 1, 900, false), (t(1800), 2, 1799, false)],
        );
        check(
            "a stall: time jumps to when frames come again, and waits while old ones come in a burst",
            &[
                (t(0), 0, 0, false),
                (t(40), 40, 40, false),
                (t(80), 5000, 5000, true),
                (t(1080), 5001, 5999, false),
                (t(3080), 5002, 6000, true),
                (t(3120), 5003, 6040, false),
            ],
        );
        check(
            "a clock that is ahead is waited for, never turned back",
            &[(t(0), 0, 0, false), (t(4000), 40, 40, true), (t(4040), 80, 80, false)],
        );
        check("a gap", &[(t(0), 0, 0, false), (t(7000), 7000, 7000, false), (t(7040), 7045, 7040, false)]);
        check(
            "no timestamps",
            &[(None, 0, 0, false), (None, 203, 203, false), (None, 203, 204, false), (None, 610, 610, false)],
        );
    }

    #[test]
    fn a_clock_that_drifts_is_followed_without_a_jump() {
        let mut arrivals = Arrivals::default();
        let mut last_us = 0;
        // A day at 10 frames a second with a quartz that runs 90 ppm fast, which is 7.8 seconds.
        for frame in 0..864_000_i64 {
            let arrival_us = frame * 100 * MS;
            let stream_us = arrival_us + arrival_us * 9 / 100_000;
            let (at_us, jumped) = arrivals.place(stream_us, true, arrival_us as u64);
            assert!(!jumped && (at_us - arrival_us).abs() < MS, "frame {frame}: {at_us}");
            assert!((at_us - last_us - 100 * MS).abs() <= 100 * MS / 500 || frame == 0, "frame {frame}");
            last_us = at_us;
        }
    }

    proptest! {
        #[test]
        fn time_always_grows_and_never_lags_behind(
            frames in proptest::collection::vec((any::<i64>(), any::<bool>(), 0_u64..1 << 50), 1..60)
        ) {
            let mut arrivals = Arrivals::default();
            let mut last = None;
            for (stream_us, stamped, arrival_us) in frames {
                let (at_us, _) = arrivals.place(stream_us, stamped, arrival_us);
                prop_assert!(last.is_none_or(|last| at_us > last));
                prop_assert!(at_us + APART_MAX_US >= arrival_us as i64);
                last = Some(at_us);
            }
        }
    }
}
