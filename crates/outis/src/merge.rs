//! The windows of a live camera, whose eyes come and go: what several eyes saw of one window is one window, put together
//! while it is still exact and told once, at a moment that no eye has a say in.
//!
//! Pure: the wall clock comes in as an argument. What comes out goes through the gate like the windows of a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use outis_record::{Notice, Place, Schema, Window, WindowState, WindowTotals};

use crate::{assemble::Checked, pause::spans::Spans};

/// Every window is told when it has been over for so long, in milliseconds, whenever its eye told it and whether there is
/// one: the moment says nothing. An eye tells it within this time; later it would have been ended as stuck.
pub(crate) const CLOSING_MS: i64 = 30_000;

/// Words of an eye that are farther apart than this were no work between, in milliseconds; a stuck one is ended then.
const WORD_GAP_MAX_MS: i64 = 15_000;

/// The most windows that are told at once as not observed: a day of quarters of an hour.
const GAPS_MAX: i64 = 96;

/// A window is told as whole when eyes were at work for nine tenths of it, or would have been but for pauses.
const AT_WORK: (u64, u64) = (9, 10);

/// The windows of one live camera.
#[derive(Debug)]
pub(crate) struct Merger {
    schema: Schema,
    window_ms: u32,
    /// Start of the window that is to be told next: none before it is ever told again.
    next_ms: i64,
    /// Windows that began before this have not been watched, as they are drawn now, from their beginning.
    whole_from_ms: i64,
    /// What eyes that have ended saw of windows that are not told yet, by their start: the running one and, for a while, the
    /// one before it.
    before: BTreeMap<i64, Box<WindowTotals>>,
    /// The same of the eye at work, the newest of what it said.
    running: BTreeMap<i64, Box<WindowTotals>>,
    heard_ms: Option<i64>,
    /// How long eyes were at work in each window that is not told yet.
    at_work_ms: BTreeMap<i64, u64>,
    /// When nobody was to look.
    paused: Spans,
    /// Starts of the windows, not told yet, in which the camera saw another view than before.
    moved_ms: BTreeSet<i64>,
}

impl Merger {
    /// A camera that begins to be watched now.
    pub(crate) fn new(schema: Schema, window_ms: u32, now_ms: i64) -> Self {
        Self {
            schema,
            window_ms,
            next_ms: start_of(now_ms, window_ms),
            whole_from_ms: now_ms,
            before: BTreeMap::new(),
            running: BTreeMap::new(),
            heard_ms: None,
            at_work_ms: BTreeMap::new(),
            paused: Spans::default(),
            moved_ms: BTreeSet::new(),
        }
    }

    /// Takes what an eye said; what is to go through the gate. The last word of an eye is none of the camera's, and no
    /// window is told because an eye has said something. Of two that are not told yet, what is drafted is the first.
    pub(crate) fn take(&mut self, checked: Checked, now_ms: i64) -> Option<Checked> {
        self.work_until(now_ms);
        if let Checked::Notice(Notice::CameraMoved, _) = checked {
            self.moved_ms.insert(start_of(now_ms, self.window_ms));
        }
        match checked {
            Checked::Window(totals, _) => {
                let start_ms = totals.window().start_ms();
                if start_ms < self.next_ms {
                    return None;
                }
                let is_next = start_ms == self.next_ms;
                let draft = is_next.then(|| Box::new(self.with_before((*totals).clone())));
                self.running.insert(start_ms, totals);
                draft.map(|draft| Checked::Window(draft, WindowState::Open))
            }
            Checked::End(..) => None,
            Checked::Progress(_) | Checked::Notice(..) | Checked::Alert(_) | Checked::GroundView(..) => {
                Some(checked)
            }
        }
    }

    /// The eye has ended. What it saw of its windows is kept for the next one.
    pub(crate) fn rest(&mut self) {
        self.heard_ms = None;
        for (start_ms, totals) in mem::take(&mut self.running) {
            let totals = self.with_before(*totals);
            self.before.insert(start_ms, Box::new(totals));
        }
    }

