//! One camera's boxes in, its windows' totals out: tracker, counter and calendar together.

use std::collections::VecDeque;

use outis_record::{Alert, AlertKind, Class, Schema, Window, WindowState, WindowTotals};

use crate::{
    AutoGround, AutoGroundSettings, CounterSettings, Detection, FaceReading, FaceWanted, GroundFit,
    GroundSettings, Limit, MediaTime, Scene, Situation, TrackId, TrackPoint, Tracker, TrackerSettings,
    auto_ground::GroundCheck,
    counter::{Counter, Event},
    mask::Mask,
    on_ground::GroundMeter,
    situation::{Situations, UNSEEN_MAX_S},
};

/// How one camera is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasureSettings {
    /// How boxes become tracks.
    pub tracker: TrackerSettings,
    /// How tracks become counts.
    pub counter: CounterSettings,
    /// Whether the ground is to be found from the people who walk on it, and what is known beforehand.
    pub auto_ground: Option<AutoGroundSettings>,
    /// Whether the ground, where metres are told, is held against the people who walk on it, every day.
    pub check_ground: bool,
    /// How people are measured on the ground.
    pub ground: GroundSettings,
    /// Length of a window in milliseconds.
    pub window_ms: u32,
    /// What the calendar says at media time zero, in milliseconds: the Unix time for cameras, 0 for files.
    pub origin_ms: i64,
}

impl Default for MeasureSettings {
    fn default() -> Self {
        Self {
            tracker: TrackerSettings::default(),
            counter: CounterSettings::default(),
            auto_ground: None,
            check_ground: true,
            ground: GroundSettings::default(),
            window_ms: 15 * 60 * 1000,
            origin_ms: 0,
        }
    }
}

/// A pause between two looks longer than this was not observed, in milliseconds.
const GAP_MAX_MS: i64 = 2_000;

/// Measures one camera.
#[derive(Debug)]
pub struct Measurer {
    settings: MeasureSettings,
    tracker: Tracker,
    counter: Counter,
    /// None where nothing is asked for on the ground, or no ground plane is known.
    ground: Option<GroundMeter>,
    auto_ground: Option<AutoGround>,
    /// None where nothing is told in metres, no ground plane is known, or nobody wants it checked.
    ground_check: Option<GroundCheck>,
    /// Size of the picture that positions are given in; zero before the first.
    picture_px: (f32, f32),
    schema: Schema,
    /// Looks whose positions are not final yet, and the share of the view that was known at each.
    looks: VecDeque<(MediaTime, f32)>,
    points: VecDeque<TrackPoint>,
    newest: Option<MediaTime>,
    counted_until: Option<MediaTime>,
    running: WindowTotals,
    closed: Vec<(WindowTotals, WindowState)>,
    events: Vec<Event>,
    scene: Scene,
    situations: Situations,
    alert: Option<Alert>,
}

impl Measurer {
    /// A camera that has seen nothing. Lines and zones of the scene must be as many as the schema says.
    ///
    /// # Panics
    /// When scene and schema differ, or the origin is beyond the end of time.
    pub fn new(scene: Scene, schema: Schema, settings: MeasureSettings) -> Self {
        assert_eq!((scene.lines.len(), scene.zones.len()), (schema.lines(), schema.zones()));
        let cells = schema.ground();
        let ground = GroundMeter::new(&scene, cells, settings.ground, settings.counter.bounded);
        let first = Window::containing(settings.origin_ms, settings.window_ms).expect("a window in time");
        Self {
            settings,
            tracker: Tracker::new(settings.tracker),
            counter: Counter::new(scene.clone(), settings.counter),
            ground,
            auto_ground: settings.auto_ground.map(AutoGround::new),
            ground_check: (!cells.is_none()).then(|| check_of(&scene, settings)).flatten(),
            picture_px: (0.0, 0.0),
            looks: VecDeque::new(),
            points: VecDeque::new(),
            newest: None,
            counted_until: None,
            running: WindowTotals::new(schema.clone(), first),
            closed: Vec::new(),
            events: Vec::new(),
            schema,
            scene,
            situations: Situations::default(),
            alert: None,
        }
    }

