//! Which figures of a window may leave, and by which rule each: fixed by schema, profile and length of the window,
//! before anything is seen. [`WindowTotals::release`](crate::WindowTotals::release) follows it, `outis describe`
//! prints it, and [`Disclosure::bits_per_window`] adds it up.

use crate::{
    AlertTerms, Area, Class, Laplace, LineIndex, PassageBounds, Place, Profile, Schema, ZoneIndex,
    capacity::Capacities, ground_rules, possible,
};

/// With noise, a counter is told up to so many a second: four in every second of a quarter of an hour is a
/// metro corridor at its worst. Higher counts are told as this.
const TOLD_PER_S_MAX: u64 = 4;

/// With noise, the mean number present is told up to this.
const TOLD_PRESENT_MAX: u64 = 128;

/// A figure of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Figure {
    /// Present in the picture at the window's newest moment.
    ViewNow,
    /// Present in the picture at most.
    ViewMax,
    /// Time spent in the picture, over all who were there, in milliseconds.
    ViewPresent,
    /// Passages over a line from left to right.
    LineForward(LineIndex),
    /// Passages over a line from right to left.
    LineBackward(LineIndex),
    /// Passages over a line in either direction.
    LineBoth(LineIndex),
    /// Arrivals in a zone.
    ZoneEntered(ZoneIndex),
    /// Departures from a zone.
    ZoneLeft(ZoneIndex),
    /// Present in a zone at the window's newest moment.
    ZoneNow(ZoneIndex),
    /// Present in a zone at most.
    ZoneMax(ZoneIndex),
    /// Time spent in a zone within the window, over all who were there, in milliseconds.
    ZonePresent(ZoneIndex),
    /// Visits to a zone that ended.
    ZoneStays(ZoneIndex),
    /// The sum of the lengths of visits that ended, in milliseconds.
    ZoneStayTotal(ZoneIndex),
    /// Journeys from one place to another.
    Flow(Place, Place),
    /// Time of people whose nearest neighbour was at a distance within one span, in milliseconds.
    Nearest(Area, u8),
    /// Time of people whose distances were measured, in milliseconds.
    Measured(Area),
    /// Time of people who had a neighbour nearer than one of the distances, in milliseconds.
    Near(Area, u8),
    /// Pairs that stayed nearer than one of the distances.
    Encounters(Area, u8),
    /// How far people walked, in millimetres.
    Walked(Area),
    /// Time people walked, in milliseconds.
    Walking(Area),
    /// Time people stood, in milliseconds.
    Standing(Area),
    /// The ground of a zone in square decimetres: by the configuration.
    Ground(ZoneIndex),
    /// Time people were on the ground of a zone, in milliseconds.
    GroundPresent(ZoneIndex),
    /// People on the ground of a zone at most.
    GroundMax(ZoneIndex),
    /// Time people stood in line, in milliseconds.
    QueueTime(ZoneIndex),
    /// People in line at most.
    QueueMax(ZoneIndex),
    /// People who left a line at its head.
    Served(ZoneIndex),
    /// How long those had waited, in milliseconds.
    Waited(ZoneIndex),
    /// Time people were on one cell of the ground, in milliseconds.
    Heat(u16),
    /// People who went away, whether or not it is known if they wore a mask.
    MasksPeople,
    /// Those of them of whom it is known.
    MasksJudged,
    /// Those of whom it is known that they wore one.
    MasksWith,
    /// The share of these among the judged, in hundredths.
    MasksShare,
}

impl Figure {
    /// Whether it is a time in milliseconds.
    pub fn is_time(self) -> bool {
        matches!(
            self,
            Self::ViewPresent
                | Self::ZonePresent(_)
                | Self::ZoneStayTotal(_)
                | Self::Nearest(..)
                | Self::Measured(_)
                | Self::Near(..)
                | Self::Walking(_)
                | Self::Standing(_)
                | Self::GroundPresent(_)
                | Self::QueueTime(_)
                | Self::Waited(_)
                | Self::Heat(_)
        )
    }

    /// Whether it is a length in millimetres.
    pub fn is_length(self) -> bool {
        matches!(self, Self::Walked(_))
    }

