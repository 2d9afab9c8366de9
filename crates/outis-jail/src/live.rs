//! The steps of an intake whose source is a camera on the network: it must connect, and what it connects to speaks first.
//!
//! Resolving a name needs files and other hosts, so it is done before. Between *enter* and *lock* the process can call
//! addresses, on one TCP port where the kernel knows how to tell, and nothing else; what it is then connected to is
//! compared with the addresses of the camera.

use std::{net::IpAddr, ops::RangeInclusive, os::fd::RawFd};

use crate::{
    JailError, LockedIntake,
    ends::{self, Output},
    ffi, files,
    filter::Filters,
    limits, namespaces,
    rules::Role,
    states,
};

/// The numbers that sockets have; `rules/` names them.
const SOCKETS: RangeInclusive<RawFd> = 5..=8;

/// An intake that can connect, and has nothing to write packets to.
#[derive(Debug)]
pub struct EnteredLive {
    output: Output,
    /// Whether it may leave the network behind, once it is connected.
    may_leave: bool,
}

/// The first step of an intake of a camera, for a process with one thread that knows the camera's addresses. Packets will
/// go to standard output. What is opened next gets the numbers that the list names.
///
/// # Errors
/// When the kernel cannot do it. The program must end then.
pub fn enter_intake_live(port: u16) -> Result<EnteredLive, JailError> {
    ffi::one_heap();
    let output = ends::only_output()?;
    ffi::forget_signal_handlers().map_err(JailError::step("forget signal handlers"))?;
    limits::at_entry()?;
    limits::at_calling(*SOCKETS.end() + 1)?;
    let may_leave = namespaces::leave_all_but_the_network()?;
    files::forbid_but_connecting(port)?;
    Filters::new(Role::IntakeLiveOpening)?.install()?;
    Ok(EnteredLive { output, may_leave })
}

impl EnteredLive {
    /// The second step, for when the camera has answered. `addresses` are the camera's.
    ///
    /// # Errors
    /// When it is connected to another address, or when the kernel cannot do it. The program must end then.
    pub fn lock(self, addresses: &[IpAddr]) -> Result<LockedIntake, JailError> {
        for socket in SOCKETS {
            let peer = ffi::peer(socket).map_err(|_| JailError::Elsewhere)?;
            if peer.is_some_and(|peer| !addresses.contains(&peer.to_canonical())) {
                return Err(JailError::Elsewhere);
            }
        }
        ffi::close_spares();
        namespaces::leave_the_network(self.may_leave)?;
        limits::at_waiting(SOCKETS.count() as RawFd)?;
        states::lock(Role::IntakeLive)?;
        Ok(LockedIntake::new(self.output))
    }
}
