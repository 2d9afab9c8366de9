//! The programs at work: a server for the film, and `outis watch` with its cameras. Dropping it ends them.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use outis_measure::Line;
use outis_record::Class;
use tempfile::TempDir;

use super::SERVER;
use super::overheard::{self, Heard};
use crate::cpu;
use crate::report::checkout;

/// How long all cameras may take to their first look, and to end.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// Which cameras there are: all see the same, and are watched alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) cameras: usize,
    pub(super) film: &'a Path,
    /// The film as their second stream sends it, if they are to be watched with it.
    pub(super) substream: Option<&'a Path>,
    pub(super) model: &'a str,
    /// The one class that is counted, if not all are.
    pub(super) class: Option<Class>,
    pub(super) lines: &'a [(String, Line)],
}

/// A server and a door with cameras.
pub(super) struct Rig {
    folder: TempDir,
    server: Process,
    door: Process,
    cameras: usize,
}

impl Rig {
    pub(super) fn start(plan: &Plan) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (server, port) = serve(plan)?;
        let programs = overheard_programs(folder.path())?;
        fs::write(folder.path().join("w.toml"), plan.config(port))?;
        let mut watch = Command::new(programs.join("outis"));
        watch.args(["watch", "w.toml", "--exit"]).current_dir(folder.path());
        watch.stdout(Stdio::null()).stderr(File::create(folder.path().join("words"))?);
        let door = Process::start(watch)?;
        Ok(Self { folder, server, door, cameras: plan.cameras })
    }

    /// Waits until every camera has looked at something.
    pub(super) fn wait_for_looks(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let heard = self.heard()?;
            if heard.len() == self.cameras && heard.values().all(|heard| heard.looks > 0) {
                return Ok(());
            }
            anyhow::ensure!(
                started.elapsed() < PATIENCE && self.door.0.try_wait()?.is_none(),
                "the cameras do not come: {}",
                self.words()
            );
            std::thread::sleep(POLL);
        }
    }

    /// What the only eye has said when it has seen so many seconds of the film.
    pub(super) fn wait_for_media(&mut self, media_s: u32) -> anyhow::Result<Vec<u8>> {
        let (started, media) = (Instant::now(), Duration::from_secs(media_s.into()));
        loop {
            for records in self.records()?.values() {
                if let Some(records) = overheard::until(records, media.as_millis() as u64)? {
                    return Ok(records.to_vec());
                }
            }
            anyhow::ensure!(
                started.elapsed() < media + PATIENCE && self.door.0.try_wait()?.is_none(),
                "the camera does not come to the end of its film: {}",
                self.words()
            );
            std::thread::sleep(POLL);
        }
    }

    /// What the door has said.
    pub(super) fn words(&self) -> String {
        fs::read_to_string(self.folder.path().join("words")).unwrap_or_default()
    }

    /// What the eyes that are at work have said so far, by their processes.
    pub(super) fn heard(&self) -> anyhow::Result<BTreeMap<u32, Heard>> {
        self.records()?.into_iter().map(|(eye, records)| Ok((eye, Heard::of(&records)?))).collect()
    }

    /// The same, record by record.
    pub(super) fn records(&self) -> anyhow::Result<BTreeMap<u32, Vec<u8>>> {
        let file = |pid: u32| self.folder.path().join("heard").join(pid.to_string());
        let eyes = cpu::children(self.door.0.id()).into_iter().filter(|&pid| file(pid).is_file());
        eyes.map(|pid| Ok((pid, fs::read(file(pid))?))).collect()
    }

    /// Processor time so far, by program.
    pub(super) fn spent(&self) -> BTreeMap<String, Duration> {
        let mut spent = BTreeMap::new();
        for (pid, name) in self.processes() {
            *spent.entry(name).or_default() += cpu::spent_by(pid);
        }
        spent
    }

    /// Resident memory now, by program.
    pub(super) fn memory_kb(&self) -> BTreeMap<String, u64> {
        let mut memory = BTreeMap::new();
        for (pid, name) in self.processes() {
            let kb = cpu::status(pid, "VmRSS").and_then(|text| text.split(' ').next()?.parse().ok());
            *memory.entry(name).or_default() += kb.unwrap_or(0_u64);
        }
        memory
    }

    /// Asks the door to end, as a service manager does.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.door.0.id().to_string()]).status();
        anyhow::ensure!(asked.is_ok_and(|status| status.success()), "the door has ended by itself");
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.door.0.try_wait()? {
                anyhow::ensure!(status.success(), "`outis watch` ended with {status}");
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        anyhow::bail!("`outis watch` does not end")
    }

    fn processes(&self) -> Vec<(u32, String)> {
        let mut all = vec![(self.server.0.id(), SERVER.to_owned()), (self.door.0.id(), "outis".to_owned())];
        for child in cpu::children(self.door.0.id()) {
            // In the place of an eye stands what listens in; the eye is its child, and so is `tee`.
            let below = cpu::children(child);
            let named = |pid: u32| cpu::status(pid, "Name").map(|name| (pid, name));
            if below.is_empty() {
                all.extend(named(child));
            } else {
                all.extend(below.into_iter().filter_map(named));
            }
        }
        all
    }
}

