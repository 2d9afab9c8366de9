//! How far the camera has swayed: the shift between a frame and what the view usually looks like. Knows brightness
//! in blocks.
//!
//! On a mast in the wind everything moves by some pixels, and nothing is in motion. So the plan is made in the
//! coordinates of the still view, and only what goes in and comes out is shifted.

use outis_measure::ImageBox;

use crate::scale::BLOCK_PX;

/// Shifts below this are none, in blocks: eight tenths of a pixel.
const SHIFT_MIN: f32 = 0.1;
/// Greater shifts are no swaying, in blocks: 24 pixels.
const SHIFT_MAX: f32 = 3.0;
/// Differences beyond this are somebody in the way, of 255.
const DIFFERENCE_MAX: f32 = 40.0;
/// Most steps of the search; each starts from the shift of the one before.
const STEPS: usize = 4;
/// A step shorter than this is the last, in blocks: a twelfth of a pixel, a tenth of the least shift.
const STEP_MIN: f32 = 0.01;
/// Share of a new frame in what the view usually looks like.
const MEMORY_SHARE: f32 = 0.05;
/// Columns and rows are used for the search in steps of this many blocks: enough of them are left.
const STRIDE: usize = 2;

/// Blocks are measured again at most so often where the shift has moved them to.
const REFINEMENTS: usize = 2;
/// Blocks of a shifted view are known as well as if they lay this far from where they are said to lie, in blocks: the
/// shift is known to half a pixel, and twice that is sure.
const UNSURE: f32 = 0.125;
/// After so many looks without a shift the camera is at rest.
const CALM_LOOKS: u32 = 25;

/// The still view, and how the newest frame lies over it.
#[derive(Default)]
pub(super) struct Steady {
    columns: usize,
    rows: usize,
    usual: Vec<f32>,
    still: Vec<u8>,
    /// Right and down, in blocks.
    shift: (f32, f32),
    /// Looks since the last shift, as far as they matter.
    calm_looks: u32,
}

impl Steady {
    /// Takes a frame's blocks, row by row, and finds how far it has swayed. The still view is made up between its
    /// blocks; [`Self::refine`] makes it exact.
    pub(super) fn observe(&mut self, (columns, rows): (usize, usize), blocks: &[u8]) {
        if (columns, rows) != (self.columns, self.rows) {
            (self.columns, self.rows, self.shift) = (columns, rows, (0.0, 0.0));
            self.calm_looks = CALM_LOOKS;
            self.usual = blocks.iter().map(|value| f32::from(*value)).collect();
        }
        self.shift = self.search(blocks);
        let mut steadied = std::mem::take(&mut self.still);
        steadied.clear();
        if self.shift == (0.0, 0.0) {
            steadied.extend_from_slice(blocks);
        } else {
            let still = (0..rows * columns).map(|index| {
                let (x, y) = ((index % columns) as f32, (index / columns) as f32);
                self.sample(blocks, x + self.shift.0, y + self.shift.1).round() as u8
            });
            steadied.extend(still);
        }
        self.still = steadied;
    }

    /// Has the blocks measured again where the frame's shift has moved them to; `measure` takes the shift in whole pixels.
    /// What is left of it then shows without the blur of blocks between blocks.
    pub(super) fn refine(&mut self, mut measure: impl FnMut((f32, f32), &mut [u8])) {
        let mut measured = None;
        for _ in 0..REFINEMENTS {
            let px = self.shift_px();
            let whole_px = (px.0.round(), px.1.round());
            if self.shift == (0.0, 0.0) || measured.replace(whole_px) == Some(whole_px) {
                break;
            }
            measure(whole_px, &mut self.still);
            let Some((right, down)) = self.step(&self.still, (0.0, 0.0)) else { break };
            let block = BLOCK_PX as f32;
            let refined = (whole_px.0 / block + right, whole_px.1 / block + down);
            if refined.0.abs().max(refined.1.abs()) > SHIFT_MAX {
                break;
            }
            self.shift = refined;
        }
        self.calm_looks = if self.shift == (0.0, 0.0) { (self.calm_looks + 1).min(CALM_LOOKS) } else { 0 };
        for (usual, still) in self.usual.iter_mut().zip(&self.still) {
            *usual += MEMORY_SHARE * (f32::from(*still) - *usual);
        }
    }

