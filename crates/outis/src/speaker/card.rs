//! The sound card of this machine, by way of `aplay` of ALSA: a program of its own, so that no driver's library is
//! linked into the door.

use std::{
    io::{self, Read, Write},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{VoiceError, sound::Sound, wav};

/// How often it is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// How much longer than its message it may take: a card that hangs must not stop the next one.
const SLACK: Duration = Duration::from_secs(5);

/// The most bytes kept of what it says.
const WORDS_BYTES_MAX: u64 = 400;

/// Section `[speaker.card]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardConfig {
    /// A device of ALSA, as `aplay -L` lists them.
    #[serde(default = "device")]
    device: String,
    #[serde(default)]
    pub(crate) cameras: Vec<String>,
}

fn device() -> String {
    "default".into()
}

/// A sound card.
#[derive(Debug)]
pub(crate) struct Card {
    device: String,
}

impl Card {
    pub(crate) fn new(config: &CardConfig) -> Self {
        Self { device: config.device.clone() }
    }

    /// A whole file, as the program reads it.
    pub(crate) fn prepare(&self, sound: &Sound) -> Vec<u8> {
        wav::write(sound)
    }

    /// Plays what was prepared. Ends early when asked to.
    pub(crate) fn play(&mut self, file: &[u8], length_s: f32, quit: &AtomicBool) -> Result<(), VoiceError> {
        let mut aplay = Command::new("aplay")
            .args(["--quiet", "--device", &self.device, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => VoiceError::NoPlayer,
                _ => VoiceError::Player(error.to_string()),
            })?;
        let until = Instant::now() + Duration::from_secs_f32(length_s) + SLACK;
        let input = aplay.stdin.take();
        let errors = aplay.stderr.take();
        thread::scope(|scope| {
            // It takes the sound as it goes by. An error there means that it has ended, which is told below.
            scope.spawn(|| input.map(|mut input| input.write_all(file)));
            let words = scope.spawn(|| {
                let mut words = String::new();
                let read = errors.map(|errors| errors.take(WORDS_BYTES_MAX).read_to_string(&mut words));
                read.and_then(Result::ok).map(|_| words).unwrap_or_default()
            });
            let success = wait(&mut aplay, until, quit);
            let words = words.join().unwrap_or_default();
            match success {
                Ended::Well | Ended::Asked => Ok(()),
                Ended::Hung => Err(VoiceError::Player("it did not end".into())),
                Ended::Badly => Err(VoiceError::Player(tame(&words))),
            }
        })
    }
}

enum Ended {
    Well,
    Badly,
    /// It was to end.
    Asked,
    Hung,
}

fn wait(aplay: &mut Child, until: Instant, quit: &AtomicBool) -> Ended {
    loop {
        match aplay.try_wait() {
            Ok(Some(status)) => return if status.success() { Ended::Well } else { Ended::Badly },
            Ok(None) => {}
            Err(_) => return Ended::Badly,
        }
        let asked = quit.load(Ordering::Relaxed);
        if asked || Instant::now() > until {
            // Both fail only when it has just ended by itself.
            let _ = aplay.kill();
            let _ = aplay.wait();
            return if asked { Ended::Asked } else { Ended::Hung };
        }
        thread::sleep(POLL);
    }
}

/// The last line of what a program said, fit for a terminal.
fn tame(words: &str) -> String {
    let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    last.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
