//! A time window and its totals: the last place where counts are still exact.

use crate::{
    Class, GroundCells, GroundTotals, LineIndex, Measure, Message, Place, Record, WindowState, ZoneIndex,
    possible::OBSERVED_SLACK_MS,
};

/// A span of time over which totals are made.
///
/// Milliseconds count from the Unix epoch for cameras, and from the first frame for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    start_ms: i64,
    length_ms: u32,
}

impl Window {
    /// A window; `None` when its length is zero or its end is beyond what 64 bits hold.
    pub fn new(start_ms: i64, length_ms: u32) -> Option<Self> {
        (length_ms > 0 && start_ms.checked_add(length_ms.into()).is_some())
            .then_some(Self { start_ms, length_ms })
    }

    /// The window of this length, aligned to multiples of it, that contains a moment.
    pub fn containing(at_ms: i64, length_ms: u32) -> Option<Self> {
        let length = i64::from(length_ms.max(1));
        Self::new(at_ms.div_euclid(length).checked_mul(length)?, length_ms)
    }

    /// Its first millisecond.
    pub fn start_ms(self) -> i64 {
        self.start_ms
    }

    /// How long it is, in milliseconds.
    pub fn length_ms(self) -> u32 {
        self.length_ms
    }

    /// The first millisecond after it.
    pub fn end_ms(self) -> i64 {
        self.start_ms + i64::from(self.length_ms)
    }
}

/// Which cells a window has. Derived from the configuration, and from nothing that is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    lines: u16,
    zones: u16,
    classes: Vec<Class>,
    flows: bool,
    ground: GroundCells,
    masks: bool,
}

/// Why a schema cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Too many lines or zones.
    #[error("{0} lines and zones are configured; at most {max} are possible", max = Schema::PLACES_MAX)]
    TooManyPlaces(usize),
    /// Nothing to count.
    #[error("no class is configured; name at least one, such as \"person\"")]
    NoClass,
    /// Too many distances.
    #[error("{0} distances are configured; at most {max} are possible", max = GroundCells::THRESHOLDS_MAX)]
    TooManyDistances(usize),
    /// Too fine a heat map.
    #[error("the heat map has {0} cells; at most {max} are possible: make them larger", max = GroundCells::HEAT_CELLS_MAX)]
    TooManyHeatCells(usize),
    /// A queue in no zone.
    #[error("a queue is configured in a zone that is not there")]
    QueueWithoutZone,
    /// Vehicles keep no distance.
    #[error(
        "distances, density, speed, queues and heat are measured of people: add \"person\" to the classes"
    )]
    NobodyOnGround,
    /// Vehicles wear none.
    #[error("masks are asked for, and people are not counted: add \"person\" to the classes")]
    MasksWithoutPeople,
}

impl Schema {
    /// The most lines and zones together that one camera can have.
    pub const PLACES_MAX: usize = 64;

    /// A schema. `classes` are put in the order of [`Class::ALL`], each once.
    /// With `flows`, journeys between every ordered pair of two different places are counted.
    ///
    /// # Errors
    /// When there are more than [`Schema::PLACES_MAX`] places, or no class.
    pub fn new(lines: usize, zones: usize, classes: &[Class], flows: bool) -> Result<Self, SchemaError> {
        let places = lines.saturating_add(zones);
        if places > Self::PLACES_MAX {
            return Err(SchemaError::TooManyPlaces(places));
        }
        let classes: Vec<Class> = Class::ALL.into_iter().filter(|class| classes.contains(class)).collect();
        if classes.is_empty() {
            return Err(SchemaError::NoClass);
        }
        let narrow = |n: usize| u16::try_from(n).expect("at most PLACES_MAX");
        let ground = GroundCells::default();
        Ok(Self { lines: narrow(lines), zones: narrow(zones), classes, flows, masks: false, ground })
    }

    /// The same schema with what is measured on the ground, of people.
    ///
    /// # Errors
    /// When there is too much of it, or people are not counted.
    pub fn with_ground(self, ground: GroundCells) -> Result<Self, SchemaError> {
        ground.check(self.zones())?;
        if !ground.is_none() && !self.classes.contains(&Class::Person) {
            return Err(SchemaError::NobodyOnGround);
        }
        Ok(Self { ground, ..self })
    }

