//! One open source: its video stream, and its packets in the order of the file.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use ffmpeg_next::{
    self as ffmpeg, Dictionary, Error, Stream,
    codec::packet::{self, side_data::Type as SideData},
    format::{
        self,
        context::{Input as Demuxer, StreamIo},
        stream::Disposition,
    },
    media,
};
use outis_jail::Input;
use outis_packet::{Header, Name, Ratio};

use crate::ffi;

/// Containers that are read. Left out are formats that point to other files or addresses, such as play lists:
/// a file from a stranger shall not choose what is opened next.
const CONTAINERS: &str = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,mjpeg,obu,av1,ivf,ogg,\
    flv,asf,nut,mxf,dv,yuv4mpegpipe,gif,jpeg_pipe,png_pipe,bmp_pipe,tiff_pipe,webp_pipe,image2";

/// An error of the demuxer is stepped over this often in a row before the source counts as broken off.
const ERRORS_IN_A_ROW_MAX: u32 = 16;

/// An open video source.
pub(crate) struct Source {
    input: Demuxer,
    stream: usize,
    header: Header,
    /// Whether the times of its packets mean anything.
    timed: bool,
}

/// Why a source cannot be opened. The sentences follow "cannot open PATH:".
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("there is no such file; check the path")]
    NotFound,
    #[error("permission denied; let the user that runs this program read the file")]
    Permission,
    #[error("this is a directory; name one video file in it")]
    Directory,
    #[error("the file is empty; copy it again")]
    EmptyFile,
    #[error(
        "this is no video in a known container, or its beginning is damaged; if `ffprobe` can read it, convert \
         it with `ffmpeg -i FILE -c copy FILE.mkv` (an MP4 whose recording was cut off has no index and cannot \
         be read)"
    )]
    NotVideo,
    #[error("there is no video stream in it, only other media; name a file with moving pictures")]
    NoVideoStream,
    #[error("it is video of an unknown codec; convert it with `ffmpeg -i FILE -c:v libx264 FILE.mp4`")]
    UnknownCodec,
    #[error("its {0} is beyond any real video's; the file is damaged")]
    OutOfRange(&'static str),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Library(Error),
}

/// Opens a file, and nothing but it. Reads nothing.
pub(crate) fn open(path: &Path) -> Result<File, OpenError> {
    let metadata = fs::metadata(path).map_err(OpenError::from_io)?;
    if metadata.is_dir() {
        return Err(OpenError::Directory);
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(OpenError::EmptyFile);
    }
    File::open(path).map_err(OpenError::from_io)
}

/// What comes next from a source.
pub(crate) enum Next {
    /// A packet of the video stream.
    Video(packet::Packet),
    /// A packet of another stream. Only its time matters.
    Other(packet::Packet),
    /// The demuxer met an error and stepped over it.
    Skipped,
    /// The end of the file.
    End,
    /// The demuxer cannot go on.
    Broken,
}

impl Source {
    /// Chooses the video stream of an open file. `name` is the file's, of which only the ending matters.
    pub(crate) fn new(bytes: Input, seekable: bool, name: &str) -> Result<Self, OpenError> {
        let stream = if seekable { StreamIo::from_read_seek(bytes) } else { StreamIo::from_read(bytes) };
        let input = stream.and_then(|stream| format::input_from_stream(stream, Some(name), Some(options())));
        let input = input.map_err(OpenError::from_library)?;
        Self::of(input, true)
    }

    /// Chooses the video stream of a camera that has answered. Not a packet of it has been read.
    pub(crate) fn of_camera(input: Demuxer, timed: bool) -> Result<Self, OpenError> {
        Self::of(input, timed)
    }

    fn of(input: Demuxer, timed: bool) -> Result<Self, OpenError> {
        let stream = video_stream(&input).ok_or_else(|| {
            if input.streams().any(|stream| moves(&stream)) {
                OpenError::UnknownCodec
            } else {
                OpenError::NoVideoStream
            }
        })?;
        let header = header(&input, &stream)?;
        let stream = stream.index();
        Ok(Self { input, stream, header, timed })
    }

    /// Asks a camera to send.
    pub(crate) fn play(&mut self) -> Result<(), Error> {
        self.input.play()
    }

    /// The parameters of the video stream.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the times of its packets mean anything.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed
    }

    /// The length the container states, in microseconds.
    pub(crate) fn stated_duration_us(&self) -> Option<i64> {
        ffi::stated_duration_us(&self.input)
    }

    /// When a packet starts and ends, in microseconds of the file's clock, when it says so.
    pub(crate) fn span_us(&self, packet: &packet::Packet) -> Option<(i64, i64)> {
        let time_base = self.input.stream(packet.stream())?.time_base();
        let start = packet.pts().or(packet.dts())?;
        let us = |time: i64| ffmpeg::Rescale::rescale(&time, time_base, (1, 1_000_000));
        Some((us(start), us(start.saturating_add(packet.duration().max(0)))))
    }

    /// When a packet of the video stream is decoded, in microseconds of the file's clock; the packet's number,
    /// from 0, and the frame rate tell when it does not say so itself.
    pub(crate) fn decoded_at_us(&self, packet: &packet::Packet, number: u32) -> i64 {
        let Header { time_base, frame_rate, .. } = self.header;
        let stamped = packet.dts().or(packet.pts()).map(|time| time as f64 * time_base.as_f64());
        let seconds = stamped.or_else(|| frame_rate.map(|rate| f64::from(number) / rate.as_f64()));
        // A cast of a number beyond the range gives the end of the range.
        (seconds.unwrap_or(0.0) * 1e6) as i64
    }

    /// Reads the next packet.
    pub(crate) fn read(&mut self, errors_in_a_row: &mut u32) -> Next {
        let mut packet = packet::Packet::empty();
        match packet.read(&mut self.input) {
            Ok(()) => {
                *errors_in_a_row = 0;
                if packet.stream() == self.stream { Next::Video(packet) } else { Next::Other(packet) }
            }
            Err(Error::Eof) => Next::End,
            Err(_) if *errors_in_a_row < ERRORS_IN_A_ROW_MAX => {
                *errors_in_a_row += 1;
                Next::Skipped
            }
            Err(_) => Next::Broken,
        }
    }
}

