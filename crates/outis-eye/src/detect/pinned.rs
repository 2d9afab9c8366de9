//! A file is opened once, and what is used is what was hashed. Knows no model and no runtime.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

/// How much of a file is held in memory while it is hashed.
const CHUNK_BYTES: usize = 64 * 1024;

/// The SHA-256 of a file. Written and read as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHash([u8; 32]);

impl FileHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads a file to its end, at most `bytes_max` bytes, and returns to its beginning.
    pub(crate) fn of_file(file: &mut File, bytes_max: u64) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut left = bytes_max;
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or_else(|| too_large(bytes_max))?;
            hasher.update(&chunk[..read]);
        }
        file.rewind()?;
        Ok(Self(hasher.finalize().into()))
    }

    fn from_hex(hex: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if hex.len() != 2 * hash.len() || !hex.is_ascii() {
            return None;
        }
        for (byte, digits) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        Self::from_hex(&hex).ok_or_else(|| serde::de::Error::custom("a SHA-256 is 64 hexadecimal digits"))
    }
}

/// The bytes of a file, at most `bytes_max`.
pub(crate) fn read_whole(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(bytes)
}

fn too_large(bytes_max: u64) -> io::Error {
    io::Error::other(format!("it is larger than {} MiB", bytes_max >> 20))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The two examples of FIPS 180-4's test page.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashes_and_their_text() {
        assert_eq!(FileHash::of(b"").to_string(), EMPTY);
        assert_eq!(FileHash::from_hex(ABC), Some(FileHash::of(b"abc")));
        for bad in ["", "ba78", &ABC[1..], &format!("{}zz", &ABC[2..]), &"é".repeat(32)] {
            assert_eq!(FileHash::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_is_read_to_its_limit_only() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(b"abc").expect("three bytes");
        let mut open = File::open(file.path()).expect("it exists");
        assert_eq!(FileHash::of_file(&mut open, 3).expect("within the limit").to_string(), ABC);
        assert_eq!(FileHash::of_file(&mut open, 3).expect("rewound").to_string(), ABC);
        assert!(FileHash::of_file(&mut open, 2).is_err());
        assert_eq!(read_whole(file.path(), 3).expect("within the limit"), b"abc");
        assert!(read_whole(file.path(), 2).is_err());
    }
}
