//! Media time from the timestamps of a container, whatever state they are in.
//!
//! Knows numbers only. The times it gives start at zero and always grow.

use outis_measure::MediaTime;
use outis_packet::Ratio;
use outis_record::Notice;

/// A gap this long between two frames is believed; a longer one is a fault of the clock.
const GAP_MAX_US: i64 = 10_000_000;

/// A step back up to this is two frames in the wrong order or with one timestamp; a longer one is a clock that
/// was set back.
const STEP_BACK_MAX_US: i64 = 1_000_000;

/// What a frame is put after the one before it when its own time cannot be.
const NUDGE_US: i64 = 1_000;

/// Frame rates that containers may state; others are a fault of theirs.
const RATES_FPS: std::ops::RangeInclusive<f64> = 0.5..=480.0;

/// When nothing tells the frame rate.
const PERIOD_FALLBACK_US: i64 = 40_000;

/// Turns the times of frames into media time.
#[derive(Debug)]
pub(crate) struct Clock {
    time_base: Ratio,
    period_us: i64,
    last_us: Option<i64>,
    /// Stream time of media time zero.
    origin_us: Option<i64>,
    /// The origin before the last jump. A single wild timestamp is followed by one that fits this again.
    origin_before_us: Option<i64>,
}

impl Clock {
    /// A clock for a stream with times in units of `time_base` seconds.
    pub(crate) fn new(time_base: Ratio, frame_rate: Option<Ratio>) -> Self {
        let rate_fps = frame_rate.map(Ratio::as_f64).filter(|fps| RATES_FPS.contains(fps));
        let period_us = rate_fps.map_or(PERIOD_FALLBACK_US, |fps| (1e6 / fps).round() as i64);
        Self { time_base, period_us, last_us: None, origin_us: None, origin_before_us: None }
    }

    /// The media time of the next frame in the order of showing, and what was wrong with its own.
    pub(crate) fn stamp(&mut self, time: Option<i64>) -> (MediaTime, Option<Notice>) {
        let (at_us, notice) = match time {
            None => (self.expected_us(), Some(Notice::MissingTimestamp)),
            Some(time) => self.place(self.stream_us(time)),
        };
        self.last_us = Some(at_us);
        (MediaTime::from_micros(at_us), notice)
    }

    /// The media time that a frame with this stream time will get if nothing is wrong; `None` before the first frame.
    pub(crate) fn expected_at(&self, time: i64) -> Option<MediaTime> {
        let at_us = self.stream_us(time).saturating_sub(self.origin_us?);
        Some(MediaTime::from_micros(at_us))
    }

    /// When the next frame is due by the frame rate.
    fn expected_us(&self) -> i64 {
        self.last_us.map_or(0, |last| last.saturating_add(self.period_us))
    }

    fn place(&mut self, stream_us: i64) -> (i64, Option<Notice>) {
        let (Some(last_us), Some(origin_us)) = (self.last_us, self.origin_us) else {
            // The first timestamp: frames without one may have gone before.
            return (self.restart(stream_us), None);
        };
        let step_us = |origin_us: i64| stream_us.saturating_sub(origin_us).saturating_sub(last_us);
        let believed = |&origin_us: &i64| (1..=GAP_MAX_US).contains(&step_us(origin_us));
        let strange = |origin_us: &i64| step_us(*origin_us).abs_diff(self.period_us);
        let before_us = self.origin_before_us.take();
        let candidates = [Some(origin_us), before_us].into_iter().flatten();
        if let Some(origin_us) = candidates.filter(believed).min_by_key(strange) {
            self.origin_us = Some(origin_us);
            return (stream_us - origin_us, None);
        }
        if (-STEP_BACK_MAX_US..=0).contains(&step_us(origin_us)) {
            return (last_us.saturating_add(NUDGE_US), Some(Notice::TimestampJump));
        }
        self.origin_before_us = Some(origin_us);
        (self.restart(stream_us), Some(Notice::TimestampJump))
    }