impl OpenError {
    fn from_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Permission,
            _ => Self::Io(error),
        }
    }

    fn from_library(error: Error) -> Self {
        match error {
            Error::Other { errno } if errno != ffmpeg::error::EINVAL => {
                Self::from_io(io::Error::from_raw_os_error(errno))
            }
            Error::InvalidData | Error::Eof | Error::Other { .. } | Error::DemuxerNotFound => Self::NotVideo,
            error => Self::Library(error),
        }
    }
}

fn options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("format_whitelist", CONTAINERS);
    // Bytes come from the descriptor we give it; it opens nothing by itself.
    options.set("protocol_whitelist", "none");
    // The library would open decoders to look into the stream; none has this name.
    options.set("codec_whitelist", "none");
    options
}

/// The stream the file prefers, or else its first; pictures attached to it, such as covers, are no video.
fn video_stream(input: &Demuxer) -> Option<Stream<'_>> {
    let is_video = |stream: &Stream<'_>| moves(stream) && stream.parameters().id() != ffmpeg::codec::Id::None;
    let best = input.streams().best(media::Type::Video).filter(is_video);
    best.or_else(|| input.streams().find(is_video))
}

/// Whether it is video, of a codec that is known or not.
fn moves(stream: &Stream<'_>) -> bool {
    let attached = stream.disposition().contains(Disposition::ATTACHED_PIC);
    stream.parameters().medium() == media::Type::Video && !attached
}

fn header(input: &Demuxer, stream: &Stream<'_>) -> Result<Header, OpenError> {
    let p = ffi::parameters(stream);
    if p.extradata.len() > Header::EXTRADATA_MAX {
        return Err(OpenError::OutOfRange("block of codec parameters"));
    }
    let ratio = |r: ffmpeg::Rational| Ratio::new(r.numerator().into(), r.denominator().into());
    let side = |px: i32| u32::try_from(px).ok().filter(|&px| px <= Header::SIDE_MAX_PX);
    Ok(Header {
        codec: Name::new(stream.parameters().id().name()).map_err(|_| OpenError::OutOfRange("codec name"))?,
        codec_tag: p.codec_tag,
        extradata: p.extradata,
        width_px: side(p.width).ok_or(OpenError::OutOfRange("picture width"))?,
        height_px: side(p.height).ok_or(OpenError::OutOfRange("picture height"))?,
        pixel_format: p.pixel_format.and_then(|name| Name::new(&name).ok()),
        bits_per_sample: u32::try_from(p.bits_per_sample).ok().filter(|&bits| bits <= 256).unwrap_or(0),
        profile: p.profile,
        level: p.level,
        reorder_frames: u8::try_from(p.reorder_frames).unwrap_or(0),
        matrix: u8::try_from(p.matrix).unwrap_or(2),
        range: u8::try_from(p.range).ok().filter(|&range| range <= 2).unwrap_or(0),
        time_base: ratio(stream.time_base()).ok_or(OpenError::OutOfRange("unit of time"))?,
        frame_rate: ratio(stream.avg_frame_rate()).or_else(|| ratio(stream.rate())),
        duration_us: ffi::stated_duration_us(input).and_then(|us| u64::try_from(us).ok()),
        origin_unix_ms: None,
        skipped_ms: 0,
        rotation_deg: rotation_deg(stream),
    })
}

/// The clockwise quarter turn nearest to the one that the stream's display matrix makes.
fn rotation_deg(stream: &Stream<'_>) -> u16 {
    let matrix = stream.side_data().find(|data| data.kind() == SideData::DisplayMatrix);
    matrix.map_or(0, |matrix| quarter_turn_deg(matrix.data()))
}

/// `matrix` holds nine native 32-bit numbers, row by row (libavutil/display.h):
/// a picture's point (p, q) is shown at x = a·p + c·q, y = b·p + d·q with a, b, u, c, d, … in this order.
fn quarter_turn_deg(matrix: &[u8]) -> u16 {
    let number = |index: usize| {
        let bytes = matrix.get(4 * index..)?.first_chunk()?;
        Some(f64::from(i32::from_ne_bytes(*bytes)))
    };
    let (Some(a), Some(b)) = (number(0), number(1)) else { return 0 };
    let quarters = (b.atan2(a).to_degrees() / 90.0).round() as i32;
    (quarters.rem_euclid(4) * 90) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_matrix_is_a_quarter_turn() {
        const ONE: i32 = 1 << 16;
        let cases = [
            ("upright", [ONE, 0, 0, ONE], 0),
            ("phone held upright", [0, ONE, -ONE, 0], 90),
            ("upside down", [-ONE, 0, 0, -ONE], 180),
            ("other hand", [0, -ONE, ONE, 0], 270),
            ("two degrees askew", [65_496, 2287, -2287, 65_496], 0),
            ("all zero", [0; 4], 0),
        ];
        for (name, [a, b, c, d], degrees) in cases {
            let matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 30].map(i32::to_ne_bytes).concat();
            assert_eq!(quarter_turn_deg(&matrix), degrees, "{name}");
        }
        assert_eq!(quarter_turn_deg(&[1, 2, 3]), 0, "too short");
    }
}