    /// Watches for situations too; any two alerts are at least `gap_ms` of media time apart.
    ///
    /// # Panics
    /// When a situation is about a zone that the scene has not.
    pub fn watch_for(&mut self, situations: &[Situation], gap_ms: u32) {
        self.situations = Situations::new(&self.scene, situations, gap_ms);
        let in_metres = situations.iter().any(|situation| matches!(situation.limit, Limit::Apart { .. }));
        if in_metres && self.ground_check.is_none() {
            self.ground_check = check_of(&self.scene, self.settings);
        }
    }

    /// The alert of the newest look, if it came to one.
    pub fn take_alert(&mut self) -> Option<Alert> {
        self.alert.take()
    }

    /// Takes what the detector found in a frame; call it also when it found nothing.
    pub fn look(&mut self, at: MediaTime, detections: &[Detection]) {
        self.look_partly(at, detections, 1.0);
    }

    /// The same when only a share of the view was looked at, 0 to 1, and the rest may have changed unseen. Detections
    /// where nothing has changed are repeated by whoever looks. The time counts as observed to this share.
    pub fn look_partly(&mut self, at: MediaTime, detections: &[Detection], observed_share: f32) {
        if self.newest.is_some_and(|newest| at <= newest) {
            return;
        }
        self.newest = Some(at);
        self.looks.push_back((at, observed_share));
        self.tracker.look(at, detections);
        let alert = self.situations.look(at, self.tracker.present(UNSEEN_MAX_S));
        // Of metres that are none nobody is told that they are too few.
        self.alert = alert.filter(|alert| alert.kind != AlertKind::TooClose || !self.doubts_ground());
        self.count();
    }

    /// The source is over: takes the decisions that were still waiting, and closes the running window.
    pub fn finish(&mut self) {
        self.tracker.finish();
        self.count();
        self.ground_check.iter_mut().for_each(GroundCheck::finish);
        let Some(window) = self.following_window() else { return };
        self.flush_ground();
        let last = std::mem::replace(&mut self.running, WindowTotals::new(self.schema.clone(), window));
        self.closed.push((last, WindowState::Partial));
    }

    /// The windows that are over. Decisions lag by up to two seconds, and so do windows.
    pub fn take_closed(&mut self) -> Vec<(WindowTotals, WindowState)> {
        std::mem::take(&mut self.closed)
    }

    /// The totals so far of the window that is running.
    pub fn running(&self) -> &WindowTotals {
        &self.running
    }

    /// Says how large the picture is that positions are given in.
    pub fn set_picture_px(&mut self, picture_px: (f32, f32)) {
        self.picture_px = picture_px;
        self.tracker.set_picture_px(picture_px);
    }

    /// The ground under the people so far, if it was to be found and they tell; they are forgotten then.
    pub fn take_ground_fit(&mut self) -> Option<GroundFit> {
        self.auto_ground.as_mut()?.fit()
    }

    /// Whether the people who walk by do not fit the ground that is measured on, so that metres on it are none.
    pub fn doubts_ground(&self) -> bool {
        self.ground_check.as_ref().is_some_and(GroundCheck::doubts)
    }

    /// All people who should be in the picture at a time after the newest look, and whose face may be looked at; none
    /// where nobody asks for masks.
    pub fn faces_wanted(&self, at: MediaTime) -> Vec<FaceWanted> {
        let Some(settings) = self.settings.counter.masks else { return Vec::new() };
        let people = self.tracker.predictions(at).into_iter().filter(|prediction| {
            prediction.class == Class::Person && prediction.lasting && prediction.unseen_s <= UNSEEN_MAX_S
        });
        people
            .map(|prediction| {
                let (looks, open) = self.counter.votes.standing(prediction.track, &settings);
                FaceWanted { track: prediction.track, bbox: prediction.bbox, open, looks }
            })
            .collect()
    }

    /// Takes what a look at somebody's face said; `None` when none was to be seen. Call it before the look of the same
    /// frame.
    pub fn face(&mut self, track: TrackId, reading: Option<&FaceReading>) {
        if self.settings.counter.masks.is_some() && self.tracker.is_alive(track) {
            self.counter.votes.add(track, reading);
        }
    }

