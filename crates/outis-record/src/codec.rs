//! The 64 bytes of a record.
//!
//! ```text
//! offset  0        1     2      3      4        6        8               16              20     24 … 55      56 … 63
//!         version  kind  class  state  place a  place b  window start ms  window length  zero   4 values u64  zero
//! ```
//! Little-endian. Bytes that a kind does not use are zero, and a reader refuses any that are not:
//! what is not declared cannot carry anything.

use crate::{
    Alert, AlertKind, AlertPlace, Area, Class, GroundQuality, GroundView, LineIndex, Measure, Message,
    Notice, Outcome, Place, Progress, Window, WindowState, ZoneIndex,
};

/// The size of every record in bytes.
pub const RECORD_LEN: usize = 64;

const VERSION: u8 = 2;

/// One message in its final form: 64 bytes, of which every one is accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Record([u8; RECORD_LEN]);

const _: () = assert!(size_of::<Record>() == RECORD_LEN);

/// Why 64 bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The format version is not the one of this program.
    #[error("record has format version {0}, expected {VERSION}: eye and door come from different builds")]
    Version(u8),
    /// The kind is unknown.
    #[error("record has unknown kind {0}")]
    Kind(u8),
    /// A field is outside its range.
    #[error("record field `{0}` is out of range")]
    Field(&'static str),
    /// A byte that the kind leaves unused is not zero.
    #[error("record carries data in bytes that must be zero")]
    NotZero,
}

#[derive(Default)]
struct Fields {
    kind: u8,
    class: u8,
    state: u8,
    a: u16,
    b: u16,
    window_start_ms: i64,
    window_length_ms: u32,
    values: [u64; 4],
}

mod kind {
    pub(super) const LINE_CROSSINGS: u8 = 1;
    pub(super) const ZONE_VISITS: u8 = 2;
    pub(super) const ZONE_OCCUPANCY: u8 = 3;
    pub(super) const ZONE_DWELL: u8 = 4;
    pub(super) const FLOW: u8 = 5;
    pub(super) const VIEW_OCCUPANCY: u8 = 6;
    pub(super) const NEAREST_TIME: u8 = 8;
    pub(super) const NEAR_TIME: u8 = 9;
    pub(super) const SPEED: u8 = 10;
    pub(super) const DENSITY: u8 = 11;
    pub(super) const QUEUE: u8 = 12;
    pub(super) const HEAT: u8 = 13;
    pub(super) const MASKS: u8 = 14;
    pub(super) const WINDOW_DONE: u8 = 16;
    pub(super) const PROGRESS: u8 = 17;
    pub(super) const NOTICE: u8 = 18;
    pub(super) const END: u8 = 19;
    pub(super) const ALERT: u8 = 20;
    pub(super) const GROUND_VIEW: u8 = 21;
    pub(super) const GROUND_QUALITY: u8 = 22;
}

