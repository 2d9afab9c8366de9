//! `outis-eye`: packets on standard input, 64-byte records on standard output, nothing else.
//!
//! Everything it needs from the disk it loads before it reads the first byte of video, and has itself locked in by the
//! kernel in between. From then on it writes records only: what goes wrong is told in them.

mod args;

use std::{
    io::{self, Read},
    process::ExitCode,
};

use clap::Parser;
use outis_eye::{
    detect::{self, Detect, Runtime},
    mask::{self, Masks},
    run::{Settings, run_with_substream},
};
use outis_jail::{Engine, EyeEnds, Leave, LockedEye};

pub(crate) use self::args::{Args, SettingsError};

/// The command line asks for what cannot be; the code that clap exits with for the same reason.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    end(start(Args::parse()))
}

/// An eye that is ready looks; one that could not start says why.
pub(crate) fn end(started: anyhow::Result<Ready>) -> ExitCode {
    match started {
        Ok(ready) => outis_jail::leave(look(ready)),
        Err(error) => {
            eprintln!("outis-eye: {error:#}");
            if error.is::<SettingsError>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// An eye behind the lock, with what it looks with.
pub(crate) struct Ready {
    pub(crate) locked: LockedEye,
    pub(crate) detector: Box<dyn Detect>,
    pub(crate) masks: Option<Masks>,
    pub(crate) settings: Settings,
}

/// Loads and warms up what will look, and has the kernel lock the door behind it.
fn start(args: Args) -> anyhow::Result<Ready> {
    let choice = args.detector();
    let masks = args.masks();
    let has_substream = args.has_substream();
    let mut settings = args.settings()?;
    let opened = detect::open(&choice)?;
    let masks =
        masks.map(|(choice, budget)| mask::open(&choice).map(|opened| (opened, budget))).transpose()?;
    let enter = if has_substream { outis_jail::enter_eye_with_substream } else { outis_jail::enter_eye };
    let entered = enter(engine(&choice.runtime))?;
    let detector = opened.prepare()?;
    let masks = masks.map(|(opened, budget)| opened.prepare(budget)).transpose()?;
    let thresholds = detector.thresholds();
    settings.measure.tracker.score_min = thresholds.score_min.get();
    settings.measure.tracker.score_new = thresholds.score_new.get();
    Ok(Ready { locked: entered.lock()?, detector, masks, settings })
}

/// Which list holds for a runtime.
pub(crate) fn engine(runtime: &Runtime) -> Engine {
    match runtime {
        Runtime::OnnxRuntime(_) => Engine::OnnxRuntime,
        Runtime::Rten => Engine::BuiltIn,
    }
}

/// The first byte of video is read here, behind the lock.
fn look(ready: Ready) -> Leave {
    let Ready { locked, mut detector, mut masks, settings } = ready;
    let EyeEnds { packets, substream, records } = locked.into_ends();
    let substream = substream.map(|packets| Box::new(packets) as Box<dyn Read>);
    match run_with_substream(packets, substream, records, detector.as_mut(), masks.as_mut(), settings) {
        Ok(_) => Leave::Done,
        // The door is gone: there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}
