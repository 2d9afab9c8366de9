//! The brightness of a frame in blocks of eight by eight pixels: enough to see that something moves, too little to see
//! who. Knows no network.

use fast_image_resize::{FilterType, ResizeAlg, Resizer};

use super::{Crop, Plane};
use crate::Frame;
use crate::frame::Rotation;

/// Pixels of the frame a block stands for, in both directions.
pub(crate) const BLOCK_PX: u32 = 8;

/// Every pixel of a block counts alike.
const AVERAGING: ResizeAlg = ResizeAlg::Convolution(FilterType::Box);

/// The blocks of one frame, upright. Written over by the next frame and wiped when it goes.
#[derive(Default)]
pub(crate) struct Thumbnail {
    resizer: Resizer,
    plane: Plane,
}

impl Thumbnail {
    /// How many blocks lie side by side and one above the other in a picture of this size.
    pub(crate) fn size(picture_px: (u32, u32)) -> (usize, usize) {
        let blocks = |px: u32| px.div_ceil(BLOCK_PX) as usize;
        (blocks(picture_px.0), blocks(picture_px.1))
    }

    /// The brightness of the blocks, row by row; `None` when the frame cannot be scaled.
    pub(crate) fn blocks(&mut self, frame: &Frame) -> Option<&[u8]> {
        let (width, height) = Self::size((frame.width_px(), frame.height_px()));
        let coded = match frame.rotation() {
            Rotation::None | Rotation::Half => (width, height),
            Rotation::Cw90 | Rotation::Cw270 => (height, width),
        };
        self.plane.resize(&mut self.resizer, frame.luma(), Crop::WHOLE, coded, AVERAGING)?;
        self.plane.turn(frame.rotation());
        Some(&self.plane.samples)
    }
}
