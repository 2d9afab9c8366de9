//! Boxes of a whole video: decoded and detected as the product does it, then kept as numbers for measuring.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use outis_eye::decode::{Event, Frames as DecodedFrames, StartError, Unreadable};
use outis_eye::detect::card::Cards;
use outis_eye::detect::{Detect, DetectError, DetectorChoice, InputSize, LoadError, Runtime, load};
use outis_eye::mask::{self, Face, MaskBudget, MaskChoice, Masks};
use outis_eye::plan::{Planner, Way};
use outis_measure::{Detection, ImageBox, Line, MediaTime, Score};

use crate::masks::Point;
use crate::mot::{FRAME_MAX, Frames};
use crate::{cache, cpu};

/// Pictures of a folder are files with these endings, in any case.
const PICTURE_ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// A frame may be off its look's time by this share of the way from look to look: containers round.
const NEAR_SHARE: f64 = 0.1;

/// Everything a detector found in a video.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// When each frame was shown; index 0 is frame 1.
    pub times: Vec<MediaTime>,
    /// The boxes of each frame that was looked at, by the frame's number from 1; in the still view of a camera that sways.
    pub looks: BTreeMap<u32, Vec<Detection>>,
    /// How far the view has swayed in each of them, to the right and down in pixels.
    pub sway_px: BTreeMap<u32, (f32, f32)>,
    /// Processor time for demultiplexing, decoding and detecting, start-up not included.
    pub cpu: Duration,
    /// Width and height of the newest frame that was looked at, in pixels.
    pub picture_px: Option<(u32, u32)>,
    /// Packets and frames that were damaged.
    pub faults: u32,
    /// Share of the picture that was known at each look, summed up.
    pub observed: f64,
}

impl Watched {
    /// Frames in a second, on average.
    pub fn fps(&self) -> f64 {
        match self.times.as_slice() {
            [first, .., last] if last > first => {
                (self.times.len() - 1) as f64 / f64::from(last.seconds_since(*first))
            }
            _ => 25.0,
        }
    }

    /// A box of the still view, where it is in a frame.
    pub fn in_frame(&self, frame: u32, bbox: &ImageBox) -> ImageBox {
        let (right, down) = self.sway_px.get(&frame).copied().unwrap_or_default();
        ImageBox { left: bbox.left + right, top: bbox.top + down, ..*bbox }
    }

    /// The looks in order, with their times.
    pub fn timed_looks(&self) -> impl Iterator<Item = (MediaTime, &[Detection])> {
        self.looks.iter().map(|(&frame, found)| (self.times[frame as usize - 1], found.as_slice()))
    }

    /// Boxes frame by frame, where they are in it; those that were not looked at are empty.
    pub fn frames(&self) -> Frames<Detection> {
        let numbers = 1..=u32::try_from(self.times.len()).unwrap_or(FRAME_MAX);
        let in_frame = |frame| {
            let found = self.looks.get(&frame).into_iter().flatten();
            found.map(|d| Detection { bbox: self.in_frame(frame, &d.bbox), ..*d }).collect()
        };
        numbers.map(in_frame).collect()
    }
}

/// Why a video could not be watched.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum WatchError {
    #[error(transparent)]
    Load(Box<LoadError>),
    #[error("cannot start {}: {source}; build it with `cargo build --release -p outis-intake`", path.display())]
    Intake { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("{} holds no pictures; files ending in {} are looked for", path.display(), PICTURE_ENDINGS.join(", "))]
    NoPictures { path: PathBuf },
    #[error("{}: {message}", path.display())]
    Source { path: PathBuf, message: String },
    #[error("{}: {source}", path.display())]
    Start { path: PathBuf, source: StartError },
    #[error("{}: nothing in it can be decoded", path.display())]
    NothingDecoded { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Develop { path: PathBuf, source: Unreadable },
    #[error("{}: {source}", path.display())]
    Detect { path: PathBuf, source: DetectError },
    #[error("{} has more than {FRAME_MAX} frames", path.display())]
    TooLong { path: PathBuf },
}

impl From<LoadError> for WatchError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

/// Looks at videos with one detector.
#[expect(missing_debug_implementations, reason = "a detector has nothing to say")]
pub struct Watcher {
    detector: Box<dyn Detect>,
    intake: PathBuf,
    /// A detection below is left out.
    pub floor: Score,
    /// How it looks. Pictures of a folder are looked at by themselves: the planner has nothing to go by there.
    pub way: Way,
    /// Shows the network inputs up to this size instead of its card's.
    pub input: Option<InputSize>,
    /// Lines that the planner knows.
    pub lines: Vec<Line>,
    /// Decodes no more than so many looks a second need, as the product does; without, every frame is.
    pub looks_per_s: Option<f64>,
}

