//! The rules under fire: each row of each list is asked for as it stands, and a little beside it.
#![allow(clippy::tests_outside_test_module, reason = "all of it is a test")]

mod kernels;
mod rules;
