//! Whether nobody has been in the view for a while. Knows what looks found; decides nothing.

use outis_measure::{MediaTime, Score};

use crate::plan::Look;

/// The view is empty when it has been so for this long, in seconds: whoever was seen last and is not any more is no longer
/// waited for by then.
const CALM_S: f32 = 3.0;

/// So much of the view must be known, as a share: leaves and lamps may be on.
const KNOWN_MIN: f32 = 0.99;

/// Since when the view has been empty.
#[derive(Debug)]
pub(crate) struct Calm {
    /// Who is found with less is nobody new.
    score_new: Score,
    since: Option<MediaTime>,
}

impl Calm {
    pub(crate) fn new(score_new: Score) -> Self {
        Self { score_new, since: None }
    }

    /// Takes what a look found.
    pub(crate) fn look(&mut self, at: MediaTime, look: &Look) {
        let is_empty = look.detections.iter().all(|detection| detection.score < self.score_new);
        if !is_empty || look.observed_share < KNOWN_MIN {
            self.since = None;
        } else {
            self.since.get_or_insert(at);
        }
    }

    /// Something moves.
    pub(crate) fn disturb(&mut self) {
        self.since = None;
    }

    /// Whether nobody was there at the newest look.
    pub(crate) fn is_empty(&self) -> bool {
        self.since.is_some()
    }

    /// Whether the view has been empty for long enough.
    pub(crate) fn has_lasted(&self, at: MediaTime) -> bool {
        self.since.is_some_and(|since| at.seconds_since(since) >= CALM_S)
    }
}

#[cfg(test)]
mod tests {
    use outis_measure::{Detection, ImageBox};
    use outis_record::Class;

    use super::*;

    const NEW: f32 = 0.5;

    fn look(scores: &[f32], observed_share: f32) -> Look {
        let detection = |score: &f32| Detection {
            bbox: ImageBox::from_left_top_width_height(30.0, 100.0, 20.0, 50.0),
            class: Class::Person,
            score: Score::new(*score),
        };
        Look { detections: scores.iter().map(detection).collect(), observed_share, ..Look::default() }
    }

    /// At which of fifty looks, a fifth of a second apart, the view has been empty for long enough.
    fn first_calm(look: impl Fn(i64) -> Look) -> Option<i64> {
        let mut calm = Calm::new(Score::new(NEW));
        (0..50).find(|index| {
            let at = MediaTime::from_micros(200_000 * index);
            calm.look(at, &look(*index));
            calm.has_lasted(at)
        })
    }

    #[test]
    fn a_view_is_empty_after_three_seconds_with_nobody_in_it() {
        assert_eq!(first_calm(|_| look(&[], 1.0)), Some(15), "nobody");
        assert_eq!(first_calm(|_| look(&[0.3], 1.0)), Some(15), "what nobody would be made of");
        assert_eq!(first_calm(|_| look(&[0.3, 0.6], 1.0)), None, "a statue");
        assert_eq!(first_calm(|i| look(if i < 10 { &[0.6] } else { &[] }, 1.0)), Some(25), "one who goes");
        assert_eq!(
            first_calm(|i| look(&[], if i == 8 { 0.9 } else { 1.0 })),
            Some(24),
            "too little was seen"
        );
        assert_eq!(first_calm(|i| look(if i % 10 == 9 { &[0.6] } else { &[] }, 1.0)), None, "now and then");
    }

    #[test]
    fn what_moves_elsewhere_begins_it_anew() {
        let mut calm = Calm::new(Score::new(NEW));
        let at = MediaTime::from_seconds;
        calm.look(at(0.0), &look(&[], 1.0));
        assert!(calm.has_lasted(at(3.0)));
        calm.disturb();
        assert!(!calm.has_lasted(at(3.1)));
        calm.look(at(3.2), &look(&[], 1.0));
        assert!(!calm.has_lasted(at(6.1)) && calm.has_lasted(at(6.3)));
    }
}
