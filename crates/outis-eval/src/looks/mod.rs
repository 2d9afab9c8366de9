//! What each way of looking finds on the composed street, and what it costs.

mod page;
mod plot;

pub use page::{Page, page};

use std::path::Path;

use outis_eye::detect::InputSize;
use outis_eye::plan::{Budget, PlanSettings, Way};
use outis_measure::{Detection, ImageBox, Line, TrackerSettings};
use outis_record::Class;

use crate::clip;
use crate::compose::{self, FPS, Street, Variant};
use crate::count_error::Report;
use crate::metrics::SAME_IOU;
use crate::mot::Frames;
use crate::passage;
use crate::watch::Watcher;

/// Every other frame of ten a second: five looks a second.
pub const EVERY: u32 = 2;

/// One way of looking.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name in tables.
    pub name: String,
    /// How it looks.
    pub way: Way,
    /// Inputs up to another size than the card's.
    pub input: Option<InputSize>,
}

impl Setting {
    fn new(name: &str, way: Way) -> Self {
        Self { name: name.to_owned(), way, input: None }
    }

    /// The shrunken frame.
    pub const WHOLE: &str = "whole frame, 416";
    /// The product's way.
    pub const PLANNER: &str = "planner";
    /// What finds nearly everybody, and costs most.
    pub const TILES: &str = "frame + 3 x 2 tiles";

    /// The product's way, and the two it is held against.
    pub fn main() -> Vec<Self> {
        let named = |setting: &Self| [Self::WHOLE, Self::PLANNER, Self::TILES].contains(&&*setting.name);
        Self::all().into_iter().filter(named).collect()
    }

    /// All that are compared, the reference last.
    pub fn all() -> Vec<Self> {
        let large = InputSize::UpTo { width_px: 640, height_px: 384, step_px: 32 };
        vec![
            Self::new(Self::WHOLE, Way::Whole),
            Self { input: Some(large), ..Self::new("whole frame, 640 x 384", Way::Whole) },
            Self::new("planner, half the budget", planned(Budget::WHOLES / 2.0)),
            Self::new(Self::PLANNER, Way::default()),
            Self::new("planner, twice the budget", planned(Budget::WHOLES * 2.0)),
            Self::new("frame + 2 x 2 tiles", Way::Tiles { columns: 2, rows: 2 }),
            Self::new(Self::TILES, Way::Tiles { columns: 3, rows: 2 }),
        ]
    }
}

fn planned(wholes: f32) -> Way {
    Way::Planned(PlanSettings { budget: Budget::Wholes(wholes), ..PlanSettings::default() })
}

/// What one way found, and what that cost.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Share of the true boxes that were found, at an overlap of a half.
    pub recall: f64,
    /// Share of the found boxes that are true.
    pub precision: f64,
    /// Recall by true height: up to 32, 48, 64, 96 pixels and above.
    pub recall_by_height: [f64; 5],
    /// Wrong passages over all lines, as a share of the true ones.
    pub count_error: f64,
    /// The same with the sign.
    pub count_bias: f64,
    /// Higher order tracking accuracy.
    pub hota: f64,
    /// Processor time of the network, in milliseconds a look.
    pub inference_ms: f64,
    /// Processor time of everything, in milliseconds a look.
    pub cpu_ms: f64,
    /// Pixels of input in a look.
    pub input_px: f64,
    /// Share of the picture that was known, mean over the looks.
    pub observed: f64,
}

/// Upper ends of the classes of height, in pixels.
const HEIGHTS_PX: [f32; 4] = [32.0, 48.0, 64.0, 96.0];

