//! What the log can say: a closed list of entries, each a CBOR array in deterministic encoding.
//!
//! An entry is hashes, names of files and cameras, numbers of windows and times of the device's clock. There is
//! none that could hold a count.

use std::fmt;

use ciborium::Value;

use crate::{Digest, cbor};

/// The longest entry in bytes: what the length before it can say.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// The longest name of a part or a camera in bytes.
const NAME_BYTES_MAX: usize = 512;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The device's clock, in seconds from the Unix epoch.
    pub at_s: i64,
    /// What it says.
    pub what: What,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The door began to work, with this configuration, these programs and models. What follows was made with them.
    Start {
        /// Counts the runs of the door from 0.
        run: u64,
        /// Everything that has a say in what is counted.
        parts: Vec<Part>,
    },
    /// A window was signed.
    Window {
        /// Its number.
        sequence: u64,
        /// The digest of its envelope.
        envelope: Digest,
    },
    /// All windows logged on a day are known.
    Day {
        /// The day in days from the Unix epoch, UTC.
        day: i64,
        /// How many windows it has.
        windows: u64,
        /// The root of the tree over the digests of their envelopes.
        root: Digest,
    },
    /// Nothing was looked at because a passer-by asked for it.
    Paused {
        /// The camera's name.
        camera: String,
        /// For how long.
        seconds: u64,
    },
    /// Signed windows were removed to make room.
    Dropped {
        /// The first of them.
        first: u64,
        /// How many.
        windows: u64,
    },
    /// Windows could be written nowhere, and are gone. They never had a number.
    Lost {
        /// How many.
        windows: u64,
    },
    /// The device's clock was set. The entry's own time is the new one.
    Clock {
        /// What it would have said.
        before_s: i64,
    },
    /// The door ended in order.
    Stop {
        /// Its run.
        run: u64,
    },
    /// Somebody who draws lines was shown a picture of the street with nobody in it.
    Still {
        /// What the camera is called there.
        camera: String,
        /// Of how many moments it was made.
        moments: u64,
    },
}

/// Something that has a say in what is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Of which kind.
    pub kind: PartKind,
    /// What it is called.
    pub name: String,
    /// Its bytes' digest.
    pub digest: Digest,
}

/// Kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// The configuration file.
    Configuration,
    /// A program of this project.
    Program,
    /// The weights of a detector.
    Model,
    /// The library that computes a model.
    Runtime,
    /// The text of the sign beside the camera.
    SignText,
    /// The file of a calibrated camera, by which pixels become metres.
    Calibration,
}

impl PartKind {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Configuration, Self::Program, Self::Model, Self::Runtime, Self::SignText, Self::Calibration];

    fn number(self) -> u64 {
        self as u64
    }
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "configuration",
            Self::Program => "program",
            Self::Model => "model",
            Self::Runtime => "runtime",
            Self::SignText => "sign text",
            Self::Calibration => "calibration",
        })
    }
}

/// Bytes that are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no entry of a log of this version")]
pub struct EntryError;

impl Entry {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let digest = |digest: &Digest| Value::Bytes(digest.0.to_vec());
        let (kind, rest): (u64, Vec<Value>) = match &self.what {
            What::Start { run, parts } => {
                let part = |part: &Part| {
                    let fields =
                        vec![part.kind.number().into(), Value::Text(part.name.clone()), digest(&part.digest)];
                    Value::Array(fields)
                };
                (0, vec![(*run).into(), Value::Array(parts.iter().map(part).collect())])
            }
            What::Window { sequence, envelope } => (1, vec![(*sequence).into(), digest(envelope)]),
            What::Day { day, windows, root } => (2, vec![(*day).into(), (*windows).into(), digest(root)]),
            What::Paused { camera, seconds } => (3, vec![Value::Text(camera.clone()), (*seconds).into()]),
            What::Dropped { first, windows } => (4, vec![(*first).into(), (*windows).into()]),
            What::Lost { windows } => (5, vec![(*windows).into()]),
            What::Clock { before_s } => (6, vec![(*before_s).into()]),
            What::Stop { run } => (7, vec![(*run).into()]),
            What::Still { camera, moments } => (8, vec![Value::Text(camera.clone()), (*moments).into()]),
        };
        let head = [kind.into(), self.at_s.into()];
        cbor::encode(Value::Array(head.into_iter().chain(rest).collect()))
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When the bytes are not exactly those of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let value = cbor::decode(bytes).map_err(|_| EntryError)?;
        let Value::Array(values) = value else { return Err(EntryError) };
        let mut fields = Fields(values.into_iter());
        let entry = Self::read(&mut fields).ok_or(EntryError)?;
        if fields.0.next().is_some() { Err(EntryError) } else { Ok(entry) }
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let kind = fields.count()?;
        let at_s = fields.time()?;
        let what = match kind {
            0 => What::Start { run: fields.count()?, parts: fields.parts()? },
            1 => What::Window { sequence: fields.count()?, envelope: fields.digest()? },
            2 => What::Day { day: fields.time()?, windows: fields.count()?, root: fields.digest()? },
            3 => What::Paused { camera: fields.name()?, seconds: fields.count()? },
            4 => What::Dropped { first: fields.count()?, windows: fields.count()? },
            5 => What::Lost { windows: fields.count()? },
            6 => What::Clock { before_s: fields.time()? },
            7 => What::Stop { run: fields.count()? },
            8 => What::Still { camera: fields.name()?, moments: fields.count()? },
            _ => return None,
        };
        Some(Self { at_s, what })
    }
}

