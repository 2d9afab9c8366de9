//! How the cameras and the ledger are, for those who look after many devices: `/metrics` and `/health`.
//!
//! Nothing that a profile withholds: no count, no moment, and where figures have noise, times in coarse steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use outis_record::{Notice, Progress, WindowState};

use crate::{
    camera::{CameraError, Finish},
    config::Camera,
    release::Event,
    report::notice_kind,
};

/// With noise, the time since an eye last spoke is told in steps of this: its rhythm is nobody's business, and one that
/// is silent for longer is ended.
const SILENCE_STEP_S: u64 = 15;

/// Shared by who knows and who asks.
#[derive(Debug, Clone)]
pub(crate) struct Vitals(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    cameras: Vec<CameraVitals>,
    ledger: LedgerVitals,
    folder: PathBuf,
}

/// How the keeping of windows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LedgerVitals {
    /// Windows wait for a disk that takes them.
    pub(crate) waiting: bool,
    /// A window is in the ledger and not in the owner's files.
    pub(crate) files_behind: bool,
}

#[derive(Debug)]
struct CameraVitals {
    name: String,
    exact: bool,
    live: bool,
    /// Whether its substream is there, of one that has one.
    substream: Option<bool>,
    condition: Condition,
    starts: u64,
    alive: Option<Instant>,
    progress: Progress,
    /// Of the newest window that is over.
    observed_ms: Option<u64>,
    notices: BTreeMap<Notice, u64>,
    /// Of what lasts: the newest window that is over had it.
    lasting: BTreeSet<Notice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Starting,
    Running,
    Away(String),
    /// As somebody asked: no fault.
    Paused,
    Ended,
    Failed(String),
}

impl Vitals {
    /// Cameras that have not begun yet, and the folder of their ledger.
    pub(crate) fn new(cameras: &[Camera], folder: PathBuf) -> Self {
        let cameras = cameras.iter().map(CameraVitals::new).collect();
        Self(Arc::new(Mutex::new(State { cameras, ledger: LedgerVitals::default(), folder })))
    }

    /// Takes what may be told of a camera.
    pub(crate) fn event(&self, camera: usize, event: &Event) {
        self.camera(camera, |camera| match event {
            Event::Progress(progress) | Event::End(_, progress) => camera.progress = *progress,
            Event::Notice(notice, count) => {
                *camera.notices.entry(*notice).or_default() += u64::from(*count);
                if matches!(notice, Notice::CameraMoved | Notice::GroundDoubted) {
                    camera.lasting.insert(*notice);
                }
            }
            Event::Window(window) if window.state != WindowState::Open => {
                camera.observed_ms = Some(window.observed_ms);
                // The faults of a window come after it: while they last they are said again.
                camera.lasting.clear();
            }
            Event::Window(_) | Event::Draft(_) | Event::Alert(_) | Event::GroundView(..) => {}
        });
    }

    /// Its eye has told its progress.
    pub(crate) fn alive(&self, camera: usize) {
        self.camera(camera, |camera| {
            (camera.condition, camera.alive) = (Condition::Running, Some(Instant::now()));
        });
    }

    /// It is away, and will be started again.
    pub(crate) fn down(&self, camera: usize, why: &str) {
        self.camera(camera, |camera| {
            camera.condition = Condition::Away(why.to_owned());
            camera.starts += 1;
            camera.await_substream();
        });
    }

    /// Its substream is away, and it is watched without.
    pub(crate) fn substream_away(&self, camera: usize) {
        self.camera(camera, |camera| camera.substream = Some(false));
    }

    /// It is paused, because somebody asked for it.
    pub(crate) fn paused(&self, camera: usize) {
        self.camera(camera, |camera| camera.condition = Condition::Paused);
    }

    /// Its pause is over.
    pub(crate) fn resumed(&self, camera: usize) {
        self.camera(camera, |camera| {
            camera.condition = Condition::Starting;
            camera.await_substream();
        });
    }

    /// It has ended.
    pub(crate) fn end(&self, camera: usize, end: &Result<Finish, CameraError>) {
        self.camera(camera, |camera| {
            camera.condition = match end {
                Ok(_) => Condition::Ended,
                Err(error) => Condition::Failed(error.to_string()),
            };
        });
    }

    /// It begins, with this number, or goes on by another plan.
    pub(crate) fn begin(&self, index: usize, camera: &Camera) {
        let begun = CameraVitals::new(camera);
        let cameras = &mut self.lock().cameras;
        match cameras.get_mut(index) {
            Some(camera) => *camera = CameraVitals { starts: camera.starts, ..begun },
            None => cameras.push(begun),
        }
    }

    /// How the ledger is now.
    pub(crate) fn ledger(&self, ledger: LedgerVitals) {
        self.lock().ledger = ledger;
    }

