//! People on the ground: the looks of one camera, as positions in metres, to all that is measured there.

use std::collections::BTreeMap;

use outis_record::{Area, GroundCells, GroundTotals, PassageBounds, ZoneIndex, possible};

use crate::{
    GroundPlane, HeatGrid, ImageBox, ImagePoint, MediaTime, Scene, TrackId, Zone,
    heat::HeatMeter,
    near::{NearMeter, NearSettings, Person},
    presence::{Look, Presence, Seen},
    queue::QueueMeter,
};

/// How people are measured on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroundSettings {
    /// How near they come to each other.
    pub near: NearSettings,
    /// Where the heat map lies; its cells are as many as the schema says.
    pub heat: Option<HeatGrid>,
}

/// Slower than this somebody stands, in metres per second: a step of half a metre takes two seconds and a half.
const STANDING_MAX_M_S: f32 = 0.2;

/// With bounds nobody's way counts faster than this, in metres per second: a run.
const BOUNDED_MAX_M_S: f32 = 3.0;

/// Nobody goes faster, in metres per second: what does is a mistake.
const POSSIBLE_MAX_M_S: f32 = possible::WALK_MM_PER_MS_MAX as f32;

/// Positions are taken no more often than this, in seconds: in the meantime nobody goes farther than a step.
const SAMPLE_S: f32 = 0.18;

/// How far a foot jitters from look to look, in heights: see [`crate::TrackerSettings::jitter`].
const JITTER: f32 = 0.03;

/// Whose foot's jitter is more than this on the ground, in metres, is too far away to be measured.
const UNSURE_MAX_M: f32 = 0.5;

/// Measures people on the ground plane of one camera.
#[derive(Debug)]
pub(crate) struct GroundMeter {
    plane: GroundPlane,
    near: Option<NearMeter>,
    heat: Option<HeatMeter>,
    queues: Option<QueueMeter>,
    speed: bool,
    /// The ground of each zone in square decimetres, where density is asked for; 0 where it is not known.
    areas_dm2: Vec<u32>,
    bounded: bool,
    sampled: Option<MediaTime>,
    /// Time that has been observed since the last positions were taken.
    span_ms: u64,
    people: Vec<Seen>,
    presence: Presence,
    settled: Vec<Look>,
    /// How long each has been measured: with bounds only.
    measured: BTreeMap<TrackId, Measured>,
}

/// How long somebody has been measured, and when last.
#[derive(Debug, Clone, Copy)]
struct Measured {
    total_ms: u64,
    last: MediaTime,
}

/// Positions settle so long after a track has ended, and a while more, in seconds.
const REMEMBER_S: f32 = 30.0;

impl GroundMeter {
    /// None where nothing is asked for on the ground, or no ground plane is known.
    pub(crate) fn new(
        scene: &Scene,
        cells: GroundCells,
        settings: GroundSettings,
        bounded: bool,
    ) -> Option<Self> {
        let plane = scene.ground.filter(|_| !cells.is_none())?;
        let locate = |head| plane.locate(head);
        let zones = scene.zones.iter().zip(0u16..).map(|(zone, index)| (ZoneIndex(index), zone));
        let queues = zones
            .filter(|(index, _)| cells.has_queue(*index))
            .map(|(index, zone)| (index, zone.head().and_then(locate)));
        let area_dm2 = |zone: &Zone| zone.ground_m2(&plane).map_or(0.0, |m2| (100.0 * m2).round());
        let areas_dm2 = scene.zones.iter().map(|zone| (area_dm2(zone) as u32).min(possible::AREA_DM2_MAX));
        let heat = settings.heat.filter(|grid| grid.cells() == cells.heat_cells);
        let near = (cells.thresholds > 0).then(|| NearMeter::new(settings.near, cells.thresholds, bounded));
        Some(Self {
            plane,
            near,
            heat: heat.map(|grid| HeatMeter::new(grid, bounded)),
            queues: (cells.queues != 0).then(|| QueueMeter::new(queues, bounded)),
            speed: cells.speed,
            areas_dm2: if cells.density { areas_dm2.collect() } else { Vec::new() },
            bounded,
            sampled: None,
            span_ms: 0,
            people: Vec::new(),
            presence: Presence::new(plane, scene.zones.clone()),
            settled: Vec::new(),
            measured: BTreeMap::new(),
        })
    }

