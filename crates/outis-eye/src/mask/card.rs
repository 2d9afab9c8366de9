//! Cards of the networks that tell who wears a mask: what they are fed, and every output they have. Runs nothing.
//!
//! What an output holds is stated and limited: scores, boxes, probabilities. Nothing that describes a face fits in
//! so few channels, and a network that has other outputs than its card states is not loaded.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::detect::card::{Cards, Recipe, read_known};
use crate::detect::{EngineError, Expected, FileHash, LoadError};
use crate::scale::{ChannelOrder, InputSize, Normalisation};

/// A network for masks that may be loaded, and how to use it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct MaskCard {
    pub name: String,
    pub file: PathBuf,
    pub sha256: FileHash,
    pub size_bytes: u64,
    pub licence: String,
    pub provenance: String,
    pub find: String,
    pub bring: Option<String>,
    pub decoding: Decoding,
    pub input_name: String,
    pub input_width: usize,
    pub input_height: usize,
    pub input_step: Option<usize>,
    pub outputs: Vec<OutputCard>,
    pub channels: ChannelOrder,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub pad: f32,
    pub nms_iou: Option<f32>,
    pub scale: Option<f32>,
    pub score_min: Option<f32>,
    pub side_min_px: Option<f32>,
    pub grown: Option<f32>,
    pub with_min: Option<f32>,
    pub without_max: Option<f32>,
    pub origin: String,
    pub measured: String,
    pub recipe: Option<Recipe>,
}

/// What a network's outputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decoding {
    /// Faces, as a map of their centres.
    Centerface,
    /// Whether one face wears a mask.
    MaskClasses,
    /// Faces and whether they wear a mask, as a table.
    Rfb,
}

/// One output of a network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "models.toml explains its keys")]
pub struct OutputCard {
    pub name: String,
    pub holds: Holds,
    pub dims: Vec<Side>,
}

/// What an output holds for each place it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// How sure it is.
    Score,
    /// Where something is.
    Box,
    /// How likely each class is.
    Probability,
}

impl Holds {
    /// The most values it has for one place: a box has four sides, and there are nothing, bare and masked faces.
    pub const fn values_max(self) -> usize {
        match self {
            Self::Score => 1,
            Self::Box => 4,
            Self::Probability => 3,
        }
    }
}

/// One dimension of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SideText")]
pub enum Side {
    /// Always the same.
    Fixed(usize),
    /// The input's height through a number.
    HeightOver(usize),
    /// The input's width through a number.
    WidthOver(usize),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SideText {
    Number(usize),
    Share(String),
}

impl TryFrom<SideText> for Side {
    type Error = String;

