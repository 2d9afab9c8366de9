//! The life of tracks: predicted, matched, started, believed, ended.
//!
//! Matching weighs each pair by its likelihood under the track's own uncertainty, so that the same
//! constants serve 5 and 30 looks a second. Weak detections only continue tracks (ByteTrack, Zhang et al.
//! 2022). Positions become final after a lag, smoothed by what came later.

use outis_record::Class;

use super::{
    assign::{Candidate, best_matching},
    history::{HISTORY_MAX, Moment, Smoothed, smooth},
    motion::Axis,
    settings::{DETECTIONS_MAX, Kind, PORTION_S, TRACKS_MAX, TrackerSettings},
};
use crate::{Detection, ImageBox, ImagePoint, MediaTime, Score};

/// The number of a track. It dies with the track and is never stored or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(u64);

impl TrackId {
    /// The number, for measuring tools.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Where a track was at a look: final, smoothed, and known with what came after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackPoint {
    /// Which track.
    pub track: TrackId,
    /// When.
    pub at: MediaTime,
    /// Where.
    pub bbox: ImageBox,
    /// What it is, by all votes so far.
    pub class: Class,
    /// How sure the detector was; that of the last sighting where it was not seen.
    pub score: Score,
    /// Whether the detector saw it at this look; else it was interpolated between sightings.
    pub seen: bool,
}

/// Where something that is followed should be now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Expected box.
    pub bbox: ImageBox,
    /// Standard deviation of its place, in pixels.
    pub spread_px: f32,
    /// Seconds since it was last seen, at the newest look.
    pub unseen_s: f32,
    /// Whether it was seen often enough to be more than a flicker.
    pub lasting: bool,
}

/// Everything that is remembered of something in the street, besides its short history.
#[derive(Debug, Clone)]
struct State {
    id: TrackId,
    /// The foot, across and down.
    x: Axis,
    y: Axis,
    width: f32,
    height: f32,
    first_seen: MediaTime,
    last_seen: MediaTime,
    at: MediaTime,
    /// Sum of the scores by class.
    votes: [f32; Class::COUNT],
    /// Where it was first seen.
    origin: ImagePoint,
    /// Of the last sighting.
    score: f32,
    sightings: u16,
    looks: u16,
    kind: Kind,
    /// Whether it has once been seen often enough to be more than a flicker.
    lasting: bool,
    /// Whether it has once been a step away from its origin.
    moved: bool,
}

const _: () = assert!(size_of::<State>() <= 128);

#[derive(Debug)]
struct Track {
    state: State,
    history: Vec<Moment>,
}

/// Follows boxes from look to look.
#[derive(Debug)]
pub struct Tracker {
    settings: TrackerSettings,
    tracks: Vec<Track>,
    next_id: u64,
    final_until: Option<MediaTime>,
    now: Option<MediaTime>,
    points: Vec<TrackPoint>,
    renewals: Vec<(TrackId, TrackId)>,
    overflow: u32,
    // Kept between looks so that a look allocates nothing once it has warmed up.
    candidates: Vec<Candidate>,
    smoothed: Vec<Smoothed>,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(settings: TrackerSettings) -> Self {
        Self {
            settings,
            tracks: Vec::new(),
            next_id: 1,
            final_until: None,
            now: None,
            points: Vec::new(),
            renewals: Vec::new(),
            overflow: 0,
            candidates: Vec::new(),
            smoothed: Vec::new(),
        }
    }

    /// Takes what the detector found at a look; call it also when it found nothing.
    /// A look that is not later than the one before is left out.
    pub fn look(&mut self, at: MediaTime, detections: &[Detection]) {
        if self.now.is_some_and(|now| at <= now) {
            return;
        }
        self.now = Some(at);
        let mut detections: Vec<Detection> = detections
            .iter()
            .filter(|d| d.bbox.is_valid() && d.score.get() >= self.settings.score_min)
            .copied()
            .collect();
        if detections.len() > DETECTIONS_MAX {
            detections.sort_by(|a, b| b.score.get().total_cmp(&a.score.get()));
            self.overflow += (detections.len() - DETECTIONS_MAX) as u32;
            detections.truncate(DETECTIONS_MAX);
        }
        for track in &mut self.tracks {
            track.state.predict(at);
        }
        self.end_lost(at);
        self.renew_old(at);
        let taken = self.match_detections(&detections);
        self.start_tracks(at, &detections, &taken);
        self.finalize(at, self.settings.lag_s);
    }

