//! `outis-eval video`: the whole way from a video to counts, and how right they are.

use std::path::PathBuf;

use outis_eval::clip;
use outis_eval::mot;
use outis_measure::{Line, TrackerSettings};
use outis_record::Class;

use super::detect::DetectorArguments;
use super::input::LineArgument;
use super::outcome::Outcome;

/// Counts and tracks a video, and says how right that is and what it costs
#[derive(Debug, clap::Args)]
pub(crate) struct Video {
    /// A video file
    video: PathBuf,
    #[command(flatten)]
    detector: DetectorArguments,
    /// True boxes of people: MOT lines with ids, frames from 1. Other classes are left out then
    #[arg(long, value_name = "MOT_FILE")]
    truth: Option<PathBuf>,
    /// A counting line in pixels; may be given several times
    #[arg(long = "line", value_name = "NAME:X1,Y1,X2,Y2")]
    lines: Vec<LineArgument>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Video {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let truth = self.truth.as_deref().map(mot::read_objects).transpose()?;
        let mut watcher = self.detector.watcher()?;
        let thresholds = watcher.detector().thresholds();
        let tracker = TrackerSettings {
            score_new: thresholds.score_new.get(),
            score_min: watcher.floor.get(),
            ..TrackerSettings::default()
        };
        let lines: Vec<Line> = self.lines.iter().map(|named| named.line).collect();
        watcher.lines = lines.clone();
        let watched = watcher.watch(&self.video, self.detector.every)?;
        let started = std::time::Instant::now();
        let result = clip::measure(&watched, &lines, tracker, truth.as_ref().map(|_| Class::Person))?;
        let measuring = started.elapsed();
        let looks = watched.looks.len();
        let outcome = Outcome {
            frames: watched.times.len(),
            looks,
            faults: watched.faults,
            counts: self.lines.iter().map(|named| named.name.clone()).zip(result.counted.clone()).collect(),
            verdict: truth.map(|truth| {
                clip::judge(&result.tracks, watched.looks.keys().copied(), &truth, watched.fps(), &lines)
            }),
            cpu_ms_per_frame: 1e3 * (watched.cpu + measuring).as_secs_f64()
                / watched.times.len().max(1) as f64,
            measure_us_per_look: 1e6 * measuring.as_secs_f64() / looks.max(1) as f64,
        };
        outcome.print(self.json);
        Ok(())
    }
}
