//! How right the masks are, on photographs with faces that people have marked.
//!
//! Half of the photographs (the first, third, … by name) may be used to choose an operating point; what is told is
//! measured on the other half.

mod annotations;
mod film;
mod page;

pub use annotations::{Marked, Truth, read_folder};
pub use film::{SCENE_S, film};
pub use page::section;

use std::path::Path;

use outis_eye::mask::Face;
use outis_measure::ImageBox;

use crate::watch::{FaceWatcher, WatchError};

/// A found face is a marked one when they overlap so much (intersection over union): boxes of faces differ in how
/// much of the forehead they hold.
const SAME_IOU: f32 = 0.4;

/// Faces this weak are kept for choosing; cards ask for more.
const FLOOR: f32 = 0.3;

/// Upper ends of the size classes, in pixels: the root of a face's area.
pub const SIDES_PX: [f32; 3] = [16.0, 32.0, 64.0];

/// A face that was found, and what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Number of the photograph in the order of their names.
    pub picture: usize,
    /// What the marked face is; `None` where nobody marked one.
    pub truth: Option<Truth>,
    /// Side of the marked face, else of the found one, in pixels.
    pub side_px: f32,
    /// What was found: side, score, how likely with a mask. `None` where a marked face was not found.
    pub found: Option<(f32, f32, f32)>,
}

/// When a face counts as found, and as masked or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Least score.
    pub score_min: f32,
    /// Least side in pixels.
    pub side_min_px: f32,
    /// Probability of a mask from which on it is worn.
    pub with_min: f32,
    /// The one up to which it is not.
    pub without_max: f32,
}

/// What is said of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It wears a mask.
    With,
    /// It wears none.
    Without,
    /// It is not known, or no face was found.
    Unknown,
}

impl Point {
    /// What is said of a sample.
    pub fn says(&self, sample: &Sample) -> Said {
        match sample.found {
            Some((side_px, score, with)) if side_px >= self.side_min_px && score >= self.score_min => {
                match with {
                    _ if with >= self.with_min => Said::With,
                    _ if with <= self.without_max => Said::Without,
                    _ => Said::Unknown,
                }
            }
            _ => Said::Unknown,
        }
    }
}

/// Right and wrong of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Marked so.
    pub marked: usize,
    /// Marked so and said to be so.
    pub right: usize,
    /// Said to be so and marked otherwise, or no face.
    pub wrong: usize,
    /// Marked so and not known.
    pub unknown: usize,
}

impl Counts {
    /// Right among what was said; `None` when nothing was.
    pub fn precision(&self) -> Option<f64> {
        let said = self.right + self.wrong;
        (said > 0).then(|| self.right as f64 / said as f64)
    }

    /// Right among what was marked and is known; `None` when nothing is.
    pub fn recall_of_judged(&self) -> Option<f64> {
        let judged = self.marked - self.unknown;
        (judged > 0).then(|| self.right as f64 / judged as f64)
    }

    /// Right among all that was marked.
    pub fn recall(&self) -> Option<f64> {
        (self.marked > 0).then(|| self.right as f64 / self.marked as f64)
    }
}

/// The counts of those with and without a mask. A mask worn incorrectly is in neither: see [`incorrect`].
pub fn count<'a>(samples: impl Iterator<Item = &'a Sample>, point: &Point) -> [Counts; 2] {
    let mut counts = [Counts::default(); 2];
    for sample in samples {
        let said = point.says(sample);
        for (counts, truth, same) in counts
            .iter_mut()
            .zip([Truth::With, Truth::Without])
            .zip([Said::With, Said::Without])
            .map(|((a, b), c)| (a, b, c))
        {
            let is = sample.truth == Some(truth);
            counts.marked += usize::from(is);
            counts.right += usize::from(is && said == same);
            counts.unknown += usize::from(is && said == Said::Unknown);
            counts.wrong += usize::from(!is && said == same && sample.truth != Some(Truth::Incorrect));
        }
    }
    counts
}

/// As what masks worn incorrectly were taken: with, without, not known.
pub fn incorrect<'a>(samples: impl Iterator<Item = &'a Sample>, point: &Point) -> [usize; 3] {
    let mut taken = [0; 3];
    for sample in samples.filter(|sample| sample.truth == Some(Truth::Incorrect)) {
        taken[match point.says(sample) {
            Said::With => 0,
            Said::Without => 1,
            Said::Unknown => 2,
        }] += 1;
    }
    taken
}

/// Whether a photograph belongs to the half on which points are chosen.
pub fn is_for_choosing(sample: &Sample) -> bool {
    sample.picture.is_multiple_of(2)
}

/// Every marked face of a folder's photographs with what was found there, and every found face that nobody marked.
///
/// # Errors
/// When a photograph or its annotation cannot be read, or the networks fail.
pub fn samples(watcher: &mut FaceWatcher, folder: &Path) -> Result<Vec<Sample>, WatchError> {
    let mut samples = Vec::new();
    for (picture, marked) in read_folder(folder)?.into_iter().enumerate() {
        let found = watcher.faces(&marked.picture, FLOOR)?;
        samples.extend(matched(picture, &marked.faces, &found));
    }
    Ok(samples)
}

