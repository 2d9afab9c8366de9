//! Whether the ground that is measured on is the one that people walk on. Once a day whoever walks by is held against it:
//! people there must be as tall as people are, near and far, and as fast along the view as across it.
//!
//! Knows walks, which are short rows of numbers, and drops them with each check. It finds no ground: what it says is
//! that the one at hand can be, or can not.

use std::collections::BTreeMap;

use super::{
    AutoGround,
    fit::{
        BOX_LOG_SD, FOOT_SHARE, PACE_LOG_SD, PADDING_SD, PERSON_HEIGHT_M, PERSON_LOG_SD, SPEED_M_S, median,
    },
    gather::{Gather, Sample, Walk},
    pose::{CameraPose, dot},
    quality::{FOCAL_SD, SCALE_SD},
};
use crate::{GroundPlane, GroundPoint, ImagePoint, MediaTime, TrackPoint};

/// A ground that holds is checked again after so long, in seconds: a day.
const AGAIN_S: f32 = 86_400.0;

/// A check takes so many people: fifteen in each third, as many as a ground is made of.
const PEOPLE: usize = 3 * AutoGround::PEOPLE_MIN;

/// Near, middle and far people are judged apart: a camera that was turned has one of them right.
const BANDS: usize = 3;

/// Of fewer people no band is judged.
const BAND_PEOPLE_MIN: usize = 5;

/// Of fewer people no pace is judged: they differ more in it than in height.
const PACE_PEOPLE_MIN: usize = 2 * AutoGround::PEOPLE_MIN;

/// So many standard deviations are no chance: of a thousand grounds that hold, three are doubted at a check, and a second
/// check of other people must say the same.
const DEVIATIONS: f64 = 3.0;

/// A median of n values varies by this much more than their mean does.
const MEDIAN: f64 = 1.253;

/// The pace of a whole street tells little, as a logarithm: there are places for strolling and for hurrying, from 0.67 to
/// 2.7 m/s.
const PACE_RANGE_LOG: f64 = 0.7;

/// Who is faster or slower than the others by more than this, as a logarithm, runs or strolls: three times what walkers
/// differ by.
const PACE_BEND_LOG: f64 = 3.0 * PACE_LOG_SD;

/// A step is no longer judged where the foot is known less well than this, in metres.
const FOOT_MAX_M: f32 = 0.25;

/// How far a body reaches towards the camera and away from it, beside what [`CameraPose::box_height_px`] takes it for, in
/// metres: shoulders, bags, a stride. Seen from above it makes boxes taller.
const BODY_SD_M: f64 = 0.08;

/// What a height is said to be where there is no ground at all, as a logarithm.
const IMPOSSIBLE: f64 = 3.0;

/// Checks the ground of one camera.
#[derive(Debug)]
pub(crate) struct GroundCheck {
    plane: GroundPlane,
    gather: Gather,
    picture_px: (f32, f32),
    checked: Option<MediaTime>,
    belief: Belief,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    /// Nobody has walked by yet, or the ground held.
    Fine,
    /// It did not hold at the newest check.
    Strange,
    /// Nor at the one before.
    Doubted,
}

impl GroundCheck {
    pub(crate) fn new(plane: GroundPlane) -> Self {
        let (gather, picture_px) = (Gather::default(), (0.0, 0.0));
        Self { plane, gather, picture_px, checked: None, belief: Belief::Fine }
    }

    /// Takes all that was followed at one look, and the picture's size.
    pub(crate) fn look(&mut self, points: &[TrackPoint], picture_px: (f32, f32)) {
        self.picture_px = picture_px;
        self.gather.look(points, picture_px);
        let Some(at) = points.first().map(|point| point.at) else { return };
        let is_due = self.belief != Belief::Fine
            || self.checked.is_none_or(|checked| at.seconds_since(checked) >= AGAIN_S);
        if is_due && self.gather.len() >= PEOPLE {
            self.checked = Some(at);
            self.belief = match (self.holds(), self.belief) {
                (true, _) => Belief::Fine,
                (false, Belief::Fine) => Belief::Strange,
                (false, Belief::Strange | Belief::Doubted) => Belief::Doubted,
            };
        }
    }

