//! `outis-intake`: opens one video source and writes its encoded packets to standard output.
//!
//! It never decodes, and after the source is open it opens nothing more. It has no state worth saving: when
//! the source dies it exits, and whoever started it starts it again.

mod ffi;
mod forward;
mod location;
mod pace;
mod source;
mod verdict;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;
use outis_packet::WriteError;

use crate::{pace::Pace, source::Source};

/// Opens one video source and writes its encoded packets to standard output, for outis-eye.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// A video file.
    source: OsString,
    /// Speed in media seconds per second: 1 plays in real time, 0 as fast as the reader takes it.
    #[arg(long, value_name = "SPEED", default_value = "0", value_parser = Pace::parse)]
    pace: Pace,
}

fn main() -> ExitCode {
    let Args { source, pace } = Args::parse();
    // The library writes to standard error by itself, and quotes what it reads.
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    match run(&source, pace) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("outis-intake: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(source: &OsString, pace: Pace) -> Result<(), String> {
    let path = location::file_path(source).map_err(|error| error.to_string())?;
    let source = Source::open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    match forward::forward(source, std::io::stdout().lock(), pace) {
        // Whoever read the packets is gone, and knows why.
        Err(WriteError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| error.to_string()),
    }
}
