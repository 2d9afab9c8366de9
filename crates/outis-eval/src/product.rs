//! Our tracker and our counter, as the product uses them, over a whole file of detections at once.

use outis_measure::{
    Detection, Line, MeasureSettings, Measurer, MediaTime, Scene, TrackPoint, Tracker, TrackerSettings,
};
use outis_record::{Class, DirectionalCount, LineIndex, Schema, SchemaError};

use crate::mot::Frames;

/// Longer than any file: all passages fall into one window.
const WINDOW_MS: u32 = u32::MAX;

/// Which frames of a file are looked at, and when they were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Frames in a second.
    pub fps: f64,
    /// One look every so many frames: frames 1, 1 + `every`, …
    pub every: u32,
    /// How many frames there are.
    pub frames: u32,
}

impl Clock {
    /// The frames that are looked at, from 1.
    pub fn kept(&self) -> impl Iterator<Item = u32> + use<> {
        (1..=self.frames).step_by(self.every.max(1) as usize)
    }

    /// When a frame was; the first was at time zero.
    pub fn time(&self, frame: u32) -> MediaTime {
        MediaTime::from_seconds((f64::from(frame) - 1.0) / self.fps)
    }

    /// The frame nearest to a time.
    pub fn frame(&self, at: MediaTime) -> u32 {
        (at.as_seconds() * self.fps).round() as u32 + 1
    }

    /// The looks at a file of detections: also those at which nothing was found.
    pub fn looks<'a>(
        &self,
        detections: &'a Frames<Detection>,
    ) -> impl Iterator<Item = (MediaTime, &'a [Detection])> + use<'a> {
        let clock = *self;
        self.kept().map(move |frame| {
            (clock.time(frame), detections.get(frame as usize - 1).map_or(&[][..], Vec::as_slice))
        })
    }
}

/// Final positions of all tracks, in order of time and then of track.
pub fn track<'a>(
    looks: impl IntoIterator<Item = (MediaTime, &'a [Detection])>,
    settings: TrackerSettings,
) -> Vec<TrackPoint> {
    let mut tracker = Tracker::new(settings);
    let mut points = Vec::new();
    for (at, detections) in looks {
        tracker.look(at, detections);
        points.extend(tracker.take_points());
    }
    tracker.finish();
    points.extend(tracker.take_points());
    points.sort_by_key(|point| (point.at, point.track.number()));
    points
}

/// Passages of all classes over each line, in the order of the lines.
///
/// `looks` are the frames on which the detector ran, in order, also those on which it found nothing.
///
/// # Errors
/// When there are more lines than one camera may have.
pub fn count<'a>(
    looks: impl IntoIterator<Item = (MediaTime, &'a [Detection])>,
    lines: &[Line],
    settings: MeasureSettings,
) -> Result<Vec<DirectionalCount>, SchemaError> {
    let schema = Schema::new(lines.len(), 0, &Class::ALL, false)?;
    let scene = Scene { lines: lines.to_vec(), ..Scene::default() };
    let settings = MeasureSettings { window_ms: WINDOW_MS, ..settings };
    let mut measurer = Measurer::new(scene, schema, settings);
    let mut totals = vec![DirectionalCount::default(); lines.len()];
    for (at, detections) in looks {
        measurer.look(at, detections);
        add_closed(&mut measurer, &mut totals);
    }
    measurer.finish();
    add_closed(&mut measurer, &mut totals);
    Ok(totals)
}

fn add_closed(measurer: &mut Measurer, totals: &mut [DirectionalCount]) {
    for (window, _) in measurer.take_closed() {
        for (total, index) in totals.iter_mut().zip(0..) {
            for class in Class::ALL {
                let count = window.line(LineIndex(index), class);
                total.forward += count.forward;
                total.backward += count.backward;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_keep_the_frame_numbers() {
        let clock = Clock { fps: 12.5, every: 3, frames: 11 };
        assert_eq!(clock.kept().collect::<Vec<_>>(), [1, 4, 7, 10]);
        for frame in 1..=1000 {
            assert_eq!(clock.frame(clock.time(frame)), frame);
        }
        assert_eq!(clock.time(6), MediaTime::from_seconds(0.4));
        assert_eq!(clock.looks(&Vec::new()).count(), 4, "frames without detections are looks");
    }
}
