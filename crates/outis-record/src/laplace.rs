//! The discrete Laplace distribution, drawn exactly: whole numbers only, no floating point anywhere.
//!
//! Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithms 1 and 2.
//! A floating-point sampler leaks the exact value through the gaps between its numbers (Mironov 2012).

use std::num::NonZeroU32;

use crate::{NoRandomness, Randomness};

/// Noise `Y` with `P(Y = y)` proportional to `exp(-|y| · s / t)`: its scale is `t / s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Laplace {
    t: NonZeroU32,
    s: NonZeroU32,
}

impl Laplace {
    /// Noise of scale `t / s`, in lowest terms; `None` when one of them is zero.
    pub fn new(t: u32, s: u32) -> Option<Self> {
        let divisor = gcd(t, s).max(1);
        Some(Self { t: NonZeroU32::new(t / divisor)?, s: NonZeroU32::new(s / divisor)? })
    }

    /// The scale, in units of the figure: 1 / ε for a figure that one passage changes by 1.
    pub fn scale(self) -> f64 {
        f64::from(self.t.get()) / f64::from(self.s.get())
    }

    /// `P(Y = y)` divided by `P(Y = 0)`, for one step of `y`.
    pub fn decay(self) -> f64 {
        (-1.0 / self.scale()).exp()
    }

    /// The standard deviation, in units of the figure.
    pub fn sd(self) -> f64 {
        let q = self.decay();
        (2.0 * q).sqrt() / (1.0 - q)
    }

    /// 95 of 100 draws are at most this far from zero.
    pub fn error_95(self) -> u64 {
        // P(|Y| > m) = 2 q^(m+1) / (1 + q).
        let q = self.decay();
        let m = (0.05 * (1.0 + q) / 2.0).ln() / q.ln() - 1.0;
        m.ceil().max(0.0) as u64
    }

    /// Draws once.
    ///
    /// # Errors
    /// When there are no random bits.
    pub fn sample(self, randomness: &mut dyn Randomness) -> Result<i64, NoRandomness> {
        let (t, s) = (u64::from(self.t.get()), u64::from(self.s.get()));
        loop {
            // X = u + t·v is geometric with P(X = x) ∝ exp(-x / t).
            let u = below(t, randomness)?;
            if !with_probability_exp(u, t, randomness)? {
                continue;
            }
            let mut v = 0u64;
            while with_probability_exp(1, 1, randomness)? {
                v += 1;
            }
            let magnitude = (u + t * v) / s;
            let negative = below(2, randomness)? == 1;
            // Zero would come twice as often as it should.
            if negative && magnitude == 0 {
                continue;
            }
            let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
            return Ok(if negative { -magnitude } else { magnitude });
        }
    }
}

/// True with probability `exp(-n / d)`, for `n` at most `d`.
fn with_probability_exp(n: u64, d: u64, randomness: &mut dyn Randomness) -> Result<bool, NoRandomness> {
    // The chance that the first failure of draws with probabilities γ/1, γ/2, γ/3 … is at an odd place.
    let mut k = 1u64;
    while below(d * k, randomness)? < n {
        k += 1;
    }
    Ok(k % 2 == 1)
}

