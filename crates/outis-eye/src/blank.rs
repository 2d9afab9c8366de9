//! Areas of the picture at which nobody looks: windows of flats, a school yard.
//!
//! They are painted over in every frame that is to be looked at, before anything else sees it: the motion, the detector,
//! the faces. So nothing that happens there can change what is counted, to the last bit. Knows no detector.

use outis_measure::{ImagePoint, Zone};

use crate::{
    drawn::Zoom,
    frame::{Frame, Rotation, Unreadable},
};

/// Rows are cut so finely, in parts of a pixel.
const STEPS: usize = 4;

/// The areas, as they were drawn, and where they are in the frames that come.
#[derive(Debug)]
pub(crate) struct Blanks {
    areas: Vec<Zone>,
    /// Of the last frame, and for which frames they hold.
    spans: Vec<Span>,
    held_for: Option<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    zoom: Zoom,
    rotation: Rotation,
    size_px: (u32, u32),
}

/// A piece of a row of the luma, in coded orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) row: usize,
    pub(crate) from: usize,
    /// The first that is no part of it.
    pub(crate) to: usize,
}

impl Blanks {
    /// Areas in pixels of the picture that lines were drawn in.
    pub(crate) fn new(areas: Vec<Zone>) -> Self {
        Self { areas, spans: Vec::new(), held_for: None }
    }

    /// In pixels of the picture that lines were drawn in.
    pub(crate) fn areas(&self) -> &[Zone] {
        &self.areas
    }

    /// The frame without them. `zoom` says how large it is beside the picture that was drawn in.
    ///
    /// # Errors
    /// When there is no memory for a copy: the decoder may still need the frame as it was.
    pub(crate) fn paint(&mut self, frame: Frame, zoom: Zoom) -> Result<Frame, Unreadable> {
        if self.areas.is_empty() {
            return Ok(frame);
        }
        let luma = frame.luma();
        let (width, height) = (luma.width, luma.height);
        let held_for =
            Held { zoom, rotation: frame.rotation(), size_px: (frame.width_px(), frame.height_px()) };
        if self.held_for != Some(held_for) {
            self.spans.clear();
            for area in &self.areas {
                let corners = area.corners().iter().map(|&corner| coded(zoom.point(corner), held_for));
                cover(&corners.collect::<Vec<_>>(), (width, height), &mut self.spans);
            }
            self.held_for = Some(held_for);
        }
        frame.painted(&self.spans)
    }
}

/// Where a point of the displayed picture is in planes that are coded turned.
fn coded(point: ImagePoint, held_for: Held) -> (f32, f32) {
    let (width, height) = (held_for.size_px.0 as f32, held_for.size_px.1 as f32);
    let (x, y) = (point.x_px, point.y_px);
    match held_for.rotation {
        Rotation::None => (x, y),
        Rotation::Half => (width - x, height - y),
        Rotation::Cw90 => (y, width - x),
        Rotation::Cw270 => (height - y, x),
    }
}

/// All pixels that a polygon touches, and one more around it: what is sharp beside it has no light of it.
fn cover(corners: &[(f32, f32)], (width, height): (usize, usize), spans: &mut Vec<Span>) {
    for row in 0..height {
        let mut covered: Option<(f32, f32)> = None;
        let mut pieces: Vec<(f32, f32)> = Vec::new();
        // From a pixel above the row to a pixel below it.
        for step in 0..=3 * STEPS {
            let y = row as f32 - 1.0 + step as f32 / STEPS as f32;
            pieces.extend(inside(corners, y));
        }
        pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (from, to) in pieces.into_iter().map(|(from, to)| (from - 1.0, to + 1.0)) {
            match &mut covered {
                Some((_, end)) if from <= *end => *end = end.max(to),
                _ => {
                    push(covered.take(), row, width, spans);
                    covered = Some((from, to));
                }
            }
        }
        push(covered, row, width, spans);
    }
}

fn push(piece: Option<(f32, f32)>, row: usize, width: usize, spans: &mut Vec<Span>) {
    let Some((from, to)) = piece else { return };
    let from = from.floor().max(0.0) as usize;
    let to = (to.ceil().max(0.0) as usize).min(width);
    if from < to {
        spans.push(Span { row, from, to });
    }
}

/// The pieces of a level that are inside a polygon: between one edge and the next.
fn inside(corners: &[(f32, f32)], y: f32) -> Vec<(f32, f32)> {
    let next = corners.iter().cycle().skip(1);
    let mut crossings: Vec<f32> = corners
        .iter()
        .zip(next)
        .filter(|((_, a), (_, b))| (*a <= y) != (*b <= y))
        .map(|((x1, y1), (x2, y2))| x1 + (y - y1) / (y2 - y1) * (x2 - x1))
        .collect();
    crossings.sort_by(f32::total_cmp);
    crossings.as_chunks::<2>().0.iter().map(|&[from, to]| (from, to)).collect()
}

#[cfg(test)]
mod tests {
    use ffmpeg_next::format::Pixel;

