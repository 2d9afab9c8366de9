//! `outis watch`: cameras from a configuration, finished windows into files, running ones onto the page.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use outis_record::{Progress, WindowState};
use tokio::sync::{mpsc, oneshot};

use crate::{
    alarm::Alarms,
    books::Books,
    camera::{CameraError, Finish, Fleet, Order, Report, Stop},
    config::{self, Camera, Setup},
    course::unix_ms,
    desk::Desk,
    detector::Cache,
    exit::{Exit, UsageError},
    inventory,
    journal::Journal,
    launch::{CameraPlan, Programs},
    live::Live,
    output::{AlertFile, Output},
    page::{Api, Page},
    pause::{Ask, Paused, Pauses, Refused, keep::Keep},
    release::Event,
    reload::{Changes, Standing},
    report::notice_sentences,
    stop,
    vitals::{LedgerVitals, Vitals},
};

/// Watch cameras as a configuration file says, and write their windows to files
#[derive(Debug, Args)]
#[command(
    after_help = "SIGHUP has the configuration read again: cameras whose section has changed go on by the new one.\n\n\
Exit codes: 0 every source was counted to its end or stopped by hand, \
3 in part, 1 nothing was counted, 2 wrong usage or configuration."
)]
pub(crate) struct WatchArgs {
    /// The configuration file; see docs/ref/config.md
    config: PathBuf,

    /// End when all cameras have ended, also at a terminal
    #[arg(long)]
    exit: bool,
}

/// How many requests for a pause may wait. One that finds no room is told so, and can be made again at once.
const ASKS_MAX: usize = 16;

/// Watches until every camera has ended, and at a terminal until Ctrl-C.
pub(crate) async fn run(arguments: WatchArgs) -> anyhow::Result<Exit> {
    let WatchArgs { config, exit } = arguments;
    let setup = config::load(&config, &Cache::from_env())?;
    let Setup { listen, output, state, part, sign, speaker, pause, cameras } = &setup;
    let programs = Programs::beside_this_one()?;
    let (mut stop, mut reload) = stop::on_signals_and_reload()?;
    let alerts = output.alerts.as_deref().map(AlertFile::open).transpose()?;
    let output = Output::open(output)?;
    let parts = inventory::parts(part, sign.as_deref(), cameras, &programs)?;
    let books = Books::open(state, parts, cameras.len())?;
    let alarms = Alarms::start(alerts, speaker.clone(), cameras)?;
    let live = Live::new(cameras.iter().map(|camera| {
        let Camera { name, plan } = camera;
        (name.as_str(), &plan.scene, plan.profile)
    }))
    .with_pauses();
    let vitals = Vitals::new(cameras, state.folder.clone());
    let (asked, mut asks) = mpsc::channel(ASKS_MAX);
    let api = Api { vitals: Some(vitals.clone()), asked: Some(asked) };
    let page = Page::serve(*listen, live.json(), api).await;
    let page = page.with_context(|| format!("the page cannot be served at {listen}; see `listen`"))?;
    announce(&page);
    for Camera { name, plan } in cameras {
        eprintln!("camera \"{name}\": {}", means_of(plan));
    }
    let plans: Vec<CameraPlan> = cameras.iter().map(|camera| camera.plan.clone()).collect();
    let keep = Keep::new(&state.folder);
    let mut watch = Watch {
        fleet: Fleet::new(&programs, &stop),
        pauses: keep.read(*pause, now_ms()),
        keep,
        waiting: Vec::new(),
        notes: vec![Notes::default(); cameras.len()],
        desk: Desk::new(cameras.clone(), output, books, Journal::new(&state.folder)),
        live,
        vitals,
        page,
        alarms,
        programs,
        ends: Vec::new(),
        standing: Standing::new(setup),
        config,
    };
    for (index, plan) in plans.into_iter().enumerate() {
        watch.begin(index, plan);
    }
    loop {
        tokio::select! {
            Some(ask) = asks.recv() => watch.ask(ask),
            report = watch.fleet.next() => match report {
                Some(report) => watch.hear(report),
                None => break,
            },
            () = reload.asked() => match watch.reload() {
                Ok(done) => eprintln!("the configuration was read again: {done}"),
                Err(error) => eprintln!("error: the configuration was read again, and the old one goes on: {error:#}"),
            },
        }
    }
    // Nothing is looked at any more, and whoever asks is told so.
    drop(asks);
    let Watch { desk, page: _page, alarms, ends, .. } = watch;
    alarms.close(*stop.borrow()).await;
    let all_written = desk.close();
    if keep_page(exit, &stop) {
        eprintln!("All cameras have ended. The page stays until Ctrl-C.");
        // An error would mean that nobody can stop us any more.
        let _ = stop.wait_for(|&stop| stop).await;
    }
    Ok(match Exit::of_stopped(&ends) {
        Exit::Whole if !all_written => Exit::InPart,
        exit => exit,
    })
}

