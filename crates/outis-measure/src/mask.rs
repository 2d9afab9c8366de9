//! Whether somebody wore a mask, voted over the best moments of one passage: a few numbers a track, and no face.

use std::collections::BTreeMap;

use crate::{ImageBox, Score, TrackId};

/// Where a probability becomes a yes or a no. From the card of the network that judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskSettings {
    /// From this probability of a mask on, one is worn.
    pub with_min: f32,
    /// Up to this one, none is. Between the two it is not known.
    pub without_max: f32,
}

/// What one look at a face said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceReading {
    /// Side of the face in pixels of the picture: the root of its area.
    pub side_px: f32,
    /// How sure it is that there is a face.
    pub score: Score,
    /// How likely it wears a mask, 0 to 1.
    pub with_mask: f32,
}

/// Somebody who may be looked in the face, and where they should be now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceWanted {
    /// Who.
    pub track: TrackId,
    /// The whole person.
    pub bbox: ImageBox,
    /// Whether another look can still change anything. Others are told too, so that no face is given to a neighbour.
    pub open: bool,
    /// How often their face was looked for.
    pub looks: u8,
}

/// What is known of one passage in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mask {
    With,
    Without,
    Unknown,
}

/// The moments that are remembered of one passage.
const MOMENTS_MAX: usize = 3;

/// Beyond this side of a face, in pixels, a larger one is judged no better: the classifier's precision is the same
/// from 32 pixels up, and a one-shot network sees no more of it.
const SIDE_FULL_PX: f32 = 64.0;

/// So many looks for one passage: eight seconds at five looks a second. Who was not seen in the face by then turns
/// it away.
const LOOKS_MAX: u8 = 40;

/// One passage so far.
#[derive(Debug, Clone, Copy, Default)]
struct Vote {
    /// Weight and probability of the best moments; a weight of zero is none.
    best: [(f32, f32); MOMENTS_MAX],
    looks: u8,
}

const _: () = assert!(size_of::<Vote>() <= 32);

impl Vote {
    fn add(&mut self, reading: &FaceReading) {
        let weight = reading.score.get() * reading.side_px.clamp(0.0, SIDE_FULL_PX);
        self.keep(weight, reading.with_mask);
    }

    /// Keeps a moment if it is better than the worst that is kept.
    fn keep(&mut self, weight: f32, with_mask: f32) {
        if !(weight.is_finite() && with_mask.is_finite()) {
            return;
        }
        let worst = self.best.iter_mut().min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are three");
        if weight > worst.0 {
            *worst = (weight, with_mask.clamp(0.0, 1.0));
        }
    }

    /// The mean of the best moments, the better ones counting more.
    fn mask(&self, settings: &MaskSettings) -> Mask {
        let weight: f32 = self.best.iter().map(|(weight, _)| weight).sum();
        if weight <= 0.0 {
            return Mask::Unknown;
        }
        let mean = self.best.iter().map(|(weight, with)| weight * with).sum::<f32>() / weight;
        match mean {
            _ if mean >= settings.with_min => Mask::With,
            _ if mean <= settings.without_max => Mask::Without,
            _ => Mask::Unknown,
        }
    }

    /// Whether there are moments enough and they agree, or enough was tried.
    fn is_settled(&self, settings: &MaskSettings) -> bool {
        let full = self.best.iter().all(|(weight, _)| *weight > 0.0);
        self.looks >= LOOKS_MAX || full && self.mask(settings) != Mask::Unknown
    }
}

/// The votes of all who are followed. As many as there are tracks at most: what is no track is not kept.
#[derive(Debug, Default)]
pub(crate) struct Votes(BTreeMap<TrackId, Vote>);

impl Votes {
    /// Takes what a look at somebody said; `None` when no face was to be seen.
    pub(crate) fn add(&mut self, track: TrackId, reading: Option<&FaceReading>) {
        let vote = self.0.entry(track).or_default();
        vote.looks = vote.looks.saturating_add(1);
        if let Some(reading) = reading {
            vote.add(reading);
        }
    }

