//! `outis-eval detect`: pictures in, boxes out.

use std::io::Write as _;
use std::path::PathBuf;

use outis_eval::{mot, watch::Watcher};
use outis_measure::Score;

/// Detects in a video or in the pictures of a folder; prints MOT lines with our class numbers
#[derive(Debug, clap::Args)]
pub(crate) struct Detect {
    /// A video file, or a folder of pictures that are numbered in the byte order of their names
    source: PathBuf,
    #[command(flatten)]
    detector: DetectorArguments,
}

/// Which network looks, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct DetectorArguments {
    /// Name of a model card
    #[arg(long, value_name = "NAME", default_value = "nanodet-g")]
    pub(crate) model: String,
    /// Looks at frames 1, 1+N, 1+2N… only
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: u32,
    /// Leaves out detections below this score [default: the model card's]
    #[arg(long, value_name = "SCORE")]
    pub(crate) score_min: Option<f32>,
}

impl DetectorArguments {
    pub(crate) fn watcher(&self) -> anyhow::Result<Watcher> {
        let mut watcher = Watcher::new(&self.model)?;
        watcher.floor = self.score_min.map_or(watcher.floor, Score::new);
        Ok(watcher)
    }
}

impl Detect {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let watched = self.detector.watcher()?.watch(&self.source, self.detector.every)?;
        let mut text = String::new();
        for (&frame, found) in &watched.looks {
            found.iter().for_each(|detection| mot::write_detection(&mut text, frame, detection));
        }
        if watched.faults > 0 {
            eprintln!("{} packets or frames were damaged", watched.faults);
        }
        Ok(std::io::stdout().write_all(text.as_bytes())?)
    }
}
