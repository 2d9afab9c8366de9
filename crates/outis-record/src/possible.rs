//! What a window can hold at most: a figure beyond it was not counted in any street.

use crate::Measure;

/// The most people and vehicles in one picture: the tracker follows no more at once.
pub const PRESENT_MAX: u32 = 512;

/// The most passages, arrivals or ended journeys of one cell in a second. A packed corridor ten metres wide lets
/// 13 people a second through (Weidmann 1993: 1.3 per metre and second).
pub const EVENTS_PER_S_MAX: u64 = 32;

/// The longest visit in milliseconds: a track is renewed after ten minutes, and its last decision may lag.
pub const STAY_MAX_MS: u64 = 620_000;

/// The most looks of the detector in a second; no camera films faster.
pub const LOOKS_PER_S_MAX: u64 = 240;

/// The fastest that anybody runs, in millimetres in a millisecond: the record over 100 m is 10.4 m/s on average.
pub const WALK_MM_PER_MS_MAX: u64 = 12;

/// The most ground of a zone, in square decimetres: ten hectares are more than a camera sees in detail.
pub const AREA_DM2_MAX: u32 = 10_000_000;

/// The most encounters in a second: everybody within an arm's length of eight others, for a second each.
pub const ENCOUNTERS_PER_S_MAX: u64 = PRESENT_MAX as u64 * 8 / 2;

/// The first look of a window may end a pause of this length that began before it, in milliseconds.
pub const OBSERVED_SLACK_MS: u64 = 2_000;

/// The most events of one cell while a camera was observed for so long. Those who are there at its ends count
/// too, as decisions lag.
pub fn events_max(observed_ms: u64) -> u64 {
    u64::from(PRESENT_MAX) + EVENTS_PER_S_MAX * (observed_ms.div_ceil(1000) + 4)
}

/// The most looks in so long a time.
pub fn looks_max(window_ms: u64) -> u64 {
    LOOKS_PER_S_MAX * (window_ms.div_ceil(1000) + 4)
}

impl Measure {
    /// Whether a street can have made these figures while the camera was observed for so long.
    pub fn is_possible(&self, observed_ms: u64) -> bool {
        let events_max = events_max(observed_ms);
        let events = |count: u32| u64::from(count) <= events_max;
        let present = |now: u32, max: u32, present_ms: u64| {
            now <= max && max <= PRESENT_MAX && present_ms <= u64::from(max).saturating_mul(observed_ms)
        };
        match *self {
            Self::LineCrossings { forward, backward, .. } => events(forward) && events(backward),
            Self::ZoneVisits { entered, left, .. } => events(entered) && events(left),
            Self::ZoneDwell { visits, total_ms, .. } => {
                events(visits) && total_ms <= u64::from(visits) * STAY_MAX_MS
            }
            Self::Flow { count, .. } => events(count),
            Self::ZoneOccupancy { now, max, present_ms, .. } => present(now, max, present_ms),
            Self::ViewOccupancy { now, max, present_ms } => present(now, max, present_ms),
            Self::Masks { with_mask, without_mask, unknown } => {
                let people = u64::from(with_mask) + u64::from(without_mask) + u64::from(unknown);
                people <= events_max
            }
            on_ground => on_ground.is_possible_on_ground(observed_ms).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LineIndex, Place, ZoneIndex};

    #[test]
    fn table_of_the_possible() {
        let (line, zone) = (LineIndex(0), ZoneIndex(0));
        let crossings = |forward, backward| Measure::LineCrossings { line, forward, backward };
        let dwell = |visits, total_ms| Measure::ZoneDwell { zone, visits, total_ms };
        let view = |now, max, present_ms| Measure::ViewOccupancy { now, max, present_ms };
        let flow = |count| {
            let (from, to) = (Place::Line(line), Place::Zone(zone));
            Measure::Flow { from, to, count }
        };
        // Ten seconds: 512 + 32 · 14 events.
        let cases = [
            ("nobody", crossings(0, 0), true),
            ("a crowd", crossings(960, 960), true),
            ("more than any crowd", crossings(961, 0), false),
            ("back too", crossings(0, 961), false),
            ("journeys", flow(961), false),
            ("arrivals", Measure::ZoneVisits { zone, entered: 961, left: 0 }, false),
            ("departures", Measure::ZoneVisits { zone, entered: 0, left: 961 }, false),
            ("visits", dwell(961, 0), false),
            ("long stays", dwell(2, 2 * STAY_MAX_MS), true),
            ("stays longer than a track lives", dwell(2, 2 * STAY_MAX_MS + 1), false),
            ("stays of nobody", dwell(0, 1), false),
            ("full", view(512, 512, 5_120_000), true),
            ("more than are followed", view(0, 513, 0), false),
            ("more now than at most", view(3, 2, 0), false),
            ("present longer than observed", view(1, 2, 20_001), false),
            ("masks", Measure::Masks { with_mask: 320, without_mask: 320, unknown: 320 }, true),
            (
                "more faces than people",
                Measure::Masks { with_mask: 320, without_mask: 321, unknown: 320 },
                false,
            ),
            ("zone", Measure::ZoneOccupancy { zone, now: 0, max: 1, present_ms: 10_001 }, false),
        ];
        for (name, measure, possible) in cases {
            assert_eq!(measure.is_possible(10_000), possible, "{name}");
        }
    }
}
