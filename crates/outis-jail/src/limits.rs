//! What a process has by habit and these do not need: core dumps, files, children, privileges, debuggers.

use std::os::fd::RawFd;

use crate::{JailError, ffi};

/// No core, no debugger of the same user, no privilege, and nothing regained by starting a program.
pub(crate) fn at_entry() -> Result<(), JailError> {
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_CORE, "forbid core dumps")?;
    none(libc::RLIMIT_FSIZE, "forbid writing to files")?;
    none(libc::RLIMIT_MSGQUEUE, "forbid message queues")?;
    ffi::forbid_dump().map_err(JailError::step("forbid memory dumps"))?;
    ffi::forbid_new_privileges().map_err(JailError::step("give up new privileges"))
}

/// Nothing more can be opened or started: for when everything is loaded and every thread is there.
pub(crate) fn at_lock() -> Result<(), JailError> {
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_NOFILE, "forbid new descriptors")?;
    none(libc::RLIMIT_NPROC, "forbid new processes")?;
    none(libc::RLIMIT_MEMLOCK, "forbid locked memory")
}

/// For who must still connect: no process, no locked memory, and no more descriptors than have a number on the list.
pub(crate) fn at_calling(descriptors: RawFd) -> Result<(), JailError> {
    at_waiting(descriptors)?;
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_NPROC, "forbid new processes")?;
    none(libc::RLIMIT_MEMLOCK, "forbid locked memory")
}

/// For who waits for several descriptors: the kernel lets nobody poll more than he might open.
pub(crate) fn at_waiting(descriptors: RawFd) -> Result<(), JailError> {
    ffi::limit(libc::RLIMIT_NOFILE, descriptors.unsigned_abs().into())
        .map_err(JailError::step("forbid new descriptors"))
}
