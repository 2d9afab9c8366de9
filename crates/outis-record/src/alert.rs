//! What an alert says, how often one may come, and how much that can tell.
//!
//! An alert is a kind and a place, so that a loudspeaker can ask people for something. It carries no figure and no time;
//! the door, which hears it, adds its own clock. Unlike a window it comes at once, so its rate has a limit.

use crate::{Place, ZoneIndex};

/// Something that was so for long enough, at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alert {
    /// What.
    pub kind: AlertKind,
    /// Where.
    pub place: AlertPlace,
}

/// What an alert can be about. A closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AlertKind {
    /// Two people stay nearer to each other than is good.
    TooClose = 0,
    /// More people are there than there is room for.
    TooFull = 1,
}

impl AlertKind {
    /// Every kind, by its number on the wire.
    pub const ALL: [Self; 2] = [Self::TooClose, Self::TooFull];

    /// Its name in configurations and in what is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooClose => "too-close",
            Self::TooFull => "too-full",
        }
    }

    /// The kind of a [`AlertKind::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertPlace {
    /// Anywhere in the picture.
    View,
    /// In a zone.
    Zone(ZoneIndex),
}

impl AlertPlace {
    pub(crate) fn to_wire(self) -> u16 {
        match self {
            Self::View => 0,
            Self::Zone(zone) => Place::Zone(zone).to_wire(),
        }
    }

    pub(crate) fn from_wire(wire: u16) -> Option<Self> {
        match Place::from_wire(wire) {
            Place::Zone(zone) => Some(Self::Zone(zone)),
            Place::Line(_) => (wire == 0).then_some(Self::View),
        }
    }
}

/// Which alerts one camera may give, and how far they are apart: fixed by the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertTerms {
    /// In their order, each once.
    alerts: Vec<Alert>,
    gap_ms: u32,
}

/// Why alerts cannot be given so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// Alerts could come so often that they tell more than the counts do.
    #[error("alerts {0} s apart are possible, not nearer than {least} s and not farther than {most} s",
        least = AlertTerms::GAP_MS_MIN / 1000, most = AlertTerms::GAP_MS_MAX / 1000)]
    Gap(u32),
}

impl AlertTerms {
    /// The least time between two alerts of one camera, whatever they are about, in milliseconds.
    pub const GAP_MS_MIN: u32 = 10_000;

    /// The longest such time: an hour.
    pub const GAP_MS_MAX: u32 = 3_600_000;

    /// The door passes an alert on at multiples of this on its own clock, in milliseconds: what its moment can tell
    /// is then known. It costs half of this on average.
    pub const STEP_MS: u32 = 200;

    /// No alerts at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// These alerts, of which no two are nearer in time than a gap.
    ///
    /// # Errors
    /// When the gap is out of range.
    pub fn new(mut alerts: Vec<Alert>, gap_ms: u32) -> Result<Self, AlertError> {
        if !(Self::GAP_MS_MIN..=Self::GAP_MS_MAX).contains(&gap_ms) {
            return Err(AlertError::Gap(gap_ms / 1000));
        }
        alerts.sort_unstable();
        alerts.dedup();
        Ok(Self { alerts, gap_ms })
    }

    /// Every alert that may come.
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The least time between two of them, in milliseconds.
    pub fn gap_ms(&self) -> u32 {
        self.gap_ms
    }

    /// Whether this one may come.
    pub fn allow(&self, alert: Alert) -> bool {
        self.alerts.binary_search(&alert).is_ok()
    }

    /// How many may come in an hour.
    pub fn per_hour(&self) -> u32 {
        if self.alerts.is_empty() { 0 } else { 3_600_000 / self.gap_ms }
    }