    /// Whether it is measured in metres on the ground, and so of people only.
    pub fn is_on_ground(self) -> bool {
        matches!(
            self,
            Self::Nearest(..)
                | Self::Measured(_)
                | Self::Near(..)
                | Self::Encounters(..)
                | Self::Walked(_)
                | Self::Walking(_)
                | Self::Standing(_)
                | Self::Ground(_)
                | Self::GroundPresent(_)
                | Self::GroundMax(_)
                | Self::QueueTime(_)
                | Self::QueueMax(_)
                | Self::Served(_)
                | Self::Waited(_)
                | Self::Heat(_)
        )
    }

    /// Whether it is about masks, and so about people only.
    pub fn is_of_masks(self) -> bool {
        matches!(self, Self::MasksPeople | Self::MasksJudged | Self::MasksWith | Self::MasksShare)
    }
}

/// One figure of one class, and the rule by which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// What is counted.
    pub class: Class,
    /// Which figure of it.
    pub figure: Figure,
    /// What the rule counts in: 1, or 1000 for times told in seconds.
    pub unit: u64,
    /// The highest value, in units; higher ones are told as this.
    pub max: u64,
    /// Noise, in units; none for exact figures.
    pub noise: Option<Laplace>,
    /// Noisy values below this are withheld, in units.
    pub withheld_below: u64,
    /// Values are told in steps of this, in units.
    pub step: u64,
}

/// What may be told of one camera's windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    profile: Profile,
    window_ms: u32,
    cells: Vec<Cell>,
    alerts: AlertTerms,
}

/// Why a profile does not allow a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Short windows tell who passed when.
    #[error("a window of {window_s} s is too short for profile \"{profile}\"; it needs {min} s or more: set window_s = {min}", min = profile.window_s_min())]
    WindowTooShort {
        /// The profile.
        profile: Profile,
        /// The window's length in seconds.
        window_s: u32,
    },
    /// The decree knows people only.
    #[error(
        "profile \"fr-2021-269\" allows the number of people and nothing else: set classes = [\"person\"]"
    )]
    PeopleOnly,
    /// The decree knows one number.
    #[error("profile \"fr-2021-269\" allows the number of people over lines and nothing else: leave out {0}")]
    LinesOnly(&'static str),
    /// An alert is for those who are there now.
    #[error(
        "profile \"{0}\" tells windows and nothing between them: leave out [[camera.alert]], or set profile = \"statistics\""
    )]
    NoAlerts(Profile),
    /// Nothing could be told.
    #[error(
        "profile \"fr-2021-269\" tells the number of people over a line, and no line is drawn: add a section [[camera.line]], or masks = true"
    )]
    NoLine,
}

impl Disclosure {
    /// The rules for windows of this schema and length.
    ///
    /// # Errors
    /// When the profile does not allow them; says what to change.
    pub fn new(profile: Profile, schema: &Schema, window_ms: u32) -> Result<Self, DisclosureError> {
        let window_s = window_ms / 1000;
        if !profile.is_exact() && window_s < profile.window_s_min() {
            return Err(DisclosureError::WindowTooShort { profile, window_s });
        }
        if profile == Profile::Fr2021269 {
            if !schema.ground().is_none() {
                return Err(DisclosureError::LinesOnly("distances, density, speed, queues and heat"));
            }
            match (schema.classes(), schema.zones(), schema.flow_pairs().is_empty(), schema.lines()) {
                (_, 1.., _, _) => return Err(DisclosureError::LinesOnly("[[camera.zone]]")),
                (_, _, false, _) => return Err(DisclosureError::LinesOnly("flows")),
                ([Class::Person], _, _, 1..) => {}
                // Who went by is told with the masks.
                ([Class::Person], _, _, 0) if schema.masks() => {}
                ([Class::Person], _, _, 0) => return Err(DisclosureError::NoLine),
                _ => return Err(DisclosureError::PeopleOnly),
            }
        }
        let rules = Rules::new(profile, schema, window_ms);
        let figures = figures(profile, schema);
        let on_ground = ground_rules::figures(profile, schema);
        let of_class = |&class: &Class| {
            let people = if class == Class::Person { &on_ground[..] } else { &[] };
            let told = figures.iter().filter(move |figure| class == Class::Person || !figure.is_of_masks());
            told.chain(people).map(move |&figure| (class, figure))
        };
        let cells =
            schema.classes().iter().flat_map(of_class).map(|(class, figure)| rules.cell(class, figure));
        Ok(Self { profile, window_ms, cells: cells.collect(), alerts: AlertTerms::none() })
    }