    /// How far blocks may lie from where they are said to lie, in blocks.
    pub(super) fn unsure(&self) -> f32 {
        if self.calm_looks < CALM_LOOKS { UNSURE } else { 0.0 }
    }

    /// The blocks of the newest frame as if the camera stood still.
    pub(super) fn still(&self) -> &[u8] {
        &self.still
    }

    /// How far the newest frame has swayed, to the right and down in pixels.
    pub(super) fn shift_px(&self) -> (f32, f32) {
        (self.shift.0 * BLOCK_PX as f32, self.shift.1 * BLOCK_PX as f32)
    }

    /// A box of the still view, where it is in the newest frame.
    pub(super) fn to_frame(&self, bbox: &ImageBox) -> ImageBox {
        let (right, down) = self.shift_px();
        ImageBox { left: bbox.left + right, top: bbox.top + down, ..*bbox }
    }

    /// A box of the newest frame, where it is in the still view.
    pub(super) fn to_view(&self, bbox: &ImageBox) -> ImageBox {
        let (right, down) = self.shift_px();
        ImageBox { left: bbox.left - right, top: bbox.top - down, ..*bbox }
    }

    /// The shift under which the frame differs least from the usual view, light apart (Lucas and Kanade 1981: least
    /// squares over the gradients, step by step).
    fn search(&self, blocks: &[u8]) -> (f32, f32) {
        if self.columns < 8 || self.rows < 8 {
            return (0.0, 0.0);
        }
        let mut shift = self.shift;
        for _ in 0..STEPS {
            let Some((right, down)) = self.step(blocks, shift) else { return (0.0, 0.0) };
            shift = (shift.0 + right, shift.1 + down);
            if shift.0.abs().max(shift.1.abs()) > SHIFT_MAX {
                return (0.0, 0.0);
            }
            if right.abs().max(down.abs()) < STEP_MIN {
                break;
            }
        }
        if shift.0.abs().max(shift.1.abs()) < SHIFT_MIN { (0.0, 0.0) } else { shift }
    }

    /// Solves for right, down and a change of light; `None` where the view has no structure.
    fn step(&self, blocks: &[u8], shift: (f32, f32)) -> Option<(f32, f32)> {
        let mut sums = [[0.0_f64; 4]; 3];
        for y in (1..self.rows - 1).step_by(STRIDE) {
            for x in (1..self.columns - 1).step_by(STRIDE) {
                let index = y * self.columns + x;
                let across = (self.usual[index + 1] - self.usual[index - 1]) / 2.0;
                let down = (self.usual[index + self.columns] - self.usual[index - self.columns]) / 2.0;
                let there = match shift {
                    // Most cameras stand still.
                    (0.0, 0.0) => f32::from(blocks[index]),
                    (right, down) => self.sample(blocks, x as f32 + right, y as f32 + down),
                };
                let difference = self.usual[index] - there;
                if difference.abs() > DIFFERENCE_MAX {
                    continue;
                }
                let row = [across, down, 1.0].map(f64::from);
                for (sum, a) in sums.iter_mut().zip(row) {
                    for (cell, b) in sum.iter_mut().zip([row[0], row[1], row[2], f64::from(difference)]) {
                        *cell += a * b;
                    }
                }
            }
        }
        let [right, down, _] = solved(sums)?;
        let whole = |value: f64| (value as f32).clamp(-1.0, 1.0);
        Some((whole(right), whole(down)))
    }

