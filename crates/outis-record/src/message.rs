//! What one record says.

use crate::{Alert, Area, Class, GroundQuality, GroundView, LineIndex, Place, Window, ZoneIndex};

/// The meaning of one [`crate::Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// One cell of a window's totals.
    Cell {
        /// The window the cell belongs to.
        window: Window,
        /// Whether the totals may still grow.
        state: WindowState,
        /// What was counted.
        class: Class,
        /// The totals.
        measure: Measure,
    },
    /// All cells of a window have been sent.
    WindowDone {
        /// The window.
        window: Window,
        /// Whether the totals may still grow.
        state: WindowState,
        /// Milliseconds of the window during which the camera was observed.
        observed_ms: u32,
        /// Frames in which the detector looked.
        looks: u32,
        /// How many cells went before.
        cells: u32,
    },
    /// Something was so for long enough; people may be asked to change it.
    Alert(Alert),
    /// How the camera hangs and looks. Only of an eye that was asked for it, once, at the end.
    GroundView(GroundView),
    /// Where in the picture distances are known well. Once, right after the [`GroundView`].
    GroundQuality(GroundQuality),
    /// How far the eye has come.
    Progress(Progress),
    /// Something went wrong, and the eye went on.
    Notice {
        /// What.
        notice: Notice,
        /// How often since the last record of this notice.
        count: u32,
    },
    /// The last record of a run.
    End {
        /// How the run ended.
        outcome: Outcome,
        /// Where the run stood.
        progress: Progress,
    },
}

/// How far the eye has come in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Media time of the newest frame, in milliseconds from the first.
    pub media_ms: u64,
    /// Length of the source as its container states it, in milliseconds; 0 when unknown.
    pub duration_ms: u64,
    /// Frames decoded.
    pub frames: u32,
    /// Frames in which the detector looked.
    pub looks: u32,
    /// Width of the picture in pixels, after its rotation; 0 before the first frame.
    pub width_px: u16,
    /// Height of the picture in pixels, after its rotation; 0 before the first frame.
    pub height_px: u16,
}

/// Totals of one class at one place of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Passages over a line.
    LineCrossings {
        /// The line.
        line: LineIndex,
        /// From its left to its right side, looking from the first point to the second.
        forward: u32,
        /// From right to left.
        backward: u32,
    },
    /// Arrivals in a zone and departures from it.
    ZoneVisits {
        /// The zone.
        zone: ZoneIndex,
        /// Arrivals.
        entered: u32,
        /// Departures.
        left: u32,
    },
    /// How many were in a zone at once.
    ZoneOccupancy {
        /// The zone.
        zone: ZoneIndex,
        /// At the newest moment.
        now: u32,
        /// At most.
        max: u32,
        /// Presence summed over the observed time, in milliseconds: two people for three seconds are 6000.
        present_ms: u64,
    },
    /// How long visits to a zone lasted.
    ZoneDwell {
        /// The zone.
        zone: ZoneIndex,
        /// Visits that ended in the window.
        visits: u32,
        /// The sum of their lengths, in milliseconds.
        total_ms: u64,
    },
    /// Journeys from one place to another, counted when they ended.
    Flow {
        /// The first place of the journey.
        from: Place,
        /// The last place of the journey.
        to: Place,
        /// Journeys.
        count: u32,
    },
    /// How many were in the picture at once.
    ViewOccupancy {
        /// At the newest moment.
        now: u32,
        /// At most.
        max: u32,
        /// Presence summed over the observed time, in milliseconds: two people for three seconds are 6000.
        present_ms: u64,
    },
    /// Time that people had their nearest neighbour at a distance within one span.
    NearestTime {
        /// Where.
        area: Area,
        /// Which span: up to the distance of the same number in [`crate::NEAREST_UNTIL_CM`]; the last one is open.
        span: u8,
        /// Time summed over people, in milliseconds.
        total_ms: u64,
    },
    /// Time that people had a neighbour nearer than a distance, and encounters.
    NearTime {
        /// Where.
        area: Area,
        /// Which of the configured distances.
        threshold: u8,
        /// Time summed over people, in milliseconds.
        near_ms: u64,
        /// Pairs that stayed nearer for as long as the configuration says.
        encounters: u32,
    },
    /// How people walked.
    Speed {
        /// Where.
        area: Area,
        /// How far, in millimetres, summed over people.
        walked_mm: u64,
        /// Time walking, in milliseconds, summed over people.
        walking_ms: u64,
        /// Time standing, in milliseconds, summed over people.
        stopped_ms: u64,
    },
    /// How many were on how much ground.
    Density {
        /// The zone.
        zone: ZoneIndex,
        /// Its ground in square decimetres.
        area_dm2: u32,
        /// Presence summed over people, in milliseconds.
        present_ms: u64,
        /// How many at most.
        max: u32,
    },
    /// People in a line.
    Queue {
        /// The zone.
        zone: ZoneIndex,
        /// Time in line summed over people, in milliseconds.
        standing_ms: u64,
        /// How many at most.
        max: u32,
        /// Those who left at its head.
        served: u32,
        /// How long those had waited, in milliseconds, summed over people.
        waited_ms: u64,
    },
    /// Time that people were on one cell of the ground.
    Heat {
        /// Which cell, row by row.
        cell: u16,
        /// Presence summed over people, in milliseconds.
        present_ms: u64,
    },
    /// People who went away, by whether they wore a mask. Each passage is in one of the three.
    Masks {
        /// Wore one.
        with_mask: u32,
        /// Wore none.
        without_mask: u32,
        /// Were too far away, turned away, hidden, or not surely the one or the other.
        unknown: u32,
    },
}

