//! A 1080p street with many small people and a known truth, composed of the one clip that everybody can have.
//!
//! Copies of the clip, shifted in time, scaled and mirrored, are laid on the clip's own median enlarged: far ones are
//! small and high up, near ones large and low. Knows where each copy lies and where its people are therefore; the
//! pictures are made by `ffmpeg` alone, see `recipe.rs`. In the copies of `quiet.rs` nearly always nobody is there.
//!
//! ```text
//!  +--------------------------------------------+
//!  |   +-----+       +------+                   |   far: people of 25 px
//!  |   +-----+       +------+    +---------+    |
//!  | +----------+                |         |    |
//!  | |          | +--------------+---------+    |
//!  | +----------+ |                     |       |   near: 160 px
//!  +--------------+---------------------+-------+
//! ```

mod quiet;
mod recipe;

pub use quiet::{STREET_EMPTY, STREET_QUIET};
pub use recipe::{ComposeError, prepare};

use outis_measure::{ImageBox, ImagePoint, Line, SceneError};

use crate::clip::VTEST_LINES;
use crate::mot::Frames;

/// Width and height of the composed picture in pixels.
pub const SIZE_PX: (u32, u32) = (1920, 1080);
/// Frames of a composed clip, but for the quiet one.
pub const FRAMES: u32 = 600;
/// Frames a second, as in the clip.
pub const FPS: u32 = 10;
/// The canvas is larger than the picture by this much on each side, so that a shaking camera has something to see.
const MARGIN_PX: i32 = 16;
/// What is used of the clip: above these rows nobody ever walks. Left, top, width, height.
const CROP_PX: [u32; 4] = [0, 90, 768, 486];
/// The copies' edges fade over so many pixels.
const FADE_PX: u32 = 12;
/// Who is cut by the edge of a copy or of the picture counts while at least this share is left.
const VISIBLE_MIN: f32 = 0.5;

/// One copy of the clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copy {
    /// Where its upper left corner lies, in pixels of the picture. Even numbers, because of the chroma.
    left_px: i32,
    top_px: i32,
    scale: f32,
    mirrored: bool,
    shows: Shows,
}

/// What of the clip a copy shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shows {
    /// Everything. Its first frame is this frame of the clip, from 0.
    Clip { first_frame: u32 },
    /// The clip's median, in which nobody is, and on it now and then a piece of the clip.
    Ground(&'static [Piece]),
}

/// A piece of the clip in time and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Left, top, width, height in the clip.
    part_px: [u32; 4],
    /// Its first frame in the clip, from 0.
    first_frame: u32,
    /// How many it has.
    frames: u32,
    /// The frame of the composed clip at which it begins, from 0.
    at_frame: u32,
}

const fn copy(left_px: i32, top_px: i32, scale: f32, first_frame: u32, mirrored: bool) -> Copy {
    Copy { left_px, top_px, scale, mirrored, shows: Shows::Clip { first_frame } }
}

/// A street: which copies, where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Street {
    /// `a`, `b` and `c` have been looked at while the planner was built; `d` is for reporting alone.
    pub name: &'static str,
    /// How many frames it has, [`FPS`] a second.
    pub frames: u32,
    copies: &'static [Copy],
}

/// The street on which the planner was tuned: 20 to 35 people at once.
pub const STREET_A: Street = Street {
    name: "a",
    frames: FRAMES,
    copies: &[
        copy(140, 30, 0.42, 0, false),
        copy(620, 40, 0.5, 45, true),
        copy(80, 300, 0.65, 95, true),
        copy(1270, 150, 0.75, 140, false),
        copy(760, 544, 1.1, 190, false),
    ],
};

/// Other sizes, places and times, 23 to 44 people at once. What noise and sway do was first seen here.
pub const STREET_B: Street = Street {
    name: "b",
    frames: FRAMES,
    copies: &[
        copy(1400, 20, 0.4, 180, true),
        copy(60, 60, 0.45, 20, true),
        copy(860, 50, 0.55, 120, false),
        copy(1390, 300, 0.6, 70, true),
        copy(420, 300, 0.7, 195, false),
        copy(40, 620, 0.95, 150, true),
    ],
};

