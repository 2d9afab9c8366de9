//! The simple cases in which a counter must never be wrong: somebody stands on the line, turns back on it, is
//! hidden on it. Each is played with jittering boxes, on lines of three directions, at several frame rates.
//!
//! Places are given as (across, along): distance from the line, negative on its left, and along it from its
//! middle, both in heights of a person.

use outis_measure::{Detection, ImageBox, ImagePoint, Line, MediaTime, Score};
use outis_record::{Class, DirectionalCount};

use crate::parallel::in_parallel;
use crate::random::Random;
use crate::street::world::visible_share;

/// Height of a person in the picture.
const HEIGHT_PX: f32 = 150.0;
/// A walk of 1.4 m/s (Weidmann 1993) by somebody 1.7 m tall, in heights per second.
const WALK: f64 = 0.82;
/// Half the length of the line, in heights.
const LINE_HALF: f64 = 2.4;
/// Whose visible share is less is not found.
const VISIBLE_MIN: f32 = 0.25;
/// Ten minutes.
const LONG_S: f64 = 600.0;
/// Frame rates at which every case is played.
pub const RATES_FPS: [f64; 5] = [30.0, 25.0, 12.5, 10.0, 5.0];

/// What happens, and what is right.
#[derive(Debug, Clone)]
pub struct Case {
    /// What happens.
    pub name: &'static str,
    /// The passages there are.
    pub expected: DirectionalCount,
    actors: Vec<Actor>,
}

/// Somebody or something before the camera.
#[derive(Debug, Clone)]
struct Actor {
    class: Class,
    // Width and height, in heights of a person.
    size: (f32, f32),
    // (seconds, across, along), in order; straight between them, absent before and after.
    way: Vec<(f64, f64, f64)>,
    quirk: Quirk,
}

/// How an actor is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quirk {
    /// At every look.
    None,
    /// Not between two moments, in seconds.
    Hidden(f64, f64),
    /// Not during bursts: begun with 25 % chance a second, 0.32 s long on average.
    Lost,
    /// Only at one look every so many seconds, each time elsewhere within a height.
    Glimpse(f64),
    /// Once in so many seconds, for one look, half a height off across the line.
    Jump(f64),
    /// Now and then as another class of the same kind.
    Confused,
}

/// How boxes jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Jitter {
    /// 3 % of width and height, new at every look.
    White,
    /// 3.5 %, correlated .45 after half a second: what real detectors show on a street clip.
    Slow,
}

/// Which way the line runs in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    Up,
    ToTheRight,
    Slanted,
}

/// A case at a frame rate, played many times.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happens.
    pub name: &'static str,
    /// Looks in a second.
    pub fps: f64,
    /// How often it was played.
    pub runs: usize,
    /// The runs that were counted wrong: how they were played and what was counted.
    pub wrong: Vec<String>,
}

/// Plays every case at every rate with every kind of line and jitter, and `seeds` times each.
pub fn play_all<C>(counter: C, seeds: u64) -> Vec<Outcome>
where
    C: Fn(&[(MediaTime, Vec<Detection>)], &Line) -> DirectionalCount + Sync,
{
    let cases = all();
    let jobs: Vec<(&Case, f64)> =
        cases.iter().flat_map(|case| RATES_FPS.iter().map(move |&fps| (case, fps))).collect();
    in_parallel(&jobs, |&(case, fps)| {
        let mut outcome = Outcome { name: case.name, fps, runs: 0, wrong: Vec::new() };
        for course in [Course::Up, Course::ToTheRight, Course::Slanted] {
            for jitter in [Jitter::White, Jitter::Slow] {
                for seed in 1..=seeds {
                    let counted = counter(&case.play(fps, course, jitter, seed), &course.line());
                    outcome.runs += 1;
                    if counted != case.expected {
                        let DirectionalCount { forward, backward } = counted;
                        outcome.wrong.push(format!("{course:?} {jitter:?} {seed}: {forward}/{backward}"));
                    }
                }
            }
        }
        outcome
    })
}

