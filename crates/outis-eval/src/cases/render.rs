//! How a simple case looks to a counter: boxes of its actors in the picture, with a detector's errors.

use outis_measure::{Detection, ImageBox, ImagePoint, Line, MediaTime, Score};
use outis_record::Class;

use super::{Actor, LINE_HALF, Quirk};
use crate::random::Random;
use crate::street::world::visible_share;

/// Height of a person in the picture.
const HEIGHT_PX: f32 = 150.0;
/// Whose visible share is less is not found.
const VISIBLE_MIN: f32 = 0.25;
/// An empty street before the first actor comes and after the last has gone.
const BEFORE_S: f64 = 1.0;
const AFTER_S: f64 = 2.0;

/// How boxes jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Jitter {
    /// 3 % of width and height, new at every look.
    White,
    /// 3.5 %, correlated .45 after half a second: what real detectors show on a street clip.
    Slow,
}

/// Which way the line runs in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    Up,
    ToTheRight,
    Slanted,
}

/// The looks at a case.
pub(super) fn play(
    actors: &[Actor],
    fps: f64,
    course: Course,
    jitter: Jitter,
    seed: u64,
) -> Vec<(MediaTime, Vec<Detection>)> {
    let end_s = actors.iter().filter_map(|actor| actor.way.last()).map(|knot| knot.0).fold(0.0, f64::max);
    let mut lenses: Vec<Lens> = (0..actors.len()).map(|i| Lens::new(seed, i as u64)).collect();
    let looks = ((BEFORE_S + end_s + AFTER_S) * fps) as usize;
    let mut look = |number: usize| {
        let time_s = number as f64 / fps;
        let found = look(actors, &mut lenses, time_s - BEFORE_S, Rendering { fps, course, jitter });
        (MediaTime::from_seconds(time_s), found)
    };
    (0..looks).map(&mut look).collect()
}

/// How a case is played.
#[derive(Debug, Clone, Copy)]
struct Rendering {
    fps: f64,
    course: Course,
    jitter: Jitter,
}

fn look(actors: &[Actor], lenses: &mut [Lens], time_s: f64, how: Rendering) -> Vec<Detection> {
    let mut standing: Vec<(usize, ImageBox)> = Vec::new();
    for (index, (actor, lens)) in actors.iter().zip(lenses.iter_mut()).enumerate() {
        if let Some(bbox) = true_box(actor, time_s, how, lens) {
            standing.push((index, bbox));
        }
    }
    // Whose foot is lower in the picture is nearer.
    standing.sort_by(|a, b| b.1.bottom().total_cmp(&a.1.bottom()));
    let boxes: Vec<ImageBox> = standing.iter().map(|&(_, bbox)| bbox).collect();
    let mut found = Vec::new();
    for (order, &(index, bbox)) in standing.iter().enumerate() {
        let (actor, lens) = (&actors[index], &mut lenses[index]);
        if visible_share(bbox, &boxes[..order]) >= VISIBLE_MIN && !lens.is_lost(actor.quirk, how.fps) {
            found.push(lens.detection(actor, bbox, how));
        }
    }
    found
}

/// The true box, or none where the actor is absent or not shown at this look.
fn true_box(actor: &Actor, time_s: f64, how: Rendering, lens: &mut Lens) -> Option<ImageBox> {
    let after = actor.way.partition_point(|knot| knot.0 <= time_s);
    if after == 0 || after == actor.way.len() {
        return None;
    }
    let ((t0, across0, along0), (t1, across1, along1)) = (actor.way[after - 1], actor.way[after]);
    let share = (time_s - t0) / (t1 - t0);
    let (mut across, mut along) = (across0 + share * (across1 - across0), along0 + share * (along1 - along0));
    let first_look_in = |period_s: f64| time_s.rem_euclid(period_s) < 1.0 / how.fps - 1e-9;
    match actor.quirk {
        Quirk::Hidden(from_s, to_s) if (from_s..to_s).contains(&time_s) => return None,
        Quirk::Glimpse(period_s) => {
            if !first_look_in(period_s) {
                return None;
            }
            across += lens.random.between(-1.0, 1.0);
            along += lens.random.between(-1.0, 1.0);
        }
        Quirk::Jump(period_s) if first_look_in(period_s) => across += 0.5,
        _ => {}
    }
    let foot = how.course.point(across, along);
    let (width, height) = (actor.size.0 * HEIGHT_PX, actor.size.1 * HEIGHT_PX);
    Some(ImageBox::standing_on(foot, width, height))
}

