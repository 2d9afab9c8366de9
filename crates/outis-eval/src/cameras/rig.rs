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
use tempfile::TempDir;

use super::overheard::Heard;
use super::{MODEL, SERVER};
use crate::cpu;
use crate::report::checkout;

/// How long all cameras may take to their first look, and to end.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// A server and a door with cameras.
pub(super) struct Rig {
    folder: TempDir,
    server: Process,
    door: Process,
    cameras: usize,
}

impl Rig {
    pub(super) fn start(film: &Path, cameras: usize, lines: &[(String, Line)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (server, port) = serve(film, cameras)?;
        let programs = overheard_programs(folder.path())?;
        let mut config = "listen = \"127.0.0.1:0\"\nstate = \"state\"\n".to_owned();
        for camera in 1..=cameras {
            config += &format!(
                "\n[[camera]]\nname = \"{camera}\"\nsource = \"rtsp://127.0.0.1:{port}/{camera}\"\ndetector = \"{MODEL}\"\n"
            );
            for (name, line) in lines {
                let (a, b) = (line.start(), line.end());
                config += &format!(
                    "[[camera.line]]\nname = \"{name}\"\npoints = [[{}, {}], [{}, {}]]\n",
                    a.x_px, a.y_px, b.x_px, b.y_px
                );
            }
        }
        fs::write(folder.path().join("w.toml"), config)?;
        let mut watch = Command::new(programs.join("outis"));
        watch.args(["watch", "w.toml", "--exit"]).current_dir(folder.path());
        watch.stdout(Stdio::null()).stderr(File::create(folder.path().join("words"))?);
        let door = Process::start(watch)?;
        Ok(Self { folder, server, door, cameras })
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

    /// What the door has said.
    pub(super) fn words(&self) -> String {
        fs::read_to_string(self.folder.path().join("words")).unwrap_or_default()
    }

    /// What the eyes that are at work have said so far, by their processes.
    pub(super) fn heard(&self) -> anyhow::Result<BTreeMap<u32, Heard>> {
        let file = |pid: u32| self.folder.path().join("heard").join(pid.to_string());
        let eyes = cpu::children(self.door.0.id()).into_iter().filter(|&pid| file(pid).is_file());
        eyes.map(|pid| Ok((pid, Heard::of(&fs::read(file(pid))?)?))).collect()
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

/// One stream for each camera.
fn serve(film: &Path, cameras: usize) -> anyhow::Result<(Process, u16)> {
    let mut python = Command::new("/usr/bin/python3");
    python.arg(checkout().join("testdata/streams/rtsp_server.py"));
    python.args((1..=cameras).map(|camera| format!("{camera}=h264:{}", film.display())));
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
    let script = format!(
        "#!/bin/sh\n\"{}\" \"$@\" | /usr/bin/tee \"{}/$$\"\n",
        own.with_file_name("outis-eye").display(),
        heard.display()
    );
    fs::write(&eye, script)?;
    fs::set_permissions(&eye, Permissions::from_mode(0o755))?;
    Ok(programs)
}
