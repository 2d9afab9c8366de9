//! The part of the accuracy report about the counting benchmark.

use std::path::Path;
use std::sync::Mutex;

use outis_measure::{Line, MeasureSettings, TrackerSettings};
use outis_record::DirectionalCount;

use super::percent;
use super::python::{Boxes, COUNTERS, Python};
use super::table::Table;
use crate::count_error::Report;
use crate::street::{self, BenchError, DetectedFrame, Noise, Options};
use crate::{mot, product};

/// Rates at which the detector looks.
const RATES_FPS: [f64; 7] = [30.0, 25.0, 15.0, 12.5, 10.0, 8.0, 5.0];
/// Runs of our own counter with different noise.
const SEEDS: u64 = 5;
/// Trackers in Python that are run with their defaults; `given` takes our tracks.
const TRACKERS: [&str; 2] = ["bytetrack", "sort"];
/// Below this score ByteTrack sees nothing; the noise knows no weaker boxes.
const SCORE_MIN: f32 = 0.1;

pub(super) fn section(data: &Path, python: Option<&Python>, python_seeds: u64) -> anyhow::Result<String> {
    if !data.join("eth-ucy").is_dir() {
        let place = data.display();
        return Ok(format!("Not measured: the trajectories of ETH and UCY are not at `{place}`.\n"));
    }
    let mut text = ours(data)?;
    text += &variants(data)?;
    text += &lines(data)?;
    if let Some(python) = python {
        text += &compared(data, python, python_seeds)?;
    }
    Ok(text)
}

fn options(data: &Path, fps: f64, noise: Noise, seeds: u64) -> Options {
    Options { data: data.to_owned(), fps, noise, seeds }
}

fn run(data: &Path, fps: f64, noise: Noise) -> Result<Report, BenchError> {
    street::bench(count, &options(data, fps, noise, SEEDS))
}

fn count(looks: &[DetectedFrame], _fps: f64, lines: &[Line]) -> Vec<DirectionalCount> {
    let looks = looks.iter().map(|look| (look.at, look.detections.as_slice()));
    product::count(looks, lines, MeasureSettings::default()).unwrap_or_default()
}

fn cells(report: &Report) -> [String; 4] {
    let (error, pooled) = (report.error(), report.pooled_error());
    [
        percent(error.mean),
        format!("{:.1}-{:.1} %", 100.0 * error.min, 100.0 * error.max),
        percent(pooled.mean),
        format!("{:+.1} %", 100.0 * report.bias()),
    ]
}

fn row(table: &mut Table, head: String, report: &Report) {
    let [mean, range, pooled, bias] = cells(report);
    table.row([head, mean, range, pooled, bias]);
}

fn ours(data: &Path) -> anyhow::Result<String> {
    let mut table = Table::new(["noise, looks per second", "mean error", "over seeds", "pooled", "bias"]);
    let mut passages = 0;
    for (name, noise) in [("white", Noise::field()), ("white and drift", Noise::drift())] {
        for fps in RATES_FPS {
            let report = run(data, fps, noise)?;
            passages = report.true_passages();
            row(&mut table, format!("{name}, {fps}"), &report);
        }
    }
    Ok(format!(
        "Real trajectories of two streets seen by a simulated camera, ten lines on each, {passages} true passages, \
         {SEEDS} seeds. The mean is over the lines with at least ten passages; pooled are all wrong passages of all \
         lines over all true ones; the bias is negative when too few are counted.\n{}",
        table.text()
    ))
}

fn variants(data: &Path) -> anyhow::Result<String> {
    let field = Noise::field();
    let cases = [
        ("half the jitter", field.with_jitter_scaled(0.5)),
        ("1.5 times the jitter", field.with_jitter_scaled(1.5)),
        ("misses half as long", Noise { miss_mean_s: 0.16, ..field }),
        ("misses twice as long", Noise { miss_mean_s: 0.64, ..field }),
        ("no boxes of nothing", Noise { false_per_frame: 0.0, ..field }),
        ("twice as many boxes of nothing", Noise { false_per_frame: 1.2, ..field }),
    ];
    let mut table = Table::new(["white noise but", "25 fps", "5 fps"]);
    for (name, noise) in cases {
        let error = |fps| Ok::<_, BenchError>(percent(run(data, fps, noise)?.error().mean));
        table.row([name.to_owned(), error(25.0)?, error(5.0)?]);
    }
    Ok(format!("Other noises, to show that nothing is tuned to one of them:\n{}", table.text()))
}

