//! One thing in the street: what is remembered of it, and what it makes of a detection.
//!
//! Plain numbers: where it is, how fast it moves, how large it is, what it seems to be. No appearance.

use outis_record::Class;

use super::{
    history::{HISTORY_MAX, Moment},
    motion::Axis,
    settings::{Kind, TrackerSettings},
    tracker::TrackId,
};
use crate::{Detection, ImageBox, ImagePoint, MediaTime, Score};

/// Everything that is remembered of something in the street, besides its short history.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) id: TrackId,
    /// The foot, across and down.
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) first_seen: MediaTime,
    pub(super) last_seen: MediaTime,
    pub(super) at: MediaTime,
    /// Sum of the scores by class.
    pub(super) votes: [f32; Class::COUNT],
    /// Where it was first seen.
    pub(super) origin: ImagePoint,
    /// Of the last sighting.
    pub(super) score: f32,
    pub(super) sightings: u16,
    pub(super) looks: u16,
    pub(super) kind: Kind,
    /// Whether it has once been seen often enough to be more than a flicker.
    pub(super) lasting: bool,
    /// Whether it has once been a step away from its origin.
    pub(super) moved: bool,
    /// Whether it has left the picture: it was not seen when it should have been beyond a border.
    pub(super) gone: bool,
}

const _: () = assert!(size_of::<State>() <= 128);

/// A state and the two seconds before it.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) state: State,
    pub(super) history: Vec<Moment>,
}

/// A lasting track was seen in at least this share of its looks when it began to count as one. Boxes of
/// nothing that happen to line up are not.
const SEEN_SHARE_MIN: f32 = 0.5;

/// How far something has moved when it has made a step, in sizes: 85 cm of a person.
const STEP: f32 = 0.5;

/// Gate of the squared distance in standard deviations: 1 in 3000 right pairs is missed
/// (chi-squared, two degrees of freedom). Weak detections must fit twice as well.
const GATE: f32 = 16.0;

/// Who was seen at one of the last looks has not vanished to make room for somebody new beside them: boxes jump further
/// than jitter, and people turn on the spot. Of those whom nothing fits, the nearest is taken within what two standard
/// deviations of speed and three of jitter make possible. After this long, in seconds, another may have come.
const NEAR_UNSEEN_MAX_S: f32 = 0.5;

/// What a pair is worth that fits without error at the least spread, as twice a log-likelihood ratio: against
/// something new in this place, of which there are in a look about 5 in an area of 1000 sizes².
const WORTH: f32 = 21.0;

/// Standard deviation of the logarithm of a box's size from look to look.
const SIZE_LOG_SD: f32 = 0.2;

/// The cost at which a size mismatch stops to tell: a person half hidden has half the height.
const SIZE_COST_MAX: f32 = 6.0;

/// A box lower than this share of its track's height may be cut off below: jitter of [`SIZE_LOG_SD`] alone
/// makes one box in thirteen so low, and then its foot must fit worse than its head besides.
const CUT_SHARE: f32 = 0.75;

/// A detector errs more where people meet than its jitter on free ones says.
pub(super) const MATCH_JITTER_FACTOR: f32 = 1.5;

/// The order in which detections are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Sure ones, where they are expected.
    Sure,
    /// Weak ones there.
    Weak,
    /// Sure ones that are left, to tracks that are left, a little beside.
    Near,
}

impl State {
    pub(super) fn new(id: TrackId, at: MediaTime, detection: &Detection, settings: &TrackerSettings) -> Self {
        let kind = Kind::of(detection.class);
        let bbox = detection.bbox;
        let size = size_px(kind, bbox.width, bbox.height);
        let (variance, speed) = ((settings.jitter * size).powi(2), (kind.speed_sd() * size).powi(2));
        let foot = bbox.foot();
        let mut votes = [0.0; Class::COUNT];
        votes[detection.class.index()] = detection.score.get();
        Self {
            id,
            x: Axis::new(foot.x_px, variance, speed),
            y: Axis::new(foot.y_px, variance, speed),
            width: bbox.width,
            height: bbox.height,
            first_seen: at,
            last_seen: at,
            at,
            votes,
            origin: foot,
            score: detection.score.get(),
            sightings: 1,
            looks: 1,
            kind,
            lasting: false,
            moved: false,
            gone: false,
        }
    }

    pub(super) fn size(&self) -> f32 {
        size_px(self.kind, self.width, self.height)
    }

    /// Acceleration noise in px² / s³.
    pub(super) fn q(&self) -> f32 {
        self.kind.acceleration_density() * self.size().powi(2)
    }

    pub(super) fn bbox(&self) -> ImageBox {
        ImageBox::standing_on(ImagePoint::new(self.x.position, self.y.position), self.width, self.height)
    }

