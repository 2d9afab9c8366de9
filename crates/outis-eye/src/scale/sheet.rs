//! What a network's input shows: one or several areas of a picture, each at a size of its own. Knows no pixels.
//!
//! ```text
//!  picture                          sheet
//! +--------------------------+     +----------------+
//! |  [a]          [ b ]      |     | aaaa bbbbbbb   |
//! |                          | ->  | aaaa bbbbbbb   |
//! |      [c    ]             |     | ccccccc        |
//! +--------------------------+     +----------------+
//! ```

use outis_measure::ImageBox;

use super::{InputSize, Letterbox};

/// A rectangle of the displayed picture, in whole pixels, within it and not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub left: u32,
    /// Upper edge.
    pub top: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Area {
    /// The smallest area around a box, cut at the borders of a picture; `None` when nothing is left of it.
    pub fn around(bbox: &ImageBox, picture_px: (u32, u32)) -> Option<Self> {
        if !bbox.is_valid() {
            return None;
        }
        let side = |value: f32, most: u32| (value.max(0.0) as u32).min(most);
        let (left, top) = (side(bbox.left.floor(), picture_px.0), side(bbox.top.floor(), picture_px.1));
        let right = side(bbox.right().ceil(), picture_px.0);
        let bottom = side(bbox.bottom().ceil(), picture_px.1);
        (right > left && bottom > top).then(|| Self { left, top, width: right - left, height: bottom - top })
    }

    /// The same as a box.
    pub fn to_box(self) -> ImageBox {
        let [left, top, width, height] = [self.left, self.top, self.width, self.height].map(|v| v as f32);
        ImageBox::from_left_top_width_height(left, top, width, height)
    }

    /// Right edge.
    pub fn right(&self) -> u32 {
        self.left + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> u32 {
        self.top + self.height
    }
}

/// One area of the picture and where in the input it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What is shown.
    pub source: Area,
    /// Column and row of its upper left corner in the input.
    pub at: (usize, usize),
    /// Its width and height in the input.
    pub size: (usize, usize),
}

/// How a box lies in a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    /// In pixels of the picture, cut at the part's borders.
    pub(crate) bbox: ImageBox,
    /// Whether it reaches a border of the part that is none of the picture: there may be more of it outside.
    pub(crate) cut: bool,
}

/// A box that ends so near to a part's border is cut by it, in pixels of the input.
const CUT_PX: f32 = 2.0;

impl Part {
    /// A box of the input that lies in this part, as one of the picture.
    pub(crate) fn to_picture(self, bbox: &ImageBox, picture_px: (u32, u32)) -> Placed {
        let Area { left, top, width, height } = self.source;
        // The sides were rounded apart, so each has a scale of its own.
        let across = |x: f32| {
            let inside = (x - self.at.0 as f32) * width as f32 / self.size.0 as f32;
            left as f32 + inside.clamp(0.0, width as f32)
        };
        let down = |y: f32| {
            let inside = (y - self.at.1 as f32) * height as f32 / self.size.1 as f32;
            top as f32 + inside.clamp(0.0, height as f32)
        };
        let (right_px, bottom_px) = ((self.at.0 + self.size.0) as f32, (self.at.1 + self.size.1) as f32);
        let cut = (left > 0 && bbox.left < self.at.0 as f32 + CUT_PX)
            || (top > 0 && bbox.top < self.at.1 as f32 + CUT_PX)
            || (self.source.right() < picture_px.0 && bbox.right() > right_px - CUT_PX)
            || (self.source.bottom() < picture_px.1 && bbox.bottom() > bottom_px - CUT_PX);
        let corners = ImageBox::from_left_top_right_bottom;
        Placed {
            bbox: corners(across(bbox.left), down(bbox.top), across(bbox.right()), down(bbox.bottom())),
            cut,
        }
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        let inside = |value: f32, at: usize, size: usize| (at as f32..(at + size) as f32).contains(&value);
        inside(x, self.at.0, self.size.0) && inside(y, self.at.1, self.size.1)
    }
}

/// How much colour an input shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// As the frame has it.
    Full,
    /// Half as strong, and the same for each two by two pixels of the input: for close-ups, in which the colour of
    /// somebody small is noise before their brightness is.
    Faint,
}

