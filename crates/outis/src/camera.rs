//! Cameras from start to end: launches their programs, passes on what the eyes say, and judges how
//! each run ended. It knows no report and no page.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use outis_record::{DisclosureError, NoRandomness, Notice, Outcome, Progress, SchemaError};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};

use crate::{
    alert::Brake,
    assemble::{Assembler, Breach, Checked},
    launch::{CameraPlan, Ended, LaunchError, Pair, Programs},
    reader::{ReadError, RecordReader},
    release::{Event, Gate, KernelRandomness},
};

/// How many reports may wait for the reader; an eye whose door is busy waits at its pipe.
const REPORTS_MAX: usize = 64;

/// How long an eye may take to tell its last totals after its source was stopped.
const LAST_WORDS_WAIT: Duration = Duration::from_secs(10);

/// Becomes true when the person at the terminal wants to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// A run that counted something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finish {
    pub(crate) outcome: Outcome,
    pub(crate) progress: Progress,
    /// What went wrong on the way, and how often.
    pub(crate) notices: BTreeMap<Notice, u32>,
    /// The person stopped it.
    pub(crate) stopped: bool,
}

impl Finish {
    /// Whether the whole source was counted.
    pub(crate) fn is_whole(&self) -> bool {
        let loses_frames = |notice: &Notice| match notice {
            Notice::DamagedPacket | Notice::UnsupportedFrame | Notice::Truncated | Notice::DetectorFault => {
                true
            }
            Notice::MissingTimestamp
            | Notice::TimestampJump
            | Notice::FormatChange
            | Notice::TooManyTracks => false,
        };
        self.outcome == Outcome::Complete && !self.stopped && !self.notices.keys().any(loses_frames)
    }
}

/// A run that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CameraError {
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// In the words of the program that refused.
    #[error("{0}")]
    Refused(String),
    /// Settings that the eye cannot use, in its words.
    #[error("{0}")]
    Settings(String),
    #[error("no frame of it could be decoded{hint}")]
    NothingDecoded { hint: String },
    #[error("its codec, or a feature of it, is not supported")]
    UnsupportedCodec,
    #[error("the eye was stopped: {0}; please report this")]
    Breach(#[from] Breach),
    #[error("the eye was stopped: {0}; please report this")]
    Read(#[from] ReadError),
    #[error("the eye ended without its last word ({0})")]
    Silent(String),
    #[error(
        "the kernel stopped {0}, because it asked for something that is not on its list; nothing of this run is told. \
         The source may have been made to take it over: keep it, and please report this"
    )]
    KernelStopped(&'static str),
    #[error("stopped before anything was counted")]
    Stopped,
}

/// Cameras that run side by side. Dropping it kills their programs.
#[derive(Debug)]
pub(crate) struct Fleet {
    reports: mpsc::Receiver<Report>,
    _tasks: JoinSet<()>,
}

/// What is heard of a camera, by its number.
#[derive(Debug)]
pub(crate) enum Report {
    Event(usize, Event),
    /// The camera's last report.
    End(usize, Result<Finish, CameraError>),
}

impl Fleet {
    /// Starts every camera. One that fails leaves the others alone.
    pub(crate) fn start(plans: Vec<CameraPlan>, programs: &Programs, stop: &Stop) -> Self {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let mut tasks = JoinSet::new();
        for (camera, plan) in plans.into_iter().enumerate() {
            let (programs, stop, sender) = (programs.clone(), stop.clone(), sender.clone());
            tasks.spawn(async move {
                let mut brake = Brake::new(&plan.alerts.terms);
                let end = run(camera, &plan, &programs, stop, &sender, &mut brake).await;
                let _ = sender.send(Report::End(camera, end)).await;
            });
        }
        Self { reports, _tasks: tasks }
    }

    /// The next report; `None` when all cameras have ended.
    pub(crate) async fn next(&mut self) -> Option<Report> {
        self.reports.recv().await
    }
}

