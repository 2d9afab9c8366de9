//! What is kept of people who walk by: where their feet were, how tall their boxes, and how far they came in a second.
//!
//! No time of day, no number, no track: a walk is a short row of numbers that goes into one fit and is then dropped.

use std::collections::BTreeMap;

use outis_record::Class;

use crate::{ImageBox, ImagePoint, MediaTime, TrackId, TrackPoint};

/// The most walks that are kept; what comes after replaces the oldest.
pub(super) const WALKS_MAX: usize = 256;

/// The most samples of a walk; a longer one is thinned.
const SAMPLES_MAX: usize = 12;

/// The most people whose walk is being gathered at once.
const OPEN_MAX: usize = 256;

/// Between two samples of a walk, in seconds: a foot's error is small against what a walker covers in it.
const SAMPLE_S: f32 = 1.0;

/// A person not seen for this long, in seconds, has left; that is as long as a track lives.
const GONE_S: f32 = 3.0;

/// Who has come less far than this, in box heights, does not walk: sitting people and things that look like people
/// stay where they are.
const WALKED_MIN_HEIGHTS: f32 = 1.0;

/// A step shorter than this in a second, in box heights, is no walking.
const STEP_MIN_HEIGHTS: f32 = 0.2;

/// A box nearer to the border of the picture than this, as a share of the picture's side, may be cut off.
const BORDER_SHARE: f32 = 0.01;

/// A box of which a nearer one covers more than this share may hide its feet.
const COVERED_MAX: f32 = 0.05;

/// Height over width of people who stand and are wholly seen. Arms and strides make them wide, nothing makes them
/// slimmer than five to one.
const UPRIGHT: std::ops::RangeInclusive<f32> = 1.5..=5.0;

/// One look at a walker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) foot: ImagePoint,
    pub(super) height_px: f32,
    /// Seconds since the sample before; infinite for the first and after a gap.
    pub(super) after_s: f32,
}

/// One person's way through the picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Walk {
    pub(super) samples: Vec<Sample>,
}

impl Walk {
    /// Samples that followed each other, and between which somebody walked.
    pub(super) fn steps(&self) -> impl Iterator<Item = [Sample; 2]> + '_ {
        self.samples.array_windows::<2>().copied().filter(|[from, to]| {
            let way_px = (to.foot.x_px - from.foot.x_px).hypot(to.foot.y_px - from.foot.y_px);
            let least_px = STEP_MIN_HEIGHTS * to.after_s * from.height_px.min(to.height_px);
            to.after_s.is_finite() && way_px >= least_px
        })
    }

    fn walked(&self) -> bool {
        let Some(first) = self.samples.first() else { return false };
        self.samples.iter().any(|sample| {
            let way_px = (sample.foot.x_px - first.foot.x_px).hypot(sample.foot.y_px - first.foot.y_px);
            way_px >= WALKED_MIN_HEIGHTS * first.height_px
        })
    }

    /// Drops every other sample; what was two steps is one.
    fn thin(&mut self) {
        let mut kept: Vec<Sample> = Vec::with_capacity(self.samples.len() / 2 + 1);
        for (index, sample) in self.samples.iter().enumerate().step_by(2) {
            let between_s = if index > 0 { self.samples[index - 1].after_s } else { f32::INFINITY };
            kept.push(Sample { after_s: sample.after_s + between_s, ..*sample });
        }
        self.samples = kept;
    }
}

#[derive(Debug)]
struct Open {
    walk: Walk,
    stride_s: f32,
    sampled: MediaTime,
    last: MediaTime,
}

/// Gathers walks.
#[derive(Debug, Default)]
pub(super) struct Gather {
    open: BTreeMap<TrackId, Open>,
    walks: std::collections::VecDeque<Walk>,
}

impl Gather {
    /// Takes everybody and everything at one look.
    pub(super) fn look(&mut self, points: &[TrackPoint], (width_px, height_px): (f32, f32)) {
        let Some(at) = points.first().map(|point| point.at) else { return };
        for (index, point) in points.iter().enumerate() {
            let whole = point.seen
                && point.class == Class::Person
                && is_upright(&point.bbox)
                && !is_cut(&point.bbox, width_px, height_px)
                && !points
                    .iter()
                    .enumerate()
                    .any(|(other, nearer)| other != index && covers(&nearer.bbox, &point.bbox));
            if whole {
                self.sample(at, point);
            }
        }
        let gone = self.open.extract_if(.., |_, open| at.seconds_since(open.last) > GONE_S);
        let walks: Vec<Walk> = gone.map(|(_, open)| open.walk).collect();
        walks.into_iter().for_each(|walk| self.keep(walk));
    }

    fn sample(&mut self, at: MediaTime, point: &TrackPoint) {
        if !self.open.contains_key(&point.track) && self.open.len() >= OPEN_MAX {
            return;
        }
        let open = self.open.entry(point.track).or_insert_with(|| Open {
            walk: Walk::default(),
            stride_s: SAMPLE_S,
            sampled: at.plus_seconds(-2.0 * SAMPLE_S),
            last: at,
        });
        open.last = at;
        let since_s = at.seconds_since(open.sampled);
        // Half a look early rather than half a look late.
        if since_s < open.stride_s - 0.05 {
            return;
        }
        let broken = open.walk.samples.is_empty() || since_s > 2.0 * open.stride_s;
        open.walk.samples.push(Sample {
            foot: point.bbox.foot(),
            height_px: point.bbox.height,
            after_s: if broken { f32::INFINITY } else { since_s },
        });
        open.sampled = at;
        if open.walk.samples.len() > SAMPLES_MAX {
            open.walk.thin();
            open.stride_s *= 2.0;
        }
    }

    fn keep(&mut self, walk: Walk) {
        if walk.samples.len() >= 2 && walk.walked() {
            self.walks.push_back(walk);
            if self.walks.len() > WALKS_MAX {
                self.walks.pop_front();
            }
        }
    }

    /// How many people have walked by.
    pub(super) fn len(&self) -> usize {
        self.walks.len()
    }

    /// All walks, those that still go on included; what was gathered is forgotten.
    pub(super) fn take(&mut self) -> Vec<Walk> {
        let open = std::mem::take(&mut self.open);
        open.into_values().for_each(|open| self.keep(open.walk));
        std::mem::take(&mut self.walks).into()
    }
}

fn is_upright(bbox: &ImageBox) -> bool {
    bbox.width > 0.0 && UPRIGHT.contains(&(bbox.height / bbox.width))
}

fn is_cut(bbox: &ImageBox, width_px: f32, height_px: f32) -> bool {
    let (across, down) = (BORDER_SHARE * width_px, BORDER_SHARE * height_px);
    bbox.left < across
        || bbox.top < down
        || bbox.right() > width_px - across
        || bbox.bottom() > height_px - down
}

/// Whether a box that stands nearer hides a part of another.
fn covers(nearer: &ImageBox, bbox: &ImageBox) -> bool {
    nearer.bottom() > bbox.bottom() && nearer.intersection(bbox) > COVERED_MAX * bbox.area()
}