/// Whether a window's totals may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WindowState {
    /// The window is running: these are its totals so far.
    Open = 0,
    /// The window is over and was observed to its end; of a camera, for most of it.
    Closed = 1,
    /// The source ended or began within the window, or the camera was away for more than a tenth of it.
    Partial = 2,
}

/// Faults that the eye survives. A closed list: no text leaves the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Notice {
    /// An encoded packet could not be decoded.
    DamagedPacket = 0,
    /// A frame had no usable timestamp; one was derived from the frame rate.
    MissingTimestamp = 1,
    /// A timestamp ran backwards or jumped; the clock was continued.
    TimestampJump = 2,
    /// The picture changed its size or format in mid-stream.
    FormatChange = 3,
    /// A frame's pixel format cannot be read; the frame was left out.
    UnsupportedFrame = 4,
    /// More detections or tracks than the limit; the weakest were left out.
    TooManyTracks = 5,
    /// The source stopped in the middle of a packet.
    Truncated = 6,
    /// The detector failed on a frame; the frame was left out.
    DetectorFault = 7,
    /// A live source went on faster than it could be looked at; frames were left out.
    Behind = 8,
    /// For minutes the view has been another one than the one that was seen since the start: figures of places may be those
    /// of other places.
    CameraMoved = 9,
    /// People who walk by do not fit the ground plane: what is measured in metres would be wrong.
    GroundDoubted = 10,
}

impl Notice {
    /// Every notice, by its number on the wire.
    pub const ALL: [Self; 11] = [
        Self::DamagedPacket,
        Self::MissingTimestamp,
        Self::TimestampJump,
        Self::FormatChange,
        Self::UnsupportedFrame,
        Self::TooManyTracks,
        Self::Truncated,
        Self::DetectorFault,
        Self::Behind,
        Self::CameraMoved,
        Self::GroundDoubted,
    ];

    /// A sentence for the person at the terminal, without the count.
    pub fn describe(self) -> &'static str {
        match self {
            Self::DamagedPacket => "packets could not be decoded and were left out",
            Self::MissingTimestamp => "frames had no timestamp; the frame rate was used instead",
            Self::TimestampJump => "timestamps ran backwards or jumped; the clock was continued",
            Self::FormatChange => "changes of picture size or format in mid-stream",
            Self::UnsupportedFrame => "frames had a pixel format that cannot be read and were left out",
            Self::TooManyTracks => "objects went beyond the limit of tracks and were left out",
            Self::Truncated => "the source stopped in the middle of a packet",
            Self::DetectorFault => "frames on which the detector failed were left out",
            Self::Behind => "looks were left out, because the machine was too slow for its cameras",
            Self::CameraMoved => {
                "the view was another one for minutes: is the camera moved, covered or out of focus? Lines and zones may lie \
                 elsewhere"
            }
            Self::GroundDoubted => {
                "people who walk by do not fit the ground plane: is the camera turned, or the ground typed wrongly? What is \
                 measured in metres is withheld; `outis calibrate` finds the ground anew"
            }
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// The source came to its end.
    Complete = 0,
    /// The source broke off; what came before was counted.
    Truncated = 1,
    /// Not one frame could be decoded.
    NothingDecoded = 2,
    /// The codec, or a feature of it, is not supported.
    UnsupportedCodec = 3,
}

impl Outcome {
    /// Every outcome, by its number on the wire.
    pub const ALL: [Self; 4] =
        [Self::Complete, Self::Truncated, Self::NothingDecoded, Self::UnsupportedCodec];
}
