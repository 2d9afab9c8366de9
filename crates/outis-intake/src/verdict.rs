//! Whether a source was whole. Judges by what its container promised and what came of it.

use outis_packet::Ending;

/// What is remembered of the packets that came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    /// Length of the source in microseconds, when its container states it.
    stated_us: Option<i64>,
    first_us: Option<i64>,
    last_us: Option<i64>,
    last_is_corrupt: bool,
    failed: bool,
}

impl Verdict {
    /// A container may round its length, or state that of a track that begins later: less than this is no loss.
    const TOLERANCE_US: i64 = 1_000_000;

    /// `stated_us` is the length the container states, in microseconds.
    pub(crate) fn new(stated_us: Option<i64>) -> Self {
        Self { stated_us, ..Self::default() }
    }

    /// A packet of any stream came, shown from `start_us` to `end_us`.
    pub(crate) fn came(&mut self, start_us: i64, end_us: i64) {
        self.first_us = Some(self.first_us.map_or(start_us, |first| first.min(start_us)));
        self.last_us = Some(self.last_us.map_or(end_us, |last| last.max(end_us)));
    }

    /// Whether the newest packet of video was whole.
    pub(crate) fn newest(&mut self, corrupt: bool) {
        self.last_is_corrupt = corrupt;
    }

    /// The demuxer met an error, or a packet had to be left out.
    pub(crate) fn failed(&mut self) {
        self.failed = true;
    }

    /// How the source came to its end.
    pub(crate) fn ending(&self) -> Ending {
        let came_us = self.last_us.unwrap_or(0).saturating_sub(self.first_us.unwrap_or(0));
        let short = self.stated_us.is_some_and(|stated| stated.saturating_sub(came_us) > Self::TOLERANCE_US);
        if self.failed || self.last_is_corrupt || short { Ending::Truncated } else { Ending::Complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_whole_or_not() {
        const S: i64 = 1_000_000;
        /// Stated length, and start and end of each packet.
        type Case = (&'static str, Option<i64>, &'static [(i64, i64)], Ending);
        let cases: [Case; 7] = [
            ("as stated", Some(10 * S), &[(0, 5 * S), (5 * S, 10 * S)], Ending::Complete),
            ("a little less", Some(10 * S), &[(0, 95 * S / 10)], Ending::Complete),
            ("cut", Some(10 * S), &[(0, 8 * S)], Ending::Truncated),
            ("nothing came", Some(10 * S), &[], Ending::Truncated),
            ("no length stated", None, &[(0, S)], Ending::Complete),
            ("starts late", Some(10 * S), &[(100 * S, 110 * S)], Ending::Complete),
            ("reordered", Some(10 * S), &[(S, 10 * S), (0, S)], Ending::Complete),
        ];
        for (name, stated_us, packets, ending) in cases {
            let mut verdict = Verdict::new(stated_us);
            packets.iter().for_each(|&(start_us, end_us)| verdict.came(start_us, end_us));
            assert_eq!(verdict.ending(), ending, "{name}");
        }
    }

    #[test]
    fn only_the_last_packet_tells_of_a_cut() {
        let mut verdict = Verdict::default();
        verdict.newest(true);
        assert_eq!(verdict.ending(), Ending::Truncated);
        verdict.newest(false);
        assert_eq!(verdict.ending(), Ending::Complete);
        verdict.failed();
        assert_eq!(verdict.ending(), Ending::Truncated);
    }
}
