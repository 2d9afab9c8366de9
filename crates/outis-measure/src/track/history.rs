//! The last two seconds of one track, and their smoothing.

use super::motion::Axis;
use crate::{ImageBox, ImagePoint, MediaTime};

/// The longest history: two seconds and a portion at 60 looks a second. The oldest go first.
pub(super) const HISTORY_MAX: usize = 160;

/// What one look said about a track.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: MediaTime,
    /// Filtered foot, across and down.
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// The box as it was detected, or as it is supposed where it was not.
    pub(super) foot: ImagePoint,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) score: f32,
    pub(super) seen: bool,
}

impl Moment {
    /// The box as it was detected, or as it is supposed.
    pub(super) fn bbox(&self) -> ImageBox {
        ImageBox::standing_on(self.foot, self.width, self.height)
    }
}

/// A smoothed moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smoothed {
    pub(super) at: MediaTime,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) score: f32,
    pub(super) seen: bool,
}

/// Runs the smoother backwards over moments (oldest first) and hands out those up to `until`, oldest first.
/// `q` is the acceleration noise in px² / s³.
pub(super) fn smooth(moments: &[Moment], until: MediaTime, q: f32, out: &mut Vec<Smoothed>) {
    out.clear();
    let Some(last_seen) = moments.iter().rposition(|moment| moment.seen) else { return };
    // What was predicted after the last sighting is a guess, and is not told.
    let known = &moments[..=last_seen];
    let mut later: Option<(MediaTime, Axis, Axis)> = None;
    for (index, moment) in known.iter().enumerate().rev() {
        let (x, y) = match later {
            None => (moment.x, moment.y),
            Some((at, x, y)) => {
                let dt_s = at.seconds_since(moment.at);
                (moment.x.smoothed(&x, dt_s, q), moment.y.smoothed(&y, dt_s, q))
            }
        };
        later = Some((moment.at, x, y));
        if moment.at <= until {
            let (width, height) = size_around(known, index);
            out.push(Smoothed {
                at: moment.at,
                x: x.position,
                y: y.position,
                width,
                height,
                score: moment.score,
                seen: moment.seen,
            });
        }
    }
    out.reverse();
}

/// Mean size of the sightings within half a second of a moment.
fn size_around(moments: &[Moment], index: usize) -> (f32, f32) {
    const REACH_S: f32 = 0.5;
    let at = moments[index].at;
    let near = |moment: &&Moment| moment.at.seconds_since(at).abs() <= REACH_S;
    let (mut width, mut height, mut weight) = (0.0, 0.0, 0.0);
    let after = moments[index..].iter().take_while(near);
    for moment in moments[..index].iter().rev().take_while(near).chain(after) {
        let share = if moment.seen { 1.0 } else { 1e-3 };
        width += share * moment.width;
        height += share * moment.height;
        weight += share;
    }
    (width / weight, height / weight)
}
