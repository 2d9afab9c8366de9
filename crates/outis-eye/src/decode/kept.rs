//! Packets that wait instead of being decoded at once.

use outis_packet::Packet;

/// A packet that waits. It has nothing to say in a log.
pub(super) struct Kept {
    /// Without its bytes.
    fields: Packet<'static>,
    new_extradata: Vec<u8>,
    data: Vec<u8>,
}

impl Kept {
    pub(super) fn packet(&self) -> Packet<'_> {
        Packet { new_extradata: &self.new_extradata, data: &self.data, ..self.fields }
    }

    /// When its frame is shown, in the stream's units.
    pub(super) fn pts(&self) -> Option<i64> {
        self.fields.pts
    }

    pub(super) fn arrival_us(&self) -> u64 {
        self.fields.arrival_us
    }

    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }
}

impl From<&Packet<'_>> for Kept {
    fn from(packet: &Packet<'_>) -> Self {
        Self {
            fields: Packet { new_extradata: &[], data: &[], ..*packet },
            new_extradata: packet.new_extradata.to_vec(),
            data: packet.data.to_vec(),
        }
    }
}

/// Whether a packet is sound and has a place in time.
pub(super) fn is_plain(packet: &Packet<'_>) -> bool {
    packet.pts.is_some() && !packet.corrupt && !packet.data.is_empty() && packet.new_extradata.is_empty()
}
