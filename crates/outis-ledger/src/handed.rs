//! What another program of this device has to say for the log while the door has it open: a file for each entry, which the door
//! takes within a second or two. Who may write into the folder is who owns the device's key.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use crate::{
    Entry, LedgerError, What,
    durable::{self, Readers},
    entry::ENTRY_BYTES_MAX,
};

/// Beside the device's key.
const FOLDER: &str = "handed-in";

/// An entry that waits for the door.
#[derive(Debug)]
pub struct HandedIn(PathBuf);

impl HandedIn {
    /// Whether the door has put it on record.
    pub fn is_logged(&self) -> bool {
        !self.0.exists()
    }

    /// Takes it back, when nobody has taken it.
    pub fn take_back(self) {
        // Gone already is as good.
        let _ = durable::remove(&self.0);
    }
}

/// Leaves an entry in a state folder, for the door that has its log open.
///
/// # Errors
/// When nothing can be written there.
pub fn hand_in(folder: &Path, entry: &Entry) -> Result<HandedIn, LedgerError> {
    let folder = folder.join(FOLDER);
    let name = format!("{}-{}", entry.at_s, process::id());
    let place = folder.join(&name);
    let draft = folder.join(format!(".{name}"));
    durable::make_folder(&folder, Readers::Owner)
        // The door, which may be another user than root, reads it. There is nothing in it that the log does not say to all.
        .and_then(|()| durable::replace(&draft, &place, &entry.encode(), Readers::All))
        .map_err(|error| LedgerError::HandIn { folder, error })?;
    Ok(HandedIn(place))
}

/// What waits, the oldest first. What is read as no entry of a kind that others may make is removed.
pub(crate) fn waiting(state: &Path) -> io::Result<Vec<(PathBuf, Entry)>> {
    let folder = state.join(FOLDER);
    let files = match fs::read_dir(&folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        let draft = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if draft {
            continue;
        }
        // What cannot be read now stays: whoever waits for it to be gone must not take that for an answer.
        let Ok(Some(bytes)) = durable::read(&path, ENTRY_BYTES_MAX as u64) else { continue };
        match Entry::decode(&bytes) {
            // No other entry is for others to make: windows, runs and pauses are the door's own.
            Ok(entry) if matches!(entry.what, What::Still { .. }) => found.push((path, entry)),
            _ => durable::remove(&path)?,
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}