/// The best pairs first.
fn matched(picture: usize, marked: &[(Truth, ImageBox)], found: &[(Face, f32)]) -> Vec<Sample> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (m, (_, bbox)) in marked.iter().enumerate() {
        for (f, (face, _)) in found.iter().enumerate() {
            let iou = bbox.iou(&face.bbox);
            if iou > SAME_IOU {
                pairs.push((iou, m, f));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut of_marked = vec![None; marked.len()];
    let mut taken = vec![false; found.len()];
    for (_, m, f) in pairs {
        if of_marked[m].is_none() && !taken[f] {
            (of_marked[m], taken[f]) = (Some(f), true);
        }
    }
    let told = |f: usize| (found[f].0.side_px(), found[f].0.score, found[f].1);
    let of = |(m, (truth, bbox)): (usize, &(Truth, ImageBox))| Sample {
        picture,
        truth: Some(*truth),
        side_px: bbox.area().max(0.0).sqrt(),
        found: of_marked[m].map(told),
    };
    let mut samples: Vec<Sample> = marked.iter().enumerate().map(of).collect();
    samples.extend((0..found.len()).filter(|f| !taken[*f]).map(|f| Sample {
        picture,
        truth: None,
        side_px: found[f].0.side_px(),
        found: Some(told(f)),
    }));
    samples
}

/// The least precision of each class at a chosen point.
const PRECISION_MIN: f64 = 0.9;

/// The point at which most faces are judged rightly while each class is right nine times of ten where it is said,
/// on these samples; of points that do as well the most careful. `None` when there is none.
pub fn choose(samples: &[Sample], one_shot: bool) -> Option<Point> {
    let scores = [0.4, 0.5, 0.6, 0.7];
    let sides = [16.0, 20.0, 24.0, 28.0, 32.0];
    let withs = [0.5, 0.6, 0.7, 0.8, 0.9];
    let withouts: &[f32] = if one_shot { &[0.5, 0.4, 0.3, 0.2, 0.1] } else { &[0.2, 0.1, 0.05, 0.02, 0.01] };
    let mut best: Option<(usize, Point)> = None;
    for score_min in scores.into_iter().rev() {
        for side_min_px in sides.into_iter().rev() {
            for with_min in withs.into_iter().rev() {
                for &without_max in withouts.iter().rev() {
                    let point = Point { score_min, side_min_px, with_min, without_max };
                    let counts = count(samples.iter(), &point);
                    let sure = counts.iter().all(|c| c.precision().is_some_and(|p| p >= PRECISION_MIN));
                    let right = counts.iter().map(|c| c.right).sum();
                    if sure && best.is_none_or(|(most, _)| right > most) {
                        best = Some((right, point));
                    }
                }
            }
        }
    }
    best.map(|(_, point)| point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(truth: Option<Truth>, found: Option<(f32, f32, f32)>) -> Sample {
        Sample { picture: 1, truth, side_px: 30.0, found }
    }

    #[test]
    fn what_counts_as_right() {
        let point = Point { score_min: 0.5, side_min_px: 20.0, with_min: 0.6, without_max: 0.1 };
        let samples = [
            sample(Some(Truth::With), Some((30.0, 0.9, 0.7))),
            sample(Some(Truth::With), Some((30.0, 0.9, 0.05))),
            sample(Some(Truth::With), Some((30.0, 0.4, 0.9))),
            sample(Some(Truth::With), None),
            sample(Some(Truth::Without), Some((30.0, 0.9, 0.1))),
            sample(Some(Truth::Without), Some((30.0, 0.9, 0.3))),
            sample(Some(Truth::Without), Some((19.0, 0.9, 0.0))),
            sample(Some(Truth::Incorrect), Some((30.0, 0.9, 0.9))),
            sample(None, Some((30.0, 0.9, 0.9))),
        ];
        let [with, without] = count(samples.iter(), &point);
        assert_eq!(with, Counts { marked: 4, right: 1, wrong: 1, unknown: 2 });
        assert_eq!(without, Counts { marked: 3, right: 1, wrong: 1, unknown: 2 });
        assert_eq!(
            (with.precision(), with.recall_of_judged(), with.recall()),
            (Some(0.5), Some(0.5), Some(0.25))
        );
        assert_eq!(incorrect(samples.iter(), &point), [1, 0, 0]);
    }

    #[test]
    fn faces_are_matched_once() {
        let bbox = |left: f32| ImageBox::from_left_top_width_height(left, 0.0, 20.0, 20.0);
        let face = |left, score| (Face { bbox: bbox(left), score, with_mask: None }, 0.9);
        let marked = [(Truth::With, bbox(0.0)), (Truth::Without, bbox(8.0))];
        let samples = matched(3, &marked, &[face(1.0, 0.8), face(60.0, 0.7)]);
        let told: Vec<_> = samples.iter().map(|s| (s.truth, s.found.map(|found| found.1))).collect();
        assert_eq!(told, [(Some(Truth::With), Some(0.8)), (Some(Truth::Without), None), (None, Some(0.7))]);
    }

    #[test]
    fn a_point_is_chosen_that_errs_rarely() {
        let mut samples: Vec<Sample> =
            (0..20).map(|_| sample(Some(Truth::With), Some((30.0, 0.9, 0.95)))).collect();
        samples.extend((0..20).map(|_| sample(Some(Truth::Without), Some((30.0, 0.9, 0.02)))));
        // Small faces mislead.
        samples.extend((0..20).map(|_| sample(Some(Truth::Without), Some((15.0, 0.9, 0.99)))));
        let point = choose(&samples, false).unwrap();
        assert!(point.side_min_px > 15.0, "{point:?}");
        assert_eq!(count(samples.iter(), &point).map(|counts| counts.right), [20, 20]);
    }
}
