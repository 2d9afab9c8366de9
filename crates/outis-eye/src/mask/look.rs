//! Looks people in the face: which, how closely, within a budget. Puts the parts in a row.

use std::path::PathBuf;
use std::time::Duration;

use outis_measure::{FaceReading, FaceWanted, ImageBox, MaskSettings, MediaTime, Score, TrackId};

use super::card::{Decoding, MaskCard};
use super::faces::{Face, decode, strongest};
use super::network::Network;
use super::wants::{crop, everywhere, owned};
use crate::Frame;
use crate::detect::{
    Area, DetectError, EngineError, Library, LoadError, Part, Runtime, Sheet, library, thread_time,
};
use crate::plan::pack::{Crop, pack};

/// What judging faces may cost, on average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskBudget {
    /// Milliseconds of processor time for each second of video.
    pub ms_per_s: f32,
}

impl Default for MaskBudget {
    /// A tenth of one processor.
    fn default() -> Self {
        Self { ms_per_s: 100.0 }
    }
}

/// What was not spent may be spent later, up to what is due in this time, in seconds; and a longer pause adds no more.
const SAVED_S: f32 = 1.0;

/// The most people who are looked in the face in one frame.
const PEOPLE_MAX: usize = 8;

/// What one face costs before any was paid for, in milliseconds.
const FACE_MS_START: f32 = 20.0;

/// How fast that follows what is measured, as a share a look.
const COST_SHARE: f32 = 0.1;

/// Which networks to load, and what runs them: one that finds faces and one that judges them, or one that does both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskChoice {
    /// Names on cards, and files.
    pub models: Vec<(String, PathBuf)>,
    /// What runs them.
    pub runtime: Runtime,
}

/// Takes from the disk all that judging masks needs, checked against its cards. Starts no thread.
///
/// # Errors
/// When a file is missing or is not the one on its card, or the networks do not make a whole.
pub fn open(choice: &MaskChoice) -> Result<OpenedMasks, LoadError> {
    let read = |(name, path): &(String, PathBuf)| {
        let card = MaskCard::of(name)?;
        Ok((card, card.read(path)?))
    };
    let models = choice.models.iter().map(read).collect::<Result<Vec<_>, LoadError>>()?;
    let kinds: Vec<Decoding> = models.iter().map(|(card, _)| card.decoding).collect();
    match kinds[..] {
        [Decoding::Rfb] | [Decoding::Centerface, Decoding::MaskClasses] => {}
        _ => {
            let found = choice.models.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            let source = EngineError::Shape {
                what: "part in judging masks".to_owned(),
                expected: "a network that finds faces and one that judges them, or one that does both"
                    .to_owned(),
                found: found.clone(),
            };
            return Err(LoadError::Engine { model: found, source });
        }
    }
    Ok(OpenedMasks { models, library: library(&choice.runtime)? })
}

/// Networks that need nothing more from the disk.
#[expect(missing_debug_implementations, reason = "it is the bytes of networks")]
pub struct OpenedMasks {
    models: Vec<(&'static MaskCard, Vec<u8>)>,
    library: Option<Library>,
}

impl OpenedMasks {
    /// Makes them ready, and lets each look once at an empty picture. Opens nothing.
    ///
    /// # Errors
    /// When a network cannot be run, or has other outputs than its card states.
    pub fn prepare(self, budget: MaskBudget) -> Result<Masks, LoadError> {
        let Self { models, library } = self;
        let mut networks = Vec::new();
        for (card, model) in models {
            let network = Network::load(card, model, library.as_ref());
            networks.push(network.map_err(|source| LoadError::Engine { model: card.name.clone(), source })?);
        }
        let judge = if networks.len() > 1 { networks.pop() } else { None };
        let finder = networks.pop().expect("open has seen to it that there is one");
        let of_finder = |what, value| {
            let failed = |source| LoadError::Engine { model: finder.card.name.clone(), source };
            finder.card.number(what, value).map_err(failed)
        };
        let judging = judge.as_ref().map_or(finder.card, |judge| judge.card);
        let of_judge = |what, value| {
            let failed = |source| LoadError::Engine { model: judging.name.clone(), source };
            judging.number(what, value).map_err(failed)
        };
        Ok(Masks {
            score_min: of_finder("score_min", finder.card.score_min)?,
            side_min_px: of_finder("side_min_px", finder.card.side_min_px)?,
            scale: of_finder("scale", finder.card.scale)?,
            nms_iou: of_finder("nms_iou", finder.card.nms_iou)?,
            settings: MaskSettings {
                with_min: of_judge("with_min", judging.with_min)?,
                without_max: of_judge("without_max", judging.without_max)?,
            },
            grown: judging.grown.unwrap_or(0.0),
            finder,
            judge,
            purse: Purse::new(budget),
        })
    }
}

/// Judges who wears a mask.
#[expect(missing_debug_implementations, reason = "it holds networks")]
pub struct Masks {
    finder: Network,
    judge: Option<Network>,
    score_min: f32,
    side_min_px: f32,
    scale: f32,
    nms_iou: f32,
    grown: f32,
    settings: MaskSettings,
    purse: Purse,
}

impl Masks {
    /// Where a probability becomes a yes or a no.
    pub fn settings(&self) -> MaskSettings {
        self.settings
    }

