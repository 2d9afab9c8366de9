//! Watches every system call of a program from outside, with the kernel's own debugging interface (ptrace).
//!
//! For `outis prove`: the list it makes is the kernel's, not the program's. It can hold no program to anything.

use std::{
    collections::BTreeMap,
    io,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus},
};

use crate::ffi::{self, AtCall};

/// A system call as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Its number.
    pub number: i64,
    /// What it was given, in registers.
    pub arguments: [u64; 6],
}

/// What a traced program did after its filter was installed, and how it ended.
#[derive(Debug)]
pub struct Traced {
    /// How the program ended.
    pub status: ExitStatus,
    /// Whether it installed a filter at all.
    pub was_locked: bool,
    /// Calls after that, in any of its threads.
    pub calls: u64,
}

/// A program could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// Its path.
        program: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel does not let us watch.
    #[error(
        "the kernel does not let this program watch another ({0}); a container must allow ptrace, and Linux 5.3 or \
         newer is needed"
    )]
    Watch(io::Error),
}

/// Runs a program to its end. `started` gets it once, to take its pipes; `call` hears each call that it makes after its
/// filter was installed.
///
/// # Errors
/// When the program cannot be started or watched. It does not outlive us.
pub fn trace(
    command: &mut Command,
    started: impl FnOnce(&mut Child),
    mut call: impl FnMut(&Call),
) -> Result<Traced, TraceError> {
    ffi::ask_to_be_traced(command);
    let program = command.get_program().display().to_string();
    let mut child = command.spawn().map_err(|source| TraceError::Start { program, source })?;
    let process = i32::try_from(child.id()).expect("process numbers are below 2^22");
    started(&mut child);
    let watched = watch(process, &mut call);
    if watched.is_err() {
        // Both fail only when it has ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
    watched.map_err(TraceError::Watch)
}

fn watch(process: i32, call: &mut impl FnMut(&Call)) -> io::Result<Traced> {
    let (mut calls, mut was_locked) = (0, false);
    let mut asked: BTreeMap<i32, Call> = BTreeMap::new();
    loop {
        let (thread, status) = ffi::wait(process)?;
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            asked.remove(&thread);
            if thread == process {
                return Ok(Traced { status: ExitStatus::from_raw(status), was_locked, calls });
            }
            continue;
        }
        let mut signal = 0;
        match libc::WSTOPSIG(status) {
            // The first stop of all, after the program was loaded; and the stop that tells of a new thread.
            libc::SIGTRAP if status >> 16 == 0 => ffi::follow(thread)?,
            libc::SIGTRAP | libc::SIGSTOP => {}
            stop if stop == libc::SIGTRAP | 0x80 => match ffi::at_call(thread) {
                Ok(Some(AtCall::Entry(number, arguments))) => {
                    let new = Call { number, arguments };
                    asked.insert(thread, new);
                    if was_locked {
                        calls += 1;
                        call(&new);
                    }
                }
                Ok(Some(AtCall::Exit(answer))) => {
                    let number = asked.remove(&thread).map(|asked| asked.number);
                    if answer == 0 && number == Some(libc::SYS_seccomp) {
                        was_locked = true;
                    }
                }
                Ok(None) => {}
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                Err(error) => return Err(error),
            },
            other => signal = other,
        }
        match ffi::go_on(thread, signal) {
            // It was killed in the meantime; the next news says so.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            other => other?,
        }
    }
}