impl Record {
    /// Takes 64 bytes that claim to be a record; [`Record::message`] judges them.
    pub fn from_bytes(bytes: [u8; RECORD_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes as they go over the pipe.
    pub fn as_bytes(&self) -> &[u8; RECORD_LEN] {
        &self.0
    }

    /// Reads the record.
    ///
    /// # Errors
    /// Says which field makes it invalid. Never panics, whatever the bytes are.
    pub fn message(&self) -> Result<Message, RecordError> {
        let fields = self.fields()?;
        let message = fields.message()?;
        // One comparison covers every unused byte and every field that this kind ignores.
        if Self::from(message) == *self { Ok(message) } else { Err(RecordError::NotZero) }
    }

    fn fields(&self) -> Result<Fields, RecordError> {
        let b = &self.0;
        if b[0] != VERSION {
            return Err(RecordError::Version(b[0]));
        }
        Ok(Fields {
            kind: b[1],
            class: b[2],
            state: b[3],
            a: u16::from_le_bytes(array(b, 4)),
            b: u16::from_le_bytes(array(b, 6)),
            window_start_ms: i64::from_le_bytes(array(b, 8)),
            window_length_ms: u32::from_le_bytes(array(b, 16)),
            values: [24, 32, 40, 48].map(|offset| u64::from_le_bytes(array(b, offset))),
        })
    }
}

fn array<const N: usize>(bytes: &[u8; RECORD_LEN], offset: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[offset..offset + N]);
    out
}

fn narrow(value: u64, field: &'static str) -> Result<u32, RecordError> {
    u32::try_from(value).map_err(|_| RecordError::Field(field))
}

fn narrow8(value: u16, field: &'static str) -> Result<u8, RecordError> {
    u8::try_from(value).map_err(|_| RecordError::Field(field))
}

fn narrow16(value: u64, field: &'static str) -> Result<u16, RecordError> {
    u16::try_from(value).map_err(|_| RecordError::Field(field))
}

impl Fields {
    fn message(&self) -> Result<Message, RecordError> {
        let [v0, v1, v2, v3] = self.values;
        let line = LineIndex(self.a);
        let zone = ZoneIndex(self.a);
        let area = Area::from_wire(self.a);
        let measure = match self.kind {
            kind::LINE_CROSSINGS => Measure::LineCrossings {
                line,
                forward: narrow(v0, "forward")?,
                backward: narrow(v1, "backward")?,
            },
            kind::ZONE_VISITS => {
                Measure::ZoneVisits { zone, entered: narrow(v0, "entered")?, left: narrow(v1, "left")? }
            }
            kind::ZONE_OCCUPANCY => Measure::ZoneOccupancy {
                zone,
                now: narrow(v0, "now")?,
                max: narrow(v1, "max")?,
                present_ms: v2,
            },
            kind::ZONE_DWELL => Measure::ZoneDwell { zone, visits: narrow(v0, "visits")?, total_ms: v1 },
            kind::FLOW => Measure::Flow {
                from: Place::from_wire(self.a),
                to: Place::from_wire(self.b),
                count: narrow(v0, "count")?,
            },
            kind::VIEW_OCCUPANCY => {
                Measure::ViewOccupancy { now: narrow(v0, "now")?, max: narrow(v1, "max")?, present_ms: v2 }
            }
            kind::NEAREST_TIME => Measure::NearestTime { area, span: narrow8(self.b, "span")?, total_ms: v0 },
            kind::NEAR_TIME => Measure::NearTime {
                area,
                threshold: narrow8(self.b, "threshold")?,
                near_ms: v0,
                encounters: narrow(v1, "encounters")?,
            },
            kind::SPEED => Measure::Speed { area, walked_mm: v0, walking_ms: v1, stopped_ms: v2 },
            kind::DENSITY => Measure::Density {
                zone,
                area_dm2: narrow(v0, "area")?,
                present_ms: v1,
                max: narrow(v2, "max")?,
            },
            kind::QUEUE => Measure::Queue {
                zone,
                standing_ms: v0,
                max: narrow(v1, "max")?,
                served: narrow(v2, "served")?,
                waited_ms: v3,
            },
            kind::HEAT => Measure::Heat { cell: self.a, present_ms: v0 },
            kind::MASKS => Measure::Masks {
                with_mask: narrow(v0, "with mask")?,
                without_mask: narrow(v1, "without mask")?,
                unknown: narrow(v2, "unknown")?,
            },
            kind::WINDOW_DONE => {
                return Ok(Message::WindowDone {
                    window: self.window()?,
                    state: self.window_state()?,
                    observed_ms: narrow(v0, "observed")?,
                    looks: narrow(v1, "looks")?,
                    cells: narrow(v2, "cells")?,
                });
            }
            kind::PROGRESS => return Ok(Message::Progress(self.progress()?)),
            kind::NOTICE => {
                let notice = *Notice::ALL.get(usize::from(self.state)).ok_or(RecordError::Field("notice"))?;
                return Ok(Message::Notice { notice, count: narrow(v0, "count")? });
            }
            kind::ALERT => {
                let kind = *AlertKind::ALL.get(usize::from(self.state)).ok_or(RecordError::Field("alert"))?;
                let place = AlertPlace::from_wire(self.a).ok_or(RecordError::Field("place"))?;
                return Ok(Message::Alert(Alert { kind, place }));
            }
            kind::GROUND_VIEW => {
                let view = GroundView::from_wire([v0, v1, v2]).ok_or(RecordError::Field("ground view"))?;
                return Ok(Message::GroundView(view));
            }
            kind::GROUND_QUALITY => {
                let quality = GroundQuality::from_wire([v0, v1, v2]);
                return quality.map(Message::GroundQuality).ok_or(RecordError::Field("ground quality"));
            }
            kind::END => {
                let outcome =
                    *Outcome::ALL.get(usize::from(self.state)).ok_or(RecordError::Field("outcome"))?;
                return Ok(Message::End { outcome, progress: self.progress()? });
            }
            other => return Err(RecordError::Kind(other)),
        };
        let class = Class::from_index(usize::from(self.class)).ok_or(RecordError::Field("class"))?;
        Ok(Message::Cell { window: self.window()?, state: self.window_state()?, class, measure })
    }

