//! Scenes that a street camera must get right, played with rectangles for people and a detector that sees what is in
//! its crops, large enough and not cut off.

use std::time::Duration;

use ffmpeg_next::format::Pixel;
use outis_measure::{
    Detection, ImageBox, ImagePoint, Line, MeasureSettings, Measurer, MediaTime, Scene, Score, TrackPoint,
    Tracker, TrackerSettings, Zone,
};
use outis_record::{Class, LineIndex, Schema};

use super::{Budget, Look, PlanSettings, Planner, Way};
use crate::Frame;
use crate::detect::{Chroma, Detect, DetectError, InputSize, Sheet, Spent, Thresholds};
use crate::frame::{ColorSpace, Matrix, Range, Rotation};

const SIZE: (u32, u32) = (1280, 720);
const FPS: f64 = 5.0;
/// Of the simulated network.
const NS_PER_PX: u64 = 100;
/// The simulated network finds nobody smaller, in pixels of its input.
const HEIGHT_MIN_PX: f32 = 14.0;

/// Something in the street.
#[derive(Clone, Copy)]
struct Thing {
    bbox: ImageBox,
    class: Class,
    /// 0 to 255.
    brightness: u8,
}

fn person(left: f32, top: f32, height: f32) -> Thing {
    let bbox = ImageBox::from_left_top_width_height(left, top, 0.4 * height, height);
    Thing { bbox, class: Class::Person, brightness: 20 }
}

/// Ground with some structure, and what stands on it; later things hide earlier ones.
fn picture(things: &[Thing], light: i16) -> Frame {
    let color = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };
    let width = SIZE.0 as usize;
    let lit = |brightness: u8| (i16::from(brightness) + light).clamp(0, 255) as u8;
    let mut luma = vec![0; width * SIZE.1 as usize];
    for (y, row) in luma.chunks_exact_mut(width).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = lit(100 + 8 * ((x / 40 + y / 24) % 3) as u8);
        }
    }
    for Thing { bbox, brightness, .. } in things {
        let side = |value: f32, most: u32| value.clamp(0.0, most as f32) as usize;
        let columns = side(bbox.left, SIZE.0)..side(bbox.right(), SIZE.0);
        for y in side(bbox.top, SIZE.1)..side(bbox.bottom(), SIZE.1) {
            luma[y * width..][columns.clone()].fill(lit(*brightness));
        }
    }
    Frame::synthetic((Pixel::GRAY8, SIZE.0, SIZE.1), Rotation::None, color, |_, x, y| luma[y * width + x])
}

/// Sees the things that it is told of, as far as they are in the sheets.
#[derive(Default)]
struct Eyes {
    things: Vec<Thing>,
    /// Moves every box a little, differently at each look.
    jitter: bool,
    spent: Spent,
    /// Pixels spent at each look.
    costs: Vec<u64>,
    /// What was looked at.
    sources: Vec<ImageBox>,
    /// How tall the things were that were seen, in pixels of the input.
    shown_px: Vec<f32>,
    /// How much colour each sheet had.
    chroma: Vec<Chroma>,
}

impl Detect for Eyes {
    fn look(&mut self, _: Frame, sheets: &[Sheet], _: Score) -> Result<Vec<Detection>, DetectError> {
        let parts = || sheets.iter().flat_map(|sheet| sheet.parts.iter());
        let mut found = Vec::new();
        for (index, thing) in self.things.iter().enumerate() {
            let heights_px = parts().filter_map(|part| {
                let source = part.source.to_box();
                let scale = part.size.1 as f32 / source.height;
                let is_whole = source.intersection(&thing.bbox) > 0.98 * thing.bbox.area();
                is_whole.then_some(thing.bbox.height * scale)
            });
            let shown_px = heights_px.fold(0.0, f32::max);
            if shown_px >= HEIGHT_MIN_PX {
                self.shown_px.push(shown_px);
                let wave = (self.costs.len() as f32 * 1.7 + index as f32).sin();
                let by = if self.jitter { 0.02 * thing.bbox.height * wave } else { 0.0 };
                let bbox = ImageBox { left: thing.bbox.left + by, top: thing.bbox.top + by, ..thing.bbox };
                found.push(Detection { bbox, class: thing.class, score: Score::new(0.8) });
            }
        }
        self.chroma.extend(sheets.iter().map(|sheet| sheet.chroma));
        self.sources.extend(parts().map(|part| part.source.to_box()));
        let pixels = sheets.iter().map(Sheet::pixels).sum();
        self.costs.push(pixels);
        self.spent.pixels += pixels;
        self.spent.network += Duration::from_nanos(NS_PER_PX * pixels);
        Ok(found)
    }

