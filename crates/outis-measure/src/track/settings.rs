//! What the tracker assumes about the street and the detector: seconds and body sizes, never frames.

use outis_record::Class;

/// How tracks are made. All times are seconds; all lengths are in units of the object's own size
/// (the height of a person or two-wheeler, the root of the box area of a larger vehicle).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerSettings {
    /// A detection at least this sure may start a track. From the model's card.
    pub score_new: f32,
    /// A detection less sure than this is not looked at. From the model's card.
    pub score_min: f32,
    /// How long a track goes on unseen, in seconds.
    pub unseen_max_s: f32,
    /// How long positions wait for later evidence before they are final, in seconds.
    pub lag_s: f32,
    /// How far a box edge jitters from look to look: 3 % of the height on real street clips.
    pub jitter: f32,
    /// Shortest life of a track that is believed, in seconds from its first to its last sighting.
    pub life_min_s: f32,
    /// Fewest sightings of a track that is believed.
    pub sightings_min: u16,
    /// A track whose sightings are on average at least this sure is believed even if it never moves.
    /// Less sure ones must have gone a step: what never moves and never convinces is furniture. Who has gone a step need only
    /// be half way from `score_min` to `score_new` on average: small people and people in the dark never score high, but walk.
    /// ByteTrack's border between high and low scores.
    pub score_still: f32,
    /// After this many seconds a track gets a new number, and what was remembered of it ends.
    pub age_max_s: f32,
    /// Width and height of the picture, in pixels, where they are known: beyond its borders nobody is followed.
    pub picture_px: Option<(f32, f32)>,
}

impl Default for TrackerSettings {
    fn default() -> Self {
        Self {
            score_new: 0.55,
            score_min: 0.35,
            unseen_max_s: 2.0,
            lag_s: 1.6,
            jitter: 0.03,
            life_min_s: 0.35,
            sightings_min: 3,
            score_still: 0.6,
            age_max_s: 600.0,
            picture_px: None,
        }
    }
}

/// Finished positions leave the tracker in portions of this length, in seconds: the smoother's cost is
/// shared by all frames of a portion. Together with `lag_s` it makes the longest delay.
pub(super) const PORTION_S: f32 = 0.4;

/// The most tracks at once: what a window may say of at most. The detector gives at most 300 boxes a frame.
pub(super) const TRACKS_MAX: usize = outis_record::possible::PRESENT_MAX as usize;

/// The most detections of one look; the surest are taken.
pub(super) const DETECTIONS_MAX: usize = 512;

/// What kind of thing moves: decides its size unit and its inertia. Classes of one kind may be confused
/// with each other by a detector from look to look, so they share tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pedestrian,
    TwoWheeler,
    Vehicle,
}

impl Kind {
    pub(super) fn of(class: Class) -> Self {
        match class {
            Class::Person => Self::Pedestrian,
            Class::Bicycle | Class::Motorcycle => Self::TwoWheeler,
            Class::Car | Class::Bus | Class::Truck => Self::Vehicle,
        }
    }

    /// Standard deviation of the velocity of something that has just appeared, in sizes per second.
    /// Pedestrians 1.4 m/s (Weidmann 1993) of 1.7 m; cyclists 5 m/s; cars 10 m/s of about 3 m (seen as the
    /// root of their box area).
    pub(super) fn speed_sd(self) -> f32 {
        match self {
            Self::Pedestrian => 0.8,
            Self::TwoWheeler => 2.5,
            Self::Vehicle => 3.0,
        }
    }

    /// Density of the white acceleration noise, in sizes² per second³. People who walk keep their pace:
    /// changes of 0.25 m/s² that last a second are 2 · 0.25² · 1 s over (1.7 m)² = 0.04.
    /// Wheels brake and start with 2 m/s² or more.
    pub(super) fn acceleration_density(self) -> f32 {
        match self {
            Self::Pedestrian => 0.04,
            Self::TwoWheeler => 1.5,
            Self::Vehicle => 2.0,
        }
    }
}
