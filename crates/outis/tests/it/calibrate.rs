//! `outis calibrate --no-page` on a real clip whose camera was measured by others.

use crate::{
    camera::Server,
    stage::{Ended, Stage, cache, wait_for},
};

/// The published calibration of this camera says 7.07 m and 16.5 degrees. Two minutes of people, whose mean height is
/// not that of the population, tell it so well and no better.
#[test]
fn the_camera_of_a_real_clip() {
    let stage = Stage::new();
    let clip = cache().join("clips/vtest.avi");
    let ended = stage.run(&["calibrate", "--no-page", clip.to_str().unwrap(), "--out", "gate.toml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    let written: toml::Table = stage.read("gate.toml").parse().unwrap();
    let ground = &written["camera"][0]["ground"];
    let number = |key: &str| ground[key].as_float().unwrap();
    assert!((6.0..8.1).contains(&number("height_m")), "{ground}");
    assert!((13.0..21.0).contains(&number("pitch_deg")), "{ground}");
    assert!((-6.0..0.5).contains(&number("roll_deg")), "{ground}");
    assert_eq!(ground["picture"].to_string(), "[768, 576]");

    // What was written is a configuration, and is never written over.
    assert_eq!(stage.run(&["describe", "gate.toml"]).code, 0);
    let again = stage.run(&["calibrate", "--no-page", clip.to_str().unwrap(), "--out", "gate.toml"]);
    assert!(again.code == 1 && again.stderr.contains("gate.toml"), "{again:?}");
}

#[test]
fn too_few_people_make_no_ground() {
    let stage = Stage::new();
    stage.short_clip(8);
    let ended = stage.run(&["calibrate", "--no-page", "vtest.avi"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("people who walk"), "{ended:?}");
}

/// However the watching ends, it is its eye that says that a few seconds of people are too little.
#[test]
fn a_live_camera_is_watched_for_a_time_or_until_it_is_enough_or_breaks_off() {
    let stage = Stage::new();
    let server = Server::of_people(&stage);
    let source = server.address();
    let of_camera = ["calibrate", "--no-page", &source, "--credentials-file", "login"];
    let found_nobody = |ended: Ended, broke_off| {
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        assert!(ended.stderr.contains("the camera: no ground plane could be made in"), "{ended:?}");
        assert!(ended.stderr.contains("at least 15 people who walk"), "{ended:?}");
        assert_eq!(ended.stderr.contains("broke off"), broke_off, "{ended:?}");
        for unsaid in ["127.0.0.1", "p@ss", "packet"] {
            assert!(!ended.stderr.contains(unsaid), "{ended:?}");
        }
    };
    found_nobody(stage.run(&[&of_camera[..], &["--seconds", "5"]].concat()), false);

    let watched = || {
        let running = stage.start(&mut stage.outis(&of_camera));
        wait_for("an eye at work", || running.says("Ctrl-C ends it sooner").then_some(()));
        running
    };
    let running = watched();
    running.signal("-INT");
    found_nobody(running.end(), false);
    let running = watched();
    drop(server);
    found_nobody(running.end(), true);
}
