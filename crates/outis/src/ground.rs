//! Section `[camera.ground]`: where the ground is, in one of the ways in which one can know it. The numbers go to the
//! eye, which computes with them.

use std::{
    ffi::OsString,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use outis_record::GroundView;
use serde::Deserialize;

use crate::{exactly::Exactly, launch::list, scene::Point, tsai};

/// The farthest coordinate on the ground in metres.
const GROUND_M_MAX: f64 = 10_000.0;

/// The section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroundConfig {
    image: Option<Exactly<Point, 4>>,
    metres: Option<Exactly<Exactly<f64, 2>, 4>>,
    tsai: Option<PathBuf>,
    focal_px: Option<f64>,
    pitch_deg: Option<f64>,
    roll_deg: Option<f64>,
    height_m: Option<f64>,
    picture: Option<Exactly<u32, 2>>,
    #[serde(default = "checked")]
    check: bool,
}

fn checked() -> bool {
    true
}

/// The ground of a camera.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ground {
    pub(crate) whence: Whence,
    /// Whether it is held against the people who walk on it, every day.
    pub(crate) is_checked: bool,
}

/// How the ground is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whence {
    /// Four points of the picture and where they are on the ground, in metres.
    Points { image: [Point; 4], metres: [[f64; 2]; 4] },
    /// A calibrated camera.
    Tsai(tsai::Calibration),
    /// A camera whose axis goes through the middle of its picture.
    Pose(Pose),
}

/// How a camera hangs and looks, as `outis calibrate` finds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pose {
    pub(crate) focal_px: f64,
    pub(crate) pitch_deg: f64,
    pub(crate) roll_deg: f64,
    pub(crate) height_m: f64,
    pub(crate) picture_px: [u32; 2],
}

/// The eye is to find the ground from the people who walk on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FindGround {
    /// The focal length, where somebody knows it.
    pub(crate) focal_px: Option<f64>,
}

/// Of a configuration only where the ground is; all else in it is somebody else's.
#[derive(Debug, Deserialize)]
struct GroundFile {
    #[serde(default)]
    camera: Vec<GroundOfCamera>,
}

#[derive(Debug, Deserialize)]
struct GroundOfCamera {
    ground: Option<GroundConfig>,
}

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The ground from a file: the configuration of one camera, as `outis calibrate` writes it, or a calibration of Tsai's
/// (`.xml`).
///
/// # Errors
/// A sentence that names the file.
pub(crate) fn read(path: &Path) -> Result<Ground, String> {
    let file = path.display();
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml")) {
        let whence = tsai::read(path).map(Whence::Tsai);
        return whence.map(Ground::checked).map_err(|error| format!("{file} {error}"));
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| format!("{file} cannot be read: {error}"))?;
    let GroundFile { camera } =
        toml::from_str(&text).map_err(|error| format!("{file}: {}", error.message().trim_end()))?;
    let mut grounds = camera.into_iter().filter_map(|camera| camera.ground);
    match (grounds.next(), grounds.next()) {
        (Some(ground), None) => {
            let folder = path.parent().unwrap_or(Path::new("."));
            ground.check(folder).map_err(|error| format!("{file}: {error}"))
        }
        (None, _) => Err(format!("{file}: there is no [camera.ground] in it; `outis calibrate` writes one")),
        (Some(_), Some(_)) => {
            Err(format!("{file}: several cameras have a ground in it; name a file with one"))
        }
    }
}

impl FindGround {
    /// The words in which the eye is told.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let focal = self.focal_px.map(|focal_px| format!("--fit-focal-px={focal_px}").into());
        [Some("--fit-ground".into()), focal].into_iter().flatten().collect()
    }
}

impl Pose {
    /// As an eye has found it, in a picture of this size.
    pub(crate) fn found(view: &GroundView, picture_px: [u32; 2]) -> Self {
        let thousandth = |value: i32| f64::from(value) / 1000.0;
        Self {
            focal_px: f64::from(view.focal_dpx) / 10.0,
            pitch_deg: thousandth(view.pitch_mdeg),
            roll_deg: thousandth(view.roll_mdeg),
            height_m: f64::from(view.height_mm) / 1000.0,
            picture_px,
        }
    }

    /// Axes of the ground in those of the camera, which are right, down and ahead: to the right, ahead, and up.
    fn axes(&self) -> [[f64; 3]; 3] {
        let ((sp, cp), (sr, cr)) =
            (self.pitch_deg.to_radians().sin_cos(), self.roll_deg.to_radians().sin_cos());
        let up = [cp * sr, -cp * cr, -sp];
        let level = [1.0 - up[0] * up[0], -up[0] * up[1], -up[0] * up[2]];
        let length = level.iter().map(|v| v * v).sum::<f64>().sqrt();
        let right = level.map(|v| v / length);
        let ahead = [
            up[1] * right[2] - up[2] * right[1],
            up[2] * right[0] - up[0] * right[2],
            up[0] * right[1] - up[1] * right[0],
        ];
        [right, ahead, up]
    }

    fn middle_px(&self) -> [f64; 2] {
        self.picture_px.map(|side| f64::from(side) / 2.0)
    }

