//! A simulated camera on a pole: ground points become boxes of people in the picture.
//! A pinhole without lens errors; it knows nothing of detectors.

use outis_measure::{GroundPlane, GroundPoint, ImageBox, ImagePoint};

use super::paths::Street;

/// Size of the simulated picture.
pub const PICTURE_PX: (f32, f32) = (1920.0, 1080.0);

/// A point nearer to the lens than this has no place in the picture.
const DEPTH_MIN_M: f64 = 0.5;

/// Where a camera hangs and where it looks.
#[derive(Debug, Clone)]
pub struct Camera {
    position_m: [f64; 3],
    // Unit vectors of the picture in the world: to the right, down, into the scene.
    right: [f64; 3],
    down: [f64; 3],
    ahead: [f64; 3],
    focal_px: f64,
}

impl Camera {
    /// The camera of a street: 6 m high beside the busy area, looking slantwise over it, so that people are
    /// 80 to 230 px tall and hide each other now and then.
    pub fn of(street: Street) -> Self {
        Self::at_height(street, 6.0)
    }

    /// The same at another height in metres: the lower it hangs, the more people hide each other.
    pub fn at_height(street: Street, height_m: f64) -> Self {
        match street {
            Street::SeqEth => Self::new([-3.0, -7.0, height_m], [5.8, 5.4, 0.0], 1100.0),
            Street::Zara01 => Self::new([-9.5, 3.0, height_m], [-1.8, 12.5, 0.0], 1050.0),
        }
    }

    /// A level camera at a place, looking at another, both in metres with the third axis up.
    fn new(position_m: [f64; 3], target_m: [f64; 3], focal_px: f64) -> Self {
        let ahead = unit([0, 1, 2].map(|axis| target_m[axis] - position_m[axis]));
        let right = unit(cross(ahead, [0.0, 0.0, 1.0]));
        let down = cross(ahead, right);
        Self { position_m, right, down, ahead, focal_px }
    }

    /// The box around a person who stands on a point of the ground; `None` when too near or behind.
    /// Its lower edge has the foot in its middle.
    pub fn person_box(&self, foot: GroundPoint, height_m: f64, width_share: f64) -> Option<ImageBox> {
        let foot_px = self.project(foot, 0.0)?;
        let head_px = self.project(foot, height_m)?;
        let height = foot_px.y_px - head_px.y_px;
        let width = height * width_share as f32;
        Some(ImageBox::from_left_top_width_height(foot_px.x_px - width / 2.0, head_px.y_px, width, height))
    }

    /// The picture of a point some metres above the ground.
    pub fn project(&self, ground: GroundPoint, above_m: f64) -> Option<ImagePoint> {
        let point = [f64::from(ground.x_m), f64::from(ground.y_m), above_m];
        let offset = [0, 1, 2].map(|axis| point[axis] - self.position_m[axis]);
        let depth = dot(offset, self.ahead);
        if depth < DEPTH_MIN_M {
            return None;
        }
        let x = f64::from(PICTURE_PX.0) / 2.0 + self.focal_px * dot(offset, self.right) / depth;
        let y = f64::from(PICTURE_PX.1) / 2.0 + self.focal_px * dot(offset, self.down) / depth;
        Some(ImagePoint::new(x as f32, y as f32))
    }

    /// The plane of the ground, as an installer with four marks on it would know it.
    ///
    /// # Panics
    /// When the marks around the point looked at cannot be seen, as by no camera of a street.
    pub fn ground_plane(&self) -> GroundPlane {
        let [x, y, z] = self.position_m;
        let reach = -z / self.ahead[2];
        let middle = [x + reach * self.ahead[0], y + reach * self.ahead[1]];
        let metres = [(-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)]
            .map(|(dx, dy)| GroundPoint { x_m: (middle[0] + dx) as f32, y_m: (middle[1] + dy) as f32 });
        let image = metres.map(|mark| self.project(mark, 0.0).expect("before the camera"));
        GroundPlane::from_points(image, metres).expect("a square")
    }

    /// How far into the scene a ground point lies, in metres: the nearer hides the farther.
    pub fn depth_m(&self, ground: GroundPoint) -> f64 {
        let point = [f64::from(ground.x_m), f64::from(ground.y_m), 0.0];
        dot([0, 1, 2].map(|axis| point[axis] - self.position_m[axis]), self.ahead)
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn unit(a: [f64; 3]) -> [f64; 3] {
    let length = dot(a, a).sqrt();
    a.map(|v| v / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: camera 6 m above the origin looking along y at a point 8 m away on the ground, 10 m from the lens.
    #[test]
    fn projection_by_hand() {
        let camera = Camera::new([0.0, 0.0, 6.0], [0.0, 8.0, 0.0], 1000.0);
        let at = |x_m, y_m| GroundPoint { x_m, y_m };
        let px = |x: f32, y: f32| Some(ImagePoint::new(x, y));
        let cases = [
            ("the point looked at is the centre", at(0.0, 8.0), 0.0, px(960.0, 540.0)),
            ("1 m to the right at 10 m", at(1.0, 8.0), 0.0, px(1060.0, 540.0)),
            // Up by 2.5 m is 2 m towards the top of the picture and 1.5 m towards the lens: 2 / 8.5.
            ("above it", at(0.0, 8.0), 2.5, px(960.0, 540.0 - 1000.0 * 2.0 / 8.5)),
            ("behind", at(0.0, -20.0), 0.0, None),
        ];
        for (name, ground, above_m, expected) in cases {
            let got = camera.project(ground, above_m);
            match (got, expected) {
                (Some(got), Some(expected)) => {
                    let off_px = (got.x_px - expected.x_px).hypot(got.y_px - expected.y_px);
                    assert!(off_px < 0.01, "{name}: {got:?}");
                }
                (got, expected) => assert_eq!(got.is_none(), expected.is_none(), "{name}"),
            }
        }
    }

    #[test]
    fn the_foot_of_the_box_is_the_ground_point() {
        let camera = Camera::of(Street::SeqEth);
        let ground = GroundPoint { x_m: 4.0, y_m: 6.0 };
        let bbox = camera.person_box(ground, 1.7, 0.33).unwrap();
        let foot = camera.project(ground, 0.0).unwrap();
        assert!((bbox.foot().x_px - foot.x_px).abs() < 1e-3 && (bbox.foot().y_px - foot.y_px).abs() < 1e-3);
        assert!(bbox.height > 60.0 && bbox.height < 250.0, "{}", bbox.height);
    }
}
