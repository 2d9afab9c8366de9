//! The windows of a file that was paused: what an eye saw of a window before the pause and another after it is one window,
//! put together while it is still exact and told once. Without a pause everything goes through as it comes.
//!
//! Pure: times are those of the film.

use outis_record::{Window, WindowState, WindowTotals};

use crate::{assemble::Checked, pause::spans::Spans};

/// The windows of one file.
#[derive(Debug, Default)]
pub(crate) struct Seam {
    /// What eyes that were ended saw of a window that is not over.
    before: Option<Box<WindowTotals>>,
    /// The newest totals of the eye at work.
    running: Option<Box<WindowTotals>>,
    paused: Spans,
}

impl Seam {
    /// Takes what an eye said; what is to go through the gate.
    pub(crate) fn take(&mut self, checked: Checked) -> Vec<Checked> {
        let Checked::Window(totals, state) = checked else { return vec![checked] };
        let window = totals.window();
        let mut told = Vec::new();
        // The pause was longer than what was left of it.
        if let Some(before) = self.before.take_if(|before| before.window().start_ms() < window.start_ms()) {
            let state = self.state(before.window());
            told.push(Checked::Window(before, state));
        }
        let whole = Box::new(self.with_before((*totals).clone()));
        if state == WindowState::Open {
            self.running = Some(totals);
            told.push(Checked::Window(whole, WindowState::Open));
        } else {
            self.running.take_if(|running| running.window() <= window);
            self.before.take_if(|before| before.window() <= window);
            let state = if state == WindowState::Closed { self.state(window) } else { state };
            told.push(Checked::Window(whole, state));
        }
        told
    }

    /// The eye was ended, and nobody looks from one place of the film to another.
    pub(crate) fn pause(&mut self, from_ms: i64, until_ms: i64) {
        if let Some(totals) = self.running.take() {
            self.before = Some(Box::new(self.with_before(*totals)));
        }
        self.paused.add(from_ms, until_ms);
    }

    /// For how long a window was paused, in milliseconds of the film.
    pub(crate) fn paused_ms(&self, window: Window) -> u64 {
        u64::try_from(self.paused.within(window.start_ms(), window.end_ms())).unwrap_or(0)
    }

    /// Of a window that is over: paused for more than half it is a part, as for a live camera.
    fn state(&self, window: Window) -> WindowState {
        let is_whole = 2 * self.paused_ms(window) <= u64::from(window.length_ms());
        if is_whole { WindowState::Closed } else { WindowState::Partial }
    }

    fn with_before(&self, mut totals: WindowTotals) -> WindowTotals {
        if let Some(before) = self.before.as_ref().filter(|before| before.window() == totals.window()) {
            totals.add_earlier(before, Some);
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use WindowState::{Closed, Open, Partial};
    use outis_record::{Class, LineIndex, Progress, Schema};

    use super::*;

    const WINDOW_MS: u32 = 60_000;

    fn totals(start_s: i64, forward: u32) -> Box<WindowTotals> {
        let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(1000 * start_s, WINDOW_MS).unwrap());
        totals.line_mut(LineIndex(0), Class::Person).forward = forward;
        Box::new(totals)
    }

    fn say(seam: &mut Seam, start_s: i64, forward: u32, state: WindowState) -> Vec<(i64, u32, WindowState)> {
        let told = |checked| match checked {
            Checked::Window(totals, state) => {
                let forward = totals.line(LineIndex(0), Class::Person).forward;
                (totals.window().start_ms() / 1000, forward, state)
            }
            other => panic!("{other:?}"),
        };
        seam.take(Checked::Window(totals(start_s, forward), state)).into_iter().map(told).collect()
    }

    #[test]
    fn without_a_pause_everything_goes_through() {
        let mut seam = Seam::default();
        for (start_s, forward, state) in
            [(0, 1, Open), (60, 1, Open), (0, 3, Closed), (60, 2, Open), (60, 2, Partial)]
        {
            assert_eq!(say(&mut seam, start_s, forward, state), [(start_s, forward, state)]);
        }
        let progress = Checked::Progress(Progress::default());
        assert_eq!(seam.take(progress.clone()), [progress]);
    }

    #[test]
    fn what_was_seen_before_and_after_is_one_window() {
        let mut seam = Seam::default();
        say(&mut seam, 0, 3, Open);
        seam.pause(20_000, 40_000);
        assert_eq!(say(&mut seam, 0, 1, Open), [(0, 4, Open)]);
        seam.pause(45_000, 50_000);
        assert_eq!(say(&mut seam, 0, 2, Open), [(0, 6, Open)]);
        assert_eq!(say(&mut seam, 0, 3, Closed), [(0, 7, Closed)]);
        assert_eq!(say(&mut seam, 60, 5, Open), [(60, 5, Open)], "and no other");
        assert_eq!(seam.paused_ms(Window::new(0, WINDOW_MS).unwrap()), 25_000);
    }

    #[test]
    fn a_window_that_the_pause_outlasts_is_told_by_what_was_seen() {
        let mut seam = Seam::default();
        say(&mut seam, 0, 3, Open);
        seam.pause(20_000, 70_000);
        assert_eq!(say(&mut seam, 60, 1, Open), [(0, 3, Partial), (60, 1, Open)]);
        let mut seam = Seam::default();
        say(&mut seam, 0, 3, Open);
        seam.pause(40_000, 70_000);
        assert_eq!(say(&mut seam, 60, 1, Closed), [(0, 3, Closed), (60, 1, Closed)]);
    }
}
