//! What is left of a picture when the eye dies in the middle of a frame: nothing.

use std::{
    fs,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use crate::{
    clips::{Clips, cached},
    pipeline::intake,
};

/// A pattern of 16 by 2 samples which no street shows, drawn all over the picture.
const CANARY: [u8; 16] = [40, 200, 41, 199, 42, 198, 43, 197, 44, 196, 45, 195, 46, 194, 47, 193];

/// A clip of grey pictures of the canary, coded without loss, so that a frame in memory holds exactly these bytes.
fn stream(clips: &Clips) -> Vec<u8> {
    const SIDE: usize = 320;
    let raw = clips.path("canary.gray");
    let picture: Vec<u8> = CANARY.into_iter().cycle().take(SIDE * SIDE).collect();
    fs::write(&raw, picture.repeat(40)).expect("a clip");
    let size = format!("{SIDE}x{SIDE}");
    let arguments = format!("-f rawvideo -pix_fmt gray -s {size} -r 10 -i {} -c:v ffv1", raw.display());
    let packets = intake(clips.ffmpeg("canary.mkv", &arguments)).out;
    fs::remove_file(raw).expect("its source is not to be found");
    fs::remove_file(clips.path("canary.mkv")).expect("nor the clip");
    assert_eq!(found(&packets), 0, "encoded, the pattern is not there");
    packets
}

fn found(bytes: &[u8]) -> usize {
    bytes.windows(CANARY.len()).filter(|window| *window == CANARY).count()
}

/// Runs the eye in a folder where cores are wanted, gives it half of a stream and lets it look, then does `end` to it.
fn die(clips: &Clips, end: &str) -> (ExitStatus, Vec<u8>, Vec<u8>) {
    let packets = stream(clips);
    let folder = clips.path("run");
    fs::create_dir(&folder).expect("a folder");
    let script = match end {
        // Enough to start, too little for the pictures to come.
        "memory" => r#"ulimit -c unlimited; exec prlimit --data=60000000 "$@""#,
        _ => r#"ulimit -c unlimited; exec "$@""#,
    };
    let mut child = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_outis-eye"), "--model", "nanodet-g", "--model-file"])
        .arg(cached("models/nanodet-g.onnx"))
        .arg("--runtime")
        .arg(cached("runtime/libonnxruntime.so.1.23.2"))
        .args(["--classes", "person", "--window-ms", "900000", "--every-frame"])
        .env("TMPDIR", &folder)
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the eye starts");
    let mut input = child.stdin.take().expect("piped");
    let mut records = child.stdout.take().expect("piped");
    // Not to its end: at some frame it waits for more, with pictures in its memory.
    let written = input.write_all(&packets[..packets.len() / 2]);
    let mut out = vec![0; outis_record::RECORD_LEN];
    if end != "memory" {
        written.expect("it reads");
        records.read_exact(&mut out).expect("it has looked");
        // It is in the middle of decoding or looking; when exactly does not matter.
        thread::sleep(Duration::from_millis(300));
        let killed = Command::new("kill").args([end, &child.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
    }
    drop(input);
    records.read_to_end(&mut out).expect("its pipe closes");
    let mut err = Vec::new();
    child.stderr.take().expect("piped").read_to_end(&mut err).expect("its pipe closes");
    (child.wait().expect("its end"), out, err)
}

/// Every file below a folder: names, and how often the canary is in them.
fn files(folder: &Path) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), found(&fs::read(&path).expect("a file"))));
        }
    }
    all
}

#[test]
fn nothing_is_left_of_a_frame() {
    for (end, signal) in [("-SEGV", Some(11)), ("-ABRT", Some(6)), ("-KILL", Some(9)), ("memory", None)] {
        let clips = Clips::new();
        let (status, out, err) = die(&clips, end);
        assert!(!status.success(), "{end}: {status}");
        assert!(signal.is_none_or(|signal| status.signal() == Some(signal)), "{end}: {status}");
        assert!(!status.core_dumped(), "{end}");
        assert_eq!(files(&clips.path("run")), [], "{end}");
        assert_eq!((found(&out), found(&err)), (0, 0), "{end}");
    }
}

/// Where this user may lock memory, no page that the eye has used can be swapped out, whatever swap there is.
#[test]
fn no_page_of_a_frame_can_be_swapped_out() {
    const CAP_SYS_RESOURCE: u64 = 1 << 24;
    let capabilities = status_field("self", "CapEff").and_then(|hex| u64::from_str_radix(&hex, 16).ok());
    if capabilities.is_none_or(|all| all & CAP_SYS_RESOURCE == 0) {
        eprintln!("only root may lock memory here, so that it cannot be seen to be locked");
        return;
    }
    let clips = Clips::new();
    let packets = stream(&clips);
    let mut child = Command::new(env!("CARGO_BIN_EXE_outis-eye"))
        .args(["--model", "nanodet-g", "--model-file"])
        .arg(cached("models/nanodet-g.onnx"))
        .arg("--runtime")
        .arg(cached("runtime/libonnxruntime.so.1.23.2"))
        .args(["--classes", "person", "--window-ms", "900000", "--every-frame"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the eye starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(&packets[..packets.len() / 2]).expect("it reads");
    let mut record = [0; outis_record::RECORD_LEN];
    child.stdout.take().expect("piped").read_exact(&mut record).expect("it has looked");
    let maps = fs::read_to_string(format!("/proc/{}/smaps", child.id()));
    let kilobytes =
        |field| status_field(&child.id().to_string(), field).and_then(|kb| kb.parse::<u64>().ok());
    let (locked, used) = (kilobytes("VmLck"), kilobytes("VmRSS"));
    child.kill().and_then(|()| child.wait()).expect("its end");
    assert!(locked.zip(used).is_some_and(|(locked, used)| locked >= used), "{locked:?} of {used:?} kB");
    // Every mapping in use is locked, but for the kernel's own pages.
    let maps = maps.expect("root reads it");
    let mut name = "";
    for line in maps.lines() {
        match line.split_once(':') {
            Some(("VmFlags", flags))
                if !name.ends_with(']') || name.ends_with("[heap]") || name.ends_with("[stack]") =>
            {
                assert!(flags.split_whitespace().any(|flag| flag == "lo"), "{name}: {flags}");
            }
            Some((range, _)) if range.contains('-') => name = line,
            _ => {}
        }
    }
    assert!(!name.is_empty(), "nothing was looked at");
}

/// A field of a process's status.
fn status_field(process: &str, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.split(':').next() == Some(field))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// The same death without the lock leaves a core wherever the machine writes cores to the current folder.
#[test]
fn a_program_without_the_lock_leaves_a_core() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.starts_with(['|', '/']) {
        eprintln!("cores go to `{}` here, so that the comparison cannot be made", pattern.trim());
        return;
    }
    let clips = Clips::new();
    let script = "ulimit -c unlimited; exec sleep 60";
    let mut child =
        Command::new("sh").args(["-c", script]).current_dir(clips.path("")).spawn().expect("a shell");
    // The shell must have become the other program.
    thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-SEGV", &child.id().to_string()]).status().expect("kill");
    assert!(child.wait().expect("its end").core_dumped());
}
