//! One camera's view: what is known of it, and what a look at it is spent on. Puts the parts of the plan in a row.

use outis_measure::{
    Detection, ImageBox, Line, MediaTime, Prediction, Score, Tracker, TrackerSettings, Zone,
};
use outis_record::Class;

use super::Look;
use super::budget::{Bucket, Budget};
use super::changes::Changes;
use super::darkness::darkness;
use super::heights::Heights;
use super::pack::{Crop, pack};
use super::steady::Steady;
use super::wants::{Situation, Want, Why, grown};
use crate::Frame;
use crate::detect::{Area, Chroma, Detect, DetectError, InputSize, Sheet, Thresholds};
use crate::scale::Thumbnail;

/// What the planner assumes about network and street.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanSettings {
    /// What may be spent.
    pub budget: Budget,
    /// People are shown so tall to the network, in pixels of its input.
    pub height_px: f32,
    /// The same where nobody is known to be.
    pub sweep_height_px: f32,
    /// Side of a sweeping crop, in pixels of the input: three of them lie side by side on an input of 416.
    pub sweep_px: f32,
    /// Room around a person in a crop, in heights.
    pub margin: f32,
    /// Somebody who stands still is looked at again after this time, in seconds.
    pub recheck_s: f32,
    /// Least and greatest scale of a crop.
    pub scale_min: f32,
    /// Enlarging beyond this shows nothing more.
    pub scale_max: f32,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            height_px: 44.0,
            sweep_height_px: 40.0,
            sweep_px: 133.0,
            margin: 0.15,
            recheck_s: 1.0,
            scale_min: 0.2,
            scale_max: 1.6,
        }
    }
}

/// What a pixel of the input costs before any was paid for, in nanoseconds: the slower of the known networks.
const NS_PER_PX_START: f32 = 300.0;
/// How fast the cost follows what is measured, as a share a look.
const COST_SHARE: f32 = 0.1;
/// What is found is not repeated longer than this without a look at it, in seconds.
const KEPT_MAX_S: f32 = 2.5;
/// What was found is superseded when this share of it has been looked at again.
const SEEN_AGAIN_SHARE: f32 = 0.95;
/// What was found may still be there while no more than this share of its blocks has changed.
const CHANGED_SHARE_MAX: f32 = 0.06;
/// A box that overlaps a newer one by more than this is the same object.
const SAME_IOU: f32 = 0.4;
/// A piece of somebody lies to this share in the box of the whole, and is smaller than this share of it.
const PIECE_SHARE: f32 = 0.8;
const PIECE_SIZE_MAX: f32 = 0.6;
/// Crops become one when that costs no more than this many times what they cost apart.
const MERGE_COST: f32 = 1.05;
/// Crops whose scales differ by more than this factor stay apart.
const MERGE_SCALES: f32 = 1.6;
/// The most crops of one look.
const CROPS_MAX: usize = 256;
/// Packing leaves about this share of the inputs empty.
const PACKING_LOSS: f32 = 1.2;

pub(super) struct View {
    picture_px: (u32, u32),
    input: InputSize,
    settings: PlanSettings,
    thresholds: Thresholds,
    thumbnail: Thumbnail,
    /// Mean brightness: what lies between the crops must be neither brighter nor darker than the view, or the network
    /// sees nothing but the frame around each.
    ground: u8,
    steady: Steady,
    /// From here on everything is in the coordinates of the still view.
    changes: Changes,
    heights: Heights,
    tracker: Tracker,
    kept: Vec<Kept>,
    bucket: Bucket,
    ns_per_px: f32,
}

/// Something that was found and need not be found again while nothing moves there.
#[derive(Debug, Clone, Copy)]
struct Kept {
    detection: Detection,
    at: MediaTime,
}