    /// The brightness between blocks; beyond the border that of the border.
    fn sample(&self, blocks: &[u8], x: f32, y: f32) -> f32 {
        let (x, y) = (x.clamp(0.0, (self.columns - 1) as f32), y.clamp(0.0, (self.rows - 1) as f32));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.columns - 1), (top + 1).min(self.rows - 1));
        let (across, down) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| f32::from(blocks[y * self.columns + x]);
        let upper = at(left, top) + across * (at(right, top) - at(left, top));
        let lower = at(left, bottom) + across * (at(right, bottom) - at(left, bottom));
        upper + down * (lower - upper)
    }
}

/// Three equations in three unknowns by elimination; `None` when they do not determine them.
fn solved(mut rows: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for pivot in 0..3 {
        let best = (pivot..3).max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))?;
        rows.swap(pivot, best);
        if rows[pivot][pivot].abs() < 1e-6 {
            return None;
        }
        let reference = rows[pivot];
        for (_, row) in rows.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
            let factor = row[pivot] / reference[pivot];
            row.iter_mut().zip(reference).for_each(|(cell, above)| *cell -= factor * above);
        }
    }
    Some([0, 1, 2].map(|row| rows[row][3] / rows[row][row]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (120, 68);

    /// A street with structure, seen from a camera that has swayed by so many blocks, under more or less light.
    fn street(right: f32, down: f32, light: f32) -> Vec<u8> {
        let value = |index: usize| {
            let (x, y) = ((index % SIZE.0) as f32 - right, (index / SIZE.0) as f32 - down);
            let houses = 40.0 * (x / 7.0).sin() + 30.0 * (y / 5.0 + x / 11.0).cos();
            (120.0 + houses + light).clamp(0.0, 255.0) as u8
        };
        (0..SIZE.0 * SIZE.1).map(value).collect()
    }

    #[test]
    fn swaying_is_measured() {
        // (case, right, down, light)
        let cases = [
            ("at rest", 0.0, 0.0, 0.0),
            ("a pixel to the right", 0.125, 0.0, 0.0),
            ("a block and a half", 1.5, -1.0, 0.0),
            ("in other light", -0.8, 0.6, 25.0),
        ];
        for (name, right, down, light) in cases {
            let mut steady = Steady::default();
            steady.observe(SIZE, &street(0.0, 0.0, 0.0));
            steady.observe(SIZE, &street(right, down, light));
            let still = steady.still().to_vec();
            let found = steady.shift;
            assert!((found.0 - right).abs() < 0.1 && (found.1 - down).abs() < 0.1, "{name}: {found:?}");
            let apart = street(0.0, 0.0, light);
            let inner = |i: &usize| {
                (4..SIZE.0 - 4).contains(&(i % SIZE.0)) && (4..SIZE.1 - 4).contains(&(i / SIZE.0))
            };
            let worst = (0..apart.len()).filter(inner).map(|i| still[i].abs_diff(apart[i])).max();
            assert!(worst <= Some(4), "{name}: {worst:?}");
            let bbox = ImageBox::from_left_top_width_height(100.0, 100.0, 20.0, 50.0);
            steady.refine(|(x, y), still| {
                let px = BLOCK_PX as f32;
                still.copy_from_slice(&street(right - x / px, down - y / px, light));
            });
            let refined = steady.shift;
            assert!(
                (refined.0 - right).abs() < 0.02 && (refined.1 - down).abs() < 0.02,
                "{name}: {refined:?}"
            );
            let there_and_back = steady.to_view(&steady.to_frame(&bbox));
            assert!(there_and_back.iou(&bbox) > 0.999, "{name}");
        }
    }

    #[test]
    fn another_view_is_no_swaying() {
        let mut steady = Steady::default();
        steady.observe(SIZE, &street(0.0, 0.0, 0.0));
        steady.observe(SIZE, &[128; SIZE.0 * SIZE.1]);
        let (right, down) = steady.shift;
        assert!(right.abs() <= SHIFT_MAX && down.abs() <= SHIFT_MAX);
        steady.observe((4, 4), &[7; 16]);
        assert_eq!(steady.shift, (0.0, 0.0), "too small to tell");
    }
}
