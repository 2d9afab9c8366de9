//! A frame's planes become the small picture that a network looks at.
//!
//! Knows sizes, colours and rotation; does not know what a network finds. The planes are made small first and
//! coloured then: a 1080p picture has thirty times more pixels than what the network sees of it.

mod color;
mod letterbox;
mod sheet;
mod tensor;
mod thumbnail;

pub(crate) use color::{ChannelOrder, Normalisation};
pub use letterbox::InputSize;
pub(crate) use letterbox::Letterbox;
pub use sheet::{Area, Chroma, Part, Sheet};
pub(crate) use tensor::Tensor;
pub(crate) use thumbnail::{BLOCK_PX, Thumbnail};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use zeroize::{Zeroize, Zeroizing};

use crate::Frame;
use crate::frame::{PlaneView, Rotation};
use color::YuvToInput;

/// Neither red nor blue: the chroma of a grey picture.
const CHROMA_GREY: u8 = 128;

/// How the networks' training pictures were made small: from four neighbours a pixel, without averaging over the others.
/// Averaging makes prettier small pictures, yet fewer people are found in them: on PETS 2009 S2L1, NanoDet-g, average
/// precision 0.859 at 3 times reduction and 0.699 at 4 times; with area averaging 0.849 and 0.681; at 1.85 times the same.
const RESAMPLING: ResizeAlg = ResizeAlg::Interpolation(FilterType::Bilinear);

/// Why a picture cannot be scaled. Says nothing about what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width_px} x {height_px} pixels cannot be scaled")]
pub struct ScaleError {
    width_px: u32,
    height_px: u32,
}

/// Makes network inputs out of frames. Every buffer is written over by the next frame and wiped when it goes.
pub(crate) struct Scaler {
    input: InputSize,
    normalisation: Normalisation,
    resizer: Resizer,
    /// Y, Cb and Cr at the size of the small picture, upright.
    planes: [Plane; 3],
    tensor: Tensor,
}

impl Scaler {
    /// A scaler for one network.
    pub(crate) fn new(input: InputSize, normalisation: Normalisation) -> Self {
        Self {
            input,
            normalisation,
            resizer: Resizer::new(),
            planes: [Plane::default(), Plane::default(), Plane::default()],
            tensor: Tensor::default(),
        }
    }

    /// The network's input for the parts of a frame. Fails when a part is not within the frame.
    pub(crate) fn paint(&mut self, frame: &Frame, sheet: &Sheet) -> Result<&Tensor, ScaleError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let unscalable = ScaleError { width_px: picture_px.0, height_px: picture_px.1 };
        let (input_width, input_height) = sheet.input_px;
        self.tensor.resize(input_width, input_height);
        let convert = YuvToInput::new(frame.color(), sheet.chroma, &self.normalisation);
        let ground = sheet.ground.map_or(self.normalisation.padding(), |luma| convert.grey(luma));
        match sheet.parts[..] {
            [Part { at: (0, 0), size, .. }] => self.tensor.pad(size, ground),
            _ => self.tensor.pad((0, 0), ground),
        }
        for part in &sheet.parts {
            let Part { source, at: (left, top), size: (width, height) } = *part;
            let inside = source.right() <= picture_px.0 && source.bottom() <= picture_px.1;
            if !inside || left + width > input_width || top + height > input_height {
                return Err(unscalable);
            }
            self.scale(frame, part, sheet.chroma).ok_or(unscalable)?;
            let [luma, cb, cr] = &self.planes;
            for y in 0..height {
                let row = y * width..(y + 1) * width;
                let yuv = [&luma.samples[row.clone()], &cb.samples[row.clone()], &cr.samples[row]];
                convert.row(yuv, self.tensor.row_mut(top + y, left, width));
            }
        }
        Ok(&self.tensor)
    }

    /// Makes the planes of one part, upright.
    fn scale(&mut self, frame: &Frame, part: &Part, chroma: Chroma) -> Option<()> {
        let rotation = frame.rotation();
        let coded = match rotation {
            Rotation::None | Rotation::Half => part.size,
            Rotation::Cw90 | Rotation::Cw270 => (part.size.1, part.size.0),
        };
        let luma = frame.luma();
        let crop = Crop::of(part.source, rotation, (luma.width as f64, luma.height as f64));
        let [y, cb, cr] = &mut self.planes;
        y.resize(&mut self.resizer, luma, crop, coded, RESAMPLING)?;
        match frame.chroma() {
            Some(sources) => {
                for (plane, source) in [(cb, sources.0), (cr, sources.1)] {
                    let sampled = match chroma {
                        Chroma::Full => coded,
                        Chroma::Faint => (coded.0.div_ceil(2), coded.1.div_ceil(2)),
                    };
                    plane.resize(&mut self.resizer, source, crop, sampled, RESAMPLING)?;
                    if sampled != coded {
                        plane.double(coded);
                    }
                }
            }
            None => [cb, cr].into_iter().for_each(|plane| plane.fill(CHROMA_GREY, coded)),
        }
        self.planes.iter_mut().for_each(|plane| plane.turn(rotation));
        Some(())
    }

    /// The sizes at which the network runs.
    pub(crate) fn input_size(&self) -> InputSize {
        self.input
    }

    /// Wipes what was painted last.
    pub(crate) fn wipe(&mut self) {
        self.tensor.wipe();
        self.planes.iter_mut().for_each(Plane::wipe);
    }

    /// An input that shows nothing, to try a network with.
    pub(crate) fn blank(&mut self) -> &Tensor {
        let (width, height) = self.input.largest_px();
        self.tensor.resize(width, height);
        self.tensor.pad((0, 0), self.normalisation.padding());
        &self.tensor
    }
}