    /// What is measured on the ground.
    pub fn ground(&self) -> GroundCells {
        self.ground
    }

    /// Every zone.
    pub fn zone_indices(&self) -> impl Iterator<Item = ZoneIndex> + Clone + use<> {
        (0..self.zones).map(ZoneIndex)
    }

    /// The same with a cell more: how many people wore a mask.
    ///
    /// # Errors
    /// When people are not counted.
    pub fn with_masks(self) -> Result<Self, SchemaError> {
        match self.classes.contains(&Class::Person) {
            true => Ok(Self { masks: true, ..self }),
            false => Err(SchemaError::MasksWithoutPeople),
        }
    }

    /// Whether masks are counted.
    pub fn masks(&self) -> bool {
        self.masks
    }

    /// The number of lines.
    pub fn lines(&self) -> usize {
        self.lines.into()
    }

    /// The number of zones.
    pub fn zones(&self) -> usize {
        self.zones.into()
    }

    /// The classes counted, in the order of [`Class::ALL`].
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Every place: the lines, then the zones.
    pub fn places(&self) -> impl Iterator<Item = Place> + Clone + use<> {
        let lines = (0..self.lines).map(|index| Place::Line(LineIndex(index)));
        lines.chain((0..self.zones).map(|index| Place::Zone(ZoneIndex(index))))
    }

    /// Every pair of different places between which journeys are counted, in the order of the records.
    pub fn flow_pairs(&self) -> Vec<(Place, Place)> {
        if !self.flows {
            return Vec::new();
        }
        let pairs = self.places().flat_map(|from| self.places().map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to).collect()
    }

    /// How many cells each window has: always the same, however full the street was.
    pub fn cells(&self) -> usize {
        let places = self.lines() + self.zones();
        let flows = if self.flows { places * places.saturating_sub(1) } else { 0 };
        let ground = self.ground.count(self.zones());
        (1 + self.lines() + 3 * self.zones() + flows) * self.classes.len() + usize::from(self.masks) + ground
    }

    /// Whether a window has this cell.
    pub(crate) fn has(&self, class: Class, measure: Measure) -> bool {
        let has_place = |place: Place| match place {
            Place::Line(line) => line.0 < self.lines,
            Place::Zone(zone) => zone.0 < self.zones,
        };
        let has_cell = match measure {
            Measure::ViewOccupancy { .. } => true,
            Measure::Masks { .. } => self.masks && class == Class::Person,
            Measure::LineCrossings { line, .. } => has_place(Place::Line(line)),
            Measure::ZoneVisits { zone, .. }
            | Measure::ZoneOccupancy { zone, .. }
            | Measure::ZoneDwell { zone, .. } => has_place(Place::Zone(zone)),
            Measure::Flow { from, to, .. } => self.flows && from != to && has_place(from) && has_place(to),
            on_ground => class == Class::Person && self.ground.has(on_ground, self.zones),
        };
        has_cell && self.classes.contains(&class)
    }

    fn place_index(&self, place: Place) -> usize {
        match place {
            Place::Line(line) => line.0.into(),
            Place::Zone(zone) => self.lines() + usize::from(zone.0),
        }
    }
}

/// Passages over a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectionalCount {
    /// From left to right, looking along the line.
    pub forward: u32,
    /// From right to left.
    pub backward: u32,
}

/// Arrivals and departures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// Arrivals.
    pub entered: u32,
    /// Departures.
    pub left: u32,
}

/// How long visits lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dwell {
    /// Visits that ended.
    pub visits: u32,
    /// The sum of their lengths, in milliseconds.
    pub total_ms: u64,
}

/// Passages of people that ended, by whether they wore a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Masks {
    /// Wore one.
    pub with_mask: u32,
    /// Wore none.
    pub without_mask: u32,
    /// It is not known.
    pub unknown: u32,
}

