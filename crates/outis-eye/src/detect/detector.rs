//! One network, ready to look: scaling, the engine, reading its outputs, suppression. Puts the stages in a row and
//! knows none of them from inside.

use std::time::Duration;

use outis_measure::{Detection, Score};
use rustix::time::{ClockId, clock_gettime};

use super::card::{Cards, ModelCard};
use super::counted::with_classes;
use super::decoder::{Classes, Decoder, Shapes};
use super::engine::{Engine, EngineError, Expected, Library, OnnxRuntime, Rten};
use super::focus::without_focus;
use super::free_size::with_free_size;
use super::join::{Sighting, join};
use super::nms::Candidate;
use super::{Detect, DetectError, DetectorChoice, InputSize, LoadError, Runtime, Sheet, Spent, Thresholds};
use crate::Frame;
use crate::scale::Scaler;

/// Loads the network and what runs it, both checked against their cards, and runs it once on an empty picture: what
/// would fail at the first frame fails here, and the first frame takes no longer than any other.
pub fn load(choice: &DetectorChoice) -> Result<Box<dyn Detect>, LoadError> {
    open(choice)?.prepare()
}

/// Takes from the disk all that a detector needs: the network's bytes, and the library that runs it, linked. Both are
/// checked against their cards. Starts no thread.
pub fn open(choice: &DetectorChoice) -> Result<Opened, LoadError> {
    // Ours is asked for its functions by handle, and offers them to nobody else: so this one is another.
    if outis_jail::is_offered(c"OrtGetApiBase") {
        return Err(LoadError::ForeignRuntime);
    }
    let cards = Cards::known();
    let card = cards.model(&choice.model)?;
    let model = card.read(&choice.model_file)?;
    Ok(Opened { card, model, library: library(&choice.runtime)? })
}

/// The library that runs networks, checked against its card and linked; none is needed for the built-in runtime.
pub(crate) fn library(runtime: &Runtime) -> Result<Option<Library>, LoadError> {
    let Runtime::OnnxRuntime(path) = runtime else { return Ok(None) };
    let linked = Library::link(&Cards::known().open_runtime(path)?);
    linked.map(Some).map_err(|source| LoadError::Library { path: path.clone(), source })
}

/// A detector that needs nothing more from the disk.
#[expect(missing_debug_implementations, reason = "it is the bytes of a network")]
pub struct Opened {
    card: &'static ModelCard,
    model: Vec<u8>,
    library: Option<Library>,
}

impl Opened {
    /// Makes it ready to look, and lets it look once at an empty picture. Opens nothing.
    pub fn prepare(self) -> Result<Box<dyn Detect>, LoadError> {
        let Self { card, model, library } = self;
        let failed = |source| LoadError::Engine { model: card.name.clone(), source };
        let (model, classes) = prepared(card, model);
        let mut detector = Detector::new(card, model, classes, library).map_err(failed)?;
        detector.warm_up().map_err(failed)?;
        Ok(Box::new(detector))
    }
}

/// A network as it is run, and the classes that it says.
fn prepared(card: &ModelCard, model: Vec<u8>) -> (Vec<u8>, Classes) {
    let mut classes = Classes::of(card);
    // A file that declares its sizes declares how many classes it says, too.
    let free = card.resizable.then(|| with_free_size(&model)).flatten();
    let counted = free
        .as_deref()
        .and_then(|model| with_classes(model, card.class_count, card.strides.len(), &classes.counted()));
    if counted.is_some() {
        classes = classes.without_others();
    }
    let model = counted.or(free).unwrap_or(model);
    (without_focus(&model, &card.input_name).unwrap_or(model), classes)
}

struct Detector {
    scaler: Scaler,
    engine: Box<dyn Engine>,
    decoder: Decoder,
    shapes: Shapes,
    nms_iou: f32,
    thresholds: Thresholds,
    overflow: u32,
    spent: Spent,
}

impl Detector {
    fn new(
        card: &ModelCard,
        model: Vec<u8>,
        classes: Classes,
        library: Option<Library>,
    ) -> Result<Self, EngineError> {
        let decoder = Decoder::new(card, classes);
        let shapes = decoder.shapes(card.input_size().largest_px());
        Ok(Self {
            scaler: Scaler::new(card.input_size(), card.normalisation()),
            engine: engine(model, library.as_ref(), &card.input_name, &shapes.expected)?,
            decoder,
            shapes,
            nms_iou: card.nms_iou,
            thresholds: Thresholds {
                score_min: Score::new(card.score_min),
                score_new: Score::new(card.score_new),
                score_new_close: Score::new(card.score_new_close.unwrap_or(card.score_new)),
            },
            overflow: 0,
            spent: Spent::default(),
        })
    }

    fn warm_up(&mut self) -> Result<(), EngineError> {
        self.engine.run(self.scaler.blank(), &self.shapes.expected, &mut |_| {})
    }
}

