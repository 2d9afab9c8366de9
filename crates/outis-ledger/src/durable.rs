//! Files that are there after a power cut, whole or not at all.
//!
//! A whole file is written under a name of its own, forced to the disk, and then renamed to its place.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// For whom a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The owner alone.
    Owner,
    /// Everybody, such as a web server.
    All,
}

impl Readers {
    pub(crate) fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::All => 0o644,
        }
    }

    fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::All => 0o755,
        }
    }
}

/// Puts a file in its place; whoever looks sees the old one or the new one, also after a power cut.
///
/// `draft` is where it is written first: on the same file system, and nobody else's.
pub(crate) fn replace(draft: &Path, place: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    write_draft(draft, bytes, readers)?;
    publish(draft, place)
}

/// Writes a file and forces its bytes to the disk.
pub(crate) fn write_draft(draft: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // What a crash left of an older draft may have been read by others than this one's readers.
    remove(draft)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(readers.file_mode()).open(draft)?;
    // The process's mask may have taken rights away.
    file.set_permissions(Permissions::from_mode(readers.file_mode()))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames a draft to its place.
pub(crate) fn publish(draft: &Path, place: &Path) -> io::Result<()> {
    fs::rename(draft, place)?;
    sync_parent(place)
}

/// Makes a folder and those above it, as far as they are missing; forces each to the disk.
pub(crate) fn make_folder(folder: &Path, readers: Readers) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent, readers)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    fs::set_permissions(folder, Permissions::from_mode(readers.folder_mode()))?;
    sync_parent(folder)
}

/// Removes a file; one that is not there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file's bytes; `None` when there is none. A file longer than `bytes_max` is an error. Errors name the file.
pub(crate) fn read(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    read_limited(path, bytes_max).map_err(named)
}

fn read_limited(path: &Path, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
            return Ok(None);
        }
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is longer than {bytes_max} bytes")));
    }
    Ok(Some(bytes))
}

/// Every file below a folder, as paths relative to it with `/`, sorted. Links are not followed.
pub(crate) fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push((entry.path(), name + "/"));
            } else {
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Forces the names in a file's folder to the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.map_or_else(|| PathBuf::from("."), Path::to_owned))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_with_the_right_readers() {
        let folder = tempfile::tempdir().unwrap();
        let (draft, place) = (folder.path().join("draft"), folder.path().join("a/b"));
        make_folder(place.parent().unwrap(), Readers::All).unwrap();
        for (text, readers, mode) in [("one", Readers::All, 0o644), ("two", Readers::Owner, 0o600)] {
            fs::write(&draft, "a draft that a crash left").unwrap();
            replace(&draft, &place, text.as_bytes(), readers).unwrap();
            assert_eq!(fs::read_to_string(&place).unwrap(), text);
            assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(files_below(folder.path()).unwrap(), ["a/b"]);
        assert_eq!(read(&draft, 9).unwrap(), None);
        assert_eq!(read(&place, 2).unwrap_err().kind(), ErrorKind::FileTooLarge);
        remove(&draft).unwrap();
    }
}
