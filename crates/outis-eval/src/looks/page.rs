//! `docs/ref/looks.md` and its picture: every way of looking on the street that nothing was tuned on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use outis_measure::ImageBox;

use super::plot::{Point, svg};
use super::{Figures, Setting, measure};
use crate::compose::{STREET_D, Variant};
use crate::mot::Frames;
use crate::report::machine;
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

/// Measures everything; takes half an hour.
///
/// # Errors
/// When something that is there cannot be measured. A model that is absent is said in the page.
pub fn page(clip: &Path, truth: &Frames<(i64, ImageBox)>) -> anyhow::Result<Page> {
    let mut rows = String::new();
    let mut asked = ASKED_HEAD.to_owned();
    let mut points = Vec::new();
    for (series, model) in MODELS.iter().enumerate() {
        let mut watcher = match Watcher::new(model) {
            Ok(watcher) => watcher,
            Err(error) => {
                let _ = writeln!(rows, "\n`{model}` was not measured: {error}");
                continue;
            }
        };
        for variant in Variant::ALL {
            let _ = writeln!(rows, "\n## {model}, {}\n\n{HEAD}", told(variant));
            let is_day = variant == Variant::Day;
            let settings = if is_day { Setting::all() } else { Setting::main() };
            let mut measured: BTreeMap<&str, Figures> = BTreeMap::new();
            // These two a second time: whatever else the machine does only adds, so the least is told. What is found is the
            // same each time.
            let is_again = |setting: &&Setting| [Setting::WHOLE, Setting::PLANNER].contains(&&*setting.name);
            for setting in settings.iter().chain(settings.iter().filter(is_again)) {
                eprintln!("{model}, {}: {}", told(variant), setting.name);
                let mut figures = measure(&mut watcher, (STREET_D, variant), setting, clip, truth)?;
                if let Some(before) = measured.get(&*setting.name) {
                    figures.inference_ms = figures.inference_ms.min(before.inference_ms);
                    figures.cpu_ms = figures.cpu_ms.min(before.cpu_ms);
                }
                measured.insert(&setting.name, figures);
            }
            for setting in &settings {
                let figures = &measured[&*setting.name];
                rows += &row(&setting.name, figures);
                if is_day {
                    let (cost, error) = (figures.inference_ms, figures.count_error);
                    points.push(Point { name: setting.name.clone(), series, cost, error });
                }
            }
            let of = |name| &measured[name];
            let ways = [Setting::PLANNER, Setting::TILES, Setting::WHOLE].map(of);
            asked += &asked_row(&format!("{model}, {}", told(variant)), ways);
        }
    }
    let people = STREET_D.truth(Variant::Day, truth);
    let present = people.iter().map(Vec::len);
    let heights = || people.iter().flatten().map(|(_, bbox)| bbox.height);
    let text = format!(
        "# What each way of looking finds, and what it costs\n\nWritten by `make looks`; do not edit.\n\n{}\n\
         The composed street d, 1920 x 1080 pixels: {} copies of the demo clip, scaled, mirrored and shifted in time, {} to {} \
         people of {:.0} to {:.0} pixels at once, a minute, five looks a second, {} lines. It was drawn when the planner \
         was finished; the other streets, of the same clip, were looked at before. Recall and precision are those of the \
         boxes of each look, at an overlap of a half; the count error is over all lines, which are painted on the street: \
         a camera that sways makes nobody pass them. Costs are processor time, one thread; of the planner and of the shrunken \
         frame the least of 2 rounds in turn. See [how it \
         looks](../design/looks.md).\n\n\
         ## What is asked of the planner\n\n{asked}\n![count error against cost](looks.svg)\n{rows}",
        machine::description(),
        STREET_D.copies(),
        present.clone().min().unwrap_or(0),
        present.max().unwrap_or(0),
        heights().fold(f32::MAX, f32::min),
        heights().fold(0.0, f32::max),
        STREET_D.lines()?.len(),
    );
    Ok(Page { text, picture: svg("Count error against cost, composed 1080p street", &MODELS, &points) })
}

const ASKED_HEAD: &str = "\
Ratios; what misses is **bold**. Tiles are frame + 3 x 2 tiles at every look, the whole is the frame shrunk to the model's \
square. Inference is told twice: in processor time, and in pixels that the network was shown, which no other work on the \
machine disturbs.\n\n\
| planner, against | recall, of tiles' | count error, of tiles' | count error, of the whole's | inference, of tiles' | in pixels | inference, of the whole's | in pixels |\n\
|---|---:|---:|---:|---:|---:|---:|---:|\n\
| asked | ≥ 0.95 | ≤ 1.1 | ≤ 0.33 | ≤ 0.25 | ≤ 0.25 | ≤ 1.5 | ≤ 1.5 |\n";

/// What is asked, and what is reached.
fn asked_row(name: &str, [planner, tiles, whole]: [&Figures; 3]) -> String {
    let told = |ratio: f64, is_reached: bool| match is_reached {
        true => format!("{ratio:.2}"),
        false => format!("**{ratio:.2}**"),
    };
    let at_most = |ours: f64, theirs: f64, limit: f64| told(ours / theirs, ours <= limit * theirs);
    let cells = [
        told(planner.recall / tiles.recall, planner.recall >= 0.95 * tiles.recall),
        at_most(planner.count_error, tiles.count_error, 1.1),
        at_most(planner.count_error, whole.count_error, 1.0 / 3.0),
        at_most(planner.inference_ms, tiles.inference_ms, 0.25),
        at_most(planner.input_px, tiles.input_px, 0.25),
        at_most(planner.inference_ms, whole.inference_ms, 1.5),
        at_most(planner.input_px, whole.input_px, 1.5),
    ];
    format!("| {name} | {} |\n", cells.join(" | "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misses_is_bold() {
        let figures = |recall, count_error, inference_ms| Figures {
            recall,
            precision: 1.0,
            recall_by_height: [0.0; 5],
            count_error,
            count_bias: 0.0,
            hota: 0.0,
            inference_ms,
            cpu_ms: 0.0,
            input_px: 1e3 * inference_ms,
            observed: 1.0,
        };
        let (tiles, whole) = (figures(0.8, 0.1, 100.0), figures(0.2, 0.9, 14.0));
        let row = |planner: &Figures| asked_row("by day", [planner, &tiles, &whole]);
        assert_eq!(
            row(&figures(0.8, 0.11, 20.0)),
            "| by day | 1.00 | 1.10 | 0.12 | 0.20 | 0.20 | 1.43 | 1.43 |\n"
        );
        assert_eq!(
            row(&figures(0.7, 0.4, 26.0)),
            "| by day | **0.87** | **4.00** | **0.44** | **0.26** | **0.26** | **1.86** | **1.86** |\n"
        );
    }
}