    /// How often somebody was looked in the face, and whether another look can change anything.
    pub(crate) fn standing(&self, track: TrackId, settings: &MaskSettings) -> (u8, bool) {
        self.0.get(&track).map_or((0, true), |vote| (vote.looks, !vote.is_settled(settings)))
    }

    /// Somebody turned out to be an earlier one.
    pub(crate) fn join(&mut self, earlier: TrackId, second: TrackId) {
        let Some(newer) = self.0.remove(&second) else { return };
        let vote = self.0.entry(earlier).or_default();
        vote.looks = vote.looks.saturating_add(newer.looks);
        for (weight, with_mask) in newer.best {
            vote.keep(weight, with_mask);
        }
    }

    /// A passage is over: what is known of it, and no more of it is kept.
    pub(crate) fn end(&mut self, track: TrackId, settings: &MaskSettings) -> Mask {
        self.0.remove(&track).map_or(Mask::Unknown, |vote| vote.mask(settings))
    }

    /// Forgets all who are followed no longer.
    pub(crate) fn retain(&mut self, alive: impl Fn(TrackId) -> bool) {
        self.0.retain(|&track, _| alive(track));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: MaskSettings = MaskSettings { with_min: 0.5, without_max: 0.1 };

    #[test]
    fn the_best_moments_decide() {
        // (case, (side, score, probability of a mask) of each look, what is known, whether it is settled)
        type Looks = &'static [(f32, f32, f32)];
        let cases: [(&str, Looks, Mask, bool); 9] = [
            ("never seen in the face", &[], Mask::Unknown, false),
            ("one look", &[(30.0, 0.8, 0.9)], Mask::With, false),
            ("three that agree", &[(30.0, 0.8, 0.9), (30.0, 0.8, 0.7), (40.0, 0.8, 0.8)], Mask::With, true),
            ("bare", &[(30.0, 0.8, 0.01), (30.0, 0.8, 0.0), (40.0, 0.8, 0.02)], Mask::Without, true),
            (
                "three that do not",
                &[(30.0, 0.8, 0.9), (30.0, 0.8, 0.0), (30.0, 0.8, 0.1)],
                Mask::Unknown,
                false,
            ),
            (
                "far off it looked otherwise",
                &[(16.0, 0.6, 0.9), (17.0, 0.6, 0.9), (60.0, 0.9, 0.0), (60.0, 0.9, 0.0), (60.0, 0.9, 0.0)],
                Mask::Without,
                true,
            ),
            ("between the two", &[(60.0, 0.9, 0.3); 3], Mask::Unknown, false),
            (
                "not a number is no moment",
                &[(f32::NAN, 0.9, 0.9), (60.0, 0.9, f32::NAN)],
                Mask::Unknown,
                false,
            ),
            ("tried long enough", &[(60.0, 0.9, 0.3); 40], Mask::Unknown, true),
        ];
        for (name, looks, mask, settled) in cases {
            let (mut tracker, mut votes) =
                (crate::Tracker::new(crate::TrackerSettings::default()), Votes::default());
            let track = any_track(&mut tracker);
            for &(side_px, score, with_mask) in looks {
                votes.add(track, Some(&FaceReading { side_px, score: Score::new(score), with_mask }));
            }
            assert_eq!(votes.standing(track, &SETTINGS).1, !settled, "{name}");
            assert_eq!(votes.end(track, &SETTINGS), mask, "{name}");
            assert_eq!(votes.end(track, &SETTINGS), Mask::Unknown, "{name}: nothing is kept");
        }
    }

    /// The number of a real track: no other way makes one.
    fn any_track(tracker: &mut crate::Tracker) -> TrackId {
        let detection = crate::Detection {
            bbox: ImageBox::from_left_top_width_height(0.0, 0.0, 30.0, 90.0),
            class: outis_record::Class::Person,
            score: Score::new(0.9),
        };
        tracker.look(crate::MediaTime::ZERO, &[detection]);
        tracker.predictions(crate::MediaTime::ZERO)[0].track
    }
}