    fn window(&self) -> Result<Window, RecordError> {
        Window::new(self.window_start_ms, self.window_length_ms).ok_or(RecordError::Field("window"))
    }

    fn window_state(&self) -> Result<WindowState, RecordError> {
        match self.state {
            0 => Ok(WindowState::Open),
            1 => Ok(WindowState::Closed),
            2 => Ok(WindowState::Partial),
            _ => Err(RecordError::Field("state")),
        }
    }

    fn progress(&self) -> Result<Progress, RecordError> {
        let [v0, v1, v2, v3] = self.values;
        Ok(Progress {
            media_ms: v0,
            duration_ms: v1,
            frames: narrow(v2 & u64::from(u32::MAX), "frames")?,
            looks: narrow(v2 >> 32, "looks")?,
            width_px: narrow16(v3 & u64::from(u16::MAX), "width")?,
            height_px: narrow16(v3 >> 16, "height")?,
        })
    }

    fn set_window(&mut self, window: Window, state: WindowState) {
        self.window_start_ms = window.start_ms();
        self.window_length_ms = window.length_ms();
        self.state = state as u8;
    }

    fn set_progress(&mut self, progress: Progress) {
        let Progress { media_ms, duration_ms, frames, looks, width_px, height_px } = progress;
        self.values = [
            media_ms,
            duration_ms,
            u64::from(frames) | u64::from(looks) << 32,
            u64::from(width_px) | u64::from(height_px) << 16,
        ];
    }

