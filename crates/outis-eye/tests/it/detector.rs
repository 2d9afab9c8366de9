//! The detectors on real frames: both runtimes find the same, and what a Python program finds.

use outis_eye::decode::{Event, Frames};
use outis_eye::detect::card::Cards;
use outis_eye::detect::{Detect, DetectorChoice, LoadError, Runtime, load};
use outis_measure::{Detection, ImageBox, Score};
use outis_record::Class;

use crate::{clips::cached, pipeline::intake};

const MODELS: [&str; 2] = ["nanodet-g", "yolox-nano"];

/// The library for this machine's processor.
fn onnx_runtime() -> Runtime {
    let arch = std::env::consts::ARCH;
    let card = Cards::known().runtimes.iter().find(|card| card.arch == arch);
    let card = card.unwrap_or_else(|| panic!("there is no ONNX Runtime card for {arch}"));
    Runtime::OnnxRuntime(cached(&format!("runtime/{}", card.file.display())))
}

/// `None` for a model that only the user can bring, and has not.
fn detector(model: &str, runtime: Runtime) -> Option<Box<dyn Detect>> {
    let card = Cards::known().model(model).expect("a known model");
    let file = format!("models/{}", card.file.display());
    let choice = |model_file| DetectorChoice { model: model.to_owned(), model_file, runtime };
    if card.recipe.is_some() {
        return Some(load(&choice(cached(&file))).expect("the model loads"));
    }
    match load(&choice(cache_folder().join(file))) {
        Ok(detector) => Some(detector),
        Err(LoadError::Unreadable { path, .. }) => {
            println!("{model} is not tested: {} is missing; {}", path.display(), card.find);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The one that everybody has.
pub(crate) fn any() -> Box<dyn Detect> {
    detector(MODELS[0], onnx_runtime()).expect("its recipe makes it everywhere")
}

fn cache_folder() -> std::path::PathBuf {
    let clip = cached("clips/vtest.avi");
    clip.ancestors().nth(2).expect("clips lie in a folder of the cache").to_owned()
}

/// Shows the detector these frames of the street clip, counted from 1, in rising order.
fn look(detector: &mut dyn Detect, wanted: &[u32], floor: Score) -> Vec<Vec<Detection>> {
    let stream = intake(cached("clips/vtest.avi")).out;
    let mut frames = Frames::new(stream.as_slice()).expect("the clip can be decoded");
    let mut number = 0;
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        match frames.next().expect("the clip is long enough") {
            Event::Picture(picture) => {
                number += 1;
                if wanted.contains(&number) {
                    let frame = frames.develop(picture).expect("an ordinary frame");
                    found.push(detector.detect_with_floor(frame, floor).expect("the network runs"));
                }
            }
            Event::LeftOut(_) | Event::Rested(_) | Event::Waits => unreachable!("every frame was wanted"),
            Event::Fault(notice) => panic!("frame {number}: {notice:?}"),
            Event::UnsupportedFeature | Event::End(_) => panic!("the clip ends at frame {number}"),
        }
    }
    found
}

/// The best overlap with a detection of the same class whose score differs by at most `score_tolerance`.
fn best_overlap(bbox: &ImageBox, class: Class, score: f32, among: &[Detection], score_tolerance: f32) -> f32 {
    let alike = |d: &&Detection| d.class == class && (d.score.get() - score).abs() <= score_tolerance;
    among.iter().filter(alike).map(|d| d.bbox.iou(bbox)).fold(0.0, f32::max)
}

/// Both add the same numbers in another order, so the last digits differ and no more.
#[test]
fn both_runtimes_find_the_same() {
    const SCORE_TOLERANCE: f32 = 1e-3;
    const IOU_MIN: f32 = 0.999;
    let wanted: Vec<u32> = (0..10).map(|i| 1 + 79 * i).collect();
    for model in MODELS {
        let Some(mut first) = detector(model, onnx_runtime()) else { continue };
        let Some(mut second) = detector(model, Runtime::Rten) else { continue };
        let floor = first.thresholds().score_min;
        let by_library = look(&mut *first, &wanted, floor);
        let built_in = look(&mut *second, &wanted, floor);
        assert!(by_library.iter().map(Vec::len).sum::<usize>() > 50, "{model} finds people");
        for (frame, (a, b)) in wanted.iter().zip(by_library.iter().zip(&built_in)) {
            for (one, other) in [(a, b), (b, a)] {
                // Just above the floor, one of the two may see a box that the other does not.
                let sure = one.iter().filter(|d| d.score.get() > floor.get() + SCORE_TOLERANCE);
                for d in sure {
                    let overlap = best_overlap(&d.bbox, d.class, d.score.get(), other, SCORE_TOLERANCE);
                    assert!(overlap >= IOU_MIN, "{model}, frame {frame}: {d:?}: {overlap}");
                }
            }
        }
    }
}

/// Against a Python program with OpenCV and the same network. It scales in red, green and blue where we scale luma and
/// chroma, which moves scores by hundredths.
#[test]
fn a_python_program_finds_the_same() {
    #[derive(serde::Deserialize)]
    struct Reference {
        models: std::collections::BTreeMap<String, std::collections::BTreeMap<u32, Vec<[f32; 5]>>>,
    }
    let reference: Reference =
        serde_json::from_str(include_str!("../../../../testdata/reference/detections.json"))
            .expect("the table");
    for model in MODELS {
        let card = Cards::known().model(model).expect("a known model");
        let Some(frames) = reference.models.get(&card.file.display().to_string()) else {
            panic!("{model} has no reference");
        };
        let Some(mut detector) = detector(model, onnx_runtime()) else { continue };
        let wanted: Vec<u32> = frames.keys().copied().collect();
        let found = look(&mut *detector, &wanted, Score::new(0.3));
        for ((frame, boxes), found) in frames.iter().zip(&found) {
            for &[x, y, width, height, score] in boxes {
                let bbox = ImageBox::from_left_top_width_height(x, y, width, height);
                let overlap = best_overlap(&bbox, Class::Person, score, found, 0.08);
                assert!(overlap > 0.85, "{model}, frame {frame}: {bbox:?} with {score}: {overlap}");
            }
            let sure = found.iter().filter(|d| d.class == Class::Person && d.score.get() > 0.48).count();
            assert!(sure <= boxes.len(), "{model}, frame {frame}: {sure} persons, not {}", boxes.len());
        }
    }
}
