//! The files that `outis watch` appends finished windows to.
//!
//! A window is written at once and forced to the disk before the next, so a crash tears at most the
//! end of the file; the next start cuts that torn end off.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    config::OutputConfig,
    exit::UsageError,
    report::{alert::AlertReport, csv, json::WindowReport},
    scene::Scene,
    view::WindowView,
};

/// How far back a torn end may begin: more than the largest window's JSON line.
const TORN_BYTES_MAX: u64 = 8 << 20;

/// The start of every JSON line.
const JSON_START: &str = "{\"camera\":";

/// The start of every line of the file of alerts.
const ALERT_START: &str = "{\"kind\":\"alert\"";

/// One finished window, as each file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    pub(crate) json_lines: Option<String>,
    pub(crate) csv: Option<String>,
}

/// All files of windows of one configuration.
#[derive(Debug)]
pub(crate) struct Output {
    json_lines: Option<AppendFile>,
    csv: Option<AppendFile>,
}

impl Output {
    /// Opens the files, or creates them.
    ///
    /// # Errors
    /// When one cannot be opened, or holds something else than what is written here.
    pub(crate) fn open(config: &OutputConfig) -> anyhow::Result<Self> {
        let open = |path: &Option<PathBuf>, kind| {
            let file = path.as_ref().map(|path| AppendFile::open(path, kind));
            file.transpose()
        };
        Ok(Self {
            json_lines: open(&config.json_lines, Kind::JsonLines)?,
            csv: open(&config.csv, Kind::Csv)?,
        })
    }

    /// A finished window as these files will have it.
    pub(crate) fn lines(&self, camera: &str, scene: &Scene, window: &WindowView) -> anyhow::Result<Lines> {
        let json =
            || serde_json::to_string(&WindowReport::new(camera, scene, window)).map(|line| line + "\n");
        Ok(Lines {
            json_lines: self.json_lines.as_ref().map(|_| json()).transpose()?,
            csv: self.csv.as_ref().map(|_| csv::window(camera, scene, window)),
        })
    }

    /// Appends a finished window.
    pub(crate) fn write(&mut self, lines: &Lines) -> anyhow::Result<()> {
        self.files(lines).try_for_each(|(file, lines)| file.append(lines))
    }

    /// Appends a finished window where it is not the end of a file already; true when it was not.
    pub(crate) fn complete(&mut self, lines: &Lines) -> anyhow::Result<bool> {
        let mut missing = false;
        for (file, lines) in self.files(lines) {
            if !file.ends_with(lines)? {
                file.append(lines)?;
                missing = true;
            }
        }
        Ok(missing)
    }

    fn files<'a>(&'a mut self, lines: &'a Lines) -> impl Iterator<Item = (&'a mut AppendFile, &'a str)> {
        let Lines { json_lines, csv } = lines;
        let files = [(&mut self.json_lines, json_lines), (&mut self.csv, csv)];
        files.into_iter().filter_map(|(file, lines)| Some((file.as_mut()?, lines.as_deref()?)))
    }
}

/// The file of alerts.
#[derive(Debug)]
pub(crate) struct AlertFile(AppendFile);

