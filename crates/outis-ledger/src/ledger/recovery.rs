//! What a start makes of what the run before has left: it may have been killed at any moment.

use std::io;

use crate::{Entry, Ledger, Moment, Notice, Seal, WINDOWS_PER_FILE, What, envelope, running::Unfinished};

impl Ledger {
    /// Takes from the log what a new run must know, its number among it. Returns the first window that was not dropped.
    pub(super) fn replay(&mut self, entries: &[Entry]) -> u64 {
        let mut dropped_to = 0;
        let mut ended = true;
        for Entry { at_s, what } in entries {
            self.clock.replay(*at_s);
            match what {
                What::Start { run, .. } => {
                    (self.run, ended) = (run.saturating_add(1), false);
                    self.configuration = what.configuration().unwrap_or(self.configuration);
                }
                What::Stop { .. } => ended = true,
                What::Window { sequence, envelope } => {
                    self.next_sequence = sequence.saturating_add(1);
                    self.day.push(*envelope);
                }
                What::Day { .. } => self.day.clear(),
                What::Dropped { first, windows } => dropped_to = first.saturating_add(*windows),
                What::Paused { .. } | What::Lost { .. } | What::Clock { .. } | What::Still { .. } => {}
            }
        }
        if !ended {
            self.notices.push(Notice::Interrupted { logged: 0, recovered: 0, torn_bytes: 0 });
        }
        dropped_to
    }

    /// Logs windows that were signed and not logged, and signs those that were running.
    pub(super) fn recover(&mut self, dropped_to: u64, now: Moment) -> io::Result<()> {
        for first in self.spool.firsts().collect::<Vec<_>>() {
            if first + WINDOWS_PER_FILE <= dropped_to {
                self.spool.remove(first)?;
            }
        }
        let before = self.next_sequence;
        let mut torn_bytes = 0;
        // The windows of the last two files: as far back as a window can be that is still kept as running.
        let mut newest: Vec<Seal> = Vec::new();
        for first in self.spool.firsts().collect::<Vec<_>>() {
            let unlogged = first + WINDOWS_PER_FILE > before;
            let recent = first + 2 * WINDOWS_PER_FILE > before;
            if !unlogged && !recent {
                continue;
            }
            let logged_here = before.saturating_sub(first).min(WINDOWS_PER_FILE);
            let mut whole = 0;
            for bytes in self.spool.read(first)? {
                let seal = envelope::open(&bytes, &self.key.public()).ok().map(|(seal, _)| seal);
                match seal {
                    Some(seal) if seal.sequence < before => newest.push(seal),
                    Some(seal) if seal.sequence == self.next_sequence => {
                        self.log_window(&seal, &bytes, now);
                        newest.push(seal);
                    }
                    // Not what the device has written: where windows are logged it is for `outis verify` to find,
                    // behind them it is torn.
                    _ if (whole as u64) < logged_here => {}
                    _ => break,
                }
                whole += 1;
            }
            if unlogged {
                torn_bytes += self.spool.cut(first, whole)?;
            }
        }
        let logged = self.next_sequence - before;
        let mut recovered = 0;
        for window in self.running.left()? {
            let done = |seal: &Seal| {
                (seal.run, &seal.camera) == (window.run, &window.camera) && seal.start_ms >= window.start_ms
            };
            if !newest.iter().any(done) {
                let Unfinished { run, camera, start_ms, configuration, payload } = window.clone();
                let seal = Seal { sequence: self.next_sequence, run, camera, start_ms, configuration };
                self.sign(seal, payload, now)?;
                recovered += 1;
            }
            self.running.forget(&window.camera)?;
        }
        let found = Notice::Interrupted { logged, recovered, torn_bytes };
        match self.notices.iter_mut().find(|notice| matches!(notice, Notice::Interrupted { .. })) {
            Some(notice) => *notice = found,
            None if logged + recovered + torn_bytes > 0 => self.notices.push(found),
            None => {}
        }
        Ok(())
    }
}
