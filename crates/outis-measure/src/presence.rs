//! Where people were, as well as can be known some seconds later: smoothed by what came before and after, and present
//! while somebody nearer to the camera hid them.
//!
//! Detectors miss whom another person hides, and those are near to others more often than anybody else. A count of
//! neighbours that takes them for absent is too low by a tenth. So who vanishes where a nearer box covers the place
//! is taken to have walked on behind it, and who appears from behind one to have come from there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{GroundPlane, GroundPoint, ImageBox, ImagePoint, MediaTime, TrackId, Zone};

/// Positions are smoothed with what came so long before and after, in seconds: two strides. In that time people keep
/// their direction; what detectors get wrong about a foot has changed (correlation 0.45 after half a second).
const SMOOTH_S: f32 = 0.8;

/// A velocity is taken over so long, in seconds.
const VELOCITY_S: f32 = 1.2;

/// Nobody is thought to be hidden for longer, in seconds: at 1.3 m/s, 5 m of a straight way.
const HIDDEN_MAX_S: f32 = 4.0;

/// Whoever is covered to this share is hidden: fewer than half of those are found by detectors (Zhang, Benenson and
/// Schiele 2017, CityPersons: heavy occlusion begins at a visible share of 0.65).
const HIDDEN_SHARE: f32 = 0.5;

/// In plain sight nobody is missed for longer, in seconds.
const OVERLOOKED_MAX_S: f32 = 0.5;

/// Two people are not nearer than this: the width of the body ellipse of Fruin (1971), in metres.
const SAME_M: f32 = 0.6;

/// After so long a position is known as well as it ever will be, in seconds: who appears then has shown whence.
const SETTLED_S: f32 = VELOCITY_S + HIDDEN_MAX_S + 0.2;

/// Nobody is followed for longer, in seconds, also not from track to track: see [`crate::TrackerSettings::age_max_s`].
const FOLLOWED_MAX_S: f32 = 600.0;

/// The most looks that wait; more often than every 0.18 s no look comes here.
const LOOKS_MAX: usize = 64;

/// One person at a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub(crate) track: TrackId,
    pub(crate) bbox: ImageBox,
    pub(crate) position: GroundPoint,
    /// The zones in which they are, a bit each.
    pub(crate) zones: u64,
    /// How fast they go, in metres per second; as it is known in the end.
    pub(crate) speed_m_s: f32,
    /// Behind somebody, and so not seen but supposed.
    pub(crate) hidden: bool,
    smoothed: GroundPoint,
}

impl Seen {
    pub(crate) fn new(track: TrackId, bbox: ImageBox, position: GroundPoint, zones: u64) -> Self {
        Self { track, bbox, position, zones, speed_m_s: 0.0, hidden: false, smoothed: position }
    }
}

/// Everybody at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) at: MediaTime,
    /// For how long the moment stands.
    pub(crate) span_ms: u64,
    pub(crate) people: Vec<Seen>,
    is_smooth: bool,
}

/// From when to when somebody was seen.
#[derive(Debug, Clone, Copy)]
struct Life {
    first: MediaTime,
    last: MediaTime,
    whence_known: bool,
    whither_known: bool,
}

/// Looks whose positions are settling.
#[derive(Debug)]
pub(crate) struct Presence {
    plane: GroundPlane,
    zones: Vec<Zone>,
    looks: VecDeque<Look>,
    lives: BTreeMap<TrackId, Life>,
    /// Tracks that go on where another was lost.
    same: BTreeMap<TrackId, Same>,
    /// Numbers that somebody got who had been followed for long enough.
    renewed: BTreeSet<TrackId>,
}

/// The first number of a person, and since when it is theirs.
#[derive(Debug, Clone, Copy)]
struct Same {
    first: TrackId,
    since: MediaTime,
}

impl Presence {
    pub(crate) fn new(plane: GroundPlane, zones: Vec<Zone>) -> Self {
        Self {
            plane,
            zones,
            looks: VecDeque::new(),
            lives: BTreeMap::new(),
            same: BTreeMap::new(),
            renewed: BTreeSet::new(),
        }
    }