impl Plan<'_> {
    /// What is served under which path.
    fn streams(&self) -> Vec<String> {
        let mut streams = Vec::new();
        for camera in 1..=self.cameras {
            streams.push(format!("{camera}=h264:{}", self.film.display()));
            let small = self.substream.map(|film| format!("{camera}-small=h264:{}", film.display()));
            streams.extend(small);
        }
        streams
    }

    /// The configuration of who watches them all.
    fn config(&self, port: u16) -> String {
        let mut config = "listen = \"127.0.0.1:0\"\nstate = \"state\"\n".to_owned();
        for camera in 1..=self.cameras {
            let address = format!("rtsp://127.0.0.1:{port}/{camera}");
            config += &format!(
                "\n[[camera]]\nname = \"{camera}\"\nsource = \"{address}\"\ndetector = \"{}\"\n",
                self.model
            );
            if let Some(class) = self.class {
                config += &format!("classes = [\"{}\"]\n", class.name());
            }
            if self.substream.is_some() {
                config += &format!("substream = \"{address}-small\"\n");
            }
            for (name, line) in self.lines {
                let (a, b) = (line.start(), line.end());
                config += &format!(
                    "[[camera.line]]\nname = \"{name}\"\npoints = [[{}, {}], [{}, {}]]\n",
                    a.x_px, a.y_px, b.x_px, b.y_px
                );
            }
        }
        config
    }
}

/// A process that ends with this value.
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| format!("cannot run {command:?}"))?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every stream of each camera. One that is asked for the first time begins with its first frame.
fn serve(plan: &Plan) -> anyhow::Result<(Process, u16)> {
    let mut python = Command::new("/usr/bin/python3");
    python.arg(checkout().join("testdata/streams/rtsp_server.py"));
    python.args(plan.streams());
    python.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Process::start(python)?;
    let mut line = String::new();
    if let Some(said) = server.0.stdout.take() {
        BufReader::new(said).read_line(&mut line)?;
    }
    let port = line.trim().parse().context("there is no RTSP server; run `scripts/packages streams`")?;
    Ok((server, port))
}

/// A folder with the programs, in which each eye's records are also kept.
fn overheard_programs(folder: &Path) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let (programs, heard) = (folder.join("programs"), folder.join("heard"));
    fs::create_dir(&programs)?;
    fs::create_dir(&heard)?;
    for name in ["outis", "outis-intake", "outis-adversary"] {
        let program = own.with_file_name(name);
        let copied = fs::copy(&program, programs.join(name));
        copied.with_context(|| format!("{} is absent; build the programs with `make`", program.display()))?;
    }
    let eye = programs.join("outis-eye");
    // With noise an eye counts each passage over a line once in each direction, and over six in all at most. Here it is
    // asked what it sees.
    let script = format!(
        "#!/bin/sh\nfor argument; do shift; [ \"$argument\" = --bounded ] || set -- \"$@\" \"$argument\"; done\n\
         \"{}\" \"$@\" | /usr/bin/tee \"{}/$$\"\n",
        own.with_file_name("outis-eye").display(),
        heard.display()
    );
    fs::write(&eye, script)?;
    fs::set_permissions(&eye, Permissions::from_mode(0o755))?;
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_with_a_substream_is_served_and_watched_twice() {
        let plan = Plan {
            cameras: 1,
            film: Path::new("a.ts"),
            substream: Some(Path::new("b.ts")),
            model: "some-net",
            class: Some(Class::Person),
            lines: &[],
        };
        assert_eq!(plan.streams(), ["1=h264:a.ts", "1-small=h264:b.ts"]);
        let config = plan.config(554);
        assert!(config.contains("source = \"rtsp://127.0.0.1:554/1\"\n"), "{config}");
        assert!(config.contains("substream = \"rtsp://127.0.0.1:554/1-small\"\n"), "{config}");
        assert!(config.contains("classes = [\"person\"]\n"), "{config}");
        let plan = Plan { substream: None, class: None, ..plan };
        assert_eq!(plan.streams(), ["1=h264:a.ts"]);
        let config = plan.config(554);
        assert!(!config.contains("substream") && !config.contains("classes"), "{config}");
    }
}
