//! Where a face can be, how large to show it, and whose it is. Knows boxes.

use outis_measure::{FaceWanted, ImageBox};

use super::Face;
use crate::detect::{Area, InputSize};
use crate::plan::pack::Crop;

/// A face is at most this part of the width of its person's box: shoulders are 0.26 of the stature wide, a face with
/// its chin 0.08 (Drillis and Contini 1966), and of somebody seen half from the side the box is narrower.
const FACE_OF_WIDTH_MAX: f32 = 0.4;

/// What is looked at around a head: so far beyond the box to each side and above it, in widths of the box …
const MARGIN_WIDTHS: f32 = 0.15;

/// … and so far down from its upper edge. Head and shoulders are a little less high than shoulders are wide.
const DOWN_WIDTHS: f32 = 1.15;

/// A crop is shown so wide, in pixels of the input: the face in it is 40 pixels wide then, where both networks find
/// nearly all of the photographs' faces.
const SHOWN_PX: f32 = 160.0;

/// A face lies no farther from where its person's should be than this, in widths of the box.
const ASTRAY_WIDTHS: f32 = 0.6;

/// Of two people who could own a face, the nearer must be nearer by this factor: a face between two is nobody's.
const CLEARLY: f32 = 1.5;

/// Head and shoulders of somebody, if a face can be as large there as `side_min_px`.
pub(super) fn crop(
    person: &ImageBox,
    side_min_px: f32,
    scale_max: f32,
    picture_px: (u32, u32),
) -> Option<Crop> {
    let width = person.width;
    if !person.is_valid() || FACE_OF_WIDTH_MAX * width < side_min_px {
        return None;
    }
    let margin = MARGIN_WIDTHS * width;
    let bbox = ImageBox::from_left_top_right_bottom(
        person.left - margin,
        person.top - margin,
        person.right() + margin,
        person.top + DOWN_WIDTHS * width,
    );
    let source = Area::around(&bbox, picture_px)?;
    Some(Crop { source, scale: (SHOWN_PX / bbox.width).min(scale_max) })
}

/// Areas that show a whole picture, for photographs: all of it at once, and where that makes it small, pieces at full
/// scale that overlap by half.
pub(super) fn everywhere(picture_px: (u32, u32), scale: f32, input: InputSize) -> Vec<Crop> {
    let (most_width, most_height) = input.largest_px();
    let (width, height) = picture_px;
    let whole = Crop { source: Area { left: 0, top: 0, width, height }, scale };
    let side = |most: usize| ((most as f32 / scale) as u32).max(2);
    let (piece_width, piece_height) = (side(most_width), side(most_height));
    if width <= piece_width && height <= piece_height {
        return vec![whole];
    }
    let starts = |length: u32, piece: u32| {
        let last = length.saturating_sub(piece);
        (0..last).step_by(piece as usize / 2).chain([last]).collect::<Vec<u32>>()
    };
    let mut crops = vec![whole];
    for top in starts(height, piece_height) {
        for left in starts(width, piece_width) {
            let (width, height) = (piece_width.min(width), piece_height.min(height));
            crops.push(Crop { source: Area { left, top, width, height }, scale });
        }
    }
    crops
}

/// Whose face it is: of the person where it lies, unless it could be another's as well.
pub(super) fn owner(face: &ImageBox, people: &[FaceWanted]) -> Option<usize> {
    let center = face.center();
    let distance = |person: &ImageBox| {
        let (x, y) = (person.center().x_px, person.top + 0.3 * person.width);
        (center.x_px - x).hypot(center.y_px - y) / person.width.max(1.0)
    };
    let mut near: Vec<(f32, usize)> = people
        .iter()
        .enumerate()
        .map(|(index, person)| (distance(&person.bbox), index))
        .filter(|(distance, _)| *distance <= ASTRAY_WIDTHS)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    match near[..] {
        [(_, only)] => Some(only),
        [(first, nearest), (second, _), ..] if second >= CLEARLY * first.max(0.1) => Some(nearest),
        _ => None,
    }
}

/// Each face with its owner. Somebody who seems to have two gets the surer one.
pub(super) fn owned(faces: Vec<Face>, people: &[FaceWanted]) -> Vec<(usize, Face)> {
    let mut owned: Vec<(usize, Face)> =
        faces.into_iter().filter_map(|face| Some((owner(&face.bbox, people)?, face))).collect();
    owned.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.score.total_cmp(&a.1.score)));
    owned.dedup_by_key(|(person, _)| *person);
    owned
}

