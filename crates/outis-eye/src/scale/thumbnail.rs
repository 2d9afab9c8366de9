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

    /// Measures blocks that lie so many whole pixels right and down of their places, into `blocks`; those that reach
    /// beyond the frame stay as they are.
    pub(crate) fn shifted(&mut self, frame: &Frame, (right, down): (f32, f32), blocks: &mut [u8]) {
        let picture_px = (frame.width_px(), frame.height_px());
        let (columns, rows) = Self::size(picture_px);
        let (across, down) = (Span::of(right, picture_px.0, columns), Span::of(down, picture_px.1, rows));
        if across.blocks == 0 || down.blocks == 0 || blocks.len() != columns * rows {
            return;
        }
        let displayed = Crop { left: across.from, top: down.from, width: across.share, height: down.share };
        let (crop, coded) = match frame.rotation() {
            Rotation::None | Rotation::Half => (displayed, (across.blocks, down.blocks)),
            Rotation::Cw90 | Rotation::Cw270 => (displayed, (down.blocks, across.blocks)),
        };
        let crop = crop.coded(frame.rotation());
        let measured = self.plane.resize(&mut self.resizer, frame.luma(), crop, coded, AVERAGING);
        self.plane.turn(frame.rotation());
        if measured.is_none() {
            return;
        }
        for (y, row) in self.plane.samples.chunks_exact(across.blocks).enumerate() {
            blocks[(down.first + y) * columns + across.first..][..across.blocks].copy_from_slice(row);
        }
    }
}

/// The blocks of one side that are within the picture after a shift.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    first: usize,
    blocks: usize,
    /// Where the first begins, and how far all reach, as shares of the side.
    from: f64,
    share: f64,
}

impl Span {
    fn of(shift_px: f32, side_px: u32, blocks: usize) -> Self {
        let shift = f64::from(shift_px) / f64::from(side_px.max(1)) * blocks as f64;
        let first = (-shift).ceil().clamp(0.0, blocks as f64) as usize;
        let end = (blocks as f64 - shift).floor().clamp(first as f64, blocks as f64) as usize;
        let share = |count: f64| (count / blocks.max(1) as f64).clamp(0.0, 1.0);
        Self {
            first,
            blocks: end - first,
            from: share(first as f64 + shift),
            share: share((end - first) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use ffmpeg_next::format::Pixel;

    use super::*;
    use crate::frame::{ColorSpace, Matrix, Range};

    /// Brighter to the right and down, so that each block tells where it was measured.
    fn slope(rotation: Rotation) -> Frame {
        let color = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };
        let (width, height) = (160_usize, 120_usize);
        let coded = match rotation {
            Rotation::None | Rotation::Half => (160, 120),
            Rotation::Cw90 | Rotation::Cw270 => (120, 160),
        };
        Frame::synthetic((Pixel::GRAY8, coded.0, coded.1), rotation, color, |_, x, y| {
            let (x, y) = match rotation {
                Rotation::None => (x, y),
                Rotation::Half => (width - 1 - x, height - 1 - y),
                Rotation::Cw90 => (width - 1 - y, x),
                Rotation::Cw270 => (y, height - 1 - x),
            };
            (x + y / 2) as u8
        })
    }

    #[test]
    fn shifted_blocks_are_measured_where_they_are() {
        let (columns, rows) = Thumbnail::size((160, 120));
        for rotation in [Rotation::None, Rotation::Half, Rotation::Cw90, Rotation::Cw270] {
            for (right, down) in [(0.0, 0.0), (5.0, -3.0), (-12.0, 8.0), (2.0, 20.0), (-400.0, 0.0)] {
                let mut blocks = vec![255; columns * rows];
                Thumbnail::default().shifted(&slope(rotation), (right, down), &mut blocks);
                for (index, block) in blocks.iter().enumerate() {
                    let x = 8.0 * (index % columns) as f32 + right;
                    let y = 8.0 * (index / columns) as f32 + down;
                    let inside = (0.0..=152.0).contains(&x) && (0.0..=112.0).contains(&y);
                    let expected = if inside { x + 3.5 + (y + 3.5) / 2.0 - 0.25 } else { 255.0 };
                    let off = (f32::from(*block) - expected).abs();
                    assert!(
                        off <= 1.0,
                        "{rotation:?} {right} {down}, block {index}: {block}, not {expected}"
                    );
                }
            }
        }
    }
}
