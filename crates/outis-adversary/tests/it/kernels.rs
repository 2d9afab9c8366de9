//! Kernels that lack something, played by a filter around the program: what is needed is missed loudly, what is not
//! needed is done without.

use std::{
    collections::BTreeMap,
    process::{Command, Output, Stdio},
    thread,
};

use outis_jail::{Role, was_stopped};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// Runs an attempt on a kernel that answers some calls with an error.
fn on_a_kernel_without(calls: &[i64], error: i32, way: &str) -> Output {
    on_a_kernel(&[(calls, error)], way)
}

/// The same with several answers; 0 is a yes without effect.
fn on_a_kernel(answers: &[(&[i64], i32)], way: &str) -> Output {
    behind_the_lock_of(Role::Eye, answers, way)
}

/// The same behind the lock of another program.
fn behind_the_lock_of(role: Role, answers: &[(&[i64], i32)], way: &str) -> Output {
    let filters: Vec<BpfProgram> = answers.iter().map(|(calls, error)| answering(calls, *error)).collect();
    let way = way.to_owned();
    // A filter holds the thread that asks for it and what it starts, so it goes with this thread.
    let run = thread::spawn(move || {
        for filter in &filters {
            apply_filter(filter).expect("this kernel filters");
        }
        Command::new(env!("CARGO_BIN_EXE_outis-adversary"))
            .args(["jailed", &way, "--folder", "/", "--port", "9", "--role", role.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("the adversary starts")
    });
    run.join().expect("it ran")
}

fn answering(calls: &[i64], error: i32) -> BpfProgram {
    let table: BTreeMap<i64, Vec<_>> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let action = SeccompAction::Errno(error.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into().expect("a processor with filters");
    let filter = SeccompFilter::new(table, SeccompAction::Allow, action, arch).expect("a filter");
    filter.try_into().expect("a program")
}

#[test]
fn what_is_missing_is_refused_with_the_remedy() {
    let cases: [(&str, &[i64], i32, &[&str]); 4] = [
        ("no Landlock", &[libc::SYS_landlock_create_ruleset], libc::ENOSYS, &["Landlock", "5.19", "lsm="]),
        ("Landlock is off", &[libc::SYS_landlock_create_ruleset], libc::EOPNOTSUPP, &["Landlock", "lsm="]),
        ("Landlock is refused", &[libc::SYS_landlock_restrict_self], libc::EPERM, &["Landlock"]),
        ("no filters", &[libc::SYS_seccomp], libc::ENOSYS, &["filter", "CONFIG_SECCOMP_FILTER", "container"]),
    ];
    for (name, calls, error, parts) in cases {
        let output = on_a_kernel_without(calls, error, "udp");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{name}: {said}");
    }
}

#[test]
fn without_namespaces_the_rest_holds() {
    for (name, calls) in
        [("no namespaces", vec![libc::SYS_unshare]), ("no other root", vec![libc::SYS_pivot_root])]
    {
        for way in ["udp", "file", "shared-memory", "host-name", "long-write"] {
            let output = on_a_kernel_without(&calls, libc::EPERM, way);
            assert!(was_stopped(output.status), "{name}: {way}: {output:?}");
            assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0), "{name}: {way}");
        }
    }
}

/// The attempts that the kernel has to end.
fn ways() -> Vec<String> {
    let list = Command::new(env!("CARGO_BIN_EXE_outis-adversary"))
        .arg("list")
        .output()
        .expect("the adversary starts");
    let list = String::from_utf8(list.stdout).expect("a list");
    let ways: Vec<String> = list
        .lines()
        .filter_map(|line| line.split_once('\t'))
        // The others end at the door, or by a fault.
        .filter(|(_, rest)| rest.starts_with("leak") || rest.starts_with("jailed"))
        .map(|(way, _)| way.to_owned())
        .collect();
    assert!(ways.len() > 100, "{}", ways.len());
    ways
}

/// Stronger than any old kernel: Landlock says yes and does nothing. What is left behind the lock is the filter.
#[test]
fn behind_the_lock_the_filter_alone_stops_every_way() {
    /// It says so, and nothing happens.
    const NOTHING: i32 = 0;
    for way in ways() {
        // Only Landlock may lie. Were namespaces to, root would take this machine's own folders away.
        let refused = [libc::SYS_unshare];
        let output =
            on_a_kernel(&[(&refused, libc::EPERM), (&[libc::SYS_landlock_restrict_self], NOTHING)], &way);
        assert!(was_stopped(output.status), "{way}: {output:?}");
        assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0), "{way}");
    }
}

/// An intake of a camera has sockets; everything that is no socket of its own is out of its reach as it is of an eye's,
/// but that packets have any length.
#[test]
fn an_intake_of_a_camera_has_no_other_way_out_than_its_packets() {
    const PACKETS: [&str; 5] =
        ["long-write", "one-byte-more", "one-byte-less", "nothing", "length-beyond-32-bits"];
    const OPENS: [&str; 7] = [
        "file",
        "file-in-tmp",
        "file-in-shared-memory",
        "file-without-a-name",
        "own-memory-file",
        "terminal",
        "kernel-log",
    ];
    /// How the program ends that goes on after that.
    const TOLD_NO: i32 = 101;
    let answers: [(&[i64], i32); 2] =
        [(&[libc::SYS_unshare], libc::EPERM), (&[libc::SYS_landlock_restrict_self], 0)];
    for way in ways() {
        let output = behind_the_lock_of(Role::IntakeLive, &answers, &way);
        // Who asks for a file is told that it may not, because libav asks for random bytes; all others are ended.
        let expected = if PACKETS.contains(&way.as_str()) {
            output.status.success()
        } else if OPENS.contains(&way.as_str()) {
            output.status.code() == Some(TOLD_NO) && output.stdout.is_empty()
        } else {
            was_stopped(output.status) && output.stdout.is_empty()
        };
        assert!(expected && output.stderr.is_empty(), "{way}: {output:?}");
    }
}
