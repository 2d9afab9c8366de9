//! The files of signed windows: 64 in each, every one behind its length in four bytes.
//!
//! A window counts as done when [`Spool::append`] has returned. Files are dropped whole, the oldest first.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    ENVELOPE_BYTES_MAX, WINDOWS_PER_FILE,
    durable::{self, Readers},
    layout::{self, WINDOWS},
};

/// The longest file of windows in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = WINDOWS_PER_FILE * (4 + ENVELOPE_BYTES_MAX as u64);

/// All files of windows of one device.
#[derive(Debug)]
pub(crate) struct Spool {
    public: PathBuf,
    readers: Readers,
    /// Bytes of each file, by its first window.
    files: BTreeMap<u64, u64>,
}

impl Spool {
    /// Finds the files in a published folder. New windows are for these readers.
    pub(crate) fn open(public: &Path, readers: Readers) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for path in durable::files_below(&public.join(WINDOWS))? {
            let path = format!("{WINDOWS}/{path}");
            if let Some(first) = layout::windows_first(&path) {
                files.insert(first, public.join(path).metadata()?.len());
            }
        }
        Ok(Self { public: public.to_owned(), readers, files })
    }

    /// Appends a window and waits until it is on the disk. After an error the file is as it was before.
    pub(crate) fn append(&mut self, sequence: u64, envelope: &[u8]) -> io::Result<()> {
        let first = sequence - sequence % WINDOWS_PER_FILE;
        let length = self.files.get(&first).copied();
        let path = self.path(first);
        if length.is_none() {
            durable::make_folder(path.parent().unwrap_or(&self.public), Readers::All)?;
        }
        let mode = self.readers.file_mode();
        let mut file = OpenOptions::new().append(true).create(true).mode(mode).open(&path)?;
        if length.is_none() || self.readers == Readers::Owner {
            // A file that the owner alone may read stays so when later windows are for all; the other way round not.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        // An earlier try that failed, on a full disk for instance, may have left a part.
        let before = length.unwrap_or(0);
        if file.metadata()?.len() != before {
            file.set_len(before)?;
        }
        let frame = framed(envelope);
        if let Err(error) = write(&mut file, &frame, length.is_none().then_some(&*path)) {
            // If this fails too, the next try, or the next start, cuts it off.
            let _ = file.set_len(before);
            return Err(error);
        }
        self.files.insert(first, before + frame.len() as u64);
        Ok(())
    }

    /// The windows of one file, by its first window, as far as they are whole.
    pub(crate) fn read(&self, first: u64) -> io::Result<Vec<Vec<u8>>> {
        let bytes = durable::read(&self.path(first), FILE_BYTES_MAX)?.unwrap_or_default();
        Ok(frames(&bytes).0)
    }

    /// Keeps so many windows of a file and cuts off the rest. Returns how many bytes that were.
    pub(crate) fn cut(&mut self, first: u64, windows: usize) -> io::Result<u64> {
        let path = self.path(first);
        let keep: u64 = self.read(first)?[..windows].iter().map(|window| 4 + window.len() as u64).sum();
        let cut = self.files.get(&first).copied().unwrap_or(0).saturating_sub(keep);
        if cut == 0 {
            return Ok(0);
        }
        if windows == 0 {
            durable::remove(&path)?;
            durable::sync_parent(&path)?;
            self.files.remove(&first);
        } else {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(keep)?;
            file.sync_all()?;
            self.files.insert(first, keep);
        }
        Ok(cut)
    }

    /// The first windows of the files, oldest first.
    pub(crate) fn firsts(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.files.keys().copied()
    }

    /// The bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    /// Removes a file.
    pub(crate) fn remove(&mut self, first: u64) -> io::Result<()> {
        durable::remove(&self.path(first))?;
        self.files.remove(&first);
        Ok(())
    }

    fn path(&self, first: u64) -> PathBuf {
        self.public.join(layout::windows_path(first))
    }
}

fn write(file: &mut File, frame: &[u8], new: Option<&Path>) -> io::Result<()> {
    file.write_all(frame)?;
    file.sync_all()?;
    new.map_or(Ok(()), durable::sync_parent)
}

pub(crate) fn framed(envelope: &[u8]) -> Vec<u8> {
    let length = u32::try_from(envelope.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), envelope].concat()
}

/// Takes a file apart, as far as it is whole, and tells how many bytes that are.
pub(crate) fn frames(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((frame, after)) =
            after.split_at_checked(length).filter(|_| (1..=ENVELOPE_BYTES_MAX).contains(&length))
        else {
            break;
        };
        frames.push(frame.to_vec());
        rest = after;
    }
    (frames, bytes.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn windows_are_appended_cut_and_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), Readers::All).unwrap();
        for sequence in 0..WINDOWS_PER_FILE + 2 {
            spool.append(sequence, format!("window {sequence}").as_bytes()).unwrap();
        }
        let mut again = Spool::open(folder.path(), Readers::All).unwrap();
        assert_eq!((again.files.clone(), again.firsts().count()), (spool.files.clone(), 2));
        assert_eq!(again.read(64).unwrap(), [b"window 64", b"window 65"]);

        let path = folder.path().join("windows/001");
        fs::write(&path, [fs::read(&path).unwrap(), vec![0, 0, 0, 9, 1]].concat()).unwrap();
        again = Spool::open(folder.path(), Readers::All).unwrap();
        assert_eq!(again.cut(64, 2).unwrap(), 5);
        assert_eq!(again.cut(64, 1).unwrap(), 13);
        again.append(65, b"another").unwrap();
        assert_eq!(again.read(64).unwrap(), [&b"window 64"[..], b"another"]);
        assert_eq!(again.cut(64, 0).unwrap(), 24);
        again.remove(0).unwrap();
        assert_eq!((again.bytes(), durable::files_below(folder.path()).unwrap().len()), (0, 0));
    }

    #[test]
    fn windows_for_the_owner_alone_never_stand_in_a_file_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let mode = || fs::metadata(folder.path().join("windows/000")).unwrap().permissions().mode() & 0o777;
        for (sequence, readers, expected) in
            [(0, Readers::All, 0o644), (1, Readers::Owner, 0o600), (2, Readers::All, 0o600)]
        {
            Spool::open(folder.path(), readers).unwrap().append(sequence, b"window").unwrap();
            assert_eq!(mode(), expected, "{sequence}");
        }
    }

    #[test]
    fn what_a_failed_try_left_is_cut_off_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), Readers::All).unwrap();
        spool.append(0, b"one").unwrap();
        let path = folder.path().join("windows/000");
        fs::write(&path, [fs::read(&path).unwrap(), vec![0, 0]].concat()).unwrap();
        spool.append(1, b"two").unwrap();
        assert_eq!(spool.read(0).unwrap(), [b"one", b"two"]);
    }

    #[test]
    fn torn_files_end_at_the_last_whole_window() {
        let whole = [framed(b"one"), framed(b"two")].concat();
        let cases: [(&str, Vec<u8>, usize); 5] = [
            ("whole", whole.clone(), 2),
            ("cut within a window", whole[..12].to_vec(), 1),
            ("cut within a length", whole[..9].to_vec(), 1),
            ("zeroes, as some file systems leave", [whole.clone(), vec![0; 40]].concat(), 2),
            ("a length beyond the limit", [whole.clone(), vec![0xff; 40]].concat(), 2),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(frames(&bytes).0.len(), expected, "{name}");
        }
    }
}
