//! One decoded picture, held so that its pixels can go to a detector and nowhere else.
//!
//! Knows the layout of the planes and how to read their colours; does not know how they were decoded.

use ffmpeg_next::{format::Pixel, frame::Video};
use outis_measure::MediaTime;
use static_assertions::assert_not_impl_any;

use crate::{blank::Span, decode::ffi};

/// A decoded frame. Its bytes are visible inside this crate only, and it cannot be copied, printed or stored.
///
/// A detector takes it by value: what has been looked at is gone. The memory goes back to libav unwiped, for the
/// decoder may still predict the next frame from it.
#[expect(missing_debug_implementations, reason = "a picture has nothing to say in a log")]
pub struct Frame {
    video: Video,
    layout: Layout,
    at: MediaTime,
    rotation: Rotation,
    color: ColorSpace,
}

assert_not_impl_any!(
    Frame: Clone, Copy, std::fmt::Debug, std::fmt::Display, AsRef<[u8]>, std::borrow::Borrow<[u8]>,
    std::ops::Deref, Into<Vec<u8>>, serde::Serialize, std::io::Read
);

impl Frame {
    /// The longest side of a picture that is read, in pixels. Records carry sizes in 16 bits.
    pub const SIDE_MAX_PX: u32 = 16_384;

    /// Width of the displayed picture in pixels: after rotation, pixels taken as square.
    pub fn width_px(&self) -> u32 {
        self.rotation.displayed(self.video.width(), self.video.height()).0
    }

    /// Height of the displayed picture in pixels.
    pub fn height_px(&self) -> u32 {
        self.rotation.displayed(self.video.width(), self.video.height()).1
    }

    /// When the frame is shown.
    pub fn at(&self) -> MediaTime {
        self.at
    }

    /// The rotation that turns the coded planes into the displayed picture.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// How the planes' values are meant.
    pub fn color(&self) -> ColorSpace {
        self.color
    }

    /// Brightness, in coded orientation.
    pub(crate) fn luma(&self) -> PlaneView<'_> {
        self.plane(0)
    }

    /// Blue and red difference (Cb, Cr) in coded orientation, or `None` for a grey picture.
    /// Their sizes are the luma's divided by the subsampling, rounded up.
    pub(crate) fn chroma(&self) -> Option<(PlaneView<'_>, PlaneView<'_>)> {
        self.layout.chroma_shift().map(|_| (self.plane(1), self.plane(2)))
    }

    /// Takes a decoded frame.
    ///
    /// # Errors
    /// When its format has no [`Layout`], or when a plane is missing, stored bottom-up or too small.
    pub(crate) fn new(
        video: Video,
        at: MediaTime,
        rotation: Rotation,
        color: ColorSpace,
    ) -> Result<Self, Unreadable> {
        let layout = Layout::of(video.format()).filter(|_| is_readable(&video)).ok_or(Unreadable)?;
        Ok(Self { video, layout, at, rotation, color })
    }

    /// A made-up frame; `sample` gives the value of a plane at a column and row. For tests.
    #[cfg(test)]
    pub(crate) fn synthetic(
        (format, width, height): (Pixel, u32, u32),
        rotation: Rotation,
        color: ColorSpace,
        mut sample: impl FnMut(usize, usize, usize) -> u8,
    ) -> Self {
        let mut video = Video::new(format, width, height);
        for plane in 0..video.planes() {
            let (stride, width) = (video.stride(plane), video.plane_width(plane) as usize);
            for (y, row) in video.data_mut(plane).chunks_exact_mut(stride).enumerate() {
                row[..width].iter_mut().enumerate().for_each(|(x, out)| *out = sample(plane, x, y));
            }
        }
        Self::new(video, MediaTime::ZERO, rotation, color).expect("a planar 8-bit format")
    }

    /// The same, shown at another time. For tests.
    #[cfg(test)]
    pub(crate) fn shown_at(self, at: MediaTime) -> Self {
        Self { at, ..self }
    }

    /// The same frame with pieces of it painted grey, and every chroma sample that touches them. A copy: the decoder may
    /// predict other frames from this one.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(crate) fn painted(self, spans: &[Span]) -> Result<Self, Unreadable> {
        /// Neither dark nor bright, neither red nor blue.
        const GREY: u8 = 128;
        let mut video = Video::new(self.video.format(), self.video.width(), self.video.height());
        if !is_readable(&video) {
            return Err(Unreadable);
        }
        let chroma = self.layout.chroma_shift();
        for (index, shift) in [Some((0, 0)), chroma, chroma].into_iter().flatten().enumerate() {
            let source = self.plane(index);
            let stride = video.stride(index);
            for (y, row) in video.data_mut(index).chunks_mut(stride).take(source.height).enumerate() {
                row[..source.width].copy_from_slice(source.row(y));
            }
            let (right, down) = shift;
            for &Span { row, from, to } in spans {
                let (row, from, to) = (row >> down, from >> right, ((to - 1) >> right) + 1);
                video.data_mut(index)[row * stride..][from..to].fill(GREY);
            }
        }
        Ok(Self { video, ..self })
    }

    fn plane(&self, index: usize) -> PlaneView<'_> {
        let plane = planes(&self.video, self.layout).nth(index).flatten();
        plane.expect("checked when the frame was made")
    }
}

