//! The command line, as others call it.

use std::path::Path;
use std::process::{Command, Output};

use outis_eval::cache;
use outis_measure::ImageBox;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_outis-eval")).args(arguments).output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// One person walks 8 px a frame to the right for 60 frames at 25 fps; from x = 100 to x = 572.
fn write_walk(folder: &Path) -> String {
    let path = folder.join("walk.txt");
    let line = |n: i32| format!("{n},-1,{},200,50,150,.9,0,-1,-1\n", 75 + 8 * (n - 1));
    std::fs::write(&path, (1..=60).map(line).collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn count_prints_the_lines_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let walk = write_walk(folder.path());
    let lines = ["--line", "up:300,500,300,0", "--line", "down:350,0,350,500", "--line", "off:300,100,300,0"];
    for every in ["1", "5"] {
        let printed = stdout(
            &[&["count", "--detections", &walk, "--fps", "25", "--every", every], &lines[..]].concat(),
        );
        let expected = concat!(
            r#"{"lines":[{"name":"up","forward":1,"backward":0},"#,
            r#"{"name":"down","forward":0,"backward":1},{"name":"off","forward":0,"backward":0}]}"#,
            "\n"
        );
        assert_eq!(printed, expected, "every {every}");
    }
}

#[test]
fn track_prints_kept_frames_with_their_own_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let walk = write_walk(folder.path());
    let printed = stdout(&["track", "--detections", &walk, "--fps", "25", "--every", "5", "--frames", "100"]);
    let rows: Vec<Vec<&str>> = printed.lines().map(|line| line.split(',').collect()).collect();
    let frames: Vec<u32> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(frames.iter().all(|frame| frame % 5 == 1) && frames.is_sorted(), "{frames:?}");
    assert!(frames.len() >= 10 && *frames.last().unwrap() <= 66, "{frames:?}");
    assert!(rows.iter().all(|row| row.len() == 10 && row[1] == rows[0][1]), "one id, ten fields");
    let near = |row: &Vec<&str>| {
        let (frame, left): (f32, f32) = (row[0].parse().unwrap(), row[2].parse().unwrap());
        (left - (75.0 + 8.0 * (frame - 1.0))).abs() < 8.0
    };
    assert!(rows.iter().filter(|row| row[0].parse::<u32>().unwrap() <= 60).all(near), "{printed}");
}

#[test]
fn no_detections_are_no_tracks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.txt");
    std::fs::write(&path, "").unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(stdout(&["track", "--detections", path, "--fps", "10", "--frames", "50"]), "");
    assert_eq!(
        stdout(&["count", "--detections", path, "--fps", "10", "--line", "A:0,0,9,9"]),
        "{\"lines\":[{\"name\":\"A\",\"forward\":0,\"backward\":0}]}\n"
    );
}

/// Needs the fetched model and clip, and the intake beside this program: `make test` sees to all three.
#[test]
fn detect_finds_the_people_of_the_clip() {
    let clip = cache::folder().join("clips/vtest.avi");
    let printed = stdout(&["detect", clip.to_str().unwrap(), "--every", "400", "--score-min", "0.5"]);
    let rows: Vec<Vec<f32>> =
        printed.lines().map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 10 && (row[0] == 1.0 || row[0] == 401.0)), "{printed}");
    // Frame 1 by hand.
    for [left, top, width, height] in
        [[499.0, 158.0, 31.0, 75.0], [258.0, 219.0, 33.0, 89.0], [633.0, 242.0, 42.0, 81.0]]
    {
        let person = ImageBox::from_left_top_width_height(left, top, width, height);
        let found = rows.iter().filter(|row| row[0] == 1.0 && row[7] == 0.0).any(|row| {
            ImageBox::from_left_top_width_height(row[2], row[3], row[4], row[5]).iou(&person) > 0.5
        });
        assert!(found, "nobody at {left}, {top}:\n{printed}");
    }
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.txt");
    std::fs::write(&bad, "1,-1,1,1,5,5,.9\n1,-1,1,oops,5,5,.9\n").unwrap();
    let bad = bad.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["track", "--detections", bad, "--fps", "25"],
            1,
            "bad.txt, line 2: y \"oops\" is not a finite number",
        ),
        (
            &["track", "--detections", "/nowhere/a.txt", "--fps", "25"],
            1,
            "outis-eval: /nowhere/a.txt: No such file or directory (os error 2)\n",
        ),
        (&["track", "--detections", bad, "--fps", "0"], 2, "more than 0 and at most 1000"),
        (&["track", "--detections", bad, "--fps", "25", "--every", "0"], 2, "--every"),
        (&["count", "--detections", bad, "--fps", "25", "--line", "A:1,2,3"], 2, "NAME:X1,Y1,X2,Y2"),
    ];
    for (arguments, code, expected) in cases {
        let output = run(arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
