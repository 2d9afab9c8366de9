//! A camera as Tsai's calibration describes it, and the ground it looks at.
//!
//! R. Y. Tsai, "A versatile camera calibration technique for high-accuracy 3D machine vision metrology using
//! off-the-shelf TV cameras and lenses", IEEE J. Robotics and Automation 3(4), 1987. The names are those of his
//! program and of the files that the PETS and ETISEO sets hand out. Knows numbers, no file.

use crate::{GroundPlane, ground::Lens};

/// A calibrated camera. The ground is where the third coordinate of the world is zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TsaiCamera {
    /// Effective focal length in millimetres.
    pub focal_mm: f64,
    /// First coefficient of radial distortion in 1/mm².
    pub kappa1: f64,
    /// Where the optical axis meets the picture, in pixels.
    pub center_px: [f64; 2],
    /// Uncertainty factor of the horizontal scale.
    pub sx: f64,
    /// Width and height of a pixel on the sensor in millimetres.
    pub pixel_mm: [f64; 2],
    /// From the world's origin to the camera's, in the camera's axes, in metres.
    pub translation_m: [f64; 3],
    /// Rotation about x, then y, then z, in radians.
    pub rotation_rad: [f64; 3],
}

/// Why a calibration makes no ground plane.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum TsaiError {
    /// Not a number, or a size that must be above zero is not.
    #[error(
        "the calibration holds a number that no camera has: its focal length, pixel sizes and sx are above 0"
    )]
    Impossible,
    /// The camera hangs lower than anybody hangs one, or higher than it sees people.
    #[error("the camera would be {0:.2} m above the ground; {min} to {max} m are possible (is the unit of length right?)",
        min = TsaiCamera::HEIGHT_MIN_M, max = TsaiCamera::HEIGHT_MAX_M)]
    Height(f64),
}

impl TsaiCamera {
    /// The lowest camera: at the height of a hip.
    pub const HEIGHT_MIN_M: f64 = 1.0;
    /// The highest: people are a few pixels from there.
    pub const HEIGHT_MAX_M: f64 = 200.0;

    /// Height above the ground in metres.
    pub fn height_m(&self) -> f64 {
        // The camera's place in the world is -Rᵀ · t; this is its third coordinate.
        let rotation = self.rotation();
        -(0..3).map(|row| rotation[row][2] * self.translation_m[row]).sum::<f64>()
    }

    /// The ground as this camera sees it.
    ///
    /// # Errors
    /// When a number cannot be, or the camera would hang below the ground or in the clouds.
    pub fn ground_plane(&self) -> Result<GroundPlane, TsaiError> {
        let sizes = [self.focal_mm, self.sx, self.pixel_mm[0], self.pixel_mm[1]];
        let others = [self.kappa1, self.center_px[0], self.center_px[1]];
        let pose = self.translation_m.iter().chain(&self.rotation_rad);
        let finite = sizes.iter().chain(&others).chain(pose).all(|number| number.is_finite());
        if !finite || sizes.iter().any(|size| *size <= 0.0) {
            return Err(TsaiError::Impossible);
        }
        // The world's third axis may point down: the camera is on the other side then.
        let height_m = self.height_m().abs();
        if !(Self::HEIGHT_MIN_M..=Self::HEIGHT_MAX_M).contains(&height_m) {
            return Err(TsaiError::Height(height_m));
        }
        let lens = Lens {
            center_px: self.center_px,
            scale: [self.pixel_mm[0] / self.sx, self.pixel_mm[1]],
            kappa: self.kappa1,
        };
        let (rotation, focal) = (self.rotation(), [self.focal_mm, self.focal_mm, 1.0]);
        let view = [0, 1, 2].map(|row| {
            let [x, y, _] = rotation[row];
            [x, y, self.translation_m[row]].map(|number| focal[row] * number)
        });
        GroundPlane::from_view(lens, view).ok_or(TsaiError::Impossible)
    }

