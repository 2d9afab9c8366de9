//! What would be told of the windows that are still running if the power were cut now.
//!
//! One file a camera, for the owner's eyes only, replaced every few seconds and removed when the window is over.
//! It holds the window in the form in which it would be told, and nothing more exact.

use std::{
    io,
    path::{Path, PathBuf},
};

use ciborium::Value;

use crate::{
    Digest, ENVELOPE_BYTES_MAX, cbor,
    durable::{self, Readers},
};

/// The most files that are read back.
const FILES_MAX: usize = 1024;

/// A window that was not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) run: u64,
    pub(crate) camera: String,
    pub(crate) start_ms: i64,
    pub(crate) configuration: Digest,
    pub(crate) payload: Vec<u8>,
}

/// The folder of running windows.
#[derive(Debug)]
pub(crate) struct Running {
    folder: PathBuf,
    draft: PathBuf,
}

impl Running {
    pub(crate) fn open(private: &Path) -> io::Result<Self> {
        let folder = private.join("running");
        durable::make_folder(&folder, Readers::Owner)?;
        Ok(Self { draft: private.join("running.draft"), folder })
    }

    /// Replaces what is known of a camera's running window.
    pub(crate) fn keep(&self, window: &Unfinished) -> io::Result<()> {
        durable::replace(&self.draft, &self.path(&window.camera), &window.encode(), Readers::Owner)
    }

    /// Forgets a camera's running window.
    pub(crate) fn forget(&self, camera: &str) -> io::Result<()> {
        let path = self.path(camera);
        if !path.exists() {
            return Ok(());
        }
        durable::remove(&path)?;
        durable::sync_parent(&path)
    }

    /// What an earlier run left; files of another form are removed.
    pub(crate) fn left(&self) -> io::Result<Vec<Unfinished>> {
        durable::remove(&self.draft)?;
        let mut left = Vec::new();
        for name in durable::files_below(&self.folder)?.into_iter().take(FILES_MAX) {
            let path = self.folder.join(name);
            match durable::read(&path, ENVELOPE_BYTES_MAX as u64)?
                .and_then(|bytes| Unfinished::decode(&bytes))
            {
                Some(window) => left.push(window),
                None => durable::remove(&path)?,
            }
        }
        left.sort_by(|a, b| (a.run, a.start_ms, &a.camera).cmp(&(b.run, b.start_ms, &b.camera)));
        Ok(left)
    }

    /// Names may hold any character, so the file has the digest of the name.
    fn path(&self, camera: &str) -> PathBuf {
        self.folder.join(Digest::of(camera.as_bytes()).short())
    }
}

impl Unfinished {
    fn encode(&self) -> Vec<u8> {
        cbor::encode(Value::Array(vec![
            self.run.into(),
            Value::Text(self.camera.clone()),
            self.start_ms.into(),
            Value::Bytes(self.configuration.0.to_vec()),
            Value::Bytes(self.payload.clone()),
        ]))
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let fields: [Value; 5] = cbor::decode(bytes).ok()?.into_array().ok()?.try_into().ok()?;
        let [run, camera, start_ms, configuration, payload] = fields;
        Some(Self {
            run: run.as_integer()?.try_into().ok()?,
            camera: camera.into_text().ok()?,
            start_ms: start_ms.as_integer()?.try_into().ok()?,
            configuration: Digest::from_slice(configuration.as_bytes()?)?,
            payload: payload.into_bytes().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn the_newest_of_each_camera_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::open(folder.path()).unwrap();
        let window = |camera: &str, start_ms| Unfinished {
            run: 1,
            camera: camera.into(),
            start_ms,
            configuration: Digest::of(b""),
            payload: b"payload".to_vec(),
        };
        for (camera, start_ms) in [("a/../b", 0), ("gate", 0), ("gate", 5), ("gone", 7)] {
            running.keep(&window(camera, start_ms)).unwrap();
        }
        running.forget("gone").unwrap();
        running.forget("never there").unwrap();
        fs::write(folder.path().join("running/torn"), [0x85, 1]).unwrap();
        assert_eq!(running.left().unwrap(), [window("a/../b", 0), window("gate", 5)]);
        let files = durable::files_below(&folder.path().join("running")).unwrap();
        assert_eq!(files.len(), 2);
        for file in files {
            let mode = fs::metadata(folder.path().join("running").join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
