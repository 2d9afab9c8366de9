//! The camera that best explains how tall and how fast people are in its picture.
//!
//! People as rulers (Lv, Zhao and Nevatia, "Camera calibration from video of a walking human", PAMI 2006; Hoiem, Efros
//! and Hebert, "Putting objects in perspective", IJCV 2008): that the same population walks near and far fixes where
//! the horizon is and how high the camera hangs. That it walks as fast across the view as along it fixes the focal
//! length, of which heights alone say little.
//!
//! Six unknowns: focal length, pitch, roll, height, the mean speed, and by how much more a detector pads the boxes of
//! large people than of small ones. Residuals are logarithms of observed over
//! expected. Each person is allowed a height and a pace of their own (a random intercept), so ten boxes of one person
//! are not ten people; Huber's weights take boxes that are wrong. Gauss-Newton with Levenberg's damping, from several
//! starts; the uncertainty is the sandwich over people (White 1980, Liang and Zeger 1986), so that it is right also
//! where boxes of one person err alike.

use super::{
    gather::{Sample, Walk},
    pose::CameraPose,
};

/// Mean height of people in shoes while they walk, in metres: adults of Europe are 1.65 (women) and 1.78 (men) barefoot
/// (NCD Risk Factor Collaboration, eLife 2016;5:e13410); shoes add what the gait takes.
pub const PERSON_HEIGHT_M: f64 = 1.70;

/// Spread of the logarithm of people's heights: 9 cm, men and women together.
pub(super) const PERSON_LOG_SD: f64 = 0.055;

/// Spread of a box's height about its person's, from box to box, as a logarithm: gait and detector.
pub(super) const BOX_LOG_SD: f64 = 0.05;

/// Walking speed in m/s and its spread between people as a logarithm: 1.34 and 0.26 m/s (Weidmann 1993). The mean is
/// a hint only, for clips may have lost their frame rate.
pub(super) const SPEED_M_S: f64 = 1.34;
const SPEED_MEAN_LOG_SD: f64 = 0.5;
pub(super) const PACE_LOG_SD: f64 = 0.2;

/// How much one person's pace varies from second to second, as a logarithm.
const STEP_LOG_SD: f64 = 0.15;

/// How well the foot of a box is known, as a share of the box's height.
pub(super) const FOOT_SHARE: f64 = 0.02;

/// What is known before anybody walks. A street camera sees 42 to 93 degrees across (one spread either way), hangs
/// 3 to 8.5 m high, and somebody hung it level.
pub(super) const FOCAL_WIDTHS: f64 = 0.785;
const FOCAL_LOG_SD: f64 = 0.5;
const HEIGHT_M: f64 = 5.0;
const HEIGHT_LOG_SD: f64 = 0.6;
const ROLL_SD_RAD: f64 = 0.05;
/// Nothing is known of the pitch; this only keeps it in bounds.
const PITCH_RAD: f64 = 0.5;
const PITCH_SD_RAD: f64 = 0.5;

/// By how much a detector's boxes are taller, as a logarithm, where people are e times as large. Faster R-CNN's on
/// PETS 2009 are 2 % too tall at 40 px and 8 % at 170 px, which is 0.04.
pub(super) const PADDING_SD: f64 = 0.04;

/// Huber's bend, in standard deviations.
const HUBER: f64 = 1.5;

/// Unknowns.
pub(super) const N: usize = 6;

/// Focal length (logarithm), pitch, roll, height (logarithm), mean speed (logarithm), padding by size.
pub(super) type Vector = [f64; N];
pub(super) type Matrix = [[f64; N]; N];

/// Where the search begins: focal length in widths and pitch in degrees.
const STARTS: [(f64, f64); 8] = [
    (0.55, 12.0),
    (0.55, 30.0),
    (0.55, 50.0),
    (0.9, 12.0),
    (0.9, 30.0),
    (0.9, 50.0),
    (1.5, 12.0),
    (1.5, 30.0),
];

/// Iterations of each start, and of the best one after it.
const START_ITERATIONS: usize = 12;
const ITERATIONS: usize = 40;

