//! The parameters of a stream: what a decoder must be told before the first packet.

use std::fmt;

/// The parameters of a video stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The codec, by libav's short name, such as `h264`.
    pub codec: Name,
    /// The container's four-character code of the codec, little-endian; 0 when it has none.
    pub codec_tag: u32,
    /// Codec parameters out of band, such as H.264 parameter sets.
    pub extradata: Vec<u8>,
    /// Width of the coded picture in pixels, as the container states it; 0 when it does not.
    pub width_px: u32,
    /// Height of the coded picture in pixels, as the container states it; 0 when it does not.
    pub height_px: u32,
    /// The layout of the samples, by libav's name such as `yuv420p`; raw video cannot be read without.
    pub pixel_format: Option<Name>,
    /// Bits per coded sample; 0 when unknown.
    pub bits_per_sample: u32,
    /// The codec's profile as libav numbers it; negative when unknown.
    pub profile: i32,
    /// The codec's level as libav numbers it; negative when unknown.
    pub level: i32,
    /// By how many frames the order of decoding is ahead of the order of showing, at most.
    pub reorder_frames: u8,
    /// Matrix coefficients as ITU-T H.273 numbers them; 2 when the container does not say.
    pub matrix: u8,
    /// 0 when the container does not say, 1 for limited range, 2 for full range.
    pub range: u8,
    /// Seconds in one unit of the packets' times.
    pub time_base: Ratio,
    /// Frames per second on average, when the container knows.
    pub frame_rate: Option<Ratio>,
    /// Length of the source in microseconds, when the container states it.
    pub duration_us: Option<u64>,
    /// For a source that is live, milliseconds from the Unix epoch to the moment its first packet came; `None` for a
    /// file, whose packets come whenever they are asked for.
    pub origin_unix_ms: Option<u64>,
    /// For a file that is not passed on from its beginning, milliseconds of it before the first packet that is; 0 for a
    /// live source.
    pub skipped_ms: u64,
    /// The turn in degrees clockwise that brings the picture upright: 0, 90, 180 or 270.
    pub rotation_deg: u16,
}

impl Header {
    /// The most bytes of codec parameters.
    pub const EXTRADATA_MAX: usize = 1 << 20;

    /// The latest beginning of a live source, in milliseconds from the Unix epoch: thirty thousand years.
    pub const ORIGIN_MAX_MS: u64 = 1_000_000_000_000_000;

    /// The latest place from which a file is passed on, in milliseconds: three years.
    pub const SKIPPED_MAX_MS: u64 = 100_000_000_000;

    /// The longest side in pixels that is passed on. No codec that a camera speaks codes more.
    pub const SIDE_MAX_PX: u32 = 65_535;
}

/// A positive fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    num: u32,
    den: u32,
}

impl Ratio {
    /// A fraction; `None` unless both parts are positive and fit the 31 bits that libav gives them.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        let part = |value: i64| i32::try_from(value).ok().filter(|&v| v > 0).map(i32::unsigned_abs);
        Some(Self { num: part(num)?, den: part(den)? })
    }

    /// The numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator.
    pub fn den(self) -> u32 {
        self.den
    }

    /// Its value.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

/// A name of libav's: lower-case letters, digits and underscores.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name of a codec or pixel format has 1 to {max} of the characters a-z, 0-9 and _", max = Name::LEN_MAX)]
pub struct NameError;

impl Name {
    /// The most characters of a name.
    pub const LEN_MAX: usize = 32;

    /// Takes a text that is such a name.
    ///
    /// # Errors
    /// When it is empty, too long or has other characters.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let fits = (1..=Self::LEN_MAX).contains(&name.len()) && name.bytes().all(plain);
        if fits { Ok(Self(name.to_owned())) } else { Err(NameError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let cases = [
            ("h264", true),
            ("yuv420p10le", true),
            ("012v", true),
            ("", false),
            ("H264", false),
            ("../h264", false),
            ("h264\n", false),
            ("a_name_that_is_far_too_long_for_libav", false),
        ];
        for (name, is_name) in cases {
            assert_eq!(Name::new(name).is_ok(), is_name, "{name:?}");
        }
    }

    #[test]
    fn ratios_are_positive() {
        assert_eq!(Ratio::new(1, 25).map(|r| (r.num(), r.den())), Some((1, 25)));
        for (num, den) in [(0, 1), (1, 0), (-1, 25), (1, 1 << 31), (i64::MAX, 1)] {
            assert_eq!(Ratio::new(num, den), None, "{num}/{den}");
        }
    }
}
