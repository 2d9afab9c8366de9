//! `docs/ref/looks.md` and its picture: every way of looking on the street that nothing was tuned on.

use std::fmt::Write as _;
use std::path::Path;

use outis_measure::ImageBox;

use super::plot::{Point, svg};
use super::{Figures, Setting, measure};
use crate::compose::{STREET_B, Variant};
use crate::mot::Frames;
use crate::watch::Watcher;

const MODELS: [&str; 2] = ["yolox-nano", "nanodet-g"];

/// The page and its picture.
#[derive(Debug, Clone)]
pub struct Page {
    /// Markdown.
    pub text: String,
    /// SVG.
    pub picture: String,
}

/// Measures everything; takes ten minutes.
///
/// # Errors
/// When something that is there cannot be measured. A model that is absent is said in the page.
pub fn page(clip: &Path, truth: &Frames<(i64, ImageBox)>) -> anyhow::Result<Page> {
    let mut text = "# What each way of looking finds, and what it costs\n\nWritten by `make looks`; do not edit.\n\n\
        A composed street of 1920 x 1080 pixels: six copies of the demo clip, scaled, mirrored and shifted in time, 23 \
        to 44 people of 24 to 145 pixels at once, a minute, five looks a second, 18 lines. The planner was tuned on \
        other streets. Recall and precision are those of the boxes of each look, at an overlap of a half; the count \
        error is over all lines, which are painted on the street: a camera that sways makes nobody pass them. Costs are processor time, one thread. See [how it looks](../design/looks.md).\n\n\
        ![count error against cost](looks.svg)\n"
        .to_owned();
    let mut points = Vec::new();
    for (series, model) in MODELS.iter().enumerate() {
        let mut watcher = match Watcher::new(model) {
            Ok(watcher) => watcher,
            Err(error) => {
                let _ = writeln!(text, "\n`{model}` was not measured: {error}");
                continue;
            }
        };
        let _ = writeln!(text, "\n## {model}, by day\n\n{HEAD}");
        for setting in Setting::all() {
            let figures = measure(&mut watcher, (STREET_B, Variant::Day), &setting, clip, truth)?;
            text += &row(&setting.name, &figures);
            points.push(Point {
                name: setting.name.clone(),
                series,
                cost: figures.inference_ms,
                error: figures.count_error,
            });
        }
        if series > 0 {
            continue;
        }
        for variant in Variant::ALL.into_iter().filter(|variant| *variant != Variant::Day) {
            let _ = writeln!(text, "\n## {model}, {}\n\n{HEAD}", told(variant));
            for setting in Setting::main() {
                let figures = measure(&mut watcher, (STREET_B, variant), &setting, clip, truth)?;
                text += &row(&setting.name, &figures);
            }
        }
    }
    Ok(Page { text, picture: svg("Count error against cost, composed 1080p street", &MODELS, &points) })
}

fn told(variant: Variant) -> &'static str {
    match variant {
        Variant::Day => "by day",
        Variant::Noise => "strong sensor noise",
        Variant::Dark => "a fifth of the light",
        Variant::Shake => "a camera that sways by up to 12 pixels",
        Variant::Flicker => "sudden changes of light every 8 seconds",
    }
}

const HEAD: &str = "\
| way of looking | recall | up to 32 px | 48 | 64 | 96 | taller | precision | count error | bias | HOTA | inference, ms a look | all, ms a look | observed |\n\
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

fn row(name: &str, f: &Figures) -> String {
    let by_height = f.recall_by_height.map(|recall| format!("{:.0} %", 100.0 * recall)).join(" | ");
    format!(
        "| {name} | {:.1} % | {by_height} | {:.1} % | {:.1} % | {:+.1} % | {:.3} | {:.1} | {:.1} | {:.2} |\n",
        100.0 * f.recall,
        100.0 * f.precision,
        100.0 * f.count_error,
        100.0 * f.count_bias,
        f.hota,
        f.inference_ms,
        f.cpu_ms,
        f.observed,
    )
}
