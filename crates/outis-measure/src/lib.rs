//! Boxes in, numbers out.
//!
//! A detector's boxes become tracks, tracks become passages over lines, visits to zones, dwell times and
//! journeys, and those become the totals of a window. Pure: no clock, file, thread, randomness or pixel;
//! time is an argument. No type here can hold what a person looks like.
#![forbid(unsafe_code)]

mod detection;
mod geometry;
mod scene;
mod time;

pub use detection::{Detection, Score};
pub use geometry::{GroundPoint, ImageBox, ImagePoint};
pub use scene::{Line, Scene, SceneError, Zone};
pub use time::MediaTime;
