//! The loop of the eye: packets in, records out.
//!
//! Knows which frames are looked at and when records leave. What leaves is made by `WindowTotals::records`
//! only, or is one of the messages without measures; the door decides what may be told on.

use std::io::{self, Read, Write};

use outis_measure::{GroundFit, MeasureSettings, Measurer, MediaTime, Scene, Situation, Zone};
use outis_packet::Ending;
use outis_record::{
    Class, GroundQuality, GroundView, Message, Notice, Outcome, Progress, Quality, Record, Schema,
    WindowState,
};

use crate::{
    Frame,
    blank::Blanks,
    calm::Calm,
    decode::{Event, Frames, Picture, StartError},
    detect::{Detect, DetectError},
    drawn::{Drawn, Fit, Zoom},
    haste::Haste,
    mask::Masks,
    moved::Moved,
    plan::{Look, Planner, Way},
    schedule::{LookRate, LookSchedule},
    substream::Substream,
};

/// Without snapshots, progress is told this often.
const PROGRESS_MS: u32 = 1000;

/// While people do not fit the ground, it is said this often: every window is to have it.
const DOUBT_MS: u32 = 10_000;

/// What to measure, and when to tell.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Lines and zones.
    pub scene: Scene,
    /// Width and height in pixels of the picture that they were drawn in; without, they are for the first one.
    pub drawn_px: Option<(u32, u32)>,
    /// Areas at which nobody looks, in the same pixels.
    pub blanks: Vec<Zone>,
    /// Which cells a window has. Its classes are the ones that are tracked.
    pub schema: Schema,
    /// Filters and windows. A live stream brings its own origin of time.
    pub measure: MeasureSettings,
    /// How often the detector looks.
    pub look_rate: LookRate,
    /// Where it looks.
    pub way: Way,
    /// Situations that people are asked to change.
    pub alerts: Alerts,
    /// Milliseconds of media time between two snapshots of the running window; `None` for none.
    pub snapshot_ms: Option<u32>,
}

/// When to give an alert. By default never.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alerts {
    /// The situations, each about the picture or one of the scene's zones.
    pub situations: Vec<Situation>,
    /// The least media time between two alerts, in milliseconds.
    pub gap_ms: u32,
}

/// Decodes a stream, counts what is to be counted, and writes records until the stream is over.
///
/// # Errors
/// When the records cannot be written. Whatever is wrong with the stream is told in records.
pub fn run(
    input: impl Read,
    output: impl Write,
    detector: &mut dyn Detect,
    settings: Settings,
) -> io::Result<Outcome> {
    run_with_masks(input, output, detector, None, settings)
}

/// The same, and looks people in the face to see who wears a mask. The schema has a place for it.
///
/// # Errors
/// As [`run`].
pub fn run_with_masks(
    input: impl Read,
    output: impl Write,
    detector: &mut dyn Detect,
    masks: Option<&mut Masks>,
    settings: Settings,
) -> io::Result<Outcome> {
    run_with_substream(input, None, output, detector, masks, settings)
}