/// As many people as on `b`, elsewhere and at other times: for tuning what a crowd needs.
pub const STREET_C: Street = Street {
    name: "c",
    frames: FRAMES,
    copies: &[
        copy(60, 30, 0.5, 60, false),
        copy(860, 40, 0.45, 110, false),
        copy(1260, 30, 0.75, 10, true),
        copy(40, 320, 0.85, 130, true),
        copy(740, 300, 0.6, 190, false),
        copy(960, 620, 0.9, 35, false),
    ],
};

/// The street on which figures are reported: drawn when the planner was finished, and never looked at before that.
pub const STREET_D: Street = Street {
    name: "d",
    frames: FRAMES,
    copies: &[
        copy(30, 20, 0.42, 100, true),
        copy(420, 30, 0.5, 160, false),
        copy(860, 20, 0.6, 30, true),
        copy(1380, 60, 0.68, 130, false),
        copy(60, 290, 0.8, 75, true),
        copy(740, 330, 0.55, 185, true),
        copy(1000, 612, 0.98, 10, false),
    ],
};

/// Every street there is.
pub const STREETS: [Street; 6] = [STREET_A, STREET_B, STREET_C, STREET_D, STREET_QUIET, STREET_EMPTY];

/// How the camera sees the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// As in the clip, with a little sensor noise over everything.
    Day,
    /// Strong sensor noise.
    Noise,
    /// A fifth of the light, and the noise that comes with it.
    Dark,
    /// The camera sways by up to 12 pixels.
    Shake,
    /// The light changes suddenly every 8 seconds.
    Flicker,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Day, Self::Noise, Self::Dark, Self::Shake, Self::Flicker];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Noise => "noise",
            Self::Dark => "dark",
            Self::Shake => "shake",
            Self::Flicker => "flicker",
        }
    }

    /// The picture's upper left corner on the canvas at a frame from 0; even, because of the chroma.
    fn corner_px(self, frame: u32) -> (i32, i32) {
        if self != Self::Shake {
            return (MARGIN_PX, MARGIN_PX);
        }
        let n = f64::from(frame);
        let across = (4.0 * (1.7 * n).sin() + 2.0 * (0.31 * n).sin()).round() as i32;
        let down = (3.0 * (1.3 * n).sin() + 2.0 * (0.23 * n).sin()).round() as i32;
        (MARGIN_PX + 2 * across, MARGIN_PX + 2 * down)
    }
}

impl Copy {
    /// Its width and height in pixels; even.
    fn size_px(&self) -> (u32, u32) {
        let even = |side: u32| 2 * (side as f32 * self.scale / 2.0).round() as u32;
        (even(CROP_PX[2]), even(CROP_PX[3]))
    }

    /// Where a point of the clip comes to lie, in pixels of the unshaken picture.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let [left, top, crop_width, crop_height] = CROP_PX.map(|side| side as f32);
        let (width, height) = self.size_px();
        let across = (x - left) * width as f32 / crop_width;
        let across = if self.mirrored { width as f32 - across } else { across };
        (self.left_px as f32 + across, self.top_px as f32 + (y - top) * height as f32 / crop_height)
    }

    fn place_box(&self, bbox: &ImageBox) -> ImageBox {
        let (a, top) = self.place(bbox.left, bbox.top);
        let (b, bottom) = self.place(bbox.right(), bbox.bottom());
        ImageBox::from_left_top_right_bottom(a.min(b), top, a.max(b), bottom)
    }

    /// Where a part of the clip comes to lie.
    fn area(&self, part_px: [u32; 4]) -> ImageBox {
        let [left, top, width, height] = part_px.map(|side| side as f32);
        self.place_box(&ImageBox::from_left_top_width_height(left, top, width, height))
    }

    /// The same in pixels of the copy: left, top, width, height; even.
    fn part_px(&self, part_px: [u32; 4]) -> [u32; 4] {
        let area = self.area(part_px);
        let even = |px: f32| 2 * (px / 2.0).round() as u32;
        let left = even(area.left - self.left_px as f32);
        let top = even(area.top - self.top_px as f32);
        let right = even(area.right() - self.left_px as f32);
        let bottom = even(area.bottom() - self.top_px as f32);
        [left, top, right - left, bottom - top]
    }

    /// Whether nobody is in most of it, most of the time.
    fn shows_ground(&self) -> bool {
        matches!(self.shows, Shows::Ground(_))
    }

    /// What it shows of a clip in which there are people.
    fn pieces(&self, frames: u32) -> Vec<Piece> {
        match self.shows {
            Shows::Clip { first_frame } => {
                vec![Piece { part_px: CROP_PX, first_frame, frames, at_frame: 0 }]
            }
            Shows::Ground(pieces) => pieces.to_vec(),
        }
    }
}