    /// The source is over: the last word, of as many as there were.
    pub(crate) fn finish(&mut self) {
        let was_checked = self.checked.is_some() && self.belief == Belief::Fine;
        if !was_checked && self.belief != Belief::Doubted && self.gather.len() >= AutoGround::PEOPLE_MIN {
            self.belief = if self.holds() { Belief::Fine } else { Belief::Doubted };
        }
    }

    /// Whether people do not fit the ground: what is measured on it is wrong.
    pub(crate) fn doubts(&self) -> bool {
        self.belief == Belief::Doubted
    }

    /// Judges everybody who has walked by, and forgets them.
    fn holds(&mut self) -> bool {
        let walks = self.gather.take();
        let Some(camera) = CameraPose::over(&self.plane, self.picture_px) else { return false };
        heights_fit(&camera, &walks) && paces_fit(&camera, &self.plane, &walks)
    }
}

/// A sample against the ground.
struct Held {
    person: usize,
    /// Height of the box that is expected there, as a logarithm; lowest where there is no ground at all.
    size: f64,
    /// By how much the box is taller, as a logarithm.
    taller: f64,
    /// Tangent of the angle under which the camera looks down on the foot.
    steepness: f64,
}

/// Whether people are as tall as people are, whether they are near or far.
fn heights_fit(camera: &CameraPose, walks: &[Walk]) -> bool {
    let hold = |person: usize, sample: &Sample| {
        let expected =
            camera.box_height_px(sample.foot, PERSON_HEIGHT_M).zip(camera.ground_point(sample.foot));
        match expected {
            Some((height_px, ground)) => {
                let level = camera.level(ground);
                Held {
                    person,
                    size: height_px.ln(),
                    taller: (f64::from(sample.height_px) / height_px).ln(),
                    steepness: camera.height_m / dot(level, level).sqrt().max(0.1),
                }
            }
            None => Held { person, size: f64::MIN, taller: IMPOSSIBLE, steepness: 0.0 },
        }
    };
    let of_walk = |(person, walk): (usize, &Walk)| {
        walk.samples.iter().map(|sample| hold(person, sample)).collect::<Vec<_>>()
    };
    let mut samples: Vec<Held> = walks.iter().enumerate().flat_map(of_walk).collect();
    // By where they are, not by how tall they are: there must be no band of tall people.
    samples.sort_by(|a, b| a.size.total_cmp(&b.size));
    let middle = samples.get(samples.len() / 2).map_or(0.0, |sample| sample.size);
    samples.chunks(samples.len().div_ceil(BANDS).max(1)).all(|band| {
        // Ten boxes of one person are one person.
        let mut people: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        band.iter().for_each(|held| people.entry(held.person).or_default().push(held.taller));
        let people: Vec<f64> = people.values().map(|boxes| median(boxes)).collect();
        let Held { size, steepness, .. } = &band[band.len() / 2];
        let padding = PADDING_SD * (size - middle);
        let body = BODY_SD_M * steepness / PERSON_HEIGHT_M;
        let sampled = MEDIAN * PERSON_LOG_SD.hypot(BOX_LOG_SD) / (people.len() as f64).sqrt();
        let sd = SCALE_SD.hypot(padding).hypot(body).hypot(sampled);
        people.len() < BAND_PEOPLE_MIN || median(&people).abs() <= DEVIATIONS * sd
    })
}

