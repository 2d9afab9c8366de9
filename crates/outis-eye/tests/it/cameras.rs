//! Cameras for the tests: servers of Debian's packages on the loopback, which end with the test.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use outis_eye::decode::{Event, Frames};

use crate::{clips::Clips, pipeline::intake_path};

/// Nothing that is waited for takes a quarter of this, also on a busy machine.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

/// A process that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Waits for its end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().expect("its status") {
                return status;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it has not ended after {WAIT:?}");
    }

    /// Sends it a signal by the command `kill`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name}");
    }
}

/// A camera.
pub(crate) struct Camera {
    pub(crate) server: Running,
    pub(crate) port: u16,
}

impl Camera {
    /// Starts one of the servers beside `testdata/streams` and waits until it listens.
    pub(crate) fn start(script: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/streams").join(script);
        // The system's own Python has the system's own libraries.
        let mut server = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .expect("a camera needs Debian's python3");
        let said = server.0.stdout.take().expect("piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(said).read_line(&mut line);
            let _ = sender.send(line);
        });
        let line = receiver.recv_timeout(WAIT).expect("the camera says its port");
        let port = line.trim().parse();
        let port = port.unwrap_or_else(|_| panic!("a camera needs packages: `scripts/packages streams`"));
        Self { server, port }
    }

    pub(crate) fn rtsp(&self, path: &str) -> String {
        format!("rtsp://127.0.0.1:{}/{path}", self.port)
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

/// What cameras play: ten seconds of the street with a key frame each second.
pub(crate) struct Films {
    clips: Clips,
}

impl Films {
    pub(crate) fn new() -> Self {
        Self { clips: Clips::new() }
    }

    pub(crate) fn h264(&self) -> PathBuf {
        self.clips.street("h264.ts", "-frames:v 100 -c:v libx264 -g 10 -bf 2")
    }

    pub(crate) fn h265(&self) -> PathBuf {
        self.clips.street("h265.ts", "-frames:v 100 -c:v libx265 -x265-params log-level=none:keyint=10")
    }

    pub(crate) fn jpeg(&self) -> PathBuf {
        self.clips.street("jpeg.avi", "-frames:v 100 -c:v mjpeg -pix_fmt yuvj420p -huffman default")
    }

    /// Two seconds, then the rest in another size, in one stream.
    pub(crate) fn of_two_sizes(&self, size: &str) -> PathBuf {
        let first = self.clips.street("first.ts", "-frames:v 20 -c:v libx264 -g 10 -bf 2");
        let scaled = format!("-frames:v 80 -s {size} -c:v libx264 -g 10 -bf 2 -output_ts_offset 2");
        let rest = self.clips.street("rest.ts", &scaled);
        let both = self.clips.path("two-sizes.ts");
        let bytes = [first, rest].map(|part| std::fs::read(part).expect("a part"));
        std::fs::write(&both, bytes.concat()).expect("both parts");
        both
    }

    /// So many pictures, each a file.
    pub(crate) fn pictures(&self, count: u32) -> Vec<PathBuf> {
        let at = |number: u32| {
            let seconds = f64::from(number) / 10.0;
            let cut = format!("-ss {seconds} -frames:v 1 -pix_fmt yuvj420p");
            self.clips.street(&format!("{number}.jpg"), &cut)
        };
        (0..count).map(at).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.clips.path(name)
    }
}

/// A frame that came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Came {
    pub(crate) at_ms: i64,
    pub(crate) size_px: (u32, u32),
    pub(crate) arrived: Instant,
}

/// An intake of a camera and the frames that are decoded from what it sends.
pub(crate) struct Watched {
    pub(crate) intake: Running,
    frames: mpsc::Receiver<Came>,
    words: mpsc::Receiver<String>,
}

/// Starts an intake for an address, as the door does.
pub(crate) fn call(address: &str, arguments: &[&str]) -> (Running, ChildStdout, mpsc::Receiver<String>) {
    let mut intake = Command::new(intake_path())
        .arg("--address-on-stdin")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Running)
        .expect("the intake starts");
    intake.0.stdin.take().expect("piped").write_all(address.as_bytes()).expect("it reads the address");
    let mut errors = intake.0.stderr.take().expect("piped");
    let (sender, words) = mpsc::channel();
    thread::spawn(move || {
        let mut said = String::new();
        let _ = errors.read_to_string(&mut said);
        let _ = sender.send(said);
    });
    let packets = intake.0.stdout.take().expect("piped");
    (intake, packets, words)
}

impl Watched {
    pub(crate) fn start(address: &str, arguments: &[&str]) -> Self {
        let (intake, packets, words) = call(address, arguments);
        let (sender, frames) = mpsc::channel();
        thread::spawn(move || {
            let Ok(frames) = Frames::new(packets) else { return };
            for event in frames {
                if let Event::Picture(picture) = event {
                    let came = Came {
                        at_ms: picture.at().as_millis(),
                        size_px: (picture.width_px(), picture.height_px()),
                        arrived: Instant::now(),
                    };
                    if sender.send(came).is_err() {
                        return;
                    }
                }
            }
        });
        Self { intake, frames, words }
    }

    /// The next frames.
    pub(crate) fn frames(&self, count: usize) -> Vec<Came> {
        (0..count).map(|_| self.frame()).collect()
    }

    pub(crate) fn frame(&self) -> Came {
        self.frames.recv_timeout(WAIT).unwrap_or_else(|_| {
            panic!("no frame came; the intake said: {:?}", self.words.try_recv().unwrap_or_default())
        })
    }

    /// How the intake ended and what it said, once it has.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        let code = self.intake.end().code();
        (code, self.words.recv_timeout(WAIT).expect("its words end with it"))
    }
}
