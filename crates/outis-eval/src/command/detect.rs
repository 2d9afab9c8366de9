//! `outis-eval detect`: pictures in, boxes out.

use std::io::Write as _;
use std::path::PathBuf;

use outis_eval::{mot, watch::Watcher};
use outis_eye::detect::InputSize;
use outis_eye::plan::{Budget, PlanSettings, Way};
use outis_measure::Score;

/// The most tiles side by side or above each other.
const TILES_MAX: u32 = 16;

/// Inputs are multiples of the coarsest stride of the known networks, and no larger than pays.
const INPUT_STEP_PX: usize = 32;
const INPUT_MAX_PX: usize = 2048;

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
    /// Shrinks the whole picture to one input instead of choosing where to look
    #[arg(long, conflicts_with_all = ["tiles", "inference_ms"])]
    pub(crate) whole_frame: bool,
    /// Looks at the whole picture and at so many overlapping tiles of it, at each look
    #[arg(long, value_name = "CxR", value_parser = tiles, conflicts_with = "inference_ms")]
    pub(crate) tiles: Option<(u32, u32)>,
    /// Milliseconds of processor time for the network in each second of video [default: what the product takes]
    #[arg(long, value_name = "N")]
    pub(crate) inference_ms: Option<f32>,
    /// Shows the network inputs up to this size instead of its card's
    #[arg(long, value_name = "WxH", value_parser = input_px)]
    pub(crate) input: Option<(usize, usize)>,
}

impl DetectorArguments {
    pub(crate) fn watcher(&self) -> anyhow::Result<Watcher> {
        let mut watcher = Watcher::new(&self.model)?;
        watcher.floor = self.score_min.map_or(watcher.floor, Score::new);
        watcher.way = self.way();
        watcher.input = self.input.map(|(width_px, height_px)| InputSize::UpTo {
            width_px,
            height_px,
            step_px: INPUT_STEP_PX,
        });
        Ok(watcher)
    }
}

impl DetectorArguments {
    fn way(&self) -> Way {
        match (self.whole_frame, self.tiles) {
            (true, _) => Way::Whole,
            (_, Some((columns, rows))) => Way::Tiles { columns, rows },
            _ => Way::Planned(PlanSettings {
                budget: self.inference_ms.map_or(Budget::default(), Budget::MillisPerSecond),
                ..PlanSettings::default()
            }),
        }
    }
}

/// `3x2`: columns and rows.
fn tiles(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=TILES_MAX).contains(side));
    text.split_once('x')
        .and_then(|(columns, rows)| Some((side(columns)?, side(rows)?)))
        .ok_or_else(|| format!("tiles are CxR, such as 3x2, at most {TILES_MAX} of each"))
}

/// `480x352`: width and height of an input.
fn input_px(text: &str) -> Result<(usize, usize), String> {
    let may =
        |side: &usize| side.is_multiple_of(INPUT_STEP_PX) && (INPUT_STEP_PX..=INPUT_MAX_PX).contains(side);
    let side = |text: &str| text.parse().ok().filter(may);
    text.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?))).ok_or_else(|| {
        format!("an input is WxH, such as 480x352: multiples of {INPUT_STEP_PX} up to {INPUT_MAX_PX}")
    })
}

impl Detect {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let watched = self.detector.watcher()?.watch(&self.source, self.detector.every)?;
        let mut text = String::new();
        for (found, frame) in watched.frames().iter().zip(1..) {
            found.iter().for_each(|detection| mot::write_detection(&mut text, frame, detection));
        }
        if watched.faults > 0 {
            eprintln!("{} packets or frames were damaged", watched.faults);
        }
        Ok(std::io::stdout().write_all(text.as_bytes())?)
    }
}
