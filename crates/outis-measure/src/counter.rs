//! From tracks to events: passages over lines, visits to zones, journeys between them.

use std::collections::BTreeMap;

use outis_record::{Class, LineIndex, Place, ZoneIndex};

use crate::{
    MaskSettings, MediaTime, Scene, TrackId, TrackPoint,
    border::{Border, BorderSettings, Change, Reading},
    contribution::Contribution,
    mask::{Mask, Votes},
};

/// How counting decides. See [`BorderSettings`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CounterSettings {
    /// When a change of sides is certain.
    pub border: BorderSettings,
    /// Whether each passage adds no more than [`outis_record::PassageBounds`], so that noise can hide it.
    pub bounded: bool,
    /// How faces are judged; `None` where nobody asks.
    pub masks: Option<MaskSettings>,
}

/// The depth beyond a border that is meant, in body heights: about 10 cm of a person.
const DEPTH_MIN_HEIGHTS: f32 = 0.06;

/// The same where a ground plane is known, in metres.
const DEPTH_MIN_M: f32 = 0.10;

/// How far past the end of a line still counts as its end, in body heights: the foot is not known better.
const END_SLACK_HEIGHTS: f32 = 0.02;

/// Something that has surely happened, once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Event {
    Crossed {
        line: LineIndex,
        forward: bool,
        class: Class,
    },
    Entered {
        zone: ZoneIndex,
        class: Class,
    },
    Left {
        zone: ZoneIndex,
        class: Class,
    },
    Dwelt {
        zone: ZoneIndex,
        class: Class,
        dwell_ms: u64,
    },
    Travelled {
        from: Place,
        to: Place,
        class: Class,
    },
    /// Somebody has gone, and was seen in the face or not.
    Masked {
        mask: Mask,
        class: Class,
    },
}

/// What is remembered of one track.
#[derive(Debug, Default)]
struct Passer {
    lines: Vec<Border>,
    zones: Vec<Stay>,
    first: Option<Place>,
    latest: Option<Place>,
    class: Option<Class>,
    at: MediaTime,
    /// None when passages are not bounded.
    contribution: Option<Contribution>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stay {
    border: Border,
    since: Option<MediaTime>,
}

/// Counts one camera's tracks.
#[derive(Debug)]
pub(crate) struct Counter {
    scene: Scene,
    settings: CounterSettings,
    passers: BTreeMap<TrackId, Passer>,
    pub(crate) votes: Votes,
}

impl Counter {
    pub(crate) fn new(scene: Scene, settings: CounterSettings) -> Self {
        Self { scene, settings, passers: BTreeMap::new(), votes: Votes::default() }
    }

    /// Takes the next final position of a track.
    pub(crate) fn observe(&mut self, point: &TrackPoint, events: &mut Vec<Event>) {
        let (scene, settings) = (&self.scene, &self.settings.border);
        let passer = self.passers.entry(point.track).or_insert_with(|| Passer {
            lines: vec![Border::default(); scene.lines.len()],
            zones: vec![Stay::default(); scene.zones.len()],
            contribution: self.settings.bounded.then(Contribution::default),
            ..Passer::default()
        });
        let class = point.class;
        (passer.class, passer.at) = (Some(class), point.at);
        for (line, index) in (0..scene.lines.len()).zip(0u16..) {
            let reading = line_reading(scene, line, point);
            if let Some(change) = passer.lines[line].observe(point.at, reading, settings) {
                let forward = change == Change::Forward;
                let place = Place::Line(LineIndex(index));
                if passer.may_raise(place, forward) {
                    events.push(Event::Crossed { line: LineIndex(index), forward, class });
                }
                passer.visit(place);
            }
        }
        for (zone, index) in (0..scene.zones.len()).zip(0u16..) {
            let reading = zone_reading(scene, zone, point);
            let stay = &mut passer.zones[zone];
            let change = stay.border.observe(point.at, reading, settings);
            let zone = ZoneIndex(index);
            match (change, stay.since, stay.border.is_positive()) {
                (_, None, true) => {
                    stay.since = Some(point.at);
                    passer.visit(Place::Zone(zone));
                }
                (_, Some(since), false) => {
                    stay.since = None;
                    passer.tell_stay(zone, class, elapsed_ms(since, point.at), events);
                }
                _ => {}
            }
            let Some(change) = change else { continue };
            let entered = change == Change::Forward;
            if passer.may_raise(Place::Zone(zone), entered) {
                events.push(if entered {
                    Event::Entered { zone, class }
                } else {
                    Event::Left { zone, class }
                });
            }
        }
    }

    /// What counts of a track's presence in the picture during a span of time, in milliseconds.
    pub(crate) fn present_ms(&mut self, track: TrackId, span_ms: u64) -> u64 {
        let passer = self.passers.get_mut(&track);
        let contribution = passer.and_then(|passer| passer.contribution.as_mut());
        contribution.map_or(span_ms, |contribution| contribution.present(span_ms))
    }

    /// In which zones a track is.
    pub(crate) fn zones_of(&self, track: TrackId) -> impl Iterator<Item = ZoneIndex> + '_ {
        let stays = self.passers.get(&track).map_or(&[][..], |passer| &passer.zones);
        stays.iter().zip(0u16..).filter(|(stay, _)| stay.since.is_some()).map(|(_, index)| ZoneIndex(index))
    }