    use super::*;
    use crate::frame::{ColorSpace, Matrix, Range};

    const JPEG: ColorSpace = ColorSpace { matrix: Matrix::Bt601, range: Range::Full };

    fn zone(corners: &[(f32, f32)]) -> Zone {
        Zone::new(corners.iter().map(|&(x, y)| ImagePoint::new(x, y)).collect()).expect("a zone")
    }

    /// Two frames that differ wherever `there` says, and in no other place.
    fn both(format: Pixel, rotation: Rotation, there: impl Fn(f32, f32) -> bool) -> [Frame; 2] {
        let subsampled = |plane: usize| {
            let chroma = Frame::synthetic((format, 64, 64), Rotation::None, JPEG, |_, _, _| 0);
            match chroma.chroma() {
                Some((cb, _)) if plane > 0 => (64 / cb.width, 64 / cb.height),
                _ => (1, 1),
            }
        };
        let sizes = [subsampled(0), subsampled(1), subsampled(2)];
        [false, true].map(|differs| {
            Frame::synthetic((format, 322, 242), rotation, JPEG, |plane, x, y| {
                let (right, down) = sizes[plane];
                let within = (0..right).any(|dx| {
                    (0..down).any(|dy| there((x * right + dx) as f32 + 0.5, (y * down + dy) as f32 + 0.5))
                });
                if differs && within { 250 } else { ((x * 3 + y * 7 + plane * 11) % 200) as u8 }
            })
        })
    }

    fn same(a: &Frame, b: &Frame) -> bool {
        let rows = |frame: &Frame| {
            let mut planes = vec![frame.luma()];
            planes.extend(frame.chroma().into_iter().flat_map(|(cb, cr)| [cb, cr]));
            planes.iter().flat_map(|p| (0..p.height).flat_map(|y| p.row(y).to_vec())).collect::<Vec<u8>>()
        };
        rows(a) == rows(b)
    }

    #[test]
    fn what_is_in_it_leaves_no_trace() {
        // A slanted triangle, in coded coordinates.
        let there = |x: f32, y: f32| x > 40.0 && y > 30.0 && 2.0 * x + 3.0 * y < 500.0;
        let corners = [(40.0, 30.0), (205.0, 30.0), (40.0, 140.0)];
        let turned = |rotation: Rotation| -> Vec<(f32, f32)> {
            let back = |(x, y): (f32, f32)| match rotation {
                Rotation::None => (x, y),
                Rotation::Half => (322.0 - x, 242.0 - y),
                Rotation::Cw90 => (242.0 - y, x),
                Rotation::Cw270 => (y, 322.0 - x),
            };
            corners.map(back).to_vec()
        };
        for format in [Pixel::GRAY8, Pixel::YUV420P, Pixel::YUV422P, Pixel::YUV444P, Pixel::YUV410P] {
            for rotation in [Rotation::None, Rotation::Half, Rotation::Cw90, Rotation::Cw270] {
                let frames = both(format, rotation, there);
                assert!(!same(&frames[0], &frames[1]), "{format:?}: they differ before");
                let untouched = frames[0].luma().row(200).to_vec();
                let mut blanks = Blanks::new(vec![zone(&turned(rotation))]);
                let [a, b] = frames.map(|frame| blanks.paint(frame, Zoom::NONE).expect("painted"));
                assert!(same(&a, &b), "{format:?} {rotation:?}");
                assert_eq!(
                    a.luma().row(200),
                    untouched,
                    "{format:?} {rotation:?}: elsewhere nothing changes"
                );
                assert_eq!(a.luma().row(60)[70], 128, "{format:?} {rotation:?}");
            }
        }
    }

    #[test]
    fn areas_follow_the_size_of_the_picture() {
        let mut blanks = Blanks::new(vec![zone(&[(0.0, 0.0), (100.0, 0.0), (100.0, 50.0), (0.0, 50.0)])]);
        let frame = |width, height| {
            Frame::synthetic((Pixel::GRAY8, width, height), Rotation::None, JPEG, |_, _, _| 7)
        };
        let grey = |frame: &Frame| {
            (0..frame.luma().height).map(|y| frame.luma().row(y).iter().filter(|v| **v == 128).count()).max()
        };
        for (size, zoom, expected) in
            [((320, 240), 1.0, 101), ((640, 480), 2.0, 201), ((320, 240), 1.0, 101), ((160, 120), 0.5, 51)]
        {
            let painted = blanks.paint(frame(size.0, size.1), Zoom::of(zoom)).expect("painted");
            assert_eq!(grey(&painted), Some(expected), "{size:?}");
        }
        // Beyond the picture there is nothing to paint.
        let mut beyond = Blanks::new(vec![zone(&[(500.0, 0.0), (600.0, 0.0), (600.0, 90.0)])]);
        assert_eq!(grey(&beyond.paint(frame(320, 240), Zoom::NONE).expect("painted")), Some(0));
    }
}
