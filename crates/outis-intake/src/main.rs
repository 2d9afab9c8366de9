//! `outis-intake`: opens one video source and writes its encoded packets to standard output.
//!
//! It never decodes. After the source is open the kernel lets it open nothing more, and before it has read a byte of a
//! file, or a packet of a camera, it can only read that and write packets. It has no state worth saving: when the source
//! dies it exits, and whoever started it starts it again.

mod address;
mod camera;
mod device;
mod ffi;
mod forward;
mod location;
mod pace;
mod patience;
mod source;
mod verdict;

use std::{
    ffi::OsString,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use outis_jail::{Leave, LockedIntake};
use outis_packet::{Header, WriteError};

use crate::{
    address::{Address, LEN_MAX},
    camera::Transport,
    device::Device,
    forward::Followed,
    pace::Pace,
    patience::Patience,
    source::{OpenError, Source},
};

/// Opens one video source and writes its encoded packets to standard output, for outis-eye.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// A video file, or a camera of this machine: /dev/videoN.
    #[arg(required_unless_present = "address_on_stdin")]
    source: Option<OsString>,
    /// Read the address of a camera (rtsp, rtsps, http, https) from standard input up to its end, so that no list of
    /// programs shows its password.
    #[arg(long, conflicts_with_all = ["source", "pace"])]
    address_on_stdin: bool,
    /// How the packets of an RTSP camera travel.
    #[arg(long, value_enum, default_value_t, requires = "address_on_stdin")]
    transport: Transport,
    /// Speed in media seconds per second: 1 plays in real time, 0 as fast as the reader takes it.
    #[arg(long, value_name = "SPEED", default_value = "0", value_parser = Pace::parse)]
    pace: Pace,
    /// Of a file, pass on nothing before this place, in milliseconds from its beginning: from the first key frame there.
    #[arg(long, value_name = "MS", default_value = "0", value_parser = clap::value_parser!(u64).range(..=Header::SKIPPED_MAX_MS), conflicts_with = "address_on_stdin")]
    from_ms: u64,
}

fn main() -> ExitCode {
    let Args { source, address_on_stdin: _, transport, pace, from_ms } = Args::parse();
    // The library writes to standard error by itself, and quotes what it reads.
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    let left = match source {
        Some(source) if device::is_device(source.as_ref()) => film(source.as_ref()),
        Some(source) => start(&source).map(|(locked, source)| pass_on(locked, source, pace, from_ms)),
        None => read_address().and_then(|address| camera::call(&address, transport)).map(follow),
    };
    match left {
        Ok(leave) => outis_jail::leave(leave),
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

fn read_address() -> Result<Address, String> {
    let mut text = Vec::new();
    // One byte more than it may have, to know of it.
    let limit = LEN_MAX as u64 + 1;
    io::stdin()
        .take(limit)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot read the address: {error}"))?;
    Address::parse(&text).map_err(|error| error.to_string())
}

/// Has a camera of this machine film, has the kernel lock the door behind it, and passes on what it films.
fn film(path: &Path) -> Result<Leave, String> {
    let (camera, device) =
        Device::open(path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    let (locked, input) = outis_jail::lock_intake_of_device(camera).map_err(|error| error.to_string())?;
    Ok(left(device.follow(locked, &input)))
}

fn follow((locked, source, patience): (LockedIntake, Source, Patience)) -> Leave {
    left(forward::follow(source, locked.into_packets(), &patience))
}

fn left(followed: Result<Followed, WriteError>) -> Leave {
    match followed {
        Ok(Followed::Ended) => Leave::Done,
        Ok(Followed::Silent) => Leave::Silent,
        Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}

fn pass_on(locked: LockedIntake, source: Source, pace: Pace, from_ms: u64) -> Leave {
    match forward::forward(source, locked.into_packets(), pace, from_ms) {
        Ok(()) => Leave::Done,
        // Whoever read the packets is gone, and knows why.
        Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}
