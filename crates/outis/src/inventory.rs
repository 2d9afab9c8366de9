//! What has a say in the counts, by its digest: configuration, programs, models and their runtime, the files of
//! calibrated cameras; and the text of the sign that tells passers-by of them.
//!
//! A statement of the device about itself. It tells that something was changed, not that it is good.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::Context;
use outis_ledger::{Digest, Part, PartKind};

use crate::{
    config::Camera,
    detector::Runtime,
    ground::{Ground, Whence},
    launch::Programs,
    source,
};

/// All parts that the cameras are watched with.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn parts(
    configuration: &Part,
    sign: Option<&Path>,
    cameras: &[Camera],
    programs: &Programs,
) -> anyhow::Result<Vec<Part>> {
    let mut files = BTreeSet::new();
    if let Some(sign) = sign {
        files.insert((PartKind::SignText, name_of(sign), sign.to_owned()));
    }
    files.insert((PartKind::Program, "outis".to_owned(), env::current_exe().context("outis itself")?));
    for program in ["outis-intake", "outis-eye"] {
        files.insert((PartKind::Program, program.to_owned(), programs.find(program)?));
    }
    for Camera { plan, .. } in cameras {
        let detector = &plan.detector;
        files.insert((PartKind::Model, detector.model.to_owned(), detector.model_file.clone()));
        for (name, file) in detector.masks.iter().flat_map(|masks| &masks.networks) {
            files.insert((PartKind::Model, (*name).to_owned(), file.clone()));
        }
        if let Runtime::Library(library) = &detector.runtime {
            files.insert((PartKind::Runtime, name_of(library), library.clone()));
        }
    }
    // What was read is declared, and not what the file may hold by now.
    let calibrations = cameras.iter().filter_map(|Camera { plan, .. }| match &plan.ground {
        Some(Ground { whence: Whence::Tsai(calibration), .. }) => {
            Some((name_of(&calibration.path), calibration.digest))
        }
        _ => None,
    });
    let calibrations: BTreeSet<(String, Digest)> = calibrations.collect();
    let calibration = |(name, digest)| Ok(Part { kind: PartKind::Calibration, name, digest });
    let part = |(kind, name, path): (PartKind, String, PathBuf)| {
        let digest = File::open(&path).and_then(Digest::of_reader);
        let digest = digest.with_context(|| format!("{} cannot be read for the log", path.display()))?;
        Ok(Part { kind, name, digest })
    };
    let files = files.into_iter().map(part);
    let calibrations = calibrations.into_iter().map(calibration);
    std::iter::once(Ok(configuration.clone())).chain(files).chain(calibrations).collect()
}

/// The configuration as a part. Names and passwords in addresses are left out of what is digested: the digest is
/// public, and a short password could be guessed from it.
pub(crate) fn configuration(path: &Path, text: &str) -> Part {
    let lines: String = text.lines().map(|line| source::without_secrets(line) + "\n").collect();
    Part { kind: PartKind::Configuration, name: name_of(path), digest: Digest::of(lines.as_bytes()) }
}

/// Where the ledger is unless the configuration says otherwise: the service manager's state folder, the user's, or
/// the system's.
pub(crate) fn default_state_folder() -> PathBuf {
    let set = |key| env::var_os(key).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let first = |folders: PathBuf| env::split_paths(&folders).next();
    let of_user = || {
        let home = || set("HOME").map(|home| home.join(".local/state"));
        set("XDG_STATE_HOME").or_else(home).map(|state| state.join("outis"))
    };
    let of_service = set("STATE_DIRECTORY").and_then(first);
    of_service.or_else(of_user).unwrap_or_else(|| PathBuf::from("/var/lib/outis"))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_part_of_the_digest_and_everything_else_is() {
        let digest = |text: &str| configuration(Path::new("/a/w.toml"), text).digest;
        let text = "source = \"rtsp://user:secret@camera/1\"\nwindow_s = 900\n";
        assert_eq!(digest(text), digest(&text.replace("secret", "other")));
        assert_ne!(digest(text), digest(&text.replace("900", "901")));
        assert_ne!(digest(text), digest(&text.replace("camera/1", "camera/2")));
        assert_eq!(configuration(Path::new("/a/w.toml"), text).name, "w.toml");
    }
}
