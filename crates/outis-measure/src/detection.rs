//! What a detector says about one frame. No bag of extras, no feature vector.

use outis_record::Class;

use crate::ImageBox;

/// How sure the detector is, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Score(f32);

impl Score {
    /// A score, brought into 0 to 1; not a number becomes 0.
    pub fn new(score: f32) -> Self {
        Self(if score.is_nan() { 0.0 } else { score.clamp(0.0, 1.0) })
    }

    /// The score, 0 to 1.
    pub fn get(self) -> f32 {
        self.0
    }
}

/// One object in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where it is.
    pub bbox: ImageBox,
    /// What it is.
    pub class: Class,
    /// How sure that is.
    pub score: Score,
}
