//! A camera that looks down on flat ground, and the box around a person in its picture. Pure geometry.

use super::fit::FOCAL_WIDTHS;
use crate::{
    GroundPlane, ImagePoint,
    ground::{Lens, cross},
};

/// How far before the body's axis, towards the camera, the lowest point of a walker's feet is, in metres: half a shoe
/// across its directions, and a part of the stride.
const FEET_REACH_M: f64 = 0.15;

/// Radius of a head in metres: its highest point in the picture is on its round top.
const HEAD_RADIUS_M: f64 = 0.11;

/// Nearer to the lens than this, in metres, nobody is measured.
const DEPTH_MIN_M: f64 = 0.5;

/// Focal lengths of cameras that watch a street, in widths of the picture: 136 to 8 degrees across.
const FOCALS: std::ops::RangeInclusive<f64> = 0.2..=7.0;

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
    /// The camera that sees a plane as this one is seen in a picture of this size; `None` when none does. A plane from
    /// four points is met as closely as square pixels allow (Zhang 2000, section 3.1).
    pub(super) fn over(plane: &GroundPlane, (width_px, height_px): (f32, f32)) -> Option<Self> {
        let middle_px = [width_px, height_px].map(|side| f64::from(side) / 2.0);
        let (view, center_px) = plane.view(middle_px)?;
        let [east, north, origin] = [0, 1, 2].map(|column| view.map(|row| row[column]));
        // The two axes of the ground are at right angles, and a metre is as long on both: two equations for 1 / f².
        let right_angle = (east[0] * north[0] + east[1] * north[1], east[2] * north[2]);
        let square = |v: [f64; 3]| (v[0] * v[0] + v[1] * v[1], v[2] * v[2]);
        let (e, n) = (square(east), square(north));
        let as_long = ((e.0 - n.0) / 2.0, (e.1 - n.1) / 2.0);
        let (top, bottom) = (
            right_angle.0 * right_angle.1 + as_long.0 * as_long.1,
            right_angle.0 * right_angle.0 + as_long.0 * as_long.0,
        );
        let found_px = (-top / bottom).powf(-0.5);
        let width_px = f64::from(width_px);
        // Straight from above both equations are empty; and typed sides may be those of no camera.
        let focal_px =
            if FOCALS.contains(&(found_px / width_px)) { found_px } else { FOCAL_WIDTHS * width_px };
        let in_camera = |v: [f64; 3]| [v[0] / focal_px, v[1] / focal_px, v[2]];
        let [east, north, origin] = [east, north, origin].map(in_camera);
        let length = |v: [f64; 3]| dot(v, v).sqrt();
        let metre = f64::midpoint(length(east), length(north));
        let normal = cross(east, north);
        let height = dot(normal, origin) / length(normal) / metre;
        let [x, y, z] = normal.map(|v| -v * height.signum() / length(normal));
        let pose = Self {
            focal_px,
            pitch_rad: (-z).clamp(-1.0, 1.0).asin(),
            roll_rad: x.atan2(-y),
            height_m: height.abs(),
            center_px,
        };
        [pose.pitch_rad, pose.roll_rad, pose.height_m].iter().all(|v| v.is_finite()).then_some(pose)
    }

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

    /// From the ground below the camera to a point of the ground, in metres in the camera's axes.
    pub(super) fn level(&self, ground: [f64; 3]) -> [f64; 3] {
        let up = self.up();
        [0, 1, 2].map(|axis| ground[axis] + self.height_m * up[axis])
    }

    /// How tall in pixels the box is that stands on a point of the picture around a walker of this height.
    pub fn box_height_px(&self, foot: ImagePoint, height_m: f64) -> Option<f64> {
        let up = self.up();
        let toe = self.ground_point(foot)?;
        let level = self.level(toe);
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
        let ahead = cross(up, right);
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
    use crate::GroundPoint;

    /// Back from the plane, and from four typed points of it, whichever way round they are typed.
    #[test]
    fn the_camera_of_a_plane() {
        for (focal_px, pitch_deg, roll_deg, height_m) in
            [(1190.4, 16.48, -3.09, 7.07), (600.0, 35.0, 0.0, 4.0), (900.0, 60.0, 4.0, 12.0)]
        {
            let pose = CameraPose {
                focal_px,
                pitch_rad: f64::to_radians(pitch_deg),
                roll_rad: f64::to_radians(roll_deg),
                height_m,
                center_px: [384.0, 288.0],
            };
            let plane = pose.ground_plane().unwrap();
            let image = [(100.0, 500.0), (600.0, 520.0), (500.0, 330.0), (250.0, 320.0)];
            let image = image.map(|(x, y)| ImagePoint::new(x, y));
            let ground = image.map(|p| plane.locate(p).unwrap());
            let mirrored = ground.map(|p| GroundPoint { x_m: 3.0 - p.y_m, y_m: 8.0 - p.x_m });
            let typed = [ground, mirrored].map(|ground| GroundPlane::from_points(image, ground).unwrap());
            for plane in [plane, typed[0], typed[1]] {
                let found = CameraPose::over(&plane, (768.0, 576.0)).unwrap();
                let near = |a: f64, b: f64| (a - b).abs() < 2e-3 * b.abs().max(1.0);
                assert!(
                    near(found.focal_px, focal_px)
                        && near(found.pitch_rad, pose.pitch_rad)
                        && near(found.roll_rad, pose.roll_rad)
                        && near(found.height_m, height_m),
                    "{pose:?}: {found:?}"
                );
            }
        }
    }

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