/// Whether people are as fast along the view as across it, and about as fast as people are.
fn paces_fit(camera: &CameraPose, plane: &GroundPlane, walks: &[Walk]) -> bool {
    // Of each who walks: how much along the view, 0 to 1, and how fast.
    let of_walk = |walk: &Walk| {
        let steps: Vec<(f64, f64)> = walk.steps().filter_map(|step| pace(camera, plane, step)).collect();
        let column = |of: fn(&(f64, f64)) -> f64| median(&steps.iter().map(of).collect::<Vec<_>>());
        (!steps.is_empty()).then(|| (column(|step| step.0), column(|step| step.1)))
    };
    let people: Vec<(f64, f64)> = walks.iter().filter_map(of_walk).collect();
    if people.len() < PACE_PEOPLE_MIN {
        return true;
    }
    let paces: Vec<f64> = people.iter().map(|(_, pace)| *pace).collect();
    let usual = median(&paces);
    // A straight line through them, of which nobody pulls alone who stays within Huber's bend.
    let mean_along = people.iter().map(|(along, _)| along).sum::<f64>() / people.len() as f64;
    let spread = people.iter().map(|(along, _)| (along - mean_along).powi(2)).sum::<f64>();
    let bent = |pace: f64| (pace - usual).clamp(-PACE_BEND_LOG, PACE_BEND_LOG);
    let together = people.iter().map(|(along, pace)| (along - mean_along) * bent(*pace)).sum::<f64>();
    let faster_along = together / spread.max(1e-9);
    let sd = FOCAL_SD.hypot(PACE_LOG_SD / spread.max(1e-9).sqrt());
    faster_along.abs() <= DEVIATIONS * sd && (usual - SPEED_M_S.ln()).abs() <= PACE_RANGE_LOG
}

/// How much of a step went along the view, 0 to 1, and the logarithm of its speed in m/s; `None` where the foot is not known well
/// enough.
fn pace(camera: &CameraPose, plane: &GroundPlane, [from, to]: [Sample; 2]) -> Option<(f64, f64)> {
    let foot_known = |sample: &Sample, here: GroundPoint| {
        let lower = sample.foot.y_px + FOOT_SHARE as f32 * sample.height_px;
        plane
            .locate(ImagePoint::new(sample.foot.x_px, lower))
            .is_some_and(|p| p.distance_m(here) <= FOOT_MAX_M)
    };
    let (a, b) = (plane.locate(from.foot)?, plane.locate(to.foot)?);
    if !foot_known(&from, a) || !foot_known(&to, b) {
        return None;
    }
    let [start, end] = [camera.ground_point(from.foot)?, camera.ground_point(to.foot)?];
    let step = [0, 1, 2].map(|axis| end[axis] - start[axis]);
    // Level, and away from the camera.
    let away = camera.level(start);
    let along = dot(step, away).powi(2) / (dot(step, step) * dot(away, away)).max(1e-12);
    let speed_m_s = f64::from(a.distance_m(b) / to.after_s).max(1e-3);
    Some((along, speed_m_s.ln()))
}

#[cfg(test)]
mod tests {
    use outis_record::Class;

    use super::*;
    use crate::{ImageBox, Score, TrackId};

    const PICTURE_PX: (f32, f32) = (1280.0, 720.0);

    fn camera() -> CameraPose {
        CameraPose {
            focal_px: 1000.0,
            pitch_rad: f64::to_radians(25.0),
            roll_rad: 0.0,
            height_m: 5.0,
            center_px: [640.0, 360.0],
        }
    }

    /// Walkers before a camera, one after the other, along and across the view in turn; each is there for five seconds.
    struct Street {
        check: GroundCheck,
        walkers: u32,
    }

    impl Street {
        fn measured_on(plane: GroundPlane) -> Self {
            Self { check: GroundCheck::new(plane), walkers: 0 }
        }

