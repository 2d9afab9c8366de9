//! How near people come to each other: who is near to whom at each look, held for a moment until it is known who walks
//! with whom, then added up.

use std::collections::{BTreeMap, VecDeque};

use outis_record::{Area, GroundCells, GroundTotals, NEAREST_UNTIL_CM, PassageBounds, ZoneIndex};

use crate::{
    GroundPoint, MediaTime, TrackId,
    groups::{Groups, PERSONAL_M, TOGETHER_M},
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
    /// Behind somebody, and so not seen but supposed.
    pub(crate) hidden: bool,
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

    /// Whether two people are told of as neighbours: with groups left out, not if they walk together, and not if they are
    /// within personal distance and one of them is only supposed to be there. Who is hidden so near to somebody mostly
    /// walks with them, or is in truth elsewhere: on the simulated street one in six was a stranger who was that near.
    fn are_strangers(&self, people: &[Person], pair: &Pair) -> bool {
        let [a, b] = [pair.a, pair.b].map(|index| people[usize::from(index)]);
        let supposed = pair.distance_m < PERSONAL_M && (a.hidden || b.hidden);
        !self.settings.leave_out_groups || !(supposed || self.groups.are_together(a.track, b.track))
    }

    fn settle(&self, look: &Look, totals: &mut GroundTotals) {
        let people = &look.people;
        let strangers: Vec<Pair> =
            look.pairs.iter().filter(|pair| self.are_strangers(people, pair)).copied().collect();
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

#[cfg(test)]
mod tests {
    use outis_record::{Class, Schema, Window, WindowTotals};
    use proptest::prelude::*;

    use super::*;

    const SPAN_MS: u64 = 200;

    fn settings(leave_out_groups: bool) -> NearSettings {
        NearSettings { distances_m: [1.0, 2.0, 0.0], encounter_s: 2.0, leave_out_groups }
    }

    fn person(number: u64, x_m: f32, y_m: f32) -> Person {
        let zones = u64::from(x_m > 0.0);
        let (track, position) = (TrackId::for_test(number), GroundPoint { x_m, y_m });
        Person { track, position, zones, hidden: false }
    }

    /// Totals of looks, five in a second, at each of which these people are there.
    fn play(looks: &[Vec<Person>], settings: NearSettings, bounded: bool) -> outis_record::GroundTotals {
        let cells = GroundCells { thresholds: 2, ..GroundCells::default() };
        let schema = Schema::new(0, 2, &[Class::Person], false).unwrap().with_ground(cells).unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(0, 1_000_000).unwrap());
        let mut meter = NearMeter::new(settings, 2, bounded);
        for (look, people) in looks.iter().enumerate() {
            let at = MediaTime::from_seconds(look as f64 / 5.0);
            meter.look(at, SPAN_MS, people.clone(), totals.ground_mut());
        }
        meter.flush(totals.ground_mut());
        totals.ground().clone()
    }

    #[test]
    fn two_meet_and_a_third_is_farther() {
        // Two stand 0.8 m apart for ten seconds, in the zone; a third is 1.7 m from the second, outside it.
        let looks = vec![vec![person(1, 0.5, 0.0), person(2, 0.5, 0.8), person(3, -1.2, 0.8)]; 50];
        let totals = play(&looks, settings(true), false);
        let (view, zone) = (Area::View, Area::Zone(ZoneIndex(0)));
        assert_eq!([0, 1].map(|threshold| totals.near(view, threshold).near_ms), [20_000, 30_000]);
        assert_eq!([0, 1].map(|threshold| totals.near(view, threshold).encounters), [1, 3]);
        assert_eq!([0, 1].map(|threshold| totals.near(zone, threshold).near_ms), [20_000, 20_000]);
        assert_eq!([0, 1].map(|threshold| totals.near(zone, threshold).encounters), [1, 1]);
        assert_eq!(totals.nearest_ms(view), [0, 20_000, 0, 10_000, 0, 0, 0]);
        assert_eq!(totals.near(Area::Zone(ZoneIndex(1)), 1).near_ms, 0);
    }

    #[test]
    fn who_walks_together_is_no_neighbour_from_the_start() {
        // A couple walks 0.7 m apart; somebody comes the other way and passes them.
        let at = |look: u16| f32::from(look) / 5.0;
        let looks: Vec<_> = (0..50u16)
            .map(|look| {
                let walked_m = 1.2 * at(look);
                vec![person(1, walked_m, 0.0), person(2, walked_m, 0.7), person(3, 12.0 - walked_m, 1.2)]
            })
            .collect();
        let counted = play(&looks, settings(false), false).near(Area::View, 0);
        let left_out = play(&looks, settings(true), false).near(Area::View, 0);
        assert!(counted.near_ms >= 20_000 && counted.encounters == 1, "{counted:?}");
        // The one who passes is within a metre of the nearer of the couple for less than a second.
        assert!((400..3_000).contains(&left_out.near_ms) && left_out.encounters == 0, "{left_out:?}");
    }

    #[test]
    fn who_is_only_supposed_within_personal_distance_is_no_stranger() {
        // Somebody stands ten seconds near another who is seen, hidden or hidden for the last two seconds.
        let near_ms = |apart_m: f32, hidden_from: usize, leave_out_groups: bool| {
            let look = |look: usize| {
                let other = Person { hidden: look >= hidden_from, ..person(2, 0.5, apart_m) };
                vec![person(1, 0.5, 0.0), other]
            };
            let looks: Vec<_> = (0..50).map(look).collect();
            let totals = play(&looks, settings(leave_out_groups), false);
            [0, 1].map(|threshold| totals.near(Area::View, threshold).near_ms)
        };
        let (all, never) = (20_000, 50);
        let cases = [
            ("seen", (0.8, never, true), [all, all]),
            ("hidden", (0.8, 0, true), [0, 0]),
            ("hidden for two seconds", (0.8, 40, true), [16_000, 16_000]),
            ("hidden farther away", (1.5, 0, true), [0, all]),
            ("hidden, but groups are counted", (0.8, 0, false), [all, all]),
        ];
        for (name, (apart_m, hidden_from, leave_out_groups), expected) in cases {
            assert_eq!(near_ms(apart_m, hidden_from, leave_out_groups), expected, "{name}");
        }
    }

    proptest! {
        /// One passage more changes time near others by no more than its own and that of two others, and encounters by
        /// two: whoever else is there, and in all zones together as much again.
        #[test]
        fn one_passage_more_changes_no_more_than_noise_hides(
            ways in prop::collection::vec(((0usize..20, 1usize..30), (-1.5f32..1.5, -1.5f32..1.5), (-0.3f32..0.3, -0.3f32..0.3), 0usize..30), 2..14),
            one in any::<prop::sample::Index>(),
            leave_out_groups in any::<bool>(),
        ) {
            let one = one.index(ways.len()) as u64;
            let looks = |without: Option<u64>| -> Vec<Vec<Person>> {
                let of_look = |look: usize| {
                    let all = (0u64..).zip(&ways).filter(|(number, _)| Some(*number) != without);
                    let there = all.filter(|(_, ((from, length), ..))| (*from..from + length).contains(&look));
                    there.map(|(number, (_, (x, y), (vx, vy), hidden_from))| {
                        let t = look as f32 / 5.0;
                        Person { hidden: look >= *hidden_from, ..person(number, x + vx * t, y + vy * t) }
                    }).collect()
                };
                (0..50).map(of_look).collect()
            };
            let settings = NearSettings { encounter_s: 1.0, ..settings(leave_out_groups) };
            let (with, without) = (play(&looks(None), settings, true), play(&looks(Some(one)), settings, true));
            let there_ms = SPAN_MS * ways[one as usize].0.1 as u64;
            let most_ms = there_ms * (1 + u64::from(PassageBounds::NEIGHBOURS));
            let zones = [0, 1].map(|zone| Area::Zone(ZoneIndex(zone)));
            for threshold in 0..2 {
                let changed = |area: Area| with.near(area, threshold).near_ms.abs_diff(without.near(area, threshold).near_ms);
                prop_assert!(changed(Area::View) <= most_ms);
                prop_assert!(zones.into_iter().map(changed).sum::<u64>() <= most_ms);
                let encounters = [&with, &without].map(|totals| totals.near(Area::View, threshold).encounters);
                prop_assert!(encounters[0].abs_diff(encounters[1]) <= PassageBounds::ENCOUNTERS);
            }
            let measured = |totals: &outis_record::GroundTotals| totals.nearest_ms(Area::View).iter().sum::<u64>();
            prop_assert_eq!(measured(&with) - measured(&without), there_ms);
        }
    }
}
