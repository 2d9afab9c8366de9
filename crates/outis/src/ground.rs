//! Section `[camera.ground]`: where the ground is, in one of the ways in which one can know it. The numbers go to the
//! eye, which computes with them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

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
}

/// How the ground is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ground {
    /// Four points of the picture and where they are on the ground, in metres.
    Points { image: [Point; 4], metres: [[f64; 2]; 4] },
    /// A calibrated camera.
    Tsai(tsai::Numbers),
}

impl GroundConfig {
    /// The way that was chosen. A file is looked for in the folder of the configuration.
    pub(crate) fn check(self, folder: &Path) -> Result<Ground, String> {
        match (self.image, self.metres, self.tsai) {
            (Some(Exactly(image)), Some(Exactly(metres)), None) => {
                let metres = metres.map(|Exactly(pair)| pair);
                let far = |metres: &f64| !metres.is_finite() || metres.abs() > GROUND_M_MAX;
                match metres.iter().flatten().find(|metres| far(metres)) {
                    Some(metres) => Err(format!("ground: {metres} m is farther than {GROUND_M_MAX} m")),
                    None => Ok(Ground::Points { image, metres }),
                }
            }
            (None, None, Some(file)) => {
                let path = folder.join(file);
                tsai::read(&path).map(Ground::Tsai).map_err(|e| format!("ground: {} {e}", path.display()))
            }
            _ => Err("ground: give either four points of the picture (image) and their metres, \
                      or the file of a calibration (tsai)"
                .into()),
        }
    }
}

impl Ground {
    /// Places on the ground that are known, in metres.
    pub(crate) fn marks(&self) -> Vec<[f64; 2]> {
        match self {
            Self::Points { metres, .. } => metres.to_vec(),
            Self::Tsai(_) => Vec::new(),
        }
    }

    /// The words in which the eye is told.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let numbers = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        match self {
            Self::Points { image, metres } => {
                vec![format!("--ground={}:{}", list(image), numbers(metres.as_flattened())).into()]
            }
            Self::Tsai(camera) => {
                let [width, height] = camera.picture_px;
                vec![
                    format!("--tsai={}", numbers(&camera.in_order())).into(),
                    format!("--drawn-for={width},{height}").into(),
                ]
            }
        }
    }
}