/// Looks at a composed street.
///
/// # Errors
/// When the video cannot be made or looked at.
pub fn measure(
    watcher: &mut Watcher,
    (street, variant): (Street, Variant),
    setting: &Setting,
    clip_file: &Path,
    clip_truth: &Frames<(i64, ImageBox)>,
) -> anyhow::Result<Figures> {
    let video = compose::prepare(street, variant, clip_file)?;
    let truth = street.truth(variant, clip_truth);
    let named = street.lines()?;
    let lines: Vec<Line> = named.iter().map(|(_, line)| *line).collect();
    (watcher.way, watcher.input, watcher.lines) = (setting.way, setting.input, lines.clone());
    let thresholds = watcher.detector().thresholds();
    let before = watcher.detector().spent();
    let watched = watcher.watch(&video, EVERY)?;
    let spent = watcher.detector().spent();
    let tracker = TrackerSettings {
        score_new: thresholds.score_new.get(),
        score_min: thresholds.score_min.get(),
        ..TrackerSettings::default()
    };
    let result = clip::measure(&watched, &lines, tracker, Some(Class::Person))?;
    let in_frame = |(present, frame): (&Vec<(i64, ImageBox)>, u32)| {
        present.iter().map(|(id, bbox)| (*id, watched.in_frame(frame, bbox))).collect()
    };
    let tracks: Frames<(i64, ImageBox)> = result.tracks.iter().zip(1..).map(in_frame).collect();
    let verdict = clip::judge(&tracks, watched.looks.keys().copied(), &truth, f64::from(FPS), &lines);
    // A line is painted on the street: who passes it does not depend on how the camera sways.
    let true_counts = passage::count(&street.truth(Variant::Day, clip_truth), f64::from(FPS), &lines);
    let report = Report::of_one_run(&named, &true_counts, &result.counted);
    let mut found = Found::default();
    let detections = watched.frames();
    for &frame in watched.looks.keys() {
        found.add(&truth[frame as usize - 1], &detections[frame as usize - 1]);
    }
    let looks = watched.looks.len().max(1) as f64;
    Ok(Figures {
        recall: found.recall(),
        precision: found.precision(),
        recall_by_height: found.recall_by_height(),
        count_error: report.pooled_error().mean,
        count_bias: report.bias(),
        hota: verdict.hota.hota,
        inference_ms: 1e3 * (spent.network - before.network).as_secs_f64() / looks,
        cpu_ms: 1e3 * watched.cpu.as_secs_f64() / looks,
        input_px: (spent.pixels - before.pixels) as f64 / looks,
        observed: watched.observed / looks,
    })
}

/// Who was found.
#[derive(Debug, Default)]
struct Found {
    detections: u32,
    /// By class of height: found, and there.
    people: [(u32, u32); 5],
}

impl Found {
    /// Takes one look. Pairs are made from the greatest overlap down.
    fn add(&mut self, truth: &[(i64, ImageBox)], detections: &[Detection]) {
        let persons: Vec<&Detection> = detections.iter().filter(|d| d.class == Class::Person).collect();
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (t, (_, bbox)) in truth.iter().enumerate() {
            let overlaps = persons.iter().enumerate().map(|(d, found)| (found.bbox.iou(bbox), t, d));
            pairs.extend(overlaps.filter(|(iou, ..)| f64::from(*iou) >= SAME_IOU));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut true_taken, mut found_taken) = (vec![false; truth.len()], vec![false; persons.len()]);
        for (_, t, d) in pairs {
            if !true_taken[t] && !found_taken[d] {
                (true_taken[t], found_taken[d]) = (true, true);
            }
        }
        self.detections += persons.len() as u32;
        for ((_, bbox), found) in truth.iter().zip(true_taken) {
            let class = HEIGHTS_PX.iter().position(|most| bbox.height <= *most).unwrap_or(HEIGHTS_PX.len());
            self.people[class].1 += 1;
            self.people[class].0 += u32::from(found);
        }
    }

    fn found(&self) -> u32 {
        self.people.iter().map(|(found, _)| found).sum()
    }

    fn recall(&self) -> f64 {
        share(self.found(), self.people.iter().map(|(_, there)| there).sum())
    }

    fn precision(&self) -> f64 {
        share(self.found(), self.detections)
    }

    fn recall_by_height(&self) -> [f64; 5] {
        self.people.map(|(found, there)| share(found, there))
    }
}

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1))
}

#[cfg(test)]
mod tests {
    use outis_measure::Score;

    use super::*;

    #[test]
    fn everybody_is_found_once_at_most() {
        let at = |left: f32| ImageBox::from_left_top_width_height(left, 10.0, 20.0, 40.0);
        let person = |left: f32| Detection { bbox: at(left), class: Class::Person, score: Score::new(0.5) };
        let mut found = Found::default();
        // Two boxes on the first, one far from the second.
        found.add(&[(1, at(100.0)), (2, at(200.0))], &[person(101.0), person(99.0), person(220.0)]);
        assert_eq!((found.recall(), found.precision()), (0.5, 1.0 / 3.0));
        assert_eq!(found.recall_by_height()[1], 0.5);
    }
}
