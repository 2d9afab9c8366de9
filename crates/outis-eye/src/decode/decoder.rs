//! One decoder of libavcodec, single-threaded. Knows packets and frames; knows no time.

use ffmpeg_next::{
    Error,
    codec::{Context, Flags, packet, threading},
    decoder,
    frame::Video,
};
use outis_packet::{Header, Packet};

use super::ffi;

/// The most pixels of a picture: 8K video has 33 million. Bounds what a damaged header can make a decoder allocate.
const PIXELS_MAX: u32 = 40_000_000;

/// A decoder that is being emptied may fail this often in a row before it counts as empty.
const ERRORS_IN_A_ROW_MAX: u32 = 64;

/// A decoder for one stream.
pub(crate) struct Decoder {
    video: decoder::Video,
    errors_in_a_row: u32,
}

/// There is no decoder for the stream, or it refuses the stream's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// What a decoder has to give.
pub(crate) enum Output {
    /// A frame.
    Frame(Video),
    /// Nothing, until it gets another packet.
    Hungry,
    /// A part of a packet could not be decoded.
    Damaged,
    /// The stream uses a feature that libav has not got.
    Unsupported,
    /// Nothing any more.
    Empty,
}

impl Decoder {
    /// Opens the decoder for a stream.
    pub(crate) fn open(header: &Header) -> Result<Self, Refused> {
        let id = ffi::codec_id(&header.codec).ok_or(Refused)?;
        let codec = decoder::find(id).ok_or(Refused)?;
        let parameters = ffi::parameters(id, header).ok_or(Refused)?;
        let mut context = Context::from_parameters(parameters).map_err(|_| Refused)?;
        // Between processes, not threads, is where cores are shared: one eye a camera.
        context.set_threading(threading::Config::count(1));
        // A damaged frame still shows most people: use it, and say so.
        context.set_flags(Flags::OUTPUT_CORRUPT);
        ffi::limit_pixels(&mut context, PIXELS_MAX);
        let mut decoder = context.decoder();
        decoder.set_packet_time_base((header.time_base.num() as i32, header.time_base.den() as i32));
        let video = decoder.open_as(codec).and_then(|opened| opened.video()).map_err(|_| Refused)?;
        Ok(Self { video, errors_in_a_row: 0 })
    }

    /// Gives the decoder a packet. Ask for its frames until it is [`Output::Hungry`] before the next one.
    pub(crate) fn send(&mut self, packet: &Packet<'_>) -> Output {
        // To libav an empty packet is the end of the stream.
        if packet.data.is_empty() {
            return Output::Damaged;
        }
        let mut to_libav = packet::Packet::copy(packet.data);
        to_libav.set_pts(packet.pts);
        to_libav.set_dts(packet.dts);
        to_libav.set_duration(packet.duration);
        let flags = [(packet.key, packet::Flags::KEY), (packet.corrupt, packet::Flags::CORRUPT)];
        to_libav.set_flags(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect());
        if !packet.new_extradata.is_empty() && !ffi::attach_extradata(&mut to_libav, packet.new_extradata) {
            return Output::Damaged;
        }
        match self.video.send_packet(&to_libav) {
            Ok(()) => Output::Hungry,
            Err(error) => Output::from(error),
        }
    }

    /// Says that no packet follows. Frames that were held back for their order come now.
    pub(crate) fn drain(&mut self) {
        // Fails only when it was said before.
        let _ = self.video.send_eof();
    }

    /// Begins anew, with a key frame, after it was [drained](Self::drain) or in the middle of a stream.
    pub(crate) fn restart(&mut self) {
        self.video.flush();
        self.errors_in_a_row = 0;
    }

    /// Takes the next frame.
    pub(crate) fn receive(&mut self) -> Output {
        let mut frame = Video::empty();
        let output = match self.video.receive_frame(&mut frame) {
            Ok(()) => Output::Frame(frame),
            Err(error) => Output::from(error),
        };
        match output {
            Output::Damaged | Output::Unsupported if self.errors_in_a_row >= ERRORS_IN_A_ROW_MAX => {
                return Output::Empty;
            }
            Output::Damaged | Output::Unsupported => self.errors_in_a_row += 1,
            _ => self.errors_in_a_row = 0,
        }
        output
    }
}

impl From<Error> for Output {
    fn from(error: Error) -> Self {
        match error {
            Error::Eof => Self::Empty,
            Error::PatchWelcome | Error::DecoderNotFound => Self::Unsupported,
            Error::Other { errno } if errno == ffmpeg_next::error::EAGAIN => Self::Hungry,
            _ => Self::Damaged,
        }
    }
}
