//! The counting benchmark: real trajectories, seen by a simulated camera, spoiled like a detector spoils them,
//! given to a counter, and its counts held against the true passages.
//!
//! ```text
//! paths ──► world (camera, occlusion) ──► noise ──► every n-th frame ──► counter ──► report
//!              └──────► truth at 25 fps ─────────────────────────────────────────────┘
//! ```

pub mod camera;
pub mod distance;
mod dump;
mod groups;
pub mod lines;
pub mod noise;
pub mod paths;
pub mod world;

use std::path::{Path, PathBuf};

use outis_measure::Line;
use outis_record::DirectionalCount;

use crate::count_error::LineResult;
pub use crate::count_error::Report;
use crate::parallel::in_parallel;
use crate::passage;

use camera::Camera;
use lines::NamedLine;
pub use noise::{DetectedFrame, Noise};
use paths::{GroundPath, PathError, Street};
use world::World;

/// Rate at which the truth is taken.
const TRUTH_FPS: f64 = 25.0;

/// How the benchmark is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds `eth-ucy/`.
    pub data: PathBuf,
    /// Looks of the detector in a second.
    pub fps: f64,
    /// What spoils the boxes.
    pub noise: Noise,
    /// Runs with different noise, seeds 1 to this number.
    pub seeds: u64,
}

/// Why the benchmark could not run.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The trajectories cannot be read.
    #[error(transparent)]
    Paths(#[from] PathError),
    /// The dump cannot be written.
    #[error("cannot write the dump: {0}")]
    Dump(#[from] std::io::Error),
}

/// The folder with trajectories: `OUTIS_SHARED`, or `../shared/data` beside the checkout.
pub fn default_data() -> PathBuf {
    std::env::var_os("OUTIS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from)
}

/// Runs a counter on every street with every seed. The counter gets the frames looked at, how many of them
/// pass in a second, and the lines; it answers with the passages over each line.
///
/// # Errors
/// When the trajectories are absent or not understood.
pub fn bench<C>(counter: C, options: &Options) -> Result<Report, BenchError>
where
    C: Fn(&[DetectedFrame], f64, &[Line]) -> Vec<DirectionalCount> + Sync,
{
    let alone = |looks: &[DetectedFrame], fps: f64, lines: &[Line]| vec![counter(looks, fps, lines)];
    Ok(bench_many(alone, options)?.pop().unwrap_or(Report { lines: Vec::new() }))
}

/// Runs several counters at once: the answer has the passages of each of them, always in the same order, and so
/// have the reports.
///
/// # Errors
/// When the trajectories are absent or not understood.
pub fn bench_many<C>(counters: C, options: &Options) -> Result<Vec<Report>, BenchError>
where
    C: Fn(&[DetectedFrame], f64, &[Line]) -> Vec<Vec<DirectionalCount>> + Sync,
{
    let stages = stages(options)?;
    let jobs: Vec<(&Stage, u64)> =
        stages.iter().flat_map(|stage| (1..=options.seeds).map(move |seed| (stage, seed))).collect();
    let counted = in_parallel(&jobs, |(stage, seed)| {
        let lines: Vec<Line> = stage.lines.iter().map(|named| named.line).collect();
        counters(&stage.looks(options, *seed), options.fps, &lines)
    });
    let counters = counted.iter().map(Vec::len).max().unwrap_or(0);
    let report = |counter: usize| {
        let runs = stages.iter().zip(counted.chunks(options.seeds.max(1) as usize));
        Report { lines: runs.flat_map(|(stage, runs)| stage.results(runs, counter)).collect() }
    };
    Ok((0..counters).map(report).collect())
}

/// Writes what [`bench()`] would give to a counter: a folder `<street>-<seed>` each.
///
/// # Errors
/// When the trajectories are absent or not understood, or a file cannot be written.
pub fn dump(folder: &Path, options: &Options) -> Result<(), BenchError> {
    for stage in stages(options)? {
        for seed in 1..=options.seeds {
            let folder = folder.join(format!("{}-{seed}", stage.street.name()));
            let looks = stage.looks(options, seed);
            dump::write(&folder, options.fps, &looks, &stage.truth, &stage.lines, &stage.true_counts)?;
        }
    }
    Ok(())
}

/// One street, ready to be looked at.
struct Stage {
    street: Street,
    lines: Vec<NamedLine>,
    truth: World,
    true_counts: Vec<DirectionalCount>,
    // The same street at the rate from which the looks are taken.
    world: World,
    every: usize,
}

impl Stage {
    fn new(street: Street, paths: &[GroundPath], options: &Options) -> Self {
        let lines = lines::choose(paths, &Camera::of(street));
        let truth = World::new(street, paths, TRUTH_FPS);
        let segments: Vec<Line> = lines.iter().map(|named| named.line).collect();
        let true_counts = passage::count(&truth.objects(), TRUTH_FPS, &segments);
        // Noise has its own clock: bursts of misses go on between two looks.
        let every = (TRUTH_FPS / options.fps).ceil().max(1.0);
        let world = World::new(street, paths, options.fps * every);
        Self { street, lines, truth, true_counts, world, every: every as usize }
    }

    /// What one of several counters said in every run.
    fn results(&self, runs: &[Vec<Vec<DirectionalCount>>], counter: usize) -> Vec<LineResult> {
        let counted = |run: &Vec<Vec<DirectionalCount>>, line: usize| {
            run.get(counter).and_then(|counts| counts.get(line)).copied().unwrap_or_default()
        };
        let result = |(line, named): (usize, &NamedLine)| LineResult {
            name: format!("{}/{}", self.street.name(), named.name),
            truth: self.true_counts[line],
            counted: runs.iter().map(|run| counted(run, line)).collect(),
        };
        self.lines.iter().enumerate().map(result).collect()
    }

    fn looks(&self, options: &Options, seed: u64) -> Vec<DetectedFrame> {
        noise::detect(&self.world, &options.noise, seed).into_iter().step_by(self.every).collect()
    }
}

fn stages(options: &Options) -> Result<Vec<Stage>, BenchError> {
    let read = |street| Ok((street, paths::read(street, &options.data)?));
    let streets = Street::ALL.into_iter().map(read).collect::<Result<Vec<_>, BenchError>>()?;
    Ok(in_parallel(&streets, |(street, paths)| Stage::new(*street, paths, options)))
}