    /// Where a point of the picture is on the ground, in metres to the right of the camera and ahead of it; `None` at and above
    /// the horizon.
    pub(crate) fn ground_m(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [cx, cy] = self.middle_px();
        let ray = [(x - cx) / self.focal_px, (y - cy) / self.focal_px, 1.0];
        let [right, ahead, up] = self.axes();
        let along = |axis: [f64; 3]| axis.iter().zip(ray).map(|(a, b)| a * b).sum::<f64>();
        let descent = -along(up);
        (descent > 1e-6).then(|| [right, ahead].map(|axis| along(axis) * self.height_m / descent))
    }

    /// The other way round; `None` beside and behind the camera.
    pub(crate) fn picture_of(&self, [x_m, y_m]: [f64; 2]) -> Option<[f64; 2]> {
        let [right, ahead, up] = self.axes();
        let [x, y, z] = [0, 1, 2].map(|i| x_m * right[i] + y_m * ahead[i] - self.height_m * up[i]);
        let [cx, cy] = self.middle_px();
        (z > 1e-6).then(|| [cx + self.focal_px * x / z, cy + self.focal_px * y / z])
    }

    fn check(self) -> Result<Self, String> {
        let Self { focal_px, pitch_deg, roll_deg, height_m, picture_px } = self;
        let within = [
            ("focal_px", focal_px, 1.0..=100_000.0),
            ("pitch_deg", pitch_deg, -90.0..=90.0),
            ("roll_deg", roll_deg, -45.0..=45.0),
            ("height_m", height_m, 0.1..=200.0),
            ("picture", f64::from(picture_px[0].min(picture_px[1])), 1.0..=16_384.0),
        ];
        match within.into_iter().find(|(_, value, range)| !range.contains(value)) {
            None => Ok(self),
            Some((key, value, range)) => {
                Err(format!("ground: {key} is {value}; {} to {} are possible", range.start(), range.end()))
            }
        }
    }
}

impl GroundConfig {
    /// The ground, in the way that was chosen. A file is looked for in the folder of the configuration.
    pub(crate) fn check(self, folder: &Path) -> Result<Ground, String> {
        let is_checked = self.check;
        self.whence(folder).map(|whence| Ground { whence, is_checked })
    }

    fn whence(self, folder: &Path) -> Result<Whence, String> {
        let pose = (self.focal_px, self.pitch_deg, self.roll_deg, self.height_m, self.picture);
        match (self.image, self.metres, self.tsai, pose) {
            (Some(Exactly(image)), Some(Exactly(metres)), None, (None, None, None, None, None)) => {
                let metres = metres.map(|Exactly(pair)| pair);
                let far = |metres: &f64| !metres.is_finite() || metres.abs() > GROUND_M_MAX;
                match metres.iter().flatten().find(|metres| far(metres)) {
                    Some(metres) => Err(format!("ground: {metres} m is farther than {GROUND_M_MAX} m")),
                    None => Ok(Whence::Points { image, metres }),
                }
            }
            (None, None, Some(file), (None, None, None, None, None)) => {
                let path = folder.join(file);
                tsai::read(&path).map(Whence::Tsai).map_err(|e| format!("ground: {} {e}", path.display()))
            }
            (None, None, None, (Some(focal_px), Some(pitch_deg), roll_deg, Some(height_m), Some(Exactly(picture_px)))) => {
                let roll_deg = roll_deg.unwrap_or(0.0);
                Pose { focal_px, pitch_deg, roll_deg, height_m, picture_px }.check().map(Whence::Pose)
            }
            _ => Err("ground: give either four points of the picture (image) and their metres, or the file of a \
                      calibration (tsai), or focal_px, pitch_deg, height_m and picture as `outis calibrate` finds them"
                .into()),
        }
    }
}

impl Ground {
    fn checked(whence: Whence) -> Self {
        Self { whence, is_checked: true }
    }

    /// Places on the ground that are known, in metres.
    pub(crate) fn marks(&self) -> Vec<[f64; 2]> {
        match &self.whence {
            Whence::Points { metres, .. } => metres.to_vec(),
            Whence::Tsai(_) | Whence::Pose(_) => Vec::new(),
        }
    }

    /// Width and height of the picture that its numbers are for, where they say so.
    pub(crate) fn picture_px(&self) -> Option<[u32; 2]> {
        match &self.whence {
            Whence::Points { .. } => None,
            Whence::Tsai(camera) => Some(camera.numbers.picture_px),
            Whence::Pose(pose) => Some(pose.picture_px),
        }
    }

    /// The words in which the eye is told.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let numbers = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let plane = match &self.whence {
            Whence::Points { image, metres } => {
                format!("--ground={}:{}", list(image), numbers(metres.as_flattened()))
            }
            Whence::Pose(Pose { focal_px, pitch_deg, roll_deg, height_m, picture_px: [width, height] }) => {
                let (x, y) = (f64::from(*width) / 2.0, f64::from(*height) / 2.0);
                let pose = numbers(&[*focal_px, *pitch_deg, *roll_deg, *height_m, x, y]);
                format!("--pose={pose}")
            }
            Whence::Tsai(camera) => format!("--tsai={}", numbers(&camera.numbers.in_order())),
        };
        let unchecked = (!self.is_checked).then(|| "--no-ground-check".into());
        std::iter::once(plane.into()).chain(unchecked).collect()
    }
}
