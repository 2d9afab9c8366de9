//! Where the benchmark draws its lines: by rule, so that nobody picks the easy ones.

use outis_measure::{GroundPoint, Line};

use super::camera::Camera;
use super::paths::GroundPath;

/// Half the length of a line that ends within the crowd.
const SHORT_HALF_M: f64 = 2.0;
/// How far a spanning line reaches beyond the busy area.
const MARGIN_M: f64 = 1.0;
/// Steps between the lines through the middle.
const ANGLE_STEP_DEG: f64 = 30.0;

/// A line and what to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLine {
    /// Such as `mid-030`.
    pub name: String,
    /// The segment in the picture.
    pub line: Line,
}

/// Ten lines over a street.
///
/// Six go through the median of all annotated positions, 30 degrees apart on the ground, by turns spanning the
/// busy area and 4 m long. At a quarter and at three quarters of all positions along the longer side of the area
/// one line spans it and a short one lies slantwise.
pub fn choose(paths: &[GroundPath], camera: &Camera) -> Vec<NamedLine> {
    let area = Area::of(paths);
    let mut segments = Vec::new();
    for (index, short) in [false, true, false, true, false, true].into_iter().enumerate() {
        let angle_deg = ANGLE_STEP_DEG * index as f64;
        segments.push((format!("mid-{angle_deg:03}"), area.at_share(0.5), angle_deg, short));
    }
    let across_deg = if area.longer == 0 { 90.0 } else { 0.0 };
    for (name, share, turn_deg, short) in [
        ("quarter-across", 0.25, 0.0, false),
        ("quarter-slant", 0.25, 40.0, true),
        ("far-across", 0.75, 0.0, false),
        ("far-slant", 0.75, -40.0, true),
    ] {
        segments.push((name.to_owned(), area.at_share(share), across_deg + turn_deg, short));
    }
    let line = |(name, centre, angle_deg, short): (String, [f64; 2], f64, bool)| {
        let (from_m, to_m) =
            if short { (-SHORT_HALF_M, SHORT_HALF_M) } else { area.reach_m(centre, angle_deg) };
        let point = |along_m: f64| {
            let (sin, cos) = angle_deg.to_radians().sin_cos();
            let ground = GroundPoint {
                x_m: (centre[0] + along_m * cos) as f32,
                y_m: (centre[1] + along_m * sin) as f32,
            };
            camera.project(ground, 0.0)
        };
        Some(NamedLine { name, line: Line::new(point(from_m)?, point(to_m)?).ok()? })
    };
    segments.into_iter().filter_map(line).collect()
}

/// Where people are: the middle 96 % of all annotated positions on both axes.
struct Area {
    low: [f64; 2],
    high: [f64; 2],
    // Positions on each axis, sorted.
    sorted: [Vec<f64>; 2],
    // Index of the longer axis.
    longer: usize,
}

impl Area {
    fn of(paths: &[GroundPath]) -> Self {
        let axis = |pick: fn(GroundPoint) -> f32| {
            let mut values: Vec<f64> =
                paths.iter().flat_map(GroundPath::positions).map(|p| f64::from(pick(p))).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let sorted = [axis(|p| p.x_m), axis(|p| p.y_m)];
        let low = [0, 1].map(|i| share_of(&sorted[i], 0.02));
        let high = [0, 1].map(|i| share_of(&sorted[i], 0.98));
        let longer = usize::from(high[1] - low[1] > high[0] - low[0]);
        Self { low, high, sorted, longer }
    }

    /// The point with this share of the positions before it on the longer axis, and half of them on the other.
    fn at_share(&self, share: f64) -> [f64; 2] {
        [0, 1].map(|axis| share_of(&self.sorted[axis], if axis == self.longer { share } else { 0.5 }))
    }

    /// How far one can go from a point, backward and forward, until the area ends.
    fn reach_m(&self, centre: [f64; 2], angle_deg: f64) -> (f64, f64) {
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        let (mut from_m, mut to_m) = (f64::NEG_INFINITY, f64::INFINITY);
        for (axis, step) in [(0, cos), (1, sin)] {
            if step.abs() > 1e-9 {
                let ends = [self.low[axis] - MARGIN_M, self.high[axis] + MARGIN_M]
                    .map(|e| (e - centre[axis]) / step);
                from_m = from_m.max(ends[0].min(ends[1]));
                to_m = to_m.min(ends[0].max(ends[1]));
            }
        }
        (from_m, to_m)
    }
}

fn share_of(sorted: &[f64], share: f64) -> f64 {
    sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0)
}
