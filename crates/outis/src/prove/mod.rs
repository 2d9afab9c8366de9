//! `outis prove`: for who wants to see that no picture can leave, and need not believe us.
//!
//! First an adversary that is locked in as the eye is tries every way out with a picture in its hands, while this
//! program looks at everything that could have come out. Then the real eye and the real intake count the demo's clip,
//! and the kernel lists every call that they made behind the lock.

mod attempt;
mod battery;
mod moments;
mod place;
mod report;
mod watch;

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;

use crate::{detector::Cache, exit::Exit, launch::Programs, prove::report::Report};

/// Try to smuggle a picture out, and list what the eye asks of the kernel
#[derive(Debug, Args)]
#[command(after_help = "\
Run it as the user that counts, and once more as root: both must end with 0 bytes.

Exit codes: 0 nothing got out and no call was off its list, 1 something did or the proof could not be made.")]
pub(crate) struct ProveArgs {
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// Proves and prints.
pub(crate) fn run(arguments: &ProveArgs) -> anyhow::Result<Exit> {
    let programs = Programs::beside_this_one()?;
    eprintln!("outis: an adversary tries to get a picture out; this takes half a minute");
    let battery = battery::run(&programs.find("outis-adversary")?)?;
    eprintln!("outis: the real eye counts the demo's clip under watch");
    let watched = watch::run(&programs, &Cache::from_env())?;
    let report = Report::new(battery, moments::run()?, watched);
    let text =
        if arguments.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    io::stdout().write_all(text.as_bytes()).context("the report cannot be printed")?;
    Ok(if report.holds { Exit::Whole } else { Exit::Nothing })
}