    /// Someone has got a new number: what was remembered ends, and begins anew. Only from which side they
    /// came to a border on which they still stand goes on, or their passage would be lost.
    pub(crate) fn renew(&mut self, old: TrackId, new: TrackId, events: &mut Vec<Event>) {
        let Some(mut before) = self.passers.remove(&old) else { return };
        before.end(events);
        before.tell_mask(old, &mut self.votes, self.settings.masks.as_ref(), events);
        let kept = |border: &Border| if border.is_near() { *border } else { Border::default() };
        let passer = Passer {
            lines: before.lines.iter().map(kept).collect(),
            zones: before.zones.iter().map(|stay| Stay { border: kept(&stay.border), since: None }).collect(),
            contribution: self.settings.bounded.then(Contribution::default),
            ..Passer::default()
        };
        self.passers.insert(new, passer);
    }

    /// Forgets the tracks that have ended and tells what ended with them.
    pub(crate) fn retire(&mut self, alive: impl Fn(TrackId) -> bool, events: &mut Vec<Event>) {
        self.passers.retain(|&track, passer| {
            let keep = alive(track);
            if !keep {
                passer.end(events);
                passer.tell_mask(track, &mut self.votes, self.settings.masks.as_ref(), events);
            }
            keep
        });
        self.votes.retain(alive);
    }
}

impl Passer {
    fn visit(&mut self, place: Place) {
        self.first.get_or_insert(place);
        self.latest = Some(place);
    }

    fn may_raise(&mut self, place: Place, forward: bool) -> bool {
        self.contribution.as_mut().is_none_or(|contribution| contribution.raise(place, forward))
    }

    fn tell_stay(&mut self, zone: ZoneIndex, class: Class, dwell_ms: u64, events: &mut Vec<Event>) {
        let counts_ms = match &mut self.contribution {
            Some(contribution) => contribution.stay(dwell_ms),
            None => Some(dwell_ms),
        };
        events.extend(counts_ms.map(|dwell_ms| Event::Dwelt { zone, class, dwell_ms }));
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        let Some(class) = self.class else { return };
        for index in 0..self.zones.len() {
            if let Some(since) = self.zones[index].since {
                let zone = ZoneIndex(u16::try_from(index).unwrap_or(u16::MAX));
                self.tell_stay(zone, class, elapsed_ms(since, self.at), events);
            }
        }
        if let (Some(from), Some(to)) = (self.first, self.latest)
            && from != to
        {
            events.push(Event::Travelled { from, to, class });
        }
    }
}

impl Passer {
    fn tell_mask(
        &self,
        track: TrackId,
        votes: &mut Votes,
        settings: Option<&MaskSettings>,
        events: &mut Vec<Event>,
    ) {
        if let (Some(settings), Some(class)) = (settings, self.class) {
            events.push(Event::Masked { mask: votes.end(track, settings), class });
        }
    }
}

fn elapsed_ms(since: MediaTime, at: MediaTime) -> u64 {
    u64::try_from(at.as_millis() - since.as_millis()).unwrap_or(0)
}

fn line_reading(scene: &Scene, index: usize, point: &TrackPoint) -> Reading {
    let line = &scene.lines[index];
    let (foot, height) = (point.bbox.foot(), point.bbox.height.max(1.0));
    let distance = line.distance_px(foot) / height;
    let along = line.along_px(foot) / line.length_px();
    Reading {
        distance,
        depth_min: depth_min(distance, || {
            let ratio = along.clamp(0.0, 1.0);
            let (a, b) = (line.start(), line.end());
            let nearest = crate::ImagePoint::new(
                a.x_px + ratio * (b.x_px - a.x_px),
                a.y_px + ratio * (b.y_px - a.y_px),
            );
            scene.ground?.distance_m(foot, nearest)
        }),
        reach: reach(line.normal(), point),
        along,
        slack: END_SLACK_HEIGHTS * height / line.length_px(),
    }
}

fn zone_reading(scene: &Scene, index: usize, point: &TrackPoint) -> Reading {
    let (foot, height) = (point.bbox.foot(), point.bbox.height.max(1.0));
    let distance = scene.zones[index].depth_px(foot) / height;
    Reading {
        distance,
        depth_min: DEPTH_MIN_HEIGHTS,
        reach: reach((0.5, 0.5), point),
        along: 0.5,
        slack: 0.0,
    }
}

/// How far a box reaches along a direction, in its heights. A slim one counts as square: people sway.
fn reach((nx, ny): (f32, f32), point: &TrackPoint) -> f32 {
    let (width, height) = (point.bbox.width, point.bbox.height.max(1.0));
    (nx * width.max(height)).hypot(ny * height) / height
}

/// The depth that is meant, in heights: from the ground plane where that tells metres, else from the body.
fn depth_min(distance: f32, distance_m: impl Fn() -> Option<f32>) -> f32 {
    match distance_m() {
        Some(metres) if metres > 1e-3 => DEPTH_MIN_M * distance.abs() / metres,
        _ => DEPTH_MIN_HEIGHTS,
    }
}
