//! The steps of being locked in, as types: what can be done after a step is a method of what the step gives back.

use std::{
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::ExitStatus,
};

use crate::{
    JailError,
    ends::{self, Blocks, Ends, Input, Output, Records, Substream},
    ffi, files,
    filter::Filters,
    limits, namespaces,
    rules::Role,
};

/// What runs the networks of an eye. Decides which list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The library.
    OnnxRuntime,
    /// The one that is part of the program.
    BuiltIn,
}

/// An eye that opens nothing more, and may still prepare its work and say what went wrong. It has nothing to read
/// video from.
#[derive(Debug)]
pub struct EnteredEye {
    input: Input,
    output: Output,
    substream: Option<Substream>,
    engine: Engine,
}

/// An eye that can do what its list says and nothing else. Only from this comes something to read video from, and
/// only [`EnteredEye::lock`] makes one:
/// ```compile_fail,E0451
/// fn free(input: outis_jail::Input, output: outis_jail::Output) -> outis_jail::LockedEye {
///     outis_jail::LockedEye { input, output, substream: None }
/// }
/// ```
#[derive(Debug)]
pub struct LockedEye {
    input: Input,
    output: Output,
    substream: Option<Substream>,
}

/// What a locked eye reads and writes.
#[derive(Debug)]
pub struct EyeEnds {
    /// Where packets come from.
    pub packets: Input,
    /// Where those of the camera's second stream come from, if it is watched too.
    pub substream: Option<Substream>,
    /// Where records go.
    pub records: Records,
}

/// A maker of stills that can do what its list says and nothing else. Only from this comes something to read video from.
#[derive(Debug)]
pub struct LockedStill {
    input: Input,
    output: Output,
}

/// An intake that has its source and opens nothing more. It may still say on standard error that this is no video.
#[derive(Debug)]
pub struct EnteredIntake {
    output: Output,
}

/// An intake that can pass its source on and nothing else. Only from this comes something to write packets to.
#[derive(Debug)]
pub struct LockedIntake {
    output: Output,
}

/// The first step of an eye, for a process with one thread that has opened all it needs. Packets will come from
/// standard input, records go to standard output. Everything else but standard error is closed; no file can be
/// opened, no network reached.
///
/// # Errors
/// When the kernel cannot do it. The program must end then.
pub fn enter_eye(engine: Engine) -> Result<EnteredEye, JailError> {
    let (input, output) = enter(Ends::from_stdio()?, Ends::renumber)?;
    Ok(EnteredEye { input, output, substream: None, engine })
}

/// The same for an eye that was started with the packets of its camera's second stream on descriptor 5.
///
/// # Errors
/// As [`enter_eye`], and when descriptor 5 is no pipe.
pub fn enter_eye_with_substream(engine: Engine) -> Result<EnteredEye, JailError> {
    let substream = ends::substream()?;
    let renumber = |ends: Ends| ends.renumber_with(substream);
    let (input, output, substream) = enter(Ends::from_stdio()?, renumber)?;
    Ok(EnteredEye { input, output, substream: Some(substream), engine })
}

/// Both steps of a maker of stills at once, for a process with one thread: it loads nothing. Packets will come from
/// standard input, the picture goes to standard output. Everything else is closed.
///
/// # Errors
/// When the kernel cannot do it. The program must end then.
pub fn lock_still() -> Result<LockedStill, JailError> {
    let (input, output) = enter(Ends::from_stdio()?, Ends::renumber)?;
    limits::at_lock()?;
    lock(Role::Still)?;
    Ok(LockedStill { input, output })
}

/// The first step of an intake, for a process with one thread that has opened its source. Packets will go to standard
/// output. The list holds from now on, with room for one sentence on standard error.
///
/// # Errors
/// When the kernel cannot do it. The program must end then.
pub fn enter_intake(source: impl Into<OwnedFd>) -> Result<(EnteredIntake, Input), JailError> {
    let (input, output) = enter(Ends::from_source(source.into())?, Ends::renumber)?;
    limits::at_lock()?;
    Filters::new(Role::IntakeOpening)?.install()?;
    Ok((EnteredIntake { output }, input))
}

/// Both steps of an intake of a camera of this machine at once, for a process with one thread that has the camera film:
/// nothing of what it films has been looked at. Packets will go to standard output.
///
/// # Errors
/// When the kernel cannot do it. The program must end then.
pub fn lock_intake_of_device(camera: impl Into<OwnedFd>) -> Result<(LockedIntake, Input), JailError> {
    let (input, output) = enter(Ends::from_source(camera.into())?, Ends::renumber)?;
    limits::at_calling(1)?;
    lock(Role::IntakeDevice)?;
    Ok((LockedIntake::new(output), input))
}

/// Whether a program ended because it asked the kernel for something that is not on its list.
pub fn was_stopped(status: ExitStatus) -> bool {
    status.signal() == Some(libc::SIGSYS)
}

fn enter<T>(ends: Ends, renumber: impl FnOnce(Ends) -> Result<T, JailError>) -> Result<T, JailError> {
    ffi::one_heap();
    let ends = renumber(ends)?;
    ffi::forget_signal_handlers().map_err(JailError::step("forget signal handlers"))?;
    limits::at_entry()?;
    namespaces::leave_the_world()?;
    files::forbid()?;
    Ok(ends)
}

/// The last step, when every thread is there: from now on the list holds for all of them, and standard error is
/// closed. A panic ends the process at once and without a word, because its text could say what was seen.
pub(crate) fn lock(role: Role) -> Result<(), JailError> {
    let filters = Filters::new(role)?;
    std::panic::set_hook(Box::new(|_| ffi::leave(ffi::Leave::Fault)));
    filters.install()?;
    ffi::close_standard_error();
    Ok(())
}

impl EnteredEye {
    /// The second step, for when every thread has been started.
    ///
    /// # Errors
    /// When the kernel cannot do it. The program must end then.
    pub fn lock(self) -> Result<LockedEye, JailError> {
        limits::at_lock()?;
        lock(match self.engine {
            Engine::OnnxRuntime => Role::Eye,
            Engine::BuiltIn => Role::EyeBuiltIn,
        })?;
        Ok(LockedEye { input: self.input, output: self.output, substream: self.substream })
    }
}

impl LockedEye {
    /// What it reads and writes.
    pub fn into_ends(self) -> EyeEnds {
        EyeEnds { packets: self.input, substream: self.substream, records: self.output.into_records() }
    }
}

impl LockedStill {
    /// Where packets come from, and where the picture goes.
    pub fn into_packets_and_blocks(self) -> (Input, Blocks) {
        (self.input, self.output.into_blocks())
    }
}

impl EnteredIntake {
    /// The second step, for when the source has proved to be a video.
    ///
    /// # Errors
    /// When the kernel cannot do it. The program must end then.
    pub fn lock(self) -> Result<LockedIntake, JailError> {
        lock(Role::Intake)?;
        Ok(LockedIntake::new(self.output))
    }
}

impl LockedIntake {
    /// For the last step of each kind of intake.
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }

    /// Where packets go.
    pub fn into_packets(self) -> Output {
        self.output
    }
}
