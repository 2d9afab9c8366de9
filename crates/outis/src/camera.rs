//! Cameras side by side, and how a run of one ended. How one is run, and run again, is told in `run` and `supervise`.
//! It knows no report and no page.

use std::collections::BTreeMap;

use outis_record::{DisclosureError, NoRandomness, Notice, Outcome, Progress, SchemaError};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    assemble::{Breach, Checked},
    launch::{CameraPlan, Ended, LaunchError, Programs},
    reader::ReadError,
    release::Event,
    run::{Calls, Way},
    supervise,
};

/// How many reports may wait for the reader; an eye whose door is busy waits at its pipe.
const REPORTS_MAX: usize = 64;

/// How many orders may wait for a camera.
const ORDERS_MAX: usize = 1;

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
        let is_grave = |notice: &Notice| match notice {
            Notice::DamagedPacket
            | Notice::UnsupportedFrame
            | Notice::Truncated
            | Notice::DetectorFault
            | Notice::CameraMoved
            | Notice::GroundDoubted => true,
            Notice::MissingTimestamp
            | Notice::TimestampJump
            | Notice::FormatChange
            | Notice::TooManyTracks
            | Notice::Behind => false,
        };
        self.outcome == Outcome::Complete && !self.stopped && !self.notices.keys().any(is_grave)
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
    #[error(
        "its picture is {} x {} now, another shape than the {} x {} that lines and zones were drawn in, so nobody knows where \
         they are in it; set the camera back, or draw them anew", seen_px[0], seen_px[1], drawn_px[0], drawn_px[1]
    )]
    OtherShape { seen_px: [u32; 2], drawn_px: [u32; 2] },
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

impl CameraError {
    /// Whether it speaks against the eye or the intake itself: then nothing that it said is believed.
    pub(crate) fn is_grave(&self) -> bool {
        matches!(self, Self::Breach(_) | Self::Read(ReadError::Malformed(_)) | Self::KernelStopped(_))
    }

    /// Whether it would come again however often the camera is started.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self, Self::Schema(_) | Self::Disclosure(_) | Self::Settings(_))
    }
}

/// Cameras that run side by side. Dropping it kills their programs.
#[derive(Debug)]
pub(crate) struct Fleet {
    programs: Programs,
    stop: Stop,
    sender: mpsc::Sender<Report>,
    reports: mpsc::Receiver<Report>,
    /// By the cameras' numbers; of one that has ended, nobody listens.
    orders: Vec<mpsc::Sender<Order>>,
    /// To when each is paused.
    pauses: Vec<watch::Sender<Option<Instant>>>,
    at_work: usize,
    tasks: JoinSet<()>,
}

/// What is heard of a camera, by its number.
#[derive(Debug)]
pub(crate) enum Report {
    Event(usize, Event),
    /// Its eye has told its progress, whether or not that may be told on.
    Alive(usize),
    /// Its programs have ended, for this reason, and will be started again; whether they broke the rules.
    Down {
        camera: usize,
        why: String,
        grave: bool,
    },
    /// Its substream is away, for this reason: it is watched without, until its programs are started again.
    SubstreamAway {
        camera: usize,
        why: String,
    },
    /// Nobody looks at it, for as long as somebody wants it so: its programs are gone.
    Paused(usize),
    /// It will be looked at again.
    Resumed(usize),
    /// The wall clock was set: its windows before this are of the old one, those after it of the new one.
    ClockSet(usize),
    /// From here on it is watched by another plan.
    Changed(usize, Box<CameraPlan>),
    /// The camera's last report.
    End(usize, Result<Finish, CameraError>),
}

/// What a camera is told to do while it runs.
#[derive(Debug)]
pub(crate) enum Order {
    /// Go on by another plan.
    Change(Box<CameraPlan>),
    /// End.
    Leave,
}