/// The same for a live camera that also sends a second, smaller stream of the same view: so long as nobody moves and
/// nothing changes in it, the first one rests. Reads from it fail with [`WouldBlock`](io::ErrorKind::WouldBlock) where they
/// would wait. When it ends, everything goes on without it.
///
/// # Errors
/// As [`run`].
pub fn run_with_substream(
    input: impl Read,
    substream: Option<Box<dyn Read>>,
    output: impl Write,
    detector: &mut dyn Detect,
    masks: Option<&mut Masks>,
    mut settings: Settings,
) -> io::Result<Outcome> {
    settings.measure.counter.masks = masks.as_ref().map(|masks| masks.settings());
    let mut frames = match Frames::new(input) {
        Ok(frames) => frames,
        Err(error) => {
            let outcome = match error {
                StartError::UnsupportedCodec { .. } => Outcome::UnsupportedCodec,
                StartError::Stream(_) => Outcome::NothingDecoded,
            };
            return Eye::new(detector, masks, output, settings).end_unbegun(outcome);
        }
    };
    if let Some(origin_ms) = frames.header().origin_unix_ms {
        // The packet's reader has a limit far below the end of 64 bits.
        settings.measure.origin_ms = i64::try_from(origin_ms).unwrap_or(i64::MAX);
    }
    // A file that is not passed on from its beginning: its windows are those of the whole.
    let skipped_ms = i64::try_from(frames.header().skipped_ms).unwrap_or(i64::MAX);
    settings.measure.origin_ms = settings.measure.origin_ms.saturating_add(skipped_ms);
    let blanks = settings.blanks.clone();
    let mut eye = Eye::new(detector, masks, output, settings);
    eye.substream = substream.map(|input| Substream::new(input, blanks));
    eye.haste = Haste::new(frames.header().origin_unix_ms.is_some());
    eye.progress.duration_ms = frames.header().duration_us.unwrap_or(0) / 1000;
    let mut unsupported = false;
    while let Some(event) = frames.next_wanted(|at| eye.schedule.may_be_due(at) && !eye.haste.is_behind(at)) {
        eye.rest_or_wake(&mut frames);
        match event {
            Event::Picture(picture) => {
                if let Seen::Lost = eye.picture(picture, &mut frames)? {
                    return eye.end(Outcome::Truncated);
                }
            }
            Event::LeftOut(at) => eye.left_out(at)?,
            Event::Rested(at) => eye.rested(at)?,
            Event::Waits => {}
            Event::Fault(notice) => eye.notices.add(notice, 1),
            Event::UnsupportedFeature => {
                unsupported = true;
                eye.notices.add(Notice::DamagedPacket, 1);
            }
            Event::End(ending) => {
                if ending == Ending::Truncated {
                    eye.notices.add(Notice::Truncated, 1);
                }
                let outcome = match (eye.progress.frames, ending) {
                    (0, _) if unsupported => Outcome::UnsupportedCodec,
                    (0, _) => Outcome::NothingDecoded,
                    (_, Ending::Complete) => Outcome::Complete,
                    (_, Ending::Truncated) => Outcome::Truncated,
                };
                return eye.end(outcome);
            }
        }
    }
    unreachable!("a stream of events ends with Event::End")
}

/// Whether it makes sense to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It does.
    GoOn,
    /// The picture has another shape, so nobody knows where the lines are in it.
    Lost,
}

struct Eye<'a, W> {
    detector: &'a mut dyn Detect,
    masks: Option<&'a mut Masks>,
    planner: Planner,
    moved: Moved,
    way: Way,
    scene: Scene,
    drawn: Drawn,
    blanks: Blanks,
    /// What the planner works with.
    zoom: Zoom,
    output: W,
    classes: Vec<Class>,
    measurer: Measurer,
    schedule: LookSchedule,
    haste: Haste,
    substream: Option<Substream>,
    calm: Calm,
    was_resting: bool,
    snapshots: Option<Ticker>,
    progress_ticks: Ticker,
    doubt_ticks: Ticker,
    /// Whether that the ground is doubted was told since the last window.
    doubt_told: bool,
    progress: Progress,
    notices: Notices,
    /// Records that leave together.
    batch: Vec<u8>,
}

impl<'a, W: Write> Eye<'a, W> {
    fn new(
        detector: &'a mut dyn Detect,
        masks: Option<&'a mut Masks>,
        output: W,
        settings: Settings,
    ) -> Self {
        let Settings { scene, drawn_px, blanks, schema, measure, look_rate, way, alerts, snapshot_ms } =
            settings;
        let planner = Planner::new(way, scene.lines.clone(), scene.zones.clone()).leaving_out(blanks.clone());
        let classes = schema.classes().to_vec();
        let mut measurer = Measurer::new(scene.clone(), schema, measure);
        measurer.watch_for(&alerts.situations, alerts.gap_ms);
        let calm = Calm::new(detector.thresholds().score_new);
        Self {
            detector,
            masks,
            planner,
            moved: Moved::default(),
            way,
            scene,
            drawn: Drawn::new(drawn_px),
            blanks: Blanks::new(blanks),
            zoom: Zoom::NONE,
            output,
            classes,
            measurer,
            schedule: LookSchedule::new(look_rate),
            haste: Haste::new(false),
            substream: None,
            calm,
            was_resting: false,
            snapshots: snapshot_ms.map(Ticker::new),
            progress_ticks: Ticker::new(PROGRESS_MS),
            doubt_ticks: Ticker::new(DOUBT_MS),
            doubt_told: false,
            progress: Progress::default(),
            notices: Notices::default(),
            batch: Vec::new(),
        }
    }

