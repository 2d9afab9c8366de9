//! Frames that are not decoded, kept by their times until their turn in the order of showing. Decides nothing but
//! whether that is safe.

use std::collections::BTreeMap;

use outis_packet::Packet;

/// So many packets must have been sound before one is left out: whose stream is damaged or has strange times, needs all
/// that there is. A second of common cameras.
const SOUND_PACKETS_MIN: u32 = 25;

/// The most frames that wait for their turn. No codec here holds back more than 16.
const WAITING_MAX: usize = 32;

/// The times of frames that were left out and not told yet.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// In the stream's units, with when their packets came.
    waiting: BTreeMap<i64, u64>,
    sound_packets: u32,
}

impl LeftOut {
    /// Takes note of the next packet, and leaves it out when it is superfluous and nothing speaks against it.
    pub(crate) fn take(&mut self, packet: &Packet<'_>, is_superfluous: bool) -> bool {
        self.sound_packets = self.sound_packets.saturating_add(1);
        let sound = self.is_sound() && !packet.corrupt;
        let has_place = |time: &i64| self.waiting.len() < WAITING_MAX && !self.waiting.contains_key(time);
        let Some(time) = packet.pts.filter(|time| sound && is_superfluous && has_place(time)) else {
            return false;
        };
        self.waiting.insert(time, packet.arrival_us);
        true
    }

    /// Leaves out frames that have waited and that nobody needs: the times at which they are shown and at which their
    /// packets came.
    pub(crate) fn leave(&mut self, frames: impl Iterator<Item = (i64, u64)>) {
        self.waiting.extend(frames);
    }

    /// Whether nothing has been wrong with the stream for a while.
    pub(crate) fn is_sound(&self) -> bool {
        self.sound_packets > SOUND_PACKETS_MIN
    }

    /// Something was wrong with the stream.
    pub(crate) fn doubt(&mut self) {
        self.sound_packets = 0;
    }

    /// The earliest of them, when it is due, and when its packet came.
    pub(crate) fn next_if(&mut self, is_due: impl Fn(i64) -> bool) -> Option<(i64, u64)> {
        let first = self.waiting.first_entry().filter(|first| is_due(*first.key()))?;
        Some(first.remove_entry())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pts: impl Into<Option<i64>>) -> Packet<'static> {
        Packet { pts: pts.into(), data: &[1], ..Packet::default() }
    }

    #[test]
    fn nothing_is_left_out_before_the_stream_has_proved_sound() {
        let mut left_out = LeftOut::default();
        for time in 0..i64::from(SOUND_PACKETS_MIN) {
            assert!(!left_out.take(&packet(time), true), "{time}");
        }
        assert!(left_out.take(&packet(100), true));
        assert!(!left_out.take(&packet(101), false), "somebody wants it");
        assert!(!left_out.take(&packet(None), true), "its turn is unknown");
        assert!(!left_out.take(&packet(100), true), "two at one time");
        assert!(!left_out.take(&Packet { corrupt: true, ..packet(102) }, true));
        left_out.doubt();
        assert!(!left_out.take(&packet(103), true));
    }

    #[test]
    fn they_are_told_in_the_order_of_showing_and_limited() {
        let mut left_out = LeftOut { sound_packets: SOUND_PACKETS_MIN, ..LeftOut::default() };
        let taken = (0..100).rev().filter(|time| left_out.take(&packet(*time), true)).count();
        assert_eq!(taken, WAITING_MAX);
        assert_eq!(left_out.next_if(|time| time < 68), None);
        assert_eq!(left_out.next_if(|time| time < 70), Some((68, 0)));
        left_out.leave([(7, 70)].into_iter());
        assert_eq!([left_out.next_if(|_| true), left_out.next_if(|_| true)], [Some((7, 70)), Some((69, 0))]);
    }
}
