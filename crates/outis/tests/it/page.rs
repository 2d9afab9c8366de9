//! The page as a program sees it: what it answers, and whom it refuses.

use std::io::{Read, Write};

use crate::stage::{Stage, ask, connect, get};

#[test]
fn answers_and_refusals() {
    let stage = Stage::new();
    let running = stage.start(&mut stage.outis(&["demo", "--listen", "127.0.0.1:0"]));
    let page = running.page();

    let files = [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg"),
    ];
    for (path, kind) in files {
        let (head, body) = get(page, path);
        assert!(
            head.starts_with("http/1.1 200") && head.contains(kind) && !body.is_empty(),
            "{path}: {head}"
        );
        assert!(
            head.contains("content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'"),
            "{head}"
        );
        assert!(!head.contains("unsafe") && head.contains("x-content-type-options: nosniff"), "{head}");
        assert!(!body.contains("https://"), "{path} names another site");
    }
    assert!(get(page, "/clip").0.starts_with("http/1.1 404"));
    assert!(get(page, "/../Cargo.toml").0.starts_with("http/1.1 404"));

    let port = page.port();
    for host in [format!("evil.example:{port}"), "evil.example".into(), String::new()] {
        let request = format!("GET /api/state HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (head, body) = ask(page, &request);
        assert!(head.starts_with("http/1.1 4") && !body.contains("cameras"), "{host}: {head} {body}");
    }
    let request =
        format!("POST /api/state HTTP/1.1\r\nHost: {page}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert!(ask(page, &request).0.starts_with("http/1.1 405"));
}

#[test]
fn events_flow() {
    let stage = Stage::new();
    let running = stage.start(&mut stage.outis(&["demo", "--speed", "4", "--listen", "127.0.0.1:0"]));
    let page = running.page();
    let mut stream = connect(page).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: {page}\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut buffer = [0; 16 * 1024];
    while heard.matches("data: {\"cameras\":").count() < 5 {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the stream ended after {heard}");
        heard += &String::from_utf8_lossy(&buffer[..read]);
    }
    assert!(heard.contains("text/event-stream"), "{heard}");
}
