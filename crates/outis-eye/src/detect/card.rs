//! Model cards: which network and runtime files may be loaded, and how a network is fed and read.
//! Says nothing about where files lie, and runs nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use outis_record::Class;
use serde::Deserialize;

use super::pinned::{FileHash, read_whole};
use super::{LoadError, Refusal};
use crate::mask::MaskCard;
use crate::scale::{ChannelOrder, InputSize, Normalisation};

/// A network file larger than this is none that we know.
const MODEL_BYTES_MAX: u64 = 64 << 20;
/// A runtime library larger than this is none that we know.
const RUNTIME_BYTES_MAX: u64 = 256 << 20;

static CARDS: LazyLock<Cards> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../../models/models.toml"))
        .expect("models.toml is part of the program; a test reads it")
});

/// Everything that may be loaded: `models/models.toml`, compiled in. That file explains its keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cards {
    /// Why other releases of the runtime are refused.
    pub runtime_refusal: String,
    /// Runtime libraries, one a processor architecture.
    #[serde(rename = "runtime")]
    pub runtimes: Vec<RuntimeCard>,
    /// Networks.
    #[serde(rename = "model")]
    pub models: Vec<ModelCard>,
    /// Networks that tell who wears a mask.
    #[serde(rename = "mask_model")]
    pub mask_models: Vec<MaskCard>,
}

/// A runtime library that may be loaded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct RuntimeCard {
    pub name: String,
    pub version: String,
    pub arch: String,
    pub file: PathBuf,
    pub sha256: FileHash,
    pub size_bytes: u64,
    pub licence: String,
    pub package: String,
    pub platform: String,
    pub member: PathBuf,
}

/// A network that may be loaded, and how to use it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct ModelCard {
    pub name: String,
    pub file: PathBuf,
    pub sha256: FileHash,
    pub size_bytes: u64,
    pub licence: String,
    pub provenance: String,
    pub find: String,
    pub decoding: Decoding,
    pub input_name: String,
    pub input_width: usize,
    pub input_height: usize,
    pub resizable: bool,
    pub strides: Vec<usize>,
    pub channels: ChannelOrder,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub letterbox: Placement,
    pub pad: f32,
    pub nms_iou: f32,
    pub nms_together: Vec<ClassName>,
    pub score_min: f32,
    pub score_new: f32,
    pub score_new_close: Option<f32>,
    pub score_origin: String,
    pub class_count: usize,
    pub classes: BTreeMap<ClassName, usize>,
    pub measured: String,
    pub bring: Option<String>,
    pub repository: Option<Repository>,
    pub recipe: Option<Recipe>,
}

/// How outputs become boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decoding {
    /// Distances to four sides as distributions.
    NanoDet,
    /// Offsets and logarithms of sizes.
    Yolox,
}

/// Where the scaled picture sits in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// In the upper left corner.
    TopLeft,
}

/// How `models/fetch` makes a network's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct Recipe {
    pub package: String,
    pub converter: PathBuf,
    pub requirements: Option<PathBuf>,
    pub sources: Vec<Source>,
}

/// Where a network's file is published as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct Repository {
    pub address: String,
    pub commit: String,
    pub path: PathBuf,
}

/// A member of a package that is unpacked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct Source {
    pub member: PathBuf,
    pub sha256: FileHash,
}

/// A class, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ClassName(pub Class);

impl TryFrom<String> for ClassName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Class::from_name(&name).map(Self).ok_or_else(|| format!("`{name}` is not a class that is counted"))
    }
}

