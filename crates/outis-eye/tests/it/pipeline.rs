//! Runs the intake as a process and the decoder in this one, each with a time limit.

use std::{
    ffi::OsStr,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use outis_eye::decode::{Event, Frames, StartError};
use outis_packet::Ending;
use outis_record::Notice;

/// Nothing that is done here takes a tenth of this, also on a busy machine.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(120);

/// What a program said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

/// What a decoder made of a stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) frames: u32,
    /// Of the last frame.
    pub(crate) size_px: (u32, u32),
    /// Of the last frame.
    pub(crate) last_ms: i64,
    pub(crate) faults: Vec<Notice>,
    pub(crate) ending: Option<Ending>,
}

impl Decoded {
    pub(crate) fn count(&self, notice: Notice) -> usize {
        self.faults.iter().filter(|&&fault| fault == notice).count()
    }
}

/// Runs the intake on a source.
pub(crate) fn intake(source: impl AsRef<OsStr>) -> Said {
    finish(Command::new(intake_path()).arg(source).stdin(Stdio::null()))
}

/// Runs a program to its end.
pub(crate) fn finish(command: &mut Command) -> Said {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let out = collect(child.stdout.take().expect("piped"));
    let err = collect(child.stderr.take().expect("piped"));
    let out = out.recv_timeout(TIME_LIMIT).unwrap_or_else(|_| hangs(&mut child, command));
    let err = err.recv_timeout(TIME_LIMIT).unwrap_or_else(|_| hangs(&mut child, command));
    let code = child.wait().expect("the program ends").code();
    Said { code, out, err: String::from_utf8_lossy(&err).into_owned() }
}

fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn hangs(child: &mut Child, command: &Command) -> ! {
    let _ = child.kill();
    let _ = child.wait();
    panic!("{command:?} has not ended after {TIME_LIMIT:?}");
}

/// Decodes a stream to its end. Every frame is developed, and media time must grow.
pub(crate) fn decode(stream: Vec<u8>) -> Result<Decoded, StartError> {
    within_the_time(move || {
        let mut frames = Frames::new(&stream[..])?;
        let mut decoded = Decoded::default();
        let mut last_at = None;
        while let Some(event) = frames.next() {
            assert_eq!(decoded.ending, None, "nothing comes after the end");
            match event {
                Event::Picture(picture) => {
                    assert!(last_at.is_none_or(|last| picture.at() > last), "media time grows");
                    last_at = Some(picture.at());
                    decoded.frames += 1;
                    decoded.size_px = (picture.width_px(), picture.height_px());
                    decoded.last_ms = (picture.at().as_seconds() * 1000.0).round() as i64;
                    match frames.develop(picture) {
                        Ok(frame) => assert_eq!((frame.width_px(), frame.height_px()), decoded.size_px),
                        Err(_) => decoded.faults.push(Notice::UnsupportedFrame),
                    }
                }
                Event::LeftOut(_) | Event::Rested(_) | Event::Waits => unreachable!("every frame was wanted"),
                Event::Fault(notice) => decoded.faults.push(notice),
                Event::UnsupportedFeature => decoded.faults.push(Notice::DamagedPacket),
                Event::End(ending) => decoded.ending = Some(ending),
            }
        }
        assert!(decoded.ending.is_some(), "every stream has an end");
        Ok(decoded)
    })
}

/// A file through intake and decoder.
pub(crate) fn count(path: &Path) -> Decoded {
    let said = intake(path);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", path.display());
    decode(said.out).expect("the stream can be decoded")
}

/// Runs a function on a thread; a function that hangs fails the test, with its thread left behind.
pub(crate) fn within_the_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(TIME_LIMIT) {
        Ok(done) => done,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("decoding has not ended after {TIME_LIMIT:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(_) => unreachable!("a thread that ends well has sent its result"),
        },
    }
}

/// The intake of the same build. It belongs to another package, so cargo does not build it for these tests alone.
pub(crate) fn intake_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let eye = Path::new(env!("CARGO_BIN_EXE_outis-eye"));
        let path = eye.with_file_name("outis-intake");
        if !path.exists() {
            let profile = eye.parent().and_then(Path::file_name).expect("target/PROFILE");
            let profile = if profile == "debug" { OsStr::new("dev") } else { profile };
            let build = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--package", "outis-intake", "--profile"])
                .arg(profile)
                .status();
            assert!(build.is_ok_and(|status| status.success()), "cargo build --package outis-intake");
        }
        path
    })
}