/// A residual that the model cannot make: behind the camera or above the horizon. Large, and falls nowhere.
const IMPOSSIBLE: f64 = 3.0;

/// Steps of the numeric derivatives.
const STEP: f64 = 1e-4;

/// A picture and what is known of its camera beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) center_px: [f64; 2],
    /// The prior of focal length's logarithm, and its spread.
    pub(super) focal: (f64, f64),
    pub(super) person_height_m: f64,
    /// Logarithm of the median box height in pixels.
    pub(super) size_log: f64,
}

impl View {
    pub(super) fn new(
        (width_px, height_px): (f64, f64),
        focal_px: Option<f64>,
        person_height_m: f64,
        walks: &[Walk],
    ) -> Self {
        let heights = walks.iter().flat_map(|walk| &walk.samples).map(|sample| f64::from(sample.height_px));
        let size_log = median(&heights.collect::<Vec<_>>()).max(1.0).ln();
        let focal = match focal_px {
            // A data sheet is right to two in a hundred.
            Some(focal_px) => (focal_px.ln(), 0.02),
            None => ((FOCAL_WIDTHS * width_px).ln(), FOCAL_LOG_SD),
        };
        Self { center_px: [width_px / 2.0, height_px / 2.0], focal, person_height_m, size_log }
    }

    pub(super) fn pose(&self, p: &Vector) -> CameraPose {
        CameraPose {
            focal_px: p[0].exp(),
            pitch_rad: p[1],
            roll_rad: p[2],
            height_m: p[3].exp(),
            center_px: self.center_px,
        }
    }

    fn prior(&self) -> [(f64, f64); N] {
        [
            self.focal,
            (PITCH_RAD, PITCH_SD_RAD),
            (0.0, ROLL_SD_RAD),
            (HEIGHT_M.ln(), HEIGHT_LOG_SD),
            (SPEED_M_S.ln(), SPEED_MEAN_LOG_SD),
            (0.0, PADDING_SD),
        ]
    }
}

/// Where the search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Solution {
    pub(super) p: Vector,
    pub(super) covariance: Matrix,
    /// Typical deviation of a box's height from its person's, as a logarithm.
    pub(super) residual: f64,
}

/// What one person says: residuals of one kind that share an intercept.
struct Group {
    residuals: Vec<f64>,
    sds: Vec<f64>,
    intercept_sd: f64,
}

/// The best camera for these walks; `None` when nothing can be solved.
pub(super) fn solve(view: &View, walks: &[Walk]) -> Option<Solution> {
    let from = |(widths, degrees): (f64, f64)| {
        let mut p = [
            (widths * 2.0 * view.center_px[0]).ln(),
            f64::to_radians(degrees),
            0.0,
            HEIGHT_M.ln(),
            SPEED_M_S.ln(),
            0.0,
        ];
        if view.focal.1 < 0.1 {
            p[0] = view.focal.0;
        }
        descend(view, walks, p, START_ITERATIONS)
    };
    let best = STARTS.into_iter().map(from).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (p, _) = descend(view, walks, best.0, ITERATIONS);
    let (a, _, b) = normal_equations(view, walks, &p);
    let inverse = invert(a)?;
    // People are few: the sandwich of n of them is too thin by about n / (n - unknowns).
    let people = walks.len() as f64;
    let thin = people / (people - N as f64).max(1.0);
    let middle = b.map(|row| row.map(|v| v * thin));
    let mut covariance = multiply(&multiply(&inverse, &middle), &inverse);
    // Not surer than the model itself says.
    for (i, row) in covariance.iter_mut().enumerate() {
        row[i] = row[i].max(inverse[i][i]);
    }
    let sane = p.iter().chain(covariance.as_flattened()).all(|v| v.is_finite());
    sane.then(|| Solution { p, covariance, residual: residual(view, walks, &p) })
}

