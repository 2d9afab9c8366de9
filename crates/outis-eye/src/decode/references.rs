//! Which coded pictures no other picture is predicted from: leaving those out costs nothing but themselves.
//!
//! Knows the first bytes of H.264's and HEVC's units and decodes nothing. In doubt a picture counts as needed.

use outis_packet::{Header, Packet};

/// Reads the headers of one stream's packets.
#[derive(Debug)]
pub(crate) struct References {
    codec: Codec,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    H264,
    /// With the highest sub-layer that the stream has, once it is known.
    Hevc {
        top_layer: Option<u8>,
    },
    /// Every picture counts as needed.
    Other,
}

/// How a packet is divided into units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// Each is led by its length in so many bytes (ISO/IEC 14496-15).
    Lengths(usize),
    /// Each is led by the bytes 0, 0, 1 (Annex B of both standards).
    StartCodes,
}

/// What a unit says about the picture it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Another picture may be predicted from it, or later pictures need the unit itself.
    Needed,
    /// Samples of a picture that no other is predicted from.
    Unneeded,
    /// Nothing.
    Silent,
}

impl References {
    pub(crate) fn new(header: &Header) -> Self {
        let extradata = header.extradata.as_slice();
        // The records avcC and hvcC begin with their version, which is 1; start codes begin with 0.
        let recorded = extradata.first() == Some(&1);
        let (codec, length_at) = match header.codec.as_str() {
            "h264" => (Codec::H264, 4),
            "hevc" => (Codec::Hevc { top_layer: None }, 21),
            _ => (Codec::Other, 0),
        };
        let framing = match extradata.get(length_at) {
            Some(byte) if recorded => Framing::Lengths(usize::from(byte & 3) + 1),
            _ => Framing::StartCodes,
        };
        let mut references = Self { codec, framing };
        references.learn(extradata, recorded);
        references
    }

    /// Whether a packet holds nothing but pictures that no other is predicted from.
    pub(crate) fn are_none_to(&mut self, packet: &Packet<'_>) -> bool {
        if self.codec == Codec::Other || !packet.new_extradata.is_empty() {
            // New parameters may change the framing, too.
            self.codec = if packet.new_extradata.is_empty() { self.codec } else { Codec::Other };
            return false;
        }
        let mut pictures = 0;
        let mut needed = false;
        let whole = units(self.framing, packet.data, |unit| match self.read(unit) {
            Unit::Needed => needed = true,
            Unit::Unneeded => pictures += 1,
            Unit::Silent => {}
        });
        whole && pictures > 0 && !needed
    }

    /// Takes the sub-layers from parameter sets that stand before the stream.
    fn learn(&mut self, extradata: &[u8], recorded: bool) {
        if !matches!(self.codec, Codec::Hevc { .. }) {
            return;
        }
        if !recorded {
            units(Framing::StartCodes, extradata, |unit| {
                self.read(unit);
            });
            return;
        }
        // hvcC: 22 bytes, the number of arrays; each array has a type, a number of units and those, with lengths of 16
        // bits.
        let mut rest = extradata.get(23..).unwrap_or_default();
        for _ in 0..extradata.get(22).copied().unwrap_or(0) {
            let [_, high, low, after @ ..] = rest else { return };
            rest = after;
            for _ in 0..u16::from_be_bytes([*high, *low]) {
                let [high, low, after @ ..] = rest else { return };
                let Some((unit, after)) = after.split_at_checked(u16::from_be_bytes([*high, *low]).into())
                else {
                    return;
                };
                self.read(unit);
                rest = after;
            }
        }
    }

    fn read(&mut self, unit: &[u8]) -> Unit {
        match &mut self.codec {
            Codec::H264 => h264(unit),
            Codec::Hevc { top_layer } => hevc(unit, top_layer),
            Codec::Other => Unit::Needed,
        }
    }
}

/// ITU-T H.264, 7.3.1 and table 7-1: two bits `nal_ref_idc`, five bits `nal_unit_type`.
fn h264(unit: &[u8]) -> Unit {
    let Some(&first) = unit.first() else { return Unit::Silent };
    match (first & 0x1f, first >> 5 & 3) {
        // Slices and their partitions.
        (1..=4, 0) => Unit::Unneeded,
        // Supplementary information, delimiter, filler, prefix of a slice.
        (6 | 9 | 12 | 14, _) => Unit::Silent,
        _ => Unit::Needed,
    }
}

/// ITU-T H.265, 7.3.1.2 and table 7-1: six bits `nal_unit_type`, six of the layer, three `nuh_temporal_id_plus1`.
///
/// Even types up to 14 are not referred to within their sub-layer; a higher one might still refer to them.
fn hevc(unit: &[u8], top_layer: &mut Option<u8>) -> Unit {
    let [first, second, rest @ ..] = unit else { return Unit::Silent };
    let (kind, sub_layer) = (first >> 1 & 0x3f, (second & 7).saturating_sub(1));
    match kind {
        0..=14 if kind % 2 == 0 && *top_layer == Some(sub_layer) => Unit::Unneeded,
        33 => {
            // The sequence's parameters begin with four bits of a number and three with `sps_max_sub_layers_minus1`.
            *top_layer = rest.first().map(|byte| byte >> 1 & 7);
            Unit::Needed
        }
        // Delimiter, filler, supplementary information.
        35 | 38..=40 => Unit::Silent,
        _ => Unit::Needed,
    }
}

