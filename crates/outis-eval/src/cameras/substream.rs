//! What a camera's substream saves: the same street watched twice at the same time, once with it and once without.

use std::path::Path;
use std::time::{Duration, Instant};

use outis_measure::{ImageBox, Line};
use outis_record::Class;

use crate::compose::{self, Street, Variant};
use crate::count_error::Report;
use crate::mot::Frames;
use crate::passage;

use super::film;
use super::overheard::{self, Heard};
use super::rig::{Plan, Rig};

pub use super::film::SUBSTREAM_PX;

/// Who has passed is counted a little later. The film is played again meanwhile.
const SETTLED_S: u32 = 1;

/// One camera on one street.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Of the film, what the processor times are of.
    pub video_s: f64,
    /// Processor time of the eye.
    pub eye: Duration,
    /// Processor time of the intake, or of both.
    pub intakes: Duration,
    /// From the film's beginning to its end.
    pub heard: Heard,
    /// What was counted over the lines of the street meanwhile, and what is true.
    pub counts: Report,
}

impl Watched {
    /// Processor milliseconds of a program for each second of video.
    pub fn ms(&self, spent: Duration) -> f64 {
        1e3 * spent.as_secs_f64() / self.video_s
    }

    /// The same of all of the camera's programs.
    pub fn all_ms(&self) -> f64 {
        self.ms(self.eye + self.intakes)
    }

    /// Looks a second.
    pub fn looks_per_s(&self) -> f64 {
        1e3 * f64::from(self.heard.looks) / (self.heard.media_ms as f64).max(1.0)
    }

    /// The share of time that was observed.
    pub fn observed(&self) -> f64 {
        self.heard.observed()
    }
}

/// Two cameras that saw the same at the same time.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The one that was watched as ever.
    pub without: Watched,
    /// The one that was watched with its substream.
    pub with: Watched,
}

impl Pair {
    /// What the substream leaves of the processor time.
    pub fn ratio(&self) -> f64 {
        self.with.all_ms() / self.without.all_ms()
    }
}

/// Watches a street in both ways, from its beginning to its end.
///
/// # Errors
/// When a film cannot be made, or a program is absent or fails.
pub fn measure(
    street: Street,
    model: &str,
    clip: &Path,
    clip_truth: &Frames<(i64, ImageBox)>,
) -> anyhow::Result<Pair> {
    let lines = street.lines()?;
    let composed = compose::prepare(street, Variant::Day, clip)?;
    let (film, small) = (film::prepare(&composed)?, film::again(&film::substream(&composed)?)?);
    // The truth knows people alone.
    let class = Some(Class::Person);
    let plan = Plan { cameras: 1, film: &film, substream: None, model, class, lines: &lines };
    // One server each: a stream that is asked for the first time begins with its first frame.
    let mut without = Rig::start(&plan)?;
    let mut with = Rig::start(&Plan { substream: Some(&small), ..plan })?;
    without.wait_for_looks()?;
    with.wait_for_looks()?;
    let begun = [Spent::by(&without), Spent::by(&with)];
    let film_s = street.frames / compose::FPS + SETTLED_S;
    let segments: Vec<Line> = lines.iter().map(|(_, line)| *line).collect();
    let truth = passage::count(&street.truth(Variant::Day, clip_truth), f64::from(compose::FPS), &segments);
    let watched = |rig: &mut Rig, begun: &Spent| -> anyhow::Result<Watched> {
        let records = rig.wait_for_media(film_s)?;
        let ended = Spent::by(rig);
        let counted = overheard::passages(&records, lines.len())?;
        Ok(Watched {
            video_s: (ended.at - begun.at).as_secs_f64(),
            eye: ended.eye.saturating_sub(begun.eye),
            intakes: ended.intakes.saturating_sub(begun.intakes),
            heard: Heard::of(&records)?,
            counts: Report::of_one_run(&lines, &truth, &counted),
        })
    };
    let pair = Pair { without: watched(&mut without, &begun[0])?, with: watched(&mut with, &begun[1])? };
    without.end()?;
    with.end()?;
    Ok(pair)
}

/// Processor time up to a moment.
struct Spent {
    at: Instant,
    eye: Duration,
    intakes: Duration,
}

impl Spent {
    fn by(rig: &Rig) -> Self {
        let spent = rig.spent();
        let of = |name: &str| spent.get(name).copied().unwrap_or_default();
        Self { at: Instant::now(), eye: of("outis-eye"), intakes: of("outis-intake") }
    }
}
