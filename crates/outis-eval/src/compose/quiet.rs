//! A street in which nearly always nobody is: single people and small groups pass, one after the other.
//!
//! Where the clip has a part that is empty, then passed, then empty again, that piece is laid on the clip's own median.
//! Nothing else moves.

use super::{Copy, Piece, Shows, Street};

/// Below the road behind, on which people pass whom the truth does not know, down to the lower edge.
const TOP_PX: u32 = 136;
const HEIGHT_PX: u32 = 440;

/// The columns of a part, when it is passed in the clip, and when here: all in frames from 0, ten a second.
const fn piece(left_px: u32, width_px: u32, first_frame: u32, frames: u32, at_frame: u32) -> Piece {
    Piece { part_px: [left_px, TOP_PX, width_px, HEIGHT_PX], first_frame, frames, at_frame }
}

/// Three minutes; in two thirds of them nobody is there. For measuring what that saves.
pub const STREET_QUIET: Street = Street {
    name: "quiet",
    frames: 1800,
    copies: &[
        Copy {
            left_px: 140,
            top_px: 60,
            scale: 0.55,
            mirrored: false,
            shows: Shows::Ground(&[
                // Two cross behind each other; then four come and turn back.
                piece(160, 224, 153, 63, 520),
                piece(160, 224, 214, 142, 1250),
            ]),
        },
        Copy {
            left_px: 1200,
            top_px: 120,
            scale: 0.8,
            mirrored: false,
            // One goes, three follow.
            shows: Shows::Ground(&[piece(352, 224, 301, 97, 140)]),
        },
        Copy {
            left_px: 640,
            top_px: 40,
            scale: 0.7,
            mirrored: true,
            // One wanders about, another goes straight through.
            shows: Shows::Ground(&[piece(288, 224, 386, 129, 790)]),
        },
        Copy {
            left_px: 300,
            top_px: 470,
            scale: 1.15,
            mirrored: true,
            shows: Shows::Ground(&[
                // Looks in and leaves; comes from one side and goes to the same; one far and two near.
                piece(0, 352, 59, 44, 350),
                piece(0, 384, 354, 116, 1030),
                piece(320, 224, 505, 79, 1630),
            ]),
        },
    ],
};

/// The same for a minute in which nobody comes.
pub const STREET_EMPTY: Street = Street {
    name: "empty",
    frames: 600,
    copies: &[
        Copy { left_px: 140, top_px: 60, scale: 0.55, mirrored: false, shows: Shows::Ground(&[]) },
        Copy { left_px: 1200, top_px: 120, scale: 0.8, mirrored: false, shows: Shows::Ground(&[]) },
        Copy { left_px: 300, top_px: 470, scale: 1.15, mirrored: true, shows: Shows::Ground(&[]) },
    ],
};

#[cfg(test)]
mod tests {
    use super::super::{FPS, Variant};
    use super::*;
    use crate::{mot, passage, street};

    /// All of it, in order of time.
    fn pieces() -> Vec<Piece> {
        let copies = STREET_QUIET.copies.iter();
        let mut pieces: Vec<Piece> = copies.flat_map(|copy| copy.pieces(STREET_QUIET.frames)).collect();
        pieces.sort_by_key(|piece| piece.at_frame);
        pieces
    }

    #[test]
    fn between_two_passers_nobody_is_there_for_ten_seconds_and_more() {
        let mut empty_from = 0;
        let mut passed = 0;
        for piece in pieces() {
            assert!(piece.at_frame >= empty_from + 10 * FPS, "{piece:?}");
            empty_from = piece.at_frame + piece.frames;
            passed += piece.frames;
        }
        // When the film is played again and again, its end and its beginning are one gap.
        assert!(STREET_QUIET.frames - empty_from >= 8 * FPS);
        let share = f64::from(passed) / f64::from(STREET_QUIET.frames);
        assert!((0.3..0.4).contains(&share), "{share}");
    }

    #[test]
    fn pieces_begin_and_end_with_nobody_in_them() {
        let Ok(clip) = mot::read_objects(&street::default_data().join("pets09-s2l1/gt_mot.txt")) else {
            eprintln!("not checked: the truth of the clip is not at hand");
            return;
        };
        for piece in pieces() {
            let [left, top, width, height] = piece.part_px.map(|side| side as f32);
            for frame in [piece.first_frame, piece.first_frame + piece.frames - 1] {
                for (id, person) in &clip[frame as usize] {
                    let beside = person.right() < left || person.left > left + width;
                    let above_or_below = person.bottom() < top || person.top > top + height;
                    assert!(beside || above_or_below, "{id} is in {piece:?} at frame {frame} of the clip");
                }
            }
        }
        let truth = STREET_QUIET.truth(Variant::Day, &clip);
        let empty = truth.iter().filter(|present| present.is_empty()).count();
        let share = empty as f64 / truth.len() as f64;
        assert!((0.6..0.7).contains(&share), "{share} of the time nobody is there");
        let lines: Vec<_> = STREET_QUIET.lines().unwrap().into_iter().map(|(_, line)| line).collect();
        let passages = passage::count(&truth, f64::from(FPS), &lines);
        let passed = passages.iter().filter(|count| count.forward + count.backward > 0).count();
        let all: u32 = passages.iter().map(|count| count.forward + count.backward).sum();
        assert!(passed >= 8 && all >= 30, "{all} over {passed} lines");
    }
}