    /// What is wrong, a line each; none when every camera runs and every window is written.
    pub(crate) fn faults(&self) -> Vec<String> {
        let state = self.lock();
        let fault = |camera: &CameraVitals| {
            let name = &camera.name;
            match &camera.condition {
                Condition::Running => camera.lasting.first().map(|lasting| {
                    let what = match lasting {
                        Notice::GroundDoubted => {
                            "people who walk by do not fit its ground plane, and what is measured in metres is withheld: set it back, or \
                             find the ground anew with `outis calibrate`"
                        }
                        _ => {
                            "its view is another one than before: moved, covered or out of focus? Set it back; if it is to stay so, \
                             draw its lines anew"
                        }
                    };
                    format!("camera \"{name}\": {what}")
                }),
                Condition::Paused | Condition::Ended => None,
                Condition::Starting => Some(format!("camera \"{name}\": starting")),
                Condition::Away(why) => Some(format!("camera \"{name}\": away: {why}")),
                Condition::Failed(why) => Some(format!("camera \"{name}\": failed: {why}")),
            }
        };
        let cameras = state.cameras.iter().filter_map(fault);
        let waiting =
            state.ledger.waiting.then(|| "ledger: windows wait for a disk that takes them".to_owned());
        let behind =
            state.ledger.files_behind.then(|| "files: a window is in the ledger and not in them".to_owned());
        cameras.chain(waiting).chain(behind).collect()
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn metrics(&self) -> String {
        let state = self.lock();
        let mut page = MetricsPage::default();
        let cameras = &state.cameras;
        page.family("outis_camera_up", "gauge", "Whether the camera's eye is at work.", cameras, |camera| {
            Some(f64::from(u8::from(camera.condition == Condition::Running)))
        });
        let restarts = "How often the camera's programs ended and were to be started again.";
        page.family("outis_camera_restarts_total", "counter", restarts, cameras, |camera| {
            camera.live.then_some(camera.starts as f64)
        });
        let substream =
            "Whether the camera's substream is watched, too; 0 until it is started again after a loss.";
        page.family("outis_camera_substream_up", "gauge", substream, cameras, |camera| {
            let is_there = camera.substream? && camera.condition == Condition::Running;
            Some(f64::from(u8::from(is_there)))
        });
        let silence =
            "Seconds since the eye last told its progress; in steps of 15 where figures have noise.";
        page.family("outis_camera_silence_seconds", "gauge", silence, cameras, |camera| {
            let silence_s = camera.alive?.elapsed().as_secs();
            let step_s = if camera.exact { 1 } else { SILENCE_STEP_S };
            Some((silence_s - silence_s % step_s) as f64)
        });
        let observed = "Seconds for which the newest window that is over was observed.";
        page.family("outis_camera_window_observed_seconds", "gauge", observed, cameras, |camera| {
            camera.observed_ms.map(|ms| ms as f64 / 1000.0)
        });
        let looks = "Looks of the detector since the eye's start, as far as the profile tells them.";
        page.family("outis_camera_looks_total", "counter", looks, cameras, |camera| {
            Some(f64::from(camera.progress.looks))
        });
        page.head(
            "outis_camera_notices_total",
            "counter",
            "Faults that the eye survived, by kind; with noise, windows with such faults.",
        );
        for CameraVitals { name, notices, .. } in cameras {
            for (notice, count) in notices {
                let kind = notice_kind(*notice);
                page.line("outis_camera_notices_total", &[("camera", name), ("kind", kind)], *count as f64);
            }
        }
        let flag = |flag: bool| f64::from(u8::from(flag));
        page.head("outis_ledger_waiting", "gauge", "Whether windows wait for a disk that takes them.");
        page.line("outis_ledger_waiting", &[], flag(state.ledger.waiting));
        page.head(
            "outis_files_behind",
            "gauge",
            "Whether a window is in the ledger and not in the owner's files.",
        );
        page.line("outis_files_behind", &[], flag(state.ledger.files_behind));
        if let Ok(disk) = rustix::fs::statvfs(&state.folder) {
            page.head("outis_disk_free_bytes", "gauge", "Room on the disk of the ledger.");
            page.line("outis_disk_free_bytes", &[], (disk.f_bavail.saturating_mul(disk.f_frsize)) as f64);
        }
        page.0
    }

    fn camera(&self, camera: usize, change: impl FnOnce(&mut CameraVitals)) {
        if let Some(camera) = self.lock().cameras.get_mut(camera) {
            change(camera);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values: there is no half of a change that could be seen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CameraVitals {
    fn new(camera: &Camera) -> Self {
        Self {
            name: camera.name.as_str().to_owned(),
            exact: camera.plan.profile.is_exact(),
            live: camera.plan.source.is_live(),
            substream: camera.plan.substream.as_ref().map(|_| true),
            condition: Condition::Starting,
            starts: 0,
            alive: None,
            progress: Progress::default(),
            observed_ms: None,
            notices: BTreeMap::new(),
            lasting: BTreeSet::new(),
        }
    }

    /// With its programs its substream is started again, too.
    fn await_substream(&mut self) {
        self.substream = self.substream.map(|_| true);
    }
}

/// A page in the text format of Prometheus, version 0.0.4.
#[derive(Debug, Default)]
struct MetricsPage(String);

impl MetricsPage {
    fn family(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        cameras: &[CameraVitals],
        value: impl Fn(&CameraVitals) -> Option<f64>,
    ) {
        self.head(name, kind, help);
        for camera in cameras {
            if let Some(value) = value(camera) {
                self.line(name, &[("camera", &camera.name)], value);
            }
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assemble::tests::view, config::tests::setup, report::json::tests::finish};

    const CAMERAS: &str = "[[camera]]\nname = \"a \\\"gate\\\"\"\nsource = \"rtsp://a/1\"\n\n[[camera]]\nname = \"film\"\nsource = \"a.avi\"\n";

    fn vitals() -> Vitals {
        Vitals::new(&setup(CAMERAS).cameras, "/".into())
    }

    #[test]
    fn a_device_is_well_when_all_cameras_run_and_all_windows_are_written() {
        let vitals = vitals();
        assert_eq!(vitals.faults().len(), 2, "both are starting");
        vitals.alive(0);
        vitals.alive(1);
        assert_eq!(vitals.faults(), [""; 0]);
        vitals.down(0, "cannot be reached");
        vitals.end(1, &Err(CameraError::UnsupportedCodec));
        vitals.ledger(LedgerVitals { waiting: true, files_behind: true });
        let faults = vitals.faults();
        for (fault, part) in
            faults.iter().zip(["away: cannot be reached", "failed: its codec", "ledger:", "files:"])
        {
            assert!(fault.contains(part), "{fault}");
        }
        assert_eq!(faults.len(), 4);
    }

    #[test]
    fn a_camera_with_another_view_is_not_well_until_a_window_without_that_fault() {
        let vitals = vitals();
        vitals.alive(0);
        vitals.end(1, &Ok(finish()));
        let window = || Event::Window(view());
        for (event, well) in [
            (Event::Notice(Notice::Behind, 1), true),
            (Event::Notice(Notice::CameraMoved, 1), false),
            (Event::Progress(Progress::default()), false),
            (window(), true),
            (Event::Notice(Notice::CameraMoved, 1), false),
        ] {
            vitals.event(0, &event);
            let faults = vitals.faults();
            assert_eq!(faults.is_empty(), well, "{event:?}");
            assert!(well || faults[0].contains("another one"), "{faults:?}");
        }
        vitals.event(0, &window());
        vitals.event(0, &Event::Notice(Notice::GroundDoubted, 1));
        assert!(vitals.faults()[0].contains("ground plane"), "{:?}", vitals.faults());
    }

    #[test]
    fn a_substream_that_is_away_is_told_until_it_is_started_again() {
        let with = "[[camera]]\nname = \"gate\"\nsource = \"rtsp://a/1\"\nsubstream = \"rtsp://a/2\"\n";
        let vitals = Vitals::new(&setup(with).cameras, "/".into());
        let tells = |vitals: &Vitals, up: u8| {
            let line = format!("outis_camera_substream_up{{camera=\"gate\"}} {up}");
            vitals.metrics().lines().any(|have| have == line)
        };
        assert!(tells(&vitals, 0), "starting");
        vitals.alive(0);
        assert!(tells(&vitals, 1));
        vitals.substream_away(0);
        vitals.alive(0);
        assert!(tells(&vitals, 0) && vitals.faults().is_empty(), "it is counted without");
        vitals.down(0, "away");
        vitals.alive(0);
        assert!(tells(&vitals, 1));
        assert!(!self::vitals().metrics().contains("outis_camera_substream_up{"), "who has none tells none");
    }

    #[test]
    fn metrics_have_the_form_of_prometheus() {
        let vitals = vitals();
        vitals.alive(0);
        vitals.down(0, "away");
        vitals.alive(0);
        vitals.event(0, &Event::Notice(Notice::DamagedPacket, 2));
        let page = vitals.metrics();
        for line in [
            "outis_camera_up{camera=\"a \\\"gate\\\"\"} 1",
            "outis_camera_up{camera=\"film\"} 0",
            "outis_camera_restarts_total{camera=\"a \\\"gate\\\"\"} 1",
            "outis_camera_silence_seconds{camera=\"a \\\"gate\\\"\"} 0",
            "outis_camera_notices_total{camera=\"a \\\"gate\\\"\",kind=\"damaged-packet\"} 2",
            "outis_ledger_waiting 0",
        ] {
            assert!(page.lines().any(|have| have == line), "{line} in\n{page}");
        }
        assert!(
            !page.contains("outis_camera_restarts_total{camera=\"film\"}"),
            "a file is not started again"
        );
        // Each family once, its head before its lines, and no line of a family without a head.
        let mut family = "";
        let mut seen = std::collections::BTreeSet::new();
        for line in page.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                let (name, kind) = head.split_once(' ').unwrap();
                assert!(seen.insert(name) && ["counter", "gauge"].contains(&kind), "{line}");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                family = name;
            } else if !line.starts_with("# HELP ") {
                assert!(line.starts_with(family), "{line}");
                assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap().is_finite(), "{line}");
            }
        }
        assert!(page.ends_with('\n'));
    }
}