    /// Lets the stream rest while nobody and nothing moves, and wakes it as soon as anything does.
    fn rest_or_wake(&mut self, frames: &mut Frames<impl Read>) {
        let (Some(substream), Some(drawn_px)) = (&mut self.substream, self.drawn.size_px()) else { return };
        // While people move, nobody asks whether anything does.
        substream.take(drawn_px, self.calm.is_still() || frames.is_resting());
        if self.calm.has_lasted() && substream.is_still() {
            frames.rest();
        } else {
            frames.wake();
        }
        if self.was_resting && !frames.is_resting() {
            self.haste.excuse();
            self.calm.disturb();
        }
        self.was_resting = frames.is_resting();
    }

    /// A frame of a stream that rests. The view is as it was when it was looked at last.
    fn rested(&mut self, at: MediaTime) -> io::Result<()> {
        let due = self.schedule.is_due(at);
        self.frame(at);
        if due {
            self.progress.looks = self.progress.looks.saturating_add(1);
            let look = self.planner.look_unchanged(at);
            let look = self.counted(look);
            self.measurer.look_partly(at, &look.detections, look.observed_share);
        }
        self.tell(at, due)
    }

    /// A frame that is not looked at and was not decoded.
    fn left_out(&mut self, at: MediaTime) -> io::Result<()> {
        if !self.haste.was_behind() {
            self.schedule.pass(at);
        } else if self.schedule.is_due(at) {
            // Of these, none was wanted.
            self.notices.add(Notice::Behind, 1);
        }
        self.frame(at);
        self.tell(at, false)
    }

    fn frame(&mut self, at: MediaTime) {
        self.progress.frames = self.progress.frames.saturating_add(1);
        self.progress.media_ms = u64::try_from(at.as_millis()).unwrap_or(0);
    }

    fn picture(&mut self, picture: Picture, frames: &mut Frames<impl Read>) -> io::Result<Seen> {
        let at = picture.at();
        self.frame(at);
        let side = |px: u32| u16::try_from(px).unwrap_or(u16::MAX);
        (self.progress.width_px, self.progress.height_px) =
            (side(picture.width_px()), side(picture.height_px()));

        match self.drawn.fit(at, (picture.width_px(), picture.height_px())) {
            Fit::Same(zoom) => self.show(zoom),
            Fit::Other => {
                self.notices.add(Notice::UnsupportedFrame, 1);
                return self.tell(at, false).map(|()| Seen::GoOn);
            }
            Fit::Lost => return Ok(Seen::Lost),
        }
        let due = self.schedule.is_due(at);
        // Packets of a stream that rests have waited on purpose.
        let looked = due && (frames.is_resting() || !self.haste.is_behind(at));
        if due && !looked {
            self.notices.add(Notice::Behind, 1);
        }
        if let Some(look) = looked.then(|| self.look(picture, frames)).flatten() {
            self.progress.looks = self.progress.looks.saturating_add(1);
            self.measurer.look_partly(at, &look.detections, look.observed_share);
            if self.measurer.doubts_ground() && self.doubt_ticks.passes(at) {
                self.notices.add(Notice::GroundDoubted, 1);
            }
        }
        self.notices.add(Notice::TooManyTracks, self.detector.take_overflow());
        self.notices.add(Notice::TooManyTracks, self.measurer.take_overflow());
        self.tell(at, looked).map(|()| Seen::GoOn)
    }

