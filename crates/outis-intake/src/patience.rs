//! How long a camera may be silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A camera that sends nothing for this long has failed, whatever its connection says.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Ends when nothing came for [`SILENCE_MAX`]. Copies share one end.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    started: Instant,
    /// Milliseconds from the start to the end.
    until_ms: Arc<AtomicU64>,
}

impl Patience {
    /// Patience that starts now.
    pub(crate) fn new() -> Self {
        let patience = Self { started: Instant::now(), until_ms: Arc::default() };
        patience.renew();
        patience
    }

    /// Something came: it starts anew.
    pub(crate) fn renew(&self) {
        let until = self.started.elapsed() + SILENCE_MAX;
        self.until_ms.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Duration {
        Duration::from_millis(self.until_ms.load(Ordering::Relaxed)).saturating_sub(self.started.elapsed())
    }

    /// Whether nothing came for too long.
    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
