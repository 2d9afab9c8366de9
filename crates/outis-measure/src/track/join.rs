//! Joining a track that has begun in the middle of the street to one that was lost there.
//!
//! ```text
//!   lost ●──●──●· · ·→           what the lost one would do next, forwards in time
//!                 ←· · ·●──●──●  where the new one came from, backwards in time
//! ```
//! Who is hidden behind a lamp post or by others may turn or change pace there, and a prediction from before
//! misses them. Once the new track has lasted a moment, its own motion tells whence it came: both sides
//! must agree in place and velocity (track-to-track association, Bar-Shalom, Li & Kirubarajan 2001, section 10.4).

use super::{
    history::Moment,
    motion::Axis,
    settings::TrackerSettings,
    state::{MATCH_JITTER_FACTOR, Track, size_cost},
};

/// Gate of the squared distance: 1 in 2000 right pairs is missed (chi-squared, four degrees of freedom).
const GATE: f32 = 20.0;

/// What a pair is worth that fits without error, as twice a log-likelihood ratio: against something new that begins
/// in the middle of the street in just this place and pace. Of those there is in a moment about 1 in an area of
/// 1000 sizes², with velocities spread by 0.8 sizes a second (variance 0.64), so 2 ln (1000 · 2π · 0.64 / (2π)²).
const WORTH: f32 = 9.2;

/// For so long, in seconds, the detector may make two boxes of one: two looks at five a second. Whoever is beside another
/// for longer is somebody.
const ECHO_MAX_S: f32 = 0.45;
/// Two boxes of one overlap by this at least: a box that is twice as wide, or as high, by a half.
const ECHO_IOU: f32 = 0.3;

/// People who are hidden by each other or by a post brake and turn: twice the accelerations of those who walk freely.
const GAP_ACCELERATION_FACTOR: f32 = 4.0;

/// What it is worth to say that the new track continues the lost one; `None` beyond the gate or when it is worth
/// nothing. What the lost one was seen as since the new one began was an echo, see [`echoed`].
pub(super) fn worth_joining(lost: &Track, new: &Track, settings: &TrackerSettings) -> Option<f32> {
    let last = lost.history.iter().rev().find(|moment| moment.seen && moment.at < new.state.first_seen)?;
    let (size, q, first_seen) = (lost.state.size(), lost.state.q(), new.state.first_seen);
    let gap_s = first_seen.seconds_since(last.at);
    if gap_s > settings.unseen_max_s {
        return None;
    }
    let variance = (MATCH_JITTER_FACTOR * settings.jitter * size).powi(2);
    let speed_variance = (lost.state.kind.speed_sd() * size).powi(2);
    let disagreement = |before: &Axis, pick: fn(&Moment) -> f32| {
        let seen = new.history.iter().filter(|moment| moment.seen);
        let measured: Vec<(f32, f32)> =
            seen.map(|moment| (moment.at.seconds_since(first_seen), pick(moment))).collect();
        Some(disagreement(
            &before.predicted(gap_s, GAP_ACCELERATION_FACTOR * q),
            &backwards(&measured, variance, speed_variance, q)?,
            size,
        ))
    };
    let (across, spread_across) = disagreement(&last.x, |moment| moment.foot.x_px)?;
    let (down, spread_down) = disagreement(&last.y, |moment| moment.foot.y_px)?;
    let distance2 = across + down;
    if distance2.is_nan() || distance2 > GATE {
        return None;
    }
    let worth = WORTH - distance2 - size_cost(new.state.size(), size) - spread_across - spread_down;
    (worth > 0.0).then_some(worth)
}

/// Whether all that the lost one was seen as since the new one began was a second box of the same person: the old track
/// went on with the box that vanished, and the new one began with the one that stayed.
pub(super) fn echoed(lost: &Track, new: &Track) -> bool {
    let first_seen = new.state.first_seen;
    let mut since = lost.history.iter().filter(|moment| moment.seen && moment.at >= first_seen);
    lost.state.last_seen < lost.state.at
        && lost.state.last_seen.seconds_since(first_seen) <= ECHO_MAX_S
        && since.all(|moment| {
            let other = new.history.iter().find(|other| other.at == moment.at);
            other.is_some_and(|other| other.bbox().iou(&moment.bbox()) >= ECHO_IOU)
        })
}

/// How badly the state before a gap, predicted to its end, and the state after it disagree (squared Mahalanobis
/// distance), and the logarithm of the determinant of the covariance of their difference, in sizes and seconds.
fn disagreement(before: &Axis, after: &Axis, size: f32) -> (f32, f32) {
    let (dp, dv) = ((after.position - before.position) / size, (after.velocity - before.velocity) / size);
    let unit = size * size;
    let pp = (before.var_p + after.var_p) / unit;
    let pv = (before.cov + after.cov) / unit;
    let vv = (before.var_v + after.var_v) / unit;
    let determinant = (pp * vv - pv * pv).max(f32::MIN_POSITIVE);
    let distance2 = (vv * dp * dp - 2.0 * pv * dp * dv + pp * dv * dv) / determinant;
    (distance2, determinant.ln())
}

