//! Puts the records of one camera together into windows, and lets nothing through that the schema
//! does not foresee: not one cell more, not one less, in no other order.
//!
//! It knows no process and no file; messages come in, events go out.

use std::{mem, time::Duration};

use outis_record::{
    Alert, AlertTerms, Class, GroundQuality, GroundView, Measure, Message, Notice, Outcome, Progress, Schema,
    Window, WindowState, WindowTotals, possible,
};

use crate::course::{Course, Timing, Untimely};

/// Checks the messages of one eye and assembles its windows.
#[derive(Debug)]
pub(crate) struct Assembler {
    schema: Schema,
    /// The cells of a window in the order in which they must come.
    form: Vec<(Class, Measure)>,
    window_ms: u32,
    cells: Vec<Measure>,
    /// The window whose cells are coming in.
    filling: Option<(Window, WindowState)>,
    /// Start of the newest finished window: it never grows again.
    finished_start_ms: Option<i64>,
    alerts: AlertTerms,
    /// Whether it may still say how the camera hangs and looks.
    ground_view: bool,
    /// It was told, and what it is worth is not yet.
    viewed: Option<GroundView>,
    course: Course,
    ended: bool,
}

/// What an eye has to say, checked. Windows are exact still: only [`crate::release::Gate`] tells them on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Checked {
    /// A window's totals, running or finished.
    Window(Box<WindowTotals>, WindowState),
    /// Something that people may be asked to change.
    Alert(Alert),
    /// How the camera hangs and looks, and where distances are known.
    GroundView(GroundView, GroundQuality),
    /// How far the eye has come.
    Progress(Progress),
    /// A fault that the eye survived, and how often.
    Notice(Notice, u32),
    /// The run is over.
    End(Outcome, Progress),
}

