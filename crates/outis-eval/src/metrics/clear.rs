//! CLEAR MOT: misses, false boxes and changes of identity, frame by frame.
//!
//! Bernardin, Stiefelhagen: Evaluating multiple object tracking performance: the CLEAR MOT metrics.
//! EURASIP Journal on Image and Video Processing, 2008.

use super::{Comparison, IOU_SLACK, SAME_IOU, assignment::heaviest, share};

/// More than all overlaps of a frame together: pairs of the frame before stay pairs whenever they can.
const KEEP_BONUS: f64 = 1000.0;

/// Counts of mistakes over a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clear {
    /// True boxes that were found.
    pub found: usize,
    /// True boxes that were not.
    pub missed: usize,
    /// Tracked boxes of nothing.
    pub false_boxes: usize,
    /// How often a true object got another track than the last time it was found.
    pub switches: usize,
}

impl Clear {
    /// MOTA: 1 minus all mistakes as a share of the true boxes. Has no lower end.
    pub fn mota(&self) -> f64 {
        let mistakes = (self.missed + self.false_boxes + self.switches) as f64;
        1.0 - share(mistakes, (self.found + self.missed) as f64)
    }
}

/// CLEAR MOT counts of a tracker's output.
pub fn clear(comparison: &Comparison) -> Clear {
    let mut counts = Clear::default();
    // For each true object the track it had when it was last found, and in which frame that was.
    let mut latest: Vec<Option<(usize, usize)>> = vec![None; comparison.true_objects];
    for (index, frame) in comparison.frames.iter().enumerate() {
        let weights: Vec<Vec<f64>> = frame
            .iou
            .iter()
            .zip(&frame.truth)
            .map(|(row, &t)| {
                let kept = |k: usize| latest[t].is_some_and(|(track, at)| track == k && at + 1 == index);
                let weight = |(&iou, &k): (&f64, &usize)| match iou >= SAME_IOU - IOU_SLACK {
                    true => iou + if kept(k) { KEEP_BONUS } else { 0.0 },
                    false => 0.0,
                };
                row.iter().zip(&frame.tracked).map(weight).collect()
            })
            .collect();
        let pairs = heaviest(&weights);
        let found = pairs.iter().flatten().count();
        counts.found += found;
        counts.missed += frame.truth.len() - found;
        counts.false_boxes += frame.tracked.len() - found;
        for (row, column) in pairs.into_iter().enumerate() {
            let Some(column) = column else { continue };
            let (t, k) = (frame.truth[row], frame.tracked[column]);
            counts.switches += usize::from(latest[t].is_some_and(|(track, _)| track != k));
            latest[t] = Some((k, index));
        }
    }
    counts
}