    /// Takes the people of a look; hands out looks that have settled, the oldest first.
    pub(crate) fn look(&mut self, at: MediaTime, span_ms: u64, people: Vec<Seen>, settled: &mut Vec<Look>) {
        for seen in &people {
            let whence_known = self.renewed.remove(&seen.track);
            let born = Life { first: at, last: at, whence_known, whither_known: false };
            self.lives.entry(seen.track).or_insert(born).last = at;
        }
        self.looks.push_back(Look { at, span_ms, people, is_smooth: false });
        self.smooth(at.plus_seconds(-SMOOTH_S));
        self.trace(at);
        let old = |look: &mut Look| at.seconds_since(look.at) >= SETTLED_S;
        while let Some(look) = self.looks.pop_front_if(old) {
            settled.push(look.settled(&self.same));
        }
        if self.looks.len() > LOOKS_MAX {
            settled.extend(self.looks.pop_front().map(|look| look.settled(&self.same)));
        }
    }

    /// Hands out all looks as they are known now.
    pub(crate) fn flush(&mut self, settled: &mut Vec<Look>) {
        let Some(newest) = self.looks.back().map(|look| look.at) else { return };
        self.smooth(newest);
        self.trace(newest.plus_seconds(HIDDEN_MAX_S));
        settled.extend(self.looks.drain(..).map(|look| look.settled(&self.same)));
    }

    /// Somebody has got a new number because they were followed for long enough: it is not tied to the old one.
    pub(crate) fn renew(&mut self, new: TrackId) {
        self.renewed.insert(new);
    }

    /// Forgets the tracks that have ended, once their looks have settled.
    pub(crate) fn retire(&mut self, now: MediaTime, alive: impl Fn(TrackId) -> bool) {
        let settled = |last: MediaTime| now.seconds_since(last) > 2.0 * SETTLED_S;
        self.lives.retain(|&track, life| alive(track) || !settled(life.last));
        let lives = &self.lives;
        self.same.retain(|track, _| lives.contains_key(track));
        self.renewed.retain(|&track| alive(track));
    }

    /// Smooths the looks up to a moment: a straight line through the positions around each (least squares).
    fn smooth(&mut self, until: MediaTime) {
        for index in 0..self.looks.len() {
            if self.looks[index].is_smooth || self.looks[index].at > until {
                continue;
            }
            let at = self.looks[index].at;
            for person in 0..self.looks[index].people.len() {
                let Seen { track, hidden: false, .. } = self.looks[index].people[person] else { continue };
                let near = |look: &&Look| look.at.seconds_since(at).abs() <= SMOOTH_S + 0.01;
                let line = Line::through(self.looks.iter().filter(near), track, at);
                if let Some(line) = line {
                    let seen = &mut self.looks[index].people[person];
                    (seen.smoothed, seen.speed_m_s) = (line.position, line.speed_m_s());
                }
            }
            self.looks[index].is_smooth = true;
        }
    }

    /// Follows those who have shown whence they came, or are gone for long enough, behind others.
    fn trace(&mut self, now: MediaTime) {
        let mut due = Vec::new();
        for (&track, life) in &mut self.lives {
            let lasting = life.last.seconds_since(life.first) >= VELOCITY_S - 0.01;
            let gone = now.seconds_since(life.last) >= HIDDEN_MAX_S;
            if lasting && !life.whence_known {
                life.whence_known = true;
                due.push((track, false));
            }
            if lasting && gone && !life.whither_known {
                life.whither_known = true;
                due.push((track, true));
            }
        }
        for (track, ahead) in due {
            let (hidden, met) = self.hidden(track, ahead);
            for (index, seen) in hidden {
                self.looks[index].people.push(seen);
            }
            if let (Some(other), false) = (met, ahead) {
                let since = self.lives.get(&other).map_or(now, |life| life.first);
                let first = self.same.get(&other).copied().unwrap_or(Same { first: other, since });
                self.same.insert(track, first);
            }
        }
    }

