//! Pauses that passers-by ask for: from the answer on nobody looks, until the pause is over; and it is on record.

use std::{
    fs::{self},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    time::Instant,
};

use serde_json::Value;

use crate::stage::{Running, Stage, ask, children_of, clip, program_arguments};

/// A street that is empty but for eight seconds, from the twelfth on.
fn film(stage: &Stage, name: &str) -> PathBuf {
    let film = stage.path(name);
    let empty = |seconds: u32| format!("color=gray:size=768x576:rate=10:duration={seconds}");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-t", "8", "-i"]).arg(clip());
    ffmpeg.args(["-f", "lavfi", "-i", &empty(12), "-f", "lavfi", "-i", &empty(20), "-filter_complex"]);
    ffmpeg.args(["[0]fps=10,setsar=1[people];[1]setsar=1[a];[2]setsar=1[b];[a][people][b]concat=n=3"]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "0"]).arg(&film);
    assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg is needed for a film");
    film
}

fn camera(name: &str, source: &str) -> String {
    format!(
        "[[camera]]\nname = \"{name}\"\nsource = \"{source}\"\nprofile = \"exact\"\nwindow_s = 40\ndetect_fps = 2\n\
         [[camera.line]]\nname = \"path\"\npoints = [[225, 340], [225, 180]]\n\n"
    )
}

fn configuration(cameras: &[String]) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\nstate = \"state\"\noutput = {{ json_lines = \"w.jsonl\", csv = \"w.csv\" }}\n\n{}",
        cameras.concat()
    )
}

/// Programs of the door that were started for a source; an eye is told none, so it is told by what it reads from.
fn intakes_of(running: &Running, source: &str) -> usize {
    let of_source =
        |path: &PathBuf| program_arguments(path).iter().any(|argument| argument.ends_with(source));
    children_of(running.child.id()).iter().filter(|path| of_source(path)).count()
}

fn windows(stage: &Stage, camera: &str) -> Vec<Value> {
    let windows = stage.read("w.jsonl");
    let windows = windows.lines().map(|line| serde_json::from_str(line).unwrap());
    windows.filter(|window: &Value| window["camera"] == camera).collect()
}

fn most_present(window: &Value) -> u64 {
    window["occupancy"]["classes"]["person"]["max"].as_u64().unwrap()
}

#[test]
fn whoever_passes_in_a_pause_is_not_counted() {
    let stage = Stage::new();
    film(&stage, "paused.mkv");
    fs::copy(stage.path("paused.mkv"), stage.path("other.mkv")).unwrap();
    stage.write("w.toml", configuration(&[camera("gate", "paused.mkv"), camera("other", "other.mkv")]));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 1.0);
    let page = running.page().to_string();
    let asked = Instant::now();
    let ended = stage.run(&["pause", "--page", &page, "--camera", "gate", "--seconds", "22"]);
    eprintln!(
        "answered after {:.0} ms, the start of a program included",
        1e3 * asked.elapsed().as_secs_f64()
    );
    assert!(ended.code == 0 && ended.stdout.contains("for 2"), "{ended:?}");
    // From the answer to the end of the pause there is no program that could look; the other camera's are at work.
    let mut looks = 0;
    loop {
        // In this order: what is seen last of the state was so when the programs were looked for.
        let intakes = intakes_of(&running, "paused.mkv");
        let programs = children_of(running.child.id()).len();
        let paused = running.camera_when(|_| true)["status"] == "paused";
        if !paused {
            break;
        }
        assert_eq!((intakes, programs), (0, 2), "after {:.1} s", asked.elapsed().as_secs_f64());
        looks += 1;
    }
    assert!(looks > 10 && asked.elapsed().as_secs() >= 20, "{looks} looks, {:?}", asked.elapsed());
    let ended = running.end();
    assert_eq!(ended.code, 3, "one camera was counted in part: {ended:?}");
    assert!(!ended.stderr.to_lowercase().contains("pause"), "no journal says when somebody asked: {ended:?}");

    let [paused, other] = ["gate", "other"].map(|camera| windows(&stage, camera));
    assert_eq!((paused.len(), other.len()), (1, 1));
    let (paused, other) = (&paused[0], &other[0]);
    assert!(most_present(other) > 0 && other["paused_s"] == 0, "{other}");
    assert_eq!(most_present(paused), 0, "{paused}");
    let paused_s = paused["paused_s"].as_u64().unwrap();
    assert!((22..=24).contains(&paused_s), "{paused}");
    let observed_s = paused["observed_s"].as_f64().unwrap();
    assert!(observed_s > 5.0 && observed_s <= 40.0 - 21.0, "{paused}");
    assert!(stage.read("w.csv").contains(&format!(",{paused_s},line,")), "{}", stage.read("w.csv"));

    let verified = stage.run(&["verify", "state", "--json"]);
    assert_eq!((verified.code, &verified.json()["paused_s"]), (0, &paused_s.into()), "{verified:?}");
    let verified = stage.run(&["verify", "state"]);
    assert!(verified.stdout.contains(&format!("a camera was paused: {paused_s}")), "{verified:?}");
}