impl Piece {
    /// The frame of the clip that it shows at a frame of the composed clip.
    fn clip_frame(&self, frame: u32) -> Option<usize> {
        let since = frame.checked_sub(self.at_frame).filter(|since| *since < self.frames)?;
        Some((self.first_frame + since) as usize)
    }
}

/// Numbers of people in one copy stay below this …
const IDS_PER_COPY: i64 = 1000;
/// … and in one piece below this. Who walks through two pieces is two people.
const IDS_PER_PIECE: i64 = 100;

impl Street {
    /// How many copies of the clip it is made of.
    pub fn copies(&self) -> usize {
        self.copies.len()
    }

    /// True boxes of everybody of whom at least half is in the picture, from the truth of the clip.
    pub fn truth(&self, variant: Variant, clip: &Frames<(i64, ImageBox)>) -> Frames<(i64, ImageBox)> {
        (0..self.frames).map(|frame| self.present(variant, clip, frame)).collect()
    }

    fn present(&self, variant: Variant, clip: &Frames<(i64, ImageBox)>, frame: u32) -> Vec<(i64, ImageBox)> {
        let (right, down) = variant.corner_px(frame);
        let (right, down) = ((MARGIN_PX - right) as f32, (MARGIN_PX - down) as f32);
        let picture = ImageBox::from_left_top_width_height(-right, -down, SIZE_PX.0 as f32, SIZE_PX.1 as f32);
        let mut present = Vec::new();
        for (copy, first_of_copy) in self.copies.iter().zip((0..).step_by(IDS_PER_COPY as usize)) {
            let pieces = copy.pieces(self.frames);
            for (piece, first_id) in pieces.iter().zip((first_of_copy..).step_by(IDS_PER_PIECE as usize)) {
                let seen = common(&copy.area(piece.part_px), &picture);
                let people = piece.clip_frame(frame).and_then(|frame| clip.get(frame));
                for (id, bbox) in people.into_iter().flatten() {
                    let whole = copy.place_box(bbox);
                    let left = common(&whole, &seen);
                    if left.area() >= VISIBLE_MIN * whole.area() {
                        let shaken = ImageBox { left: left.left + right, top: left.top + down, ..left };
                        present.push((first_id + id, shaken));
                    }
                }
            }
        }
        present
    }

    /// Three counting lines through each copy, from [`VTEST_LINES`].
    ///
    /// # Errors
    /// Never for the streets that are known.
    pub fn lines(&self) -> Result<Vec<(String, Line)>, SceneError> {
        let mut lines = Vec::new();
        for (index, copy) in self.copies.iter().enumerate() {
            for line in 0..3 {
                let (name, [x1, y1, x2, y2]) = VTEST_LINES[(index + 3 * line) % VTEST_LINES.len()];
                let (a, b) = (copy.place(x1, y1.max(CROP_PX[1] as f32)), copy.place(x2, y2));
                let line = Line::new(ImagePoint::new(a.0, a.1), ImagePoint::new(b.0, b.1))?;
                lines.push((format!("{index}-{name}"), line));
            }
        }
        Ok(lines)
    }
}

