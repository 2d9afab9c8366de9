//! The simple cases in which a counter must never be wrong: somebody stands on the line, turns back on it, is
//! hidden on it. What happens is told here; how it is played is in `render.rs`.
//!
//! Places are given as (across, along): distance from the line, negative on its left, and along it from its
//! middle, both in heights of a person.

mod render;

use outis_measure::{Detection, Line, MediaTime};
use outis_record::{Class, DirectionalCount};

use crate::parallel::in_parallel;
use render::{Course, Jitter, play};

/// A walk of 1.4 m/s (Weidmann 1993) by somebody 1.7 m tall, in heights per second.
const WALK: f64 = 0.82;
/// Half the length of the line, in heights.
const LINE_HALF: f64 = 2.4;
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
                    let counted = counter(&play(&case.actors, fps, course, jitter, seed), &course.line());
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

impl Actor {
    fn with(self, quirk: Quirk) -> Self {
        Self { quirk, ..self }
    }

    fn reversed(self) -> Self {
        let way = self.way.into_iter().map(|(time_s, across, along)| (time_s, -across, along)).collect();
        Self { way, ..self }
    }
}
