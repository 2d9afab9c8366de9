//! `outis watch` with real cameras, that is, files played as if they were.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::stage::{Stage, children_of, clip};

const CAMERA: &str = r#"
listen = "127.0.0.1:0"
output = { json_lines = "w.jsonl", csv = "w.csv" }

[[camera]]
name = "campus"
source = "vtest.avi"
profile = "exact"
window_s = 3
flows = true
pace = 0

[[camera.line]]
name = "west path"
points = [[225, 340], [225, 180]]

[[camera.zone]]
name = "crossing"
corners = [[330, 232], [545, 215], [650, 285], [545, 392], [395, 325]]
"#;

fn windows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn windows_are_written_one_by_one() {
    let stage = Stage::new();
    stage.short_clip(8);
    stage.write("w.toml", CAMERA);
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");

    let windows = windows(&stage.read("w.jsonl"));
    let bounds = |w: &Value| (w["media_start_s"].as_f64().unwrap(), w["state"].as_str().unwrap().to_owned());
    let expected =
        [(0.0, "closed"), (3.0, "closed"), (6.0, "partial")].map(|(s, state)| (s, state.to_owned()));
    assert_eq!(windows.iter().map(bounds).collect::<Vec<_>>(), expected);
    let observed: f64 = windows.iter().map(|w| w["observed_s"].as_f64().unwrap()).sum();
    assert!((7.5..=8.1).contains(&observed), "{observed} s");
    for window in &windows {
        assert_eq!((&window["camera"], &window["length_s"]), (&"campus".into(), &3.0.into()));
        assert_eq!(window["flows"].as_array().unwrap().len(), 2);
    }

    // The number of rows is fixed by the configuration: 6 classes, each 2 + 2 + 6 figures and 2 flows.
    let csv = stage.read("w.csv");
    assert_eq!(csv.lines().count(), 1 + windows.len() * 6 * 12);
    let starts: BTreeSet<&str> = csv.lines().skip(1).filter_map(|row| row.split(',').nth(1)).collect();
    assert_eq!(starts, BTreeSet::from(["0", "3", "6"]));
}

/// Once as large as its line was drawn in, once half as large, once not as wide.
#[test]
fn lines_count_the_same_in_a_smaller_picture() {
    let stage = Stage::new();
    let line = "[[camera.line]]\nname = \"path\"\npoints = [[916, 50], [916, 720]]\n";
    let mut config = "listen = \"127.0.0.1:0\"\noutput = { json_lines = \"w.jsonl\" }\n".to_owned();
    for (name, crop, size) in
        [("large", 432, "1280:720"), ("small", 432, "640:360"), ("narrow", 576, "640:480")]
    {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(clip());
        let filter = format!("crop=768:{crop}:0:{},scale={size}", 576 - crop);
        ffmpeg.args(["-t", "40", "-vf", &filter, "-c:v", "libx264", "-preset", "veryfast"]);
        let made = ffmpeg.arg(stage.path(&format!("{name}.mkv"))).status();
        assert!(made.is_ok_and(|status| status.success()), "ffmpeg is needed");
        config += &format!(
            "[[camera]]\nname = \"{name}\"\nsource = \"{name}.mkv\"\nprofile = \"exact\"\nwindow_s = 60\npace = 0\n\
             picture = [1280, 720]\n{line}"
        );
    }
    stage.write("w.toml", config);
    let ended = stage.run(&["watch", "w.toml"]);
    assert!(
        ended.stderr.contains(
            "error: camera \"narrow\": its picture is 640 x 480 now, another shape than the 1280 x 720"
        ),
        "{ended:?}"
    );
    let windows = windows(&stage.read("w.jsonl"));
    let people = |name: &str| {
        let window =
            windows.iter().find(|window| window["camera"] == name).unwrap_or_else(|| panic!("{ended:?}"));
        let people = &window["lines"][0]["classes"]["person"];
        people["forward"].as_u64().unwrap() + people["backward"].as_u64().unwrap()
    };
    let (large, small) = (people("large"), people("small"));
    // The same walks; far people are harder to see in the smaller one.
    assert!(large >= 5 && large.abs_diff(small) <= large / 4, "{large} and {small}");
}

#[test]
fn samples_run_as_they_stand() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples");
    for sample in [
        "one-camera.toml",
        "two-cameras.toml",
        "street.toml",
        "decree.toml",
        "speaker.toml",
        "distances.toml",
    ] {
        let stage = Stage::new();
        stage.short_clip(4);
        let text = fs::read_to_string(format!("{folder}/{sample}")).unwrap();
        // Any free port, so that tests can run side by side; all else is as it stands.
        let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("listen")).collect();
        stage.write(sample, format!("listen = \"127.0.0.1:0\"\n{}", rest.join("\n")));
        let ended = stage.run(&["watch", sample]);
        assert_eq!(ended.code, 0, "{sample}: {ended:?}");
        let cameras = text.matches("[[camera]]").count();
        assert_eq!(windows(&stage.read("windows.jsonl")).len(), cameras, "{sample}");
    }
}

