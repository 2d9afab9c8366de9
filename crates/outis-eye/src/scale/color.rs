//! Luma and chroma become the three numbers per pixel that a network was trained on. Knows no sizes.

use serde::Deserialize;

use super::Chroma;
use crate::frame::{ColorSpace, Matrix, Range};

/// How strong faint colours are. On the composed streets a, b and c half as strong finds 2 to 5 % more people than full in noise
/// and in the dark, and as many by day; a quarter as strong about the same, none at all 2 % fewer by day with YOLOX-nano. On 40
/// photographs of crowds it finds as many.
const FAINT: f32 = 0.5;

/// Which colour each plane of the input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Blue, green, red: what OpenCV reads, and so what most detectors were trained on.
    Bgr,
    /// Red, green, blue.
    Rgb,
}

/// What a network expects of a colour: `(value - mean) / std` of values from 0 to 255, in its channel order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Normalisation {
    pub(crate) order: ChannelOrder,
    pub(crate) mean: [f32; 3],
    pub(crate) std: [f32; 3],
    /// The grey around the picture, 0 to 255.
    pub(crate) pad: f32,
}

impl Normalisation {
    /// The padding as the network sees it.
    pub(crate) fn padding(&self) -> [f32; 3] {
        [0, 1, 2].map(|channel| self.apply(channel, self.pad))
    }

    fn apply(&self, channel: usize, value: f32) -> f32 {
        (value - self.mean[channel]) / self.std[channel]
    }
}

/// One affine function a channel: colour matrix, range and normalisation in one.
pub(crate) struct YuvToInput {
    channels: [Affine; 3],
}

/// `luma * y + cb * u + cr * v + offset`, kept between what black and white of the channel become.
#[derive(Clone, Copy)]
struct Affine {
    luma: f32,
    cb: f32,
    cr: f32,
    offset: f32,
    min: f32,
    max: f32,
}

impl YuvToInput {
    pub(crate) fn new(color: ColorSpace, chroma: Chroma, normalisation: &Normalisation) -> Self {
        let rgb = to_rgb(color, chroma);
        let source = match normalisation.order {
            ChannelOrder::Rgb => [0, 1, 2],
            ChannelOrder::Bgr => [2, 1, 0],
        };
        let channels = [0, 1, 2].map(|channel| {
            let [luma, cb, cr, offset] = rgb[source[channel]];
            let std = normalisation.std[channel];
            Affine {
                luma: luma / std,
                cb: cb / std,
                cr: cr / std,
                offset: normalisation.apply(channel, offset),
                min: normalisation.apply(channel, 0.0),
                max: normalisation.apply(channel, 255.0),
            }
        });
        Self { channels }
    }

    /// A grey of this luma.
    pub(crate) fn grey(&self, luma: u8) -> [f32; 3] {
        let neutral = f32::from(super::CHROMA_GREY);
        self.channels.map(|channel| channel.of(f32::from(luma), neutral, neutral))
    }

    /// Converts one row: Y, Cb and Cr of every pixel into three rows of the input, all of one length.
    pub(crate) fn row(&self, [luma, cb, cr]: [&[u8]; 3], [first, second, third]: [&mut [f32]; 3]) {
        // Slices of one length that is known here let the compiler convert several pixels at a time.
        let length = luma.len();
        let (cb, cr) = (&cb[..length], &cr[..length]);
        let (first, second, third) = (&mut first[..length], &mut second[..length], &mut third[..length]);
        for x in 0..length {
            let (y, cb, cr) = (f32::from(luma[x]), f32::from(cb[x]), f32::from(cr[x]));
            first[x] = self.channels[0].of(y, cb, cr);
            second[x] = self.channels[1].of(y, cb, cr);
            third[x] = self.channels[2].of(y, cb, cr);
        }
    }
}

impl Affine {
    fn of(&self, y: f32, cb: f32, cr: f32) -> f32 {
        // Not `clamp`: its check of the bounds keeps the loop over pixels from being vectorised.
        (self.luma * y + self.cb * cb + self.cr * cr + self.offset).max(self.min).min(self.max)
    }
}

