//! Which file a detector's name stands for in the cache. Whether the file is the right one, by its
//! hash, is for the eye to judge.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Deserialize;

/// The runtime library that `models/fetch` puts in the cache.
const RUNTIME_FILE: &str = "libonnxruntime.so.1.23.2";

/// The detector to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Detector {
    /// NanoDet-g: every class, fetched by `make models`.
    #[default]
    NanodetG,
    /// YOLOX-nano: finds small people better at less than half the cost; fetched where its source is reached.
    YoloxNano,
    /// The best that is in the cache: YOLOX-nano, else NanoDet-g.
    Auto,
}

/// A detector's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetectorFiles {
    /// The name that the eye knows the model card by.
    pub(crate) model: &'static str,
    pub(crate) model_file: PathBuf,
    pub(crate) runtime: Runtime,
}

impl DetectorFiles {
    /// Of a configuration that is only read, where there is none: nothing can be started with it.
    pub(crate) fn absent() -> Self {
        Self { model: "", model_file: PathBuf::new(), runtime: Runtime::BuiltIn }
    }
}

/// What computes the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// ONNX Runtime from this library.
    Library(PathBuf),
    /// The one built into the eye: needs no library, takes twice the time.
    BuiltIn,
}

/// The detector's file is not in the cache.
#[derive(Debug, thiserror::Error)]
#[error("detector \"{model}\" is not in the cache ({}): run `make models`", file.display())]
pub(crate) struct MissingModel {
    model: &'static str,
    file: PathBuf,
}

impl Detector {
    /// The best first.
    const CARDS: [(Self, &str, &str); 2] =
        [(Self::YoloxNano, "yolox-nano", "yolox_nano.onnx"), (Self::NanodetG, "nanodet-g", "nanodet-g.onnx")];

    /// Finds its files in the cache.
    pub(crate) fn find(self, cache: &Cache) -> Result<DetectorFiles, MissingModel> {
        let wanted = |card: &&(Self, _, _)| self == Self::Auto || self == card.0;
        let files = Self::CARDS.iter().filter(wanted).map(|&(_, model, file)| (model, cache.model(file)));
        let mut missing = None;
        for (model, file) in files {
            if file.is_file() {
                return Ok(DetectorFiles { model, model_file: file, runtime: cache.runtime() });
            }
            // The last is the one that `make models` can always make.
            missing = Some(MissingModel { model, file });
        }
        Err(missing.expect("every detector has a card"))
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().expect("no variant is hidden");
        f.write_str(name.get_name())
    }
}

/// The folder that `models/fetch` fills: `models/`, `runtime/` and `clips/` are in it.
#[derive(Debug, Clone)]
pub(crate) struct Cache(PathBuf);

impl Cache {
    /// `$OUTIS_CACHE`, else `$XDG_CACHE_HOME/outis`, else `~/.cache/outis`.
    pub(crate) fn from_env() -> Self {
        let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = || set("HOME").unwrap_or_default().join(".cache");
        Self(set("OUTIS_CACHE").unwrap_or_else(|| set("XDG_CACHE_HOME").unwrap_or_else(home).join("outis")))
    }

    fn model(&self, file: &str) -> PathBuf {
        self.0.join("models").join(file)
    }

    fn runtime(&self) -> Runtime {
        let library = self.0.join("runtime").join(RUNTIME_FILE);
        if library.is_file() { Runtime::Library(library) } else { Runtime::BuiltIn }
    }

    /// Where a clip is, or would be.
    pub(crate) fn clip(&self, file: impl AsRef<Path>) -> PathBuf {
        self.0.join("clips").join(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_found_by_name_and_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().to_owned());
        let error = Detector::Auto.find(&cache).unwrap_err().to_string();
        assert!(error.contains("nanodet-g") && error.contains("make models"), "{error}");

        fs::create_dir_all(folder.path().join("models")).unwrap();
        fs::create_dir_all(folder.path().join("runtime")).unwrap();
        fs::write(cache.model("yolox_nano.onnx"), "").unwrap();
        let auto = Detector::Auto.find(&cache).unwrap();
        assert_eq!((auto.model, auto.runtime), ("yolox-nano", Runtime::BuiltIn));
        assert!(Detector::NanodetG.find(&cache).is_err());
        fs::write(cache.model("nanodet-g.onnx"), "").unwrap();
        assert_eq!(Detector::Auto.find(&cache).unwrap().model, "yolox-nano", "the better one");

        let library = folder.path().join("runtime").join(RUNTIME_FILE);
        fs::write(&library, "").unwrap();
        assert_eq!(Detector::YoloxNano.find(&cache).unwrap().runtime, Runtime::Library(library));
    }

    /// The names here are the ones of the model cards.
    #[test]
    fn every_name_has_a_card() {
        let cards = include_str!("../../../models/models.toml");
        let cards: toml::Table = cards.parse().unwrap();
        let pairs = |list: &str| -> Vec<(String, String)> {
            let text = |card: &toml::Value, key: &str| card[key].as_str().unwrap().to_owned();
            cards[list].as_array().unwrap().iter().map(|c| (text(c, "name"), text(c, "file"))).collect()
        };
        for (detector, name, file) in Detector::CARDS {
            assert!(pairs("model").contains(&(name.to_owned(), file.to_owned())), "{name}");
            assert_eq!(detector.to_string(), name);
        }
        assert!(pairs("runtime").iter().any(|(_, file)| file == RUNTIME_FILE));
    }
}
