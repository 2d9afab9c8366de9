//! What the page knows: the newest totals of each camera, as one JSON text.

use std::collections::{BTreeMap, VecDeque};

use outis_record::{Notice, Profile, Progress};
use serde::Serialize;

use crate::{
    camera::{CameraError, Finish},
    release::Event,
    report::alert::AlertReport,
    report::json::{Bounds, NoticeCount, Terms, Totals, notice_counts, seconds},
    scene::{Point, Scene},
    view::{Told, WindowView},
};

/// How many moments of occupancy a camera's small curve shows: two minutes, at two a second.
const HISTORY_MAX: usize = 240;

/// How many of the newest alerts a camera shows.
const ALERTS_MAX: usize = 20;

/// The state of every camera.
#[derive(Debug)]
pub(crate) struct Live {
    cameras: Vec<LiveCamera>,
    /// Whether the page can ask for pauses.
    can_pause: bool,
}

#[derive(Debug)]
struct LiveCamera {
    name: String,
    scene: Scene,
    profile: Profile,
    status: Status,
    message: Option<String>,
    progress: Progress,
    window: Option<WindowView>,
    notices: BTreeMap<Notice, u32>,
    /// How many were in the picture, at each of the newest snapshots, where that is told.
    history: VecDeque<u64>,
    /// The newest last.
    alerts: VecDeque<AlertReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Starting,
    Running,
    /// A live camera that is away; it is tried again and again.
    Away,
    /// Nobody looks, because somebody has asked for it.
    Paused,
    /// The source was counted to its end.
    Ended,
    /// Counted in part.
    Partial,
    Failed,
}