/// Calls `each` for every unit; false when the bytes cannot be divided so.
fn units(framing: Framing, mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> bool {
    match framing {
        Framing::Lengths(width) => {
            while !bytes.is_empty() {
                let Some((length, rest)) = bytes.split_at_checked(width) else { return false };
                let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                let Some((unit, rest)) = rest.split_at_checked(length) else { return false };
                each(unit);
                bytes = rest;
            }
            true
        }
        Framing::StartCodes => {
            let next = |bytes: &[u8]| bytes.windows(3).position(|three| three == [0, 0, 1]);
            let Some(start) = next(bytes) else { return false };
            bytes = &bytes[start + 3..];
            while let Some(end) = next(bytes) {
                each(&bytes[..end]);
                bytes = &bytes[end + 3..];
            }
            each(bytes);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use outis_packet::{Name, Ratio};
    use proptest::prelude::*;

    use super::*;

    fn header(codec: &str, extradata: &[u8]) -> Header {
        Header {
            codec: Name::new(codec).unwrap(),
            codec_tag: 0,
            extradata: extradata.to_vec(),
            width_px: 0,
            height_px: 0,
            pixel_format: None,
            bits_per_sample: 0,
            profile: -1,
            level: -1,
            reorder_frames: 0,
            matrix: 2,
            range: 0,
            time_base: Ratio::new(1, 25).unwrap(),
            frame_rate: None,
            duration_us: None,
            origin_unix_ms: None,
            skipped_ms: 0,
            rotation_deg: 0,
        }
    }

    fn packet(data: &[u8]) -> Packet<'_> {
        Packet { data, ..Packet::default() }
    }

    /// avcC with lengths of four bytes; hvcC with the same and one sequence parameter set of `sub_layers`.
    const AVCC: &[u8] = &[1, 77, 0, 31, 0xff, 0xe0, 0];

    fn hvcc(sub_layers: u8) -> Vec<u8> {
        let mut record = vec![1; 21];
        record.extend([0xff, 1, 33, 0, 1, 0, 3, 33 << 1, 1, (sub_layers - 1) << 1]);
        record
    }

    #[test]
    fn table_of_packets() {
        let annex_b =
            |types: &[u8]| -> Vec<u8> { types.iter().flat_map(|t| [0, 0, 0, 1, *t, 0x9a, 7]).collect() };
        let lengths =
            |types: &[u8]| -> Vec<u8> { types.iter().flat_map(|t| [0, 0, 0, 3, *t, 1, 7]).collect() };
        let hevc = |units: &[(u8, u8)]| -> Vec<u8> {
            units.iter().flat_map(|(kind, layer)| [0, 0, 0, 3, kind << 1, layer + 1, 7]).collect()
        };
        let (one_layer, two_layers) = (hvcc(1), hvcc(2));
        // (case, codec, extradata, packet, nobody needs it)
        type Case<'a> = (&'a str, &'a str, &'a [u8], Vec<u8>, bool);
        let cases: [Case<'_>; 16] = [
            ("a slice without references", "h264", AVCC, lengths(&[0x01]), true),
            (
                "many such slices, and what says nothing",
                "h264",
                AVCC,
                lengths(&[0x09, 0x06, 0x01, 0x01]),
                true,
            ),
            ("a slice with references", "h264", AVCC, lengths(&[0x41]), false),
            ("a key picture", "h264", AVCC, lengths(&[0x65]), false),
            ("parameters come along", "h264", AVCC, lengths(&[0x67, 0x01]), false),
            ("no picture", "h264", AVCC, lengths(&[0x06]), false),
            ("two pictures, one of them needed", "h264", AVCC, lengths(&[0x01, 0x21]), false),
            ("start codes", "h264", &[], annex_b(&[0x09, 0x01]), true),
            ("start codes, needed", "h264", &[], annex_b(&[0x09, 0x61]), false),
            ("a length beyond the end", "h264", AVCC, vec![0, 0, 0, 9, 1, 2], false),
            ("HEVC, not referred to", "hevc", &one_layer, hevc(&[(35, 0), (0, 0), (8, 0)]), true),
            ("HEVC, referred to", "hevc", &one_layer, hevc(&[(1, 0)]), false),
            ("HEVC, a layer below another", "hevc", &two_layers, hevc(&[(0, 0)]), false),
            ("HEVC, the top layer", "hevc", &two_layers, hevc(&[(2, 1)]), true),
            ("HEVC without parameters", "hevc", &[], annex_b(&[0x00]), false),
            ("another codec", "vp9", &[], annex_b(&[0x01]), false),
        ];
        for (name, codec, extradata, data, expected) in cases {
            let found = References::new(&header(codec, extradata)).are_none_to(&packet(&data));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn parameters_on_the_way_are_learnt_or_end_it() {
        let mut references = References::new(&header("hevc", &[]));
        let slice = [0, 0, 1, 0, 1, 7];
        assert!(!references.are_none_to(&packet(&slice)));
        assert!(!references.are_none_to(&packet(&[0, 0, 1, 33 << 1, 1, 0, 0, 0, 1, 19 << 1, 1, 7])));
        assert!(references.are_none_to(&packet(&slice)), "one sub-layer, as the parameters say");
        let new = Packet { new_extradata: AVCC, ..packet(&slice) };
        assert!(!references.are_none_to(&new) && !references.are_none_to(&packet(&slice)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            codec in prop_oneof![Just("h264"), Just("hevc"), Just("av1")],
            extradata in proptest::collection::vec(any::<u8>(), 0..60),
            recorded in any::<bool>(),
            data in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..80),
        ) {
            let mut extradata = extradata;
            if let Some(first) = extradata.first_mut().filter(|_| recorded) {
                *first = 1;
            }
            References::new(&header(codec, &extradata)).are_none_to(&packet(&data));
        }
    }
}
