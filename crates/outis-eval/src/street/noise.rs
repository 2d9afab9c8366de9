//! What a detector makes of the true boxes: misses in bursts, jitter, scores, boxes of nothing.
//! Rates are set in seconds, so that a street looks alike at every frame rate.

use std::collections::BTreeMap;

use outis_measure::{Detection, ImageBox, MediaTime, Score};
use outis_record::Class;

use super::camera::PICTURE_PX;
use super::world::{Presence, World, clipped};
use crate::random::Random;

/// Rates below are those of this clock.
const REFERENCE_FPS: f64 = 25.0;
/// Chance that a burst of misses starts in a frame, for somebody in full view.
const MISS_START: f64 = 0.01;
/// What is added to it for each share of the person hidden beyond the share that does not matter.
const MISS_START_HIDDEN: f64 = 0.08;
/// Visible share from which a person is found as easily as in full view.
const VISIBLE_ENOUGH: f64 = 0.7;
/// Less than this visible share is never found.
const VISIBLE_MIN: f32 = 0.25;
/// Boxes of nothing in a frame.
const FALSE_PER_FRAME: f64 = 0.6;
/// Size of a box of nothing, in pixels.
const FALSE_SIZE_PX: (f32, f32) = (60.0, 150.0);
/// Scores of boxes of nothing.
const FALSE_SCORE: (f64, f64) = (0.3, 0.75);

/// How bad the detector is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Standard deviation of each side, new in every frame, as a share of the box's width or height.
    pub white_share: f64,
    /// Standard deviation of a slow error of each side, as a share of the width or height.
    pub drift_share: f64,
    /// Time after which the slow error has lost 63 % of its memory.
    pub drift_memory_s: f64,
    /// Mean length of a burst of misses.
    pub miss_mean_s: f64,
    /// Boxes of nothing in a frame.
    pub false_per_frame: f64,
}

impl Noise {
    /// 3 % white jitter, bursts of eight frames at 25 fps.
    pub fn field() -> Self {
        Self {
            white_share: 0.03,
            drift_share: 0.0,
            drift_memory_s: 0.8,
            miss_mean_s: 8.0 / REFERENCE_FPS,
            false_per_frame: FALSE_PER_FRAME,
        }
    }

    /// 2 % white jitter and 2 % slow drift: nearer to what real detectors do.
    pub fn drift() -> Self {
        Self { white_share: 0.02, drift_share: 0.02, ..Self::field() }
    }

    /// The same with white jitter and drift scaled.
    pub fn with_jitter_scaled(self, scale: f64) -> Self {
        Self { white_share: self.white_share * scale, drift_share: self.drift_share * scale, ..self }
    }
}

/// What the detector says about one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectedFrame {
    /// Number of the frame, from 1, on the clock of the simulated camera.
    pub frame: u32,
    /// Its time.
    pub at: MediaTime,
    /// The boxes found.
    pub detections: Vec<Detection>,
    /// Whose box each is, `None` for a box of nothing. For diagnosis: no counter may look at it.
    pub persons: Vec<Option<u32>>,
}

/// Every frame of a world as a noisy detector sees it.
pub fn detect(world: &World, noise: &Noise, seed: u64) -> Vec<DetectedFrame> {
    let mut eyes: BTreeMap<u32, Sight> = BTreeMap::new();
    let mut nothing = Random::named(seed, u64::MAX);
    let mut frames = Vec::with_capacity(world.frames.len());
    for (index, presences) in world.frames.iter().enumerate() {
        let at = MediaTime::from_seconds(index as f64 / world.fps);
        let mut frame = DetectedFrame {
            frame: u32::try_from(index + 1).unwrap_or(u32::MAX),
            at,
            detections: Vec::new(),
            persons: Vec::new(),
        };
        for presence in presences {
            let sight = eyes.entry(presence.person).or_insert_with(|| Sight::new(seed, presence.person));
            if let Some(detection) = sight.look(presence, noise, world.fps) {
                frame.detections.push(detection);
                frame.persons.push(Some(presence.person));
            }
        }
        for _ in 0..nothing.poisson(noise.false_per_frame) {
            frame.detections.push(box_of_nothing(&mut nothing));
            frame.persons.push(None);
        }
        frames.push(frame);
    }
    frames
}

/// What the detector's errors about one person remember from frame to frame.
struct Sight {
    random: Random,
    missing: bool,
    // Slow error of left, top, right, bottom in standard deviations.
    drift: [f64; 4],
}

impl Sight {
    fn new(seed: u64, person: u32) -> Self {
        let mut random = Random::named(seed, person.into());
        let drift = [(); 4].map(|()| random.normal());
        Self { random, missing: false, drift }
    }

