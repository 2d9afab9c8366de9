//! Where random bits come from: an argument, so that this crate stays pure and a test can repeat its draws.

/// A source of independent uniform bits. The door's is the kernel's; nothing else may release.
pub trait Randomness {
    /// The next 64 bits.
    ///
    /// # Errors
    /// When there are none. Then nothing is released: a figure without its noise would be exact.
    fn next_u64(&mut self) -> Result<u64, NoRandomness>;
}

/// The source of random bits failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers, and without them nothing can be told; see getrandom(2)")]
pub struct NoRandomness;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea, Flood 2014): good enough to judge a distribution by, and the same every time.
    #[derive(Debug)]
    pub(crate) struct Seeded(pub(crate) u64);

    impl Randomness for Seeded {
        fn next_u64(&mut self) -> Result<u64, NoRandomness> {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            Ok(mixed ^ (mixed >> 31))
        }
    }

    /// A source that has run dry.
    #[derive(Debug)]
    pub(crate) struct Dry;

    impl Randomness for Dry {
        fn next_u64(&mut self) -> Result<u64, NoRandomness> {
            Err(NoRandomness)
        }
    }
}
