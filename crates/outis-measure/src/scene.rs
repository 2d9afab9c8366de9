//! What the owner of a camera drew: lines and zones.

use crate::{GroundPlane, ImagePoint};

/// A counting line: the segment between two points of the picture.
///
/// ```text
///              p2
///      left    |    right          forward:  left → right
///   (d < 0)    |    (d > 0)        backward: right → left
///              |
///              p1                  looking from p1 to p2
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    start: ImagePoint,
    end: ImagePoint,
}

impl Line {
    /// A line from one point to another.
    ///
    /// # Errors
    /// When a coordinate is not finite or the points are less than a pixel apart.
    pub fn new(start: ImagePoint, end: ImagePoint) -> Result<Self, SceneError> {
        check_finite(&[start, end])?;
        let line = Self { start, end };
        if line.length_px() < 1.0 { Err(SceneError::ShortLine) } else { Ok(line) }
    }

    /// The first point.
    pub fn start(&self) -> ImagePoint {
        self.start
    }

    /// The second point.
    pub fn end(&self) -> ImagePoint {
        self.end
    }

    /// Distance between the two points in pixels.
    pub fn length_px(&self) -> f32 {
        (self.end.x_px - self.start.x_px).hypot(self.end.y_px - self.start.y_px)
    }

    /// Distance of a point from the endless line in pixels: negative on the left, positive on the right.
    pub fn distance_px(&self, point: ImagePoint) -> f32 {
        let (dx, dy) = (self.end.x_px - self.start.x_px, self.end.y_px - self.start.y_px);
        (dx * (point.y_px - self.start.y_px) - dy * (point.x_px - self.start.x_px)) / self.length_px()
    }

    /// The direction across the line, from left to right, of length 1.
    pub fn normal(&self) -> (f32, f32) {
        let (dx, dy) = (self.end.x_px - self.start.x_px, self.end.y_px - self.start.y_px);
        (-dy / self.length_px(), dx / self.length_px())
    }

    /// Where a point's nearest point on the endless line lies, in pixels from the first point towards the second.
    pub fn along_px(&self, point: ImagePoint) -> f32 {
        let (dx, dy) = (self.end.x_px - self.start.x_px, self.end.y_px - self.start.y_px);
        (dx * (point.x_px - self.start.x_px) + dy * (point.y_px - self.start.y_px)) / self.length_px()
    }
}

/// A zone: the inside of a simple polygon of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    corners: Vec<ImagePoint>,
    head: Option<ImagePoint>,
}

impl Zone {
    /// The most corners a zone may have.
    pub const CORNERS_MAX: usize = 64;

    /// A zone from its corners in order, either way round.
    ///
    /// # Errors
    /// With fewer than three corners or more than [`Zone::CORNERS_MAX`], with a coordinate that is not
    /// finite, with edges that cross, or with less than a square pixel inside.
    pub fn new(corners: Vec<ImagePoint>) -> Result<Self, SceneError> {
        if !(3..=Self::CORNERS_MAX).contains(&corners.len()) {
            return Err(SceneError::Corners(corners.len()));
        }
        check_finite(&corners)?;
        let zone = Self { corners, head: None };
        if zone.crosses_itself() {
            return Err(SceneError::CrossingEdges);
        }
        if zone.area_px2() < 1.0 { Err(SceneError::EmptyZone) } else { Ok(zone) }
    }

    /// The same zone with the head of the queue in it: where people are served.
    pub fn with_head(self, head: ImagePoint) -> Self {
        Self { head: Some(head), ..self }
    }

    /// The head of the queue in it.
    pub fn head(&self) -> Option<ImagePoint> {
        self.head
    }

    /// Its ground in square metres; `None` where a corner lies at or above the horizon.
    pub fn ground_m2(&self, plane: &GroundPlane) -> Option<f64> {
        let corners: Option<Vec<_>> = self.corners.iter().map(|&corner| plane.locate(corner)).collect();
        let corners = corners?;
        let next = corners.iter().cycle().skip(1);
        let cross = |(a, b): (&crate::GroundPoint, &crate::GroundPoint)| {
            f64::from(a.x_m) * f64::from(b.y_m) - f64::from(b.x_m) * f64::from(a.y_m)
        };
        Some(corners.iter().zip(next).map(cross).sum::<f64>().abs() / 2.0)
    }

    /// The corners.
    pub fn corners(&self) -> &[ImagePoint] {
        &self.corners
    }

    /// Distance of a point from the border in pixels: positive inside, negative outside.
    pub fn depth_px(&self, point: ImagePoint) -> f32 {
        let mut inside = false;
        let mut nearest = f32::INFINITY;
        for (a, b) in self.edges() {
            if (a.y_px > point.y_px) != (b.y_px > point.y_px) {
                let x = a.x_px + (point.y_px - a.y_px) / (b.y_px - a.y_px) * (b.x_px - a.x_px);
                inside ^= point.x_px < x;
            }
            nearest = nearest.min(distance_to_segment_px(point, a, b));
        }
        if inside { nearest } else { -nearest }
    }

    fn edges(&self) -> impl Iterator<Item = (ImagePoint, ImagePoint)> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }

    fn area_px2(&self) -> f32 {
        let twice: f32 = self.edges().map(|(a, b)| a.x_px * b.y_px - b.x_px * a.y_px).sum();
        twice.abs() / 2.0
    }

    fn crosses_itself(&self) -> bool {
        let edges: Vec<_> = self.edges().collect();
        let n = edges.len();
        // Neighbouring edges share a corner, which is no crossing.
        (0..n).any(|i| (i + 2..n).any(|j| (i, j) != (0, n - 1) && segments_cross(edges[i], edges[j])))
    }
}

