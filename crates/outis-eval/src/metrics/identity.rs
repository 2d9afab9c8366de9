//! IDF1: for how much of the time each true object has one track of its own.
//!
//! Ristani, Solera, Zou, Cucchiara, Tomasi: Performance measures and a data set for multi-target,
//! multi-camera tracking. ECCV workshops, 2016.

use super::{Comparison, IOU_SLACK, SAME_IOU, assignment::heaviest, share};

/// Identity counts over a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Boxes found by the one track that belongs to their object.
    pub found: usize,
    /// All true boxes.
    pub true_boxes: usize,
    /// All tracked boxes.
    pub tracked_boxes: usize,
}

impl Identity {
    /// IDF1: harmonic mean of identity precision and recall, 0 to 1.
    pub fn idf1(&self) -> f64 {
        share(2.0 * self.found as f64, (self.true_boxes + self.tracked_boxes) as f64)
    }
}

/// Identity counts of a tracker's output.
///
/// Each true object gets at most one track and each track at most one object, so that as many boxes as possible
/// are found. That leaves the fewest misses and false boxes, which is how the paper puts it.
pub fn identity(comparison: &Comparison) -> Identity {
    let mut together = vec![vec![0.0; comparison.tracked_objects]; comparison.true_objects];
    for frame in &comparison.frames {
        for (row, &t) in frame.iou.iter().zip(&frame.truth) {
            for (&iou, &k) in row.iter().zip(&frame.tracked) {
                if iou >= SAME_IOU - IOU_SLACK {
                    together[t][k] += 1.0;
                }
            }
        }
    }
    let pairs = heaviest(&together);
    let boxes = pairs.into_iter().enumerate().filter_map(|(t, k)| Some(together[t][k?])).sum::<f64>();
    Identity {
        found: boxes as usize,
        true_boxes: comparison.true_boxes(),
        tracked_boxes: comparison.tracked_boxes(),
    }
}
