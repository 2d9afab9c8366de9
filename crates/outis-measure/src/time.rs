//! Time as it stands in the media, never as a clock on the wall tells it.

/// Microseconds from the first frame of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(i64);

impl MediaTime {
    /// The first frame.
    pub const ZERO: Self = Self(0);

    /// A time in microseconds.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A time in seconds, to the nearest microsecond.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e6).round() as i64)
    }

    /// Microseconds from the first frame.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds from the first frame, rounded down.
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Seconds from the first frame.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 * 1e-6
    }

    /// Seconds from an earlier moment to this one; negative when that one is later.
    pub fn seconds_since(self, earlier: Self) -> f32 {
        ((self.0 - earlier.0) as f64 * 1e-6) as f32
    }

    /// The moment some seconds later.
    pub fn plus_seconds(self, seconds: f32) -> Self {
        Self(self.0.saturating_add((f64::from(seconds) * 1e6).round() as i64))
    }
}
