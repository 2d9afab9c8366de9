//! Checks a published folder: is everything there that was ever signed, unchanged, in its order, and nothing else?
//!
//! It takes the word of the device's key and of nothing else. Everything found is told, as far as the limit, each
//! with where it is; what can no longer be judged because of a finding is not guessed.

mod files;
mod story;
mod tree;
mod windows;

use std::{fmt, io, path::Path};

pub use files::{Files, ListError};

use crate::{
    CHECKPOINT_BYTES_MAX, Checkpoint, Digest, NoteError, PublicKey, PublicKeyError, Seal, durable,
    layout::{CHECKPOINT, PUBLIC_KEY},
};

/// The most findings that are told one by one.
const FINDINGS_MAX: usize = 200;

/// What the verifier is asked to hold the folder to, beside itself.
#[derive(Debug, Default)]
pub struct Demands {
    /// The device's key, as its owner published it elsewhere.
    pub key: Option<PublicKey>,
    /// A checkpoint of this log that somebody has kept.
    pub since: Option<Vec<u8>>,
    /// The configuration that should be in force.
    pub configuration: Option<Digest>,
}

/// What a folder holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The device's name.
    pub device: Option<String>,
    /// Entries of the log.
    pub entries: u64,
    /// Its root.
    pub root: Option<Digest>,
    /// Windows that are there and right.
    pub windows: u64,
    /// Windows that the device says it has dropped to make room.
    pub dropped: u64,
    /// Windows that the device says it could not write.
    pub lost: u64,
    /// Starts of the door.
    pub runs: u64,
    /// Runs that did not end in order.
    pub interrupted: u64,
    /// How often the clock was set.
    pub clocks_set: u64,
    /// Seconds in which a camera was paused.
    pub paused_s: u64,
    /// Pictures of a street with nobody in it that were shown to somebody who draws lines.
    pub stills: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many more findings there are.
    pub more_findings: u64,
}

/// Something that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was done.
    pub kind: Kind,
    /// Where.
    pub place: String,
    /// One sentence about it.
    pub sentence: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something is not what was signed.
    Changed,
    /// Something is gone.
    Missing,
    /// Something stands in another place.
    Reordered,
    /// Something is there that was not logged, or is there twice.
    Added,
    /// Something the device has not signed.
    Unsigned,
    /// A window was made with a configuration that the log does not declare.
    Undeclared,
    /// The log is not a continuation of what it was.
    RolledBack,
    /// Another device's key.
    WrongKey,
    /// The device itself has logged what cannot be.
    Inconsistent,
}

impl Kind {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Added => "added",
            Self::Unsigned => "unsigned",
            Self::Undeclared => "undeclared",
            Self::RolledBack => "rolled-back",
            Self::WrongKey => "wrong-key",
            Self::Inconsistent => "inconsistent",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.sentence)
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, kind: Kind, place: impl Into<String>, sentence: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { kind, place: place.into(), sentence: sentence.into() });
        } else {
            self.more_findings += 1;
        }
    }
}

/// Checks a folder. Each window that is right is shown to `seen`, in order.
///
/// # Errors
/// When a file cannot be read, as opposed to not being there.
pub fn verify(public: &Path, demands: &Demands, mut seen: impl FnMut(&Seal, &[u8])) -> io::Result<Report> {
    let mut report = Report::default();
    let Some(key) = key(public, demands, &mut report)? else { return Ok(report) };
    report.device = Some(key.name().to_owned());
    let Some(checkpoint) = checkpoint(public, &key, &mut report)? else { return Ok(report) };
    (report.entries, report.root) = (checkpoint.size, Some(checkpoint.root));
    let Some(entries) = tree::check(public, &checkpoint, &mut report)? else { return Ok(report) };
    if let Some(since) = &demands.since {
        continues(since, &entries, &key, &mut report);
    }
    let story = story::check(&entries, &mut report);
    if demands.configuration.is_some_and(|wanted| story.configuration() != Some(wanted)) {
        let declared = story.configuration().map_or("none".into(), |digest| digest.to_string());
        report.find(
            Kind::Undeclared,
            "the last start",
            format!("the configuration in force is not the one given; the log declares {declared}"),
        );
    }
    windows::check(public, &key, &story, &mut report, &mut seen)?;
    Ok(report)
}

/// The key to believe: the pinned one, else the published one.
fn key(public: &Path, demands: &Demands, report: &mut Report) -> io::Result<Option<PublicKey>> {
    let text = durable::read(&public.join(PUBLIC_KEY), 4096)?;
    // One line, exactly as the device writes it.
    let exact = |text: &str| PublicKey::parse(text).ok().filter(|key| format!("{key}\n") == text);
    let published =
        text.as_deref().map(|text| std::str::from_utf8(text).ok().and_then(exact).ok_or(PublicKeyError));
    match (&published, &demands.key) {
        (None, _) => report.find(Kind::Missing, PUBLIC_KEY, "the public key is missing"),
        (Some(Err(error)), _) => report.find(Kind::Changed, PUBLIC_KEY, error.to_string()),
        (Some(Ok(published)), Some(pinned)) if published != pinned => {
            let sentence = format!("it is the key of {}, not of {}", published.name(), pinned.name());
            report.find(Kind::WrongKey, PUBLIC_KEY, sentence);
        }
        (Some(Ok(_)), _) => {}
    }
    Ok(demands.key.clone().or_else(|| published?.ok()))
}

fn checkpoint(public: &Path, key: &PublicKey, report: &mut Report) -> io::Result<Option<Checkpoint>> {
    let Some(note) = durable::read(&public.join(CHECKPOINT), CHECKPOINT_BYTES_MAX)? else {
        report.find(Kind::Missing, CHECKPOINT, "the checkpoint is missing, so nothing can be checked");
        return Ok(None);
    };
    match Checkpoint::open(&note, key) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(error) => {
            let kind = match error {
                NoteError::Malformed => Kind::Changed,
                NoteError::Origin(_) => Kind::WrongKey,
                NoteError::Unsigned => Kind::Unsigned,
            };
            report.find(kind, CHECKPOINT, format!("{error}, so nothing can be checked"));
            Ok(None)
        }
    }
}

/// Whether the log begins with all that an older checkpoint covers.
fn continues(since: &[u8], entries: &tree::Entries, key: &PublicKey, report: &mut Report) {
    let place = "the older checkpoint";
    let older = match Checkpoint::open(since, key) {
        Ok(older) => older,
        Err(error) => return report.find(Kind::WrongKey, place, format!("{error}")),
    };
    match usize::try_from(older.size).ok().and_then(|size| entries.leaves.get(..size)) {
        None => {
            let sentence = format!(
                "it covers {} entries, the log has only {}: the log was cut back",
                older.size,
                entries.leaves.len()
            );
            report.find(Kind::RolledBack, place, sentence);
        }
        Some(leaves) if crate::root(leaves) != older.root => {
            let sentence =
                format!("the first {} entries are not those it covers: the log was rewritten", older.size);
            report.find(Kind::RolledBack, place, sentence);
        }
        Some(_) => {}
    }
}