/// Real people before the real eye, in metres. The shares have no truth here; what must hold of any street does.
#[test]
fn people_are_measured_on_the_ground() {
    let stage = Stage::new();
    stage.short_clip(20);
    let sample =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/samples/distances.toml"));
    stage.write("w.toml", format!("listen = \"127.0.0.1:0\"\n{}", sample.unwrap()));
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let windows = windows(&stage.read("windows.jsonl"));
    let [window] = &windows[..] else { panic!("{windows:?}") };
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value}: {window}"));
    let areas = window["people"]["areas"].as_array().unwrap();
    assert!(areas.len() == 2 && areas[0]["zone"].is_null() && areas[1]["zone"] == "crossing", "{window}");
    let view = &areas[0];
    let measured_s = number(&view["distances"]["measured_s"]);
    // Four to eight people walk there.
    assert!((30.0..200.0).contains(&measured_s), "{window}");
    let [one, two] = [0, 1].map(|index| number(&view["distances"]["near"][index]["share"]));
    assert!((0.0..=1.0).contains(&one) && one <= two && two <= 1.0, "{window}");
    let spans = view["distances"]["nearest"].as_array().unwrap();
    let sum: f64 = spans.iter().map(|span| number(&span["person_s"])).sum();
    assert!(spans.len() == 7 && (sum - measured_s).abs() < 0.01, "{window}");
    // People walk, and none of them runs.
    let speed = number(&view["speed"]["mean_m_s"]);
    assert!((0.8..2.2).contains(&speed), "{window}");
    // By hand, from the marks: the zone is about ten metres by eight.
    let zone = &areas[1];
    assert!((40.0..150.0).contains(&number(&zone["density"]["ground_m2"])), "{window}");
    assert!(number(&zone["density"]["mean_per_m2"]) <= number(&zone["density"]["max_per_m2"]), "{window}");
    assert!(zone["queue"]["served"].is_u64() && view.get("queue").is_none(), "{window}");
    let heat = &window["people"]["heat"];
    let cells = heat["person_s"].as_array().unwrap();
    let hot: f64 = cells.iter().map(number).sum();
    assert!(cells.len() == 6 * 4 && hot > 5.0 && hot <= measured_s, "{window}");
    let csv = stage.read("windows.csv");
    for row in [
        "view,,,person,within_1m_share,",
        "zone,crossing,,person,density_mean_per_m2,",
        "heat,-14;-10,,person",
    ] {
        assert!(csv.contains(row), "{row}: {csv}");
    }
}

#[test]
fn a_camera_that_fails_leaves_the_others_alone() {
    let stage = Stage::new();
    stage.short_clip(2);
    stage.write("w.toml", format!("{CAMERA}\n[[camera]]\nname = \"gone\"\nsource = \"absent.avi\"\n"));
    let ended = stage.run(&["watch", "w.toml"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stderr.contains("error: camera \"gone\"") && ended.stderr.contains("absent.avi"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("camera \"campus\": counted to its end"), "{ended:?}");
    assert_eq!(windows(&stage.read("w.jsonl")).len(), 1);
}

#[test]
fn a_stop_by_hand_keeps_what_was_counted() {
    let stage = Stage::new();
    stage.short_clip(60);
    stage.write("w.toml", CAMERA.replace("pace = 0", "pace = 1").replace("window_s = 3", "window_s = 900"));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 2.0);
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!((ended.code, ended.stderr.contains("stopped")), (0, true), "{ended:?}");
    let windows = windows(&stage.read("w.jsonl"));
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0]["state"], "partial");
    let observed = windows[0]["observed_s"].as_f64().unwrap();
    assert!((1.5..55.0).contains(&observed), "{observed} s");
}

#[test]
fn a_killed_eye_leaves_its_window_behind() {
    let stage = Stage::new();
    stage.short_clip(60);
    stage.write("w.toml", CAMERA.replace("pace = 0", "pace = 1").replace("window_s = 3", "window_s = 900"));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    running.camera_when(|camera| camera["media_s"].as_f64().unwrap() >= 4.0);
    let is_eye =
        |path: &PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "outis-eye");
    let eye = children_of(running.child.id()).into_iter().find(is_eye).unwrap();
    let pid = eye.file_name().unwrap();
    assert!(Command::new("kill").arg("-KILL").arg(pid).status().unwrap().success());
    let ended = running.end();
    assert!(ended.code != 0 && ended.stderr.contains("camera \"campus\""), "{ended:?}");
    let windows = windows(&stage.read("w.jsonl"));
    assert_eq!(windows.len(), 1, "{windows:?}");
    assert_eq!(windows[0]["state"], "partial");
    assert!(windows[0]["observed_s"].as_f64().unwrap() > 0.5, "{windows:?}");
}

#[test]
fn wrong_configurations_are_refused_before_anything_starts() {
    let stage = Stage::new();
    stage.write("diary.txt", "dear diary");
    let cases = [
        ("unknown key", CAMERA.replace("flows", "flow"), vec!["w.toml", "line 10", "`flow`", "`flows`"]),
        (
            "two of a name",
            format!("{CAMERA}{}", CAMERA.split_once("\n\n").unwrap().1),
            vec!["\"campus\"", "two cameras"],
        ),
        ("foreign file", CAMERA.replace("w.csv", "diary.txt"), vec!["diary.txt", "another one"]),
        ("not TOML", "[[camera".to_owned(), vec!["w.toml", "line 1"]),
    ];
    for (name, text, parts) in cases {
        stage.write("w.toml", text);
        let ended = stage.run(&["watch", "w.toml"]);
        assert_eq!(ended.code, 2, "{name}: {ended:?}");
        assert!(parts.iter().all(|part| ended.stderr.contains(part)), "{name}: {ended:?}");
    }
    let ended = stage.run(&["watch", "absent.toml"]);
    assert_eq!((ended.code, ended.stderr.contains("absent.toml")), (2, true), "{ended:?}");
}
