//! A street with nobody in it: what stayed the same in frames that were taken over a while.
//!
//! Of each pixel the median over the samples is kept: who passes covers it for less than half of the time. Where no half
//! of the samples agrees, somebody may have stood, and the place is shown as one flat patch. Knows no stream, no file and
//! no encoder; used by `outis-still` alone.

use outis_measure::MediaTime;
use zeroize::Zeroizing;

use crate::{
    Frame,
    scale::{Area, ChannelOrder, InputSize, Normalisation, Part, Scaler, Sheet},
};

/// The most samples; then every other one is dropped and they are taken half as often. Odd, so that there is a middle one.
const SAMPLES_MAX: usize = 31;
/// Fewer show who passes, not the street.
const SAMPLES_MIN: usize = 9;
/// The first samples are so far apart, in seconds: who walks at 1.4 m/s has gone on by more than their own width.
const STEP_S: f32 = 0.5;
/// The least time from the first sample to the last, in seconds: who walks through a doorway or waits for a moment is in
/// less than half of them.
const SPAN_MIN_S: f32 = 4.0;
/// The picture is no larger, in pixels: enough to draw lines on.
const SIDES_MAX_PX: (u32, u32) = (1280, 720);
/// A sample agrees with the median when no channel differs by more, of 255: several times a camera's noise.
const SAME: u8 = 16;
/// Patches are so wide and high, in pixels: a face that stood there is one patch.
const PATCH_PX: usize = 24;
/// A place is shown as a patch when more than this share of its pixels is unsettled.
const UNSETTLED_MAX: f32 = 0.1;

/// Values are wanted as they are.
const AS_IS: Normalisation =
    Normalisation { order: ChannelOrder::Rgb, mean: [0.0; 3], std: [1.0; 3], pad: 0.0 };

/// Collects samples. Its buffers are wiped when it goes.
#[expect(missing_debug_implementations, reason = "it holds pictures")]
pub struct Still {
    scaler: Scaler,
    step_s: f32,
    /// Width and height of the picture as it is displayed.
    picture_px: (u32, u32),
    /// The same of a sample.
    size: (usize, usize),
    samples: Vec<Sample>,
}

struct Sample {
    at: MediaTime,
    /// Red, green and blue, plane after plane.
    values: Zeroizing<Vec<u8>>,
}

/// A street with nobody in it.
#[expect(missing_debug_implementations, reason = "it is a picture")]
pub struct Background {
    /// Width and height in pixels of the pictures it was made of: lines are drawn in these.
    pub picture_px: (u32, u32),
    /// Its own width and height in pixels.
    pub size_px: (u32, u32),
    /// Red, green, blue, pixel after pixel.
    pub rgb: Zeroizing<Vec<u8>>,
    /// How many samples it was made of.
    pub samples: usize,
    /// Share of its area that is shown as patches, because something moved there most of the time.
    pub unsettled: f32,
}

/// Why there is no background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StillError {
    /// Too few samples, or too near each other.
    #[error("too short: who passes would be seen")]
    TooShort,
}

impl Default for Still {
    fn default() -> Self {
        let input = InputSize::Fixed { width_px: 32, height_px: 32 };
        Self {
            scaler: Scaler::new(input, AS_IS),
            step_s: STEP_S,
            picture_px: (0, 0),
            size: (0, 0),
            samples: Vec::new(),
        }
    }
}

impl Still {
    /// Whether a frame that is shown at this time would be taken.
    pub fn wants(&self, at: MediaTime) -> bool {
        self.samples.last().is_none_or(|last| at.seconds_since(last.at) >= self.step_s)
    }

