//! How right distances are: real trajectories seen by a simulated camera with a noisy detector, given to the measurer
//! with a ground plane, and its figures held against those of the true positions.
//!
//! The truth is taken of everybody whose feet are in the picture, at the times of the looks.

use std::path::Path;

use outis_measure::{
    GroundPoint, GroundSettings, MeasureSettings, Measurer, NearSettings, Scene, pairs_nearer,
};
use outis_record::{Area, Class, GroundCells, GroundTotals, NEAREST_SPANS, NEAREST_UNTIL_CM, Schema};

use super::camera::{Camera, PICTURE_PX};
use super::groups::Groups;
use super::noise::{self, DetectedFrame, Noise};
use super::paths::{GroundPath, Street, read};
use super::world::World;
use super::{BenchError, TRUTH_FPS};
use crate::parallel::in_parallel;

/// The distances of which is told, in metres.
pub const DISTANCES_M: [f32; 2] = [1.0, 2.0];

/// Two who stay nearer for so long meet, in seconds.
pub const ENCOUNTER_S: f32 = 5.0;

/// Longer than any recording: one window.
const WINDOW_MS: u32 = u32::MAX;

/// What was measured, or what is true.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Distances {
    /// Person-seconds.
    pub present_s: f64,
    /// Share of them with a neighbour nearer than each of the distances.
    pub near_share: [f64; 2],
    /// Pairs that stayed nearer than each of the distances.
    pub encounters: [u32; 2],
    /// Share of the person-time in each span of nearest distances.
    pub spans: [f64; NEAREST_SPANS],
}

/// One street: the truth, and what was measured with each seed.
#[derive(Debug, Clone)]
pub struct Run {
    /// Which street.
    pub street: Street,
    /// The truth, with the annotated groups.
    pub truth: Distances,
    /// The truth, with those for groups too who walk like one and are not annotated. The same where groups are counted.
    pub completed: Distances,
    /// What was measured, seed by seed.
    pub measured: Vec<Distances>,
}

/// How the benchmark is run.
#[derive(Debug, Clone, Copy)]
pub struct DistanceOptions {
    /// Looks of the detector in a second.
    pub fps: f64,
    /// What spoils the boxes.
    pub noise: Noise,
    /// Runs with different noise, seeds 1 to this number.
    pub seeds: u64,
    /// Whether people who walk together are no neighbours of each other.
    pub leave_out_groups: bool,
    /// How high the camera hangs, in metres.
    pub height_m: f64,
}

/// How high the camera of the benchmarks hangs, in metres.
pub const HEIGHT_M: f64 = 6.0;

/// Measures both streets.
///
/// # Errors
/// When the trajectories or groups are absent or not understood.
pub fn run(data: &Path, options: DistanceOptions) -> Result<Vec<Run>, BenchError> {
    let every = (TRUTH_FPS / options.fps).ceil().max(1.0);
    let mut stages = Vec::new();
    for street in Street::ALL {
        let (paths, groups) = (read(street, data)?, Groups::read(street, data)?);
        let camera = Camera::at_height(street, options.height_m);
        let world = World::seen_by(&camera, &paths, options.fps * every);
        stages.push((street, paths, groups, world));
    }
    let jobs: Vec<(usize, u64)> =
        (0..stages.len()).flat_map(|stage| (1..=options.seeds).map(move |seed| (stage, seed))).collect();
    let measured = in_parallel(&jobs, |&(stage, seed)| {
        let (street, _, _, world) = &stages[stage];
        let looks = noise::detect(world, &options.noise, seed).into_iter().step_by(every as usize);
        measure(*street, looks, options)
    });
    let measured = measured.chunks(options.seeds.max(1) as usize);
    Ok(stages
        .iter()
        .zip(measured)
        .map(|((street, paths, groups, _), measured)| Run {
            street: *street,
            truth: truth(*street, paths, groups, options),
            completed: truth(*street, paths, &groups.clone().completed(*street), options),
            measured: measured.to_vec(),
        })
        .collect())
}

fn measure(
    street: Street,
    looks: impl Iterator<Item = DetectedFrame>,
    options: DistanceOptions,
) -> Distances {
    let scene = Scene {
        ground: Some(Camera::at_height(street, options.height_m).ground_plane()),
        ..Scene::default()
    };
    let near = NearSettings {
        distances_m: [DISTANCES_M[0], DISTANCES_M[1], 0.0],
        encounter_s: ENCOUNTER_S,
        leave_out_groups: options.leave_out_groups,
    };
    let settings = MeasureSettings {
        ground: GroundSettings { near, heat: None },
        window_ms: WINDOW_MS,
        ..MeasureSettings::default()
    };
    let cells = GroundCells { thresholds: 2, ..GroundCells::default() };
    let schema = Schema::new(0, 0, &[Class::Person], false).and_then(|schema| schema.with_ground(cells));
    let mut measurer = Measurer::new(scene, schema.expect("people are counted"), settings);
    for look in looks {
        measurer.look(look.at, &look.detections);
    }
    measurer.finish();
    measurer.take_closed().first().map(|(totals, _)| shares(totals.ground())).unwrap_or_default()
}

