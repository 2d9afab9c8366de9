//! The ground plane from the people who walk on it: without a tape measure, and without a picture leaving the eye.
//!
//! Knows boxes of tracks and the picture's size; tells a camera's height, pitch, roll and focal length, how sure they
//! are, and where in the picture a distance is good, fair or poor. It does not know lens distortion or slopes.

mod check;
mod fit;
mod gather;
mod pose;
mod quality;

pub(crate) use check::GroundCheck;
pub use fit::PERSON_HEIGHT_M;
pub use pose::CameraPose;

use self::{
    fit::{Matrix, Solution, Vector, View},
    gather::Gather,
};
use crate::{GroundPlane, TrackPoint};

/// People taller than this share of the picture are seen whole in a narrow strip of it only, in which nobody comes
/// nearer or goes farther away: their heights say nothing of the slant.
const SIZE_MAX: f64 = 1.0 / 3.0;

/// What is known of a camera beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoGroundSettings {
    /// Focal length in pixels, from a data sheet; `None` when nobody knows it.
    pub focal_px: Option<f64>,
    /// Mean height of the people who walk here, in metres.
    pub person_height_m: f64,
}

impl Default for AutoGroundSettings {
    fn default() -> Self {
        Self { focal_px: None, person_height_m: PERSON_HEIGHT_M }
    }
}

/// Gathers people who walk by, and fits the ground under them.
#[derive(Debug, Default)]
pub struct AutoGround {
    settings: AutoGroundSettings,
    gather: Gather,
    picture_px: Option<(f32, f32)>,
}

impl AutoGround {
    /// The fewest people of whom a ground is made: of ten, one camera in fifty came out three times too near, and the
    /// spread did not say so.
    pub const PEOPLE_MIN: usize = 15;

    /// Nobody has walked yet.
    pub fn new(settings: AutoGroundSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes all that was followed at one look, and the picture's size.
    pub fn look(&mut self, points: &[TrackPoint], picture_px: (f32, f32)) {
        // Another size is another picture: what was gathered in the old one says nothing here.
        if self.picture_px.replace(picture_px).is_some_and(|before| before != picture_px) {
            self.gather = Gather::default();
        }
        self.gather.look(points, picture_px);
    }

    /// How many people have walked by since the last fit.
    pub fn people(&self) -> usize {
        self.gather.len()
    }

    /// The ground under the people so far, who are then forgotten; `None` when they were too few, or nothing fits.
    pub fn fit(&mut self) -> Option<GroundFit> {
        let walks = self.gather.take();
        let (width_px, height_px) = self.picture_px?;
        if walks.len() < Self::PEOPLE_MIN {
            return None;
        }
        let size = (f64::from(width_px), f64::from(height_px));
        let view = View::new(size, self.settings.focal_px, self.settings.person_height_m, &walks);
        if view.size_log.exp() > SIZE_MAX * size.1 {
            return None;
        }
        let solution = fit::solve(&view, &walks)?;
        let pose = view.pose(&solution.p);
        let plane = pose.ground_plane()?;
        Some(GroundFit { view, solution, pose, plane, people: walks.len() })
    }
}

/// A ground plane, and how sure it is.
#[derive(Debug, Clone, Copy)]
pub struct GroundFit {
    view: View,
    solution: Solution,
    pose: CameraPose,
    plane: GroundPlane,
    people: usize,
}

impl GroundFit {
    /// The camera.
    pub fn pose(&self) -> CameraPose {
        self.pose
    }

    /// The plane.
    pub fn plane(&self) -> GroundPlane {
        self.plane
    }

    /// How many people it was made of.
    pub fn people(&self) -> usize {
        self.people
    }

    /// Typical deviation of a box's height from its person's, as a share.
    pub fn residual(&self) -> f64 {
        self.solution.residual
    }

    /// Standard deviations of focal length and height as shares, and of pitch and roll in radians, in the order focal
    /// length, pitch, roll, height.
    pub fn spreads(&self) -> [f64; 4] {
        std::array::from_fn(|i| self.solution.covariance[i][i].max(0.0).sqrt())
    }

    fn parts(&self) -> (&View, &Vector, &Matrix) {
        (&self.view, &self.solution.p, &self.solution.covariance)
    }
}
