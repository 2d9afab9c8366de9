//! The intake's side: writes a stream.

use std::io::{self, BufWriter, Write};

use crate::{
    Ending, Header, MAGIC, Packet, TAG_END, TAG_PACKET, VERSION,
    wire::{put, put_bytes, put_time},
};

/// Writes one stream. Each packet is flushed, so that the eye sees it as soon as it is there.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: BufWriter<W>,
}

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The pipe is broken or full.
    #[error("cannot write to the eye: {0}")]
    Io(#[from] io::Error),
    /// A part is larger than its limit. Nothing was written of it; the stream can go on.
    #[error("{part} of {len} bytes is above the limit of {max} bytes")]
    TooLarge {
        /// What.
        part: &'static str,
        /// Its size in bytes.
        len: usize,
        /// The most bytes allowed.
        max: usize,
    },
}

impl<W: Write> Writer<W> {
    /// Starts a stream.
    ///
    /// # Errors
    /// When the pipe fails or the codec parameters are larger than [`Header::EXTRADATA_MAX`].
    pub fn new(out: W, header: &Header) -> Result<Self, WriteError> {
        fits("extradata", &header.extradata, Header::EXTRADATA_MAX)?;
        let mut out = BufWriter::new(out);
        put_header(&mut out, header)?;
        out.flush()?;
        Ok(Self { out })
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// When the pipe fails or the packet is larger than [`Packet::DATA_MAX`].
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), WriteError> {
        let Packet { pts, dts, duration, arrival_us, key, corrupt, new_extradata, data } = *packet;
        fits("packet", data, Packet::DATA_MAX)?;
        fits("extradata", new_extradata, Header::EXTRADATA_MAX)?;
        let out = &mut self.out;
        put(out, [TAG_PACKET, u8::from(key) | u8::from(corrupt) << 1])?;
        put_time(out, pts)?;
        put_time(out, dts)?;
        put(out, duration.to_le_bytes())?;
        put(out, arrival_us.to_le_bytes())?;
        put_bytes(out, new_extradata)?;
        put_bytes(out, data)?;
        Ok(out.flush()?)
    }

    /// Ends the stream. A stream that is dropped without is read as [`Ending::Truncated`].
    ///
    /// # Errors
    /// When the pipe fails.
    pub fn end(mut self, ending: Ending) -> Result<(), WriteError> {
        put(&mut self.out, [TAG_END, u8::from(ending == Ending::Truncated)])?;
        Ok(self.out.flush()?)
    }
}

fn fits(part: &'static str, bytes: &[u8], max: usize) -> Result<(), WriteError> {
    let len = bytes.len();
    if len > max { Err(WriteError::TooLarge { part, len, max }) } else { Ok(()) }
}

fn put_header(out: &mut impl Write, header: &Header) -> io::Result<()> {
    put(out, MAGIC)?;
    put(out, VERSION.to_le_bytes())?;
    put_bytes(out, header.codec.as_str().as_bytes())?;
    put(out, header.codec_tag.to_le_bytes())?;
    put_bytes(out, &header.extradata)?;
    put(out, header.width_px.to_le_bytes())?;
    put(out, header.height_px.to_le_bytes())?;
    // No pixel format is an empty name, no frame rate is 0/0, no duration is zero.
    put_bytes(out, header.pixel_format.as_ref().map_or(&[], |name| name.as_str().as_bytes()))?;
    put(out, header.bits_per_sample.to_le_bytes())?;
    put(out, header.profile.to_le_bytes())?;
    put(out, header.level.to_le_bytes())?;
    put(out, [header.reorder_frames, header.matrix, header.range])?;
    put(out, header.time_base.num().to_le_bytes())?;
    put(out, header.time_base.den().to_le_bytes())?;
    put(out, header.frame_rate.map_or(0, |rate| rate.num()).to_le_bytes())?;
    put(out, header.frame_rate.map_or(0, |rate| rate.den()).to_le_bytes())?;
    put(out, header.duration_us.unwrap_or(0).to_le_bytes())?;
    put(out, [u8::from(header.origin_unix_ms.is_some())])?;
    put(out, header.origin_unix_ms.unwrap_or(0).to_le_bytes())?;
    put(out, header.skipped_ms.to_le_bytes())?;
    put(out, header.rotation_deg.to_le_bytes())
}