impl Watcher {
    /// Loads a model of the cards from the cache folder, with ONNX Runtime when it is there, else with `rten`.
    ///
    /// # Errors
    /// When the model is unknown, absent or not the file that is on its card.
    pub fn new(model: &str) -> Result<Self, WatchError> {
        let cards = Cards::known();
        let card = cards.model(model)?;
        let cache = cache::folder();
        let choice = DetectorChoice {
            model: model.to_owned(),
            model_file: cache.join("models").join(&card.file),
            runtime: runtime(),
        };
        let detector = load(&choice)?;
        let floor = detector.thresholds().score_min;
        Ok(Self {
            detector,
            intake: intake_path(),
            floor,
            way: Way::Whole,
            input: None,
            lines: Vec::new(),
            looks_per_s: None,
        })
    }

    /// The detector.
    pub fn detector(&self) -> &dyn Detect {
        &*self.detector
    }

    /// Looks at frames 1, 1 + `every`, … of a video, or of the pictures of a folder in the byte order of their names.
    ///
    /// # Errors
    /// When the video or a picture cannot be opened or decoded. Damage on the way is counted, not an error.
    pub fn watch(&mut self, path: &Path, every: u32) -> Result<Watched, WatchError> {
        let before = cpu::spent();
        let mut watched = Watched::default();
        if path.is_dir() {
            if let Way::Planned(_) = self.way {
                self.way = Way::Still;
            }
            for picture in pictures(path)? {
                let frames = watched.times.len();
                self.watch_source(&picture, every, &mut watched)?;
                // An animation or a picture with a preview counts as one frame.
                watched.times.truncate(frames + 1);
                watched.looks.split_off(&number(frames + 2));
            }
        } else {
            self.watch_source(path, every, &mut watched)?;
        }
        watched.cpu = cpu::spent().saturating_sub(before);
        Ok(watched)
    }

    fn watch_source(&mut self, path: &Path, every: u32, watched: &mut Watched) -> Result<(), WatchError> {
        let mut child = Command::new(&self.intake)
            .arg(path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| WatchError::Intake { path: self.intake.clone(), source })?;
        let watching = self.watch_packets(path, &mut child, every, watched);
        // Its pipe is closed by now, so it ends by itself.
        let ended = child.wait_with_output();
        if let (Err(_), Ok(output)) = (&watching, ended)
            && !output.status.success()
            && !output.stderr.is_empty()
        {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(WatchError::Source { path: path.to_owned(), message });
        }
        watching
    }

    fn watch_packets(
        &mut self,
        path: &Path,
        child: &mut Child,
        every: u32,
        watched: &mut Watched,
    ) -> Result<(), WatchError> {
        let path = || path.to_owned();
        let packets = child.stdout.take().expect("the pipe was asked for");
        let mut decoded =
            DecodedFrames::new(packets).map_err(|source| WatchError::Start { path: path(), source })?;
        let mut planner = Planner::new(self.way, self.lines.clone(), Vec::new());
        if let Some(input) = self.input {
            planner.set_input(input);
        }
        let first = watched.times.len();
        let looks_per_s = self.looks_per_s;
        let is_wanted = |at: MediaTime| {
            let looks = |looks_per_s| at.as_micros() as f64 / 1e6 * looks_per_s;
            looks_per_s.map(looks).is_none_or(|looks| (looks - looks.round()).abs() < NEAR_SHARE)
        };
        while let Some(event) = decoded.next_wanted(is_wanted) {
            let picture = match event {
                Event::Picture(picture) => picture,
                Event::Fault(_) | Event::UnsupportedFeature => {
                    watched.faults += 1;
                    continue;
                }
                Event::LeftOut(at) | Event::Rested(at) => {
                    watched.times.push(at);
                    continue;
                }
                Event::Waits => continue,
                Event::End(_) => break,
            };
            watched.times.push(picture.at());
            let frame = number(watched.times.len());
            if frame > FRAME_MAX {
                return Err(WatchError::TooLong { path: path() });
            }
            if (frame - 1).is_multiple_of(every.max(1)) {
                let frame_seen = decoded
                    .develop(picture)
                    .map_err(|source| WatchError::Develop { path: path(), source })?;
                watched.picture_px = Some((frame_seen.width_px(), frame_seen.height_px()));
                let look = planner.look(&mut *self.detector, frame_seen, self.floor);
                let look = look.map_err(|source| WatchError::Detect { path: path(), source })?;
                watched.observed += f64::from(look.observed_share);
                watched.sway_px.insert(frame, look.sway_px);
                watched.looks.insert(frame, look.detections);
            }
        }
        if watched.times.len() == first {
            return Err(WatchError::NothingDecoded { path: path() });
        }
        Ok(())
    }
}

