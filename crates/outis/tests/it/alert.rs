//! Alerts through the real programs: from people in the picture to what is told of them.

use serde_json::{Value, json};

use crate::stage::{Stage, get};

/// The crossing of the clip is never empty in its first seconds.
const CAMERA: &str = r#"
listen = "127.0.0.1:0"
output = { json_lines = "w.jsonl", alerts = "a.jsonl" }

[[camera]]
name = "campus"
source = "vtest.avi"
profile = "exact"
classes = ["person"]

[[camera.zone]]
name = "square"
corners = [[0, 0], [768, 0], [768, 576], [0, 576]]

[camera.operational]
purpose = "to ask people to make room"
basis = "house rules of the campus"
objection = "the button at the gate stops the camera"
gap_s = 10

[[camera.alert]]
kind = "too-full"
zone = "square"
more_than = 1
for_s = 1
"#;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_alert_tells_zone_kind_and_time_and_nothing_else() {
    let stage = Stage::new();
    stage.short_clip(8);
    stage.write("w.toml", CAMERA);
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let camera = running.camera_when(|camera| !camera["alerts"].as_array().unwrap().is_empty());
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("camera \"campus\": alert too-full in zone \"square\""), "{ended:?}");
    let told = lines(&stage.read("a.jsonl"));
    // Eight seconds, ten seconds apart.
    let [alert] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*alert, camera["alerts"][0], "the page says the same");
    let expected = json!({
        "kind": "alert", "camera": "campus", "alert": "too-full", "zone": "square", "time": alert["time"],
    });
    assert_eq!(*alert, expected);
    assert_eq!(lines(&stage.read("w.jsonl")).len(), 1, "windows are windows");
}

/// Where four marks of the ground are in the picture, roughly.
const TOO_CLOSE: &str = r#"
[camera.ground]
image = [[225, 300], [545, 392], [650, 285], [330, 232]]
metres = [[0, 0], [9, 0], [9, 9], [0, 9]]

[[camera.alert]]
kind = "too-close"
nearer_than_m = 8
for_s = 1
"#;

#[test]
fn people_who_are_too_close_are_seen_on_the_ground() {
    let stage = Stage::new();
    stage.short_clip(6);
    let (before, _) = CAMERA.split_once("[[camera.alert]]").unwrap();
    stage.write("w.toml", format!("{before}{TOO_CLOSE}"));
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = lines(&stage.read("a.jsonl"));
    let [alert] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&alert["alert"], &alert["zone"]), (&json!("too-close"), &Value::Null));
    // Nobody stands on another's feet for a second.
    let far = TOO_CLOSE.replace("nearer_than_m = 8", "nearer_than_m = 0.1");
    stage.write(
        "far.toml",
        format!("{before}{far}").replace("a.jsonl", "far.jsonl").replace("w.jsonl", "v.jsonl"),
    );
    assert_eq!(stage.run(&["watch", "far.toml"]).code, 0);
    assert_eq!(stage.read("far.jsonl"), "");
}

#[test]
fn describe_says_what_alerts_tell_and_by_what_right() {
    let stage = Stage::new();
    stage.write("w.toml", CAMERA);
    let described = stage.run(&["describe", "w.toml", "--json"]);
    assert_eq!(described.code, 0, "{described:?}");
    let with = &described.json()["cameras"][0];
    assert_eq!((&with["alerts_per_hour"], &with["alerts"]["gap_s"]), (&json!(360), &json!(10.0)));
    stage.write("w.toml", CAMERA.split("[camera.operational]").next().unwrap());
    let without = &stage.run(&["describe", "w.toml", "--json"]).json()["cameras"][0];
    assert_eq!(without["alerts_per_hour"], json!(0));
    let bits = |camera: &Value, key| camera[key].as_f64().unwrap();
    let more = bits(with, "bits_per_window") - bits(without, "bits_per_window");
    assert!(bits(with, "alert_bits") > 100.0 && (more - bits(with, "alert_bits")).abs() < 0.05, "{with}");

    stage.write("w.toml", CAMERA);
    stage.write("w.toml", format!("{CAMERA}[[speaker.rtp]]\naddress = \"239.1.2.3:5004\"\n"));
    let text = stage.run(&["describe", "w.toml"]).stdout;
    for part in [
        "at most one in 10 s",
        "too-full in zone \"square\": more than 1 people for 1 s",
        "counting in order to act is not statistics",
        "house rules of the campus",
        "the button at the gate",
        "heard by loudspeaker 239.1.2.3:5004",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_page_has_alerts_only_where_they_are_asked_for() {
    let stage = Stage::new();
    stage.short_clip(8);
    stage.write("w.toml", CAMERA.split("[camera.operational]").next().unwrap());
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 5.0);
    let (_, state) = get(running.page(), "/api/state");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["cameras"][0]["alerts"], json!([]));
    assert_eq!(running.end().code, 0);
    assert!(!stage.path("a.jsonl").exists() || stage.read("a.jsonl").is_empty());
}