    /// Ends every track: the source is over.
    pub fn finish(&mut self) {
        if let Some(now) = self.now {
            self.finalize(now, -PORTION_S);
            self.tracks.clear();
        }
    }

    /// Positions that have become final since the last call, in order of time and then of track.
    pub fn take_points(&mut self) -> Vec<TrackPoint> {
        std::mem::take(&mut self.points)
    }

    /// Up to when positions are final; nothing earlier than this will come any more.
    pub fn final_until(&self) -> Option<MediaTime> {
        self.final_until
    }

    /// Whether a track may still be continued.
    pub fn is_alive(&self, track: TrackId) -> bool {
        self.tracks.binary_search_by_key(&track, |t| t.state.id).is_ok()
    }

    /// Where all that is followed should be at a time after the newest look.
    pub fn predictions(&self, at: MediaTime) -> Vec<Prediction> {
        let prediction = |Track { state, .. }: &Track| {
            let (dt_s, q) = (at.seconds_since(state.at).max(0.0), state.q());
            let (x, y) = (state.x.predicted(dt_s, q), state.y.predicted(dt_s, q));
            let moved = State { x, y, ..state.clone() };
            Prediction {
                bbox: moved.bbox(),
                spread_px: x.var_p.max(y.var_p).max(0.0).sqrt(),
                unseen_s: state.at.seconds_since(state.last_seen),
                lasting: state.lasting,
            }
        };
        self.tracks.iter().map(prediction).collect()
    }

    /// Tracks that have got a new number since the last call, as (old, new).
    pub(crate) fn take_renewals(&mut self) -> Vec<(TrackId, TrackId)> {
        std::mem::take(&mut self.renewals)
    }

    /// How many objects went beyond the limits since the last call.
    pub fn take_overflow(&mut self) -> u32 {
        std::mem::take(&mut self.overflow)
    }

    fn end_lost(&mut self, at: MediaTime) {
        let (settings, final_until) = (self.settings, self.final_until);
        // A track that is not believed yet is given up sooner: what was a flicker shall not catch a passer-by.
        self.tracks.retain(|Track { state, .. }| {
            let unseen_s = at.seconds_since(state.last_seen);
            if !state.is_believed(&settings) {
                return unseen_s <= FLICKER_UNSEEN_MAX_S.min(settings.unseen_max_s);
            }
            // Its last positions are still owed, even if it can no longer be continued.
            unseen_s <= settings.unseen_max_s || final_until.is_some_and(|until| state.last_seen > until)
        });
    }

    /// Gives the oldest a new number: nobody is followed for longer than the limit.
    fn renew_old(&mut self, at: MediaTime) {
        let age_max_s = self.settings.age_max_s;
        let too_old = |track: &Track| at.seconds_since(track.state.first_seen) > age_max_s;
        // At the end of the list, where the newest numbers are.
        let mut first_unchecked = 0;
        while let Some(found) = self.tracks[first_unchecked..].iter().position(too_old) {
            first_unchecked += found;
            let mut track = self.tracks.remove(first_unchecked);
            self.renewals.push((track.state.id, TrackId(self.next_id)));
            track.state.renew(TrackId(self.next_id));
            self.next_id += 1;
            self.tracks.push(track);
        }
    }

    /// Matches sure detections first, then lets weak ones continue the tracks that are left.
    fn match_detections(&mut self, detections: &[Detection]) -> Vec<bool> {
        let mut taken = vec![false; detections.len()];
        let mut matched: Vec<Option<ImageBox>> = vec![None; self.tracks.len()];
        let sure = self.settings.score_new;
        for stage in [Stage::Sure, Stage::Weak] {
            self.candidates.clear();
            for (t, track) in self.tracks.iter().enumerate().filter(|(t, _)| matched[*t].is_none()) {
                for (d, detection) in detections.iter().enumerate().filter(|(d, _)| !taken[*d]) {
                    if (stage == Stage::Sure) != (detection.score.get() >= sure) {
                        continue;
                    }
                    if let Some(gain) = track.state.worth(detection, &self.settings, stage) {
                        self.candidates.push(Candidate { track: t, detection: d, gain });
                    }
                }
            }
            for (t, d) in best_matching(&self.candidates, self.tracks.len(), detections.len()) {
                (matched[t], taken[d]) = (Some(detections[d].bbox), true);
                self.tracks[t].state.update(&detections[d], &self.settings);
            }
        }
        for (track, seen) in self.tracks.iter_mut().zip(matched) {
            track.remember(seen);
        }
        taken
    }

