//! The eye's side: reads a stream whose every byte may be hostile.

use std::io::{self, BufReader, ErrorKind, Read};

use crate::{
    Ending, Header, MAGIC, Name, Packet, Ratio, TAG_END, TAG_PACKET, VERSION,
    wire::{get, get_bytes, get_time},
};

/// Reads one stream. Buffers are kept from packet to packet.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: BufReader<R>,
    header: Header,
    extradata: Vec<u8>,
    data: Vec<u8>,
    ended: Option<Ending>,
}

/// What comes next in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// The stream is over. Further reads say so again.
    End(Ending),
}

/// Why a stream cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The pipe failed.
    #[error("cannot read from the intake: {0}")]
    Io(#[from] io::Error),
    /// There is no stream: nothing was sent, or not even a whole header.
    #[error("the intake sent no stream")]
    NoStream,
    /// These are not the bytes of an intake.
    #[error("the input is not a packet stream of outis-intake")]
    Magic,
    /// The other end comes from another build.
    #[error(
        "packet stream has format version {0}, expected {VERSION}: intake and eye come from different builds"
    )]
    Version(u16),
    /// A field holds what it cannot hold.
    #[error("field `{0}` of the packet stream is out of range")]
    Field(&'static str),
}

impl<R: Read> Reader<R> {
    /// Reads the header of a stream.
    ///
    /// # Errors
    /// When there is no stream, or its header is not valid.
    pub fn new(input: R) -> Result<Self, ReadError> {
        let mut input = BufReader::new(input);
        let header = get_header(&mut input).map_err(|error| match error {
            ReadError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => ReadError::NoStream,
            other => other,
        })?;
        Ok(Self { input, header, extradata: Vec::new(), data: Vec::new(), ended: None })
    }

    /// The parameters of the stream.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads on. A stream that stops without its end marker is [`Ending::Truncated`].
    ///
    /// # Errors
    /// When the pipe fails or the bytes are not valid; the stream counts as truncated from then on.
    // Not an `Iterator`: a packet is borrowed from the reader until the next one is asked for.
    pub fn read(&mut self) -> Result<Item<'_>, ReadError> {
        if let Some(ending) = self.ended {
            return Ok(Item::End(ending));
        }
        let next = match get_item(&mut self.input, &mut self.extradata, &mut self.data) {
            Err(ReadError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                Ok(Next::End(Ending::Truncated))
            }
            other => other,
        };
        match next {
            Ok(Next::Packet(fields)) => {
                Ok(Item::Packet(Packet { new_extradata: &self.extradata, data: &self.data, ..fields }))
            }
            Ok(Next::End(ending)) => {
                self.ended = Some(ending);
                Ok(Item::End(ending))
            }
            Err(error) => {
                self.ended = Some(Ending::Truncated);
                Err(error)
            }
        }
    }
}

