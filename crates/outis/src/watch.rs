//! `outis watch`: cameras from a configuration, finished windows into files, running ones onto the page.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    time::Instant,
};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use outis_record::Progress;

use crate::{
    alarm::Alarms,
    books::Books,
    camera::{CameraError, Finish, Fleet, Order, Report, Stop},
    config::{self, Camera, Setup},
    desk::Desk,
    detector::Cache,
    exit::{Exit, UsageError},
    inventory,
    journal::Journal,
    launch::Programs,
    live::Live,
    output::{AlertFile, Output},
    page::Page,
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

/// Watches until every camera has ended, and at a terminal until Ctrl-C.
pub(crate) async fn run(arguments: WatchArgs) -> anyhow::Result<Exit> {
    let WatchArgs { config, exit } = arguments;
    let setup = config::load(&config, &Cache::from_env())?;
    let Setup { listen, output, state, part, sign, speaker, cameras } = &setup;
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
    }));
    let vitals = Vitals::new(cameras, state.folder.clone());
    let page = Page::serve(*listen, live.json(), Some(vitals.clone())).await;
    let page = page.with_context(|| format!("the page cannot be served at {listen}; see `listen`"))?;
    announce(&page);
    for Camera { name, plan } in cameras {
        eprintln!("camera \"{name}\": detector {}", plan.detector.model);
    }
    let plans = cameras.iter().map(|camera| camera.plan.clone()).collect();
    let mut watch = Watch {
        fleet: Fleet::start(plans, &programs, &stop),
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
    loop {
        tokio::select! {
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
}

impl Watch {
    fn hear(&mut self, report: Report) {
        match report {
            Report::Event(index, event) => {
                self.live.event(index, &event);
                self.vitals.event(index, &event);
                match event {
                    Event::Window(window) => self.desk.window(index, window),
                    Event::Draft(window) => self.desk.draft(index, &window),
                    Event::Alert(alert) => {
                        let told = self.alarms.alert(&self.desk.cameras()[index], alert, Timestamp::now());
                        self.live.alert(index, told);
                    }
                    Event::Progress(progress) => {
                        self.notes[index].picture(&self.desk.cameras()[index], progress);
                    }
                    Event::Notice(..) | Event::End(..) | Event::GroundView(_) => {}
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
            eprintln!("camera \"{}\": begins; detector {}", camera.name, camera.plan.detector.model);
            let plan = camera.plan.clone();
            self.desk.begin(index, camera);
            self.begun(index);
            self.fleet.begin(index, plan);
        }
        self.page.show(self.live.json());
        Ok(done)
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
