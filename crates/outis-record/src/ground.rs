//! What is measured on the ground, of people: how near they come to each other, how fast they walk, where they stand.
//! Only with a ground plane, and only what the configuration asks for.

use crate::{Figure, Measure, Schema, SchemaError, ZoneIndex, possible};

/// Where people are measured on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// All of the picture.
    View,
    /// A zone.
    Zone(ZoneIndex),
}

impl Area {
    /// Zones carry this bit in a record's 16-bit place, as in [`crate::Place`].
    const ZONE_BIT: u16 = 1 << 15;

    pub(crate) fn to_wire(self) -> u16 {
        match self {
            Self::View => 0,
            Self::Zone(ZoneIndex(index)) => index | Self::ZONE_BIT,
        }
    }

    pub(crate) fn from_wire(wire: u16) -> Self {
        if wire & Self::ZONE_BIT == 0 { Self::View } else { Self::Zone(ZoneIndex(wire & !Self::ZONE_BIT)) }
    }

    fn index(self) -> usize {
        match self {
            Self::View => 0,
            Self::Zone(zone) => 1 + usize::from(zone.0),
        }
    }
}

/// Upper ends of the spans of nearest distances, in centimetres; the last span has none. Hall's (1966) borders of
/// personal and social distance, 0.45 and 1.2 m, lie in different spans, and so do the rules of distance of 2020.
pub const NEAREST_UNTIL_CM: [u16; 6] = [50, 100, 150, 200, 300, 500];

/// How many spans of nearest distances there are.
pub const NEAREST_SPANS: usize = NEAREST_UNTIL_CM.len() + 1;

/// What a configuration asks for on the ground: fixes the cells, and nothing that is seen does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroundCells {
    /// Distances of which is told how long people were nearer, and how often they met.
    pub thresholds: u8,
    /// Whether the density of zones is told.
    pub density: bool,
    /// Whether walking speeds and stops are told.
    pub speed: bool,
    /// The zones in which people queue, a bit each.
    pub queues: u64,
    /// Cells of the heat map.
    pub heat_cells: u16,
}

impl GroundCells {
    /// The most distances that one camera tells of.
    pub const THRESHOLDS_MAX: u8 = 3;

    /// The most cells of a heat map.
    pub const HEAT_CELLS_MAX: u16 = 400;

    /// Whether nothing is asked for.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether people queue in a zone.
    pub fn has_queue(&self, zone: ZoneIndex) -> bool {
        zone.0 < 64 && self.queues & (1 << zone.0) != 0
    }

    /// Whether it fits beside so many zones.
    pub(crate) fn check(&self, zones: usize) -> Result<(), SchemaError> {
        let queues_known = zones >= 64 || self.queues >> zones == 0;
        match *self {
            Self { thresholds, .. } if thresholds > Self::THRESHOLDS_MAX => {
                Err(SchemaError::TooManyDistances(thresholds.into()))
            }
            Self { heat_cells, .. } if heat_cells > Self::HEAT_CELLS_MAX => {
                Err(SchemaError::TooManyHeatCells(heat_cells.into()))
            }
            _ if !queues_known => Err(SchemaError::QueueWithoutZone),
            _ => Ok(()),
        }
    }

    /// How many cells they are beside so many zones.
    pub(crate) fn count(&self, zones: usize) -> usize {
        let areas = 1 + zones;
        let near = if self.thresholds > 0 { NEAREST_SPANS + usize::from(self.thresholds) } else { 0 };
        let speed = usize::from(self.speed);
        let density = if self.density { zones } else { 0 };
        areas * (near + speed) + density + self.queues.count_ones() as usize + usize::from(self.heat_cells)
    }

    /// Whether there is a cell for this measure, beside so many zones.
    pub(crate) fn has(&self, measure: Measure, zones: u16) -> bool {
        let has_area = |area: Area| match area {
            Area::View => true,
            Area::Zone(zone) => zone.0 < zones,
        };
        match measure {
            Measure::NearestTime { area, span, .. } => {
                self.thresholds > 0 && has_area(area) && usize::from(span) < NEAREST_SPANS
            }
            Measure::NearTime { area, threshold, .. } => has_area(area) && threshold < self.thresholds,
            Measure::Speed { area, .. } => self.speed && has_area(area),
            Measure::Density { zone, .. } => self.density && zone.0 < zones,
            Measure::Queue { zone, .. } => zone.0 < zones && self.has_queue(zone),
            Measure::Heat { cell, .. } => cell < self.heat_cells,
            _ => false,
        }
    }
}

