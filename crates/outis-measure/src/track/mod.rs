//! From boxes to tracks.
//!
//! A track is plain numbers: where something is, how fast it moves, how large it is and what kind of road
//! user it seems to be. It has no appearance, lives as long as it is seen and two seconds more, and its
//! number means nothing outside this process.

mod assign;
mod history;
mod join;
mod motion;
mod settings;
mod state;
mod tracker;

pub use settings::TrackerSettings;
pub(crate) use tracker::Present;
pub use tracker::{Prediction, TrackId, TrackPoint, Tracker};
