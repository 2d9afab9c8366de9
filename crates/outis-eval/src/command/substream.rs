//! `outis-eval substream`: what it saves to watch a camera with its second, small stream.

use outis_eval::{cache, report};

use super::compose::StreetArgument;

/// Watches a street live in both ways at once, with the camera's substream and without: cost, looks, count errors
#[derive(Debug, clap::Args)]
pub(crate) struct Substream {
    /// Which street
    #[arg(value_enum, default_value = "quiet")]
    street: StreetArgument,
    /// Name of a model card
    #[arg(long, value_name = "NAME", default_value = "nanodet-g")]
    model: String,
}

impl Substream {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let clip = cache::folder().join("clips/vtest.avi");
        print!("{}", report::substream(&clip, &[(self.street.street(), &self.model)])?);
        Ok(())
    }
}