/// How long people were nearer than a distance, and how often they met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Near {
    /// Time summed over people, in milliseconds.
    pub near_ms: u64,
    /// Pairs that stayed nearer for as long as the configuration says.
    pub encounters: u32,
}

/// How people walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Speed {
    /// How far they walked, in millimetres, summed over people.
    pub walked_mm: u64,
    /// Time they walked, in milliseconds, summed over people.
    pub walking_ms: u64,
    /// Time they stood, in milliseconds, summed over people.
    pub stopped_ms: u64,
}

/// How many are on how much ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Density {
    /// The zone's ground, in square decimetres: by the configuration, and the same in every window.
    pub area_dm2: u32,
    /// Time people were there, in milliseconds, summed over people.
    pub present_ms: u64,
    /// How many were there at most.
    pub max: u32,
}

/// People in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    /// Time people stood in it, in milliseconds, summed over people.
    pub standing_ms: u64,
    /// How many stood in it at most.
    pub max: u32,
    /// How many were served: left at its head after they had stood.
    pub served: u32,
    /// How long those had been there, in milliseconds, summed over people.
    pub waited_ms: u64,
}

/// Exact totals of one window on the ground.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroundTotals {
    // By area: the view, then the zones.
    nearest_ms: Vec<[u64; NEAREST_SPANS]>,
    near: Vec<[Near; GroundCells::THRESHOLDS_MAX as usize]>,
    speed: Vec<Speed>,
    // By zone.
    density: Vec<Density>,
    queues: Vec<Queue>,
    heat_ms: Vec<u64>,
}

impl GroundTotals {
    /// Totals of nothing yet.
    pub(crate) fn new(cells: GroundCells, zones: usize) -> Self {
        if cells.is_none() {
            return Self::default();
        }
        Self {
            nearest_ms: vec![[0; NEAREST_SPANS]; 1 + zones],
            near: vec![[Near::default(); GroundCells::THRESHOLDS_MAX as usize]; 1 + zones],
            speed: vec![Speed::default(); 1 + zones],
            density: vec![Density::default(); zones],
            queues: vec![Queue::default(); zones],
            heat_ms: vec![0; cells.heat_cells.into()],
        }
    }

    /// Time by the distance to the nearest neighbour, in milliseconds summed over people.
    ///
    /// # Panics
    /// These accessors panic when the area, zone or cell is not in the schema.
    pub fn nearest_ms(&self, area: Area) -> [u64; NEAREST_SPANS] {
        self.nearest_ms[area.index()]
    }

    /// The same, to be changed.
    pub fn nearest_ms_mut(&mut self, area: Area) -> &mut [u64; NEAREST_SPANS] {
        &mut self.nearest_ms[area.index()]
    }

    /// How long and how often people were nearer than one of the distances.
    pub fn near(&self, area: Area, threshold: u8) -> Near {
        self.near[area.index()][usize::from(threshold)]
    }

    /// The same, to be changed.
    pub fn near_mut(&mut self, area: Area, threshold: u8) -> &mut Near {
        &mut self.near[area.index()][usize::from(threshold)]
    }

    /// How people walked.
    pub fn speed(&self, area: Area) -> Speed {
        self.speed[area.index()]
    }

    /// The same, to be changed.
    pub fn speed_mut(&mut self, area: Area) -> &mut Speed {
        &mut self.speed[area.index()]
    }

    /// How many are on how much ground.
    pub fn density(&self, zone: ZoneIndex) -> Density {
        self.density[usize::from(zone.0)]
    }

    /// The same, to be changed.
    pub fn density_mut(&mut self, zone: ZoneIndex) -> &mut Density {
        &mut self.density[usize::from(zone.0)]
    }

