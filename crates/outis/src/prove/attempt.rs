//! One attempt: starts the adversary, and looks at how it ended and at all that came out.

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use outis_record::{Class, RECORD_LEN, Record, Schema};

use super::place::Place;
use crate::{
    assemble::Assembler,
    course::{Origin, Timing},
};

/// An attempt that takes longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any attempt writes to a pipe.
const BYTES_MAX: u64 = 1 << 20;

/// A stand-in for the video: what the adversary may find on its input.
const INPUT: &[u8] = &[0xca; 4096];

/// With which exit code an adversary says that the kernel answered with an error.
const REFUSED: i32 = 101;

/// Who ended an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The kernel killed the process at the call.
    Kernel,
    /// The kernel answered with an error.
    Refused,
    /// The door refused what it was told, and why.
    Door(String),
    /// It ended by a fault, by this signal.
    Fault(i32),
    /// It waited, and was ended by us.
    Waiting,
    /// The adversary could not lock itself in, in its own words.
    NotLocked(String),
    /// Nobody: the call was carried out.
    Nobody,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) stopped: Stopped,
    /// Bytes anywhere but in records that the door takes.
    pub(super) bytes_out: u64,
}

/// Makes one attempt. `mode` is the adversary's: `jailed` or `free`.
pub(super) fn run(adversary: &Path, mode: &str, name: &str, place: &Place) -> io::Result<Outcome> {
    let mut child = Command::new(adversary)
        .args([mode, name, "--port", &place.port()?.to_string(), "--folder"])
        .arg(place.folder())
        .current_dir(place.folder())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // It may have ended already.
        let _ = input.write_all(INPUT);
    }
    let output = gather(child.stdout.take());
    let errors = gather(child.stderr.take());
    let status = wait(&mut child)?;
    let [output, errors] = [output, errors].map(|gathered| gathered.recv().unwrap_or_default());
    let beside = errors.len() as u64 + place.collect()?;
    let jailed = mode == "jailed";
    Ok(match status {
        Some(status) if jailed && status.code() == Some(1) => Outcome {
            stopped: Stopped::NotLocked(String::from_utf8_lossy(&errors).trim().to_owned()),
            bytes_out: 0,
        },
        status if jailed => {
            let (refusal, taken) = door(&output);
            let stopped = refusal.map_or_else(|| how_ended(status), Stopped::Door);
            Outcome { stopped, bytes_out: beside + taken }
        }
        status => Outcome { stopped: how_ended(status), bytes_out: beside + output.len() as u64 },
    })
}

fn how_ended(status: Option<ExitStatus>) -> Stopped {
    match status {
        None => Stopped::Waiting,
        Some(status) if outis_jail::was_stopped(status) => Stopped::Kernel,
        Some(status) => match (status.code(), status.signal()) {
            (Some(REFUSED), _) => Stopped::Refused,
            (_, Some(signal)) => Stopped::Fault(signal),
            _ => Stopped::Nobody,
        },
    }
}

/// Reads a pipe to its end, beside what else is done.
fn gather(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, gathered) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What came before an error counts.
            let _ = pipe.take(BYTES_MAX).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    gathered
}

/// Waits for the end; `None` when the process had to be ended.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    const POLL: Duration = Duration::from_millis(1);
    let polls = PATIENCE.as_millis() / POLL.as_millis();
    for _ in 0..polls {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(POLL);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// What the door makes of bytes on its pipe: why it refuses them, if it does, and how many it took before.
fn door(bytes: &[u8]) -> (Option<String>, u64) {
    /// Of the proof's own: one class, no line, no zone.
    const WINDOW_MS: u32 = 900_000;
    let Ok(schema) = Schema::new(0, 0, &[Class::Person], false) else { return (None, bytes.len() as u64) };
    let timing =
        Timing { window_ms: WINDOW_MS, snapshot_ms: None, origin: Origin::FirstFrame, speed_max: Some(1.0) };
    let mut assembler = Assembler::new(schema, timing);
    for chunk in bytes.chunks(RECORD_LEN) {
        let Ok(record) = <[u8; RECORD_LEN]>::try_from(chunk) else {
            return (Some(format!("a record of {} bytes", chunk.len())), 0);
        };
        let message = match Record::from_bytes(record).message() {
            Ok(message) => message,
            Err(error) => return (Some(error.to_string()), 0),
        };
        if let Err(breach) = assembler.take(message, Duration::ZERO) {
            return (Some(breach.to_string()), 0);
        }
    }
    (None, bytes.len() as u64)
}