    fn start_tracks(&mut self, at: MediaTime, detections: &[Detection], taken: &[bool]) {
        let followed = self.tracks.len();
        for (detection, _) in detections.iter().zip(taken).filter(|(_, taken)| !**taken) {
            if detection.score.get() < self.settings.score_new {
                continue;
            }
            // A second box around someone who is already followed is the detector's echo.
            let kind = Kind::of(detection.class);
            let echo = self.tracks[..followed].iter().any(|track| {
                track.state.last_seen == at
                    && track.state.kind == kind
                    && track.state.bbox().iou(&detection.bbox) > ECHO_IOU
            });
            if echo {
                continue;
            }
            if self.tracks.len() >= TRACKS_MAX {
                self.overflow += 1;
                continue;
            }
            let mut track = Track {
                state: State::new(TrackId(self.next_id), at, detection, &self.settings),
                history: Vec::new(),
            };
            self.next_id += 1;
            track.remember(Some(detection.bbox));
            self.tracks.push(track);
        }
    }

    /// Makes final what is older than the lag, in portions.
    fn finalize(&mut self, now: MediaTime, lag_s: f32) {
        let due = self.final_until.is_none_or(|until| now.seconds_since(until) >= lag_s + PORTION_S);
        if !due {
            return;
        }
        let until = now.plus_seconds(-lag_s);
        let from = self.final_until;
        let already = self.points.len();
        for track in &mut self.tracks {
            if !track.state.is_believed(&self.settings) {
                continue;
            }
            let q = track.state.q();
            smooth(&track.history, until, q, &mut self.smoothed);
            let class = track.state.class();
            self.points.extend(self.smoothed.iter().filter(|s| from.is_none_or(|from| s.at > from)).map(
                |s| TrackPoint {
                    track: track.state.id,
                    at: s.at,
                    bbox: ImageBox::from_left_top_width_height(
                        s.x - s.width / 2.0,
                        s.y - s.height,
                        s.width,
                        s.height,
                    ),
                    class,
                    score: Score::new(s.score),
                    seen: s.seen,
                },
            ));
        }
        self.points[already..].sort_by_key(|point| (point.at, point.track));
        self.final_until = Some(until);
        for track in &mut self.tracks {
            track.forget_before(until);
        }
    }
}

/// A track that is no more than a flicker yet ends after this many seconds unseen.
const FLICKER_UNSEEN_MAX_S: f32 = 0.7;

/// A lasting track was seen in at least this share of its looks when it began to count as one. Boxes of
/// nothing that happen to line up are not.
const SEEN_SHARE_MIN: f32 = 0.5;

/// How far something has moved when it has made a step, in sizes: 85 cm of a person.
const STEP: f32 = 0.5;

/// A new box that overlaps a followed one by more than this is an echo of it: the detectors' own
/// suppression works with .5 to .6 on raw boxes.
const ECHO_IOU: f32 = 0.5;

/// Gate of the squared distance in standard deviations: 1 in 3000 right pairs is missed
/// (chi-squared, two degrees of freedom). Weak detections must fit twice as well.
const GATE: f32 = 16.0;

/// What a pair is worth that fits without error at the least spread, as twice a log-likelihood ratio: against
/// something new in this place, of which there are in a look about 5 in an area of 1000 sizes².
const WORTH: f32 = 21.0;

/// Standard deviation of the logarithm of a box's size from look to look.
const SIZE_LOG_SD: f32 = 0.2;

/// The cost at which a size mismatch stops to tell: a person half hidden has half the height.
const SIZE_COST_MAX: f32 = 6.0;

/// A detector errs more where people meet than its jitter on free ones says.
const MATCH_JITTER_FACTOR: f32 = 1.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sure,
    Weak,
}