/// The frame's pixel format, size or memory layout cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the frame's pixel format or size cannot be read")]
pub struct Unreadable;

/// Whether a frame lies in memory in such a way that it can be made a [`Frame`].
pub(crate) fn is_readable(video: &Video) -> bool {
    Layout::of(video.format()).is_some_and(|layout| planes(video, layout).all(|plane| plane.is_some()))
}

fn planes(video: &Video, layout: Layout) -> impl Iterator<Item = Option<PlaneView<'_>>> {
    let chroma = layout.chroma_shift();
    let shifts = [Some((0, 0)), chroma, chroma].into_iter().flatten();
    shifts.enumerate().map(|(index, (right, down))| {
        let width = video.width().div_ceil(1 << right) as usize;
        let height = video.height().div_ceil(1 << down) as usize;
        let (data, stride) = ffi::plane(video, index, width, height)?;
        Some(PlaneView { data, stride, width, height })
    })
}

/// One plane of 8-bit samples.
#[derive(Clone, Copy)]
pub(crate) struct PlaneView<'a> {
    /// Row after row, each `stride` bytes after the one above. Ends with the last sample of the last row,
    /// so it is `stride * (height - 1) + width` long.
    pub(crate) data: &'a [u8],
    /// Bytes from one row to the next; at least `width`.
    pub(crate) stride: usize,
    /// Samples in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
}

impl<'a> PlaneView<'a> {
    /// The samples of one row, counted from the top.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.width]
    }
}

/// Where the samples of a frame lie: the forms that are read without a conversion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Gray,
    Yuv420,
    Yuv422,
    Yuv440,
    Yuv444,
    Yuv411,
    Yuv410,
}

impl Layout {
    /// The layout of a pixel format, when its samples are 8-bit planes of YUV or grey.
    pub(crate) fn of(format: Pixel) -> Option<Self> {
        Some(match format {
            Pixel::GRAY8 => Self::Gray,
            Pixel::YUV420P | Pixel::YUVJ420P => Self::Yuv420,
            Pixel::YUV422P | Pixel::YUVJ422P => Self::Yuv422,
            Pixel::YUV440P | Pixel::YUVJ440P => Self::Yuv440,
            Pixel::YUV444P | Pixel::YUVJ444P => Self::Yuv444,
            Pixel::YUV411P | Pixel::YUVJ411P => Self::Yuv411,
            Pixel::YUV410P => Self::Yuv410,
            _ => return None,
        })
    }

