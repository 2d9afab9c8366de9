//! Live sources: real servers on the loopback, the real intake behind its lock, the real decoder.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use outis_packet::Reader;

use crate::cameras::{Camera, Films, Watched, call};

/// The exit code of an intake whose camera was silent.
const SILENT: Option<i32> = Some(102);

const RTSP: &str = "rtsp_server.py";
const MJPEG: &str = "mjpeg_server.py";

/// Two seconds of frames, with the time of their arrival.
fn check(name: &str, address: &str, arguments: &[&str]) {
    let watched = Watched::start(address, arguments);
    let frames = watched.frames(20);
    assert!(frames.iter().all(|frame| frame.size_px == (320, 240)), "{name}: {frames:?}");
    assert!(frames.is_sorted_by(|a, b| a.at_ms < b.at_ms), "{name}: media time grows: {frames:?}");
    let media_ms = frames[19].at_ms - frames[0].at_ms;
    // 19 periods of 100 ms. A camera may send a little faster in the beginning, and this machine may be busy.
    assert!((900..4000).contains(&media_ms), "{name}: {media_ms} ms: {frames:?}");
}

#[test]
fn cameras_are_watched_over_tcp_and_udp() {
    let films = Films::new();
    let streams = [
        format!("h264=h264:{}", films.h264().display()),
        format!("h265=h265:{}", films.h265().display()),
        format!("jpeg=jpeg:{}", films.jpeg().display()),
    ];
    let camera = Camera::start(RTSP, streams);
    for path in ["h264", "h265", "jpeg"] {
        for transport in ["tcp", "udp"] {
            check(&format!("{path} over {transport}"), &camera.rtsp(path), &["--transport", transport]);
        }
    }
    check("by name", &format!("rtsp://localhost:{}/h264", camera.port), &[]);
}

#[test]
fn pictures_over_http_are_watched_and_timed_by_their_arrival() {
    let films = Films::new();
    let pictures = films.pictures(5);
    let camera = Camera::start(MJPEG, &pictures);
    check("MJPEG over HTTP", &camera.http("stream"), &[]);

    let certificate = films.path("camera.pem");
    let key = films.path("key.pem");
    let made = Command::new("openssl")
        .args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera".split_whitespace())
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("the command `openssl`");
    assert!(made.status.success(), "{made:?}");
    let both = [fs::read(&key).expect("a key"), fs::read(&certificate).expect("a certificate")].concat();
    fs::write(&certificate, both).expect("both");
    let tls = ["--tls".into(), certificate.into_os_string()];
    let camera = Camera::start(MJPEG, tls.into_iter().chain(pictures.into_iter().map(Into::into)));
    check("MJPEG over HTTPS", &format!("https://127.0.0.1:{}/stream", camera.port), &[]);
}

#[test]
fn passwords_open_and_are_never_repeated() {
    const USER: &str = "viewer:s3cr3t @/word";
    const GOOD: &str = "viewer:s3cr3t%20%40%2Fword";
    const WRONG: &str = "viewer:wr0ng%20%40%2Fword";
    let films = Films::new();
    let film = format!("cam=h264:{}", films.h264().display());
    let pictures = films.pictures(2);
    for scheme in ["basic", "digest"] {
        let options = ["--user", USER, "--scheme", scheme].map(String::from);
        let rtsp = Camera::start(RTSP, options.iter().cloned().chain([film.clone()]));
        let files = pictures.iter().map(|path| path.display().to_string());
        let http = Camera::start(MJPEG, options.into_iter().chain(files));
        let addresses = [("rtsp", rtsp.port, "cam?token=t0ken"), ("http", http.port, "stream")];
        for (protocol, port, path) in addresses {
            let name = format!("{scheme} over {protocol}");
            let address = |user: &str| format!("{protocol}://{user}@127.0.0.1:{port}/{path}");
            if protocol == "http" {
                check(&name, &address(GOOD), &[]);
            } else {
                let watched = Watched::start(&address(GOOD).replace("?token=t0ken", ""), &[]);
                watched.frame();
                let shown = format!("/proc/{}/cmdline", watched.intake.0.id());
                let shown = fs::read_to_string(shown).expect("its command line");
                assert!(shown.contains("--address-on-stdin") && !shown.contains("cam"), "{shown:?}");
            }
            let mut watched = Watched::start(&address(WRONG), &[]);
            let (code, said) = watched.end();
            assert_eq!(code, Some(1), "{name}: {said}");
            let start =
                format!("outis-intake: cannot open {protocol}://127.0.0.1:{port}/…: wrong name or password");
            assert!(said.starts_with(&start), "{name}: {said}");
            for secret in ["viewer", "wr0ng", "word", "t0ken"] {
                assert!(!said.replace("name or password", "").contains(secret), "{name}: {said}");
            }
        }
    }
}