    /// How many objects went beyond the tracker's limits since the last call.
    pub fn take_overflow(&mut self) -> u32 {
        self.tracker.take_overflow()
    }

    /// Counts all looks whose positions have become final.
    fn count(&mut self) {
        for (earlier, second) in self.tracker.take_joins() {
            self.counter.votes.join(earlier, second);
        }
        for (old, new) in self.tracker.take_renewals() {
            self.counter.renew(old, new, &mut self.events);
            if let Some(ground) = &mut self.ground {
                ground.renew(new);
            }
        }
        self.points.extend(self.tracker.take_points());
        let Some(until) = self.tracker.final_until() else { return };
        while let Some((at, observed_share)) = self.looks.pop_front_if(|(at, _)| *at <= until) {
            self.count_look(at, observed_share);
        }
        let tracker = &self.tracker;
        self.counter.retire(|track| tracker.is_alive(track), &mut self.events);
        if let Some(ground) = &mut self.ground {
            ground.retire(|track| tracker.is_alive(track));
        }
        self.book();
    }

    fn count_look(&mut self, at: MediaTime, observed_share: f32) {
        let elapsed_ms = self.counted_until.map_or(0, |last| at.as_millis() - last.as_millis());
        let spent_ms = u64::try_from(elapsed_ms).ok().filter(|_| elapsed_ms <= GAP_MAX_MS).unwrap_or(0);
        let share = f64::from(if observed_share.is_nan() { 0.0 } else { observed_share.clamp(0.0, 1.0) });
        // Presence is told of the time that was observed, and of no more: so their ratio is a mean.
        let observed_ms = (spent_ms as f64 * share).round() as u64;
        self.counted_until = Some(at);
        self.advance_window(self.settings.origin_ms.saturating_add(at.as_millis()));
        self.running.add_look();
        self.running.add_observed_ms(observed_ms);
        self.running.clear_now();
        if self.auto_ground.is_some() || self.ground_check.is_some() {
            let here: Vec<TrackPoint> = self.points.iter().filter(|point| point.at == at).copied().collect();
            self.auto_ground.iter_mut().for_each(|auto| auto.look(&here, self.picture_px));
            self.ground_check.iter_mut().for_each(|check| check.look(&here, self.picture_px));
        }
        while let Some(point) = self.points.pop_front_if(|point| point.at <= at) {
            self.counter.observe(&point, &mut self.events);
            if point.at == at && self.schema.classes().contains(&point.class) {
                let counts_ms = self.counter.present_ms(point.track, observed_ms);
                self.running.view_mut(point.class).add_present(counts_ms);
                for zone in self.counter.zones_of(point.track) {
                    self.running.occupancy_mut(zone, point.class).add_present(observed_ms);
                }
                if let Some(ground) = self.ground.as_mut().filter(|_| point.class == Class::Person) {
                    ground.person(point.track, point.bbox, self.counter.zones_of(point.track));
                }
            }
        }
        if let Some(ground) = &mut self.ground {
            ground.look(at, observed_ms, self.running.ground_mut());
        }
        self.running.settle_max();
        self.book();
    }

    /// Adds what has happened to the running window.
    fn book(&mut self) {
        for event in self.events.drain(..) {
            let class = match event {
                Event::Crossed { class, .. }
                | Event::Entered { class, .. }
                | Event::Left { class, .. }
                | Event::Dwelt { class, .. }
                | Event::Masked { class, .. }
                | Event::Travelled { class, .. } => class,
            };
            if !self.schema.classes().contains(&class) {
                continue;
            }
            match event {
                Event::Crossed { line, forward: true, .. } => self.running.line_mut(line, class).forward += 1,
                Event::Crossed { line, .. } => self.running.line_mut(line, class).backward += 1,
                Event::Entered { zone, .. } => self.running.visits_mut(zone, class).entered += 1,
                Event::Left { zone, .. } => self.running.visits_mut(zone, class).left += 1,
                Event::Dwelt { zone, dwell_ms, .. } => {
                    let dwell = self.running.dwell_mut(zone, class);
                    dwell.visits += 1;
                    dwell.total_ms += dwell_ms;
                }
                Event::Travelled { from, to, .. } => self.running.add_flow(from, to, class),
                Event::Masked { mask, .. } if class == Class::Person => {
                    let masks = self.running.masks_mut();
                    let counter = match mask {
                        Mask::With => &mut masks.with_mask,
                        Mask::Without => &mut masks.without_mask,
                        Mask::Unknown => &mut masks.unknown,
                    };
                    *counter = counter.saturating_add(1);
                }
                Event::Masked { .. } => {}
            }
        }
    }

