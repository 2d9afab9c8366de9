//! A camera's stream that rests while its second stream shows that nothing moves: what is seen and told is the same, and
//! much less is decoded.

use std::{
    cell::Cell,
    io::{self, Cursor, ErrorKind, Read},
    rc::Rc,
};

use outis_eye::{
    decode::{Event, Frames},
    detect::{Detect, DetectError},
    run::{Settings, run_with_substream},
};
use outis_measure::{Detection, ImageBox, ImagePoint, MediaTime, Score, Zone};
use outis_packet::{Ending, Header, Item, Packet, Reader, Writer};
use outis_record::{Class, Message, Outcome, RECORD_LEN, Record};

use crate::{
    clips::Clips,
    detector,
    pipeline::intake,
    records::{Scripted, settings},
};

/// A packet stream in pieces: its header, its packets, its end; each with when it comes, in microseconds.
pub(crate) type Pieces = Vec<(u64, Vec<u8>)>;

/// A file's packets as a camera would send them: each when it is decoded.
pub(crate) fn sent(file: &[u8], fps: u64, is_live: bool) -> Pieces {
    let mut reader = Reader::new(file).expect("a stream");
    let origin_unix_ms = is_live.then_some(1_700_000_000_000);
    let header = Header { origin_unix_ms, duration_us: None, ..reader.header().clone() };
    // Each piece is written behind a header of its own, which is taken off.
    let mut head = Vec::new();
    Writer::new(&mut head, &header).expect("memory takes it");
    let behind_head = |write: &dyn Fn(Writer<&mut Vec<u8>>)| {
        let mut bytes = Vec::new();
        write(Writer::new(&mut bytes, &header).expect("memory takes it"));
        bytes.split_off(head.len())
    };
    let mut pieces = vec![(0, head.clone())];
    let mut arrival_us = 0;
    while let Ok(Item::Packet(packet)) = reader.read() {
        let packet = Packet { arrival_us, ..packet };
        let bytes = behind_head(&|mut writer| writer.packet(&packet).expect("memory takes it"));
        pieces.push((arrival_us, bytes));
        arrival_us += 1_000_000 / fps;
    }
    pieces.push((arrival_us, behind_head(&|writer| writer.end(Ending::Complete).expect("memory takes it"))));
    pieces
}

/// The first stream: gives a piece at a time, and moves the time on.
struct First {
    pieces: std::vec::IntoIter<(u64, Vec<u8>)>,
    piece: Cursor<Vec<u8>>,
    now_us: Rc<Cell<u64>>,
}

impl Read for First {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some((at_us, bytes)) = self.pieces.next() else { return Ok(0) };
            self.now_us.set(at_us);
            self.piece = Cursor::new(bytes);
        }
    }
}

/// The second one: has what has come by now, a little later than the first, and ends for good at some time.
struct Second {
    pieces: std::vec::IntoIter<(u64, Vec<u8>)>,
    piece: Cursor<Vec<u8>>,
    late_us: u64,
    breaks_us: u64,
    now_us: Rc<Cell<u64>>,
}

