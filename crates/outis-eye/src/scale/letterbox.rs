//! How a picture of any shape fits into a network's input. Knows no pixels; the way back is a [`Part`](super::Part)'s.

/// The sizes at which a network can be run, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSize {
    /// This one only.
    Fixed {
        /// Columns.
        width_px: usize,
        /// Rows.
        height_px: usize,
    },
    /// Any multiple of `step_px` up to these; a picture takes no more than it fills.
    UpTo {
        /// Most columns.
        width_px: usize,
        /// Most rows.
        height_px: usize,
        /// The network's coarsest stride.
        step_px: usize,
    },
}

impl InputSize {
    /// Width and height of the largest input.
    pub fn largest_px(self) -> (usize, usize) {
        match self {
            Self::Fixed { width_px, height_px } | Self::UpTo { width_px, height_px, .. } => {
                (width_px, height_px)
            }
        }
    }

    /// The same number of pixels in the shape of a picture: a view that is wider than high is not shown with grey
    /// below it, but larger, at the cost of the card's input. What is enlarged anyway stays as it is.
    pub fn shaped(self, picture_px: (u32, u32)) -> Self {
        let Self::UpTo { width_px, height_px, step_px } = self else { return self };
        let pixels_max = width_px * height_px;
        let (width, height) = (f64::from(picture_px.0.max(1)), f64::from(picture_px.1.max(1)));
        let scale = |columns: usize, rows: usize| (columns as f64 / width).min(rows as f64 / height);
        if scale(width_px, height_px) >= 1.0 {
            return self;
        }
        let columns = (1..=pixels_max / (step_px * step_px)).map(|steps| steps * step_px);
        let inputs = columns.map(|columns| (columns, pixels_max / columns / step_px * step_px));
        let best = inputs.filter(|&(_, rows)| rows > 0).max_by(|&a, &b| {
            let of = |(columns, rows)| scale(columns, rows);
            // Of inputs that show it as large, the one with fewer pixels.
            of(a).total_cmp(&of(b)).then((b.0 * b.1).cmp(&(a.0 * a.1)))
        });
        let (width_px, height_px) = best.unwrap_or((width_px, height_px));
        Self::UpTo { width_px, height_px, step_px }
    }

    /// Width and height of the smallest input that holds this much.
    pub fn around(self, (width, height): (usize, usize)) -> (usize, usize) {
        match self {
            Self::Fixed { width_px, height_px } => (width_px, height_px),
            Self::UpTo { step_px, .. } => (width.next_multiple_of(step_px), height.next_multiple_of(step_px)),
        }
    }
}

/// A picture scaled to fit, its shape kept, in the upper left corner of the input:
///
/// ```text
///  picture 768 x 576         input 416 x 320
/// +----------------+        +----------------+
/// |                |   ->   |                |
/// |                |        |   416 x 312    |
/// |                |        |                |
/// +----------------+        +----------------+
///                           |    padding     |
///                           +----------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Letterbox {
    scaled: (usize, usize),
    input: (usize, usize),
}

impl Letterbox {
    /// The letterbox of a picture, both sides in pixels; `None` when it has no area.
    pub(crate) fn fit(width_px: u32, height_px: u32, input: InputSize) -> Option<Self> {
        if width_px == 0 || height_px == 0 {
            return None;
        }
        let (most_width, most_height) = input.largest_px();
        let (width, height) = (f64::from(width_px), f64::from(height_px));
        let scale = (most_width as f64 / width).min(most_height as f64 / height);
        let fitted = |side: f64, most: usize| ((side * scale).round() as usize).clamp(1, most);
        let scaled = (fitted(width, most_width), fitted(height, most_height));
        Some(Self { scaled, input: input.around(scaled) })
    }

    /// Width and height of the network's input.
    pub(crate) fn input_px(&self) -> (usize, usize) {
        self.input
    }

    /// Width and height of the part of the input that shows the picture.
    pub(crate) fn scaled_px(&self) -> (usize, usize) {
        self.scaled
    }
}

#[cfg(test)]
mod tests {
    use outis_measure::ImageBox;

    use super::*;
    use crate::scale::{Area, Sheet};

    const FREE: InputSize = InputSize::UpTo { width_px: 416, height_px: 416, step_px: 32 };
    const FIXED: InputSize = InputSize::Fixed { width_px: 416, height_px: 416 };

