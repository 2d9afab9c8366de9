//! Packets of a stream that rests: they wait instead of being decoded, because nothing moves in the view, and are there when
//! something does. Knows packets and their times; whether anything moves is known elsewhere.
//!
//! ```text
//!                 the last key frame            what came in the last second
//!  packets ─►  [ K  p  p  p  p  p  p  p ]  ◄──  [ p  p  p  p  p ]  ◄── the newest
//!                 passed: unchanged              waiting: not decided yet
//! ```
//! A packet waits for a second before it is passed. Whoever wakes finds what led up to it there: all since the last key frame
//! is decoded then, and frames that nothing was told of yet are shown as if nobody had rested.

use std::collections::{BTreeSet, VecDeque};

use outis_packet::Packet;

use super::kept::{Kept, is_plain};

/// How long a packet waits, in microseconds: the second stream of a camera is behind the first by less than this.
const WAIT_US: u64 = 1_000_000;

/// Key frames nearer together than this are not all looked at, in microseconds: some cameras send nothing else.
const KEY_STEP_US: u64 = 1_000_000;

/// Without a key frame for longer than this, in microseconds, all that waits is decoded, and nothing rests any more: nobody
/// is to go unlooked at for so long, and who comes is to be seen before long.
const KEY_WAIT_US: u64 = 10_000_000;

/// The most bytes that wait: ten seconds of a 4K stream.
const BYTES_MAX: usize = 32 << 20;

/// What becomes of a packet whose second is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// It is a key frame that is due to be looked at.
    Key,
    /// Nobody looks at it.
    Unseen,
}

/// A stream that rests, or may.
#[derive(Default)]
pub(super) struct Rest {
    /// Somebody wants it to rest, from the next key frame on.
    wanted: bool,
    resting: bool,
    /// From the last key frame on, in the order in which they are decoded.
    passed: VecDeque<Kept>,
    waiting: VecDeque<Kept>,
    /// Times of passed frames that were not told yet: an earlier one may still come.
    untold: BTreeSet<i64>,
    /// After it: times of frames that were told already and are decoded all the same.
    told: BTreeSet<i64>,
    /// When the last key frame that was looked at came.
    looked_us: Option<u64>,
    /// Its key frames are too far apart.
    is_hopeless: bool,
    bytes: usize,
}

impl Rest {
    /// Lets the stream rest from its next key frame on.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Whether it begins with the next key frame.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted && !self.resting && !self.is_hopeless
    }

    pub(super) fn is_on(&self) -> bool {
        self.resting
    }

    /// Whether the stream can rest from this packet on. It is the first that waits then.
    pub(super) fn begin(&mut self, packet: &Packet<'_>) -> bool {
        if !self.wanted || self.is_hopeless || !packet.key || !is_plain(packet) || !self.is_empty() {
            return false;
        }
        self.take(packet);
        self.resting = true;
        self.looked_us = None;
        true
    }

    /// Takes the newest packet; false when the stream cannot rest with it any longer.
    pub(super) fn push(&mut self, packet: &Packet<'_>) -> bool {
        self.take(packet);
        let since_us = |looked_us| packet.arrival_us.saturating_sub(looked_us);
        self.is_hopeless = self.bytes > BYTES_MAX
            || self.looked_us.is_some_and(|looked_us| since_us(looked_us) > KEY_WAIT_US + WAIT_US);
        is_plain(packet) && !self.is_hopeless
    }

    fn take(&mut self, packet: &Packet<'_>) {
        self.bytes += packet.data.len();
        self.waiting.push_back(Kept::from(packet));
    }

    /// Passes the first packet whose second is over.
    pub(super) fn pass(&mut self) -> Option<Passed> {
        let (first, newest) = (self.waiting.front()?, self.waiting.back()?);
        if newest.arrival_us().saturating_sub(first.arrival_us()) < WAIT_US {
            return None;
        }
        let kept = self.waiting.pop_front()?;
        let Packet { pts, arrival_us, key, .. } = kept.packet();
        // What is shown before a key frame and comes after it needs the frames before.
        let is_clean = key && self.waiting.iter().all(|later| later.pts() > pts);
        if is_clean {
            self.bytes -= self.passed.iter().map(|kept| kept.bytes()).sum::<usize>();
            self.passed.clear();
        }
        self.passed.push_back(kept);
        let is_due =
            self.looked_us.is_none_or(|looked_us| arrival_us.saturating_sub(looked_us) >= KEY_STEP_US);
        if is_clean && is_due {
            self.looked_us = Some(arrival_us);
            return Some(Passed::Key);
        }
        self.untold.extend(pts);
        Some(Passed::Unseen)
    }

    /// The packet that was passed last.
    pub(super) fn last_passed(&self) -> Option<&Kept> {
        self.passed.back()
    }

    /// The next time of a passed frame that can be told: none that is shown earlier can come any more.
    pub(super) fn next_told(&mut self) -> Option<i64> {
        let first = *self.untold.first()?;
        (self.waiting.iter().all(|later| later.pts() > Some(first))).then(|| self.untold.pop_first())?
    }

    /// Ends it, or the wish for it: what was kept is to be [decoded](Self::next_kept) now.
    pub(super) fn wake(&mut self) {
        self.wanted = false;
        if std::mem::take(&mut self.resting) {
            let passed = self.passed.iter().filter_map(Kept::pts);
            self.told = passed.filter(|pts| !self.untold.contains(pts)).collect();
            self.untold.clear();
        }
    }

    /// After a rest, the next packet to decode, and whether its frame is one that was passed.
    pub(super) fn next_kept(&mut self) -> Option<(Kept, bool)> {
        let passed = self.passed.pop_front();
        let was_passed = passed.is_some();
        let kept = passed.or_else(|| self.waiting.pop_front())?;
        self.bytes -= kept.bytes();
        Some((kept, was_passed))
    }

    /// Whether a frame that was decoded is one that was told while the stream rested.
    pub(super) fn was_told(&mut self, shown_at: Option<i64>) -> bool {
        let Some(shown_at) = shown_at.filter(|_| !self.told.is_empty()) else { return false };
        let was_told = self.told.contains(&shown_at);
        self.told.retain(|told| *told > shown_at);
        was_told
    }

    fn is_empty(&self) -> bool {
        self.passed.is_empty() && self.waiting.is_empty()
    }
}