/// Uniform from 0 to `end - 1`, without the bias of a remainder.
fn below(end: u64, randomness: &mut dyn Randomness) -> Result<u64, NoRandomness> {
    let mask = u64::MAX >> (end - 1).max(1).leading_zeros();
    loop {
        let drawn = randomness.next_u64()? & mask;
        if drawn < end {
            return Ok(drawn);
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::tests::{Dry, Seeded};

    const DRAWS: u32 = 1_000_000;

    /// Pearson's statistic of draws against the exact probabilities, and its degrees of freedom. Values beyond
    /// `edge` share a bin on either side.
    fn chi_squared(declared: Laplace, draw: &mut dyn FnMut() -> i64, edge: i64) -> (f64, f64) {
        let bins = usize::try_from(2 * edge + 3).unwrap();
        let mut seen = vec![0u32; bins];
        for _ in 0..DRAWS {
            seen[usize::try_from(draw().clamp(-edge - 1, edge + 1) + edge + 1).unwrap()] += 1;
        }
        let q = declared.decay();
        let at_zero = (1.0 - q) / (1.0 + q);
        let expected = |bin: usize| {
            let y = i32::try_from(bin).unwrap() - i32::try_from(edge).unwrap() - 1;
            let tail = if bin == 0 || bin == bins - 1 { 1.0 / (1.0 - q) } else { 1.0 };
            f64::from(DRAWS) * at_zero * q.powi(y.abs()) * tail
        };
        let term = |(bin, &seen): (usize, &u32)| (f64::from(seen) - expected(bin)).powi(2) / expected(bin);
        (seen.iter().enumerate().map(term).sum(), bins as f64 - 1.0)
    }

    /// The value a chi-squared variable exceeds once in ten thousand times (Wilson and Hilferty 1931).
    fn critical(degrees: f64) -> f64 {
        let spread = 2.0 / (9.0 * degrees);
        degrees * (1.0 - spread + 3.719 * spread.sqrt()).powi(3)
    }

    #[test]
    fn a_million_draws_are_distributed_as_declared() {
        for (t, s, edge) in [(1, 2, 4), (1, 1, 9), (5, 2, 20), (10, 1, 60), (600, 7, 400)] {
            let laplace = Laplace::new(t, s).unwrap();
            let mut seeded = Seeded(u64::from(t * 1000 + s));
            let (statistic, degrees) =
                chi_squared(laplace, &mut || laplace.sample(&mut seeded).unwrap(), edge);
            assert!(statistic < critical(degrees), "{t}/{s}: {statistic} of {}", critical(degrees));
        }
    }

    /// A test that cannot fail proves nothing: two near misses must be told from the real thing.
    #[test]
    fn the_test_sees_a_wrong_sampler() {
        let (laplace, mut seeded) = (Laplace::new(5, 2).unwrap(), Seeded(7));
        let mut twice_zero = || {
            let drawn = laplace.sample(&mut seeded).unwrap();
            if drawn == -1 && seeded.next_u64().unwrap() % 50 == 0 { 0 } else { drawn }
        };
        let (statistic, degrees) = chi_squared(laplace, &mut twice_zero, 20);
        assert!(statistic > critical(degrees), "a fiftieth of -1 moved to 0 went unseen: {statistic}");

        let (other, mut seeded) = (Laplace::new(101, 40).unwrap(), Seeded(8));
        let (statistic, degrees) = chi_squared(laplace, &mut || other.sample(&mut seeded).unwrap(), 20);
        assert!(statistic > critical(degrees), "a scale 1 % off went unseen: {statistic}");
    }

    #[test]
    fn figures_of_the_distribution() {
        // The table of law and literature: ε .25, .5, 1, 2 have sd 5.6, 2.8, 1.4, .6 and errors of 12, 6, 3, 1.
        for (t, s, sd, error) in [(4, 1, 5.6, 12), (2, 1, 2.8, 6), (1, 1, 1.36, 3), (1, 2, 0.6, 1)] {
            let laplace = Laplace::new(t, s).unwrap();
            assert!((laplace.sd() - sd).abs() < 0.06, "{t}/{s}: {}", laplace.sd());
            assert_eq!(laplace.error_95(), error, "{t}/{s}");
        }
        assert_eq!(Laplace::new(240, 12), Laplace::new(20, 1));
        assert_eq!((Laplace::new(0, 1), Laplace::new(1, 0)), (None, None));
    }

    #[test]
    fn without_random_bits_there_is_no_draw() {
        assert_eq!(Laplace::new(1, 1).unwrap().sample(&mut Dry), Err(NoRandomness));
    }
}