fn descend(view: &View, walks: &[Walk], mut p: Vector, iterations: usize) -> (Vector, f64) {
    let mut cost = total_cost(view, walks, &p);
    let mut damping = 1e-2;
    for _ in 0..iterations {
        let (a, g, _) = normal_equations(view, walks, &p);
        let mut moved = false;
        for _ in 0..8 {
            let mut damped = a;
            (0..N).for_each(|i| damped[i][i] *= 1.0 + damping);
            let Some(inverse) = invert(damped) else { break };
            let step: Vector = std::array::from_fn(|i| (0..N).map(|j| inverse[i][j] * g[j]).sum());
            let next: Vector = std::array::from_fn(|i| p[i] - step[i].clamp(-0.5, 0.5));
            let next_cost = total_cost(view, walks, &next);
            if next_cost < cost {
                moved = cost - next_cost > 1e-7 * cost;
                (p, cost) = (next, next_cost);
                damping = (damping * 0.2).max(1e-7);
                break;
            }
            damping *= 5.0;
        }
        if !moved {
            break;
        }
    }
    (p, cost)
}

/// Both groups of a person: heights and speeds.
fn groups(view: &View, walk: &Walk, p: &Vector) -> [Group; 2] {
    let pose = view.pose(p);
    let height = |sample: &Sample| match pose.box_height_px(sample.foot, view.person_height_m) {
        Some(expected) => {
            let size_log = f64::from(sample.height_px).ln();
            let padding = p[5] * (expected.ln() - view.size_log);
            (size_log - expected.ln() - padding).clamp(-IMPOSSIBLE, IMPOSSIBLE)
        }
        None => IMPOSSIBLE,
    };
    let heights = Group {
        residuals: walk.samples.iter().map(height).collect(),
        sds: vec![BOX_LOG_SD; walk.samples.len()],
        intercept_sd: PERSON_LOG_SD,
    };
    let mut speeds = Group { residuals: Vec::new(), sds: Vec::new(), intercept_sd: PACE_LOG_SD };
    for [from, to] in walk.steps() {
        let (dx, dy) = (to.foot.x_px - from.foot.x_px, to.foot.y_px - from.foot.y_px);
        let share =
            FOOT_SHARE * f64::from(from.height_px + to.height_px) / 2.0 / f64::from(dx.hypot(dy)).max(1.0);
        let metres = pose
            .ground_point(from.foot)
            .zip(pose.ground_point(to.foot))
            .map(|(a, b)| [0, 1, 2].map(|axis| b[axis] - a[axis]).iter().map(|v| v * v).sum::<f64>().sqrt());
        let speed = metres.map(|metres| metres / f64::from(to.after_s));
        speeds.residuals.push(match speed {
            Some(speed) if speed > 1e-6 => (speed.ln() - p[4]).clamp(-IMPOSSIBLE, IMPOSSIBLE),
            _ => IMPOSSIBLE,
        });
        // Both ends err.
        speeds.sds.push(STEP_LOG_SD.hypot(share * std::f64::consts::SQRT_2));
    }
    [heights, speeds]
}

impl Group {
    /// The person's own deviation and the weights of its residuals, robustly.
    fn intercept(&self) -> (f64, f64, Vec<f64>) {
        let mut intercept = median(&self.residuals);
        let mut weights = vec![0.0; self.residuals.len()];
        let mut prior = 0.0;
        for _ in 0..3 {
            for ((weight, residual), sd) in weights.iter_mut().zip(&self.residuals).zip(&self.sds) {
                *weight = huber_weight((residual - intercept) / sd) / (sd * sd);
            }
            // A child is no proof that the camera hangs twice as high.
            prior = huber_weight(intercept / self.intercept_sd) / self.intercept_sd.powi(2);
            let sum: f64 = weights.iter().zip(&self.residuals).map(|(w, r)| w * r).sum();
            intercept = sum / (prior + weights.iter().sum::<f64>());
        }
        (intercept, prior, weights)
    }

    fn cost(&self) -> f64 {
        if self.residuals.is_empty() {
            return 0.0;
        }
        let (intercept, _, _) = self.intercept();
        let boxes = self.residuals.iter().zip(&self.sds).map(|(r, sd)| huber((r - intercept) / sd));
        boxes.sum::<f64>() + huber(intercept / self.intercept_sd)
    }
}

