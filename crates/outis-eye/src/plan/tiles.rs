//! Everything at once: the whole picture and overlapping tiles of it. What the planner's choice is measured against,
//! and the right way for single pictures.

use outis_measure::ImageBox;

use crate::detect::{Area, InputSize, Sheet};

/// How far a tile reaches into its neighbour, as a share of its own step: a person as large as that is whole in one.
const OVERLAP: f32 = 0.2;

/// The whole picture, then the tiles row by row, one sheet each.
pub(super) fn sheets(picture_px: (u32, u32), (columns, rows): (u32, u32), input: InputSize) -> Vec<Sheet> {
    let (width, height) = (picture_px.0 as f32, picture_px.1 as f32);
    let tile = |column: u32, row: u32| {
        let (step_x, step_y) = (width / columns.max(1) as f32, height / rows.max(1) as f32);
        let (x, y) = (column as f32 * step_x, row as f32 * step_y);
        ImageBox::from_left_top_right_bottom(
            x - OVERLAP / 2.0 * step_x,
            y - OVERLAP / 2.0 * step_y,
            x + (1.0 + OVERLAP / 2.0) * step_x,
            y + (1.0 + OVERLAP / 2.0) * step_y,
        )
    };
    let whole = ImageBox::from_left_top_width_height(0.0, 0.0, width, height);
    let tiles = (0..rows).flat_map(|row| (0..columns).map(move |column| tile(column, row)));
    let areas = std::iter::once(whole).chain(tiles.filter(|_| columns * rows > 1));
    areas.filter_map(|area| Sheet::of(Area::around(&area, picture_px)?, input)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: InputSize = InputSize::UpTo { width_px: 416, height_px: 416, step_px: 32 };

    #[test]
    fn tiles_cover_the_picture_and_overlap() {
        let sheets = sheets((1920, 1080), (3, 2), FREE);
        assert_eq!(sheets.len(), 7);
        let areas: Vec<Area> = sheets.iter().map(|sheet| sheet.parts[0].source).collect();
        assert_eq!((areas[0].width, areas[0].height), (1920, 1080));
        let covered = |x: u32, y: u32| {
            let holds = |a: &&Area| (a.left..a.right()).contains(&x) && (a.top..a.bottom()).contains(&y);
            areas[1..].iter().filter(holds).count()
        };
        assert_eq!([covered(0, 0), covered(640, 10), covered(640, 540), covered(1919, 1079)], [1, 2, 4, 1]);
        assert_eq!(sheets[1].input_px, (416, 352));
    }

    #[test]
    fn one_tile_is_the_picture_itself() {
        assert_eq!(sheets((768, 576), (1, 1), FREE).len(), 1);
        assert_eq!(sheets((0, 576), (3, 2), FREE).len(), 0);
    }
}
