//! A camera's second, smaller stream of the same view, watched for nothing but whether anything changes in it. So long as
//! nothing does and nobody moves, the first stream can rest. Nothing is found in it and nothing counted.
//!
//! It is never waited for: what has come is taken when the eye comes by.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use outis_measure::{ImageBox, MediaTime, Zone};

use crate::{
    Frame,
    blank::Blanks,
    decode::{self, Gone},
    drawn::Zoom,
    plan::Changes,
    scale::Thumbnail,
};

/// Without a picture for longer than this it says nothing: camera or network may have left it behind.
const SILENCE_MAX: Duration = Duration::from_secs(1);

/// What changes in one picture and not in the next, so many seconds later, is noise.
const STEP_S: f32 = 0.08;

/// When the newest picture was taken, and by when its packet came.
#[derive(Clone, Copy)]
struct Newest {
    taken: Instant,
    at: MediaTime,
}

/// The second stream of a camera.
pub(crate) struct Substream {
    /// `None` when it is over.
    stream: Option<decode::Newest<Box<dyn Read>>>,
    blanks: Blanks,
    thumbnail: Thumbnail,
    /// The newest picture in blocks, and how many lie side by side and one above the other.
    blocks: Vec<u8>,
    size: (usize, usize),
    changes: Changes,
    newest: Option<Newest>,
    /// Where the picture before the newest had changed.
    before: Vec<ImageBox>,
    has_changed: bool,
}

impl Substream {
    /// Reads packets from an input whose reads fail with [`WouldBlock`](std::io::ErrorKind::WouldBlock) where they would
    /// wait. Areas are those at which nobody looks, in pixels of the picture that lines were drawn in.
    pub(crate) fn new(input: Box<dyn Read>, blanks: Vec<Zone>) -> Self {
        Self {
            stream: Some(decode::Newest::new(input)),
            blanks: Blanks::new(blanks),
            thumbnail: Thumbnail::default(),
            blocks: Vec::new(),
            size: (0, 0),
            changes: Changes::default(),
            newest: None,
            before: Vec::new(),
            has_changed: false,
        }
    }

    /// Takes what has come, and looks at it if that is of use. `drawn_px` is the size of the picture that lines were drawn in.
    pub(crate) fn take(&mut self, drawn_px: (u32, u32), is_of_use: bool) {
        let Some(stream) = &mut self.stream else { return };
        match stream.take(is_of_use) {
            Ok(Some(frame)) => self.observe(frame, drawn_px),
            Ok(None) => {}
            Err(Gone) => self.stream = None,
        }
    }

    fn observe(&mut self, frame: Frame, drawn_px: (u32, u32)) {
        let at = frame.at();
        if self.newest.is_some_and(|newest| (0.0..STEP_S).contains(&at.seconds_since(newest.at))) {
            return;
        }
        let picture_px = (frame.width_px(), frame.height_px());
        let zoom = Zoom::between(drawn_px, picture_px);
        // Before anything else sees it.
        let Ok(frame) = self.blanks.paint(frame, zoom) else { return };
        let size = Thumbnail::size(picture_px);
        let Some(blocks) = self.thumbnail.blocks(&frame) else { return };
        if size != self.size {
            let blanks = self.blanks.areas().iter().filter_map(|area| zoom.zone(area).ok()).collect();
            (self.size, self.changes) = (size, Changes::new(blanks));
        }
        self.blocks.clear();
        self.blocks.extend_from_slice(blocks);
        self.newest = Some(Newest { taken: Instant::now(), at });
        let is_upset = self.changes.observe(size, &self.blocks, 0.0);
        let changed = self.changes.clusters(|_, _| false);
        let is_lasting = |one: &ImageBox| self.before.iter().any(|before| before.intersection(one) > 0.0);
        self.has_changed |= is_upset || changed.iter().any(is_lasting);
        self.before = changed;
    }

    /// Takes it that the view was looked at now and nobody moves in it: what changes from now on counts.
    pub(crate) fn settle(&mut self, at: MediaTime) {
        let side = |blocks: usize| blocks as f32 * crate::scale::BLOCK_PX as f32;
        let whole = ImageBox::from_left_top_width_height(0.0, 0.0, side(self.size.0), side(self.size.1));
        if !self.blocks.is_empty() {
            self.changes.looked_at(&[whole], at, &self.blocks, &[]);
        }
        self.before.clear();
        self.has_changed = false;
    }

    /// Whether it comes, and nothing has changed since [`settle`](Self::settle).
    pub(crate) fn is_still(&self) -> bool {
        let is_heard = self.newest.is_some_and(|newest| newest.taken.elapsed() <= SILENCE_MAX);
        self.stream.is_some() && is_heard && !self.has_changed
    }
}
