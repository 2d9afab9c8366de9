//! The gate: what an eye said comes in checked and exact, and goes out as its profile allows. Whatever listens
//! behind it (files, page, terminal) gets nothing else.

use std::collections::BTreeSet;

use outis_record::{
    Alert, Disclosure, GroundQuality, GroundView, NoRandomness, Notice, Outcome, Progress, Randomness,
    Schema, WindowState, WindowTotals,
};

use crate::{assemble::Checked, view::WindowView};

/// With noise, the clock on the page moves in steps of this: that the eye is alive shows, and nothing else.
pub(crate) const CLOCK_STEP_MS: u64 = 60_000;

/// How much of a running window the death of the door may cost.
const DRAFT_GAP_MS: u64 = 10_000;

/// What may be told of one camera.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A window: released, or running where everything is told.
    Window(WindowView),
    /// What may be told of a window that is still running, should the door die before it is finished. For the disk
    /// of the device alone.
    Draft(WindowView),
    /// Something that people may be asked to change. It comes at once, so it has no noise; what it can tell is counted.
    Alert(Alert),
    /// How the camera hangs and looks, and where distances are known.
    GroundView(GroundView, GroundQuality),
    /// How far the eye has come.
    Progress(Progress),
    /// A fault that the eye survived, and how often; with noise, in how many windows.
    Notice(Notice, u32),
    /// The run is over.
    End(Outcome, Progress),
}

/// The gate of one camera.
#[derive(Debug)]
pub(crate) struct Gate<R> {
    disclosure: Disclosure,
    schema: Schema,
    randomness: R,
    /// The newest totals of a window that is not finished yet.
    running: Option<Box<WindowTotals>>,
    /// The newest progress that was told.
    shown: Option<Progress>,
    /// The newest progress that was heard.
    heard: Progress,
    /// Kinds of faults since the last window.
    faults: BTreeSet<Notice>,
    /// Since the last window people did not fit the ground. An eye says it again and again while it is so.
    ground_doubted: bool,
    /// How long the running window had been observed at its newest draft.
    drafted_ms: Option<u64>,
}

impl<R: Randomness> Gate<R> {
    /// A closed gate for windows of this schema.
    pub(crate) fn new(schema: Schema, disclosure: Disclosure, randomness: R) -> Self {
        let (shown, heard, faults) = (None, Progress::default(), BTreeSet::new());
        let (running, drafted_ms, ground_doubted) = (None, None, false);
        Self { disclosure, schema, randomness, running, shown, heard, faults, ground_doubted, drafted_ms }
    }

    /// What may be told on.
    ///
    /// # Errors
    /// When there is no randomness for the noise. Then nothing is told.
    pub(crate) fn pass(&mut self, checked: Checked) -> Result<Vec<Event>, NoRandomness> {
        if let Checked::Progress(progress) = checked {
            self.heard = progress;
        }
        if let Checked::Notice(Notice::GroundDoubted, _) = checked {
            self.ground_doubted = true;
        }
        let events = match checked {
            Checked::Window(mut totals, WindowState::Open) => {
                if self.ground_doubted {
                    totals.doubt_ground();
                }
                let told = match totals.preview(&self.disclosure) {
                    Some(preview) => Some(Event::Window(self.view(&preview))),
                    None => self.draft(&totals)?,
                };
                self.running = Some(totals);
                told.into_iter().collect()
            }
            Checked::Window(totals, state) => {
                let window = totals.window();
                self.running.take_if(|running| running.window() <= window);
                self.window(*totals, state)?
            }
            Checked::End(outcome, progress) => {
                let mut events = self.faults();
                events.push(Event::End(outcome, progress));
                events
            }
            Checked::Alert(alert) => vec![Event::Alert(alert)],
            Checked::GroundView(view, quality) => vec![Event::GroundView(view, quality)],
            Checked::Progress(progress) if self.is_exact() => vec![Event::Progress(progress)],
            Checked::Notice(notice, count) if self.is_exact() => vec![Event::Notice(notice, count)],
            Checked::Progress(progress) => self.clock(progress).into_iter().collect(),
            Checked::Notice(notice, _) => {
                self.faults.insert(notice);
                Vec::new()
            }
        };
        Ok(events)
    }

    /// What may be told of a window whose eye died: its newest running totals, as a part. Once, like any release;
    /// and not of an eye that was stopped for a breach, of which nothing can be believed.
    ///
    /// # Errors
    /// When there is no randomness for the noise. Then nothing is told.
    pub(crate) fn cut_short(&mut self) -> Result<Vec<Event>, NoRandomness> {
        match self.running.take() {
            Some(totals) => self.window(*totals, WindowState::Partial),
            None => Ok(Vec::new()),
        }
    }

    fn is_exact(&self) -> bool {
        self.disclosure.profile().is_exact()
    }