fn total_cost(view: &View, walks: &[Walk], p: &Vector) -> f64 {
    let prior: f64 =
        view.prior().iter().zip(p).map(|((mean, sd), value)| ((value - mean) / sd).powi(2) / 2.0).sum();
    prior + walks.iter().flat_map(|walk| groups(view, walk, p)).map(|group| group.cost()).sum::<f64>()
}

/// Curvature, gradient, and the sum of squared gradients of people.
fn normal_equations(view: &View, walks: &[Walk], p: &Vector) -> (Matrix, Vector, Matrix) {
    let (mut a, mut g, mut b) = ([[0.0; N]; N], [0.0; N], [[0.0; N]; N]);
    for (i, (mean, sd)) in view.prior().into_iter().enumerate() {
        a[i][i] = 1.0 / (sd * sd);
        b[i][i] = 1.0 / (sd * sd);
        g[i] = (p[i] - mean) / (sd * sd);
    }
    for walk in walks {
        let here = groups(view, walk, p);
        let moved: [[Group; 2]; N] = std::array::from_fn(|i| {
            let mut q = *p;
            q[i] += STEP;
            groups(view, walk, &q)
        });
        let mut own = [0.0; N];
        for (kind, group) in here.iter().enumerate().filter(|(_, group)| !group.residuals.is_empty()) {
            let (_, prior, weights) = group.intercept();
            let slopes: Vec<Vector> = (0..group.residuals.len())
                .map(|k| std::array::from_fn(|i| (moved[i][kind].residuals[k] - group.residuals[k]) / STEP))
                .collect();
            let total = prior + weights.iter().sum::<f64>();
            let mean: Vector =
                std::array::from_fn(|i| weights.iter().zip(&slopes).map(|(w, s)| w * s[i]).sum());
            let mean_residual: f64 = weights.iter().zip(&group.residuals).map(|(w, r)| w * r).sum();
            for i in 0..N {
                for j in 0..N {
                    let plain: f64 = weights.iter().zip(&slopes).map(|(w, s)| w * s[i] * s[j]).sum();
                    a[i][j] += plain - mean[i] * mean[j] / total;
                }
                let plain: f64 =
                    weights.iter().zip(&slopes).zip(&group.residuals).map(|((w, s), r)| w * s[i] * r).sum();
                own[i] += plain - mean[i] * mean_residual / total;
            }
        }
        for i in 0..N {
            g[i] += own[i];
            (0..N).for_each(|j| b[i][j] += own[i] * own[j]);
        }
    }
    (a, g, b)
}

/// Median absolute deviation of boxes from their people, as a standard deviation.
fn residual(view: &View, walks: &[Walk], p: &Vector) -> f64 {
    let deviations = walks.iter().flat_map(|walk| {
        let [heights, _] = groups(view, walk, p);
        let (intercept, _, _) = heights.intercept();
        heights.residuals.into_iter().map(move |residual| (residual - intercept).abs())
    });
    1.4826 * median(&deviations.collect::<Vec<_>>())
}

fn huber(z: f64) -> f64 {
    if z.abs() <= HUBER { z * z / 2.0 } else { HUBER * (z.abs() - HUBER / 2.0) }
}

fn huber_weight(z: f64) -> f64 {
    if z.abs() <= HUBER { 1.0 } else { HUBER / z.abs() }
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..N).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Gauss-Jordan with row pivots; `None` when singular.
pub(super) fn invert(mut a: Matrix) -> Option<Matrix> {
    let mut inverse: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for column in 0..N {
        let pivot = (column..N).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
        a.swap(column, pivot);
        inverse.swap(column, pivot);
        let divisor = a[column][column];
        if divisor.is_nan() || divisor.abs() < 1e-12 {
            return None;
        }
        (0..N).for_each(|j| {
            a[column][j] /= divisor;
            inverse[column][j] /= divisor;
        });
        for row in (0..N).filter(|&row| row != column) {
            let factor = a[row][column];
            for j in 0..N {
                a[row][j] -= factor * a[column][j];
                inverse[row][j] -= factor * inverse[column][j];
            }
        }
    }
    Some(inverse)
}
