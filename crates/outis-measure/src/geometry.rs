//! Points and boxes. Pixels and metres are different types, so that nobody adds them.

/// Boxes farther out than this are no detector's; their areas would not be exact in 32 bits.
const COORDINATE_MAX_PX: f32 = 1e6;

/// A point of the picture in pixels, x to the right and y down, from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImagePoint {
    /// To the right.
    pub x_px: f32,
    /// Down.
    pub y_px: f32,
}

impl ImagePoint {
    /// A point.
    pub fn new(x_px: f32, y_px: f32) -> Self {
        Self { x_px, y_px }
    }
}

/// A point of the ground plane in metres.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroundPoint {
    /// Along the first axis of the ground plane.
    pub x_m: f32,
    /// Along the second axis of the ground plane.
    pub y_m: f32,
}

impl GroundPoint {
    /// How far another point is, in metres.
    pub fn distance_m(self, other: Self) -> f32 {
        (other.x_m - self.x_m).hypot(other.y_m - self.y_m)
    }
}

/// An upright rectangle of the picture, in pixels. Its width and height are not negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImageBox {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl ImageBox {
    /// A box from its upper left corner and its size.
    pub fn from_left_top_width_height(left: f32, top: f32, width: f32, height: f32) -> Self {
        Self { left, top, width: width.max(0.0), height: height.max(0.0) }
    }

    /// The box that stands on a foot point, its bottom centre.
    pub fn standing_on(foot: ImagePoint, width: f32, height: f32) -> Self {
        Self::from_left_top_width_height(foot.x_px - width / 2.0, foot.y_px - height, width, height)
    }

    /// A box from two opposite corners.
    pub fn from_left_top_right_bottom(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self::from_left_top_width_height(left, top, right - left, bottom - top)
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// The centre.
    pub fn center(&self) -> ImagePoint {
        ImagePoint::new(self.left + self.width / 2.0, self.top + self.height / 2.0)
    }

    /// The middle of the lower edge: where a person or vehicle stands on the ground.
    pub fn foot(&self) -> ImagePoint {
        ImagePoint::new(self.left + self.width / 2.0, self.bottom())
    }

    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Whether the box has an area and all four numbers are finite and no larger than any picture.
    pub fn is_valid(&self) -> bool {
        [self.left, self.top, self.width, self.height].iter().all(|v| v.abs() <= COORDINATE_MAX_PX)
            && self.width > 0.0
            && self.height > 0.0
    }

    /// Area of the common part, in square pixels.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = self.right().min(other.right()) - self.left.max(other.left);
        let height = self.bottom().min(other.bottom()) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let intersection = self.intersection(other);
        let union = self.area() + other.area() - intersection;
        if union > 0.0 { intersection / union } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by hand; the boxes differ in all four numbers so that no swap goes unnoticed.
    #[test]
    fn iou_table() {
        let a = ImageBox::from_left_top_width_height(10.0, 100.0, 20.0, 50.0);
        let cases = [
            ("same", a, 1.0),
            ("apart", ImageBox::from_left_top_width_height(31.0, 100.0, 20.0, 50.0), 0.0),
            ("touching", ImageBox::from_left_top_width_height(30.0, 100.0, 20.0, 50.0), 0.0),
            ("half to the right", ImageBox::from_left_top_width_height(20.0, 100.0, 20.0, 50.0), 1.0 / 3.0),
            ("within", ImageBox::from_left_top_width_height(15.0, 110.0, 10.0, 20.0), 0.2),
            ("corner", ImageBox::from_left_top_width_height(25.0, 140.0, 10.0, 30.0), 50.0 / 1250.0),
            ("empty", ImageBox::from_left_top_width_height(15.0, 110.0, -1.0, 20.0), 0.0),
        ];
        for (name, b, expected) in cases {
            assert!((a.iou(&b) - expected).abs() < 1e-6, "{name}: {}", a.iou(&b));
            assert_eq!(a.iou(&b), b.iou(&a), "{name}");
        }
    }
}
