//! `outis count` on real files, whole and broken.

use std::fs;

use serde_json::Value;

use crate::stage::{Stage, cache, program};

const WEST: &str = "west path:225,340,225,180";
const ZONE: &str = "crossing:330,232,545,215,650,285,545,392,395,325";

#[test]
fn eight_seconds_of_a_real_clip() {
    let stage = Stage::new();
    stage.short_clip(8);
    let ended = stage.run(&["count", "vtest.avi", "--line", WEST, "--zone", ZONE, "--flows", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["complete"], true);
    assert_eq!(report["source"]["frames"], 80);
    assert_eq!((&report["source"]["width"], &report["source"]["height"]), (&768.into(), &576.into()));
    // The clip has 10 frames a second, of which the detector looks at 5.
    let looks = report["source"]["looks"].as_u64().unwrap();
    assert!((39..=41).contains(&looks), "{looks} looks");
    // Five to eight people are in these frames, by the published truth.
    let people = &report["occupancy"]["classes"]["person"];
    assert!((4..=9).contains(&people["max"].as_u64().unwrap()), "{people}");
    assert_eq!(names(&report["lines"]), ["west path"]);
    assert_eq!(names(&report["zones"]), ["crossing"]);
    assert_eq!(report["flows"].as_array().unwrap().len(), 2);
    for line in report["lines"].as_array().unwrap() {
        let classes = line["classes"].as_object().unwrap();
        for direction in ["forward", "backward"] {
            let sum: u64 = classes.values().map(|class| class[direction].as_u64().unwrap()).sum();
            assert_eq!(line[direction], sum, "{line}");
        }
    }
}

#[test]
fn nobody_is_counted_where_nobody_looks() {
    let stage = Stage::new();
    stage.short_clip(4);
    let all = "all of it:-9,-9,800,-9,800,600,-9,600";
    let ended = stage.run(&["count", "vtest.avi", "--line", WEST, "--blank", all, "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["occupancy"]["classes"]["person"]["max"], 0, "{ended:?}");
    let ended = stage.run(&["count", "vtest.avi", "--line", WEST, "--blank", "corner:0,0"]);
    assert!(ended.code == 2 && ended.stderr.contains("corner:0,0"), "{ended:?}");
}

/// As `outis calibrate` finds the ground of the clip.
const GROUND: &str = "[[camera]]\nname = \"campus\"\nsource = \"vtest.avi\"\n\n[camera.ground]\nfocal_px = 1190.4\n\
                      pitch_deg = 16.48\nroll_deg = -3.09\nheight_m = 7.07\npicture = [768, 576]\n";

#[test]
fn distances_are_told_of_a_file_whose_ground_is_known() {
    let stage = Stage::new();
    stage.short_clip(15);
    stage.write("ground.toml", GROUND);
    stage.write("none.toml", "[[camera]]\nname = \"campus\"\n");
    let count = ["count", "vtest.avi", "--classes", "person", "--distance", "1,2"];
    let with = |more: &[&'static str]| stage.run(&[&count, more].concat());
    let ended = with(&["--ground", "ground.toml", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    let view = &report["people"]["areas"][0];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value}: {report}"));
    // Five to eight people walk there for fifteen seconds.
    assert!((20.0..150.0).contains(&number(&view["distances"]["measured_s"])), "{report}");
    let [one, two] = [0, 1].map(|index| number(&view["distances"]["near"][index]["share"]));
    assert!((0.0..=1.0).contains(&one) && one <= two && two <= 1.0, "{report}");
    let table = with(&["--ground", "ground.toml", "--leave-out-groups"]).stdout;
    assert!(table.contains("Nearer than") && table.contains("whole picture"), "{table}");

    for (more, part) in [
        (&["--ground", "none.toml"][..], "no [camera.ground] in it"),
        (&["--ground", "absent.toml"], "absent.toml cannot be read"),
        (&["--ground", "absent.xml"], "absent.xml cannot be read"),
        (&[], "--ground"),
        (&["--ground", "ground.toml", "--distance", "9"], "0.3 to 5 m"),
    ] {
        let ended = with(more);
        assert!(ended.code == 2 && ended.stderr.contains(part), "{more:?}: {ended:?}");
    }
}

/// Three metres too high: everybody would be 2.4 m tall, and distances half as long again.
#[test]
fn metres_on_a_ground_that_people_do_not_fit_are_withheld() {
    let stage = Stage::new();
    stage.write("wrong.toml", GROUND.replace("7.07", "10.07"));
    stage.write(
        "unchecked.toml",
        GROUND.replace("7.07", "10.07").replace("picture", "check = false\npicture"),
    );
    let clip = cache().join("clips/vtest.avi");
    let count = ["count", clip.to_str().unwrap(), "--line", WEST, "--classes", "person", "--distance", "2"];
    let with = |ground, more: &[&'static str]| stage.run(&[&count[..], &["--ground", ground], more].concat());
    let ended = with("wrong.toml", &["--json"]);
    let report = ended.json();
    assert_eq!((ended.code, &report["complete"]), (3, &false.into()), "{ended:?}");
    assert!(ended.stderr.contains("do not fit the ground"), "{ended:?}");
    assert_eq!(report["notices"][0]["kind"], "ground-doubted", "{report}");
    let area = &report["people"]["areas"][0];
    assert!(area["distances"]["near"][0]["share"].is_null(), "{report}");
    assert!(report["lines"][0]["classes"]["person"]["forward"].as_u64().unwrap() > 0, "{report}");

    let unchecked = with("unchecked.toml", &["--json"]);
    assert_eq!(unchecked.code, 0, "{unchecked:?}");
    assert!(unchecked.json()["people"]["areas"][0]["distances"]["near"][0]["share"].is_number());
    let unchecked = with("wrong.toml", &["--json", "--no-ground-check"]);
    assert!(unchecked.code == 0 && unchecked.stderr.is_empty(), "{unchecked:?}");
    let table = with("wrong.toml", &[]).stdout;
    assert!(table.contains("Nearer than") && !table.contains('%'), "{table}");
}

/// Twelve seconds at 1920 x 1080, where the eye chooses crops. By the published truth three people cross the line to
/// the left and two to the right, and up to seven are in the whole picture at once.
#[test]
fn a_full_hd_street_is_counted_in_crops() {
    let stage = Stage::new();
    stage.full_hd_clip(12);
    let line = "path:1375,1070,1375,125";
    let ended = stage.run(&["count", "street.mkv", "--line", line, "--classes", "person", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["complete"], true);
    assert_eq!((&report["source"]["width"], &report["source"]["height"]), (&1920.into(), &1080.into()));
    assert_eq!(report["source"]["frames"], 120);
    assert_eq!(report["notices"].as_array().unwrap().len(), 0, "{report}");
    let looks = report["source"]["looks"].as_u64().unwrap();
    assert!((59..=61).contains(&looks), "{looks} looks");
    let passages = &report["lines"][0];
    let [forward, backward] = ["forward", "backward"].map(|way| passages[way].as_u64().unwrap());
    assert!((1..=3).contains(&forward) && (2..=4).contains(&backward), "{passages}");
    let people = &report["occupancy"]["classes"]["person"];
    assert!((4..=8).contains(&people["max"].as_u64().unwrap()), "{people}");
    // Most of the picture is known at most looks, or crops would be no way to count.
    assert!(report["observed_s"].as_f64().unwrap() > 9.0, "{report}");
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn table_csv_and_choices() {
    let stage = Stage::new();
    stage.short_clip(2);
    let table = stage.run(&["count", "vtest.avi"]);
    assert_eq!(table.code, 0, "{table:?}");
    assert!(table.stdout.contains("In the picture  Mean  Max\nperson"), "{table:?}");
    assert!(!table.stdout.contains("Line"), "{table:?}");

    let csv = stage.run(&["count", "vtest.avi", "--csv", "--line", WEST, "--classes", "person"]);
    assert!(csv.stdout.starts_with("kind,place,to,class,measure,value\n"), "{csv:?}");
    assert!(csv.stdout.contains("\nline,west path,,person,forward,"), "{csv:?}");
    assert_eq!(csv.stdout.lines().count(), 5, "{csv:?}");

    let json = stage.run(&["count", "vtest.avi", "--json", "--every-frame", "--line", "far:2000,0,2000,9"]);
    assert_eq!(json.json()["source"]["looks"], 20);
    assert!(json.stderr.contains("\"far\"") && json.stderr.contains("768x576"), "{json:?}");
}

#[test]
fn what_cannot_be_counted_is_said() {
    let stage = Stage::new();
    stage.write("notes.txt", "dear diary, ".repeat(1000));
    stage.write("empty.avi", "");
    fs::create_dir(stage.path("folder")).unwrap();
    let cases: [(&str, &[&str], i32, &[&str]); 10] = [
        ("no file", &["count", "absent.avi"], 1, &["absent.avi"]),
        ("a folder", &["count", "folder"], 1, &["folder"]),
        ("a text", &["count", "notes.txt"], 1, &["notes.txt"]),
        ("an empty file", &["count", "empty.avi"], 1, &["empty.avi"]),
        ("half a line", &["count", "x.avi", "--line", "A:1,2,3"], 2, &["A:1,2,3", "NAME:X1,Y1,X2,Y2"]),
        (
            "a name twice",
            &["count", "x.avi", "--line", "A:0,0,9,0", "--zone", "A:0,0,9,0,9,9"],
            2,
            &["\"A\"", "twice"],
        ),
        ("no class", &["count", "x.avi", "--classes", "person,face"], 2, &["\"face\"", "bicycle"]),
        ("no rate", &["count", "x.avi", "--detect-fps", "0"], 2, &["detect-fps"]),
        ("two forms", &["count", "x.avi", "--json", "--csv"], 2, &["--csv"]),
        ("no command", &["cuont"], 2, &["count"]),
    ];
    for (name, arguments, code, parts) in cases {
        let ended = stage.run(arguments);
        assert_eq!(ended.code, code, "{name}: {ended:?}");
        assert!(parts.iter().all(|part| ended.stderr.contains(part)), "{name}: {ended:?}");
        assert_eq!(ended.stdout, "", "{name}");
    }
}

#[test]
fn zones_that_cross_themselves_are_the_authors_mistake() {
    let stage = Stage::new();
    stage.short_clip(1);
    let ended = stage.run(&["count", "vtest.avi", "--zone", "bow:0,0,90,90,90,0,0,90"]);
    assert_eq!((ended.code, ended.stderr.contains("cross")), (2, true), "{ended:?}");
}

#[test]
fn a_truncated_file_is_counted_in_part() {
    let stage = Stage::new();
    let clip = stage.short_clip(8);
    let bytes = fs::read(clip).unwrap();
    stage.write("cut.avi", &bytes[..bytes.len() * 6 / 10]);
    let ended = stage.run(&["count", "cut.avi", "--line", WEST, "--json"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    let frames = report["source"]["frames"].as_u64().unwrap();
    assert!((30..80).contains(&frames), "{frames} frames");
    assert_eq!(report["complete"], false);
    assert!(!report["notices"].as_array().unwrap().is_empty(), "{report}");
    assert!(ended.stderr.contains("warning"), "{ended:?}");
}

#[test]
fn missing_parts_are_named() {
    let stage = Stage::new();
    stage.short_clip(1);
    let run = |command: &mut std::process::Command| stage.start(command).end();

    let ended = run(stage.outis(&["count", "vtest.avi"]).env("OUTIS_CACHE", stage.path("nothing")));
    assert_eq!((ended.code, ended.stderr.contains("make models")), (1, true), "{ended:?}");

    // A file that is not the model whose name it bears.
    fs::create_dir_all(stage.path("forged/models")).unwrap();
    stage.write("forged/models/nanodet-g.onnx", "not a network");
    let ended = run(stage.outis(&["count", "vtest.avi"]).env("OUTIS_CACHE", stage.path("forged")));
    assert_eq!((ended.code, ended.stderr.contains("nanodet-g")), (1, true), "{ended:?}");

    let alone = stage.path("outis");
    fs::copy(program(), &alone).unwrap();
    let ended =
        run(std::process::Command::new(&alone).args(["count", "vtest.avi"]).env("OUTIS_CACHE", cache()));
    assert_eq!((ended.code, ended.stderr.contains("outis-intake")), (1, true), "{ended:?}");
}