    /// People in a line.
    pub fn queue(&self, zone: ZoneIndex) -> Queue {
        self.queues[usize::from(zone.0)]
    }

    /// The same, to be changed.
    pub fn queue_mut(&mut self, zone: ZoneIndex) -> &mut Queue {
        &mut self.queues[usize::from(zone.0)]
    }

    /// Time people were on a cell of the heat map, in milliseconds summed over people.
    pub fn heat_ms(&self, cell: u16) -> u64 {
        self.heat_ms[usize::from(cell)]
    }

    /// The same, to be changed.
    pub fn heat_ms_mut(&mut self, cell: u16) -> &mut u64 {
        &mut self.heat_ms[usize::from(cell)]
    }

    /// Adds what was measured earlier in the same window: what is summed adds up, the highest of both is the highest.
    /// `same` says which zone of the earlier totals a zone continues. What has other cells starts anew.
    pub(crate) fn add_earlier(
        &mut self,
        earlier: &Self,
        (now, then): (GroundCells, GroundCells),
        zones: impl Iterator<Item = ZoneIndex>,
        same: impl Fn(ZoneIndex) -> Option<ZoneIndex>,
    ) {
        let add = |sum: &mut u64, part: u64| *sum = sum.saturating_add(part);
        if now.heat_cells == then.heat_cells {
            self.heat_ms.iter_mut().zip(&earlier.heat_ms).for_each(|(sum, part)| add(sum, *part));
        }
        let pairs: Vec<_> = zones.filter_map(|zone| Some((zone, same(zone)?))).collect();
        let areas = pairs.iter().map(|&(zone, before)| (Area::Zone(zone), Area::Zone(before)));
        for (area, before) in std::iter::once((Area::View, Area::View)).chain(areas) {
            if now.thresholds == then.thresholds && now.thresholds > 0 {
                let spans = self.nearest_ms_mut(area).iter_mut();
                spans.zip(earlier.nearest_ms(before)).for_each(|(sum, part)| add(sum, part));
                for threshold in 0..now.thresholds {
                    let (sum, part) = (self.near_mut(area, threshold), earlier.near(before, threshold));
                    add(&mut sum.near_ms, part.near_ms);
                    sum.encounters = sum.encounters.saturating_add(part.encounters);
                }
            }
            if now.speed && then.speed {
                let (sum, part) = (self.speed_mut(area), earlier.speed(before));
                add(&mut sum.walked_mm, part.walked_mm);
                add(&mut sum.walking_ms, part.walking_ms);
                add(&mut sum.stopped_ms, part.stopped_ms);
            }
        }
        for (zone, before) in pairs {
            if now.density && then.density {
                let (sum, part) = (self.density_mut(zone), earlier.density(before));
                // An eye that has not looked yet has told no ground.
                sum.area_dm2 = if sum.area_dm2 == 0 { part.area_dm2 } else { sum.area_dm2 };
                add(&mut sum.present_ms, part.present_ms);
                sum.max = sum.max.max(part.max);
            }
            if now.has_queue(zone) && then.has_queue(before) {
                let (sum, part) = (self.queue_mut(zone), earlier.queue(before));
                add(&mut sum.standing_ms, part.standing_ms);
                sum.max = sum.max.max(part.max);
                sum.served = sum.served.saturating_add(part.served);
                add(&mut sum.waited_ms, part.waited_ms);
            }
        }
    }