/// Looks for faces in photographs.
#[expect(missing_debug_implementations, reason = "it holds networks")]
pub struct FaceWatcher {
    masks: Masks,
    intake: PathBuf,
}

impl FaceWatcher {
    /// Loads the networks on these cards from the cache folder.
    ///
    /// # Errors
    /// When one is unknown, absent or not the file that is on its card.
    pub fn new(names: &[&str]) -> Result<Self, WatchError> {
        let cards = &Cards::known().mask_models;
        let file = |name: &str| cards.iter().find(|card| card.name == name).map(|card| card.file.clone());
        let folder = cache::folder().join("models");
        let model = |name: &&str| ((*name).to_owned(), folder.join(file(name).unwrap_or_default()));
        let choice = MaskChoice { models: names.iter().map(model).collect(), runtime: runtime() };
        let masks = mask::open(&choice)?.prepare(MaskBudget::default())?;
        Ok(Self { masks, intake: intake_path() })
    }

    /// The operating point on the cards.
    pub fn point(&self) -> Point {
        let ((score_min, side_min_px), settings) = (self.masks.limits(), self.masks.settings());
        Point { score_min, side_min_px, with_min: settings.with_min, without_max: settings.without_max }
    }

    /// The faces of a photograph that are found with `floor` or more, each with how likely it wears a mask.
    ///
    /// # Errors
    /// When it cannot be opened or decoded, or a network fails.
    pub fn faces(&mut self, picture: &Path, floor: f32) -> Result<Vec<(Face, f32)>, WatchError> {
        let mut child = Command::new(&self.intake)
            .arg(picture)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| WatchError::Intake { path: self.intake.clone(), source })?;
        let packets = child.stdout.take().expect("the pipe was asked for");
        let faces = self.faces_in(picture, packets, floor);
        // Its pipe is closed by now, so it ends by itself.
        let _ = child.wait();
        faces
    }

    fn faces_in(
        &mut self,
        picture: &Path,
        packets: impl std::io::Read,
        floor: f32,
    ) -> Result<Vec<(Face, f32)>, WatchError> {
        let path = || picture.to_owned();
        let mut decoded =
            DecodedFrames::new(packets).map_err(|source| WatchError::Start { path: path(), source })?;
        while let Some(event) = decoded.next() {
            let Event::Picture(seen) = event else { continue };
            let frame =
                decoded.develop(seen).map_err(|source| WatchError::Develop { path: path(), source })?;
            return self
                .masks
                .faces(&frame, floor)
                .map_err(|source| WatchError::Detect { path: path(), source });
        }
        Err(WatchError::NothingDecoded { path: path() })
    }
}

/// ONNX Runtime where it is in the cache, else the built-in runtime.
fn runtime() -> Runtime {
    let of_this_arch = |arch: &str| arch == std::env::consts::ARCH;
    let libraries = Cards::known().runtimes.iter().filter(|runtime| of_this_arch(&runtime.arch));
    let mut files = libraries.map(|runtime| cache::folder().join("runtime").join(&runtime.file));
    files.find(|path| path.is_file()).map_or(Runtime::Rten, Runtime::OnnxRuntime)
}

fn number(frames: usize) -> u32 {
    u32::try_from(frames).unwrap_or(u32::MAX)
}

/// The intake stands beside this program, or one folder up when this is a test.
fn intake_path() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.ancestors().skip(1).take(2).map(|folder| folder.join("outis-intake"));
    beside.clone().find(|path| path.is_file()).or_else(|| beside.clone().next()).unwrap_or_default()
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, WatchError> {
    let fault = |source| WatchError::Folder { path: folder.to_owned(), source };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if ending.is_some_and(|ending| PICTURE_ENDINGS.contains(&ending.as_str())) {
            pictures.push(path);
        }
    }
    // By bytes, not by locale: the same numbers everywhere.
    pictures.sort();
    if pictures.is_empty() {
        return Err(WatchError::NoPictures { path: folder.to_owned() });
    }
    Ok(pictures)
}