    fn input_size(&self) -> InputSize {
        InputSize::UpTo { width_px: 416, height_px: 416, step_px: 32 }
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            score_min: Score::new(0.3),
            score_new: Score::new(0.5),
            score_new_close: Score::new(0.5),
        }
    }

    fn take_overflow(&mut self) -> u32 {
        0
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}

/// Plays a scene of so many seconds; `scene` says what is there and how bright it is.
fn play(
    settings: PlanSettings,
    seconds: f64,
    eyes: &mut Eyes,
    scene: impl FnMut(f64) -> (Vec<Thing>, i16),
    then: impl FnMut(MediaTime, &Look),
) {
    play_to(Planner::new(Way::Planned(settings), Vec::new(), Vec::new()), seconds, eyes, scene, then);
}

fn play_to(
    mut planner: Planner,
    seconds: f64,
    eyes: &mut Eyes,
    mut scene: impl FnMut(f64) -> (Vec<Thing>, i16),
    mut then: impl FnMut(MediaTime, &Look),
) {
    for look in 0..(seconds * FPS) as u32 {
        let at_s = f64::from(look) / FPS;
        let (things, light) = scene(at_s);
        let at = MediaTime::from_seconds(at_s);
        let frame = picture(&things, light).shown_at(at);
        eyes.things = things;
        let spent = eyes.costs.len();
        let found = planner.look(eyes, frame, Score::new(0.3)).expect("a detector that never fails");
        if eyes.costs.len() == spent {
            eyes.costs.push(0);
        }
        then(at, &found);
    }
}

/// Somebody who walks through the view again and again, from the left to the right.
fn passer_by(at_s: f64, start_s: f64, top: f32, height: f32) -> Thing {
    let way = (60.0 * (at_s + start_s)) % 1400.0;
    person(way as f32 - 60.0, top, height)
}

fn tracks(looks: &[(MediaTime, Vec<Detection>)]) -> Vec<TrackPoint> {
    let mut tracker = Tracker::new(TrackerSettings::default());
    let mut points = Vec::new();
    for (at, found) in looks {
        tracker.look(*at, found);
        points.extend(tracker.take_points());
    }
    tracker.finish();
    points.extend(tracker.take_points());
    points
}

/// In a view of which the right two thirds are painted over, looks are spent on the left third, and that is all of it.
#[test]
fn what_is_painted_over_is_neither_looked_at_nor_missed() {
    let corners = [(427.0, -1.0), (1281.0, -1.0), (1281.0, 721.0), (427.0, 721.0)];
    let area = Zone::new(corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec()).expect("an area");
    let settings = PlanSettings::default();
    let [mut all, mut some] = [Eyes::default(), Eyes::default()];
    let (mut first_all, mut first_some) = (None, None);
    let planner = || Planner::new(Way::Planned(settings), Vec::new(), Vec::new());
    let known = |at: MediaTime, look: &Look, first: &mut Option<MediaTime>| {
        if look.observed_share > 0.99 {
            first.get_or_insert(at);
        }
    };
    let empty = |_| (Vec::new(), 120);
    play_to(planner(), 20.0, &mut all, empty, |at, look| known(at, look, &mut first_all));
    let partly = planner().leaving_out(vec![area]);
    play_to(partly, 20.0, &mut some, empty, |at, look| known(at, look, &mut first_some));
    let (first_all, first_some) = (first_all.expect("all is seen"), first_some.expect("a third is seen"));
    assert!(first_some < first_all, "{first_some:?} {first_all:?}");
    let hidden = |eyes: &Eyes| eyes.sources.iter().filter(|source| source.left > 427.0 + 8.0).count();
    assert!(hidden(&all) > 0 && hidden(&some) == 0, "{} {}", hidden(&all), hidden(&some));
}

