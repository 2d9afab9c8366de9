//! Damaged files: cut, overwritten and shuffled by a seeded generator. Whatever can be decoded is, nothing
//! panics, aborts or hangs, and losses are told.

use std::{fs, path::Path};

use outis_packet::Ending;

use crate::{
    clips::{Clips, FRAMES},
    pipeline::{Decoded, decode, intake},
};

/// The files that are damaged.
const CLIPS: [(&str, &str); 9] = [
    ("mp4.mp4", "-c:v libx264 -movflags faststart"),
    ("mp4_index_last.mp4", "-c:v libx264"),
    ("fragments.mp4", "-c:v libx264 -movflags frag_keyframe+empty_moov -g 5"),
    ("mkv.mkv", "-c:v libx265 -x265-params log-level=none"),
    ("jpeg.avi", "-c:v mjpeg"),
    ("mpeg4.avi", "-c:v mpeg4 -bf 2"),
    ("h264.ts", "-c:v libx264"),
    ("bare.h264", "-c:v libx264"),
    ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8"),
];

/// What came of a file: `None` when the intake refused it, with a sentence.
fn try_to_count(path: &Path) -> Option<Decoded> {
    let said = intake(path);
    let name = path.display();
    match said.code {
        Some(0) => {
            assert_eq!(said.err, "", "{name}");
            // A file that lost its codec's parameters may not start; that is said, too.
            decode(said.out).ok()
        }
        Some(1) => {
            assert!(said.err.lines().count() == 1 && said.out.is_empty(), "{name}: {}", said.err);
            None
        }
        code => panic!("{name}: the intake ended with {code:?}: {}", said.err),
    }
}

/// Marsaglia's xorshift64: the same damage on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Each clip in each of these states.
const DAMAGES: [(&str, Damage); 8] = [
    ("one bit in 20000", |bytes, chance| flip(bytes, chance, 20_000)),
    ("one bit in 2000", |bytes, chance| flip(bytes, chance, 2_000)),
    ("one bit in 200", |bytes, chance| flip(bytes, chance, 200)),
    ("header", |bytes, chance| {
        let header = bytes.len().min(1000);
        flip(&mut bytes[..header], chance, 700);
    }),
    ("a hole of zeros", |bytes, chance| {
        let at = chance.below(bytes.len());
        let end = (at + 4096).min(bytes.len());
        bytes[at..end].fill(0);
    }),
    ("a part is missing", |bytes, chance| {
        let at = chance.below(bytes.len());
        let end = (at + 1000).min(bytes.len());
        bytes.drain(at..end);
    }),
    ("a part comes twice", |bytes, chance| {
        let at = chance.below(bytes.len());
        let part = bytes[at..(at + 5000).min(bytes.len())].to_vec();
        bytes.splice(at..at, part);
    }),
    ("the beginning is missing", |bytes, chance| {
        let at = chance.below(bytes.len() / 2);
        bytes.drain(..at);
    }),
];

type Damage = fn(&mut Vec<u8>, &mut Chance);

/// Turns over one bit in so many, at least one.
fn flip(bytes: &mut [u8], chance: &mut Chance, one_in: usize) {
    for _ in 0..(8 * bytes.len() / one_in).max(1) {
        let at = chance.below(bytes.len());
        bytes[at] ^= 1 << chance.below(8);
    }
}

#[test]
fn damage_is_survived() {
    let clips = Clips::new();
    let (mut tried, mut refused, mut frames) = (0, 0, 0);
    for (clip_number, (name, arguments)) in CLIPS.into_iter().enumerate() {
        let whole = fs::read(clips.street(name, arguments)).expect("the clip");
        for (damage_number, (damage, apply)) in DAMAGES.into_iter().enumerate() {
            let mut bytes = whole.clone();
            apply(&mut bytes, &mut Chance(1 + 100 * clip_number as u64 + damage_number as u64));
            let path = clips.path(&format!("damaged_{name}"));
            fs::write(&path, bytes).expect("the damaged clip");
            tried += 1;
            match try_to_count(&path) {
                None => refused += 1,
                Some(decoded) => {
                    frames += decoded.frames;
                    assert!(decoded.frames <= 3 * FRAMES, "{name}, {damage}: {decoded:?}");
                }
            }
        }
    }
    println!("{tried} damaged files: {refused} refused, {frames} frames of the others decoded");
    assert!(tried - refused > tried / 2, "most damage leaves something to count");
}

#[test]
fn cut_files_are_counted_to_the_cut_and_said_to_be_cut() {
    let clips = Clips::new();
    for (name, arguments) in CLIPS {
        // With key frames so close, half of the bytes hold about half of the frames.
        let whole = fs::read(clips.street(name, &format!("{arguments} -g 3"))).expect("the clip");
        for per_cent in [1, 5, 20, 50, 80, 95, 99] {
            let path = clips.path(&format!("cut_{name}"));
            fs::write(&path, &whole[..whole.len() * per_cent / 100]).expect("the cut clip");
            let Some(decoded) = try_to_count(&path) else {
                // Its index is at its end, or not even its header is whole.
                assert!(per_cent <= 5 || name == "mp4_index_last.mp4", "{name} cut at {per_cent} %");
                continue;
            };
            let share = decoded.frames * 100 / FRAMES;
            assert!(share as usize + 30 >= per_cent, "{name} cut at {per_cent} %: {decoded:?}");
            let told = decoded.ending == Some(Ending::Truncated) || !decoded.faults.is_empty();
            // A stream without a stated length can end cleanly between two packets, and a container may have
            // rounded the length it states.
            let may_go_unseen = ["h264.ts", "bare.h264"].contains(&name) || FRAMES - decoded.frames < 10;
            assert!(told || may_go_unseen, "{name} cut at {per_cent} %: {decoded:?}");
        }
    }
}

#[test]
fn an_intake_that_dies_is_a_cut() {
    let clips = Clips::new();
    let stream = intake(clips.street("jpeg.avi", "-c:v mjpeg")).out;
    for per_cent in [0, 1, 30, 60, 99] {
        let cut = stream[..stream.len() * per_cent / 100].to_vec();
        match decode(cut) {
            Err(error) => assert!(per_cent == 0, "{per_cent} %: {error}"),
            Ok(decoded) => assert_eq!(decoded.ending, Some(Ending::Truncated), "{per_cent} %"),
        }
    }
}

#[test]
fn hostile_streams_are_survived() {
    // Not the file but the pipe is damaged: packets and header say things that no demuxer would.
    let clips = Clips::new();
    for (number, (name, arguments)) in CLIPS.into_iter().enumerate() {
        let stream = intake(clips.street(name, arguments)).out;
        for seed in 0..6 {
            let mut chance = Chance(7 + 1000 * number as u64 + seed);
            let mut bytes = stream.clone();
            let reach = if seed % 2 == 0 { 200 } else { bytes.len() };
            flip(&mut bytes[..reach], &mut chance, 2 * reach);
            let _ = decode(bytes);
        }
    }
}
