//! What the kernel holds `outis-intake`, `outis-eye` and `outis-still` to, so that whoever takes one of them over gains nothing.
//!
//! ```text
//! enter_eye ──► EnteredEye ── lock ──► LockedEye ──► packets to read, records to write
//!               no file,               a short list of
//!               no network,            system calls
//!               no privilege
//! ```
//! Between the two steps a program loads nothing and opens nothing, but may still start threads and say on standard
//! error why it cannot go on. After the second it can do what its list under `rules/` says, and nothing else.
//!
//! There is no switch: no flag, variable or build profile leaves a step out. What a kernel cannot do is refused with
//! the reason and the remedy; only the namespaces, which some systems keep from ordinary users, may be missing, and
//! everything they hold back is held back by the filter as well.

mod calls;
mod ends;
mod error;
mod ffi;
mod files;
mod filter;
mod limits;
mod live;
mod namespaces;
mod rules;
mod states;
mod trace;

pub use calls::{name as call_name, number as call_number};
pub use ends::{BLOCK_LEN, Blocks, Input, Output, RECORD_LEN, Records, Substream};
pub use error::JailError;
pub use ffi::{Leave, is_offered, leave};
pub use live::{EnteredLive, enter_intake_live};
pub use rules::{Condition, Holds, Role, Rule, Verdict};
pub use states::{
    Engine, EnteredEye, EnteredIntake, EyeEnds, LockedEye, LockedIntake, LockedStill, enter_eye,
    enter_eye_with_substream, enter_intake, lock_intake_of_device, lock_still, was_stopped,
};
pub use trace::{Call, TraceError, Traced, trace};
