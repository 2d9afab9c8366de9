//! When the door tells on what an eye tells it: an eye that speaks at moments of its choice, and this program's own merger of
//! windows, which is to tell each window in the same second.

use std::collections::BTreeSet;

use outis_record::{Class, Schema, Window, WindowState, WindowTotals};
use serde::Serialize;

use crate::{assemble::Checked, merge::Merger};

/// A quarter of an hour, as every camera's.
const WINDOW_MS: u32 = 900_000;

/// Moments at which the eye tells its window are so far apart, in milliseconds; and so many are tried.
const STEP_MS: i64 = 100;
const STEPS: i64 = 400;

/// What an eye does after it has told its window: nothing, ends, or begins with the next.
const AFTER: usize = 3;

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Moments {
    /// In how many ways an eye has told its window.
    pub(super) tried: u32,
    /// At which seconds after the window's end it was told on.
    pub(super) told_at_s: BTreeSet<i64>,
    /// What a reader of the log learns from the second.
    pub(super) bits: f64,
}

impl Moments {
    pub(super) fn holds(&self) -> bool {
        self.tried > 0 && self.told_at_s.len() == 1
    }
}

/// Tries them.
///
/// # Errors
/// When there is no window to try it with.
pub(super) fn run() -> anyhow::Result<Moments> {
    let schema = Schema::new(0, 0, &[Class::Person], false)?;
    let mut moments = Moments { tried: 0, told_at_s: BTreeSet::new(), bits: 0.0 };
    for step in 0..STEPS {
        for after in 0..AFTER {
            moments.tried += 1;
            moments.told_at_s.extend(told(&schema, STEP_MS * step, after));
        }
    }
    moments.bits = (moments.told_at_s.len() as f64).log2();
    Ok(moments)
}

/// The second after its end in which the first window is told on, when an eye tells it so many milliseconds after that.
fn told(schema: &Schema, late_ms: i64, after: usize) -> Option<i64> {
    let length_ms = i64::from(WINDOW_MS);
    let totals = |start_ms| {
        let window = Window::new(start_ms, WINDOW_MS)?;
        let mut totals = WindowTotals::new(schema.clone(), window);
        totals.set_observed(1_000, 5);
        Some(Box::new(totals))
    };
    let mut merger = Merger::new(schema.clone(), WINDOW_MS, 0);
    merger.take(Checked::Window(totals(0)?, WindowState::Open), length_ms - 1_000);
    for ms in (0..2 * STEP_MS * STEPS).step_by(100) {
        let now_ms = length_ms + ms;
        if ms == late_ms {
            merger.take(Checked::Window(totals(0)?, WindowState::Closed), now_ms);
            match after {
                0 => {}
                1 => merger.rest(),
                _ => drop(merger.take(Checked::Window(totals(length_ms)?, WindowState::Open), now_ms)),
            }
        }
        // As a camera is looked after: once a second.
        if ms % 1000 == 0 && !merger.over(now_ms).is_empty() {
            return Some(ms / 1000);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_told_in_one_second_whenever_its_eye_told_it() {
        let moments = run().unwrap();
        assert_eq!((moments.tried, moments.told_at_s.iter().copied().collect::<Vec<_>>()), (1200, vec![30]));
        assert!(moments.holds() && moments.bits == 0.0);
        let two = Moments { told_at_s: [30, 31].into(), ..moments };
        assert!(!two.holds());
    }
}
