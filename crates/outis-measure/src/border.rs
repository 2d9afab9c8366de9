//! On which side of a border something is, and when it has surely changed sides.
//!
//! ```text
//!   distance, in body heights
//!        ╭──╮        deep enough for long enough: on the right side
//!  ──────│──│──────── + depth ──────────
//!   ╮  ╭─╯  ╰╮ ╭──╮   the border: wobbles in here change nothing
//!  ─╰──╯─────╰─│──│── - depth ──────────
//!              ╰──╯  not long enough
//! ```
//! How deep is deep enough grows with the time spent near the border: who stands on a line for minutes
//! has a thousand chances to be thrown across it by a jittering box, who walks over it has one or two.

use crate::MediaTime;

/// A position relative to a border.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Signed distance from the border, in heights of the object.
    pub(crate) distance: f32,
    /// The depth below which a change of sides is not meant, in heights: 10 cm of a person.
    pub(crate) depth_min: f32,
    /// How far the object reaches across the border, in heights: box edges jitter in proportion to it.
    pub(crate) reach: f32,
    /// Where along the border its nearest point is, as a share of its length: between its ends from 0 to 1.
    pub(crate) along: f32,
    /// How far past an end still counts as the end, as a share of the length. A zone has no ends.
    pub(crate) slack: f32,
}

/// A change of sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// From the negative to the positive side.
    Forward,
    /// From the positive to the negative side.
    Backward,
}

/// The settings of a border.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BorderSettings {
    /// How long something must stay on a side, in seconds.
    pub hold_s: f32,
    /// Standard deviation of what is left of the box jitter after smoothing, in reaches, until
    /// the track shows its own. Boxes on street clips: 3.0 to 3.9 %, half of it slower than 0.5 s.
    pub jitter: f32,
    /// Memory of that jitter in seconds: how long until it has thrown its dice anew.
    pub jitter_memory_s: f32,
    /// How probable a false change may be at the first of all draws of the jitter near the border. The n-th is given
    /// 1/n² of it, so that all of them together stay below 1.65 times this, however long something stays there.
    pub doubt: f32,
}

impl Default for BorderSettings {
    fn default() -> Self {
        Self { hold_s: 0.17, jitter: 0.025, jitter_memory_s: 0.8, doubt: 0.05 }
    }
}

/// Nearer than this to the border, in reaches, something is near it.
const NEAR: f32 = 0.2;

/// Memory of the statistics of a stay near the border, in seconds.
const STAY_MEMORY_S: f32 = 10.0;

/// One track at one border.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Border {
    side: Side,
    /// Time, distance and place along the border of the newest position.
    last: Option<(MediaTime, f32, f32)>,
    /// Since when it is deep on the side that it is not yet said to be on.
    deep_since: Option<(MediaTime, Side)>,
    /// Whether the newest change of sign was between the ends of the border.
    through: bool,
    near_s: f32,
    trend: Trend,
}

/// A straight line through the distances of a stay, by least squares weighted with time and fading with
/// [`STAY_MEMORY_S`]: who walks slowly across follows it, and what is left over is jitter.
#[derive(Debug, Clone, Copy, Default)]
struct Trend {
    /// Sums of weight, time before now, its square, distance, its square, and time by distance.
    w: f32,
    t: f32,
    tt: f32,
    d: f32,
    dd: f32,
    td: f32,
}

impl Trend {
    fn add(&mut self, distance: f32, dt_s: f32) {
        // Time is counted from now backwards, so that the sums stay small.
        let fade = (-dt_s / STAY_MEMORY_S).exp();
        let Self { w, t, tt, d, dd, td } = *self;
        *self = Self {
            w: fade * w + dt_s,
            t: fade * (t - dt_s * w),
            tt: fade * (tt - 2.0 * dt_s * t + dt_s * dt_s * w),
            d: fade * d + dt_s * distance,
            dd: fade * dd + dt_s * distance * distance,
            td: fade * (td - dt_s * d),
        };
    }