/// A rectangle of a coded plane, as shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Crop {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Crop {
    const WHOLE: Self = Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };

    /// Where an area of the displayed picture lies in planes that are coded turned; `coded_px` is the luma's size.
    fn of(area: Area, rotation: Rotation, coded_px: (f64, f64)) -> Self {
        let [left, top, width, height] = [area.left, area.top, area.width, area.height].map(f64::from);
        let (across, down) = match rotation {
            Rotation::None | Rotation::Half => coded_px,
            Rotation::Cw90 | Rotation::Cw270 => (coded_px.1, coded_px.0),
        };
        let displayed =
            Self { left: left / across, top: top / down, width: width / across, height: height / down };
        displayed.coded(rotation)
    }

    /// Where a rectangle of the displayed picture lies in planes that are coded turned.
    fn coded(self, rotation: Rotation) -> Self {
        let Self { left, top, width, height } = self;
        let (right, bottom) = (1.0 - left - width, 1.0 - top - height);
        match rotation {
            Rotation::None => self,
            Rotation::Half => Self { left: right, top: bottom, width, height },
            Rotation::Cw90 => Self { left: top, top: right, width: height, height: width },
            Rotation::Cw270 => Self { left: bottom, top: left, width: height, height: width },
        }
    }
}

/// A small plane, packed: a row is `width` bytes.
#[derive(Default)]
struct Plane {
    width: usize,
    height: usize,
    samples: Zeroizing<Vec<u8>>,
    /// Where rows are laid side by side or turned; exchanged with `samples`.
    scratch: Zeroizing<Vec<u8>>,
}

impl Plane {
    /// `None` when a size is beyond what the resizer knows.
    fn resize(
        &mut self,
        resizer: &mut Resizer,
        source: PlaneView<'_>,
        crop: Crop,
        to: (usize, usize),
        algorithm: ResizeAlg,
    ) -> Option<()> {
        self.set_size(to);
        let (left, width) = (crop.left * source.width as f64, crop.width * source.width as f64);
        let (top, height) = (crop.top * source.height as f64, crop.height * source.height as f64);
        // The rows that matter, with a neighbour on each side for the interpolation.
        let first = (top.floor().max(1.0) as usize - 1).min(source.height - 1);
        let end = ((top + height).ceil() as usize + 1).clamp(first + 1, source.height);
        let rows = end - first;
        let (data, stride) = match source.data.get(first * source.stride..end * source.stride) {
            Some(whole_rows) => (whole_rows, source.stride),
            None => {
                // The last row ends with the buffer, which the resizer's idea of a picture does not allow for.
                make_room(&mut self.scratch, source.width * rows);
                (first..end).for_each(|y| self.scratch.extend_from_slice(source.row(y)));
                (self.scratch.as_slice(), source.width)
            }
        };
        let (stride, rows) = (u32::try_from(stride).ok()?, u32::try_from(rows).ok()?);
        let (to_width, to_height) = (u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?);
        let from = TypedImageRef::<U8>::from_buffer(stride, rows, data).ok()?;
        let mut to = TypedImage::<U8>::from_buffer(to_width, to_height, &mut self.samples).ok()?;
        // Sums of shares may miss the border by a rounding.
        let (top, end) = (top - first as f64, f64::from(rows));
        let (width, height) = (width.min(source.width as f64 - left), height.min(end - top));
        let options = ResizeOptions::new().resize_alg(algorithm).crop(left, top, width, height);
        resizer.resize_typed(&from, &mut to, &options).ok()
    }