    fn set_measure(&mut self, measure: Measure) {
        let zero = 0;
        let (kind, a, b, values) = match measure {
            Measure::LineCrossings { line, forward, backward } => {
                (kind::LINE_CROSSINGS, line.0, 0, [forward.into(), backward.into(), zero, zero])
            }
            Measure::ZoneVisits { zone, entered, left } => {
                (kind::ZONE_VISITS, zone.0, 0, [entered.into(), left.into(), zero, zero])
            }
            Measure::ZoneOccupancy { zone, now, max, present_ms } => {
                (kind::ZONE_OCCUPANCY, zone.0, 0, [now.into(), max.into(), present_ms, zero])
            }
            Measure::ZoneDwell { zone, visits, total_ms } => {
                (kind::ZONE_DWELL, zone.0, 0, [visits.into(), total_ms, zero, zero])
            }
            Measure::Flow { from, to, count } => {
                (kind::FLOW, from.to_wire(), to.to_wire(), [count.into(), zero, zero, zero])
            }
            Measure::ViewOccupancy { now, max, present_ms } => {
                (kind::VIEW_OCCUPANCY, 0, 0, [now.into(), max.into(), present_ms, zero])
            }
            Measure::NearestTime { area, span, total_ms } => {
                (kind::NEAREST_TIME, area.to_wire(), span.into(), [total_ms, zero, zero, zero])
            }
            Measure::NearTime { area, threshold, near_ms, encounters } => {
                (kind::NEAR_TIME, area.to_wire(), threshold.into(), [near_ms, encounters.into(), zero, zero])
            }
            Measure::Speed { area, walked_mm, walking_ms, stopped_ms } => {
                (kind::SPEED, area.to_wire(), 0, [walked_mm, walking_ms, stopped_ms, zero])
            }
            Measure::Density { zone, area_dm2, present_ms, max } => {
                (kind::DENSITY, zone.0, 0, [area_dm2.into(), present_ms, max.into(), zero])
            }
            Measure::Queue { zone, standing_ms, max, served, waited_ms } => {
                (kind::QUEUE, zone.0, 0, [standing_ms, max.into(), served.into(), waited_ms])
            }
            Measure::Heat { cell, present_ms } => (kind::HEAT, cell, 0, [present_ms, zero, zero, zero]),
            Measure::Masks { with_mask, without_mask, unknown } => {
                (kind::MASKS, 0, 0, [with_mask.into(), without_mask.into(), unknown.into(), zero])
            }
        };
        (self.kind, self.a, self.b, self.values) = (kind, a, b, values);
    }
}

impl From<Message> for Record {
    fn from(message: Message) -> Self {
        let mut fields = Fields::default();
        match message {
            Message::Cell { window, state, class, measure } => {
                fields.set_measure(measure);
                fields.set_window(window, state);
                fields.class = class as u8;
            }
            Message::WindowDone { window, state, observed_ms, looks, cells } => {
                fields.kind = kind::WINDOW_DONE;
                fields.set_window(window, state);
                fields.values = [observed_ms.into(), looks.into(), cells.into(), 0];
            }
            Message::Alert(Alert { kind, place }) => {
                fields.kind = kind::ALERT;
                fields.state = kind as u8;
                fields.a = place.to_wire();
            }
            Message::GroundView(view) => {
                fields.kind = kind::GROUND_VIEW;
                fields.values[..3].copy_from_slice(&view.to_wire());
            }
            Message::GroundQuality(quality) => {
                fields.kind = kind::GROUND_QUALITY;
                fields.values[..3].copy_from_slice(&quality.to_wire());
            }
            Message::Progress(progress) => {
                fields.kind = kind::PROGRESS;
                fields.set_progress(progress);
            }
            Message::Notice { notice, count } => {
                fields.kind = kind::NOTICE;
                fields.state = notice as u8;
                fields.values[0] = count.into();
            }
            Message::End { outcome, progress } => {
                fields.kind = kind::END;
                fields.state = outcome as u8;
                fields.set_progress(progress);
            }
        }
        let mut bytes = [0; RECORD_LEN];
        bytes[0] = VERSION;
        bytes[1] = fields.kind;
        bytes[2] = fields.class;
        bytes[3] = fields.state;
        bytes[4..6].copy_from_slice(&fields.a.to_le_bytes());
        bytes[6..8].copy_from_slice(&fields.b.to_le_bytes());
        bytes[8..16].copy_from_slice(&fields.window_start_ms.to_le_bytes());
        bytes[16..20].copy_from_slice(&fields.window_length_ms.to_le_bytes());
        for (chunk, value) in bytes[24..56].chunks_exact_mut(8).zip(fields.values) {
            chunk.copy_from_slice(&value.to_le_bytes());
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        let index = 0..(1u16 << 15);
        prop_oneof![
            index.clone().prop_map(|i| Place::Line(LineIndex(i))),
            index.prop_map(|i| Place::Zone(ZoneIndex(i))),
        ]
    }

    fn measure() -> impl Strategy<Value = Measure> {
        let n = any::<u32>;
        let ms = any::<u64>;
        let area = || prop_oneof![Just(Area::View), (0..(1u16 << 15)).prop_map(|i| Area::Zone(ZoneIndex(i)))];
        let zone = || any::<u16>().prop_map(ZoneIndex);
        prop_oneof![
            (any::<u16>(), n(), n()).prop_map(|(line, forward, backward)| Measure::LineCrossings {
                line: LineIndex(line),
                forward,
                backward
            }),
            (zone(), n(), n()).prop_map(|(zone, entered, left)| Measure::ZoneVisits { zone, entered, left }),
            (zone(), n(), n(), any::<u64>()).prop_map(|(zone, now, max, present_ms)| {
                Measure::ZoneOccupancy { zone, now, max, present_ms }
            }),
            (zone(), n(), any::<u64>()).prop_map(|(zone, visits, total_ms)| Measure::ZoneDwell {
                zone,
                visits,
                total_ms
            }),
            (place(), place(), n()).prop_map(|(from, to, count)| Measure::Flow { from, to, count }),
            (n(), n(), any::<u64>()).prop_map(|(now, max, present_ms)| Measure::ViewOccupancy {
                now,
                max,
                present_ms
            }),
            (area(), any::<u8>(), ms()).prop_map(|(area, span, total_ms)| Measure::NearestTime {
                area,
                span,
                total_ms
            }),
            (area(), any::<u8>(), ms(), n()).prop_map(|(area, threshold, near_ms, encounters)| {
                Measure::NearTime { area, threshold, near_ms, encounters }
            }),
            (area(), ms(), ms(), ms()).prop_map(|(area, walked_mm, walking_ms, stopped_ms)| {
                Measure::Speed { area, walked_mm, walking_ms, stopped_ms }
            }),
            (zone(), n(), ms(), n()).prop_map(|(zone, area_dm2, present_ms, max)| {
                Measure::Density { zone, area_dm2, present_ms, max }
            }),
            (zone(), ms(), n(), n(), ms()).prop_map(|(zone, standing_ms, max, served, waited_ms)| {
                Measure::Queue { zone, standing_ms, max, served, waited_ms }
            }),
            (any::<u16>(), ms()).prop_map(|(cell, present_ms)| Measure::Heat { cell, present_ms }),
            (n(), n(), n()).prop_map(|(with_mask, without_mask, unknown)| Measure::Masks {
                with_mask,
                without_mask,
                unknown
            }),
        ]
    }

    fn window() -> impl Strategy<Value = (Window, WindowState)> {
        let state =
            prop_oneof![Just(WindowState::Open), Just(WindowState::Closed), Just(WindowState::Partial)];
        ((-1i64 << 60..1 << 60), 1u32.., state)
            .prop_map(|(start, length, state)| (Window::new(start, length).unwrap(), state))
    }

    fn progress() -> impl Strategy<Value = Progress> {
        (any::<(u64, u64, u32, u32)>(), any::<(u16, u16)>()).prop_map(
            |((media_ms, duration_ms, frames, looks), (width_px, height_px))| Progress {
                media_ms,
                duration_ms,
                frames,
                looks,
                width_px,
                height_px,
            },
        )
    }

    fn alert() -> impl Strategy<Value = Alert> {
        let zone = (0..(1u16 << 15)).prop_map(|zone| AlertPlace::Zone(ZoneIndex(zone)));
        let place = prop_oneof![Just(AlertPlace::View), zone];
        let kind = proptest::sample::select(AlertKind::ALL.to_vec());
        (kind, place).prop_map(|(kind, place)| Alert { kind, place })
    }

    fn message() -> impl Strategy<Value = Message> {
        let notice = proptest::sample::select(Notice::ALL.to_vec());
        let outcome = proptest::sample::select(Outcome::ALL.to_vec());
        let class = proptest::sample::select(Class::ALL.to_vec());
        prop_oneof![
            (window(), class, measure()).prop_map(|((window, state), class, measure)| Message::Cell {
                window,
                state,
                class,
                measure
            }),
            (window(), any::<(u32, u32, u32)>()).prop_map(
                |((window, state), (observed_ms, looks, cells))| {
                    Message::WindowDone { window, state, observed_ms, looks, cells }
                }
            ),
            alert().prop_map(Message::Alert),
            crate::view::tests::view().prop_map(Message::GroundView),
            crate::view::tests::quality().prop_map(Message::GroundQuality),
            progress().prop_map(Message::Progress),
            (notice, any::<u32>()).prop_map(|(notice, count)| Message::Notice { notice, count }),
            (outcome, progress()).prop_map(|(outcome, progress)| Message::End { outcome, progress }),
        ]
    }

    proptest! {
        #[test]
        fn every_message_survives_the_pipe(message in message()) {
            prop_assert_eq!(Record::from(message).message(), Ok(message));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic_and_only_canonical_ones_are_taken(
            mut bytes in any::<[u8; RECORD_LEN]>(),
            version in 0u8..3,
            kind in 0u8..24,
        ) {
            // Random first bytes would be refused at once, and nothing behind them would be tried.
            (bytes[0], bytes[1]) = (version, kind);
            let record = Record::from_bytes(bytes);
            if let Ok(message) = record.message() {
                prop_assert_eq!(Record::from(message), record);
            }
        }

        #[test]
        fn no_flipped_bit_goes_unnoticed(message in message(), bit in 0usize..RECORD_LEN * 8) {
            let record = Record::from(message);
            let mut bytes = *record.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(Record::from_bytes(bytes).message(), Ok(message));
        }
    }

    /// Value and wire side by side, so that a change of the format shows in review.
    #[test]
    fn wire_table() {
        let window = Window::new(900_000, 900_000).unwrap();
        let message = Message::Cell {
            window,
            state: WindowState::Closed,
            class: Class::Bus,
            measure: Measure::LineCrossings { line: LineIndex(2), forward: 3, backward: 5 },
        };
        let hex: String = Record::from(message).as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let expected = [
            "02",               // version
            "01",               // kind: line crossings
            "04",               // class: bus
            "01",               // state: closed
            "0200",             // place a: third line
            "0000",             // place b: unused
            "a0bb0d0000000000", // window start, ms
            "a0bb0d00",         // window length, ms
            "00000000",         // unused
            "0300000000000000", // forward
            "0500000000000000", // backward
            "0000000000000000",
            "0000000000000000",
            "0000000000000000", // unused
        ];
        assert_eq!(hex, expected.concat());

        let alert = Alert { kind: AlertKind::TooFull, place: AlertPlace::Zone(ZoneIndex(2)) };
        let hex: String =
            Record::from(Message::Alert(alert)).as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        // Version, kind, no class, too full, third zone; nothing else.
        assert_eq!(hex, "0214000102800000".to_owned() + &"00".repeat(56));
    }

    #[test]
    fn refusals_say_which_field() {
        let mut bytes = [0; RECORD_LEN];
        let cases: [(&[(usize, u8)], RecordError); 5] = [
            (&[], RecordError::Version(0)),
            (&[(0, VERSION), (1, 99)], RecordError::Kind(99)),
            (&[(1, kind::NOTICE), (3, 200)], RecordError::Field("notice")),
            (&[(3, 0), (63, 1)], RecordError::NotZero),
            (&[(63, 0), (1, kind::LINE_CROSSINGS), (2, 6)], RecordError::Field("class")),
        ];
        for (changes, expected) in cases {
            for &(offset, value) in changes {
                bytes[offset] = value;
            }
            assert_eq!(Record::from_bytes(bytes).message(), Err(expected));
        }
    }
}
