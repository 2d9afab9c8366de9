//! The local page: a small server on the loopback. It shows numbers and a drawing of lines and
//! zones; there is no picture it could show.

mod own;
mod pause;

use std::{
    convert::Infallible,
    future::ready,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::{Stream, stream};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinHandle,
    time::sleep,
};

use crate::{pause::Ask, vitals::Vitals};

pub(crate) use self::own::check as check_own;

/// The most browsers that may hear events at once.
const LISTENERS_MAX: usize = 32;

/// How long a quiet connection stays without a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The smallest time between two events: more often than the eye can follow is only work.
const EVENT_GAP: Duration = Duration::from_millis(100);

/// Sent with every answer. The page needs its own files and nothing else.
const HEADERS: [(header::HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
];

const FILES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("../../../ui/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../../../ui/style.css")),
    ("/app.js", "text/javascript; charset=utf-8", include_str!("../../../ui/app.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../../../ui/icon.svg")),
];

/// What the page's server has to do with beside what it shows.
#[derive(Debug, Default)]
pub(crate) struct Api {
    /// How cameras and ledger are, where that is known.
    pub(crate) vitals: Option<Vitals>,
    /// Where requests for pauses go, where cameras can be paused.
    pub(crate) asked: Option<mpsc::Sender<Ask>>,
}

/// A served page. Dropping it ends the service.
#[derive(Debug)]
pub(crate) struct Page {
    address: SocketAddr,
    state: watch::Sender<Arc<str>>,
    server: JoinHandle<()>,
}

impl Page {
    /// Serves the page at an address.
    pub(crate) async fn serve(listen: SocketAddr, state: String, api: Api) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (state, newest) = watch::channel(Arc::from(state));
        let router = router(newest, api);
        let server = tokio::spawn(async move {
            // It ends only with the page.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, state, server })
    }

    /// Shows a new state.
    pub(crate) fn show(&self, state: String) {
        self.state.send_replace(Arc::from(state));
    }

    /// Where it is served.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Shared {
    state: watch::Receiver<Arc<str>>,
    listeners: Arc<Semaphore>,
}

fn router(state: watch::Receiver<Arc<str>>, api: Api) -> Router {
    let Api { vitals, asked } = api;
    let vitals = vitals.map(|vitals| {
        let own = vitals.clone();
        Router::new()
            .route("/metrics", get(move || ready(metrics(&own))))
            .route("/health", get(move || ready(health(&vitals))))
    });
    let shared = Shared { state, listeners: Arc::new(Semaphore::new(LISTENERS_MAX)) };
    let mut router = Router::new().route("/api/state", get(newest)).route("/events", get(events));
    for (path, kind, text) in FILES {
        router = router.route(path, get(move || ready(([(header::CONTENT_TYPE, kind)], text))));
    }
    if let Some(asked) = asked {
        let limit = DefaultBodyLimit::max(pause::BODY_BYTES_MAX);
        let pause = post(move |headers, body| pause::pause(asked.clone(), headers, body));
        router = router.route("/api/pause", pause.layer(limit));
    }
    let router = router.merge(vitals.unwrap_or_default());
    router.layer(middleware::from_fn(guard)).with_state(shared)
}

fn metrics(vitals: &Vitals) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], vitals.metrics())
}

/// 200 when all is well, else 503 and a line for each fault.
fn health(vitals: &Vitals) -> impl IntoResponse + use<> {
    let faults = vitals.faults();
    match faults.is_empty() {
        true => (StatusCode::OK, "ok\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, faults.join("\n") + "\n"),
    }
}

async fn newest(State(shared): State<Shared>) -> impl IntoResponse {
    let state = shared.state.borrow().to_string();
    ([(header::CONTENT_TYPE, "application/json")], state)
}

async fn events(State(shared): State<Shared>) -> Response {
    match shared.listeners.try_acquire_owned() {
        Ok(permit) => {
            let sse = Sse::new(changes(shared.state, permit));
            sse.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open\n").into_response(),
    }
}

/// The state now, then whenever it changes. A slow listener misses states, never the newest.
fn changes(
    mut state: watch::Receiver<Arc<str>>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    state.mark_changed();
    stream::unfold((state, permit, Duration::ZERO), |(mut state, permit, gap)| async move {
        sleep(gap).await;
        state.changed().await.ok()?;
        let event = sse::Event::default().data(&**state.borrow_and_update());
        Some((Ok(event), (state, permit, EVENT_GAP)))
    })
}

/// Refuses requests that reached us under a foreign name, and adds [`HEADERS`] to every answer.
///
/// A web site whose name was made to point here (DNS rebinding) would be of the same origin as the
/// page in its visitor's browser, and could read the numbers. It cannot do that with a bare address.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let mut response = if host.is_some_and(is_own_host) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "open this page by its address, such as 127.0.0.1\n")
            .into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_own_host(host: &str) -> bool {
    let Ok(uri) = host.parse::<Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for own in
            ["127.0.0.1", "127.0.0.1:8720", "localhost:8720", "LOCALHOST", "[::1]:8720", "192.168.1.9:80"]
        {
            assert!(is_own_host(own), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:8720",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "a b",
        ] {
            assert!(!is_own_host(foreign), "{foreign}");
        }
    }
}
