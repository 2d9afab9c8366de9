//! From a network's outputs to faces. Knows no network runtime and no picture.

use outis_measure::ImageBox;

use super::card::Decoding;
use crate::detect::Output;

/// A face, as a network found it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Where it is.
    pub bbox: ImageBox,
    /// How sure it is that there is one, 0 to 1.
    pub score: f32,
    /// How likely it wears a mask, where the network that found it says so.
    pub with_mask: Option<f32>,
}

impl Face {
    /// The root of its area, in pixels.
    pub fn side_px(&self) -> f32 {
        self.bbox.area().max(0.0).sqrt()
    }
}

/// The most faces of one input.
const FACES_MAX: usize = 256;

/// Pixels of the input that a cell of CenterFace's map stands for.
const CELL_PX: f32 = 4.0;

/// The faces that reach `floor`, in pixels of an input of this width and height. The outputs have the shapes of the
/// card.
pub(super) fn decode(
    decoding: Decoding,
    outputs: &[Output<'_>],
    (width, height): (usize, usize),
    floor: f32,
) -> Vec<Face> {
    let mut faces: Vec<Face> = match decoding {
        Decoding::Centerface => centerface(outputs, width / CELL_PX as usize, floor),
        Decoding::Rfb => rfb(outputs, (width as f32, height as f32), floor),
        Decoding::MaskClasses => Vec::new(),
    };
    faces.retain(|face| face.bbox.is_valid());
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    faces.truncate(FACES_MAX);
    faces
}

fn centerface(outputs: &[Output<'_>], columns: usize, floor: f32) -> Vec<Face> {
    let [scores, sizes, offsets] = outputs else { return Vec::new() };
    let cells = scores.len();
    let face = |(cell, &score): (usize, &f32)| {
        let (row, column) = (cell / columns, cell % columns);
        let (height, width) = (sizes[cell].exp() * CELL_PX, sizes[cells + cell].exp() * CELL_PX);
        let y = (row as f32 + offsets[cell] + 0.5) * CELL_PX;
        let x = (column as f32 + offsets[cells + cell] + 0.5) * CELL_PX;
        let bbox = ImageBox::from_left_top_width_height(x - width / 2.0, y - height / 2.0, width, height);
        Face { bbox, score, with_mask: None }
    };
    scores.iter().enumerate().filter(|(_, score)| **score >= floor).map(face).collect()
}

fn rfb(outputs: &[Output<'_>], (width, height): (f32, f32), floor: f32) -> Vec<Face> {
    let [scores, boxes] = outputs else { return Vec::new() };
    let (scores, _) = scores.as_chunks::<3>();
    let (boxes, _) = boxes.as_chunks::<4>();
    let face = |(&[_, bare, masked], &[left, top, right, bottom]): (&[f32; 3], &[f32; 4])| {
        let score = bare.max(masked);
        let bbox =
            ImageBox::from_left_top_right_bottom(left * width, top * height, right * width, bottom * height);
        (score >= floor).then_some(Face { bbox, score, with_mask: Some(masked / (bare + masked)) })
    };
    scores.iter().zip(boxes).filter_map(face).collect()
}

/// Of faces that overlap by more than `iou_max` the surest stays.
pub(super) fn strongest(mut faces: Vec<Face>, iou_max: f32) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|stronger| stronger.bbox.iou(&face.bbox) <= iou_max) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_face() {
        // Two rows of three cells; the last of the first row is a face twice as high as wide.
        let scores = [0.1, 0.2, 0.9, 0.0, f32::NAN, 0.3];
        let two = 2.0f32.ln();
        let sizes = [0.0, 0.0, 2.0 * two, 0.0, 0.0, 0.0, 0.0, 0.0, two, 0.0, 0.0, 0.0];
        let offsets = [0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0];
        let faces = decode(Decoding::Centerface, &[&scores, &sizes, &offsets], (12, 8), 0.5);
        let bbox = ImageBox::from_left_top_width_height(4.0, -5.0, 8.0, 16.0);
        assert_eq!(faces.len(), 1);
        assert!(faces[0].bbox.iou(&bbox) > 0.999 && faces[0].score == 0.9, "{faces:?}");
        assert!((faces[0].side_px() - 128f32.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn a_row_is_a_face_and_says_whether_it_is_masked() {
        let scores = [0.9, 0.05, 0.05, 0.1, 0.2, 0.7, 0.1, 0.9, 0.0];
        let boxes = [0.0, 0.0, 1.0, 1.0, 0.25, 0.5, 0.5, 1.0, 0.5, 0.5, 0.25, 1.0];
        let faces = decode(Decoding::Rfb, &[&scores, &boxes], (400, 200), 0.5);
        assert_eq!(faces.len(), 1, "a box inside out is none: {faces:?}");
        assert!(faces[0].bbox.iou(&ImageBox::from_left_top_width_height(100.0, 100.0, 100.0, 100.0)) > 0.999);
        assert!(faces[0].with_mask.is_some_and(|with| (with - 0.7 / 0.9).abs() < 1e-6));
    }

    #[test]
    fn the_surest_of_several_boxes_of_a_face_stays() {
        let face = |left, score| Face {
            bbox: ImageBox::from_left_top_width_height(left, 0.0, 20.0, 20.0),
            score,
            with_mask: None,
        };
        let kept = strongest(vec![face(0.0, 0.5), face(2.0, 0.9), face(30.0, 0.4)], 0.3);
        assert_eq!(kept.iter().map(|face| face.score).collect::<Vec<_>>(), [0.9, 0.4]);
    }
}
