//! How a coordinate moves: a constant-velocity Kalman filter along one axis, and its smoother.
//!
//! Kalman 1960; Rauch, Tung & Striebel 1965 for the way back. White acceleration noise after
//! Bar-Shalom, Li & Kirubarajan 2001, section 6.2.2. Knows nothing of boxes or people.

/// Position and velocity along one axis with their covariance, in pixels and seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) position: f32,
    pub(super) velocity: f32,
    /// Variance of the position.
    pub(super) var_p: f32,
    /// Covariance of position and velocity.
    pub(super) cov: f32,
    /// Variance of the velocity.
    pub(super) var_v: f32,
}

impl Axis {
    pub(super) fn new(position: f32, var_p: f32, var_v: f32) -> Self {
        Self { position, velocity: 0.0, var_p, cov: 0.0, var_v }
    }

    /// The state `dt_s` seconds later, under white acceleration noise of density `q` (px² / s³).
    pub(super) fn predicted(&self, dt_s: f32, q: f32) -> Self {
        let dt2 = dt_s * dt_s;
        Self {
            position: self.position + self.velocity * dt_s,
            velocity: self.velocity,
            var_p: self.var_p + 2.0 * self.cov * dt_s + self.var_v * dt2 + q * dt2 * dt_s / 3.0,
            cov: self.cov + self.var_v * dt_s + q * dt2 / 2.0,
            var_v: self.var_v + q * dt_s,
        }
    }

    /// The state after the position has been measured with a variance.
    pub(super) fn updated(&self, measured: f32, variance: f32) -> Self {
        let innovation = measured - self.position;
        let total = self.var_p + variance;
        let (gain_p, gain_v) = (self.var_p / total, self.cov / total);
        Self {
            position: self.position + gain_p * innovation,
            velocity: self.velocity + gain_v * innovation,
            var_p: (1.0 - gain_p) * self.var_p,
            cov: (1.0 - gain_p) * self.cov,
            var_v: self.var_v - gain_v * self.cov,
        }
    }

    /// This filtered state corrected by what came `dt_s` seconds later: one step of the smoother.
    /// The covariances are left as filtered; only positions and velocities are read afterwards.
    pub(super) fn smoothed(&self, later: &Self, dt_s: f32, q: f32) -> Self {
        let ahead = self.predicted(dt_s, q);
        let determinant = ahead.var_p * ahead.var_v - ahead.cov * ahead.cov;
        if determinant <= f32::EPSILON * ahead.var_p * ahead.var_v {
            return *self;
        }
        // Rows of P · Fᵀ; the smoother gain is this times the inverse of the predicted covariance.
        let (pp, pv) = (self.var_p + self.cov * dt_s, self.cov);
        let (vp, vv) = (self.cov + self.var_v * dt_s, self.var_v);
        let (dp, dv) = (later.position - ahead.position, later.velocity - ahead.velocity);
        let wp = (ahead.var_v * dp - ahead.cov * dv) / determinant;
        let wv = (ahead.var_p * dv - ahead.cov * dp) / determinant;
        Self {
            position: self.position + pp * wp + pv * wv,
            velocity: self.velocity + vp * wp + vv * wv,
            ..*self
        }
    }
}