/// All lines and zones of one camera, each in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// Counting lines.
    pub lines: Vec<Line>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Where the ground is, if somebody measured it.
    pub ground: Option<GroundPlane>,
}

/// Why a line or zone cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SceneError {
    /// A coordinate is infinite or not a number.
    #[error("a coordinate is not a finite number")]
    NotFinite,
    /// The two points of a line fall together.
    #[error("the two points of the line are less than a pixel apart")]
    ShortLine,
    /// Too few or too many corners.
    #[error("a zone has 3 to {max} corners, this one has {0}", max = Zone::CORNERS_MAX)]
    Corners(usize),
    /// The polygon crosses itself.
    #[error("the edges of the zone cross each other; list its corners in order around it")]
    CrossingEdges,
    /// The polygon encloses nothing.
    #[error("the zone encloses less than one square pixel")]
    EmptyZone,
}

fn check_finite(points: &[ImagePoint]) -> Result<(), SceneError> {
    let finite = points.iter().all(|p| p.x_px.is_finite() && p.y_px.is_finite());
    if finite { Ok(()) } else { Err(SceneError::NotFinite) }
}

fn distance_to_segment_px(p: ImagePoint, a: ImagePoint, b: ImagePoint) -> f32 {
    let (dx, dy) = (b.x_px - a.x_px, b.y_px - a.y_px);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0.0 {
        (((p.x_px - a.x_px) * dx + (p.y_px - a.y_px) * dy) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (p.x_px - a.x_px - along * dx).hypot(p.y_px - a.y_px - along * dy)
}

fn segments_cross((a, b): (ImagePoint, ImagePoint), (c, d): (ImagePoint, ImagePoint)) -> bool {
    let side = |p: ImagePoint, q: ImagePoint, r: ImagePoint| {
        (q.x_px - p.x_px) * (r.y_px - p.y_px) - (q.y_px - p.y_px) * (r.x_px - p.x_px)
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(xy: &[(f32, f32)]) -> Vec<ImagePoint> {
        xy.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()
    }

    /// d = (x2-x1)(y-y1) - (y2-y1)(x-x1) with y down; forward is from d < 0 to d > 0.
    #[test]
    fn sides_of_a_line() {
        let cases = [
            ("upward line, point on its left", (100.0, 200.0), (100.0, 50.0), (80.0, 120.0), -20.0),
            ("upward line, point on its right", (100.0, 200.0), (100.0, 50.0), (130.0, 120.0), 30.0),
            ("line to the right, point above", (0.0, 100.0), (300.0, 100.0), (50.0, 60.0), -40.0),
            ("line to the right, point below", (0.0, 100.0), (300.0, 100.0), (50.0, 170.0), 70.0),
            ("slanted line, point on it", (0.0, 0.0), (30.0, 40.0), (15.0, 20.0), 0.0),
        ];
        for (name, a, b, p, expected) in cases {
            let line = Line::new(ImagePoint::new(a.0, a.1), ImagePoint::new(b.0, b.1)).unwrap();
            let d = line.distance_px(ImagePoint::new(p.0, p.1));
            assert!((d - expected).abs() < 1e-4, "{name}: {d}");
        }
    }

    #[test]
    fn depth_in_a_zone() {
        let l_shape = [(0.0, 0.0), (100.0, 0.0), (100.0, 40.0), (40.0, 40.0), (40.0, 100.0), (0.0, 100.0)];
        let zone = Zone::new(points(&l_shape)).unwrap();
        let cases = [
            ("in the long arm", (70.0, 30.0), 10.0),
            ("in the notch", (60.0, 70.0), -20.0),
            ("far left", (-5.0, 50.0), -5.0),
            ("in the corner", (20.0, 20.0), 20.0),
            ("beyond a corner", (103.0, -4.0), -5.0),
        ];
        for (name, p, expected) in cases {
            let depth = zone.depth_px(ImagePoint::new(p.0, p.1));
            assert!((depth - expected).abs() < 1e-4, "{name}: {depth}");
        }
    }

    #[test]
    fn the_ground_of_a_zone() {
        let image = points(&[(100.0, 400.0), (500.0, 400.0), (400.0, 200.0), (200.0, 200.0)]);
        let ground = [(0.0, 0.0), (4.0, 0.0), (4.0, 6.0), (0.0, 6.0)]
            .map(|(x_m, y_m)| crate::GroundPoint { x_m, y_m });
        let plane = GroundPlane::from_points(image.clone().try_into().unwrap(), ground).unwrap();
        let area = Zone::new(image).unwrap().ground_m2(&plane).unwrap();
        assert!((area - 24.0).abs() < 1e-3, "{area}");
        let to_the_sky = Zone::new(points(&[(100.0, 400.0), (500.0, 400.0), (300.0, -50.0)])).unwrap();
        assert_eq!(to_the_sky.ground_m2(&plane), None);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let zone = |xy: &[(f32, f32)]| Zone::new(points(xy)).unwrap_err();
        assert_eq!(zone(&[(0.0, 0.0), (1.0, 1.0)]), SceneError::Corners(2));
        assert_eq!(zone(&[(0.0, 0.0), (9.0, 9.0), (9.0, 0.0), (0.0, 9.0)]), SceneError::CrossingEdges);
        assert_eq!(zone(&[(0.0, 0.0), (9.0, 9.0), (4.0, 4.0)]), SceneError::EmptyZone);
        assert_eq!(zone(&[(0.0, 0.0), (f32::NAN, 9.0), (4.0, 4.0)]), SceneError::NotFinite);
        let p = ImagePoint::new(5.0, 5.0);
        assert_eq!(Line::new(p, p), Err(SceneError::ShortLine));
    }
}
