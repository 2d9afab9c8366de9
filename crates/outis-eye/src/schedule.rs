//! Which frames the detector looks at. Pure: knows media time and a rate.

use outis_measure::MediaTime;

/// How often to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LookRate {
    /// At every frame.
    EveryFrame,
    /// At this many frames a second of media time, or at every frame of a source that has fewer.
    Fps(f32),
}

impl LookRate {
    /// The highest rate that makes sense: cameras for streets are slower.
    pub const FPS_MAX: f32 = 240.0;

    /// A rate in looks per second; `None` when it is not above zero and at most [`LookRate::FPS_MAX`].
    pub fn from_fps(fps: f32) -> Option<Self> {
        (fps > 0.0 && fps <= Self::FPS_MAX).then_some(Self::Fps(fps))
    }
}

/// Chooses frames, one look for each point of an even grid in media time, so that no rounding adds up.
#[derive(Debug)]
pub(crate) struct LookSchedule {
    /// Distance of the grid's points in microseconds; `None` to look at every frame.
    interval_us: Option<f64>,
    /// The next point of the grid.
    due_us: f64,
    last_us: Option<f64>,
    /// From the frame before last to the last, in microseconds; zero before there were two.
    period_us: f64,
}

/// A frame within this share of a period from a point of the grid may be the nearest: half of one, and something for
/// cameras whose frames do not come evenly.
const NEAR_SHARE: f64 = 0.6;

impl LookSchedule {
    pub(crate) fn new(rate: LookRate) -> Self {
        let interval_us = match rate {
            LookRate::EveryFrame => None,
            LookRate::Fps(fps) => Some(1e6 / f64::from(fps)),
        };
        Self { interval_us, due_us: 0.0, last_us: None, period_us: 0.0 }
    }

    /// Whether a frame that is shown at this time may be looked at, as far as one can tell before its turn.
    pub(crate) fn may_be_due(&self, at: MediaTime) -> bool {
        let Some(interval_us) = self.interval_us else { return true };
        let at_us = at.as_micros() as f64;
        let apart_us = (at_us - (at_us / interval_us).round() * interval_us).abs();
        self.period_us == 0.0 || apart_us <= NEAR_SHARE * self.period_us
    }

    /// A frame of this time was there and cannot be looked at.
    pub(crate) fn pass(&mut self, at: MediaTime) {
        let at_us = at.as_micros() as f64;
        if let Some(last_us) = self.last_us.replace(at_us) {
            self.period_us = at_us - last_us;
        }
    }

    /// Whether to look at the frame of this time. Times grow from call to call.
    pub(crate) fn is_due(&mut self, at: MediaTime) -> bool {
        let Some(interval_us) = self.interval_us else { return true };
        let at_us = at.as_micros() as f64;
        // The frame nearest to a point of the grid is looked at, as far as one can tell without knowing the next.
        self.pass(at);
        if at_us < self.due_us - self.period_us.min(interval_us) / 2.0 {
            return false;
        }
        self.due_us = ((at_us / interval_us + 0.5).floor() + 1.0) * interval_us;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frame times in milliseconds and the looks' frame numbers.
    fn looks(detect_fps: f32, times_ms: impl Iterator<Item = f64>) -> Vec<usize> {
        let mut schedule = LookSchedule::new(LookRate::from_fps(detect_fps).unwrap());
        let at = |ms: f64| MediaTime::from_micros((ms * 1000.0).round() as i64);
        let due = times_ms.map(|ms| schedule.is_due(at(ms)));
        due.enumerate().filter(|(_, due)| *due).map(|(frame, _)| frame).collect()
    }

    fn steady(source_fps: f64, frames: usize) -> impl Iterator<Item = f64> {
        (0..frames).map(move |frame| frame as f64 * 1000.0 / source_fps)
    }

    #[test]
    fn whole_ratios_are_met_exactly() {
        for (source_fps, step) in [(10.0, 2), (15.0, 3), (25.0, 5), (30.0, 6), (50.0, 10), (60.0, 12)] {
            let expected: Vec<usize> = (0..3000).step_by(step).collect();
            assert_eq!(looks(5.0, steady(source_fps, 3000)), expected, "{source_fps} fps");
            // Containers round to milliseconds.
            let rounded = steady(source_fps, 3000).map(f64::round);
            assert_eq!(looks(5.0, rounded), expected, "{source_fps} fps in milliseconds");
        }
    }

    #[test]
    fn other_ratios_keep_the_rate() {
        for (detect_fps, source_fps, per_minute) in [
            (5.0, 12.5, 300),
            (5.0, 29.97, 300),
            (5.0, 24.0, 300),
            (8.0, 10.0, 480),
            (15.0, 10.0, 600),
            (5.0, 4.0, 240),
        ] {
            let looks = looks(detect_fps, steady(source_fps, (source_fps * 60.0) as usize)).len();
            assert!(looks.abs_diff(per_minute) <= 2, "{detect_fps} of {source_fps}: {looks}");
        }
    }

    #[test]
    fn a_gap_is_not_caught_up() {
        let times_ms = [0.0, 100.0, 200.0, 5_130.0, 5_230.0, 5_330.0, 5_430.0];
        // The frame at 5130 stands for the point at 5200; the next one is at 5400.
        assert_eq!(looks(5.0, times_ms.into_iter()), [0, 2, 3, 6]);
    }

    #[test]
    fn every_frame_is_every_frame() {
        let mut schedule = LookSchedule::new(LookRate::EveryFrame);
        assert!((0..10).all(|frame| schedule.is_due(MediaTime::from_micros(frame))));
        assert_eq!(LookRate::from_fps(0.0), None);
        assert_eq!(LookRate::from_fps(f32::NAN), None);
    }
}