/// The eye said something that its configuration does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Breach {
    #[error("it sent a cell that its window does not have, or sent one out of its turn")]
    Cell,
    #[error("it finished a window of {expected} cells after {got}")]
    CellCount { expected: usize, got: usize },
    #[error("it mixed two windows, or began another record within one")]
    Mixed,
    #[error("it sent a window that is not one of the configured windows")]
    WindowBounds,
    #[error("it sent a window again that was already finished")]
    WindowAgain,
    #[error("it sent a figure that no street can make: {0}")]
    Impossible(&'static str),
    #[error("it gave an alert that is not configured")]
    Alert,
    #[error(transparent)]
    Untimely(#[from] Untimely),
    #[error("it told how the camera hangs and was not asked for it, or told it twice")]
    GroundView,
    #[error("it went on after the end")]
    AfterEnd,
}

impl Assembler {
    /// An assembler for windows of this schema and timing.
    pub(crate) fn new(schema: Schema, timing: Timing) -> Self {
        let window_ms = timing.window_ms;
        Self {
            form: form(&schema, window_ms),
            schema,
            window_ms,
            course: Course::new(timing),
            cells: Vec::new(),
            filling: None,
            finished_start_ms: None,
            alerts: AlertTerms::none(),
            ground_view: false,
            viewed: None,
            ended: false,
        }
    }

    /// The same for an eye that may give alerts.
    pub(crate) fn with_alerts(self, alerts: AlertTerms) -> Self {
        Self { alerts, ..self }
    }

    /// The same for an eye that was asked how its camera hangs and looks.
    pub(crate) fn with_ground_view(self, ground_view: bool) -> Self {
        Self { ground_view, ..self }
    }

    /// Takes the next message, so long after the start of the programs; something when it completes it.
    pub(crate) fn take(&mut self, message: Message, elapsed: Duration) -> Result<Option<Checked>, Breach> {
        if self.ended {
            return Err(Breach::AfterEnd);
        }
        match message {
            Message::Cell { window, state, class, measure } => {
                self.cell((window, state), class, measure)?;
                Ok(None)
            }
            Message::WindowDone { window, state, observed_ms, looks, cells } => {
                let totals = self.window((window, state), observed_ms.into(), looks, cells, elapsed)?;
                Ok(Some(Checked::Window(Box::new(totals), state)))
            }
            Message::Progress(_)
            | Message::Notice { .. }
            | Message::Alert(_)
            | Message::GroundView(_)
            | Message::GroundQuality(_)
            | Message::End { .. }
                if self.filling.is_some() =>
            {
                Err(Breach::Mixed)
            }
            Message::Alert(alert) if self.alerts.allow(alert) => {
                self.course.alert(self.alerts.gap_ms())?;
                Ok(Some(Checked::Alert(alert)))
            }
            Message::Alert(_) => Err(Breach::Alert),
            Message::GroundView(view) if std::mem::take(&mut self.ground_view) => {
                self.viewed = Some(view);
                Ok(None)
            }
            Message::GroundView(_) => Err(Breach::GroundView),
            Message::GroundQuality(quality) => {
                let view = self.viewed.take().ok_or(Breach::GroundView)?;
                Ok(Some(Checked::GroundView(view, quality)))
            }
            Message::Progress(progress) => {
                self.course.progress(progress, elapsed)?;
                Ok(Some(Checked::Progress(progress)))
            }
            Message::Notice { notice, count } => {
                self.course.notice(notice)?;
                Ok(Some(Checked::Notice(notice, count)))
            }
            Message::End { outcome, progress } => {
                self.course.end(progress, elapsed)?;
                self.ended = true;
                Ok(Some(Checked::End(outcome, progress)))
            }
        }
    }

    fn cell(&mut self, window: (Window, WindowState), class: Class, measure: Measure) -> Result<(), Breach> {
        if *self.filling.get_or_insert(window) != window {
            return Err(Breach::Mixed);
        }
        let expected = self.form.get(self.cells.len()).ok_or(Breach::Cell)?;
        if !(expected.0 == class && same_cell(expected.1, measure)) {
            return Err(Breach::Cell);
        }
        self.cells.push(measure);
        Ok(())
    }

    fn window(
        &mut self,
        window: (Window, WindowState),
        observed_ms: u64,
        looks: u32,
        cells: u32,
        elapsed: Duration,
    ) -> Result<WindowTotals, Breach> {
        let (expected, got) = (self.form.len(), self.cells.len());
        if got != expected || u32::try_from(got) != Ok(cells) {
            return Err(Breach::CellCount { expected, got });
        }
        if self.filling.take() != Some(window) {
            return Err(Breach::Mixed);
        }
        let (window, state) = window;
        let aligned = window.start_ms().rem_euclid(i64::from(self.window_ms)) == 0;
        if window.length_ms() != self.window_ms || !aligned {
            return Err(Breach::WindowBounds);
        }
        if self.finished_start_ms.is_some_and(|finished| window.start_ms() <= finished) {
            return Err(Breach::WindowAgain);
        }
        self.course.window(window, state, elapsed)?;
        if state != WindowState::Open {
            self.finished_start_ms = Some(window.start_ms());
        }
        self.totals(window, observed_ms, looks)
    }

    /// The cells that have come in, if a street can have made them.
    fn totals(&mut self, window: Window, observed_ms: u64, looks: u32) -> Result<WindowTotals, Breach> {
        let length_ms = u64::from(window.length_ms());
        if observed_ms > length_ms + possible::OBSERVED_SLACK_MS {
            return Err(Breach::Impossible("a time observed longer than the window"));
        }
        if u64::from(looks) > possible::looks_max(length_ms) {
            return Err(Breach::Impossible("more looks than a camera has frames"));
        }
        let mut totals = WindowTotals::new(self.schema.clone(), window);
        totals.set_observed(observed_ms, looks);
        for ((class, _), measure) in self.form.iter().zip(mem::take(&mut self.cells)) {
            if !measure.is_possible(observed_ms) {
                return Err(Breach::Impossible(what(measure)));
            }
            if !totals.set(*class, measure) {
                return Err(Breach::Cell);
            }
        }
        Ok(totals)
    }
}

/// What a measure counts, for a message. The figure itself is not told: it may be a message of its own.
fn what(measure: Measure) -> &'static str {
    match measure {
        Measure::LineCrossings { .. } => "passages over a line",
        Measure::ZoneVisits { .. } => "visits to a zone",
        Measure::ZoneOccupancy { .. } => "occupancy of a zone",
        Measure::ZoneDwell { .. } => "stays in a zone",
        Measure::Flow { .. } => "journeys",
        Measure::ViewOccupancy { .. } => "occupancy of the picture",
        Measure::Masks { .. } => "people with and without masks",
        Measure::NearestTime { .. } | Measure::NearTime { .. } => "distances between people",
        Measure::Speed { .. } => "speeds of people",
        Measure::Density { .. } => "density of people",
        Measure::Queue { .. } => "a queue",
        Measure::Heat { .. } => "a cell of the heat map",
    }
}