    /// Where somebody must have been while others hid them: after they were last seen, or before they first were. And
    /// whom they then turn out to be.
    fn hidden(&self, track: TrackId, ahead: bool) -> (Vec<(usize, Seen)>, Option<TrackId>) {
        let (mut found, mut pending) = (Vec::new(), Vec::new());
        let Some(life) = self.lives.get(&track) else { return (found, None) };
        let end = if ahead { life.last } else { life.first };
        let Ok(from) = self.looks.binary_search_by_key(&end, |look| look.at) else { return (found, None) };
        let Some(&last) = self.looks[from].people.iter().find(|seen| seen.track == track) else {
            return (found, None);
        };
        let around = |look: &&Look| look.at.seconds_since(end).abs() <= VELOCITY_S + 0.01;
        let Some(line) = Line::through(self.looks.iter().filter(around), track, end) else {
            return (found, None);
        };
        let way: Vec<usize> =
            if ahead { (from + 1..self.looks.len()).collect() } else { (0..from).rev().collect() };
        let (mut foot, mut overlooked_since) = (last.bbox.foot(), end);
        for index in way {
            let look = &self.looks[index];
            let after_s = look.at.seconds_since(end);
            if after_s.abs() > HIDDEN_MAX_S {
                break;
            }
            let position = GroundPoint {
                x_m: last.smoothed.x_m + line.velocity.0 * after_s,
                y_m: last.smoothed.y_m + line.velocity.1 * after_s,
            };
            let Some(there) = find_foot(&self.plane, foot, position) else { break };
            foot = there;
            // Somebody who stands there and was not there before is the same person with another number.
            let is_same = |seen: &&Seen| {
                let known = self.lives.get(&seen.track).is_some_and(|other| match ahead {
                    true => other.first.seconds_since(end) > -OVERLOOKED_MAX_S,
                    false => other.last.seconds_since(end) < OVERLOOKED_MAX_S,
                });
                known && seen.track != track && seen.position.distance_m(position) < SAME_M
            };
            if let Some(same) = look.people.iter().find(is_same) {
                return (found, Some(same.track));
            }
            let Some(scale) = scale_between(&self.plane, last.bbox.foot(), foot) else { break };
            let bbox = ImageBox::standing_on(foot, last.bbox.width * scale, last.bbox.height * scale);
            let seen = Seen {
                track,
                bbox,
                position,
                zones: zones_at(&self.zones, foot),
                speed_m_s: line.speed_m_s(),
                hidden: true,
                smoothed: position,
            };
            pending.push((index, seen));
            if covered_share(bbox, look, track) >= HIDDEN_SHARE {
                overlooked_since = look.at;
                found.append(&mut pending);
            } else if look.at.seconds_since(overlooked_since).abs() > OVERLOOKED_MAX_S {
                break;
            }
        }
        (found, None)
    }
}

impl Look {
    /// The look with its final positions, each person once and by their first number.
    fn settled(mut self, same: &BTreeMap<TrackId, Same>) -> Self {
        let mut known = BTreeSet::new();
        self.people.retain_mut(|seen| {
            let young = |same: &&Same| self.at.seconds_since(same.since) <= FOLLOWED_MAX_S;
            seen.track = same.get(&seen.track).filter(young).map_or(seen.track, |same| same.first);
            seen.position = seen.smoothed;
            known.insert(seen.track)
        });
        self
    }
}

/// A straight way.
#[derive(Debug, Clone, Copy)]
struct Line {
    position: GroundPoint,
    /// In metres per second, along both axes.
    velocity: (f32, f32),
}

impl Line {
    fn speed_m_s(&self) -> f32 {
        self.velocity.0.hypot(self.velocity.1)
    }

    /// The straight way through the positions at which somebody was seen, and where it is at a moment.
    fn through<'a>(looks: impl Iterator<Item = &'a Look>, track: TrackId, at: MediaTime) -> Option<Self> {
        let (mut n, mut t, mut tt, mut x, mut y, mut tx, mut ty) = (0.0f32, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for look in looks {
            let Some(seen) = look.people.iter().find(|seen| seen.track == track && !seen.hidden) else {
                continue;
            };
            let s = look.at.seconds_since(at);
            let GroundPoint { x_m, y_m } = seen.position;
            (n, t, tt) = (n + 1.0, t + s, tt + s * s);
            (x, y, tx, ty) = (x + x_m, y + y_m, tx + s * x_m, ty + s * y_m);
        }
        let spread = n * tt - t * t;
        if n < 1.0 {
            return None;
        }
        let slope = |sum: f32, moment: f32| if spread > 1e-3 { (n * moment - t * sum) / spread } else { 0.0 };
        let (vx, vy) = (slope(x, tx), slope(y, ty));
        let position = GroundPoint { x_m: (x - vx * t) / n, y_m: (y - vy * t) / n };
        Some(Self { position, velocity: (vx, vy) })
    }
}