/// Factors of Y, Cb and Cr and a constant for each of red, green and blue, 0 to 255.
///
/// With the luma coefficients Kr and Kb, Kg = 1 - Kr - Kb: R = Y + 2(1 - Kr) Cr, B = Y + 2(1 - Kb) Cb, and G is
/// what remains of Y = Kr R + Kg G + Kb B (ITU-R BT.601-7 section 2.5, BT.709-6 section 3, BT.2020-2 table 4).
fn to_rgb(color: ColorSpace, chroma: Chroma) -> [[f32; 4]; 3] {
    let (kr, kb) = match color.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    let kg = 1.0 - kr - kb;
    let (black, white) = color.range.black_and_white();
    let luma = 255.0 / (white - black);
    let strength = match chroma {
        Chroma::Full => 1.0,
        Chroma::Faint => FAINT,
    };
    let chroma = strength
        * match color.range {
            Range::Limited => 255.0 / 224.0,
            Range::Full => 1.0,
        };
    let red_of_cr = 2.0 * (1.0 - kr);
    let blue_of_cb = 2.0 * (1.0 - kb);
    let differences = [(0.0, red_of_cr), (-kb / kg * blue_of_cb, -kr / kg * red_of_cr), (blue_of_cb, 0.0)];
    differences.map(|(cb, cr)| {
        let (cb, cr) = (cb * chroma, cr * chroma);
        [luma, cb, cr, -(black * luma + 128.0 * (cb + cr))]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AS_IS: Normalisation =
        Normalisation { order: ChannelOrder::Rgb, mean: [0.0; 3], std: [1.0; 3], pad: 114.0 };

    fn convert(yuv: [u8; 3], color: ColorSpace, normalisation: &Normalisation) -> [f32; 3] {
        let mut input = [[0.0]; 3];
        let [first, second, third] = &mut input;
        let convert = YuvToInput::new(color, Chroma::Full, normalisation);
        convert.row([&[yuv[0]], &[yuv[1]], &[yuv[2]]], [first, second, third]);
        input.map(|[value]| value)
    }

    /// YUV codes of the colour bars by the standards' own equations in the direction R'G'B' to Y'CbCr, rounded to
    /// 8 bits; so the way back is exact to the rounding of three codes, at most 2 steps.
    #[test]
    fn colors_come_back() {
        let (limited, full) = (Range::Limited, Range::Full);
        // (matrix, range, Y Cb Cr, R G B)
        let cases = [
            (Matrix::Bt601, limited, [81, 90, 240], [255.0, 0.0, 0.0]),
            (Matrix::Bt601, limited, [145, 54, 34], [0.0, 255.0, 0.0]),
            (Matrix::Bt601, limited, [41, 240, 110], [0.0, 0.0, 255.0]),
            (Matrix::Bt601, limited, [210, 16, 146], [255.0, 255.0, 0.0]),
            (Matrix::Bt601, limited, [235, 128, 128], [255.0, 255.0, 255.0]),
            (Matrix::Bt601, limited, [16, 128, 128], [0.0, 0.0, 0.0]),
            (Matrix::Bt601, full, [76, 85, 255], [255.0, 0.0, 0.0]),
            (Matrix::Bt601, full, [150, 44, 21], [0.0, 255.0, 0.0]),
            (Matrix::Bt601, full, [29, 255, 107], [0.0, 0.0, 255.0]),
            (Matrix::Bt709, limited, [63, 102, 240], [255.0, 0.0, 0.0]),
            (Matrix::Bt709, limited, [173, 42, 26], [0.0, 255.0, 0.0]),
            (Matrix::Bt709, limited, [32, 240, 118], [0.0, 0.0, 255.0]),
            (Matrix::Bt709, full, [54, 99, 255], [255.0, 0.0, 0.0]),
            (Matrix::Bt709, full, [182, 30, 12], [0.0, 255.0, 0.0]),
            (Matrix::Bt2020, limited, [74, 97, 240], [255.0, 0.0, 0.0]),
            (Matrix::Bt2020, limited, [164, 47, 25], [0.0, 255.0, 0.0]),
        ];
        for (matrix, range, yuv, rgb) in cases {
            let found = convert(yuv, ColorSpace { matrix, range }, &AS_IS);
            for (found, expected) in found.into_iter().zip(rgb) {
                assert!(
                    (found - expected).abs() <= 2.0,
                    "{matrix:?} {range:?} {yuv:?}: {found} is not {expected}"
                );
            }
        }
    }

    /// Values between the bars, computed by hand from the equations in the doc comment of [`to_rgb`].
    #[test]
    fn exact_values() {
        let bt601 = ColorSpace { matrix: Matrix::Bt601, range: Range::Limited };
        let bt709 = ColorSpace { matrix: Matrix::Bt709, range: Range::Full };
        let cases = [
            // Y: (100 - 16) x 255/219 = 97.808; Cb: 10 x 255/224 = 11.384; Cr: 20 x 255/224 = 22.768
            (bt601, [100, 138, 148], [129.729, 77.632, 117.981]),
            // Y: 100; Cb: 10; Cr: 20
            (bt709, [100, 138, 148], [131.496, 88.764, 118.556]),
        ];
        for (color, yuv, rgb) in cases {
            let found = convert(yuv, color, &AS_IS);
            for (found, expected) in found.into_iter().zip(rgb) {
                assert!((found - expected as f32).abs() < 2e-3, "{color:?}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn order_mean_and_deviation_belong_to_the_channel() {
        let color = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };
        let trained = Normalisation {
            order: ChannelOrder::Bgr,
            mean: [100.0, 110.0, 120.0],
            std: [50.0, 55.0, 60.0],
            pad: 0.0,
        };
        let [blue, green, red] = convert([76, 85, 255], color, &trained);
        assert!((blue - (0.0 - 100.0) / 50.0).abs() < 0.02, "{blue}");
        assert!((green - (0.0 - 110.0) / 55.0).abs() < 0.02, "{green}");
        assert!((red - (255.0 - 120.0) / 60.0).abs() < 0.02, "{red}");
        assert_eq!(trained.padding(), [-2.0, -2.0, -2.0]);
        assert_eq!(AS_IS.padding(), [114.0; 3]);
    }

    #[test]
    fn impossible_codes_stay_within_black_and_white() {
        let color = ColorSpace { matrix: Matrix::Bt709, range: Range::Limited };
        assert_eq!(convert([255, 255, 255], color, &AS_IS)[0], 255.0);
        assert_eq!(convert([0, 0, 0], color, &AS_IS)[2], 0.0);
    }
}