/// The cells of an empty window: the record crate itself says which there are, and in what order.
fn form(schema: &Schema, window_ms: u32) -> Vec<(Class, Measure)> {
    let Some(window) = Window::new(0, window_ms) else { return Vec::new() };
    WindowTotals::new(schema.clone(), window).cells().collect()
}

/// Whether two measures are of the same kind and place, whatever their figures.
fn same_cell(a: Measure, b: Measure) -> bool {
    use Measure::{
        Density, Flow, Heat, LineCrossings, NearTime, NearestTime, Queue, Speed, ViewOccupancy, ZoneDwell,
        ZoneOccupancy, ZoneVisits,
    };
    match (a, b) {
        (LineCrossings { line: a, .. }, LineCrossings { line: b, .. }) => a == b,
        (ZoneVisits { zone: a, .. }, ZoneVisits { zone: b, .. })
        | (ZoneOccupancy { zone: a, .. }, ZoneOccupancy { zone: b, .. })
        | (ZoneDwell { zone: a, .. }, ZoneDwell { zone: b, .. }) => a == b,
        (Flow { from: a, to: b, .. }, Flow { from: c, to: d, .. }) => (a, b) == (c, d),
        (ViewOccupancy { .. }, ViewOccupancy { .. }) | (Measure::Masks { .. }, Measure::Masks { .. }) => true,
        (NearestTime { area: a, span: b, .. }, NearestTime { area: c, span: d, .. })
        | (NearTime { area: a, threshold: b, .. }, NearTime { area: c, threshold: d, .. }) => {
            (a, b) == (c, d)
        }
        (Speed { area: a, .. }, Speed { area: b, .. }) => a == b,
        (Density { zone: a, .. }, Density { zone: b, .. })
        | (Queue { zone: a, .. }, Queue { zone: b, .. }) => a == b,
        (Heat { cell: a, .. }, Heat { cell: b, .. }) => a == b,
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use outis_record::{
        AlertKind, AlertPlace, DirectionalCount, Disclosure, Dwell, LineIndex, NoRandomness, Place, Profile,
        Quality, Randomness, Record, Visits, ZoneIndex,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{course::Origin, view::WindowView};

    const WINDOW_MS: u32 = 60_000;
    const TIMING: Timing =
        Timing { window_ms: WINDOW_MS, snapshot_ms: Some(500), origin: Origin::FirstFrame, speed_max: None };

    fn schema() -> Schema {
        Schema::new(2, 1, &[Class::Person, Class::Car], true).unwrap()
    }

    /// Two lines and a zone, with a figure of its own in every kind of cell.
    pub(crate) fn totals(start_ms: i64) -> WindowTotals {
        let mut totals = WindowTotals::new(schema(), Window::new(start_ms, WINDOW_MS).unwrap());
        let (zone, line) = (ZoneIndex(0), LineIndex(1));
        totals.set_observed(10_000, 1);
        *totals.line_mut(line, Class::Person) = DirectionalCount { forward: 3, backward: 5 };
        totals.line_mut(line, Class::Car).forward = 2;
        *totals.visits_mut(zone, Class::Person) = Visits { entered: 7, left: 6 };
        *totals.dwell_mut(zone, Class::Person) = Dwell { visits: 6, total_ms: 9_000 };
        let view = totals.view_mut(Class::Person);
        (view.now, view.max, view.present_ms) = (1, 4, 25_000);
        totals.add_flow(Place::Line(line), Place::Zone(zone), Class::Person);
        totals
    }

    /// Exact releases ask for none.
    struct NoBits;

    impl Randomness for NoBits {
        fn next_u64(&mut self) -> Result<u64, NoRandomness> {
            Err(NoRandomness)
        }
    }

    /// The window of [`totals`], as its owner sees it.
    pub(crate) fn view() -> WindowView {
        let disclosure = Disclosure::new(Profile::Exact, &schema(), WINDOW_MS).unwrap();
        let released = totals(0).release(WindowState::Closed, &disclosure, &mut NoBits).unwrap();
        WindowView::new(&released, &disclosure, &schema())
    }

    fn messages(records: &[Record]) -> Vec<Message> {
        records.iter().map(|record| record.message().unwrap()).collect()
    }

    const ALERT: Alert = Alert { kind: AlertKind::TooFull, place: AlertPlace::Zone(ZoneIndex(0)) };

    fn assembler() -> Assembler {
        Assembler::new(schema(), TIMING).with_alerts(AlertTerms::new(vec![ALERT], 10_000).unwrap())
    }

    fn run(messages: &[Message]) -> Result<Vec<Checked>, Breach> {
        let mut assembler = assembler();
        let checked = messages.iter().map(|&message| assembler.take(message, Duration::ZERO));
        checked.filter_map(Result::transpose).collect()
    }

    #[test]
    fn an_alert_comes_out_as_it_went_in() {
        assert_eq!(run(&[Message::Alert(ALERT)]), Ok(vec![Checked::Alert(ALERT)]));
        let mut without = Assembler::new(schema(), TIMING);
        assert_eq!(without.take(Message::Alert(ALERT), Duration::ZERO), Err(Breach::Alert), "off by default");
    }

    #[test]
    fn how_a_camera_hangs_is_told_once_and_only_when_asked_for() {
        let view = GroundView {
            focal_dpx: 11_900,
            height_mm: 7070,
            pitch_mdeg: 16_500,
            roll_mdeg: -3_100,
            people: 20,
            residual_permille: 30,
            focal_permille: 80,
            good_percent: 50,
            fair_percent: 30,
        };
        let quality = GroundQuality([Quality::Fair; GroundQuality::CELLS]);
        let how = |assembler: &mut Assembler| assembler.take(Message::GroundView(view), Duration::ZERO);
        let sure =
            |assembler: &mut Assembler| assembler.take(Message::GroundQuality(quality), Duration::ZERO);
        assert_eq!(how(&mut Assembler::new(schema(), TIMING)), Err(Breach::GroundView), "off by default");
        let mut asked = Assembler::new(schema(), TIMING).with_ground_view(true);
        assert_eq!(sure(&mut asked), Err(Breach::GroundView), "of nothing");
        assert_eq!(how(&mut asked), Ok(None));
        assert_eq!(sure(&mut asked), Ok(Some(Checked::GroundView(view, quality))));
        assert_eq!(sure(&mut asked), Err(Breach::GroundView), "twice");
        assert_eq!(how(&mut asked), Err(Breach::GroundView), "twice");
    }

    #[test]
    fn a_window_comes_out_as_it_went_in() {
        let checked = run(&messages(&totals(0).records(WindowState::Closed))).unwrap();
        assert_eq!(checked, [Checked::Window(Box::new(totals(0)), WindowState::Closed)]);
    }

    #[test]
    fn what_the_schema_does_not_foresee_is_a_breach() {
        let told = |start_ms| messages(&totals(start_ms).records(WindowState::Closed));
        let good = told(0);
        let last = good.len() - 1;
        let end = Message::End { outcome: Outcome::Complete, progress: Progress::default() };
        let notice = Message::Notice { notice: Notice::DamagedPacket, count: 1 };
        let progress = Message::Progress(Progress::default());
        let edited = |edit: &dyn Fn(&mut Vec<Message>)| {
            let mut messages = good.clone();
            edit(&mut messages);
            messages
        };
        let impossible = |change: &dyn Fn(&mut WindowTotals)| {
            let mut totals = totals(0);
            change(&mut totals);
            messages(&totals.records(WindowState::Closed))
        };
        let (line, zone) = (LineIndex(0), ZoneIndex(0));
        let count = |got| Breach::CellCount { expected: last, got };
        let cases = [
            ("a cell is missing", [&good[..3], &good[4..]].concat(), Breach::Cell),
            ("the last cell is missing", [&good[..last - 1], &good[last..]].concat(), count(last - 1)),
            ("one cell more", edited(&|m| m.insert(last, m[0])), Breach::Cell),
            ("two cells in each other's place", edited(&|m| m.swap(1, 2)), Breach::Cell),
            ("cells of another window", edited(&|m| m[2] = told(60_000)[2]), Breach::Mixed),
            ("a notice within a window", edited(&|m| m.insert(5, notice)), Breach::Mixed),
            ("progress within a window", edited(&|m| m.insert(5, progress)), Breach::Mixed),
            ("the end within a window", edited(&|m| m.insert(5, end)), Breach::Mixed),
            ("an alert within a window", edited(&|m| m.insert(5, Message::Alert(ALERT))), Breach::Mixed),
            (
                "an alert nobody asked for",
                vec![Message::Alert(Alert { place: AlertPlace::View, ..ALERT })],
                Breach::Alert,
            ),
            ("alerts too often", vec![Message::Alert(ALERT); 2], Breach::Untimely(Untimely::Alert)),
            ("the same window again", edited(&|m| m.extend(told(0))), Breach::WindowAgain),
            ("an older window", [told(60_000), told(0)].concat(), Breach::WindowAgain),
            ("a window out of step", told(30_000), Breach::WindowBounds),
            ("a window left out", [told(0), told(120_000)].concat(), Breach::Untimely(Untimely::Skipped)),
            ("a notice twice", vec![notice, notice], Breach::Untimely(Untimely::Notice)),
            ("a word after the end", vec![end, notice], Breach::AfterEnd),
            (
                "more passages than a street holds",
                impossible(&|t| t.line_mut(line, Class::Person).forward = 1_000),
                Breach::Impossible("passages over a line"),
            ),
            (
                "more people than are followed",
                impossible(&|t| t.view_mut(Class::Car).max = 513),
                Breach::Impossible("occupancy of the picture"),
            ),
            (
                "present longer than anybody was",
                impossible(&|t| t.occupancy_mut(zone, Class::Car).present_ms = 1),
                Breach::Impossible("occupancy of a zone"),
            ),
            (
                "stays of nobody",
                impossible(&|t| t.dwell_mut(zone, Class::Car).total_ms = 1),
                Breach::Impossible("stays in a zone"),
            ),
            (
                "observed longer than it lasted",
                impossible(&|t| t.set_observed(62_001, 1)),
                Breach::Impossible("a time observed longer than the window"),
            ),
            (
                "more looks than frames",
                impossible(&|t| t.set_observed(10_000, u32::MAX)),
                Breach::Impossible("more looks than a camera has frames"),
            ),
        ];
        for (name, messages, breach) in cases {
            assert_eq!(run(&messages), Err(breach), "{name}");
        }
    }

    /// Messages as an eye might send them that was taken over: well-formed, and anything else.
    fn any_message() -> impl Strategy<Value = Message> {
        let figure = || prop_oneof![Just(0u64), 0..700u64, Just(u32::MAX.into()), any::<u64>()];
        let progress =
            (figure(), figure(), any::<u32>(), any::<u32>()).prop_map(|(media_ms, duration_ms, a, b)| {
                Progress {
                    media_ms,
                    duration_ms,
                    frames: a.max(b),
                    looks: a.min(b),
                    width_px: 9,
                    height_px: 9,
                }
            });
        let state = prop::sample::select(vec![WindowState::Open, WindowState::Closed, WindowState::Partial]);
        let start = prop_oneof![Just(0), Just(60_000), Just(i64::MAX - 60_000), any::<i64>()];
        let window = (start, state).prop_filter_map("in time", |(start_ms, state)| {
            Window::new(start_ms, WINDOW_MS).map(|window| (window, state))
        });
        prop_oneof![
            progress.clone().prop_map(Message::Progress),
            any::<bool>().prop_map(|known| {
                let place = if known { ALERT.place } else { AlertPlace::View };
                Message::Alert(Alert { place, ..ALERT })
            }),
            any::<u32>().prop_map(|count| Message::Notice { notice: Notice::DamagedPacket, count }),
            (window, any::<u32>(), any::<u32>(), 0..40u32).prop_map(
                |((window, state), observed_ms, looks, cells)| {
                    Message::WindowDone { window, state, observed_ms, looks, cells }
                }
            ),
            progress.prop_map(|progress| Message::End { outcome: Outcome::Complete, progress }),
        ]
    }

    proptest! {
        /// Whatever an eye says, the door does not panic, and what it lets through is possible.
        #[test]
        fn any_messages_at_any_times(
            messages in prop::collection::vec((any_message(), any::<u32>(), any::<bool>()), 0..40),
            figures in any::<[u32; 3]>(),
        ) {
            let timing = Timing { speed_max: Some(1.0), ..TIMING };
            let alerts = AlertTerms::new(vec![ALERT], 10_000).unwrap();
            let mut assembler = Assembler::new(schema(), timing).with_alerts(alerts);
            for (message, elapsed_s, whole) in messages {
                // A window of its own now and then, so that more than refusals is tried.
                let mut said = vec![message];
                if let (true, Message::WindowDone { window, state, .. }) = (whole, message) {
                    let mut totals = WindowTotals::new(schema(), window);
                    totals.line_mut(LineIndex(0), Class::Person).forward = figures[0];
                    totals.view_mut(Class::Car).max = figures[1] % 1024;
                    totals.set_observed((figures[2] % 100_000).into(), 7);
                    said = messages_of(&totals, state);
                }
                for message in said {
                    match assembler.take(message, Duration::from_secs(elapsed_s.into())) {
                        Ok(Some(Checked::Window(totals, _))) => {
                            let possible = |(_, measure): (Class, Measure)| measure.is_possible(totals.observed_ms());
                            prop_assert!(totals.cells().all(possible));
                        }
                        Ok(_) => {}
                        Err(breach) => {
                            prop_assert!(!breach.to_string().is_empty());
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    fn messages_of(totals: &WindowTotals, state: WindowState) -> Vec<Message> {
        messages(&totals.records(state))
    }

    #[test]
    fn running_windows_may_come_again_and_run_ahead() {
        let progress =
            |media_ms| vec![Message::Progress(Progress { media_ms, frames: 900, ..Progress::default() })];
        let open = |start_ms| messages(&totals(start_ms).records(WindowState::Open));
        let closed = messages(&totals(0).records(WindowState::Closed));
        // The totals of a window that is over lag behind the running one, because decisions may wait.
        let said = [
            open(0),
            progress(0),
            open(0),
            progress(500),
            open(60_000),
            progress(60_000),
            closed,
            open(60_000),
        ];
        assert_eq!(run(&said.concat()).unwrap().len(), 8);
        assert_eq!(run(&messages(&totals(0).records(WindowState::Closed))[..4]), Ok(vec![]));
    }
}
