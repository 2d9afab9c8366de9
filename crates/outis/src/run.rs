//! One run of one camera's programs: starts them, passes on what the eye says, and sees that it goes on saying it.

use std::{
    mem,
    time::{Duration, SystemTime},
};

use outis_record::{NoRandomness, Progress, Window};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until},
};

use crate::{
    alert::Brake,
    assemble::{Assembler, Checked},
    camera::{CameraError, Finish, Order, Report, Stop, Told, judge},
    course::unix_ms,
    launch::{CameraPlan, Crew, Ended, Programs},
    merge::Merger,
    reader::RecordReader,
    release::{self, Event, Gate, KernelRandomness},
    scene::Scene,
    seam::Seam,
};

/// How long an eye may take to tell its last totals after its source was stopped.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(10);

/// How often a live camera is looked after, and what there is to tell of it told.
const BEAT: Duration = Duration::from_secs(1);

/// The first camera is looked after when a second of the wall clock is so old, in milliseconds, the next ones a little later
/// each: windows that end together are signed in the cameras' order, within the second that is told, whatever eyes do.
const BEAT_AT_MS: u64 = 100;
const BEAT_STEP_MS: u64 = 10;
const BEAT_STEPS: u64 = 64;

/// How far eyes with a noisy release have come is told at whole multiples of this, in milliseconds of the wall clock.
const CLOCK_STEP_MS: i64 = release::CLOCK_STEP_MS.cast_signed();

/// An eye of a live camera that tells no progress for so long is stuck. Its intake ends by itself after ten seconds
/// without a packet; this is for what the intake does not see.
const STUCK: Duration = Duration::from_secs(15);

/// How long the first progress may take: the camera's answer, its first whole picture, a model on a busy machine.
const START: Duration = Duration::from_secs(60);

/// By more than this the wall clock does not drift: it was set.
const CLOCK_SET_MS: i64 = 5_000;

/// What puts windows together of which several eyes saw parts.
#[derive(Debug)]
enum Windows {
    /// Of a live camera, by the wall clock.
    Live(Box<Merger>),
    /// Of a file, by the film's.
    File(Seam),
}

impl Windows {
    fn live(&mut self) -> Option<&mut Merger> {
        match self {
            Self::Live(merger) => Some(merger),
            Self::File(_) => None,
        }
    }

    fn paused_ms(&self, window: Window) -> u64 {
        match self {
            Self::Live(merger) => merger.paused_ms(window),
            Self::File(seam) => seam.paused_ms(window),
        }
    }
}

/// What becomes of the words of a camera's eyes: put together, released, and reported.
#[derive(Debug)]
pub(crate) struct Way {
    camera: usize,
    gate: Gate<KernelRandomness>,
    windows: Windows,
    /// Where in a file its eye began, in milliseconds.
    from_ms: u64,
    /// Lets no more alerts out than were declared, however often the eye is started.
    brake: Brake,
    /// What both clocks said when they were last compared: the steady one, and the wall's in milliseconds.
    clocks: (Instant, i64),
    reports: mpsc::Sender<Report>,
    /// What there is to tell of a live camera's eyes with the next beat: what they say comes at moments of their choice.
    waiting: Waiting,
}

/// What has happened since the last beat.
#[derive(Debug, Default)]
struct Waiting {
    /// Why the camera was away, each time.
    down: Vec<String>,
    /// Whether its eye is at work, since.
    alive: bool,
    /// Why its substream is away, while its eye may be at work.
    substream: Option<String>,
    progress: Option<Progress>,
    /// The last step of the wall clock at which progress was told; none is told before the first.
    step: Option<i64>,
}

impl Way {
    /// The way of a camera that begins now.
    pub(crate) fn new(
        camera: usize,
        plan: &CameraPlan,
        reports: mpsc::Sender<Report>,
    ) -> Result<Self, CameraError> {
        let schema = plan.schema()?;
        let disclosure = plan.disclosure(&schema)?;
        let windows = match plan.source.is_live() {
            true => Windows::Live(Box::new(Merger::new(schema.clone(), plan.window_ms, now_ms()))),
            false => Windows::File(Seam::default()),
        };
        let gate = Gate::new(schema, disclosure, KernelRandomness::default());
        let brake = Brake::new(&plan.alerts.terms);
        let clocks = (Instant::now(), now_ms());
        let waiting = Waiting::default();
        Ok(Self { camera, gate, windows, from_ms: 0, brake, clocks, reports, waiting })
    }

