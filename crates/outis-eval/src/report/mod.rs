//! The reports that are kept in `docs/ref`: what was measured, on what, when.

mod accuracy;
mod benchmarks;
mod cameras;
mod clip;
mod distance;
mod jail;
pub(crate) mod machine;
mod mask_cost;
mod processes;
mod python;
mod second;
mod street;
mod substream;
pub(crate) mod table;

pub use accuracy::{accuracy, clip as clip_section, ground as ground_section, simple_cases};
pub use benchmarks::{benchmarks, second as second_section};
pub use cameras::{CAMERAS, CAMERAS_S, section as cameras};
pub use jail::{JAIL_ROUNDS, section as jail};
pub use mask_cost::{MASK_ROUNDS, section as mask_cost};
pub use substream::{SUBSTREAM_RUNS, section as substream};
pub(crate) use table::Table;

use std::path::PathBuf;

use crate::count_error::Spread;

/// Where programs and fixtures of the checkout are.
pub(crate) fn checkout() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// How right distances between people are: a part of the accuracy page.
///
/// # Errors
/// When trajectories that are there cannot be read.
pub fn distances(data: &std::path::Path) -> anyhow::Result<String> {
    distance::section(data)
}

/// A page that is written section by section.
struct Page(String);

impl Page {
    /// Adds a section. That takes minutes, so what is being measured is said meanwhile.
    fn section(
        &mut self,
        title: &str,
        measure: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        eprintln!("measuring: {title}");
        self.0 += &format!("\n## {title}\n\n{}\n", measure()?.trim_end());
        Ok(())
    }
}

/// The mean of the ratios within each round, with the least and the greatest.
fn ratio(above: &[f64], below: &[f64]) -> String {
    let ratios = Spread::of(above.iter().zip(below).map(|(a, b)| a / b));
    format!("{:.2} ({:.2}-{:.2})", ratios.mean, ratios.min, ratios.max)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
