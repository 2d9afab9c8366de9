//! `outis-eval judge`: like `video`, but from a file of detections, so that it takes no time.

use std::path::PathBuf;
use std::time::Instant;

use outis_eval::watch::Watched;
use outis_eval::{clip, mot};
use outis_measure::Line;
use outis_record::Class;

use super::input::{Input, LineArgument};
use super::outcome::Outcome;

/// Counts and tracks given detections of people and holds them against a truth
#[derive(Debug, clap::Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    input: Input,
    /// True boxes of people: MOT lines with ids, frames from 1
    #[arg(long, value_name = "MOT_FILE")]
    truth: PathBuf,
    /// Takes these tracks instead of making own ones; nothing is counted then
    #[arg(long, value_name = "MOT_FILE")]
    tracks: Option<PathBuf>,
    /// A counting line in pixels; may be given several times
    #[arg(long = "line", value_name = "NAME:X1,Y1,X2,Y2")]
    lines: Vec<LineArgument>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Judge {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let truth = mot::read_objects(&self.truth)?;
        let (clock, mut detections) = self.input.read()?;
        let lines: Vec<Line> = match &self.tracks {
            None => self.lines.iter().map(|named| named.line).collect(),
            Some(_) => Vec::new(),
        };
        let watched = Watched {
            times: (1..=clock.frames).map(|frame| clock.time(frame)).collect(),
            looks: clock
                .kept()
                .map(|frame| {
                    (frame, detections.get_mut(frame as usize - 1).map(std::mem::take).unwrap_or_default())
                })
                .collect(),
            ..Watched::default()
        };
        let started = Instant::now();
        let result = clip::measure(&watched, &lines, self.input.tracker(), Some(Class::Person))?;
        let measuring_s = started.elapsed().as_secs_f64();
        let tracks = self.tracks.as_deref().map(mot::read_objects).transpose()?.unwrap_or(result.tracks);
        let looks = watched.looks.len();
        let outcome = Outcome {
            frames: watched.times.len(),
            looks,
            faults: 0,
            counts: self.lines.iter().map(|named| named.name.clone()).zip(result.counted).collect(),
            verdict: Some(clip::judge(&tracks, clock.kept(), &truth, clock.fps, &lines)),
            cpu_ms_per_frame: 1e3 * measuring_s / watched.times.len().max(1) as f64,
            measure_us_per_look: 1e6 * measuring_s / looks.max(1) as f64,
        };
        outcome.print(self.json);
        Ok(())
    }
}
