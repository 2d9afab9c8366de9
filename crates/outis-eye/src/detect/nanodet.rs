//! Reads NanoDet's outputs: each side of a box is the mean of a distribution over distances. Knows no network runtime.

use outis_measure::ImageBox;

use super::decoder::{Grid, Groups};
use super::engine::{Expected, Output};
use super::nms::Candidate;

/// Distances over which a side is distributed: 0 to 10 cells ("generalized focal loss", Li et al. 2020).
const BINS: usize = 11;
/// Left, top, right, bottom.
const SIDES: usize = 4;

/// For each stride the class probabilities and the distances of the sides.
pub(super) fn expected(grids: &[Grid], class_count: usize) -> Vec<Expected> {
    let output = |kind: &str, level: usize, channels: usize, grid: &Grid| Expected {
        name: format!("{kind}{level}"),
        dims: vec![1, channels, grid.rows, grid.columns],
    };
    grids
        .iter()
        .enumerate()
        .flat_map(|(level, grid)| {
            [output("cls", level, class_count, grid), output("reg", level, SIDES * BINS, grid)]
        })
        .collect()
}

/// Adds every candidate whose score reaches `floor`.
pub(super) fn decode(
    outputs: &[Output<'_>],
    grids: &[Grid],
    groups: &Groups,
    floor: f32,
    candidates: &mut Vec<Candidate>,
) {
    for (level, grid) in outputs.chunks_exact(2).zip(grids) {
        let (scores, sides) = (level[0], level[1]);
        let cells = grid.rows * grid.columns;
        for cell in 0..cells {
            for (group, class, score) in groups.best(floor, |class| scores[class * cells + cell]) {
                let bbox = bbox(sides, grid, cell);
                candidates.push(Candidate { bbox, class, group, score });
            }
        }
    }
}

/// The box of a cell, in pixels of the input. Distances are measured from the cell's centre.
fn bbox(sides: &[f32], grid: &Grid, cell: usize) -> ImageBox {
    let cells = grid.rows * grid.columns;
    let stride = grid.stride_px as f32;
    let x = ((cell % grid.columns) as f32 + 0.5) * stride;
    let y = ((cell / grid.columns) as f32 + 0.5) * stride;
    let [left, top, right, bottom] = [0, 1, 2, 3].map(|side| {
        let logits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|bin| sides[(side * BINS + bin) * cells + cell]);
        mean_bin(logits) * stride
    });
    ImageBox::from_left_top_right_bottom(x - left, y - top, x + right, y + bottom)
}

/// The mean of 0, 1, … under the softmax of `logits`.
fn mean_bin(logits: [f32; BINS]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights = logits.map(|logit| (logit - largest).exp());
    let moment: f32 = weights.iter().enumerate().map(|(bin, weight)| bin as f32 * weight).sum();
    moment / weights.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use outis_record::Class;

    use super::*;

    /// Logits of one side: all mass on these bins, in equal parts.
    fn on(bins: &[usize]) -> [f32; BINS] {
        std::array::from_fn(|bin| if bins.contains(&bin) { 30.0 } else { -30.0 })
    }

    #[test]
    fn means_of_distributions() {
        let cases = [
            ("one bin", on(&[4]), 4.0),
            ("between two bins", on(&[2, 3]), 2.5),
            ("all bins alike", [7.5; BINS], 5.0),
            ("the last bin", on(&[10]), 10.0),
            // (52 + 3 e) / (10 + e)
            (
                "a little more on bin 3",
                std::array::from_fn(|bin| f32::from(bin == 3)),
                (52.0 + 3.0 * 2.718_281_7) / 12.718_282,
            ),
            ("huge logits", on(&[1]).map(|logit| logit * 1e30), 1.0),
        ];
        for (name, logits, mean) in cases {
            let found = mean_bin(logits);
            assert!((found - mean).abs() < 1e-5, "{name}: {found} is not {mean}");
        }
    }

    /// Two levels; an object in the second cell of the first row of the finer one, another in the only cell of the
    /// coarser one. Distances differ on all sides.
    #[test]
    fn boxes_around_cell_centres() {
        let grids = [Grid { stride_px: 8, columns: 3, rows: 2 }, Grid { stride_px: 16, columns: 1, rows: 1 }];
        let level = |cells: usize, cell: usize, sides: [&[usize]; 4]| {
            let mut values = vec![0.0; SIDES * BINS * cells];
            for (side, bins) in sides.into_iter().enumerate() {
                for (bin, logit) in on(bins).into_iter().enumerate() {
                    values[(side * BINS + bin) * cells + cell] = logit;
                }
            }
            values
        };
        let fine_sides = level(6, 1, [&[1], &[0], &[2, 3], &[6]]);
        let coarse_sides = level(1, 0, [&[0], &[1], &[2], &[3]]);
        let mut fine_scores = [0.1; 12]; // two classes of six cells
        fine_scores[6 + 1] = 0.7;
        let coarse_scores = [0.2, 0.9];
        let outputs: [Output<'_>; 4] = [&fine_scores, &fine_sides, &coarse_scores, &coarse_sides];

        let mut found = Vec::new();
        decode(&outputs, &grids, &Groups(vec![vec![(Class::Car, 1)]]), 0.5, &mut found);
        let corners = ImageBox::from_left_top_right_bottom;
        let expected = [
            // centre (1.5, 0.5) x 8
            (corners(12.0 - 8.0, 4.0, 12.0 + 20.0, 4.0 + 48.0), 0.7),
            // centre (0.5, 0.5) x 16
            (corners(8.0, 8.0 - 16.0, 8.0 + 32.0, 8.0 + 48.0), 0.9),
        ];
        assert_eq!(found.len(), expected.len());
        for (candidate, (bbox, score)) in found.iter().zip(expected) {
            assert!(candidate.bbox.iou(&bbox) > 0.9999, "{candidate:?} is not {bbox:?}");
            assert_eq!((candidate.class, candidate.group, candidate.score), (Class::Car, 0, score));
        }
    }
}
