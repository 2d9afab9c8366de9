//! How right and how fast Outis is: the judge that lives beside the code and is never shipped.
//!
//! Tracks and boxes with numbers exist here as files; nowhere else do they leave a process.
#![forbid(unsafe_code)]

pub mod cache;
pub mod cameras;
pub mod cases;
pub mod clip;
pub mod compose;
pub mod count_error;
pub mod cpu;
pub mod ground;
pub mod looks;
pub mod masks;
pub mod metrics;
pub mod mot;
mod parallel;
pub mod passage;
pub mod product;
pub mod random;
pub mod report;
pub mod street;
pub mod watch;
