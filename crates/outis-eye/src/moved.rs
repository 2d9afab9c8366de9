//! Whether the camera still sees the view that its lines were drawn in: a bump, a turn, a covered or misted lens show as a
//! view that lasts and is another one. Knows where edges are in a coarse grey picture; knows no person and no line.
//!
//! Edges stay where they are by day and night, in rain and under an infrared lamp; how strong they are does not matter
//! here. Whoever stands in the way hides some tiles, and the median of the tiles decides.

use outis_measure::MediaTime;

use crate::Frame;
use crate::scale::Thumbnail;

/// About so many cells lie side by side.
const COLUMNS: usize = 80;
/// The view is judged by its mean over this long, in seconds: who walks by leaves little in it.
const PERIOD_S: f32 = 10.0;
/// Frames closer together than this tell nothing new, in seconds: who walks is still in the same place.
const STEP_S: f32 = 0.9;
/// The least looks of a period.
const LOOKS_MIN: u32 = 5;
/// Another view that lasts this long is a fault, in seconds: lorries deliver, and traffic lights change, in less.
const LASTING_S: f32 = 120.0;
/// Weight of a period in what the view usually looks like: dusk and seasons are followed within minutes.
const MEMORY_SHARE: f32 = 1.0 / 60.0;
/// Tiles side by side, and one above the other.
const TILES: (usize, usize) = (4, 3);
/// With fewer tiles in which there is anything to see, nothing can be said.
const TILES_MIN: usize = 4;
/// A tile shows something when its edges differ by this much, in square roots of brightness.
const STRUCTURE_MIN: f32 = 0.3;
/// How far the view is looked for, in cells.
const REACH: (isize, isize) = (16, 12);
/// A shift by no more than this share of the picture's width is swaying.
const SWAY_SHARE: f32 = 0.02;
/// The view is found where it stands out of all other places by so many standard deviations of theirs.
const DEVIATIONS_MIN: f32 = 4.0;
/// A shifted view fits better elsewhere: by more than this factor.
const BETTER: f32 = 1.5;

/// What a camera usually sees, and for how long it has seen something else.
#[derive(Default)]
pub(crate) struct Moved {
    thumbnail: Thumbnail,
    size: (usize, usize),
    /// Sums of brightness in the running period.
    sums: Vec<f32>,
    looks: u32,
    begun: Option<MediaTime>,
    /// The newest frame that was taken.
    taken: Option<MediaTime>,
    /// Edges, on average.
    usual: Vec<f32>,
    periods: u32,
    strange_since: Option<MediaTime>,
}

impl Moved {
    /// Takes a frame that is looked at. True once for each period in which the view has been another one for long.
    pub(crate) fn observe(&mut self, frame: &Frame) -> bool {
        let at = frame.at();
        if self.taken.is_some_and(|taken| (0.0..STEP_S).contains(&at.seconds_since(taken))) {
            return false;
        }
        self.taken = Some(at);
        let blocks = Thumbnail::size((frame.width_px(), frame.height_px()));
        let Some(brightness) = self.thumbnail.blocks(frame) else { return false };
        let factor = (blocks.0 / COLUMNS).max(1);
        let size = (blocks.0 / factor, blocks.1 / factor);
        if size != self.size {
            let thumbnail = std::mem::take(&mut self.thumbnail);
            *self = Self { thumbnail, size, sums: vec![0.0; size.0 * size.1], ..Self::default() };
            return false;
        }
        for (index, sum) in self.sums.iter_mut().enumerate() {
            let (left, top) = (index % size.0 * factor, index / size.0 * factor);
            let rows = (top..top + factor).map(|y| &brightness[y * blocks.0 + left..][..factor]);
            *sum += rows.flatten().map(|value| f32::from(*value)).sum::<f32>() / (factor * factor) as f32;
        }
        self.looks += 1;
        let begun = *self.begun.get_or_insert(at);
        if at.seconds_since(begun) < PERIOD_S || self.looks < LOOKS_MIN {
            return false;
        }
        let looks = self.looks as f32;
        let mean: Vec<f32> = self.sums.iter().map(|sum| sum / looks).collect();
        self.sums.fill(0.0);
        (self.looks, self.begun) = (0, Some(at));
        self.period(begun, at, &edges(size, &mean))
    }

    /// Judges the mean of a period.
    fn period(&mut self, begun: MediaTime, at: MediaTime, edges: &[f32]) -> bool {
        if self.periods == 0 {
            self.usual = edges.to_vec();
        }
        if fits(self.size, &self.usual, edges) != Some(false) {
            self.strange_since = None;
            self.periods = self.periods.saturating_add(1);
            let share = (1.0 / self.periods as f32).max(MEMORY_SHARE);
            self.usual.iter_mut().zip(edges).for_each(|(usual, new)| *usual += share * (new - *usual));
            return false;
        }
        let since = *self.strange_since.get_or_insert(begun);
        at.seconds_since(since) >= LASTING_S
    }
}

/// How strong the edges are: square roots, so that one lamp does not outshine a street.
fn edges((columns, rows): (usize, usize), brightness: &[f32]) -> Vec<f32> {
    let at = |x: usize, y: usize| brightness[y * columns + x];
    let edge = |index: usize| {
        let (x, y) = (index % columns, index / columns);
        if x == 0 || y == 0 || x + 1 == columns || y + 1 == rows {
            return 0.0;
        }
        (at(x + 1, y) - at(x - 1, y)).hypot(at(x, y + 1) - at(x, y - 1)).sqrt()
    };
    (0..brightness.len()).map(edge).collect()
}

