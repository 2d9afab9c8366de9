//! `outis-eye`: packets on standard input, 64-byte records on standard output, nothing else.
//!
//! Everything it needs from the disk it loads before it reads the first byte of video. From then on it writes
//! records only: what goes wrong is told in them.

mod args;

use std::{io, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use outis_eye::{detect, run::run};
use outis_record::SchemaError;

use crate::args::Args;

/// The command line asks for what cannot be; the code that clap exits with for the same reason.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match start(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outis-eye: {error:#}");
            if error.is::<SchemaError>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn start(args: Args) -> anyhow::Result<()> {
    let choice = args.detector();
    let mut settings = args.settings()?;
    let mut detector = detect::load(&choice)?;
    let thresholds = detector.thresholds();
    settings.measure.tracker.score_min = thresholds.score_min.get();
    settings.measure.tracker.score_new = thresholds.score_new.get();
    match run(io::stdin().lock(), io::stdout().lock(), detector.as_mut(), settings) {
        // The door is gone: there is nobody left to tell.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map(|_| ()).context("cannot write records"),
    }
}
