//! `outis-eval`: asks how right and how fast Outis is.
#![forbid(unsafe_code)]

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How right and how fast Outis is
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Cameras(command::cameras::Cameras),
    Cases(command::cases::Cases),
    Jail(command::jail::Jail),
    Compose(command::compose::Compose),
    Detect(command::detect::Detect),
    Track(command::track::Track),
    Count(command::count::Count),
    Looks(command::looks::Looks),
    Masks(command::masks::Masks),
    Video(command::video::Video),
    Judge(command::judge::Judge),
    Ground(command::ground::Ground),
    Street(command::street::Street),
    Substream(command::substream::Substream),
    Distance(command::distance::Distance),
    Report(command::report::Report),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Cameras(cameras) => cameras.run(),
        Command::Cases(cases) => cases.run(),
        Command::Jail(jail) => jail.run(),
        Command::Compose(compose) => compose.run(),
        Command::Detect(detect) => detect.run(),
        Command::Track(track) => track.run(),
        Command::Count(count) => count.run(),
        Command::Looks(looks) => looks.run(),
        Command::Masks(masks) => masks.run(),
        Command::Video(video) => video.run(),
        Command::Judge(judge) => judge.run(),
        Command::Ground(ground) => ground.run(),
        Command::Street(street) => street.run(),
        Command::Substream(substream) => substream.run(),
        Command::Distance(distance) => distance.run(),
        Command::Report(report) => report.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outis-eval: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line; causes that a message already quotes are not told twice.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match () {
        () if told.is_empty() => cause,
        () if told.contains(&cause) => told,
        () => format!("{told}: {cause}"),
    })
}