/// Whether a person at the terminal may still want to look at the page.
pub(crate) fn keep_page(exit: bool, stop: &Stop) -> bool {
    !exit && !*stop.borrow() && io::stdout().is_terminal()
}

/// Says where the page is, and who can see it.
pub(crate) fn announce(page: &Page) {
    let address = page.address();
    eprintln!("The page is at http://{address}/");
    if !address.ip().is_loopback() {
        eprintln!("warning: whoever can reach this machine at {address} can see the numbers");
    }
}

/// Everything that hears of the cameras, by their numbers.
struct Watch {
    fleet: Fleet,
    notes: Vec<Notes>,
    desk: Desk,
    live: Live,
    vitals: Vitals,
    page: Page,
    alarms: Alarms,
    programs: Programs,
    ends: Vec<Result<Finish, CameraError>>,
    standing: Standing,
    config: PathBuf,
    pauses: Pauses,
    keep: Keep,
    /// Who waits for a camera's programs to be gone.
    waiting: Vec<Waiting>,
}

/// Somebody who has asked for a pause.
struct Waiting {
    camera: usize,
    until_ms: i64,
    answer: oneshot::Sender<Result<Paused, Refused>>,
}

/// What a camera is watched with.
fn means_of(plan: &CameraPlan) -> String {
    let motion = if plan.substream.is_some() { ", motion from its substream" } else { "" };
    format!("detector {}, decoding in software{motion}", plan.detector.model)
}

impl Watch {
    fn hear(&mut self, report: Report) {
        match report {
            Report::Event(index, event) => {
                self.live.event(index, &event);
                self.vitals.event(index, &event);
                match event {
                    Event::Window(window) => {
                        let paused_s = window.paused_ms.div_ceil(1000);
                        if window.state != WindowState::Open && paused_s > 0 {
                            self.desk.paused(index, paused_s);
                        }
                        self.desk.window(index, window);
                    }
                    Event::Draft(window) => self.desk.draft(index, &window),
                    Event::Alert(alert) => {
                        let told = self.alarms.alert(&self.desk.cameras()[index], alert, Timestamp::now());
                        self.live.alert(index, told);
                    }
                    Event::Progress(progress) => {
                        self.notes[index].picture(&self.desk.cameras()[index], progress);
                    }
                    Event::Notice(..) | Event::End(..) | Event::GroundView(..) => {}
                }
            }
            Report::Alive(index) => {
                self.vitals.alive(index);
                if !self.live.alive(index) {
                    // Nothing that is shown has changed.
                    return;
                }
                self.notes[index].back(&self.desk.cameras()[index]);
            }
            Report::Down { camera: index, why, grave } => {
                self.live.down(index, &why);
                self.vitals.down(index, &why);
                if grave {
                    self.desk.forget(index);
                }
                self.notes[index].down(&self.desk.cameras()[index], why);
            }
            Report::SubstreamAway { camera: index, why } => {
                self.vitals.substream_away(index);
                let name = &self.desk.cameras()[index].name;
                eprintln!(
                    "warning: camera \"{name}\": its substream is away ({why}); watched without it until the camera is started again"
                );
            }
            Report::Paused(index) => {
                // Nothing is printed: a service manager's journal would say when.
                self.live.paused(index);
                self.vitals.paused(index);
                self.answer(index);
            }
            Report::Resumed(index) => {
                self.live.resumed(index);
                self.vitals.resumed(index);
                self.answer(index);
            }
            Report::ClockSet(index) => {
                let name = &self.desk.cameras()[index].name;
                eprintln!("warning: camera \"{name}\": the clock was set; its windows begin anew");
                self.desk.books().clock_was_set();
            }
            Report::Changed(index, plan) => {
                self.desk.change(index, *plan);
                self.begun(index);
            }
            Report::End(index, end) => {
                self.live.end(index, &end);
                self.vitals.end(index, &end);
                tell_end(&self.desk.cameras()[index], &end);
                self.desk.end(index, &end);
                self.ends.push(end);
                // Nobody looks at it, and never will.
                self.answer(index);
            }
        }
        self.desk.settle();
        let files_behind = self.desk.is_behind();
        self.vitals.ledger(LedgerVitals { waiting: self.desk.books().is_waiting(), files_behind });
        self.page.show(self.live.json());
    }