    /// Shows each sample as two by two; of an odd side the last ones are cut in half.
    fn double(&mut self, (width, height): (usize, usize)) {
        make_room(&mut self.scratch, width * height);
        for half in self.samples.chunks_exact(self.width) {
            let start = self.scratch.len();
            let (pairs, last) = (&half[..width / 2], &half[width / 2..]);
            pairs.iter().for_each(|sample| self.scratch.extend_from_slice(&[*sample; 2]));
            self.scratch.extend_from_slice(&last[..width % 2]);
            if self.scratch.len() < width * height {
                self.scratch.extend_from_within(start..);
            }
        }
        std::mem::swap(&mut self.samples, &mut self.scratch);
        (self.width, self.height) = (width, height);
    }

    fn wipe(&mut self) {
        self.samples.zeroize();
        self.scratch.zeroize();
        (self.width, self.height) = (0, 0);
    }

    fn fill(&mut self, value: u8, size: (usize, usize)) {
        self.set_size(size);
        self.samples.fill(value);
    }

    /// Turns the plane upright. The picture is small by now, so this costs little.
    fn turn(&mut self, rotation: Rotation) {
        let (width, height) = (self.width, self.height);
        match rotation {
            Rotation::None => {}
            Rotation::Half => self.samples.reverse(),
            Rotation::Cw90 => self.transpose(|x, y| (height - 1 - x) * width + y),
            Rotation::Cw270 => self.transpose(|x, y| x * width + (width - 1 - y)),
        }
    }

    /// Exchanges width and height; `source` says which sample comes to a place (x, y) of the new plane.
    fn transpose(&mut self, source: impl Fn(usize, usize) -> usize) {
        let (width, height) = (self.height, self.width);
        make_room(&mut self.scratch, width * height);
        for y in 0..height {
            self.scratch.extend((0..width).map(|x| self.samples[source(x, y)]));
        }
        std::mem::swap(&mut self.samples, &mut self.scratch);
        (self.width, self.height) = (width, height);
    }

    fn set_size(&mut self, (width, height): (usize, usize)) {
        make_room(&mut self.samples, width * height);
        self.samples.resize(width * height, 0);
        (self.width, self.height) = (width, height);
    }
}

/// Empties a buffer that is to hold `length` samples. When it must move to grow, the old place is wiped first.
fn make_room(buffer: &mut Vec<u8>, length: usize) {
    if buffer.capacity() < length {
        buffer.zeroize();
        buffer.reserve_exact(length);
    }
    buffer.clear();
}

#[cfg(test)]
mod tests {
    use ffmpeg_next::format::Pixel;

    use super::*;
    use crate::frame::{ColorSpace, Matrix, Range};

