//! Of boxes that say the same thing, the strongest stays. Knows boxes and scores, no network and no picture.

use outis_measure::{Detection, ImageBox, Score};
use outis_record::Class;

/// Detections that are taken from one frame.
pub(crate) const DETECTIONS_MAX: usize = 300;

/// A box that a network proposes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) bbox: ImageBox,
    pub(crate) class: Class,
    /// Candidates of different groups do not suppress each other.
    pub(crate) group: usize,
    /// 0 to 1.
    pub(crate) score: f32,
}

/// Greedy suppression within each group: from the strongest to the weakest, a candidate that overlaps a stronger one
/// by more than `iou_max` (intersection over union) goes. At most [`DETECTIONS_MAX`] stay, the strongest first; the
/// number says how many more there would have been.
pub(crate) fn strongest(mut candidates: Vec<Candidate>, iou_max: f32) -> (Vec<Detection>, u32) {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::new();
    let mut overflow = 0;
    for candidate in candidates {
        let suppressed = kept.iter().any(|stronger| {
            stronger.group == candidate.group && stronger.bbox.iou(&candidate.bbox) > iou_max
        });
        if suppressed {
            continue;
        }
        if kept.len() < DETECTIONS_MAX {
            kept.push(candidate);
        } else {
            overflow += 1;
        }
    }
    let detections =
        kept.iter().map(|k| Detection { bbox: k.bbox, class: k.class, score: Score::new(k.score) }).collect();
    (detections, overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Boxes lie far to the right and little down, so that mixing up the axes shows.
    fn candidate(left: f32, top: f32, score: f32, class: Class, group: usize) -> Candidate {
        Candidate { bbox: ImageBox::from_left_top_width_height(left, top, 20.0, 40.0), class, group, score }
    }

    /// Two boxes of 20 x 40, one moved right by 5: 15 x 40 in common of 2 x 800 - 600, an overlap of 0.6.
    #[test]
    fn suppression_table() {
        let person = |left, score| candidate(left, 10.0, score, Class::Person, 0);
        let car = |left, score| candidate(left, 10.0, score, Class::Car, 1);
        let truck = |left, score| candidate(left, 10.0, score, Class::Truck, 1);
        // (case, candidates, IoU, left edges and classes of those that stay)
        type Stay = Vec<(f32, Class)>;
        let cases: [(&str, Vec<Candidate>, f32, Stay); 8] = [
            ("none", vec![], 0.5, vec![]),
            ("one", vec![person(500.0, 0.3)], 0.5, vec![(500.0, Class::Person)]),
            (
                "the stronger stays",
                vec![person(500.0, 0.3), person(505.0, 0.9)],
                0.5,
                vec![(505.0, Class::Person)],
            ),
            (
                "just below the limit",
                vec![person(500.0, 0.3), person(505.0, 0.9)],
                0.61,
                vec![(505.0, Class::Person), (500.0, Class::Person)],
            ),
            (
                "a chain: the middle one goes, its neighbours stay",
                vec![person(500.0, 0.9), person(505.0, 0.8), person(510.0, 0.7)],
                0.5,
                vec![(500.0, Class::Person), (510.0, Class::Person)],
            ),
            (
                "who was suppressed suppresses nobody",
                vec![person(500.0, 0.9), person(508.0, 0.7), person(504.0, 0.8)],
                0.5,
                vec![(500.0, Class::Person), (508.0, Class::Person)],
            ),
            (
                "a person in a car stays",
                vec![person(500.0, 0.3), car(500.0, 0.9)],
                0.5,
                vec![(500.0, Class::Car), (500.0, Class::Person)],
            ),
            (
                "a van is one vehicle",
                vec![car(500.0, 0.5), truck(501.0, 0.6)],
                0.5,
                vec![(501.0, Class::Truck)],
            ),
        ];
        for (name, candidates, iou, expected) in cases {
            let (found, overflow) = strongest(candidates, iou);
            let found: Vec<_> = found.iter().map(|d| (d.bbox.left, d.class)).collect();
            assert_eq!(found, expected, "{name}");
            assert_eq!(overflow, 0, "{name}");
        }
    }

    /// What pycocotools and ONNX's reference operator answer. There, every class is a group of its own.
    #[test]
    fn reference_table() {
        #[derive(serde::Deserialize)]
        struct Reference {
            iou: Vec<Overlap>,
            nms: Vec<Suppression>,
        }
        #[derive(serde::Deserialize)]
        struct Overlap {
            name: String,
            first: [f32; 4],
            second: [f32; 4],
            iou: f32,
        }
        #[derive(serde::Deserialize)]
        struct Suppression {
            name: String,
            iou_max: f32,
            score_min: f32,
            /// x, y, width, height, class, score.
            boxes: Vec<[f32; 6]>,
            kept: Vec<usize>,
        }
        let bbox = |x, y, width, height| ImageBox::from_left_top_width_height(x, y, width, height);
        let reference: Reference =
            serde_json::from_str(include_str!("../../../../testdata/reference/boxes.json"))
                .expect("the table");
        for Overlap { name, first: [x, y, w, h], second: [x2, y2, w2, h2], iou } in reference.iou {
            let found = bbox(x, y, w, h).iou(&bbox(x2, y2, w2, h2));
            assert!((found - iou).abs() < 1e-5, "{name}: {found} is not {iou}");
        }
        for Suppression { name, iou_max, score_min, boxes, kept } in reference.nms {
            let candidate = |&[x, y, width, height, class, score]: &[f32; 6]| Candidate {
                bbox: bbox(x, y, width, height),
                class: Class::Person,
                group: class as usize,
                score,
            };
            let candidates: Vec<_> = boxes.iter().map(candidate).filter(|c| c.score >= score_min).collect();
            let (found, _) = strongest(candidates, iou_max);
            let mut expected: Vec<_> = kept.iter().map(|&index| candidate(&boxes[index])).collect();
            expected.sort_by(|a, b| b.score.total_cmp(&a.score));
            let expected: Vec<_> = expected.iter().map(|c| (c.bbox, c.score)).collect();
            let found: Vec<_> = found.iter().map(|d| (d.bbox, d.score.get())).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_crowd_is_cut_at_the_limit_and_the_rest_is_counted() {
        let crowd: Vec<_> = (0..DETECTIONS_MAX + 7)
            .map(|i| candidate(100.0 * i as f32, 0.0, i as f32 / 1000.0, Class::Person, 0))
            .collect();
        let (found, overflow) = strongest(crowd, 0.5);
        assert_eq!((found.len(), overflow), (DETECTIONS_MAX, 7));
        assert!(found.is_sorted_by(|a, b| a.score >= b.score), "strongest first");
        assert_eq!(found[0].bbox.left, 100.0 * (DETECTIONS_MAX + 6) as f32);
    }
}
