//! Boxes of several crops of one picture become boxes of the picture: nobody is found twice because two crops saw
//! them. Knows boxes, crops and scores, no network and no pixels.

use outis_measure::{Detection, ImageBox, Score};

use super::nms::{Candidate, DETECTIONS_MAX, strongest};
use crate::scale::Area;

/// A box with the crop it was seen in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    pub(super) candidate: Candidate,
    /// Whether a border of the crop may have cut it.
    pub(super) cut: bool,
    /// Which crop.
    pub(super) crop: usize,
}

/// Part of a cut box that lies in another one when it is a piece of the same object.
const PIECE_SHARE: f32 = 0.65;

/// Another crop would have seen more of a cut box when it reaches this much farther than the box, in its heights.
const BEYOND: f32 = 0.1;

/// Suppresses as [`super::nms::strongest`] does, and drops the pieces at the borders of crops:
///
/// ```text
///   crop 1         the box at the border of crop 1 is a piece
///  +-----------+   of the one that crop 2 saw whole
///  |      +--+ |
///  |   +--|+-|-|--+
///  |   |  ++ |o|  |
///  +---|-----+-+  |
///      +----------+  crop 2
/// ```
pub(super) fn join(mut sightings: Vec<Sighting>, crops: &[Area], iou_max: f32) -> (Vec<Detection>, u32) {
    if crops.len() <= 1 {
        return strongest(sightings.into_iter().map(|sighting| sighting.candidate).collect(), iou_max);
    }
    sightings.retain(|sighting| !(sighting.cut && is_whole_elsewhere(sighting, crops)));
    // What was seen whole comes first, however strong a piece of it may look.
    sightings.sort_by(|a, b| a.cut.cmp(&b.cut).then(b.candidate.score.total_cmp(&a.candidate.score)));
    let mut kept: Vec<Sighting> = Vec::new();
    let mut overflow = 0;
    for sighting in sightings {
        if kept.iter().any(|stronger| says_the_same(stronger, &sighting, iou_max)) {
            continue;
        }
        if kept.len() < DETECTIONS_MAX {
            kept.push(sighting);
        } else {
            overflow += 1;
        }
    }
    kept.sort_by(|a, b| b.candidate.score.total_cmp(&a.candidate.score));
    let detection = |Sighting { candidate, .. }: Sighting| Detection {
        bbox: candidate.bbox,
        class: candidate.class,
        score: Score::new(candidate.score),
    };
    (kept.into_iter().map(detection).collect(), overflow)
}

fn is_whole_elsewhere(sighting: &Sighting, crops: &[Area]) -> bool {
    let bbox = &sighting.candidate.bbox;
    let margin = BEYOND * bbox.height;
    let wider = ImageBox::from_left_top_right_bottom(
        bbox.left - margin,
        bbox.top - margin,
        bbox.right() + margin,
        bbox.bottom() + margin,
    );
    let own = crops[sighting.crop].to_box();
    crops.iter().enumerate().any(|(index, crop)| {
        // Only beyond the own crop's borders is there more to see.
        let crop_box = crop.to_box();
        index != sighting.crop
            && crop_box.intersection(bbox) >= 0.999 * bbox.area()
            && (wider.left >= own.left || crop_box.left <= wider.left)
            && (wider.top >= own.top || crop_box.top <= wider.top)
            && (wider.right() <= own.right() || crop_box.right() >= wider.right())
            && (wider.bottom() <= own.bottom() || crop_box.bottom() >= wider.bottom())
    })
}

fn says_the_same(stronger: &Sighting, weaker: &Sighting, iou_max: f32) -> bool {
    let (a, b) = (&stronger.candidate, &weaker.candidate);
    if a.group != b.group {
        return false;
    }
    let piece = weaker.cut
        && stronger.crop != weaker.crop
        && a.bbox.intersection(&b.bbox) > PIECE_SHARE * b.bbox.area();
    piece || a.bbox.iou(&b.bbox) > iou_max
}

#[cfg(test)]
mod tests {
    use outis_record::Class;

    use super::*;

    fn sighting(corners: [f32; 4], score: f32, cut: bool, crop: usize) -> Sighting {
        let [left, top, right, bottom] = corners;
        let bbox = ImageBox::from_left_top_right_bottom(left, top, right, bottom);
        Sighting { candidate: Candidate { bbox, class: Class::Person, group: 0, score }, cut, crop }
    }

    #[test]
    fn nobody_is_found_twice() {
        let area = |left, top, width, height| Area { left, top, width, height };
        // Two crops that overlap by 40, and a third one that begins where the second ends.
        let crops = [area(0, 0, 120, 100), area(80, 0, 120, 100), area(200, 0, 100, 100)];
        let cases: [(&str, Vec<Sighting>, &[f32]); 7] = [
            (
                "whole in both",
                vec![
                    sighting([90.0, 20.0, 110.0, 70.0], 0.6, false, 0),
                    sighting([91.0, 20.0, 111.0, 70.0], 0.7, false, 1),
                ],
                &[91.0],
            ),
            (
                "a strong piece of one that is whole elsewhere",
                vec![
                    sighting([105.0, 20.0, 120.0, 70.0], 0.9, true, 0),
                    sighting([105.0, 20.0, 130.0, 70.0], 0.5, false, 1),
                ],
                &[105.0],
            ),
            (
                "a piece that the other crop, which sees more, does not confirm",
                vec![sighting([105.0, 20.0, 120.0, 70.0], 0.9, true, 0)],
                &[],
            ),
            (
                "a piece that nobody else could see",
                vec![sighting([0.0, 60.0, 20.0, 100.0], 0.9, true, 0)],
                &[0.0],
            ),
            (
                "two halves at a seam without overlap stay one by one",
                vec![
                    sighting([185.0, 20.0, 200.0, 70.0], 0.5, true, 1),
                    sighting([200.0, 20.0, 212.0, 70.0], 0.6, true, 2),
                ],
                &[200.0, 185.0],
            ),
            (
                "two people in one crop",
                vec![
                    sighting([10.0, 20.0, 30.0, 70.0], 0.5, false, 0),
                    sighting([24.0, 20.0, 44.0, 70.0], 0.6, false, 0),
                ],
                &[24.0, 10.0],
            ),
            ("nobody", vec![], &[]),
        ];
        for (name, sightings, expected) in cases {
            let (found, overflow) = join(sightings, &crops, 0.5);
            let lefts: Vec<f32> = found.iter().map(|found| found.bbox.left).collect();
            assert_eq!(lefts, expected, "{name}");
            assert_eq!(overflow, 0, "{name}");
        }
    }
}
