//! Puts the records of one camera together into windows, and lets nothing through that the schema
//! does not foresee: not one cell more, not one less, in no other order.
//!
//! It knows no process and no file; messages come in, events go out.

use std::mem;

use outis_record::{
    Class, DirectionalCount, Disclosure, Dwell, Measure, Message, Notice, Outcome, Place, Progress, Schema,
    Visits, Window, WindowState, WindowTotals,
};

/// Checks the messages of one eye and assembles its windows.
#[derive(Debug)]
pub(crate) struct Assembler {
    /// The cells of a window in the order in which they must come.
    form: Vec<(Class, Measure)>,
    window_ms: u32,
    cells: Vec<Measure>,
    /// The window whose cells are coming in.
    filling: Option<(Window, WindowState)>,
    /// Start of the newest finished window: it never grows again.
    finished_start_ms: Option<i64>,
    ended: bool,
}

/// What an eye has to say, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A window's totals, running or finished.
    Window(WindowView),
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
    #[error("it went on after the end")]
    AfterEnd,
}

impl Assembler {
    /// An assembler for windows of this schema and length.
    pub(crate) fn new(schema: &Schema, window_ms: u32) -> Self {
        Self {
            form: form(schema, window_ms),
            window_ms,
            cells: Vec::new(),
            filling: None,
            finished_start_ms: None,
            ended: false,
        }
    }

    /// Takes the next message; an event when it completes one.
    pub(crate) fn take(&mut self, message: Message) -> Result<Option<Event>, Breach> {
        if self.ended {
            return Err(Breach::AfterEnd);
        }
        let event = match message {
            Message::Cell { window, state, class, measure } => {
                self.cell((window, state), class, measure)?;
                return Ok(None);
            }
            Message::WindowDone { window, state, observed_ms, looks, cells } => {
                self.window((window, state), cells)?;
                let by_class = self.by_class();
                return Ok(Some(Event::Window(WindowView { window, state, observed_ms, looks, by_class })));
            }
            Message::Progress(progress) => Event::Progress(progress),
            Message::Notice { notice, count } => Event::Notice(notice, count),
            Message::End { outcome, progress } => Event::End(outcome, progress),
        };
        if self.filling.is_some() {
            return Err(Breach::Mixed);
        }
        self.ended = matches!(event, Event::End(..));
        Ok(Some(event))
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

    fn window(&mut self, window: (Window, WindowState), cells: u32) -> Result<(), Breach> {
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
        if state != WindowState::Open {
            self.finished_start_ms = Some(window.start_ms());
        }
        Ok(())
    }

    fn by_class(&mut self) -> Vec<ClassTotals> {
        let mut by_class: Vec<ClassTotals> = Vec::new();
        for ((class, _), measure) in self.form.iter().zip(mem::take(&mut self.cells)) {
            if by_class.last().is_none_or(|totals| totals.class != *class) {
                by_class.push(ClassTotals::new(*class));
            }
            by_class.last_mut().expect("pushed above").add(measure);
        }
        by_class
    }
}

/// The cells of an empty window: the record crate itself says which there are, and in what order.
fn form(schema: &Schema, window_ms: u32) -> Vec<(Class, Measure)> {
    let Some(window) = Window::new(0, window_ms) else { return Vec::new() };
    let records = WindowTotals::new(schema.clone(), window).snapshot(Disclosure::Exact);
    let messages = records.iter().filter_map(|record| record.message().ok());
    messages
        .filter_map(|message| match message {
            Message::Cell { class, measure, .. } => Some((class, measure)),
            _ => None,
        })
        .collect()
}

/// Whether two measures are of the same kind and place, whatever their figures.
fn same_cell(a: Measure, b: Measure) -> bool {
    use Measure::{Flow, LineCrossings, ViewOccupancy, ZoneDwell, ZoneOccupancy, ZoneVisits};
    match (a, b) {
        (LineCrossings { line: a, .. }, LineCrossings { line: b, .. }) => a == b,
        (ZoneVisits { zone: a, .. }, ZoneVisits { zone: b, .. })
        | (ZoneOccupancy { zone: a, .. }, ZoneOccupancy { zone: b, .. })
        | (ZoneDwell { zone: a, .. }, ZoneDwell { zone: b, .. }) => a == b,
        (Flow { from: a, to: b, .. }, Flow { from: c, to: d, .. }) => (a, b) == (c, d),
        (ViewOccupancy { .. }, ViewOccupancy { .. }) => true,
        _ => false,
    }
}

/// One window's totals, complete.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowView {
    pub(crate) window: Window,
    pub(crate) state: WindowState,
    /// Milliseconds of the window during which the camera was observed.
    pub(crate) observed_ms: u32,
    /// Frames in which the detector looked.
    pub(crate) looks: u32,
    /// Totals of each configured class, in the order of [`Class::ALL`].
    pub(crate) by_class: Vec<ClassTotals>,
}

