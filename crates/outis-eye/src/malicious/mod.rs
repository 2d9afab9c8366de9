//! A detector that has been taken over: it looks once as it should, and at the second frame tries to get that frame
//! out. Only a test builds this.

use std::path::Path;

use outis_adversary::{Canary, Surroundings, Way};
use outis_measure::{Detection, Score};

use crate::{
    Frame,
    detect::{Detect, DetectError, InputSize, Sheet, Spent, Thresholds},
};

/// At which look it turns.
const TURNS_AT: u64 = 2;

/// The network that looks, and what it does instead.
#[expect(missing_debug_implementations, reason = "it holds a network")]
pub struct Malicious {
    honest: Option<Box<dyn Detect>>,
    way: Way,
    surroundings: Surroundings,
    looks: u64,
}

impl Malicious {
    /// Takes over a detector, or stands in for one that was never loaded; `None` when there is no such way out.
    pub fn new(honest: Option<Box<dyn Detect>>, way: &str, folder: &Path) -> Option<Self> {
        /// Nobody listens: in the jail there is no network to reach it by.
        const PORT: u16 = 9;
        let way = outis_adversary::by_name(way)?;
        Some(Self { honest, way, surroundings: Surroundings::new(folder, PORT), looks: 0 })
    }
}

impl Detect for Malicious {
    fn look(&mut self, frame: Frame, sheets: &[Sheet], floor: Score) -> Result<Vec<Detection>, DetectError> {
        self.looks += 1;
        if self.looks == TURNS_AT {
            let canary = Canary::of(frame.luma().data.to_vec());
            let done = self.way.attempt(&canary, &self.surroundings);
            let how = if done.is_ok() { outis_jail::Leave::Done } else { outis_jail::Leave::Fault };
            outis_jail::leave(how);
        }
        self.honest.as_mut().map_or(Ok(Vec::new()), |honest| honest.look(frame, sheets, floor))
    }

    fn input_size(&self) -> InputSize {
        const SHIPPED: InputSize = InputSize::Fixed { width_px: 416, height_px: 416 };
        self.honest.as_ref().map_or(SHIPPED, |honest| honest.input_size())
    }

    fn thresholds(&self) -> Thresholds {
        let blind = Thresholds {
            score_min: Score::new(0.5),
            score_new: Score::new(0.5),
            score_new_close: Score::new(0.5),
        };
        self.honest.as_ref().map_or(blind, |honest| honest.thresholds())
    }

    fn take_overflow(&mut self) -> u32 {
        self.honest.as_mut().map_or(0, |honest| honest.take_overflow())
    }

    fn spent(&self) -> Spent {
        self.honest.as_ref().map_or_else(Spent::default, |honest| honest.spent())
    }
}