    fn try_from(side: SideText) -> Result<Self, String> {
        let text = match side {
            SideText::Number(number) => return Ok(Self::Fixed(number)),
            SideText::Share(text) => text,
        };
        let over = |name: &str| text.strip_prefix(name)?.strip_prefix('/')?.parse().ok().filter(|n| *n > 0);
        let share = over("height").map(Self::HeightOver).or_else(|| over("width").map(Self::WidthOver));
        share.ok_or_else(|| format!("`{text}` is no dimension; it is a number, or such as `height/4`"))
    }
}

impl MaskCard {
    /// The card of a network.
    pub(super) fn of(name: &str) -> Result<&'static Self, LoadError> {
        let cards = &Cards::known().mask_models;
        cards.iter().find(|card| card.name == name).ok_or_else(|| LoadError::UnknownModel {
            name: name.to_owned(),
            known: cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The bytes of this network's file. They were read once, and these very bytes have the card's hash.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        read_known(&self.name, self.sha256, &self.find, path)
    }

    /// The sizes at which the network runs.
    pub(super) fn input_size(&self) -> InputSize {
        let (width_px, height_px) = (self.input_width, self.input_height);
        match self.input_step {
            Some(step_px) => InputSize::UpTo { width_px, height_px, step_px },
            None => InputSize::Fixed { width_px, height_px },
        }
    }

    /// What the network expects of a colour.
    pub(super) fn normalisation(&self) -> Normalisation {
        Normalisation { order: self.channels, mean: self.mean, std: self.std, pad: self.pad }
    }

    /// The outputs for an input of this width and height: these, and no other, are read.
    pub(super) fn expected(&self, (width, height): (usize, usize)) -> Vec<Expected> {
        let side = |side: &Side| match *side {
            Side::Fixed(number) => number,
            Side::HeightOver(number) => height / number,
            Side::WidthOver(number) => width / number,
        };
        let dims = |output: &OutputCard| output.dims.iter().map(side).collect();
        self.outputs.iter().map(|output| Expected { name: output.name.clone(), dims: dims(output) }).collect()
    }

    /// A number that this kind of network must have on its card.
    pub(super) fn number(&self, what: &'static str, value: Option<f32>) -> Result<f32, EngineError> {
        value.ok_or_else(|| EngineError::Shape {
            what: "card".to_owned(),
            expected: what.to_owned(),
            found: "nothing".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards() -> &'static [MaskCard] {
        &Cards::known().mask_models
    }

    #[test]
    fn every_card_is_whole() {
        assert_eq!(cards().len(), 3);
        for card in cards() {
            let name = &card.name;
            assert!(card.std.iter().all(|std| *std > 0.0), "{name}");
            assert!(
                card.input_step.is_none_or(|step| card.input_width % step + card.input_height % step == 0)
            );
            assert_ne!(card.recipe.is_some(), card.bring.is_some(), "{name}: made or brought");
            let (finds, judges) = match card.decoding {
                Decoding::Centerface => (true, false),
                Decoding::MaskClasses => (false, true),
                Decoding::Rfb => (true, true),
            };
            assert_eq!(card.score_min.is_some_and(|min| (0.1..1.0).contains(&min)), finds, "{name}");
            assert_eq!(card.side_min_px.is_some_and(|px| px >= 8.0), finds, "{name}");
            assert_eq!(card.scale.is_some() && card.nms_iou.is_some(), finds, "{name}");
            let split = card.without_max.zip(card.with_min);
            assert_eq!(split.is_some_and(|(a, b)| 0.0 < a && a <= b && b < 1.0), judges, "{name}");
        }
    }

    /// The rule that keeps embeddings out: for each place an output has no more values than a box, and one that speaks
    /// of a whole input has no more than there are classes.
    #[test]
    fn no_card_has_room_for_an_embedding() {
        for card in cards() {
            for OutputCard { name, holds, dims } in &card.outputs {
                assert!(dims.len() >= 2 && dims[0] == Side::Fixed(1), "{}, {name}: one input", card.name);
                // A map has its channels second, a table its columns last.
                let map = dims.iter().any(|side| !matches!(side, Side::Fixed(_)));
                let values = if map { dims[1] } else { dims[dims.len() - 1] };
                let Side::Fixed(values) = values else { panic!("{}, {name}: {dims:?}", card.name) };
                assert!(values <= holds.values_max(), "{}, {name}: {values} values", card.name);
                let places = if map { &dims[2..] } else { &dims[1..dims.len() - 1] };
                assert!(places.len() <= 2, "{}, {name}", card.name);
            }
        }
    }

    #[test]
    fn dimensions_are_numbers_or_shares() {
        #[derive(Debug, Deserialize)]
        struct Dims {
            dims: Vec<Side>,
        }
        let read = |text: &str| toml::from_str::<Dims>(&format!("dims = [{text}]")).map(|read| read.dims);
        let four = [Side::Fixed(1), Side::HeightOver(4), Side::WidthOver(4)];
        assert_eq!(read("1, \"height/4\", \"width/4\"").unwrap(), four);
        for bad in ["\"depth/4\"", "\"height/0\"", "\"height\"", "-1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let card = MaskCard::of("centerface").unwrap();
        assert_eq!(card.expected((160, 96))[1].dims, [1, 2, 24, 40]);
        assert!(MaskCard::of("facenet").unwrap_err().to_string().contains("centerface"));
    }
}
