//! `outis-eye`: packets on standard input, 64-byte records on standard output, nothing else.
//!
//! Everything it needs from the disk it loads before it reads the first byte of video, and has itself locked in by the
//! kernel in between. From then on it writes records only: what goes wrong is told in them.

mod args;

use std::{io, process::ExitCode};

use clap::Parser;
use outis_eye::{
    detect::{self, Detect, Runtime},
    run::{Settings, run},
};
use outis_jail::{Engine, Leave, LockedEye};
use outis_record::SchemaError;

use self::args::Args;

/// The command line asks for what cannot be; the code that clap exits with for the same reason.
const USAGE: u8 = 2;

pub(crate) fn main() -> ExitCode {
    match start(Args::parse()) {
        Ok((locked, detector, settings)) => outis_jail::leave(look(locked, detector, settings)),
        Err(error) => {
            eprintln!("outis-eye: {error:#}");
            if error.is::<SchemaError>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// Loads and warms up what will look, and has the kernel lock the door behind it.
fn start(args: Args) -> anyhow::Result<(LockedEye, Box<dyn Detect>, Settings)> {
    let choice = args.detector();
    #[cfg(feature = "malicious")]
    let attempt = args.attempt.clone();
    let mut settings = args.settings()?;
    let opened = detect::open(&choice)?;
    let engine = match choice.runtime {
        Runtime::OnnxRuntime(_) => Engine::OnnxRuntime,
        Runtime::Rten => Engine::BuiltIn,
    };
    let entered = outis_jail::enter_eye(engine)?;
    let detector = opened.prepare()?;
    #[cfg(feature = "malicious")]
    let detector = taken_over(detector, &attempt)?;
    let thresholds = detector.thresholds();
    settings.measure.tracker.score_min = thresholds.score_min.get();
    settings.measure.tracker.score_new = thresholds.score_new.get();
    Ok((entered.lock()?, detector, settings))
}

/// The first byte of video is read here, behind the lock.
fn look(locked: LockedEye, mut detector: Box<dyn Detect>, settings: Settings) -> Leave {
    let (packets, records) = locked.into_packets_and_records();
    match run(packets, records, detector.as_mut(), settings) {
        Ok(_) => Leave::Done,
        // The door is gone: there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}

/// For the test that builds an eye with an adversary in it.
#[cfg(feature = "malicious")]
fn taken_over(honest: Box<dyn Detect>, attempt: &[String]) -> anyhow::Result<Box<dyn Detect>> {
    use anyhow::Context;
    let [way, folder] = attempt else {
        anyhow::bail!("this eye is malicious: it needs --attempt WAY FOLDER")
    };
    let taken_over = outis_eye::malicious::Malicious::new(honest, way, folder.as_ref());
    Ok(Box::new(taken_over.with_context(|| format!("there is no way out `{way}`"))?))
}
