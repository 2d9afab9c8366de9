//! `outis-eval cases`: the cases in which a counter must never be wrong.

use outis_eval::report;

/// Plays the simple cases: somebody stands on the line, turns back on it, is hidden on it; prints how many runs were
/// counted wrong, and which
#[derive(Debug, clap::Args)]
pub(crate) struct Cases {
    /// Runs of each case with each kind of line and jitter
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

impl Cases {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (text, wrong) = report::simple_cases(self.seeds);
        println!("{text}\n{}", wrong.join("\n"));
        Ok(())
    }
}