impl View {
    pub(super) fn new(
        picture_px: (u32, u32),
        input: InputSize,
        settings: PlanSettings,
        thresholds: Thresholds,
        blanks: Vec<Zone>,
    ) -> Self {
        let tracker = TrackerSettings {
            score_new: thresholds.score_new.get(),
            score_min: thresholds.score_min.get(),
            ..TrackerSettings::default()
        };
        Self {
            picture_px,
            input,
            settings,
            thresholds,
            thumbnail: Thumbnail::default(),
            ground: 128,
            steady: Steady::default(),
            changes: Changes::new(blanks),
            heights: Heights::new(picture_px),
            tracker: Tracker::new(tracker),
            kept: Vec::new(),
            bucket: Bucket::new(settings.budget),
            ns_per_px: NS_PER_PX_START,
        }
    }

    pub(super) fn picture_px(&self) -> (u32, u32) {
        self.picture_px
    }

    pub(super) fn look(
        &mut self,
        detector: &mut dyn Detect,
        frame: Frame,
        floor: Score,
        lines: &[Line],
        zones: &[Zone],
    ) -> Result<Look, DetectError> {
        let at = frame.at();
        let size = Thumbnail::size(self.picture_px);
        // A frame that cannot be scaled is told by the detector.
        if let Some(blocks) = self.thumbnail.blocks(&frame) {
            self.steady.observe(size, blocks);
            self.steady.refine(|shift_px, still| self.thumbnail.shifted(&frame, shift_px, still));
            if self.changes.observe(size, self.steady.still(), self.steady.unsure()) {
                self.kept.clear();
            }
            self.ground = self.changes.mean(self.steady.still());
        }
        let whole = Area { left: 0, top: 0, width: self.picture_px.0, height: self.picture_px.1 };
        let whole_px = Sheet::of(whole, self.input).map_or(0, |sheet| sheet.pixels());
        self.bucket.fill(at, whole_px, self.ns_per_px);
        let predictions = self.tracker.predictions(at);
        let darkness = darkness(self.ground, frame.color().range);
        let mut sheets = self.plan(&predictions, at, darkness, lines, zones);
        for sheet in &mut sheets {
            sheet.ground = Some(self.ground);
            sheet.chroma = Chroma::Faint;
        }
        let areas: Vec<Area> =
            sheets.iter().flat_map(|sheet| sheet.parts.iter().map(|part| part.source)).collect();
        let before = detector.spent();
        let fresh = if sheets.is_empty() { Vec::new() } else { detector.look(frame, &sheets, floor)? };
        let spent = detector.spent();
        self.pay(spent.pixels - before.pixels, (spent.network - before.network).as_secs_f32());
        Ok(self.learn(at, fresh, &areas, &predictions))
    }

    /// Takes it that all is where it was.
    pub(super) fn stay(&mut self, at: MediaTime, detections: &[Detection]) {
        self.tracker.look(at, detections);
        // As after every look.
        self.tracker.take_points();
    }

    fn pay(&mut self, pixels: u64, seconds: f32) {
        self.bucket.spend(pixels);
        if pixels > 0 && seconds > 0.0 {
            self.ns_per_px += COST_SHARE * (1e9 * seconds / pixels as f32 - self.ns_per_px);
        }
    }