impl What {
    /// The configuration of a start.
    pub fn configuration(&self) -> Option<Digest> {
        let Self::Start { parts, .. } = self else { return None };
        let part = parts.iter().find(|part| part.kind == PartKind::Configuration);
        part.map(|part| part.digest)
    }
}

/// The fields of an entry that are still to be read.
struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    fn count(&mut self) -> Option<u64> {
        self.0.next()?.as_integer()?.try_into().ok()
    }

    fn time(&mut self) -> Option<i64> {
        self.0.next()?.as_integer()?.try_into().ok()
    }

    fn digest(&mut self) -> Option<Digest> {
        Digest::from_slice(self.0.next()?.as_bytes()?)
    }

    fn name(&mut self) -> Option<String> {
        self.0.next()?.into_text().ok().filter(|name| name.len() <= NAME_BYTES_MAX)
    }

    fn parts(&mut self) -> Option<Vec<Part>> {
        let parts = self.0.next()?.into_array().ok()?;
        let part = |value: Value| {
            let mut fields = Self(value.into_array().ok()?.into_iter());
            let kind = *PartKind::ALL.get(usize::try_from(fields.count()?).ok()?)?;
            let part = Part { kind, name: fields.name()?, digest: fields.digest()? };
            fields.0.next().is_none().then_some(part)
        };
        parts.into_iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn examples() -> Vec<(What, &'static str)> {
        let digest = Digest([0x11; 32]);
        let part = Part { kind: PartKind::Model, name: "n".into(), digest };
        let hash = "5820".to_owned() + &"11".repeat(32);
        let hex = |text: String| -> &'static str { text.leak() };
        vec![
            (What::Start { run: 1, parts: vec![part] }, hex(format!("84001864018183 02 616e {hash}"))),
            (What::Window { sequence: 300, envelope: digest }, hex(format!("84 01 1864 19012c {hash}"))),
            (
                What::Day { day: 20_000, windows: 96, root: digest },
                hex(format!("85 02 1864 194e20 1860 {hash}")),
            ),
            (What::Paused { camera: "gate".into(), seconds: 90 }, "84 03 1864 6467617465 185a"),
            (What::Dropped { first: 0, windows: 64 }, "84 04 1864 00 1840"),
            (What::Lost { windows: 3 }, "83 05 1864 03"),
            (What::Clock { before_s: -1 }, "83 06 1864 20"),
            (What::Stop { run: 1 }, "83 07 1864 01"),
            (What::Still { camera: "gate".into(), moments: 31 }, "84 08 1864 6467617465 181f"),
        ]
    }

    #[test]
    fn wire_table() {
        for (what, hex) in examples() {
            let entry = Entry { at_s: 100, what };
            let encoded: String = entry.encode().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(encoded, hex.replace(' ', ""), "{entry:?}");
            assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }
    }

    #[test]
    fn others_are_refused() {
        let cases: [(&str, &[u8]); 6] = [
            ("nothing", &[]),
            ("a kind that does not exist", &[0x83, 9, 0, 0]),
            ("a field more", &[0x84, 7, 0, 1, 1]),
            ("a field less", &[0x82, 7, 0]),
            ("a negative count", &[0x83, 7, 0, 0x20]),
            ("a number in two bytes", &[0x83, 7, 0, 0x18, 1]),
        ];
        for (name, bytes) in cases {
            assert_eq!(Entry::decode(bytes), Err(EntryError), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_only_canonical_ones_are_taken(
            bytes in prop::collection::vec(any::<u8>(), 0..64), example in 0..9usize, at: prop::sample::Index, by: u8
        ) {
            let mut near = Entry { at_s: 100, what: examples()[example].0.clone() }.encode();
            let at = at.index(near.len());
            near[at] ^= by;
            for bytes in [bytes, near] {
                if let Ok(entry) = Entry::decode(&bytes) {
                    prop_assert_eq!(entry.encode(), bytes);
                }
            }
        }
    }
}
