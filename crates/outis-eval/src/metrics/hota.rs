//! HOTA: detection and association in one figure, averaged over how exact boxes must be.
//!
//! Luiten, Ošep, Dendorfer, Torr, Geiger, Leal-Taixé, Leibe: HOTA: a higher order metric for evaluating
//! multi-object tracking. IJCV 129, 2021.

use super::{Comparison, IOU_SLACK, assignment::heaviest, share};

/// Overlaps at which a box counts as found: 5 %, 10 %, … 95 %.
const THRESHOLDS: usize = 19;

/// HOTA and the two figures it is made of, 0 to 1, each averaged over the thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hota {
    /// The geometric mean of the two below, taken at each threshold.
    pub hota: f64,
    /// Detection accuracy: found boxes among found, missed and false ones.
    pub detection: f64,
    /// Association accuracy: how well the tracks of found boxes agree over time.
    pub association: f64,
}

/// HOTA of a tracker's output.
pub fn hota(comparison: &Comparison) -> Hota {
    let alignment = alignment(comparison);
    let mut found = Found::new(comparison);
    for frame in &comparison.frames {
        // Among all ways to pair the boxes of a frame, the one that suits the whole clip best.
        let weights: Vec<Vec<f64>> = frame
            .iou
            .iter()
            .zip(&frame.truth)
            .map(|(row, &t)| row.iter().zip(&frame.tracked).map(|(iou, &k)| iou * alignment[t][k]).collect())
            .collect();
        for (row, column) in heaviest(&weights).into_iter().enumerate() {
            if let Some(column) = column {
                found.add(frame.truth[row], frame.tracked[column], frame.iou[row][column]);
            }
        }
    }
    let at = (0..THRESHOLDS).map(|threshold| found.at(comparison, threshold));
    let sum = at.fold((0.0, 0.0, 0.0), |sum, h| (sum.0 + h.hota, sum.1 + h.detection, sum.2 + h.association));
    let mean = |sum| sum / THRESHOLDS as f64;
    Hota { hota: mean(sum.0), detection: mean(sum.1), association: mean(sum.2) }
}

/// For every true and tracked object: in how many frames they could be one, as a share of all their frames.
/// A frame in which several overlap is divided among them.
fn alignment(comparison: &Comparison) -> Vec<Vec<f64>> {
    let mut together = vec![vec![0.0; comparison.tracked_objects]; comparison.true_objects];
    for frame in &comparison.frames {
        let row_sums: Vec<f64> = frame.iou.iter().map(|row| row.iter().sum()).collect();
        let column_sum = |column: usize| frame.iou.iter().map(|row| row[column]).sum::<f64>();
        for (column, &k) in frame.tracked.iter().enumerate() {
            let column_sum = column_sum(column);
            for (row, &t) in frame.truth.iter().enumerate() {
                let iou = frame.iou[row][column];
                together[t][k] += share(iou, row_sums[row] + column_sum - iou);
            }
        }
    }
    let (true_frames, tracked_frames) = lengths(comparison);
    for (row, &true_length) in together.iter_mut().zip(&true_frames) {
        for (value, &tracked_length) in row.iter_mut().zip(&tracked_frames) {
            *value = share(*value, true_length + tracked_length - *value);
        }
    }
    together
}

/// In how many frames each true and each tracked object is.
fn lengths(comparison: &Comparison) -> (Vec<f64>, Vec<f64>) {
    let mut lengths = (vec![0.0; comparison.true_objects], vec![0.0; comparison.tracked_objects]);
    for frame in &comparison.frames {
        frame.truth.iter().for_each(|&t| lengths.0[t] += 1.0);
        frame.tracked.iter().for_each(|&k| lengths.1[k] += 1.0);
    }
    lengths
}

/// Pairs of boxes found to be one object, at each threshold.
struct Found {
    // By true object: (tracked object, boxes found at each threshold).
    pairs: Vec<Vec<(usize, [f64; THRESHOLDS])>>,
    true_frames: Vec<f64>,
    tracked_frames: Vec<f64>,
}

impl Found {
    fn new(comparison: &Comparison) -> Self {
        let (true_frames, tracked_frames) = lengths(comparison);
        Self { pairs: vec![Vec::new(); comparison.true_objects], true_frames, tracked_frames }
    }

    fn add(&mut self, truth: usize, tracked: usize, iou: f64) {
        let pairs = &mut self.pairs[truth];
        let index = pairs.iter().position(|&(k, _)| k == tracked).unwrap_or_else(|| {
            pairs.push((tracked, [0.0; THRESHOLDS]));
            pairs.len() - 1
        });
        for (threshold, found) in pairs[index].1.iter_mut().enumerate() {
            if iou >= iou_min(threshold) - IOU_SLACK {
                *found += 1.0;
            }
        }
    }

    fn at(&self, comparison: &Comparison, threshold: usize) -> Hota {
        let (mut found, mut agreement) = (0.0, 0.0);
        for (t, pairs) in self.pairs.iter().enumerate() {
            for &(k, counts) in pairs {
                let count = counts[threshold];
                found += count;
                agreement += count * share(count, self.true_frames[t] + self.tracked_frames[k] - count);
            }
        }
        let boxes = (comparison.true_boxes() + comparison.tracked_boxes()) as f64;
        let (detection, association) = (share(found, boxes - found), share(agreement, found));
        Hota { hota: (detection * association).sqrt(), detection, association }
    }
}

fn iou_min(threshold: usize) -> f64 {
    0.05 * (threshold + 1) as f64
}
