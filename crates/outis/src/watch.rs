//! `outis watch`: cameras from a configuration, finished windows into files, running ones onto the page.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use crate::{
    alarm::Alarms,
    books::Books,
    camera::{CameraError, Finish, Fleet, Report, Stop},
    config::{self, Camera, Setup},
    desk::Desk,
    detector::Cache,
    exit::Exit,
    inventory,
    launch::Programs,
    live::Live,
    output::{AlertFile, Output},
    page::Page,
    release::Event,
    report::notice_sentences,
    stop,
};
use anyhow::Context;
use clap::Args;
use jiff::Timestamp;

/// Watch cameras as a configuration file says, and write their windows to files
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 every source was counted to its end or stopped by hand, \
3 in part, 1 nothing was counted, 2 wrong usage or configuration.")]
pub(crate) struct WatchArgs {
    /// The configuration file; see docs/ref/config.md
    config: PathBuf,

    /// End when all cameras have ended, also at a terminal
    #[arg(long)]
    exit: bool,
}

/// Watches until every camera has ended, and at a terminal until Ctrl-C.
pub(crate) async fn run(arguments: WatchArgs) -> anyhow::Result<Exit> {
    let setup = config::load(&arguments.config, &Cache::from_env())?;
    let Setup { listen, output, state, part, sign, cameras } = setup;
    let programs = Programs::beside_this_one()?;
    let mut stop = stop::on_signals()?;
    let alarms = Alarms::new(output.alerts.as_deref().map(AlertFile::open).transpose()?);
    let output = Output::open(&output)?;
    let books =
        Books::open(&state, inventory::parts(&part, sign.as_deref(), &cameras, &programs)?, cameras.len())?;
    let live = Live::new(cameras.iter().map(|camera| {
        let Camera { name, plan } = camera;
        (name.as_str(), &plan.scene, plan.profile)
    }));
    let page = Page::serve(listen, live.json()).await;
    let page = page.with_context(|| format!("the page cannot be served at {listen}; see `listen`"))?;
    announce(&page);
    let mut desk = Desk::new(cameras, output, books);
    let ends = watch(&mut desk, alarms, &programs, &stop, live, &page).await;
    let all_written = desk.close();
    if keep_page(arguments.exit, &stop) {
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

async fn watch(
    desk: &mut Desk,
    mut alarms: Alarms,
    programs: &Programs,
    stop: &Stop,
    mut live: Live,
    page: &Page,
) -> Vec<Result<Finish, CameraError>> {
    for Camera { name, plan } in desk.cameras() {
        eprintln!("camera \"{name}\": detector {}", plan.detector.model);
    }
    let plans = desk.cameras().iter().map(|camera| camera.plan.clone()).collect();
    let mut fleet = Fleet::start(plans, programs, stop);
    let mut picture_seen = vec![false; desk.cameras().len()];
    let mut ends = Vec::new();
    while let Some(report) = fleet.next().await {
        match report {
            Report::Event(index, event) => {
                live.event(index, &event);
                match event {
                    Event::Window(window) => desk.window(index, window),
                    Event::Alert(alert) => {
                        let told = alarms.alert(&desk.cameras()[index], alert, Timestamp::now());
                        live.alert(index, told);
                    }
                    Event::Draft(window) => desk.draft(index, &window),
                    Event::Progress(progress) if progress.width_px > 0 && !picture_seen[index] => {
                        picture_seen[index] = true;
                        let Camera { name, plan } = &desk.cameras()[index];
                        for warning in plan.scene.outside_warnings(progress.width_px, progress.height_px) {
                            eprintln!("warning: camera \"{name}\": {warning}");
                        }
                    }
                    Event::Progress(_) | Event::Notice(..) | Event::End(..) => {}
                }
            }
            Report::End(index, end) => {
                live.end(index, &end);
                tell_end(&desk.cameras()[index], &end);
                desk.end(index, &end);
                ends.push(end);
            }
        }
        desk.settle();
        page.show(live.json());
    }
    ends
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
