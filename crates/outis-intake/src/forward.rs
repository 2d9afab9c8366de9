//! The loop: packets of one stream, from the demuxer to the pipe.

use std::{io::Write, thread, time::Instant};

use ffmpeg_next::codec::packet::{self, side_data::Type as SideData};
use outis_packet::{Ending, Packet, WriteError, Writer};

use crate::{
    pace::Pace,
    source::{Next, Source},
    verdict::Verdict,
};

/// Passes on every packet of the source's video stream, then says whether the source was whole.
///
/// # Errors
/// When the pipe fails.
pub(crate) fn forward(mut source: Source, out: impl Write, mut pace: Pace) -> Result<(), WriteError> {
    let mut writer = Writer::new(out, source.header())?;
    let mut verdict = Verdict::new(source.stated_duration_us());
    let started = Instant::now();
    let (mut errors_in_a_row, mut packets) = (0, 0);
    loop {
        match source.read(&mut errors_in_a_row) {
            Next::Video(packet) => {
                note(&mut verdict, &source, &packet);
                verdict.newest(packet.is_corrupt());
                thread::sleep(pace.wait(source.decoded_at_us(&packet, packets), started.elapsed()));
                packets += 1;
                match write(&mut writer, &packet) {
                    Err(WriteError::TooLarge { .. }) => verdict.failed(),
                    other => other?,
                }
            }
            Next::Other(packet) => note(&mut verdict, &source, &packet),
            Next::Skipped => verdict.failed(),
            Next::End => return writer.end(verdict.ending()),
            Next::Broken => return writer.end(Ending::Truncated),
        }
    }
}

fn note(verdict: &mut Verdict, source: &Source, packet: &packet::Packet) {
    if let Some((start_us, end_us)) = source.span_us(packet) {
        verdict.came(start_us, end_us);
    }
}

fn write(writer: &mut Writer<impl Write>, packet: &packet::Packet) -> Result<(), WriteError> {
    let new_extradata = packet.side_data().find(|data| data.kind() == SideData::NewExtraData);
    writer.packet(&Packet {
        pts: packet.pts(),
        dts: packet.dts(),
        duration: packet.duration(),
        key: packet.is_key(),
        corrupt: packet.is_corrupt(),
        new_extradata: new_extradata.as_ref().map_or(&[], |data| data.data()),
        data: packet.data().unwrap_or(&[]),
    })
}