/// An item whose bytes, if it is a packet, are in buffers of their own.
pub(crate) enum Next {
    Packet(Packet<'static>),
    End(Ending),
}

/// Reads the next item; a packet's bytes go to the buffers, its other fields are returned.
pub(crate) fn get_item(
    input: &mut impl Read,
    extradata: &mut Vec<u8>,
    data: &mut Vec<u8>,
) -> Result<Next, ReadError> {
    match get(input)? {
        [TAG_END] => match get(input)? {
            [0] => Ok(Next::End(Ending::Complete)),
            [1] => Ok(Next::End(Ending::Truncated)),
            _ => Err(ReadError::Field("ending")),
        },
        [TAG_PACKET] => {
            let [flags] = get(input)?;
            if flags > 0b11 {
                return Err(ReadError::Field("flags"));
            }
            let (pts, dts) = (get_time(input)?, get_time(input)?);
            let duration = i64::from_le_bytes(get(input)?);
            let arrival_us = u64::from_le_bytes(get(input)?);
            fill_bytes(input, "extradata", Header::EXTRADATA_MAX, extradata)?;
            fill_bytes(input, "packet", Packet::DATA_MAX, data)?;
            let (key, corrupt) = (flags & 0b01 != 0, flags & 0b10 != 0);
            Ok(Next::Packet(Packet { pts, dts, duration, arrival_us, key, corrupt, ..Packet::default() }))
        }
        _ => Err(ReadError::Field("tag")),
    }
}

pub(crate) fn get_header(input: &mut impl Read) -> Result<Header, ReadError> {
    if get(input)? != MAGIC {
        return Err(ReadError::Magic);
    }
    let version = u16::from_le_bytes(get(input)?);
    if version != VERSION {
        return Err(ReadError::Version(version));
    }
    let codec = get_name(input, "codec")?.ok_or(ReadError::Field("codec"))?;
    let codec_tag = u32::from_le_bytes(get(input)?);
    let mut extradata = Vec::new();
    fill_bytes(input, "extradata", Header::EXTRADATA_MAX, &mut extradata)?;
    let (width_px, height_px) = (get_side(input, "width")?, get_side(input, "height")?);
    let pixel_format = get_name(input, "pixel format")?;
    let bits_per_sample = u32::from_le_bytes(get(input)?);
    let (profile, level) = (i32::from_le_bytes(get(input)?), i32::from_le_bytes(get(input)?));
    let [reorder_frames, matrix, range] = get(input)?;
    let time_base = get_ratio(input, "time base")?.ok_or(ReadError::Field("time base"))?;
    let frame_rate = get_ratio(input, "frame rate")?;
    let duration_us = Some(u64::from_le_bytes(get(input)?)).filter(|&duration| duration > 0);
    let ([live], origin_unix_ms) = (get(input)?, u64::from_le_bytes(get(input)?));
    let skipped_ms = u64::from_le_bytes(get(input)?);
    let rotation_deg = u16::from_le_bytes(get(input)?);
    check("bits per sample", bits_per_sample <= 256)?;
    check("range", range <= 2)?;
    check("live", live <= 1)?;
    check("origin", origin_unix_ms <= if live == 1 { Header::ORIGIN_MAX_MS } else { 0 })?;
    check("skipped", skipped_ms <= if live == 1 { 0 } else { Header::SKIPPED_MAX_MS })?;
    check("rotation", matches!(rotation_deg, 0 | 90 | 180 | 270))?;
    Ok(Header {
        codec,
        codec_tag,
        extradata,
        width_px,
        height_px,
        pixel_format,
        bits_per_sample,
        profile,
        level,
        reorder_frames,
        matrix,
        range,
        time_base,
        frame_rate,
        duration_us,
        origin_unix_ms: (live == 1).then_some(origin_unix_ms),
        skipped_ms,
        rotation_deg,
    })
}

fn check(field: &'static str, holds: bool) -> Result<(), ReadError> {
    if holds { Ok(()) } else { Err(ReadError::Field(field)) }
}

fn fill_bytes(
    input: &mut impl Read,
    field: &'static str,
    max: usize,
    out: &mut Vec<u8>,
) -> Result<(), ReadError> {
    get_bytes(input, max, out)?.map_err(|_stated| ReadError::Field(field))
}

fn get_name(input: &mut impl Read, field: &'static str) -> Result<Option<Name>, ReadError> {
    let mut bytes = Vec::new();
    fill_bytes(input, field, Name::LEN_MAX, &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let name = str::from_utf8(&bytes).ok().and_then(|text| Name::new(text).ok());
    name.map(Some).ok_or(ReadError::Field(field))
}

fn get_side(input: &mut impl Read, field: &'static str) -> Result<u32, ReadError> {
    let side = u32::from_le_bytes(get(input)?);
    check(field, side <= Header::SIDE_MAX_PX)?;
    Ok(side)
}

fn get_ratio(input: &mut impl Read, field: &'static str) -> Result<Option<Ratio>, ReadError> {
    let (num, den) = (u32::from_le_bytes(get(input)?), u32::from_le_bytes(get(input)?));
    if (num, den) == (0, 0) {
        return Ok(None);
    }
    Ratio::new(num.into(), den.into()).map(Some).ok_or(ReadError::Field(field))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Writer;

    pub(crate) fn header() -> Header {
        Header {
            codec: Name::new("h264").unwrap(),
            codec_tag: 0x3163_7661,
            extradata: vec![1, 2, 3],
            width_px: 768,
            height_px: 576,
            pixel_format: None,
            bits_per_sample: 24,
            profile: 100,
            level: -99,
            reorder_frames: 2,
            matrix: 2,
            range: 0,
            time_base: Ratio::new(1, 12_800).unwrap(),
            frame_rate: Ratio::new(10, 1),
            duration_us: Some(79_500_000),
            origin_unix_ms: Some(1_700_000_000_000),
            skipped_ms: 0,
            rotation_deg: 90,
        }
    }

    const PACKET: Packet<'static> = Packet {
        pts: Some(-1),
        dts: None,
        duration: 512,
        arrival_us: 40_000,
        key: true,
        corrupt: false,
        new_extradata: &[],
        data: b"some encoded bytes",
    };

    fn written(packets: &[Packet<'_>], ending: Option<Ending>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, &header()).unwrap();
        packets.iter().for_each(|packet| writer.packet(packet).unwrap());
        if let Some(ending) = ending {
            writer.end(ending).unwrap();
        } else {
            drop(writer);
        }
        out
    }

    /// Reads to the end, whatever comes, and returns how many packets there were and how it ended.
    fn read_all(bytes: &[u8]) -> Result<(usize, Ending), ReadError> {
        let mut reader = Reader::new(bytes)?;
        for packets in 0.. {
            if let Item::End(ending) = reader.read()? {
                assert_eq!(reader.read().unwrap(), Item::End(ending), "the end is final");
                return Ok((packets, ending));
            }
        }
        unreachable!("a stream has an end")
    }

    #[test]
    fn what_is_written_is_read() {
        let full = Packet { dts: Some(i64::MAX), corrupt: true, new_extradata: &[9; 40], ..PACKET };
        let empty = Packet::default();
        for ending in [Ending::Complete, Ending::Truncated] {
            let bytes = written(&[PACKET, full, empty], Some(ending));
            let mut reader = Reader::new(&bytes[..]).unwrap();
            assert_eq!(*reader.header(), header());
            for packet in [PACKET, full, empty] {
                assert_eq!(reader.read().unwrap(), Item::Packet(packet));
            }
            assert_eq!(reader.read().unwrap(), Item::End(ending));
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_truncated() {
        let bytes = written(&[PACKET, PACKET], Some(Ending::Complete));
        let header_len = written(&[], None).len();
        for len in 0..bytes.len() {
            match read_all(&bytes[..len]) {
                Err(ReadError::NoStream) => assert!(len < header_len, "{len}"),
                Ok((packets, Ending::Truncated)) => assert!(len >= header_len && packets <= 2, "{len}"),
                other => panic!("{len}: {other:?}"),
            }
        }
        assert!(matches!(read_all(&bytes), Ok((2, Ending::Complete))));
    }

    #[test]
    fn refusals_name_the_field() {
        let good = written(&[PACKET], Some(Ending::Complete));
        let header_len = written(&[], None).len();
        let cases: [(&str, usize, &[u8]); 11] = [
            ("not a packet stream", 0, b"RIFF"),
            ("format version 7", 8, &[7]),
            ("`codec`", 14, b"H264"),
            ("`codec`", 10, &[255, 255, 255, 255]),
            ("`extradata`", 22, &[0, 0, 0, 1]),
            ("`live`", header_len - 19, &[2]),
            ("`origin`", header_len - 19, &[0]),
            ("`skipped`", header_len - 10, &[1]),
            ("`rotation`", header_len - 2, &[45, 0]),
            ("`tag`", header_len, &[3]),
            ("`flags`", header_len + 1, &[4]),
        ];
        for (said, at, bytes) in cases {
            let mut stream = good.clone();
            stream[at..at + bytes.len()].copy_from_slice(bytes);
            let error = read_all(&stream).expect_err(said).to_string();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn a_stated_length_alone_takes_no_memory() {
        let mut bytes = written(&[], None);
        bytes.extend([TAG_PACKET, 0]);
        bytes.extend([0; 32 + 4]);
        bytes.extend((Packet::DATA_MAX as u32).to_le_bytes());
        let mut reader = Reader::new(&bytes[..]).unwrap();
        assert_eq!(reader.read().unwrap(), Item::End(Ending::Truncated));
        assert!(reader.data.capacity() < 1 << 16, "{}", reader.data.capacity());
    }

    #[test]
    fn a_writer_refuses_what_a_reader_would() {
        let mut writer = Writer::new(std::io::sink(), &header()).unwrap();
        let data = vec![0; Packet::DATA_MAX + 1];
        assert!(writer.packet(&Packet { data: &data, ..PACKET }).is_err());
        assert!(writer.packet(&PACKET).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = read_all(&bytes);
            let mut after_header = written(&[], None);
            after_header.extend(bytes);
            let _ = read_all(&after_header);
        }

        #[test]
        fn no_change_of_a_stream_makes_it_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = written(&[PACKET, PACKET], Some(Ending::Complete));
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read_all(&bytes);
        }

        #[test]
        fn packets_survive_the_way(
            pts in proptest::option::of(-1_000_000_000_i64..1_000_000_000),
            dts in proptest::option::of(-1_000_000_000_i64..1_000_000_000),
            duration in any::<i64>(),
            arrival_us in any::<u64>(),
            (key, corrupt) in any::<(bool, bool)>(),
            new_extradata in proptest::collection::vec(any::<u8>(), 0..50),
            data in proptest::collection::vec(any::<u8>(), 0..20_000),
        ) {
            let packet = Packet {
                pts, dts, duration, arrival_us, key, corrupt, new_extradata: &new_extradata, data: &data,
            };
            let bytes = written(&[packet], Some(Ending::Complete));
            let mut reader = Reader::new(&bytes[..]).unwrap();
            prop_assert_eq!(reader.read().unwrap(), Item::Packet(packet));
        }
    }
}