    /// Takes a person of the look that [`GroundMeter::look`] ends.
    pub(crate) fn person(&mut self, track: TrackId, bbox: ImageBox, zones: impl Iterator<Item = ZoneIndex>) {
        let foot = bbox.foot();
        let Some(position) = self.plane.locate(foot) else { return };
        let jittered = ImagePoint::new(foot.x_px, foot.y_px - JITTER * bbox.height);
        let unsure = self.plane.distance_m(foot, jittered).is_none_or(|metres| metres > UNSURE_MAX_M);
        if unsure {
            return;
        }
        let zones = zones.filter(|zone| zone.0 < 64).fold(0, |zones, zone| zones | 1 << zone.0);
        self.people.push(Seen::new(track, bbox, position, zones));
    }

    /// Somebody has got a new number because they were followed for long enough.
    pub(crate) fn renew(&mut self, new: TrackId) {
        self.presence.renew(new);
    }

    /// Ends a look: everybody in it has been told, and it stands for so long.
    pub(crate) fn look(&mut self, at: MediaTime, span_ms: u64, totals: &mut GroundTotals) {
        let people = std::mem::take(&mut self.people);
        self.span_ms += span_ms;
        if self.sampled.is_some_and(|last| (0.0..SAMPLE_S).contains(&at.seconds_since(last))) {
            return;
        }
        self.sampled = Some(at);
        let span_ms = std::mem::take(&mut self.span_ms);
        self.presence.look(at, span_ms, people, &mut self.settled);
        self.measure(totals);
    }

    /// Measures the looks that have settled.
    fn measure(&mut self, totals: &mut GroundTotals) {
        for Look { at, span_ms, mut people, .. } in std::mem::take(&mut self.settled) {
            if let Some(queues) = &mut self.queues {
                for seen in &people {
                    let who = (seen.track, seen.zones, seen.position);
                    queues.person(at, who, seen.speed_m_s, span_ms, totals);
                }
                queues.end_look(at, totals);
            }
            if self.bounded {
                people.retain(|seen| {
                    let fresh = Measured { total_ms: 0, last: at };
                    let measured = self.measured.entry(seen.track).or_insert(fresh);
                    measured.last = at;
                    measured.total_ms += span_ms;
                    measured.total_ms <= PassageBounds::GROUND_MS
                });
            }
            for seen in &people {
                if let Some(heat) = &mut self.heat {
                    heat.person(seen.track, seen.position, span_ms, totals);
                }
                if self.speed {
                    self.walk(seen, span_ms, totals);
                }
            }
            self.densities(&people, span_ms, totals);
            if let Some(near) = &mut self.near {
                near.look(at, span_ms, people.into_iter().map(Person::from).collect(), totals);
            }
        }
    }

    fn walk(&self, seen: &Seen, span_ms: u64, totals: &mut GroundTotals) {
        let speed_max_m_s = if self.bounded { BOUNDED_MAX_M_S } else { POSSIBLE_MAX_M_S };
        for area in Person::from(*seen).areas(self.bounded) {
            let speed = totals.speed_mut(area);
            if seen.speed_m_s < STANDING_MAX_M_S {
                speed.stopped_ms += span_ms;
            } else {
                speed.walking_ms += span_ms;
                // Metres per second are millimetres per millisecond.
                speed.walked_mm += (seen.speed_m_s.min(speed_max_m_s) * span_ms as f32) as u64;
            }
        }
    }

    fn densities(&self, people: &[Seen], span_ms: u64, totals: &mut GroundTotals) {
        for (&area_dm2, index) in self.areas_dm2.iter().zip(0u16..) {
            let zone = ZoneIndex(index);
            let is_in =
                |seen: &&Seen| Person::from(**seen).areas(self.bounded).any(|area| area == Area::Zone(zone));
            let count = people.iter().filter(is_in).count() as u32;
            let density = totals.density_mut(zone);
            density.area_dm2 = area_dm2;
            density.present_ms += span_ms * u64::from(count);
            density.max = density.max.max(count);
        }
    }