    /// The sheets of this look: what is worth most, as far as the budget goes.
    fn plan(
        &mut self,
        predictions: &[Prediction],
        at: MediaTime,
        darkness: f32,
        lines: &[Line],
        zones: &[Zone],
    ) -> Vec<Sheet> {
        let situation = Situation {
            settings: &self.settings,
            picture_px: self.picture_px,
            at,
            changes: &self.changes,
            darkness,
            heights: &self.heights,
            lines,
            zones,
        };
        let mut wants = situation.followed(predictions);
        let changed = situation.changed(&wants);
        wants.extend(changed);
        wants.extend(situation.stale());
        wants.sort_by(|a, b| {
            (a.why == Why::Stale).cmp(&(b.why == Why::Stale)).then(b.value.total_cmp(&a.value))
        });

        let left_px = self.bucket.left_px();
        // Sweeping may use up what comes in, but leaves what is saved for a rush.
        let sweep_px = if predictions.is_empty() { left_px } else { left_px.min(self.bucket.per_look_px()) };
        let mut crops: Vec<Crop> = Vec::new();
        let mut cost_px = 0.0;
        for want in &wants {
            let in_frame = self.steady.to_frame(&want.bbox);
            let Some(source) = Area::around(&in_frame, self.picture_px) else { continue };
            let most = if want.why == Why::Stale { sweep_px } else { left_px };
            let crop = Crop { source, scale: want.scale };
            let price = self.price(&crop);
            if crops.len() >= CROPS_MAX || cost_px + price > most {
                continue;
            }
            if is_shown(&crops, &Want { bbox: in_frame, ..*want }) {
                continue;
            }
            cost_px += price;
            crops.push(crop);
        }
        merge(&mut crops, self.input);
        // Packing is never as tight as it was hoped: the least worth goes until it fits.
        loop {
            let sheets = pack(&crops, self.input);
            let pixels: u64 = sheets.iter().map(Sheet::pixels).sum();
            if crops.is_empty() || pixels as f32 <= left_px.max(0.0) {
                return sheets;
            }
            let excess = (pixels as f32 - left_px) / pixels as f32;
            let drop = ((excess * crops.len() as f32) as usize).clamp(1, crops.len());
            crops.truncate(crops.len() - drop);
        }
    }

    fn price(&self, crop: &Crop) -> f32 {
        let (width, height) = crop.size(self.input);
        PACKING_LOSS * (width * height) as f32
    }

    /// What is in the view now, and what follows from it.
    fn learn(
        &mut self,
        at: MediaTime,
        fresh: Vec<Detection>,
        areas: &[Area],
        predictions: &[Prediction],
    ) -> Look {
        let steady = &self.steady;
        let areas: Vec<ImageBox> = areas.iter().map(|area| steady.to_view(&area.to_box())).collect();
        let seen_again = |bbox: &ImageBox| {
            areas.iter().any(|area| area.intersection(bbox) > SEEN_AGAIN_SHARE * bbox.area())
        };
        let thresholds = self.thresholds;
        let in_view = |found: &Detection| Detection {
            bbox: steady.to_view(&found.bbox),
            score: judged(found.score, thresholds),
            ..*found
        };
        let fresh: Vec<Detection> = fresh.iter().map(in_view).collect();
        let changes = &self.changes;
        let before: Vec<Detection> = self.kept.iter().map(|kept| kept.detection).collect();
        self.kept.retain(|kept| {
            let bbox = &kept.detection.bbox;
            at.seconds_since(kept.at) <= KEPT_MAX_S
                && !seen_again(bbox)
                && changes.changed_share(bbox) <= CHANGED_SHARE_MAX
                && !fresh.iter().any(|new| new.bbox.iou(bbox) > SAME_IOU)
        });
        // A piece at the border of a crop of somebody who was found whole before is nobody new.
        let fresh: Vec<Detection> =
            fresh.into_iter().filter(|new| !self.kept.iter().any(|kept| is_piece(new, kept))).collect();
        let mut detections = fresh.clone();
        detections.extend(self.kept.iter().map(|kept| kept.detection));
        let boxes: Vec<ImageBox> = detections.iter().map(|detection| detection.bbox).collect();
        self.changes.looked_at(&areas, at, self.steady.still(), &boxes);
        for found in fresh.iter().filter(|d| d.class == Class::Person && d.score >= self.thresholds.score_new)
        {
            self.heights.learn(&found.bbox);
        }
        self.kept.extend(fresh.into_iter().map(|detection| Kept { detection, at }));
        self.tracker.look(at, &detections);
        // Only where tracks are matters here, not their final positions.
        self.tracker.take_points();
        // Who moves and was left out this time is where they were going, for one look: the plan's own tracker is not told,
        // so they are unseen at the next. They are as sure as they were then: a guess must not make anybody doubtful.
        let carried: Vec<Detection> = predictions
            .iter()
            .filter(|p| p.lasting && p.unseen_s <= 0.0 && !seen_again(&p.bbox))
            .filter(|p| !detections.iter().any(|found| is_same(&found.bbox, &p.bbox)))
            .map(|p| {
                let nearest =
                    before.iter().max_by(|a, b| a.bbox.iou(&p.bbox).total_cmp(&b.bbox.iou(&p.bbox)));
                let score = nearest.map_or(self.thresholds.score_min, |found| found.score);
                Detection { bbox: p.bbox, class: p.class, score }
            })
            .collect();
        detections.extend(carried);
        Look { detections, sway_px: self.steady.shift_px(), observed_share: self.changes.known_share() }
    }
}

