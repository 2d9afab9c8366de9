//! Makes clips for the tests. Knows the command `ffmpeg` and the cache folder.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// The clips that `clip` makes have this many frames, unless their arguments change it.
pub(crate) const FRAMES: u32 = 30;

/// A folder that goes when the test is over.
pub(crate) struct Clips {
    folder: TempDir,
}

impl Clips {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder for clips") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Three seconds of the street at 10 frames a second, 320x240, coded as `arguments` say.
    pub(crate) fn street(&self, name: &str, arguments: &str) -> PathBuf {
        let source = cached("clips/vtest.avi");
        let scaled = format!("-i {} -frames:v {FRAMES} -s 320x240 {arguments}", source.display());
        self.ffmpeg(name, &scaled)
    }

    /// Whatever `ffmpeg ARGUMENTS` makes.
    pub(crate) fn ffmpeg(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .stdin(Stdio::null())
            .output()
            .expect("the tests need the command `ffmpeg`: apt-get install ffmpeg");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ffmpeg could not make {name} with `{arguments}`: {said}");
        path
    }
}

/// A file of the cache that `models/fetch` fills.
pub(crate) fn cached(name: &str) -> PathBuf {
    let folder = env::var_os("OUTIS_CACHE").map(PathBuf::from).unwrap_or_else(|| {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        caches.unwrap_or_else(|| home().join(".cache")).join("outis")
    });
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run `models/fetch`, or `make test`, which does", path.display());
    path
}

fn home() -> PathBuf {
    env::home_dir().unwrap_or_else(|| Path::new("/").to_owned())
}