    /// Plans for pictures of this zoom.
    fn show(&mut self, zoom: Zoom) {
        // All positions are in pixels of the picture that was drawn in, whatever came.
        if let Some((width, height)) = self.drawn.size_px() {
            self.measurer.set_picture_px((width as f32, height as f32));
        }
        if zoom == self.zoom {
            return;
        }
        self.zoom = zoom;
        // What has shrunk to less than a pixel is not looked at more closely; it is counted all the same.
        let lines = self.scene.lines.iter().filter_map(|line| zoom.line(line).ok()).collect();
        let zones = self.scene.zones.iter().filter_map(|zone| zoom.zone(zone).ok()).collect();
        let blanks = self.blanks.areas().iter().filter_map(|area| zoom.zone(area).ok()).collect();
        self.planner = Planner::new(self.way, lines, zones).leaving_out(blanks);
    }

    /// What the detector sees of the classes that are counted; `None` when it could not look.
    fn look(&mut self, picture: Picture, frames: &mut Frames<impl Read>) -> Option<Look> {
        // Before anything else sees it.
        let blanked = frames.develop(picture).and_then(|frame| self.blanks.paint(frame, self.zoom));
        let Ok(frame) = blanked else {
            self.notices.add(Notice::UnsupportedFrame, 1);
            return None;
        };
        // While the frame is there: the detector consumes it.
        if self.moved.observe(&frame) {
            self.notices.add(Notice::CameraMoved, 1);
        }
        if self.look_in_the_face(&frame).is_err() {
            self.notices.add(Notice::DetectorFault, 1);
            return None;
        }
        let at = frame.at();
        let floor = self.detector.thresholds().score_min;
        let Ok(look) = self.planner.look(&mut *self.detector, frame, floor) else {
            self.notices.add(Notice::DetectorFault, 1);
            return None;
        };
        let look = self.counted(look);
        if let Some(substream) = &mut self.substream {
            self.calm.look(at, &look);
            if self.calm.is_still() {
                substream.settle(at);
            }
        }
        Some(look)
    }

    /// What of a look is counted, in pixels of the picture that was drawn in.
    fn counted(&self, mut look: Look) -> Look {
        look.detections.retain(|detection| self.classes.contains(&detection.class));
        if self.zoom != Zoom::NONE {
            look.detections.iter_mut().for_each(|detection| *detection = self.zoom.back(*detection));
        }
        look
    }

    /// Looks for masks where people are expected in this frame.
    fn look_in_the_face(&mut self, frame: &Frame) -> Result<(), DetectError> {
        let Some(masks) = &mut self.masks else { return Ok(()) };
        // Tracks are in pixels of the picture that lines were drawn in; faces are looked for in this one.
        let mut people = self.measurer.faces_wanted(frame.at());
        people.iter_mut().for_each(|person| person.bbox = self.zoom.onto(person.bbox));
        for (track, reading) in masks.look(frame, &people)? {
            self.measurer.face(track, reading.as_ref());
        }
        Ok(())
    }

    /// Writes what is to be told after a frame.
    fn tell(&mut self, at: MediaTime, looked: bool) -> io::Result<()> {
        self.add_closed_windows();
        let snapshot = looked && self.snapshots.as_mut().is_some_and(|ticker| ticker.passes(at));
        if snapshot {
            let records = self.measurer.running().records(WindowState::Open);
            self.add_all(&records);
        }
        if self.progress_ticks.passes(at) || snapshot {
            self.add(Message::Progress(self.progress));
        }
        // After the progress, by which the door judges whether alerts come too often.
        if let Some(alert) = self.measurer.take_alert() {
            self.add(Message::Alert(alert));
        }
        // Notices go along with other records: a storm of faults makes no storm of records.
        if !self.batch.is_empty() {
            self.add_notices();
        }
        self.write_batch()
    }

    /// The end of a stream that never began: nobody knows of which time its windows would have been.
    fn end_unbegun(mut self, outcome: Outcome) -> io::Result<Outcome> {
        self.add(Message::End { outcome, progress: self.progress });
        self.write_batch()?;
        Ok(outcome)
    }

