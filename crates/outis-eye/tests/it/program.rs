//! The program `outis-eye` itself: command line, pipes, exit codes. Needs a network from the cache.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use outis_record::{Message, Outcome, RECORD_LEN, Record};

use crate::{
    clips::{Clips, cached},
    pipeline::{Said, finish, intake},
};

const MODEL: &str = "nanodet-g";

/// Runs the eye on a stream.
fn eye(clips: &Clips, stream: &[u8], arguments: &str) -> Said {
    let path = clips.path("stream");
    std::fs::write(&path, stream).expect("the stream");
    let mut command = Command::new(env!("CARGO_BIN_EXE_outis-eye"));
    command.args(arguments.split_whitespace()).stdin(File::open(path).expect("the stream"));
    finish(&mut command)
}

fn usual() -> String {
    let model = cached(&format!("models/{MODEL}.onnx"));
    format!("--model {MODEL} --model-file {} --rten --classes person --window-ms 900000", model.display())
}

#[test]
fn a_clip_becomes_records() {
    let clips = Clips::new();
    let stream = intake(clips.street("street.mp4", "-c:v libx264")).out;
    let said = eye(&clips, &stream, &format!("{} --line 0,120,320,120 --detect-fps 2", usual()));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let (records, rest) = said.out.as_chunks::<RECORD_LEN>();
    assert!(rest.is_empty());
    let last = records.last().map(|record| Record::from_bytes(*record).message());
    let Some(Ok(Message::End { outcome: Outcome::Complete, progress })) = last else { panic!("{last:?}") };
    assert_eq!((progress.frames, progress.looks, progress.media_ms), (30, 6, 2900));
}

/// Two videos without loss, which differ in one area and nowhere else, and the eye told not to look there.
#[test]
fn what_happens_where_nobody_looks_changes_no_record() {
    let clips = Clips::new();
    let clip = cached("clips/vtest.avi");
    let film = |name: &str, graph: &str| {
        let film = clips.path(name);
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-t", "5", "-i"])
            .arg(&clip)
            .args(["-filter_complex", graph, "-c:v", "ffv1", "-pix_fmt", "yuv420p"])
            .arg(&film)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "ffmpeg makes {name}");
        intake(film).out
    };
    let as_it_is = film("a.mkv", "null");
    // Other people walk there, as large as life.
    let other = film("b.mkv", "split[a][b];[b]hflip,crop=200:160:300:180[c];[a][c]overlay=330:200");
    let line =
        "--line 430,180,430,400 --zone 300,180,560,180,560,400,300,400 --snapshot-ms 500 --detect-fps 5";
    let records = |stream: &[u8], more: &str| {
        let said = eye(&clips, stream, &format!("{} {line} {more}", usual()));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
        said.out
    };
    assert_ne!(records(&as_it_is, ""), records(&other, ""), "what is there is seen");
    let blank = "--blank 330,200,530,200,530,360,330,360";
    let blanked = records(&as_it_is, blank);
    assert_eq!(blanked, records(&other, blank));
    assert!(blanked.len() > 10 * RECORD_LEN);
}

#[test]
fn a_damaged_clip_says_nothing_outside_its_records() {
    let clips = Clips::new();
    let mut stream = intake(clips.street("street.mp4", "-c:v libx264")).out;
    let end = stream.len();
    (end / 3..end / 2).step_by(97).for_each(|at| stream[at] ^= 0x55);
    let said = eye(&clips, &stream, &format!("{} --detect-fps 1", usual()));
    assert_eq!((said.code, said.err.as_str(), said.out.len() % RECORD_LEN), (Some(0), "", 0));
}

