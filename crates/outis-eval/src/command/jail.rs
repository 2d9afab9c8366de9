//! `outis-eval jail`: what the lock costs.

use outis_eval::{cache, report};

/// Counts the demo's clip in the jail and without it, in turn, and compares the processor time
#[derive(Debug, clap::Args)]
pub(crate) struct Jail {
    /// How often both run
    #[arg(long, value_name = "N", default_value_t = report::JAIL_ROUNDS)]
    rounds: usize,
}

impl Jail {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let clip = cache::folder().join("clips/vtest.avi");
        print!("{}", report::jail(&clip, self.rounds.max(1))?);
        Ok(())
    }
}
