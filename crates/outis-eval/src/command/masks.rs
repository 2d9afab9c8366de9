//! `outis-eval masks`: how right the masks are, by class and size of face, or what they cost.

use std::path::PathBuf;

use outis_eval::{cache, masks, report, street};

/// Measures who wears a mask on the photographs of mask40: precision and recall by class and size of face
#[derive(Debug, clap::Args)]
pub(crate) struct Masks {
    /// The folder that holds mask40/ [default: $OUTIS_SHARED, or ../shared/data beside the checkout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Measure what they cost instead: the product with and without them, in turn
    #[arg(long)]
    cost: bool,
}

impl Masks {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        if self.cost {
            let clip = cache::folder().join("clips/vtest.avi");
            print!("{}", report::mask_cost(&clip, report::MASK_ROUNDS)?);
            return Ok(());
        }
        let data = self.data.clone().unwrap_or_else(street::default_data);
        print!("{}", masks::section(&data)?);
        Ok(())
    }
}