    /// Takes what an eye said.
    async fn hear(&mut self, checked: Checked) -> Result<(), NoRandomness> {
        // An eye that has looked at nothing yet may be about to find that it cannot.
        let alive = matches!(checked, Checked::Progress(progress) if progress.looks > 0);
        match &mut self.windows {
            Windows::Live(merger) => {
                let checked = merger.take(checked, now_ms());
                self.waiting.alive |= alive;
                let checked = checked.and_then(|checked| self.waiting.keep(checked));
                self.pass(checked).await
            }
            Windows::File(seam) => {
                let checked = seam.take(in_file(checked, self.from_ms));
                if alive {
                    self.report(Report::Alive(self.camera)).await;
                }
                self.pass(checked).await
            }
        }
    }

    /// When to look after a camera: each second of the wall clock, at the same moment of it however often and whenever its
    /// programs are started.
    pub(crate) fn beat(&self) -> Interval {
        let steps = u64::try_from(self.camera).unwrap_or(0) % BEAT_STEPS;
        let at_ms = BEAT_AT_MS + BEAT_STEP_MS * steps;
        let now_ms = u64::try_from(now_ms().rem_euclid(1000)).unwrap_or(0);
        let first = Instant::now() + Duration::from_millis((1000 + at_ms - now_ms) % 1000);
        let mut beat = interval_at(first, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        beat
    }

    /// Tells what there is to tell of a live camera: how it is, the windows whose moment has come.
    pub(crate) async fn tick(&mut self) -> Result<(), NoRandomness> {
        self.tell_state().await;
        let now_ms = now_ms();
        let progress = self.waiting.due(now_ms);
        self.pass(progress.map(Checked::Progress)).await?;
        let over = self.windows.live().map(|merger| merger.over(now_ms)).unwrap_or_default();
        self.pass(over).await
    }

    async fn tell_state(&mut self) {
        for why in mem::take(&mut self.waiting.down) {
            self.report(Report::Down { camera: self.camera, why, grave: false }).await;
        }
        if mem::take(&mut self.waiting.alive) {
            self.report(Report::Alive(self.camera)).await;
            if let Some(why) = self.waiting.substream.take() {
                self.report(Report::SubstreamAway { camera: self.camera, why }).await;
            }
        }
    }

    /// Takes it that a camera's substream is away, and why. That is told when its eye is seen at work without it: of a camera
    /// that is away altogether there is another word.
    fn lose_substream(&mut self, why: String) {
        self.waiting.alive = false;
        self.waiting.substream = Some(why);
    }

    /// An eye has ended. What was not told yet of what it saw waits for the next; of one that broke the rules it is
    /// forgotten.
    pub(crate) fn rest(&mut self, grave: bool) {
        self.waiting.substream = None;
        if let Some(merger) = self.windows.live() {
            if grave { merger.distrust() } else { merger.rest() }
        }
    }

    /// Tells what was seen of the running window: nobody will see more of it.
    pub(crate) async fn finish(&mut self) -> Result<(), NoRandomness> {
        match &mut self.windows {
            Windows::Live(merger) => {
                let last = merger.finish(now_ms());
                self.tell_state().await;
                self.pass(last).await
            }
            Windows::File(_) => {
                for event in self.gate.cut_short()? {
                    self.report(Report::Event(self.camera, event)).await;
                }
                Ok(())
            }
        }
    }

    /// Goes on by another plan for the same live camera.
    pub(crate) async fn change(&mut self, from: &CameraPlan, to: &CameraPlan) -> Result<(), CameraError> {
        let schema = to.schema()?;
        let disclosure = to.disclosure(&schema)?;
        let same_windows = (from.window_ms, from.profile) == (to.window_ms, to.profile)
            && from.scene.on_ground().adds_up_with(to.scene.on_ground());
        match &mut self.windows {
            Windows::Live(merger) if same_windows => {
                let (new, old): (&Scene, &Scene) = (&to.scene, &from.scene);
                let settled = merger.settle(now_ms());
                merger.reshape(schema.clone(), |place| new.place_in(place, old), now_ms());
                self.pass(settled).await?;
            }
            _ => {
                self.finish().await?;
                self.windows = Windows::Live(Box::new(Merger::new(schema.clone(), to.window_ms, now_ms())));
            }
        }
        self.gate = Gate::new(schema, disclosure, KernelRandomness::default());
        self.brake.change(&to.alerts.terms);
        self.report(Report::Changed(self.camera, Box::new(to.clone()))).await;
        Ok(())
    }

    /// Whether the wall clock was set since this was last asked; also when the machine slept.
    pub(crate) fn clock_was_set(&mut self) -> bool {
        let (then, then_ms) = mem::replace(&mut self.clocks, (Instant::now(), now_ms()));
        let elapsed_ms = i64::try_from(then.elapsed().as_millis()).unwrap_or(i64::MAX);
        (self.clocks.1 - then_ms - elapsed_ms).abs() > CLOCK_SET_MS
    }

    /// The wall clock was set: what was seen by the old one is told, and windows begin anew by the new one.
    pub(crate) async fn reset_clock(&mut self, plan: &CameraPlan) -> Result<(), CameraError> {
        self.finish().await?;
        self.windows = Windows::Live(Box::new(Merger::new(plan.schema()?, plan.window_ms, now_ms())));
        self.report(Report::ClockSet(self.camera)).await;
        Ok(())
    }

    /// Says that nothing of the camera is looked at from now on: its programs are gone.
    pub(crate) async fn paused(&mut self) {
        self.tell_state().await;
        self.waiting.alive = false;
        self.report(Report::Paused(self.camera)).await;
    }

    /// Takes it that nothing of the camera is looked at from now on to a moment.
    pub(crate) fn pause(&mut self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now()).as_millis();
        let now_ms = now_ms();
        if let Some(merger) = self.windows.live() {
            merger.pause(now_ms, now_ms.saturating_add(i64::try_from(left).unwrap_or(i64::MAX)));
        }
    }