impl Detector {
    /// What the network says about one input, boxes in its pixels.
    fn read(&mut self, frame: &Frame, sheet: &Sheet, floor: Score) -> Result<Vec<Candidate>, DetectError> {
        let started = thread_time();
        let input = self.scaler.paint(frame, sheet)?;
        let scaled = thread_time();
        if !self.shapes.fit(sheet.input_px) {
            self.shapes = self.decoder.shapes(sheet.input_px);
        }
        let mut candidates = Vec::new();
        let mut answered = scaled;
        self.engine.run(input, &self.shapes.expected, &mut |outputs| {
            answered = thread_time();
            candidates = self.decoder.decode(outputs, &self.shapes, floor.get());
        })?;
        self.spent.inputs += 1;
        self.spent.pixels += sheet.pixels();
        self.spent.scaling += scaled.saturating_sub(started);
        self.spent.network += answered.saturating_sub(scaled);
        self.spent.reading += thread_time().saturating_sub(answered);
        Ok(candidates)
    }
}

/// Processor time that this thread has taken so far.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A network, ready to run in the library or in the built-in runtime.
pub(crate) fn engine(
    model: Vec<u8>,
    library: Option<&Library>,
    input: &str,
    expected: &[Expected],
) -> Result<Box<dyn Engine>, EngineError> {
    Ok(match library {
        Some(library) => Box::new(OnnxRuntime::load(library, &model, input, expected)?),
        None => Box::new(Rten::load(model, input, expected)?),
    })
}

impl Detect for Detector {
    fn look(&mut self, frame: Frame, sheets: &[Sheet], floor: Score) -> Result<Vec<Detection>, DetectError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let (mut sightings, mut crops) = (Vec::new(), Vec::new());
        for sheet in sheets {
            let candidates = self.read(&frame, sheet, floor)?;
            for candidate in candidates {
                let Some(index) = sheet.part_of(&candidate.bbox) else { continue };
                let placed = sheet.parts[index].to_picture(&candidate.bbox, picture_px);
                if placed.bbox.is_valid() {
                    let candidate = Candidate { bbox: placed.bbox, ..candidate };
                    sightings.push(Sighting { candidate, cut: placed.cut, crop: crops.len() + index });
                }
            }
            crops.extend(sheet.parts.iter().map(|part| part.source));
        }
        // What has been looked at is gone.
        drop(frame);
        let started = thread_time();
        let (detections, overflow) = join(sightings, &crops, self.nms_iou);
        self.overflow = self.overflow.saturating_add(overflow);
        self.spent.looks += 1;
        self.spent.reading += thread_time().saturating_sub(started);
        Ok(detections)
    }

    fn input_size(&self) -> InputSize {
        self.scaler.input_size()
    }

    fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    fn take_overflow(&mut self) -> u32 {
        std::mem::take(&mut self.overflow)
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cached;
    use crate::detect::card::Decoding;
    use crate::scale::Tensor;

    /// All that a network says about a picture of noise.
    fn said(card: &ModelCard, model: Vec<u8>, classes: Classes) -> Vec<String> {
        let (width, height) = (128, 96);
        let decoder = Decoder::new(card, classes);
        let shapes = decoder.shapes((width, height));
        let arch = std::env::consts::ARCH;
        let runtime = Cards::known().runtimes.iter().find(|card| card.arch == arch).expect("a runtime");
        let library = library(&Runtime::OnnxRuntime(cached::folder().join("runtime").join(&runtime.file)));
        let library = library.expect("fetched by `make models`");
        let mut engine =
            engine(model, library.as_ref(), &card.input_name, &shapes.expected).expect("a network");
        let mut picture = Tensor::default();
        picture.resize(width, height);
        let mut noise = 1_u32;
        for y in 0..height {
            for value in picture.row_mut(y, 0, width).into_iter().flatten() {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = (noise >> 24) as f32;
            }
        }
        let mut found = Vec::new();
        let read = &mut |outputs: &[&[f32]]| found = decoder.decode(outputs, &shapes, 0.0);
        engine.run(&picture, &shapes.expected, read).expect("it runs");
        found.iter().map(|candidate| format!("{candidate:?}")).collect()
    }

    #[test]
    fn the_known_networks_say_what_is_counted_and_nothing_else() {
        for card in &Cards::known().models {
            let bytes = match card.read(&cached::folder().join("models").join(&card.file)) {
                Ok(bytes) => bytes,
                // Only its users can bring it, and have not.
                Err(LoadError::Unreadable { .. }) if card.recipe.is_none() => continue,
                Err(error) => panic!("{error}"),
            };
            let whole = with_free_size(&bytes).expect("an ONNX file");
            let whole = match card.decoding {
                Decoding::Yolox => without_focus(&whole, &card.input_name).expect("it begins so"),
                Decoding::NanoDet => whole,
            };
            let (cut, classes) = prepared(card, bytes);
            assert_eq!(classes.counted(), (0..card.classes.len()).collect::<Vec<_>>(), "{}", card.name);
            let (before, after) = (said(card, whole, Classes::of(card)), said(card, cut, classes));
            assert!(before.len() > 100 && before == after, "{}: the same to the last bit", card.name);
        }
    }
}
