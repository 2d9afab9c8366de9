//! Where the detector looks, and how closely.
//!
//! A street camera's picture has thirty times more pixels than a small network takes, and people far away vanish when
//! it is shrunk. So a look is made of crops: around what is followed, around what has changed, and in turn around
//! everything else, each at the size at which the network finds people best, together on few inputs. Knows areas,
//! times and boxes; knows no network and counts nothing.
//!
//! ```text
//!  frame ──► changes since the last look ─┐
//!  tracks ─► where they should be now ────┼─► crops ─► sheets ─► detector ─► boxes ─┬─► out
//!  clock ──► what was not seen for long ──┘     ▲                                   │
//!                                             budget      kept where nothing moved ◄┘
//! ```

mod ages;
mod budget;
mod changes;
mod darkness;
mod heights;
pub(crate) mod pack;
#[cfg(test)]
mod scenes;
mod steady;
mod tiles;
mod view;
mod wants;

pub use budget::Budget;
pub(crate) use changes::Changes;
pub use view::PlanSettings;

use outis_measure::{Detection, Line, MediaTime, Score, Zone};

use self::view::View;
use crate::Frame;
use crate::detect::{Area, Detect, DetectError, InputSize, Sheet};

/// How a detector looks at pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    /// The whole picture, shrunk to one input.
    Whole,
    /// The whole picture and so many overlapping tiles beside and above each other.
    Tiles {
        /// Side by side.
        columns: u32,
        /// One above the other.
        rows: u32,
    },
    /// As closely as it pays, whatever that costs: for pictures that nothing comes before or after.
    Still,
    /// Where something can be, within a budget.
    Planned(PlanSettings),
}

impl Default for Way {
    fn default() -> Self {
        Self::Planned(PlanSettings::default())
    }
}

/// A picture that is shrunk no more than this goes to the network whole: people are large enough in it.
const WHOLE_SCALE_MIN: f32 = 0.5;

/// What one look found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// The objects in the view: those found now, and those that were found before where nothing has changed since. On
    /// a camera that sways they are where they would be if it stood still, as lines and zones are.
    pub detections: Vec<Detection>,
    /// How far the view has swayed in this frame, to the right and down in pixels.
    pub sway_px: (f32, f32),
    /// Share of the picture that is known at this look: looked at now, or unchanged since it was looked at. 0 to 1.
    pub observed_share: f32,
}

/// Decides look by look, for one camera.
#[expect(missing_debug_implementations, reason = "it holds a small grey picture")]
pub struct Planner {
    way: Way,
    input: Option<InputSize>,
    lines: Vec<Line>,
    zones: Vec<Zone>,
    blanks: Vec<Zone>,
    view: Option<Box<View>>,
    /// Of the newest look.
    last: Look,
}

impl Planner {
    /// A planner that has seen nothing. It looks more closely at lines and into zones.
    pub fn new(way: Way, lines: Vec<Line>, zones: Vec<Zone>) -> Self {
        Self { way, input: None, lines, zones, blanks: Vec::new(), view: None, last: Look::default() }
    }

    /// The same for a view in which these areas are painted over: no look is spent on them, and they are no part of what
    /// is observed.
    #[must_use]
    pub fn leaving_out(self, blanks: Vec<Zone>) -> Self {
        Self { blanks, ..self }
    }

    /// Shows the network inputs up to another size than its card's, for measurements.
    pub fn set_input(&mut self, input: InputSize) {
        self.input = Some(input);
    }

    /// Looks at a frame. What has been looked at is gone.
    ///
    /// # Errors
    /// When the detector fails.
    pub fn look(
        &mut self,
        detector: &mut dyn Detect,
        frame: Frame,
        floor: Score,
    ) -> Result<Look, DetectError> {
        let look = self.look_anew(detector, frame, floor)?;
        self.last.clone_from(&look);
        Ok(look)
    }

    /// What there is to see without a frame, when somebody else knows that nothing has changed since the newest look.
    pub fn look_unchanged(&mut self, at: MediaTime) -> Look {
        if let Some(view) = &mut self.view {
            view.stay(at, &self.last.detections);
        }
        self.last.clone()
    }

    fn look_anew(
        &mut self,
        detector: &mut dyn Detect,
        frame: Frame,
        floor: Score,
    ) -> Result<Look, DetectError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let input = self.input.unwrap_or_else(|| detector.input_size());
        let settings = match self.way {
            Way::Planned(settings) if !fits_whole(picture_px, input) => settings,
            way => {
                let tiles = match way {
                    Way::Tiles { columns, rows } => (columns, rows),
                    Way::Still if !fits_whole(picture_px, input) => still_tiles(picture_px),
                    Way::Whole | Way::Still | Way::Planned(_) => (1, 1),
                };
                // A view that needs no crops is shown as large as one input's pixels allow. Measurements of one way
                // or another compare inputs of the card's size.
                let input = match way {
                    Way::Planned(_) | Way::Still if tiles == (1, 1) && self.input.is_none() => {
                        input.shaped(picture_px)
                    }
                    _ => input,
                };
                let detections = detector.look(frame, &tiles::sheets(picture_px, tiles, input), floor)?;
                return Ok(Look { detections, observed_share: 1.0, ..Look::default() });
            }
        };
        let view = match &mut self.view {
            Some(view) if view.picture_px() == picture_px => view,
            other => {
                let blanks = self.blanks.clone();
                other.insert(Box::new(View::new(picture_px, input, settings, detector.thresholds(), blanks)))
            }
        };
        view.look(detector, frame, floor, &self.lines, &self.zones)
    }
}

/// Three tiles along the longer side, two along the other.
fn still_tiles((width, height): (u32, u32)) -> (u32, u32) {
    if width >= height { (3, 2) } else { (2, 3) }
}

fn fits_whole(picture_px: (u32, u32), input: InputSize) -> bool {
    let whole = Area { left: 0, top: 0, width: picture_px.0, height: picture_px.1 };
    Sheet::of(whole, input)
        .is_none_or(|sheet| sheet.parts[0].size.0 as f32 >= WHOLE_SCALE_MIN * picture_px.0 as f32)
}