    /// The eye has broken the rules: nothing that it said and that was not told yet is believed.
    pub(crate) fn distrust(&mut self) {
        self.heard_ms = None;
        self.running.clear();
    }

    /// From when to when nobody is to look.
    pub(crate) fn pause(&mut self, from_ms: i64, until_ms: i64) {
        self.paused.add(from_ms, until_ms);
    }

    /// For how long a window was paused.
    pub(crate) fn paused_ms(&self, window: Window) -> u64 {
        u64::try_from(self.paused.within(window.start_ms(), window.end_ms())).unwrap_or(0)
    }

    /// The windows whose moment has come. One that nobody observed is told too: its figures are withheld, so that nobody takes
    /// a camera that was away for a street that was empty.
    pub(crate) fn over(&mut self, now_ms: i64) -> Vec<Checked> {
        self.tell_before(start_of(now_ms.saturating_sub(CLOSING_MS), self.window_ms))
    }

    /// The camera is not watched any more: what was seen of windows that are not told yet.
    pub(crate) fn finish(&mut self, now_ms: i64) -> Vec<Checked> {
        self.rest();
        let seen = mem::take(&mut self.before).into_values().filter(|totals| totals.looks() > 0);
        let told: Vec<Checked> = seen
            .map(|totals| {
                let window = totals.window();
                let is_whole = window.end_ms() <= now_ms && self.is_whole(window);
                Checked::Window(totals, if is_whole { WindowState::Closed } else { WindowState::Partial })
            })
            .collect();
        if let Some(Checked::Window(last, _)) = told.last() {
            self.next_ms = last.window().end_ms();
        }
        told
    }

    /// Somebody has changed the scene: the windows that are over by now, as they were drawn then.
    pub(crate) fn settle(&mut self, now_ms: i64) -> Vec<Checked> {
        self.rest();
        self.tell_before(start_of(now_ms, self.window_ms))
    }

    /// Goes on with another scene: places that have a predecessor keep what was counted there. The running window is
    /// told as a part, because not all of it was watched with the new one.
    pub(crate) fn reshape(&mut self, schema: Schema, same: impl Fn(Place) -> Option<Place>, now_ms: i64) {
        self.rest();
        self.schema = schema;
        self.whole_from_ms = now_ms;
        for before in self.before.values_mut() {
            let mut totals = WindowTotals::new(self.schema.clone(), before.window());
            totals.add_earlier(before, &same);
            **before = totals;
        }
    }

    /// Whether eyes were at work for most of a window, from its beginning. Pauses are no fault of theirs; but of a window
    /// that was paused for more than half, what is left is too short for figures about a time of its length.
    fn is_whole(&self, window: Window) -> bool {
        let at_work_ms = self.at_work_ms.get(&window.start_ms()).copied().unwrap_or(0);
        let (paused_ms, length_ms) = (self.paused_ms(window), u64::from(window.length_ms()));
        let (part, of) = AT_WORK;
        window.start_ms() >= self.whole_from_ms
            && !self.moved_ms.contains(&window.start_ms())
            && of * (at_work_ms + paused_ms) >= part * length_ms
            && 2 * paused_ms <= length_ms
    }

    /// Tells all windows that begin before this.
    fn tell_before(&mut self, start_ms: i64) -> Vec<Checked> {
        let length_ms = i64::from(self.window_ms);
        let first_ms = start_ms.saturating_sub(GAPS_MAX.saturating_mul(length_ms));
        let mut told = Vec::new();
        while self.next_ms < start_ms {
            // What was seen is told however long ago it was; gaps only for a day.
            let seen = [&self.before, &self.running].into_iter().filter_map(|seen| seen.keys().next()).min();
            self.next_ms = self.next_ms.max(first_ms.min(seen.copied().unwrap_or(first_ms)));
            if self.next_ms >= start_ms {
                break;
            }
            let Some(window) = Window::new(self.next_ms, self.window_ms) else { break };
            told.push(self.tell(window));
        }
        told
    }

