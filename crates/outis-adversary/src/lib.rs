//! An adversary that has taken the eye over, holds a picture, and tries every way out that we could think of.
//!
//! It is a program of its own (`outis-adversary`), so that neither the eye nor the door carries a line of it: the
//! eye's lock is the library `outis-jail`, which locks whoever asks, and the adversary asks as the eye does. The
//! tests also build an eye whose detector is this library.
//!
//! Knows no verdict: whoever starts it looks at what came out.

mod canary;
mod ffi;
mod ways;

pub use canary::Canary;
pub use ffi::call;
pub use ways::{EDGES, Kind, NUMBERS, Surroundings, Way, all, by_name};
