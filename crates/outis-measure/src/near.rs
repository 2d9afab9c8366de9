//! How near people come to each other: who is near to whom at each look, held for a moment until it is known who walks
//! with whom, then added up.

use std::collections::{BTreeMap, VecDeque};

use outis_record::{Area, GroundCells, GroundTotals, NEAREST_UNTIL_CM, PassageBounds, ZoneIndex};

use crate::{
    GroundPoint, MediaTime, TrackId,
    groups::{Groups, TOGETHER_M},
    neighbours::{Pair, at_most_each, pairs_nearer},
};

/// How near and how long is told of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearSettings {
    /// The distances, in metres; as many as the schema says.
    pub distances_m: [f32; GroundCells::THRESHOLDS_MAX as usize],
    /// Two who stay nearer for as long, in seconds, meet.
    pub encounter_s: f32,
    /// Whether people who walk together are no neighbours of each other.
    pub leave_out_groups: bool,
}

impl Default for NearSettings {
    fn default() -> Self {
        Self { distances_m: [1.0, 2.0, 0.0], encounter_s: 5.0, leave_out_groups: false }
    }
}

/// How long a look waits until it is known who walks together, in seconds: the longest that it takes.
const WAIT_S: f32 = 5.0;

/// An encounter goes on after a pause no longer than this, in seconds: somebody passed between.
const PAUSE_MAX_S: f32 = 1.0;

/// The most encounters that are under way; beyond it none begins.
const UNDER_WAY_MAX: usize = 16_384;

/// One person at a look, where they surely were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Person {
    pub(crate) track: TrackId,
    pub(crate) position: GroundPoint,
    /// The zones in which they are, a bit each.
    pub(crate) zones: u64,
}

impl Person {
    /// The areas in which they are: with bounds, beside the picture in one zone only.
    pub(crate) fn areas(&self, bounded: bool) -> impl Iterator<Item = Area> + use<> {
        let zones = if bounded { self.zones & self.zones.wrapping_neg() } else { self.zones };
        let zones = (0..64u16).filter(move |zone| zones & (1 << zone) != 0);
        std::iter::once(Area::View).chain(zones.map(|zone| Area::Zone(ZoneIndex(zone))))
    }
}

/// A look that waits.
#[derive(Debug)]
struct Look {
    at: MediaTime,
    span_ms: u64,
    people: Vec<Person>,
    /// All pairs nearer than the farthest distance of interest, the nearest first.
    pairs: Vec<Pair>,
}

/// Two people who are nearer than one of the distances.
#[derive(Debug, Clone, Copy)]
struct Encounter {
    since: MediaTime,
    until: MediaTime,
    counted: bool,
}

/// Measures how near people are to each other.
#[derive(Debug)]
pub(crate) struct NearMeter {
    settings: NearSettings,
    thresholds: u8,
    bounded: bool,
    groups: Groups,
    waiting: VecDeque<Look>,
    /// By distance and the two.
    encounters: BTreeMap<(u8, TrackId, TrackId), Encounter>,
    /// How many encounters each has had, by distance: with bounds only.
    met: BTreeMap<(u8, TrackId), u32>,
}