    /// The information in all alerts of a window, at most and whatever the eye does: the logarithm of the number of ways
    /// in which they can come. With `n` steps of the door's clock left there is either no alert at the next one, or one
    /// of `k` and none for a gap of `g` steps: `N(n) = N(n - 1) + k · N(n - g)`.
    pub fn bits(&self, window_ms: u32) -> f64 {
        if self.alerts.is_empty() {
            return 0.0;
        }
        let kinds = self.alerts.len() as f64;
        let gap = (self.gap_ms / Self::STEP_MS) as usize;
        let steps = window_ms.div_ceil(Self::STEP_MS).min(STEPS_MAX);
        // The logarithms of the last N, in a ring: nothing shorter than a gap has room for more than one alert.
        let mut ring = vec![0.0f64; gap];
        let mut newest = 0.0f64;
        for step in 0..steps as usize {
            let before_gap = ring[step % gap];
            newest += (kinds * (before_gap - newest).exp2()).ln_1p() / std::f64::consts::LN_2;
            ring[step % gap] = newest;
        }
        // Longer windows, which only whole files have: as many bits in every stretch of the same length.
        newest * f64::from(window_ms.div_ceil(Self::STEP_MS).div_ceil(steps.max(1)))
    }
}

/// The longest stretch whose ways are counted, in steps: a day, the longest window of a camera.
const STEPS_MAX: u32 = 86_400_000 / AlertTerms::STEP_MS;

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(alerts: u16, gap_ms: u32) -> AlertTerms {
        let alert = |zone| Alert { kind: AlertKind::TooFull, place: AlertPlace::Zone(ZoneIndex(zone)) };
        AlertTerms::new((0..alerts).map(alert).collect(), gap_ms).unwrap()
    }

    /// The same number, counted way by way: `free` is how many steps must still pass without an alert.
    fn ways(steps: u32, free: u32, kinds: u64, gap: u32) -> u64 {
        match (steps, free) {
            (0, _) => 1,
            (_, 0) => ways(steps - 1, 0, kinds, gap) + kinds * ways(steps - 1, gap - 1, kinds, gap),
            _ => ways(steps - 1, free - 1, kinds, gap),
        }
    }

    #[test]
    fn every_way_in_which_alerts_can_come_is_counted() {
        for (kinds, window_ms) in [(1, 200), (1, 10_000), (1, 10_200), (2, 24_000), (3, 31_400)] {
            let counted = ways(window_ms / AlertTerms::STEP_MS, 0, kinds.into(), 50);
            let bits = terms(kinds, 10_000).bits(window_ms);
            assert!((bits - (counted as f64).log2()).abs() < 1e-9, "{kinds} {window_ms}: {bits} {counted}");
        }
    }

    #[test]
    fn more_time_apart_tells_less() {
        let quarter = |kinds, gap_ms| terms(kinds, gap_ms).bits(900_000);
        assert!(quarter(1, 10_000) > quarter(1, 60_000) && quarter(1, 60_000) > quarter(1, 900_000));
        assert!(quarter(2, 60_000) > quarter(1, 60_000));
        // A minute apart in a quarter of an hour: at most 15 of them, each at one of at most 300 + moments.
        assert!((60.0..15.0 * 9.0).contains(&quarter(1, 60_000)), "{}", quarter(1, 60_000));
        // An hour apart: none, or one at one of 4500 moments.
        assert!((quarter(1, 3_600_000) - 4501f64.log2()).abs() < 1e-9);
        assert_eq!(AlertTerms::none().bits(900_000), 0.0);
        let days = terms(1, 60_000).bits(u32::MAX);
        assert!(days.is_finite() && days > 49.0 * terms(1, 60_000).bits(86_400_000), "{days}");
    }

    #[test]
    fn terms_have_limits() {
        assert_eq!(AlertTerms::new(vec![], 9_999), Err(AlertError::Gap(9)));
        assert!(AlertTerms::new(vec![], 3_600_001).unwrap_err().to_string().contains("10 s"));
        let twice = Alert { kind: AlertKind::TooClose, place: AlertPlace::View };
        let terms = AlertTerms::new(vec![twice, twice], 10_000).unwrap();
        assert_eq!((terms.alerts(), terms.per_hour()), (&[twice][..], 360));
        assert!(terms.allow(twice) && !terms.allow(Alert { kind: AlertKind::TooFull, ..twice }));
        assert!(!AlertTerms::none().allow(twice));
    }

    #[test]
    fn places_come_back_from_the_wire() {
        for place in [AlertPlace::View, AlertPlace::Zone(ZoneIndex(0)), AlertPlace::Zone(ZoneIndex(63))] {
            assert_eq!(AlertPlace::from_wire(place.to_wire()), Some(place));
        }
        assert_eq!(AlertPlace::from_wire(7), None, "an alert is not about a line");
    }
}