    pub(super) fn class(&self) -> Class {
        let best = (0..Class::COUNT).max_by(|&a, &b| self.votes[a].total_cmp(&self.votes[b]));
        best.and_then(Class::from_index).unwrap_or(Class::Person)
    }

    /// Whether this is something in the street, and not the detector's fancy.
    pub(super) fn is_believed(&self, settings: &TrackerSettings) -> bool {
        let mean_score = self.votes.iter().sum::<f32>() / f32::from(self.sightings);
        let moved = f32::midpoint(settings.score_min, settings.score_new);
        self.lasting && mean_score >= if self.moved { moved } else { settings.score_still }
    }

    /// Whether a detection may still be this.
    pub(super) fn may_go_on(&self, settings: &TrackerSettings) -> bool {
        !self.gone && self.at.seconds_since(self.last_seen) <= settings.unseen_max_s
    }

    /// Whether the middle of its box should be outside the picture, where no detector sees it: who comes in there next
    /// is somebody else, or the same one on another visit.
    pub(super) fn is_beyond(&self, picture_px: Option<(f32, f32)>) -> bool {
        let middle = self.bbox().center();
        picture_px.is_some_and(|(width, height)| {
            !(0.0..=width).contains(&middle.x_px) || !(0.0..=height).contains(&middle.y_px)
        })
    }

    pub(super) fn predict(&mut self, at: MediaTime) {
        let (dt_s, q) = (at.seconds_since(self.at), self.q());
        self.x = self.x.predicted(dt_s, q);
        self.y = self.y.predicted(dt_s, q);
        self.at = at;
        self.looks = self.looks.saturating_add(1);
    }

    /// What it is worth to say that this detection is this track; `None` beyond the gate.
    pub(super) fn worth(
        &self,
        detection: &Detection,
        settings: &TrackerSettings,
        stage: Stage,
    ) -> Option<f32> {
        if Kind::of(detection.class) != self.kind || !self.may_go_on(settings) {
            return None;
        }
        if stage == Stage::Near {
            return self.nearness(detection, settings);
        }
        let size = self.size();
        let (dx, dy) = self.offset(detection);
        let noise = 2.0 * (MATCH_JITTER_FACTOR * settings.jitter * size).powi(2);
        let (sx, sy) = (self.x.var_p + noise, self.y.var_p + noise);
        let distance2 = dx * dx / sx + dy * dy / sy;
        let gate = if stage == Stage::Weak { GATE / 2.0 } else { GATE };
        if distance2.is_nan() || distance2 > gate {
            return None;
        }
        let detected = size_px(self.kind, detection.bbox.width, detection.bbox.height);
        let cost = distance2 + size_cost(detected, size);
        // A long-lost track is spread wide and explains everything a little: its spread is its price.
        let spread = (sx * sy).sqrt() / (size * settings.jitter).powi(2);
        let worth = WORTH - cost - 2.0 * spread.ln();
        (worth > 0.0).then_some(worth)
    }

    /// From where this should be to a detection: to the right, and down. Legs are hidden behind others more often than
    /// heads: whichever end of the box fits better tells.
    fn offset(&self, detection: &Detection) -> (f32, f32) {
        let foot = detection.bbox.foot();
        let by_foot = foot.y_px - self.y.position;
        let by_head = detection.bbox.top - (self.y.position - self.height);
        let dy = if by_head.abs() < by_foot.abs() { by_head } else { by_foot };
        (foot.x_px - self.x.position, dy)
    }

    /// How near something lies to where this should be, 1 to 0 at the limit; `None` beyond it, for another size, or
    /// when this was not seen lately.
    fn nearness(&self, detection: &Detection, settings: &TrackerSettings) -> Option<f32> {
        let unseen_s = self.at.seconds_since(self.last_seen);
        let size = self.size();
        let detected = size_px(self.kind, detection.bbox.width, detection.bbox.height);
        if !self.lasting || unseen_s > NEAR_UNSEEN_MAX_S || (detected / size).ln().abs() > 2.0 * SIZE_LOG_SD {
            return None;
        }
        let (dx, dy) = self.offset(detection);
        let jitter = MATCH_JITTER_FACTOR * settings.jitter;
        let limit = (2.0 * self.kind.speed_sd() * unseen_s + 3.0 * jitter) * size;
        let nearness = 1.0 - dx.hypot(dy) / limit;
        (nearness > 0.0).then_some(nearness)
    }