/// A request to pause, with what a browser or a program says beside it.
fn post(page: SocketAddr, headers: &str, body: &str) -> (String, String) {
    let length = body.len();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {page}\r\n") };
    let request = format!(
        "POST /api/pause HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    ask(page, &request)
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn requests_are_granted_prolonged_and_refused() {
    let stage = Stage::new();
    stage.short_clip(60);
    let terms = "pause = { seconds = 30, window_share = 0.1 }\n";
    stage.write("w.toml", terms.to_owned() + &configuration(&[camera("gate", "vtest.avi")]));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let page = running.page();
    running.camera_when(|camera| camera["status"] == "running");
    let own = format!("{JSON}Origin: http://{page}\r\nSec-Fetch-Site: same-origin\r\n");
    let foreign = format!("{JSON}Origin: https://evil.example\r\n");
    let rebound = format!("{JSON}Host: evil.example\r\n");
    for (headers, body, status, part) in [
        (JSON, r#"{"camera": "yard"}"#, 404, "no camera"),
        (JSON, r#"{"camera": "gate", "seconds": 5}"#, 400, "10 to 600"),
        (JSON, r#"{"camera": "gate", "who": "me"}"#, 400, "NAME"),
        (JSON, "pause", 400, "NAME"),
        ("Content-Type: text/plain\r\n", r#"{"camera": "gate"}"#, 415, "JSON"),
        (&foreign, r#"{"camera": "gate"}"#, 403, "only this page"),
        (&rebound, r#"{"camera": "gate"}"#, 421, "by its address"),
        (&own, r#"{"camera": "gate", "seconds": 600}"#, 429, "as its operator allows"),
    ] {
        let (head, answer) = post(page, headers, body);
        assert!(
            head.starts_with(&format!("http/1.1 {status}")) && answer.contains(part),
            "{body}: {head}{answer}"
        );
        assert!(!head.contains("set-cookie"), "{head}");
    }
    assert_eq!(intakes_of(&running, "vtest.avi"), 1, "nothing of this has paused it");
    let long = format!("{{\"camera\": \"{}\"}}", "x".repeat(2000));
    assert!(post(page, JSON, &long).0.starts_with("http/1.1 413"));

    let seconds = |answer: &str| serde_json::from_str::<Value>(answer).unwrap()["seconds"].as_u64().unwrap();
    let (head, answer) = post(page, &own, r#"{"camera": "gate"}"#);
    assert!(head.starts_with("http/1.1 200") && (28..=30).contains(&seconds(&answer)), "{head}{answer}");
    assert_eq!(children_of(running.child.id()).len(), 0);
    let (_, answer) = post(page, JSON, r#"{"camera": "gate", "seconds": 60}"#);
    assert!((57..=60).contains(&seconds(&answer)), "{answer}");
    // A pause is no fault of the device.
    assert_eq!(crate::stage::get(page, "/health").1, "ok\n");
    running.signal("-TERM");
    let ended = running.end();
    assert!(ended.code == 3 || ended.code == 0, "{ended:?}");
}

#[test]
fn a_pause_survives_the_death_of_the_door() {
    let stage = Stage::new();
    stage.short_clip(60);
    stage.write("w.toml", configuration(&[camera("gate", "vtest.avi")]));
    let mut running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 4.0);
    let (head, answer) = post(running.page(), JSON, r#"{"camera": "gate", "seconds": 20}"#);
    assert!(head.starts_with("http/1.1 200"), "{head}{answer}");
    running.child.kill().unwrap();
    running.end();
    let mode = fs::metadata(stage.path("state/pauses")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["status"] == "paused");
    assert_eq!(children_of(running.child.id()).len(), 0);
    running.camera_when(|camera| camera["status"] == "running");
    running.signal("-TERM");
    running.end();
    let windows = windows(&stage, "gate");
    assert!(windows.iter().all(|window| window["state"] == "partial"), "{windows:?}");
    assert_eq!(stage.run(&["verify", "state"]).code, 0);
}

#[test]
fn the_command_says_why_it_cannot() {
    let stage = Stage::new();
    stage.short_clip(1);
    stage.write("w.toml", configuration(&[camera("gate", "vtest.avi"), camera("yard", "vtest.avi")]));
    let nobody = crate::stage::free_port();
    stage.write(
        "nobody.toml",
        configuration(&[camera("gate", "vtest.avi")]).replace("127.0.0.1:0", &nobody.to_string()),
    );
    for (arguments, code, part) in [
        (&["pause", "w.toml"][..], 2, "--page"),
        (&["pause", "nobody.toml", "--camera", "yard"], 2, "--camera is one of: gate"),
        (&["pause", "nobody.toml"], 1, "no page is served"),
        (&["pause", "--page", "127.0.0.1:1"], 2, "--camera"),
        (&["pause"], 2, "required"),
    ] {
        let ended = stage.run(arguments);
        assert!(ended.code == code && ended.stderr.contains(part), "{arguments:?}: {ended:?}");
    }
}