impl Masks {
    /// Of whom it is known.
    pub fn judged(self) -> u64 {
        u64::from(self.with_mask) + u64::from(self.without_mask)
    }

    /// Everybody.
    pub fn people(self) -> u64 {
        self.judged() + u64::from(self.unknown)
    }
}

/// How many were present at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// At the newest moment.
    pub now: u32,
    /// At most.
    pub max: u32,
    /// Presence summed over time, in milliseconds: two people for three seconds are 6000.
    pub present_ms: u64,
}

impl Occupancy {
    /// Counts one more at the newest moment, who has been present since the moment before.
    pub fn add_present(&mut self, since_ms: u64) {
        self.now = self.now.saturating_add(1);
        self.present_ms = self.present_ms.saturating_add(since_ms);
    }

    fn add_earlier(&mut self, earlier: Self) {
        self.max = self.max.max(earlier.max);
        self.present_ms = self.present_ms.saturating_add(earlier.present_ms);
    }
}

/// Exact totals of one window. The eye tells them to the door, and they leave the door only through
/// [`WindowTotals::release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowTotals {
    schema: Schema,
    window: Window,
    observed_ms: u64,
    looks: u32,
    // Each vector is indexed by place * Class::COUNT + class.
    lines: Vec<DirectionalCount>,
    visits: Vec<Visits>,
    occupancy: Vec<Occupancy>,
    dwell: Vec<Dwell>,
    view: [Occupancy; Class::COUNT],
    masks: Masks,
    // Indexed by (from * places + to) * Class::COUNT + class.
    flows: Vec<u32>,
    ground: GroundTotals,
    /// Whether nothing of the ground may be told.
    ground_doubted: bool,
}

