//! What is worth a look, and how much. Knows boxes and values; not how they are paid for.

use outis_measure::{ImageBox, ImagePoint, Line, MediaTime, Prediction, Zone};

use super::changes::Changes;
use super::heights::Heights;
use super::view::PlanSettings;

/// An area that should be seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Want {
    pub(super) bbox: ImageBox,
    /// Pixels of the input for one of the picture.
    pub(super) scale: f32,
    /// What a look is worth, more or less: the greatest come first.
    pub(super) value: f32,
    pub(super) why: Why,
}

/// Why an area should be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Followed,
    Changed,
    Stale,
}

/// Who is near a line or a zone's edge, in body heights, may be counted any moment.
const NEAR_BORDER_HEIGHTS: f32 = 1.0;
/// A track is in motion when more than this share of the blocks around it has changed.
const MOVING_SHARE: f32 = 0.04;
/// The size of a person whom nobody has seen yet, as a share of the picture's height.
const HEIGHT_SHARE_START: f32 = 0.07;
/// People are so much slimmer than tall.
const WIDTH_SHARE: f32 = 0.45;
/// The least of an expected person that a change must fill; smaller ones are birds and leaves.
const CHANGE_SHARE_MIN: f32 = 0.06;
/// Centres of sweeping crops lie on a lattice of this step, in pixels.
const SWEEP_STEP_PX: f32 = 96.0;
/// In noise, people are found only with more around them: so many heights more when the noise is twice the usual.
/// Measured on the composed streets b and c, with noise: of people up to 32 pixels, 74 to 80 % are found instead of 65 to
/// 77 %, and the count error is 5.2 to 7.4 % instead of 7.2 to 9.2 %. Twice as much helps NanoDet-g and harms YOLOX-nano.
const NOISE_MARGIN: f32 = 0.1;
/// Where nothing moves, blocks of a camera by day change by no more than this, of 255.
const NOISE_USUAL: f32 = 1.0;
/// In the dark people are shown taller by this share. Measured with a fifth of the light on the composed streets b and c: of
/// all people NanoDet-g finds 81 to 84 % instead of 74 to 75 %, YOLOX-nano 84 to 86 % instead of 83 to 84 %, and the count
/// error is 5.3 to 7.4 % instead of 7.1 to 14.6 %. By day it helps the one and harms the other. Brighter crops help neither.
const DARK_TALLER: f32 = 0.2;
/// What was looked at less than this ago needs no sweep, in seconds.
const SWEEP_AGE_MIN_S: f32 = 3.0;
/// A place that nobody has looked at yet counts as not seen for so long, in seconds.
pub(super) const NEVER_S: f32 = 60.0;

/// What the wants are made from.
pub(super) struct Situation<'a> {
    pub(super) settings: &'a PlanSettings,
    pub(super) picture_px: (u32, u32),
    pub(super) at: MediaTime,
    pub(super) changes: &'a Changes,
    /// From 0 to 1.
    pub(super) darkness: f32,
    pub(super) heights: &'a Heights,
    pub(super) lines: &'a [Line],
    pub(super) zones: &'a [Zone],
}