/// Who stands still or sits is one person and stays one, while others pass close by.
#[test]
fn who_stays_for_five_minutes_is_one_person() {
    let (standing, sitting) = (person(600.0, 300.0, 70.0), person(900.0, 420.0, 50.0));
    let mut looks = Vec::new();
    let mut eyes = Eyes { jitter: true, ..Eyes::default() };
    let scene = |at_s: f64| {
        let passing = [(0.0, 250.0, 66.0), (7.0, 330.0, 72.0), (13.0, 470.0, 80.0), (19.0, 200.0, 60.0)];
        let mut things = vec![standing, sitting];
        things.extend(passing.map(|(start_s, top, height)| passer_by(at_s, start_s, top, height)));
        (things, 0)
    };
    play(PlanSettings::default(), 300.0, &mut eyes, scene, |at, look| {
        looks.push((at, look.detections.clone()))
    });
    let points = tracks(&looks);
    for (name, thing) in [("standing", standing), ("sitting", sitting)] {
        let mut ids: Vec<_> =
            points.iter().filter(|p| p.bbox.iou(&thing.bbox) > 0.7).map(|p| p.track.number()).collect();
        let present = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{name}: {ids:?}");
        assert!(present > 1450, "{name}: there at {present} of 1500 looks");
    }
}

/// A car that stands across a line is no traffic, whoever walks around it.
#[test]
fn a_parked_car_is_no_traffic() {
    let line = Line::new(ImagePoint::new(640.0, 700.0), ImagePoint::new(640.0, 100.0)).expect("a line");
    let scene = Scene { lines: vec![line], ..Scene::default() };
    let schema = Schema::new(1, 0, &[Class::Car], false).expect("a schema");
    let mut measurer =
        Measurer::new(scene, schema, MeasureSettings { window_ms: 3_600_000, ..Default::default() });
    let bbox = ImageBox::from_left_top_width_height(560.0, 400.0, 160.0, 90.0);
    let car = Thing { bbox, class: Class::Car, brightness: 200 };
    let mut eyes = Eyes { jitter: true, ..Eyes::default() };
    let scene = |at_s| (vec![car, passer_by(at_s, 0.0, 420.0, 70.0), passer_by(at_s, 9.0, 380.0, 70.0)], 0);
    play(PlanSettings::default(), 300.0, &mut eyes, scene, |at, look| {
        measurer.look_partly(at, &look.detections, look.observed_share);
    });
    measurer.finish();
    let closed = measurer.take_closed();
    let count = closed[0].0.line(LineIndex(0), Class::Car);
    assert_eq!((count.forward, count.backward), (0, 0));
}

/// However much moves, ten seconds cost no more than ten seconds' budget and a tenth; and it is said that not
/// everything was seen.
#[test]
fn a_flood_of_motion_keeps_to_the_budget_and_is_told() {
    const BUDGET_MS: f32 = 50.0;
    let settings = PlanSettings { budget: Budget::MillisPerSecond(BUDGET_MS), ..PlanSettings::default() };
    let mut eyes = Eyes::default();
    let mut observed = Vec::new();
    let scene = |at_s: f64| {
        let crowd = if at_s < 10.0 { 3 } else { 160 };
        let walker = |index: u16| {
            let i = f64::from(index);
            passer_by(at_s, 3.7 * i, 60.0 + (37.0 * i % 560.0) as f32, 40.0 + (11.0 * i % 50.0) as f32)
        };
        ((0..crowd).map(walker).collect(), 0)
    };
    play(settings, 60.0, &mut eyes, scene, |_, look| observed.push(look.observed_share));
    let ten_s = (10.0 * FPS) as usize;
    let most_px = f64::from(BUDGET_MS) * 1e6 / NS_PER_PX as f64 * 10.0;
    for (start, looks) in eyes.costs.windows(ten_s).enumerate() {
        let share = looks.iter().sum::<u64>() as f64 / most_px;
        assert!(share <= 1.1, "from look {start}: {share} of the budget");
    }
    let flood = eyes.costs[3 * ten_s..].iter().sum::<u64>() as f64 / most_px / 3.0;
    assert!(flood > 0.8, "what is due is spent: {flood}");
    let mean = |shares: &[f32]| shares.iter().sum::<f32>() / shares.len() as f32;
    let (quiet, flooded) = (mean(&observed[25..50]), mean(&observed[100..]));
    assert!(quiet > 0.95 && flooded < quiet - 0.03, "{quiet}, then {flooded}");
}

