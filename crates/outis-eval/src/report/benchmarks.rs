//! `docs/ref/benchmarks.md`: what counting costs, beside a Python pipeline with the same network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use outis_eye::plan::Way;
use outis_measure::{ImageBox, ImagePoint, Line, MeasureSettings};

use super::cameras;
use super::jail;
use super::machine;
use super::mask_cost;
use super::processes::{self, Cost};
use super::python::{self, Python};
use super::table::Table;
use super::{Page, ratio, second, substream};
use crate::clip::VTEST_LINES;
use crate::count_error::Spread;
use crate::mot::FRAME_MAX;
use crate::random::Random;
use crate::street::world::{Presence, World};
use crate::street::{Noise, noise};
use crate::watch::Watcher;
use crate::{cache, cpu, product};

/// Everything is run so often, in turn, and ratios are taken within a round.
const ROUNDS: usize = 3;
const MODEL: &str = "nanodet-g";
/// People in the picture when tracker and counter are timed.
const CROWD: u32 = 40;

/// Measures everything and writes the report. Keep the machine quiet meanwhile.
///
/// # Errors
/// When a program is absent or fails.
pub fn benchmarks() -> anyhow::Result<String> {
    let clip = cache::folder().join("clips/vtest.avi");
    let large = large_clip(&clip)?;
    let python = Python::set_up()?;
    let mut text = "# What counting costs\n\nWritten by `make bench`; do not edit.\n\n".to_owned();
    text += &machine::description();
    text += &format!(
        "\nProcessor time of all processes together, start-up included; `{MODEL}`, ONNX Runtime 1.23.2, one thread. \
         Each figure is the mean of {ROUNDS} rounds in which everything runs in turn; ratios are taken within a round.\n"
    );
    let mut page = Page(text);
    page.section("Every frame, against decoding and inference alone", || overhead(&clip))?;
    page.section("The jail", || jail::section(&clip, jail::JAIL_ROUNDS))?;
    page.section("1080p at 25 frames a second, against Python", || against_python(&large, &python))?;
    page.section("A second of a street in 1080p", || second::section(&clip, &python))?;
    page.section("Masks", || mask_cost::section(&clip, mask_cost::MASK_ROUNDS))?;
    page.section("Tracking and counting", crowd)?;
    page.section("Live cameras", || {
        cameras::section(&clip, &cameras::CAMERAS, Duration::from_secs(cameras::CAMERAS_S), false)
    })?;
    page.section("A camera's substream", || substream::section(&clip, &substream::SUBSTREAM_RUNS))?;
    Ok(page.0)
}

/// Of that report the section about a second of a street in 1080p, with when and on what it was measured.
///
/// # Errors
/// When a program is absent or fails.
pub fn second() -> anyhow::Result<String> {
    let clip = cache::folder().join("clips/vtest.avi");
    Ok(format!("{}\n{}", machine::description(), second::section(&clip, &Python::set_up()?)?))
}

/// The clip enlarged to 1920 x 1080 and played at 25 frames a second, as a camera's H.264.
fn large_clip(clip: &Path) -> anyhow::Result<PathBuf> {
    let large = clip.with_file_name("vtest-1080p25.mp4");
    if large.is_file() {
        return Ok(large);
    }
    anyhow::ensure!(clip.is_file(), "{} is absent; `models/fetch` fetches it", clip.display());
    let unfinished = large.with_extension("part.mp4");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y", "-r", "25", "-i"])
        .arg(clip)
        .args([
            "-vf",
            "scale=1440:1080,pad=1920:1080:240:0",
            "-c:v",
            "libx264",
            "-preset",
            "fast",
            "-crf",
            "23",
        ])
        .args(["-pix_fmt", "yuv420p", "-g", "50", "-an"])
        .arg(&unfinished)
        .status()
        .context("cannot run ffmpeg, which makes the 1080p clip; install the package ffmpeg")?;
    anyhow::ensure!(status.success(), "ffmpeg could not make {}", large.display());
    std::fs::rename(&unfinished, &large)?;
    Ok(large)
}

