//! The append-only log on the disk: entries in bundles, hashes in tiles, and a signed checkpoint over them.
//!
//! Files are written before the checkpoint that covers them, and a checkpoint is durable before it is published. So
//! the device never signs two different logs of one size, whenever the power is cut.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    CHECKPOINT_BYTES_MAX, Checkpoint, DeviceKey, Digest, Edge, Entry, NoteError,
    durable::{self, Readers},
    layout::{self, BUNDLE_BYTES_MAX, CHECKPOINT, Content, Tile},
    leaf_hash,
};

/// Why the log cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system refused.
    #[error("{what}: {error}")]
    Io {
        /// Which file.
        what: String,
        /// What it said.
        error: io::Error,
    },
    /// The checkpoint is not ours.
    #[error("the checkpoint of the log cannot be continued: {0}")]
    Checkpoint(#[from] NoteError),
    /// Files are missing, or others than those that were signed.
    #[error("the log is not the one that was signed: {0}")]
    Broken(String),
}

/// A log that can be appended to.
#[derive(Debug)]
pub(crate) struct Log {
    public: PathBuf,
    /// Where files are written before they are put in their place.
    draft: PathBuf,
    /// Where a checkpoint waits until it is durable.
    next: PathBuf,
    edge: Edge,
    /// The entries that do not fill a bundle yet.
    bundle: Vec<Vec<u8>>,
}

impl Log {
    /// Opens the log in a published folder, or begins one, and yields all its entries.
    ///
    /// Finishes what a crash has interrupted: a checkpoint that was durable is published, files that no checkpoint
    /// covers are removed.
    pub(crate) fn open(
        public: &Path,
        private: &Path,
        key: &DeviceKey,
    ) -> Result<(Self, Vec<Entry>), LogError> {
        let mut log = Self {
            public: public.to_owned(),
            draft: private.join("draft"),
            next: private.join("checkpoint.next"),
            edge: Edge::default(),
            bundle: Vec::new(),
        };
        let mut loaded = log.published(key)?;
        if let Some(next) = log.interrupted(loaded.edge.size(), key)? {
            durable::publish(&log.next, &public.join(CHECKPOINT)).map_err(io("checkpoint"))?;
            loaded = next;
        }
        let Loaded { edge, bundle, entries } = loaded;
        (log.edge, log.bundle) = (edge, bundle);
        durable::remove(&log.next).map_err(io("checkpoint.next"))?;
        log.remove_uncovered().map_err(io(layout::TILES))?;
        let decode = |(index, entry): (usize, Vec<u8>)| {
            Entry::decode(&entry).map_err(|error| LogError::Broken(format!("entry {index}: {error}")))
        };
        let entries = entries.into_iter().enumerate().map(decode).collect::<Result<_, _>>()?;
        Ok((log, entries))
    }

    /// Appends entries, and signs and publishes the log that has them. After an error nothing has changed, and the
    /// same entries, and more, can be appended again.
    pub(crate) fn append(&mut self, entries: &[Vec<u8>], key: &DeviceKey) -> Result<(), LogError> {
        let (mut edge, mut bundle) = (self.edge.clone(), self.bundle.clone());
        let mut files = Vec::new();
        for entry in entries {
            bundle.push(entry.clone());
            let full = edge.push(leaf_hash(entry));
            for full in full {
                let content = Content::Hashes { level: full.level };
                files.push((Tile::last_full(content, edge.size()), joined(&full.hashes)));
            }
            if bundle.len() == Edge::TILE_WIDTH {
                files.push((Tile::last_full(Content::Entries, edge.size()), layout::bundled(&bundle)));
                bundle.clear();
            }
        }
        let full: Vec<Tile> = files.iter().map(|(tile, _)| *tile).collect();
        let size = edge.size();
        for (content, hashes) in Tile::levels(size).zip(edge.levels()) {
            files.extend(Tile::partial(content, size).map(|tile| (tile, joined(hashes))));
        }
        files.extend(Tile::partial(Content::Entries, size).map(|tile| (tile, layout::bundled(&bundle))));
        for (tile, bytes) in &files {
            let (path, place) = (tile.path(), self.public.join(tile.path()));
            let folder = place.parent().unwrap_or(&self.public);
            durable::make_folder(folder, Readers::All)
                .and_then(|()| durable::replace(&self.draft, &place, bytes, Readers::All))
                .map_err(io(&path))?;
        }
        let checkpoint = Checkpoint { size, root: edge.root() }.sign(key);
        self.publish(&checkpoint).map_err(io(CHECKPOINT))?;
        (self.edge, self.bundle) = (edge, bundle);
        for tile in full {
            // Whoever still asks for a part takes the whole. A part that stays only takes room.
            let _ = fs::remove_dir_all(self.public.join(format!("{}.p", tile.path())));
        }
        Ok(())
    }

