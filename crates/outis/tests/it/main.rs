//! The command as a person meets it: real programs, a real clip, a real browser.
#![allow(missing_docs)]

mod browser;
mod count;
mod demo;
mod page;
mod stage;
mod watch;