    fn advance_window(&mut self, now_ms: i64) {
        while now_ms >= self.running.window().end_ms() {
            let Some(next) = self.following_window() else { return };
            self.flush_ground();
            let over = std::mem::replace(&mut self.running, WindowTotals::new(self.schema.clone(), next));
            self.closed.push((over, WindowState::Closed));
        }
    }

    fn flush_ground(&mut self) {
        if let Some(ground) = &mut self.ground {
            ground.flush(self.running.ground_mut());
        }
    }

    fn following_window(&self) -> Option<Window> {
        Window::new(self.running.window().end_ms(), self.settings.window_ms)
    }
}

fn check_of(scene: &Scene, settings: MeasureSettings) -> Option<GroundCheck> {
    scene.ground.filter(|_| settings.check_ground).map(GroundCheck::new)
}

#[cfg(test)]
mod tests {
    use outis_record::{Class, LineIndex, Measure, PassageBounds, Place, ZoneIndex};
    use proptest::prelude::*;

    use super::*;
    use crate::{ImageBox, ImagePoint, Line, Score, Zone};

    const FPS: f64 = 5.0;

    fn person(x: f32, y: f32) -> Detection {
        Detection {
            bbox: ImageBox::from_left_top_width_height(x - 15.0, y - 90.0, 30.0, 90.0),
            class: Class::Person,
            score: Score::new(0.8),
        }
    }

    /// A line at x = 300 (forward to the right) and a zone from x = 400 to 600.
    fn measurer(window_ms: u32) -> Measurer {
        let p = ImagePoint::new;
        let scene = Scene {
            lines: vec![Line::new(p(300.0, 500.0), p(300.0, 0.0)).unwrap()],
            zones: vec![
                Zone::new(vec![p(400.0, 0.0), p(600.0, 0.0), p(600.0, 500.0), p(400.0, 500.0)]).unwrap(),
            ],
            ground: None,
        };
        let schema = Schema::new(1, 1, &[Class::Person], true).unwrap();
        Measurer::new(scene, schema, MeasureSettings { window_ms, ..MeasureSettings::default() })
    }

    /// Whatever a track does, a bounded passage adds what noise was made for, and no more.
    #[test]
    fn a_bounded_passage_adds_no_more_than_noise_hides() {
        let p = ImagePoint::new;
        let line = |x: f32| Line::new(p(x, 500.0), p(x, 0.0)).unwrap();
        let zone = Zone::new(vec![p(400.0, 0.0), p(600.0, 0.0), p(600.0, 500.0), p(400.0, 500.0)]).unwrap();
        let scene = Scene {
            lines: vec![line(250.0), line(300.0), line(350.0)],
            zones: vec![zone],
            ..Scene::default()
        };
        let sums = |bounded| {
            let schema = Schema::new(3, 1, &[Class::Person], true).unwrap();
            let counter = CounterSettings { bounded, ..CounterSettings::default() };
            let settings = MeasureSettings { counter, window_ms: 100_000, ..MeasureSettings::default() };
            let mut measurer = Measurer::new(scene.clone(), schema, settings);
            // To and fro between x = 150 and x = 650 for four minutes, over a border of windows or two.
            for look in 0..1200u16 {
                let step = f32::from(look % 200);
                let x = if step < 100.0 { 150.0 + 5.0 * step } else { 1150.0 - 5.0 * step };
                measurer.look(MediaTime::from_seconds(f64::from(look) / FPS), &[person(x, 300.0)]);
            }
            measurer.finish();
            let (mut counts, mut flows, mut present_ms, mut stay_ms, mut most) = (0, 0, 0, 0, 0);
            for (totals, _) in measurer.take_closed() {
                for (_, measure) in totals.cells() {
                    match measure {
                        Measure::LineCrossings { forward: a, backward: b, .. }
                        | Measure::ZoneVisits { entered: a, left: b, .. } => {
                            counts += a + b;
                            most = most.max(a).max(b);
                        }
                        Measure::Flow { count, .. } => flows += count,
                        Measure::ViewOccupancy { present_ms: ms, .. } => present_ms += ms,
                        Measure::ZoneDwell { total_ms, .. } => stay_ms += total_ms,
                        _ => {}
                    }
                }
            }
            (counts, flows, present_ms, stay_ms, most)
        };
        let (counts, _, present_ms, stay_ms, most) = sums(false);
        assert!(
            counts > 40 && present_ms > 200_000 && stay_ms > 40_000 && most > 2,
            "the street is busy enough"
        );
        let (counts, flows, present_ms, stay_ms, most) = sums(true);
        assert!(counts == PassageBounds::COUNTS && flows <= 1 && most == 1, "{counts} {flows} {most}");
        assert!(present_ms == PassageBounds::PRESENT_MS && stay_ms <= PassageBounds::PRESENT_MS, "{stay_ms}");
    }

