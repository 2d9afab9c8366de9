//! Which coded pictures no other picture is predicted from: leaving those out costs nothing but themselves. And from which
//! on none is predicted from those before.
//!
//! Knows the first bytes of H.264's and HEVC's units and decodes nothing. In doubt it says so, or takes a picture as needed.

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
    /// Pictures that have nothing to do with each other.
    Intra,
    /// Nobody reads it here.
    Other,
}

/// What a packet is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// No other picture is predicted from those in it.
    Unneeded,
    /// Others may be.
    Needed,
    /// Nothing that comes later is predicted from anything before it.
    Beginning,
    /// Nobody can tell: others may be needed for it, and it for others.
    Unknown,
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
    /// Another picture may be predicted from it.
    Needed,
    /// No picture, and later ones need it.
    Parameters,
    /// Samples of a picture that no other is predicted from.
    Unneeded,
    /// Samples of a picture after which nothing is predicted from what came before.
    Beginning,
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
            "mjpeg" => (Codec::Intra, 0),
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

    /// What the next packet is to the others.
    pub(crate) fn role(&mut self, packet: &Packet<'_>) -> Role {
        match self.codec {
            Codec::Intra => return Role::Unneeded,
            Codec::Other => return Role::Unknown,
            _ if !packet.new_extradata.is_empty() => {
                // New parameters may change the framing, too.
                self.codec = Codec::Other;
                return Role::Unknown;
            }
            Codec::H264 | Codec::Hevc { .. } => {}
        }
        let (mut needed, mut parameters, mut unneeded, mut beginnings) = (0, 0, 0, 0);
        let whole = units(self.framing, packet.data, |unit| match self.read(unit) {
            Unit::Needed => needed += 1,
            Unit::Parameters => parameters += 1,
            Unit::Unneeded => unneeded += 1,
            Unit::Beginning => beginnings += 1,
            Unit::Silent => {}
        });
        match (needed, parameters, unneeded, beginnings) {
            _ if !whole => Role::Unknown,
            (0, 0, 1.., 0) => Role::Unneeded,
            (0, _, 0, 1..) => Role::Beginning,
            _ => Role::Needed,
        }
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
            Codec::Intra | Codec::Other => Unit::Needed,
        }
    }
}

/// ITU-T H.264, 7.3.1 and table 7-1: two bits `nal_ref_idc`, five bits `nal_unit_type`.
fn h264(unit: &[u8]) -> Unit {
    let Some(&first) = unit.first() else { return Unit::Silent };
    match (first & 0x1f, first >> 5 & 3) {
        // Slices and their partitions.
        (1..=4, 0) => Unit::Unneeded,
        // Slices of an IDR picture; sets of parameters of the sequence and of pictures.
        (5, _) => Unit::Beginning,
        (7 | 8 | 13 | 15, _) => Unit::Parameters,
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
            Unit::Parameters
        }
        32 | 34 => Unit::Parameters,
        // IDR pictures. Of those that begin otherwise, some pictures after them need what came before.
        19 | 20 => Unit::Beginning,
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
        // (case, codec, extradata, packet, its role)
        type Case<'a> = (&'a str, &'a str, &'a [u8], Vec<u8>, Role);
        use Role::{Beginning, Needed, Unknown, Unneeded};
        let cases: [Case<'_>; 22] = [
            ("a slice without references", "h264", AVCC, lengths(&[0x01]), Unneeded),
            (
                "many such slices, and what says nothing",
                "h264",
                AVCC,
                lengths(&[0x09, 0x06, 0x01, 0x01]),
                Unneeded,
            ),
            ("a slice with references", "h264", AVCC, lengths(&[0x41]), Needed),
            ("a key picture", "h264", AVCC, lengths(&[0x65, 0x65]), Beginning),
            ("parameters come along", "h264", AVCC, lengths(&[0x67, 0x01]), Needed),
            (
                "a key picture with its parameters",
                "h264",
                AVCC,
                lengths(&[0x09, 0x67, 0x68, 0x65]),
                Beginning,
            ),
            ("half of it is predicted from the other", "h264", AVCC, lengths(&[0x65, 0x41]), Needed),
            ("no picture", "h264", AVCC, lengths(&[0x06]), Needed),
            ("two pictures, one of them needed", "h264", AVCC, lengths(&[0x01, 0x21]), Needed),
            ("start codes", "h264", &[], annex_b(&[0x09, 0x01]), Unneeded),
            ("start codes, a key picture", "h264", &[], annex_b(&[0x09, 0x67, 0x68, 0x65]), Beginning),
            ("start codes, needed", "h264", &[], annex_b(&[0x09, 0x61]), Needed),
            ("a length beyond the end", "h264", AVCC, vec![0, 0, 0, 9, 1, 2], Unknown),
            ("HEVC, not referred to", "hevc", &one_layer, hevc(&[(35, 0), (0, 0), (8, 0)]), Unneeded),
            ("HEVC, referred to", "hevc", &one_layer, hevc(&[(1, 0)]), Needed),
            ("HEVC, a layer below another", "hevc", &two_layers, hevc(&[(0, 0)]), Needed),
            ("HEVC, the top layer", "hevc", &two_layers, hevc(&[(2, 1)]), Unneeded),
            ("HEVC without parameters", "hevc", &[], annex_b(&[0x00]), Needed),
            (
                "HEVC, a key picture",
                "hevc",
                &one_layer,
                hevc(&[(32, 0), (33, 0), (34, 0), (19, 0)]),
                Beginning,
            ),
            ("HEVC, a key picture, others before it", "hevc", &one_layer, hevc(&[(21, 0)]), Needed),
            ("pictures by themselves", "mjpeg", &[], vec![0xff, 0xd8], Unneeded),
            ("another codec", "vp9", &[], annex_b(&[0x01]), Unknown),
        ];
        for (name, codec, extradata, data, expected) in cases {
            let found = References::new(&header(codec, extradata)).role(&packet(&data));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn parameters_on_the_way_are_learnt_or_end_it() {
        let mut references = References::new(&header("hevc", &[]));
        let slice = [0, 0, 1, 0, 1, 7];
        assert_eq!(references.role(&packet(&slice)), Role::Needed);
        let key = [0, 0, 1, 33 << 1, 1, 0, 0, 0, 1, 19 << 1, 1, 7];
        assert_eq!(references.role(&packet(&key)), Role::Beginning);
        assert_eq!(references.role(&packet(&slice)), Role::Unneeded, "one sub-layer, as the parameters say");
        let new = Packet { new_extradata: AVCC, ..packet(&slice) };
        assert_eq!([&new, &packet(&slice)].map(|packet| references.role(packet)), [Role::Unknown; 2]);
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
            References::new(&header(codec, &extradata)).role(&packet(&data));
        }
    }
}
