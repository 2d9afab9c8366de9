//! The loop: which frames are looked at, and which records leave.

use std::io::{self, Write};

use outis_eye::{
    Frame,
    detect::{Detect, DetectError, EngineError, InputSize, Sheet, Spent, Thresholds},
    plan::Way,
    run::{Alerts, Settings, run},
    schedule::LookRate,
};
use outis_measure::{Detection, ImageBox, ImagePoint, Limit, Line, MeasureSettings, Scene, Score, Situation};
use outis_packet::{Ending, Header, Name, Ratio, Writer};
use outis_record::{
    AlertPlace, Class, Measure, Message, Notice, Outcome, Progress, RECORD_LEN, Record, Schema, WindowState,
};

use crate::{clips::Clips, pipeline::intake};

/// A detector that sees what it was told to see.
pub(crate) struct Scripted {
    pub(crate) looks_ms: Vec<i64>,
    pub(crate) sees: fn(i64) -> Result<Vec<Detection>, DetectError>,
}

impl Detect for Scripted {
    fn look(&mut self, frame: Frame, _: &[Sheet], _floor: Score) -> Result<Vec<Detection>, DetectError> {
        self.looks_ms.push(frame.at().as_millis());
        (self.sees)(frame.at().as_millis())
    }

    fn input_size(&self) -> InputSize {
        InputSize::Fixed { width_px: 416, height_px: 416 }
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            score_min: Score::new(0.25),
            score_new: Score::new(0.35),
            score_new_close: Score::new(0.35),
        }
    }

    fn take_overflow(&mut self) -> u32 {
        0
    }

    fn spent(&self) -> Spent {
        Spent::default()
    }
}

pub(crate) fn nothing(_at_ms: i64) -> Result<Vec<Detection>, DetectError> {
    Ok(Vec::new())
}

pub(crate) fn settings() -> Settings {
    let line = Line::new(ImagePoint::new(0.0, 120.0), ImagePoint::new(320.0, 120.0)).expect("a line");
    Settings {
        scene: Scene { lines: vec![line], ..Scene::default() },
        drawn_px: None,
        schema: Schema::new(1, 0, &[Class::Person], false).expect("a schema"),
        measure: MeasureSettings { window_ms: 1000, ..MeasureSettings::default() },
        look_rate: LookRate::Fps(5.0),
        way: Way::Whole,
        alerts: Alerts::default(),
        blanks: Vec::new(),
        snapshot_ms: None,
    }
}

pub(crate) struct Ran {
    outcome: Outcome,
    looks_ms: Vec<i64>,
    messages: Vec<Message>,
}

impl Ran {
    fn end(&self) -> Progress {
        match self.messages.last() {
            Some(Message::End { progress, outcome }) if *outcome == self.outcome => *progress,
            other => panic!("the last record is {other:?}"),
        }
    }

    pub(crate) fn notices(&self, wanted: Notice) -> u32 {
        let counts = self.messages.iter().map(|message| match message {
            Message::Notice { notice, count } if *notice == wanted => *count,
            _ => 0,
        });
        counts.sum()
    }

    fn windows(&self) -> Vec<(i64, WindowState)> {
        let windows = self.messages.iter().filter_map(|message| match message {
            Message::WindowDone { window, state, .. } => Some((window.start_ms(), *state)),
            _ => None,
        });
        windows.collect()
    }
}

pub(crate) fn ran(
    stream: &[u8],
    settings: Settings,
    sees: fn(i64) -> Result<Vec<Detection>, DetectError>,
) -> Ran {
    let mut detector = Scripted { looks_ms: Vec::new(), sees };
    let mut output = Vec::new();
    let outcome = run(stream, &mut output, &mut detector, settings).expect("memory takes all records");
    let (records, rest) = output.as_chunks::<RECORD_LEN>();
    assert!(rest.is_empty(), "records are whole");
    let message = |bytes: &[u8; RECORD_LEN]| Record::from_bytes(*bytes).message().expect("a valid record");
    Ran { outcome, looks_ms: detector.looks_ms, messages: records.iter().map(message).collect() }
}

fn street() -> Vec<u8> {
    intake(Clips::new().street("street.avi", "-c:v mjpeg")).out
}

#[test]
fn looks_are_even_in_media_time() {
    let stream = street();
    let cases = [
        ("half of 10 fps", LookRate::Fps(5.0), (0..30).step_by(2).collect::<Vec<i64>>()),
        ("a tenth", LookRate::Fps(1.0), vec![0, 10, 20]),
        ("as many as there are", LookRate::Fps(10.0), (0..30).collect()),
        ("more than there are", LookRate::Fps(25.0), (0..30).collect()),
        ("every frame", LookRate::EveryFrame, (0..30).collect()),
    ];
    for (name, look_rate, frames) in cases {
        let ran = ran(&stream, Settings { look_rate, ..settings() }, nothing);
        let expected: Vec<i64> = frames.iter().map(|frame| frame * 100).collect();
        assert_eq!(ran.looks_ms, expected, "{name}");
        let end = Progress {
            media_ms: 2900,
            duration_ms: 3000,
            frames: 30,
            looks: expected.len() as u32,
            width_px: 320,
            height_px: 240,
        };
        assert_eq!((ran.outcome, ran.end()), (Outcome::Complete, end), "{name}");
    }
}

