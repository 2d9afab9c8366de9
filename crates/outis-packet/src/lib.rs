//! What passes from the intake to the eye: the parameters of one encoded video stream, then its packets.
//!
//! ```text
//! "OutisPkt" version header  (packet)*  end
//! ```
//! Pure: knows no codec, opens no file. A [`Reader`] trusts nothing: whatever the bytes are, it neither panics
//! nor holds more memory than the limits of [`Header`] and [`Packet`] allow.
//!
//! Alternative considered: a standard container such as NUT, read by libavformat in the eye. Refused, because
//! then a demuxer, which is as much C code again, would parse hostile bytes beside the pictures. This format
//! is a page of safe Rust, and carries nothing a decoder has no use for.
#![forbid(unsafe_code)]

mod header;
mod read;
mod trickle;
mod wire;
mod write;

pub use header::{Header, Name, NameError, Ratio};
pub use read::{Item, ReadError, Reader};
pub use trickle::Trickle;
pub use write::{WriteError, Writer};

/// The first bytes of a stream.
const MAGIC: [u8; 8] = *b"OutisPkt";

/// Changes whenever the bytes do: both ends come from one build, so no version but this one is ever read.
const VERSION: u16 = 3;

const TAG_PACKET: u8 = 1;
const TAG_END: u8 = 2;

/// One encoded packet, borrowed from the demuxer or from the [`Reader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packet<'a> {
    /// When its frame is shown, in units of [`Header::time_base`].
    pub pts: Option<i64>,
    /// When it is decoded, in the same units.
    pub dts: Option<i64>,
    /// How long its frame is shown, in the same units; 0 when unknown.
    pub duration: i64,
    /// When it came, in microseconds since the first packet of a [live](Header::origin_unix_ms) source, by a clock that
    /// is never set; 0 in a file.
    pub arrival_us: u64,
    /// Decoding can start here.
    pub key: bool,
    /// The demuxer knows that bytes are missing or wrong.
    pub corrupt: bool,
    /// New codec parameters that hold from this packet on; empty when they stay.
    pub new_extradata: &'a [u8],
    /// The encoded bytes.
    pub data: &'a [u8],
}

impl Packet<'_> {
    /// The most bytes of one packet: a raw 4K picture of 16-bit samples has 50 MB.
    pub const DATA_MAX: usize = 64 << 20;
}

/// How the source came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it was sent.
    Complete,
    /// It broke off, or lost parts.
    Truncated,
}
