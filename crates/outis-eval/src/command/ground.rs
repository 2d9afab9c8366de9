//! `outis-eval ground`: the ground made of people against the truth.

use std::path::PathBuf;

use outis_eval::{report, street};

/// Makes the ground of the people who walk on it, and compares distances with the truth
#[derive(Debug, clap::Args)]
pub(crate) struct Ground {
    /// The folder that holds pets09-s2l1/ [default: $OUTIS_SHARED, or ../shared/data beside the checkout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Ground {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let data = self.data.clone().unwrap_or_else(street::default_data);
        print!("{}", report::ground_section(&data)?);
        Ok(())
    }
}