/// Totals of one class in one window. Lines and zones are in the order of the scene.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassTotals {
    pub(crate) class: Class,
    pub(crate) view: Presence,
    pub(crate) lines: Vec<DirectionalCount>,
    pub(crate) zones: Vec<ZoneTotals>,
    pub(crate) flows: Vec<Journeys>,
}

/// How many were present at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Presence {
    /// At the newest moment.
    pub(crate) now: u32,
    /// At most.
    pub(crate) max: u32,
    /// On average, in thousandths.
    pub(crate) mean_milli: u32,
}

/// Totals of one class in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ZoneTotals {
    pub(crate) visits: Visits,
    pub(crate) presence: Presence,
    pub(crate) dwell: Dwell,
}

/// Journeys of one class from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Journeys {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) count: u32,
}

impl ClassTotals {
    fn new(class: Class) -> Self {
        let (lines, zones, flows) = (Vec::new(), Vec::new(), Vec::new());
        Self { class, view: Presence::default(), lines, zones, flows }
    }

    /// Whether anything of this class was seen.
    pub(crate) fn is_seen(&self) -> bool {
        self.view.max > 0
            || self.lines.iter().any(|line| line.forward > 0 || line.backward > 0)
            || self.zones.iter().any(|zone| zone.visits.entered > 0 || zone.visits.left > 0)
            || self.flows.iter().any(|journeys| journeys.count > 0)
    }