/// When the lamps go on, nothing is taken for motion, nobody is lost and no more is spent.
#[test]
fn sudden_light_neither_blinds_nor_costs() {
    let standing = [(200.0, 200.0, 60.0), (600.0, 300.0, 70.0), (1000.0, 500.0, 90.0)];
    let mut eyes = Eyes::default();
    let mut found = Vec::new();
    let scene = |at_s: f64| {
        let light = if (at_s as u32 / 10) % 2 == 1 { 60 } else { 0 };
        (standing.map(|(left, top, height)| person(left, top, height)).to_vec(), light)
    };
    play(PlanSettings::default(), 60.0, &mut eyes, scene, |_, look| found.push(look.detections.len()));
    assert!(found.iter().all(|found| *found <= standing.len()), "nobody twice: {found:?}");
    // Two seconds after each change everybody is known again.
    let settled = found.chunks(50).map(|period| period[10..].iter().filter(|found| **found == 3).count());
    let settled: Vec<usize> = settled.collect();
    assert!(settled.iter().all(|looks| *looks >= 39), "{settled:?} of 40 looks");
    let whole_px = 416.0 * 256.0;
    let mean_px = eyes.costs.iter().sum::<u64>() as f64 / eyes.costs.len() as f64;
    assert!(mean_px <= 1.1 * 1.25 * whole_px, "{mean_px}");
}

/// By day people are shown as tall as the network finds them best; in the dark a fifth taller.
#[test]
fn in_the_dark_people_are_shown_taller() {
    let shown_px = |light: i16| {
        let mut eyes = Eyes::default();
        let scene = |at_s| (vec![passer_by(at_s, 0.0, 300.0, 90.0)], light);
        play(PlanSettings::default(), 20.0, &mut eyes, scene, |_, _| {});
        eyes.shown_px.sort_by(f32::total_cmp);
        eyes.shown_px[eyes.shown_px.len() / 2]
    };
    let (by_day, in_the_dark) = (shown_px(0), shown_px(-85));
    assert!((by_day / 44.0 - 1.0).abs() < 0.03, "{by_day}");
    assert!((in_the_dark / 52.8 - 1.0).abs() < 0.03, "{in_the_dark}");
}

/// Crops have faint colours; a view that is looked at whole keeps its own.
#[test]
fn crops_have_faint_colours() {
    let mut eyes = Eyes::default();
    let scene = |at_s| (vec![passer_by(at_s, 0.0, 300.0, 90.0)], 0);
    play(PlanSettings::default(), 5.0, &mut eyes, scene, |_, _| {});
    assert!(eyes.chroma.len() > 20 && eyes.chroma.iter().all(|chroma| *chroma == Chroma::Faint));
    eyes.chroma.clear();
    let color = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };
    let small = Frame::synthetic((Pixel::GRAY8, 640, 360), Rotation::None, color, |_, _, _| 100);
    let mut planner = Planner::new(Way::default(), Vec::new(), Vec::new());
    planner.look(&mut eyes, small, Score::new(0.3)).expect("it never fails");
    assert_eq!(eyes.chroma, [Chroma::Full]);
}
