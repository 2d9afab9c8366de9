//! Reads YOLOX's output: one row a cell, with the centre's offset and the logarithms of the sides. Knows no network
//! runtime.

use outis_measure::ImageBox;

use super::decoder::{Grid, Groups};
use super::engine::{Expected, Output};
use super::nms::Candidate;

/// x, y, width, height and objectness come before the classes.
const HEAD: usize = 5;

/// One table over the cells of all strides.
pub(super) fn expected(grids: &[Grid], class_count: usize) -> Vec<Expected> {
    let cells = grids.iter().map(|grid| grid.rows * grid.columns).sum();
    vec![Expected { name: "output".to_owned(), dims: vec![1, cells, HEAD + class_count] }]
}

/// Adds every candidate whose score reaches `floor`. A score is objectness times class probability.
pub(super) fn decode(
    outputs: &[Output<'_>],
    grids: &[Grid],
    class_count: usize,
    groups: &Groups,
    floor: f32,
    candidates: &mut Vec<Candidate>,
) {
    let mut rows = outputs.iter().flat_map(|table| table.chunks_exact(HEAD + class_count));
    for grid in grids {
        for (cell, row) in (0..grid.rows * grid.columns).zip(&mut rows) {
            let (head, classes) = row.split_at(HEAD);
            let objectness = head[4];
            if objectness < floor {
                continue; // a score is at most the objectness
            }
            for (group, class, score) in groups.best(floor, |class| objectness * classes[class]) {
                candidates.push(Candidate { bbox: bbox(head, grid, cell), class, group, score });
            }
        }
    }
}

/// The box of a cell, in pixels of the input. Offsets are measured from the cell's upper left corner.
fn bbox(head: &[f32], grid: &Grid, cell: usize) -> ImageBox {
    let stride = grid.stride_px as f32;
    let x = (head[0] + (cell % grid.columns) as f32) * stride;
    let y = (head[1] + (cell / grid.columns) as f32) * stride;
    let (width, height) = (head[2].exp() * stride, head[3].exp() * stride);
    ImageBox::from_left_top_width_height(x - width / 2.0, y - height / 2.0, width, height)
}

#[cfg(test)]
mod tests {
    use outis_record::Class;

    use super::*;

    /// Three rows: two cells of a finer grid, then the only cell of a coarser one.
    #[test]
    fn rows_follow_the_grids() {
        let grids = [Grid { stride_px: 8, columns: 1, rows: 2 }, Grid { stride_px: 32, columns: 1, rows: 1 }];
        #[rustfmt::skip]
        let table = [
            // x,   y,    ln width,     ln height,    objectness, two classes
            0.5,  0.5,  0.0,          0.0,          0.4,        0.9, 0.9, // 0.36: too weak
            0.25, -0.5, 2f32.ln(),    3f32.ln(),    0.8,        0.1, 0.75,
            0.5,  0.75, 0.5f32.ln(),  1.5f32.ln(),  0.9,        1.0, 0.5,
        ];
        let groups = Groups(vec![vec![(Class::Person, 0)], vec![(Class::Truck, 1)]]);
        let mut found = Vec::new();
        decode(&[&table], &grids, 2, &groups, 0.44, &mut found);
        let centred = |x: f32, y: f32, width: f32, height: f32| {
            ImageBox::from_left_top_width_height(x - width / 2.0, y - height / 2.0, width, height)
        };
        let expected = [
            (centred(2.0, 4.0, 16.0, 24.0), Class::Truck, 0.6),
            (centred(16.0, 24.0, 16.0, 48.0), Class::Person, 0.9),
            (centred(16.0, 24.0, 16.0, 48.0), Class::Truck, 0.45),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (candidate, (bbox, class, score)) in found.iter().zip(expected) {
            assert!(candidate.bbox.iou(&bbox) > 0.9999, "{candidate:?} is not {bbox:?}");
            assert_eq!(candidate.class, class);
            assert!((candidate.score - score).abs() < 1e-6, "{candidate:?}");
        }
    }

    #[test]
    fn outputs_that_are_not_numbers_give_no_box() {
        let grids = [Grid { stride_px: 8, columns: 1, rows: 1 }];
        let groups = Groups(vec![vec![(Class::Person, 0)]]);
        for (name, row, candidates) in [
            ("objectness", [0.5, 0.5, 0.0, 0.0, f32::NAN, 0.9], 0),
            ("class", [0.5, 0.5, 0.0, 0.0, 0.9, f32::NAN], 0),
            ("an endless box", [0.5, 0.5, 1000.0, 0.0, 0.9, 0.9], 1),
        ] {
            let mut found = Vec::new();
            decode(&[&row], &grids, 1, &groups, 0.1, &mut found);
            assert_eq!(found.len(), candidates, "{name}");
            assert!(found.iter().all(|candidate| !candidate.bbox.is_valid()), "{name}: dropped later");
        }
    }
}