    #[test]
    fn shapes() {
        // (case, picture, input size, scaled, input)
        let cases = [
            ("PETS, free", (768, 576), FREE, (416, 312), (416, 320)),
            ("PETS, fixed", (768, 576), FIXED, (416, 312), (416, 416)),
            ("full HD, free", (1920, 1080), FREE, (416, 234), (416, 256)),
            ("upright telephone", (1080, 1920), FREE, (234, 416), (256, 416)),
            ("square", (500, 500), FREE, (416, 416), (416, 416)),
            ("odd sides", (641, 359), FREE, (416, 233), (416, 256)),
            ("smaller than the input", (160, 120), FREE, (416, 312), (416, 320)),
            ("a single row", (16_384, 1), FREE, (416, 1), (416, 32)),
            ("a single pixel", (1, 1), FREE, (416, 416), (416, 416)),
            ("a column, fixed", (1, 9000), FIXED, (1, 416), (416, 416)),
        ];
        for (name, (width, height), size, scaled, input) in cases {
            let letterbox = Letterbox::fit(width, height, size).expect(name);
            assert_eq!(letterbox.scaled_px(), scaled, "{name}");
            assert_eq!(letterbox.input_px(), input, "{name}");
        }
        assert_eq!(Letterbox::fit(0, 5, FREE), None);
        assert_eq!(Letterbox::fit(5, 0, FIXED), None);
    }

    #[test]
    fn the_shape_follows_the_view_and_the_cost_stays() {
        // (case, picture, input that shows it)
        let cases = [
            ("PETS", (768, 576), (480, 352)),
            ("CIF, four times", (704, 576), (448, 384)),
            ("wide", (854, 480), (512, 288)),
            ("upright", (480, 854), (288, 512)),
            ("square", (500, 500), (416, 416)),
            ("smaller than the input", (160, 120), (416, 320)),
        ];
        for (name, picture, input) in cases {
            let shaped = FREE.shaped(picture);
            let letterbox = Letterbox::fit(picture.0, picture.1, shaped).unwrap();
            assert_eq!(letterbox.input_px(), input, "{name}");
            let before = Letterbox::fit(picture.0, picture.1, FREE).unwrap();
            assert!(letterbox.scaled_px().0 >= before.scaled_px().0, "{name}");
            assert!(input.0 * input.1 <= 416 * 416, "{name}");
        }
        assert_eq!(FIXED.shaped((768, 576)), FIXED);
    }

    #[test]
    fn the_way_back() {
        let pets = ((768, 576), FREE);
        let odd = ((641, 359), FIXED);
        let corners = ImageBox::from_left_top_right_bottom;
        // (case, letterbox, box in the input, box in the picture)
        let cases = [
            ("the whole picture", pets, corners(0.0, 0.0, 416.0, 312.0), corners(0.0, 0.0, 768.0, 576.0)),
            ("its centre", pets, corners(104.0, 78.0, 312.0, 234.0), corners(192.0, 144.0, 576.0, 432.0)),
            ("odd sides, whole", odd, corners(0.0, 0.0, 416.0, 233.0), corners(0.0, 0.0, 641.0, 359.0)),
            ("beyond the border", pets, corners(-9.0, -3.0, 52.0, 39.0), corners(0.0, 0.0, 96.0, 72.0)),
            ("down into the padding", pets, corners(0.0, 39.0, 52.0, 320.0), corners(0.0, 72.0, 96.0, 576.0)),
            (
                "only padding",
                pets,
                corners(10.0, 313.0, 20.0, 319.0),
                corners(18.4615, 576.0, 36.9231, 576.0),
            ),
        ];
        for (name, ((width, height), size), input, picture) in cases {
            let sheet = Sheet::of(Area { left: 0, top: 0, width, height }, size).expect(name);
            let mapped = sheet.parts[0].to_picture(&input, (width, height)).bbox;
            let sides = [mapped.left, mapped.top, mapped.right(), mapped.bottom()];
            let expected = [picture.left, picture.top, picture.right(), picture.bottom()];
            for (side, expected) in sides.into_iter().zip(expected) {
                assert!((side - expected).abs() < 1e-3, "{name}: {mapped:?}");
            }
        }
    }
}