        /// So many walk by, beginning at a time in hours.
        fn walk(&mut self, camera: &CameraPose, walkers: u32, from_h: f64) -> bool {
            let plane = camera.ground_plane().unwrap();
            for walker in 0..walkers {
                self.walkers += 1;
                for look in 0..25u16 {
                    let since_s = f32::from(look) / 5.0;
                    let at_s = 3600.0 * from_h + 9.0 * f64::from(walker) + f64::from(since_s);
                    let ahead_m = 6.0 + 2.0 * (self.walkers % 4) as f32;
                    let way_m = 1.34 * since_s - 3.0;
                    let (x_m, y_m) =
                        if walker % 2 == 0 { (way_m, ahead_m) } else { (0.5, ahead_m + 3.0 + way_m) };
                    let Some(foot) = picture_of(camera, &plane, x_m, y_m) else { continue };
                    let height = camera.box_height_px(foot, 1.70).unwrap() as f32;
                    let point = TrackPoint {
                        track: TrackId::for_test(self.walkers.into()),
                        at: MediaTime::from_seconds(at_s),
                        bbox: ImageBox::from_left_top_width_height(
                            foot.x_px - 0.2 * height,
                            foot.y_px - height,
                            0.4 * height,
                            height,
                        ),
                        class: Class::Person,
                        score: Score::new(0.8),
                        seen: true,
                    };
                    self.check.look(&[point], PICTURE_PX);
                }
            }
            self.check.doubts()
        }
    }

    /// By halving: the plane only knows the way to the ground.
    fn picture_of(camera: &CameraPose, plane: &GroundPlane, x_m: f32, y_m: f32) -> Option<ImagePoint> {
        let (mut low, mut high) = (0.0f32, PICTURE_PX.1);
        for _ in 0..40 {
            let y_px = f32::midpoint(low, high);
            match plane.locate(ImagePoint::new(640.0, y_px)) {
                Some(p) if p.y_m <= y_m => high = y_px,
                _ => low = y_px,
            }
        }
        let metre_px = camera.focal_px as f32
            / (y_m * camera.pitch_rad.cos() as f32 + camera.height_m as f32 * camera.pitch_rad.sin() as f32);
        (low > 1.0).then(|| ImagePoint::new(640.0 + x_m * metre_px, low))
    }

    #[test]
    fn a_camera_that_is_turned_is_doubted_after_two_checks_and_believed_when_it_is_set_back() {
        let right = camera();
        let turned = CameraPose { pitch_rad: f64::to_radians(33.0), ..right };
        let mut street = Street::measured_on(right.ground_plane().unwrap());
        assert!(!street.walk(&right, 100, 0.0), "it hangs as it should");
        assert!(!street.walk(&turned, 100, 1.0), "nobody checks twice a day");
        assert!(!street.walk(&turned, 50, 30.0), "a first check may err");
        assert!(street.walk(&turned, 60, 31.0), "and the second says the same");
        assert!(street.walk(&turned, 60, 32.0));
        assert!(!street.walk(&right, 150, 33.0), "somebody set it back");
    }

    #[test]
    fn sides_that_were_typed_wrongly_are_doubted() {
        let pose = camera();
        let true_plane = pose.ground_plane().unwrap();
        let image = [(300.0, 600.0), (900.0, 600.0), (800.0, 250.0), (400.0, 250.0)];
        let image = image.map(|(x, y)| ImagePoint::new(x, y));
        for (across, ahead, doubted) in
            [(1.0, 1.0, false), (1.3, 1.3, true), (0.75, 0.75, true), (3.28, 3.28, true), (1.0, 1.6, true)]
        {
            let typed = image.map(|p| {
                let GroundPoint { x_m, y_m } = true_plane.locate(p).unwrap();
                GroundPoint { x_m: across * x_m, y_m: ahead * y_m }
            });
            let mut street = Street::measured_on(GroundPlane::from_points(image, typed).unwrap());
            assert_eq!(street.walk(&pose, 150, 0.0), doubted, "{across} {ahead}");
        }
    }

    #[test]
    fn at_the_end_of_a_film_fewer_people_say_enough() {
        let wrong = CameraPose { height_m: 7.0, ..camera() }.ground_plane().unwrap();
        for (walkers, doubted) in [(15, false), (30, true)] {
            let mut street = Street::measured_on(wrong);
            street.walk(&camera(), walkers, 0.0);
            assert!(!street.check.doubts());
            street.check.finish();
            assert_eq!(street.check.doubts(), doubted, "{walkers}");
        }
    }
}
