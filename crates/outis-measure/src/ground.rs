//! The ground plane: from points of the picture to metres.
//!
//! A plane seen by a camera without lens distortion is a homography (Hartley & Zisserman 2004, section 2.3);
//! four points with known places determine it, or where the camera hangs and how it looks. A calibrated lens that
//! bends straight lines is straightened first.

use crate::{GroundPoint, ImagePoint};

/// From the picture to the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroundPlane {
    lens: Lens,
    /// Where the camera's axis meets the picture, in pixels, where a calibration says so.
    axis_px: Option<[f64; 2]>,
    /// A homography from straight coordinates to the ground. Its denominator is positive on the camera's side of the
    /// horizon.
    rows: [[f64; 3]; 3],
}

/// From pixels to straight coordinates: moved to a centre, scaled, and freed of radial distortion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lens {
    /// Where the coordinates are zero, in pixels.
    pub(crate) center_px: [f64; 2],
    /// Coordinates per pixel, across and down.
    pub(crate) scale: [f64; 2],
    /// Tsai's first coefficient: straight = bent · (1 + kappa · r²), r in bent coordinates from the centre.
    pub(crate) kappa: f64,
}

impl Lens {
    /// Straight coordinates of a point; `None` where the lens folds the picture over itself, which no real one does
    /// within its picture.
    pub(crate) fn straighten(&self, point: ImagePoint) -> Option<[f64; 2]> {
        let x = (f64::from(point.x_px) - self.center_px[0]) * self.scale[0];
        let y = (f64::from(point.y_px) - self.center_px[1]) * self.scale[1];
        let bend = self.kappa * (x * x + y * y);
        // The derivative along the radius is 1 + 3 · bend.
        (1.0 + 3.0 * bend > 0.0).then_some([x * (1.0 + bend), y * (1.0 + bend)])
    }
}

/// Why four points make no ground plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroundError {
    /// Three of the points lie on one line, or a coordinate is not a number.
    #[error("the four ground points do not span a plane: no three of them may lie on one line")]
    Degenerate,
}

