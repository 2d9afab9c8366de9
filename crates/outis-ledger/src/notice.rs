//! What the owner should hear of while the ledger does its work. Who says it, and where, is for others.

use std::fmt;

/// Something the owner should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A new device key and a new log.
    NewDevice(String),
    /// The last run did not end in order.
    Interrupted {
        /// Windows that were signed and are now logged.
        logged: u64,
        /// Windows that were running, and are now signed as they were last known.
        recovered: u64,
        /// Bytes of a torn end that were cut off.
        torn_bytes: u64,
    },
    /// Nothing can be written.
    Waiting {
        /// Windows in memory.
        windows: usize,
        /// Entries for the log in memory.
        entries: usize,
        /// What the file system said.
        error: String,
    },
    /// Everything is written again.
    Resumed,
    /// The oldest windows in memory had to go.
    Lost(u64),
    /// The oldest signed windows had to go.
    Dropped {
        /// The first of them.
        first: u64,
        /// How many.
        windows: u64,
    },
    /// The clock was set.
    Clock {
        /// By how many seconds.
        by_s: i64,
    },
    /// The running windows cannot be kept.
    NotKept(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewDevice(name) => write!(f, "a new device key was made; the log is \"{name}\""),
            Self::Interrupted { logged, recovered, torn_bytes } => write!(
                f,
                "the last run did not end in order: {recovered} unfinished windows were recovered as partial, \
                 {logged} signed windows were added to the log, {torn_bytes} torn bytes were cut off"
            ),
            Self::Waiting { windows, entries, error } => write!(
                f,
                "nothing can be written ({error}); finished windows that wait in memory: {windows}, entries for the \
                 log: {entries}; make room on the disk"
            ),
            Self::Resumed => f.write_str("the disk takes data again; all that waited is written"),
            Self::Lost(windows) => {
                write!(f, "LOST: {windows} of the windows in memory, the oldest, for want of room")
            }
            Self::Dropped { first, windows } => write!(
                f,
                "DROPPED: signed windows {first} to {}, the oldest, because the spool is full (see `keep_mb`)",
                first + windows.saturating_sub(1)
            ),
            Self::Clock { by_s } => write!(f, "the clock was set by {by_s} s; the log says so"),
            Self::NotKept(error) => {
                write!(f, "the running windows cannot be kept ({error}); a crash would lose them")
            }
        }
    }
}