impl Course {
    pub(super) fn line(self) -> Line {
        let (start, end) = (self.point(0.0, -LINE_HALF), self.point(0.0, LINE_HALF));
        Line::new(start, end).expect("a long line")
    }

    /// Where a place is in the picture. Across grows to the right of the line's direction.
    fn point(self, across: f64, along: f64) -> ImagePoint {
        let (across, along) = (across as f32 * HEIGHT_PX, along as f32 * HEIGHT_PX);
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let (right, down) = match self {
            Self::Up => (across, -along),
            Self::ToTheRight => (along, across),
            Self::Slanted => (half * (along + across), half * (across - along)),
        };
        ImagePoint::new(960.0 + right, 560.0 + down)
    }
}

/// The detector's errors about one actor.
struct Lens {
    random: Random,
    slow: [f64; 4],
    lost: bool,
}

impl Lens {
    fn new(seed: u64, actor: u64) -> Self {
        let mut random = Random::named(seed, actor);
        let slow = [(); 4].map(|()| random.normal());
        Self { random, slow, lost: false }
    }

    fn is_lost(&mut self, quirk: Quirk, fps: f64) -> bool {
        let luck = self.random.unit();
        let change_per_s = if self.lost { 1.0 / 0.32 } else { 0.25 };
        if quirk == Quirk::Lost && luck < change_per_s / fps {
            self.lost = !self.lost;
        }
        self.lost
    }

    fn detection(&mut self, actor: &Actor, bbox: ImageBox, how: Rendering) -> Detection {
        let [left, top, right, bottom] = self.jitter(how.jitter, how.fps).map(|error| error as f32);
        let bbox = ImageBox::from_left_top_right_bottom(
            bbox.left + left * bbox.width,
            bbox.top + top * bbox.height,
            bbox.right() + right * bbox.width,
            bbox.bottom() + bottom * bbox.height,
        );
        let confused = actor.quirk == Quirk::Confused && self.random.chance(0.2);
        let class = if confused { Class::Truck } else { actor.class };
        Detection { bbox, class, score: Score::new((0.75 + 0.08 * self.random.normal()) as f32) }
    }

    fn jitter(&mut self, jitter: Jitter, fps: f64) -> [f64; 4] {
        // 0.45 after half a second.
        let kept = 0.45_f64.powf(2.0 / fps);
        let random = &mut self.random;
        self.slow.each_mut().map(|slow| {
            let fresh = random.normal();
            *slow = kept * *slow + (1.0 - kept * kept).sqrt() * fresh;
            match jitter {
                Jitter::White => 0.03 * fresh,
                Jitter::Slow => 0.035 * *slow,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{RATES_FPS, all};

    #[test]
    fn across_is_the_distance_from_the_line() {
        for course in [Course::Up, Course::ToTheRight, Course::Slanted] {
            for (across, along) in [(0.5, 0.0), (-0.25, 1.0), (0.0, -2.0)] {
                let d = course.line().distance_px(course.point(across, along));
                assert!((f64::from(d) - across * f64::from(HEIGHT_PX)).abs() < 0.01, "{course:?}: {d}");
            }
        }
    }

    /// Somebody who knows whose box is whose and waits for a third of a second far from the line gets
    /// the crossings right, so the cases are fair.
    #[test]
    fn a_person_crosses_in_every_rendering() {
        let case = &all()[0];
        for fps in RATES_FPS {
            for course in [Course::Up, Course::ToTheRight, Course::Slanted] {
                let line = course.line();
                let sides: Vec<bool> = play(&case.actors, fps, course, Jitter::Slow, 1)
                    .iter()
                    .flat_map(|(_, found)| found)
                    .map(|d| line.distance_px(d.bbox.foot()))
                    .filter(|d| d.abs() > HEIGHT_PX)
                    .map(|d| d > 0.0)
                    .collect();
                assert!(!sides[0] && sides[sides.len() - 1], "{fps} {course:?}");
            }
        }
    }
}
