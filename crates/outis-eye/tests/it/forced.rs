//! Libraries that are forced upon the eye: one in place of ONNX Runtime, one that comes in with the loader.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use outis_jail::was_stopped;

use crate::{
    clips::{Clips, cached},
    pipeline::intake,
};

/// Leaves a file when it is loaded, and has a thread that speaks to the network as soon as video is counted: what
/// later releases of ONNX Runtime do unasked when a session is created, made plain.
const LOOK_ALIKE: &str = r#"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
static void *speak(void *unused) {
    for (volatile unsigned long long wait = 0; wait < 3000000000ULL; wait++) {}
    socket(AF_INET, SOCK_DGRAM, 0);
    return unused;
}
__attribute__((constructor)) static void loaded(void) {
    const char *mark = getenv("MARK");
    pthread_t thread;
    if (mark) open(mark, O_CREAT | O_WRONLY, 0600);
    pthread_create(&thread, 0, speak, 0);
}
#ifdef RUNTIME
void *OrtGetApiBase(void) { return 0; }
#endif
"#;

/// The release that is loaded, and the one that is known to speak unasked.
const OURS: &str = "runtime/libonnxruntime.so.1.23.2";
const SPEAKS: &str = "evidence/libonnxruntime.so.1.32.0";

fn look_alike(clips: &Clips, options: &[&str]) -> PathBuf {
    let (source, library) = (clips.path("look_alike.c"), clips.path("libonnxruntime.so"));
    std::fs::write(&source, LOOK_ALIKE).expect("a source");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .args(options)
        .arg("-lpthread")
        .status()
        .expect("the tests need a C compiler: apt-get install gcc");
    assert!(compiled.success());
    library
}

fn eye(arguments: &[&str], runtime: &Path, stream: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outis-eye"));
    command
        .args(["--model", "nanodet-g", "--model-file"])
        .arg(cached("models/nanodet-g.onnx"))
        .arg("--runtime")
        .arg(runtime)
        .args(["--classes", "person", "--window-ms", "900000"])
        .args(arguments)
        .stdin(File::open(stream).expect("the stream"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn another_runtime_is_refused_before_it_is_loaded() {
    let clips = Clips::new();
    let (library, mark, stream) =
        (look_alike(&clips, &["-DRUNTIME"]), clips.path("mark"), clips.path("stream"));
    std::fs::write(&stream, intake(clips.street("street.mp4", "-c:v libx264")).out).expect("the stream");
    let output = eye(&[], &library, &stream).env("MARK", &mark).output().expect("the eye");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.contains("refused") && said.contains("sha256"), "{said}");
    assert!(!mark.exists(), "it was loaded");
}

/// Nobody can keep who starts the eye from putting a library into it. The lock holds its threads all the same.
#[test]
fn a_thread_of_a_library_that_was_forced_in_is_held_too() {
    let clips = Clips::new();
    let (library, mark) = (look_alike(&clips, &[]), clips.path("mark"));
    let mut command = eye(&[], &cached(OURS), Path::new("/dev/null"));
    command
        .env("LD_PRELOAD", &library)
        .env("MARK", &mark)
        // A source that says nothing: the eye waits behind the lock.
        .stdin(Stdio::piped());
    let mut child = command.spawn().expect("the eye starts");
    let silent_source = child.stdin.take();
    let status = child.wait().expect("its end");
    drop(silent_source);
    assert!(mark.exists(), "it was not loaded, so nothing was tried");
    assert!(was_stopped(status), "{status}");
}

/// What it says before it ends, of a source that would give it nothing to do.
fn refusal(command: &mut Command) -> String {
    let output = command.output().expect("the eye");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    said
}

/// The release itself, from its wheel, under its own name and under ours.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_runtime_that_speaks_to_a_telemetry_host_is_refused() {
    let (clips, speaks, nothing) = (Clips::new(), cached(SPEAKS), Path::new("/dev/null"));
    let renamed = clips.path("libonnxruntime.so.1.23.2");
    std::fs::copy(&speaks, &renamed).expect("a copy");
    for library in [&speaks, &renamed] {
        let said = refusal(&mut eye(&[], library, nothing));
        assert!(said.contains("refused") && said.contains("sha256"), "{said}");
    }
}

/// It is in the process then, and has run what it runs when it is loaded; it is not left there to be used.
#[test]
#[cfg(target_arch = "x86_64")]
fn a_foreign_runtime_in_the_process_is_refused_with_either_engine() {
    let nothing = Path::new("/dev/null");
    let mut with_ours = eye(&[], &cached(OURS), nothing);
    let mut built_in = Command::new(env!("CARGO_BIN_EXE_outis-eye"));
    built_in.args(["--model", "nanodet-g", "--model-file"]).arg(cached("models/nanodet-g.onnx"));
    built_in.args(["--rten", "--classes", "person", "--window-ms", "900000"]);
    for command in [&mut with_ours, &mut built_in] {
        let said = refusal(command.env("LD_PRELOAD", cached(SPEAKS)));
        assert!(said.contains("is refused") && said.contains("LD_PRELOAD"), "{said}");
    }
}
