//! Why a ledger cannot be opened, continued or closed, and what to do about it.

use std::{io, path::PathBuf};

use crate::{KeyError, LogError};

/// Why there is no ledger to write to.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder cannot be used.
    #[error("the state folder {} cannot be used: {error}; see `state` in the configuration", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// Somebody else works in it.
    #[error("another outis works in the state folder {}: name another one by `state`", .0.display())]
    InUse(PathBuf),
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is gone, and a log is there.
    #[error(
        "{} has a log and no device key: put the key back, or move the whole folder away so that a new device key \
         begins a new log", .0.display()
    )]
    NoKey(PathBuf),
    /// The log cannot be continued.
    #[error(
        "{}: {error}; run `outis verify` on its public folder, then mend it, or move the whole folder away so that \
         a new device key begins a new log", folder.display()
    )]
    Log {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        error: LogError,
    },
    /// More than an entry can say.
    #[error("the start has too many parts for one entry of the log: {0} bytes")]
    Start(usize),
    /// The log takes nothing.
    #[error("the log cannot be written ({0}), and nothing is watched before its configuration is on record")]
    NotLogged(LogError),
    /// The log takes nothing.
    #[error("the log cannot be written ({0}), and no picture of a street is shown before it is on record")]
    StillNotLogged(LogError),
    /// What another program has to say for the log cannot be left for the door.
    #[error("nothing can be left in {} for the log ({error}): run it as the user that `outis watch` runs as", folder.display())]
    HandIn {
        /// The folder.
        folder: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// At the end, windows or entries were still in memory.
    #[error("finished windows that could not be written: {windows}, entries of the log: {entries} ({error})")]
    Unwritten {
        /// How many.
        windows: usize,
        /// How many.
        entries: usize,
        /// What the file system said.
        error: String,
    },
}