    fn window(&mut self, mut totals: WindowTotals, state: WindowState) -> Result<Vec<Event>, NoRandomness> {
        if std::mem::take(&mut self.ground_doubted) {
            totals.doubt_ground();
        }
        let released = totals.release(state, &self.disclosure, &mut self.randomness)?;
        self.drafted_ms = None;
        let mut events = vec![Event::Window(self.view(&released))];
        if !self.is_exact() {
            events.extend(self.faults());
            // How many frames there were is told with each window, not as they come.
            let shown = Progress { media_ms: self.shown.map_or(0, |shown| shown.media_ms), ..self.heard };
            self.shown = Some(shown);
            events.push(Event::Progress(shown));
        }
        Ok(events)
    }

    /// A draft of a running window, when the last one is old. Each has noise of its own: of several, which only someone
    /// who reads the disk again and again can have, no difference is exact.
    fn draft(&mut self, totals: &WindowTotals) -> Result<Option<Event>, NoRandomness> {
        let observed_ms = totals.observed_ms();
        if self.drafted_ms.is_some_and(|last| (last..last + DRAFT_GAP_MS).contains(&observed_ms)) {
            return Ok(None);
        }
        self.drafted_ms = Some(observed_ms);
        let draft = totals.draft(&self.disclosure, &mut self.randomness)?;
        Ok(Some(Event::Draft(self.view(&draft))))
    }

    fn view(&self, released: &outis_record::Released) -> WindowView {
        WindowView::new(released, &self.disclosure, &self.schema)
    }

    fn faults(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.faults).into_iter().map(|notice| Event::Notice(notice, 1)).collect()
    }

    /// The clock, when it has moved a step. The size of the picture and the length of a file are those of the
    /// first progress that knows them, and stay.
    fn clock(&mut self, progress: Progress) -> Option<Event> {
        let media_ms = progress.media_ms - progress.media_ms % CLOCK_STEP_MS;
        let shown = match self.shown {
            Some(shown) if shown.width_px > 0 => Progress { media_ms, ..shown },
            before => {
                let (frames, looks) = before.map_or((0, 0), |before| (before.frames, before.looks));
                Progress { media_ms, frames, looks, ..progress }
            }
        };
        let changed = self.shown != Some(shown);
        self.shown = Some(shown);
        changed.then_some(Event::Progress(shown))
    }
}

/// The kernel's random bits, fetched some at a time.
#[derive(Debug, Default)]
pub(crate) struct KernelRandomness {
    words: Vec<u64>,
}

impl KernelRandomness {
    const WORDS: usize = 64;
}

