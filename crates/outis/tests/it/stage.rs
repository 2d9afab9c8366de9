//! Where the plays are given: the built programs, the cached clip, a folder that vanishes, and an end
//! to everything that takes too long.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than any of these programs needs, on a slow machine with others at work on it.
const PATIENCE: Duration = Duration::from_secs(300);

const POLL: Duration = Duration::from_millis(30);

/// A folder for one test.
pub(crate) struct Stage {
    folder: TempDir,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        for sibling in ["outis-intake", "outis-eye", "outis-still", "outis-adversary"] {
            let path = program().with_file_name(sibling);
            assert!(path.is_file(), "{} is missing: run `cargo build --workspace --bins`", path.display());
        }
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The first seconds of the clip, under its own name.
    pub(crate) fn short_clip(&self, seconds: u32) -> PathBuf {
        self.cut_clip("vtest.avi", seconds, &["-c", "copy"])
    }

    /// The same as a street camera sends it today: its middle two and a half times as large, 1920 x 1080, in H.264.
    pub(crate) fn full_hd_clip(&self, seconds: u32) -> PathBuf {
        let filter = "scale=1920:1440:flags=bicubic,crop=1920:1080:0:250";
        self.cut_clip("street.mkv", seconds, &["-vf", filter, "-c:v", "libx264", "-preset", "veryfast"])
    }

    fn cut_clip(&self, name: &str, seconds: u32, coding: &[&str]) -> PathBuf {
        let cut = self.path(name);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(clip());
        let status = ffmpeg.args(["-t", &seconds.to_string()]).args(coding).arg(&cut).status();
        assert!(status.is_ok_and(|status| status.success()), "ffmpeg is needed to make {name} of the clip");
        cut
    }

    /// The command in this folder.
    pub(crate) fn outis(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        // Keys, windows and logs go here, not to where this machine keeps its own.
        command.env_remove("STATE_DIRECTORY").env("XDG_STATE_HOME", self.folder.path());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(&mut self.outis(arguments)).end()
    }

    /// Serves a folder of the stage as plain files, until the test is over.
    pub(crate) fn serve(&self, folder: &str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = self.path(folder);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream, &folder))));
        address
    }

    /// Starts a command whose words go to files, so that no pipe can fill up.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let [out, err] = ["stdout", "stderr"].map(|name| tempfile::NamedTempFile::with_prefix(name).unwrap());
        let to = |file: &tempfile::NamedTempFile| Stdio::from(file.reopen().unwrap());
        let child = command.stdout(to(&out)).stderr(to(&err)).spawn().unwrap();
        Running { child, out, err }
    }
}

/// A program at work. Dropping it ends it.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: tempfile::NamedTempFile,
    err: tempfile::NamedTempFile,
}

impl Running {
    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait_for("the program's end", || self.child.try_wait().unwrap());
        let [stdout, stderr] = [&self.out, &self.err].map(|file| fs::read_to_string(file.path()).unwrap());
        Ended { code: status.code().unwrap_or(-1), stdout, stderr }
    }

    /// What it has said on its standard error.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.err.path()).unwrap()
    }

    /// Whether it has said something there.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.said().contains(words)
    }

    /// Asks it to end, as Ctrl-C or a service manager does.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// The address of its page, once it has said it.
    pub(crate) fn page(&self) -> SocketAddr {
        wait_for("the page's address", || {
            let text = fs::read_to_string(self.err.path()).unwrap();
            assert!(!text.starts_with("outis: "), "it ended at once: {text}");
            let (_, rest) = text.split_once("http://")?;
            rest.split_once('/')?.0.parse().ok()
        })
    }

    /// The state of the page's first camera, once it is as wanted.
    pub(crate) fn camera_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let page = self.page();
        wait_for("the page's state", || {
            let state: Value = serde_json::from_str(&get(page, "/api/state").1).ok()?;
            Some(state["cameras"][0].clone()).filter(&wanted)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers requests for files on one connection, as the simplest web server would.
fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let (status, body) = match fs::read(folder.join(path)) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
    Ok(())
}

/// Asks again and again.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        thread::sleep(POLL);
    }
}

/// A request to a page: its head and its body.
pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// Sends a whole request, and reads to the end of the answer.
pub(crate) fn ask(address: SocketAddr, request: &str) -> (String, String) {
    try_ask(address, request).unwrap_or_else(|| panic!("no answer from {address} to {request}"))
}

/// The same, where nobody may be listening yet.
pub(crate) fn try_ask(address: SocketAddr, request: &str) -> Option<(String, String)> {
    let mut stream = connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (stream.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let head = head.to_ascii_lowercase();
    // Some servers keep the connection, whatever we ask: the length says where the body ends.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = String::new();
    stream.take(length.unwrap_or(u64::MAX)).read_to_string(&mut body).ok()?;
    Some((head, body))
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// An address on the loopback at which nobody listens, for a program that cannot choose one itself.
pub(crate) fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_outis"))
}

/// The folder that `models/fetch` fills.
pub(crate) fn cache() -> PathBuf {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap().join(".cache");
    set("OUTIS_CACHE").unwrap_or_else(|| set("XDG_CACHE_HOME").unwrap_or_else(home).join("outis"))
}

/// The whole clip.
pub(crate) fn clip() -> PathBuf {
    let clip = cache().join("clips/vtest.avi");
    assert!(File::open(&clip).is_ok(), "{} is missing: run `models/fetch`", clip.display());
    clip
}

/// The command line of a program, by its folder in /proc; empty when it has just ended.
pub(crate) fn program_arguments(folder: &Path) -> Vec<String> {
    let bytes = fs::read(folder.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).split('\0').map(str::to_owned).collect()
}

/// Folders in /proc of the programs that a process started, once they run what they are for.
pub(crate) fn children_of(parent: u32) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let is_child = |path: &PathBuf| {
        let Ok(stat) = fs::read_to_string(path.join("stat")) else { return false };
        // pid (name) state parent …; a name may hold spaces and brackets.
        let Some((name, rest)) = stat.rsplit_once(") ") else { return false };
        name.contains("(outis-") && rest.split(' ').nth(1) == Some(&parent.to_string())
    };
    processes.filter(is_child).collect()
}
