//! By way of the kernel's own services: keys, logs, modules, names of the machine, and its other doors.

use std::io;

use super::{HERE, Hands, Kind::*, Named, address, call};

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "key",
        kind: Jailed,
        what: "as a key in a keyring (add_key)",
        attempt: |h| {
            call(libc::SYS_add_key, &[address(c"user"), address(c"leak"), h.pixels(), 64, -3_i64 as u64])
        },
    },
    Named {
        name: "request-key",
        kind: Jailed,
        what: "as a request for one (request_key)",
        attempt: |_| {
            call(
                libc::SYS_request_key,
                &[address(c"user"), address(c"leak"), address(c"leak"), -3_i64 as u64],
            )
        },
    },
    Named {
        name: "keyring",
        kind: Jailed,
        what: "join another keyring (keyctl)",
        attempt: |_| call(libc::SYS_keyctl, &[1, address(c"leak"), 0, 0, 0]),
    },
    Named {
        name: "kernel-program",
        kind: Jailed,
        what: "a program in the kernel (bpf)",
        attempt: |h| call(libc::SYS_bpf, &[0, h.pixels(), 64]),
    },
    Named {
        name: "performance",
        kind: Jailed,
        what: "measure other programs (perf_event_open)",
        attempt: |h| call(libc::SYS_perf_event_open, &[h.pixels(), 0, 0, 0, 0]),
    },
    Named {
        name: "read-kernel-log",
        kind: Jailed,
        what: "read the kernel's log (syslog)",
        attempt: |h| call(libc::SYS_syslog, &[3, h.pixels(), 64]),
    },
    Named {
        name: "mount",
        kind: Jailed,
        what: "mount a folder (mount)",
        attempt: |_| call(libc::SYS_mount, &[address(c"none"), address(c"/"), address(c"tmpfs"), 0, 0]),
    },
    Named {
        name: "newer-mount",
        kind: Jailed,
        what: "the same by the newer call (fsopen)",
        attempt: |_| call(libc::SYS_fsopen, &[address(c"tmpfs"), 0]),
    },
    Named {
        name: "root",
        kind: Jailed,
        what: "another root folder (chroot)",
        attempt: |h| call(libc::SYS_chroot, &[h.folder()]),
    },
    Named {
        name: "folder",
        kind: Jailed,
        what: "another folder (chdir)",
        attempt: |h| call(libc::SYS_chdir, &[h.folder()]),
    },
    Named {
        name: "namespaces",
        kind: Jailed,
        what: "other namespaces (unshare)",
        attempt: |_| call(libc::SYS_unshare, &[libc::CLONE_NEWUSER as u64]),
    },
    Named {
        name: "join-namespace",
        kind: Jailed,
        what: "join another's (setns)",
        attempt: |_| call(libc::SYS_setns, &[3, 0]),
    },
    Named {
        name: "host-name",
        kind: Jailed,
        what: "as the machine's name (sethostname)",
        attempt: |h| call(libc::SYS_sethostname, &[h.pixels(), 16]),
    },
    Named {
        name: "module",
        kind: Jailed,
        what: "as a module of the kernel (init_module)",
        attempt: |h| call(libc::SYS_init_module, &[h.pixels(), h.len(), 0]),
    },
    Named {
        name: "next-kernel",
        kind: Jailed,
        what: "as the next kernel (kexec_load)",
        attempt: |_| call(libc::SYS_kexec_load, &[0, 0, 0, 0]),
    },
    Named {
        name: "clock",
        kind: Jailed,
        what: "as the time of day (clock_settime)",
        attempt: |h| call(libc::SYS_clock_settime, &[0, h.pixels()]),
    },
    Named {
        name: "swap",
        kind: Jailed,
        what: "switch swap on (swapon)",
        attempt: |h| call(libc::SYS_swapon, &[h.file(), 0]),
    },
    Named {
        name: "accounting",
        kind: Jailed,
        what: "a record of processes (acct)",
        attempt: |h| call(libc::SYS_acct, &[h.file()]),
    },
    Named {
        name: "user",
        kind: Jailed,
        what: "another user (setuid)",
        attempt: |_| call(libc::SYS_setuid, &[0]),
    },
    Named {
        name: "privileges",
        kind: Jailed,
        what: "privileges back (capset)",
        attempt: |h| call(libc::SYS_capset, &[address(&[0x2008_0522_u32, 0]), h.pixels()]),
    },
    Named {
        name: "second-filter",
        kind: Jailed,
        what: "a filter that hands calls to others (seccomp)",
        attempt: |h| call(libc::SYS_seccomp, &[1, 1 << 3, h.pixels()]),
    },
    Named {
        name: "landlock",
        kind: Jailed,
        what: "other rules for files (landlock)",
        attempt: |_| call(libc::SYS_landlock_create_ruleset, &[0, 0, 1]),
    },
    Named {
        name: "clock-of-another",
        kind: Jailed,
        what: "how busy another process is (clock_gettime)",
        attempt: |h| call(libc::SYS_clock_gettime, &[(!1_i64 << 3 | 2) as u64, h.pixels()]),
    },
    Named {
        name: "load",
        kind: Jailed,
        what: "how busy the machine is (sysinfo)",
        attempt: |h| call(libc::SYS_sysinfo, &[h.pixels()]),
    },
    Named {
        name: "signal-handler",
        kind: Jailed,
        what: "handle the signal that would end it (rt_sigaction)",
        attempt: |h| call(libc::SYS_rt_sigaction, &[libc::SIGSYS as u64, h.pixels(), 0, 8]),
    },
    Named {
        name: "return-from-signal",
        kind: Jailed,
        what: "choose all registers at once (rt_sigreturn)",
        attempt: |_| call(libc::SYS_rt_sigreturn, &[]),
    },
    Named {
        name: "x32-write",
        kind: Jailed,
        what: "a write in x32's numbers",
        attempt: |h| call(0x4000_0000 | 1, &[4, h.pixels(), 64]),
    },
    Named {
        name: "x32-open",
        kind: Jailed,
        what: "a file in x32's numbers",
        attempt: |h| call(0x4000_0000 | 257, &[HERE, h.file(), libc::O_CREAT as u64, 0o600]),
    },
    Named { name: "32-bit-write", kind: Jailed, what: "a write by the 32-bit door", attempt: |h| old(h, 4) },
    Named {
        name: "32-bit-read",
        kind: Jailed,
        what: "a read by the 32-bit door, whose number is close's",
        attempt: |h| old(h, 3),
    },
    Named { name: "32-bit-exit", kind: Jailed, what: "an end by the 32-bit door", attempt: |h| old(h, 1) },
    Named {
        name: "no-such-call",
        kind: Jailed,
        what: "a number that no call has",
        attempt: |_| call(9999, &[]),
    },
    Named {
        name: "negative-call",
        kind: Jailed,
        what: "a number below all calls",
        attempt: |_| call(-1, &[]),
    },
];

#[cfg(target_arch = "x86_64")]
fn old(h: &Hands<'_>, number: u32) -> io::Result<i64> {
    crate::ffi::call_32_bit(number, [4, h.pixels() as u32, 64])
}

#[cfg(not(target_arch = "x86_64"))]
fn old(_: &Hands<'_>, _: u32) -> io::Result<i64> {
    Err(super::not_here())
}
