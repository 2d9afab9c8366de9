//! How tall people are where in the view, learnt from those who were found. Knows no pixels and no network.

use outis_measure::{ImageBox, ImagePoint};

/// The view is divided into so many columns and rows; each keeps one height.
const COLUMNS: usize = 8;
const ROWS: usize = 18;
/// Distances to other cells from which their heights count for less: people a row apart differ more than people
/// side by side. In cells; standard deviations of a bell.
const NEAR_COLUMNS: f32 = 1.0;
const NEAR_ROWS: f32 = 1.0;
/// A cell weighs no more than so many people: old ones give way when the camera is turned.
const WEIGHT_MAX: f32 = 50.0;
/// Less than this much evidence near a place is none.
const WEIGHT_MIN: f32 = 0.3;

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    log_height: f32,
    weight: f32,
}

/// Expected heights in a view.
#[derive(Debug)]
pub(super) struct Heights {
    picture_px: (u32, u32),
    cells: [[Cell; COLUMNS]; ROWS],
}

impl Heights {
    pub(super) fn new(picture_px: (u32, u32)) -> Self {
        Self { picture_px, cells: [[Cell::default(); COLUMNS]; ROWS] }
    }

    /// Someone was found there.
    pub(super) fn learn(&mut self, bbox: &ImageBox) {
        let (column, row) = self.cell(bbox.center());
        let cell = &mut self.cells[row.clamp(0.0, ROWS as f32 - 1.0) as usize]
            [column.clamp(0.0, COLUMNS as f32 - 1.0) as usize];
        cell.weight = (cell.weight + 1.0).min(WEIGHT_MAX);
        cell.log_height += (bbox.height.max(1.0).ln() - cell.log_height) / cell.weight;
    }

    /// How tall a person is expected to be around a place, in pixels; `None` where nobody was ever seen nearby.
    pub(super) fn at(&self, place: ImagePoint) -> Option<f32> {
        let (column, row) = self.cell(place);
        let across: [f32; COLUMNS] = bell(column, NEAR_COLUMNS);
        let down: [f32; ROWS] = bell(row, NEAR_ROWS);
        let (mut sum, mut weight) = (0.0, 0.0);
        for (cells, down) in self.cells.iter().zip(down) {
            for (cell, across) in cells.iter().zip(across) {
                let near = cell.weight * across * down;
                sum += near * cell.log_height;
                weight += near;
            }
        }
        (weight >= WEIGHT_MIN).then(|| (sum / weight).exp())
    }

    /// Column and row of a place, with fractions.
    fn cell(&self, place: ImagePoint) -> (f32, f32) {
        let (width, height) = (self.picture_px.0.max(1) as f32, self.picture_px.1.max(1) as f32);
        (place.x_px / width * COLUMNS as f32, place.y_px / height * ROWS as f32)
    }
}

/// How much the middle of each cell of a row of them counts at a place among them.
fn bell<const CELLS: usize>(place: f32, deviation: f32) -> [f32; CELLS] {
    std::array::from_fn(|index| {
        let away = (index as f32 + 0.5 - place) / deviation;
        (-0.5 * away * away).exp()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_people_are_small() {
        let mut heights = Heights::new((1920, 1080));
        assert_eq!(heights.at(ImagePoint::new(960.0, 500.0)), None, "nothing is known yet");
        for person in 0..40 {
            let top = 20.0 + 20.0 * person as f32;
            // 25 px at the top of the view, 125 px at the bottom.
            let height = 25.0 + 100.0 * top / 1080.0;
            let left = 300.0 + (137 * person % 1400) as f32;
            heights.learn(&ImageBox::from_left_top_width_height(left, top, 0.4 * height, height));
        }
        for y in [150.0, 400.0, 700.0] {
            let found = heights.at(ImagePoint::new(960.0, y)).expect("people all around");
            let expected = 25.0 + 100.0 * y / 1080.0;
            assert!((found / expected - 1.0).abs() < 0.15, "{y}: {found} for {expected}");
        }
    }
}
