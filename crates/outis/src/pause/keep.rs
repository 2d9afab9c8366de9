//! Pauses that are running, on the disk, so that a crash ends none of them. What is over is not kept.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{PauseTerms, Pauses, spans::Spans};

/// The moments of pauses are for nobody but the next start of this program.
const MODE: u32 = 0o600;

/// Where they are kept.
#[derive(Debug)]
pub(crate) struct Keep {
    folder: PathBuf,
}

/// A camera's pauses.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    camera: String,
    /// When this was written, in milliseconds from the Unix epoch.
    at_ms: i64,
    /// From when to when.
    spans: Vec<(i64, i64)>,
}

impl Keep {
    /// In the folder of the ledger.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Keeps what is paused now, and what was in the last hours, for the limit; on the disk when this returns.
    pub(crate) fn write(&self, pauses: &Pauses, now_ms: i64) -> io::Result<()> {
        let since_ms = now_ms.saturating_sub(MEMORY_MS);
        let kept = pauses.spans.iter().map(|(camera, spans)| Kept {
            camera: camera.clone(),
            at_ms: now_ms,
            spans: spans.after(since_ms).collect(),
        });
        let kept: Vec<Kept> = kept.filter(|kept| !kept.spans.is_empty()).collect();
        let draft = self.folder.join("pauses.draft");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&draft)?;
        file.write_all(&serde_json::to_vec(&kept)?)?;
        file.sync_all()?;
        fs::rename(&draft, self.path())?;
        File::open(&self.folder)?.sync_all()
    }

    /// What an earlier run has left.
    ///
    /// A clock that was never set, as on a device without a battery, may be far behind what is written: then a pause
    /// lasts as long from now on as it still had to last when it was written.
    pub(crate) fn read(&self, terms: PauseTerms, now_ms: i64) -> Pauses {
        let mut pauses = Pauses::new(terms);
        let kept =
            fs::read(self.path()).ok().and_then(|bytes| serde_json::from_slice::<Vec<Kept>>(&bytes).ok());
        for Kept { camera, at_ms, spans } in kept.unwrap_or_default() {
            let back_ms = at_ms.saturating_sub(now_ms).max(0);
            let mut read = Spans::default();
            for (from_ms, until_ms) in spans {
                read.add(from_ms.saturating_sub(back_ms), until_ms.saturating_sub(back_ms));
            }
            pauses.spans.insert(camera, read);
        }
        pauses
    }

    fn path(&self) -> PathBuf {
        self.folder.join("pauses")
    }
}

/// So long does a pause count: the longest period for which there is a limit.
const MEMORY_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    #[test]
    fn a_crash_ends_no_pause_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path());
        let terms = PauseTerms::default();
        assert_eq!(keep.read(terms, NOW_MS), Pauses::new(terms));
        let mut pauses = Pauses::new(terms);
        pauses.ask("gate", Some(90), 900_000, NOW_MS).unwrap();
        pauses.ask("old", Some(10), 900_000, NOW_MS - 2 * MEMORY_MS).unwrap();
        keep.write(&pauses, NOW_MS + 10_000).unwrap();
        let left_s = |now_ms: i64| {
            let read = keep.read(terms, now_ms);
            assert_eq!(read.until_ms("old", 0), None, "what is over is forgotten");
            read.until_ms("gate", now_ms).map(|until_ms| (until_ms - now_ms) / 1000)
        };
        assert_eq!(left_s(NOW_MS + 10_000), Some(80));
        assert_eq!(left_s(NOW_MS + 89_000), Some(1));
        assert_eq!(left_s(NOW_MS + 90_000), None);
        assert_eq!(left_s(0), Some(80), "a clock of 1970");
        assert_eq!(left_s(NOW_MS - 3_600_000), Some(80), "a clock that was set back");
        let mode = fs::metadata(keep.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(keep.path(), "[{").unwrap();
        assert_eq!(left_s(NOW_MS), None, "torn by hand");
    }
}