#[test]
fn windows_leave_once_and_whole() {
    let ran = ran(&street(), settings(), nothing);
    let expected = [(0, WindowState::Closed), (1000, WindowState::Closed), (2000, WindowState::Partial)];
    assert_eq!(ran.windows(), expected);
    let cells = ran.messages.iter().filter(|message| matches!(message, Message::Cell { .. })).count();
    assert_eq!(cells, 3 * settings().schema.cells());
    let progress = ran.messages.iter().filter(|message| matches!(message, Message::Progress(_))).count();
    assert_eq!(progress, 3, "once a second of media time");
}

#[test]
fn snapshots_come_when_asked_for() {
    let settings = Settings { snapshot_ms: Some(500), ..settings() };
    let ran = ran(&street(), settings, nothing);
    let open = ran.windows().iter().filter(|(_, state)| *state == WindowState::Open).count();
    assert_eq!(open, 6);
}

#[test]
fn a_walker_over_the_line_is_counted_once() {
    // Down the picture at 80 pixels a second, over the line at y = 120 after 1.5 s.
    fn walker(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
        let bottom = 80.0 * at_ms as f32 / 1000.0;
        let bbox = ImageBox::from_left_top_right_bottom(150.0, bottom - 60.0, 175.0, bottom);
        let person = Detection { bbox, class: Class::Person, score: Score::new(0.9) };
        Ok(vec![person, Detection { class: Class::Bus, ..person }])
    }
    let mut settings = settings();
    settings.measure.window_ms = 60_000;
    let ran = ran(&street(), settings, walker);
    let crossings: Vec<_> = ran
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Cell { class, measure: Measure::LineCrossings { forward, backward, .. }, .. } => {
                Some((*class, *forward, *backward))
            }
            _ => None,
        })
        .collect();
    assert_eq!(crossings, [(Class::Person, 1, 0)]);
}

#[test]
fn a_detector_that_fails_is_told() {
    fn fails(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
        if at_ms < 1000 { Err(EngineError::Run("out of order".into()).into()) } else { Ok(Vec::new()) }
    }
    let ran = ran(&street(), settings(), fails);
    assert_eq!(ran.notices(Notice::DetectorFault), 5);
    assert_eq!((ran.outcome, ran.end().looks), (Outcome::Complete, 10));
}

#[test]
fn streams_without_a_frame_end_with_their_reason() {
    let header = |codec: &str| Header {
        codec: Name::new(codec).expect("a name"),
        codec_tag: 0,
        extradata: Vec::new(),
        width_px: 320,
        height_px: 240,
        pixel_format: None,
        bits_per_sample: 0,
        profile: -99,
        level: -99,
        reorder_frames: 0,
        matrix: 2,
        range: 0,
        time_base: Ratio::new(1, 1000).expect("a ratio"),
        frame_rate: None,
        duration_us: None,
        origin_unix_ms: None,
        skipped_ms: 0,
        rotation_deg: 0,
    };
    let empty = |codec: &str| {
        let mut stream = Vec::new();
        Writer::new(&mut stream, &header(codec)).and_then(|w| w.end(Ending::Complete)).expect("memory");
        stream
    };
    let cases = [
        ("no bytes", Vec::new(), Outcome::NothingDecoded),
        ("other bytes", b"RIFF and so on".to_vec(), Outcome::NothingDecoded),
        ("no packets", empty("h264"), Outcome::NothingDecoded),
        ("unknown codec", empty("telepathy"), Outcome::UnsupportedCodec),
        ("no video", empty("aac"), Outcome::UnsupportedCodec),
    ];
    for (name, stream, outcome) in cases {
        let ran = ran(&stream, settings(), nothing);
        assert_eq!((ran.outcome, ran.end().frames), (outcome, 0), "{name}");
    }
}

#[test]
fn an_alert_leaves_at_the_look_that_makes_it_due() {
    fn two(_at_ms: i64) -> Result<Vec<Detection>, DetectError> {
        let person = |left| Detection {
            bbox: ImageBox::from_left_top_width_height(left, 100.0, 30.0, 90.0),
            class: Class::Person,
            score: Score::new(0.9),
        };
        Ok(vec![person(40.0), person(200.0)])
    }
    let full = Situation { place: AlertPlace::View, limit: Limit::Room { more_than: 1 }, for_s: 1.0 };
    let alerts = Alerts { situations: vec![full], gap_ms: 60_000 };
    let with = ran(&street(), Settings { alerts, snapshot_ms: Some(200), ..settings() }, two);
    let is_alert = |message: &&Message| matches!(message, Message::Alert(_));
    assert_eq!(with.messages.iter().filter(is_alert).count(), 1, "the gap is longer than the clip");
    let at = with.messages.iter().position(|message| is_alert(&message)).expect("an alert");
    let Message::Progress(before) = with.messages[at - 1] else { panic!("{:?}", with.messages[at - 1]) };
    // Believed after three looks at five a second, and a second more.
    assert_eq!(before.media_ms, 1_400);
    assert_eq!(with.messages[at], Message::Alert(full.alert()));
    assert!(
        !ran(&street(), settings(), two).messages.iter().any(|message| is_alert(&message)),
        "off by default"
    );
}