    /// Takes a sample. A picture of another size begins anew: nobody knows what was where.
    pub fn take(&mut self, frame: &Frame) {
        let picture_px = (frame.width_px(), frame.height_px());
        if picture_px != self.picture_px {
            self.samples.clear();
            (self.picture_px, self.size, self.step_s) = (picture_px, size_within(picture_px), STEP_S);
        }
        if !self.wants(frame.at()) {
            return;
        }
        let area = Area { left: 0, top: 0, width: picture_px.0, height: picture_px.1 };
        let part = Part { source: area, at: (0, 0), size: self.size };
        let sheet = Sheet::new(self.size, vec![part]);
        let Ok(painted) = self.scaler.paint(frame, &sheet) else { return };
        // Values are kept between 0 and 255 by the conversion.
        let values = painted.values().iter().map(|value| value.round() as u8).collect();
        self.samples.push(Sample { at: frame.at(), values: Zeroizing::new(values) });
        if self.samples.len() > SAMPLES_MAX {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.step_s *= 2.0;
        }
    }

    /// The street.
    ///
    /// # Errors
    /// When it was looked at for too short a time.
    pub fn finish(self) -> Result<Background, StillError> {
        let span_s = match self.samples.as_slice() {
            [first, .., last] => last.at.seconds_since(first.at),
            _ => 0.0,
        };
        if self.samples.len() < SAMPLES_MIN || span_s < SPAN_MIN_S {
            return Err(StillError::TooShort);
        }
        let (width, height) = self.size;
        let area = width * height;
        let mut rgb = Zeroizing::new(vec![0; 3 * area]);
        let mut unsettled = vec![false; area];
        let mut sorted = Zeroizing::new(vec![0; self.samples.len()]);
        for channel in 0..3 {
            for pixel in 0..area {
                for (value, sample) in sorted.iter_mut().zip(&self.samples) {
                    *value = sample.values[channel * area + pixel];
                }
                sorted.sort_unstable();
                let median = sorted[sorted.len() / 2];
                let agree = sorted.iter().filter(|value| value.abs_diff(median) <= SAME).count();
                unsettled[pixel] |= 2 * agree <= sorted.len();
                rgb[3 * pixel + channel] = median;
            }
        }
        let patched = patch(&mut rgb, &unsettled, width);
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        Ok(Background {
            picture_px: self.picture_px,
            size_px: (side(width), side(height)),
            rgb,
            samples: self.samples.len(),
            unsettled: patched as f32 / area.max(1) as f32,
        })
    }
}

/// The largest size of the same shape within the limit.
fn size_within((width, height): (u32, u32)) -> (usize, usize) {
    let most = (f64::from(SIDES_MAX_PX.0), f64::from(SIDES_MAX_PX.1));
    // A telephone's upright picture may be as high as another is wide.
    let most = if height > width { (most.1, most.0) } else { most };
    let scale = (most.0 / f64::from(width)).min(most.1 / f64::from(height)).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as usize).max(1);
    (side(width), side(height))
}

/// Replaces places that are not settled by their mean colour; says how many pixels that were.
fn patch(rgb: &mut [u8], unsettled: &[bool], width: usize) -> usize {
    let height = unsettled.len() / width.max(1);
    let mut patched = 0;
    for top in (0..height).step_by(PATCH_PX) {
        for left in (0..width).step_by(PATCH_PX) {
            let (right, bottom) = ((left + PATCH_PX).min(width), (top + PATCH_PX).min(height));
            let pixels = || (top..bottom).flat_map(|y| (left..right).map(move |x| y * width + x));
            let count = (right - left) * (bottom - top);
            let bad = pixels().filter(|&pixel| unsettled[pixel]).count();
            if bad as f32 <= UNSETTLED_MAX * count as f32 {
                continue;
            }
            for channel in 0..3 {
                let sum: usize = pixels().map(|pixel| usize::from(rgb[3 * pixel + channel])).sum();
                let mean = u8::try_from(sum / count).unwrap_or(u8::MAX);
                pixels().for_each(|pixel| rgb[3 * pixel + channel] = mean);
            }
            patched += count;
        }
    }
    patched
}

#[cfg(test)]
mod tests {
    use ffmpeg_next::format::Pixel;

