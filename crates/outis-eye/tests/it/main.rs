//! Intake and eye together: real files through both, whole and damaged.
//!
//! Every clip is made on the spot by the command `ffmpeg` out of one street clip, so no video is stored here.
#![allow(clippy::tests_outside_test_module, reason = "all of it is a test")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "no pixel of a frame is visible here"
)]

mod borders;
mod cameras;
mod clips;
mod crash;
mod damaged;
mod detector;
mod forced;
mod healthy;
mod left_out;
mod malicious;
mod moved;
mod pipeline;
mod program;
mod records;
mod rest;
#[allow(
    clippy::disallowed_types,
    reason = "some cameras are played by the test: their sockets and clock are not the eye's"
)]
mod streams;