    /// The one place where a window is told.
    fn tell(&mut self, window: Window) -> Checked {
        let own = self.running.remove(&window.start_ms());
        let own = own.map_or_else(|| WindowTotals::new(self.schema.clone(), window), |own| *own);
        let totals = self.with_before(own);
        let state = if self.is_whole(window) { WindowState::Closed } else { WindowState::Partial };
        self.next_ms = window.end_ms();
        for seen in [&mut self.before, &mut self.running] {
            *seen = seen.split_off(&self.next_ms);
        }
        self.at_work_ms = self.at_work_ms.split_off(&self.next_ms);
        self.moved_ms = self.moved_ms.split_off(&self.next_ms);
        Checked::Window(Box::new(totals), state)
    }

    fn with_before(&self, mut totals: WindowTotals) -> WindowTotals {
        if let Some(before) = self.before.get(&totals.window().start_ms()) {
            totals.add_earlier(before, Some);
        }
        totals
    }

    /// An eye speaks every second; while it does, it is at work.
    fn work_until(&mut self, now_ms: i64) {
        let last_ms = self.heard_ms.replace(now_ms).unwrap_or(now_ms);
        let spent_ms = u64::try_from(now_ms - last_ms).ok().filter(|_| now_ms - last_ms <= WORD_GAP_MAX_MS);
        let window_ms = start_of(now_ms, self.window_ms);
        if window_ms >= self.next_ms {
            *self.at_work_ms.entry(window_ms).or_default() += spent_ms.unwrap_or(0);
        }
    }
}

fn start_of(at_ms: i64, window_ms: u32) -> i64 {
    Window::containing(at_ms, window_ms).map_or(i64::MAX, Window::start_ms)
}

#[cfg(test)]
mod tests {
    use outis_record::{Class, LineIndex, Progress};

    use super::*;

    const WINDOW_MS: u32 = 60_000;

    fn schema(lines: usize) -> Schema {
        Schema::new(lines, 0, &[Class::Person], false).unwrap()
    }

    fn totals(start_s: i64, forward: u32, observed_s: u64) -> Box<WindowTotals> {
        let mut totals = WindowTotals::new(schema(1), Window::new(1000 * start_s, WINDOW_MS).unwrap());
        totals.line_mut(LineIndex(0), Class::Person).forward = forward;
        totals.set_observed(1000 * observed_s, u32::try_from(5 * observed_s).unwrap());
        Box::new(totals)
    }

    /// Start in seconds, state, forward, observed seconds.
    type Told = (i64, WindowState, u32, u64);

    fn told(checked: impl IntoIterator<Item = Checked>) -> Vec<Told> {
        let told = |checked| match checked {
            Checked::Window(totals, state) => {
                let forward = totals.line(LineIndex(0), Class::Person).forward;
                Some((totals.window().start_ms() / 1000, state, forward, totals.observed_ms() / 1000))
            }
            _ => None,
        };
        checked.into_iter().filter_map(told).filter(|told| told.1 != WindowState::Open).collect()
    }

    /// A camera with one line, and a clock that its eyes speak by.
    struct Street {
        merger: Merger,
        told: Vec<Told>,
    }

    impl Street {
        fn new(now_s: i64) -> Self {
            Self { merger: Merger::new(schema(1), WINDOW_MS, 1000 * now_s), told: Vec::new() }
        }

        /// An eye is at work for these seconds, and the clock is looked at meanwhile.
        fn work(&mut self, seconds: std::ops::Range<i64>) {
            for second in seconds {
                let events = self.merger.take(Checked::Progress(Progress::default()), 1000 * second);
                self.told.extend(told(events));
                self.told.extend(told(self.merger.over(1000 * second)));
            }
        }