    /// Adds the next cell. The form has fixed the order: a zone's visits come before its other cells.
    fn add(&mut self, measure: Measure) {
        match measure {
            Measure::LineCrossings { forward, backward, .. } => {
                self.lines.push(DirectionalCount { forward, backward });
            }
            Measure::ZoneVisits { entered, left, .. } => {
                self.zones.push(ZoneTotals { visits: Visits { entered, left }, ..ZoneTotals::default() });
            }
            Measure::ZoneOccupancy { zone, now, max, mean_milli } => {
                self.zones[usize::from(zone.0)].presence = Presence { now, max, mean_milli };
            }
            Measure::ZoneDwell { zone, visits, total_ms } => {
                self.zones[usize::from(zone.0)].dwell = Dwell { visits, total_ms };
            }
            Measure::Flow { from, to, count } => self.flows.push(Journeys { from, to, count }),
            Measure::ViewOccupancy { now, max, mean_milli } => self.view = Presence { now, max, mean_milli },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use outis_record::{LineIndex, Record, ZoneIndex};

    use super::*;

    const WINDOW_MS: u32 = 60_000;

    fn schema() -> Schema {
        Schema::new(2, 1, &[Class::Person, Class::Car], true).unwrap()
    }

    /// Two lines and a zone, with a figure of its own in every kind of cell.
    pub(crate) fn totals(start_ms: i64) -> WindowTotals {
        let mut totals = WindowTotals::new(schema(), Window::new(start_ms, WINDOW_MS).unwrap());
        let (zone, line) = (ZoneIndex(0), LineIndex(1));
        totals.add_observed_ms(10_000);
        totals.add_look();
        *totals.line_mut(line, Class::Person) = DirectionalCount { forward: 3, backward: 5 };
        totals.line_mut(line, Class::Car).forward = 2;
        *totals.visits_mut(zone, Class::Person) = Visits { entered: 7, left: 6 };
        *totals.dwell_mut(zone, Class::Person) = Dwell { visits: 6, total_ms: 9_000 };
        let view = totals.view_mut(Class::Person);
        (view.now, view.max, view.present_ms) = (1, 4, 25_000);
        totals.add_flow(Place::Line(line), Place::Zone(zone), Class::Person);
        totals
    }

    fn messages(records: &[Record]) -> Vec<Message> {
        records.iter().map(|record| record.message().unwrap()).collect()
    }

    fn run(messages: &[Message]) -> Result<Vec<Event>, Breach> {
        let mut assembler = Assembler::new(&schema(), WINDOW_MS);
        let events = messages.iter().map(|&message| assembler.take(message));
        events.filter_map(Result::transpose).collect()
    }

    /// The window of [`totals`], as it comes out of the assembler.
    pub(crate) fn view() -> WindowView {
        let released = totals(0).release(WindowState::Closed, Disclosure::Exact);
        match run(&messages(&released)).unwrap().remove(0) {
            Event::Window(view) => view,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_window_comes_out_as_it_went_in() {
        let view = view();
        assert_eq!((view.observed_ms, view.looks, view.by_class.len()), (10_000, 1, 2));
        let person = &view.by_class[0];
        assert_eq!(person.view, Presence { now: 1, max: 4, mean_milli: 2500 });
        assert_eq!(person.lines[0], DirectionalCount::default());
        assert_eq!(person.lines[1], DirectionalCount { forward: 3, backward: 5 });
        assert_eq!(person.zones[0].visits, Visits { entered: 7, left: 6 });
        assert_eq!(person.zones[0].dwell, Dwell { visits: 6, total_ms: 9_000 });
        assert_eq!(person.flows.len(), 6);
        let flow = person.flows.iter().find(|journeys| journeys.count > 0).unwrap();
        assert_eq!((flow.from, flow.to), (Place::Line(LineIndex(1)), Place::Zone(ZoneIndex(0))));
        assert_eq!(view.by_class[1].lines[1], DirectionalCount { forward: 2, backward: 0 });
        assert!(view.by_class.iter().all(ClassTotals::is_seen));
    }

    #[test]
    fn what_the_schema_does_not_foresee_is_a_breach() {
        let released = |start_ms| messages(&totals(start_ms).release(WindowState::Closed, Disclosure::Exact));
        let good = released(0);
        let last = good.len() - 1;
        let end = Message::End { outcome: Outcome::Complete, progress: Progress::default() };
        let notice = Message::Notice { notice: Notice::DamagedPacket, count: 1 };
        let edited = |edit: &dyn Fn(&mut Vec<Message>)| {
            let mut messages = good.clone();
            edit(&mut messages);
            messages
        };
        let count = |got| Breach::CellCount { expected: last, got };
        let cases = [
            ("a cell is missing", [&good[..3], &good[4..]].concat(), Breach::Cell),
            ("the last cell is missing", [&good[..last - 1], &good[last..]].concat(), count(last - 1)),
            ("one cell more", edited(&|m| m.insert(last, m[0])), Breach::Cell),
            ("two cells in each other's place", edited(&|m| m.swap(1, 2)), Breach::Cell),
            ("cells of another window", edited(&|m| m[2] = released(60_000)[2]), Breach::Mixed),
            ("a notice within a window", edited(&|m| m.insert(5, notice)), Breach::Mixed),
            ("the end within a window", edited(&|m| m.insert(5, end)), Breach::Mixed),
            ("the same window again", edited(&|m| m.extend(released(0))), Breach::WindowAgain),
            ("an older window", [released(60_000), released(0)].concat(), Breach::WindowAgain),
            ("a window out of step", released(30_000), Breach::WindowBounds),
            ("a word after the end", vec![end, notice], Breach::AfterEnd),
        ];
        for (name, messages, breach) in cases {
            assert_eq!(run(&messages), Err(breach), "{name}");
        }
    }

    #[test]
    fn running_windows_may_come_again_and_run_ahead() {
        let open = |start_ms| messages(&totals(start_ms).snapshot(Disclosure::Exact));
        let closed = messages(&totals(0).release(WindowState::Closed, Disclosure::Exact));
        // The totals of a window that is over lag behind the running one, because decisions may wait.
        let events = run(&[open(0), open(0), open(60_000), closed, open(60_000)].concat()).unwrap();
        assert_eq!(events.len(), 5);
        assert_eq!(
            run(&messages(&totals(0).release(WindowState::Closed, Disclosure::Exact))[..4]),
            Ok(vec![])
        );
    }
}