impl Live {
    /// Cameras that have not begun yet.
    pub(crate) fn new<'a>(cameras: impl IntoIterator<Item = (&'a str, &'a Scene, Profile)>) -> Self {
        let camera = |(name, scene, profile): (&str, &Scene, Profile)| LiveCamera::new(name, scene, profile);
        Self { cameras: cameras.into_iter().map(camera).collect(), can_pause: false }
    }

    /// The same where the page can ask for pauses.
    pub(crate) fn with_pauses(self) -> Self {
        Self { can_pause: true, ..self }
    }

    /// Takes what an eye said.
    pub(crate) fn event(&mut self, camera: usize, event: &Event) {
        let Some(camera) = self.cameras.get_mut(camera) else { return };
        // A window of a camera that is away is told too, when its time is over.
        if camera.status == Status::Starting {
            camera.status = Status::Running;
        }
        match event {
            Event::Progress(progress) | Event::End(_, progress) => camera.progress = *progress,
            Event::Notice(notice, count) => {
                let times = camera.notices.entry(*notice).or_default();
                *times = times.saturating_add(*count);
            }
            Event::Window(window) => camera.window(window),
            // Drafts are kept for the case of a crash and shown to nobody; an alert comes with its time below.
            Event::Draft(_) | Event::Alert(_) | Event::GroundView(..) => {}
        }
    }

    /// Takes an alert as it is told.
    pub(crate) fn alert(&mut self, camera: usize, alert: AlertReport) {
        let Some(camera) = self.cameras.get_mut(camera) else { return };
        camera.alerts.push_back(alert);
        if camera.alerts.len() > ALERTS_MAX {
            camera.alerts.pop_front();
        }
    }

    /// Takes it that a camera's eye is at work, whatever it may tell; whether that is news.
    pub(crate) fn alive(&mut self, camera: usize) -> bool {
        let Some(camera) = self.cameras.get_mut(camera) else { return false };
        let news = camera.status != Status::Running;
        (camera.status, camera.message) = (Status::Running, None);
        news
    }

    /// Takes it that a camera is away, and why.
    pub(crate) fn down(&mut self, camera: usize, why: &str) {
        let Some(camera) = self.cameras.get_mut(camera) else { return };
        (camera.status, camera.message) = (Status::Away, Some(why.to_owned()));
    }

    /// Takes it that a camera is paused.
    pub(crate) fn paused(&mut self, camera: usize) {
        self.status(camera, Status::Paused);
    }

    /// Takes it that a pause is over.
    pub(crate) fn resumed(&mut self, camera: usize) {
        self.status(camera, Status::Starting);
    }

    fn status(&mut self, camera: usize, status: Status) {
        if let Some(camera) = self.cameras.get_mut(camera) {
            (camera.status, camera.message) = (status, None);
        }
    }

    /// Shows a camera from now on as another plan has it; one more, if its number is the next.
    pub(crate) fn change(&mut self, camera: usize, name: &str, scene: &Scene, profile: Profile) {
        let begun = LiveCamera::new(name, scene, profile);
        match self.cameras.get_mut(camera) {
            Some(camera) => *camera = begun,
            None => self.cameras.push(begun),
        }
    }

    /// Takes a camera's end.
    pub(crate) fn end(&mut self, camera: usize, end: &Result<Finish, CameraError>) {
        let Some(camera) = self.cameras.get_mut(camera) else { return };
        match end {
            Ok(finish) if finish.is_whole() => camera.status = Status::Ended,
            Ok(_) => camera.status = Status::Partial,
            Err(error) => {
                camera.status = Status::Failed;
                camera.message = Some(error.to_string());
            }
        }
    }

    /// Everything, for the page.
    pub(crate) fn json(&self) -> String {
        let cameras = self.cameras.iter().map(CameraState::new).collect();
        let state = State { cameras, can_pause: self.can_pause };
        // Plain structures with text keys: nothing in them can fail.
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl LiveCamera {
    fn new(name: &str, scene: &Scene, profile: Profile) -> Self {
        Self {
            name: name.to_owned(),
            scene: scene.clone(),
            profile,
            status: Status::Starting,
            message: None,
            progress: Progress::default(),
            window: None,
            notices: BTreeMap::new(),
            history: VecDeque::new(),
            alerts: VecDeque::new(),
        }
    }

    fn window(&mut self, window: &WindowView) {
        // The last word on a window that is over comes after the first on the next: keep to the newest.
        let newer = self.window.as_ref().is_none_or(|shown| window.window >= shown.window);
        if newer {
            self.window = Some(window.clone());
            if let Some(now) = Told::sum(window.by_class.iter().map(|totals| totals.view.now)).number() {
                self.history.push_back(now);
            }
            if self.history.len() > HISTORY_MAX {
                self.history.pop_front();
            }
        }
    }
}

#[derive(Serialize)]
struct State<'a> {
    cameras: Vec<CameraState<'a>>,
    can_pause: bool,
}

#[derive(Serialize)]
struct CameraState<'a> {
    name: &'a str,
    #[serde(flatten)]
    terms: Terms,
    status: Status,
    message: Option<&'a str>,
    /// Pixels of the picture that lines and zones were drawn in; 0 before the first frame.
    width: u32,
    height: u32,
    media_s: f64,
    /// 0 when unknown.
    duration_s: f64,
    frames: u32,
    looks: u32,
    lines: Vec<Shape<'a>>,
    zones: Vec<Shape<'a>>,
    /// Where nobody looks.
    blanks: Vec<Shape<'a>>,
    window: Option<WindowState<'a>>,
    history: &'a VecDeque<u64>,
    alerts: &'a VecDeque<AlertReport>,
    notices: Vec<NoticeCount>,
}

#[derive(Serialize)]
struct Shape<'a> {
    name: &'a str,
    points: Vec<[f64; 2]>,
}

#[derive(Serialize)]
struct WindowState<'a> {
    #[serde(flatten)]
    bounds: Bounds,
    #[serde(flatten)]
    totals: Totals<'a>,
}

