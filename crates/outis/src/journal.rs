//! Windows as the owner's files will have them: the newest finished one, kept while it is signed and written, and the running
//! one of each camera, kept beside what the ledger will sign of it should this program die. A crash leaves them here, and
//! the next start completes the files: what is on record is in them too.

use std::{
    collections::HashMap,
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

/// The most running windows that are read back; there is one a camera.
const DRAFTS_MAX: usize = 1024;

/// Where windows are kept.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    /// The newest draft of each camera's running window.
    drafts: HashMap<String, Pending>,
}

/// A window that was to be signed and written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The run of the device: a file that is watched again has the same windows again.
    pub(crate) run: u64,
    pub(crate) camera: String,
    pub(crate) start_ms: i64,
    /// The digest of what was to be signed.
    pub(crate) payload: String,
    pub(crate) lines: Lines,
}

impl Pending {
    /// This window, as it will be in the files.
    pub(crate) fn new(run: u64, window: &Window, lines: Lines) -> Self {
        let payload = Digest::of(&window.payload).to_string();
        Self { run, camera: window.camera.clone(), start_ms: window.start_ms, payload, lines }
    }
}

impl Journal {
    /// The journal in the folder of the ledger.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), drafts: HashMap::new() }
    }

    /// Keeps a finished window, on the disk when this returns.
    pub(crate) fn keep(&self, pending: &Pending) -> io::Result<()> {
        replace(&self.folder.join("unwritten.draft"), &self.path(), &serde_json::to_vec(pending)?)
    }

    /// Keeps a running window, on the disk when this returns; the draft before it too, because the ledger takes this one
    /// only after that.
    pub(crate) fn keep_running(&mut self, pending: Pending) -> io::Result<()> {
        let place = self.draft_path(&pending.camera);
        fs::create_dir_all(place.parent().unwrap_or(&self.folder))?;
        let before = self.drafts.get(&pending.camera);
        let kept: Vec<&Pending> = [Some(&pending), before].into_iter().flatten().collect();
        replace(&self.folder.join("unwritten.draft"), &place, &serde_json::to_vec(&kept)?)?;
        self.drafts.insert(pending.camera.clone(), pending);
        Ok(())
    }

    /// Forgets the running window of a camera.
    pub(crate) fn forget_running(&mut self, camera: &str) {
        if self.drafts.remove(camera).is_some() {
            // If it stays, the next start sees that the ledger has not signed it.
            let _ = fs::remove_file(self.draft_path(camera));
        }
    }

    /// The running windows that an interrupted run has left, camera by camera: its newest drafts.
    pub(crate) fn left_running(&self) -> Vec<(PathBuf, Vec<Pending>)> {
        let Ok(files) = fs::read_dir(self.folder.join(DRAFTS)) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = files.take(DRAFTS_MAX).flatten().map(|file| file.path()).collect();
        paths.sort();
        let read = |path: PathBuf| {
            let drafts = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            (path, drafts.unwrap_or_default())
        };
        paths.into_iter().map(read).collect()
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

    /// Names may hold any character, so the file has the digest of the name.
    fn draft_path(&self, camera: &str) -> PathBuf {
        self.folder.join(DRAFTS).join(Digest::of(camera.as_bytes()).to_string())
    }
}

/// The folder of running windows.
const DRAFTS: &str = "unwritten-running";

fn replace(draft: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, place)?;
    File::open(place.parent().unwrap_or(Path::new("/")))?.sync_all()
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
            Pending::new(3, &window, Lines { json_lines: Some("{}\n".into()), csv: None })
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
    #[test]
    fn of_a_running_window_the_two_newest_drafts_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(folder.path());
        let draft = |start_ms, line: &str| {
            let window = Window { camera: "a/b".into(), start_ms, payload: line.as_bytes().to_vec() };
            Pending::new(3, &window, Lines { json_lines: Some(line.into()), csv: None })
        };
        let left = |journal: &Journal| {
            journal.left_running().into_iter().flat_map(|(_, left)| left).collect::<Vec<_>>()
        };
        for line in ["one", "two", "three"] {
            journal.keep_running(draft(0, line)).unwrap();
        }
        assert_eq!(left(&journal), [draft(0, "three"), draft(0, "two")]);
        journal.keep_running(draft(900_000, "four")).unwrap();
        assert_eq!(left(&journal), [draft(900_000, "four"), draft(0, "three")]);
        journal.forget_running("another");
        assert_eq!(left(&journal).len(), 2);
        journal.forget_running("a/b");
        assert_eq!(left(&journal), []);
    }
}
