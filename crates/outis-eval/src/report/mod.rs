//! The reports that are kept in `docs/ref`: what was measured, on what, when.

mod accuracy;
mod benchmarks;
mod cameras;
mod clip;
mod distance;
mod jail;
mod machine;
mod processes;
mod python;
mod street;
pub(crate) mod table;

pub use accuracy::{accuracy, clip as clip_section};
pub use benchmarks::benchmarks;
pub use cameras::{CAMERAS, CAMERAS_S, section as cameras};
pub use jail::{JAIL_ROUNDS, section as jail};
pub(crate) use table::Table;

use std::path::PathBuf;

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

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