fn shares(totals: &GroundTotals) -> Distances {
    let spans = totals.nearest_ms(Area::View).map(|ms| ms as f64);
    let all: f64 = spans.iter().sum();
    let near = [0u8, 1].map(|threshold| totals.near(Area::View, threshold));
    Distances {
        present_s: all / 1000.0,
        near_share: near.map(|near| near.near_ms as f64 / all.max(1.0)),
        encounters: near.map(|near| near.encounters),
        spans: spans.map(|ms| ms / all.max(1.0)),
    }
}

/// The same figures of the true positions.
fn truth(street: Street, paths: &[GroundPath], groups: &Groups, options: DistanceOptions) -> Distances {
    let camera = Camera::at_height(street, options.height_m);
    let end_s = paths.iter().map(GroundPath::end_s).fold(0.0, f64::max);
    let mut near = [0u32; 2];
    let mut spans = [0u32; NEAREST_SPANS];
    let mut meetings = [Meetings::default(), Meetings::default()];
    for look in 0..=(end_s * options.fps).floor() as usize {
        let time_s = look as f64 / options.fps;
        let (people, positions): (Vec<u32>, Vec<GroundPoint>) = paths
            .iter()
            .filter_map(|path| Some((path.person, path.at(time_s)?)))
            .filter(|(_, p)| in_picture(&camera, *p))
            .unzip();
        let reach_m = f32::from(NEAREST_UNTIL_CM[NEAREST_UNTIL_CM.len() - 1]) / 100.0;
        let mut nearest_m = vec![f32::INFINITY; people.len()];
        for pair in pairs_nearer(&positions, reach_m) {
            let [a, b] = [pair.a, pair.b].map(usize::from);
            if options.leave_out_groups && groups.are_together(people[a], people[b]) {
                continue;
            }
            for (threshold, meetings) in meetings.iter_mut().enumerate() {
                if pair.distance_m < DISTANCES_M[threshold] {
                    meetings.near((people[a].min(people[b]), people[a].max(people[b])), time_s);
                }
            }
            for person in [a, b] {
                nearest_m[person] = nearest_m[person].min(pair.distance_m);
            }
        }
        for nearest_m in nearest_m {
            for (near, than_m) in near.iter_mut().zip(DISTANCES_M) {
                *near += u32::from(nearest_m < than_m);
            }
            spans[NEAREST_UNTIL_CM.partition_point(|&cm| f32::from(cm) <= nearest_m * 100.0)] += 1;
        }
    }
    let all = f64::from(spans.iter().sum::<u32>());
    Distances {
        present_s: all / options.fps,
        near_share: near.map(|near| f64::from(near) / all.max(1.0)),
        encounters: meetings.map(|meetings| meetings.counted),
        spans: spans.map(|span| f64::from(span) / all.max(1.0)),
    }
}

fn in_picture(camera: &Camera, ground: GroundPoint) -> bool {
    camera
        .project(ground, 0.0)
        .is_some_and(|p| (0.0..PICTURE_PX.0).contains(&p.x_px) && (0.0..PICTURE_PX.1).contains(&p.y_px))
}

/// Pairs that are near, since when, until when, and whether they were counted.
#[derive(Debug, Default)]
struct Meetings {
    under_way: std::collections::BTreeMap<(u32, u32), (f64, f64, bool)>,
    counted: u32,
}

impl Meetings {
    fn near(&mut self, pair: (u32, u32), time_s: f64) {
        let (since_s, until_s, counted) = self.under_way.entry(pair).or_insert((time_s, time_s, false));
        if time_s - *until_s > 1.0 {
            (*since_s, *counted) = (time_s, false);
        }
        *until_s = time_s;
        if !*counted && time_s - *since_s >= f64::from(ENCOUNTER_S) {
            *counted = true;
            self.counted += 1;
        }
    }
}

impl Run {
    /// The relative error of the mean share nearer than one of the distances, against the truth with those for groups too
    /// who are not annotated.
    pub fn completed_error(&self, threshold: usize) -> f64 {
        self.mean(|measured| measured.near_share[threshold]) / self.completed.near_share[threshold] - 1.0
    }

    /// The relative errors of the share nearer than one of the distances, seed by seed.
    pub fn near_errors(&self, threshold: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        let truth = self.truth.near_share[threshold];
        self.measured.iter().map(move |measured| measured.near_share[threshold] / truth - 1.0)
    }

    /// Their mean.
    pub fn near_error(&self, threshold: usize) -> f64 {
        self.near_errors(threshold).sum::<f64>() / self.measured.len().max(1) as f64
    }

    /// A figure's mean over the seeds.
    pub fn mean(&self, of: impl Fn(&Distances) -> f64) -> f64 {
        self.measured.iter().map(of).sum::<f64>() / self.measured.len().max(1) as f64
    }
}
