//! `outis-still`: packets on standard input, one picture of a street with nobody in it on standard output, once.
//!
//! The only program out of which a picture comes. `outis calibrate` starts it, says so on the terminal, and hands the
//! picture to the browser of whoever draws lines; `outis watch` has no way to. It is locked in before the first byte
//! of video as the eye is, by a list of its own, and has no network, no file and no detector.

#![forbid(unsafe_code)]

mod answer;

use std::{io, process::ExitCode};

use clap::Parser;
use outis_eye::{
    decode::{Event, Frames, StartError},
    still::Still,
};
use outis_jail::{Blocks, Input, Leave};

use self::answer::{Answer, Status};

/// Makes one picture of a street with nobody in it; started by `outis calibrate`
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Looks for so many seconds of video, or to its end
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(4..=86_400), default_value_t = 60)]
    seconds: u32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match outis_jail::lock_still() {
        Ok(locked) => {
            let (packets, blocks) = locked.into_packets_and_blocks();
            outis_jail::leave(work(packets, blocks, args.seconds))
        }
        Err(error) => {
            eprintln!("outis-still: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The first byte of video is read here, behind the lock.
fn work(packets: Input, mut blocks: Blocks, seconds: u32) -> Leave {
    match look(packets, seconds).write(&mut blocks) {
        Ok(()) => Leave::Done,
        // Nobody is left to show it to.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Leave::Done,
        Err(_) => Leave::Fault,
    }
}

fn look(packets: Input, seconds: u32) -> Answer {
    let mut frames = match Frames::new(packets) {
        Ok(frames) => frames,
        Err(StartError::UnsupportedCodec { .. }) => return Answer::without(Status::UnsupportedCodec),
        Err(StartError::Stream(_)) => return Answer::without(Status::NothingDecoded),
    };
    let mut still = Still::default();
    let mut first = None;
    while let Some(event) = frames.next_wanted(|at| still.wants(at)) {
        match event {
            Event::Picture(picture) => {
                let at = picture.at();
                if at.seconds_since(*first.get_or_insert(at)) > seconds as f32 {
                    break;
                }
                if still.wants(at)
                    && let Ok(frame) = frames.develop(picture)
                {
                    still.take(&frame);
                }
            }
            Event::LeftOut(_)
            | Event::Rested(_)
            | Event::Waits
            | Event::Fault(_)
            | Event::UnsupportedFeature => {}
            Event::End(_) => break,
        }
    }
    match (first, still.finish()) {
        (None, _) => Answer::without(Status::NothingDecoded),
        (Some(_), Ok(background)) => Answer::of(&background),
        (Some(_), Err(_)) => Answer::without(Status::TooShort),
    }
}
