//! Who may read the figures, and what that costs them: the named sets of release rules.
//!
//! # How much one passage can change
//!
//! A *passage* is one track from its first sighting to its last, at most ten minutes: what the machine takes for
//! one person's or vehicle's way through the picture. The eye bounds what a passage adds, over its whole life and
//! so over all windows and classes together; the noise is as large as these bounds ask for.
//!
//! | figure | one passage adds at most | unbounded it could add |
//! |---|---|---|
//! | line forward, backward; zone entered, left | 1 to each of at most [`PassageBounds::COUNTS`] of them | 1 every half second |
//! | flow | 1 to one of them | 1 |
//! | with a mask, without, not known | 1 to one of the three | 1 |
//! | person-seconds in the picture | [`PassageBounds::PRESENT_MS`] | 600 s |
//! | sum of stays in zones | [`PassageBounds::PRESENT_MS`], in one zone | 600 s in each |
//! | now, at most (picture and zone) | 1 at a moment: never released with noise | 1 |
//! | person-seconds in a zone, stays that ended | never released with noise | 600 s, many |
//!
//! # The budget
//!
//! ε = 1 for a passage, all figures together, shared 4 : 2 : 1 : 1 by counts, flows, masks and times. Where a camera
//! has no flows or masks, their share goes to the others. What is asked for on the ground takes 2 (time near others), 1
//! (encounters), 2 (speed), 1 (density), 2 (queues) and 1 (heat) such parts; its bounds stand in `ground_rules.rs`. Windows are disjoint and the bounds hold over a passage's
//! whole life, so ε does not grow with the day. Sums of windows, such as a day's, are made from released windows;
//! none has a budget of its own.

use std::fmt;

/// What one passage adds at most. The eye keeps to it unless the profile is [`Profile::Exact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassageBounds;

impl PassageBounds {
    /// The most lines' and zones' counters that one passage raises, each by one: two lines and a zone both ways. A
    /// higher bound would make everybody's noise larger; with four, a tenth of the passages of the demo clip went
    /// uncounted.
    pub const COUNTS: u32 = 6;

    /// The longest presence or stay that counts of one passage, in milliseconds. Who stays longer counts so much.
    pub const PRESENT_MS: u64 = 120_000;

    /// How long a passage is measured on the ground, in milliseconds from its beginning: it counts itself, and is
    /// seen by others, only so long. Most who walk through a picture are gone by then.
    pub const GROUND_MS: u64 = 60_000;

    /// How long a passage heats one cell of the ground, in milliseconds: so few who stand somewhere do not show.
    pub const HEAT_CELL_MS: u64 = 10_000;

    /// The most others to whom a passage is near at a moment, for each distance that is told of.
    pub const NEIGHBOURS: u32 = 2;

    /// The most encounters of a passage, for each distance that is told of.
    pub const ENCOUNTERS: u32 = 2;
}

/// Release rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// Every figure as it is, running windows too: for the owner's own files.
    Exact,
    /// Noise, and nothing about fewer than five: for the running of a town.
    Statistics,
    /// Noise, rounding, and nothing about fewer than ten: for publication.
    OpenData,
    /// What the French decree 2021-269 of 10 March 2021 allowed: over 20 minutes or more, the number of people
    /// detected and the share of them with a mask, and nothing else.
    Fr2021269,
}

impl Profile {
    /// Every profile, the most open first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::Statistics, Self::OpenData, Self::Fr2021269];

    /// Its name in configurations and in what is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Statistics => "statistics",
            Self::OpenData => "open-data",
            Self::Fr2021269 => "fr-2021-269",
        }
    }

    /// The profile of a [`Profile::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether every figure is told as it is.
    pub fn is_exact(self) -> bool {
        self == Self::Exact
    }

    /// The privacy budget ε of one passage, all figures together; `None` without noise.
    pub fn epsilon(self) -> Option<u32> {
        (!self.is_exact()).then_some(1)
    }

    /// Figures that fewer passages than this stand behind are withheld.
    pub fn k(self) -> u32 {
        match self {
            Self::Exact => 0,
            Self::Statistics | Self::Fr2021269 => 5,
            Self::OpenData => 10,
        }
    }

    /// The shortest window in seconds.
    pub fn window_s_min(self) -> u32 {
        match self {
            Self::Exact => 1,
            Self::Statistics | Self::OpenData => 900,
            Self::Fr2021269 => 1200,
        }
    }

    /// Whether figures of a window are told that its source ended or that began late. The decree speaks of results
    /// over twenty minutes, and a camera that is started anew each minute would make shorter ones.
    pub(crate) fn tells_partial(self) -> bool {
        self != Self::Fr2021269
    }

    /// Counts are told in steps of this.
    pub(crate) fn count_step(self) -> u64 {
        if self == Self::OpenData { 5 } else { 1 }
    }

    /// Shares are told in steps of so many hundredths, made of noisy figures.
    pub const SHARE_STEP_PERCENT: u64 = 5;

    /// Times are told in steps of so many seconds.
    pub(crate) fn step_s(self) -> u64 {
        if self == Self::OpenData { 60 } else { 10 }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_profiles() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(profile.name()), Some(profile));
        }
        assert_eq!(Profile::from_name("raw"), None);
    }
}