    pub(super) fn update(&mut self, detection: &Detection, settings: &TrackerSettings) {
        let bbox = detection.bbox;
        let mut foot = bbox.foot();
        // Of someone behind a car or a sign only the upper part is seen: the head tells where the feet are.
        let by_head = bbox.top + self.height;
        let cut = bbox.height < CUT_SHARE * self.height
            && (by_head - self.y.position).abs() < (foot.y_px - self.y.position).abs();
        if cut {
            foot.y_px = by_head;
        }
        let variance = (settings.jitter * self.size()).powi(2);
        self.x = self.x.updated(foot.x_px, huber_variance(&self.x, foot.x_px, variance));
        self.y = self.y.updated(foot.y_px, huber_variance(&self.y, foot.y_px, variance));
        let memory = 1.0 - (-self.at.seconds_since(self.last_seen) / SIZE_MEMORY_S).exp();
        let share = memory.max(1.0 / (f32::from(self.sightings) + 1.0));
        self.width += share * (bbox.width - self.width);
        if !cut {
            self.height += share * (bbox.height - self.height);
        }
        self.votes[detection.class.index()] += detection.score.get();
        self.score = detection.score.get();
        self.last_seen = self.at;
        self.sightings = self.sightings.saturating_add(1);
        self.lasting |= self.sightings >= settings.sightings_min
            && self.last_seen.seconds_since(self.first_seen) >= settings.life_min_s
            && f32::from(self.sightings) >= SEEN_SHARE_MIN * f32::from(self.looks);
        let (dx, dy) = (self.x.position - self.origin.x_px, self.y.position - self.origin.y_px);
        self.moved |= dx.hypot(dy) >= STEP * self.size();
    }

    /// Gives it a new number, as if it had just come. That it is real stays known.
    pub(super) fn renew(&mut self, id: TrackId) {
        (self.id, self.first_seen) = (id, self.at);
        let mean_score = self.votes.iter().sum::<f32>() / f32::from(self.sightings);
        let class = self.class();
        self.votes = [0.0; Class::COUNT];
        self.votes[class.index()] = mean_score;
        (self.sightings, self.looks) = (1, 1);
    }
}

/// The variance to give to a measurement: what lies beyond three standard deviations pulls no harder than
/// what lies at three (Huber 1964).
fn huber_variance(axis: &Axis, measured: f32, variance: f32) -> f32 {
    let total = axis.var_p + variance;
    let excess = (measured - axis.position).abs() / (3.0 * total.sqrt());
    total * excess.max(1.0) - axis.var_p
}

/// A size follows the detector with this memory, in seconds.
const SIZE_MEMORY_S: f32 = 1.0;

impl Track {
    /// Goes on as the other one, which began after this one was last seen: what happened since is told anew.
    pub(super) fn take_over(&mut self, new: &Self, settings: &TrackerSettings) {
        let before = |moment: &Moment| moment.seen && moment.at < new.state.first_seen;
        let Some(last) = self.history.iter().rposition(before) else { return };
        let since = self.history.split_off(last + 1);
        let Moment { x, y, at, .. } = self.history[last];
        (self.state.x, self.state.y, self.state.at) = (x, y, at);
        let (looks, class) = (self.state.looks, new.state.class());
        for Moment { at, .. } in since {
            self.state.predict(at);
            let sighting = new.history.iter().find(|moment| moment.at == at && moment.seen);
            if let Some(sighting) = sighting {
                let score = Score::new(sighting.score);
                self.state.update(&Detection { bbox: sighting.bbox(), class, score }, settings);
            }
            self.remember(sighting.map(Moment::bbox));
        }
        self.state.looks = looks;
    }

    pub(super) fn remember(&mut self, seen: Option<ImageBox>) {
        let State { at, x, y, score, .. } = self.state;
        let bbox = seen.unwrap_or_else(|| self.state.bbox());
        let (foot, width, height) = (bbox.foot(), bbox.width, bbox.height);
        if self.history.len() >= HISTORY_MAX {
            self.history.remove(0);
        }
        self.history.push(Moment { at, x, y, foot, width, height, score, seen: seen.is_some() });
    }

    /// Drops what no later decision reads: all but half a second before the final moment.
    pub(super) fn forget_before(&mut self, until: MediaTime) {
        let keep_from = until.plus_seconds(-0.5);
        let keep = self.history.partition_point(|moment| moment.at < keep_from);
        self.history.drain(..keep);
    }
}

/// What it costs to say that two boxes of these sizes are of the same thing, as twice a log-likelihood.
pub(super) fn size_cost(one: f32, other: f32) -> f32 {
    let mismatch = (one / other).ln() / SIZE_LOG_SD;
    (mismatch * mismatch).min(SIZE_COST_MAX)
}

fn size_px(kind: Kind, width: f32, height: f32) -> f32 {
    match kind {
        Kind::Pedestrian | Kind::TwoWheeler => height,
        Kind::Vehicle => (width * height).sqrt(),
    }
}
