//! Where the tests find models and runtime.

use std::{env, path::PathBuf};

/// Where `models/fetch` puts them.
pub(crate) fn folder() -> PathBuf {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap_or_default().join(".cache");
    set("OUTIS_CACHE").unwrap_or_else(|| set("XDG_CACHE_HOME").unwrap_or_else(home).join("outis"))
}