/// One input of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Width and height of the input in pixels; a size that the network takes.
    pub input_px: (usize, usize),
    /// What it shows; parts do not overlap in the input.
    pub parts: Vec<Part>,
    /// Brightness between the parts, as the frame codes it; the grey of the network's card when there is none.
    pub ground: Option<u8>,
    /// How much colour the parts have.
    pub chroma: Chroma,
}

impl Sheet {
    /// Parts in the colours that the frame has, on the grey of the network's card.
    pub(crate) fn new(input_px: (usize, usize), parts: Vec<Part>) -> Self {
        Self { input_px, parts, ground: None, chroma: Chroma::Full }
    }

    /// One area alone, as large as it fits, in the upper left corner. `None` when it has no area.
    pub fn of(source: Area, input: InputSize) -> Option<Self> {
        let letterbox = Letterbox::fit(source.width, source.height, input)?;
        let part = Part { source, at: (0, 0), size: letterbox.scaled_px() };
        Some(Self::new(letterbox.input_px(), vec![part]))
    }

    /// The part in which a box of the input lies with its centre. Between parts there is none.
    pub(crate) fn part_of(&self, bbox: &ImageBox) -> Option<usize> {
        if self.parts.len() == 1 {
            return Some(0);
        }
        let center = bbox.center();
        self.parts.iter().position(|part| part.holds(center.x_px, center.y_px))
    }

    /// Pixels of the input: what a look at it costs grows with them.
    pub fn pixels(&self) -> u64 {
        (self.input_px.0 * self.input_px.1) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: (u32, u32) = (1000, 500);

    #[test]
    fn the_way_back_and_what_is_cut() {
        // 200 x 100 pixels at (800, 300), shown twice as large at (10, 20); its right side is the picture's.
        let source = Area { left: 800, top: 300, width: 200, height: 100 };
        let part = Part { source, at: (10, 20), size: (400, 200) };
        let corners = ImageBox::from_left_top_right_bottom;
        let cases = [
            ("inside", corners(110.0, 60.0, 150.0, 160.0), corners(850.0, 320.0, 870.0, 370.0), false),
            ("the left border", corners(11.0, 60.0, 50.0, 160.0), corners(800.5, 320.0, 820.0, 370.0), true),
            (
                "the picture's own border",
                corners(310.0, 60.0, 410.0, 160.0),
                corners(950.0, 320.0, 1000.0, 370.0),
                false,
            ),
            (
                "beyond the lower border",
                corners(110.0, 60.0, 150.0, 240.0),
                corners(850.0, 320.0, 870.0, 400.0),
                true,
            ),
        ];
        for (name, input, picture, cut) in cases {
            let placed = part.to_picture(&input, PICTURE);
            assert!(placed.bbox.iou(&picture) > 0.9999, "{name}: {placed:?}");
            assert_eq!(placed.cut, cut, "{name}");
        }
    }

    #[test]
    fn areas_stay_in_the_picture() {
        let around = |left, top, width, height| {
            Area::around(&ImageBox { left, top, width, height }, PICTURE)
                .map(|a| (a.left, a.top, a.width, a.height))
        };
        assert_eq!(around(10.5, 20.5, 9.0, 9.0), Some((10, 20, 10, 10)));
        assert_eq!(around(-5.0, -5.0, 10.0, 10.0), Some((0, 0, 5, 5)));
        assert_eq!(around(990.0, 490.0, 50.0, 50.0), Some((990, 490, 10, 10)));
        for outside in [(1000.0, 10.0, 5.0, 5.0), (-9.0, 10.0, 5.0, 5.0), (f32::NAN, 0.0, 5.0, 5.0)] {
            assert_eq!(around(outside.0, outside.1, outside.2, outside.3), None, "{outside:?}");
        }
    }

    #[test]
    fn boxes_between_parts_belong_to_none() {
        let source = Area { left: 0, top: 0, width: 100, height: 100 };
        let part = |x| Part { source, at: (x, 0), size: (100, 100) };
        let sheet = Sheet::new((320, 128), vec![part(0), part(110)]);
        let at = |x: f32| sheet.part_of(&ImageBox::from_left_top_width_height(x - 5.0, 10.0, 10.0, 20.0));
        assert_eq!(at(50.0), Some(0));
        assert_eq!(at(105.0), None);
        assert_eq!(at(115.0), Some(1));
    }
}