    /// Variance around the line.
    fn residual_variance(&self) -> f32 {
        let Self { w, t, tt, d, dd, td } = *self;
        if w <= 0.0 {
            return 0.0;
        }
        let (tt, td, dd) = (tt / w - (t / w).powi(2), td / w - t * d / (w * w), dd / w - (d / w).powi(2));
        let explained = if tt > 1e-3 { td * td / tt } else { 0.0 };
        (dd - explained).max(0.0)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Side {
    #[default]
    Unknown,
    Negative,
    Positive,
}

impl Side {
    /// The side on which a distance is deep; unknown in between.
    fn beyond(depth: f32, distance: f32) -> Self {
        if distance >= depth {
            Self::Positive
        } else if distance <= -depth {
            Self::Negative
        } else {
            Self::Unknown
        }
    }
}

impl Border {
    /// Whether something stands so near that it may have half crossed.
    pub(crate) fn is_near(&self) -> bool {
        self.near_s > 0.0
    }

    /// Whether it is on the positive side, as far as that is known.
    pub(crate) fn is_positive(&self) -> bool {
        match self.side {
            Side::Unknown => self.last.is_some_and(|(_, distance, _)| distance > 0.0),
            side => side == Side::Positive,
        }
    }

    /// Takes the next position and says whether that makes a change of sides certain.
    pub(crate) fn observe(
        &mut self,
        at: MediaTime,
        reading: Reading,
        settings: &BorderSettings,
    ) -> Option<Change> {
        let Reading { distance, depth_min, reach, along, slack } = reading;
        let before = self.last.replace((at, distance, along));
        if let Some((_, was, was_along)) = before
            && (was > 0.0) != (distance > 0.0)
        {
            // Where the straight way between the two positions meets the border.
            let met = was_along + (along - was_along) * was / (was - distance);
            self.through = (-slack..=1.0 + slack).contains(&met);
        }
        self.stay(distance / reach, before.map_or(0.0, |(last, ..)| at.seconds_since(last)));
        let depth = (reach * self.throw(settings)).clamp(depth_min, depth_min.max(reach * NEAR));
        // Between two looks the way is taken as straight, so that the rate of looks does not matter.
        let passed = |level: f32| match before {
            Some((last, was, _)) if (was - level) * (distance - level) < 0.0 => {
                last.plus_seconds(at.seconds_since(last) * (level - was) / (distance - was))
            }
            _ => at,
        };
        let here = Side::beyond(depth, distance);
        let mut held = None;
        if let Some((since, side)) = self.deep_since
            && side != here
        {
            // It has come back: it may have been away for long enough all the same.
            let level = if side == Side::Positive { depth } else { -depth };
            held = Some((side, passed(level).seconds_since(since)));
            self.deep_since = None;
        }
        if here != Side::Unknown && here != self.side {
            let level = if here == Side::Positive { depth } else { -depth };
            let (since, _) = *self.deep_since.get_or_insert_with(|| (passed(level), here));
            held = Some((here, at.seconds_since(since)));
        }
        let (side, _) = held.filter(|(_, held_s)| held_s + 1e-4 >= settings.hold_s)?;
        self.deep_since = None;
        self.settle(side)
    }

    /// Takes a side, and says whether that was a change through the border.
    fn settle(&mut self, side: Side) -> Option<Change> {
        match (std::mem::replace(&mut self.side, side), side) {
            _ if !self.through => None,
            (Side::Negative, Side::Positive) => Some(Change::Forward),
            (Side::Positive, Side::Negative) => Some(Change::Backward),
            _ => None,
        }
    }

    /// Keeps the statistics of the stay near the border; `distance` is in reaches.
    fn stay(&mut self, distance: f32, dt_s: f32) {
        if distance.abs() > NEAR {
            (self.near_s, self.trend) = (0.0, Trend::default());
            return;
        }
        self.near_s += dt_s;
        self.trend.add(distance, dt_s);
    }

    /// What the n-th independent draw of the jitter does not throw but with its share of the doubt, in reaches:
    /// sd · √(2 ln (n² / doubt)). With n in the place of n², the shares add up without a bound.
    fn throw(&self, settings: &BorderSettings) -> f32 {
        // A stay of a few seconds shows the jitter's true size; before, motion and jitter look the same.
        let trust = (self.near_s / STAY_MEMORY_S).min(1.0);
        let sd = settings.jitter + trust * (self.trend.residual_variance().sqrt() - settings.jitter).max(0.0);
        let draws = 1.0 + self.near_s / settings.jitter_memory_s;
        sd * (2.0 * (draws * draws / settings.doubt).ln()).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five looks a second at somebody who walks slantwise over a border, half a height of it from look to look; the
    /// border is two heights long, and places are (distance, along it) in heights.
    fn changes(from: (f32, f32)) -> Vec<Change> {
        let (mut border, settings) = (Border::default(), BorderSettings::default());
        let look = |number: u16| {
            let steps = f32::from(number);
            let (distance, along) = (from.0 + 0.2 * steps, from.1 + 0.5 * steps);
            let reading = Reading { distance, depth_min: 0.06, reach: 1.0, along: along / 2.0, slack: 0.01 };
            border.observe(MediaTime::from_seconds(0.2 * f64::from(number)), reading, &settings)
        };
        (0..8).filter_map(look).collect()
    }

    #[test]
    fn all_draws_of_a_stay_together_are_held_to_the_doubt() {
        // Drawing anew every memory of the jitter, for a day: Gaussian tails, P(|x| > t) <= exp(-t²/2) on both sides.
        let settings = BorderSettings::default();
        let mut false_changes = 0.0;
        for draw in 0..(86_400.0 / settings.jitter_memory_s) as u32 {
            let border = Border { near_s: draw as f32 * settings.jitter_memory_s, ..Border::default() };
            let throw = f64::from(border.throw(&settings) / settings.jitter);
            false_changes += (-throw * throw / 2.0).exp();
        }
        assert!(false_changes < 1.65 * f64::from(settings.doubt), "{false_changes}");
    }

    #[test]
    fn an_end_is_passed_where_the_way_between_two_looks_meets_the_border() {
        // (case, first place, changes); the border is met after 0.7 s, 1.75 heights farther along.
        let cases = [
            ("through it, nearest looks on both sides", (-0.7, -1.0), vec![Change::Forward]),
            ("through it, the nearer look beyond its end", (-0.71, 0.2), vec![Change::Forward]),
            ("past its end, the nearer look beside it", (-0.69, 0.3), vec![]),
            ("past its beginning", (-0.7, -2.0), vec![]),
        ];
        for (name, from, expected) in cases {
            assert_eq!(changes(from), expected, "{name}");
        }
    }
}
