//! One video against its truth: counts, occupancy and tracks of the product, all at the detector's looks.

use std::collections::BTreeMap;

use outis_measure::{
    Detection, ImageBox, ImagePoint, Line, MeasureSettings, MediaTime, TrackPoint, TrackerSettings,
};
use outis_record::{Class, DirectionalCount, SchemaError};

use crate::metrics::Comparison;
use crate::metrics::clear::{Clear, clear};
use crate::metrics::counts::occupancy_mae;
use crate::metrics::hota::{Hota, hota};
use crate::metrics::identity::identity;
use crate::mot::Frames;
use crate::random::Random;
use crate::watch::Watched;
use crate::{passage, product};

/// Lines over the clip `vtest.avi`, 768 x 576: three upright, two level, two slanted through the whole, one short.
/// The truth knows nobody whose feet are above y = 154, though people and cyclists pass on the road behind: the
/// upright lines begin below it.
pub const VTEST_LINES: [(&str, [f32; 4]); 8] = [
    ("left", [250.0, 130.0, 250.0, 560.0]),
    ("middle", [400.0, 130.0, 400.0, 560.0]),
    ("right", [550.0, 130.0, 550.0, 560.0]),
    ("upper", [0.0, 260.0, 768.0, 260.0]),
    ("lower", [0.0, 350.0, 768.0, 350.0]),
    ("rising", [150.0, 500.0, 650.0, 150.0]),
    ("falling", [150.0, 150.0, 650.0, 500.0]),
    ("short", [330.0, 200.0, 470.0, 330.0]),
];

/// Random lines over the clip are this many …
const RANDOM_LINES: usize = 30;
/// … of this length at least, in pixels, and crossed this often at least by the people of the truth.
const RANDOM_LENGTH_MIN_PX: f32 = 150.0;
const RANDOM_PASSAGES_MIN: u32 = 10;

/// Lines over the clip that nobody chose: always the same, from a seed. Eight lines are crossed too rarely to tell one
/// counter from another by a few passages, and whoever draws lines knows what is counted well there.
pub fn random_lines(truth: &Frames<(i64, ImageBox)>, fps: f64) -> Vec<(String, Line)> {
    let mut random = Random::new(7);
    let mut lines = Vec::new();
    while lines.len() < RANDOM_LINES {
        // Below y = 154, where the truth knows everybody, and a little away from the picture's border.
        let mut point =
            || ImagePoint::new(random.between(10.0, 758.0) as f32, random.between(160.0, 566.0) as f32);
        let Ok(line) = Line::new(point(), point()) else { continue };
        let passages = passage::count(truth, fps, &[line])[0];
        if line.length_px() >= RANDOM_LENGTH_MIN_PX
            && passages.forward + passages.backward >= RANDOM_PASSAGES_MIN
        {
            lines.push((format!("random-{}", lines.len() + 1), line));
        }
    }
    lines
}

/// What the product made of a clip.
#[derive(Debug, Clone)]
pub struct ClipResult {
    /// Passages counted over each line.
    pub counted: Vec<DirectionalCount>,
    /// Final positions, frame by frame.
    pub tracks: Frames<(i64, ImageBox)>,
}

/// How right that is.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// True passages over each line.
    pub true_counts: Vec<DirectionalCount>,
    /// Mean over the looks of how many people too many or too few were tracked.
    pub occupancy_mae: f64,
    /// Detection and association.
    pub hota: Hota,
    /// Identity.
    pub idf1: f64,
    /// Mistakes frame by frame.
    pub clear: Clear,
}

/// Tracks and counts what was detected. With a truth of people, other classes are left out.
///
/// # Errors
/// When there are more lines than one camera may have.
pub fn measure(
    watched: &Watched,
    lines: &[Line],
    tracker: TrackerSettings,
    only: Option<Class>,
) -> Result<ClipResult, SchemaError> {
    let kept: Vec<(MediaTime, Vec<Detection>)> = watched
        .timed_looks()
        .map(|(at, found)| {
            (at, found.iter().copied().filter(|d| only.is_none_or(|class| d.class == class)).collect())
        })
        .collect();
    let looks = || kept.iter().map(|(at, found)| (*at, found.as_slice()));
    let picture_px = watched.picture_px.map(|(width, height)| (width as f32, height as f32));
    let tracker = TrackerSettings { picture_px, ..tracker };
    let settings = MeasureSettings { tracker, ..MeasureSettings::default() };
    let counted = product::count(looks(), lines, settings)?;
    Ok(ClipResult { counted, tracks: by_frame(watched, &product::track(looks(), tracker)) })
}

fn by_frame(watched: &Watched, points: &[TrackPoint]) -> Frames<(i64, ImageBox)> {
    let indices: BTreeMap<MediaTime, usize> =
        watched.times.iter().enumerate().map(|(index, &at)| (at, index)).collect();
    let mut frames: Frames<(i64, ImageBox)> = vec![Vec::new(); watched.times.len()];
    for point in points {
        if let Some(&index) = indices.get(&point.at) {
            frames[index].push((i64::try_from(point.track.number()).unwrap_or(i64::MAX), point.bbox));
        }
    }
    frames
}

/// Holds tracks of a clip against its truth, at the frames that were looked at.
pub fn judge(
    tracks: &Frames<(i64, ImageBox)>,
    looked_at: impl IntoIterator<Item = u32>,
    truth: &Frames<(i64, ImageBox)>,
    fps: f64,
    lines: &[Line],
) -> Verdict {
    let comparison = Comparison::new(truth, tracks, looked_at.into_iter().map(|frame| frame as usize - 1));
    Verdict {
        true_counts: passage::count(truth, fps, lines),
        occupancy_mae: occupancy_mae(&comparison),
        hota: hota(&comparison),
        idf1: identity(&comparison).idf1(),
        clear: clear(&comparison),
    }
}
