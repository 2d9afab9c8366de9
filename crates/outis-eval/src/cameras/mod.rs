//! How many live cameras one machine carries: the shipped programs on real RTSP streams of the composed street, one
//! camera more each time until looks are lost. What a camera's second stream saves is in `substream.rs`.
//!
//! ```text
//!  rtsp_server.py ──► N x outis-intake ─► N x outis-eye ─► tee ─► outis watch
//!  (not ours)                                               └────► a file each, which tells looks exactly
//! ```

mod film;
mod overheard;
mod rig;
pub mod substream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use outis_eye::plan::{PlanSettings, Way};
use outis_measure::{Line, MeasureSettings};

use crate::compose::{STREET_B, Street, Variant};
use crate::mot::FRAME_MAX;
use crate::watch::Watcher;
use crate::{compose, cpu, product};

pub use self::overheard::Heard;
use self::rig::{Plan, Rig};

/// The default detector of the product.
const MODEL: &str = "nanodet-g";
/// Looks a second, the default of the product.
pub const LOOKS_PER_S: f64 = 5.0;
/// Frames a second of the film.
pub const FPS: u32 = 25;
/// Lines of each camera.
const LINES: usize = 3;
/// Before anything is measured: models are loaded, what came meanwhile is caught up with, motion is learnt.
const WARM_UP: Duration = Duration::from_secs(8);

/// What a number of cameras cost, and what was lost.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many cameras.
    pub cameras: usize,
    /// For how long it was measured.
    pub wall: Duration,
    /// Each camera's part, in the order of their starts.
    pub heard: Vec<Heard>,
    /// Processor time by program, the server's too.
    pub cpu: BTreeMap<String, Duration>,
    /// Resident memory of all processes of a program, in kB.
    pub memory_kb: BTreeMap<String, u64>,
}

/// The program that is not ours.
pub const SERVER: &str = "server";

impl Load {
    /// Looks a second that were done, of the camera that came off worst.
    pub fn looks_per_s(&self) -> f64 {
        let least = self.heard.iter().map(|heard| heard.looks).min().unwrap_or(0);
        f64::from(least) / self.wall.as_secs_f64()
    }

    /// Looks that were left out, of all cameras.
    pub fn looks_lost(&self) -> u32 {
        self.heard.iter().map(|heard| heard.behind).sum()
    }

    /// Frames that never came, of all that the film has in that time; less than nothing when some came late before.
    pub fn frames_lost(&self) -> f64 {
        let came: u32 = self.heard.iter().map(|heard| heard.frames).sum();
        let media_s: f64 = self.heard.iter().map(|heard| heard.media_ms as f64 / 1e3).sum();
        media_s * f64::from(FPS) - f64::from(came)
    }

    /// The share of time that was observed, of the camera that came off worst.
    pub fn observed(&self) -> f64 {
        self.heard.iter().map(Heard::observed).fold(1.0, f64::min)
    }

    /// By how much the eyes' newest word was older at the end than at the beginning, at worst.
    pub fn lag_growth(&self) -> Duration {
        let wall_ms = self.wall.as_millis() as u64;
        let most = self.heard.iter().map(|heard| wall_ms.saturating_sub(heard.media_ms)).max();
        Duration::from_millis(most.unwrap_or(0))
    }

    /// Whether no look was left out, and every camera got all of them.
    pub fn is_carried(&self) -> bool {
        // The ends of the measurement cut off one look at most.
        let due = LOOKS_PER_S * self.wall.as_secs_f64() - 1.0 - LOOKS_PER_S * self::overheard::WORD_S;
        let least = self.heard.iter().map(|heard| heard.looks).min().unwrap_or(0);
        self.looks_lost() == 0 && f64::from(least) >= due
    }

    /// Processor seconds in each second, of our programs.
    pub fn cores(&self) -> f64 {
        let ours = self.cpu.iter().filter(|(name, _)| *name != SERVER);
        ours.map(|(_, spent)| spent.as_secs_f64()).sum::<f64>() / self.wall.as_secs_f64()
    }
}