/// The point of the picture where a ground point is, searched from a point near it (Newton's method).
fn find_foot(plane: &GroundPlane, near: ImagePoint, ground: GroundPoint) -> Option<ImagePoint> {
    let mut point = near;
    for _ in 0..8 {
        let here = plane.locate(point)?;
        let [ax, ay] = step(plane, point, 1.0, 0.0)?;
        let [bx, by] = step(plane, point, 0.0, 1.0)?;
        let determinant = ax * by - bx * ay;
        if determinant.abs() < 1e-9 {
            return None;
        }
        let (dx, dy) = (ground.x_m - here.x_m, ground.y_m - here.y_m);
        point.x_px += ((by * dx - bx * dy) / determinant).clamp(-100.0, 100.0);
        point.y_px += ((ax * dy - ay * dx) / determinant).clamp(-100.0, 100.0);
        if dx.hypot(dy) < 0.02 {
            return Some(point);
        }
    }
    None
}

/// How far on the ground a step in the picture leads, per pixel.
fn step(plane: &GroundPlane, from: ImagePoint, dx_px: f32, dy_px: f32) -> Option<[f32; 2]> {
    let (a, b) = (plane.locate(from)?, plane.locate(ImagePoint::new(from.x_px + dx_px, from.y_px + dy_px))?);
    Some([b.x_m - a.x_m, b.y_m - a.y_m])
}

/// How many times as large somebody looks who goes from one point of the picture to another.
fn scale_between(plane: &GroundPlane, from: ImagePoint, to: ImagePoint) -> Option<f32> {
    let metres = |point| step(plane, point, 1.0, 0.0).map(|[x, y]| x.hypot(y));
    let scale = metres(from)? / metres(to)?;
    (0.2..5.0).contains(&scale).then_some(scale)
}

fn zones_at(zones: &[Zone], foot: ImagePoint) -> u64 {
    let inside = zones.iter().take(64).enumerate().filter(|(_, zone)| zone.depth_px(foot) > 0.0);
    inside.fold(0, |zones, (index, _)| zones | 1 << index)
}

