//! Seeded random numbers that never change, so that a benchmark's figures outlive every dependency.
//! Not for secrets.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for each pair of seed and name, such as a run and a person.
    pub fn named(seed: u64, name: u64) -> Self {
        let mut outer = Self::new(seed);
        let mixed = outer.bits() ^ name.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mut inner = Self::new(mixed);
        inner.bits();
        inner
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normal with mean 0 and standard deviation 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// How many of many rare events happen when `mean` are expected (Knuth's product; for small means).
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let (floor, mut product, mut events) = ((-mean).exp(), self.unit(), 0);
        while product > floor {
            product *= self.unit();
            events += 1;
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_deviation(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..20_000).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
        (mean, variance.sqrt())
    }

    /// First outputs for seed 1234567 as published with the reference implementation.
    #[test]
    fn the_stream_is_splitmix64() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn distributions_have_their_mean_and_deviation() {
        let mut random = Random::new(1);
        let cases = [
            ("unit", mean_and_deviation(|| random.unit()), (0.5, 0.2887)),
            ("normal", mean_and_deviation(|| random.normal()), (0.0, 1.0)),
            ("poisson", mean_and_deviation(|| f64::from(random.poisson(0.6))), (0.6, 0.7746)),
        ];
        for (name, got, expected) in cases {
            assert!(
                (got.0 - expected.0).abs() < 0.02 && (got.1 - expected.1).abs() < 0.02,
                "{name}: {got:?}"
            );
        }
    }

    #[test]
    fn named_streams_differ() {
        let first: Vec<u64> = (0..100).map(|name| Random::named(7, name).bits()).collect();
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
    }
}