#[test]
fn why_a_camera_cannot_be_watched_is_said_in_one_sentence() {
    let films = Films::new();
    let camera = Camera::start(RTSP, ["tone=tone:".to_owned()]);
    let pictures = Camera::start(MJPEG, films.pictures(1));
    // A port at which nobody listens any more.
    let free =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let cases = [
        ("no such stream", camera.rtsp("other"), "no such stream on it (404)"),
        ("no such page", pictures.http("other"), "no such stream on it (404)"),
        ("sound alone", camera.rtsp("tone"), "no video in it"),
        ("a page of text", pictures.http("page"), "no video stream"),
        ("sent to another host", pictures.http("elsewhere"), "to another address"),
        ("nobody there", format!("rtsp://127.0.0.1:{free}/cam"), "the connection was refused"),
        ("an unknown name", "rtsp://camera.invalid/cam".into(), "its name cannot be resolved"),
        ("another protocol", pictures.http("stream").replace("http", "rtsp"), "no video stream"),
        ("an unknown scheme", "gopher://127.0.0.1/".into(), "gopher:// addresses are not supported"),
        ("no address", String::new(), "no scheme"),
    ];
    for (name, address, reason) in cases {
        let mut watched = Watched::start(&address, &[]);
        let (code, said) = watched.end();
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{name}: {said}");
        assert!(said.contains(reason), "{name}: {said}");
    }
}

#[test]
fn a_stream_that_ends_ends_the_intake() {
    let films = Films::new();
    let film = format!("cam=h264:{}", films.h264().display());
    for transport in ["tcp", "udp"] {
        let mut camera = Camera::start(RTSP, [film.clone()]);
        let mut watched = Watched::start(&camera.rtsp("cam"), &["--transport", transport]);
        watched.frames(3);
        camera.server.0.kill().expect("it runs");
        let (code, said) = watched.end();
        // With UDP the end of the connection beside it is not always told apart from a pause.
        let expected = if transport == "tcp" { code == Some(0) } else { code == Some(0) || code == SILENT };
        assert!(expected && said.is_empty(), "{transport}: {code:?} {said}");

        // The camera is back at its old port, and so are we.
        camera = Camera::start(RTSP, ["--port".into(), camera.port.to_string(), film.clone()]);
        let back = Instant::now();
        let frame = Watched::start(&camera.rtsp("cam"), &["--transport", transport]).frame();
        println!("{transport}: the first frame {:?} after the camera was back", frame.arrived - back);
    }
}

#[test]
fn a_silent_camera_is_noticed() {
    let films = Films::new();
    let camera = Camera::start(RTSP, [format!("cam=h264:{}", films.h264().display())]);
    let pictures = Camera::start(MJPEG, films.pictures(1));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mute = listener.local_addr().expect("its address");
    // All at once: each takes its ten seconds.
    let mut frozen = ["tcp", "udp"].map(|transport| {
        let watched = Watched::start(&camera.rtsp("cam"), &["--transport", transport]);
        watched.frames(3);
        (transport, watched)
    });
    camera.server.signal("STOP");
    let since = Instant::now();
    let mut unanswered = Watched::start(&format!("rtsp://{mute}/cam"), &[]);
    let mut begun = Watched::start(&pictures.http("silent"), &[]);
    for (transport, watched) in &mut frozen {
        assert_eq!(watched.end(), (SILENT, String::new()), "{transport}");
        assert!(since.elapsed() > Duration::from_secs(8), "{transport}: {:?}", since.elapsed());
        println!("{transport}: noticed after {:?}", since.elapsed());
    }
    assert_eq!(begun.end(), (SILENT, String::new()));
    let (code, said) = unanswered.end();
    assert!(code == Some(1) && said.contains("silent for 10 s"), "{said}");
}

#[test]
fn a_change_of_size_in_mid_stream_is_survived() {
    let films = Films::new();
    let camera = Camera::start(RTSP, [format!("cam=h264:{}", films.of_two_sizes("640x480").display())]);
    let watched = Watched::start(&camera.rtsp("cam"), &[]);
    let frames = watched.frames(40);
    let small = frames.iter().filter(|frame| frame.size_px == (320, 240)).count();
    let large = frames.iter().filter(|frame| frame.size_px == (640, 480)).count();
    assert!(small >= 10 && large >= 15 && small + large == 40, "{small} and {large}");
    assert!(frames.is_sorted_by(|a, b| a.at_ms < b.at_ms));
}

/// Windows of a live source are those of the wall clock.
#[test]
fn a_stream_says_when_it_began_and_when_each_packet_came() {
    let films = Films::new();
    let camera = Camera::start(MJPEG, films.pictures(3));
    let unix_ms = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        u64::try_from(since.as_millis()).expect("before the end of time")
    };
    let before = unix_ms();
    let (_intake, packets, _words) = call(&camera.http("stream"), &[]);
    let mut reader = Reader::new(packets).expect("a stream");
    let origin = reader.header().origin_unix_ms.expect("a live stream");
    assert!((before..=unix_ms()).contains(&origin), "{before} {origin}");
    let mut last_us = 0;
    for number in 0..10 {
        let outis_packet::Item::Packet(packet) = reader.read().expect("a packet") else { panic!("an end") };
        assert!(packet.pts.is_none() && packet.key, "{number}: {packet:?}");
        assert!(packet.arrival_us >= last_us, "{number}: {} after {last_us}", packet.arrival_us);
        last_us = packet.arrival_us;
    }
    assert!(last_us > 500_000, "ten pictures, one each 100 ms: {last_us}");
}

