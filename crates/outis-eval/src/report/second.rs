//! What a second of a 1080p street costs beside Python once both run, what their start costs, how right both count, and
//! where each millisecond goes: a part of the benchmarks page.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use outis_eye::detect::card::Cards;
use outis_measure::{ImageBox, Line};
use outis_record::DirectionalCount;
use serde_json::Value;

use super::processes::{self, Cost};
use super::python::{self, COUNTERS, Python};
use super::table::Table;
use super::{percent, ratio};
use crate::cameras::{self, FPS};
use crate::compose::{self, STREET_D, Variant};
use crate::count_error::{Report, Spread};
use crate::mot::{self, Frames};
use crate::{cache, passage};

/// Both run so often, in turn; ratios are taken within a round.
const ROUNDS: usize = 2;
/// The whole film.
const FILM_S: u32 = compose::FRAMES / compose::FPS;
/// Its first seconds, for what a start costs: as little as can be, for the street may be emptier there.
const START_S: u32 = 2;
/// How a model's outputs are read by the Python programs.
const MODELS: [(&str, &str); 2] = [("yolox-nano", "yolox"), ("nanodet-g", "nanodet")];

/// Runs both on the street that nothing was tuned on.
///
/// # Errors
/// When a program is absent or fails, or the truth of the clip is absent.
pub(super) fn section(clip: &Path, python: &Python) -> anyhow::Result<String> {
    let film = cameras::film(STREET_D, clip)?;
    let beginning = cameras::first_seconds(&film, START_S)?;
    let lines = STREET_D.lines()?;
    let truth = true_counts(&lines)?;
    let mut costs = Table::new([
        "CPU for each second of video",
        "ms",
        "Python / this",
        "count error",
        "passages counted, of the true",
    ]);
    let mut starts = Table::new(["CPU for a start, once", "ms"]);
    let mut stages = Vec::new();
    let mut absent = String::new();
    for (model, decoding) in MODELS {
        let model_file = cache::folder().join("models").join(&Cards::known().model(model)?.file);
        if !model_file.is_file() {
            absent += &format!("`{model}` was not measured: it is not in the cache.\n");
            continue;
        }
        let (mut ours, mut theirs) = (Side::default(), Side::default());
        for _ in 0..ROUNDS {
            let (whole, start) = (count(&film, model, &lines)?, count(&beginning, model, &lines)?);
            let told: Value =
                serde_json::from_str(&whole.printed).context("`outis count` printed no JSON")?;
            ours.add(
                [&whole, &start].map(|cost| cost.cpu.as_secs_f64()),
                python::line_counts(&told["lines"])?,
            );
            let network = (model_file.as_path(), decoding);
            let whole = baseline(python, &film, network, &lines)?;
            let start = baseline(python, &beginning, network, &lines)?;
            let cpu_s = [process_cpu_s(&whole)?, process_cpu_s(&start)?];
            theirs.add(cpu_s, best_of(&whole["counters"], &lines, &truth)?);
        }
        for (name, side) in [
            (format!("`outis count`, 5 looks a second, {model}"), &ours),
            (format!("Python, every frame, {model}"), &theirs),
        ] {
            let report = side.report(&lines, &truth);
            costs.row([
                name.clone(),
                mean_ms(side.running()),
                ratio(&theirs.running(), &side.running()),
                percent(report.pooled_error().mean),
                percent(1.0 + report.bias()),
            ]);
            starts.row([name, mean_ms(side.starting())]);
        }
        stages.push((model, cameras::stages_of(model, &film, lines.iter().map(|(_, l)| *l).collect())?));
    }
    let passages: u32 = truth.iter().map(|count| count.forward + count.backward).sum();
    let mut text = format!(
        "A minute of the composed street d, which nothing was tuned on: 1920 x 1080, {FPS} frames a second, H.264, {} \
         lines with {passages} true passages. Python looks at the whole frame, shrunk to the model's input, at every \
         frame, for persons alone, with the best of three settings of its line counter. The jailed product, all its processes. Both \
         run on the whole film and on its first {START_S} seconds, {ROUNDS} rounds in turn: what the film takes more, by the \
         second that it is longer, is what a second costs in a camera that runs.\n{absent}{}What those first seconds take \
         beyond that is what a start costs: programs, interpreter and packages, jail, model.\n{}\nWhere the milliseconds go, all in one process:\n",
        lines.len(),
        costs.text(),
        starts.text()
    );
    let mut table = Table::new(["CPU for each second of video", "ms", "share"]);
    for (model, stages) in stages {
        for (stage, ms) in stages.named() {
            table.row([format!("{model}: {stage}"), format!("{ms:.1}"), percent(ms / stages.sum())]);
        }
    }
    text += &table.text();
    Ok(text)
}