/// The score that counts: who is shown at the best height is sure at a lower one.
fn judged(score: Score, thresholds: Thresholds) -> Score {
    let is_sure = (thresholds.score_new_close..thresholds.score_new).contains(&score);
    if is_sure { thresholds.score_new } else { score }
}

/// Whether a box may be the same object's as another one, or one a piece of the other.
fn is_same(a: &ImageBox, b: &ImageBox) -> bool {
    a.iou(b) > SAME_IOU || a.intersection(b) > PIECE_SHARE * a.area().min(b.area())
}

/// Whether a new box lies in one that was found before and is much smaller.
fn is_piece(new: &Detection, kept: &Kept) -> bool {
    let whole = &kept.detection;
    new.class == whole.class
        && new.bbox.area() < PIECE_SIZE_MAX * whole.bbox.area()
        && new.bbox.intersection(&whole.bbox) > PIECE_SHARE * new.bbox.area()
}

/// Whether an area is shown already, as large or larger.
fn is_shown(crops: &[Crop], want: &Want) -> bool {
    let needed = match want.why {
        Why::Stale => 0.5,
        Why::Followed | Why::Changed => 0.95,
    };
    crops.iter().any(|crop| {
        crop.scale * 1.25 >= want.scale
            && crop.source.to_box().intersection(&want.bbox) >= needed * want.bbox.area()
    })
}

/// Makes one crop of two where that costs nothing: people who walk together are seen together.
fn merge(crops: &mut Vec<Crop>, input: InputSize) {
    let cost = |crop: &Crop| {
        let (width, height) = crop.size(input);
        (width * height) as f32
    };
    let (most_width, most_height) = input.largest_px();
    let mut index = 0;
    while index < crops.len() {
        let crop = crops[index];
        let near = grown(&crop.source.to_box(), 1.0, 1.0);
        let partner = (0..index).find_map(|other| {
            let first = crops[other];
            let scale = first.scale.max(crop.scale);
            if scale > MERGE_SCALES * first.scale.min(crop.scale)
                || near.intersection(&first.source.to_box()) <= 0.0
            {
                return None;
            }
            let source = united(&first.source, &crop.source);
            let both = Crop { source, scale };
            let fits = source.width as f32 * scale <= most_width as f32
                && source.height as f32 * scale <= most_height as f32;
            (fits && cost(&both) <= MERGE_COST * (cost(&first) + cost(&crop))).then_some((other, both))
        });
        match partner {
            Some((other, both)) => {
                crops[other] = both;
                crops.remove(index);
                // The larger one may now meet others.
                index = other;
            }
            None => index += 1,
        }
    }
}

fn united(a: &Area, b: &Area) -> Area {
    let (left, top) = (a.left.min(b.left), a.top.min(b.top));
    let (right, bottom) = (a.right().max(b.right()), a.bottom().max(b.bottom()));
    Area { left, top, width: right - left, height: bottom - top }
}
