//! `POST /api/pause`: has nothing of a camera looked at for a while. Whoever can see the page can ask, without an account; who
//! it was, and from where, is neither looked at nor kept.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::own;
use crate::pause::{Ask, Paused, Refused};

/// The longest request: a name and a number.
pub(super) const BODY_BYTES_MAX: usize = 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    camera: String,
    seconds: Option<u32>,
}

/// Answers a request for a pause, once the camera's programs are gone.
pub(super) async fn pause(asked: mpsc::Sender<Ask>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err((status, why)) = own::check(&headers) {
        return refuse(status, why);
    }
    let Ok(Request { camera, seconds }) = serde_json::from_slice(&body) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "send {\"camera\": NAME} or {\"camera\": NAME, \"seconds\": NUMBER}",
        );
    };
    let (answer, answered) = oneshot::channel();
    if asked.try_send(Ask { camera, seconds, answer }).is_err() {
        let busy = "too many ask at once, or all cameras have ended; ask again";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, busy);
    }
    match answered.await {
        Ok(Ok(paused)) => answer_json(StatusCode::OK, &paused),
        Ok(Err(refused)) => {
            let status = match refused {
                Refused::Unknown => StatusCode::NOT_FOUND,
                Refused::Length => StatusCode::BAD_REQUEST,
                Refused::Ended => StatusCode::CONFLICT,
                Refused::TooMuch { .. } => StatusCode::TOO_MANY_REQUESTS,
            };
            refuse(status, &refused.to_string())
        }
        // The program ends, and nothing is looked at any more.
        Err(_) => answer_json(StatusCode::OK, &Paused { seconds: 0 }),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
    }
    answer_json(status, &Refusal { error })
}

fn answer_json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