impl Randomness for KernelRandomness {
    fn next_u64(&mut self) -> Result<u64, NoRandomness> {
        if self.words.is_empty() {
            let mut bytes = [0; 8 * Self::WORDS];
            getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
            let (words, _) = bytes.as_chunks();
            self.words.extend(words.iter().map(|&word| u64::from_le_bytes(word)));
        }
        self.words.pop().ok_or(NoRandomness)
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{Area, Class, GroundCells, LineIndex, Profile, Window};

    use super::*;
    use crate::view::Told;

    const WINDOW_MS: u32 = 900_000;

    fn gate(profile: Profile) -> Gate<KernelRandomness> {
        let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
        let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
        Gate::new(schema, disclosure, KernelRandomness::default())
    }

    fn window(gate: &Gate<KernelRandomness>, state: WindowState, forward: u32) -> Checked {
        let mut totals = WindowTotals::new(gate.schema.clone(), Window::new(0, WINDOW_MS).unwrap());
        totals.line_mut(LineIndex(0), Class::Person).forward = forward;
        totals.set_observed(900_000, 4_500);
        Checked::Window(Box::new(totals), state)
    }

    fn progress(media_ms: u64) -> Progress {
        let frames = u32::try_from(media_ms / 40).unwrap();
        Progress { media_ms, frames, looks: frames / 5, width_px: 768, height_px: 576, duration_ms: 0 }
    }

    fn forward(events: &[Event]) -> Option<Told> {
        events.iter().find_map(|event| match event {
            Event::Window(view) => Some(view.by_class[0].lines[0].forward),
            _ => None,
        })
    }

    #[test]
    fn running_totals_pass_where_everything_is_told() {
        let mut exact = gate(Profile::Exact);
        let open = window(&exact, WindowState::Open, 3);
        assert_eq!(forward(&exact.pass(open).unwrap()), Some(Told::Number(3)));
        let progress = Checked::Progress(progress(4_321));
        assert!(matches!(
            exact.pass(progress).unwrap()[..],
            [Event::Progress(Progress { media_ms: 4_321, .. })]
        ));
        let notice = Checked::Notice(Notice::DamagedPacket, 7);
        assert_eq!(exact.pass(notice).unwrap(), [Event::Notice(Notice::DamagedPacket, 7)]);
    }

    #[test]
    fn with_noise_nothing_passes_between_windows_but_a_slow_clock() {
        for profile in [Profile::Statistics, Profile::OpenData, Profile::Fr2021269] {
            let mut gate = match profile {
                Profile::Fr2021269 => {
                    let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
                    let disclosure = Disclosure::new(profile, &schema, 1_200_000).unwrap();
                    Gate::new(schema, disclosure, KernelRandomness::default())
                }
                _ => gate(profile),
            };
            let mut told = Vec::new();
            for second in 0..600 {
                told.extend(gate.pass(Checked::Progress(progress(1000 * second))).unwrap());
                let open = window(&gate, WindowState::Open, u32::try_from(second).unwrap());
                // A draft is for the disk, and here the window is observed no longer than at the first one.
                let drafts = gate.pass(open).unwrap();
                let is_draft = |event: &Event| matches!(event, Event::Draft(view) if view.looks.is_none());
                assert!(drafts.len() == usize::from(second == 0) && drafts.iter().all(is_draft), "{profile}");
                assert_eq!(gate.pass(Checked::Notice(Notice::DamagedPacket, 3)).unwrap(), [], "{profile}");
            }
            let clock = |minute: u64| {
                let media_ms = 60_000 * minute;
                Event::Progress(Progress { media_ms, width_px: 768, height_px: 576, ..Progress::default() })
            };
            assert_eq!(told, (0..10).map(clock).collect::<Vec<_>>(), "{profile}");

            let closed = window(&gate, WindowState::Closed, 500);
            let events = gate.pass(closed).unwrap();
            let [Event::Window(view), Event::Notice(Notice::DamagedPacket, 1), Event::Progress(shown)] =
                &events[..]
            else {
                panic!("{profile}: {events:?}")
            };
            assert_eq!((view.looks, shown.media_ms, shown.frames), (None, 540_000, 599 * 25), "{profile}");
        }
    }

    #[test]
    fn a_doubted_ground_is_withheld_window_by_window() {
        let cells = GroundCells { speed: true, ..GroundCells::default() };
        let schema = Schema::new(1, 0, &[Class::Person], false).unwrap().with_ground(cells).unwrap();
        for profile in [Profile::Exact, Profile::Statistics] {
            let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
            let mut gate = Gate::new(schema.clone(), disclosure, KernelRandomness::default());
            let told = |gate: &mut Gate<_>, state| {
                let mut totals = WindowTotals::new(gate.schema.clone(), Window::new(0, WINDOW_MS).unwrap());
                totals.line_mut(LineIndex(0), Class::Person).forward = 4000;
                totals.ground_mut().speed_mut(Area::View).walking_ms = 40_000_000;
                totals.set_observed(900_000, 4_500);
                let events = gate.pass(Checked::Window(Box::new(totals), state)).unwrap();
                let walking = events.iter().find_map(|event| match event {
                    Event::Window(view) => Some(view.on_ground.areas[0].speed.unwrap().walking_ms),
                    _ => None,
                });
                (
                    walking.is_some_and(|ms| ms.number().is_some()),
                    forward(&events).and_then(Told::number).is_some(),
                )
            };
            assert_eq!(told(&mut gate, WindowState::Closed), (true, true), "{profile}");
            gate.pass(Checked::Notice(Notice::GroundDoubted, 1)).unwrap();
            let running = told(&mut gate, WindowState::Open);
            assert_eq!(running, (false, profile.is_exact()), "{profile}");
            assert_eq!(told(&mut gate, WindowState::Closed), (false, true), "{profile}");
            assert_eq!(told(&mut gate, WindowState::Closed), (true, true), "{profile}: it was set back");
        }
    }

    #[test]
    fn a_window_whose_eye_died_is_told_once_as_a_part() {
        let mut exact = gate(Profile::Exact);
        assert_eq!(exact.cut_short().unwrap(), []);
        let [open, closed] = [WindowState::Open, WindowState::Closed].map(|state| window(&exact, state, 3));
        exact.pass(open.clone()).unwrap();
        let events = exact.cut_short().unwrap();
        let [Event::Window(view)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((view.state, forward(&events)), (WindowState::Partial, Some(Told::Number(3))));
        assert_eq!(exact.cut_short().unwrap(), [], "once");

        exact.pass(open).unwrap();
        exact.pass(closed).unwrap();
        assert_eq!(exact.cut_short().unwrap(), [], "it was finished");
    }

    #[test]
    fn released_figures_have_noise() {
        let mut gate = gate(Profile::Statistics);
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let closed = window(&gate, WindowState::Closed, 500);
            seen.extend(forward(&gate.pass(closed).unwrap()).and_then(Told::number));
        }
        assert!(seen.len() > 5 && seen.iter().all(|count| count.abs_diff(500) < 200), "{seen:?}");
    }
}
