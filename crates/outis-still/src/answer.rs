//! What goes out: one block that says what follows, then a PNG. `outis` reads it (`crates/outis/src/still.rs`).
//!
//! ```text
//!   0  "OUTISSTL"
//!   8  status: 0 a picture follows, 1 nothing decoded, 2 unsupported codec, 3 too short     32-bit, little-endian, as all
//!  12  width, height of the camera's picture in pixels
//!  20  samples
//!  24  share that is shown as patches, in thousandths
//!  28  bytes of the PNG
//! ```

use std::io;

use outis_eye::still::Background;
use outis_jail::Blocks;

/// Whether there is a picture, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Picture = 0,
    NothingDecoded = 1,
    UnsupportedCodec = 2,
    TooShort = 3,
}

/// What is written, once.
pub(crate) struct Answer {
    numbers: [u32; 6],
    png: Vec<u8>,
}

impl Answer {
    /// There is no picture.
    pub(crate) fn without(status: Status) -> Self {
        Self { numbers: [status as u32, 0, 0, 0, 0, 0], png: Vec::new() }
    }

    /// The picture of a street.
    pub(crate) fn of(background: &Background) -> Self {
        let (width, height) = background.picture_px;
        let Ok(png) = encoded(background) else { return Self::without(Status::NothingDecoded) };
        let samples = u32::try_from(background.samples).unwrap_or(u32::MAX);
        let unsettled = (1000.0 * background.unsettled).round() as u32;
        let length = u32::try_from(png.len()).unwrap_or(u32::MAX);
        Self { numbers: [Status::Picture as u32, width, height, samples, unsettled, length], png }
    }

    pub(crate) fn write(&self, blocks: &mut Blocks) -> io::Result<()> {
        let mut head = b"OUTISSTL".to_vec();
        self.numbers.iter().for_each(|number| head.extend(number.to_le_bytes()));
        blocks.write(&head)?;
        blocks.write(&self.png)
    }
}

fn encoded(background: &Background) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let (width, height) = background.size_px;
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&background.rgb)?;
    writer.finish()?;
    Ok(bytes)
}