fn lines(data: &Path) -> anyhow::Result<String> {
    let mut table = Table::new(["line", "true forward, backward", "error at 25 fps", "at 5 fps"]);
    let (fast, slow) = (run(data, 25.0, Noise::field())?, run(data, 5.0, Noise::field())?);
    for (fast, slow) in fast.lines.iter().zip(&slow.lines) {
        let truth = format!("{}, {}", fast.truth.forward, fast.truth.backward);
        table.row([fast.name.clone(), truth, percent(fast.error().mean), percent(slow.error().mean)]);
    }
    Ok(format!("Line by line, white noise:\n{}", table.text()))
}

/// LineZone of supervision on tracks of Python packages, and on ours.
fn compared(data: &Path, python: &Python, seeds: u64) -> anyhow::Result<String> {
    let mut table = Table::new(["white noise", "25 fps", "bias", "5 fps", "bias"]);
    let mut columns = Vec::new();
    for fps in [25.0, 5.0] {
        let trouble = Mutex::new(None);
        let counters = |looks: &[DetectedFrame], fps: f64, lines: &[Line]| {
            let mut all = vec![count(looks, fps, lines)];
            match count_in_python(python, looks, fps, lines) {
                Ok(counts) => all.extend(counts),
                Err(error) => *trouble.lock().unwrap_or_else(|e| e.into_inner()) = Some(error),
            }
            all
        };
        columns.push(street::bench_many(counters, &options(data, fps, Noise::field(), seeds))?);
        if let Some(error) = trouble.into_inner().unwrap_or_else(|e| e.into_inner()) {
            return Err(error);
        }
    }
    let of_tracker =
        |tracker: &'static str| COUNTERS.iter().map(move |counter| format!("{tracker}, {counter}"));
    let mut names = vec!["**Outis**".to_owned()];
    names.extend(TRACKERS.into_iter().flat_map(of_tracker));
    names.extend(of_tracker("tracks of Outis"));
    for (index, name) in names.into_iter().enumerate() {
        let cell = |column: usize| {
            let report = &columns[column][index];
            [percent(report.error().mean), format!("{:+.0} %", 100.0 * report.bias())]
        };
        let ([fast, fast_bias], [slow, slow_bias]) = (cell(0), cell(1));
        table.row([name, fast, fast_bias, slow, slow_bias]);
    }
    Ok(format!(
        "On the same boxes ({seeds} seeds): trackers of the package `trackers` and LineZone of `supervision`, with \
         their defaults and with the foot point for one and for three frames; and LineZone on the tracks of Outis.\n{}",
        table.text()
    ))
}

fn count_in_python(
    python: &Python,
    looks: &[DetectedFrame],
    fps: f64,
    lines: &[Line],
) -> anyhow::Result<Vec<Vec<DirectionalCount>>> {
    let folder = tempfile::tempdir()?;
    let (boxes_file, tracks_file) = (folder.path().join("boxes.txt"), folder.path().join("tracks.txt"));
    let (mut boxes, mut tracks) = (String::new(), String::new());
    for (look, frame) in looks.iter().zip(1..) {
        look.detections.iter().for_each(|detection| mot::write_detection(&mut boxes, frame, detection));
    }
    let clock = product::Clock { fps, every: 1, frames: looks.len() as u32 };
    let timed = looks.iter().map(|look| (look.at, look.detections.as_slice()));
    for point in product::track(timed, TrackerSettings::default()) {
        mot::write_object(&mut tracks, clock.frame(point.at), point.track.number(), point.bbox, point.score);
    }
    std::fs::write(&boxes_file, boxes)?;
    std::fs::write(&tracks_file, tracks)?;
    let lines: Vec<(String, Line)> =
        lines.iter().enumerate().map(|(i, &line)| (format!("l{i}"), line)).collect();
    let job = |file| Boxes { file, fps, every: 1, frames: looks.len(), score_min: SCORE_MIN, lines: &lines };
    let mut all = python.count_tracks(&job(&boxes_file), &TRACKERS, None)?;
    // Positions between sightings have low scores; none is to be left out.
    let given = Boxes { score_min: 0.0, ..job(&tracks_file) };
    all.extend(python.count_tracks(&given, &["given"], None)?);
    Ok(all.into_iter().flatten().collect())
}