    /// The same, with alerts between the windows.
    ///
    /// # Errors
    /// When the profile does not allow any; says what to change.
    pub fn with_alerts(self, alerts: AlertTerms) -> Result<Self, DisclosureError> {
        match self.profile {
            Profile::OpenData | Profile::Fr2021269 if !alerts.alerts().is_empty() => {
                Err(DisclosureError::NoAlerts(self.profile))
            }
            _ => Ok(Self { alerts, ..self }),
        }
    }

    /// The alerts that may come between the windows.
    pub fn alerts(&self) -> &AlertTerms {
        &self.alerts
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Length of the windows in milliseconds.
    pub fn window_ms(&self) -> u32 {
        self.window_ms
    }

    /// Every figure that is told, in the order of the release.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The observed time is told in steps of so many milliseconds.
    pub fn observed_step_ms(&self) -> u64 {
        if self.profile.is_exact() { 1 } else { 1000 }
    }

    /// How many bits of information each cell can carry at most, in the order of [`Disclosure::cells`].
    pub fn bits_by_cell(&self) -> Vec<f64> {
        let mut capacities = Capacities::default();
        // What is told of masks is made of three noisy counters: each stands for one of them.
        let people = self.cells.iter().find(|cell| cell.figure == Figure::MasksPeople);
        let max = |cell: &Cell| match (cell.figure, people) {
            (Figure::MasksShare, Some(people)) => people.max,
            _ => cell.max,
        };
        self.cells.iter().map(|cell| capacities.bits(max(cell), cell.noise)).collect()
    }

    /// How many bits can be read from the observed time, the state of the window, whether the figures on the ground are
    /// doubted and, if told, the number of looks.
    pub fn frame_bits(&self) -> f64 {
        let window_ms = u64::from(self.window_ms);
        let observed = (window_ms + possible::OBSERVED_SLACK_MS) / self.observed_step_ms();
        let looks = if self.profile.is_exact() { possible::looks_max(window_ms) } else { 0 };
        let doubt = f64::from(u8::from(self.cells.iter().any(|cell| cell.figure.is_on_ground())));
        // Two states: closed, partial.
        ((observed + 1) as f64).log2() + ((looks + 1) as f64).log2() + 1.0 + doubt
    }

    /// How many bits the alerts of a window can carry at most, by what they say and when they come.
    pub fn alert_bits(&self) -> f64 {
        self.alerts.bits(self.window_ms)
    }

    /// An upper bound on the information in one released window and its alerts, whatever the eye does: a taken-over eye that
    /// spends all its counts on it can make a reader learn no more than this.
    pub fn bits_per_window(&self) -> f64 {
        self.bits_by_cell().iter().sum::<f64>() + self.frame_bits() + self.alert_bits()
    }
}

/// Which figures of each class leave at all.
fn figures(profile: Profile, schema: &Schema) -> Vec<Figure> {
    let lines = schema.places().filter_map(|place| match place {
        Place::Line(line) => Some(line),
        Place::Zone(_) => None,
    });
    let zones = schema.places().filter_map(|place| match place {
        Place::Line(_) => None,
        Place::Zone(zone) => Some(zone),
    });
    let exact = profile.is_exact();
    let last = if exact { Figure::MasksWith } else { Figure::MasksShare };
    let masks = [Figure::MasksPeople, Figure::MasksJudged, last].into_iter().filter(|_| schema.masks());
    if profile == Profile::Fr2021269 {
        return lines.map(Figure::LineBoth).chain(masks).collect();
    }
    let mut figures = vec![Figure::ViewPresent];
    if exact {
        figures.extend([Figure::ViewNow, Figure::ViewMax]);
    }
    figures.extend(lines.flat_map(|line| [Figure::LineForward(line), Figure::LineBackward(line)]));
    for zone in zones {
        figures.extend([Figure::ZoneEntered(zone), Figure::ZoneLeft(zone), Figure::ZoneStayTotal(zone)]);
        if exact {
            figures.extend([Figure::ZoneNow(zone), Figure::ZoneMax(zone)]);
            figures.extend([Figure::ZonePresent(zone), Figure::ZoneStays(zone)]);
        }
    }
    figures.extend(schema.flow_pairs().into_iter().map(|(from, to)| Figure::Flow(from, to)));
    figures.extend(masks);
    figures
}

/// The noise of each group of figures, and the ranges.
#[derive(Debug)]
struct Rules {
    profile: Profile,
    window_ms: u64,
    counts: Option<Laplace>,
    flows: Option<Laplace>,
    masks: Option<Laplace>,
    times: Option<Laplace>,
    ground: ground_rules::Parts,
    shares: u32,
}

impl Rules {
    fn new(profile: Profile, schema: &Schema, window_ms: u32) -> Self {
        let [counts_share, flows_share, masks_share, times_share] = [
            if schema.lines() + schema.zones() > 0 { 4 } else { 0 },
            if schema.flow_pairs().is_empty() { 0 } else { 2 },
            u32::from(schema.masks()),
            if profile == Profile::Fr2021269 { 0 } else { 1 },
        ];
        let ground = ground_rules::Parts::new(schema);
        let shares = counts_share + flows_share + masks_share + times_share + ground.shares();
        // Scale = sensitivity / (ε · share / shares), as whole numbers. `None` without noise, or without a share.
        let noise = |sensitivity: u32, share: u32| {
            let epsilon = profile.epsilon()?;
            Laplace::new(sensitivity * shares, epsilon * share)
        };
        let counters = u32::try_from(2 * (schema.lines() + schema.zones())).unwrap_or(u32::MAX);
        let second = u32::try_from(PassageBounds::PRESENT_MS / 1000).unwrap_or(u32::MAX);
        let times = if schema.zones() > 0 { 2 } else { 1 };
        Self {
            profile,
            window_ms: window_ms.into(),
            counts: noise(counters.min(PassageBounds::COUNTS), counts_share),
            flows: noise(1, flows_share),
            // A passage is in one of three counters.
            masks: noise(1, masks_share),
            times: noise(times * second, times_share),
            ground,
            shares,
        }
    }

