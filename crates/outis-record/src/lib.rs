//! What may leave a camera, and nothing else: totals of a time window, as 64-byte records.
//!
//! This crate knows no picture, box, track or person; it has no type in which one would fit.
//! The eye writes [`Record`]s on a pipe, the door reads them. The number of records a window
//! makes is fixed by its [`Schema`], whatever happened in the street. What the door may tell on of
//! them is fixed by a [`Disclosure`], and [`WindowTotals::release`] is the way out.
#![forbid(unsafe_code)]

mod alert;
#[cfg(test)]
mod audit;
mod capacity;
mod class;
mod codec;
mod disclosure;
mod ground;
mod ground_rules;
mod laplace;
mod message;
mod place;
pub mod possible;
mod profile;
mod randomness;
mod release;
mod view;
mod window;

pub use alert::{Alert, AlertError, AlertKind, AlertPlace, AlertTerms};
pub use class::Class;
pub use codec::{RECORD_LEN, Record, RecordError};
pub use disclosure::{Cell, Disclosure, DisclosureError, Figure};
pub use ground::{
    Area, Density, GroundCells, GroundTotals, NEAREST_SPANS, NEAREST_UNTIL_CM, Near, Queue, Speed,
};
pub use laplace::Laplace;
pub use message::{Measure, Message, Notice, Outcome, Progress, WindowState};
pub use place::{LineIndex, Place, ZoneIndex};
pub use profile::{PassageBounds, Profile};
pub use randomness::{NoRandomness, Randomness};
pub use release::Released;
pub use view::{GroundQuality, GroundView, Quality};
pub use window::{
    DirectionalCount, Dwell, Masks, Occupancy, Schema, SchemaError, Visits, Window, WindowTotals,
};