    /// Reads the configuration again, logs it, and has the cameras go on by it. Says what has changed.
    ///
    /// # Errors
    /// When it cannot be: then all is as it was before.
    fn reload(&mut self) -> anyhow::Result<String> {
        let setup = config::load(&self.config, &Cache::from_env())?;
        let at_work = |index| self.fleet.is_at_work(index);
        let cameras: Vec<(&Camera, bool)> =
            self.desk.cameras().iter().enumerate().map(|(index, camera)| (camera, at_work(index))).collect();
        let Changes { change, leave, begin } = self.standing.compare(&cameras, &setup)?;
        let orders = change.iter().map(|(index, _)| index).chain(&leave);
        if orders.clone().any(|&index| self.fleet.is_busy(index)) {
            return Err(UsageError::new("a camera has not come to the last one yet; try again").into());
        }
        let parts = inventory::parts(&setup.part, setup.sign.as_deref(), &setup.cameras, &self.programs)?;
        // On record before anything is seen by it.
        self.desk.books().restart(parts)?;
        let done = format!("{} changed, {} ended, {} begun", change.len(), leave.len(), begin.len());
        for (index, plan) in change {
            let name = &self.desk.cameras()[index].name;
            eprintln!(
                "camera \"{name}\": goes on as configured now; its running window will be told as a part"
            );
            self.fleet.order(index, Order::Change(Box::new(plan)));
        }
        for index in leave {
            self.fleet.order(index, Order::Leave);
        }
        for (index, camera) in begin {
            eprintln!("camera \"{}\": begins; {}", camera.name, means_of(&camera.plan));
            let plan = camera.plan.clone();
            self.desk.begin(index, camera);
            self.begun(index);
            self.begin(index, plan);
        }
        self.page.show(self.live.json());
        Ok(done)
    }

    /// Starts a camera; one for which somebody has asked before a crash stays paused.
    fn begin(&mut self, index: usize, plan: CameraPlan) {
        let now_ms = now_ms();
        let until_ms = self.pauses.until_ms(self.desk.cameras()[index].name.as_str(), now_ms);
        self.fleet.begin(index, plan, until_ms.map(|until_ms| after(until_ms - now_ms)));
    }