    fn end(mut self, outcome: Outcome) -> io::Result<Outcome> {
        self.measurer.finish();
        // Before the last window, of which it says what may be told; and never twice without a record between.
        if self.measurer.doubts_ground() && !self.doubt_told {
            self.add(Message::Notice { notice: Notice::GroundDoubted, count: 1 });
        }
        self.add_closed_windows();
        self.notices.add(Notice::TooManyTracks, self.measurer.take_overflow());
        self.add_notices();
        if let Some(fit) = self.measurer.take_ground_fit() {
            let size_px = self.drawn.size_px().unwrap_or_default();
            self.add(Message::GroundView(view_of(&fit, size_px)));
            self.add(Message::GroundQuality(quality_of(&fit, size_px)));
        }
        self.add(Message::End { outcome, progress: self.progress });
        self.write_batch()?;
        Ok(outcome)
    }

    fn add_closed_windows(&mut self) {
        for (totals, state) in self.measurer.take_closed() {
            self.add_all(&totals.records(state));
            self.doubt_told = false;
        }
    }

    fn add_notices(&mut self) {
        for message in self.notices.take() {
            self.doubt_told |= matches!(message, Message::Notice { notice: Notice::GroundDoubted, .. });
            self.add(message);
        }
    }

    fn add(&mut self, message: Message) {
        self.batch.extend_from_slice(Record::from(message).as_bytes());
    }

    fn add_all(&mut self, records: &[Record]) {
        records.iter().for_each(|record| self.batch.extend_from_slice(record.as_bytes()));
    }

    fn write_batch(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.output.write_all(&self.batch)?;
        self.output.flush()?;
        self.batch.clear();
        Ok(())
    }
}

/// A fit in the rounded numbers of a record.
fn view_of(fit: &GroundFit, (width, height): (u32, u32)) -> GroundView {
    let (pose, [focal_sd, ..]) = (fit.pose(), fit.spreads());
    let (good, fair) = fit.areas((width as f32, height as f32));
    let permille = |share: f64| (1000.0 * share).round().clamp(0.0, 1000.0) as u16;
    GroundView {
        focal_dpx: (10.0 * pose.focal_px).round().clamp(10.0, 1e6) as u32,
        height_mm: (1000.0 * pose.height_m).round().clamp(100.0, 2e5) as u32,
        pitch_mdeg: (1000.0 * pose.pitch_rad.to_degrees()).round().clamp(-9e4, 9e4) as i32,
        roll_mdeg: (1000.0 * pose.roll_rad.to_degrees()).round().clamp(-4.5e4, 4.5e4) as i32,
        people: u16::try_from(fit.people()).unwrap_or(u16::MAX).min(GroundView::PEOPLE_MAX),
        residual_permille: permille(fit.residual()),
        focal_permille: permille(focal_sd),
        // Rounded down, so that both together are no more than the picture.
        good_percent: (100.0 * good) as u8,
        fair_percent: (100.0 * fair) as u8,
    }
}

/// How well distances are known in the middle of each cell of the picture.
fn quality_of(fit: &GroundFit, (width, height): (u32, u32)) -> GroundQuality {
    let mut cells = [Quality::Poor; GroundQuality::CELLS];
    let told = fit.qualities(GroundQuality::GRID, (width as f32, height as f32));
    cells.iter_mut().zip(told).for_each(|(cell, quality)| *cell = quality);
    GroundQuality(cells)
}

/// Counts periods of media time.
#[derive(Debug)]
struct Ticker {
    period_ms: i64,
    period: Option<i64>,
}

impl Ticker {
    fn new(period_ms: u32) -> Self {
        Self { period_ms: i64::from(period_ms.max(1)), period: None }
    }

    /// Whether a new period has begun since the last call, also at the first.
    fn passes(&mut self, at: MediaTime) -> bool {
        let period = Some(at.as_millis().div_euclid(self.period_ms));
        let passes = period != self.period;
        self.period = period;
        passes
    }
}

/// Faults since they were last told.
#[derive(Debug, Default)]
struct Notices([u32; Notice::ALL.len()]);

impl Notices {
    fn add(&mut self, notice: Notice, count: u32) {
        let total = &mut self.0[notice as usize];
        *total = total.saturating_add(count);
    }

    fn take(&mut self) -> impl Iterator<Item = Message> + use<> {
        let counts = std::mem::take(&mut self.0);
        let told = Notice::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0);
        told.map(|(notice, count)| Message::Notice { notice, count })
    }
}
