//! Reads plain WAV files: 16 bits, one or two channels. Whatever an installer brings in another form, a program that is
//! made for it converts.

use super::sound::Sound;

/// The largest file in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 16 << 20;

/// The longest message in seconds: nobody stands and listens to more.
pub(crate) const MESSAGE_S_MAX: u32 = 30;

/// How fine a sound may be, in samples a second.
const RATES_HZ: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// What makes a file such as is needed of any other.
const REMEDY: &str = "make one with: ffmpeg -i IN -ac 1 -ar 16000 -c:a pcm_s16le OUT.wav";

/// Why bytes are no such file.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum WavError {
    #[error("it is not a WAV file; {REMEDY}")]
    NotWav,
    #[error(
        "it is a WAV file of another kind than 16-bit PCM in one or two channels at 8 to 48 kHz; {REMEDY}"
    )]
    Kind,
    #[error("it has no sound")]
    Empty,
    #[error("it is longer than {MESSAGE_S_MAX} s; nobody stands and listens to more")]
    Long,
}

/// Reads the bytes of a file. Two channels become one.
///
/// # Errors
/// Says what to do. Never panics, whatever the bytes are.
pub(crate) fn read(bytes: &[u8]) -> Result<Sound, WavError> {
    let mut rest = bytes;
    let head = rest.split_off(..12).ok_or(WavError::NotWav)?;
    if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
        return Err(WavError::NotWav);
    }
    let mut format = None;
    loop {
        // Chunks: a name, a length, so many bytes, and one more where that makes the length even.
        let head = rest.split_off(..8).ok_or(WavError::NotWav)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if &head[..4] == b"data" {
            // A program that writes to a pipe does not know the length: then the sound goes to the end.
            let samples = rest.get(..length).unwrap_or(rest);
            return sound(format.ok_or(WavError::Kind)?, samples);
        }
        let body = rest.split_off(..length).ok_or(WavError::NotWav)?;
        if length % 2 == 1 {
            let _ = rest.split_off(..1);
        }
        if &head[..4] == b"fmt " {
            format = Some(Format::read(body).ok_or(WavError::Kind)?);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Format {
    channels: usize,
    rate_hz: u32,
}

impl Format {
    fn read(body: &[u8]) -> Option<Self> {
        let two = |at: usize| Some(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?]));
        let rate_hz = u32::from(two(4)?) | u32::from(two(6)?) << 16;
        let (tag, channels, bits) = (two(0)?, two(2)?, two(14)?);
        let known = tag == 1 && bits == 16 && (1..=2).contains(&channels) && RATES_HZ.contains(&rate_hz);
        known.then_some(Self { channels: channels.into(), rate_hz })
    }
}

fn sound(format: Format, bytes: &[u8]) -> Result<Sound, WavError> {
    let samples: Vec<f32> =
        bytes.as_chunks().0.iter().map(|&pair| f32::from(i16::from_le_bytes(pair)) / 32768.0).collect();
    let frames = samples.chunks_exact(format.channels);
    let samples: Vec<f32> = frames.map(|frame| frame.iter().sum::<f32>() / frame.len() as f32).collect();
    if samples.is_empty() {
        return Err(WavError::Empty);
    }
    if samples.len() > (MESSAGE_S_MAX * format.rate_hz) as usize {
        return Err(WavError::Long);
    }
    Ok(Sound { samples, rate_hz: format.rate_hz })
}

/// A WAV file of a sound, 16 bits, one channel.
pub(crate) fn write(sound: &Sound) -> Vec<u8> {
    let data: Vec<u8> = sound.pcm().into_iter().flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36u32.saturating_add(length)).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(sound.rate_hz.to_le_bytes());
    bytes.extend((2 * sound.rate_hz).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tone() -> Sound {
        Sound { samples: (0..800u16).map(|n| f32::from(n % 80) / 100.0 - 0.4).collect(), rate_hz: 16_000 }
    }

    #[test]
    fn what_is_written_is_read() {
        let read = read(&write(&tone())).unwrap();
        assert_eq!((read.rate_hz, read.samples.len()), (16_000, 800));
        let same = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
        assert!(read.samples.iter().zip(&tone().samples).all(same));
    }

    #[test]
    fn other_files_are_refused_with_what_to_do() {
        let good = write(&tone());
        let edited = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let long = Sound { samples: vec![0.0; 8_000 * 30 + 1], rate_hz: 8_000 };
        let empty = Sound { samples: vec![], rate_hz: 8_000 };
        let cases = [
            ("nothing", vec![], Err(WavError::NotWav)),
            ("another kind of file", b"ID3 and so on, for a while".to_vec(), Err(WavError::NotWav)),
            ("floating point", edited(20, 3), Err(WavError::Kind)),
            ("8 bits", edited(34, 8), Err(WavError::Kind)),
            ("three channels", edited(22, 3), Err(WavError::Kind)),
            ("cut in its head", good[..30].to_vec(), Err(WavError::NotWav)),
            ("no sound", write(&empty), Err(WavError::Empty)),
            ("a speech", write(&long), Err(WavError::Long)),
            ("cut in its sound", good[..44 + 800].to_vec(), Ok(400)),
            ("two channels", edited(22, 2), Ok(400)),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(read(&bytes).map(|sound| sound.samples.len()), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(edits in prop::collection::vec((0usize..60, any::<u8>()), 0..8), cut in 0usize..900) {
            let mut bytes = write(&tone());
            for (at, byte) in edits {
                bytes[at] = byte;
            }
            bytes.truncate(cut);
            if let Ok(sound) = read(&bytes) {
                prop_assert!(!sound.samples.is_empty());
            }
        }
    }
}
