//! Checkpoints: the size and root of the log at one moment, as a signed note.
//!
//! The forms are C2SP's signed-note and tlog-checkpoint. Which tree a checkpoint is of is for others.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{DeviceKey, Digest, PublicKey};

/// The most signatures that are looked at: ours, and those of witnesses.
const SIGNATURES_MAX: usize = 32;

/// The longest checkpoint in bytes.
pub const CHECKPOINT_BYTES_MAX: u64 = 1 << 16;

/// What the device has signed of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why a checkpoint is not one of this device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not the form of a checkpoint.
    #[error("it is not a checkpoint")]
    Malformed,
    /// Of another log.
    #[error("it is of the log \"{0}\"")]
    Origin(String),
    /// Nobody has signed it, or not this text.
    #[error("the device has not signed it")]
    Unsigned,
}

impl Checkpoint {
    /// Signs it.
    pub fn sign(&self, key: &DeviceKey) -> String {
        let public = key.public();
        let text = self.text(&public);
        let mut signature = public.note_hash().to_be_bytes().to_vec();
        signature.extend_from_slice(&key.sign(text.as_bytes()));
        format!("{text}\n\u{2014} {} {}\n", public.name(), BASE64.encode(signature))
    }

    /// Reads a checkpoint and checks that the device has signed it. Other signatures are passed over.
    ///
    /// # Errors
    /// When it is not this device's.
    pub fn open(note: &[u8], key: &PublicKey) -> Result<Self, NoteError> {
        let note = std::str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let text = format!("{text}\n");
        let checkpoint = Self::parse(&text, key)?;
        let ours = |line: &str| {
            let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
            let bytes = BASE64.decode(encoded).ok()?;
            let (hash, signature) = bytes.split_at_checked(4)?;
            (name == key.name() && hash == key.note_hash().to_be_bytes())
                .then(|| key.verifies(text.as_bytes(), signature))
        };
        let mut verdicts = signatures.lines().take(SIGNATURES_MAX).filter_map(ours).peekable();
        let signed = verdicts.peek().is_some() && verdicts.all(|verdict| verdict);
        signed.then_some(checkpoint).ok_or(NoteError::Unsigned)
    }

    fn text(&self, key: &PublicKey) -> String {
        format!("{}\n{}\n{}\n", key.name(), self.size, BASE64.encode(self.root.0))
    }

    fn parse(text: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let mut lines = text.lines();
        let origin = lines.next().unwrap_or_default();
        let rest = || {
            let size = lines.next()?.parse().ok()?;
            let root = Digest::from_slice(&BASE64.decode(lines.next()?).ok()?)?;
            Some(Self { size, root })
        };
        let checkpoint = { rest }().ok_or(NoteError::Malformed)?;
        if origin != key.name() {
            return Err(NoteError::Origin(origin.chars().filter(|c| !c.is_control()).take(80).collect()));
        }
        // One text only for one checkpoint: no extension lines, no leading zeroes.
        (checkpoint.text(key) == text).then_some(checkpoint).ok_or(NoteError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_as_they_are_signed_and_no_others() {
        let key = DeviceKey::from_seed(&[1; 32]);
        let other = DeviceKey::from_seed(&[2; 32]);
        let checkpoint = Checkpoint { size: 20_852_163, root: Digest::of(b"tree") };
        let note = checkpoint.sign(&key);
        let origin = NoteError::Origin(other.public().name().to_owned());
        let witnessed = format!("{note}\u{2014} witness.example AAAAAAAA\n");
        let unsigned = note.split_once('\u{2014}').unwrap().0.to_owned();
        let cases = [
            ("as signed", note.clone(), Ok(checkpoint.clone())),
            ("a witness beside us", witnessed, Ok(checkpoint.clone())),
            ("another size", note.replace("20852163", "20852164"), Err(NoteError::Unsigned)),
            ("a size with a zero", note.replace("20852163", "020852163"), Err(NoteError::Malformed)),
            ("a line more", note.replacen("\n\n", "\nmore\n\n", 1), Err(NoteError::Malformed)),
            ("no signature", unsigned, Err(NoteError::Unsigned)),
            ("another device's", checkpoint.sign(&other), Err(origin)),
            ("nothing", String::new(), Err(NoteError::Malformed)),
            ("cut", note[..30].to_owned(), Err(NoteError::Malformed)),
        ];
        for (name, note, expected) in cases {
            assert_eq!(Checkpoint::open(note.as_bytes(), &key.public()), expected, "{name}");
        }
    }

    /// Origin, size and root; an empty line; a dash, the name and the signature.
    #[test]
    fn a_note_has_the_published_form() {
        let note = Checkpoint { size: 0, root: Digest::of(b"") }.sign(&DeviceKey::from_seed(&[3; 32]));
        let lines: Vec<&str> = note.split('\n').collect();
        assert_eq!(lines.len(), 6, "{note}");
        assert_eq!((lines[1], lines[2]), ("0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
        assert!(lines[3].is_empty() && lines[4].starts_with("— outis-") && lines[5].is_empty());
    }
}