    /// Takes it that nothing of a file is looked at from one place to another, where its eye will begin.
    pub(crate) fn skip(&mut self, from_ms: u64, until_ms: u64) {
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        if let Windows::File(seam) = &mut self.windows {
            seam.pause(signed(from_ms), signed(until_ms));
        }
        self.from_ms = until_ms;
    }

    /// Says that the camera is looked at again.
    pub(crate) async fn resume(&self) {
        self.report(Report::Resumed(self.camera)).await;
    }

    /// Says that the camera is away, and why: of an eye that broke the rules at once, so that nothing of it is kept.
    pub(crate) async fn down(&mut self, why: String, grave: bool) {
        self.waiting.alive = false;
        if grave {
            self.tell_state().await;
            self.report(Report::Down { camera: self.camera, why, grave }).await;
        } else {
            self.waiting.down.push(why);
        }
    }

    async fn pass(&mut self, checked: impl IntoIterator<Item = Checked>) -> Result<(), NoRandomness> {
        for checked in checked {
            for mut event in self.gate.pass(checked)? {
                match &mut event {
                    Event::Alert(_) => {
                        let Some(wait) = self.brake.hold() else { continue };
                        sleep(wait).await;
                    }
                    Event::Window(view) | Event::Draft(view) => {
                        view.paused_ms = self.windows.paused_ms(view.window);
                    }
                    Event::Progress(_) | Event::Notice(..) | Event::GroundView(..) | Event::End(..) => {}
                }
                self.report(Report::Event(self.camera, event)).await;
            }
        }
        Ok(())
    }

    async fn report(&self, report: Report) {
        // Nobody listens only when the door itself is ending.
        let _ = self.reports.send(report).await;
    }
}

impl Waiting {
    /// Keeps what an eye said of how far it has come for its moment; the first time, for the size of its picture, not.
    fn keep(&mut self, checked: Checked) -> Option<Checked> {
        match checked {
            Checked::Progress(progress) if self.step.is_some() => {
                self.progress = Some(progress);
                None
            }
            Checked::Progress(progress) if progress.width_px > 0 => {
                self.step = Some(0);
                Some(Checked::Progress(progress))
            }
            other => Some(other),
        }
    }