/// The product on a video, as an owner would call it.
pub(super) fn count(video: &Path, every_frame: bool, scale: f32, right: f32) -> anyhow::Result<Cost> {
    let own = std::env::current_exe()?;
    let mut command = Command::new(own.with_file_name("outis"));
    command.arg("count").arg(video).arg("--json");
    if every_frame {
        command.arg("--every-frame");
    }
    for line in line_arguments(scale, right) {
        command.arg("--line").arg(line);
    }
    processes::run(command)
}

/// The same work in one process that nothing holds: this very program.
pub(super) fn without_the_jail(video: &Path) -> anyhow::Result<Cost> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("video").arg(video).arg("--json");
    for line in line_arguments(1.0, 0.0) {
        command.arg("--line").arg(line);
    }
    processes::run(command)
}

fn line_arguments(scale: f32, right: f32) -> Vec<String> {
    let line = |&(name, [x1, y1, x2, y2]): &(&str, [f32; 4])| {
        format!("{name}:{},{},{},{}", x1 * scale + right, y1 * scale, x2 * scale + right, y2 * scale)
    };
    VTEST_LINES.iter().map(line).collect()
}

fn overhead(clip: &Path) -> anyhow::Result<String> {
    let mut watcher = Watcher::new(MODEL)?;
    // The clip is small enough to be shown whole, and gets the input of the same shape as in the product.
    watcher.way = Way::default();
    let (mut decoding, mut inference, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut frames = 0;
    for _ in 0..ROUNDS {
        let before = watcher.detector().spent().network;
        frames = watcher.watch(clip, 1)?.times.len();
        inference.push((watcher.detector().spent().network - before).as_secs_f64());
        decoding.push(watcher.watch(clip, FRAME_MAX)?.cpu.as_secs_f64());
        whole.push(count(clip, true, 1.0, 0.0)?.cpu.as_secs_f64());
    }
    let floor: Vec<f64> = decoding.iter().zip(&inference).map(|(d, i)| d + i).collect();
    let mut table = Table::new(["CPU per frame, 768 x 576", "ms", "ratio"]);
    let mut row = |name: &str, seconds: &[f64], ratio: String| {
        table.row([name.to_owned(), per_frame_ms(seconds, frames), ratio]);
    };
    row("decoding", &decoding, String::new());
    row("inference", &inference, String::new());
    row("both alone", &floor, "1".to_owned());
    row("`outis count --every-frame`", &whole, ratio(&whole, &floor));
    Ok(table.text())
}

fn against_python(clip: &Path, python: &Python) -> anyhow::Result<String> {
    let (mut default, mut every) = (Vec::new(), Vec::new());
    let (mut python_every, mut python_fifth) = (Vec::new(), Vec::new());
    let mut peak = (String::new(), 0);
    let (mut python_peak_mb, mut frames, mut speed): (f64, usize, f64) = (0.0, 0, 0.0);
    // 1440 of 576 lines' width, moved right by the border.
    let (scale, right) = (1080.0 / 576.0, 240.0);
    for _ in 0..ROUNDS {
        let cost = count(clip, false, scale, right)?;
        let peak_kb: u64 = cost.peak_kb.values().sum();
        let each = cost.peak_kb.iter().map(|(name, kb)| format!("{name} {} MB", kb / 1024));
        peak = peak.max((each.collect::<Vec<_>>().join(", "), peak_kb));
        default.push(cost.cpu.as_secs_f64());
        every.push(count(clip, true, scale, right)?.cpu.as_secs_f64());
        for (step, seconds) in [(1, &mut python_every), (5, &mut python_fifth)] {
            let answer = baseline(python, clip, step, scale, right)?;
            seconds.push(answer["cpu_s"].as_f64().context("baseline.py told no cpu_s")?);
            python_peak_mb = python_peak_mb.max(answer["peak_rss_mb"].as_f64().unwrap_or(0.0));
            frames = answer["frames"].as_u64().unwrap_or(0) as usize;
        }
        speed = speed.max(frames as f64 / cost.wall.as_secs_f64());
    }
    let mut table = Table::new(["CPU per frame, 1920 x 1080", "ms", "Python, every frame / this"]);
    for (name, seconds) in [
        ("`outis count`, 5 looks a second", &default),
        ("`outis count --every-frame`", &every),
        ("Python, every frame", &python_every),
        ("Python, every fifth frame", &python_fifth),
    ] {
        table.row([name.to_owned(), per_frame_ms(seconds, frames), ratio(&python_every, seconds)]);
    }
    Ok(format!(
        "Python is `bench/python/baseline.py`: OpenCV, ONNX Runtime, ByteTrack of `trackers`, LineZone of \
         `supervision`; without the start of its interpreter. The clip is `vtest.avi` enlarged.\n{}\
         `outis count` takes {:.0} frames a second. Memory at its peak: {} MB in all ({}); Python {:.0} MB.\n",
        table.text(),
        speed,
        peak.1 / 1024,
        peak.0,
        python_peak_mb
    ))
}

fn baseline(
    python: &Python,
    clip: &Path,
    every: u32,
    scale: f32,
    right: f32,
) -> anyhow::Result<serde_json::Value> {
    let mut command = python.program("baseline.py");
    command.arg("--video").arg(clip).arg("--every").arg(every.to_string()).arg("--json");
    command.arg("--model").arg(cache::folder().join("models").join(format!("{MODEL}.onnx")));
    command.args(["--decoding", "nanodet", "--threads", "1"]);
    for line in line_arguments(scale, right) {
        command.arg("--line").arg(line);
    }
    python::run(command)
}

fn per_frame_ms(seconds: &[f64], frames: usize) -> String {
    format!("{:.2}", 1e3 * Spread::of(seconds.iter().copied()).mean / frames.max(1) as f64)
}

/// Tracker and counter on a crowd that walks to and fro.
fn crowd() -> anyhow::Result<String> {
    let mut table = Table::new(["looks a second", "us per look", "us per frame at 25 a second"]);
    let lines: Vec<Line> = [[480.0, 0.0, 480.0, 1080.0], [1440.0, 0.0, 1440.0, 1080.0]]
        .into_iter()
        .map(|[x1, y1, x2, y2]| Line::new(ImagePoint::new(x1, y1), ImagePoint::new(x2, y2)))
        .collect::<Result<_, _>>()?;
    for (fps, every) in [(25.0, 1), (5.0, 5)] {
        let world = crowd_world();
        let looks: Vec<_> = noise::detect(&world, &Noise::field(), 1).into_iter().step_by(every).collect();
        let mut spent = Vec::new();
        for _ in 0..ROUNDS {
            let before = cpu::spent();
            let mut repeats = 0;
            // The kernel books in steps of 10 ms.
            while cpu::spent() - before < Duration::from_secs(1) {
                let timed = looks.iter().map(|look| (look.at, look.detections.as_slice()));
                product::count(timed, &lines, MeasureSettings::default())?;
                repeats += 1;
            }
            spent.push((cpu::spent() - before).as_secs_f64() / f64::from(repeats) / looks.len() as f64);
        }
        let us = 1e6 * Spread::of(spent).mean;
        table.row([fps.to_string(), format!("{us:.1}"), format!("{:.1}", us / every as f64)]);
    }
    Ok(format!(
        "{CROWD} people in the picture, two lines, noisy boxes of the counting benchmark.\n{}",
        table.text()
    ))
}

/// Two minutes of people who walk to and fro on paths of their own.
fn crowd_world() -> World {
    let fps = 25.0;
    let person = |person: u32, time_s: f64| {
        let mut random = Random::named(1, person.into());
        let (phase, speed) = (random.between(0.0, 3000.0), random.between(60.0, 160.0));
        let (top, height) = (random.between(100.0, 850.0), random.between(90.0, 180.0));
        // A triangle wave between 100 and 1700.
        let way = (phase + speed * time_s) % 3200.0;
        let left = 100.0 + if way < 1600.0 { way } else { 3200.0 - way };
        let [left, top, width, height] = [left, top, height / 3.0, height].map(|v| v as f32);
        let bbox = ImageBox::from_left_top_width_height(left, top, width, height);
        Presence { person, bbox, visible_share: 1.0 }
    };
    let frame = |index: u32| (0..CROWD).map(|id| person(id, f64::from(index) / fps)).collect();
    World { fps, frames: (0..3000).map(frame).collect() }
}
