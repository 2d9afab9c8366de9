//! Whole files: the right frames at the right times, whatever they are packed in.

use std::fs;

use outis_eye::decode::{Event, Frames};
use outis_eye::{Frame, Matrix, Range, Rotation};
use outis_packet::Ending;
use outis_record::Notice;

use crate::{
    clips::{Clips, FRAMES},
    pipeline::{Decoded, count, intake},
};

/// Frames, displayed size, time of the last frame.
type Expected = (u32, (u32, u32), i64);

const USUAL: Expected = (FRAMES, (320, 240), 2900);

fn check(name: &str, decoded: &Decoded, (frames, size_px, last_ms): Expected) {
    assert_eq!((decoded.frames, decoded.size_px), (frames, size_px), "{name}: {decoded:?}");
    // Containers round to milliseconds.
    assert!((decoded.last_ms - last_ms).abs() <= 1, "{name}: {decoded:?}");
    assert_eq!(decoded.ending, Some(Ending::Complete), "{name}");
}

#[test]
fn codecs_and_containers() {
    let clips = Clips::new();
    let cases = [
        ("mp4.mp4", "-c:v libx264"),
        ("fragments.mp4", "-c:v libx264 -movflags frag_keyframe+empty_moov"),
        ("no_reordering.mov", "-c:v libx264 -bf 0"),
        ("many_b_frames.mkv", "-c:v libx264 -bf 8 -x264-params b-adapt=0"),
        ("h265.mkv", "-c:v libx265 -x265-params log-level=none"),
        ("jpeg.avi", "-c:v mjpeg"),
        ("mpeg4.avi", "-c:v mpeg4 -bf 2"),
        ("mpeg2.ts", "-c:v mpeg2video -r 25"),
        ("h264.ts", "-c:v libx264"),
        ("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        ("flash.flv", "-c:v flv1"),
        ("raw.avi", "-c:v rawvideo -pix_fmt yuv420p"),
        ("raw_bottom_up.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("interlaced.mp4", "-c:v libx264 -x264-params tff=1"),
    ];
    for (name, arguments) in cases {
        let decoded = count(&clips.street(name, arguments));
        // MPEG-2 knows no 10 frames a second; the times lie on the grid of 25.
        let expected = if name == "mpeg2.ts" { (FRAMES, (320, 240), 2920) } else { USUAL };
        check(name, &decoded, expected);
        assert_eq!(decoded.faults, [], "{name}");
    }
}

#[test]
fn pixel_formats_and_odd_sizes() {
    let clips = Clips::new();
    let cases = [
        ("10bit.mp4", "-c:v libx264 -pix_fmt yuv420p10le", (320, 240)),
        ("10bit_h265.mkv", "-c:v libx265 -x265-params log-level=none -pix_fmt yuv422p10le", (320, 240)),
        ("422.mp4", "-c:v libx264 -pix_fmt yuv422p", (320, 240)),
        ("full.mp4", "-c:v libx264 -pix_fmt yuvj420p", (320, 240)),
        ("grey.mp4", "-c:v libx264 -pix_fmt gray", (320, 240)),
        ("grey.mkv", "-c:v ffv1 -pix_fmt gray", (320, 240)),
        ("grey_10bit.mkv", "-c:v ffv1 -pix_fmt gray10le", (320, 240)),
        ("rgb.mkv", "-c:v ffv1 -pix_fmt bgr0", (320, 240)),
        ("planar_rgb.mp4", "-c:v libx264rgb -pix_fmt bgr24", (320, 240)),
        ("odd_444.mp4", "-s 323x241 -c:v libx264 -pix_fmt yuv444p", (323, 241)),
        ("odd_420.avi", "-s 323x241 -c:v mjpeg -pix_fmt yuvj420p", (323, 241)),
        ("odd_vp9.webm", "-s 323x241 -c:v libvpx-vp9 -deadline realtime -cpu-used 8", (323, 241)),
        ("odd_grey.mkv", "-s 323x241 -c:v ffv1 -pix_fmt gray", (323, 241)),
        ("odd_raw.nut", "-s 323x241 -c:v rawvideo -pix_fmt yuv410p", (323, 241)),
        ("packed_raw.nut", "-c:v rawvideo -pix_fmt yuyv422", (320, 240)),
    ];
    for (name, arguments, size_px) in cases {
        let decoded = count(&clips.street(name, arguments));
        check(name, &decoded, (FRAMES, size_px, 2900));
        assert_eq!(decoded.faults, [], "{name}");
    }
}

#[test]
fn other_tracks_are_left_out() {
    let clips = Clips::new();
    let video = clips.street("video.mp4", "-c:v libx264");
    let sound = "-f lavfi -t 3 -i sine";
    let both = format!("{sound} -i {} -map 0:a -map 1:v -c:v copy", video.display());
    check("sound first", &count(&clips.ffmpeg("sound_first.mkv", &both)), USUAL);

    // A sound track with a cover has a stream of one picture, which is no video.
    let cover = clips.street("cover.png", "-frames:v 1");
    let with_cover = format!(
        "{sound} -i {} -map 0 -map 1 -c:v copy -c:a aac -disposition:v attached_pic",
        cover.display()
    );
    let said = intake(clips.ffmpeg("cover.m4a", &with_cover));
    assert_eq!((said.code, said.out.len()), (Some(1), 0));
    assert!(said.err.contains("no video stream"), "{}", said.err);
}

#[test]
fn a_turned_camera_is_put_upright() {
    let clips = Clips::new();
    let upright = fs::read(clips.street("upright.mp4", "-c:v libx264")).expect("the clip");
    // A track's matrix (ISO 14496-12 §8.3.2): a, b, c and d of x = a·p + c·q, y = b·p + d·q; 1 is 0x10000.
    let cases: [(&str, [i32; 4], Rotation, _); 3] = [
        ("a telephone held upright", [0, 1, -1, 0], Rotation::Cw90, (240, 320)),
        ("a camera under the ceiling", [-1, 0, 0, -1], Rotation::Half, (320, 240)),
        ("in the other hand", [0, -1, 1, 0], Rotation::Cw270, (240, 320)),
    ];
    for (name, [a, b, c, d], rotation, size_px) in cases {
        let mut turned = upright.clone();
        let track = turned.windows(4).position(|bytes| bytes == b"tkhd").expect("a track header");
        // After the name come 40 bytes of other fields.
        for (index, value) in [(0, a), (1, b), (3, c), (4, d)] {
            let at = track + 44 + 4 * index;
            turned[at..at + 4].copy_from_slice(&(value << 16).to_be_bytes());
        }
        let path = clips.path("turned.mp4");
        fs::write(&path, turned).expect("the turned clip");
        check(name, &count(&path), (FRAMES, size_px, 2900));
        assert_eq!(first_frame(&intake(path).out).rotation(), rotation, "{name}");
    }
}

fn first_frame(stream: &[u8]) -> Frame {
    let mut frames = Frames::new(stream).expect("a stream");
    let picture = frames.find_map(|event| match event {
        Event::Picture(picture) => Some(picture),
        _ => None,
    });
    frames.develop(picture.expect("a picture")).expect("a readable frame")
}

#[test]
fn a_variable_frame_rate_keeps_its_times() {
    let clips = Clips::new();
    // Frames 0 to 9, then every third.
    let select = "-vf select=lt(n\\,10)+not(mod(n\\,3)) -vsync vfr";
    for (name, codec) in [("vfr.mp4", "libx264"), ("vfr.mkv", "libx264"), ("vfr.webm", "libvpx")] {
        let path = clips.street(name, &format!("{select} -c:v {codec} -frames:v 16"));
        let decoded = count(&path);
        check(name, &decoded, (16, (320, 240), 2700));
        assert_eq!(decoded.faults, [], "{name}");
    }
}

#[test]
fn without_timestamps_the_frame_rate_counts() {
    let clips = Clips::new();
    // A bare stream has no times; its parameter sets tell the rate.
    for (name, codec) in [("bare.h264", "libx264"), ("bare.h265", "libx265 -x265-params log-level=none")] {
        let decoded = count(&clips.street(name, &format!("-c:v {codec}")));
        assert_eq!((decoded.frames, decoded.size_px), (FRAMES, (320, 240)), "{name}: {decoded:?}");
        assert!((decoded.last_ms - 2900).abs() <= 100, "{name}: {decoded:?}");
    }
}

#[test]
fn a_change_of_size_in_mid_stream_is_survived() {
    let clips = Clips::new();
    let parts = [("small.h264", ""), ("large.h264", "-s 640x480")];
    let joined = parts.map(|(name, size)| {
        let path = clips.street(name, &format!("{size} -c:v libx264"));
        fs::read(path).expect("the clip")
    });
    let path = clips.path("joined.h264");
    fs::write(&path, joined.concat()).expect("the joined clip");
    let decoded = count(&path);
    assert_eq!((decoded.frames, decoded.size_px), (2 * FRAMES, (640, 480)), "{decoded:?}");
    assert_eq!(decoded.count(Notice::FormatChange), 1, "{decoded:?}");
}

#[test]
fn single_pictures_are_videos_of_one_frame() {
    let clips = Clips::new();
    for name in ["picture.jpg", "picture.png", "picture.bmp", "numbered%03d.jpg"] {
        // To ffmpeg, a per cent sign is a pattern; to the intake, a part of the name.
        let path = clips.street("made.jpg", "-frames:v 1");
        let path = match name.rsplit_once('.') {
            Some((_, "jpg")) => path,
            _ => clips.street(name, "-frames:v 1"),
        };
        let named = clips.path(name);
        if path != named {
            fs::rename(path, &named).expect("a new name");
        }
        let decoded = count(&named);
        assert_eq!((decoded.frames, decoded.size_px, decoded.last_ms), (1, (320, 240), 0), "{name}");
    }
}

#[test]
fn colours_are_read_as_they_are_tagged() {
    let clips = Clips::new();
    let cases = [
        ("jpeg.avi", "-c:v mjpeg -pix_fmt yuvj422p", (Matrix::Bt601, Range::Full)),
        ("untagged.mp4", "-c:v libx264", (Matrix::Bt601, Range::Limited)),
        ("untagged_hd.mp4", "-s 1280x720 -c:v libx264 -frames:v 2", (Matrix::Bt709, Range::Limited)),
        ("tagged.mp4", "-c:v libx264 -colorspace bt709 -color_range pc", (Matrix::Bt709, Range::Full)),
        (
            "wide.mkv",
            "-c:v libx264 -pix_fmt yuv420p10le -colorspace bt2020nc",
            (Matrix::Bt2020, Range::Limited),
        ),
        (
            "tagged_by_container.mkv",
            "-c:v ffv1 -colorspace bt709 -color_range tv",
            (Matrix::Bt709, Range::Limited),
        ),
    ];
    for (name, arguments, expected) in cases {
        let color = first_frame(&intake(clips.street(name, arguments)).out).color();
        assert_eq!((color.matrix, color.range), expected, "{name}");
    }
}

#[test]
fn what_cannot_be_opened_is_said_in_one_sentence() {
    let clips = Clips::new();
    let no_video = clips.ffmpeg("sound.mkv", "-f lavfi -t 1 -i sine");
    let sound = clips.ffmpeg("sound.wav", "-f lavfi -t 1 -i sine");
    let text = clips.path("text.mp4");
    fs::write(&text, "this is no video\n".repeat(500)).expect("a text");
    let list = clips.path("list.m3u8");
    fs::write(&list, "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n")
        .expect("a list");
    let concat = clips.path("list.ffconcat");
    fs::write(&concat, "ffconcat version 1.0\nfile /etc/passwd\n").expect("a list");
    let cases = [
        (clips.path("absent.mp4"), "no such file"),
        (clips.path(""), "directory"),
        (no_video, "no video stream"),
        (sound, "no video in a known container"),
        (text, "no video in a known container"),
        (list, "no video in a known container"),
        (concat, "no video in a known container"),
        ("rtsp://user:secret@127.0.0.1/cam".into(), "rtsp:// sources are not supported"),
    ];
    for (source, reason) in cases {
        let said = intake(&source);
        let sentence = said.err.trim_end();
        assert_eq!((said.code, said.out.len()), (Some(1), 0), "{source:?}: {sentence}");
        assert!(sentence.contains(reason), "{source:?}: {sentence}");
        assert!(!sentence.contains('\n') && !sentence.contains("secret"), "{source:?}: {sentence}");
    }
}
