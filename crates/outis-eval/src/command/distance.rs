//! `outis-eval distance`: distances between people against the truth.

use std::path::PathBuf;

use anyhow::Context;
use outis_eval::report;
use outis_eval::street::{
    self, Noise,
    distance::{self, DISTANCES_M, DistanceOptions},
};

/// Measures how near people come to each other on real trajectories seen by a simulated camera with a noisy detector
#[derive(Debug, clap::Args)]
pub(crate) struct Distance {
    /// Looks of the detector in a second; several are run one after the other
    #[arg(long, value_delimiter = ',', default_value = "5")]
    fps: Vec<f64>,
    /// Multiplies the jitter of the boxes
    #[arg(long, default_value_t = 1.0)]
    jitter: f64,
    /// Runs with different noise
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// How high the camera hangs, in metres
    #[arg(long, default_value_t = distance::HEIGHT_M)]
    height: f64,
    /// The page's part in docs/ref/accuracy.md
    #[arg(long)]
    page: bool,
    /// The folder that holds eth-ucy/ [default: $OUTIS_SHARED, or ../shared/data beside the checkout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Distance {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let data = self.data.clone().unwrap_or_else(street::default_data);
        if self.page {
            print!("{}", report::distances(&data)?);
            return Ok(());
        }
        for &fps in &self.fps {
            anyhow::ensure!((1.0..=100.0).contains(&fps), "--fps {fps}: 1 to 100 are possible");
            for (label, noise) in [("white", Noise::field()), ("drift", Noise::drift())] {
                for leave_out_groups in [false, true] {
                    let noise = noise.with_jitter_scaled(self.jitter);
                    let (seeds, height_m) = (self.seeds.max(1), self.height);
                    let options = DistanceOptions { fps, noise, seeds, leave_out_groups, height_m };
                    let runs = distance::run(&data, options)
                        .context("distances need the trajectories and groups of ETH and UCY")?;
                    for run in runs {
                        let groups = if leave_out_groups { "left out" } else { "counted" };
                        print!("{label} {fps} fps, groups {groups}, {:8}", run.street.name());
                        for (threshold, than_m) in DISTANCES_M.into_iter().enumerate() {
                            let mean = |of: &dyn Fn(&distance::Distances) -> f64| {
                                run.measured.iter().map(of).sum::<f64>() / run.measured.len() as f64
                            };
                            print!(
                                "  < {than_m} m: true {:.4} measured {:.4} ({:+.1} %; groups completed {:+.1} %), \
                                 encounters {} {:.1}",
                                run.truth.near_share[threshold],
                                mean(&|m| m.near_share[threshold]),
                                100.0 * run.near_error(threshold),
                                100.0 * run.completed_error(threshold),
                                run.truth.encounters[threshold],
                                mean(&|m| f64::from(m.encounters[threshold])),
                            );
                        }
                        let present =
                            run.measured.iter().map(|m| m.present_s).sum::<f64>() / run.measured.len() as f64;
                        println!("  time {:.0} {:.0}", run.truth.present_s, present);
                    }
                }
            }
        }
        Ok(())
    }
}
