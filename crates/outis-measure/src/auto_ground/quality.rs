//! Where in the picture a distance on the ground is good, fair or poor: the fit's uncertainty, carried through.

use outis_record::Quality;

use super::{
    GroundFit,
    fit::{FOOT_SHARE, N, Vector},
    pose::CameraPose,
};
use crate::ImagePoint;

/// What no number of people averages out, as shares of a length: a street's people are taller or shorter than the
/// population (3 %), and a detector's boxes are all a little too tall or too low (3 %).
pub(super) const SCALE_SD: f64 = 0.042;

/// The same of the focal length: who walks along the view may have another pace than who crosses it.
pub(super) const FOCAL_SD: f64 = 0.05;

/// The distance that is judged, in metres: what people keep between them.
const DISTANCE_M: f64 = 2.0;

/// Positions are smoothed over a second of looks, which halves their jitter.
const SMOOTHED: f64 = 0.5;

/// Cells in which areas are counted, across and down.
const AREA_GRID: (u16, u16) = (32, 24);

/// A step in the picture for derivatives, in pixels.
const STEP_PX: f32 = 2.0;

impl GroundFit {
    /// How well a distance around a point of the picture is known.
    pub fn quality(&self, point: ImagePoint) -> Quality {
        match self.distance_error(point) {
            Some(error) if error <= 0.10 => Quality::Good,
            Some(error) if error <= 0.20 => Quality::Fair,
            _ => Quality::Poor,
        }
    }

    /// The same in the middle of each cell of a picture, so many across and down, row by row from the upper left corner.
    pub fn qualities(
        &self,
        (columns, rows): (u16, u16),
        (width_px, height_px): (f32, f32),
    ) -> impl Iterator<Item = Quality> + '_ {
        let at = |index: u16, count: u16, side: f32| (f32::from(index) + 0.5) * side / f32::from(count);
        let all = (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)));
        all.map(move |(column, row)| {
            self.quality(ImagePoint::new(at(column, columns, width_px), at(row, rows, height_px)))
        })
    }

    /// Shares of a picture in which distances are good and fair.
    pub fn areas(&self, picture_px: (f32, f32)) -> (f64, f64) {
        let (columns, rows) = AREA_GRID;
        let (mut good, mut fair) = (0, 0);
        for quality in self.qualities(AREA_GRID, picture_px) {
            match quality {
                Quality::Good => good += 1,
                Quality::Fair => fair += 1,
                Quality::Poor => {}
            }
        }
        let cells = f64::from(columns * rows);
        (f64::from(good) / cells, f64::from(fair) / cells)
    }

    /// Standard deviation of a distance of 2 m around a point, as a share of it, in the direction in which
    /// it is worse; `None` above the horizon.
    pub fn distance_error(&self, point: ImagePoint) -> Option<f64> {
        let (view, p, covariance) = self.parts();
        let along = |dx, dy| {
            let length_m = |pose: &CameraPose| length_m(pose, point, (dx, dy));
            let here = length_m(&view.pose(p))?;
            let mut slope: Vector = [0.0; N];
            for (i, slope) in slope.iter_mut().enumerate() {
                let mut q = *p;
                q[i] += 1e-4;
                *slope = (length_m(&view.pose(&q))?.ln() - here.ln()) / 1e-4;
            }
            let fitted: f64 = (0..N)
                .flat_map(|i| (0..N).map(move |j| (i, j)))
                .map(|(i, j)| slope[i] * covariance[i][j] * slope[j])
                .sum();
            let height_px = view.pose(p).box_height_px(point, view.person_height_m)?;
            let foot_m = SMOOTHED * FOOT_SHARE * height_px * here / f64::from(STEP_PX);
            let jitter = std::f64::consts::SQRT_2 * foot_m / DISTANCE_M;
            let systematic = SCALE_SD.powi(2) + (FOCAL_SD * slope[0]).powi(2);
            Some((fitted.max(0.0) + systematic + jitter * jitter).sqrt())
        };
        Some(along(STEP_PX, 0.0)?.max(along(0.0, STEP_PX)?))
    }
}

fn length_m(pose: &CameraPose, at: ImagePoint, (dx, dy): (f32, f32)) -> Option<f64> {
    let a = pose.ground_point(ImagePoint::new(at.x_px - dx / 2.0, at.y_px - dy / 2.0))?;
    let b = pose.ground_point(ImagePoint::new(at.x_px + dx / 2.0, at.y_px + dy / 2.0))?;
    Some([0, 1, 2].map(|axis| b[axis] - a[axis]).iter().map(|v| v * v).sum::<f64>().sqrt())
}