#[test]
fn start_up_errors_are_one_sentence() {
    let clips = Clips::new();
    let wrong = clips.path("wrong.onnx");
    std::fs::write(&wrong, "no network").expect("a file");
    let model = format!("--model-file {} --rten --classes person --window-ms 1000", wrong.display());
    let cases = [
        (format!("--model {MODEL} {model}"), 1, "refused"),
        (format!("--model oracle {model}"), 1, "no model `oracle`"),
        (format!("--model {MODEL} {model} {}", "--line 0,0,9,9 ".repeat(65)), 2, "at most 64"),
        (format!("--model {MODEL} {model} --classes nobody"), 2, "person"),
    ];
    for (arguments, code, reason) in cases {
        let said = eye(&clips, b"", &arguments);
        assert_eq!((said.code, said.out.len()), (Some(code), 0), "{reason}: {}", said.err);
        assert!(said.err.contains(reason), "{reason}: {}", said.err);
    }
}

#[test]
fn a_door_that_closes_its_end_is_left_quietly() {
    let clips = Clips::new();
    let stream = intake(clips.street("street.avi", "-c:v mjpeg")).out;
    std::fs::write(clips.path("stream"), stream).expect("the stream");
    let mut child = Command::new(env!("CARGO_BIN_EXE_outis-eye"))
        .args(usual().split_whitespace())
        .stdin(File::open(clips.path("stream")).expect("the stream"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the eye starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the eye ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

/// A codec library that asked the kernel for more than is on the list would end the eye.
#[test]
fn every_codec_is_decoded_behind_the_lock() {
    let clips = Clips::new();
    let cases = [
        ("h264.mp4", "-c:v libx264 -bf 4"),
        ("h265.mkv", "-c:v libx265 -x265-params log-level=none"),
        ("10bit.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt yuv422p10le"),
        ("av1.mkv", "-c:v libaom-av1 -cpu-used 8 -row-mt 0"),
        ("jpeg.avi", "-c:v mjpeg"),
        ("mpeg4.avi", "-c:v mpeg4 -bf 2"),
        ("mpeg2.ts", "-c:v mpeg2video -r 25"),
        ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        ("theora.ogv", "-c:v libtheora"),
        ("flash.flv", "-c:v flv1"),
        ("raw.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("lossless.mkv", "-c:v ffv1 -pix_fmt bgr0"),
        ("prores.mov", "-c:v prores_ks"),
        ("dots.gif", "-s 64x48"),
        ("large.mp4", "-s 1920x1080 -c:v libx264 -preset ultrafast"),
        ("picture.png", "-frames:v 1"),
    ];
    for (name, arguments) in cases {
        let stream = intake(clips.street(name, arguments));
        assert_eq!((stream.code, stream.err.as_str()), (Some(0), ""), "{name}");
        let said = eye(&clips, &stream.out, &format!("{} --detect-fps 1", usual()));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{name}");
        let last =
            said.out.as_chunks::<RECORD_LEN>().0.last().map(|record| Record::from_bytes(*record).message());
        let end = matches!(last, Some(Ok(Message::End { outcome: Outcome::Complete, .. })));
        assert!(end, "{name}: {last:?}");
    }
}

/// In a file, records would be bytes that somebody finds, and a file could take anything.
#[test]
fn records_go_to_a_pipe_only() {
    let clips = Clips::new();
    let stream = clips.path("stream");
    std::fs::write(&stream, "").expect("a stream");
    let records = clips.path("records");
    let output = Command::new(env!("CARGO_BIN_EXE_outis-eye"))
        .args(usual().split_whitespace())
        .stdin(File::open(stream).expect("the stream"))
        .stdout(File::create(&records).expect("a file"))
        .stderr(Stdio::piped())
        .output()
        .expect("the eye");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("not a pipe"), "{said}");
    assert_eq!(std::fs::metadata(records).expect("the file").len(), 0);
}

/// What an eye is told of a substream, it must be given.
#[test]
fn a_substream_comes_from_a_pipe_only() {
    let output = Command::new(env!("CARGO_BIN_EXE_outis-eye"))
        .args(usual().split_whitespace())
        .arg("--substream")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the eye");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("descriptor 5"), "{said}");
    assert_eq!(output.stdout.len(), 0);
}
