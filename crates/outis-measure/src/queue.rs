//! People in a line: how many stand in it, and how long it takes them to its head.

use std::collections::BTreeMap;

use outis_record::{GroundTotals, PassageBounds, ZoneIndex};

use crate::{GroundPoint, MediaTime, TrackId};

/// Who stands in line stands, or shuffles forward no faster than this, in metres per second: less than half of a walk
/// (Weidmann 1993: 1.34 m/s).
const SHUFFLE_MAX_M_S: f32 = 0.5;

/// Who stood no longer than this in all, in seconds, passed by.
const STOOD_MIN_S: f32 = 3.0;

/// Who is not in the zone for so long has left it, in seconds.
const LEFT_S: f32 = 1.0;

/// The head of a queue is left from within this, in metres: two steps.
const HEAD_REACH_M: f32 = 1.5;

/// Somebody in one queue.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    since: MediaTime,
    last: MediaTime,
    position: GroundPoint,
    stood_ms: u64,
}

/// What counts of one passage so far, in all queues.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    standing_ms: u64,
    was_served: bool,
}

/// One queue.
#[derive(Debug)]
struct Line {
    zone: ZoneIndex,
    /// Where people are served; without, whoever leaves was.
    head: Option<GroundPoint>,
    waiting: BTreeMap<TrackId, Waiting>,
    standing: u32,
}

/// Measures all queues of one camera.
#[derive(Debug)]
pub(crate) struct QueueMeter {
    lines: Vec<Line>,
    /// None without bounds.
    counted: Option<BTreeMap<TrackId, Counted>>,
}

impl QueueMeter {
    pub(crate) fn new(queues: impl Iterator<Item = (ZoneIndex, Option<GroundPoint>)>, bounded: bool) -> Self {
        let line = |(zone, head)| Line { zone, head, waiting: BTreeMap::new(), standing: 0 };
        Self { lines: queues.map(line).collect(), counted: bounded.then(BTreeMap::new) }
    }

    /// Somebody is in zones, a bit each, at a look that stands for so long.
    pub(crate) fn person(
        &mut self,
        at: MediaTime,
        (track, zones, position): (TrackId, u64, GroundPoint),
        speed_m_s: f32,
        span_ms: u64,
        totals: &mut GroundTotals,
    ) {
        for line in self.lines.iter_mut().filter(|line| zones & (1 << line.zone.0) != 0) {
            let new = Waiting { since: at, last: at, position, stood_ms: 0 };
            let waiting = line.waiting.entry(track).or_insert(new);
            (waiting.last, waiting.position) = (at, position);
            if speed_m_s > SHUFFLE_MAX_M_S {
                continue;
            }
            waiting.stood_ms += span_ms;
            line.standing += 1;
            let counts_ms = match &mut self.counted {
                Some(counted) => {
                    let counted = counted.entry(track).or_default();
                    let counts_ms = span_ms.min(PassageBounds::PRESENT_MS - counted.standing_ms);
                    counted.standing_ms += counts_ms;
                    counts_ms
                }
                None => span_ms,
            };
            totals.queue_mut(line.zone).standing_ms += counts_ms;
        }
    }

    /// Ends a look: everybody in it has been told.
    pub(crate) fn end_look(&mut self, at: MediaTime, totals: &mut GroundTotals) {
        for line in &mut self.lines {
            let queue = totals.queue_mut(line.zone);
            queue.max = queue.max.max(std::mem::take(&mut line.standing));
            line.waiting.retain(|&track, waiting| {
                let left = at.seconds_since(waiting.last) > LEFT_S;
                if left && waiting.was_served(line.head) {
                    let waited_ms = waiting.last.as_millis() - waiting.since.as_millis();
                    let mut waited_ms = u64::try_from(waited_ms).unwrap_or(0);
                    if let Some(counted) = &mut self.counted {
                        let counted = counted.entry(track).or_default();
                        if std::mem::replace(&mut counted.was_served, true) {
                            return false;
                        }
                        waited_ms = waited_ms.min(PassageBounds::PRESENT_MS);
                    }
                    queue.served += 1;
                    queue.waited_ms += waited_ms;
                }
                !left
            });
        }
    }