impl WindowTotals {
    /// Totals of nothing yet.
    pub fn new(schema: Schema, window: Window) -> Self {
        let (lines, zones) = (schema.lines() * Class::COUNT, schema.zones() * Class::COUNT);
        let places = schema.lines() + schema.zones();
        Self {
            window,
            observed_ms: 0,
            looks: 0,
            lines: vec![DirectionalCount::default(); lines],
            visits: vec![Visits::default(); zones],
            occupancy: vec![Occupancy::default(); zones],
            dwell: vec![Dwell::default(); zones],
            view: [Occupancy::default(); Class::COUNT],
            masks: Masks::default(),
            flows: vec![0; places * places * Class::COUNT],
            ground: GroundTotals::new(schema.ground(), schema.zones()),
            ground_doubted: false,
            schema,
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Which cells there are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Milliseconds of the window that were observed.
    pub fn observed_ms(&self) -> u64 {
        self.observed_ms
    }

    /// Adds time during which the camera was observed.
    pub fn add_observed_ms(&mut self, observed_ms: u64) {
        self.observed_ms += observed_ms;
    }

    /// Adds a look of the detector.
    pub fn add_look(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }

    /// Begins a new moment: nobody has been seen in it yet.
    pub fn clear_now(&mut self) {
        for occupancy in self.occupancy.iter_mut().chain(&mut self.view) {
            occupancy.now = 0;
        }
    }

    /// Ends a moment: everybody in it has been seen.
    pub fn settle_max(&mut self) {
        for occupancy in self.occupancy.iter_mut().chain(&mut self.view) {
            occupancy.max = occupancy.max.max(occupancy.now);
        }
    }

    /// Passages of a class over a line.
    ///
    /// # Panics
    /// These accessors panic when the line or zone is not in the schema.
    pub fn line(&self, line: LineIndex, class: Class) -> DirectionalCount {
        self.lines[cell(line.0, class)]
    }

    /// Passages of a class over a line, to be changed.
    pub fn line_mut(&mut self, line: LineIndex, class: Class) -> &mut DirectionalCount {
        &mut self.lines[cell(line.0, class)]
    }

    /// Visits of a class to a zone.
    pub fn visits(&self, zone: ZoneIndex, class: Class) -> Visits {
        self.visits[cell(zone.0, class)]
    }

    /// Visits of a class to a zone, to be changed.
    pub fn visits_mut(&mut self, zone: ZoneIndex, class: Class) -> &mut Visits {
        &mut self.visits[cell(zone.0, class)]
    }

    /// Occupancy of a zone by a class.
    pub fn occupancy(&self, zone: ZoneIndex, class: Class) -> Occupancy {
        self.occupancy[cell(zone.0, class)]
    }

    /// Occupancy of a zone by a class, to be changed.
    pub fn occupancy_mut(&mut self, zone: ZoneIndex, class: Class) -> &mut Occupancy {
        &mut self.occupancy[cell(zone.0, class)]
    }

    /// Dwell of a class in a zone.
    pub fn dwell(&self, zone: ZoneIndex, class: Class) -> Dwell {
        self.dwell[cell(zone.0, class)]
    }

    /// Dwell of a class in a zone, to be changed.
    pub fn dwell_mut(&mut self, zone: ZoneIndex, class: Class) -> &mut Dwell {
        &mut self.dwell[cell(zone.0, class)]
    }

    /// Occupancy of the whole picture by a class.
    pub fn view(&self, class: Class) -> Occupancy {
        self.view[class.index()]
    }

    /// Occupancy of the whole picture by a class, to be changed.
    pub fn view_mut(&mut self, class: Class) -> &mut Occupancy {
        &mut self.view[class.index()]
    }

    /// Who wore a mask.
    pub fn masks(&self) -> Masks {
        self.masks
    }

    /// Who wore a mask, to be changed.
    pub fn masks_mut(&mut self) -> &mut Masks {
        &mut self.masks
    }

    /// Journeys of a class between two places.
    pub fn flow(&self, from: Place, to: Place, class: Class) -> u32 {
        self.flows[self.flow_cell(from, to, class)]
    }

    /// Adds a journey of a class between two places.
    pub fn add_flow(&mut self, from: Place, to: Place, class: Class) {
        let cell = self.flow_cell(from, to, class);
        self.flows[cell] = self.flows[cell].saturating_add(1);
    }

    /// What was measured on the ground.
    pub fn ground(&self) -> &GroundTotals {
        &self.ground
    }

    /// What was measured on the ground, to be changed.
    pub fn ground_mut(&mut self) -> &mut GroundTotals {
        &mut self.ground
    }

    /// From now on nothing of the ground is told: its metres are none.
    pub fn doubt_ground(&mut self) {
        self.ground_doubted = true;
    }

    /// Whether nothing of the ground is told.
    pub fn is_ground_doubted(&self) -> bool {
        self.ground_doubted
    }

    fn flow_cell(&self, from: Place, to: Place, class: Class) -> usize {
        let places = self.schema.lines() + self.schema.zones();
        (self.schema.place_index(from) * places + self.schema.place_index(to)) * Class::COUNT + class.index()
    }

    /// Takes over one cell, as the eye has told it; false when the schema has no such cell.
    pub fn set(&mut self, class: Class, measure: Measure) -> bool {
        if !self.schema.has(class, measure) {
            return false;
        }
        match measure {
            Measure::LineCrossings { line, forward, backward } => {
                *self.line_mut(line, class) = DirectionalCount { forward, backward };
            }
            Measure::ZoneVisits { zone, entered, left } => {
                *self.visits_mut(zone, class) = Visits { entered, left };
            }
            Measure::ZoneOccupancy { zone, now, max, present_ms } => {
                *self.occupancy_mut(zone, class) = Occupancy { now, max, present_ms };
            }
            Measure::ZoneDwell { zone, visits, total_ms } => {
                *self.dwell_mut(zone, class) = Dwell { visits, total_ms };
            }
            Measure::Flow { from, to, count } => {
                let cell = self.flow_cell(from, to, class);
                self.flows[cell] = count;
            }
            Measure::ViewOccupancy { now, max, present_ms } => {
                *self.view_mut(class) = Occupancy { now, max, present_ms };
            }
            Measure::Masks { with_mask, without_mask, unknown } => {
                *self.masks_mut() = Masks { with_mask, without_mask, unknown };
            }
            on_ground => self.ground.set(on_ground),
        }
        true
    }

    /// Takes over how long and how often was looked, as the eye has told it.
    pub fn set_observed(&mut self, observed_ms: u64, looks: u32) {
        (self.observed_ms, self.looks) = (observed_ms, looks);
    }

    /// Adds what was counted earlier in the same window by an eye that has ended since: what is summed adds up, the
    /// highest of both is the highest, and who is there now is who this one sees. `same` says which place of the earlier
    /// totals a place continues; one that continues none starts anew, and so do journeys from or to it.
    ///
    /// # Panics
    /// When the windows differ, or `same` names a place that the earlier totals do not have.
    pub fn add_earlier(&mut self, earlier: &Self, same: impl Fn(Place) -> Option<Place>) {
        assert_eq!(self.window, earlier.window, "parts of one window");
        // Each part was held to what a street can make; so is their sum.
        let observed_max_ms = u64::from(self.window.length_ms()) + OBSERVED_SLACK_MS;
        self.observed_ms = self.observed_ms.saturating_add(earlier.observed_ms).min(observed_max_ms);
        self.looks = self.looks.saturating_add(earlier.looks);
        self.ground_doubted |= earlier.ground_doubted;
        let classes: Vec<Class> = self
            .schema
            .classes()
            .iter()
            .copied()
            .filter(|class| earlier.schema.classes().contains(class))
            .collect();
        let same_zone = |zone| match same(Place::Zone(zone)) {
            Some(Place::Zone(then)) => Some(then),
            _ => None,
        };
        let cells = (self.schema.ground(), earlier.schema.ground());
        let zones = self.schema.zone_indices();
        self.ground.add_earlier(&earlier.ground, cells, zones, same_zone);
        if self.schema.masks && earlier.schema.masks {
            let Masks { with_mask, without_mask, unknown } = earlier.masks;
            self.masks.with_mask = self.masks.with_mask.saturating_add(with_mask);
            self.masks.without_mask = self.masks.without_mask.saturating_add(without_mask);
            self.masks.unknown = self.masks.unknown.saturating_add(unknown);
        }
        for class in classes {
            self.view_mut(class).add_earlier(earlier.view(class));
            for place in self.schema.places() {
                match (place, same(place)) {
                    (Place::Line(line), Some(Place::Line(then))) => {
                        let DirectionalCount { forward, backward } = earlier.line(then, class);
                        let now = self.line_mut(line, class);
                        now.forward = now.forward.saturating_add(forward);
                        now.backward = now.backward.saturating_add(backward);
                    }
                    (Place::Zone(zone), Some(Place::Zone(then))) => {
                        let Visits { entered, left } = earlier.visits(then, class);
                        let now = self.visits_mut(zone, class);
                        now.entered = now.entered.saturating_add(entered);
                        now.left = now.left.saturating_add(left);
                        let Dwell { visits, total_ms } = earlier.dwell(then, class);
                        let now = self.dwell_mut(zone, class);
                        now.visits = now.visits.saturating_add(visits);
                        now.total_ms = now.total_ms.saturating_add(total_ms);
                        self.occupancy_mut(zone, class).add_earlier(earlier.occupancy(then, class));
                    }
                    _ => {}
                }
            }
            for (from, to) in self.schema.flow_pairs() {
                let (Some(from_then), Some(to_then)) = (same(from), same(to)) else { continue };
                if earlier.schema.flows {
                    let cell = self.flow_cell(from, to, class);
                    self.flows[cell] =
                        self.flows[cell].saturating_add(earlier.flow(from_then, to_then, class));
                }
            }
        }
    }

    /// Looks of the detector.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// The exact totals as the eye tells them to the door. Not a release: the door bounds them, adds noise and
    /// withholds before anybody reads them.
    pub fn records(&self, state: WindowState) -> Vec<Record> {
        let window = self.window;
        let cells = self.cells().map(|(class, measure)| Message::Cell { window, state, class, measure });
        let mut records: Vec<Record> = cells.map(Record::from).collect();
        let cells = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let observed_ms = u32::try_from(self.observed_ms).unwrap_or(u32::MAX);
        records.push(Message::WindowDone { window, state, observed_ms, looks: self.looks, cells }.into());
        records
    }

    /// Every cell, in the order of the records.
    pub fn cells(&self) -> impl Iterator<Item = (Class, Measure)> {
        let classes = self.schema.classes().iter();
        classes.flat_map(|&class| self.measures(class).map(move |measure| (class, measure)))
    }

    fn measures(&self, class: Class) -> impl Iterator<Item = Measure> {
        let Occupancy { now, max, present_ms } = self.view(class);
        let view = Measure::ViewOccupancy { now, max, present_ms };
        let lines = (0..self.schema.lines).map(LineIndex).map(move |line| {
            let DirectionalCount { forward, backward } = self.line(line, class);
            Measure::LineCrossings { line, forward, backward }
        });
        let zones = (0..self.schema.zones).map(ZoneIndex).flat_map(move |zone| {
            let Visits { entered, left } = self.visits(zone, class);
            let Occupancy { now, max, present_ms } = self.occupancy(zone, class);
            let Dwell { visits, total_ms } = self.dwell(zone, class);
            [
                Measure::ZoneVisits { zone, entered, left },
                Measure::ZoneOccupancy { zone, now, max, present_ms },
                Measure::ZoneDwell { zone, visits, total_ms },
            ]
        });
        let flows = self.schema.flow_pairs().into_iter().map(move |(from, to)| Measure::Flow {
            from,
            to,
            count: self.flow(from, to, class),
        });
        let Masks { with_mask, without_mask, unknown } = self.masks;
        let masks = (self.schema.masks && class == Class::Person).then_some(Measure::Masks {
            with_mask,
            without_mask,
            unknown,
        });
        let ground = if class == Class::Person { self.ground.measures(&self.schema) } else { Vec::new() };
        std::iter::once(view).chain(lines).chain(zones).chain(flows).chain(masks).chain(ground)
    }
}

fn cell(place: u16, class: Class) -> usize {
    usize::from(place) * Class::COUNT + class.index()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(2, 1, &[Class::Car, Class::Person], true).unwrap().with_masks().unwrap()
    }

    #[test]
    fn the_number_of_records_depends_on_the_schema_only() {
        let window = Window::new(0, 1000).unwrap();
        let empty = WindowTotals::new(schema(), window);
        let mut full = empty.clone();
        full.line_mut(LineIndex(1), Class::Person).forward = 40_000;
        full.add_flow(Place::Line(LineIndex(0)), Place::Zone(ZoneIndex(0)), Class::Car);
        let (empty, full) = (empty.records(WindowState::Closed), full.records(WindowState::Closed));
        assert_eq!(empty.len(), schema().cells() + 1);
        assert_eq!(full.len(), empty.len());
    }

    #[test]
    fn totals_come_back_from_their_cells() {
        let window = Window::new(0, 1000).unwrap();
        let mut totals = WindowTotals::new(schema(), window);
        totals.line_mut(LineIndex(1), Class::Person).backward = 4;
        totals.view_mut(Class::Car).add_present(300);
        totals.settle_max();
        totals.add_flow(Place::Zone(ZoneIndex(0)), Place::Line(LineIndex(0)), Class::Person);
        *totals.masks_mut() = Masks { with_mask: 7, without_mask: 2, unknown: 1 };
        totals.set_observed(900, 5);
        let mut copy = WindowTotals::new(schema(), window);
        assert!(totals.cells().all(|(class, measure)| copy.set(class, measure)));
        copy.set_observed(900, 5);
        assert_eq!(copy, totals);
        let line = LineIndex(2);
        assert!(!copy.set(Class::Person, Measure::LineCrossings { line, forward: 1, backward: 0 }));
        assert!(!copy.set(Class::Bus, Measure::ViewOccupancy { now: 0, max: 0, present_ms: 0 }));
        assert!(!copy.set(Class::Car, Measure::Masks { with_mask: 1, without_mask: 0, unknown: 0 }));
        assert_eq!(copy, totals, "a cell that is not there changes nothing");
    }

    #[test]
    fn parts_of_one_window_add_up() {
        let window = Window::new(0, 10_000).unwrap();
        let [near, far] = [LineIndex(0), LineIndex(1)];
        let zone = ZoneIndex(0);
        let part = |figure: u32| {
            let mut totals = WindowTotals::new(schema(), window);
            *totals.line_mut(near, Class::Person) =
                DirectionalCount { forward: figure, backward: 2 * figure };
            totals.line_mut(far, Class::Car).forward = 3 * figure;
            *totals.visits_mut(zone, Class::Person) = Visits { entered: figure, left: figure };
            *totals.dwell_mut(zone, Class::Person) = Dwell { visits: figure, total_ms: 7 };
            *totals.occupancy_mut(zone, Class::Car) = Occupancy { now: figure, max: figure, present_ms: 100 };
            *totals.view_mut(Class::Person) = Occupancy { now: figure, max: 10 - figure, present_ms: 1000 };
            totals.add_flow(Place::Line(near), Place::Zone(zone), Class::Person);
            totals.add_flow(Place::Line(far), Place::Zone(zone), Class::Person);
            totals.set_observed(4_000, 20);
            totals
        };
        let mut whole = part(3);
        whole.add_earlier(&part(5), Some);
        assert_eq!((whole.observed_ms(), whole.looks()), (8_000, 40));
        assert_eq!(whole.line(near, Class::Person), DirectionalCount { forward: 8, backward: 16 });
        assert_eq!(whole.visits(zone, Class::Person), Visits { entered: 8, left: 8 });
        assert_eq!(whole.dwell(zone, Class::Person), Dwell { visits: 8, total_ms: 14 });
        assert_eq!(whole.occupancy(zone, Class::Car), Occupancy { now: 3, max: 5, present_ms: 200 });
        assert_eq!(whole.view(Class::Person), Occupancy { now: 3, max: 7, present_ms: 2000 });
        assert_eq!(whole.flow(Place::Line(near), Place::Zone(zone), Class::Person), 2);
        whole.add_earlier(&part(1), Some);
        assert_eq!(whole.observed_ms(), 12_000, "an eye cannot claim more than the window");

        // The lines have changed places, one of them is new, and cars are not counted any more.
        let schema = Schema::new(2, 1, &[Class::Person], true).unwrap();
        let mut changed = WindowTotals::new(schema, window);
        changed.add_earlier(&part(5), |place| match place {
            Place::Line(line) => (line == far).then_some(Place::Line(near)),
            Place::Zone(_) => Some(place),
        });
        assert_eq!(changed.line(far, Class::Person).forward, 5);
        assert_eq!(changed.line(near, Class::Person), DirectionalCount::default());
        assert_eq!(changed.flow(Place::Line(far), Place::Zone(zone), Class::Person), 1);
        assert_eq!(changed.flow(Place::Line(near), Place::Zone(zone), Class::Person), 0);
        assert_eq!(changed.view(Class::Person).max, 5);
    }

    #[test]
    fn windows_are_aligned_before_the_epoch_too() {
        let cases = [(0, 0), (899_999, 0), (900_000, 900_000), (-1, -900_000)];
        for (at_ms, start_ms) in cases {
            let window = Window::containing(at_ms, 900_000).unwrap();
            assert_eq!((window.start_ms(), window.end_ms()), (start_ms, start_ms + 900_000), "{at_ms}");
        }
        assert_eq!(Window::containing(i64::MAX, 900_000), None);
        assert_eq!(Window::new(0, 0), None);
    }

    #[test]
    fn a_schema_has_limits() {
        assert_eq!(Schema::new(60, 5, &Class::ALL, false), Err(SchemaError::TooManyPlaces(65)));
        assert_eq!(Schema::new(1, 0, &[], false), Err(SchemaError::NoClass));
        let cars = Schema::new(1, 0, &[Class::Car], false).unwrap();
        assert_eq!(cars.with_masks(), Err(SchemaError::MasksWithoutPeople));
    }
}
