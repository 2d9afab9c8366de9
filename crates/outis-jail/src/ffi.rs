//! The kernel's calls that the steps are made of, each with its answer as a `Result`. Knows no order and no rule.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_int, c_long, c_ulong},
    fs::File,
    io,
    mem::{self, ManuallyDrop},
    net::IpAddr,
    os::{
        fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::Command,
    ptr,
};

/// The number that the input gets; `rules/` names it.
const INPUT: RawFd = 3;
/// The number that the output gets; `rules/` names it.
const OUTPUT: RawFd = 4;
/// The number under which an eye is started with a second input, and which that keeps; `rules/` names it.
pub(crate) const SUBSTREAM: RawFd = 5;
/// Numbers that are kept taken while an intake connects.
const SPARES: [RawFd; 3] = [0, 1, INPUT];
/// Where copies wait while numbers are given away.
const ASIDE: RawFd = 10;

/// How a locked program ends; `rules/` names the codes. There are no others, so that none can carry a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Leave {
    /// It did what it was for, or nobody is left to tell.
    Done = 0,
    /// A fault of its own.
    Fault = 101,
    /// Its source sent nothing for too long. An intake of a camera only.
    Silent = 102,
}

/// Ends a locked program at once: what would be cleaned up at a usual end needs calls that it has not got.
pub fn leave(how: Leave) -> ! {
    // SAFETY: takes a number, does not return.
    unsafe { libc::_exit(how as c_int) }
}

/// Whether something that the loader has put into this process offers a function of this name to everybody in it.
pub fn is_offered(function: &CStr) -> bool {
    // SAFETY: looks a terminated name up; what it answers is held against null and not called.
    !unsafe { libc::dlsym(libc::RTLD_DEFAULT, function.as_ptr()) }.is_null()
}

fn check(answer: c_int) -> io::Result<c_int> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn check_long(answer: c_long) -> io::Result<c_long> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

/// A copy of a descriptor, out of the way of the numbers that are given away.
pub(crate) fn duplicate(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers; answers -1 or a new descriptor, which nobody else owns.
    let copy = unsafe { check(libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, ASIDE)) }?;
    // SAFETY: see above.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Whether a descriptor is one end of a pipe.
pub(crate) fn is_pipe(descriptor: &OwnedFd) -> bool {
    // SAFETY: the structure is plain numbers, for which zero is a value.
    let mut status: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: the descriptor is open and the structure is ours.
    let known = unsafe { libc::fstat(descriptor.as_raw_fd(), &raw mut status) } == 0;
    known && status.st_mode & libc::S_IFMT == libc::S_IFIFO
}

/// Gives descriptors their numbers, one after the other from [`INPUT`] on, and closes all others but standard error.
pub(crate) fn keep_only<const KEPT: usize>(kept: [OwnedFd; KEPT]) -> io::Result<[ManuallyDrop<File>; KEPT]> {
    let numbers: [RawFd; KEPT] = std::array::from_fn(|index| INPUT + index as RawFd);
    let mut aside = Vec::new();
    for descriptor in kept {
        aside.push(duplicate(descriptor.as_raw_fd())?.into_raw_fd());
        // Whatever number it had is closed below, or taken over.
        let _ = descriptor.into_raw_fd();
    }
    for (from, to) in aside.into_iter().zip(numbers) {
        // SAFETY: takes numbers; `to` is closed if something was there.
        check(unsafe { libc::dup3(from, to, libc::O_CLOEXEC) })?;
    }
    for (first, last) in [(0, 1), (INPUT as u32 + KEPT as u32, u32::MAX)] {
        // SAFETY: takes numbers. Whoever still holds one of these descriptors gets errors, no other file: from here
        // on nothing is opened. This is for the beginning of a program that goes on with its own ends.
        check_long(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) })?;
    }
    // SAFETY: the numbers were just given; each is owned by one value, which is never dropped.
    Ok(numbers.map(|number| ManuallyDrop::new(unsafe { File::from_raw_fd(number) })))
}