impl Fleet {
    /// A fleet without cameras.
    pub(crate) fn new(programs: &Programs, stop: &Stop) -> Self {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let (programs, stop, tasks) = (programs.clone(), stop.clone(), JoinSet::new());
        Self { programs, stop, sender, reports, orders: Vec::new(), pauses: Vec::new(), at_work: 0, tasks }
    }

    /// Starts a camera, a new one or one that has ended; one that is paused when that is over. One that fails leaves the
    /// others alone.
    ///
    /// # Panics
    /// When its number is neither that of a camera nor the next one.
    pub(crate) fn begin(&mut self, camera: usize, plan: CameraPlan, paused: Option<Instant>) {
        let (order, orders) = mpsc::channel(ORDERS_MAX);
        let (sender, pause) = watch::channel(paused);
        if camera < self.orders.len() {
            (self.orders[camera], self.pauses[camera]) = (order, sender);
        } else {
            assert_eq!(camera, self.orders.len(), "the next number");
            self.orders.push(order);
            self.pauses.push(sender);
        }
        self.at_work += 1;
        let (programs, sender) = (self.programs.clone(), self.sender.clone());
        let calls = Calls::new(self.stop.clone(), orders, pause);
        self.tasks.spawn(async move {
            let end = match Way::new(camera, &plan, sender.clone()) {
                Ok(way) if plan.is_renewed() => supervise::again_and_again(plan, &programs, way, calls).await,
                Ok(way) => supervise::once(&plan, &programs, way, calls).await,
                Err(error) => Err(error),
            };
            // Nobody listens only when the door itself is ending.
            let _ = sender.send(Report::End(camera, end)).await;
        });
    }

    /// Whether a camera has not ended.
    pub(crate) fn is_at_work(&self, camera: usize) -> bool {
        self.orders.get(camera).is_some_and(|orders| !orders.is_closed())
    }

    /// Whether an order for a camera waits.
    pub(crate) fn is_busy(&self, camera: usize) -> bool {
        self.orders.get(camera).is_some_and(|orders| orders.capacity() == 0)
    }

    /// Gives an order to a camera that is not busy; one that has just ended takes none.
    pub(crate) fn order(&self, camera: usize, order: Order) {
        if let Some(orders) = self.orders.get(camera) {
            // It fails for a camera that has ended, and that is told.
            let _ = orders.try_send(order);
        }
    }

    /// Has a camera's programs ended at once, and started again when the pause is over. It says so when they are gone.
    pub(crate) fn pause(&self, camera: usize, until: Instant) {
        if let Some(pause) = self.pauses.get(camera) {
            pause.send_replace(Some(until));
        }
    }

    /// The next report; `None` when all cameras have ended. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<Report> {
        if self.at_work == 0 {
            return None;
        }
        let report = self.reports.recv().await;
        if let Some(Report::End(..)) = report {
            self.at_work -= 1;
            // Whoever has ended leaves no trace.
            while self.tasks.try_join_next().is_some() {}
        }
        report
    }
}

/// What an eye told about its run as a whole.
#[derive(Debug, Default)]
pub(crate) struct Told {
    notices: BTreeMap<Notice, u32>,
    end: Option<(Outcome, Progress)>,
}

impl Told {
    /// How often the detector had looked at the end.
    pub(crate) fn looks(&self) -> u32 {
        self.end.map_or(0, |(_, progress)| progress.looks)
    }

    pub(crate) fn note(&mut self, checked: &Checked) {
        match checked {
            Checked::Notice(notice, count) => {
                let times = self.notices.entry(*notice).or_default();
                *times = times.saturating_add(*count);
            }
            Checked::End(outcome, progress) => self.end = Some((*outcome, *progress)),
            Checked::Window(..) | Checked::Progress(_) | Checked::Alert(_) | Checked::GroundView(..) => {}
        }
    }
}

/// Shapes that differ by less than this are the same, as the eye judges them.
const SHAPE_TOLERANCE: f64 = 0.02;

