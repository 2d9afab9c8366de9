//! Why a program cannot be locked in, and what to do about it.

use std::io;

/// A program could not be locked in. It must end, and does not see a byte of video.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// An end is not what it must be.
    #[error(
        "{0} is not a pipe; this program is started by `outis`, which ties it to its neighbours with pipes"
    )]
    NotAPipe(&'static str),
    /// Landlock is missing or too old.
    #[error(
        "this kernel does not keep programs away from files ({0}): Landlock of Linux 5.19 or newer is needed; take a \
         newer kernel, such as Debian 12's, and see that `landlock` is in its list `lsm=` of security modules"
    )]
    Landlock(String),
    /// The filter could not be installed.
    #[error(
        "this kernel does not filter system calls ({0}): it must be built with CONFIG_SECCOMP_FILTER, and a container \
         must let its programs use seccomp"
    )]
    Seccomp(String),
    /// What was opened is connected to somebody else.
    #[error(
        "the camera sends us to another address than its own; name the address that the video comes from, or take \
         `tcp` as its transport"
    )]
    Elsewhere,
    /// A step that every kernel can do was refused.
    #[error(
        "the kernel refuses to {step}: {source}; if this is a container or a service, give it its usual limits"
    )]
    Step {
        /// What was tried.
        step: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The rules cannot be read: a fault of ours, which a test would have found.
    #[error("the built-in rules of `{role}` are faulty: {what}; please report this")]
    Rules {
        /// Whose rules.
        role: &'static str,
        /// What is wrong.
        what: String,
    },
}

impl JailError {
    /// Wraps the kernel's answer to a step.
    pub(crate) fn step(step: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Step { step, source }
    }
}