/// Whether edges are where they usually are; `None` where there are too few to tell.
fn fits(size: (usize, usize), usual: &[f32], edges: &[f32]) -> Option<bool> {
    let tiles = tiles(size, usual);
    if tiles.len() < TILES_MIN {
        return None;
    }
    let sway = (SWAY_SHARE * size.0 as f32).round().max(1.0) as isize;
    let is_near = |(right, down): (isize, isize), (x, y): (isize, isize)| {
        (right - x).abs().max((down - y).abs()) <= sway
    };
    let mut places = Vec::new();
    for down in -REACH.1..=REACH.1 {
        for right in -REACH.0..=REACH.0 {
            let shift = (right, down);
            let alike = tiles.iter().filter_map(|tile| likeness(size, usual, edges, tile, shift));
            let mut alike: Vec<f32> = alike.collect();
            if alike.len() >= TILES_MIN {
                let middle = alike.len() / 2;
                places.push((shift, *alike.select_nth_unstable_by(middle, f32::total_cmp).1));
            }
        }
    }
    let best_of = |places: &mut dyn Iterator<Item = &((isize, isize), f32)>| {
        places.max_by(|a, b| a.1.total_cmp(&b.1)).copied()
    };
    let (best, most) = best_of(&mut places.iter())?;
    let (_, here) = best_of(&mut places.iter().filter(|(shift, _)| is_near(*shift, (0, 0))))?;
    let others = places.iter().filter(|(shift, _)| !is_near(*shift, (0, 0)) && !is_near(*shift, best));
    let others: Vec<f32> = others.map(|(_, alike)| *alike).collect();
    let count = others.len().max(1) as f32;
    let mean = others.iter().sum::<f32>() / count;
    let spread = (others.iter().map(|alike| (alike - mean).powi(2)).sum::<f32>() / count).sqrt();
    // A flat view is like nothing, everywhere.
    Some(here - mean > DEVIATIONS_MIN * spread && BETTER * here > most)
}

/// Columns and rows of a tile, from and until.
struct Tile {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

/// The tiles in which there is something to see.
fn tiles((columns, rows): (usize, usize), usual: &[f32]) -> Vec<Tile> {
    let tile = |index: usize| {
        let (x, y) = (index % TILES.0, index / TILES.0);
        Tile {
            left: x * columns / TILES.0,
            right: (x + 1) * columns / TILES.0,
            top: y * rows / TILES.1,
            bottom: (y + 1) * rows / TILES.1,
        }
    };
    let has_structure = |tile: &Tile| {
        let mut sums = Sums::default();
        for y in tile.top..tile.bottom {
            usual[y * columns..][tile.left..tile.right].iter().for_each(|edge| sums.add(*edge, *edge));
        }
        sums.spread_of_usual() >= STRUCTURE_MIN
    };
    (0..TILES.0 * TILES.1).map(tile).filter(has_structure).collect()
}

/// How alike a tile of the usual view is to what lies a shift away now, -1 to 1; `None` where too little of that is in
/// the picture.
fn likeness(
    (columns, rows): (usize, usize),
    usual: &[f32],
    edges: &[f32],
    tile: &Tile,
    (right, down): (isize, isize),
) -> Option<f32> {
    // The outermost cells have no edges.
    let within = |from: usize, until: usize, by: isize, side: usize| {
        let first = (from as isize).max(1 - by).max(1);
        let end = (until as isize).min(side as isize - 1 - by).min(side as isize - 1);
        (first as usize)..(end.max(first) as usize)
    };
    let across = within(tile.left, tile.right, right, columns);
    let along = within(tile.top, tile.bottom, down, rows);
    let cells = (tile.right - tile.left) * (tile.bottom - tile.top);
    if 2 * across.len() * along.len() < cells {
        return None;
    }
    let mut sums = Sums::default();
    for y in along {
        let there = y.checked_add_signed(down)? * columns + across.start.checked_add_signed(right)?;
        let now = &edges[there..][..across.len()];
        usual[y * columns..][across.clone()].iter().zip(now).for_each(|(usual, now)| sums.add(*usual, *now));
    }
    Some(sums.correlation())
}

/// For a correlation.
#[derive(Default)]
struct Sums {
    count: f32,
    a: f32,
    b: f32,
    aa: f32,
    bb: f32,
    ab: f32,
}

impl Sums {
    fn add(&mut self, a: f32, b: f32) {
        self.count += 1.0;
        (self.a, self.b) = (self.a + a, self.b + b);
        (self.aa, self.bb, self.ab) = (self.aa + a * a, self.bb + b * b, self.ab + a * b);
    }

    fn spread_of_usual(&self) -> f32 {
        let count = self.count.max(1.0);
        (self.aa / count - (self.a / count).powi(2)).max(0.0).sqrt()
    }

    /// None where one of both is flat.
    fn correlation(&self) -> f32 {
        let count = self.count.max(1.0);
        let (a, b) = (self.a / count, self.b / count);
        let (of_a, of_b) = ((self.aa / count - a * a).max(0.0), (self.bb / count - b * b).max(0.0));
        if of_a * of_b < 1e-6 { 0.0 } else { (self.ab / count - a * b) / (of_a * of_b).sqrt() }
    }
}
