//! The commands of `outis-eval`, one a file.

pub(crate) mod cameras;
pub(crate) mod cases;
pub(crate) mod compose;
pub(crate) mod count;
pub(crate) mod detect;
pub(crate) mod distance;
pub(crate) mod ground;
pub(crate) mod input;
pub(crate) mod jail;
pub(crate) mod judge;
pub(crate) mod looks;
pub(crate) mod masks;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod street;
pub(crate) mod substream;
pub(crate) mod track;
pub(crate) mod video;
