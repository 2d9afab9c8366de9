//! The picture that must not get out: a pattern that is found again wherever it turns up.

use std::fmt;

/// A small grey picture. Not `Debug` as bytes: it stands for a face.
#[derive(Clone)]
pub struct Canary {
    pixels: Vec<u8>,
}

impl Canary {
    /// What every line of the picture begins with.
    pub const MARK: &'static [u8] = b"\xca\x11a\x7fOutisCanary\xca\x11a\x7f";

    /// Pixels in a line, and lines.
    pub const SIDE: usize = 64;

    /// The picture that `outis prove` uses.
    pub fn new() -> Self {
        let line = |y: usize| {
            let rest = (Self::MARK.len()..Self::SIDE).map(move |x| (x * 7 + y * 13) as u8);
            Self::MARK.iter().copied().chain(rest)
        };
        Self { pixels: (0..Self::SIDE).flat_map(line).collect() }
    }

    /// A picture of the adversary's own, such as a frame of a real video; made as large as [`Canary::new`].
    pub fn of(mut pixels: Vec<u8>) -> Self {
        pixels.resize(Self::SIDE * Self::SIDE, 0);
        Self { pixels }
    }

    /// Its pixels.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// How many bytes of `found` belong to lines of the picture, as far as their beginnings are there.
    pub fn bytes_in(found: &[u8]) -> usize {
        found.windows(Self::MARK.len()).filter(|window| *window == Self::MARK).count() * Self::SIDE
    }
}

impl Default for Canary {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_again() {
        let canary = Canary::new();
        assert_eq!(canary.pixels().len(), 4096);
        assert_eq!(Canary::bytes_in(canary.pixels()), 4096);
        assert_eq!(Canary::bytes_in(&canary.pixels()[1..200]), 128);
        assert_eq!(Canary::bytes_in(&[0; 4096]), 0);
    }
}
