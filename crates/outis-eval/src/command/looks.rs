//! `outis-eval looks`: what each way of looking finds on the composed street, and what it costs.

use std::path::PathBuf;

use outis_eval::compose::Variant;
use outis_eval::looks::{self, Setting};
use outis_eval::watch::Watcher;
use outis_eval::{cache, mot};

use super::compose::{StreetArgument, variant};

/// Compares ways of looking on the composed street: recall, count error, cost
#[derive(Debug, clap::Args)]
pub(crate) struct Looks {
    /// Name of a model card
    #[arg(long, value_name = "NAME", default_value = "nanodet-g")]
    model: String,
    /// Which street: `d` is for reporting, the others are for tuning
    #[arg(long, value_enum, default_value = "d")]
    street: StreetArgument,
    /// Seen how
    #[arg(long, value_name = "NAME", value_parser = variant, default_value = "day")]
    variant: Variant,
    /// Only the way of this name, or all whose names contain it
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Measures everything on street d and writes looks.md and looks.svg into this folder
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// True boxes of the clip [default: pets09-s2l1/gt_mot.txt in the data folder]
    #[arg(long, value_name = "MOT_FILE")]
    truth: Option<PathBuf>,
}

impl Looks {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let clip = cache::folder().join("clips/vtest.avi");
        let file = || outis_eval::street::default_data().join("pets09-s2l1/gt_mot.txt");
        let clip_truth = mot::read_objects(&self.truth.clone().unwrap_or_else(file))?;
        if let Some(folder) = &self.page {
            let page = looks::page(&clip, &clip_truth)?;
            std::fs::write(folder.join("looks.md"), page.text)?;
            return Ok(std::fs::write(folder.join("looks.svg"), page.picture)?);
        }
        let mut watcher = Watcher::new(&self.model)?;
        let street = self.street.street();
        let settings = Setting::all();
        let named = settings.iter().any(|setting| setting.name == self.only);
        let is_asked = |name: &str| if named { name == self.only } else { name.contains(&self.only) };
        for setting in settings.iter().filter(|setting| is_asked(&setting.name)) {
            let f = looks::measure(&mut watcher, (street, self.variant), setting, &clip, &clip_truth)?;
            let by_height = f.recall_by_height.map(|recall| format!("{:.0}", 100.0 * recall)).join(" ");
            println!(
                "{:24} recall {:.1} % ({by_height}) precision {:.1} %  count error {:.1} % ({:+.1})  HOTA {:.3}  \
                 inference {:.1} ms, all {:.1} ms, {:.0} kpx a look  observed {:.2}",
                setting.name,
                100.0 * f.recall,
                100.0 * f.precision,
                100.0 * f.count_error,
                100.0 * f.count_bias,
                f.hota,
                f.inference_ms,
                f.cpu_ms,
                f.input_px / 1e3,
                f.observed,
            );
        }
        Ok(())
    }
}
