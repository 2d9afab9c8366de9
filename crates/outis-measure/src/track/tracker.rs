//! The life of tracks: predicted, matched, started, believed, ended.
//!
//! Matching weighs each pair by its likelihood under the track's own uncertainty, so that the same
//! constants serve 5 and 30 looks a second. Weak detections only continue tracks (ByteTrack, Zhang et al.
//! 2022). Positions become final after a lag, smoothed by what came later.

use outis_record::Class;

use super::{
    assign::{Candidate, best_matching},
    history::{Smoothed, smooth},
    join::{echoed, worth_joining},
    settings::{DETECTIONS_MAX, Kind, PORTION_S, TRACKS_MAX, TrackerSettings},
    state::{Stage, State, Track},
};
use crate::{Detection, ImageBox, ImagePoint, MediaTime, Score};

/// The number of a track. It dies with the track and is never stored or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(u64);

impl TrackId {
    #[cfg(test)]
    pub(crate) fn nth(number: u64) -> Self {
        Self(number)
    }

    /// The number, for measuring tools.
    pub fn number(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(crate) fn for_test(number: u64) -> Self {
        Self(number)
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
    /// Which track.
    pub track: TrackId,
    /// Expected box.
    pub bbox: ImageBox,
    /// What it was seen as most.
    pub class: Class,
    /// Standard deviation of its place, in pixels.
    pub spread_px: f32,
    /// Seconds since it was last seen, at the newest look.
    pub unseen_s: f32,
    /// Whether it was seen often enough to be more than a flicker.
    pub lasting: bool,
}

/// Someone or something that is believed to be there at the newest look, where it then was as far as is known by then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Present {
    pub(crate) track: TrackId,
    pub(crate) foot: ImagePoint,
    pub(crate) class: Class,
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
    joins: Vec<(TrackId, TrackId)>,
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
            joins: Vec::new(),
            overflow: 0,
            candidates: Vec::new(),
            smoothed: Vec::new(),
        }
    }

    /// Says how large the picture is that boxes are given in.
    pub(crate) fn set_picture_px(&mut self, picture_px: (f32, f32)) {
        self.settings.picture_px = Some(picture_px);
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
        self.join_lost(at, JOIN_AFTER_S);
        self.finalize(at, self.settings.lag_s);
    }

    /// Ends every track: the source is over.
    pub fn finish(&mut self) {
        if let Some(now) = self.now {
            self.join_lost(now, 0.0);
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
                track: state.id,
                class: state.class(),
                bbox: moved.bbox(),
                spread_px: x.var_p.max(y.var_p).max(0.0).sqrt(),
                unseen_s: state.at.seconds_since(state.last_seen),
                lasting: state.lasting,
            }
        };
        self.tracks.iter().map(prediction).collect()
    }

    /// All that is believed to be there at the newest look, and was seen within so many seconds. Not smoothed: for what
    /// cannot wait.
    pub(crate) fn present(&self, unseen_max_s: f32) -> impl Iterator<Item = Present> {
        let states = self.tracks.iter().map(|track| &track.state);
        let there = states.filter(move |state| {
            let unseen_s = state.at.seconds_since(state.last_seen);
            unseen_s <= unseen_max_s && !state.gone && state.is_believed(&self.settings)
        });
        there.map(|state| Present {
            track: state.id,
            foot: ImagePoint::new(state.x.position, state.y.position),
            class: state.class(),
        })
    }

    /// Tracks that have got a new number since the last call, as (old, new).
    pub(crate) fn take_renewals(&mut self) -> Vec<(TrackId, TrackId)> {
        std::mem::take(&mut self.renewals)
    }

    /// Tracks that turned out to be an earlier one since the last call, as (earlier, its second number).
    pub(crate) fn take_joins(&mut self) -> Vec<(TrackId, TrackId)> {
        std::mem::take(&mut self.joins)
    }

    /// How many objects went beyond the limits since the last call.
    pub fn take_overflow(&mut self) -> u32 {
        std::mem::take(&mut self.overflow)
    }

    fn end_lost(&mut self, at: MediaTime) {
        let (settings, final_until) = (self.settings, self.final_until);
        // A flicker is given up sooner, lest it catch a passer-by. What lasts without convincing is not: furniture that
        // someone hides for a second shall go on as itself, and not as the one who went by.
        self.tracks.retain(|Track { state, .. }| {
            let unseen_s = at.seconds_since(state.last_seen);
            if !state.lasting {
                return unseen_s <= FLICKER_UNSEEN_MAX_S.min(settings.unseen_max_s);
            }
            // Its last positions are still owed, even if it can no longer be continued.
            state.may_go_on(&settings) || final_until.is_some_and(|until| state.last_seen > until)
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

    /// Matches sure detections first, then lets weak ones continue the tracks that are left, then sure ones nearby.
    fn match_detections(&mut self, detections: &[Detection]) -> Vec<bool> {
        let mut taken = vec![false; detections.len()];
        let mut matched: Vec<Option<ImageBox>> = vec![None; self.tracks.len()];
        let sure = self.settings.score_new;
        for stage in [Stage::Sure, Stage::Weak, Stage::Near] {
            self.candidates.clear();
            for (t, track) in self.tracks.iter().enumerate().filter(|(t, _)| matched[*t].is_none()) {
                for (d, detection) in detections.iter().enumerate().filter(|(d, _)| !taken[*d]) {
                    if (stage == Stage::Weak) == (detection.score.get() >= sure) {
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
            track.state.gone |= seen.is_none() && track.state.is_beyond(self.settings.picture_px);
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

    /// Joins tracks that began in the last moments to tracks that were lost before.
    ///
    /// A new track gets `after_s` seconds to show whence it came, less when the lost one is about to be given up.
    fn join_lost(&mut self, now: MediaTime, after_s: f32) {
        self.candidates.clear();
        for (n, new) in self.tracks.iter().enumerate() {
            let first_seen = new.state.first_seen;
            // Of what has been told nothing can be taken back.
            let told = self.final_until.is_some_and(|until| until >= first_seen);
            if told || !new.state.lasting || new.history.first().is_none_or(|moment| moment.at != first_seen)
            {
                continue;
            }
            for (l, lost) in self.tracks.iter().enumerate() {
                let may = lost.state.lasting && !lost.state.gone && lost.state.kind == new.state.kind;
                if may && (lost.state.last_seen < first_seen || echoed(lost, new)) {
                    let gain = worth_joining(lost, new, &self.settings);
                    self.candidates.extend(gain.map(|gain| Candidate { track: l, detection: n, gain }));
                }
            }
        }
        if self.candidates.is_empty() {
            return;
        }
        let mut joined = Vec::new();
        for (l, n) in best_matching(&self.candidates, self.tracks.len(), self.tracks.len()) {
            let age_s = now.seconds_since(self.tracks[n].state.first_seen);
            let unseen_s = now.seconds_since(self.tracks[l].state.last_seen);
            if age_s >= after_s || unseen_s >= self.settings.unseen_max_s - LAST_CALL_S {
                let new = self.tracks[n].clone();
                self.tracks[l].take_over(&new, &self.settings);
                joined.push(self.tracks[n].state.id);
                self.joins.push((self.tracks[l].state.id, new.state.id));
            }
        }
        self.tracks.retain(|track| !joined.contains(&track.state.id));
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
                    bbox: ImageBox::standing_on(ImagePoint::new(s.x, s.y), s.width, s.height),
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

/// A new box that overlaps a followed one by more than this is an echo of it: the detectors' own
/// suppression works with .5 to .6 on raw boxes.
const ECHO_IOU: f32 = 0.5;

/// How long a new track may show its own motion before it is joined to a lost one, in seconds. It has been told
/// to nobody before the lag of [`TrackerSettings`] is over.
const JOIN_AFTER_S: f32 = 0.8;

/// A lost track that ends before the next look of a slow detector (4 a second) is joined now or never.
const LAST_CALL_S: f32 = 0.25;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Five looks a second for eight seconds at people 100 px tall and 30 px wide, of whom the detector sees what is
    /// within a picture 768 px wide: how many tracks there are.
    fn check(name: &str, expected: usize, feet_at: impl Fn(f32) -> Vec<f32>) {
        let mut tracker =
            Tracker::new(TrackerSettings { picture_px: Some((768.0, 576.0)), ..TrackerSettings::default() });
        let mut numbers = BTreeSet::new();
        for look in 0..40 {
            let at_s = look as f32 / 5.0;
            let seen = feet_at(at_s).into_iter().filter_map(|x| {
                let (left, right) = ((x - 15.0).max(0.0), (x + 15.0).min(768.0));
                let bbox = ImageBox::from_left_top_right_bottom(left, 200.0, right, 300.0);
                (right - left > 8.0).then_some(Detection {
                    bbox,
                    class: Class::Person,
                    score: Score::new(0.8),
                })
            });
            tracker.look(MediaTime::from_seconds(f64::from(at_s)), &seen.collect::<Vec<_>>());
            numbers.extend(tracker.take_points().iter().map(|point| point.track.number()));
        }
        tracker.finish();
        numbers.extend(tracker.take_points().iter().map(|point| point.track.number()));
        assert_eq!(numbers.len(), expected, "{name}");
    }

    #[test]
    fn who_has_left_the_picture_is_gone() {
        let hidden = |from: f32, to: f32, t: f32, x: f32| if t > from && t < to { vec![] } else { vec![x] };
        check("goes out on the right", 1, |t| vec![600.0 + 80.0 * t]);
        check("another comes in where one has gone out", 2, |t| match t {
            t if t < 3.0 => vec![600.0 + 80.0 * t],
            t => vec![780.0 - 80.0 * (t - 3.0)],
        });
        check("the same on the left", 2, |t| match t {
            t if t < 3.0 => vec![168.0 - 80.0 * t],
            t => vec![-12.0 + 80.0 * (t - 3.0)],
        });
        check("is hidden near the border, on the way in", 1, |t| hidden(1.0, 2.1, t, 740.0 - 80.0 * t));
        check("stands at the border, hidden for a moment", 1, |t| hidden(3.0, 4.5, t, 764.0));
    }
}