        fn say(&mut self, now_s: i64, totals: Box<WindowTotals>, state: WindowState) {
            let events = self.merger.take(Checked::Window(totals, state), 1000 * now_s);
            self.told.extend(told(events));
        }

        fn over(&mut self, now_s: i64) {
            self.told.extend(told(self.merger.over(1000 * now_s)));
        }
    }
    use WindowState::{Closed, Open, Partial};

    #[test]
    fn parts_that_several_eyes_saw_are_told_once_as_one() {
        let mut street = Street::new(0);
        street.work(0..20);
        street.say(20, totals(0, 3, 20), Open);
        street.merger.rest();
        // The next one ends with its last word, the one after that sees the end of the window.
        street.work(21..40);
        street.say(40, totals(0, 5, 18), Partial);
        street.merger.rest();
        assert_eq!(street.told, []);
        street.work(41..61);
        street.say(61, totals(0, 7, 18), Closed);
        street.over(90);
        assert_eq!(street.told, [(0, Closed, 15, 56)]);
        street.say(91, totals(0, 7, 18), Closed);
        street.over(100);
        assert_eq!(street.told.len(), 1, "once");
    }

    #[test]
    fn running_totals_go_on_where_the_last_eye_ended() {
        let mut street = Street::new(0);
        street.say(20, totals(0, 3, 20), Open);
        street.merger.rest();
        let event = street.merger.take(Checked::Window(totals(0, 1, 2), Open), 25_000);
        let Some(Checked::Window(running, Open)) = &event else { panic!("{event:?}") };
        assert_eq!((running.line(LineIndex(0), Class::Person).forward, running.observed_ms()), (4, 22_000));
    }

    #[test]
    fn a_window_is_whole_when_an_eye_was_at_work_for_nine_tenths_of_it() {
        for (name, since_s, work_s, state) in [
            ("whole", 0, [0..30, 30..61], Closed),
            ("a short gap", 0, [0..30, 33..61], Closed),
            ("a long gap", 0, [0..30, 37..61], Partial),
            ("begun within it", 2, [2..30, 30..61], Partial),
        ] {
            let mut street = Street::new(since_s);
            let [first, second] = work_s;
            street.work(first);
            street.merger.rest();
            street.work(second);
            street.say(61, totals(0, 1, 50), Closed);
            street.over(90);
            assert_eq!(street.told, [(0, state, 1, 50)], "{name}");
        }
    }

    #[test]
    fn a_window_in_which_the_view_was_another_one_is_a_part() {
        let mut street = Street::new(0);
        street.work(0..30);
        street.merger.take(Checked::Notice(Notice::CameraMoved, 1), 30_000);
        street.work(30..61);
        street.say(61, totals(0, 1, 60), Closed);
        // Into the next one, before the first is told; then the camera is set back.
        street.merger.take(Checked::Notice(Notice::CameraMoved, 1), 62_000);
        street.work(62..121);
        street.say(121, totals(60, 2, 60), Closed);
        street.work(121..181);
        street.say(181, totals(120, 3, 60), Closed);
        street.over(210);
        assert_eq!(street.told, [(0, Partial, 1, 60), (60, Partial, 2, 60), (120, Closed, 3, 60)]);
        assert!(street.merger.moved_ms.is_empty());
    }

    #[test]
    fn windows_that_are_over_while_the_camera_is_away_are_told_by_the_clock() {
        let mut street = Street::new(0);
        street.work(0..50);
        street.say(50, totals(0, 4, 50), Open);
        street.merger.rest();
        street.over(89);
        assert_eq!(street.told, []);
        street.over(90);
        assert_eq!(street.told, [(0, Partial, 4, 50)]);
        street.over(215);
        assert_eq!(street.told[1..], [(60, Partial, 0, 0), (120, Partial, 0, 0)], "nobody looked");
        street.say(220, totals(180, 2, 5), Open);
        assert_eq!(street.told.len(), 3);
        let last = street.merger.finish(225_000);
        assert_eq!(told(last), [(180, Partial, 2, 5)]);
        assert_eq!(street.merger.finish(226_000), []);
    }