    /// Lets the clock go on from where it is due, as if this stream time were that moment.
    fn restart(&mut self, stream_us: i64) -> i64 {
        let at_us = self.expected_us();
        self.origin_us = Some(stream_us.saturating_sub(at_us));
        at_us
    }

    fn stream_us(&self, time: i64) -> i64 {
        let us = i128::from(time) * i128::from(self.time_base.num()) * 1_000_000
            / i128::from(self.time_base.den());
        // Far from the ends, so that differences of two such times do not overflow.
        us.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MISSING: Option<Notice> = Some(Notice::MissingTimestamp);
    const JUMP: Option<Notice> = Some(Notice::TimestampJump);

    fn clock() -> Clock {
        Clock::new(Ratio::new(1, 1000).unwrap(), Ratio::new(25, 1))
    }

    /// Stamps in milliseconds, in and out.
    fn check(name: &str, frames: &[(Option<i64>, i64, Option<Notice>)]) {
        let mut clock = clock();
        for (number, &(time, at_ms, notice)) in frames.iter().enumerate() {
            let (at, said) = clock.stamp(time);
            assert_eq!((at.as_micros(), said), (at_ms * 1000, notice), "{name}, frame {number}");
        }
    }

    #[test]
    fn times_start_at_zero_and_grow() {
        let t = Some;
        check("as it should be", &[(t(0), 0, None), (t(40), 40, None), (t(80), 80, None)]);
        check("starts late", &[(t(900), 0, None), (t(940), 40, None)]);
        check("starts before zero", &[(t(-80), 0, None), (t(-40), 40, None), (t(0), 80, None)]);
        check(
            "variable rate",
            &[(t(0), 0, None), (t(7), 7, None), (t(3000), 3000, None), (t(3040), 3040, None)],
        );
        check("no times at all", &[(None, 0, MISSING), (None, 40, MISSING), (None, 80, MISSING)]);
        check("one is missing", &[(t(0), 0, None), (None, 40, MISSING), (t(80), 80, None)]);
        check("the first is missing", &[(None, 0, MISSING), (t(540), 40, None), (t(580), 80, None)]);
    }

    #[test]
    fn faulty_times_do_not_stop_the_clock() {
        let t = Some;
        check("twice the same", &[(t(0), 0, None), (t(40), 40, None), (t(40), 41, JUMP), (t(80), 80, None)]);
        check("wrong order", &[(t(0), 0, None), (t(80), 80, None), (t(40), 81, JUMP), (t(120), 120, None)]);
        check(
            "set back",
            &[
                (t(5000), 0, None),
                (t(5040), 40, None),
                (t(0), 80, JUMP),
                (t(40), 120, None),
                (t(80), 160, None),
            ],
        );
        check(
            "leap ahead",
            &[(t(0), 0, None), (t(40), 40, None), (t(99_000), 80, JUMP), (t(99_040), 120, None)],
        );
        check(
            "one wild time ahead",
            &[
                (t(0), 0, None),
                (t(40), 40, None),
                (t(99_000), 80, JUMP),
                (t(120), 120, None),
                (t(160), 160, None),
            ],
        );
        check(
            "one wild time back",
            &[(t(9000), 0, None), (t(9040), 40, None), (t(5), 80, JUMP), (t(9120), 120, None)],
        );
        check("absurd", &[(t(i64::MIN + 1), 0, None), (t(i64::MAX), 40, JUMP), (t(0), 80, JUMP)]);
    }

    #[test]
    fn an_absurd_frame_rate_is_not_believed() {
        let mut clock = Clock::new(Ratio::new(1, 1000).unwrap(), Ratio::new(90_000, 1));
        clock.stamp(None);
        assert_eq!(clock.stamp(None).0.as_micros(), PERIOD_FALLBACK_US);
    }

    proptest! {
        #[test]
        fn media_time_always_grows(times in proptest::collection::vec(proptest::option::of(any::<i64>()), 1..60)) {
            let mut clock = clock();
            let mut last = None;
            for time in times {
                let (at, _) = clock.stamp(time);
                prop_assert!(last.is_none_or(|last| at > last));
                last = Some(at);
            }
        }
    }
}