    /// The lowest score of a face that is judged, and its least side in pixels of the picture.
    pub fn limits(&self) -> (f32, f32) {
        (self.score_min, self.side_min_px)
    }

    /// Looks those in the face who are near and whose vote is open, as far as the budget goes: what it saw of each
    /// it looked at. The frame stays whole; nothing of a face is kept.
    ///
    /// # Errors
    /// When a network fails.
    pub fn look(
        &mut self,
        frame: &Frame,
        people: &[FaceWanted],
    ) -> Result<Vec<(TrackId, Option<FaceReading>)>, DetectError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let most = self.purse.faces(frame.at()).min(PEOPLE_MAX);
        let near = |(index, person): (usize, &FaceWanted)| {
            let crop = crop(&person.bbox, self.side_min_px, self.scale, picture_px)?;
            person.open.then_some((index, crop))
        };
        let mut wanted: Vec<(usize, Crop)> = people.iter().enumerate().filter_map(near).collect();
        // Who was looked at least comes first, then who is nearest.
        wanted.sort_by(|(a, _), (b, _)| {
            let (a, b) = (&people[*a], &people[*b]);
            a.looks.cmp(&b.looks).then(b.bbox.width.total_cmp(&a.bbox.width))
        });
        wanted.truncate(most);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let started = thread_time();
        let crops: Vec<Crop> = wanted.iter().map(|(_, crop)| *crop).collect();
        let seen = self.find(frame, &crops, self.score_min).and_then(|faces| {
            let mut seen: Vec<(TrackId, Option<FaceReading>)> =
                wanted.iter().map(|(person, _)| (people[*person].track, None)).collect();
            for (person, face) in owned(faces, people) {
                let track = people[person].track;
                if let Some((_, reading)) = seen.iter_mut().find(|(wanted, _)| *wanted == track)
                    && face.side_px() >= self.side_min_px
                {
                    let with_mask = self.judge_face(frame, &face)?;
                    *reading = Some(FaceReading {
                        side_px: face.side_px(),
                        score: Score::new(face.score),
                        with_mask,
                    });
                }
            }
            Ok(seen)
        });
        self.wipe();
        self.purse.pay(thread_time().saturating_sub(started), wanted.len());
        seen
    }