    #[test]
    fn a_pause_is_no_fault_of_the_eye_unless_it_takes_half_of_the_window() {
        for (paused_s, state) in [(0, Partial), (20, Closed), (30, Closed), (31, Partial)] {
            let mut street = Street::new(0);
            street.work(0..11);
            street.say(10, totals(0, 3, 10), Open);
            street.merger.rest();
            street.merger.pause(10_000, 1000 * (10 + paused_s));
            // Starting takes a while, which is no pause.
            street.work(12 + paused_s..61);
            street.say(61, totals(0, 4, 40), Open);
            street.over(60 + 31);
            let expected = if paused_s == 0 { Closed } else { state };
            assert_eq!(street.told, [(0, expected, 7, 50)], "{paused_s} s");
            let window = Window::new(0, WINDOW_MS).unwrap();
            assert_eq!(street.merger.paused_ms(window), 1000 * paused_s as u64);
        }
        let mut street = Street::new(0);
        street.work(0..31);
        street.say(30, totals(0, 3, 30), Open);
        street.merger.rest();
        street.over(90);
        assert_eq!(street.told, [(0, Partial, 3, 30)], "without a pause half of it is a part");
    }

    #[test]
    fn an_eye_that_comes_late_does_not_lose_what_was_seen_before() {
        let mut street = Street::new(0);
        street.say(50, totals(0, 4, 50), Open);
        street.merger.rest();
        street.say(70, totals(60, 1, 3), Open);
        street.merger.rest();
        street.over(90);
        assert_eq!(street.told, [(0, Partial, 4, 50)]);
        assert_eq!(told(street.merger.finish(95_000)), [(60, Partial, 1, 3)]);
    }

    #[test]
    fn an_eye_at_work_is_waited_for_and_then_not() {
        let mut street = Street::new(0);
        street.say(50, totals(0, 4, 50), Open);
        street.over(89);
        assert_eq!(street.told, []);
        street.over(90);
        assert_eq!(street.told, [(0, Partial, 4, 50)]);
        street.say(91, totals(0, 5, 55), Closed);
        street.over(92);
        assert_eq!(street.told.len(), 1);
    }

    #[test]
    fn what_a_liar_said_is_forgotten_and_what_was_said_before_is_not() {
        let mut street = Street::new(0);
        street.say(20, totals(0, 3, 20), Open);
        street.merger.rest();
        street.say(40, totals(0, 900, 20), Open);
        street.merger.distrust();
        assert_eq!(told(street.merger.finish(45_000)), [(0, Partial, 3, 20)]);

        let mut street = Street::new(0);
        street.work(0..61);
        street.say(62, totals(0, 900, 60), Closed);
        street.merger.distrust();
        street.over(90);
        assert_eq!(street.told, [(0, Closed, 0, 0)], "a window that waits for its moment is not told yet");
    }

