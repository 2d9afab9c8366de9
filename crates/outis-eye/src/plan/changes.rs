//! Which parts of the view have changed since the detector last looked at them. Knows brightness in blocks and when
//! it was looked at; knows no person.
//!
//! What has not changed since it was looked at needs no second look: the answer would be the same. So each block is
//! held against itself at its last look, not against the frame before: who creeps is seen after a while, too.

use std::ops::Range;

use outis_measure::{ImageBox, ImagePoint, MediaTime, Zone};

use super::ages::Ages;
use super::wants::grown;
use crate::scale::BLOCK_PX;

/// A change of brightness below this is none, of 255.
const CHANGE_MIN: f32 = 3.5;
/// A change is this many times what the block changes by itself: leaves, rain, a shaking camera, sensor noise.
const CHANGE_NOISES: f32 = 3.5;
/// A change is this many times the median of all blocks' changes: sensor noise is the same everywhere. Four standard
/// deviations of a bell.
const CHANGE_MEDIANS: f32 = 6.0;
/// The mean change of a block that nobody has seen yet, of 255.
const NOISE_START: f32 = 1.0;
/// Share of the new value in the noise of a block in which the detector found nothing.
const NOISE_SHARE: f32 = 0.15;
/// Every so many blocks are enough for the median.
const MEDIAN_STEP: usize = 7;
/// Share of a new median in the noise of the view.
const VIEW_NOISE_SHARE: f32 = 0.1;
/// When more than this share of the view changes at once, the light or the camera has changed, not the street.
const UPSET_SHARE: f32 = 0.5;
/// The same when the median changes by this much, of 255.
const UPSET_CHANGE: f32 = 12.0;

/// One block.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Brightness when it was last looked at.
    looked: f32,
    at: Option<MediaTime>,
    noise: f32,
    /// Change since then, at the newest frame.
    change: f32,
    /// It is painted over: there is nothing to be seen, ever.
    blank: bool,
}

/// All blocks of the view.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    columns: usize,
    rows: usize,
    blocks: Vec<Block>,
    changed: Vec<bool>,
    /// How many blocks are not painted over.
    visible: usize,
    /// What blocks change by when nothing moves, of 255: the median, averaged over the last looks.
    noise: f32,
    /// Areas that are painted over.
    blanks: Vec<Zone>,
}

impl Changes {
    /// Of a view in which these areas are painted over: they need no look, and nobody asks how much of them was seen.
    pub(crate) fn new(blanks: Vec<Zone>) -> Self {
        Self { blanks, ..Self::default() }
    }

    /// Takes a frame's blocks, row by row. Says whether everything has changed at once.
    ///
    /// `unsure` is how far the blocks may lie from where they are said to lie, in blocks: at an edge that alone is a change.
    pub(crate) fn observe(
        &mut self,
        (columns, rows): (usize, usize),
        brightness: &[u8],
        unsure: f32,
    ) -> bool {
        let first = (columns, rows) != (self.columns, self.rows);
        if first {
            (self.columns, self.rows) = (columns, rows);
            let block = |(index, value): (usize, &u8)| Block {
                looked: f32::from(*value),
                at: None,
                noise: NOISE_START,
                change: 0.0,
                blank: self.is_blank(index),
            };
            self.blocks = brightness.iter().enumerate().map(block).collect();
            self.visible = self.blocks.iter().filter(|block| !block.blank).count();
        }
        for (block, value) in self.blocks.iter_mut().zip(brightness) {
            block.change = (f32::from(*value) - block.looked).abs();
        }
        if unsure > 0.0 {
            for index in 0..self.blocks.len() {
                self.blocks[index].change =
                    (self.blocks[index].change - unsure * slope(brightness, columns, index)).max(0.0);
            }
        }
        let median = self.median_change();
        let least = CHANGE_MIN.max(CHANGE_MEDIANS * median);
        self.changed.clear();
        self.changed.extend(
            self.blocks
                .iter()
                .map(|block| !block.blank && block.change > least.max(CHANGE_NOISES * block.noise)),
        );
        let changed = self.changed.iter().filter(|changed| **changed).count();
        // In other light everything changes alike, so the median does.
        let upset = changed as f32 > UPSET_SHARE * self.visible as f32 || median > UPSET_CHANGE;
        if !upset {
            self.noise += VIEW_NOISE_SHARE * (median - self.noise);
        } else {
            // Take the new light as it is; when things were looked at is forgotten, so that all is looked at again.
            for (block, value) in self.blocks.iter_mut().zip(brightness) {
                *block = Block { looked: f32::from(*value), at: None, change: 0.0, ..*block };
            }
            self.changed.fill(false);
        }
        first || upset
    }