impl AlertFile {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// When it cannot be opened, or holds something else than alerts.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        AppendFile::open(path, Kind::Alerts).map(Self)
    }

    /// Appends an alert.
    pub(crate) fn write(&mut self, alert: &AlertReport) -> anyhow::Result<()> {
        self.0.append(&(alert.json() + "\n"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Alerts,
    JsonLines,
    Csv,
}

#[derive(Debug)]
struct AppendFile {
    path: PathBuf,
    file: File,
}

impl AppendFile {
    fn open(path: &Path, kind: Kind) -> anyhow::Result<Self> {
        let what = if kind == Kind::Alerts { "alerts" } else { "windows" };
        let cannot = || format!("{} cannot be opened for the {what}", path.display());
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).with_context(cannot)?;
        let foreign = || {
            UsageError::new(format!(
                "{} is not a file of {what} of this version; name another one in [output]",
                path.display()
            ))
        };
        if !starts_as(kind, &mut file).with_context(cannot)? {
            return Err(foreign().into());
        }
        cut_torn_end(&mut file).with_context(cannot)?;
        let mut file = Self { path: path.to_owned(), file };
        if kind == Kind::Csv && file.file.metadata().with_context(cannot)?.len() == 0 {
            file.append(csv::WINDOW_HEADER)?;
        }
        Ok(file)
    }

    fn ends_with(&mut self, lines: &str) -> anyhow::Result<bool> {
        let cannot = || format!("{} cannot be read", self.path.display());
        let length = self.file.metadata().with_context(cannot)?.len();
        let Some(from) = length.checked_sub(lines.len() as u64) else { return Ok(false) };
        let mut end = Vec::new();
        self.file.seek(SeekFrom::Start(from)).with_context(cannot)?;
        (&self.file).take(lines.len() as u64).read_to_end(&mut end).with_context(cannot)?;
        Ok(end == lines.as_bytes())
    }

    /// Writes whole lines with one call, and waits until they are on the disk. Of lines that a full disk took in part
    /// nothing stays, so that the next ones begin on a line of their own.
    fn append(&mut self, lines: &str) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.path.display());
        let before = self.file.metadata().with_context(cannot)?.len();
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        written.inspect_err(|_| drop(self.file.set_len(before))).with_context(cannot)
    }
}

/// Whether a file is empty or begins as ours do; a file torn within its first bytes is one of ours.
fn starts_as(kind: Kind, file: &mut File) -> io::Result<bool> {
    let expected = match kind {
        Kind::Alerts => ALERT_START,
        Kind::JsonLines => JSON_START,
        Kind::Csv => csv::WINDOW_HEADER,
    };
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(expected.len() as u64).read_to_end(&mut start)?;
    Ok(expected.as_bytes().starts_with(&start))
}

fn cut_torn_end(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TORN_BYTES_MAX);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TORN_BYTES_MAX).read_to_end(&mut end)?;
    let whole = end.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    if whole < end.len() {
        file.set_len(from + whole as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        assemble::tests::view,
        report::{alert::tests::report, json::tests::scene},
    };

    fn config(folder: &Path) -> OutputConfig {
        let [json_lines, csv] = ["w.jsonl", "w.csv"].map(|name| Some(folder.join(name)));
        OutputConfig { json_lines, csv, alerts: None }
    }

    fn write(config: &OutputConfig) {
        let mut output = Output::open(config).unwrap();
        let lines = output.lines("gate", &scene(), &view()).unwrap();
        output.write(&lines).unwrap();
        assert!(!output.complete(&lines).unwrap(), "it is there");
    }

    #[test]
    fn windows_are_appended_and_a_torn_end_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        write(&config);
        let paths = [config.json_lines.clone().unwrap(), config.csv.clone().unwrap()];
        let [json, csv] = paths.clone().map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(json.lines().count(), 1);
        for path in &paths {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"{\"camera\":\"ga").unwrap();
        }
        write(&config);
        let [json_again, csv_again] = paths.map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(json_again, json.repeat(2));
        let rows = csv.strip_prefix(csv::WINDOW_HEADER).unwrap();
        assert_eq!(csv_again, format!("{csv}{rows}"), "the header comes once");
    }

    #[test]
    fn alerts_have_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        for _ in 0..2 {
            AlertFile::open(&path).unwrap().write(&report()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", report().json()).repeat(2));
        let config = OutputConfig { json_lines: Some(path), ..config(folder.path()) };
        let error = Output::open(&config).unwrap_err();
        assert!(error.is::<UsageError>(), "windows do not go into it: {error}");
    }

    #[test]
    fn files_of_somebody_else_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        for path in [config.json_lines.as_ref().unwrap(), config.csv.as_ref().unwrap()] {
            fs::write(path, "dear diary").unwrap();
            let error = Output::open(&config).unwrap_err();
            assert!(error.is::<UsageError>() && error.to_string().contains("another one"), "{error}");
            assert_eq!(fs::read_to_string(path).unwrap(), "dear diary");
            fs::remove_file(path).unwrap();
        }
    }
}
