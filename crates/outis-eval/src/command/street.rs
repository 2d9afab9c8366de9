//! `outis-eval street`: our counter on the counting benchmark.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use outis_eval::{product, street};
use outis_measure::MeasureSettings;

/// Counts on real trajectories seen by a simulated camera with a noisy detector
#[derive(Debug, clap::Args)]
pub(crate) struct Street {
    /// Looks of the detector in a second; several are run one after the other
    #[arg(long, value_delimiter = ',', default_value = "25,5")]
    fps: Vec<f64>,
    /// What spoils the boxes; several are run one after the other
    #[arg(long, value_enum, value_delimiter = ',', default_value = "field")]
    noise: Vec<NoiseKind>,
    /// Multiplies the jitter of the boxes
    #[arg(long, default_value_t = 1.0)]
    jitter: f64,
    /// Mean length of a burst of misses in seconds
    #[arg(long, value_name = "SECONDS")]
    miss: Option<f64>,
    /// Boxes of nothing in a frame
    #[arg(long, value_name = "MEAN")]
    false_boxes: Option<f64>,
    /// Runs with different noise
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The folder that holds eth-ucy/ [default: $OUTIS_SHARED, or ../shared/data beside the checkout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Also writes what the counter is given, for counters in other languages
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
    /// Prints every line of the street, not only the summary
    #[arg(long)]
    lines: bool,
    /// Prints JSON, one object for each rate and noise
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NoiseKind {
    /// 3 % white jitter
    Field,
    /// 2 % white jitter and 2 % slow drift
    Drift,
}

impl Street {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        for &kind in &self.noise {
            for &fps in &self.fps {
                anyhow::ensure!((1.0..=100.0).contains(&fps), "--fps {fps}: 1 to 100 are possible");
                self.run_one(fps, kind)?;
            }
        }
        Ok(())
    }

    fn run_one(&self, fps: f64, kind: NoiseKind) -> anyhow::Result<()> {
        let options = self.options(fps, kind);
        let label = format!("{kind:?}").to_lowercase();
        if let Some(folder) = &self.dump {
            street::dump(&folder.join(format!("{label}-{fps}fps")), &options)?;
        }
        let report = street::bench(
            |looks, _, lines| {
                let looks = looks.iter().map(|look| (look.at, look.detections.as_slice()));
                product::count(looks, lines, MeasureSettings::default()).unwrap_or_default()
            },
            &options,
        )
        .context("the counting benchmark needs the trajectories of ETH and UCY")?;
        if self.json {
            let mut value = report.to_json();
            value["fps"] = fps.into();
            value["noise"] = label.into();
            println!("{value}");
            return Ok(());
        }
        if self.lines {
            print!("{}", report.rows());
        }
        println!("{label:5} {fps:4} fps  {}", report.summary());
        Ok(())
    }

    fn options(&self, fps: f64, kind: NoiseKind) -> street::Options {
        let mut noise = match kind {
            NoiseKind::Field => street::Noise::field(),
            NoiseKind::Drift => street::Noise::drift(),
        }
        .with_jitter_scaled(self.jitter);
        noise.miss_mean_s = self.miss.unwrap_or(noise.miss_mean_s);
        noise.false_per_frame = self.false_boxes.unwrap_or(noise.false_per_frame);
        let data = self.data.clone().unwrap_or_else(street::default_data);
        street::Options { data, fps, noise, seeds: self.seeds.max(1) }
    }
}
