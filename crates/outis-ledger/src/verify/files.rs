//! Which files a published folder consists of, for whoever has to fetch them one by one.
//!
//! Believes what it reads: what is wrong with it comes out when it is verified.

use std::{collections::BTreeSet, io, path::Path};

use crate::{
    CHECKPOINT, CHECKPOINT_BYTES_MAX, Entry, PUBLIC_KEY, What, durable,
    layout::{self, BUNDLE_BYTES_MAX, Content, Tile},
    spool,
};

/// The largest log that is fetched, in entries.
const ENTRIES_MAX: u64 = 16 << 20;

/// The files to fetch, step by step: each list follows from the files of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// The key and the checkpoint.
    Heads,
    /// The tree under the checkpoint.
    Tree,
    /// The windows that the tree names.
    Windows,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// No checkpoint, or none of a size that can be.
    #[error("it has no checkpoint of a log")]
    NoCheckpoint,
    /// The copy cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Files {
    /// The steps, in their order.
    pub const STEPS: [Self; 3] = [Self::Heads, Self::Tree, Self::Windows];

    /// The longest file of any step in bytes.
    pub const BYTES_MAX: u64 = spool::FILE_BYTES_MAX;

    /// The files of this step, as paths with `/`, given a copy of those of the steps before.
    ///
    /// # Errors
    /// When the copy has no checkpoint, or cannot be read.
    pub fn list(self, copy: &Path) -> Result<Vec<String>, ListError> {
        match self {
            Self::Heads => Ok(vec![PUBLIC_KEY.to_owned(), CHECKPOINT.to_owned()]),
            Self::Tree => {
                let size = size(copy)?;
                let contents = Tile::levels(size).chain([Content::Entries]);
                Ok(contents.flat_map(|content| Tile::all(content, size)).map(Tile::path).collect())
            }
            Self::Windows => Ok(windows(copy, size(copy)?)?.into_iter().map(layout::windows_path).collect()),
        }
    }
}

fn size(copy: &Path) -> Result<u64, ListError> {
    let note = durable::read(&copy.join(CHECKPOINT), CHECKPOINT_BYTES_MAX)?.ok_or(ListError::NoCheckpoint)?;
    let size = String::from_utf8_lossy(&note).lines().nth(1).and_then(|line| line.parse().ok());
    size.filter(|size| *size <= ENTRIES_MAX).ok_or(ListError::NoCheckpoint)
}

/// The first window of each file that should be there.
fn windows(copy: &Path, size: u64) -> io::Result<BTreeSet<u64>> {
    let mut files = BTreeSet::new();
    for tile in Tile::all(Content::Entries, size) {
        let bytes = durable::read(&copy.join(tile.path()), BUNDLE_BYTES_MAX)?.unwrap_or_default();
        for entry in layout::bundle(&bytes).unwrap_or_default() {
            match Entry::decode(&entry).map(|entry| entry.what) {
                Ok(What::Window { sequence, .. }) => {
                    files.insert(sequence - sequence % crate::WINDOWS_PER_FILE);
                }
                Ok(What::Dropped { first, windows }) => {
                    let end = first.saturating_add(windows);
                    files.retain(|first| first.saturating_add(crate::WINDOWS_PER_FILE) > end);
                }
                _ => {}
            }
        }
    }
    Ok(files)
}