impl Situation<'_> {
    /// Expected height of a person around a place, in pixels.
    pub(super) fn height_px(&self, place: ImagePoint) -> f32 {
        self.heights.at(place).unwrap_or(HEIGHT_SHARE_START * self.picture_px.1 as f32)
    }

    /// What is followed and may have moved, is not sure yet, or was not seen for a while.
    pub(super) fn followed(&self, predictions: &[Prediction]) -> Vec<Want> {
        let PlanSettings { recheck_s, .. } = *self.settings;
        let mut wants = Vec::new();
        for prediction in predictions {
            let height = prediction.bbox.height.max(1.0);
            let around = grown(&prediction.bbox, 0.15 * height, 0.1 * height);
            let age_s = self.changes.age_s(&prediction.bbox, self.at, NEVER_S);
            let moving = self.changes.changed_share(&around) > MOVING_SHARE;
            let unsure = !prediction.lasting || prediction.unseen_s > 0.05;
            if !moving && !unsure && age_s < recheck_s {
                continue;
            }
            let near = if self.is_near_border(prediction.bbox.foot(), height) { 1.0 } else { 0.0 };
            let base = if unsure {
                3.0
            } else if moving {
                2.0
            } else {
                1.0
            };
            // Who was left out last time comes first this time.
            wants.push(Want {
                bbox: self.around(&prediction.bbox, prediction.spread_px),
                scale: self.scale(height, self.settings.height_px),
                value: base + near + 4.0 * age_s.min(2.0),
                why: Why::Followed,
            });
        }
        wants
    }

    /// What has changed where nobody is followed.
    pub(super) fn changed(&self, followed: &[Want]) -> Vec<Want> {
        let is_followed = |x: f32, y: f32| {
            followed.iter().any(|want| {
                (want.bbox.left..want.bbox.right()).contains(&x)
                    && (want.bbox.top..want.bbox.bottom()).contains(&y)
            })
        };
        let clusters = self.changes.clusters(is_followed);
        let want = |cluster: ImageBox| {
            let expected = self.height_px(cluster.center());
            if cluster.area() < CHANGE_SHARE_MIN * WIDTH_SHARE * expected * expected {
                return None;
            }
            // A part of a person moves, or several people do: at least one whole person is looked at.
            let taller = (expected - cluster.height).max(0.0) / 2.0;
            let wider = (WIDTH_SHARE * expected - cluster.width).max(0.0) / 2.0;
            let fill = (cluster.area() / (WIDTH_SHARE * expected * expected)).min(1.0);
            let age_s = self.changes.age_s(&cluster, self.at, 2.0);
            Some(Want {
                bbox: self.around(&grown(&cluster, wider, taller), 0.0),
                scale: self.scale(expected, self.settings.height_px),
                value: 1.0 + 1.5 * fill + 2.0 * age_s,
                why: Why::Changed,
            })
        };
        clusters.into_iter().filter_map(want).collect()
    }

    /// Places that were not looked at for long, the longest first; they may overlap.
    pub(super) fn stale(&self) -> Vec<Want> {
        let (width, height) = (self.picture_px.0 as f32, self.picture_px.1 as f32);
        let steps = |side: f32| (side / SWEEP_STEP_PX).ceil().max(1.0) as u16;
        let ages = self.changes.ages(self.at, NEVER_S);
        let mut wants = Vec::new();
        for row in 0..steps(height) {
            for column in 0..steps(width) {
                let center = ImagePoint::new(
                    (f32::from(column) + 0.5) * SWEEP_STEP_PX,
                    (f32::from(row) + 0.5) * SWEEP_STEP_PX,
                );
                let scale = self.scale(self.height_px(center), self.settings.sweep_height_px);
                let side = self.settings.sweep_px / scale;
                let left = (center.x_px - side / 2.0).clamp(0.0, (width - side).max(0.0));
                let top = (center.y_px - side / 2.0).clamp(0.0, (height - side).max(0.0));
                let bbox = ImageBox::from_left_top_width_height(left, top, side, side);
                let age_s = ages.mean_s(&bbox);
                if age_s > SWEEP_AGE_MIN_S {
                    let near = if self.is_near_border(center, side / 2.0) { 1.5 } else { 1.0 };
                    wants.push(Want { bbox, scale, value: near * age_s / NEVER_S, why: Why::Stale });
                }
            }
        }
        wants
    }

    fn is_near_border(&self, foot: ImagePoint, height: f32) -> bool {
        let near = NEAR_BORDER_HEIGHTS * height;
        let line = |line: &Line| {
            let along = line.along_px(foot);
            line.distance_px(foot).abs() < near && (-near..line.length_px() + near).contains(&along)
        };
        self.lines.iter().any(line) || self.zones.iter().any(|zone| zone.depth_px(foot) > -near)
    }

    /// Room for the whole person and something around, which tells the network what it is.
    fn around(&self, bbox: &ImageBox, spread_px: f32) -> ImageBox {
        let noisy = ((self.changes.noise() - NOISE_USUAL) / NOISE_USUAL).clamp(0.0, 1.0);
        let margin = (self.settings.margin + NOISE_MARGIN * noisy) * bbox.height + spread_px;
        grown(bbox, margin, margin)
    }

    /// At which scale a person of this height comes out `wanted_px` tall, or taller in the dark.
    fn scale(&self, height: f32, wanted_px: f32) -> f32 {
        let wanted_px = wanted_px * (1.0 + DARK_TALLER * self.darkness);
        (wanted_px / height.max(1.0)).clamp(self.settings.scale_min, self.settings.scale_max)
    }
}

pub(super) fn grown(bbox: &ImageBox, across: f32, down: f32) -> ImageBox {
    ImageBox::from_left_top_right_bottom(
        bbox.left - across,
        bbox.top - down,
        bbox.right() + across,
        bbox.bottom() + down,
    )
}
