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
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DetectorFiles {
    /// The name that the eye knows the model card by.
    pub(crate) model: &'static str,
    pub(crate) model_file: PathBuf,
    pub(crate) runtime: Runtime,
    /// What tells who wears a mask, where that is asked for.
    pub(crate) masks: Option<MaskFiles>,
}

/// Networks that tell who wears a mask.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MaskFiles {
    /// Names that the eye knows the cards by, and files.
    pub(crate) networks: Vec<(&'static str, PathBuf)>,
    /// Milliseconds of processor time for each second of video; `None` for what the eye finds fair.
    pub(crate) ms: Option<f64>,
}

impl DetectorFiles {
    /// Of a configuration that is only read, where there is none: nothing can be started with it.
    pub(crate) fn absent() -> Self {
        Self { model: "", model_file: PathBuf::new(), runtime: Runtime::BuiltIn, masks: None }
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

/// No networks for masks are in the cache.
#[derive(Debug, thiserror::Error)]
#[error("masks are asked for, and {} is not in the cache: run `models/fetch masks`", file.display())]
pub(crate) struct MissingMasks {
    file: PathBuf,
}

impl MaskFiles {
    /// Finds and judges in one step: better, and brought by its user.
    const ONE_SHOT: (&str, &str) = ("rfb-640-masked-face", "RFB-640-masked_face-v2.onnx");
    /// One finds faces, the other judges them.
    const PAIR: [(&str, &str); 2] =
        [("centerface", "centerface-boxes.onnx"), ("mask-mobilenet-v2", "mask-mobilenet-v2.onnx")];

    /// The one-shot network where there is one, else the pair.
    pub(crate) fn find(cache: &Cache) -> Result<Self, MissingMasks> {
        let at = |(name, file): (&'static str, &str)| (name, cache.model(file));
        let one_shot = at(Self::ONE_SHOT);
        if one_shot.1.is_file() {
            return Ok(Self { networks: vec![one_shot], ms: None });
        }
        let networks = Self::PAIR.map(at).to_vec();
        match networks.iter().find(|(_, file)| !file.is_file()) {
            Some((_, file)) => Err(MissingMasks { file: file.clone() }),
            None => Ok(Self { networks, ms: None }),
        }
    }
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
                return Ok(DetectorFiles { model, model_file: file, runtime: cache.runtime(), masks: None });
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

    #[test]
    fn one_network_for_masks_is_better_than_two() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path().to_owned());
        fs::create_dir_all(folder.path().join("models")).unwrap();
        let missing = MaskFiles::find(&cache).unwrap_err().to_string();
        assert!(missing.contains("models/fetch masks") && missing.contains("centerface"), "{missing}");
        for (_, file) in MaskFiles::PAIR {
            fs::write(cache.model(file), "").unwrap();
        }
        let names = |files: MaskFiles| files.networks.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(MaskFiles::find(&cache).unwrap()), ["centerface", "mask-mobilenet-v2"]);
        fs::write(cache.model(MaskFiles::ONE_SHOT.1), "").unwrap();
        assert_eq!(names(MaskFiles::find(&cache).unwrap()), ["rfb-640-masked-face"]);
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
        for (name, file) in MaskFiles::PAIR.into_iter().chain([MaskFiles::ONE_SHOT]) {
            assert!(pairs("mask_model").contains(&(name.to_owned(), file.to_owned())), "{name}");
        }
        assert!(pairs("runtime").iter().any(|(_, file)| file == RUNTIME_FILE));
    }
}