/// A camera that was taken over may name another as where its video comes from.
#[test]
fn a_camera_that_sends_us_to_another_address_is_refused() {
    // Two addresses of this machine with one port.
    let listeners = ["127.0.0.1:0", "127.0.0.2"].map(str::to_owned);
    let first = TcpListener::bind(&listeners[0]).expect("a port");
    let port = first.local_addr().expect("its address").port();
    let second = TcpListener::bind((listeners[1].as_str(), port)).expect("the same port of another address");
    thread::spawn(move || speak(&first, |_| format!("302 Moved\r\nLocation: rtsp://127.0.0.2:{port}/cam")));
    thread::spawn(move || {
        speak(&second, |request| match request.split(' ').next() {
            Some("DESCRIBE") => {
                let sdp = "v=0\r\nm=video 0 RTP/AVP 26\r\na=control:a\r\n";
                format!(
                    "200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                    sdp.len()
                )
            }
            Some("SETUP") => "200 OK\r\nSession: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1".into(),
            _ => "200 OK\r\nSession: 1".into(),
        });
    });
    let mut watched = Watched::start(&format!("rtsp://127.0.0.1:{port}/cam"), &[]);
    let (code, said) = watched.end();
    assert!(code == Some(1) && said.contains("another address than its own"), "{code:?} {said}");
}

/// Answers the requests of each connection, one after another.
fn speak(listener: &TcpListener, answer: impl Fn(&str) -> String) {
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else { return };
        let mut request = String::new();
        let mut byte = [0];
        while let Ok(1) = connection.read(&mut byte) {
            request.push(char::from(byte[0]));
            if !request.ends_with("\r\n\r\n") {
                continue;
            }
            let number =
                request.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("1").to_owned();
            let answer = answer(&request);
            let (first, rest) = answer.split_once("\r\n").unwrap_or((&answer, ""));
            let end = if answer.contains("\r\n\r\n") { "" } else { "\r\n\r\n" };
            let rest = if rest.is_empty() { String::new() } else { format!("\r\n{rest}") };
            let whole = format!("RTSP/1.0 {first}\r\nCSeq: {number}{rest}{end}");
            if connection.write_all(whole.as_bytes()).is_err() {
                break;
            }
            request.clear();
        }
    }
}

/// Whoever answers at a camera's address may answer anything, for as long as he likes.
#[test]
fn a_hostile_camera_is_left_within_its_ten_seconds() {
    let described = |sdp: &str| {
        let head = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: ";
        format!("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n{head}{}\r\n\r\n{sdp}", sdp.len())
    };
    let tracks = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:a\r\n".repeat(5000);
    let sets =
        format!("m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-parameter-sets={}\r\n", "Z0LA,".repeat(50_000));
    let cases = [
        ("nothing but zeros", vec![0; 1 << 20]),
        ("a line without an end", vec![b'a'; 1 << 20]),
        ("headers without an end", b"X: y\r\n".repeat(1 << 17)),
        (
            "a length beyond memory",
            b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
        ),
        ("a negative length", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n".to_vec()),
        ("packets before anything else", b"$\x00\xff\xff\x80\x60aaaaaaaaaa".repeat(1 << 15)),
        ("thousands of tracks", described(&tracks).into_bytes()),
        ("parameter sets without an end", described(&sets).into_bytes()),
        (
            "a picture of multiparts",
            b"HTTP/1.1 200 OK\r\n\r\n--a\r\nContent-Length: 9999999999\r\n\r\n".to_vec(),
        ),
    ];
    let mut calls = Vec::new();
    for (name, bytes) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let mut connection = connection;
                let _ = connection.write_all(&bytes);
                // Then one byte at a time, so that it is never silent.
                while connection.write_all(b"a").is_ok() {
                    thread::sleep(Duration::from_millis(200));
                }
            }
        });
        for scheme in ["rtsp", "http"] {
            let name = format!("{name}, {scheme}");
            calls.push((name, Watched::start(&format!("{scheme}://{address}/cam"), &[])));
        }
    }
    for (name, mut watched) in calls {
        let (code, said) = watched.end();
        // Some of it passes for the beginning of a stream, of which then nothing comes.
        let left = code == SILENT && said.is_empty() || code == Some(0) && said.is_empty();
        let refused =
            code == Some(1) && said.lines().count() == 1 && said.starts_with("outis-intake: cannot open");
        assert!(left || refused, "{name}: {code:?} {said}");
    }
}
