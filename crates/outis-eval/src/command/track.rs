//! `outis-eval track`: boxes in, tracks out.

use std::io::Write as _;

use outis_eval::{mot, product};

use super::input::Input;

/// Turns detections into tracks; prints MOT lines sorted by frame and id
#[derive(Debug, clap::Args)]
pub(crate) struct Track {
    #[command(flatten)]
    input: Input,
}

impl Track {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (clock, detections) = self.input.read()?;
        let points = product::track(clock.looks(&detections), self.input.tracker());
        let mut text = String::new();
        for point in points {
            mot::write_object(
                &mut text,
                clock.frame(point.at),
                point.track.number(),
                point.bbox,
                point.score,
            );
        }
        Ok(std::io::stdout().write_all(text.as_bytes())?)
    }
}