    /// The newest progress, when the wall clock has made a step.
    fn due(&mut self, now_ms: i64) -> Option<Progress> {
        let step = now_ms.div_euclid(CLOCK_STEP_MS);
        if self.step.is_none_or(|last| last == step) {
            return None;
        }
        self.step = Some(step);
        self.progress.take()
    }
}

/// What may be called to a camera while it runs or waits.
#[derive(Debug)]
pub(crate) struct Calls {
    stop: Stop,
    orders: mpsc::Receiver<Order>,
    pause: Pause,
}

/// One of it.
#[derive(Debug)]
pub(crate) enum Call {
    /// The whole program is to end.
    Stop,
    Order(Order),
    /// Nothing is to be looked at until further notice.
    Pause,
}

impl Calls {
    pub(crate) fn new(stop: Stop, orders: mpsc::Receiver<Order>, pause: Pause) -> Self {
        Self { stop, orders, pause }
    }

    /// The next one. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Call {
        tokio::select! {
            biased;
            () = paused(&mut self.pause) => Call::Pause,
            call = other(&mut self.stop, &mut self.orders) => call,
        }
    }

    /// Waits until nobody wants the camera paused any more, or somebody calls. May be dropped while it waits.
    pub(crate) async fn hold(&mut self) -> Option<Call> {
        let Self { stop, orders, pause } = self;
        let other = other(stop, orders);
        tokio::pin!(other);
        while let Some(until) = still(pause) {
            tokio::select! {
                call = &mut other => return Some(call),
                // It may have got longer meanwhile.
                () = sleep_until(until) => {}
            }
        }
        None
    }

    /// To when the camera is paused, if it is.
    pub(crate) fn paused(&self) -> Option<Instant> {
        still(&self.pause)
    }
}

/// To when a camera is paused, if it ever was.
pub(crate) type Pause = watch::Receiver<Option<Instant>>;

fn still(pause: &Pause) -> Option<Instant> {
    pause.borrow().filter(|&until| until > Instant::now())
}

/// Waits until somebody wants the camera paused.
async fn paused(pause: &mut Pause) {
    if pause.wait_for(|until| until.is_some_and(|until| until > Instant::now())).await.is_err() {
        // Nobody can ask for a pause any more.
        std::future::pending::<()>().await;
    }
}

async fn other(stop: &mut Stop, orders: &mut mpsc::Receiver<Order>) -> Call {
    let stopped = async {
        if stop.wait_for(|&stop| stop).await.is_err() {
            // Nobody can ask for a stop any more.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = stopped => Call::Stop,
        Some(order) = orders.recv() => Call::Order(order),
    }
}

/// How a run came to its end.
#[derive(Debug)]
pub(crate) enum Why {
    /// The source, or one of the programs, ended.
    Ended,
    /// Somebody asked for it.
    Called(Call),
    /// It was ended because the eye told no progress.
    Stuck,
    /// It was ended because its windows are those of a clock that was set.
    ClockSet,
}

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) why: Why,
    pub(crate) end: Result<Finish, CameraError>,
    /// What the intake said of its end, if it failed.
    pub(crate) words: String,
    /// For how long it has counted.
    pub(crate) counted: Duration,
    /// Width and height of the first picture.
    pub(crate) picture_px: Option<[u32; 2]>,
}

/// What is known of a run, however it ends.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    first_look: Option<Instant>,
    picture_px: Option<[u32; 2]>,
}

impl Known {
    fn note(&mut self, progress: Progress, now: Instant) {
        if progress.looks > 0 {
            self.first_look.get_or_insert(now);
        }
        let size_px = [progress.width_px, progress.height_px].map(u32::from);
        if self.picture_px.is_none() && !size_px.contains(&0) {
            self.picture_px = Some(size_px);
        }
    }

    fn counted(&self) -> Duration {
        self.first_look.map_or(Duration::ZERO, |first| first.elapsed())
    }
}

/// Runs the programs of a camera until it ends, its eye does, or somebody calls. What the eye says goes its way.
pub(crate) async fn run(plan: &CameraPlan, programs: &Programs, way: &mut Way, calls: &mut Calls) -> Over {
    let mut known = Known::default();
    let followed = follow(plan, programs, way, calls, &mut known).await;
    let (counted, picture_px) = (known.counted(), known.picture_px);
    let (why, end, words) = followed.unwrap_or_else(|error| (Why::Ended, Err(error), String::new()));
    Over { why, end, words, counted, picture_px }
}

