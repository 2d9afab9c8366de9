//! The command as a person meets it: real programs, a real clip, a real browser.
#[cfg(test)]
mod alert;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod calibrate;
#[cfg(test)]
mod camera;
#[cfg(test)]
mod count;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod draw;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod package;
#[cfg(test)]
mod page;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod prove;
#[cfg(test)]
mod release;
#[cfg(test)]
mod speaker;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod watch;
