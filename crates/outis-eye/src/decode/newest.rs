//! A live stream of which only the newest picture matters, and that nobody waits for.

use std::io::Read;

use ffmpeg_next::frame::Video;
use outis_measure::MediaTime;
use outis_packet::{Header, Item, Trickle};

use super::{
    convert::Converter,
    decoder::{Decoder, Output},
};
use crate::frame::{Frame, Rotation};

/// The most packets that are decoded at once: what comes faster is decoded the next time.
const PACKETS_MAX: usize = 50;

/// Decodes what comes.
pub(crate) struct Newest<R: Read> {
    packets: Trickle<R>,
    decoding: Option<Decoding>,
}

struct Decoding {
    decoder: Decoder,
    converter: Converter,
    rotation: Rotation,
    /// A key frame has come, and all since: pictures are whole.
    has_begun: bool,
}

/// The stream is over, or cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

impl<R: Read> Newest<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { packets: Trickle::new(input), decoding: None }
    }

    /// Decodes what has come since the last call. The newest of its pictures, if there is one that can be read; by when its
    /// packet came. What is not wanted is left out, up to the next key frame that is.
    ///
    /// # Errors
    /// When nothing will come any more.
    pub(crate) fn take(&mut self, is_wanted: bool) -> Result<Option<Frame>, Gone> {
        let mut newest = None;
        for _ in 0..PACKETS_MAX {
            if self.decoding.is_none() {
                let Some(header) = self.packets.read_header().map_err(|_| Gone)? else { break };
                self.decoding = Some(Decoding::open(header)?);
            }
            let Some(decoding) = &mut self.decoding else { break };
            let packet = match self.packets.read() {
                Ok(Some(Item::Packet(packet))) => packet,
                Ok(None) => break,
                Ok(Some(Item::End(_))) | Err(_) => return Err(Gone),
            };
            if !is_wanted || !decoding.has_begun && !packet.key {
                decoding.has_begun = false;
                continue;
            }
            if !decoding.has_begun {
                decoding.decoder.restart();
                decoding.has_begun = true;
            }
            decoding.decoder.send(&packet);
            let at = MediaTime::from_micros(i64::try_from(packet.arrival_us).unwrap_or(i64::MAX));
            while let Some(video) = decoding.next() {
                newest = Some((video, at));
            }
        }
        let (Some((video, at)), Some(decoding)) = (newest, &mut self.decoding) else { return Ok(None) };
        Ok(decoding.converter.convert(video, at, decoding.rotation).ok())
    }
}

impl Decoding {
    fn open(header: &Header) -> Result<Self, Gone> {
        Ok(Self {
            decoder: Decoder::open(header).map_err(|_| Gone)?,
            converter: Converter::default(),
            rotation: Rotation::from_degrees(header.rotation_deg.into()),
            has_begun: false,
        })
    }

    fn next(&mut self) -> Option<Video> {
        match self.decoder.receive() {
            Output::Frame(video) => Some(video),
            // A damaged picture is followed by a sound one.
            Output::Damaged | Output::Unsupported | Output::Hungry | Output::Empty => None,
        }
    }
}