    /// Says that areas were looked at in this frame, and where in the view something was found.
    pub(crate) fn looked_at(
        &mut self,
        areas: &[ImageBox],
        at: MediaTime,
        brightness: &[u8],
        found: &[ImageBox],
    ) {
        let mut taken = vec![false; self.blocks.len()];
        for bbox in found {
            let around = grown(bbox, BLOCK_PX as f32, BLOCK_PX as f32);
            indices(self.columns, self.rows, &around).for_each(|index| taken[index] = true);
        }
        for index in areas.iter().flat_map(|area| indices(self.columns, self.rows, area)) {
            let block = &mut self.blocks[index];
            if !taken[index] && block.at.is_some() {
                block.noise += NOISE_SHARE * (block.change - block.noise);
            }
            (block.looked, block.at, block.change) = (f32::from(brightness[index]), Some(at), 0.0);
            self.changed[index] = false;
        }
    }

    /// Mean of the newest frame's blocks, of those that are not painted over: paint is no part of the view.
    pub(super) fn mean(&self, brightness: &[u8]) -> u8 {
        let visible = self.blocks.iter().zip(brightness).filter(|(block, _)| !block.blank);
        let sum: u64 = visible.map(|(_, value)| u64::from(*value)).sum();
        u8::try_from(sum / (self.visible as u64).max(1)).unwrap_or(u8::MAX)
    }

    /// What blocks change by when nothing moves, of 255.
    pub(super) fn noise(&self) -> f32 {
        self.noise
    }

    /// Share of the blocks in a box that have changed since they were looked at.
    pub(super) fn changed_share(&self, bbox: &ImageBox) -> f32 {
        let (mut all, mut changed) = (0_u32, 0_u32);
        for index in indices(self.columns, self.rows, bbox) {
            (all, changed) = (all + 1, changed + u32::from(self.changed[index]));
        }
        changed as f32 / all.max(1) as f32
    }

    /// Share of the view that is known: unchanged since it was looked at.
    pub(super) fn known_share(&self) -> f32 {
        let visible = self.blocks.iter().zip(&self.changed).filter(|(block, _)| !block.blank);
        let known = visible.filter(|(block, changed)| block.at.is_some() && !**changed);
        known.count() as f32 / self.visible.max(1) as f32
    }

    /// Whether a block lies in a painted area as a whole.
    fn is_blank(&self, index: usize) -> bool {
        let (x, y) = self.center_px(index);
        self.blanks.iter().any(|area| area.depth_px(ImagePoint::new(x, y)) >= BLOCK_PX as f32 / 2.0)
    }

    /// For how long an area was not looked at, in seconds, on average over its blocks; those never looked at count as
    /// `never_s`, and those that are painted over as looked at now.
    pub(super) fn age_s(&self, bbox: &ImageBox, now: MediaTime, never_s: f32) -> f32 {
        let ages_s =
            indices(self.columns, self.rows, bbox).map(|index| self.blocks[index].age_s(now, never_s));
        let (all, sum_s) = ages_s.fold((0_u32, 0.0), |(all, sum_s), age_s| (all + 1, sum_s + age_s));
        sum_s / all.max(1) as f32
    }

    /// The same for many areas at one time.
    pub(super) fn ages(&self, now: MediaTime, never_s: f32) -> Ages {
        Ages::new(self.columns, self.blocks.iter().map(|block| block.age_s(now, never_s)))
    }

