//! Where something was counted: a line or a zone, by its position in the configuration.
//!
//! Names stay with the door. The eye knows numbers only, so no text can travel in a record.

/// The position of a line in the configuration, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineIndex(pub u16);

/// The position of a zone in the configuration, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneIndex(pub u16);

/// An end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The line was crossed, in whichever direction.
    Line(LineIndex),
    /// The zone was entered.
    Zone(ZoneIndex),
}

impl Place {
    /// Zones carry this bit in a record's 16-bit place; lines do not. So a camera has fewer than 2^15 of each.
    const ZONE_BIT: u16 = 1 << 15;

    pub(crate) fn to_wire(self) -> u16 {
        match self {
            Self::Line(LineIndex(index)) => index & !Self::ZONE_BIT,
            Self::Zone(ZoneIndex(index)) => index | Self::ZONE_BIT,
        }
    }

    pub(crate) fn from_wire(wire: u16) -> Self {
        if wire & Self::ZONE_BIT == 0 {
            Self::Line(LineIndex(wire))
        } else {
            Self::Zone(ZoneIndex(wire & !Self::ZONE_BIT))
        }
    }
}
