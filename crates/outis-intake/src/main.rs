//! `outis-intake`: opens one video source and writes its encoded packets to standard output.
//!
//! It never decodes. After the source is open the kernel lets it open nothing more, and before it has read a byte of
//! the source it can only read that and write packets. It has no state worth saving: when
//! the source dies it exits, and whoever started it starts it again.

mod ffi;
mod forward;
mod location;
mod pace;
mod source;
mod verdict;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;
use outis_jail::{Leave, LockedIntake};
use outis_packet::WriteError;

use crate::{
    pace::Pace,
    source::{OpenError, Source},
};

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
    match start(&source) {
        Ok((locked, source)) => outis_jail::leave(pass_on(locked, source, pace)),
        Err(sentence) => {
            eprintln!("outis-intake: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the source, has the kernel lock the door behind it, and only then looks at what it is.
fn start(source: &OsString) -> Result<(LockedIntake, Source), String> {
    let path = location::file_path(source).map_err(|error| error.to_string())?;
    let cannot_open = |error: OpenError| format!("cannot open {}: {error}", path.display());
    let file = source::open(&path).map_err(cannot_open)?;
    let seekable = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let (entered, bytes) = outis_jail::enter_intake(file).map_err(|error| error.to_string())?;
    let source = Source::new(bytes, seekable, &path.to_string_lossy()).map_err(cannot_open)?;
    let locked = entered.lock().map_err(|error| error.to_string())?;
    Ok((locked, source))
}

fn pass_on(locked: LockedIntake, source: Source, pace: Pace) -> Leave {
    match forward::forward(source, locked.into_packets(), pace) {
        Ok(()) => Leave::Done,
        // Whoever read the packets is gone, and knows why.
        Err(WriteError::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}
