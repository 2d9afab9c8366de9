//! Packets whose frames nobody wants wait until a frame is wanted that may need them. When a key frame comes before that,
//! from which all is predicted anew, nobody ever needs them. Decides nothing but whether a packet may wait.
//!
//! ```text
//!   look                  look              key frame       look
//!    p    p   p   p   p    p    p   p   p      K    p   p    p
//!        '---------------'     '---------'    '-------------'
//!        decoded for the look   never decoded  decoded for the look
//! ```

use std::collections::VecDeque;

use outis_packet::Packet;

use super::kept::{Kept, is_plain};

/// The most packets that wait: a second of common cameras.
const WAITING_MAX: usize = 25;

/// For how long a packet of a live stream waits, in microseconds: what became of it is to be told before long.
const WAIT_US: u64 = 1_000_000;

/// What waits, in the order of the stream.
#[derive(Default)]
pub(super) struct Tail {
    waiting: VecDeque<Kept>,
    is_due: bool,
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a packet is sound and shown after all that waits.
    pub(super) fn precedes(&self, packet: &Packet<'_>) -> bool {
        is_plain(packet) && self.waiting.iter().all(|other| other.pts() < packet.pts)
    }

    /// Whether a packet can wait behind the others.
    pub(super) fn has_room(&self, packet: &Packet<'_>) -> bool {
        let waited_us = |first: &Kept| packet.arrival_us.saturating_sub(first.arrival_us());
        let is_late = self.waiting.front().is_some_and(|first| waited_us(first) > WAIT_US);
        !self.is_due && !is_late && self.waiting.len() < WAITING_MAX && self.precedes(packet)
    }

    /// Lets a packet wait.
    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        self.waiting.push_back(Kept::from(packet));
    }

    /// All that waits is needed now.
    pub(super) fn wake(&mut self) {
        self.is_due = true;
    }

    /// The next one that is to be decoded.
    pub(super) fn next_due(&mut self) -> Option<Kept> {
        let next = if self.is_due { self.waiting.pop_front() } else { None };
        self.is_due &= !self.waiting.is_empty();
        next
    }

    /// Nobody needs what waits: when its frames would be shown, and when their packets came.
    pub(super) fn drop_all(&mut self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.is_due = false;
        self.waiting.drain(..).filter_map(|kept| Some((kept.pts()?, kept.arrival_us())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pts: impl Into<Option<i64>>) -> Packet<'static> {
        Packet { pts: pts.into(), data: &[1], ..Packet::default() }
    }

    #[test]
    fn packets_wait_in_their_order_until_they_are_needed() {
        let mut tail = Tail::default();
        for pts in 0..WAITING_MAX as i64 {
            assert!(tail.has_room(&packet(pts)) && tail.next_due().is_none(), "{pts}");
            tail.push(&packet(pts));
        }
        assert!(!tail.has_room(&packet(99)), "a second of them");
        tail.wake();
        let due: Vec<_> = std::iter::from_fn(|| tail.next_due()).map(|kept| kept.pts()).collect();
        assert_eq!(due, (0..WAITING_MAX as i64).map(Some).collect::<Vec<_>>());
        assert!(tail.is_empty() && tail.has_room(&packet(99)));
    }

    #[test]
    fn what_is_strange_waits_for_nothing() {
        let mut tail = Tail::default();
        tail.push(&packet(7));
        let cases = [
            ("in its place", packet(8), true),
            ("shown before", packet(6), false),
            ("at one time", packet(7), false),
            ("without a time", packet(None), false),
            ("damaged", Packet { corrupt: true, ..packet(8) }, false),
            ("with new parameters", Packet { new_extradata: &[1], ..packet(8) }, false),
            ("empty", Packet { data: &[], ..packet(8) }, false),
        ];
        for (name, packet, waits) in cases {
            assert_eq!((tail.has_room(&packet), tail.precedes(&packet)), (waits, waits), "{name}");
        }
        let late = Packet { arrival_us: WAIT_US + 1, ..packet(8) };
        assert!(tail.precedes(&late) && !tail.has_room(&late), "a second later");
        assert_eq!(tail.drop_all().collect::<Vec<_>>(), [(7, 0)]);
        assert!(tail.is_empty());
    }
}