    /// Two people walk by, one of whom shows a masked face a few times, while a third is never seen in the face: each
    /// passage is in one of three counters, once.
    #[test]
    fn a_passage_is_judged_once_when_it_is_over() {
        let masks = Some(crate::MaskSettings { with_min: 0.5, without_max: 0.1 });
        let counter = CounterSettings { masks, bounded: true, ..CounterSettings::default() };
        let settings = MeasureSettings { counter, window_ms: 3_600_000, ..MeasureSettings::default() };
        let schema = Schema::new(0, 0, &[Class::Person], false).unwrap().with_masks().unwrap();
        let mut measurer = Measurer::new(Scene::default(), schema, settings);
        for look in 0..=100u16 {
            let at = MediaTime::from_seconds(f64::from(look) / FPS);
            let x = 100.0 + 8.0 * f32::from(look);
            for wanted in measurer.faces_wanted(at) {
                let foot_y = wanted.bbox.foot().y_px;
                // The ones at 300 and 500 show their faces, and the one at 700 does not.
                let with_mask = if foot_y < 400.0 { 0.9 } else { 0.02 };
                let reading = FaceReading { side_px: 30.0, score: Score::new(0.8), with_mask };
                assert!(wanted.open || foot_y < 600.0, "nobody is done who was not seen");
                if wanted.open && look % 7 == 0 {
                    measurer.face(wanted.track, (foot_y < 600.0).then_some(&reading));
                }
            }
            assert_eq!(
                measurer.running().masks(),
                outis_record::Masks::default(),
                "not before they are gone"
            );
            measurer.look(at, &[person(x, 300.0), person(900.0 - x, 500.0), person(x, 700.0)]);
        }
        measurer.finish();
        let closed = measurer.take_closed();
        let [(totals, _)] = &closed[..] else { panic!("{closed:?}") };
        let expected = outis_record::Masks { with_mask: 1, without_mask: 1, unknown: 1 };
        assert_eq!(totals.masks(), expected);
    }

    /// Walks from x = 100 to x = 900 in 20 s and tells the windows.
    fn walk(window_ms: u32) -> Vec<(WindowTotals, WindowState)> {
        let mut measurer = measurer(window_ms);
        for look in 0..=100 {
            let time = MediaTime::from_seconds(f64::from(look) / FPS);
            measurer.look(time, &[person(100.0 + 8.0 * look as f32, 300.0)]);
        }
        measurer.finish();
        measurer.take_closed()
    }