/// Why it ended, how, and what the intake said of its end. An error drops the crew, which kills every program.
async fn follow(
    plan: &CameraPlan,
    programs: &Programs,
    way: &mut Way,
    calls: &mut Calls,
    known: &mut Known,
) -> Result<(Why, Result<Finish, CameraError>, String), CameraError> {
    let alerts = plan.alerts.terms.clone();
    let mut assembler = Assembler::new(plan.schema()?, plan.timing(way.from_ms))
        .with_alerts(alerts)
        .with_ground_view(plan.find_ground.is_some());
    let (start, live) = (Instant::now(), plan.source.is_live());
    let mut crew = programs.launch(plan, way.from_ms)?;
    let Some(records) = crew.take_records() else { return Err(CameraError::Silent("no pipe".into())) };
    let mut reader = RecordReader::new(records);
    let mut told = Told::default();
    let mut beat = way.beat();
    let mut due = start + START;
    let (mut why, mut last_words) = (Why::Ended, None);
    let mut substream: Option<Ended> = None;
    loop {
        tokio::select! {
            // The pause before everything, and what an eye says last: it could go on for ever.
            biased;
            () = paused(&mut calls.pause) => {
                // Nobody hears what they have still to say.
                crew.kill();
                why = Why::Called(Call::Pause);
                break;
            }
            call = other(&mut calls.stop, &mut calls.orders), if last_words.is_none() => {
                why = Why::Called(call);
                crew.kill_intakes();
                last_words = Some(Instant::now() + LAST_WORDS_WAIT);
            }
            () = sleep_until(last_words.unwrap_or(start)), if last_words.is_some() => {
                crew.eye.kill();
                break;
            }
            () = crew.substream_ended(), if last_words.is_none() => {
                let Some(program) = crew.substream.take() else { continue };
                let ended = substream.insert(program.end().await);
                if ended.was_stopped_by_kernel() {
                    crew.kill();
                    break;
                }
                way.lose_substream(why_away(ended));
            }
            _ = beat.tick(), if live && last_words.is_none() => {
                way.tick().await?;
                if way.clock_was_set() {
                    why = Why::ClockSet;
                    crew.kill_intakes();
                    last_words = Some(Instant::now() + LAST_WORDS_WAIT);
                } else if Instant::now() >= due {
                    why = Why::Stuck;
                    crew.kill();
                    break;
                }
            }
            message = reader.next() => {
                let Some(message) = message? else { break };
                let Some(checked) = assembler.take(message, start.elapsed())? else { continue };
                told.note(&checked);
                if let Checked::Progress(progress) = checked {
                    let now = Instant::now();
                    known.note(progress, now);
                    due = now + STUCK;
                }
                if let Some(call) = unless_paused(way.hear(checked), &mut crew, &mut calls.pause).await? {
                    why = Why::Called(call);
                    break;
                }
            }
        }
    }
    let stopped = matches!(why, Why::Called(_));
    if let Some(mut program) = crew.substream.take() {
        // Nobody reads it any more.
        program.kill();
        substream = Some(program.end().await);
    }
    let intake = crew.intake.end().await;
    let eye = crew.eye.end().await;
    let words = intake.reason().to_owned();
    // A file whose shape changed has been counted up to there; a camera has been so far, and is away now.
    let drawn_px = plan.scene.drawn_px().or(known.picture_px).filter(|_| live || told.looks() == 0);
    let end = match substream {
        Some(ended) if ended.was_stopped_by_kernel() => {
            Err(CameraError::KernelStopped("the outis-intake of its substream"))
        }
        _ => judge(told, stopped, drawn_px, &intake, &eye),
    };
    Ok((why, end, words))
}

/// Why there is no substream any more, by its intake.
fn why_away(intake: &Ended) -> String {
    match intake.reason() {
        "" => "its stream ended".into(),
        words => words.into(),
    }
}

/// What an eye says of how far it has come, from the beginning of its file.
fn in_file(checked: Checked, from_ms: u64) -> Checked {
    let later =
        |progress: Progress| Progress { media_ms: progress.media_ms.saturating_add(from_ms), ..progress };
    match checked {
        Checked::Progress(progress) => Checked::Progress(later(progress)),
        Checked::End(outcome, progress) => Checked::End(outcome, later(progress)),
        other => other,
    }
}

