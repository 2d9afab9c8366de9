//! The loop: packets of one stream, from the demuxer to the pipe.

use std::{
    io::Write,
    mem::ManuallyDrop,
    thread,
    time::{Instant, SystemTime},
};

use ffmpeg_next::codec::packet::{self, side_data::Type as SideData};
use outis_packet::{Ending, Header, Packet, WriteError, Writer};

use crate::{
    pace::Pace,
    patience::Patience,
    source::{Next, Source},
    verdict::Verdict,
};

/// Passes on every packet of the source's video stream, from the first key frame at this place or after it, then says
/// whether the source was whole.
///
/// # Errors
/// When the pipe fails.
pub(crate) fn forward(
    mut source: Source,
    out: impl Write,
    mut pace: Pace,
    from_ms: u64,
) -> Result<(), WriteError> {
    let mut start =
        Start { from_us: i64::try_from(from_ms).unwrap_or(i64::MAX).saturating_mul(1000), first_us: None };
    let mut stream = match from_ms {
        0 => Stream::Begun(Writer::new(out, source.header())?),
        _ => Stream::Skipping(Some(out)),
    };
    let mut verdict = Verdict::new(source.stated_duration_us());
    let started = Instant::now();
    let (mut errors_in_a_row, mut packets) = (0, 0);
    loop {
        match source.read(&mut errors_in_a_row) {
            Next::Video(packet) => {
                note(&mut verdict, &source, &packet);
                verdict.newest(packet.is_corrupt());
                let at_us = source.decoded_at_us(&packet, packets);
                packets += 1;
                if let Stream::Skipping(out) = &mut stream {
                    let Some(skipped_us) = start.reached(at_us, packet.is_key()) else { continue };
                    let skipped_ms =
                        u64::try_from(skipped_us / 1000).unwrap_or(0).min(Header::SKIPPED_MAX_MS);
                    let header = Header { skipped_ms, ..source.header().clone() };
                    let Some(out) = out.take() else { continue };
                    stream = Stream::Begun(Writer::new(out, &header)?);
                }
                let Stream::Begun(writer) = &mut stream else { continue };
                thread::sleep(pace.wait(at_us, started.elapsed()));
                match write(writer, &packet, Times::OfFile) {
                    Err(WriteError::TooLarge { .. }) => verdict.failed(),
                    other => other?,
                }
            }
            Next::Other(packet) => note(&mut verdict, &source, &packet),
            Next::Skipped => verdict.failed(),
            Next::End => return stream.end(source.header(), verdict.ending()),
            Next::Broken => return stream.end(source.header(), Ending::Truncated),
        }
    }
}

/// Where a file begins to be passed on.
#[derive(Debug)]
struct Start {
    from_us: i64,
    /// The time of the file's first packet.
    first_us: Option<i64>,
}

impl Start {
    /// How much of the file lies before a packet, when it is to be passed on with all that follow.
    fn reached(&mut self, at_us: i64, key: bool) -> Option<i64> {
        let skipped_us = at_us.saturating_sub(*self.first_us.get_or_insert(at_us));
        (key && skipped_us >= self.from_us).then_some(skipped_us)
    }
}

/// A stream that may not have begun.
enum Stream<W: Write> {
    Skipping(Option<W>),
    Begun(Writer<W>),
}

impl<W: Write> Stream<W> {
    fn end(self, header: &Header, ending: Ending) -> Result<(), WriteError> {
        match self {
            Self::Begun(writer) => writer.end(ending),
            Self::Skipping(Some(out)) => Writer::new(out, header)?.end(ending),
            Self::Skipping(None) => Ok(()),
        }
    }
}

/// How a camera came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// It ended its stream.
    Ended,
    /// It sent nothing for too long.
    Silent,
}

/// Passes on every packet of a camera's video as it comes. The source is left open: it is for the end of a process.
///
/// # Errors
/// When the pipe fails.
pub(crate) fn follow(source: Source, out: impl Write, patience: &Patience) -> Result<Followed, WriteError> {
    // To close it takes calls that a locked process has not got.
    let mut source = ManuallyDrop::new(source);
    let mut out = Some(out);
    let mut stream: Option<(Instant, Writer<_>)> = None;
    let (mut errors_in_a_row, mut verdict) = (0, Verdict::new(None));
    loop {
        let next = source.read(&mut errors_in_a_row);
        // When it is over, libav may still have a frame that it held back.
        let is_silent = patience.is_over();
        match next {
            Next::Video(packet) => {
                verdict.newest(packet.is_corrupt());
                if let Some(out) = out.take() {
                    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                    let origin_unix_ms = since_epoch.map_or(0, |time| time.as_millis() as u64);
                    let header = Header { origin_unix_ms: Some(origin_unix_ms), ..source.header().clone() };
                    stream = Some((Instant::now(), Writer::new(out, &header)?));
                }
                if let Some((first, writer)) = &mut stream {
                    let arrival_us = first.elapsed().as_micros() as u64;
                    let times = Times::OfCamera { arrival_us, timed: source.is_timed() };
                    match write(writer, &packet, times) {
                        Err(WriteError::TooLarge { .. }) => verdict.failed(),
                        other => other?,
                    }
                }
                if is_silent {
                    return Ok(Followed::Silent);
                }
                patience.renew();
            }
            // What is left out ends as a truncated stream.
            _ if is_silent => return Ok(Followed::Silent),
            Next::End | Next::Broken => {
                let ending = if matches!(next, Next::End) { verdict.ending() } else { Ending::Truncated };
                return stream.map_or(Ok(()), |(_, writer)| writer.end(ending)).map(|()| Followed::Ended);
            }
            Next::Skipped => verdict.failed(),
            Next::Other(_) => {}
        }
    }
}

/// What is told of the times of a packet.
#[derive(Debug, Clone, Copy)]
enum Times {
    OfFile,
    OfCamera { arrival_us: u64, timed: bool },
}

fn note(verdict: &mut Verdict, source: &Source, packet: &packet::Packet) {
    if let Some((start_us, end_us)) = source.span_us(packet) {
        verdict.came(start_us, end_us);
    }
}

fn write(writer: &mut Writer<impl Write>, packet: &packet::Packet, times: Times) -> Result<(), WriteError> {
    let (arrival_us, timed) = match times {
        Times::OfFile => (0, true),
        Times::OfCamera { arrival_us, timed } => (arrival_us, timed),
    };
    let new_extradata = packet.side_data().find(|data| data.kind() == SideData::NewExtraData);
    writer.packet(&Packet {
        pts: packet.pts().filter(|_| timed),
        dts: packet.dts().filter(|_| timed),
        duration: packet.duration(),
        arrival_us,
        key: packet.is_key(),
        corrupt: packet.is_corrupt(),
        new_extradata: new_extradata.as_ref().map_or(&[], |data| data.data()),
        data: packet.data().unwrap_or(&[]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_the_first_key_frame_at_its_place() {
        let mut start = Start { from_us: 2_000, first_us: None };
        let packets = [(500, true), (2_400, true), (2_600, false), (3_000, true)];
        let reached = packets.map(|(at_us, key)| start.reached(at_us, key));
        assert_eq!(reached, [None, None, None, Some(2_500)]);
    }
}