impl GroundPlane {
    /// The plane in which four points of the picture have four places on the ground.
    ///
    /// # Errors
    /// When three of either lie on one line.
    pub fn from_points(image: [ImagePoint; 4], ground: [GroundPoint; 4]) -> Result<Self, GroundError> {
        let mean = |of: fn(&ImagePoint) -> f32| image.iter().map(|p| f64::from(of(p))).sum::<f64>() / 4.0;
        let origin = [mean(|p| p.x_px), mean(|p| p.y_px)];
        // Hundreds of pixels keep the equations well conditioned.
        let lens = Lens { center_px: origin, scale: [0.01; 2], kappa: 0.0 };
        let mut system = [[0.0f64; 9]; 8];
        for (i, (p, g)) in image.iter().zip(&ground).enumerate() {
            let [x, y] = lens.straighten(*p).ok_or(GroundError::Degenerate)?;
            let [u, v] = [g.x_m, g.y_m].map(f64::from);
            system[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            system[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        let h = solve(system).ok_or(GroundError::Degenerate)?;
        // The denominator is 1 in the middle of the four points, wherever the horizon lies.
        let rows = [[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]];
        // Three ground points on one line solve, but squash the plane.
        let determinant = determinant(&rows);
        if determinant.is_finite() && determinant.abs() > 1e-12 {
            Ok(Self { lens, axis_px: None, rows })
        } else {
            Err(GroundError::Degenerate)
        }
    }

    /// The plane of which a camera makes this picture: `view` takes ground points (x, y, 1) in metres to straight
    /// coordinates times their depth, and the depth. `None` when the camera is in the plane.
    pub(crate) fn from_view(lens: Lens, view: [[f64; 3]; 3]) -> Option<Self> {
        // Its denominator is one over the depth.
        let rows = inverse(&view)?;
        Some(Self { lens, axis_px: Some(lens.center_px), rows })
    }

    /// The other way round, for a picture with this middle: what takes ground points (x, y, 1) in metres to pixels from
    /// where the axis meets the picture, times their depth and one factor for all, and that place in pixels. What bends
    /// lines is left out.
    pub(crate) fn view(&self, middle_px: [f64; 2]) -> Option<([[f64; 3]; 3], [f64; 2])> {
        let axis_px = self.axis_px.unwrap_or(middle_px);
        let straight = inverse(&self.rows)?;
        let row = |side: usize| {
            let (scale, shift) = (self.lens.scale[side], self.lens.center_px[side] - axis_px[side]);
            [0, 1, 2].map(|column| straight[side][column] / scale + shift * straight[2][column])
        };
        Some(([row(0), row(1), straight[2]], axis_px))
    }

    /// Where a point of the picture lies on the ground; `None` at and above the horizon.
    pub fn locate(&self, point: ImagePoint) -> Option<GroundPoint> {
        let [x, y] = self.lens.straighten(point)?;
        let [u, v, w] = self.rows.map(|[a, b, c]| a * x + b * y + c);
        (w > 1e-9).then(|| GroundPoint { x_m: (u / w) as f32, y_m: (v / w) as f32 })
    }

    /// Metres between two points of the picture, both on the ground.
    pub fn distance_m(&self, a: ImagePoint, b: ImagePoint) -> Option<f32> {
        Some(self.locate(a)?.distance_m(self.locate(b)?))
    }
}

fn determinant(&[a, b, c]: &[[f64; 3]; 3]) -> f64 {
    let [x, y, z] = cross(b, c);
    a[0] * x + a[1] * y + a[2] * z
}

/// The transposed cofactors over the determinant; `None` when singular.
fn inverse(rows: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let determinant = determinant(rows);
    let &[a, b, c] = rows;
    let cofactors = [cross(b, c), cross(c, a), cross(a, b)];
    (determinant.is_finite() && determinant.abs() >= 1e-12)
        .then(|| std::array::from_fn(|row| cofactors.map(|cofactor| cofactor[row] / determinant)))
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Gauss elimination with row pivots; `None` when singular.
fn solve(mut m: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        m.swap(column, pivot);
        if m[column][column].is_nan() || m[column][column].abs() < 1e-10 {
            return None;
        }
        for row in 0..8 {
            if row != column {
                let factor = m[row][column] / m[column][column];
                let pivot_row = m[column];
                for (cell, pivot_cell) in m[row].iter_mut().zip(pivot_row) {
                    *cell -= factor * pivot_cell;
                }
            }
        }
    }
    Some(std::array::from_fn(|i| m[i][8] / m[i][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_seen_at_a_slant() {
        let image = [(100.0, 400.0), (500.0, 400.0), (400.0, 200.0), (200.0, 200.0)]
            .map(|(x, y)| ImagePoint::new(x, y));
        let ground =
            [(0.0, 0.0), (4.0, 0.0), (4.0, 6.0), (0.0, 6.0)].map(|(x_m, y_m)| GroundPoint { x_m, y_m });
        let plane = GroundPlane::from_points(image, ground).unwrap();
        for (p, g) in image.into_iter().zip(ground) {
            let found = plane.locate(p).unwrap();
            assert!((found.x_m - g.x_m).abs() < 1e-4 && (found.y_m - g.y_m).abs() < 1e-4, "{found:?}");
        }
        // The sides of the road meet 200 px above its far end: half way up in the picture is not half way off.
        let middle = plane.locate(ImagePoint::new(300.0, 300.0)).unwrap();
        assert!((middle.x_m - 2.0).abs() < 1e-4 && middle.y_m < 3.0, "{middle:?}");
        assert_eq!(plane.locate(ImagePoint::new(300.0, -10.0)), None, "above the horizon");
    }

    #[test]
    fn points_on_a_line_are_refused() {
        let p = |x, y| ImagePoint::new(x, y);
        let g = |x_m, y_m| GroundPoint { x_m, y_m };
        let square = [g(0.0, 0.0), g(1.0, 0.0), g(1.0, 1.0), g(0.0, 1.0)];
        let bent = [p(0.0, 0.0), p(5.0, 5.0), p(10.0, 10.0), p(0.0, 10.0)];
        assert_eq!(GroundPlane::from_points(bent, square), Err(GroundError::Degenerate));
    }
}