/// Runs so many cameras for so long.
///
/// # Errors
/// When the film cannot be made, or a program is absent or fails.
pub fn load(clip: &Path, cameras: usize, measure: Duration) -> anyhow::Result<Load> {
    let street = compose::prepare(STREET_B, Variant::Day, clip)?;
    let film = film::prepare(&street)?;
    let lines: Vec<_> = STREET_B.lines()?.into_iter().take(LINES).collect();
    let plan = Plan { cameras, film: &film, substream: None, model: MODEL, class: None, lines: &lines };
    let mut rig = Rig::start(&plan)?;
    rig.wait_for_looks()?;
    std::thread::sleep(WARM_UP);
    let (before, spent, started) = (rig.heard()?, rig.spent(), Instant::now());
    std::thread::sleep(measure);
    let (after, spent_then, wall) = (rig.heard()?, rig.spent(), started.elapsed());
    let memory_kb = rig.memory_kb();
    anyhow::ensure!(before.keys().eq(after.keys()), "an eye was started again meanwhile: {}", rig.words());
    rig.end()?;
    let heard = before.values().zip(after.values()).map(|(before, after)| after.since(before)).collect();
    let cpu = spent_then.into_iter().map(|(name, then)| {
        let before = spent.get(&name).copied().unwrap_or_default();
        (name, then.saturating_sub(before))
    });
    Ok(Load { cameras, wall, heard, cpu: cpu.collect(), memory_kb })
}

/// Where the time of one camera goes, in processor milliseconds for each second of video; in one process, unpaced.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    /// Reading the container and decoding every frame.
    pub decoding: f64,
    /// Scaling parts of frames to the detector's inputs.
    pub scaling: f64,
    /// Looking for motion, choosing where to look.
    pub planning: f64,
    /// The network.
    pub inference: f64,
    /// From its outputs to boxes.
    pub reading: f64,
    /// Tracks, lines, windows.
    pub tracking: f64,
}

impl Stages {
    /// All of it.
    pub fn sum(&self) -> f64 {
        let Self { decoding, scaling, planning, inference, reading, tracking } = self;
        decoding + scaling + planning + inference + reading + tracking
    }

    /// Each with the words of tables, in the order in which a frame goes through them.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("decoding", self.decoding),
            ("motion, and where to look", self.planning),
            ("scaling to the network's inputs", self.scaling),
            ("inference", self.inference),
            ("reading its outputs", self.reading),
            ("tracking and counting", self.tracking),
        ]
    }
}

/// A composed street by day, as a camera sends it, [`FPS`] frames a second; made when it is not there yet.
///
/// # Errors
/// When the clip or `ffmpeg` is absent.
pub fn film(street: Street, clip: &Path) -> anyhow::Result<PathBuf> {
    film::once(&compose::prepare(street, Variant::Day, clip)?)
}

/// The first seconds of such a film.
///
/// # Errors
/// When `ffmpeg` is absent.
pub fn first_seconds(film: &Path, seconds: u32) -> anyhow::Result<PathBuf> {
    film::first(film, seconds)
}

/// Measures the stages of the table's cameras.
///
/// # Errors
/// When the film cannot be made, or a program is absent or fails.
pub fn stages(clip: &Path) -> anyhow::Result<Stages> {
    let named = STREET_B.lines()?.into_iter().take(LINES);
    stages_of(MODEL, &film(STREET_B, clip)?, named.map(|(_, line)| line).collect())
}

/// Measures the stages with a model on a film with these lines.
///
/// # Errors
/// When the model is absent or a program fails.
pub fn stages_of(model: &str, film: &Path, lines: Vec<Line>) -> anyhow::Result<Stages> {
    let mut watcher = Watcher::new(model)?;
    (watcher.way, watcher.lines) = (Way::Planned(PlanSettings::default()), lines);
    watcher.looks_per_s = Some(LOOKS_PER_S);
    let decoding = watcher.watch(film, FRAME_MAX)?.cpu;
    let before = watcher.detector().spent();
    let watched = watcher.watch(film, (f64::from(FPS) / LOOKS_PER_S) as u32)?;
    let after = watcher.detector().spent();
    let started = cpu::spent();
    let mut repeats = 0;
    // The kernel books in steps of 10 ms.
    while cpu::spent() - started < Duration::from_millis(500) {
        product::count(watched.timed_looks(), &watcher.lines, MeasureSettings::default())?;
        repeats += 1;
    }
    let tracking = (cpu::spent() - started).as_secs_f64() / f64::from(repeats);
    let video_s = watched.times.len() as f64 / f64::from(FPS);
    let ms = |spent: f64| 1e3 * spent / video_s;
    let [inference, scaling, reading] =
        [after.network - before.network, after.scaling - before.scaling, after.reading - before.reading]
            .map(|spent| spent.as_secs_f64());
    let all = watched.cpu.as_secs_f64();
    let planning = (all - decoding.as_secs_f64() - inference - scaling - reading).max(0.0);
    Ok(Stages {
        decoding: ms(decoding.as_secs_f64()),
        scaling: ms(scaling),
        planning: ms(planning),
        inference: ms(inference),
        reading: ms(reading),
        tracking: ms(tracking),
    })
}
