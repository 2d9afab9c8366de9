//! `outis-eval cameras`: how many live cameras this machine carries, and where the time goes.

use std::time::Duration;

use outis_eval::{cache, report};

/// Watches real RTSP streams of the composed street with more and more cameras, until looks are lost
#[derive(Debug, clap::Args)]
pub(crate) struct Cameras {
    /// The numbers of cameras to try, in order; ends with the first that loses looks
    #[arg(value_name = "N", default_values_t = report::CAMERAS)]
    cameras: Vec<usize>,
    /// How long each is measured
    #[arg(long, value_name = "S", default_value_t = report::CAMERAS_S)]
    seconds: u64,
    /// Go on when looks are lost
    #[arg(long)]
    beyond: bool,
}

impl Cameras {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let clip = cache::folder().join("clips/vtest.avi");
        let measure = Duration::from_secs(self.seconds);
        print!("{}", report::cameras(&clip, &self.cameras, measure, self.beyond)?);
        Ok(())
    }
}
