//! `outis-eval report`: measures everything and prints a page of `docs/ref`.

use std::path::PathBuf;

use clap::ValueEnum;
use outis_eval::{cache, report, street};

/// Measures everything and prints a page for docs/ref
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// Which page
    #[arg(value_enum)]
    page: Page,
    /// The folder that holds eth-ucy/ and pets09-s2l1/ [default: $OUTIS_SHARED, or ../shared/data beside the checkout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Runs of the counting benchmark that Python packages count too; 0 leaves Python out of the accuracy page
    #[arg(long, value_name = "N", default_value_t = 2)]
    python_seeds: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// How right the counts are: minutes
    Accuracy,
    /// Of that page the section about the demo clip
    Clip,
    /// What counting costs: three quarters of an hour on a quiet machine
    Benchmarks,
    /// Of that page the section about a second of a street in 1080p
    Second,
    /// Of that page the section about a camera's substream: ten minutes on a quiet machine
    Substream,
}

impl Report {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let data = self.data.clone().unwrap_or_else(street::default_data);
        let text = match self.page {
            Page::Accuracy => report::accuracy(&data, self.python_seeds)?,
            Page::Clip => report::clip_section(&data, self.python_seeds > 0)?,
            Page::Benchmarks => report::benchmarks()?,
            Page::Second => report::second_section()?,
            Page::Substream => {
                let clip = cache::folder().join("clips/vtest.avi");
                report::substream(&clip, &report::SUBSTREAM_RUNS)?
            }
        };
        print!("{text}");
        Ok(())
    }
}