/// Whether a run ended because of the picture's shape: what the newest one was and what lines were drawn in.
fn other_shape(told: &Told, drawn_px: Option<[u32; 2]>) -> Option<CameraError> {
    let Some((Outcome::Truncated, progress)) = told.end else { return None };
    let (seen_px, drawn_px) = ([progress.width_px, progress.height_px].map(u32::from), drawn_px?);
    let shape = |[width, height]: [u32; 2]| f64::from(width) / f64::from(height);
    let differs = (shape(seen_px) / shape(drawn_px) - 1.0).abs() > SHAPE_TOLERANCE;
    (differs && !seen_px.contains(&0)).then_some(CameraError::OtherShape { seen_px, drawn_px })
}

/// How a run ended, by who knows best. `drawn_px` is the size of the picture that lines and zones are for.
pub(crate) fn judge(
    told: Told,
    stopped: bool,
    drawn_px: Option<[u32; 2]>,
    intake: &Ended,
    eye: &Ended,
) -> Result<Finish, CameraError> {
    let other_shape = other_shape(&told, drawn_px).filter(|_| !stopped);
    let Told { notices, end } = told;
    for (program, ended) in [("outis-eye", eye), ("outis-intake", intake)] {
        if ended.was_stopped_by_kernel() {
            return Err(CameraError::KernelStopped(program));
        }
    }
    if let Some(error) = other_shape {
        return Err(error);
    }
    match end {
        Some((outcome @ (Outcome::Complete | Outcome::Truncated), progress)) if progress.frames > 0 => {
            Ok(Finish { outcome, progress, notices, stopped })
        }
        _ if stopped => Err(CameraError::Stopped),
        // The intake knows best why nothing came: no such file, no video in it.
        _ if !intake.reason().is_empty() => Err(CameraError::Refused(intake.reason().into())),
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
    /// Whether it says itself that something went wrong.
    fn failed(&self) -> bool {
        self.status.is_some_and(|status| !status.success())
    }

    /// What it said of its end, if something went wrong.
    pub(crate) fn reason(&self) -> &str {
        if self.failed() { &self.words } else { "" }
    }

    /// Whether it asked the kernel for something that is not on its list.
    pub(crate) fn was_stopped_by_kernel(&self) -> bool {
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
        let whole =
            |told, stopped| judge(told, stopped, None, &ended(0, ""), &ended(0, "")).unwrap().is_whole();
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
            let error = judge(told, false, None, &intake, &eye).unwrap_err().to_string();
            assert!(error.contains(part), "{name}: {error}");
        }
    }

    #[test]
    fn a_picture_of_another_shape_is_a_fault_with_both_sizes() {
        let cases = [
            ("the same", (1280, 720), Some([1280, 720]), false),
            ("smaller", (640, 360), Some([1280, 720]), false),
            ("coded height", (1920, 1088), Some([1920, 1080]), false),
            ("a television's", (640, 480), Some([1280, 720]), true),
            ("nothing was drawn for a picture", (640, 480), None, false),
            ("no picture came", (0, 0), Some([1280, 720]), false),
        ];
        for (name, (width_px, height_px), drawn_px, is_fault) in cases {
            let told = || Told {
                end: Some((
                    Outcome::Truncated,
                    Progress { frames: 9, width_px, height_px, ..Progress::default() },
                )),
                ..Told::default()
            };
            let judged = |stopped| judge(told(), stopped, drawn_px, &ended(0, ""), &ended(0, ""));
            assert_eq!(judged(false).is_err(), is_fault, "{name}");
            assert!(judged(true).is_ok(), "{name}: stopped by hand");
            if let Err(error) = judged(false) {
                let said = error.to_string();
                assert!(said.contains("640 x 480") && said.contains("1280 x 720"), "{said}");
                assert!(!error.is_grave() && !error.is_lasting(), "the camera may be set back");
            }
        }
    }
}