impl State {
    fn new(id: TrackId, at: MediaTime, detection: &Detection, settings: &TrackerSettings) -> Self {
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
        }
    }

    fn size(&self) -> f32 {
        size_px(self.kind, self.width, self.height)
    }

    /// Acceleration noise in px² / s³.
    fn q(&self) -> f32 {
        self.kind.acceleration_density() * self.size().powi(2)
    }

    fn bbox(&self) -> ImageBox {
        ImageBox::from_left_top_width_height(
            self.x.position - self.width / 2.0,
            self.y.position - self.height,
            self.width,
            self.height,
        )
    }

    fn class(&self) -> Class {
        let best = (0..Class::COUNT).max_by(|&a, &b| self.votes[a].total_cmp(&self.votes[b]));
        best.and_then(Class::from_index).unwrap_or(Class::Person)
    }

    /// Whether this is something in the street, and not the detector's fancy.
    fn is_believed(&self, settings: &TrackerSettings) -> bool {
        let mean_score = self.votes.iter().sum::<f32>() / f32::from(self.sightings);
        let needed = if self.moved { settings.score_new } else { settings.score_still };
        self.lasting && mean_score >= needed
    }

    fn predict(&mut self, at: MediaTime) {
        let (dt_s, q) = (at.seconds_since(self.at), self.q());
        self.x = self.x.predicted(dt_s, q);
        self.y = self.y.predicted(dt_s, q);
        self.at = at;
        self.looks = self.looks.saturating_add(1);
    }

    /// What it is worth to say that this detection is this track; `None` beyond the gate.
    fn worth(&self, detection: &Detection, settings: &TrackerSettings, stage: Stage) -> Option<f32> {
        let unseen_s = self.at.seconds_since(self.last_seen);
        if Kind::of(detection.class) != self.kind || unseen_s > settings.unseen_max_s {
            return None;
        }
        let size = self.size();
        let foot = detection.bbox.foot();
        let dx = foot.x_px - self.x.position;
        // Legs are hidden behind others more often than heads: whichever end of the box fits better tells.
        let by_foot = foot.y_px - self.y.position;
        let by_head = detection.bbox.top - (self.y.position - self.height);
        let dy = if by_head.abs() < by_foot.abs() { by_head } else { by_foot };
        let noise = 2.0 * (MATCH_JITTER_FACTOR * settings.jitter * size).powi(2);
        let (sx, sy) = (self.x.var_p + noise, self.y.var_p + noise);
        let distance2 = dx * dx / sx + dy * dy / sy;
        let gate = if stage == Stage::Sure { GATE } else { GATE / 2.0 };
        if distance2.is_nan() || distance2 > gate {
            return None;
        }
        let detected = size_px(self.kind, detection.bbox.width, detection.bbox.height);
        let mismatch = (detected / size).ln() / SIZE_LOG_SD;
        let cost = distance2 + (mismatch * mismatch).min(SIZE_COST_MAX);
        // A long-lost track is spread wide and explains everything a little: its spread is its price.
        let spread = (sx * sy).sqrt() / (size * settings.jitter).powi(2);
        let worth = WORTH - cost - 2.0 * spread.ln();
        (worth > 0.0).then_some(worth)
    }

    fn update(&mut self, detection: &Detection, settings: &TrackerSettings) {
        let (bbox, foot) = (detection.bbox, detection.bbox.foot());
        let variance = (settings.jitter * self.size()).powi(2);
        self.x = self.x.updated(foot.x_px, huber_variance(&self.x, foot.x_px, variance));
        self.y = self.y.updated(foot.y_px, huber_variance(&self.y, foot.y_px, variance));
        let memory = 1.0 - (-self.at.seconds_since(self.last_seen) / SIZE_MEMORY_S).exp();
        let share = memory.max(1.0 / (f32::from(self.sightings) + 1.0));
        self.width += share * (bbox.width - self.width);
        self.height += share * (bbox.height - self.height);
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
    fn renew(&mut self, id: TrackId) {
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
    fn remember(&mut self, seen: Option<ImageBox>) {
        let State { at, x, y, score, .. } = self.state;
        let (width, height) =
            seen.map_or((self.state.width, self.state.height), |bbox| (bbox.width, bbox.height));
        if self.history.len() >= HISTORY_MAX {
            self.history.remove(0);
        }
        self.history.push(Moment { at, x, y, width, height, score, seen: seen.is_some() });
    }

    /// Drops what no later decision reads: all but half a second before the final moment.
    fn forget_before(&mut self, until: MediaTime) {
        let keep_from = until.plus_seconds(-0.5);
        let keep = self.history.partition_point(|moment| moment.at < keep_from);
        self.history.drain(..keep);
    }
}

fn size_px(kind: Kind, width: f32, height: f32) -> f32 {
    match kind {
        Kind::Pedestrian | Kind::TwoWheeler => height,
        Kind::Vehicle => (width * height).sqrt(),
    }
}
