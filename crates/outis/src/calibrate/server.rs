//! The server of the page on which lines are drawn. It is on the loopback, and every path begins with a key that only the
//! terminal told: other users of this machine, and web sites that are open here, do not have it.

use std::{
    future::ready,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    draft::{Camera, Draft},
    finding::{self, Found},
    job::Job,
    preview,
    watching::{LONGEST_S, PEOPLE_MIN},
    write_again, write_new,
};
use crate::{detector::Cache, launch::Programs, page, still::Still};

/// The longest drawing: 64 places of 64 corners and names of 64 characters take less.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of the key.
const KEY_BYTES: usize = 16;

/// What is said of a search that was not begun, or was given up.
const NOBODY_LOOKS: &str = "nobody looks for the ground";

const FILES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("../../../../ui/calibrate.html")),
    ("/calibrate.css", "text/css; charset=utf-8", include_str!("../../../../ui/calibrate.css")),
    ("/calibrate.js", "text/javascript; charset=utf-8", include_str!("../../../../ui/calibrate.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../../../../ui/icon.svg")),
];

/// What is being drawn, and with what.
#[derive(Clone)]
pub(super) struct Drawing(Arc<Shared>);

struct Shared {
    camera: Camera,
    out: PathBuf,
    programs: Programs,
    cache: Cache,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    still: Option<Still>,
    preview: Option<Job<String>>,
    finding: Option<Job<Found>>,
    /// What was written to `out`: as long as it says this, it is ours and may be written again.
    written: Option<String>,
}

impl Drawing {
    pub(super) fn new(camera: Camera, out: PathBuf, programs: Programs, cache: Cache) -> Self {
        Self(Arc::new(Shared { camera, out, programs, cache, now: Mutex::default() }))
    }

    /// Shows the picture from now on.
    pub(super) fn show(&self, still: Still) {
        self.now().still = Some(still);
    }