    #[test]
    fn one_walk_through_everything() {
        let windows = walk(3_600_000);
        let [(totals, WindowState::Partial)] = &windows[..] else { panic!("{windows:?}") };
        let (line, zone, class) = (LineIndex(0), ZoneIndex(0), Class::Person);
        assert_eq!((totals.line(line, class).forward, totals.line(line, class).backward), (1, 0));
        assert_eq!((totals.visits(zone, class).entered, totals.visits(zone, class).left), (1, 1));
        assert_eq!(totals.flow(Place::Line(line), Place::Zone(zone), class), 1);
        // 200 px at 40 px a second.
        let dwell = totals.dwell(zone, class);
        assert!(dwell.visits == 1 && (4_500..5_500).contains(&dwell.total_ms), "{dwell:?}");
        let present_ms = totals.occupancy(zone, class).present_ms;
        assert!((4_500..5_500).contains(&present_ms), "{present_ms}");
        assert_eq!((totals.observed_ms(), totals.view(class).max), (20_000, 1));
        assert_eq!(totals.view(class).present_ms, 20_000);
    }

    #[test]
    fn shorter_windows_share_the_same_sum() {
        let windows = walk(2_000);
        assert_eq!(windows.len(), 11, "twenty seconds, and the look at their end");
        let sum = |f: &dyn Fn(&WindowTotals) -> u64| windows.iter().map(|(totals, _)| f(totals)).sum::<u64>();
        let class = Class::Person;
        assert_eq!(sum(&|w| w.line(LineIndex(0), class).forward.into()), 1);
        assert_eq!(sum(&|w| w.visits(ZoneIndex(0), class).entered.into()), 1);
        assert_eq!(sum(&|w| w.dwell(ZoneIndex(0), class).visits.into()), 1);
        assert_eq!(sum(&WindowTotals::observed_ms), 20_000);
        for (index, (totals, state)) in windows.iter().enumerate() {
            assert_eq!(totals.window().start_ms(), 2_000 * index as i64);
            let expected = if index == 10 { WindowState::Partial } else { WindowState::Closed };
            assert_eq!(*state, expected, "window {index}");
        }
    }

    #[test]
    fn a_pause_of_the_source_is_not_observed() {
        let mut measurer = measurer(3_600_000);
        for look in (0..=10).chain(110..=120) {
            measurer.look(MediaTime::from_seconds(f64::from(look) / FPS), &[]);
        }
        measurer.finish();
        assert_eq!(measurer.take_closed()[0].0.observed_ms(), 4_000);
    }

    #[test]
    fn what_was_not_looked_at_is_not_observed() {
        let mut measurer = measurer(3_600_000);
        for look in 0..=100 {
            let share = if look > 50 { 0.4 } else { 1.0 };
            measurer.look_partly(
                MediaTime::from_seconds(f64::from(look) / FPS),
                &[person(100.0, 190.0)],
                share,
            );
        }
        measurer.finish();
        let (totals, _) = &measurer.take_closed()[0];
        assert_eq!(totals.observed_ms(), 10_000 + 4_000);
        let view = totals.view(Class::Person);
        assert!((13_000..=14_000).contains(&view.present_ms), "one person, all the time: {view:?}");
    }

    proptest! {
        /// Whatever a detector says, and whenever: nothing panics, and nothing is counted twice over.
        #[test]
        fn any_boxes_at_any_times(
            looks in proptest::collection::vec(
                (0u32..20_000, proptest::collection::vec(any::<(f32, f32, f32, f32, f32)>(), 0..6)),
                0..60,
            )
        ) {
            let mut measurer = measurer(60_000);
            let mut now = MediaTime::ZERO;
            let mut boxes = 0;
            for (pause_ms, found) in looks {
                now = now.plus_seconds(pause_ms as f32 / 1000.0);
                let detections: Vec<Detection> = found
                    .into_iter()
                    .map(|(left, top, width, height, score)| Detection {
                        bbox: ImageBox { left, top, width, height },
                        class: Class::Person,
                        score: Score::new(score),
                    })
                    .collect();
                boxes += detections.len();
                measurer.look(now, &detections);
            }
            measurer.finish();
            let crossed: u32 = measurer
                .take_closed()
                .iter()
                .map(|(totals, _)| totals.line(LineIndex(0), Class::Person))
                .map(|count| count.forward + count.backward)
                .sum();
            prop_assert!(crossed as usize <= boxes);
        }
    }
}
