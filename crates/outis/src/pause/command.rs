//! `outis pause`: for the push button of a panel, or the hand of an operator. It asks the page's server, as a browser would.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use axum::{
    body::Bytes,
    http::{Request, header},
};
use clap::Args;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};

use super::Paused;
use crate::{
    config::{self, Setup},
    detector::Cache,
    exit::{Exit, UsageError},
};

/// How long an answer may take: a camera's programs are gone at once, and a slow disk keeps note of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer in bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// Have nothing of a camera looked at for a while, because a passer-by wants it so
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing of the camera is looked at, 1 it was refused or nobody answers, 2 wrong usage."
)]
pub(crate) struct PauseArgs {
    /// The configuration with which `outis watch` runs
    #[arg(required_unless_present = "page")]
    config: Option<PathBuf>,

    /// The address of its page, such as 127.0.0.1:8720, in place of the configuration
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config")]
    page: Option<SocketAddr>,

    /// Which camera; may be left out where the configuration has one
    #[arg(long, value_name = "NAME", required_unless_present = "config")]
    camera: Option<String>,

    /// For how long, 10 to 600; as the configuration of `outis watch` says if it is left out
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<u32>,
}

/// Asks, and says what became of it.
pub(crate) async fn run(arguments: &PauseArgs) -> anyhow::Result<Exit> {
    let (page, camera) = whom(arguments)?;
    let answer = timeout(PATIENCE, ask(page, &camera, arguments.seconds)).await;
    let paused = answer.with_context(|| format!("{page} does not answer"))??;
    println!("nothing of camera \"{camera}\" is looked at for {} s", paused.seconds);
    Ok(Exit::Whole)
}

/// The page to ask, and the camera's name.
fn whom(arguments: &PauseArgs) -> anyhow::Result<(SocketAddr, String)> {
    let PauseArgs { config, page, camera, .. } = arguments;
    if let (Some(page), Some(camera)) = (page, camera) {
        return Ok((*page, camera.clone()));
    }
    let config = config.as_deref().context("a configuration, or --page and --camera")?;
    let Setup { listen, cameras, .. } = config::load_to_describe(config, &Cache::from_env())?;
    if listen.port() == 0 {
        let any = "`listen` leaves the port of the page open; give the address that `outis watch` printed as --page";
        return Err(UsageError::new(any).into());
    }
    // Whoever listens on every address listens on this one.
    let local = match listen {
        SocketAddr::V4(_) => [127, 0, 0, 1].into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    let ip = if listen.ip().is_unspecified() { local } else { listen.ip() };
    let names: Vec<&str> = cameras.iter().map(|camera| camera.name.as_str()).collect();
    let name = match (camera, names.as_slice()) {
        (Some(camera), names) if names.contains(&camera.as_str()) => camera,
        (None, [only]) => *only,
        _ => return Err(UsageError::new(format!("--camera is one of: {}", names.join(", "))).into()),
    };
    Ok((SocketAddr::new(ip, listen.port()), name.to_owned()))
}

async fn ask(page: SocketAddr, camera: &str, seconds: Option<u32>) -> anyhow::Result<Paused> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let stream = TcpStream::connect(page).await.with_context(|| format!("no page is served at {page}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; its errors are told by the request.
    tokio::spawn(connection);
    let body = serde_json::json!({ "camera": camera, "seconds": seconds }).to_string();
    let request = Request::post("/api/pause")
        .header(header::HOST, page.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await.context("no answer")?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("its answer cannot be read: {error}"))?.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&body).context("this is no page of `outis watch`");
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(Refusal { error }) => bail!("camera \"{camera}\" is not paused: {error}"),
        Err(_) => bail!("this page pauses nothing: it answers {status}"),
    }
}