    use super::*;
    use crate::frame::{ColorSpace, Matrix, Range, Rotation};

    const JPEG: ColorSpace = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };

    /// Grey 100, with something of grey 220 between two columns.
    fn street(at_s: f64, covered: std::ops::Range<usize>) -> Frame {
        let sample = |plane: usize, x: usize, _: usize| match plane {
            0 if covered.contains(&x) => 220,
            0 => 100,
            _ => 128,
        };
        let frame = Frame::synthetic((Pixel::YUV420P, 640, 360), Rotation::None, JPEG, sample);
        frame.shown_at(MediaTime::from_seconds(at_s))
    }

    fn made_of(frames: impl IntoIterator<Item = Frame>) -> Result<Background, StillError> {
        let mut still = Still::default();
        frames.into_iter().for_each(|frame| still.take(&frame));
        still.finish()
    }

    fn brightness(made: &Background, x: usize) -> u8 {
        made.rgb[3 * (100 * 640 + x)]
    }

    #[test]
    fn who_passes_is_not_in_it() {
        let passing = (0..40).map(|n| street(f64::from(n) * 0.5, 10 * n as usize..10 * n as usize + 60));
        let made = made_of(passing).unwrap();
        assert_eq!((made.picture_px, made.size_px), ((640, 360), (640, 360)));
        assert!(made.rgb.iter().all(|value| *value == 100), "nobody");
        assert!(made.unsettled == 0.0 && (SAMPLES_MIN..=SAMPLES_MAX).contains(&made.samples));
    }

    #[test]
    fn who_stays_as_long_as_not_is_a_flat_patch() {
        // Comes and goes: half of the samples are darker, half brighter, and no value has a majority.
        let restless = (0..30).map(|n: u32| {
            let frame = street(f64::from(n) * 0.5, 0..0);
            if n.is_multiple_of(2) { frame } else { street(f64::from(n) * 0.5, 300..340) }
        });
        let made = made_of(restless).unwrap();
        assert!(made.unsettled > 0.02 && made.unsettled < 0.2, "{}", made.unsettled);
        assert_eq!(brightness(&made, 314), brightness(&made, 334), "no edges are left");
        assert_eq!(brightness(&made, 50), 100, "elsewhere all is as it is");
    }

    #[test]
    fn a_moment_is_no_street() {
        let short = (0..100).map(|n| street(f64::from(n) * 0.03, 0..0));
        assert_eq!(made_of(short).err(), Some(StillError::TooShort));
        assert_eq!(made_of([]).err(), Some(StillError::TooShort));
        // The picture changes its size just before the end.
        let grown = Frame::synthetic((Pixel::YUV420P, 320, 180), Rotation::None, JPEG, |_, _, _| 128);
        let long = (0..40).map(|n| street(f64::from(n) * 0.5, 0..0));
        let frames = long.chain([grown.shown_at(MediaTime::from_seconds(21.0))]);
        assert_eq!(made_of(frames).err(), Some(StillError::TooShort));
    }

    #[test]
    fn samples_are_spread_over_all_of_the_time() {
        let mut still = Still::default();
        (0..2000).for_each(|n| still.take(&street(f64::from(n), 0..0)));
        assert!((SAMPLES_MAX / 2..=SAMPLES_MAX).contains(&still.samples.len()));
        assert!(still.samples[0].at == MediaTime::ZERO);
        assert!(still.samples.last().unwrap().at.as_seconds() > 1800.0);
    }

    #[test]
    fn sizes_keep_their_shape() {
        let cases = [
            ((768, 576), (768, 576)),
            ((1920, 1080), (1280, 720)),
            ((3840, 2160), (1280, 720)),
            ((1080, 1920), (720, 1280)),
            ((2592, 1944), (960, 720)),
            ((16_384, 1), (1280, 1)),
        ];
        for (picture, expected) in cases {
            assert_eq!(size_within(picture), expected, "{picture:?}");
        }
    }
}
