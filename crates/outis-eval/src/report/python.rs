//! What Python packages make of the same boxes: runs the programs of `bench/python`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use outis_measure::Line;
use outis_record::DirectionalCount;
use serde_json::Value;

use super::checkout;

/// Settings of supervision's LineZone that are compared.
pub(super) const COUNTERS: [&str; 3] = ["line_zone_default", "bottom_centre_1", "bottom_centre_3"];

/// The environment with the pinned packages.
#[derive(Debug)]
pub(super) struct Python {
    interpreter: PathBuf,
}

/// Boxes for `count_tracks.py`.
#[derive(Debug)]
pub(super) struct Boxes<'a> {
    pub(super) file: &'a Path,
    pub(super) fps: f64,
    pub(super) every: u32,
    pub(super) frames: usize,
    pub(super) score_min: f32,
    pub(super) lines: &'a [(String, Line)],
}

impl Python {
    /// Makes the environment when it is not there yet.
    pub(super) fn set_up() -> anyhow::Result<Self> {
        let setup = checkout().join("bench/python/setup");
        let output = Command::new(&setup)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", setup.display()))?;
        anyhow::ensure!(output.status.success(), "{} failed", setup.display());
        let text = String::from_utf8(output.stdout)?;
        Ok(Self { interpreter: text.trim().into() })
    }

    /// Passages by each tracker with each counter of [`COUNTERS`], in the order given; tracks go to a folder.
    pub(super) fn count_tracks(
        &self,
        boxes: &Boxes<'_>,
        trackers: &[&str],
        tracks_out: Option<&Path>,
    ) -> anyhow::Result<Vec<Vec<Vec<DirectionalCount>>>> {
        let mut command = self.program("count_tracks.py");
        command.arg("--detections").arg(boxes.file).arg("--classes").arg("person");
        command.arg("--fps").arg(boxes.fps.to_string()).arg("--every").arg(boxes.every.to_string());
        command.arg("--frames").arg(boxes.frames.to_string());
        command.arg("--score-min").arg(boxes.score_min.to_string());
        for tracker in trackers {
            command.arg("--tracker").arg(tracker);
        }
        for (name, line) in boxes.lines {
            let (a, b) = (line.start(), line.end());
            command.arg("--line").arg(format!("{name}:{},{},{},{}", a.x_px, a.y_px, b.x_px, b.y_px));
        }
        if let Some(folder) = tracks_out {
            command.arg("--tracks-out").arg(folder);
        }
        let answer = run(command)?;
        let counts = |tracker: &&str| {
            let counters = &answer["trackers"][tracker]["counters"];
            COUNTERS.iter().map(|counter| line_counts(&counters[counter]["lines"])).collect()
        };
        trackers.iter().map(counts).collect()
    }

    /// One of the programs, to be given arguments.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(&self.interpreter);
        // No __pycache__ in the checkout.
        command.arg("-B").arg(checkout().join("bench/python").join(name));
        command
    }
}

/// Runs a program that prints one JSON object.
pub(super) fn run(mut command: Command) -> anyhow::Result<Value> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {told}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no JSON"))
}

/// Passages over each line, as the programs print them.
pub(super) fn line_counts(lines: &Value) -> anyhow::Result<Vec<DirectionalCount>> {
    let count = |line: &Value| {
        let number = |key: &str| line[key].as_u64().and_then(|n| u32::try_from(n).ok());
        Some(DirectionalCount { forward: number("forward")?, backward: number("backward")? })
    };
    let counts = lines.as_array().and_then(|lines| lines.iter().map(count).collect::<Option<Vec<_>>>());
    counts.context("lines without counts were printed")
}
