//! What may leave a camera, and nothing else: totals of a time window, as 64-byte records.
//!
//! This crate knows no picture, box, track or person; it has no type in which one would fit.
//! The eye writes [`Record`]s on a pipe, the door reads them. The number of records a window
//! makes is fixed by its [`Schema`], whatever happened in the street.
#![forbid(unsafe_code)]

mod class;
mod codec;
mod message;
mod place;
mod window;

pub use class::Class;
pub use codec::{RECORD_LEN, Record, RecordError};
pub use message::{Measure, Message, Notice, Outcome, Progress, WindowState};
pub use place::{LineIndex, Place, ZoneIndex};
pub use window::{
    DirectionalCount, Disclosure, Dwell, Occupancy, Schema, SchemaError, Visits, Window, WindowTotals,
};