    /// By how many powers of two the chroma planes are narrower and lower than the luma plane.
    fn chroma_shift(self) -> Option<(u32, u32)> {
        match self {
            Self::Gray => None,
            Self::Yuv420 => Some((1, 1)),
            Self::Yuv422 => Some((1, 0)),
            Self::Yuv440 => Some((0, 1)),
            Self::Yuv444 => Some((0, 0)),
            Self::Yuv411 => Some((2, 0)),
            Self::Yuv410 => Some((2, 2)),
        }
    }
}

/// The turn that brings coded rows upright, clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// Rows are upright.
    #[default]
    None,
    /// A quarter turn to the right.
    Cw90,
    /// Upside down.
    Half,
    /// A quarter turn to the left.
    Cw270,
}

impl Rotation {
    /// The quarter turn nearest to an angle in degrees clockwise.
    pub fn from_degrees(degrees: i32) -> Self {
        match (degrees.rem_euclid(360) + 45) / 90 % 4 {
            0 => Self::None,
            1 => Self::Cw90,
            2 => Self::Half,
            _ => Self::Cw270,
        }
    }

    /// Width and height after the turn.
    pub(crate) fn displayed(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Cw90 | Self::Cw270 => (height, width),
        }
    }
}

/// How YUV values stand for colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColorSpace {
    /// Which mixture of red, green and blue makes the luma.
    pub matrix: Matrix,
    /// Which values mean black and white.
    pub range: Range,
}

/// The luma coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition, JPEG.
    Bt601,
    /// ITU-R BT.709: high definition.
    Bt709,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020,
}

/// The values that mean black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Luma 16 to 235, chroma 16 to 240.
    Limited,
    /// 0 to 255.
    Full,
}

impl Range {
    /// The luma of black and of white.
    pub(crate) fn black_and_white(self) -> (f32, f32) {
        match self {
            Self::Limited => (16.0, 235.0),
            Self::Full => (0.0, 255.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_snap_to_quarter_turns() {
        let cases = [
            (0, Rotation::None),
            (90, Rotation::Cw90),
            (180, Rotation::Half),
            (270, Rotation::Cw270),
            (-90, Rotation::Cw270),
            (-180, Rotation::Half),
            (359, Rotation::None),
            (44, Rotation::None),
            (46, Rotation::Cw90),
            (i32::MIN, Rotation::from_degrees(i32::MIN.rem_euclid(360))),
        ];
        for (degrees, rotation) in cases {
            assert_eq!(Rotation::from_degrees(degrees), rotation, "{degrees}");
        }
    }

    #[test]
    fn planes_of_odd_sizes_are_rounded_up() {
        let cases = [
            (Pixel::GRAY8, None),
            (Pixel::YUV420P, Some((162, 121))),
            (Pixel::YUVJ422P, Some((162, 241))),
            (Pixel::YUV440P, Some((323, 121))),
            (Pixel::YUV444P, Some((323, 241))),
            (Pixel::YUV411P, Some((81, 241))),
            (Pixel::YUV410P, Some((81, 61))),
        ];
        let color = ColorSpace { matrix: Matrix::Bt601, range: Range::Limited };
        let sample = |plane: usize, x: usize, y: usize| (100 * plane + x + y) as u8;
        for (format, chroma) in cases {
            let frame = Frame::synthetic((format, 323, 241), Rotation::Cw90, color, sample);
            assert_eq!((frame.width_px(), frame.height_px()), (241, 323), "{format:?}");
            let luma = frame.luma();
            assert_eq!((luma.width, luma.height, luma.row(240)[322]), (323, 241, sample(0, 322, 240)));
            let found = frame.chroma().map(|(u, v)| {
                let (x, y) = (v.width - 1, v.height - 1);
                assert_eq!((u.row(y)[x], v.row(y)[x]), (sample(1, x, y), sample(2, x, y)), "{format:?}");
                (v.width, v.height)
            });
            assert_eq!(found, chroma, "{format:?}");
        }
    }

    #[test]
    fn a_quarter_turn_swaps_the_sides() {
        assert_eq!(Rotation::Cw90.displayed(640, 480), (480, 640));
        assert_eq!(Rotation::Half.displayed(640, 480), (640, 480));
    }
}
