//! `outis verify`: is a published folder what the device has signed, all of it, and nothing else?

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use outis_ledger::{
    CHECKPOINT, Digest, PublicKey,
    verify::{Demands, Finding, Report, verify},
};
use serde::Serialize;

use crate::{
    exit::{Exit, UsageError},
    inventory,
    mirror::mirror,
    payload,
};

/// Check signed windows and the log of a device: nothing changed, missing, moved or added
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is as it was signed; 1 it is not, or cannot be read; 2 wrong usage."
)]
pub(crate) struct VerifyArgs {
    /// The published folder, the state folder it is in, or the https:// or http:// address where it is served
    #[arg(value_name = "FOLDER|URL")]
    folder: String,

    /// Authorities that may vouch for the server of an https:// address, in PEM, in place of those that this machine trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The device's public key, as its owner published it elsewhere
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// A checkpoint of this log that was kept earlier: the log must be a continuation of it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// The configuration that should be in force
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the windows that are right, as JSON lines, and the verdict to standard error
    #[arg(long, conflicts_with = "json")]
    windows: bool,

    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

/// Checks a folder and prints the verdict.
pub(crate) async fn run(arguments: &VerifyArgs) -> anyhow::Result<Exit> {
    let demands = demands(arguments)?;
    let copy = tempfile::tempdir().context("a folder for a copy")?;
    let folder = if arguments.folder.contains("://") {
        mirror(&arguments.folder, arguments.ca.as_deref(), copy.path()).await?;
        copy.path().to_owned()
    } else {
        public_folder(Path::new(&arguments.folder))?
    };
    let mut lines = Ok(());
    let report = verify(&folder, &demands, |seal, payload| {
        if arguments.windows && lines.is_ok() {
            lines = payload::line(seal, payload)
                .map_err(anyhow::Error::from)
                .and_then(|line| Ok(writeln!(io::stdout(), "{line}")?));
        }
    });
    let report = report.context("a file cannot be read")?;
    lines.context("the windows cannot be printed")?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&Verdict::new(&report))? + "\n"
    } else {
        sentences(&report, demands.key.is_some())
    };
    if arguments.windows {
        eprint!("{text}");
    } else {
        io::stdout().write_all(text.as_bytes()).context("the verdict cannot be printed")?;
    }
    Ok(if report.is_sound() { Exit::Whole } else { Exit::Nothing })
}

fn public_folder(folder: &Path) -> Result<PathBuf, UsageError> {
    let inside = folder.join("public");
    if inside.join(CHECKPOINT).exists() && !folder.join(CHECKPOINT).exists() {
        return Ok(inside);
    }
    let text = folder.to_string_lossy();
    if text.contains("://") {
        return Err(UsageError::new(
            "only folders are checked; mirror the address first, for instance with \
             `wget --mirror --no-parent --no-host-directories`, and check what it made",
        ));
    }
    if folder.is_dir() {
        Ok(folder.to_owned())
    } else {
        Err(UsageError::new(format!("{text} is not a folder")))
    }
}

fn demands(arguments: &VerifyArgs) -> Result<Demands, UsageError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| UsageError::new(format!("{} cannot be read: {error}", path.display())))
    };
    let text = |path: &Path| Ok(String::from_utf8_lossy(&read(path)?).into_owned());
    let key = |path: &Path| {
        let wrong = |error| UsageError::new(format!("{}: {error}", path.display()));
        PublicKey::parse(&text(path)?).map_err(wrong)
    };
    let configuration = |path: &Path| -> Result<Digest, UsageError> {
        Ok(inventory::configuration(path, &text(path)?).digest)
    };
    Ok(Demands {
        key: arguments.key.as_deref().map(key).transpose()?,
        since: arguments.since.as_deref().map(read).transpose()?,
        configuration: arguments.config.as_deref().map(configuration).transpose()?,
    })
}

/// The verdict for people.
fn sentences(report: &Report, pinned: bool) -> String {
    let device = report.device.as_deref().unwrap_or("unknown device");
    let mut text =
        format!("{device}: entries {}, windows {}, runs {}\n", report.entries, report.windows, report.runs);
    let told = [
        ("runs that did not end in order, by a power cut or a kill", report.interrupted),
        ("windows dropped by the device to make room, as its log says", report.dropped),
        ("windows that the device could not write, as its log says", report.lost),
        ("times the device's clock was set, as its log says", report.clocks_set),
        ("seconds in which a camera was paused", report.paused_s),
        ("pictures of a street with nobody in it, shown to draw lines", report.stills),
    ];
    for (what, count) in told.into_iter().filter(|(_, count)| *count > 0) {
        text += &format!("note: {what}: {count}\n");
    }
    if !pinned && report.device.is_some() {
        text += "note: the key was taken from the folder itself; --key holds it to one that you trust\n";
    }
    for Finding { kind, place, sentence } in &report.findings {
        text += &format!("{}: {place}: {sentence}\n", kind.name());
    }
    if report.more_findings > 0 {
        text += &format!("and {} more findings\n", report.more_findings);
    }
    text += &match report.findings.len() as u64 + report.more_findings {
        0 => "sound: every window is there, once, in its place, as it was signed\n".to_owned(),
        1 => "NOT SOUND: 1 finding\n".to_owned(),
        count => format!("NOT SOUND: {count} findings\n"),
    };
    text
}

/// The verdict for programs.
#[derive(Serialize)]
struct Verdict<'a> {
    sound: bool,
    device: Option<&'a str>,
    entries: u64,
    root: Option<String>,
    windows: u64,
    dropped: u64,
    lost: u64,
    runs: u64,
    interrupted: u64,
    clocks_set: u64,
    paused_s: u64,
    stills: u64,
    findings: Vec<FindingReport<'a>>,
    more_findings: u64,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    kind: &'static str,
    place: &'a str,
    sentence: &'a str,
}

impl<'a> Verdict<'a> {
    fn new(report: &'a Report) -> Self {
        let finding = |finding: &'a Finding| FindingReport {
            kind: finding.kind.name(),
            place: &finding.place,
            sentence: &finding.sentence,
        };
        Self {
            sound: report.is_sound(),
            device: report.device.as_deref(),
            entries: report.entries,
            root: report.root.map(|root| root.to_string()),
            windows: report.windows,
            dropped: report.dropped,
            lost: report.lost,
            runs: report.runs,
            interrupted: report.interrupted,
            clocks_set: report.clocks_set,
            paused_s: report.paused_s,
            stills: report.stills,
            findings: report.findings.iter().map(finding).collect(),
            more_findings: report.more_findings,
        }
    }
}