    /// Draws the same number of random numbers whatever happens, so that a person's errors do not depend on
    /// settings that do not concern them.
    fn look(&mut self, presence: &Presence, noise: &Noise, fps: f64) -> Option<Detection> {
        let visible = f64::from(presence.visible_share);
        let jitter = self.jitter(noise, fps);
        let score = 0.55 + 0.4 * visible + 0.1 * self.random.normal();
        let luck = self.random.unit();
        self.missing = if self.missing {
            luck >= 1.0 / (noise.miss_mean_s * fps).max(1.0)
        } else {
            let start = MISS_START + MISS_START_HIDDEN * (VISIBLE_ENOUGH - visible).max(0.0);
            luck < 1.0 - (1.0 - start).powf(REFERENCE_FPS / fps)
        };
        if self.missing || presence.visible_share < VISIBLE_MIN {
            return None;
        }
        let bbox = clipped(jittered(presence.bbox, jitter));
        bbox.is_valid().then(|| Detection { bbox, class: Class::Person, score: Score::new(score as f32) })
    }

    fn jitter(&mut self, noise: &Noise, fps: f64) -> [f64; 4] {
        let kept = (-1.0 / (fps * noise.drift_memory_s)).exp();
        self.drift.each_mut().map(|drift| {
            *drift = kept * *drift + (1.0 - kept * kept).sqrt() * self.random.normal();
            noise.white_share * self.random.normal() + noise.drift_share * *drift
        })
    }
}

fn jittered(bbox: ImageBox, [left, top, right, bottom]: [f64; 4]) -> ImageBox {
    ImageBox::from_left_top_right_bottom(
        bbox.left + left as f32 * bbox.width,
        bbox.top + top as f32 * bbox.height,
        bbox.right() + right as f32 * bbox.width,
        bbox.bottom() + bottom as f32 * bbox.height,
    )
}

fn box_of_nothing(random: &mut Random) -> Detection {
    let (width, height) = FALSE_SIZE_PX;
    let left = random.between(0.0, f64::from(PICTURE_PX.0 - width)) as f32;
    let top = random.between(0.0, f64::from(PICTURE_PX.1 - height)) as f32;
    let score = Score::new(random.between(FALSE_SCORE.0, FALSE_SCORE.1) as f32);
    let bbox = ImageBox::from_left_top_width_height(left, top, width, height);
    Detection { bbox, class: Class::Person, score }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(visible_share: f32, frames: usize, fps: f64) -> World {
        let bbox = ImageBox::from_left_top_width_height(900.0, 400.0, 50.0, 150.0);
        World { fps, frames: vec![vec![Presence { person: 1, bbox, visible_share }]; frames] }
    }

    fn found_share(world: &World, noise: &Noise) -> f64 {
        let frames = detect(world, noise, 1);
        let found = frames.iter().filter(|frame| frame.persons.contains(&Some(1))).count();
        found as f64 / frames.len() as f64
    }

    /// In the long run a two-state chain misses start * length / (1 + start * length), about.
    #[test]
    fn misses_come_as_often_as_they_should() {
        let cases = [
            ("full view", 1.0, 25.0, 1.0 - 8.0 / (8.0 + 1.0 / 0.01)),
            ("full view at another rate", 1.0, 50.0, 0.926),
            ("40 % visible", 0.4, 25.0, 1.0 - 8.0 / (8.0 + 1.0 / 0.034)),
            ("24 % visible", 0.24, 25.0, 0.0),
        ];
        for (name, visible, fps, expected) in cases {
            let share = found_share(&standing(visible, 100_000, fps), &Noise::field());
            assert!((share - expected).abs() < 0.012, "{name}: {share}");
        }
    }

    #[test]
    fn sides_jitter_as_they_should() {
        for (name, noise) in [("field", Noise::field()), ("drift", Noise::drift())] {
            let frames = detect(&standing(1.0, 50_000, 25.0), &noise, 3);
            let errors: Vec<f64> = frames
                .iter()
                .flat_map(|frame| frame.detections.iter().zip(&frame.persons))
                .filter(|(_, person)| person.is_some())
                .map(|(detection, _)| f64::from(detection.bbox.bottom() - 550.0) / 150.0)
                .collect();
            let deviation = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
            let expected = noise.white_share.hypot(noise.drift_share);
            assert!((deviation - expected).abs() < 0.0015, "{name}: {deviation}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_errors_again() {
        let world = standing(1.0, 50, 25.0);
        assert_eq!(detect(&world, &Noise::field(), 5), detect(&world, &Noise::field(), 5));
        assert_ne!(detect(&world, &Noise::field(), 5), detect(&world, &Noise::field(), 6));
    }
}
