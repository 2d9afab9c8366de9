//! `outis-eye-malicious WAY FOLDER ARGUMENTS…`: the eye with an adversary in the place of its detector. For one test.

#[path = "../main.rs"]
#[expect(dead_code, reason = "its own beginning is the honest one")]
mod eye;

use std::{env, ffi::OsString, iter, process::ExitCode};

use anyhow::Context;
use clap::Parser;
use outis_eye::{
    detect::{self, Opened},
    malicious::Malicious,
};

use self::eye::{Args, Ready, end, engine};

fn main() -> ExitCode {
    end(start())
}

/// As the honest start, but that the detector is taken over. For the many attempts by number no network is loaded.
fn start() -> anyhow::Result<Ready> {
    let mut arguments = env::args_os();
    let mut next = || arguments.next().context("outis-eye-malicious WAY FOLDER ARGUMENTS…");
    let (program, way, folder): (OsString, OsString, OsString) = (next()?, next()?, next()?);
    let way = way.to_string_lossy();
    let args = Args::parse_from(iter::once(program).chain(arguments));
    let choice = args.detector();
    let settings = args.settings()?;
    let opened = if way.contains('@') { None } else { Some(detect::open(&choice)?) };
    let entered = outis_jail::enter_eye(engine(&choice.runtime))?;
    let honest = opened.map(Opened::prepare).transpose()?;
    let taken_over = Malicious::new(honest, &way, folder.as_ref());
    let detector = Box::new(taken_over.with_context(|| format!("there is no way out `{way}`"))?);
    Ok(Ready { locked: entered.lock()?, detector, masks: None, settings })
}
