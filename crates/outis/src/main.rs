//! `outis`: the command people type, and the door of every camera. It starts the programs that see,
//! takes their numbers, and tells them on. No pixel ever comes here.
#![forbid(unsafe_code)]

mod alarm;
mod alert;
mod assemble;
mod backoff;
mod books;
mod calibrate;
mod camera;
mod classes;
mod config;
mod count;
mod course;
mod credentials;
mod demo;
mod describe;
mod desk;
mod detector;
mod exactly;
mod exit;
mod ground;
mod inventory;
mod journal;
mod launch;
mod live;
mod merge;
mod meter;
mod mirror;
mod on_ground;
mod output;
mod page;
mod pause;
mod payload;
mod polygon;
mod probe;
mod prove;
mod reader;
mod release;
mod reload;
mod report;
mod run;
mod scene;
mod seam;
mod source;
mod speaker;
mod still;
mod stop;
mod supervise;
mod swap;
mod tally;
mod tls;
mod tsai;
mod verify;
mod view;
mod vitals;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    camera::CameraError,
    exit::{Exit, UsageError},
};

/// Counts people and vehicles in video, and lets only anonymous numbers out
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Calibrate(calibrate::CalibrateArgs),
    Count(count::CountArgs),
    Watch(watch::WatchArgs),
    Demo(demo::DemoArgs),
    Describe(describe::DescribeArgs),
    Verify(verify::VerifyArgs),
    Prove(prove::ProveArgs),
    Pause(pause::command::PauseArgs),
    Speak(speaker::speak::SpeakArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if let Command::Count(_) | Command::Watch(_) | Command::Demo(_) = command
        && let Some(warning) = swap::warning()
    {
        eprintln!("warning: {warning}");
    }
    let end = match command {
        Command::Calibrate(arguments) => calibrate::run(arguments).await,
        Command::Count(arguments) => count::run(arguments).await,
        Command::Watch(arguments) => watch::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Describe(arguments) => describe::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments).await,
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Pause(arguments) => pause::command::run(&arguments).await,
        Command::Speak(arguments) => speaker::speak::run(&arguments),
    };
    let exit = end.unwrap_or_else(|error| {
        eprintln!("outis: {error:#}");
        exit_of(&error)
    });
    exit.into()
}

fn exit_of(error: &anyhow::Error) -> Exit {
    let usage = error.chain().any(|cause| {
        cause.is::<UsageError>() || matches!(cause.downcast_ref(), Some(CameraError::Settings(_)))
    });
    if usage { Exit::Usage } else { Exit::Nothing }
}
