//! What is in a frame: boxes, classes and scores. Knows networks and how to run them; knows no time, track or count.
//!
//! Only networks and runtime libraries on the cards of `models/models.toml` are loaded. Their outputs are boxes and
//! scores: nothing that could describe a person.

pub mod card;
mod counted;
mod decoder;
mod detector;
mod engine;
mod focus;
mod free_size;
mod graph;
mod join;
mod nanodet;
mod nms;
mod pinned;
mod wire;
mod yolox;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use outis_measure::{Detection, Score};

use crate::Frame;
pub use crate::scale::{Area, Chroma, InputSize, Part, ScaleError, Sheet};
pub use detector::{Opened, load, open};
pub(crate) use detector::{engine, library, thread_time};
pub use engine::EngineError;
pub(crate) use engine::{Engine, Expected, Library, Output};
pub use pinned::FileHash;

/// Finds objects in frames.
pub trait Detect: Send {
    /// The objects in a frame, the strongest first, boxes in pixels of the displayed picture and within it. Nothing
    /// below [`Thresholds::score_min`]. What has been looked at is gone.
    fn detect(&mut self, frame: Frame) -> Result<Vec<Detection>, DetectError> {
        let floor = self.thresholds().score_min;
        self.detect_with_floor(frame, floor)
    }

    /// The same with another lowest score, for measurements.
    fn detect_with_floor(&mut self, frame: Frame, floor: Score) -> Result<Vec<Detection>, DetectError> {
        let whole = Area { left: 0, top: 0, width: frame.width_px(), height: frame.height_px() };
        let sheets: Vec<Sheet> = Sheet::of(whole, self.input_size()).into_iter().collect();
        self.look(frame, &sheets, floor)
    }

    /// The objects in the areas of a frame that the sheets show, one input a sheet. What two areas show is found once.
    fn look(&mut self, frame: Frame, sheets: &[Sheet], floor: Score) -> Result<Vec<Detection>, DetectError>;

    /// The sizes at which the network runs.
    fn input_size(&self) -> InputSize;

    /// The scores that suit this network.
    fn thresholds(&self) -> Thresholds;

    /// How many objects were left out since the last call because a frame had too many.
    fn take_overflow(&mut self) -> u32;

    /// Where the time went so far.
    fn spent(&self) -> Spent;
}

/// The scores at which a network's boxes mean something; from its card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// A weaker box is none.
    pub score_min: Score,
    /// A track may start from a box this strong.
    pub score_new: Score,
    /// The same for who is shown at the size at which the network finds people best; at most `score_new`.
    pub score_new_close: Score,
}

/// Time spent in each stage, warm-up not included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Frames looked at.
    pub looks: u64,
    /// Inputs that the network was run on.
    pub inputs: u64,
    /// Pixels of these inputs.
    pub pixels: u64,
    /// Processor time from planes to network inputs.
    pub scaling: Duration,
    /// Processor time of the network.
    pub network: Duration,
    /// Processor time from outputs to detections.
    pub reading: Duration,
}

/// Which network to load, and how to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorChoice {
    /// Name on a card.
    pub model: String,
    /// Its file.
    pub model_file: PathBuf,
    /// What runs it.
    pub runtime: Runtime,
}

/// What runs a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// The library ONNX Runtime from this file.
    OnnxRuntime(PathBuf),
    /// The runtime that is part of the program: needs no library, takes two to four times as long.
    Rten,
}

/// Why a detector cannot be loaded, and what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LoadError {
    #[error("there is no model `{name}`; known models: {known}")]
    UnknownModel { name: String, known: String },
    #[error("cannot read {}: {source}; if it is missing, run `models/fetch`", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    #[error("{} cannot be loaded: {source}; its folder must not be mounted `noexec`", path.display())]
    Library { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "a model runtime that is not Outis's own was put into this program before it began (LD_PRELOAD, /etc/ld.so.preload \
         or the loader's --preload): it is refused; start outis without it"
    )]
    ForeignRuntime,
    #[error("model `{model}`: {source}")]
    Engine { model: String, source: EngineError },
}

/// A file with another hash than its card's.
#[derive(Debug, thiserror::Error)]
#[error("{} is refused: it is {what}; its sha256 is {found}, the card says {expected}; {advice}", path.display())]
#[expect(missing_docs, reason = "the message says it")]
pub struct Refusal {
    pub path: PathBuf,
    pub what: String,
    pub found: FileHash,
    pub expected: String,
    pub advice: String,
}

/// Why a frame could not be looked at. Says nothing about what it shows.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum DetectError {
    #[error(transparent)]
    Scale(#[from] ScaleError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}