/// Reads from a descriptor say from now on that there is nothing, where they would have waited.
pub(crate) fn do_not_wait(descriptor: &OwnedFd) -> io::Result<()> {
    let number = descriptor.as_raw_fd();
    // SAFETY: takes numbers.
    let flags = check(unsafe { libc::fcntl(number, libc::F_GETFL) })?;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(number, libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// Gives the output its number and closes all others but standard error, so that what is opened next gets the numbers
/// after it. Those before it are taken by copies of the output until [`close_spares`].
pub(crate) fn keep_only_output(output: OwnedFd) -> io::Result<ManuallyDrop<File>> {
    let aside = duplicate(output.as_raw_fd())?;
    for to in SPARES.into_iter().chain([OUTPUT]) {
        // SAFETY: takes numbers; `to` is closed if something was there.
        check(unsafe { libc::dup3(aside.as_raw_fd(), to, libc::O_CLOEXEC) })?;
    }
    // They are closed below.
    let _ = (aside.into_raw_fd(), output.into_raw_fd());
    // SAFETY: takes numbers. Whoever still holds one of these descriptors gets errors, or a socket when he is not called
    // any more: this is for the beginning of a program that goes on with its output alone.
    check_long(unsafe { libc::syscall(libc::SYS_close_range, OUTPUT as u32 + 1, u32::MAX, 0) })?;
    // SAFETY: the number was just given; it is owned by one value, which is never dropped.
    Ok(unsafe { ManuallyDrop::new(File::from_raw_fd(OUTPUT)) })
}

/// Closes what kept numbers taken.
pub(crate) fn close_spares() {
    for spare in SPARES {
        // SAFETY: takes a number that nobody but `keep_only_output` gave.
        unsafe { libc::close(spare) };
    }
}

/// The address at the other end of a connected socket; `None` when there is no such descriptor.
pub(crate) fn peer(descriptor: RawFd) -> io::Result<Option<IpAddr>> {
    // SAFETY: the structure is plain numbers, for which zero is a value.
    let mut address: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let mut size = mem::size_of_val(&address) as libc::socklen_t;
    // SAFETY: writes at most `size` bytes of a structure of ours.
    let answer = unsafe { libc::getpeername(descriptor, (&raw mut address).cast(), &raw mut size) };
    match check(answer) {
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => return Ok(None),
        other => other?,
    };
    match c_int::from(address.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure was written; all are plain numbers.
            let address = unsafe { *(&raw const address).cast::<libc::sockaddr_in>() };
            Ok(Some(IpAddr::from(address.sin_addr.s_addr.to_ne_bytes())))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let address = unsafe { *(&raw const address).cast::<libc::sockaddr_in6>() };
            Ok(Some(IpAddr::from(address.sin6_addr.s6_addr)))
        }
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Closes standard error; the rules allow it after the lock.
pub(crate) fn close_standard_error() {
    // SAFETY: takes a number. The standard library writes to it by number and takes an error for no listener.
    unsafe { libc::close(libc::STDERR_FILENO) };
}

/// Sets a limit, now and for ever, to nothing.
pub(crate) fn limit_to_zero(resource: libc::__rlimit_resource_t) -> io::Result<()> {
    limit(resource, 0)
}

/// Sets a limit, now and for ever.
pub(crate) fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: reads a structure of ours.
    check(unsafe { libc::setrlimit(resource, &raw const limit) }).map(drop)
}

/// Keeps the memory of this process, as it has and as it will have it, out of swap. Each page from when it is first
/// used (MCL_ONFAULT, Linux 4.4), so that what is only reserved takes nothing. `false` where this user may not lock so
/// much.
pub(crate) fn lock_memory() -> bool {
    let all = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: reads a structure of ours; changes no memory.
    unsafe {
        libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const all) == 0
            && libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) == 0
    }
}

/// Whether [`lock_memory`] was granted: then the limit is none.
pub(crate) fn memory_is_locked() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes a structure of ours.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
    known && limit.rlim_cur == libc::RLIM_INFINITY
}

/// The memory of this process is in no core and no debugger's reach.
pub(crate) fn forbid_dump() -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) }).map(drop)
}

/// No program that this process might start would have more rights than it.
pub(crate) fn forbid_new_privileges() -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).map(drop)
}

/// Moves this process into new namespaces.
pub(crate) fn unshare(namespaces: c_int) -> io::Result<()> {
    // SAFETY: takes a number; shared memory of this process stays as it is with these flags.
    check(unsafe { libc::unshare(namespaces) }).map(drop)
}