    /// The window ends: adds what was still waiting.
    pub(crate) fn flush(&mut self, totals: &mut GroundTotals) {
        // What is left of a span would count in the next window, which has not observed it.
        (self.span_ms, self.sampled) = (0, None);
        self.presence.flush(&mut self.settled);
        self.measure(totals);
        if let Some(near) = &mut self.near {
            near.flush(totals);
        }
    }

    /// Forgets the tracks that have ended.
    pub(crate) fn retire(&mut self, alive: impl Fn(TrackId) -> bool) {
        let Some(now) = self.sampled else { return };
        self.presence.retire(now, &alive);
        let recent = |measured: &Measured| now.seconds_since(measured.last) <= REMEMBER_S;
        self.measured.retain(|&track, measured| alive(track) || recent(measured));
        let measured = &self.measured;
        if let Some(near) = &mut self.near {
            near.retire(|track| measured.contains_key(&track));
        }
        if let Some(heat) = &mut self.heat {
            heat.retire(|track| measured.contains_key(&track));
        }
        if let Some(queues) = &mut self.queues {
            queues.retire(|track| measured.contains_key(&track));
        }
    }
}

impl From<Seen> for Person {
    fn from(Seen { track, position, zones, hidden, .. }: Seen) -> Self {
        Self { track, position, zones, hidden }
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{Class, Density, Schema, Window, WindowTotals};

    use super::*;
    use crate::{GroundPoint, Zone};

    /// Somebody stands five minutes on one place, in two zones that overlap; looked at five times a second.
    fn stand(bounded: bool) -> WindowTotals {
        let p = |x: f32, y: f32| ImagePoint::new(x, y);
        let corners = [p(0.0, 0.0), p(400.0, 0.0), p(400.0, 400.0), p(0.0, 400.0)];
        let ground = [(0.0, 40.0), (40.0, 40.0), (40.0, 0.0), (0.0, 0.0)];
        let plane = GroundPlane::from_points(corners, ground.map(|(x_m, y_m)| GroundPoint { x_m, y_m }));
        let zone = || Zone::new(vec![p(0.0, 0.0), p(400.0, 0.0), p(400.0, 400.0)]).unwrap();
        let scene = Scene { zones: vec![zone(), zone()], ground: Some(plane.unwrap()), ..Scene::default() };
        let cells = GroundCells { density: true, speed: true, heat_cells: 16, ..GroundCells::default() };
        let schema = Schema::new(0, 2, &[Class::Person], false).unwrap().with_ground(cells).unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(0, 1_000_000).unwrap());
        let heat = HeatGrid::new(GroundPoint::default(), 10.0, 4, 4);
        let settings = GroundSettings { heat, ..GroundSettings::default() };
        let mut meter = GroundMeter::new(&scene, cells, settings, bounded).unwrap();
        for look in 0..1500u16 {
            let bbox = ImageBox::standing_on(p(300.0, 200.0), 5.0, 15.0);
            let zones = [ZoneIndex(0), ZoneIndex(1)];
            meter.person(TrackId::for_test(1), bbox, zones.into_iter());
            meter.look(MediaTime::from_seconds(f64::from(look) / 5.0), 200, totals.ground_mut());
        }
        meter.flush(totals.ground_mut());
        totals
    }

    #[test]
    fn a_bounded_passage_is_measured_for_a_minute() {
        let sums = |totals: &WindowTotals| {
            let ground = totals.ground();
            let standing = [Area::View, Area::Zone(ZoneIndex(0)), Area::Zone(ZoneIndex(1))];
            let heat: u64 = (0..16).map(|cell| ground.heat_ms(cell)).sum();
            (standing.map(|area| ground.speed(area).stopped_ms), heat)
        };
        assert_eq!(sums(&stand(false)), ([300_000; 3], 300_000));
        let bounded = stand(true);
        let (minute, cell) = (PassageBounds::GROUND_MS, PassageBounds::HEAT_CELL_MS);
        assert_eq!(sums(&bounded), ([minute, minute, 0], cell), "in one zone at a time");
        // Half of a square 40 m wide.
        let expected = Density { area_dm2: 80_000, present_ms: minute, max: 1 };
        assert_eq!(bounded.ground().density(ZoneIndex(0)), expected);
        assert_eq!(bounded.ground().density(ZoneIndex(1)), Density { present_ms: 0, max: 0, ..expected });
    }
}
