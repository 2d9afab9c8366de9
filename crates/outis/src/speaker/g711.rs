//! Sixteen-bit samples as eight-bit ones, by the two laws of ITU-T G.711. Loudspeakers and telephones know both.

use serde::Deserialize;

/// How samples are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Law {
    /// µ-law; every loudspeaker has it.
    #[default]
    Pcmu,
    /// A-law, that of telephones in most of the world.
    Pcma,
}

impl Law {
    /// Its number in RTP (RFC 3551, table 4).
    pub(crate) fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// What no sound is.
    pub(crate) fn silence(self) -> u8 {
        self.encode(0)
    }

    /// Packs one sample: a sign, a segment that is twice as coarse as the one before, and four bits within it.
    pub(crate) fn encode(self, sample: i16) -> u8 {
        // Both laws count negative samples from -1, so that either sign has as many.
        let magnitude = if sample < 0 { !sample } else { sample }.unsigned_abs();
        let high_bit = |value: u16| 15 - value.leading_zeros() as u16;
        match self {
            // G.711, table 2, for 14 bits. The bias moves the segments' borders to powers of two.
            Self::Pcmu => {
                let magnitude = ((magnitude >> 2) + 33).min(0x1fff);
                let segment = high_bit(magnitude) - 5;
                let step = magnitude >> (segment + 1) & 0x0f;
                let sign = if sample < 0 { 0x80 } else { 0 };
                !(sign | (segment << 4 | step) as u8)
            }
            // G.711, table 1, for 13 bits. The first two segments are equally fine; every other bit is inverted.
            Self::Pcma => {
                let magnitude = magnitude >> 4;
                let segment = if magnitude < 32 { 0 } else { high_bit(magnitude) - 3 };
                let packed =
                    if segment == 0 { magnitude } else { segment << 4 | magnitude >> (segment - 1) & 0x0f };
                let sign = if sample < 0 { 0 } else { 0x80 };
                (sign | packed as u8) ^ 0x55
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
        thread,
    };

    use super::*;

    /// What ffmpeg makes of bytes in one format when it writes them in another.
    fn ffmpeg(from: &str, to: &str, bytes: Vec<u8>) -> Vec<u8> {
        let mut ffmpeg = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-f", from, "-ar", "8000", "-ac", "1", "-i", "-", "-f", to, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ffmpeg is needed to check the encoder");
        let mut input = ffmpeg.stdin.take().unwrap();
        let writer = thread::spawn(move || input.write_all(&bytes));
        let output = ffmpeg.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    /// Every sample there is, heard by an independent decoder: never farther off than half of the coarser step beside
    /// what is heard, and the law's own resolution.
    #[test]
    fn an_independent_decoder_hears_every_sample() {
        let heard = |name: &str, packed: Vec<u8>| -> Vec<i32> {
            let bytes = ffmpeg(name, "s16le", packed);
            bytes.as_chunks().0.iter().map(|&pair| i16::from_le_bytes(pair).into()).collect()
        };
        let samples: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        let plain: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for (law, name, resolution) in [(Law::Pcmu, "mulaw", 4), (Law::Pcma, "alaw", 16)] {
            let mut levels = heard(name, (0..=255).collect());
            levels.sort_unstable();
            levels.dedup();
            let ours: Vec<u8> = samples.iter().map(|&sample| law.encode(sample)).collect();
            for (&sample, heard) in samples.iter().zip(heard(name, ours.clone())) {
                let at = levels.binary_search(&heard).unwrap();
                let step = |pair: Option<&[i32]>| pair.map_or(0, |pair| pair[1] - pair[0]);
                let below = step(at.checked_sub(1).and_then(|before| levels.get(before..=at)));
                let coarser = below.max(step(levels.get(at..at + 2)));
                // Beyond the loudest level there is nothing.
                let sample = i32::from(sample).clamp(levels[0], levels[levels.len() - 1]);
                let error = (heard - sample).abs();
                assert!(error <= coarser / 2 + resolution, "{name} {sample}: heard as {heard}");
            }
            // Another encoder takes the nearest level where the standard has a border a little beside it.
            let theirs = ffmpeg("s16le", name, plain.clone());
            let same = ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
            assert!(same > 64_000, "{name}: {same} of 65536 are the same");
        }
    }

    /// G.711, tables 1 and 2: the ends and the middle.
    #[test]
    fn exact_values() {
        let cases = [
            (Law::Pcmu, [(0, 0xff), (-1, 0x7f), (32_767, 0x80), (-32_768, 0x00), (1_000, 0xce)]),
            (Law::Pcma, [(0, 0xd5), (-1, 0x55), (32_767, 0xaa), (-32_768, 0x2a), (1_000, 0xfa)]),
        ];
        for (law, values) in cases {
            for (sample, packed) in values {
                assert_eq!(law.encode(sample), packed, "{law:?} {sample}");
            }
        }
        assert_eq!([Law::Pcmu.silence(), Law::Pcma.silence()], [0xff, 0xd5]);
    }
}