    /// Every cell, in the order of the records.
    pub(crate) fn measures(&self, schema: &Schema) -> Vec<Measure> {
        let (cells, zones) = (schema.ground(), schema.zone_indices());
        let areas = || std::iter::once(Area::View).chain(zones.clone().map(Area::Zone));
        let mut measures = Vec::with_capacity(cells.count(schema.zones()));
        if cells.thresholds > 0 {
            for area in areas() {
                let spans = self.nearest_ms(area).into_iter().zip(0u8..);
                measures.extend(spans.map(|(total_ms, span)| Measure::NearestTime { area, span, total_ms }));
                measures.extend((0..cells.thresholds).map(|threshold| {
                    let Near { near_ms, encounters } = self.near(area, threshold);
                    Measure::NearTime { area, threshold, near_ms, encounters }
                }));
            }
        }
        if cells.speed {
            measures.extend(areas().map(|area| {
                let Speed { walked_mm, walking_ms, stopped_ms } = self.speed(area);
                Measure::Speed { area, walked_mm, walking_ms, stopped_ms }
            }));
        }
        if cells.density {
            measures.extend(zones.clone().map(|zone| {
                let Density { area_dm2, present_ms, max } = self.density(zone);
                Measure::Density { zone, area_dm2, present_ms, max }
            }));
        }
        measures.extend(zones.filter(|&zone| cells.has_queue(zone)).map(|zone| {
            let Queue { standing_ms, max, served, waited_ms } = self.queue(zone);
            Measure::Queue { zone, standing_ms, max, served, waited_ms }
        }));
        let heat = (0..cells.heat_cells).map(|cell| Measure::Heat { cell, present_ms: self.heat_ms(cell) });
        measures.extend(heat);
        measures
    }

    /// The exact figure: a count, milliseconds, millimetres or square decimetres; `None` for figures of other kinds.
    pub(crate) fn figure(&self, figure: Figure) -> Option<u64> {
        Some(match figure {
            Figure::Nearest(area, span) => self.nearest_ms(area)[usize::from(span)],
            Figure::Measured(area) => self.nearest_ms(area).into_iter().fold(0, u64::saturating_add),
            Figure::Near(area, threshold) => self.near(area, threshold).near_ms,
            Figure::Encounters(area, threshold) => self.near(area, threshold).encounters.into(),
            Figure::Walked(area) => self.speed(area).walked_mm,
            Figure::Walking(area) => self.speed(area).walking_ms,
            Figure::Standing(area) => self.speed(area).stopped_ms,
            Figure::Ground(zone) => self.density(zone).area_dm2.into(),
            Figure::GroundPresent(zone) => self.density(zone).present_ms,
            Figure::GroundMax(zone) => self.density(zone).max.into(),
            Figure::QueueTime(zone) => self.queue(zone).standing_ms,
            Figure::QueueMax(zone) => self.queue(zone).max.into(),
            Figure::Served(zone) => self.queue(zone).served.into(),
            Figure::Waited(zone) => self.queue(zone).waited_ms,
            Figure::Heat(cell) => self.heat_ms(cell),
            _ => return None,
        })
    }

    /// Takes over one cell; the schema has it.
    pub(crate) fn set(&mut self, measure: Measure) {
        match measure {
            Measure::NearestTime { area, span, total_ms } => {
                self.nearest_ms_mut(area)[usize::from(span)] = total_ms;
            }
            Measure::NearTime { area, threshold, near_ms, encounters } => {
                *self.near_mut(area, threshold) = Near { near_ms, encounters };
            }
            Measure::Speed { area, walked_mm, walking_ms, stopped_ms } => {
                *self.speed_mut(area) = Speed { walked_mm, walking_ms, stopped_ms };
            }
            Measure::Density { zone, area_dm2, present_ms, max } => {
                *self.density_mut(zone) = Density { area_dm2, present_ms, max };
            }
            Measure::Queue { zone, standing_ms, max, served, waited_ms } => {
                *self.queue_mut(zone) = Queue { standing_ms, max, served, waited_ms };
            }
            Measure::Heat { cell, present_ms } => *self.heat_ms_mut(cell) = present_ms,
            _ => {}
        }
    }
}