#[cfg(test)]
mod tests {
    use outis_measure::{Detection, MediaTime, Score, Tracker, TrackerSettings};
    use outis_record::Class;

    use super::*;

    const PICTURE: (u32, u32) = (1280, 720);

    #[test]
    fn only_people_who_are_near_are_looked_at() {
        let person =
            |left, top, width, height| ImageBox::from_left_top_width_height(left, top, width, height);
        let near = crop(&person(600.0, 200.0, 100.0, 260.0), 24.0, 2.0, PICTURE).unwrap();
        let Area { left, top, width, height } = near.source;
        assert_eq!((left, top, width, height), (585, 185, 130, 130));
        assert!((near.scale * 130.0 - 160.0).abs() < 1.0);
        assert!(crop(&person(600.0, 200.0, 59.0, 160.0), 24.0, 2.0, PICTURE).is_none(), "too far");
        let cut = crop(&person(-20.0, -5.0, 100.0, 260.0), 24.0, 2.0, PICTURE).unwrap();
        assert_eq!((cut.source.left, cut.source.top), (0, 0));
        assert!(crop(&person(600.0, 200.0, f32::NAN, 160.0), 24.0, 2.0, PICTURE).is_none());
    }

    #[test]
    fn photographs_are_seen_whole_and_in_pieces() {
        let input = InputSize::UpTo { width_px: 416, height_px: 416, step_px: 32 };
        assert_eq!(everywhere((200, 150), 2.0, input).len(), 1);
        let crops = everywhere((400, 300), 2.0, input);
        let inside = |crop: &Crop| crop.source.right() <= 400 && crop.source.bottom() <= 300;
        assert!(crops.len() > 4 && crops.iter().all(inside), "{crops:?}");
        let seen = |x: u32, y: u32| {
            crops[1..].iter().any(|c| {
                (c.source.left..c.source.right()).contains(&x)
                    && (c.source.top..c.source.bottom()).contains(&y)
            })
        };
        assert!((0..400).all(|x| (0..300).all(|y| seen(x, y))), "all of it at full scale");
    }

    #[test]
    fn a_face_is_given_to_nobody_rather_than_to_a_neighbour() {
        let people = |lefts: &[f32]| {
            let mut tracker = Tracker::new(TrackerSettings::default());
            let detections: Vec<Detection> = lefts
                .iter()
                .map(|&left| Detection {
                    bbox: ImageBox::from_left_top_width_height(left, 200.0, 100.0, 260.0),
                    class: Class::Person,
                    score: Score::new(0.9),
                })
                .collect();
            tracker.look(MediaTime::ZERO, &detections);
            let wanted = tracker.predictions(MediaTime::ZERO).into_iter().map(|p| FaceWanted {
                track: p.track,
                bbox: p.bbox,
                open: true,
                looks: 0,
            });
            wanted.collect::<Vec<_>>()
        };
        let face = |x: f32, y: f32| ImageBox::from_left_top_width_height(x - 15.0, y - 18.0, 30.0, 36.0);
        let cases: [(&str, &[f32], ImageBox, Option<usize>); 6] = [
            ("alone", &[100.0], face(150.0, 230.0), Some(0)),
            ("at the knees", &[100.0], face(150.0, 420.0), None),
            ("somebody else's", &[100.0], face(300.0, 230.0), None),
            ("side by side", &[100.0, 180.0], face(228.0, 232.0), Some(1)),
            ("between two", &[100.0, 180.0], face(190.0, 230.0), None),
            ("one behind the other", &[100.0, 104.0], face(150.0, 230.0), None),
        ];
        for (name, lefts, face, expected) in cases {
            assert_eq!(owner(&face, &people(lefts)), expected, "{name}");
        }
        let found = |x, score| Face { bbox: face(x, 230.0), score, with_mask: None };
        let owned = owned(vec![found(150.0, 0.7), found(160.0, 0.9)], &people(&[100.0]));
        assert_eq!(owned.iter().map(|(person, face)| (*person, face.score)).collect::<Vec<_>>(), [(0, 0.9)]);
    }
}