    /// The whole picture, as large as it fits.
    fn whole<'a>(scaler: &'a mut Scaler, frame: &Frame) -> (&'a Tensor, Sheet) {
        let area = Area { left: 0, top: 0, width: frame.width_px(), height: frame.height_px() };
        let sheet = Sheet::of(area, scaler.input).expect("it has an area");
        (scaler.paint(frame, &sheet).expect("an ordinary picture"), sheet)
    }

    const JPEG: ColorSpace = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };
    const AS_IS: Normalisation =
        Normalisation { order: ChannelOrder::Rgb, mean: [0.0; 3], std: [1.0; 3], pad: 114.0 };
    const SIDE: usize = 416;

    /// The mean colour of a rectangle of the input, ends excluded.
    fn mean(input: &Tensor, (left, top): (usize, usize), (right, bottom): (usize, usize)) -> [f32; 3] {
        let [_, _, height, width] = input.dims();
        [0, 1, 2].map(|channel| {
            let plane = &input.values()[channel * width * height..][..width * height];
            let rows = (top..bottom)
                .map(|y| plane[y * width..][left..right].iter().map(|v| f64::from(*v)).sum::<f64>());
            (rows.sum::<f64>() / ((right - left) * (bottom - top)) as f64) as f32
        })
    }

    fn assert_close(name: &str, found: [f32; 3], expected: [f32; 3], tolerance: f32) {
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= tolerance);
        assert!(close, "{name}: {found:?} is not {expected:?}");
    }

    /// Y, Cb and Cr of a colour, 8-bit full range BT.601.
    fn yuv([red, green, blue]: [f32; 3]) -> [u8; 3] {
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        [luma, 128.0 + (blue - luma) / 1.772, 128.0 + (red - luma) / 1.402].map(|value| value.round() as u8)
    }

    /// What OpenCV makes of the same pictures. Three roundings to 8 bits on the way through YUV cost up to 1.5.
    #[test]
    fn reference_table() {
        #[derive(serde::Deserialize)]
        struct Reference {
            side: usize,
            pad: f32,
            cases: Vec<Case>,
        }
        #[derive(serde::Deserialize)]
        struct Case {
            picture: String,
            source: [u32; 2],
            interpolation: String,
            inner: [usize; 2],
            mean_rgb: Quarters,
        }
        #[derive(serde::Deserialize)]
        struct Quarters {
            upper_left: [f32; 3],
            upper_right: [f32; 3],
            lower_left: [f32; 3],
            lower_right: [f32; 3],
        }
        let reference: Reference =
            serde_json::from_str(include_str!("../../../../testdata/reference/letterbox.json"))
                .expect("the table");
        let size = InputSize::Fixed { width_px: reference.side, height_px: reference.side };
        let linear = reference.cases.iter().filter(|case| case.interpolation == "linear");
        for Case { picture, source: [width, height], inner: [across, down], mean_rgb, .. } in linear {
            let name = format!("{picture} of {width} x {height}");
            let (w, h) = (*width as usize, *height as usize);
            let color = |x: usize, y: usize| match (picture.as_str(), x < w / 2, y < h / 2) {
                ("gradient", ..) => {
                    let ramp = |at: usize, side: usize| (255.0 * at as f32 / (side - 1) as f32).round();
                    [ramp(x, w), ramp(y, h), 64.0]
                }
                (_, true, true) => [255.0, 0.0, 0.0],
                (_, false, true) => [0.0, 255.0, 0.0],
                (_, true, false) => [0.0, 0.0, 255.0],
                (_, false, false) => [200.0, 200.0, 200.0],
            };
            let frame =
                Frame::synthetic((Pixel::YUV444P, *width, *height), Rotation::None, JPEG, |plane, x, y| {
                    yuv(color(x, y))[plane]
                });
            let mut scaler = Scaler::new(size, Normalisation { pad: reference.pad, ..AS_IS });
            let (input, sheet) = whole(&mut scaler, &frame);
            assert_eq!(sheet.parts[0].size, (*across, *down), "{name}");
            let (x, y) = (across / 2, down / 2);
            let quarters = [
                ("upper left", mean(input, (0, 0), (x, y)), mean_rgb.upper_left),
                ("upper right", mean(input, (x, 0), (*across, y)), mean_rgb.upper_right),
                ("lower left", mean(input, (0, y), (x, *down)), mean_rgb.lower_left),
                ("lower right", mean(input, (x, y), (*across, *down)), mean_rgb.lower_right),
            ];
            for (quarter, found, expected) in quarters {
                assert_close(&format!("{name}, {quarter}"), found, expected, 1.5);
            }
            if *down < SIDE {
                assert_close(&name, mean(input, (0, *down), (SIDE, SIDE)), [reference.pad; 3], 0.0);
            }
            if *across < SIDE {
                assert_close(&name, mean(input, (*across, 0), (SIDE, SIDE)), [reference.pad; 3], 0.0);
            }
        }
    }

    /// A white corner in a dark picture goes where the rotation brings it.
    #[test]
    fn rotation_brings_the_picture_upright() {
        let size = InputSize::UpTo { width_px: SIDE, height_px: SIDE, step_px: 32 };
        // (rotation, input, corner in which coded upper left is displayed)
        let cases = [
            (Rotation::None, (416, 320), "upper left"),
            (Rotation::Cw90, (320, 416), "upper right"),
            (Rotation::Half, (416, 320), "lower right"),
            (Rotation::Cw270, (320, 416), "lower left"),
        ];
        for (rotation, (width, height), expected) in cases {
            let frame =
                Frame::synthetic((Pixel::YUV420P, 640, 480), rotation, JPEG, |plane, x, y| match plane {
                    0 if x < 320 && y < 240 => 255,
                    0 => 10,
                    _ => 128,
                });
            let mut scaler = Scaler::new(size, AS_IS);
            let (input, sheet) = whole(&mut scaler, &frame);
            assert_eq!(sheet.input_px, (width, height), "{rotation:?}");
            let (across, down) = sheet.parts[0].size;
            let corners = [
                ("upper left", (0, 0)),
                ("upper right", (across - 50, 0)),
                ("lower left", (0, down - 50)),
                ("lower right", (across - 50, down - 50)),
            ];
            for (corner, (x, y)) in corners {
                let value = if corner == expected { 255.0 } else { 10.0 };
                let found = mean(input, (x, y), (x + 50, y + 50));
                assert_close(&format!("{rotation:?}, {corner}"), found, [value; 3], 0.5);
            }
        }
    }

    #[test]
    fn chroma_of_every_layout_reaches_its_pixels() {
        let (grey, red) = ([100.0; 3], [255.0, 0.0, 0.0]);
        // Half of the way to the grey that is as bright: 0.299 x 255.
        let faint_red = red.map(|value| (value + 76.2) / 2.0);
        let cases = [
            ("grey", Pixel::GRAY8, grey, grey),
            ("4:2:0", Pixel::YUV420P, red, faint_red),
            ("4:2:2", Pixel::YUV422P, red, faint_red),
            ("4:4:0", Pixel::YUV440P, red, faint_red),
            ("4:1:1", Pixel::YUV411P, red, faint_red),
            ("4:1:0", Pixel::YUV410P, red, faint_red),
        ];
        let red = yuv(red);
        for (name, format, full, faint) in cases {
            // Odd sides, and one input for frames of several sizes.
            let mut scaler = Scaler::new(InputSize::Fixed { width_px: SIDE, height_px: SIDE }, AS_IS);
            for (width, height) in [(321, 241), (1921, 1081), (33, 25)] {
                let frame = Frame::synthetic((format, width, height), Rotation::None, JPEG, |plane, _, _| {
                    if format == Pixel::GRAY8 { 100 } else { red[plane] }
                });
                let (_, mut sheet) = whole(&mut scaler, &frame);
                for (chroma, expected) in [(Chroma::Full, full), (Chroma::Faint, faint)] {
                    sheet.chroma = chroma;
                    let input = scaler.paint(&frame, &sheet).expect("an ordinary picture");
                    assert_close(name, mean(input, (0, 0), sheet.parts[0].size), expected, 1.5);
                }
            }
        }
    }

    #[test]
    fn each_sample_becomes_two_by_two() {
        let cases: [((usize, usize), &[u8]); 3] = [
            ((4, 4), &[1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]),
            ((3, 3), &[1, 1, 2, 1, 1, 2, 3, 3, 4]),
            ((4, 3), &[1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4]),
        ];
        for (size, expected) in cases {
            let samples = Zeroizing::new(vec![1, 2, 3, 4]);
            let mut plane = Plane { width: 2, height: 2, samples, ..Plane::default() };
            plane.double(size);
            assert_eq!((plane.samples.as_slice(), plane.width, plane.height), (expected, size.0, size.1));
        }
    }
}
