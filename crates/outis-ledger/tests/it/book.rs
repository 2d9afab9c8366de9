//! A ledger in a folder that vanishes, and a clock that is told the time.

use std::path::PathBuf;

use outis_ledger::{
    Digest, Ledger, Moment, Notice, Part, PartKind, Readers, Seal, Window,
    verify::{Demands, Report, verify},
};
use tempfile::TempDir;

/// A morning in 2025.
pub(crate) const MORNING_S: i64 = 1_750_000_000;

/// More than any test writes.
pub(crate) const ROOMY: u64 = 1 << 30;

pub(crate) struct Book {
    pub(crate) folder: TempDir,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A book with a run of so many windows, ended in order.
    pub(crate) fn of_windows(windows: u64) -> Self {
        let book = Self::new();
        let mut ledger = book.started("one");
        for index in 0..windows {
            ledger.finish(window("gate", index), at(10 + index));
        }
        ledger.stop(at(10 + windows)).unwrap();
        book
    }

    pub(crate) fn public(&self) -> PathBuf {
        self.folder.path().join("public")
    }

    pub(crate) fn open(&self, second: u64) -> Ledger {
        Ledger::open(self.folder.path(), ROOMY, Readers::All, at(second)).unwrap()
    }

    /// A ledger in its next run, with a configuration of this text.
    pub(crate) fn started(&self, configuration: &str) -> Ledger {
        self.started_at(configuration, 1)
    }

    /// The same, later in the morning.
    pub(crate) fn started_at(&self, configuration: &str, second: u64) -> Ledger {
        let mut ledger = self.open(second);
        ledger.start(parts(configuration), at(second)).unwrap();
        ledger
    }

    pub(crate) fn report(&self) -> Report {
        verify(&self.public(), &Demands::default(), |_, _| {}).unwrap()
    }

    /// Every window, when all is well.
    pub(crate) fn windows(&self) -> Vec<(Seal, Vec<u8>)> {
        let mut windows = Vec::new();
        let report = verify(&self.public(), &Demands::default(), |seal, payload| {
            windows.push((seal.clone(), payload.to_vec()))
        });
        let report = report.unwrap();
        assert!(report.is_sound(), "{report:#?}");
        windows
    }
}

/// So many seconds after the morning began, by both clocks.
pub(crate) fn at(second: u64) -> Moment {
    Moment { wall_s: MORNING_S + i64::try_from(second).unwrap(), steady_ms: second * 1000 }
}

pub(crate) fn parts(configuration: &str) -> Vec<Part> {
    let part =
        |kind, name: &str, text: &str| Part { kind, name: name.into(), digest: Digest::of(text.as_bytes()) };
    vec![
        part(PartKind::Configuration, "cameras.toml", configuration),
        part(PartKind::Program, "outis", "program"),
        part(PartKind::Model, "nanodet-g", "model"),
    ]
}

pub(crate) fn window(camera: &str, index: u64) -> Window {
    let start_ms = i64::try_from(index).unwrap() * 1000;
    Window { camera: camera.into(), start_ms, payload: format!("{camera} {index}").into_bytes() }
}

pub(crate) fn notices(ledger: &mut Ledger) -> Vec<Notice> {
    ledger.take_notices()
}
