//! Keeps the ledger of `outis watch`: every finished window signed, running ones kept for the case of a crash.
//!
//! It decides when a window is kept and what people hear; what a window says is made elsewhere.

use std::time::{Duration, Instant, SystemTime};

use outis_ledger::{Ledger, LedgerError, Moment, Notice, Part, Window};

use crate::{config::StateConfig, journal::Pending};

/// The longest time of a running window that a crash may lose.
const KEEP_GAP_MAX: Duration = Duration::from_secs(10);

/// A window is kept so many times while it runs, and at least every [`KEEP_GAP_MAX`].
const KEEPS_PER_WINDOW: u32 = 20;

/// How long a disk that takes nothing is left alone, and how often we look for what was handed in.
const SETTLE_GAP: Duration = Duration::from_secs(1);

/// The ledger of one run.
#[derive(Debug)]
pub(crate) struct Books {
    ledger: Ledger,
    /// What the cameras are watched with.
    parts: Vec<Part>,
    began: Instant,
    /// When the running window of each camera was kept last.
    kept: Vec<Option<Instant>>,
    settled: Instant,
}

impl Books {
    /// Opens the ledger, and logs what the cameras are watched with. No camera may start before this has returned.
    ///
    /// # Errors
    /// When it cannot be written, or cannot be continued.
    pub(crate) fn open(state: &StateConfig, parts: Vec<Part>, cameras: usize) -> Result<Self, LedgerError> {
        let began = Instant::now();
        let mut ledger = Ledger::open(&state.folder, state.keep_bytes, state.readers, moment(began))?;
        ledger.start(parts.clone(), moment(began))?;
        let mut books = Self { ledger, parts, began, kept: vec![None; cameras], settled: began };
        books.tell();
        Ok(books)
    }

    /// Logs other parts with which the cameras are watched from now on: a new run of the device. No camera may go on by
    /// them before this has returned.
    ///
    /// # Errors
    /// When it cannot be written: then the old ones are still in force.
    pub(crate) fn restart(&mut self, parts: Vec<Part>) -> Result<(), LedgerError> {
        self.ledger.restart(parts.clone(), moment(self.began))?;
        self.parts = parts;
        self.tell();
        Ok(())
    }

    /// The wall clock was set: what follows is a new run, in which the time of windows runs on from the new one.
    pub(crate) fn clock_was_set(&mut self) {
        let parts = self.parts.clone();
        if let Err(error) = self.restart(parts) {
            eprintln!("error: ledger: {error}");
        }
    }

    /// One camera more.
    pub(crate) fn add_camera(&mut self) {
        self.kept.push(None);
    }

    /// Which run of the device this is.
    pub(crate) fn run(&self) -> u64 {
        self.ledger.run()
    }

    /// Whether a window that was to be signed was.
    pub(crate) fn has_signed(&self, window: &Pending) -> bool {
        self.ledger.has_signed(window.run, &window.camera, window.start_ms, &window.payload)
    }

    /// Whether windows wait for a disk that takes them.
    pub(crate) fn is_waiting(&self) -> bool {
        self.ledger.is_waiting()
    }

    /// Signs a finished window; it is on the disk when this returns, or waits in memory and people hear of it.
    pub(crate) fn finished(&mut self, window: Window) {
        self.ledger.finish(window, moment(self.began));
        self.tell();
    }

    /// Logs for how long a window of a camera was paused.
    pub(crate) fn paused(&mut self, camera: &str, seconds: u64) {
        self.ledger.paused(camera, seconds, moment(self.began));
        self.tell();
    }

    /// Keeps a running window of a camera, by its number, when it is time to.
    pub(crate) fn running(&mut self, camera: usize, window_ms: u32, window: impl FnOnce() -> Option<Window>) {
        let gap = (Duration::from_millis(window_ms.into()) / KEEPS_PER_WINDOW).min(KEEP_GAP_MAX);
        let due = self.kept[camera].is_none_or(|kept| kept.elapsed() >= gap);
        if let Some(window) = due.then(window).flatten() {
            self.ledger.keep_running(window);
            self.kept[camera] = Some(Instant::now());
            self.tell();
        }
    }

    /// Forgets the running window of a camera that has no say any more.
    pub(crate) fn forget(&mut self, camera: &str) {
        self.ledger.forget_running(camera);
    }

    /// Writes what waits, now and then.
    pub(crate) fn settle(&mut self) {
        if self.settled.elapsed() < SETTLE_GAP {
            return;
        }
        self.settled = Instant::now();
        let now = moment(self.began);
        if self.ledger.is_waiting() {
            self.ledger.settle(now);
        }
        self.ledger.take_handed_in(now);
        self.tell();
    }

    /// Ends the run in order.
    ///
    /// # Errors
    /// When windows could not be written.
    pub(crate) fn close(self) -> Result<(), LedgerError> {
        let now = moment(self.began);
        self.ledger.stop(now)
    }

    fn tell(&mut self) {
        for notice in self.ledger.take_notices() {
            let how = match notice {
                Notice::Lost(_) | Notice::Dropped { .. } | Notice::Waiting { .. } | Notice::NotKept(_) => {
                    "error"
                }
                Notice::Interrupted { .. } | Notice::Clock { .. } => "warning",
                Notice::NewDevice(_) | Notice::Resumed => "note",
            };
            eprintln!("{how}: ledger: {notice}");
        }
    }
}

/// What the clocks say, the steady one since `began`.
pub(crate) fn moment(began: Instant) -> Moment {
    let now = SystemTime::now();
    let since = |from| now.duration_since(from).map(|elapsed| elapsed.as_secs());
    // A clock before 1970 is one that was never set.
    let wall_s = since(SystemTime::UNIX_EPOCH).ok().and_then(|s| i64::try_from(s).ok()).unwrap_or(0);
    let steady_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Moment { wall_s, steady_ms }
}