    /// Whether a configuration was written.
    pub(super) fn is_saved(&self) -> bool {
        self.now().written.is_some()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn picture_px(&self) -> Result<[u32; 2], Refused> {
        let size = self.now().still.as_ref().map(|still| still.picture_px);
        size.ok_or_else(|| Refused::wrong("the picture is not there yet"))
    }

    fn checked(&self, body: &[u8]) -> Result<(String, crate::config::Setup), Refused> {
        let draft = drawing_of(body)?;
        let Shared { camera, out, cache, .. } = &*self.0;
        camera.check(&draft, self.picture_px()?, out, cache).map_err(|why| Refused::wrong(&why))
    }

    fn save(&self, body: &[u8]) -> Result<Saved, Refused> {
        let (text, _) = self.checked(body)?;
        let out = &self.0.out;
        let mut now = self.now();
        let written = match &now.written {
            Some(before) => write_again(out, before, &text),
            None => write_new(out, &text),
        };
        written.map_err(|error| Refused(StatusCode::CONFLICT, format!("{error:#}")))?;
        if now.written.replace(text.clone()).is_none() {
            eprintln!("Written: {0}. To count: outis watch {0}", out.display());
        }
        Ok(Saved { path: out.display().to_string(), text })
    }

    fn preview(&self, body: &[u8]) -> Result<(), Refused> {
        let (_, setup) = self.checked(body)?;
        let Some(camera) = setup.cameras.first().filter(|_| self.0.camera.can_be_tried()) else {
            return Err(Refused::wrong("only a file can be counted again and again"));
        };
        let mut now = self.now();
        // The old one ends before the new one begins.
        now.preview = None;
        now.preview = Some(preview::start(camera, self.0.programs.clone()));
        Ok(())
    }

    /// Starts to look for the ground, but not where nobody is to look.
    fn find(&self, body: &[u8]) -> Result<(), Refused> {
        let draft = drawing_of(body)?;
        let Shared { camera, out, cache, programs, .. } = &*self.0;
        let picture_px = self.picture_px()?;
        let plan = camera.to_watch(&draft, picture_px, out, cache).map_err(|why| Refused::wrong(&why))?;
        let mut now = self.now();
        now.finding = None;
        now.finding = Some(finding::start(plan, picture_px, programs.clone()));
        Ok(())
    }

    /// Has the ground found from those who were seen so far.
    fn enough(&self) -> Result<(), Refused> {
        let now = self.now();
        let finding = now.finding.as_ref();
        finding.map(Job::finish).ok_or_else(|| Refused(StatusCode::NOT_FOUND, NOBODY_LOOKS.to_owned()))
    }

    fn state(&self) -> About {
        let now = self.now();
        About {
            name: self.0.camera.name().to_owned(),
            out: self.0.out.display().to_string(),
            can_be_tried: self.0.camera.can_be_tried(),
            can_be_watched: self.0.camera.can_be_watched(),
            people_min: PEOPLE_MIN,
            longest_s: self.0.camera.is_live().then_some(LONGEST_S),
            picture: now.still.as_ref().map(|still| still.picture_px),
            calibration: self.0.camera.calibration().map(|calibration| calibration.numbers.in_order()),
            patched_permille: now.still.as_ref().map_or(0, |still| still.patched_permille),
            saved: now.written.is_some(),
        }
    }
}

fn drawing_of(body: &[u8]) -> Result<Draft, Refused> {
    serde_json::from_slice(body)
        .map_err(|_| Refused(StatusCode::BAD_REQUEST, "that is no drawing".to_owned()))
}

/// What the page is told at its start.
#[derive(Serialize)]
struct About {
    name: String,
    out: String,
    can_be_tried: bool,
    /// Whether people can be watched to find the ground, how many it takes, and for how long a live camera is watched at most.
    can_be_watched: bool,
    people_min: u32,
    longest_s: Option<u32>,
    /// `null` while it is being made.
    picture: Option<[u32; 2]>,
    /// The numbers of a calibration that tells the ground, in the order in which an eye takes them.
    calibration: Option<[f64; 13]>,
    patched_permille: u32,
    saved: bool,
}

#[derive(Serialize)]
struct Saved {
    path: String,
    text: String,
}

/// Why something was not done.
struct Refused(StatusCode, String);

impl Refused {
    fn wrong(why: &str) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, why.to_owned())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        json(self.0, &Body { error: self.1 })
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The served page. Dropping it ends the service.
pub(super) struct Server {
    address: SocketAddr,
    key: String,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn serve(listen: SocketAddr, drawing: Drawing) -> io::Result<Self> {
        let mut key = [0_u8; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let router = router(&key, drawing);
        let task = tokio::spawn(async move {
            // It ends only with the page.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, key, task })
    }

    /// Where it is served, with its key.
    pub(super) fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(key: &str, drawing: Drawing) -> Router {
    let mut router = Router::new();
    for (path, kind, text) in FILES {
        router = router
            .route(&format!("/{key}{path}"), get(move || ready(([(header::CONTENT_TYPE, kind)], text))));
    }
    let at = |path: &str| format!("/{key}/{path}");
    router
        .route(&at("state"), get(state))
        .route(&at("still.png"), get(picture))
        .route(&at("check"), post(check))
        .route(&at("save"), post(save))
        .route(&at("preview"), post(start_preview).get(previewed))
        .route(&at("find"), post(find).get(found).delete(give_up))
        .route(&at("find/enough"), post(enough))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(page::guard))
        .with_state(drawing)
}

async fn state(State(drawing): State<Drawing>) -> Response {
    json(StatusCode::OK, &drawing.state())
}

async fn picture(State(drawing): State<Drawing>) -> Response {
    match drawing.now().still.as_ref() {
        Some(still) => ([(header::CONTENT_TYPE, "image/png")], still.png.clone()).into_response(),
        None => Refused(StatusCode::NOT_FOUND, "the picture is not there yet".to_owned()).into_response(),
    }
}

/// Answers a request that the page itself has made.
fn own(headers: &HeaderMap, answer: impl FnOnce() -> Result<Response, Refused>) -> Response {
    let checked = page::check_own(headers).map_err(|(status, why)| Refused(status, why.to_owned()));
    checked.and_then(|()| answer()).unwrap_or_else(Refused::into_response)
}

async fn check(State(drawing): State<Drawing>, headers: HeaderMap, body: Bytes) -> Response {
    own(&headers, || drawing.checked(&body).map(|_| StatusCode::NO_CONTENT.into_response()))
}

async fn save(State(drawing): State<Drawing>, headers: HeaderMap, body: Bytes) -> Response {
    own(&headers, || drawing.save(&body).map(|saved| json(StatusCode::OK, &saved)))
}

async fn start_preview(State(drawing): State<Drawing>, headers: HeaderMap, body: Bytes) -> Response {
    own(&headers, || drawing.preview(&body).map(|()| StatusCode::NO_CONTENT.into_response()))
}

async fn find(State(drawing): State<Drawing>, headers: HeaderMap, body: Bytes) -> Response {
    own(&headers, || drawing.find(&body).map(|()| StatusCode::NO_CONTENT.into_response()))
}

async fn enough(State(drawing): State<Drawing>, headers: HeaderMap) -> Response {
    own(&headers, || drawing.enough().map(|()| StatusCode::NO_CONTENT.into_response()))
}

async fn give_up(State(drawing): State<Drawing>, headers: HeaderMap) -> Response {
    own(&headers, || {
        drawing.now().finding = None;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

async fn found(State(drawing): State<Drawing>) -> Response {
    match drawing.now().finding.as_ref() {
        Some(finding) => json(StatusCode::OK, &finding.now()),
        None => Refused(StatusCode::NOT_FOUND, NOBODY_LOOKS.to_owned()).into_response(),
    }
}

async fn previewed(State(drawing): State<Drawing>) -> Response {
    match drawing.now().preview.as_ref() {
        Some(preview) => ([(header::CONTENT_TYPE, "application/json")], preview.now()).into_response(),
        None => Refused(StatusCode::NOT_FOUND, "nothing is being tried".to_owned()).into_response(),
    }
}