    fn publish(&self, checkpoint: &str) -> io::Result<()> {
        durable::write_draft(&self.next, checkpoint.as_bytes(), Readers::All)?;
        // From here on it is the log's, even if the next line is never reached.
        durable::sync_parent(&self.next)?;
        durable::publish(&self.next, &self.public.join(CHECKPOINT))
    }

    /// The log of the published checkpoint; an empty one when there is none.
    fn published(&self, key: &DeviceKey) -> Result<Loaded, LogError> {
        let note =
            durable::read(&self.public.join(CHECKPOINT), CHECKPOINT_BYTES_MAX).map_err(io(CHECKPOINT))?;
        let Some(note) = note else { return Ok(Loaded::default()) };
        Loaded::read(&self.public, &Checkpoint::open(&note, &key.public())?)
    }

    /// The log of a checkpoint that was signed and durable, and not published.
    fn interrupted(&self, size: u64, key: &DeviceKey) -> Result<Option<Loaded>, LogError> {
        let note = durable::read(&self.next, CHECKPOINT_BYTES_MAX).map_err(io("checkpoint.next"))?;
        // A torn one was never published, and nothing was done because of it.
        let checkpoint = note.and_then(|note| Checkpoint::open(&note, &key.public()).ok());
        let checkpoint = checkpoint.filter(|next| next.size > size);
        checkpoint.map(|checkpoint| Loaded::read(&self.public, &checkpoint)).transpose()
    }

    fn remove_uncovered(&self) -> io::Result<()> {
        let size = self.edge.size();
        for path in durable::files_below(&self.public.join(layout::TILES))? {
            let path = format!("{}/{path}", layout::TILES);
            if Tile::of_path(&path).is_some_and(|tile| !tile.is_within(size)) {
                durable::remove(&self.public.join(path))?;
            }
        }
        Ok(())
    }
}

/// A log as it was read.
#[derive(Debug, Default)]
struct Loaded {
    edge: Edge,
    bundle: Vec<Vec<u8>>,
    entries: Vec<Vec<u8>>,
}

impl Loaded {
    /// Reads the log of a checkpoint, and checks that it is that one.
    fn read(public: &Path, checkpoint: &Checkpoint) -> Result<Self, LogError> {
        let mut loaded = Self::default();
        for tile in Tile::all(Content::Entries, checkpoint.size) {
            let path = tile.path();
            let bytes = durable::read(&public.join(&path), BUNDLE_BYTES_MAX).map_err(io(&path))?;
            let bytes = bytes.ok_or_else(|| LogError::Broken(format!("{path} is missing")))?;
            let bundle = layout::bundle(&bytes).filter(|bundle| bundle.len() as u64 == tile.width);
            let bundle = bundle.ok_or_else(|| LogError::Broken(format!("{path} is not a bundle")))?;
            bundle.iter().for_each(|entry| drop(loaded.edge.push(leaf_hash(entry))));
            loaded.bundle = if bundle.len() < Edge::TILE_WIDTH { bundle.clone() } else { Vec::new() };
            loaded.entries.extend(bundle);
        }
        if loaded.edge.root() != checkpoint.root {
            return Err(LogError::Broken("its entries have another root".into()));
        }
        Ok(loaded)
    }
}

