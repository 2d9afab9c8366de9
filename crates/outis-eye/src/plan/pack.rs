//! Lays crops on as few inputs as they need. Knows rectangles.

use crate::detect::{Area, InputSize, Part, Sheet};

/// Empty pixels between two parts, so that nothing in one is taken for a piece of its neighbour.
const GUTTER_PX: usize = 4;

/// An area and how large to show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crop {
    pub(crate) source: Area,
    /// Pixels of the input for one of the picture.
    pub(crate) scale: f32,
}

impl Crop {
    /// Width and height in the input; no larger than it may be.
    pub(crate) fn size(&self, input: InputSize) -> (usize, usize) {
        let (most_width, most_height) = input.largest_px();
        let (width, height) = (self.source.width as f32, self.source.height as f32);
        let scale = self.scale.min(most_width as f32 / width).min(most_height as f32 / height);
        let side = |px: f32, most: usize| ((px * scale).round() as usize).clamp(1, most);
        (side(width, most_width), side(height, most_height))
    }
}

/// A row of parts side by side, all on one height.
struct Shelf {
    top: usize,
    height: usize,
    filled: usize,
}

/// Lays the crops on shelves, the tallest first. Each sheet is no larger than what lies on it, as far as the network
/// has such a size.
pub(crate) fn pack(crops: &[Crop], input: InputSize) -> Vec<Sheet> {
    let (most_width, most_height) = input.largest_px();
    let mut order: Vec<(Crop, (usize, usize))> = crops.iter().map(|crop| (*crop, crop.size(input))).collect();
    order.sort_by_key(|(_, (width, height))| std::cmp::Reverse((*height, *width)));
    let mut sheets: Vec<(Vec<Part>, Vec<Shelf>)> = Vec::new();
    for (crop, size) in order {
        let (width, height) = size;
        let shelf = sheets.iter_mut().find_map(|(parts, shelves)| {
            let shelf = shelves.iter_mut().find(|s| s.filled + width <= most_width && height <= s.height)?;
            Some((parts, shelf))
        });
        if let Some((parts, shelf)) = shelf {
            parts.push(Part { source: crop.source, at: (shelf.filled, shelf.top), size });
            shelf.filled += width + GUTTER_PX;
            continue;
        }
        let end = |shelves: &[Shelf]| shelves.last().map_or(0, |shelf| shelf.top + shelf.height + GUTTER_PX);
        let index = sheets.iter().position(|(_, shelves)| end(shelves) + height <= most_height);
        let index = index.unwrap_or_else(|| {
            sheets.push((Vec::new(), Vec::new()));
            sheets.len() - 1
        });
        let (parts, shelves) = &mut sheets[index];
        let top = end(shelves);
        parts.push(Part { source: crop.source, at: (0, top), size });
        shelves.push(Shelf { top, height, filled: width + GUTTER_PX });
    }
    let sheet = |(parts, _): (Vec<Part>, Vec<Shelf>)| {
        let right = parts.iter().map(|part| part.at.0 + part.size.0).max().unwrap_or(1);
        let bottom = parts.iter().map(|part| part.at.1 + part.size.1).max().unwrap_or(1);
        Sheet::new(input.around((right, bottom)), parts)
    };
    sheets.into_iter().map(sheet).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: InputSize = InputSize::UpTo { width_px: 416, height_px: 416, step_px: 32 };

    #[test]
    fn few_people_need_a_small_input() {
        let crop = |left| Crop { source: Area { left, top: 0, width: 60, height: 90 }, scale: 1.0 };
        let sheets = pack(&[crop(0), crop(300), crop(900)], FREE);
        assert_eq!(sheets.len(), 1);
        assert_eq!(sheets[0].input_px, (192, 96), "three of 60 columns and two gutters");
        let fixed = InputSize::Fixed { width_px: 416, height_px: 416 };
        assert_eq!(pack(&[crop(0)], fixed)[0].input_px, (416, 416));
        assert_eq!(pack(&[], FREE), []);
    }

    proptest! {
        /// Whatever is packed lies within its input and on nothing else, all of it.
        #[test]
        fn nothing_overlaps(
            wanted in proptest::collection::vec((1_u32..1900, 1_u32..1000, 0.05_f32..3.0), 0..60)
        ) {
            let crops: Vec<Crop> = wanted
                .iter()
                .map(|&(width, height, scale)| Crop { source: Area { left: 0, top: 0, width, height }, scale })
                .collect();
            let sheets = pack(&crops, FREE);
            prop_assert_eq!(sheets.iter().map(|sheet| sheet.parts.len()).sum::<usize>(), crops.len());
            for sheet in &sheets {
                prop_assert!(sheet.input_px.0 <= 416 && sheet.input_px.1 <= 416);
                prop_assert_eq!((sheet.input_px.0 % 32, sheet.input_px.1 % 32), (0, 0));
                for (index, a) in sheet.parts.iter().enumerate() {
                    prop_assert!(a.at.0 + a.size.0 <= sheet.input_px.0 && a.at.1 + a.size.1 <= sheet.input_px.1);
                    for b in &sheet.parts[..index] {
                        let apart = a.at.0 + a.size.0 <= b.at.0 || b.at.0 + b.size.0 <= a.at.0
                            || a.at.1 + a.size.1 <= b.at.1 || b.at.1 + b.size.1 <= a.at.1;
                        prop_assert!(apart, "{:?} {:?}", a, b);
                    }
                }
            }
        }
    }
}