    #[test]
    fn no_eye_has_a_say_in_when_a_window_is_told() {
        /// What an eye does at a second of the clock.
        #[derive(Debug, Clone, Copy)]
        enum Does {
            Say(i64, WindowState),
            End,
            BreakTheRules,
        }
        use Does::{BreakTheRules, End, Say};
        let cases: [(&str, &[(i64, Does)]); 9] = [
            ("nobody looks", &[]),
            ("in good time", &[(62, Say(0, Closed))]),
            ("as early as it can", &[(60, Say(0, Closed))]),
            ("as late as it can", &[(89, Say(0, Closed))]),
            ("too late", &[(50, Say(0, Open)), (90, Say(0, Closed))]),
            ("the next one first", &[(50, Say(0, Open)), (60, Say(60, Open)), (75, Say(0, Closed))]),
            ("it ends when it pleases", &[(50, Say(0, Open)), (63, Say(0, Partial)), (63, End)]),
            (
                "two that end",
                &[(50, Say(0, Open)), (59, End), (61, Say(60, Open)), (71, End), (80, Say(60, Open))],
            ),
            ("it breaks the rules", &[(62, Say(0, Closed)), (70, BreakTheRules)]),
        ];
        for (name, course) in cases {
            let mut street = Street::new(0);
            let mut moments = Vec::new();
            for second in 0..200 {
                for &(_, does) in course.iter().filter(|does| does.0 == second) {
                    match does {
                        Say(start_s, state) => street.say(second, totals(start_s, 3, 50), state),
                        End => street.merger.rest(),
                        BreakTheRules => street.merger.distrust(),
                    }
                }
                street.over(second);
                moments.resize(street.told.len(), second);
            }
            assert_eq!(moments, [90, 150], "{name}");
        }
    }

    #[test]
    fn a_window_that_waits_for_its_moment_is_not_lost() {
        let mut street = Street::new(0);
        street.work(0..61);
        street.say(62, totals(0, 3, 58), Closed);
        // Its draft stays the one that a crash would leave.
        assert_eq!(street.merger.take(Checked::Window(totals(60, 1, 2), Open), 63_000), None);
        street.merger.rest();
        street.say(70, totals(60, 2, 5), Open);
        street.merger.rest();
        street.over(90);
        assert_eq!(street.told, [(0, Closed, 3, 58)]);
        assert!(street.merger.take(Checked::Window(totals(60, 4, 9), Open), 91_000).is_some());
        assert_eq!(told(street.merger.finish(95_000)), [(60, Partial, 7, 16)]);

        // Stopped, or drawn anew, while it waits: whole, and as it was drawn then.
        let waiting = || {
            let mut street = Street::new(0);
            street.work(0..61);
            street.say(62, totals(0, 3, 58), Closed);
            street.say(63, totals(60, 1, 2), Open);
            street
        };
        let both = [(0, Closed, 3, 58), (60, Partial, 1, 2)];
        assert_eq!(told(waiting().merger.finish(65_000)), both);
        let mut street = waiting();
        street.told.extend(told(street.merger.settle(65_000)));
        street.merger.reshape(
            schema(2),
            |place| (place == Place::Line(LineIndex(0))).then_some(place),
            65_000,
        );
        street.told.extend(told(street.merger.finish(66_000)));
        assert_eq!(street.told, both);
    }

    #[test]
    fn lines_that_stay_keep_their_sums_when_others_are_drawn() {
        let mut street = Street::new(0);
        street.work(0..20);
        street.say(20, totals(0, 3, 20), Open);
        // The line is the second one now.
        let same = |place| (place == Place::Line(LineIndex(1))).then_some(Place::Line(LineIndex(0)));
        street.merger.reshape(schema(2), same, 20_000);
        street.work(21..61);
        let mut second = WindowTotals::new(schema(2), Window::new(0, WINDOW_MS).unwrap());
        second.line_mut(LineIndex(1), Class::Person).forward = 4;
        second.set_observed(39_000, 195);
        street.merger.take(Checked::Window(Box::new(second), Closed), 61_000);
        let events = street.merger.over(90_000);
        let [Checked::Window(window, Partial)] = &events[..] else { panic!("{events:?}") };
        let forward = |line| window.line(LineIndex(line), Class::Person).forward;
        assert_eq!((forward(0), forward(1), window.observed_ms()), (0, 7, 59_000));
    }

    #[test]
    fn a_long_absence_is_told_up_to_a_day() {
        let mut street = Street::new(0);
        street.say(50, totals(0, 4, 50), Open);
        street.merger.rest();
        street.over(60 * 100_000);
        assert_eq!(street.told.len(), 1 + usize::try_from(GAPS_MAX).unwrap());
        assert_eq!(street.told[0], (0, Partial, 4, 50));
    }
}
