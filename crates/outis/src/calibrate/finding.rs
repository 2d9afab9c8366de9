//! The ground from the people who walk by, for the page: the eye fits how the camera hangs, and the page gets it as a rectangle
//! that lies on the ground, to be looked at, dragged and written as one that was measured.

use std::time::Duration;

use outis_record::Quality;
use serde::Serialize;

use super::{
    job::Job,
    watching::{self, LONGEST_S, Stage, Watched},
};
use crate::{
    ground::Pose,
    launch::{CameraPlan, Programs},
};

/// Where in the picture the rectangle's near side is, as a share of the height.
const NEAR_SIDE: f64 = 0.85;
/// The far side is so many times as far away.
const FAR_TIMES: f64 = 1.8;
/// Half its width, as a share of what the picture shows at the near side.
const HALF_WIDTH: f64 = 0.25;

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Found {
    /// People are being watched.
    Running { media_s: f64 },
    /// Those who were seen are enough for whoever asks, or it was long enough: the eye fits.
    Fitting,
    /// A rectangle on the ground, and how good distances are. `quality` has a letter for each cell of
    /// [`outis_record::GroundQuality::GRID`]: g is good, f is fair, p is poor.
    Ground {
        corners: [[f64; 2]; 4],
        sides_m: [f64; 2],
        people: u32,
        good_percent: u8,
        fair_percent: u8,
        quality: String,
    },
    /// Those who were seen do not tell it: they were too few, or too large in the picture. `broke_off` is true when the
    /// source ended before its time, and `slow` when looks were left out.
    Nobody { media_s: u64, broke_off: bool, slow: bool },
    /// Nobody could be watched.
    Failed { why: String },
}

/// Starts to watch a camera, but not where nobody is to look; to the end of its file, or until the job is to finish.
pub(super) fn start(camera: CameraPlan, picture_px: [u32; 2], programs: Programs) -> Job<Found> {
    // Where nobody is to look, nobody is measured either.
    let plan = CameraPlan { scene: camera.scene, ..watching::plan(camera.source, camera.detector, None) };
    let longest = Duration::from_secs(LONGEST_S.into());
    Job::start(Found::Running { media_s: 0.0 }, move |newest, stop| async move {
        let watched = watching::watch(plan, longest, &programs, &stop, |stage| {
            newest.tell(match stage {
                Stage::Watching { media_ms, .. } => Found::Running { media_s: media_ms as f64 / 1000.0 },
                Stage::Fitting => Found::Fitting,
            });
        })
        .await;
        newest.tell(match watched {
            Ok(watched) => Found::of(&watched, picture_px),
            Err(error) => Found::Failed { why: error.to_string() },
        });
    })
}

impl Found {
    fn of(watched: &Watched, picture_px: [u32; 2]) -> Self {
        let Some((view, quality)) = &watched.ground else {
            let (media_s, slow) = (watched.seconds(), watched.was_slow());
            return Self::Nobody { media_s, broke_off: watched.broke_off, slow };
        };
        match rectangle(&Pose::found(view, picture_px)) {
            Some((corners, sides_m)) => Self::Ground {
                corners,
                sides_m,
                people: view.people.into(),
                good_percent: view.good_percent,
                fair_percent: view.fair_percent,
                quality: quality.0.iter().map(letter).collect(),
            },
            None => Self::Failed { why: "the ground that was found is not in the picture".to_owned() },
        }
    }
}

fn letter(quality: &Quality) -> char {
    match quality {
        Quality::Good => 'g',
        Quality::Fair => 'f',
        Quality::Poor => 'p',
    }
}

/// Four places of the picture, and the sides in metres of what they are on the ground: from the first to the second, and
/// from the second to the third.
fn rectangle(pose: &Pose) -> Option<([[f64; 2]; 4], [f64; 2])> {
    let [width, height] = pose.picture_px.map(f64::from);
    // The whole picture may be ground, or its lower part only.
    let [_, near_m] = pose.ground_m([width / 2.0, NEAR_SIDE * height])?;
    let [left_m, _] = pose.ground_m([0.0, NEAR_SIDE * height])?;
    let [right_m, _] = pose.ground_m([width, NEAR_SIDE * height])?;
    let tenth = |metres: f64| (10.0 * metres).round() / 10.0;
    let half_m = tenth(HALF_WIDTH * (right_m - left_m).abs()).max(0.1);
    let depth_m = tenth((FAR_TIMES - 1.0) * near_m.abs().max(1.0)).max(0.1);
    let at = |x_m: f64, y_m: f64| pose.picture_of([x_m, near_m + y_m]);
    let corners = [at(-half_m, 0.0)?, at(half_m, 0.0)?, at(half_m, depth_m)?, at(-half_m, depth_m)?];
    let inside = |[x, y]: &[f64; 2]| (0.0..=width).contains(x) && (0.0..=height).contains(y);
    corners.iter().all(inside).then_some((corners, [2.0 * half_m, depth_m]))
}

#[cfg(test)]
mod tests {
    use outis_measure::{CameraPose, ImagePoint};
    use outis_record::{Notice, Outcome, Progress};

    use super::*;
    use crate::camera::Finish;

    #[test]
    fn the_rectangle_lies_on_the_ground_that_the_eye_would_measure_on() {
        for (focal_px, pitch_deg, roll_deg, height_m) in
            [(1190.4, 16.48, -3.09, 7.07), (600.0, 35.0, 0.0, 4.0), (900.0, 25.0, 4.0, 12.0)]
        {
            let pose = Pose { focal_px, pitch_deg, roll_deg, height_m, picture_px: [768, 576] };
            let (corners, sides_m) = rectangle(&pose).unwrap();
            let camera = CameraPose {
                focal_px,
                pitch_rad: pitch_deg.to_radians(),
                roll_rad: roll_deg.to_radians(),
                height_m,
                center_px: [384.0, 288.0],
            };
            let plane = camera.ground_plane().unwrap();
            let [a, b, c, d] =
                corners.map(|[x, y]| plane.locate(ImagePoint::new(x as f32, y as f32)).unwrap());
            let diagonal = sides_m[0].hypot(sides_m[1]);
            for (found, expected) in [
                (a.distance_m(b), sides_m[0]),
                (b.distance_m(c), sides_m[1]),
                (c.distance_m(d), sides_m[0]),
                (d.distance_m(a), sides_m[1]),
                (a.distance_m(c), diagonal),
                (b.distance_m(d), diagonal),
            ] {
                assert!(
                    (f64::from(found) - expected).abs() < 0.01 * expected,
                    "{pose:?}: {found} m, {expected} m"
                );
            }
        }
    }

    #[test]
    fn who_finds_nothing_says_why() {
        let watched = |broke_off, looks| Watched {
            ground: None,
            broke_off,
            finish: Finish {
                outcome: Outcome::Truncated,
                progress: Progress { media_ms: 34_900, looks, ..Progress::default() },
                notices: [(Notice::Behind, 3)].into(),
                stopped: !broke_off,
            },
        };
        for (name, watched, broke_off, slow) in [
            ("enough", watched(false, 172), false, false),
            ("it broke off", watched(true, 175), true, false),
            ("too slow", watched(false, 90), false, true),
        ] {
            let found = Found::of(&watched, [768, 576]);
            assert_eq!(found, Found::Nobody { media_s: 34, broke_off, slow }, "{name}");
        }
        let sky =
            Pose { focal_px: 600.0, pitch_deg: -40.0, roll_deg: 0.0, height_m: 4.0, picture_px: [768, 576] };
        assert_eq!(rectangle(&sky), None);
    }
}