/// What one side did in all rounds.
#[derive(Debug, Default)]
struct Side {
    /// Processor time of all its processes for the whole film and for its beginning, by round.
    cpu_s: Vec<[f64; 2]>,
    /// By line. The same in each round, or the newest.
    counted: Vec<DirectionalCount>,
}

impl Side {
    fn add(&mut self, cpu_s: [f64; 2], counted: Vec<DirectionalCount>) {
        self.cpu_s.push(cpu_s);
        self.counted = counted;
    }

    /// Processor time of a second of video, start-up left out, in seconds.
    fn running(&self) -> Vec<f64> {
        self.cpu_s.iter().map(|[whole, start]| (whole - start) / f64::from(FILM_S - START_S)).collect()
    }

    /// Processor time of a start, in seconds.
    fn starting(&self) -> Vec<f64> {
        let begun = self.cpu_s.iter().zip(self.running());
        begun.map(|([_, start], running)| start - f64::from(START_S) * running).collect()
    }

    fn report(&self, lines: &[(String, Line)], truth: &[DirectionalCount]) -> Report {
        Report::of_one_run(lines, truth, &self.counted)
    }
}

fn mean_ms(seconds: Vec<f64>) -> String {
    format!("{:.0}", 1e3 * Spread::of(seconds).mean)
}

/// All that the process took but for what it compares afterwards, in seconds.
fn process_cpu_s(told: &Value) -> anyhow::Result<f64> {
    told["process_cpu_s"].as_f64().context("baseline.py told no process_cpu_s")
}

/// What the counter with the fewest wrong passages said: nobody would use another.
fn best_of(
    counters: &Value,
    lines: &[(String, Line)],
    truth: &[DirectionalCount],
) -> anyhow::Result<Vec<DirectionalCount>> {
    let counted = COUNTERS.iter().map(|counter| python::line_counts(&counters[counter]["lines"]));
    let counted = counted.collect::<anyhow::Result<Vec<_>>>()?;
    let error =
        |counted: &Vec<DirectionalCount>| Report::of_one_run(lines, truth, counted).pooled_error().mean;
    counted.into_iter().min_by(|a, b| error(a).total_cmp(&error(b))).context("there are counters")
}

fn true_counts(lines: &[(String, Line)]) -> anyhow::Result<Vec<DirectionalCount>> {
    let file = crate::street::default_data().join("pets09-s2l1/gt_mot.txt");
    let clip_truth: Frames<(i64, ImageBox)> = mot::read_objects(&file)?;
    let truth = STREET_D.truth(Variant::Day, &clip_truth);
    let lines: Vec<Line> = lines.iter().map(|(_, line)| *line).collect();
    Ok(passage::count(&truth, f64::from(compose::FPS), &lines))
}

fn arguments(lines: &[(String, Line)]) -> impl Iterator<Item = String> {
    lines.iter().map(|(name, line)| {
        let (a, b) = (line.start(), line.end());
        format!("{name}:{},{},{},{}", a.x_px, a.y_px, b.x_px, b.y_px)
    })
}

fn count(film: &Path, model: &str, lines: &[(String, Line)]) -> anyhow::Result<Cost> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("outis"));
    command.arg("count").arg(film).args(["--json", "--classes", "person", "--detector", model]);
    for line in arguments(lines) {
        command.arg("--line").arg(line);
    }
    processes::run(command)
}

fn baseline(
    python: &Python,
    film: &Path,
    (model, decoding): (&Path, &str),
    lines: &[(String, Line)],
) -> anyhow::Result<Value> {
    let mut command = python.program("baseline.py");
    command.arg("--video").arg(film).args(["--json", "--classes", "person", "--threads", "1"]);
    command.arg("--model").arg(model).args(["--decoding", decoding]);
    for line in arguments(lines) {
        command.arg("--line").arg(line);
    }
    python::run(command)
}
