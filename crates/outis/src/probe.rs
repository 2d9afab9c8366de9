//! Whether a camera that was away answers again: one small question every two seconds, so that its programs need not be
//! started to find out, and start at once when there is news.
//!
//! It asks without name and password, and reads one number of the answer. What a camera sends is never looked at here.

use std::{str, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::source::{Address, Source};

/// How often it is asked.
const GAP: Duration = Duration::from_secs(2);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The most bytes that are read of an answer: `RTSP/1.0 404`.
const STATUS_BYTES: usize = 12;

/// What a camera answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nobody is there.
    Nothing,
    /// Somebody is there and says no number.
    There,
    /// The number of the answer, such as 200 or 404.
    Status(u16),
}

/// Waits until a camera answers otherwise than it did before. What it answered last is kept in `last` from one wait to
/// the next: between them its programs were started, and failed.
pub(crate) async fn news(source: &Source, last: &mut Option<Answer>) {
    loop {
        let answer = ask(source).await;
        let before = last.replace(answer);
        // Somebody who goes away is no news worth starting for.
        if before.is_some_and(|before| before != answer) && answer != Answer::Nothing {
            return;
        }
        sleep(GAP).await;
    }
}

async fn ask(source: &Source) -> Answer {
    match source {
        Source::File(path) | Source::Device(path) => {
            if path.exists() {
                Answer::There
            } else {
                Answer::Nothing
            }
        }
        Source::Stream(stream) => {
            let Some(to) = stream.address.host_and_port() else { return Answer::Nothing };
            let Ok(Ok(connection)) = timeout(PATIENCE, TcpStream::connect(to)).await else {
                return Answer::Nothing;
            };
            let status = timeout(PATIENCE, status(connection, &stream.address)).await;
            status.ok().flatten().map_or(Answer::There, Answer::Status)
        }
    }
}

/// The number of the answer to a question without consequences; `None` where it would be asked in secret (TLS).
async fn status(mut connection: TcpStream, address: &Address) -> Option<u16> {
    let question = match address.scheme() {
        "rtsp" => {
            format!("DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n", address.with(""))
        }
        "http" => {
            let path = address.path();
            format!(
                "GET {path} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n",
                address.host_and_port()?.0
            )
        }
        _ => return None,
    };
    connection.write_all(question.as_bytes()).await.ok()?;
    let mut start = [0; STATUS_BYTES];
    connection.read_exact(&mut start).await.ok()?;
    let (version, number) = start.split_at(STATUS_BYTES - 3);
    let known = version.starts_with(b"RTSP/1.") || version.starts_with(b"HTTP/1.");
    str::from_utf8(number).ok().filter(|_| known)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::net::TcpListener;

    use super::*;

    /// Answers each connection with the next text, as long as there is one.
    async fn serve(listener: TcpListener, answers: Vec<&'static str>) {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = [0; 256];
            let read = stream.read(&mut question).await.unwrap();
            let question = String::from_utf8_lossy(&question[..read]).into_owned();
            assert!(question.contains("/street?token=t") && !question.contains('@'), "{question}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    async fn source(scheme: &str) -> (Source, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{scheme}://{}/street?token=t", listener.local_addr().unwrap());
        (Source::parse(Path::new(&address), Path::new("")).unwrap(), listener)
    }

    #[tokio::test]
    async fn what_a_camera_answers() {
        for (scheme, said, expected) in [
            ("rtsp", "RTSP/1.0 404 Not Found\r\n\r\n", Answer::Status(404)),
            ("http", "HTTP/1.1 200 OK\r\n\r\n", Answer::Status(200)),
            ("rtsp", "SSH-2.0-thing 200", Answer::There),
            ("rtsp", "RTSP", Answer::There),
        ] {
            let (source, listener) = source(scheme).await;
            let server = tokio::spawn(serve(listener, vec![said]));
            assert_eq!(ask(&source).await, expected, "{said}");
            server.await.unwrap();
            assert_eq!(ask(&source).await, Answer::Nothing, "it is gone");
        }
    }

    #[tokio::test]
    async fn only_another_answer_is_news() {
        let (source, listener) = source("rtsp").await;
        let address = listener.local_addr().unwrap();
        drop(listener);
        let mut last = None;
        let quiet = timeout(Duration::from_millis(300), news(&source, &mut last)).await;
        assert!(quiet.is_err() && last == Some(Answer::Nothing));
        // Its programs were started, and failed, before it came back: then the first answer is news.
        let listener = TcpListener::bind(address).await.unwrap();
        let server = tokio::spawn(serve(listener, vec!["RTSP/1.0 404 ", "RTSP/1.0 404 ", "RTSP/1.0 200 "]));
        news(&source, &mut last).await;
        assert_eq!(last, Some(Answer::Status(404)));
        news(&source, &mut last).await;
        assert_eq!(last, Some(Answer::Status(200)));
        server.await.unwrap();
    }
}
