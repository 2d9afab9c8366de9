//! A camera that looks down on flat ground, and the box around a person in its picture. Pure geometry.

use crate::{GroundPlane, ImagePoint, ground::Lens};

/// How far before the body's axis, towards the camera, the lowest point of a walker's feet is, in metres: half a shoe
/// across its directions, and a part of the stride.
const FEET_REACH_M: f64 = 0.15;

/// Radius of a head in metres: its highest point in the picture is on its round top.
const HEAD_RADIUS_M: f64 = 0.11;

/// Nearer to the lens than this, in metres, nobody is measured.
const DEPTH_MIN_M: f64 = 0.5;

/// Where a camera hangs and how it looks. Its pixels are square, its lens is straight, and its axis goes through the
/// middle of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraPose {
    /// Focal length in pixels.
    pub focal_px: f64,
    /// By how much the axis points below the horizon, in radians.
    pub pitch_rad: f64,
    /// By how much the horizon is turned clockwise in the picture, in radians.
    pub roll_rad: f64,
    /// Height above the ground in metres.
    pub height_m: f64,
    /// The middle of the picture in pixels.
    pub center_px: [f64; 2],
}

impl CameraPose {
    /// The direction away from the ground, in the camera's axes: right, down, ahead.
    fn up(&self) -> [f64; 3] {
        let ((sp, cp), (sr, cr)) = (self.pitch_rad.sin_cos(), self.roll_rad.sin_cos());
        [cp * sr, -cp * cr, -sp]
    }

    fn ray(&self, point: ImagePoint) -> [f64; 3] {
        let [cx, cy] = self.center_px;
        [(f64::from(point.x_px) - cx) / self.focal_px, (f64::from(point.y_px) - cy) / self.focal_px, 1.0]
    }

    /// Where a point of the picture is on the ground, in metres in the camera's axes; `None` at and above the horizon.
    pub(super) fn ground_point(&self, point: ImagePoint) -> Option<[f64; 3]> {
        let ray = self.ray(point);
        let descent = -dot(self.up(), ray);
        (descent > 1e-6).then(|| ray.map(|v| v * self.height_m / descent))
    }

    /// How tall in pixels the box is that stands on a point of the picture around a walker of this height.
    pub fn box_height_px(&self, foot: ImagePoint, height_m: f64) -> Option<f64> {
        let up = self.up();
        let toe = self.ground_point(foot)?;
        let level = [0, 1, 2].map(|axis| toe[axis] + self.height_m * up[axis]);
        let away = dot(level, level).sqrt();
        // Straight below the camera there is no direction away from it.
        let reach = if away > 1e-6 { FEET_REACH_M / away } else { 0.0 };
        let head =
            [0, 1, 2].map(|axis| toe[axis] + reach * level[axis] + (height_m - HEAD_RADIUS_M) * up[axis]);
        if head[2] < DEPTH_MIN_M {
            return None;
        }
        let top = self.center_px[1] + self.focal_px * (head[1] - HEAD_RADIUS_M) / head[2];
        let height = f64::from(foot.y_px) - top;
        (height > 1.0).then_some(height)
    }

    /// The ground as this camera sees it: below it is the origin, ahead of it the second axis.
    pub fn ground_plane(&self) -> Option<GroundPlane> {
        let up = self.up();
        // The picture's own right, laid level.
        let right = [0, 1, 2].map(|axis| f64::from(u8::from(axis == 0)) - up[0] * up[axis]);
        let length = dot(right, right).sqrt();
        let right = right.map(|v| v / length);
        let ahead = [
            up[1] * right[2] - up[2] * right[1],
            up[2] * right[0] - up[0] * right[2],
            up[0] * right[1] - up[1] * right[0],
        ];
        let lens = Lens { center_px: self.center_px, scale: [1.0 / self.focal_px; 2], kappa: 0.0 };
        let view = [0, 1, 2].map(|row| [right[row], ahead[row], -self.height_m * up[row]]);
        GroundPlane::from_view(lens, view)
    }
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6 m up and 6 m ahead: the axis meets the ground at 45 degrees.
    #[test]
    fn a_slant_by_hand() {
        let pose = CameraPose {
            focal_px: 1000.0,
            pitch_rad: 45.0_f64.to_radians(),
            roll_rad: 0.0,
            height_m: 6.0,
            center_px: [960.0, 540.0],
        };
        let plane = pose.ground_plane().unwrap();
        let middle = plane.locate(ImagePoint::new(960.0, 540.0)).unwrap();
        assert!(middle.x_m.abs() < 1e-5 && (middle.y_m - 6.0).abs() < 1e-5, "{middle:?}");
        // One metre to the right at 6 · √2 m.
        let right = plane.locate(ImagePoint::new(960.0 + 1000.0 / 72.0_f32.sqrt(), 540.0)).unwrap();
        assert!((right.x_m - 1.0).abs() < 1e-4 && (right.y_m - 6.0).abs() < 1e-4, "{right:?}");
        assert_eq!(plane.locate(ImagePoint::new(960.0, -470.0)), None, "above the horizon");
        // A stick of 1.7 m there would be 1.7/√2 m tall across the view at a depth less 1.7/√2 m: 166 px. The toes
        // before the body and the round head add a tenth.
        let height = pose.box_height_px(ImagePoint::new(960.0, 540.0), 1.7).unwrap();
        assert!((166.0..186.0).contains(&height), "{height}");
    }
}
