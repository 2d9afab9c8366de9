//! Whether nobody has moved in the view for a while: it is empty, or all in it stands. Knows what looks found; decides nothing.

use std::collections::VecDeque;

use outis_measure::{ImageBox, MediaTime, Score};

use crate::plan::Look;

/// The view is still when it has been so for this long, in seconds: whoever was seen last and is not any more is no longer
/// waited for by then.
const CALM_S: f32 = 3.0;

/// So much of the view must be known, as a share: leaves and lamps may be on.
const KNOWN_MIN: f32 = 0.99;

/// Who is where he was so many seconds ago stands: at 1.4 m/s a walker has gone on by more than his own height.
const STAND_S: f32 = 2.0;

/// For how long it is remembered what was where, in seconds: networks see some things now and then only.
const MEMORY_S: f32 = 10.0;

/// What is remembered is of steps so long, in seconds.
const STEP_S: f32 = 1.0;

/// A box that overlaps another one by so much is in the same place, however the network trembles.
const PLACE_IOU: f32 = 0.5;

/// Boxes that overlap by more than this are remembered once.
const SAME_IOU: f32 = 0.8;

/// Since when nobody has moved in the view.
#[derive(Debug)]
pub(crate) struct Calm {
    /// Who is found with less is nobody new.
    score_new: Score,
    /// What was where, by steps.
    places: VecDeque<(MediaTime, Vec<ImageBox>)>,
    /// The first and the newest look at which nobody moved, of those without another between.
    still: Option<(MediaTime, MediaTime)>,
}

impl Calm {
    pub(crate) fn new(score_new: Score) -> Self {
        Self { score_new, places: VecDeque::new(), still: None }
    }

    /// Takes what a look found of what is counted.
    pub(crate) fn look(&mut self, at: MediaTime, look: &Look) {
        self.places.retain(|(from, _)| (0.0..=MEMORY_S).contains(&at.seconds_since(*from)));
        let found = look.detections.iter().filter(|detection| detection.score >= self.score_new);
        let found: Vec<ImageBox> = found.map(|detection| detection.bbox).collect();
        // A step is as old as its last look.
        let old = self.places.iter().filter(|(from, _)| at.seconds_since(*from) >= STAND_S + STEP_S);
        let is_old = |bbox: &ImageBox| old.clone().any(|(_, places)| is_among(bbox, places, PLACE_IOU));
        let is_still = look.observed_share >= KNOWN_MIN && found.iter().all(is_old);
        self.still = is_still.then(|| (self.still.map_or(at, |(first, _)| first), at));
        if self.places.back().is_none_or(|(from, _)| at.seconds_since(*from) >= STEP_S) {
            self.places.push_back((at, Vec::new()));
        }
        if let Some((_, places)) = self.places.back_mut() {
            for bbox in found {
                if !is_among(&bbox, places, SAME_IOU) {
                    places.push(bbox);
                }
            }
        }
    }

    /// Something moves.
    pub(crate) fn disturb(&mut self) {
        self.still = None;
    }

    /// Whether nobody moved at the newest look.
    pub(crate) fn is_still(&self) -> bool {
        self.still.is_some()
    }

    /// Whether the view has been still for long enough.
    pub(crate) fn has_lasted(&self) -> bool {
        self.still.is_some_and(|(first, newest)| newest.seconds_since(first) >= CALM_S)
    }
}

fn is_among(bbox: &ImageBox, places: &[ImageBox], iou: f32) -> bool {
    places.iter().any(|place| place.iou(bbox) >= iou)
}

#[cfg(test)]
mod tests {
    use outis_measure::Detection;
    use outis_record::Class;

    use super::*;

    const NEW: f32 = 0.5;

    /// Who is found: from the left in pixels, twenty pixels wide, and with which score.
    fn look(found: &[(f32, f32)], observed_share: f32) -> Look {
        let detection = |(left, score): &(f32, f32)| Detection {
            bbox: ImageBox::from_left_top_width_height(*left, 100.0, 20.0, 50.0),
            class: Class::Person,
            score: Score::new(*score),
        };
        Look { detections: found.iter().map(detection).collect(), observed_share, ..Look::default() }
    }

    /// At which of a hundred looks, a fifth of a second apart, the view has been still for long enough.
    fn first_calm(look: impl Fn(i64) -> Look) -> Option<i64> {
        let mut calm = Calm::new(Score::new(NEW));
        (0..100).find(|index| {
            let at = MediaTime::from_micros(200_000 * index);
            calm.look(at, &look(*index));
            calm.has_lasted()
        })
    }

    #[test]
    fn a_view_is_still_after_three_seconds_in_which_nobody_moves() {
        let left = |px: f32| [(px, 0.9)];
        assert_eq!(first_calm(|_| look(&[], 1.0)), Some(15), "nobody");
        assert_eq!(first_calm(|_| look(&[(7.0, 0.3)], 1.0)), Some(15), "what nobody would be made of");
        assert_eq!(first_calm(|_| look(&left(7.0), 1.0)), Some(30), "a statue");
        assert_eq!(first_calm(|i| look(&left((i % 3) as f32), 1.0)), Some(30), "a statue that trembles");
        let now_and_then = |i: i64| look(if i % 9 == 0 { &[(7.0, 0.9)] } else { &[] }, 1.0);
        assert_eq!(first_calm(now_and_then), Some(25), "a statue that is seen now and then");
        // A metre is fifty pixels here: one and a half metres a second, and a tenth of that.
        assert_eq!(first_calm(|i| look(&left(15.0 * i as f32), 1.0)), None, "a walker");
        assert_eq!(first_calm(|i| look(&left(1.5 * i as f32), 1.0)), None, "one who creeps");
        let gone = |i: i64| look(if i < 10 { &[(7.0, 0.9)] } else { &[] }, 1.0);
        assert_eq!(first_calm(gone), Some(25), "one who goes");
        let unknown = |i: i64| look(&[], if i == 8 { 0.9 } else { 1.0 });
        assert_eq!(first_calm(unknown), Some(24), "too little was seen");
    }

    #[test]
    fn what_moves_elsewhere_begins_it_anew() {
        let mut calm = Calm::new(Score::new(NEW));
        let at = MediaTime::from_seconds;
        let lasts_at = |calm: &mut Calm, seconds| {
            calm.look(at(seconds), &look(&[], 1.0));
            calm.has_lasted()
        };
        assert!(!lasts_at(&mut calm, 0.0) && lasts_at(&mut calm, 3.0));
        calm.disturb();
        assert!(!calm.has_lasted());
        assert!(!lasts_at(&mut calm, 3.2) && !lasts_at(&mut calm, 6.1) && lasts_at(&mut calm, 6.3));
    }
}
