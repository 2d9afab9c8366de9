//! What a process has by habit and these do not need: core dumps, swap, files, children, privileges, debuggers.

use std::os::fd::RawFd;

use crate::{JailError, ffi};

/// No core, no debugger of the same user, no privilege, and nothing regained by starting a program.
pub(crate) fn at_entry() -> Result<(), JailError> {
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_CORE, "forbid core dumps")?;
    none(libc::RLIMIT_FSIZE, "forbid writing to files")?;
    none(libc::RLIMIT_MSGQUEUE, "forbid message queues")?;
    // Needs a privilege or the limit of a service. Without either the door says so where there is swap.
    let _ = ffi::lock_memory();
    ffi::forbid_dump().map_err(JailError::step("forbid memory dumps"))?;
    ffi::forbid_new_privileges().map_err(JailError::step("give up new privileges"))
}

/// Nothing more can be opened or started: for when everything is loaded and every thread is there.
pub(crate) fn at_lock() -> Result<(), JailError> {
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_NOFILE, "forbid new descriptors")?;
    none(libc::RLIMIT_NPROC, "forbid new processes")?;
    memory_stays_as_it_is()
}

/// For who must still connect: no process, no locked memory, and no more descriptors than have a number on the list.
pub(crate) fn at_calling(descriptors: RawFd) -> Result<(), JailError> {
    at_waiting(descriptors)?;
    let none = |resource, step| ffi::limit_to_zero(resource).map_err(JailError::step(step));
    none(libc::RLIMIT_NPROC, "forbid new processes")?;
    memory_stays_as_it_is()
}

/// Locked memory stays locked, and each new page with it; the calls that lock and unlock are on no list. Where it is
/// not locked, none will be.
fn memory_stays_as_it_is() -> Result<(), JailError> {
    if ffi::memory_is_locked() {
        return Ok(());
    }
    ffi::limit_to_zero(libc::RLIMIT_MEMLOCK).map_err(JailError::step("forbid locked memory"))
}

/// For who waits for several descriptors: the kernel lets nobody poll more than he might open.
pub(crate) fn at_waiting(descriptors: RawFd) -> Result<(), JailError> {
    ffi::limit(libc::RLIMIT_NOFILE, descriptors.unsigned_abs().into())
        .map_err(JailError::step("forbid new descriptors"))
}
