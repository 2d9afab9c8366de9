//! What is truly in front of the simulated camera, frame by frame: whole boxes, and how much of each is visible.
//! No detector and no noise here.

use outis_measure::ImageBox;

use super::camera::{Camera, PICTURE_PX};
use super::paths::{GroundPath, Street};
use crate::mot::Frames;
use crate::random::Random;

/// Heights of people, in metres.
const HEIGHT_M: (f64, f64) = (1.5, 1.9);
/// Widths of boxes, as a share of their height.
const WIDTH_SHARE: (f64, f64) = (0.30, 0.35);
/// The people of a street are as tall in every run.
const STATURE_SEED: u64 = 0x0075_7469;

/// One person in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presence {
    /// Number of the person.
    pub person: u32,
    /// The whole box, as if nobody stood before it; may reach over the border of the picture.
    pub bbox: ImageBox,
    /// Share of the box that is within the picture and behind no nearer box, 0 to 1.
    pub visible_share: f32,
}

/// A street before a camera.
#[derive(Debug, Clone)]
pub struct World {
    /// Frames in a second.
    pub fps: f64,
    /// The people in each frame.
    pub frames: Vec<Vec<Presence>>,
}

impl World {
    /// Everything the camera of a street has before it, at a number of frames per second.
    pub fn new(street: Street, paths: &[GroundPath], fps: f64) -> Self {
        Self::seen_by(&Camera::of(street), paths, fps)
    }

    /// Everything another camera has before it.
    pub fn seen_by(camera: &Camera, paths: &[GroundPath], fps: f64) -> Self {
        let end_s = paths.iter().map(GroundPath::end_s).fold(0.0, f64::max);
        let people: Vec<Person<'_>> = paths.iter().map(Person::new).collect();
        let frames = (0..=(end_s * fps).floor() as usize)
            .map(|frame| presences(&people, camera, frame as f64 / fps))
            .collect();
        Self { fps, frames }
    }

    /// The whole true boxes of every frame, with the number of the person.
    pub fn objects(&self) -> Frames<(i64, ImageBox)> {
        let object = |presence: &Presence| (i64::from(presence.person), presence.bbox);
        self.frames.iter().map(|presences| presences.iter().map(object).collect()).collect()
    }
}

struct Person<'a> {
    path: &'a GroundPath,
    height_m: f64,
    width_share: f64,
}

impl<'a> Person<'a> {
    fn new(path: &'a GroundPath) -> Self {
        let mut random = Random::named(STATURE_SEED, path.person.into());
        let height_m = random.between(HEIGHT_M.0, HEIGHT_M.1);
        Self { path, height_m, width_share: random.between(WIDTH_SHARE.0, WIDTH_SHARE.1) }
    }
}

fn presences(people: &[Person<'_>], camera: &Camera, time_s: f64) -> Vec<Presence> {
    let mut standing: Vec<(f64, u32, ImageBox)> = people
        .iter()
        .filter_map(|person| {
            let ground = person.path.at(time_s)?;
            let bbox = camera.person_box(ground, person.height_m, person.width_share)?;
            Some((camera.depth_m(ground), person.path.person, bbox))
        })
        .collect();
    standing.sort_by(|a, b| a.0.total_cmp(&b.0));
    let boxes: Vec<ImageBox> = standing.iter().map(|&(_, _, bbox)| bbox).collect();
    let mut presences: Vec<Presence> = standing
        .iter()
        .enumerate()
        .map(|(index, &(_, person, bbox))| Presence {
            person,
            bbox,
            visible_share: visible_share(bbox, &boxes[..index]),
        })
        .filter(|presence| presence.visible_share > 0.0 || within_picture(presence.bbox))
        .collect();
    presences.sort_by_key(|presence| presence.person);
    presences
}

fn picture() -> ImageBox {
    ImageBox::from_left_top_width_height(0.0, 0.0, PICTURE_PX.0, PICTURE_PX.1)
}

fn within_picture(bbox: ImageBox) -> bool {
    bbox.intersection(&picture()) > 0.0
}

/// The part of a box that lies within the picture.
pub fn clipped(bbox: ImageBox) -> ImageBox {
    let (left, top) = (bbox.left.max(0.0), bbox.top.max(0.0));
    let (right, bottom) = (bbox.right().min(PICTURE_PX.0), bbox.bottom().min(PICTURE_PX.1));
    ImageBox::from_left_top_right_bottom(left, top, right, bottom)
}

/// Share of a box within the picture and under none of the nearer boxes. Exact: what is still uncovered is a
/// list of rectangles, and each nearer box cuts every one of them into at most four.
pub(crate) fn visible_share(bbox: ImageBox, nearer: &[ImageBox]) -> f32 {
    let mut uncovered = vec![clipped(bbox)];
    for cover in nearer.iter().filter(|cover| cover.intersection(&bbox) > 0.0) {
        uncovered = uncovered.into_iter().flat_map(|rest| without(rest, *cover)).collect();
    }
    uncovered.iter().map(ImageBox::area).sum::<f32>() / bbox.area()
}

fn without(rest: ImageBox, cover: ImageBox) -> Vec<ImageBox> {
    if rest.intersection(&cover) <= 0.0 {
        return vec![rest];
    }
    let (top, bottom) = (rest.top.max(cover.top), rest.bottom().min(cover.bottom()));
    let corners = ImageBox::from_left_top_right_bottom;
    let parts = [
        corners(rest.left, rest.top, rest.right(), top),
        corners(rest.left, bottom, rest.right(), rest.bottom()),
        corners(rest.left, top, cover.left, bottom),
        corners(cover.right(), top, rest.right(), bottom),
    ];
    parts.into_iter().filter(ImageBox::is_valid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_share_table() {
        let at = ImageBox::from_left_top_width_height;
        let person = at(100.0, 100.0, 40.0, 100.0);
        let cases: [(&str, &[ImageBox], f32); 6] = [
            ("alone", &[], 1.0),
            ("beside", &[at(140.0, 100.0, 40.0, 100.0)], 1.0),
            ("left half hidden", &[at(80.0, 50.0, 40.0, 200.0)], 0.5),
            ("the same half hidden twice", &[at(80.0, 50.0, 40.0, 200.0), at(90.0, 60.0, 30.0, 200.0)], 0.5),
            ("legs, then the left half", &[at(50.0, 150.0, 200.0, 90.0), at(80.0, 50.0, 40.0, 200.0)], 0.25),
            ("a hole in the middle", &[at(110.0, 140.0, 10.0, 20.0)], 0.95),
        ];
        for (name, nearer, expected) in cases {
            assert!((visible_share(person, nearer) - expected).abs() < 1e-5, "{name}");
        }
        let leaving = at(-20.0, 100.0, 40.0, 100.0);
        assert!((visible_share(leaving, &[]) - 0.5).abs() < 1e-5, "half out of the picture");
    }
}
