//! `outis demo` on the real clip.

use std::time::{Duration, Instant};

use crate::stage::{Stage, children_of, wait_for};

/// From the start to the first number on the page.
const FIRST_NUMBER_MAX: Duration = Duration::from_secs(10);

#[test]
fn the_whole_clip_at_full_speed() {
    let stage = Stage::new();
    let ended = stage.run(&["demo", "--speed", "0", "--exit", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("http://127.0.0.1:"), "{ended:?}");
    assert!(ended.stdout.contains("795 frames of 768x576"), "{ended:?}");
    for place in ["west path", "south path", "crossing"] {
        assert!(ended.stdout.contains(place), "{place}: {ended:?}");
    }
    // By the published truth, 25 people go over the south path. How exact the count is, others measure.
    let row = ended.stdout.lines().find(|line| line.starts_with("south path  person")).unwrap();
    // Place, class, then both ways; after them the class's share of who passes.
    let passages: u32 = row.split_whitespace().filter_map(|word| word.parse::<u32>().ok()).take(2).sum();
    assert!((15..=35).contains(&passages), "{row}");
}

#[test]
fn the_first_number_comes_soon_and_a_signal_ends_it() {
    let stage = Stage::new();
    let start = Instant::now();
    let running = stage.start(&mut stage.outis(&["demo", "--listen", "127.0.0.1:0"]));
    running.camera_when(|camera| camera["window"]["occupancy"]["now"].as_u64().is_some_and(|now| now > 0));
    let elapsed = start.elapsed();
    assert!(elapsed < FIRST_NUMBER_MAX, "{elapsed:?}");
    running.signal("-INT");
    let ended = running.end();
    assert_eq!(ended.code, 3, "stopped by hand, so counted in part: {ended:?}");
    assert!(ended.stdout.contains("west path"), "{ended:?}");
}

#[test]
fn no_program_outlives_a_killed_door() {
    let stage = Stage::new();
    let running = stage.start(&mut stage.outis(&["demo", "--no-page"]));
    let door = running.child.id();
    let children =
        wait_for("two programs", || Some(children_of(door)).filter(|children| children.len() == 2));
    running.signal("-KILL");
    assert_eq!(running.end().code, -1);
    // A pid may be given anew, but not to a program of the same name within these seconds.
    wait_for("the end of both programs", || children.iter().all(|path| !path.exists()).then_some(()));
}