/// Waits until what was heard has gone its way. When somebody wants the camera paused meanwhile, its programs are ended at
/// once; what they said before still goes its way.
async fn unless_paused(
    heard: impl Future<Output = Result<(), NoRandomness>>,
    crew: &mut Crew,
    pause: &mut Pause,
) -> Result<Option<Call>, NoRandomness> {
    tokio::pin!(heard);
    tokio::select! {
        biased;
        end = &mut heard => end.map(|()| None),
        () = paused(pause) => {
            crew.kill();
            heard.await.map(|()| Some(Call::Pause))
        }
    }
}

fn now_ms() -> i64 {
    unix_ms(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[tokio::test]
    async fn a_lost_substream_is_told_with_the_beat_of_an_eye_that_is_at_work_without_it() {
        let camera =
            "[[camera]]\nname = \"gate\"\nsource = \"rtsp://camera/1\"\nsubstream = \"rtsp://camera/2\"\n";
        let plan = &config::tests::setup(camera).cameras[0].plan;
        let (sender, mut reports) = mpsc::channel(9);
        let mut way = Way::new(0, plan, sender).unwrap();
        let at_work = || Checked::Progress(Progress { looks: 1, ..Progress::default() });
        let mut told = |way: &Way| {
            assert!(way.waiting.down.is_empty());
            std::iter::from_fn(|| reports.try_recv().ok())
                .filter_map(|report| match report {
                    Report::Alive(_) => Some("at work".to_owned()),
                    Report::SubstreamAway { why, .. } => Some(why),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        way.hear(at_work()).await.unwrap();
        way.lose_substream("silent".into());
        way.tick().await.unwrap();
        assert_eq!(told(&way), [""; 0], "the camera may be away with it");
        way.hear(at_work()).await.unwrap();
        assert_eq!(told(&way), [""; 0], "no moment of the eye's choice");
        for expected in [&["at work", "silent"][..], &["at work"]] {
            way.tick().await.unwrap();
            assert_eq!(told(&way), expected);
            way.hear(at_work()).await.unwrap();
        }
        way.lose_substream("silent".into());
        way.rest(false);
        way.hear(at_work()).await.unwrap();
        way.tick().await.unwrap();
        assert_eq!(told(&way), ["at work"], "the next eye has it again");
    }

    #[test]
    fn an_intake_that_says_nothing_has_come_to_the_end_of_its_stream() {
        use std::{os::unix::process::ExitStatusExt, process::ExitStatus};
        let ended = |status, words: &str| {
            why_away(&Ended { status: Some(ExitStatus::from_raw(status)), words: words.into() })
        };
        assert_eq!(ended(1 << 8, "no such stream (404)"), "no such stream (404)");
        assert_eq!([ended(0, ""), ended(0, "well"), ended(9, "")], ["its stream ended"; 3]);
    }

    #[test]
    fn progress_is_told_at_steps_of_the_wall_clock_whenever_it_is_said() {
        // Seconds at which an eye says its progress; the picture is known from the second word on.
        for said_s in [vec![1, 2, 3, 4, 65, 66], vec![1, 2, 59, 61, 119, 120], vec![2, 3, 10, 60, 61, 100]] {
            let mut waiting = Waiting::default();
            let mut told = Vec::new();
            for second in 0..200 {
                if let Some(word) = said_s.iter().position(|&said| said == second) {
                    let progress = Progress { width_px: u16::from(word > 0), ..Progress::default() };
                    let passed = waiting.keep(Checked::Progress(progress));
                    told.extend(passed.filter(|_| word > 0).map(|_| (word, second)));
                }
                told.extend(waiting.due(1000 * second).map(|_| (9, second)));
            }
            let after_the_first: Vec<i64> = told[1..].iter().map(|told| told.1).collect();
            assert_eq!(told[0], (1, said_s[1]), "the size of the picture");
            assert!(after_the_first.iter().all(|second| second % 60 == 0), "{said_s:?}: {told:?}");
            assert!(!after_the_first.is_empty(), "{said_s:?}");
        }
    }
}
