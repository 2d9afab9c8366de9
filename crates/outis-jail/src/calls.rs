//! Names of system calls. Knows those that rules name and those that people like to read in a report; the numbers are
//! the C library's for this processor.

use libc::c_long;

/// What the C library asks for when a program polls.
mod asked {
    pub(super) use libc::*;

    #[cfg(target_arch = "x86_64")]
    pub(super) const POLL: c_long = SYS_poll;
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) const POLL: c_long = SYS_ppoll;
}

macro_rules! calls {
    ($($name:ident = $number:ident),* $(,)?) => {
        /// Every name, with its number on this processor.
        const CALLS: &[(&str, c_long)] = &[$((stringify!($name), asked::$number)),*];
    };
}

calls! {
    read = SYS_read, write = SYS_write, close = SYS_close, lseek = SYS_lseek, mmap = SYS_mmap,
    mprotect = SYS_mprotect, munmap = SYS_munmap, mremap = SYS_mremap, madvise = SYS_madvise, brk = SYS_brk,
    futex = SYS_futex, sched_yield = SYS_sched_yield, sched_getaffinity = SYS_sched_getaffinity,
    clock_gettime = SYS_clock_gettime, clock_nanosleep = SYS_clock_nanosleep, restart_syscall = SYS_restart_syscall,
    exit = SYS_exit, exit_group = SYS_exit_group, openat = SYS_openat, seccomp = SYS_seccomp, prctl = SYS_prctl,
    socket = SYS_socket, getrandom = SYS_getrandom, rt_sigaction = SYS_rt_sigaction, rt_sigreturn = SYS_rt_sigreturn,
    sigaltstack = SYS_sigaltstack, fstat = SYS_fstat, ioctl = SYS_ioctl, statx = SYS_statx, writev = SYS_writev,
    recvfrom = SYS_recvfrom, sendto = SYS_sendto, connect = SYS_connect, bind = SYS_bind,
    getsockname = SYS_getsockname, getpeername = SYS_getpeername, getsockopt = SYS_getsockopt,
    setsockopt = SYS_setsockopt, fcntl = SYS_fcntl, gettimeofday = SYS_gettimeofday, unshare = SYS_unshare,
    capset = SYS_capset, prlimit64 = SYS_prlimit64, dup3 = SYS_dup3, uname = SYS_uname, poll = POLL, execve = SYS_execve, clone = SYS_clone, clone3 = SYS_clone3, getpid = SYS_getpid,
}

/// The number of a call, by its name.
pub fn number(name: &str) -> Option<c_long> {
    CALLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of a call, or its number as text.
pub fn name(number: i64) -> String {
    let known = CALLS.iter().find(|(_, known)| (*known) == number);
    known.map_or_else(|| format!("system call {number}"), |(name, _)| (*name).to_owned())
}
