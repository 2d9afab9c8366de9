//! The device's key: what makes it, keeps it, and how its public half is written.
//!
//! Both halves are written as Go's signed notes write them, so that existing tools read them. Whether a signature
//! says something true is for others.

use std::{
    fmt,
    fs::File,
    io::{self, ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::{
    Digest,
    durable::{self, Readers},
};

/// Ed25519, as signed notes number it.
const ED25519: u8 = 1;

/// Rights of everybody but the owner.
const OTHERS: u32 = 0o077;

const FILE_BYTES_MAX: u64 = 4096;

/// The start of a file with a private key.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The secret half. Never shown, wiped when dropped.
pub struct DeviceKey(SigningKey);

/// The public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    name: String,
}

/// Why there is no key to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others may have read it.
    #[error(
        "{} can be read by others than its owner (mode {mode:03o}): run `chmod 600 {}`, and if somebody may have \
         read it, move the whole folder away so that a new device key begins a new log",
        path.display(), path.display()
    )]
    Open {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Something else stands there.
    #[error("{} holds no device key: put the right file back, or move the whole folder away", .0.display())]
    Foreign(PathBuf),
    /// The file system refused.
    #[error("the device key {}: {error}", path.display())]
    Io {
        /// The key's file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes for a device key")]
    Random,
}

/// Text that is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a public key of the form name+hash+key")]
pub struct PublicKeyError;

impl DeviceKey {
    /// A new key from the system's random bytes.
    ///
    /// # Errors
    /// When there are none.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| KeyError::Random)?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a key's file; `None` when there is none.
    ///
    /// # Errors
    /// When others can read it, or it holds something else.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let io = |error| KeyError::Io { path: path.to_owned(), error };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io)?,
        };
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io)?;
        Self::parse(&text).map(Some).ok_or_else(|| KeyError::Foreign(path.to_owned()))
    }

    /// Writes the key to a file that only its owner can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store(&self, path: &Path) -> Result<(), KeyError> {
        let io = |error| KeyError::Io { path: path.to_owned(), error };
        let text = self.text();
        let draft = path.with_extension("draft");
        durable::replace(&draft, path, text.as_bytes(), Readers::Owner).map_err(io)
    }

    /// The half that others may know.
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.0.verifying_key())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    fn text(&self) -> Zeroizing<String> {
        let mut typed = Zeroizing::new(vec![ED25519]);
        typed.extend_from_slice(self.0.as_bytes());
        let PublicKey { name, .. } = self.public();
        let hash = self.public().note_hash();
        Zeroizing::new(format!("{PRIVATE}{name}+{hash:08x}+{}\n", BASE64.encode(&*typed)))
    }

    fn parse(text: &str) -> Option<Self> {
        let fields = text.trim_end().strip_prefix(PRIVATE)?;
        let typed = Zeroizing::new(BASE64.decode(fields.splitn(3, '+').nth(2)?).ok()?);
        let seed = Zeroizing::new(<[u8; 32]>::try_from(typed.strip_prefix(&[ED25519])?).ok()?);
        let key = Self::from_seed(&seed);
        // The name and hash in the file are those of this very key, or the file was put together by hand.
        (key.text().trim_end() == text.trim_end()).then_some(key)
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.public().name)
    }
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Self {
        Self { key, name: format!("outis-{}", Digest::of(key.as_bytes()).short()) }
    }

    /// What COSE calls the key id: the digest of its 32 bytes.
    pub fn id(&self) -> Digest {
        Digest::of(self.key.as_bytes())
    }

    /// The name of the device and of its log. It follows from the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number by which signed notes tell keys of one name apart.
    pub fn note_hash(&self) -> u32 {
        let parts: [&[u8]; 4] = [self.name.as_bytes(), b"\n", &[ED25519], self.key.as_bytes()];
        let Digest([a, b, c, d, ..]) = Digest::of_parts(&parts);
        u32::from_be_bytes([a, b, c, d])
    }

    /// Whether the device signed this message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let parse = || {
            let typed = BASE64.decode(text.trim().splitn(3, '+').nth(2)?).ok()?;
            let bytes = <[u8; 32]>::try_from(typed.strip_prefix(&[ED25519])?).ok()?;
            let key = Self::new(VerifyingKey::from_bytes(&bytes).ok()?);
            (key.to_string() == text.trim()).then_some(key)
        };
        parse().ok_or(PublicKeyError)
    }
}

/// `name+hash+key`, as signed notes write it.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.note_hash(), BASE64.encode(typed))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn the_standard_example() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = DeviceKey::from_seed(&seed.try_into().unwrap());
        let signature = hex(concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ));
        assert_eq!(key.sign(&[0x72]).to_vec(), signature);
        assert!(key.public().verifies(&[0x72], &signature));
        assert!(!key.public().verifies(&[0x73], &signature));
        assert!(!key.public().verifies(&[0x72], &signature[1..]));
    }

    #[test]
    fn a_key_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        assert!(DeviceKey::load(&path).unwrap().is_none());
        let key = DeviceKey::generate().unwrap();
        key.store(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(DeviceKey::load(&path).unwrap().unwrap().public(), key.public());
        assert_eq!(format!("{key:?}"), format!("DeviceKey({})", key.public().name));

        for mode in [0o640, 0o604, 0o644] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = DeviceKey::load(&path).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:o}")), "{error}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for other in ["", "dear diary", &text[1..], &text.replace("outis-", "nobody-")] {
            fs::write(&path, other).unwrap();
            assert!(matches!(DeviceKey::load(&path), Err(KeyError::Foreign(_))), "{other}");
        }
    }

    #[test]
    fn public_keys_are_read_as_they_are_written() {
        let key = DeviceKey::from_seed(&[7; 32]).public();
        let text = key.to_string();
        assert_eq!(PublicKey::parse(&format!("{text}\n")), Ok(key));
        for other in ["", "a+b", "a+b+c", &text[..text.len() - 4], &text.replace("outis-", "nobody-")] {
            assert_eq!(PublicKey::parse(other), Err(PublicKeyError), "{other}");
        }
    }
}
