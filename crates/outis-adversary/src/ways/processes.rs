//! By way of other processes: into their memory, as their signals, as a new program, as a mark that they can read.

use std::io;

use super::{HERE, Kind::*, Named, address, call};

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "debug-parent",
        kind: Jailed,
        what: "debug the program that started it (ptrace)",
        attempt: |_| call(libc::SYS_ptrace, &[libc::PTRACE_ATTACH as u64, parent()?]),
    },
    Named {
        name: "memory-of-parent",
        kind: Jailed,
        what: "write into that program's memory",
        attempt: |h| {
            let vector = address(&h.vector());
            call(libc::SYS_process_vm_writev, &[parent()?, vector, 1, vector, 1, 0])
        },
    },
    Named {
        name: "read-parent",
        kind: Jailed,
        what: "read that program's memory",
        attempt: |h| {
            let vector = address(&h.vector());
            call(libc::SYS_process_vm_readv, &[parent()?, vector, 1, vector, 1, 0])
        },
    },
    Named {
        name: "signal-parent",
        kind: Jailed,
        what: "signal it, bit by bit (kill)",
        attempt: |_| call(libc::SYS_kill, &[1, libc::SIGURG as u64]),
    },
    Named {
        name: "signal-with-value",
        kind: Jailed,
        what: "signal it with a number (rt_sigqueueinfo)",
        attempt: |h| call(libc::SYS_rt_sigqueueinfo, &[1, libc::SIGURG as u64, h.pixels()]),
    },
    Named {
        name: "signal-thread",
        kind: Jailed,
        what: "signal one of its threads (tgkill)",
        attempt: |_| call(libc::SYS_tgkill, &[1, 1, libc::SIGURG as u64]),
    },
    Named {
        name: "process-descriptor",
        kind: Jailed,
        what: "a descriptor of another process (pidfd_open)",
        attempt: |_| call(libc::SYS_pidfd_open, &[1, 0]),
    },
    Named {
        name: "descriptor-of-another",
        kind: Jailed,
        what: "take a descriptor of it (pidfd_getfd)",
        attempt: |_| call(libc::SYS_pidfd_getfd, &[3, 1, 0]),
    },
    Named {
        name: "signal-by-descriptor",
        kind: Jailed,
        what: "signal it by that (pidfd_send_signal)",
        attempt: |_| call(libc::SYS_pidfd_send_signal, &[3, libc::SIGURG as u64, 0, 0]),
    },
    Named {
        name: "new-process",
        kind: Jailed,
        what: "a new process (clone)",
        attempt: |_| call(libc::SYS_clone, &[libc::SIGCHLD as u64, 0, 0, 0, 0]),
    },
    Named {
        name: "new-process-newer",
        kind: Jailed,
        what: "the same by the newer call (clone3)",
        attempt: |h| call(libc::SYS_clone3, &[h.pixels(), 88]),
    },
    #[cfg(target_arch = "x86_64")]
    Named {
        name: "fork",
        kind: Jailed,
        what: "a new process (fork)",
        attempt: |_| call(libc::SYS_fork, &[]),
    },
    #[cfg(target_arch = "x86_64")]
    Named {
        name: "vfork",
        kind: Jailed,
        what: "a new process (vfork)",
        attempt: |_| call(libc::SYS_vfork, &[]),
    },
    Named {
        name: "program",
        kind: Leak,
        what: "start a program with the picture in its arguments",
        attempt: |h| {
            let shell = c"/bin/sh";
            let arguments = [address(shell), address(c"-c"), address(c"cat >&2 <<'E'\nOutisCanary\nE"), 0];
            let _ = h;
            call(libc::SYS_execve, &[address(shell), address(&arguments), address(&[0_u64])])
        },
    },
    Named {
        name: "program-by-descriptor",
        kind: Jailed,
        what: "start a program (execveat)",
        attempt: |_| call(libc::SYS_execveat, &[HERE, address(c"/bin/true"), 0, 0, 0]),
    },
    Named {
        name: "name",
        kind: Jailed,
        what: "as this process's name (prctl)",
        attempt: |h| call(libc::SYS_prctl, &[libc::PR_SET_NAME as u64, h.pixels(), 0, 0, 0]),
    },
    Named {
        name: "dumpable",
        kind: Jailed,
        what: "let others look into its memory (prctl)",
        attempt: |_| call(libc::SYS_prctl, &[libc::PR_SET_DUMPABLE as u64, 1, 0, 0, 0]),
    },
    Named {
        name: "invite-debugger",
        kind: Jailed,
        what: "invite a debugger (prctl)",
        attempt: |_| call(libc::SYS_prctl, &[libc::PR_SET_PTRACER as u64, 1, 0, 0, 0]),
    },
    Named {
        name: "nice",
        kind: Jailed,
        what: "bits of it as a priority (setpriority)",
        attempt: |_| call(libc::SYS_setpriority, &[0, 0, 7]),
    },
    Named {
        name: "io-priority",
        kind: Jailed,
        what: "bits of it as another (ioprio_set)",
        attempt: |_| call(libc::SYS_ioprio_set, &[1, 0, 1 << 13]),
    },
    Named {
        name: "processors",
        kind: Jailed,
        what: "bits of it as a choice of processors",
        attempt: |h| call(libc::SYS_sched_setaffinity, &[0, 8, h.pixels()]),
    },
    Named {
        name: "scheduler",
        kind: Jailed,
        what: "bits of it as a way to be scheduled",
        attempt: |h| call(libc::SYS_sched_setscheduler, &[0, 3, h.pixels()]),
    },
    Named {
        name: "process-group",
        kind: Jailed,
        what: "bits of it as a process group (setpgid)",
        attempt: |_| call(libc::SYS_setpgid, &[0, 0]),
    },
    Named {
        name: "session",
        kind: Jailed,
        what: "a session of its own (setsid)",
        attempt: |_| call(libc::SYS_setsid, &[]),
    },
    Named {
        name: "limits",
        kind: Jailed,
        what: "bits of it as limits (prlimit64)",
        attempt: |h| call(libc::SYS_prlimit64, &[0, libc::RLIMIT_STACK as u64, h.pixels(), 0]),
    },
    Named {
        name: "alarm",
        kind: Jailed,
        what: "a signal at a time of its choice (setitimer)",
        attempt: |h| call(libc::SYS_setitimer, &[0, h.pixels(), 0]),
    },
    Named {
        name: "sleep",
        kind: Jailed,
        what: "sleep, so that the time of the next record tells",
        attempt: |_| call(libc::SYS_nanosleep, &[address(&[0_u64, 1000]), 0]),
    },
    Named {
        name: "exit-code",
        kind: Jailed,
        what: "a byte of it as the code it ends with",
        attempt: |_| call(libc::SYS_exit_group, &[77]),
    },
    Named {
        name: "exit-code-of-a-thread",
        kind: Jailed,
        what: "the same by the last thread's",
        attempt: |_| call(libc::SYS_exit, &[77]),
    },
    Named {
        name: "crash",
        kind: Crash,
        what: "die of a fault in memory, so that a core is left",
        attempt: |_| {
            crate::ffi::crash();
            Ok(0)
        },
    },
];

/// The process that started this one. The question alone is not on the list.
fn parent() -> io::Result<u64> {
    call(libc::SYS_getppid, &[]).map(|id| id as u64)
}
