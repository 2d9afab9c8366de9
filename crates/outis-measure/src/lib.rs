//! Boxes in, numbers out.
//!
//! A detector's boxes become tracks, tracks become passages over lines, visits to zones, dwell times and
//! journeys, and those become the totals of a window. Pure: no clock, file, thread, randomness or pixel;
//! time is an argument. No type here can hold what a person looks like.
#![forbid(unsafe_code)]

mod auto_ground;
mod border;
mod contribution;
mod counter;
mod detection;
mod geometry;
mod ground;
mod groups;
mod heat;
mod mask;
mod measurer;
mod near;
mod neighbours;
mod on_ground;
mod presence;
mod queue;
mod scene;
mod situation;
mod time;
mod track;
mod tsai;

pub use auto_ground::{AutoGround, AutoGroundSettings, CameraPose, GroundFit, PERSON_HEIGHT_M};
pub use border::BorderSettings;
pub use counter::CounterSettings;
pub use detection::{Detection, Score};
pub use geometry::{GroundPoint, ImageBox, ImagePoint};
pub use ground::{GroundError, GroundPlane};
pub use heat::HeatGrid;
pub use mask::{FaceReading, FaceWanted, MaskSettings};
pub use measurer::{MeasureSettings, Measurer};
pub use near::NearSettings;
pub use neighbours::{Pair, pairs_nearer};
pub use on_ground::GroundSettings;
pub use scene::{Line, Scene, SceneError, Zone};
pub use situation::{Limit, Situation};
pub use time::MediaTime;
pub use track::{Prediction, TrackId, TrackPoint, Tracker, TrackerSettings};
pub use tsai::{TsaiCamera, TsaiError};