/// The state at the first of some measurements, given as (seconds, position), oldest first, as the later ones tell
/// it: a filter run backwards. `variance` is that of a measurement, `speed_variance` that of velocities before
/// anything was measured, `q` the acceleration noise.
fn backwards(measured: &[(f32, f32)], variance: f32, speed_variance: f32, q: f32) -> Option<Axis> {
    let (&(mut later_s, last), earlier) = measured.split_last()?;
    let mut axis = Axis::new(last, variance, speed_variance);
    for &(at_s, position) in earlier.iter().rev() {
        axis = axis.predicted(later_s - at_s, q).updated(position, variance);
        later_s = at_s;
    }
    Some(Axis { velocity: -axis.velocity, cov: -axis.cov, ..axis })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use outis_record::Class;

    use crate::{Detection, ImageBox, MediaTime, Score, Tracker, TrackerSettings};

    /// A person 100 px tall, seen five times a second where `foot_at` says that they can be seen.
    fn tracks(seconds: f32, foot_at: impl Fn(f32) -> Vec<(f32, f32)>) -> BTreeSet<u64> {
        let mut tracker = Tracker::new(TrackerSettings::default());
        let mut numbers = BTreeSet::new();
        for look in 0..(5.0 * seconds) as u32 {
            let at_s = look as f32 / 5.0;
            let seen: Vec<Detection> = foot_at(at_s)
                .into_iter()
                .map(|(x, y)| Detection {
                    bbox: ImageBox::from_left_top_width_height(x - 15.0, y - 100.0, 30.0, 100.0),
                    class: Class::Person,
                    score: Score::new(0.8),
                })
                .collect();
            tracker.look(MediaTime::from_seconds(f64::from(at_s)), &seen);
            numbers.extend(tracker.take_points().iter().map(|point| point.track.number()));
        }
        tracker.finish();
        numbers.extend(tracker.take_points().iter().map(|point| point.track.number()));
        numbers
    }

    fn check(name: &str, expected: usize, seconds: f32, foot_at: impl Fn(f32) -> Vec<(f32, f32)>) {
        assert_eq!(tracks(seconds, foot_at).len(), expected, "{name}");
    }

    #[test]
    fn gap_table() {
        let hidden = |from: f32, to: f32, at: f32, foot: (f32, f32)| {
            if at > from && at < to { vec![] } else { vec![foot] }
        };
        check("walks on behind a van", 1, 6.0, |t| hidden(2.0, 3.5, t, (100.0 + 80.0 * t, 300.0)));
        // Comes to a stand, turns behind the post and leaves faster than a prediction would have it.
        let turn = |t: f32| if t < 2.0 { 300.0 - 10.0 * t } else { 280.0 - 90.0 * (t - 2.0) };
        check("starts behind a post", 1, 6.0, |t| hidden(2.0, 3.1, t, (turn(t), 300.0)));
        check("away for longer than is remembered", 2, 9.0, |t| {
            hidden(2.0, 4.5, t, (100.0 + 80.0 * t, 300.0))
        });
        // One is hidden for ever; another appears soon after, elsewhere or going elsewhere.
        check("another, far away", 2, 6.0, |t| match t {
            t if t < 2.0 => vec![(100.0 + 80.0 * t, 300.0)],
            t if t > 2.9 => vec![(700.0 - 80.0 * t, 300.0)],
            _ => vec![],
        });
        check("another, who comes towards", 2, 6.0, |t| match t {
            t if t < 2.0 => vec![(100.0 + 140.0 * t, 300.0)],
            t if t > 2.9 => vec![(520.0 - 140.0 * (t - 2.9), 300.0)],
            _ => vec![],
        });
        // The first walks at 80 px a second; boxes are 30 px wide.
        check("two boxes of one for a moment, and the one that was followed goes", 1, 6.0, |t| match t {
            t if t < 2.1 => vec![(100.0 + 80.0 * t, 300.0)],
            t if t < 2.5 => vec![(100.0 + 80.0 * t, 300.0), (114.0 + 80.0 * t, 300.0)],
            t => vec![(114.0 + 80.0 * t, 300.0)],
        });
        check("another who stays when the first goes behind a wall", 2, 6.0, |t| match t {
            t if t < 2.1 => vec![(100.0 + 80.0 * t, 300.0)],
            t if t < 3.5 => vec![(100.0 + 80.0 * t, 300.0), (120.0 + 80.0 * t, 300.0)],
            t => vec![(120.0 + 80.0 * t, 300.0)],
        });
        let turns =
            |t: f32, jump: f32| if t < 3.0 { 100.0 + 10.0 * t } else { 130.0 - jump - 10.0 * (t - 3.0) };
        check("a box that jumps by a third of the height", 1, 6.0, |t| vec![(turns(t, 33.0), 300.0)]);
        check("no box jumps by a whole height", 2, 6.0, |t| vec![(turns(t, 100.0), 300.0)]);
        check("two behind one van, in opposite directions", 2, 7.0, |t| {
            let both = vec![(100.0 + 80.0 * t, 300.0), (620.0 - 80.0 * t, 310.0)];
            if t > 2.6 && t < 3.9 { vec![] } else { both }
        });
    }
}