    /// Boxes around neighbouring blocks that have changed and for which `left_out` is false, in pixels.
    pub(crate) fn clusters(&self, mut left_out: impl FnMut(f32, f32) -> bool) -> Vec<ImageBox> {
        let mut open: Vec<bool> = (0..self.changed.len())
            .map(|index| {
                let (x, y) = self.center_px(index);
                self.changed[index] && !left_out(x, y)
            })
            .collect();
        let mut clusters = Vec::new();
        let mut stack = Vec::new();
        for start in 0..open.len() {
            if !std::mem::take(&mut open[start]) {
                continue;
            }
            stack.push(start);
            let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
            while let Some(index) = stack.pop() {
                let (x, y) = (index % self.columns, index / self.columns);
                (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
                for y in y.saturating_sub(1)..=(y + 1).min(self.rows - 1) {
                    for x in x.saturating_sub(1)..=(x + 1).min(self.columns - 1) {
                        if std::mem::take(&mut open[y * self.columns + x]) {
                            stack.push(y * self.columns + x);
                        }
                    }
                }
            }
            let px = |blocks: usize| (blocks * BLOCK_PX as usize) as f32;
            clusters.push(ImageBox::from_left_top_right_bottom(
                px(left),
                px(top),
                px(right + 1),
                px(bottom + 1),
            ));
        }
        clusters
    }

    /// Of the blocks that were looked at; none, as long as there are none.
    fn median_change(&self) -> f32 {
        let some = self.blocks.iter().step_by(MEDIAN_STEP);
        let seen = some.filter(|block| block.at.is_some() && !block.blank);
        let mut changes: Vec<f32> = seen.map(|block| block.change).collect();
        let middle = changes.len() / 2;
        if changes.is_empty() { 0.0 } else { *changes.select_nth_unstable_by(middle, f32::total_cmp).1 }
    }

    fn center_px(&self, index: usize) -> (f32, f32) {
        let px = |blocks: usize| (blocks as f32 + 0.5) * BLOCK_PX as f32;
        (px(index % self.columns), px(index / self.columns))
    }
}

impl Block {
    /// For how long it was not looked at, in seconds.
    fn age_s(&self, now: MediaTime, never_s: f32) -> f32 {
        match self.at {
            _ if self.blank => 0.0,
            Some(at) => now.seconds_since(at).min(never_s),
            None => never_s,
        }
    }
}

/// How much brighter or darker the neighbours of a block are, at most.
fn slope(brightness: &[u8], columns: usize, index: usize) -> f32 {
    let here = brightness[index];
    let neighbours =
        [index.checked_sub(1), Some(index + 1), index.checked_sub(columns), Some(index + columns)];
    let values = neighbours.into_iter().flatten().filter_map(|index| brightness.get(index));
    f32::from(values.map(|value| value.abs_diff(here)).max().unwrap_or(0))
}

/// The blocks whose centres lie in a box.
fn indices(columns: usize, rows: usize, bbox: &ImageBox) -> impl Iterator<Item = usize> + use<> {
    let (across, down) = spans(columns, rows, bbox);
    down.flat_map(move |y| across.clone().map(move |x| y * columns + x))
}

/// Their columns and rows.
pub(super) fn spans(columns: usize, rows: usize, bbox: &ImageBox) -> (Range<usize>, Range<usize>) {
    let block = BLOCK_PX as f32;
    let range = |from: f32, to: f32, most: usize| {
        let first = (from / block - 0.5).ceil().max(0.0) as usize;
        let end = (to / block - 0.5).ceil().max(0.0) as usize;
        first.min(most)..end.min(most)
    };
    (range(bbox.left, bbox.right(), columns), range(bbox.top, bbox.bottom(), rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (40, 20);
    const ALL: ImageBox = ImageBox { left: 0.0, top: 0.0, width: 320.0, height: 160.0 };

    fn street() -> Vec<u8> {
        (0..SIZE.0 * SIZE.1).map(|index| 60 + (index % 7) as u8).collect()
    }

    /// Makes blocks brighter from column and row, inclusive, to column and row, exclusive.
    fn brighter(blocks: &mut [u8], (left, top): (usize, usize), (right, bottom): (usize, usize), by: u8) {
        for y in top..bottom {
            blocks[y * SIZE.0 + left..y * SIZE.0 + right].iter_mut().for_each(|value| *value += by);
        }
    }

    fn looked(changes: &mut Changes, blocks: &[u8], at_s: f64, found: &[ImageBox]) {
        changes.looked_at(&[ALL], MediaTime::from_seconds(at_s), blocks, found);
    }

    #[test]
    fn what_is_painted_over_needs_no_look_and_is_no_part_of_what_was_seen() {
        // The right half, from column 20 on.
        let corners = [(160.0, -1.0), (321.0, -1.0), (321.0, 161.0), (160.0, 161.0)];
        let area = Zone::new(corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec()).unwrap();
        let left = ImageBox { width: 160.0, ..ALL };
        let right = ImageBox { left: 160.0, width: 160.0, ..ALL };
        let mut half_bright = street();
        brighter(&mut half_bright, (20, 0), SIZE, 100);
        let cases = [(vec![], 0.5, 60.0, 1, 50), (vec![area], 1.0, 0.0, 0, 0)];
        for (blanks, known_share, age_s, clusters, brighter_by) in cases {
            let mut changes = Changes::new(blanks);
            changes.observe(SIZE, &street(), 0.0);
            assert_eq!(changes.mean(&half_bright) - changes.mean(&street()), brighter_by);
            changes.looked_at(&[left], MediaTime::ZERO, &street(), &[]);
            assert_eq!(changes.known_share(), known_share);
            assert_eq!(changes.age_s(&right, MediaTime::ZERO, 60.0), age_s);
            let mut moved = street();
            brighter(&mut moved, (25, 4), (29, 9), 30);
            changes.observe(SIZE, &moved, 0.0);
            assert_eq!(changes.clusters(|_, _| false).len(), clusters);
        }
    }

    #[test]
    fn what_moves_is_found_and_forgotten_when_looked_at() {
        let mut changes = Changes::default();
        assert!(changes.observe(SIZE, &street(), 0.0), "at first all is new");
        looked(&mut changes, &street(), 0.0, &[]);
        assert!(!changes.observe(SIZE, &street(), 0.0));
        assert_eq!((changes.clusters(|_, _| false).len(), changes.known_share()), (0, 1.0));
        let mut moved = street();
        brighter(&mut moved, (3, 4), (5, 9), 30);
        brighter(&mut moved, (30, 4), (31, 7), 30);
        changes.observe(SIZE, &moved, 0.0);
        let expected = [
            ImageBox::from_left_top_right_bottom(24.0, 32.0, 40.0, 72.0),
            ImageBox::from_left_top_right_bottom(240.0, 32.0, 248.0, 56.0),
        ];
        assert_eq!(changes.clusters(|_, _| false), expected);
        assert_eq!(changes.clusters(|x, _| x > 100.0), expected[..1]);
        assert!(changes.changed_share(&expected[0]) > 0.99 && changes.known_share() < 1.0);
        looked(&mut changes, &moved, 0.2, &expected);
        changes.observe(SIZE, &moved, 0.0);
        assert_eq!(changes.clusters(|_, _| false), []);
    }

    #[test]
    fn leaves_are_soon_left_alone_and_people_are_not() {
        let tree = ImageBox::from_left_top_right_bottom(80.0, 80.0, 160.0, 120.0);
        for (name, found, changed) in [("a tree", &[][..], false), ("a crowd", &[tree][..], true)] {
            let mut changes = Changes::default();
            changes.observe(SIZE, &street(), 0.0);
            looked(&mut changes, &street(), 0.0, &[]);
            for look in 1..40 {
                let mut swaying = street();
                brighter(&mut swaying, (10, 10), (20, 15), 25 * (look % 2) as u8);
                changes.observe(SIZE, &swaying, 0.0);
                if look < 39 {
                    looked(&mut changes, &swaying, f64::from(look) / 5.0, found);
                }
            }
            assert_eq!(changes.changed_share(&tree) > 0.5, changed, "{name}");
        }
    }

    #[test]
    fn sudden_light_is_no_motion() {
        let mut changes = Changes::default();
        changes.observe(SIZE, &street(), 0.0);
        looked(&mut changes, &street(), 0.0, &[]);
        let mut lit = street();
        brighter(&mut lit, (0, 0), SIZE, 50);
        assert!(changes.observe(SIZE, &lit, 0.0), "all is to be looked at again");
        assert_eq!(changes.clusters(|_, _| false), []);
        assert_eq!(changes.known_share(), 0.0);
        assert_eq!(changes.age_s(&ALL, MediaTime::from_seconds(1.0), 99.0), 99.0);
        assert!(!changes.observe(SIZE, &lit, 0.0), "the new light is the light");
    }

    #[test]
    fn an_edge_that_may_lie_elsewhere_is_no_motion() {
        let mut changes = Changes::default();
        // The left half is dark; half a pixel of sway moves the edge by a sixteenth of its height.
        let edge = |at: u8| -> Vec<u8> {
            let value = |column| match column {
                0..20 => 40,
                20 => at,
                _ => 200,
            };
            (0..SIZE.0 * SIZE.1).map(|index| value(index % SIZE.0)).collect()
        };
        changes.observe(SIZE, &edge(120), 0.0);
        looked(&mut changes, &edge(120), 0.0, &[]);
        changes.observe(SIZE, &edge(130), 0.0);
        assert_eq!(changes.clusters(|_, _| false).len(), 1, "a camera at rest");
        changes.observe(SIZE, &edge(130), 0.3);
        assert_eq!(changes.clusters(|_, _| false), [], "a camera that sways");
        let mut walker = edge(120);
        brighter(&mut walker, (5, 5), (7, 10), 60);
        changes.observe(SIZE, &walker, 0.3);
        assert_eq!(changes.clusters(|_, _| false).len(), 1, "somebody walks by all the same");
    }

    #[test]
    fn another_size_of_picture_begins_anew() {
        let mut changes = Changes::default();
        changes.observe(SIZE, &street(), 0.0);
        assert!(changes.observe((20, 10), &[60; 200], 0.0));
        assert_eq!(changes.changed_share(&ALL), 0.0);
    }
}
