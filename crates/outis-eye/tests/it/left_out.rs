//! Frames that nobody looks at and no other needs are not decoded, and nobody can tell from the rest.

use outis_eye::decode::{Event, Frames};
use outis_eye::detect::Detect;
use outis_measure::{Detection, MediaTime};
use outis_record::Notice;

use crate::{clips::Clips, detector, pipeline::intake, rest::sent};

const FRAMES: usize = 100;

/// What became of a stream when every fifth frame was wanted.
#[derive(Debug, Default, PartialEq)]
struct Watched {
    /// Of all frames, in the order they were told.
    times: Vec<MediaTime>,
    /// What was found in those that were wanted.
    looks: Vec<(MediaTime, Vec<Detection>)>,
    left_out: usize,
    faults: Vec<Notice>,
}

/// Ten frames a second, two looks.
fn is_wanted(at: MediaTime) -> bool {
    (at.as_micros() + 50_000).rem_euclid(500_000) < 100_000
}

fn watch(stream: &[u8], detector: &mut dyn Detect, may_leave_out: bool) -> Watched {
    let mut frames = Frames::new(stream).expect("a stream");
    let floor = detector.thresholds().score_min;
    let mut watched = Watched::default();
    while let Some(event) = frames.next_wanted(|at| !may_leave_out || is_wanted(at)) {
        match event {
            Event::Picture(picture) => {
                let at = picture.at();
                watched.times.push(at);
                if is_wanted(at) {
                    let frame = frames.develop(picture).expect("an ordinary frame");
                    watched.looks.push((at, detector.detect_with_floor(frame, floor).expect("it runs")));
                }
            }
            Event::LeftOut(at) => {
                watched.left_out += 1;
                watched.times.push(at);
            }
            Event::Rested(_) | Event::Waits => unreachable!("nobody asked for a rest"),
            Event::Fault(notice) => watched.faults.push(notice),
            Event::UnsupportedFeature => panic!("common codecs only"),
            Event::End(_) => {}
        }
    }
    watched
}

#[test]
fn what_nobody_needs_is_not_decoded_and_nothing_else_changes() {
    let clips = Clips::new();
    let mut detector = detector::any();
    // (name, how it is coded, the least of 100 frames that are left out)
    let cases = [
        ("b_frames.mp4", "-c:v libx264 -bf 2 -x264-params b-adapt=0:b-pyramid=none", 25),
        ("pyramid.mkv", "-c:v libx264 -bf 3 -x264-params b-adapt=0", 15),
        ("transport.ts", "-c:v libx264 -bf 2 -x264-params b-adapt=0", 15),
        ("h265.mp4", "-c:v libx265 -x265-params log-level=none:bframes=3:b-adapt=0", 15),
        ("h265_layers.mkv", "-c:v libx265 -x265-params log-level=none:temporal-layers=2:b-adapt=0", 15),
        // Of every twelve frames, those that come after the last look.
        ("camera.mp4", "-c:v libx264 -bf 0 -g 12", 10),
        ("camera.mkv", "-c:v libx265 -x265-params log-level=none:bframes=0:keyint=12:open-gop=0", 10),
        ("pictures.avi", "-c:v mjpeg", 50),
        ("interlaced.mp4", "-c:v libx264 -bf 2 -x264-params tff=1:b-adapt=0", 0),
        ("another.avi", "-c:v mpeg4 -bf 2", 0),
    ];
    for (name, arguments, least) in cases {
        let clip = clips.street(name, &format!("-frames:v {FRAMES} -s 640x480 {arguments}"));
        let stream = intake(clip).out;
        println!("{name}");
        let whole = watch(&stream, &mut *detector, false);
        let sparing = watch(&stream, &mut *detector, true);
        assert_eq!((whole.times.len(), whole.left_out), (FRAMES, 0), "{name}");
        let found: usize = whole.looks.iter().map(|(_, found)| found.len()).sum();
        assert!(found >= 20, "{name}: {found} objects in {} looks", whole.looks.len());
        let left_out = sparing.left_out;
        assert!(left_out >= least && (least > 0) == (left_out > 0), "{name}: {left_out} were left out");
        assert!(sparing.times == whole.times, "{name}: the same frames at the same times");
        assert_eq!((&*whole.faults, &*sparing.faults), (&[][..], &[][..]), "{name}");
        assert!(sparing.looks == whole.looks, "{name}: the same boxes and scores, to the last bit");
    }
}

/// Times of a live stream hang on when packets came: on their own, whenever they are told.
#[test]
fn of_a_live_camera_nothing_else_changes_either() {
    let clips = Clips::new();
    let mut detector = detector::any();
    for (name, arguments) in [("camera.mp4", "-c:v libx264 -bf 0 -g 12"), ("pictures.mkv", "-c:v mjpeg")] {
        let clip = clips.street(name, &format!("-frames:v {FRAMES} -s 640x480 {arguments}"));
        let pieces = sent(&intake(clip).out, 10, true);
        let stream: Vec<u8> = pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let whole = watch(&stream, &mut *detector, false);
        let sparing = watch(&stream, &mut *detector, true);
        assert_eq!((whole.times.len(), sparing.times.len()), (FRAMES, FRAMES), "{name}");
        assert!(sparing.left_out >= 10, "{name}: {} were left out", sparing.left_out);
        assert!(sparing.times == whole.times, "{name}: the same frames at the same times");
        assert_eq!((&*whole.faults, &*sparing.faults), (&[][..], &[][..]), "{name}");
        assert!(sparing.looks == whole.looks, "{name}: the same boxes and scores, to the last bit");
    }
}

/// The last of a hundred frames is damaged, and nobody looks at it.
#[test]
fn a_stream_that_is_cut_where_nobody_looks_says_so() {
    let clips = Clips::new();
    let mut detector = detector::any();
    let arguments = "-s 640x480 -c:v libx264 -bf 0 -g 50";
    let clip = clips.street("cut.ts", &format!("-frames:v {FRAMES} {arguments}"));
    let bytes = std::fs::read(&clip).expect("the clip");
    // Some of the 188 bytes each in which such streams are sent.
    std::fs::write(&clip, &bytes[..bytes.len() - 5 * 188]).expect("the cut clip");
    let stream = intake(clip).out;
    let whole = watch(&stream, &mut *detector, false);
    let sparing = watch(&stream, &mut *detector, true);
    assert_eq!((whole.times.len(), &*whole.faults), (FRAMES, &[Notice::DamagedPacket][..]));
    assert!(sparing.left_out > 0 && sparing.faults == whole.faults, "{:?}", sparing.faults);
    assert!(sparing.times == whole.times && sparing.looks == whole.looks);
}
