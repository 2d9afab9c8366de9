//! `outis prove`, as root and as an ordinary user; and what strace, a third party, says about the same.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use outis_jail::{Role, Rule};
use serde_json::Value;

use crate::stage::{Ended, Stage, cache, program};

/// Who nobody is, on every Debian.
const NOBODY: &str = "65534";

/// Names, families of sockets, and 471 system calls with 6 sets of arguments each.
const ATTEMPTS_MIN: u64 = 3000;

#[test]
fn nothing_gets_out() {
    let stage = Stage::new();
    check(&stage.run(&["prove", "--json"]));
}

#[test]
fn nothing_gets_out_as_an_ordinary_user() {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        // Then the other test is this one; there is no root to try it as.
        eprintln!("not root: only an ordinary user was tried");
        return;
    }
    let stage = Stage::new();
    let for_all = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = |from: &Path, to: &str| {
        let to = stage.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, &to).unwrap();
        to.ancestors().take_while(|path| path.starts_with(stage.path(""))).for_each(for_all);
    };
    for name in ["outis", "outis-eye", "outis-intake", "outis-adversary"] {
        copy(&program().with_file_name(name), name);
    }
    for name in ["models/nanodet-g.onnx", "runtime/libonnxruntime.so.1.23.2", "clips/vtest.avi"] {
        copy(&cache().join(name), &format!("cache/{name}"));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all"]);
    // As a service manager does.
    command.args(["--no-new-privs", "--bounding-set=-all"]);
    command.arg(stage.path("outis")).args(["prove", "--json"]).env("OUTIS_CACHE", stage.path("cache"));
    let ended = stage.start(command.current_dir("/")).end();
    check(&ended);
    assert_eq!(ended.json()["user_id"], 65_534);
}

fn check(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["holds"], &report["bytes_out"]), (&true.into(), &0.into()));
    let battery = &report["battery"];
    let attempts = battery["attempts"].as_array().unwrap();
    let swept = |sweep: &str| battery[sweep]["attempts"].as_u64().unwrap();
    assert!(attempts.len() as u64 + swept("socket_families") + swept("system_calls") >= ATTEMPTS_MIN);
    assert_eq!(battery["socket_families"]["stopped_by_kernel"], 47);
    let by_the_door = |part: &str| {
        let stopped = |attempt: &&Value| attempt["stopped_by"].as_str().unwrap().starts_with(part);
        attempts.iter().filter(stopped).count()
    };
    assert_eq!(by_the_door("the door: "), 10, "six malformed, four at moments at which they are not due");
    for attempt in attempts {
        assert_eq!((&attempt["holds"], &attempt["bytes_out"]), (&true.into(), &0.into()), "{attempt}");
        // What gets out without the lock shows that the attempt is one.
        assert_ne!(attempt["bytes_out_without_lock"], 0, "{attempt}");
    }
    let leaks = attempts.iter().filter(|attempt| !attempt["bytes_out_without_lock"].is_null());
    assert!(leaks.count() >= 15);
    assert_eq!(report["moments"]["told_at_s"], serde_json::json!([30]));
    for eye_or_intake in ["eye", "intake"] {
        let listed = &report["watched"][eye_or_intake];
        assert_eq!(listed["off_the_list"], Value::Array(Vec::new()), "{listed}");
        assert!(listed["calls"].as_array().unwrap().len() >= 5, "{listed}");
    }
}

/// strace writes one file a process; after its last filter a program makes calls of its list only.
#[test]
fn strace_sees_no_call_off_the_lists() {
    let stage = Stage::new();
    stage.short_clip(8);
    let mut command = Command::new("strace");
    command.args(["-ff", "-qq", "-e", "raw=all", "-o"]).arg(stage.path("trace")).arg(program());
    let ended = stage.start(command.args(["count", "vtest.avi"]).current_dir(stage.path(""))).end();
    assert_eq!(ended.code, 0, "strace is needed, see scripts/packages: {ended:?}");
    let (mut eyes, mut intakes) = (0, 0);
    for entry in fs::read_dir(stage.path("")).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().contains("trace.") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let filters = text.lines().filter(|line| line.starts_with("seccomp(0x1,")).count();
        let (role, seen) = match filters {
            0 => continue,
            1 => (Role::Eye, &mut eyes),
            _ => (Role::Intake, &mut intakes),
        };
        let rules = role.rules().unwrap();
        let behind = text.rsplit_once("\nseccomp(0x1,").unwrap().1.lines().skip(1);
        let calls =
            behind.filter(|line| !line.starts_with(['+', '-'])).inspect(|line| known(&rules, line)).count();
        assert!(calls > 50, "{}: {calls}", role.name());
        *seen += 1;
    }
    assert_eq!((eyes, intakes), (1, 1));
}

/// `write(0x4, 0x7ffe…, 0x40) = 0x40`
fn known(rules: &[Rule], line: &str) {
    let (name, rest) = line.split_once('(').unwrap_or_else(|| panic!("{line}"));
    let mut arguments = [0; 6];
    let listed = rest.split([')', '<']).next().unwrap().split(", ").filter(|argument| !argument.is_empty());
    for (slot, argument) in arguments.iter_mut().zip(listed) {
        let digits = argument.trim().trim_start_matches("0x");
        *slot = u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{line}"));
    }
    let number = outis_jail::call_number(name).unwrap_or(-1);
    assert!(rules.iter().any(|rule| rule.describes(number, &arguments)), "{line}");
}

/// An eye that is taken over in the middle of a run ends as this one does.
#[test]
fn an_eye_that_the_kernel_stopped_is_named() {
    let stage = Stage::new();
    stage.short_clip(2);
    for name in ["outis", "outis-intake"] {
        fs::copy(program().with_file_name(name), stage.path(name)).unwrap();
    }
    let eye = stage.write("outis-eye", "#!/bin/sh\nkill -SYS $$\n");
    fs::set_permissions(eye, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(stage.path("outis"));
    let ended = stage.start(command.args(["count", "vtest.avi"]).current_dir(stage.path(""))).end();
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("the kernel stopped outis-eye"), "{ended:?}");
}