/// The common part of two boxes; no area when there is none.
fn common(a: &ImageBox, b: &ImageBox) -> ImageBox {
    ImageBox::from_left_top_right_bottom(
        a.left.max(b.left),
        a.top.max(b.top),
        a.right().min(b.right()),
        a.bottom().min(b.bottom()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_lie_in_the_picture_and_hardly_cover_each_other() {
        for street in STREETS {
            for (index, copy) in street.copies.iter().enumerate() {
                let area = copy.area(CROP_PX);
                // On the canvas, that is; the picture cuts it.
                let most = |side: u32| side as f32 + MARGIN_PX as f32;
                let (width, height) = (most(SIZE_PX.0), most(SIZE_PX.1));
                assert!(area.left >= 0.0 && area.top >= 0.0, "{} {index}", street.name);
                assert!(
                    area.right() <= width && area.bottom() <= height,
                    "{} {index}: {area:?}",
                    street.name
                );
                assert!((copy.left_px % 2, copy.top_px % 2) == (0, 0), "{} {index}", street.name);
                for piece in copy.pieces(street.frames) {
                    // 795 frames has the clip.
                    assert!(piece.first_frame + piece.frames <= 795, "{} {piece:?}", street.name);
                    assert!(piece.at_frame + piece.frames <= street.frames, "{} {piece:?}", street.name);
                }
                for other in &street.copies[..index] {
                    // A later copy may cover the lowest rows of an earlier one, where hardly anybody walks.
                    let covered = common(&area, &other.area(CROP_PX));
                    assert!(covered.area() == 0.0 || covered.height <= 20.0, "{} {index}", street.name);
                }
            }
            assert!(street.lines().unwrap().len() >= 8);
        }
    }

    #[test]
    fn people_go_where_their_copy_is() {
        // A person 50 x 100 in the middle of the clip's crop, and one who is leaving it on the left.
        let person = |left: f32| ImageBox::from_left_top_width_height(left, 190.0, 50.0, 100.0);
        let clip = vec![vec![(7, person(384.0)), (8, person(-30.0)), (9, person(-20.0))]];
        static ONE: [Copy; 1] = [copy(100, 40, 0.5, 0, false)];
        static TURNED: [Copy; 1] = [copy(100, 40, 0.5, 0, true)];
        // Copies are 384 wide; 100 rows below the top of the crop are 50 here.
        for (name, copies, expected) in
            [("as it is", &ONE, (292.0, 100.0)), ("mirrored", &TURNED, (267.0, 469.0))]
        {
            let street = Street { name, frames: 1, copies };
            let frame = &street.truth(Variant::Day, &clip)[0];
            let (inner, leaving) = expected;
            let [(7, middle), (9, border)] = frame[..] else { panic!("{name}: {frame:?}") };
            // The sides of a copy are rounded to even numbers.
            let expected = ImageBox::from_left_top_width_height(inner, 90.0, 25.0, 50.0);
            assert!(middle.iou(&expected) > 0.98, "{name}: {middle:?}");
            assert_eq!((border.left, border.width), (leaving, 15.0), "{name}: cut by the edge");
            let shaken = &street.truth(Variant::Shake, &clip)[0][0].1;
            let (across, down) = Variant::Shake.corner_px(0);
            assert_eq!(shaken.left, middle.left + (MARGIN_PX - across) as f32, "{name}");
            assert_eq!(shaken.top, middle.top + (MARGIN_PX - down) as f32, "{name}");
        }
    }

    #[test]
    fn a_piece_shows_who_is_in_its_part_in_its_time() {
        let at = |left: f32| ImageBox::from_left_top_width_height(left, 190.0, 50.0, 100.0);
        // One stands in the part, one beside it.
        let clip = vec![vec![(7, at(200.0)), (8, at(600.0))]; 9];
        const PART: [u32; 4] = [100, 90, 300, 486];
        static COPIES: [Copy; 1] = [Copy {
            left_px: 100,
            top_px: 40,
            scale: 0.5,
            mirrored: true,
            shows: Shows::Ground(&[
                Piece { part_px: PART, first_frame: 2, frames: 3, at_frame: 1 },
                Piece { part_px: PART, first_frame: 8, frames: 2, at_frame: 6 },
            ]),
        }];
        let street = Street { name: "two pieces", frames: 10, copies: &COPIES };
        let there: Vec<Vec<i64>> = street
            .truth(Variant::Day, &clip)
            .iter()
            .map(|present| present.iter().map(|(id, _)| *id).collect())
            .collect();
        let (first, second) = (vec![7], vec![107]);
        // The truth ends with frame 8 of the clip.
        let expected = [&[][..], &first, &first, &first, &[], &[], &second, &[], &[], &[]];
        assert_eq!(there, expected);
        assert_eq!(COPIES[0].part_px(CROP_PX), [0, 0, 384, 244], "all of a copy");
        assert_eq!(COPIES[0].part_px(PART), [184, 0, 150, 244], "mirrored");
    }

    #[test]
    fn a_shaking_camera_stays_on_the_canvas() {
        for frame in 0..FRAMES {
            let (x, y) = Variant::Shake.corner_px(frame);
            assert!((0..=2 * MARGIN_PX).contains(&x) && (0..=2 * MARGIN_PX).contains(&y), "{frame}: {x} {y}");
            assert_eq!((x % 2, y % 2), (0, 0));
        }
    }
}