/// Runs one camera until its source ends or somebody stops it.
///
/// What the eye says goes to `reports` under the camera's number, in the eye's order.
async fn run(
    camera: usize,
    plan: &CameraPlan,
    programs: &Programs,
    stop: Stop,
    reports: &mpsc::Sender<Report>,
    brake: &mut Brake,
) -> Result<Finish, CameraError> {
    let schema = plan.schema()?;
    let disclosure = plan.disclosure(&schema)?;
    let alerts = plan.alerts.terms.clone();
    let mut assembler = Assembler::new(schema.clone(), plan.timing()).with_alerts(alerts);
    let mut gate = Gate::new(schema, disclosure, KernelRandomness::default());
    let start = Instant::now();
    let mut pair = programs.launch(plan)?;
    let Some(records) = pair.take_records() else { return Err(CameraError::Silent("no pipe".into())) };
    let mut told = Told::default();
    let stopped = stop.clone();
    // An error drops the pair, which kills both programs.
    tokio::select! {
        spoken = async {
            let mut reader = RecordReader::new(records);
            while let Some(message) = reader.next().await? {
                let Some(checked) = assembler.take(message, start.elapsed())? else { continue };
                told.note(&checked);
                for event in gate.pass(checked)? {
                    if matches!(event, Event::Alert(_)) {
                        let Some(wait) = brake.hold() else { continue };
                        sleep(wait).await;
                    }
                    // Nobody listens only when the door itself is ending.
                    let _ = reports.send(Report::Event(camera, event)).await;
                }
            }
            Ok::<_, CameraError>(())
        } => spoken?,
        () = hush(stop, &mut pair) => {}
    }
    let stopped = *stopped.borrow();
    let intake = pair.intake.end().await;
    let eye = pair.eye.end().await;
    let end = judge(told, stopped, &intake, &eye);
    // An eye that died without a last word leaves its running window behind. How it died is known by now: only of
    // one that nothing speaks against is anything told.
    if let Err(CameraError::Silent(_) | CameraError::Stopped) = end {
        for event in gate.cut_short()? {
            let _ = reports.send(Report::Event(camera, event)).await;
        }
    }
    end
}

/// What an eye told about its run as a whole.
#[derive(Debug, Default)]
struct Told {
    notices: BTreeMap<Notice, u32>,
    end: Option<(Outcome, Progress)>,
}

impl Told {
    fn note(&mut self, checked: &Checked) {
        match checked {
            Checked::Notice(notice, count) => {
                let times = self.notices.entry(*notice).or_default();
                *times = times.saturating_add(*count);
            }
            Checked::End(outcome, progress) => self.end = Some((*outcome, *progress)),
            Checked::Window(..) | Checked::Progress(_) | Checked::Alert(_) => {}
        }
    }
}

/// Waits for the stop signal, ends the source, and lets the eye speak its last words for a while.
async fn hush(mut stop: Stop, pair: &mut Pair) {
    if stop.wait_for(|&stop| stop).await.is_err() {
        // Nobody can ask for a stop any more.
        std::future::pending::<()>().await;
    }
    pair.intake.kill();
    sleep(LAST_WORDS_WAIT).await;
    pair.eye.kill();
}

