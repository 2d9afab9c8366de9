//! The picture of a street with nobody in it, made by the real programs and looked at by a detector.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use outis_eval::{cache, watch::Watcher};
use outis_measure::Detection;
use outis_record::Class;

/// What `outis-still` says of a video.
fn still(video: &Path) -> Vec<u8> {
    let mut intake = Command::new(program("outis-intake"))
        .arg(video)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("built with the workspace");
    let packets = intake.stdout.take().expect("a pipe");
    let output = Command::new(program("outis-still"))
        .args(["--seconds", "600"])
        .stdin(packets)
        .stderr(Stdio::piped())
        .output()
        .expect("built with the workspace");
    intake.wait().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{:?}", output.status);
    output.stdout
}

fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own file");
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace`"))
}

fn number(answer: &[u8], at: usize) -> usize {
    u32::from_le_bytes(answer[at..at + 4].try_into().expect("four bytes")) as usize
}

/// People that are as sure as what a track begins with.
fn people(found: &[Detection], score_new: f32) -> usize {
    found.iter().filter(|d| d.class == Class::Person && d.score.get() >= score_new).count()
}

#[test]
fn nobody_is_in_the_picture_of_a_street_that_many_pass() {
    let clip = cache::folder().join("clips/vtest.avi");
    let answer = still(&clip);
    assert_eq!((&answer[..8], number(&answer, 8)), (&b"OUTISSTL"[..], 0));
    assert_eq!((number(&answer, 12), number(&answer, 16)), (768, 576));
    assert!((9..=31).contains(&number(&answer, 20)), "samples");
    let png = &answer[4096..4096 + number(&answer, 28)];
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("still.png"), png).expect("written");

    let mut watcher = Watcher::new("nanodet-g").expect("fetched by `make test`");
    let score_new = watcher.detector().thresholds().score_new.get();
    // Of the clip itself, the frames that a still is made of.
    let watched = watcher.watch(&clip, 25).expect("a clip");
    let there: usize = watched.looks.values().map(|found| people(found, score_new)).sum();
    assert!(there >= 3 * watched.looks.len(), "{there} people in {} frames", watched.looks.len());
    let seen = watcher.watch(folder.path(), 1).expect("a picture");
    assert_eq!(people(&seen.looks[&1], score_new), 0, "{:?}", seen.looks);
}

/// Whatever comes, there is one answer, and no picture of a moment.
#[test]
fn what_is_no_street_gives_no_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("short.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=320x240", "-pix_fmt", "yuv420p"])
        .arg(&file)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "ffmpeg makes a video");
    let answer = still(&file);
    assert_eq!((answer.len(), number(&answer, 8)), (4096, 3), "too short");
}

/// strace sees no call of it, after the lock, that is not on its list.
#[test]
fn it_calls_what_is_on_its_list_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("calls");
    let clip = cache::folder().join("clips/vtest.avi");
    // The picture goes into a pipe: for a file, the lock refuses.
    let script = r#"set -o pipefail; "$1" "$2" | strace -f -o "$3" "$4" --seconds 600 | cat >/dev/null"#;
    let status = Command::new("bash")
        .args(["-c", script, "bash"])
        .args([program("outis-intake"), clip, log.clone(), program("outis-still")])
        .status()
        .expect("bash");
    assert!(status.success(), "{status}");
    let calls = fs::read_to_string(&log).expect("strace is installed");
    // The last of the lock is standard error's end; what comes after is the work.
    let (_, after) = calls.rsplit_once("close(2)").expect("the lock");
    let names: std::collections::BTreeSet<&str> = after
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(' ')?.1.trim().split_once('(').map(|(name, _)| name))
        .collect();
    let rules = outis_jail::Role::Still.rules().expect("a list");
    for name in &names {
        assert!(rules.iter().any(|rule| rule.call == *name), "{name} is not on the list: {names:?}");
    }
    assert!(names.contains("read") && names.contains("write"), "{names:?}");
}