    /// Takes a request for a pause. It is answered when the camera's programs are gone.
    fn ask(&mut self, Ask { camera: name, seconds, answer }: Ask) {
        let known = self.desk.cameras().iter().position(|camera| camera.name.as_str() == name);
        let granted = match known {
            None => Err(Refused::Unknown),
            Some(index) if !self.fleet.is_at_work(index) => Err(Refused::Ended),
            Some(index) => {
                let (window_ms, now_ms) = (self.desk.cameras()[index].plan.window_ms, now_ms());
                let until_ms = self.pauses.ask(&name, seconds, window_ms, now_ms);
                until_ms.map(|until_ms| (index, until_ms, now_ms))
            }
        };
        match granted {
            Ok((camera, until_ms, now_ms)) => {
                self.fleet.pause(camera, after(until_ms - now_ms));
                self.waiting.push(Waiting { camera, until_ms, answer });
            }
            // Whoever has asked may be gone.
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    /// Tells those who wait that nothing of a camera is looked at any more.
    fn answer(&mut self, index: usize) {
        self.keep_pauses();
        let now_ms = now_ms();
        for Waiting { until_ms, answer, .. } in self.waiting.extract_if(.., |waiting| waiting.camera == index)
        {
            let seconds = u32::try_from((until_ms - now_ms).max(0) / 1000).unwrap_or(0);
            let _ = answer.send(Ok(Paused { seconds }));
        }
    }

    fn keep_pauses(&self) {
        if let Err(error) = self.keep.write(&self.pauses, now_ms()) {
            eprintln!("error: a pause could not be written to the disk, and would end with a crash: {error}");
        }
    }

    /// Shows a camera by its plan, as one that begins.
    fn begun(&mut self, index: usize) {
        let camera = &self.desk.cameras()[index];
        self.live.change(index, camera.name.as_str(), &camera.plan.scene, camera.plan.profile);
        self.vitals.begin(index, camera);
        match self.notes.get_mut(index) {
            Some(notes) => *notes = Notes::default(),
            None => self.notes.push(Notes::default()),
        }
    }
}

/// What people have been told of a camera, so that they are told it once.
#[derive(Debug, Clone, Default)]
struct Notes {
    picture_seen: bool,
    /// Why it is away, since when, and how often it was tried since.
    away: Option<(String, Instant, u32)>,
}

impl Notes {
    /// Says once what is drawn outside of the picture.
    fn picture(&mut self, Camera { name, plan }: &Camera, progress: Progress) {
        if progress.width_px == 0 || self.picture_seen {
            return;
        }
        self.picture_seen = true;
        for warning in plan.scene.outside_warnings(progress.width_px, progress.height_px) {
            eprintln!("warning: camera \"{name}\": {warning}");
        }
    }

    /// Says that a camera is away, and again when the reason is another.
    fn down(&mut self, Camera { name, .. }: &Camera, why: String) {
        let (since, tries) = match &self.away {
            Some((before, since, tries)) if *before == why => (*since, tries + 1),
            before => {
                eprintln!("warning: camera \"{name}\": {why}; it is tried again until it answers");
                before.as_ref().map_or((Instant::now(), 1), |(_, since, tries)| (*since, tries + 1))
            }
        };
        self.away = Some((why, since, tries));
    }

    /// Says that a camera counts again.
    fn back(&mut self, Camera { name, .. }: &Camera) {
        if let Some((_, since, tries)) = self.away.take() {
            let away_s = since.elapsed().as_secs_f64();
            let starts = if tries == 1 { "start" } else { "starts" };
            eprintln!("camera \"{name}\": counts again after {away_s:.1} s and {tries} {starts}");
        }
    }
}

fn now_ms() -> i64 {
    unix_ms(SystemTime::now())
}

/// The moment so many milliseconds from now.
fn after(ms: i64) -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

fn tell_end(camera: &Camera, end: &Result<Finish, CameraError>) {
    let name = &camera.name;
    match end {
        Ok(finish) => {
            for sentence in notice_sentences(&finish.notices) {
                eprintln!("warning: camera \"{name}\": {sentence}");
            }
            let how = if finish.stopped {
                "stopped"
            } else if finish.is_whole() {
                "counted to its end"
            } else {
                "counted in part"
            };
            eprintln!("camera \"{name}\": {how}, {} frames", finish.progress.frames);
        }
        Err(error) => eprintln!("error: camera \"{name}\": {error}"),
    }
}