impl Cards {
    /// The cards this program was built with.
    pub fn known() -> &'static Self {
        &CARDS
    }

    /// The card of a network.
    pub fn model(&self, name: &str) -> Result<&ModelCard, LoadError> {
        self.models.iter().find(|card| card.name == name).ok_or_else(|| LoadError::UnknownModel {
            name: name.to_owned(),
            known: self.models.iter().map(|card| card.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Opens a runtime library whose hash is on the card of this processor. Load it through the file returned, not
    /// by its path: a file put in its place afterwards was never looked at.
    pub(crate) fn open_runtime(&self, path: &Path) -> Result<File, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let arch = std::env::consts::ARCH;
        let cards = || self.runtimes.iter().filter(|card| card.arch == arch);
        let mut file = File::open(path).map_err(unreadable)?;
        let found = FileHash::of_file(&mut file, RUNTIME_BYTES_MAX).map_err(unreadable)?;
        if cards().any(|card| card.sha256 == found) {
            return Ok(file);
        }
        let expected = cards().map(|card| card.sha256.to_string()).collect::<Vec<_>>().join(" or ");
        let refusal = Refusal {
            path: path.to_owned(),
            what: version_text(&mut file).unwrap_or_else(|| "no runtime that is known here".to_owned()),
            found,
            expected: if expected.is_empty() { format!("nothing for {arch}") } else { expected },
            advice: format!(
                "{}. Run `models/fetch runtime`, or use the built-in runtime `rten`",
                self.runtime_refusal
            ),
        };
        Err(Box::new(refusal).into())
    }
}

/// The bytes of a network's file, if they have the hash on its card. They were read once.
pub(crate) fn read_known(
    name: &str,
    sha256: FileHash,
    find: &str,
    path: &Path,
) -> Result<Vec<u8>, LoadError> {
    let bytes = read_whole(path, MODEL_BYTES_MAX)
        .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    let found = FileHash::of(&bytes);
    if found != sha256 {
        let refusal = Refusal {
            path: path.to_owned(),
            what: format!("not the known file of model `{name}`"),
            found,
            expected: sha256.to_string(),
            advice: find.to_owned(),
        };
        return Err(Box::new(refusal).into());
    }
    Ok(bytes)
}

impl ModelCard {
    /// The bytes of this network's file. They were read once, and these very bytes have the card's hash.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        read_known(&self.name, self.sha256, &self.find, path)
    }

    /// The sizes at which the network runs.
    pub(crate) fn input_size(&self) -> InputSize {
        let (width_px, height_px) = (self.input_width, self.input_height);
        match self.strides.iter().max() {
            Some(&step_px) if self.resizable => InputSize::UpTo { width_px, height_px, step_px },
            _ => InputSize::Fixed { width_px, height_px },
        }
    }

    /// What the network expects of a colour.
    pub(crate) fn normalisation(&self) -> Normalisation {
        Normalisation { order: self.channels, mean: self.mean, std: self.std, pad: self.pad }
    }

    /// The classes with their index in the outputs, those together that suppress each other.
    pub(crate) fn groups(&self) -> Vec<Vec<(Class, usize)>> {
        let (together, alone): (Vec<_>, Vec<_>) =
            self.classes.iter().partition(|(class, _)| self.nms_together.contains(class));
        let named = |(class, index): (&ClassName, &usize)| (class.0, *index);
        let mut groups: Vec<Vec<_>> = alone.into_iter().map(|class| vec![named(class)]).collect();
        groups.push(together.into_iter().map(named).collect());
        groups.retain(|group| !group.is_empty());
        groups
    }
}

/// `1.32.0` out of the symbol version `VERS_1.32.0` which every release of ONNX Runtime carries.
fn version_text(file: &mut File) -> Option<String> {
    const MARK: &[u8] = b"VERS_";
    let mut bytes = Vec::new();
    file.take(RUNTIME_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let versions = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    versions
        .map(|(at, _)| {
            let digits = bytes[at + MARK.len()..].iter().take(16);
            digits
                .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
                .map(|byte| char::from(*byte))
                .collect()
        })
        .find(|version: &String| version.contains('.'))
        .map(|version| format!("ONNX Runtime {version}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_card_is_whole() {
        let cards = Cards::known();
        for card in &cards.models {
            let name = &card.name;
            let coarsest = card.strides.iter().max().expect(name);
            assert!(card.strides.is_sorted(), "{name}: strides come finest first");
            assert_eq!((card.input_width % coarsest, card.input_height % coarsest), (0, 0), "{name}");
            assert!(card.size_bytes <= MODEL_BYTES_MAX, "{name}");
            assert!(card.classes.values().all(|index| *index < card.class_count), "{name}");
            assert!(card.classes.contains_key(&ClassName(Class::Person)), "{name}");
            assert!(card.nms_together.iter().all(|class| card.classes.contains_key(class)), "{name}");
            assert!(card.std.iter().all(|std| *std > 0.0), "{name}");
            assert!(
                0.0 < card.score_min && card.score_min <= card.score_new && card.score_new < 1.0,
                "{name}"
            );
            let close = card.score_new_close.unwrap_or(card.score_new);
            assert!((card.score_min..=card.score_new).contains(&close), "{name}");
            assert_eq!(card.groups().concat().len(), card.classes.len(), "{name}");
        }
        assert!(
            cards
                .runtimes
                .iter()
                .all(|card| card.version == "1.23.2" && card.size_bytes <= RUNTIME_BYTES_MAX)
        );
    }

    #[test]
    fn vehicles_are_one_group() {
        let groups = Cards::known().model("nanodet-g").expect("the default").groups();
        let person = vec![(Class::Person, 0)];
        let vehicles = vec![(Class::Car, 2), (Class::Bus, 5), (Class::Truck, 7)];
        assert!(groups.contains(&person) && groups.contains(&vehicles), "{groups:?}");
    }

    #[test]
    fn unknown_names_and_bytes_are_refused_with_what_to_do() {
        let cards = Cards::known();
        let name = cards.model("yolov8").expect_err("not ours").to_string();
        assert!(name.contains("yolov8") && name.contains("nanodet-g"), "{name}");

        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(b"weights of somebody else").expect("a few bytes");
        let card = cards.model("nanodet-g").expect("the default");
        let refusal = card.read(file.path()).expect_err("another hash").to_string();
        let found = FileHash::of(b"weights of somebody else").to_string();
        for part in [found, card.sha256.to_string(), card.find.clone()] {
            assert!(refusal.contains(&part), "{refusal}");
        }
    }

    #[test]
    fn another_runtime_is_refused_by_name() {
        let cases = [
            ("1.32", b"\x7fELF....\0VERS_1.32.0\0...".as_slice(), "ONNX Runtime 1.32.0"),
            ("the right version, other bytes", b"\x7fELF\0VERS_1.23.2\0", "ONNX Runtime 1.23.2"),
            ("no version", b"\x7fELF\0VERS_\0VERS_x\0", "no runtime that is known"),
            ("a version at the very end", b"VERS_1.9", "ONNX Runtime 1.9"),
        ];
        for (name, bytes, version) in cases {
            let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
            file.write_all(bytes).expect("a few bytes");
            let refusal = Cards::known().open_runtime(file.path()).expect_err(name).to_string();
            for part in [version, "telemetry", &FileHash::of(bytes).to_string(), "rten"] {
                assert!(refusal.contains(part), "{name}: {refusal}");
            }
        }
    }
}
