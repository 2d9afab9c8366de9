//! The picture that lines and zones were drawn in, and pictures of other sizes that show the same.
//!
//! Cameras change the size of their picture while they send: by night, for want of bandwidth, or because somebody chose
//! another quality. With the same sides to each other the picture shows the same, only more or less finely.

use outis_measure::{Detection, ImageBox, ImagePoint, Line, MediaTime, SceneError, Zone};

/// Shapes that differ by less than this are the same: sides are rounded, such as 1080 lines to 1088.
const SHAPE_TOLERANCE: f32 = 0.02;

/// Pictures of another shape may be a damaged parameter set; when they stay this long, they are what the camera shows.
const OTHER_SHAPE_MAX_US: i64 = 2_000_000;

/// The size in pixels that lines, zones and ground points are given in.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// Until it is known, the first picture decides.
    size_px: Option<(u32, u32)>,
    other_since: Option<MediaTime>,
}

/// How a picture compares to the one that was drawn in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fit {
    /// It shows the same.
    Same(Zoom),
    /// It shows something else, or the same squeezed. Where the lines are in it nobody knows.
    Other,
    /// It has been so for so long that no better picture will come.
    Lost,
}

/// Pixels of the picture for each pixel that was drawn in, across and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Zoom {
    x: f32,
    y: f32,
}

impl Drawn {
    /// For lines that were drawn in a picture of this size, if that is known.
    pub(crate) fn new(size_px: Option<(u32, u32)>) -> Self {
        Self { size_px, other_since: None }
    }

    /// The size that lines, zones and ground points are given in, once it is known.
    pub(crate) fn size_px(&self) -> Option<(u32, u32)> {
        self.size_px
    }

    /// Compares a picture. A size has no side of zero.
    pub(crate) fn fit(&mut self, at: MediaTime, size_px: (u32, u32)) -> Fit {
        let drawn_px = *self.size_px.get_or_insert(size_px);
        let zoom = Zoom::between(drawn_px, size_px);
        if (zoom.x / zoom.y - 1.0).abs() <= SHAPE_TOLERANCE {
            self.other_since = None;
            return Fit::Same(zoom);
        }
        let since = *self.other_since.get_or_insert(at);
        if at.as_micros() - since.as_micros() > OTHER_SHAPE_MAX_US { Fit::Lost } else { Fit::Other }
    }
}

impl Zoom {
    /// Nothing changes.
    pub(crate) const NONE: Self = Self { x: 1.0, y: 1.0 };

    /// From a picture that was drawn in to another one of the same view, whatever its shape.
    pub(crate) fn between(drawn_px: (u32, u32), size_px: (u32, u32)) -> Self {
        Self { x: size_px.0 as f32 / drawn_px.0 as f32, y: size_px.1 as f32 / drawn_px.1 as f32 }
    }

    /// As much across as down. For tests.
    #[cfg(test)]
    pub(crate) fn of(times: f32) -> Self {
        Self { x: times, y: times }
    }

    /// Where a point lies in the picture.
    pub(crate) fn point(self, point: ImagePoint) -> ImagePoint {
        ImagePoint::new(point.x_px * self.x, point.y_px * self.y)
    }

    /// Where a line lies in the picture.
    pub(crate) fn line(self, line: &Line) -> Result<Line, SceneError> {
        Line::new(self.point(line.start()), self.point(line.end()))
    }

    /// Where a zone lies in the picture.
    pub(crate) fn zone(self, zone: &Zone) -> Result<Zone, SceneError> {
        Zone::new(zone.corners().iter().map(|&corner| self.point(corner)).collect())
    }

    /// Where a box of the picture that was drawn in lies in this one.
    pub(crate) fn onto(self, bbox: ImageBox) -> ImageBox {
        let ImageBox { left, top, width, height } = bbox;
        ImageBox::from_left_top_width_height(left * self.x, top * self.y, width * self.x, height * self.y)
    }

    /// Where a detection would lie in the picture that was drawn in.
    pub(crate) fn back(self, detection: Detection) -> Detection {
        let ImageBox { left, top, width, height } = detection.bbox;
        let bbox = ImageBox::from_left_top_width_height(
            left / self.x,
            top / self.y,
            width / self.x,
            height / self.y,
        );
        Detection { bbox, ..detection }
    }
}

#[cfg(test)]
mod tests {
    use outis_measure::Score;
    use outis_record::Class;

    use super::*;

    const S: fn(f64) -> MediaTime = MediaTime::from_seconds;

    #[test]
    fn the_same_shape_shows_the_same() {
        let cases = [
            ("as it was", (1920, 1080), true),
            ("coded height", (1920, 1088), true),
            ("half", (960, 540), true),
            ("a third", (640, 360), true),
            ("larger", (3840, 2160), true),
            ("a television's", (704, 576), false),
            ("turned", (1080, 1920), false),
        ];
        for (name, size_px, same) in cases {
            let mut drawn = Drawn::default();
            assert_eq!(drawn.fit(S(0.0), (1920, 1080)), Fit::Same(Zoom::NONE));
            assert_eq!(matches!(drawn.fit(S(1.0), size_px), Fit::Same(_)), same, "{name}");
        }
    }

    #[test]
    fn another_shape_is_waited_out_for_two_seconds() {
        let mut drawn = Drawn::new(Some((640, 480)));
        assert_eq!(drawn.fit(S(0.0), (640, 360)), Fit::Other);
        assert_eq!(drawn.fit(S(1.0), (320, 240)), Fit::Same(Zoom { x: 0.5, y: 0.5 }));
        for at_s in [2.0, 3.0, 4.0] {
            assert_eq!(drawn.fit(S(at_s), (640, 360)), Fit::Other, "{at_s}");
        }
        assert_eq!(drawn.fit(S(4.1), (640, 360)), Fit::Lost);
    }

    #[test]
    fn what_is_seen_in_a_smaller_picture_comes_back_to_where_it_was_drawn() {
        let zoom = Zoom { x: 0.5, y: 0.25 };
        let bbox = ImageBox::from_left_top_right_bottom(10.0, 20.0, 30.0, 60.0);
        let back = zoom.back(Detection { bbox, class: Class::Person, score: Score::new(0.5) });
        assert_eq!(back.bbox, ImageBox::from_left_top_right_bottom(20.0, 80.0, 60.0, 240.0));
        assert_eq!(zoom.onto(back.bbox), bbox);
        let line = Line::new(ImagePoint::new(20.0, 80.0), ImagePoint::new(60.0, 240.0)).unwrap();
        let in_picture = zoom.line(&line).unwrap();
        assert_eq!(
            (in_picture.start(), in_picture.end()),
            (ImagePoint::new(10.0, 20.0), ImagePoint::new(30.0, 60.0))
        );
    }
}
