//! What a reader of the files, a visitor of the page and a judge of the configuration get to see.

use serde_json::{Value, json};

use crate::stage::Stage;

const STREET: &str = r#"
listen = "127.0.0.1:0"
output = { json_lines = "w.jsonl", csv = "w.csv" }

[[camera]]
name = "campus"
source = "vtest.avi"
classes = ["person"]
flows = true

[[camera.line]]
name = "west path"
points = [[225, 340], [225, 180]]

[[camera.zone]]
name = "crossing"
corners = [[330, 232], [545, 215], [650, 285], [545, 392], [395, 325]]
"#;

#[test]
fn with_noise_the_page_shows_no_running_window() {
    let stage = Stage::new();
    stage.short_clip(60);
    stage.write("w.toml", STREET.replace("flows = true", "pace = 4"));
    let running = stage.start(&mut stage.outis(&["watch", "w.toml"]));
    let seen = std::cell::RefCell::new(Vec::new());
    // The first minute's tick is the end of the clip: until then the page has seen the source begin, and no more.
    running.camera_when(|camera| {
        seen.borrow_mut().push(camera.clone());
        camera["status"] == "running" && seen.borrow().len() > 100
    });
    for camera in seen.borrow().iter() {
        assert!(camera["window"].is_null() && camera["history"] == json!([]), "{camera}");
        assert_eq!(
            (&camera["frames"], &camera["looks"], &camera["media_s"]),
            (&json!(0), &json!(0), &json!(0.0))
        );
    }
    running.signal("-TERM");
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    let windows = stage.read("w.jsonl");
    let window: Value = serde_json::from_str(&windows).unwrap();
    assert_eq!((&window["state"], &window["profile"]), (&json!("partial"), &json!("statistics")));
    assert_eq!((&window["epsilon"], &window["k"], &window["looks"]), (&json!(1), &json!(5), &Value::Null));
    let occupancy = &window["occupancy"];
    assert!(occupancy["now"].is_null() && occupancy["classes"]["person"]["max"].is_null(), "{occupancy}");
    assert_eq!(window["observed_s"].as_f64().unwrap().fract(), 0.0);
}

#[test]
fn files_of_a_noisy_profile_have_a_fixed_shape_and_nothing_small() {
    let stage = Stage::new();
    stage.short_clip(2);
    stage.write("w.toml", STREET.replace("flows = true", "flows = true\npace = 0"));
    for _ in 0..4 {
        let ended = stage.run(&["watch", "w.toml"]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let csv = stage.read("w.csv");
    // The mean in the picture, two directions, arrivals, departures, the time of stays, two journeys.
    assert_eq!(csv.lines().count(), 1 + 4 * 8, "{csv}");
    for row in csv.lines().skip(1) {
        let columns: Vec<&str> = row.split(',').collect();
        let (measure, value) = (columns[9], columns[10]);
        let small = value.parse::<f64>().is_ok_and(|value| match measure {
            "occupancy_mean" => value < 0.5,
            "dwell_total_s" => value < 600.0,
            _ => value < 5.0,
        });
        assert!(!small, "{row}");
    }
}

#[test]
fn a_configuration_is_described_before_anything_is_seen() {
    let stage = Stage::new();
    stage.write("w.toml", STREET);
    // It reads the configuration and nothing else: neither models nor the source need be there.
    let mut describe = stage.outis(&["describe", "w.toml", "--json"]);
    let described = stage.start(describe.env("OUTIS_CACHE", stage.path("empty"))).end();
    assert_eq!(described.code, 0, "{described:?}");
    let camera = &described.json()["cameras"][0];
    assert_eq!(camera["detector"], json!(null), "none is there");
    assert_eq!(
        (&camera["profile"], &camera["epsilon"], &camera["k"]),
        (&json!("statistics"), &json!(1), &json!(5))
    );
    assert_eq!((&camera["window_s"], &camera["alerts_per_hour"]), (&json!(900.0), &json!(0)));
    let cells = camera["cells"].as_array().unwrap();
    let names: Vec<&str> = cells.iter().map(|cell| cell["name"].as_str().unwrap()).collect();
    let expected = [
        "picture: time present",
        "west path: forward",
        "west path: backward",
        "crossing: entered",
        "crossing: left",
        "crossing: time of stays",
        "west path to crossing",
        "crossing to west path",
    ];
    assert_eq!(names, expected);
    assert!(cells.iter().all(|cell| cell["noise_scale"].as_f64().is_some_and(|scale| scale > 0.0)));
    let sum: f64 = cells.iter().map(|cell| cell["bits"].as_f64().unwrap()).sum();
    let bits = camera["bits_per_window"].as_f64().unwrap();
    let frame = camera["frame_bits"].as_f64().unwrap();
    // Each is rounded upwards to a hundredth.
    assert!((bits..bits + 0.1).contains(&(sum + frame)), "{bits}, {sum}, {frame}");
    assert!((20.0..80.0).contains(&bits), "{bits}");

    let text = stage.run(&["describe", "w.toml"]).stdout;
    for part in [
        "profile \"statistics\"",
        "detector   nanodet-g",
        "ε = 1",
        "bits in a window of 900 s",
        "alerts     none",
        "west path: forward",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let streams = "source = \"rtsp://camera.example/1\"\nsubstream = \"rtsp://camera.example/2\"";
    assert!(!text.contains("substream"), "{text}");
    stage.write("w.toml", STREET.replace("source = \"vtest.avi\"", streams));
    let text = stage.run(&["describe", "w.toml"]).stdout;
    assert!(
        text.contains("substream  a second, smaller stream of the same view is watched for motion"),
        "{text}"
    );
    stage.write("w.toml", STREET.replace("flows = true", "window_s = 60"));
    let refused = stage.run(&["describe", "w.toml"]);
    assert_eq!((refused.code, refused.stderr.contains("set window_s = 900")), (2, true), "{refused:?}");
}