fn judge(told: Told, stopped: bool, intake: &Ended, eye: &Ended) -> Result<Finish, CameraError> {
    let Told { notices, end } = told;
    for (program, ended) in [("outis-eye", eye), ("outis-intake", intake)] {
        if ended.was_stopped_by_kernel() {
            return Err(CameraError::KernelStopped(program));
        }
    }
    match end {
        Some((outcome @ (Outcome::Complete | Outcome::Truncated), progress)) if progress.frames > 0 => {
            Ok(Finish { outcome, progress, notices, stopped })
        }
        _ if stopped => Err(CameraError::Stopped),
        // The intake knows best why nothing came: no such file, no video in it.
        _ if !intake.words.is_empty() && intake.failed() => Err(CameraError::Refused(intake.words.clone())),
        Some((Outcome::UnsupportedCodec, _)) => Err(CameraError::UnsupportedCodec),
        Some(_) => {
            let damaged = notices.contains_key(&Notice::DamagedPacket);
            let hint = if damaged { "; its data are damaged" } else { "; is it a video?" };
            Err(CameraError::NothingDecoded { hint: hint.into() })
        }
        None if eye.words.is_empty() => Err(CameraError::Silent(eye.describe())),
        None if eye.status.and_then(|status| status.code()) == Some(2) => {
            Err(CameraError::Settings(eye.words.clone()))
        }
        None => Err(CameraError::Refused(eye.words.clone())),
    }
}

impl Ended {
    fn failed(&self) -> bool {
        self.status.is_some_and(|status| !status.success())
    }

    /// Whether it asked the kernel for something that is not on its list.
    fn was_stopped_by_kernel(&self) -> bool {
        self.status.is_some_and(outis_jail::was_stopped)
    }

    fn describe(&self) -> String {
        self.status.map_or_else(|| "it had to be killed".into(), |status| status.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

    use super::*;

    fn ended(code: i32, words: &str) -> Ended {
        Ended { status: Some(ExitStatus::from_raw(code << 8)), words: words.into() }
    }

    /// Ended by SIGSYS.
    fn stopped() -> Ended {
        Ended { status: Some(ExitStatus::from_raw(31)), words: String::new() }
    }

    fn told(outcome: Outcome, frames: u32, notice: Option<Notice>) -> Told {
        let progress = Progress { frames, ..Progress::default() };
        Told {
            notices: notice.map(|notice| (notice, 3)).into_iter().collect(),
            end: Some((outcome, progress)),
        }
    }

    #[test]
    fn what_counts_as_whole() {
        let whole = |told, stopped| judge(told, stopped, &ended(0, ""), &ended(0, "")).unwrap().is_whole();
        let cases = [
            ("to the end", Outcome::Complete, None, false, true),
            ("broken off", Outcome::Truncated, Some(Notice::Truncated), false, false),
            ("damaged packets", Outcome::Complete, Some(Notice::DamagedPacket), false, false),
            ("timestamps repaired", Outcome::Complete, Some(Notice::MissingTimestamp), false, true),
            ("stopped by hand", Outcome::Truncated, None, true, false),
        ];
        for (name, outcome, notice, stopped, expected) in cases {
            assert_eq!(whole(told(outcome, 9, notice), stopped), expected, "{name}");
        }
    }

    #[test]
    fn failures_are_told_by_who_knows_best() {
        let fine = || ended(0, "");
        let nothing = || told(Outcome::NothingDecoded, 0, None);
        let cases = [
            ("no file", nothing(), ended(1, "x.avi: no such file"), fine(), "x.avi: no such file"),
            ("the model is refused", Told::default(), fine(), ended(1, "unknown hash"), "unknown hash"),
            ("bad zone", Told::default(), fine(), ended(2, "edges cross"), "edges cross"),
            ("text for video", nothing(), fine(), fine(), "is it a video"),
            (
                "damaged",
                told(Outcome::NothingDecoded, 0, Some(Notice::DamagedPacket)),
                fine(),
                fine(),
                "damaged",
            ),
            ("codec", told(Outcome::UnsupportedCodec, 0, None), fine(), fine(), "codec"),
            ("crash", Told::default(), fine(), ended(101, ""), "101"),
            ("taken over", Told::default(), fine(), stopped(), "the kernel stopped outis-eye"),
            (
                "its intake",
                told(Outcome::Truncated, 9, None),
                stopped(),
                fine(),
                "the kernel stopped outis-intake",
            ),
        ];
        for (name, told, intake, eye, part) in cases {
            let error = judge(told, false, &intake, &eye).unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
    }
}