/// Makes an empty read-only folder the root of a mount namespace of our own.
pub(crate) fn empty_root() -> io::Result<()> {
    /// Any folder would do; this one exists wherever programs run.
    const PLACE: &CStr = c"/proc";
    let flags = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    let mount = |kind: &CStr, at: &CStr, flags: c_ulong| {
        // SAFETY: takes strings that end with zero, and no data.
        check(unsafe { libc::mount(kind.as_ptr(), at.as_ptr(), kind.as_ptr(), flags, ptr::null()) })
    };
    // First of all: nothing done here may reach the namespace we come from.
    mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount(c"tmpfs", PLACE, flags)?;
    let here = c".".as_ptr();
    // SAFETY: these take strings that end with zero.
    unsafe {
        check(libc::chdir(PLACE.as_ptr()))?;
        check_long(libc::syscall(libc::SYS_pivot_root, here, here))?;
        check(libc::umount2(here, libc::MNT_DETACH))?;
        check(libc::chdir(c"/".as_ptr())).map(drop)
    }
}

/// Drops every capability, in a namespace of our own too.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    keep_capabilities(0)
}

/// Drops every capability but that of making namespaces, for a process in a user namespace of its own: it holds for that
/// alone.
pub(crate) fn keep_the_way_out() -> io::Result<()> {
    /// CAP_SYS_ADMIN of linux/capability.h.
    const SYS_ADMIN: u32 = 21;
    keep_capabilities(1 << SYS_ADMIN)
}

fn keep_capabilities(lower: u32) -> io::Result<()> {
    /// _LINUX_CAPABILITY_VERSION_3 of linux/capability.h, and this process.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    // Effective, permitted, inheritable; twice, for 64 capabilities.
    let kept = [lower, lower, 0, 0, 0, 0];
    // SAFETY: reads two structures of plain numbers, of the size that this version has.
    check_long(unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), kept.as_ptr()) }).map(drop)
}

/// One heap for all threads: when a thread's own heap shrinks, the GNU C library asks a file in /proc how to do it.
pub(crate) fn one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes numbers; it may be called at any time, and fails for unknown parameters only.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// A fault in memory ends the process as such: the handler of the standard library would ask the kernel for more.
pub(crate) fn forget_signal_handlers() -> io::Result<()> {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: takes numbers, installs no function.
        if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The program that a command starts will be traced by this thread, in a process group of its own.
pub(crate) fn ask_to_be_traced(command: &mut Command) {
    command.process_group(0);
    // SAFETY: the function makes one system call and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            check_long(libc::ptrace(libc::PTRACE_TRACEME, 0, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()))
                .map(drop)
        });
    }
}

/// Waits for news of any thread of a process group: which one, and its status.
pub(crate) fn wait(group: i32) -> io::Result<(i32, c_int)> {
    let mut status = 0;
    // SAFETY: writes one number of ours.
    let thread = check(unsafe { libc::waitpid(-group, &raw mut status, libc::__WALL) })?;
    Ok((thread, status))
}

/// Follows new threads, marks stops at system calls, and kills the process when we end.
pub(crate) fn follow(thread: i32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_EXITKILL;
    // SAFETY: takes numbers.
    check_long(unsafe {
        libc::ptrace(libc::PTRACE_SETOPTIONS, thread, ptr::null_mut::<u8>(), c_long::from(options))
    })
    .map(drop)
}

/// Lets a thread run to its next system call, and gives it a signal unless that is 0.
pub(crate) fn go_on(thread: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: takes numbers.
    check_long(unsafe {
        libc::ptrace(libc::PTRACE_SYSCALL, thread, ptr::null_mut::<u8>(), c_long::from(signal))
    })
    .map(drop)
}

/// What a thread that stopped at a system call is about to ask, or was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AtCall {
    /// Number and arguments.
    Entry(i64, [u64; 6]),
    /// The answer.
    Exit(i64),
}

/// Asks the kernel about a thread that stopped.
pub(crate) fn at_call(thread: i32) -> io::Result<Option<AtCall>> {
    // SAFETY: the structure is plain numbers, for which zero is a value.
    let mut info: libc::ptrace_syscall_info = unsafe { mem::zeroed() };
    let size = mem::size_of_val(&info);
    // SAFETY: writes at most `size` bytes of a structure of ours.
    check_long(unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, thread, size, &raw mut info) })?;
    Ok(match info.op {
        // SAFETY: `op` says which member of the union was written; all are plain numbers.
        libc::PTRACE_SYSCALL_INFO_ENTRY => unsafe {
            Some(AtCall::Entry(info.u.entry.nr.cast_signed(), info.u.entry.args))
        },
        // SAFETY: as above.
        libc::PTRACE_SYSCALL_INFO_EXIT => Some(AtCall::Exit(unsafe { info.u.exit.sval })),
        _ => None,
    })
}