impl<'a> CameraState<'a> {
    fn new(camera: &'a LiveCamera) -> Self {
        let LiveCamera { name, scene, profile, status, message, progress, window, notices, history, alerts } =
            camera;
        let seen_px = [progress.width_px, progress.height_px].map(u32::from);
        let [width, height] = scene.drawn_px().unwrap_or(seen_px);
        let lines = scene.lines().iter().map(|line| Shape::new(line.name.as_str(), &line.points));
        let zones = scene.zones().iter().map(|zone| Shape::new(zone.name.as_str(), &zone.corners));
        Self {
            name,
            terms: Terms::new(*profile),
            status: *status,
            message: message.as_deref(),
            width,
            height,
            media_s: seconds(progress.media_ms),
            duration_s: seconds(progress.duration_ms),
            frames: progress.frames,
            looks: progress.looks,
            lines: lines.collect(),
            zones: zones.collect(),
            blanks: scene.blanks().iter().map(|area| Shape::new(area.name.as_str(), &area.corners)).collect(),
            window: window.as_ref().map(|window| WindowState {
                bounds: Bounds::new(window),
                totals: Totals::new(scene, window),
            }),
            history,
            alerts,
            notices: notice_counts(notices),
        }
    }
}

impl<'a> Shape<'a> {
    fn new(name: &'a str, points: &[Point]) -> Self {
        Self { name, points: points.iter().map(|point| [point.x_px, point.y_px]).collect() }
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{Window, WindowState};
    use serde_json::Value;

    use super::*;
    use crate::{
        assemble::tests::view,
        report::{
            alert::tests::report,
            json::tests::{finish, scene},
        },
    };

    fn state(live: &Live) -> Value {
        serde_json::from_str(&live.json()).unwrap()
    }

    #[test]
    fn the_page_hears_everything() {
        let scene = scene();
        let mut live = Live::new([("gate", &scene, Profile::Exact)]);
        assert_eq!(state(&live)["cameras"][0]["status"], "starting");
        live.event(0, &Event::Progress(finish().progress));
        live.event(0, &Event::Window(view()));
        live.event(0, &Event::Notice(Notice::FormatChange, 2));
        let json = state(&live);
        let camera = &json["cameras"][0];
        assert_eq!((&camera["status"], &camera["width"]), (&"running".into(), &768.into()));
        assert_eq!(camera["window"]["lines"][1]["forward"], 5);
        assert_eq!(camera["lines"][1]["points"][1][0], 9.0);
        assert_eq!(camera["history"][0], 1);
        assert_eq!(camera["notices"][0]["kind"], "format-change");
        live.end(0, &Err(CameraError::UnsupportedCodec));
        assert_eq!(state(&live)["cameras"][0]["status"], "failed");
    }

    #[test]
    fn the_newest_alerts_are_shown() {
        let scene = scene();
        let mut live = Live::new([("gate", &scene, Profile::Exact)]);
        for _ in 0..2 * ALERTS_MAX {
            live.alert(0, report());
        }
        let alerts = &state(&live)["cameras"][0]["alerts"];
        assert_eq!(alerts.as_array().unwrap().len(), ALERTS_MAX);
        assert_eq!(alerts[0], serde_json::from_str::<Value>(&report().json()).unwrap());
    }

    #[test]
    fn the_newest_window_stays_and_history_is_bounded() {
        let scene = scene();
        let mut live = Live::new([("gate", &scene, Profile::Exact)]);
        let at =
            |start_ms, state| WindowView { window: Window::new(start_ms, 60_000).unwrap(), state, ..view() };
        for _ in 0..2 * HISTORY_MAX {
            live.event(0, &Event::Window(at(60_000, WindowState::Open)));
        }
        live.event(0, &Event::Window(at(0, WindowState::Closed)));
        let json = state(&live);
        let camera = &json["cameras"][0];
        assert_eq!(camera["window"]["media_start_s"], 60.0);
        assert_eq!(camera["history"].as_array().unwrap().len(), HISTORY_MAX);
    }
}
