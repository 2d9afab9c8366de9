//! An empty world: no network device but a loopback that is down, no shared memory, no host name, no mounted folder.
//!
//! Some systems keep these from ordinary users, and some containers from everybody. Then we go on without: no call
//! that could reach any of it is on a list.

use crate::{JailError, ffi};

/// Moves this process into namespaces of its own as far as the kernel lets it, and drops every privilege.
/// For a process with one thread.
pub(crate) fn leave_the_world() -> Result<(), JailError> {
    const OTHERS: i32 = libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNS;
    // An ordinary user needs a user namespace for the others; root may lack the right to it and have the rest.
    if ffi::unshare(libc::CLONE_NEWUSER | OTHERS).is_ok() || ffi::unshare(OTHERS).is_ok() {
        // Where the root folder cannot be changed, such as on an initial RAM disk, Landlock alone keeps files away.
        let _ = ffi::empty_root();
    }
    ffi::drop_capabilities().map_err(JailError::step("give up privileges"))
}

/// The same for who must still connect: everything but the network. Answers whether that can be left later; then the
/// right to leave, which holds in a namespace of our own alone, is all that is kept. For a process with one thread.
pub(crate) fn leave_all_but_the_network() -> Result<bool, JailError> {
    const OTHERS: i32 = libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWNS;
    let ours = ffi::unshare(libc::CLONE_NEWUSER | OTHERS).is_ok();
    if ours || ffi::unshare(OTHERS).is_ok() {
        let _ = ffi::empty_root();
    }
    if ours { ffi::keep_the_way_out() } else { ffi::drop_capabilities() }
        .map_err(JailError::step("give up privileges"))?;
    Ok(ours)
}

/// Leaves the network behind; sockets that are connected stay so. Without the right to it we go on: no call on the list
/// makes another socket.
pub(crate) fn leave_the_network(may_leave: bool) -> Result<(), JailError> {
    if may_leave {
        let _ = ffi::unshare(libc::CLONE_NEWNET);
    }
    ffi::drop_capabilities().map_err(JailError::step("give up privileges"))
}
