//! The newest finished window as the owner's files will have it, kept while it is signed and written. A crash between the two
//! leaves it here, and the next start completes the files: what is on record is in them too.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use outis_ledger::{Digest, Window};
use serde::{Deserialize, Serialize};

use crate::output::Lines;

/// A file for the owner alone: what is exact in the files of windows is exact here.
const MODE: u32 = 0o600;

/// Where the newest window is kept.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
}

/// A window that was to be signed and written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) camera: String,
    pub(crate) start_ms: i64,
    /// The digest of what was to be signed.
    pub(crate) payload: String,
    pub(crate) lines: Lines,
}

impl Pending {
    /// This window, as it will be in the files.
    pub(crate) fn new(window: &Window, lines: Lines) -> Self {
        let payload = Digest::of(&window.payload).to_string();
        Self { camera: window.camera.clone(), start_ms: window.start_ms, payload, lines }
    }
}

impl Journal {
    /// The journal in the folder of the ledger.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Keeps a window, on the disk when this returns.
    pub(crate) fn keep(&self, pending: &Pending) -> io::Result<()> {
        let draft = self.folder.join("unwritten.draft");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&draft)?;
        file.write_all(&serde_json::to_vec(pending)?)?;
        file.sync_all()?;
        fs::rename(&draft, self.path())?;
        File::open(&self.folder)?.sync_all()
    }

    /// The window that an interrupted run has left; one that is torn was not signed.
    pub(crate) fn left(&self) -> Option<Pending> {
        serde_json::from_slice(&fs::read(self.path()).ok()?).ok()
    }

    /// Forgets it.
    pub(crate) fn clear(&self) {
        // If it stays, the next start sees that it is in the files.
        let _ = fs::remove_file(self.path());
    }

    fn path(&self) -> PathBuf {
        self.folder.join("unwritten")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_newest_window_is_kept_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        assert_eq!(journal.left(), None);
        let window = |start_ms| {
            let window = Window { camera: "gate".into(), start_ms, payload: b"window".to_vec() };
            Pending::new(&window, Lines { json_lines: Some("{}\n".into()), csv: None })
        };
        for start_ms in [0, 900_000] {
            journal.keep(&window(start_ms)).unwrap();
        }
        assert_eq!(journal.left(), Some(window(900_000)));
        let mode = fs::metadata(journal.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(journal.path(), "{\"camera\":").unwrap();
        assert_eq!(journal.left(), None, "torn");
        journal.clear();
        assert_eq!(journal.left(), None);
    }
}