    /// Forgets the tracks that have ended.
    pub(crate) fn retire(&mut self, alive: impl Fn(TrackId) -> bool) {
        if let Some(counted) = &mut self.counted {
            counted.retain(|&track, _| alive(track));
        }
    }
}

impl Waiting {
    fn was_served(&self, head: Option<GroundPoint>) -> bool {
        let stood = self.stood_ms as f32 > 1000.0 * STOOD_MIN_S;
        stood && head.is_none_or(|head| head.distance_m(self.position) <= HEAD_REACH_M)
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{Class, GroundCells, Queue, Schema, Window, WindowTotals};

    use super::*;

    /// One queue along x with its head at x = 0; people as (number, second of arrival, where they stand, until when, x
    /// at which they leave), looked at five times a second.
    fn play(people: &[(u64, f64, f32, f64, f32)], bounded: bool, head: Option<GroundPoint>) -> Queue {
        let cells = GroundCells { queues: 1, ..GroundCells::default() };
        let schema = Schema::new(0, 1, &[Class::Person], false).unwrap().with_ground(cells).unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(0, 1_000_000).unwrap());
        let mut meter = QueueMeter::new([(ZoneIndex(0), head)].into_iter(), bounded);
        for look in 0..5000u16 {
            let second = f64::from(look) / 5.0;
            let at = MediaTime::from_seconds(second);
            for &(number, from_s, x_m, until_s, leaves_m) in people {
                if (from_s..until_s).contains(&second) {
                    // The last second leads to where they leave.
                    let x_m = if second > until_s - 1.0 { leaves_m } else { x_m };
                    let speed = if second > until_s - 1.0 || second < from_s + 1.0 { 1.2 } else { 0.1 };
                    let who = (TrackId::for_test(number), 1, GroundPoint { x_m, y_m: 0.0 });
                    meter.person(at, who, speed, 200, totals.ground_mut());
                }
            }
            meter.end_look(at, totals.ground_mut());
        }
        totals.ground().queue(ZoneIndex(0))
    }

    #[test]
    fn a_queue_by_hand() {
        let head = Some(GroundPoint { x_m: 0.0, y_m: 0.0 });
        let people = [
            // Served after 20 and 30 seconds; gives up; passes by.
            (1, 10.0, 1.0, 30.0, 0.5),
            (2, 12.0, 2.0, 42.0, 0.5),
            (3, 15.0, 4.0, 25.0, 5.0),
            (4, 20.0, 2.0, 22.5, 0.5),
        ];
        let queue = play(&people, false, head);
        assert_eq!((queue.served, queue.max), (2, 4), "{queue:?}");
        // Each stood but for a second at either end.
        let stood_s = 18.0 + 28.0 + 8.0 + 0.5;
        assert!((queue.standing_ms as f64 / 1000.0 - stood_s).abs() < 1.0, "{queue:?}");
        assert!((queue.waited_ms as f64 / 1000.0 - 50.0).abs() < 1.0, "{queue:?}");
        assert_eq!(play(&people, false, None).served, 3, "whoever leaves is served, where no head is drawn");
    }

    #[test]
    fn a_bounded_passage_waits_two_minutes_and_is_served_once() {
        // The same one, twice, six minutes each.
        let people = [(1, 10.0, 1.0, 370.0, 0.5), (1, 400.0, 1.0, 760.0, 0.5)];
        let free = play(&people, false, None);
        assert!(free.served == 2 && free.waited_ms > 700_000 && free.standing_ms > 700_000, "{free:?}");
        let bounded = play(&people, true, None);
        let most = PassageBounds::PRESENT_MS;
        assert_eq!((bounded.served, bounded.waited_ms, bounded.standing_ms), (1, most, most));
    }
}