    fn cell(&self, class: Class, figure: Figure) -> Cell {
        let (time, exact) = (figure.is_time() || figure.is_length(), self.profile.is_exact());
        let k = u64::from(self.profile.k());
        let (unit, max) = match (exact, time) {
            (true, _) => (1, self.exact_max(figure)),
            _ if matches!(figure, Figure::Ground(_)) => (1, possible::AREA_DM2_MAX.into()),
            (false, false) if figure == Figure::MasksShare => (1, 100),
            (false, false) => (1, TOLD_PER_S_MAX * self.window_ms / 1000),
            (false, true) => (1000, TOLD_PRESENT_MAX * self.window_ms / 1000),
        };
        // Fewer passages than k cannot make a time of k · the most that counts of one.
        let of_passage = if time { PassageBounds::PRESENT_MS / 1000 } else { 1 };
        let least = k * ground_rules::most_of_a_passage(figure).unwrap_or(of_passage);
        let step = match (exact, time) {
            (true, _) => 1,
            _ if matches!(figure, Figure::Ground(_)) => 1,
            (false, false) if figure == Figure::MasksShare => Profile::SHARE_STEP_PERCENT,
            (false, false) => self.profile.count_step(),
            (false, true) => self.profile.step_s(),
        };
        let epsilon = self.profile.epsilon().unwrap_or(0);
        let on_ground = self.ground.noise(figure, epsilon, self.shares);
        let noise = match figure {
            _ if exact => None,
            _ if on_ground.is_some() => on_ground.flatten(),
            Figure::Flow(..) => self.flows,
            _ if figure.is_of_masks() => self.masks,
            _ if time => self.times,
            _ => self.counts,
        };
        Cell { class, figure, unit, max: max - max % step, noise, withheld_below: least, step }
    }