impl Read for Second {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.now_us.get() >= self.breaks_us {
            return Ok(0);
        }
        let read = self.piece.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        match self.pieces.as_slice().first() {
            Some((at_us, _)) if at_us + self.late_us > self.now_us.get() => Err(ErrorKind::WouldBlock.into()),
            Some(_) => {
                let (_, bytes) = self.pieces.next().expect("there is a first");
                self.piece = Cursor::new(bytes);
                self.read(buffer)
            }
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

/// What became of a stream.
#[derive(Debug, Default, PartialEq)]
struct Watched {
    times: Vec<MediaTime>,
    /// What was found in every tenth frame that was shown, from when on nothing rests.
    looks: Vec<(MediaTime, Vec<Detection>)>,
    shown: usize,
}

const FRAMES: usize = 200;

/// Ten frames a second. Lets the stream rest from the fortieth event on, and wakes it as soon as so many frames were told.
fn watch(stream: &[u8], detector: &mut dyn Detect, wakes: Option<usize>) -> Watched {
    let mut frames = Frames::new(stream).expect("a stream");
    let floor = detector.thresholds().score_min;
    let mut watched = Watched::default();
    let mut has_woken = false;
    while let Some(event) = frames.next() {
        match event {
            Event::Picture(picture) => {
                let at = picture.at();
                watched.times.push(at);
                watched.shown += 1;
                if watched.times.len() > 130 && watched.times.len().is_multiple_of(10) {
                    let frame = frames.develop(picture).expect("an ordinary frame");
                    watched.looks.push((at, detector.detect_with_floor(frame, floor).expect("it runs")));
                }
            }
            Event::LeftOut(_) => unreachable!("every frame was wanted"),
            Event::Rested(at) => watched.times.push(at),
            Event::Waits => {}
            Event::Fault(notice) => panic!("{notice:?}"),
            Event::UnsupportedFeature => panic!("common codecs only"),
            Event::End(ending) => assert_eq!(ending, Ending::Complete),
        }
        let Some(wakes) = wakes else { continue };
        if watched.times.len() >= wakes && !has_woken {
            frames.wake();
            has_woken = true;
        } else if watched.times.len() >= 40 && !has_woken {
            frames.rest();
        }
    }
    watched
}

/// Times of a live stream lean on when packets came, by a thousandth of what passes. Where frames are not decoded in the order in
/// which they are shown, a rest tells them by other packets: in these twenty seconds that is no more than twenty milliseconds.
fn are_near(some: &[MediaTime], others: &[MediaTime]) -> bool {
    let near = |(one, other): (&MediaTime, &MediaTime)| (one.as_micros() - other.as_micros()).abs() <= 20_000;
    some.len() == others.len() && some.iter().zip(others).all(near)
}

#[test]
fn whoever_wakes_sees_what_he_would_have_seen() {
    let clips = Clips::new();
    let mut detector = detector::any();
    // (name, how it is coded, the most of 200 frames that are shown when it rests to the 130th, and to the end)
    let cases = [
        ("camera.mkv", "-c:v libx264 -bf 0 -g 20", 130, 65),
        ("b_frames.mkv", "-c:v libx264 -bf 2 -x264-params b-adapt=0 -g 20", 140, 80),
        ("h265.mkv", "-c:v libx265 -x265-params log-level=none:bframes=0:keyint=20", 130, 65),
        ("open.mkv", "-c:v libx265 -x265-params log-level=none:bframes=3:keyint=20:open-gop=1", 200, 200),
        ("pictures.avi", "-c:v mjpeg", 130, 65),
        // Key frames too far apart: it rests for ten seconds, once.
        ("endless.mkv", "-c:v libx264 -bf 0 -g 300 -sc_threshold 0 -force_key_frames 6", 140, 110),
    ];
    for (name, arguments, most, most_asleep) in cases {
        let clip = clips.street(name, &format!("-frames:v {FRAMES} -s 640x480 {arguments}"));
        let stream: Vec<u8> =
            sent(&intake(clip).out, 10, true).into_iter().flat_map(|(_, bytes)| bytes).collect();
        let whole = watch(&stream, &mut *detector, None);
        assert_eq!((whole.times.len(), whole.shown), (FRAMES, FRAMES), "{name}");
        let found: usize = whole.looks.iter().map(|(_, found)| found.len()).sum();
        assert!(found >= 10, "{name}: {found} objects in {} looks", whole.looks.len());
        let rested = watch(&stream, &mut *detector, Some(130));
        println!("{name}: {} of {FRAMES} shown", rested.shown);
        assert!(rested.shown <= most && rested.shown >= 70, "{name}: {} were shown", rested.shown);
        assert!(are_near(&rested.times, &whole.times), "{name}: the same frames at the same times");
        let boxes =
            |watched: &Watched| watched.looks.iter().map(|(_, found)| found.clone()).collect::<Vec<_>>();
        assert!(boxes(&rested) == boxes(&whole), "{name}: the same boxes and scores, to the last bit");
        let asleep = watch(&stream, &mut *detector, Some(FRAMES + 1));
        println!("{name}: {} of {FRAMES} shown asleep", asleep.shown);
        assert!(asleep.shown <= most_asleep, "{name}: {} were shown", asleep.shown);
        assert!(are_near(&asleep.times, &whole.times), "{name}: the same frames at the same times");
    }
}

/// A box goes down the picture of 320 x 240 at 80 pixels a second, from 8.5 to 11.5 seconds and from 20.5 to 23.5: not when
/// a key frame is shown.
const MOVES_MS: [std::ops::Range<i64>; 2] = [8_500..11_500, 20_500..23_500];

fn walker(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
    let since = MOVES_MS.iter().find(|moves| moves.contains(&at_ms)).map(|moves| at_ms - moves.start);
    Ok(since.map_or(Vec::new(), |since_ms| {
        let bottom = 80.0 * since_ms as f32 / 1000.0;
        let bbox = ImageBox::from_left_top_right_bottom(150.0, bottom - 40.0, 170.0, bottom);
        vec![Detection { bbox, class: Class::Person, score: Score::new(0.9) }]
    }))
}

/// The same beside a statue.
fn walker_and_statue(at_ms: i64) -> Result<Vec<Detection>, DetectError> {
    let bbox = ImageBox::from_left_top_right_bottom(40.0, 100.0, 60.0, 150.0);
    let statue = Detection { bbox, class: Class::Person, score: Score::new(0.7) };
    walker(at_ms).map(|mut found| {
        found.push(statue);
        found
    })
}

/// The street of [`walker`], 32 seconds of it, ten frames a second and a key frame every two seconds.
fn street(clips: &Clips, name: &str, size: &str) -> Vec<u8> {
    let shown = MOVES_MS.map(|moves| {
        let [from_s, to_s] = [moves.start, moves.end].map(|ms| ms as f64 / 1000.0);
        format!("overlay=150:80*(t-{from_s})-40:enable=between(t\\,{from_s}\\,{to_s})")
    });
    let graph = format!(
        "color=0x505050:s=320x240:r=10:d=32,noise=alls=6:allf=t[a];color=0xd0d0d0:s=20x40:r=10:d=32,split[b][c];\
         [a][b]{}[d];[d][c]{},scale={size}",
        shown[0], shown[1]
    );
    let coded = "-pix_fmt yuv420p -c:v libx264 -bf 0 -g 20 -sc_threshold 0";
    intake(clips.ffmpeg(name, &format!("-filter_complex {graph} {coded}"))).out
}

struct Ran {
    looks_ms: Vec<i64>,
    messages: Vec<Message>,
}

type Sees = fn(i64) -> Result<Vec<Detection>, DetectError>;

fn ran(first: &Pieces, second: Option<(&Pieces, u64)>, sees: Sees, blanks: Vec<Zone>) -> Ran {
    let now_us = Rc::new(Cell::new(0));
    let input =
        First { pieces: first.clone().into_iter(), piece: Cursor::default(), now_us: Rc::clone(&now_us) };
    let substream = second.map(|(pieces, breaks_us)| {
        let (pieces, piece) = (pieces.clone().into_iter(), Cursor::default());
        Box::new(Second { pieces, piece, late_us: 300_000, breaks_us, now_us }) as Box<dyn Read>
    });
    let mut detector = Scripted { looks_ms: Vec::new(), sees };
    let mut output = Vec::new();
    let settings = Settings { snapshot_ms: Some(1000), blanks, ..settings() };
    let outcome = run_with_substream(input, substream, &mut output, &mut detector, None, settings);
    assert_eq!(outcome.expect("memory takes all records"), Outcome::Complete);
    let (records, rest) = output.as_chunks::<RECORD_LEN>();
    assert!(rest.is_empty(), "records are whole");
    let message = |bytes: &[u8; RECORD_LEN]| Record::from_bytes(*bytes).message().expect("a valid record");
    Ran { looks_ms: detector.looks_ms, messages: records.iter().map(message).collect() }
}

#[test]
fn with_a_second_stream_the_same_is_told_for_fewer_looks() {
    let clips = Clips::new();
    let (large, small) = (street(&clips, "large.mkv", "320x240"), street(&clips, "small.mkv", "160x120"));
    // Not live: the test is faster than any camera, and an eye of a live one would think that it is behind.
    let (first, second) = (sent(&large, 10, false), sent(&small, 10, false));
    let without = ran(&first, None, walker, Vec::new());
    assert_eq!(without.looks_ms.len(), 160, "five a second");
    for (name, breaks_us) in [("it goes on", u64::MAX), ("it breaks off while nobody is there", 27_000_000)] {
        let with = ran(&first, Some((&second, breaks_us)), walker, Vec::new());
        println!("{name}: {} of 160 looks", with.looks_ms.len());
        assert!(with.messages == without.messages, "{name}: the same is told");
        let looked_s = |from_ms: i64, to_ms: i64| {
            with.looks_ms.iter().filter(|ms| (from_ms..to_ms).contains(ms)).count()
        };
        // Three seconds to be sure, up to two to the next key frame, and one look for each key frame from there.
        assert!(looked_s(5_000, 8_000) <= 3, "{name}: {:?}", with.looks_ms);
        for moves in MOVES_MS {
            assert_eq!(looked_s(moves.start, moves.end), 15, "{name}: all is looked at that moves");
        }
        let to_the_end = looked_s(29_000, 32_000);
        assert_eq!(to_the_end == 15, breaks_us < u64::MAX, "{name}: {to_the_end}");
    }
    let without = ran(&first, None, walker_and_statue, Vec::new());
    let with = ran(&first, Some((&second, u64::MAX)), walker_and_statue, Vec::new());
    println!("beside a statue: {} of 160 looks", with.looks_ms.len());
    assert!(with.messages == without.messages, "beside a statue: the same is told");
    assert!(with.looks_ms.len() < 140, "{} looks beside a statue", with.looks_ms.len());
    // Where nobody looks, nothing wakes anybody, in whatever size the second stream shows it.
    let corners = [(100.0, 0.0), (220.0, 0.0), (220.0, 240.0), (100.0, 240.0)];
    let area = Zone::new(corners.map(|(x, y)| ImagePoint::new(x, y)).to_vec()).expect("an area");
    let unseen = ran(&first, Some((&second, u64::MAX)), walker, vec![area]);
    let looks = unseen.looks_ms.iter().filter(|ms| MOVES_MS[0].contains(ms)).count();
    assert!(looks < 15, "{looks} looks");
}