#[test]
fn a_truncated_stream_is_counted_and_said() {
    let stream = street();
    let ran = ran(&stream[..stream.len() / 2], settings(), nothing);
    assert_eq!((ran.outcome, ran.notices(Notice::Truncated)), (Outcome::Truncated, 1));
    assert!((1..30).contains(&ran.end().frames), "{:?}", ran.end());
}

#[test]
fn a_door_that_is_gone_ends_the_loop() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut detector = Scripted { looks_ms: Vec::new(), sees: nothing };
    let error = run(&street()[..], Gone, &mut detector, settings()).expect_err("nobody reads");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(detector.looks_ms.len() <= 1, "it stops at once");
}

/// Two seconds of one size, then two of another; somebody stands in the middle all the time.
fn two_sizes(clips: &Clips, size: &str) -> Vec<u8> {
    let first = clips.street("first.ts", "-frames:v 20 -c:v libx264 -g 10");
    let scaled = format!("-frames:v 30 -s {size} -c:v libx264 -g 10 -output_ts_offset 2");
    let both = [first, clips.street("rest.ts", &scaled)].map(|path| std::fs::read(path).expect("a part"));
    std::fs::write(clips.path("both.ts"), both.concat()).expect("both");
    intake(clips.path("both.ts")).out
}

#[test]
fn lines_stay_where_they_were_drawn_when_the_picture_grows() {
    // A walk down the picture at 30 pixels a second of the size that the lines were drawn in, over the line at y = 120
    // after 3 s, when the picture has become twice as large in both directions.
    fn walker(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
        let scale = if at_ms < 2000 { 1.0 } else { 2.0 };
        let bottom = (30.0 + 30.0 * at_ms as f32 / 1000.0) * scale;
        let (left, right) = (150.0 * scale, 175.0 * scale);
        let bbox = ImageBox::from_left_top_right_bottom(left, bottom - 60.0 * scale, right, bottom);
        Ok(vec![Detection { bbox, class: Class::Person, score: Score::new(0.9) }])
    }
    let mut settings = settings();
    settings.measure.window_ms = 60_000;
    let ran = ran(&two_sizes(&Clips::new(), "640x480"), settings, walker);
    assert_eq!((ran.outcome, ran.notices(Notice::FormatChange)), (Outcome::Complete, 1));
    assert_eq!((ran.end().width_px, ran.end().height_px, ran.end().frames), (640, 480, 50));
    let crossings = ran.messages.iter().filter_map(|message| match message {
        Message::Cell { measure: Measure::LineCrossings { forward, backward, .. }, .. } => {
            Some((*forward, *backward))
        }
        _ => None,
    });
    assert_eq!(crossings.collect::<Vec<_>>(), [(1, 0)]);
}

#[test]
fn lines_that_were_drawn_in_a_larger_picture_count_in_a_smaller_one() {
    // Half of the size that the line at y = 240 was drawn in; who walks down crosses it at y = 120, after 3 s.
    fn walker(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
        let bottom = 30.0 + 30.0 * at_ms as f32 / 1000.0;
        let bbox = ImageBox::from_left_top_right_bottom(150.0, bottom - 60.0, 175.0, bottom);
        Ok(vec![Detection { bbox, class: Class::Person, score: Score::new(0.9) }])
    }
    let stream = intake(Clips::new().street("street.ts", "-frames:v 50 -c:v libx264")).out;
    let line = Line::new(ImagePoint::new(0.0, 240.0), ImagePoint::new(640.0, 240.0)).expect("a line");
    for (name, drawn_px, expected) in [("told", Some((640, 480)), 1), ("not told", None, 0)] {
        let mut settings = settings();
        settings.scene.lines = vec![line];
        settings.drawn_px = drawn_px;
        settings.measure.window_ms = 60_000;
        let ran = ran(&stream, settings, walker);
        let crossings = ran.messages.iter().filter_map(|message| match message {
            Message::Cell { measure: Measure::LineCrossings { forward, backward, .. }, .. } => {
                Some(forward + backward)
            }
            _ => None,
        });
        assert_eq!(crossings.sum::<u32>(), expected, "{name}");
    }
}

#[test]
fn a_picture_of_another_shape_ends_the_eye_after_two_seconds() {
    let ran = ran(&two_sizes(&Clips::new(), "320x320"), settings(), nothing);
    assert_eq!((ran.outcome, ran.notices(Notice::FormatChange)), (Outcome::Truncated, 1));
    assert_eq!(ran.looks_ms.last(), Some(&1800), "nothing is looked at where nobody knows the lines");
    assert!((20..=22).contains(&ran.notices(Notice::UnsupportedFrame)));
}