    fn exact_max(&self, figure: Figure) -> u64 {
        let events = possible::events_max(self.window_ms + possible::OBSERVED_SLACK_MS);
        let present = u64::from(possible::PRESENT_MAX);
        match figure {
            Figure::ViewNow | Figure::ViewMax | Figure::ZoneNow(_) | Figure::ZoneMax(_) => present,
            Figure::GroundMax(_) | Figure::QueueMax(_) => present,
            Figure::Ground(_) => possible::AREA_DM2_MAX.into(),
            Figure::Walked(_) => {
                present * (self.window_ms + possible::OBSERVED_SLACK_MS) * possible::WALK_MM_PER_MS_MAX
            }
            Figure::Waited(_) => events * possible::STAY_MAX_MS,
            Figure::Encounters(..) => {
                possible::ENCOUNTERS_PER_S_MAX
                    * ((self.window_ms + possible::OBSERVED_SLACK_MS).div_ceil(1000) + 4)
            }
            Figure::ViewPresent
            | Figure::ZonePresent(_)
            | Figure::Nearest(..)
            | Figure::Measured(_)
            | Figure::Near(..)
            | Figure::Walking(_)
            | Figure::Standing(_)
            | Figure::GroundPresent(_)
            | Figure::QueueTime(_)
            | Figure::Heat(_) => present * (self.window_ms + possible::OBSERVED_SLACK_MS),
            Figure::ZoneStayTotal(_) => events * possible::STAY_MAX_MS,
            Figure::LineBoth(_) => 2 * events,
            Figure::MasksShare => 100,
            Figure::LineForward(_)
            | Figure::LineBackward(_)
            | Figure::ZoneEntered(_)
            | Figure::ZoneLeft(_)
            | Figure::ZoneStays(_)
            | Figure::Served(_)
            | Figure::MasksPeople
            | Figure::MasksJudged
            | Figure::MasksWith
            | Figure::Flow(..) => events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Alert, AlertKind, AlertPlace, GroundCells};

    fn schema(lines: usize, zones: usize, classes: &[Class], flows: bool) -> Schema {
        Schema::new(lines, zones, classes, flows).unwrap()
    }

    fn everything() -> GroundCells {
        GroundCells { thresholds: 3, density: true, speed: true, queues: 0b11, heat_cells: 9 }
    }

    fn on_ground(zones: usize, classes: &[Class], cells: GroundCells) -> Schema {
        schema(1, zones, classes, false).with_ground(cells).unwrap()
    }

    #[test]
    fn profiles_and_what_they_refuse() {
        use Profile::{Exact, Fr2021269, OpenData, Statistics};
        let person = [Class::Person];
        let plain = || schema(1, 0, &person, false);
        let short = |profile, window_s| Err(DisclosureError::WindowTooShort { profile, window_s });
        let cases = [
            ("exact, a second", Exact, plain(), 1, Ok(())),
            ("exact, everything", Exact, schema(2, 2, &Class::ALL, true), 20, Ok(())),
            ("statistics, as it comes", Statistics, schema(2, 2, &Class::ALL, true), 900, Ok(())),
            ("statistics, nothing drawn", Statistics, schema(0, 0, &Class::ALL, false), 900, Ok(())),
            ("statistics, a second short", Statistics, plain(), 899, short(Statistics, 899)),
            ("open data, a second short", OpenData, plain(), 899, short(OpenData, 899)),
            ("open data", OpenData, plain(), 900, Ok(())),
            ("decree", Fr2021269, plain(), 1200, Ok(())),
            (
                "decree, an hour, two lines",
                Fr2021269,
                schema(2, 0, &person, true),
                3600,
                Err(DisclosureError::LinesOnly("flows")),
            ),
            (
                "decree, distances",
                Fr2021269,
                on_ground(0, &person, GroundCells { thresholds: 1, ..GroundCells::default() }),
                1200,
                Err(DisclosureError::LinesOnly("distances, density, speed, queues and heat")),
            ),
            (
                "statistics, everything on the ground",
                Statistics,
                on_ground(2, &person, everything()),
                900,
                Ok(()),
            ),
            ("decree, a quarter", Fr2021269, plain(), 900, short(Fr2021269, 900)),
            (
                "decree, cars",
                Fr2021269,
                schema(1, 0, &[Class::Person, Class::Car], false),
                1200,
                Err(DisclosureError::PeopleOnly),
            ),
            (
                "decree, cars only",
                Fr2021269,
                schema(1, 0, &[Class::Car], false),
                1200,
                Err(DisclosureError::PeopleOnly),
            ),
            (
                "decree, a zone",
                Fr2021269,
                schema(1, 1, &person, false),
                1200,
                Err(DisclosureError::LinesOnly("[[camera.zone]]")),
            ),
            (
                "decree, nothing drawn",
                Fr2021269,
                schema(0, 0, &person, false),
                1200,
                Err(DisclosureError::NoLine),
            ),
            ("decree, masks", Fr2021269, schema(0, 0, &person, false).with_masks().unwrap(), 1200, Ok(())),
        ];
        for (name, profile, schema, window_s, expected) in cases {
            let made = Disclosure::new(profile, &schema, window_s * 1000);
            assert_eq!(made.as_ref().map(|_| ()), expected.as_ref().map(|_| ()), "{name}");
            if let Err(error) = made {
                let text = error.to_string();
                assert!(
                    text.contains("set ") || text.contains("leave out") || text.contains("add "),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn alerts_count_in_the_bits_and_are_not_for_every_profile() {
        let alert = Alert { kind: AlertKind::TooFull, place: AlertPlace::View };
        let alerts = AlertTerms::new(vec![alert], 60_000).unwrap();
        let with = |profile| {
            let plain = Disclosure::new(profile, &schema(1, 0, &[Class::Person], false), 1_200_000).unwrap();
            (plain.bits_per_window(), plain.with_alerts(alerts.clone()))
        };
        for profile in [Profile::Exact, Profile::Statistics] {
            let (plain, told) = with(profile);
            let bits = told.unwrap().bits_per_window() - plain;
            assert!((bits - alerts.bits(1_200_000)).abs() < 1e-9, "{profile}: {bits}");
        }
        for profile in [Profile::OpenData, Profile::Fr2021269] {
            assert_eq!(with(profile).1, Err(DisclosureError::NoAlerts(profile)));
        }
    }

    /// The most that one passage loses of its ε, over every figure it can touch.
    fn epsilon_of_a_passage(disclosure: &Disclosure) -> f64 {
        let of = |wanted: &dyn Fn(Figure) -> bool| {
            let cell = disclosure.cells().iter().find(|cell| wanted(cell.figure));
            cell.and_then(|cell| cell.noise).map_or(0.0, |noise| 1.0 / noise.scale())
        };
        let counters = disclosure.cells().iter().map(|cell| match cell.figure {
            Figure::LineForward(_)
            | Figure::LineBackward(_)
            | Figure::ZoneEntered(_)
            | Figure::ZoneLeft(_) => 1,
            Figure::LineBoth(_) => 2,
            _ => 0,
        });
        let classes =
            disclosure.cells().iter().map(|cell| cell.class).collect::<std::collections::BTreeSet<_>>();
        let counters = counters.sum::<u32>() / u32::try_from(classes.len()).unwrap();
        let count =
            |figure| matches!(figure, Figure::LineForward(_) | Figure::LineBoth(_) | Figure::ZoneEntered(_));
        f64::from(counters.min(PassageBounds::COUNTS)) * of(&count)
            + of(&|figure| matches!(figure, Figure::Flow(..)))
            + of(&Figure::is_of_masks)
            + 120.0 * of(&|figure| figure == Figure::ViewPresent)
            + 120.0 * of(&|figure| matches!(figure, Figure::ZoneStayTotal(_)))
            + epsilon_on_ground(disclosure)
    }

    /// The same of the figures on the ground, from the table of bounds.
    fn epsilon_on_ground(disclosure: &Disclosure) -> f64 {
        let each = |wanted: &dyn Fn(Figure) -> bool| {
            let cells = disclosure.cells().iter().filter(|cell| wanted(cell.figure));
            cells.fold((0.0, 0.0f64), |(n, most), cell| {
                (n + 1.0, most.max(cell.noise.map_or(0.0, |noise| 1.0 / noise.scale())))
            })
        };
        // One figure of the picture, or as much spread over all zones.
        let of = |of_area: &dyn Fn(Figure) -> Option<Area>| {
            let view = each(&|figure| of_area(figure) == Some(Area::View));
            let zones = each(&|figure| matches!(of_area(figure), Some(Area::Zone(_))));
            (view.1, zones.1)
        };
        let mut sum = 0.0;
        for threshold in 0..3 {
            let near = of(&|figure| match figure {
                Figure::Near(area, t) if t == threshold => Some(area),
                _ => None,
            });
            sum += 3.0 * 60.0 * (near.0 + near.1);
            sum += 2.0 * each(&|figure| figure == Figure::Encounters(Area::View, threshold)).1;
        }
        let measured = of(&|figure| match figure {
            Figure::Measured(area) => Some(area),
            _ => None,
        });
        let walking = of(&|figure| match figure {
            Figure::Walking(area) => Some(area),
            _ => None,
        });
        let walked = of(&|figure| match figure {
            Figure::Walked(area) => Some(area),
            _ => None,
        });
        sum += 60.0 * (measured.0 + measured.1 + walking.0 + walking.1) + 180.0 * (walked.0 + walked.1);
        sum += 60.0 * each(&|figure| matches!(figure, Figure::GroundPresent(_))).1;
        sum += 120.0 * each(&|figure| matches!(figure, Figure::QueueTime(_))).1;
        sum += 120.0 * each(&|figure| matches!(figure, Figure::Waited(_))).1;
        sum += each(&|figure| matches!(figure, Figure::Served(_))).1;
        sum + 60.0 * each(&|figure| matches!(figure, Figure::Heat(_))).1
    }

    #[test]
    fn all_figures_together_cost_a_passage_one_epsilon() {
        let people = &[Class::Person][..];
        let cases = [
            (Profile::Statistics, schema(0, 0, people, false)),
            (Profile::Statistics, schema(1, 0, people, false)),
            (Profile::Statistics, schema(0, 1, &Class::ALL, false)),
            (Profile::Statistics, schema(2, 1, &Class::ALL, true)),
            (Profile::OpenData, schema(30, 30, people, true)),
            (Profile::Statistics, schema(2, 1, &Class::ALL, true).with_masks().unwrap()),
            (Profile::Statistics, schema(0, 0, people, false).with_masks().unwrap()),
            (Profile::Fr2021269, schema(0, 0, people, false).with_masks().unwrap()),
            (Profile::Fr2021269, schema(2, 0, people, false).with_masks().unwrap()),
            (Profile::Fr2021269, schema(1, 0, people, false)),
            (Profile::Fr2021269, schema(3, 0, people, false)),
            (
                Profile::Statistics,
                on_ground(0, people, GroundCells { thresholds: 1, ..GroundCells::default() }),
            ),
            (Profile::Statistics, on_ground(2, people, everything())),
            (Profile::OpenData, on_ground(2, &Class::ALL, everything())),
            (
                Profile::Statistics,
                on_ground(1, people, GroundCells { density: true, ..GroundCells::default() }),
            ),
        ];
        for (profile, schema) in cases {
            let disclosure = Disclosure::new(profile, &schema, 3_600_000).unwrap();
            let epsilon = epsilon_of_a_passage(&disclosure);
            assert!((epsilon - 1.0).abs() < 1e-9, "{profile}, {schema:?}: {epsilon}");
            let hides = |cell: &Cell| cell.noise.is_some() || matches!(cell.figure, Figure::Ground(_));
            assert!(disclosure.cells().iter().all(hides), "{profile}");
        }
    }

    #[test]
    fn exact_means_every_figure_and_no_noise() {
        let disclosure =
            Disclosure::new(Profile::Exact, &schema(2, 1, &[Class::Person], true), 60_000).unwrap();
        assert_eq!(disclosure.cells().len(), 3 + 4 + 7 + 6);
        let plain = |cell: &Cell| (cell.noise, cell.withheld_below, cell.step, cell.unit) == (None, 0, 1, 1);
        assert!(disclosure.cells().iter().all(plain));
        // One count alone: 512 + 32 · 66 events, so 11.4 bits.
        let bits = disclosure.bits_by_cell();
        let line =
            disclosure.cells().iter().position(|cell| cell.figure == Figure::LineForward(LineIndex(0)));
        assert!((bits[line.unwrap()] - 2625f64.log2()).abs() < 1e-9, "{bits:?}");
    }
}