impl Measure {
    /// Whether a street can have made these figures on the ground; `None` for other measures.
    pub(crate) fn is_possible_on_ground(&self, observed_ms: u64) -> Option<bool> {
        let present = |time_ms: u64| time_ms <= u64::from(possible::PRESENT_MAX).saturating_mul(observed_ms);
        let events = |count: u32| u64::from(count) <= possible::events_max(observed_ms);
        let counted = |now: u32| now <= possible::PRESENT_MAX;
        Some(match *self {
            Self::NearestTime { total_ms, .. } => present(total_ms),
            Self::NearTime { near_ms, encounters, .. } => {
                let seconds = observed_ms.div_ceil(1000) + 4;
                present(near_ms) && u64::from(encounters) <= possible::ENCOUNTERS_PER_S_MAX * seconds
            }
            Self::Speed { walked_mm, walking_ms, stopped_ms, .. } => {
                present(walking_ms.saturating_add(stopped_ms))
                    && walked_mm <= walking_ms.saturating_mul(possible::WALK_MM_PER_MS_MAX)
            }
            Self::Density { area_dm2, present_ms, max, .. } => {
                area_dm2 <= possible::AREA_DM2_MAX
                    && counted(max)
                    && present_ms <= u64::from(max).saturating_mul(observed_ms)
            }
            Self::Queue { standing_ms, max, served, waited_ms, .. } => {
                counted(max)
                    && standing_ms <= u64::from(max).saturating_mul(observed_ms)
                    && events(served)
                    && waited_ms <= u64::from(served) * possible::STAY_MAX_MS
            }
            Self::Heat { present_ms, .. } => present(present_ms),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Window, WindowTotals};

    fn cells() -> GroundCells {
        GroundCells { thresholds: 2, density: true, speed: true, queues: 0b10, heat_cells: 4 }
    }

    #[test]
    fn the_number_of_cells_is_that_of_the_configuration() {
        let plain = Schema::new(1, 2, &[Class::Car, Class::Person], false).unwrap();
        let schema = plain.clone().with_ground(cells()).unwrap();
        // Three areas with 7 spans, 2 distances and speeds, two densities, one queue, four heat cells.
        assert_eq!(schema.cells() - plain.cells(), 3 * (7 + 2 + 1) + 2 + 1 + 4);
        let totals = WindowTotals::new(schema.clone(), Window::new(0, 1000).unwrap());
        assert_eq!(totals.cells().count(), schema.cells());
        assert!(totals.cells().all(|(class, measure)| schema.has(class, measure)));
        assert!(totals.cells().all(|(class, measure)| plain.has(class, measure) || class == Class::Person));
    }

    #[test]
    fn totals_come_back_from_their_cells() {
        let schema = Schema::new(0, 2, &[Class::Person], false).unwrap().with_ground(cells()).unwrap();
        let window = Window::new(0, 1000).unwrap();
        let mut totals = WindowTotals::new(schema.clone(), window);
        let (ground, zone) = (totals.ground_mut(), ZoneIndex(1));
        ground.nearest_ms_mut(Area::Zone(zone))[6] = 7;
        *ground.near_mut(Area::View, 1) = Near { near_ms: 5, encounters: 1 };
        ground.speed_mut(Area::View).walked_mm = 3;
        *ground.density_mut(zone) = Density { area_dm2: 900, present_ms: 8, max: 2 };
        ground.queue_mut(zone).served = 4;
        *ground.heat_ms_mut(3) = 11;
        let mut copy = WindowTotals::new(schema, window);
        assert!(totals.cells().all(|(class, measure)| copy.set(class, measure)));
        assert_eq!(copy, totals);
        // A queue where none is configured, a fifth cell, a third distance.
        for measure in [
            Measure::Queue { zone: ZoneIndex(0), standing_ms: 0, max: 0, served: 0, waited_ms: 0 },
            Measure::Heat { cell: 4, present_ms: 0 },
            Measure::NearTime { area: Area::View, threshold: 2, near_ms: 0, encounters: 0 },
            Measure::NearestTime { area: Area::View, span: 7, total_ms: 0 },
        ] {
            assert!(!copy.set(Class::Person, measure), "{measure:?}");
        }
    }

    #[test]
    fn parts_of_a_window_add_up() {
        let schema = Schema::new(0, 2, &[Class::Person], false).unwrap();
        let window = Window::new(0, 1000).unwrap();
        let zone = ZoneIndex(1);
        let mut one = WindowTotals::new(schema.clone().with_ground(cells()).unwrap(), window);
        *one.ground_mut().near_mut(Area::View, 0) = Near { near_ms: 5, encounters: 1 };
        *one.ground_mut().density_mut(zone) = Density { area_dm2: 900, present_ms: 8, max: 2 };
        *one.ground_mut().queue_mut(zone) = Queue { standing_ms: 9, max: 3, served: 1, waited_ms: 7 };
        *one.ground_mut().heat_ms_mut(0) = 11;
        one.ground_mut().speed_mut(Area::Zone(ZoneIndex(0))).walked_mm = 4;
        let mut both = one.clone();
        both.add_earlier(&one, Some);
        let ground = both.ground();
        assert_eq!(ground.near(Area::View, 0), Near { near_ms: 10, encounters: 2 });
        assert_eq!(ground.density(zone), Density { area_dm2: 900, present_ms: 16, max: 2 });
        assert_eq!(ground.queue(zone), Queue { standing_ms: 18, max: 3, served: 2, waited_ms: 14 });
        assert_eq!((ground.heat_ms(0), ground.speed(Area::Zone(ZoneIndex(0))).walked_mm), (22, 8));
        // Another scene: the zones have changed places, and the heat map has other cells.
        let other = GroundCells { heat_cells: 9, queues: 0b01, ..cells() };
        let mut other = WindowTotals::new(schema.with_ground(other).unwrap(), window);
        other.add_earlier(&one, |place| match place {
            crate::Place::Zone(zone) => Some(crate::Place::Zone(ZoneIndex(1 - zone.0))),
            crate::Place::Line(_) => None,
        });
        let ground = other.ground();
        assert_eq!((ground.queue(ZoneIndex(0)).served, ground.density(ZoneIndex(0)).max), (1, 2));
        assert_eq!((ground.heat_ms(0), ground.near(Area::View, 0).near_ms), (0, 5));
        assert_eq!(ground.speed(Area::Zone(zone)).walked_mm, 4);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let schema = |classes: &[Class]| Schema::new(0, 1, classes, false).unwrap();
        let person = &[Class::Person];
        let cases = [
            (person, GroundCells { thresholds: 4, ..cells() }, SchemaError::TooManyDistances(4)),
            (person, GroundCells { heat_cells: 401, ..cells() }, SchemaError::TooManyHeatCells(401)),
            (person, GroundCells { queues: 0b10, ..cells() }, SchemaError::QueueWithoutZone),
            (&[Class::Car], GroundCells { queues: 1, ..cells() }, SchemaError::NobodyOnGround),
        ];
        for (classes, cells, expected) in cases {
            assert_eq!(schema(classes).with_ground(cells), Err(expected));
        }
        assert!(schema(&[Class::Car]).with_ground(GroundCells::default()).is_ok());
    }

    #[test]
    fn table_of_the_possible_on_the_ground() {
        let (area, zone) = (Area::View, ZoneIndex(0));
        let near = |near_ms, encounters| Measure::NearTime { area, threshold: 0, near_ms, encounters };
        let speed = |walked_mm, walking_ms| Measure::Speed { area, walked_mm, walking_ms, stopped_ms: 0 };
        let density = |area_dm2, present_ms, max| Measure::Density { zone, area_dm2, present_ms, max };
        let queue = |max, served, waited_ms| Measure::Queue { zone, standing_ms: 0, max, served, waited_ms };
        // Ten seconds of 512 people.
        let cases = [
            ("everybody, all the time", near(5_120_000, 28_672), true),
            ("longer than that", near(5_120_001, 0), false),
            ("more encounters than arms", near(0, 28_673), false),
            ("a sprint", speed(12_000, 1_000), true),
            ("a rocket", speed(12_001, 1_000), false),
            ("a full square", density(1_000_000, 20_000, 2), true),
            ("present longer than observed", density(1, 20_001, 2), false),
            ("more than are followed", density(1, 0, 513), false),
            ("a country", density(u32::MAX, 0, 0), false),
            ("served", queue(1, 2, 2 * possible::STAY_MAX_MS), true),
            ("waits of nobody", queue(1, 0, 1), false),
            ("heat", Measure::Heat { cell: 0, present_ms: 5_120_001 }, false),
            ("nearest", Measure::NearestTime { area, span: 0, total_ms: 5_120_001 }, false),
        ];
        for (name, measure, possible) in cases {
            assert_eq!(measure.is_possible(10_000), possible, "{name}");
        }
    }
}