fn joined(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn io(what: &str) -> impl FnOnce(io::Error) -> LogError + use<> {
    let what = what.to_owned();
    move |error| LogError::Io { what, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::What;

    fn entry(run: u64) -> Vec<u8> {
        Entry { at_s: 0, what: What::Stop { run } }.encode()
    }

    fn key() -> DeviceKey {
        DeviceKey::from_seed(&[1; 32])
    }

    /// A folder with a log of so many entries, appended in batches of `batch`.
    fn folder(size: u64, batch: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(folder.path()).unwrap().0;
        let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
        entries.chunks(batch).for_each(|batch| log.append(batch, &key()).unwrap());
        folder
    }

    fn open(folder: &Path) -> Result<(Log, Vec<Entry>), LogError> {
        let public = folder.join("public");
        fs::create_dir_all(&public).unwrap();
        Log::open(&public, folder, &key())
    }

    #[test]
    fn a_log_is_the_same_however_it_was_appended() {
        for (size, batch, again) in
            [(1, 1, 1), (255, 255, 50), (256, 100, 256), (600, 90, 600), (513, 513, 256)]
        {
            let [one, two] = [batch, again].map(|batch| folder(size, batch));
            let [(log, entries), (other, _)] = [&one, &two].map(|folder| open(folder.path()).unwrap());
            assert_eq!((log.edge.size(), entries.len() as u64), (size, size));
            assert_eq!((log.edge.root(), log.bundle), (other.edge.root(), other.bundle), "{size}");
            let files = durable::files_below(&one.path().join("public")).unwrap();
            let needed = Tile::levels(size).flat_map(|level| Tile::all(level, size)).map(Tile::path);
            assert!(needed.into_iter().all(|path| files.contains(&path)), "{size}: {files:?}");
        }
    }

    #[test]
    fn a_durable_checkpoint_is_published_after_a_crash() {
        let folder = folder(300, 300);
        let public = folder.path().join("public");
        let older = fs::read(public.join(CHECKPOINT)).unwrap();
        open(folder.path()).unwrap().0.append(&[entry(300)], &key()).unwrap();
        // As if the power had been cut before the last rename.
        fs::rename(public.join(CHECKPOINT), folder.path().join("checkpoint.next")).unwrap();
        fs::write(public.join(CHECKPOINT), &older).unwrap();
        let (log, entries) = open(folder.path()).unwrap();
        assert_eq!((log.edge.size(), entries.len()), (301, 301));
        assert_ne!(fs::read(public.join(CHECKPOINT)).unwrap(), older);
    }

    #[test]
    fn files_that_no_checkpoint_covers_are_removed() {
        let folder = folder(3, 3);
        let public = folder.path().join("public");
        let older = fs::read(public.join(CHECKPOINT)).unwrap();
        open(folder.path()).unwrap().0.append(&[entry(9)], &key()).unwrap();
        fs::write(public.join(CHECKPOINT), &older).unwrap();
        fs::write(folder.path().join("checkpoint.next"), "torn").unwrap();
        let (mut log, entries) = open(folder.path()).unwrap();
        assert_eq!(entries.len(), 3);
        assert!(!public.join("tile/0/000.p/4").exists() && !public.join("tile/entries/000.p/4").exists());
        log.append(&[entry(3)], &key()).unwrap();
        assert_eq!(open(folder.path()).unwrap().1.len(), 4);
    }

    #[test]
    fn a_log_that_is_not_ours_is_not_continued() {
        type Damage = fn(&Path);
        let breaks: [(&str, Damage); 4] = [
            ("a bundle is missing", |public| fs::remove_file(public.join("tile/entries/000.p/3")).unwrap()),
            ("a bundle was changed", |public| {
                let path = public.join("tile/entries/000.p/3");
                let mut bytes = fs::read(&path).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                fs::write(path, bytes).unwrap();
            }),
            ("another device's checkpoint", |public| {
                let other =
                    Checkpoint { size: 3, root: Digest::of(b"") }.sign(&DeviceKey::from_seed(&[2; 32]));
                fs::write(public.join(CHECKPOINT), other).unwrap();
            }),
            ("a bundle has too many", |public| {
                let bytes = layout::bundled(&[entry(0), entry(1), entry(2), entry(3)]);
                fs::write(public.join("tile/entries/000.p/3"), bytes).unwrap();
            }),
        ];
        for (name, damage) in breaks {
            let folder = folder(3, 1);
            damage(&folder.path().join("public"));
            assert!(open(folder.path()).is_err(), "{name}");
        }
    }
}
