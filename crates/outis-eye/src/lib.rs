//! The only program that ever holds a picture.
//!
//! Encoded packets come in on one pipe; they are decoded, looked at and measured; 64-byte records go out on
//! another. A [`Frame`] is consumed by the detector that looks at it, and nothing else in the eye can read one. What
//! [`still`] makes of many frames, a street with nobody in it, is for another program, `outis-still`.
//! No network, no file after start-up, no log.

mod blank;
#[cfg(test)]
mod cached;
mod calm;
pub mod decode;
pub mod detect;
mod drawn;
mod frame;
mod haste;
#[cfg(feature = "malicious")]
pub mod malicious;
pub mod mask;
mod moved;
pub mod plan;
pub mod run;
mod scale;
pub mod schedule;
pub mod still;
mod substream;

pub use frame::{ColorSpace, Frame, Matrix, Range, Rotation};