    /// Every face of a photograph that is found with `floor` or more, with how likely it wears a mask. For
    /// measurements.
    ///
    /// # Errors
    /// When a network fails.
    pub fn faces(&mut self, frame: &Frame, floor: f32) -> Result<Vec<(Face, f32)>, DetectError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let crops = everywhere(picture_px, self.scale, self.finder.card.input_size());
        let faces = self.find(frame, &crops, floor)?;
        let judged = faces.into_iter().map(|face| Ok((face, self.judge_face(frame, &face)?))).collect();
        self.wipe();
        judged
    }

    /// The faces in the crops, in pixels of the picture.
    fn find(&mut self, frame: &Frame, crops: &[Crop], floor: f32) -> Result<Vec<Face>, DetectError> {
        let picture_px = (frame.width_px(), frame.height_px());
        let decoding = self.finder.card.decoding;
        let mut found = Vec::new();
        for sheet in pack(crops, self.finder.card.input_size()) {
            let faces =
                self.finder.run(frame, &sheet, |outputs| decode(decoding, outputs, sheet.input_px, floor))?;
            for face in faces.into_iter().flatten() {
                let Some(part) = sheet.part_of(&face.bbox) else { continue };
                let placed = sheet.parts[part].to_picture(&face.bbox, picture_px);
                // Of a face that is cut there is a better view in another crop, or none.
                if placed.bbox.is_valid() && !placed.cut {
                    found.push(Face { bbox: placed.bbox, ..face });
                }
            }
        }
        Ok(strongest(found, self.nms_iou))
    }

    /// How likely a face wears a mask.
    fn judge_face(&mut self, frame: &Frame, face: &Face) -> Result<f32, DetectError> {
        let Some(judge) = &mut self.judge else { return Ok(face.with_mask.unwrap_or(0.5)) };
        let (across, down) = (self.grown / 2.0 * face.bbox.width, self.grown / 2.0 * face.bbox.height);
        let bbox = ImageBox::from_left_top_right_bottom(
            face.bbox.left - across,
            face.bbox.top - down,
            face.bbox.right() + across,
            face.bbox.bottom() + down,
        );
        let picture_px = (frame.width_px(), frame.height_px());
        let Some(source) = Area::around(&bbox, picture_px) else { return Ok(0.5) };
        let size = judge.card.input_size().largest_px();
        let sheet = Sheet::new(size, vec![Part { source, at: (0, 0), size }]);
        let with_mask = judge
            .run(frame, &sheet, |outputs| outputs.first().and_then(|classes| classes.first().copied()))?;
        Ok(with_mask.flatten().unwrap_or(0.5))
    }

    /// Nothing of a face outlives its look.
    fn wipe(&mut self) {
        self.finder.wipe();
        if let Some(judge) = &mut self.judge {
            judge.wipe();
        }
    }
}

/// What may still be spent.
#[derive(Debug)]
struct Purse {
    budget: MaskBudget,
    saved_ms: f32,
    face_ms: f32,
    last: Option<MediaTime>,
}

impl Purse {
    fn new(budget: MaskBudget) -> Self {
        Self { budget, saved_ms: 0.0, face_ms: FACE_MS_START, last: None }
    }

    /// For how many faces there is enough at a time.
    fn faces(&mut self, at: MediaTime) -> usize {
        let pause_s = self.last.replace(at).map_or(0.0, |last| at.seconds_since(last).clamp(0.0, SAVED_S));
        let most = self.budget.ms_per_s * SAVED_S;
        self.saved_ms = (self.saved_ms + self.budget.ms_per_s * pause_s).min(most);
        (self.saved_ms / self.face_ms).max(0.0) as usize
    }

    fn pay(&mut self, spent: Duration, faces: usize) {
        let ms = 1000.0 * spent.as_secs_f32();
        self.saved_ms -= ms;
        if faces > 0 {
            self.face_ms += COST_SHARE * (ms / faces as f32 - self.face_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_cost_no_more_than_their_budget() {
        let mut purse = Purse::new(MaskBudget { ms_per_s: 50.0 });
        let (mut spent_ms, mut faces) = (0.0, 0);
        for look in 0..=50u16 {
            let now = purse.faces(MediaTime::from_seconds(f64::from(look) / 5.0));
            faces += now;
            spent_ms += 12.0 * now as f32;
            purse.pay(Duration::from_millis(12 * now as u64), now);
        }
        assert!(spent_ms <= 500.0 && faces > 35, "{spent_ms} ms for {faces} faces");
        assert_eq!(Purse::new(MaskBudget::default()).faces(MediaTime::ZERO), 0, "nothing was saved yet");
    }

    #[test]
    fn networks_that_make_no_whole_are_refused() {
        let choice = |names: &[&str]| MaskChoice {
            models: names.iter().map(|name| ((*name).to_owned(), PathBuf::from("/nowhere"))).collect(),
            runtime: Runtime::Rten,
        };
        let refused = |names: &[&str]| open(&choice(names)).map(|_| ()).unwrap_err().to_string();
        assert!(refused(&[]).contains("finds faces and one that judges them"));
        assert!(refused(&["facenet"]).contains("no model `facenet`"));
        assert!(refused(&["centerface"]).contains("/nowhere"));
    }
}