/// All cases.
pub fn all() -> Vec<Case> {
    let case = |name, forward, backward, actors| Case {
        name,
        expected: DirectionalCount { forward, backward },
        actors,
    };
    let across_in = |s: f64| s * WALK;
    let stand = |across: f64| person(vec![(0.0, across, 0.0), (LONG_S, across, 0.0)]);
    // Comes from the left to the line, waits there for ten minutes and goes on to some place.
    let wait = |to: f64| {
        let (come_s, go_s) = (2.0 / WALK, to.abs() / WALK);
        let way = vec![(0.0, -2.0, 0.0), (come_s, 0.0, 0.0), (come_s + LONG_S, 0.0, 0.0)];
        person([way, vec![(come_s + LONG_S + go_s, to, 0.0)]].concat())
    };
    let cross = |along: f64| person(vec![(0.0, -2.0, along), (4.0 / WALK, 2.0, along)]);
    let middle_s = 2.0 / WALK;
    let turn = |reach: f64| {
        let turn_s = (2.0 + reach) / WALK;
        person(vec![(0.0, -2.0, 0.0), (turn_s, reach, 0.0), (2.0 * turn_s, -2.0, 0.0)])
    };
    let car = |way: Vec<(f64, f64, f64)>| Actor { class: Class::Car, size: (2.0, 0.9), ..person(way) };
    let car_waits =
        vec![(0.0, -4.0, 0.0), (2.0, 0.0, 0.0), (2.0 + LONG_S, 0.0, 0.0), (4.0 + LONG_S, 4.0, 0.0)];
    let car_stands = vec![(0.0, 0.0, 0.0), (LONG_S, 0.0, 0.0)];
    vec![
        case("one person crosses", 1, 0, vec![cross(0.0)]),
        case("one person crosses the other way", 0, 1, vec![cross(0.0).reversed()]),
        case("stands on the line for ten minutes", 0, 0, vec![stand(0.0)]),
        case("stands 3 % of the height beside it", 0, 0, vec![stand(0.03)]),
        case("stands 6 % of the height beside it", 0, 0, vec![stand(-0.06)]),
        case("stands on it, lost now and then", 0, 0, vec![stand(0.0).with(Quirk::Lost)]),
        case("waits ten minutes on it, goes on", 1, 0, vec![wait(2.0)]),
        case("waits ten minutes on it, goes back", 0, 0, vec![wait(-2.0)]),
        case("boxes of nothing for one look each", 0, 0, vec![stand(0.0).with(Quirk::Glimpse(1.0))]),
        case("a box that jumps over for one look", 0, 0, vec![stand(-0.25).with(Quirk::Jump(3.0))]),
        case("two cross in opposite directions", 1, 1, vec![cross(0.0), cross(0.2).reversed()]),
        case(
            "hidden for 0.6 s on the line",
            1,
            0,
            vec![cross(0.0).with(Quirk::Hidden(middle_s - 0.3, middle_s + 0.3))],
        ),
        case("fifteen abreast", 15, 0, (0..15).map(|i| cross(0.3 * f64::from(i) - 2.1)).collect()),
        case("turns back on the line", 0, 0, vec![turn(0.0)]),
        case("turns back 3 % beyond the line", 0, 0, vec![turn(0.03)]),
        case("crosses at the very end", 1, 0, vec![cross(LINE_HALF - 0.06)]),
        case("passes just outside the end", 0, 0, vec![cross(LINE_HALF + 0.15)]),
        case("runs", 1, 0, vec![person(vec![(0.0, -3.0, 0.0), (across_in(3.0), 3.0, 0.0)])]),
        case("a car crosses", 1, 0, vec![car(vec![(0.0, -6.0, 0.0), (3.0, 6.0, 0.0)])]),
        case("a car stops on the line for ten minutes", 1, 0, vec![car(car_waits.clone())]),
        case("a car stands on the line", 0, 0, vec![car(car_stands.clone())]),
        case("a car taken for a lorry now and then", 1, 0, vec![car(car_waits).with(Quirk::Confused)]),
    ]
}

