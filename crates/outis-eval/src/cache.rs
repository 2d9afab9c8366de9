//! Where fetched models, runtimes and clips lie.

use std::path::PathBuf;

/// The cache folder: `OUTIS_CACHE`, or `outis` in the user's cache folder.
pub fn folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    variable("OUTIS_CACHE").unwrap_or_else(|| user().unwrap_or_else(std::env::temp_dir).join("outis"))
}
