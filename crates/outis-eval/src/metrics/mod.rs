//! How right tracks are: one metric, one file.
//!
//! All of them look at a [`Comparison`]: true and tracked objects of the same frames, and how well each pair overlaps.

mod assignment;
pub mod clear;
pub mod counts;
pub mod hota;
pub mod identity;

use std::collections::BTreeMap;

use outis_measure::ImageBox;

use crate::mot::Frames;

/// Overlap from which two boxes are taken for the same object by [`clear`] and [`identity`].
pub const SAME_IOU: f64 = 0.5;

/// Thresholds are met by overlaps this much smaller: boxes are single precision.
const IOU_SLACK: f64 = 1e-6;

/// True and tracked objects side by side.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Frame by frame.
    pub frames: Vec<ComparedFrame>,
    /// How many different true objects there are; they are numbered from 0.
    pub true_objects: usize,
    /// How many different tracked objects there are; they are numbered from 0.
    pub tracked_objects: usize,
}

/// One frame of a [`Comparison`].
#[derive(Debug, Clone, Default)]
pub struct ComparedFrame {
    /// True objects in this frame.
    pub truth: Vec<usize>,
    /// Tracked objects in this frame.
    pub tracked: Vec<usize>,
    /// `iou[t][k]`: overlap of the t-th true with the k-th tracked object, 0 to 1.
    pub iou: Vec<Vec<f64>>,
}

impl Comparison {
    /// Compares the given frames (indices from 0) of a truth and a tracker's output.
    /// Frames beyond the end of either are empty there.
    pub fn new(
        truth: &Frames<(i64, ImageBox)>,
        tracked: &Frames<(i64, ImageBox)>,
        frames: impl IntoIterator<Item = usize>,
    ) -> Self {
        let (mut true_numbers, mut tracked_numbers) = (Numbers::default(), Numbers::default());
        let compared = frames.into_iter().map(|frame| {
            let truth = truth.get(frame).map_or(&[][..], Vec::as_slice);
            let tracked = tracked.get(frame).map_or(&[][..], Vec::as_slice);
            let iou = |a: &ImageBox| tracked.iter().map(|(_, b)| f64::from(a.iou(b))).collect();
            ComparedFrame {
                iou: truth.iter().map(|(_, a)| iou(a)).collect(),
                truth: truth.iter().map(|&(id, _)| true_numbers.of(id)).collect(),
                tracked: tracked.iter().map(|&(id, _)| tracked_numbers.of(id)).collect(),
            }
        });
        let frames = compared.collect();
        Self { frames, true_objects: true_numbers.0.len(), tracked_objects: tracked_numbers.0.len() }
    }

    /// Compares every frame.
    pub fn of_all(truth: &Frames<(i64, ImageBox)>, tracked: &Frames<(i64, ImageBox)>) -> Self {
        Self::new(truth, tracked, 0..truth.len().max(tracked.len()))
    }

    fn true_boxes(&self) -> usize {
        self.frames.iter().map(|frame| frame.truth.len()).sum()
    }

    fn tracked_boxes(&self) -> usize {
        self.frames.iter().map(|frame| frame.tracked.len()).sum()
    }
}

/// Numbers from 0 for ids in the order in which they are first asked for.
#[derive(Default)]
struct Numbers(BTreeMap<i64, usize>);

impl Numbers {
    fn of(&mut self, id: i64) -> usize {
        let next = self.0.len();
        *self.0.entry(id).or_insert(next)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
