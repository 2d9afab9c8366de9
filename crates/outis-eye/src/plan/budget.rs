//! How much may be spent on the network: a bucket that fills with media time. Knows no picture.

use outis_measure::MediaTime;

/// What the detector may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// At each look so many times what a look at the whole picture costs, on average.
    Wholes(f32),
    /// So many milliseconds of processor time for each second of video.
    MillisPerSecond(f32),
}

impl Budget {
    /// Looks at the whole picture that one look may cost when nobody has said otherwise.
    pub const WHOLES: f32 = 1.25;
    /// Less buys no look at all.
    pub const MILLIS_MIN: f32 = 1.0;
    /// More than sixty processors' time.
    pub const MILLIS_MAX: f32 = 60_000.0;
}

impl Default for Budget {
    fn default() -> Self {
        Self::Wholes(Self::WHOLES)
    }
}

/// What was not spent may be spent later, up to what is due in this many seconds: a tenth of ten seconds, so that
/// over any ten seconds no more than a tenth too much is spent.
const SAVED_S: f32 = 1.0;

/// The longest pause between two looks that fills the bucket, in seconds.
const PAUSE_MAX_S: f32 = 1.0;

/// A bucket of input pixels.
#[derive(Debug)]
pub(super) struct Bucket {
    budget: Budget,
    saved_px: f32,
    /// What comes in each second, in pixels.
    income_px: f32,
    last: Option<MediaTime>,
    look_s: f32,
}

impl Bucket {
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, saved_px: 0.0, income_px: 0.0, last: None, look_s: 0.2 }
    }

    /// Fills the bucket for a look. `whole_px` are the pixels of the input that shows the whole picture, `ns_per_px`
    /// is what a pixel costs.
    pub(super) fn fill(&mut self, at: MediaTime, whole_px: u64, ns_per_px: f32) {
        let pause_s = self.last.replace(at).map(|last| at.seconds_since(last).clamp(0.0, PAUSE_MAX_S));
        if let Some(pause_s) = pause_s.filter(|pause_s| *pause_s > 0.0) {
            self.look_s += 0.1 * (pause_s - self.look_s);
        }
        self.income_px = match self.budget {
            Budget::Wholes(wholes) => wholes * whole_px as f32 / self.look_s.max(1e-3),
            Budget::MillisPerSecond(ms) => ms * 1e6 / ns_per_px.max(1e-3),
        };
        let most_px = self.income_px * SAVED_S;
        self.saved_px = match pause_s {
            // The first look may see everything.
            None => most_px,
            Some(pause_s) => (self.saved_px + pause_s * self.income_px).min(most_px),
        };
    }

    /// Pixels that may be spent now.
    pub(super) fn left_px(&self) -> f32 {
        self.saved_px
    }

    /// Pixels that come in from one look to the next.
    pub(super) fn per_look_px(&self) -> f32 {
        self.income_px * self.look_s
    }

    /// Pixels were spent; more than what was left is paid back first.
    pub(super) fn spend(&mut self, pixels: u64) {
        self.saved_px -= pixels as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_cost_at_most_a_tenth_more() {
        // A hundred milliseconds a second, a pixel costs 100 ns: a million pixels a second.
        let mut bucket = Bucket::new(Budget::MillisPerSecond(100.0));
        let mut spent = Vec::new();
        for look in 0..600 {
            bucket.fill(MediaTime::from_seconds(f64::from(look) / 5.0), 106_496, 100.0);
            // A quiet minute first, then a flood: whatever is left is spent.
            let now = if look < 300 { 1000.0 } else { bucket.left_px().max(0.0) };
            bucket.spend(now as u64);
            spent.push(now);
        }
        for ten_s in spent.windows(50) {
            assert!(ten_s.iter().sum::<f32>() <= 11.0e6, "{ten_s:?}");
        }
        assert!(spent[350..400].iter().sum::<f32>() > 9.5e6, "and what is due is spent");
    }

    #[test]
    fn a_share_of_the_whole_follows_the_looks() {
        for fps in [5.0, 25.0] {
            let mut bucket = Bucket::new(Budget::Wholes(1.5));
            for look in 0..200 {
                bucket.fill(MediaTime::from_seconds(f64::from(look) / fps), 100_000, 1.0);
            }
            assert!((bucket.per_look_px() - 150_000.0).abs() < 1_000.0, "{fps}: {}", bucket.per_look_px());
        }
    }
}