    /// From the world's axes to the camera's.
    fn rotation(&self) -> [[f64; 3]; 3] {
        let [(sa, ca), (sb, cb), (sg, cg)] = self.rotation_rad.map(f64::sin_cos);
        [
            [cb * cg, cg * sa * sb - ca * sg, sa * sg + ca * cg * sb],
            [cb * sg, sa * sb * sg + ca * cg, ca * sb * sg - cg * sa],
            [-sb, cb * sa, ca * cb],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroundPoint, ImagePoint};

    /// A made-up camera of the kind that PETS hands out: 6 m up, looking slantwise down.
    fn camera() -> TsaiCamera {
        TsaiCamera {
            focal_mm: 5.5,
            kappa1: 0.005,
            center_px: [324.0, 282.0],
            sx: 1.09,
            pixel_mm: [0.0051, 0.00465],
            translation_m: [0.8, -1.2, 24.0],
            rotation_rad: [2.0, -0.9, -0.4],
        }
    }

    /// The picture of a point of the world, by Tsai's own steps: turn, project, bend, digitise. The bent radius is
    /// found by Newton's method, as his program finds it.
    fn picture(camera: &TsaiCamera, world: [f64; 3]) -> ImagePoint {
        let rotation = camera.rotation();
        let [x, y, z] = [0, 1, 2].map(|row| {
            (0..3).map(|column| rotation[row][column] * world[column]).sum::<f64>()
                + camera.translation_m[row]
        });
        let (xu, yu) = (camera.focal_mm * x / z, camera.focal_mm * y / z);
        let ru = xu.hypot(yu);
        let mut rd = ru;
        for _ in 0..20 {
            rd -= (rd + camera.kappa1 * rd.powi(3) - ru) / (1.0 + 3.0 * camera.kappa1 * rd.powi(2));
        }
        let bent = if ru > 0.0 { rd / ru } else { 1.0 };
        ImagePoint::new(
            (xu * bent * camera.sx / camera.pixel_mm[0] + camera.center_px[0]) as f32,
            (yu * bent / camera.pixel_mm[1] + camera.center_px[1]) as f32,
        )
    }

    #[test]
    fn the_ground_comes_back_through_a_bent_lens() {
        let camera = camera();
        let plane = camera.ground_plane().unwrap();
        let mut seen = 0;
        for (x_m, y_m) in (-6..=6).flat_map(|x| (-6..=6).map(move |y| (x as f32, y as f32))) {
            let pixel = picture(&camera, [f64::from(x_m), f64::from(y_m), 0.0]);
            if !(0.0..768.0).contains(&pixel.x_px) || !(0.0..576.0).contains(&pixel.y_px) {
                continue;
            }
            seen += 1;
            let found = plane.locate(pixel).unwrap();
            let off_m = (found.x_m - x_m).hypot(found.y_m - y_m);
            assert!(off_m < 2e-3, "{x_m} {y_m} at {pixel:?}: {found:?}");
        }
        assert!(seen > 30, "{seen}");
        // Without the lens's bend, the corner of the picture would be off by far more than that.
        let straight = TsaiCamera { kappa1: 0.0, ..camera }.ground_plane().unwrap();
        let corner = ImagePoint::new(700.0, 540.0);
        let (a, b) = (plane.locate(corner).unwrap(), straight.locate(corner).unwrap());
        assert!((a.x_m - b.x_m).hypot(a.y_m - b.y_m) > 0.1, "{a:?} {b:?}");
    }

    /// By hand: 10 m up, looking straight down, 1000 px of focal length.
    #[test]
    fn straight_down_by_hand() {
        let camera = TsaiCamera {
            focal_mm: 5.0,
            kappa1: 0.0,
            center_px: [400.0, 300.0],
            sx: 1.0,
            pixel_mm: [0.005, 0.005],
            translation_m: [0.0, 0.0, 10.0],
            rotation_rad: [std::f64::consts::PI, 0.0, 0.0],
        };
        assert!((camera.height_m() - 10.0).abs() < 1e-9);
        let plane = camera.ground_plane().unwrap();
        let found = plane.locate(ImagePoint::new(500.0, 200.0)).unwrap();
        let expected = GroundPoint { x_m: 1.0, y_m: 1.0 };
        assert!((found.x_m - expected.x_m).hypot(found.y_m - expected.y_m) < 1e-5, "{found:?}");
    }

    #[test]
    fn what_no_camera_has_is_refused() {
        let cases = [
            ("no focal length", TsaiCamera { focal_mm: 0.0, ..camera() }, TsaiError::Impossible),
            ("no number", TsaiCamera { kappa1: f64::NAN, ..camera() }, TsaiError::Impossible),
        ];
        for (name, camera, expected) in cases {
            assert_eq!(camera.ground_plane(), Err(expected), "{name}");
        }
        // Millimetres taken for metres.
        let far = TsaiCamera { translation_m: camera().translation_m.map(|m| 1000.0 * m), ..camera() };
        assert!(matches!(far.ground_plane(), Err(TsaiError::Height(height)) if height > 5_000.0));
    }
}