/// The share of a box that boxes of nearer people cover, by a grid of points.
fn covered_share(bbox: ImageBox, look: &Look, track: TrackId) -> f32 {
    const SIDE: u8 = 8;
    let nearer = |seen: &&Seen| seen.track != track && !seen.hidden && seen.bbox.bottom() > bbox.bottom();
    let covers: Vec<ImageBox> = look.people.iter().filter(nearer).map(|seen| seen.bbox).collect();
    let middle = |index: u8| (f32::from(index) + 0.5) / f32::from(SIDE);
    let points = (0..SIDE).flat_map(|i| (0..SIDE).map(move |j| (middle(i), middle(j))));
    let covered = points.filter(|(x, y)| {
        let (x, y) = (bbox.left + x * bbox.width, bbox.top + y * bbox.height);
        covers.iter().any(|b| (b.left..=b.right()).contains(&x) && (b.top..=b.bottom()).contains(&y))
    });
    covered.count() as f32 / f32::from(SIDE * SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera that sees 10 px to the metre across and 50 px to the metre along, whatever the distance.
    fn plane() -> GroundPlane {
        let corners = [(0.0, 0.0), (40.0, 0.0), (40.0, 10.0), (0.0, 10.0)];
        let image = corners.map(|(x, y)| ImagePoint::new(10.0 * x, 500.0 - 50.0 * y));
        GroundPlane::from_points(image, corners.map(|(x_m, y_m)| GroundPoint { x_m, y_m })).unwrap()
    }

    /// Somebody at a place on the ground; 9 px wide and 20 px high.
    fn seen(number: u64, x_m: f32, y_m: f32) -> Seen {
        let foot = ImagePoint::new(10.0 * x_m, 500.0 - 50.0 * y_m);
        let position = GroundPoint { x_m, y_m };
        Seen::new(TrackId::for_test(number), ImageBox::standing_on(foot, 9.0, 20.0), position, 0)
    }

    /// What comes out when at each look, five in a second, these people are seen.
    fn play(looks: u16, people: impl Fn(f32) -> Vec<Seen>) -> Vec<Look> {
        let (mut presence, mut settled) = (Presence::new(plane(), Vec::new()), Vec::new());
        for look in 0..looks {
            let second = f32::from(look) / 5.0;
            presence.look(MediaTime::from_seconds(second.into()), 200, people(second), &mut settled);
        }
        presence.flush(&mut settled);
        settled
    }

    fn of(settled: &[Look], number: u64) -> Vec<&Seen> {
        let track = TrackId::for_test(number);
        settled.iter().flat_map(|look| look.people.iter().filter(move |seen| seen.track == track)).collect()
    }

    #[test]
    fn who_walks_behind_another_is_still_there() {
        // Two walk side by side, 20 cm apart along the view; the farther one is seen from 4 s to 8 s only.
        let settled = play(60, |second| {
            let mut people = vec![seen(1, 1.2 * second, 5.0)];
            people.extend((4.0..8.0).contains(&second).then(|| seen(2, 1.2 * second, 5.2)));
            people
        });
        assert_eq!((of(&settled, 1).len(), of(&settled, 2).len()), (60, 60), "four seconds before and after");
        for (near, far) in of(&settled, 1).into_iter().zip(of(&settled, 2)) {
            assert!((near.position.distance_m(far.position) - 0.2).abs() < 0.05, "{near:?} {far:?}");
        }
    }

    #[test]
    fn who_is_seen_again_by_another_number_is_the_same() {
        let settled = play(60, |second| {
            let mut people = vec![seen(1, 1.2 * second, 5.0)];
            let number = if second < 4.0 { 2 } else { 3 };
            people.extend((!(4.0..6.0).contains(&second)).then(|| seen(number, 1.2 * second, 5.2)));
            people
        });
        assert_eq!((of(&settled, 2).len(), of(&settled, 3).len()), (60, 0));
    }

    #[test]
    fn who_leaves_in_plain_sight_is_gone() {
        let settled = play(60, |second| {
            let mut people = vec![seen(1, 1.2 * second, 5.0)];
            people.extend((second < 4.0).then(|| seen(2, 1.2 * second, 7.0)));
            people
        });
        assert_eq!(of(&settled, 2).len(), 20);
    }

    #[test]
    fn a_new_number_after_ten_minutes_is_not_tied_to_the_old_one() {
        let (mut presence, mut settled) = (Presence::new(plane(), Vec::new()), Vec::new());
        presence.renew(TrackId::for_test(2));
        for look in 0..100u16 {
            let number = if look < 50 { 1 } else { 2 };
            let at = MediaTime::from_seconds(f64::from(look) / 5.0);
            presence.look(at, 200, vec![seen(number, 5.0, 5.0)], &mut settled);
        }
        presence.flush(&mut settled);
        assert_eq!((of(&settled, 1).len(), of(&settled, 2).len()), (50, 50));
    }

    #[test]
    fn nobody_is_followed_for_longer_from_track_to_track() {
        // A new number each five minutes, out of sight for a moment.
        let settled = play(4500, |second| vec![seen(1 + (second / 300.0) as u64, 5.0, 5.0)]);
        let longest = (1..=3).map(|number| of(&settled, number).len()).max();
        assert!(longest.is_some_and(|looks| looks <= 5 * 600 + 1), "{longest:?}");
    }

    #[test]
    fn feet_are_smoothed() {
        let jitter = |second: f32| 0.1 * (7.0 * second).sin();
        let settled = play(60, |second| vec![seen(1, 1.2 * second + jitter(second), 5.0)]);
        let error = |(look, seen): (usize, &&Seen)| (seen.position.x_m - 0.24 * look as f32).powi(2);
        let people = of(&settled, 1);
        let mean2 = people.iter().enumerate().map(error).sum::<f32>() / people.len() as f32;
        assert!(mean2.sqrt() < 0.035, "{}", mean2.sqrt());
        assert!(people.iter().all(|seen| (seen.speed_m_s - 1.2).abs() < 0.3));
    }
}