fn person(way: Vec<(f64, f64, f64)>) -> Actor {
    Actor { class: Class::Person, size: (0.33, 1.0), way, quirk: Quirk::None }
}

impl Case {
    fn play(&self, fps: f64, course: Course, jitter: Jitter, seed: u64) -> Vec<(MediaTime, Vec<Detection>)> {
        let end_s = self.actors.iter().filter_map(|a| a.way.last()).map(|k| k.0).fold(0.0, f64::max);
        let mut lenses: Vec<Lens> = (0..self.actors.len()).map(|i| Lens::new(seed, i as u64)).collect();
        // A second of an empty street before and two after.
        let looks = ((end_s + 3.0) * fps) as usize;
        (0..looks)
            .map(|look| {
                let time_s = look as f64 / fps;
                (MediaTime::from_seconds(time_s), self.look(time_s - 1.0, fps, course, jitter, &mut lenses))
            })
            .collect()
    }

    fn look(
        &self,
        time_s: f64,
        fps: f64,
        course: Course,
        jitter: Jitter,
        lenses: &mut [Lens],
    ) -> Vec<Detection> {
        let mut standing: Vec<(usize, ImageBox)> = Vec::new();
        for (index, (actor, lens)) in self.actors.iter().zip(lenses.iter_mut()).enumerate() {
            if let Some(bbox) = actor.bbox(time_s, fps, course, lens) {
                standing.push((index, bbox));
            }
        }
        // Whose foot is lower in the picture is nearer.
        standing.sort_by(|a, b| b.1.bottom().total_cmp(&a.1.bottom()));
        let boxes: Vec<ImageBox> = standing.iter().map(|&(_, bbox)| bbox).collect();
        let mut found = Vec::new();
        for (order, &(index, bbox)) in standing.iter().enumerate() {
            let (actor, lens) = (&self.actors[index], &mut lenses[index]);
            if visible_share(bbox, &boxes[..order]) >= VISIBLE_MIN && !lens.is_lost(actor.quirk, fps) {
                found.push(lens.detection(actor, bbox, jitter, fps));
            }
        }
        found
    }
}

impl Actor {
    fn with(self, quirk: Quirk) -> Self {
        Self { quirk, ..self }
    }

    fn reversed(self) -> Self {
        let way = self.way.into_iter().map(|(time_s, across, along)| (time_s, -across, along)).collect();
        Self { way, ..self }
    }

    /// The true box, or none where the actor is absent or not shown at this look.
    fn bbox(&self, time_s: f64, fps: f64, course: Course, lens: &mut Lens) -> Option<ImageBox> {
        let after = self.way.partition_point(|knot| knot.0 <= time_s);
        if after == 0 || after == self.way.len() {
            return None;
        }
        let ((t0, across0, along0), (t1, across1, along1)) = (self.way[after - 1], self.way[after]);
        let share = (time_s - t0) / (t1 - t0);
        let (mut across, mut along) =
            (across0 + share * (across1 - across0), along0 + share * (along1 - along0));
        let first_look_in = |period_s: f64| time_s.rem_euclid(period_s) < 1.0 / fps - 1e-9;
        match self.quirk {
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
        let foot = course.point(across, along);
        let (width, height) = (self.size.0 * HEIGHT_PX, self.size.1 * HEIGHT_PX);
        Some(ImageBox::from_left_top_width_height(foot.x_px - width / 2.0, foot.y_px - height, width, height))
    }
}

impl Course {
    fn line(self) -> Line {
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

    fn detection(&mut self, actor: &Actor, bbox: ImageBox, jitter: Jitter, fps: f64) -> Detection {
        let [left, top, right, bottom] = self.jitter(jitter, fps).map(|error| error as f32);
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
                let sides: Vec<bool> = case
                    .play(fps, course, Jitter::Slow, 1)
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