impl NearMeter {
    pub(crate) fn new(settings: NearSettings, thresholds: u8, bounded: bool) -> Self {
        Self {
            settings,
            thresholds,
            bounded,
            groups: Groups::default(),
            waiting: VecDeque::new(),
            encounters: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    /// Takes the people of a look, and for how long they stand for the street.
    pub(crate) fn look(
        &mut self,
        at: MediaTime,
        span_ms: u64,
        people: Vec<Person>,
        totals: &mut GroundTotals,
    ) {
        let positions: Vec<GroundPoint> = people.iter().map(|person| person.position).collect();
        let reach_m = f32::from(NEAREST_UNTIL_CM[NEAREST_UNTIL_CM.len() - 1]) / 100.0;
        let pairs = pairs_nearer(&positions, reach_m.max(TOGETHER_M));
        if self.settings.leave_out_groups {
            for pair in pairs.iter().take_while(|pair| pair.distance_m < TOGETHER_M) {
                let [a, b] = [pair.a, pair.b].map(|index| &people[usize::from(index)]);
                self.groups.near(at, (a.track, a.position), (b.track, b.position));
            }
            self.groups.forget(at);
        }
        self.meet(at, &people, &pairs, totals);
        self.waiting.push_back(Look { at, span_ms, people, pairs });
        while let Some(look) = self.waiting.pop_front_if(|look| at.seconds_since(look.at) >= WAIT_S) {
            self.settle(&look, totals);
        }
    }

    /// Adds up all that waits: the window ends.
    pub(crate) fn flush(&mut self, totals: &mut GroundTotals) {
        while let Some(look) = self.waiting.pop_front() {
            self.settle(&look, totals);
        }
    }

    /// Forgets the encounters of those who have ended.
    pub(crate) fn retire(&mut self, alive: impl Fn(TrackId) -> bool) {
        self.met.retain(|&(_, track), _| alive(track));
    }

    fn settle(&self, look: &Look, totals: &mut GroundTotals) {
        let people = &look.people;
        let strangers: Vec<Pair> = look
            .pairs
            .iter()
            .filter(|pair| {
                let [a, b] = [pair.a, pair.b].map(|index| people[usize::from(index)].track);
                !(self.settings.leave_out_groups && self.groups.are_together(a, b))
            })
            .copied()
            .collect();
        let mut nearest_m = vec![f32::INFINITY; people.len()];
        // The nearest come first, so the last to be written is the nearest.
        for pair in strangers.iter().rev() {
            nearest_m[usize::from(pair.a)] = pair.distance_m;
            nearest_m[usize::from(pair.b)] = pair.distance_m;
        }
        for (person, nearest_m) in people.iter().zip(&nearest_m) {
            let span = NEAREST_UNTIL_CM.partition_point(|&until_cm| f32::from(until_cm) <= nearest_m * 100.0);
            for area in person.areas(self.bounded) {
                totals.nearest_ms_mut(area)[span] += look.span_ms;
            }
        }
        for threshold in 0..self.thresholds {
            let than_m = self.settings.distances_m[usize::from(threshold)];
            let within = strangers.iter().take_while(|pair| pair.distance_m < than_m).copied();
            let each_max = if self.bounded { PassageBounds::NEIGHBOURS } else { u32::MAX };
            let mut is_near = vec![false; people.len()];
            for pair in at_most_each(within, people.len(), each_max) {
                is_near[usize::from(pair.a)] = true;
                is_near[usize::from(pair.b)] = true;
            }
            for (person, _) in people.iter().zip(is_near).filter(|(_, near)| *near) {
                for area in person.areas(self.bounded) {
                    totals.near_mut(area, threshold).near_ms += look.span_ms;
                }
            }
        }
    }

    /// Goes on with encounters, and counts those that have become long enough.
    fn meet(&mut self, at: MediaTime, people: &[Person], pairs: &[Pair], totals: &mut GroundTotals) {
        for threshold in 0..self.thresholds {
            let than_m = self.settings.distances_m[usize::from(threshold)];
            for pair in pairs.iter().take_while(|pair| pair.distance_m < than_m) {
                let [a, b] = [pair.a, pair.b].map(|index| people[usize::from(index)]);
                let key = (threshold, a.track.min(b.track), a.track.max(b.track));
                if self.encounters.len() >= UNDER_WAY_MAX && !self.encounters.contains_key(&key) {
                    continue;
                }
                let fresh = Encounter { since: at, until: at, counted: false };
                let encounter = self.encounters.entry(key).or_insert(fresh);
                encounter.until = at;
                let long = at.seconds_since(encounter.since) >= self.settings.encounter_s;
                if !long || encounter.counted {
                    continue;
                }
                encounter.counted = true;
                if self.settings.leave_out_groups && self.groups.are_together(a.track, b.track) {
                    continue;
                }
                if self.bounded {
                    let met = [a.track, b.track].map(|track| (threshold, track));
                    let of = |key| self.met.get(key).copied().unwrap_or(0);
                    if met.iter().any(|key| of(key) >= PassageBounds::ENCOUNTERS) {
                        continue;
                    }
                    met.into_iter().for_each(|key| *self.met.entry(key).or_default() += 1);
                }
                // In a zone meets who both are in it.
                let both = Person { zones: a.zones & b.zones, ..a };
                for area in both.areas(self.bounded) {
                    totals.near_mut(area, threshold).encounters += 1;
                }
            }
        }
        self.encounters.retain(|_, encounter| at.seconds_since(encounter.until) <= PAUSE_MAX_S);
    }
}
