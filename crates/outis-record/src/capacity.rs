//! How much one released figure can tell: the capacity of "a number from 0 to N, discrete Laplace noise, cut to 0..N"
//! as a channel, in bits, never understated. What follows the noise (withholding, rounding) can only tell less.
//!
//! For every distribution `q` of outputs the capacity is at most the largest divergence of an input's outputs from
//! `q` (Topsøe 1967; Cover and Thomas, theorem 13.1.1). So whatever `q` the searches below end at, what they return
//! is an upper bound; a better search makes it closer.

use std::collections::BTreeMap;

use crate::Laplace;

/// Ranges up to this are searched by Blahut and Arimoto's algorithm; its matrix has the square of it.
const SEARCHED_MAX: u64 = 255;

/// The search ends when its upper and lower bounds are this close, in bits …
const GAP_BITS: f64 = 0.002;

/// … or after so many rounds.
const ROUNDS_MAX: usize = 600;

/// Inputs farther from both ends than so many scales are alike: e^-45 is nothing beside the slack below.
const EDGE_SCALES: f64 = 45.0;

/// Added for what [`EDGE_SCALES`] and rounding leave out, in bits.
const SLACK_BITS: f64 = 1e-6;

/// Capacities by range and noise. A camera's cells share a few.
#[derive(Debug, Default)]
pub(crate) struct Capacities(BTreeMap<(u64, Laplace), f64>);

impl Capacities {
    /// The most bits that a figure of this range can tell.
    pub(crate) fn bits(&mut self, max: u64, noise: Option<Laplace>) -> f64 {
        let plain = (max as f64 + 1.0).log2();
        let Some(noise) = noise else { return plain };
        let bits = self.0.entry((max, noise)).or_insert_with(|| {
            let flat = flat_bits(max, noise);
            let searched = if max <= SEARCHED_MAX { Search::new(max, noise).run() } else { flat };
            flat.min(searched).min(plain)
        });
        *bits
    }
}

/// The bound with outputs as likely as each other, but for the two ends: close when the range is many scales long.
fn flat_bits(max: u64, noise: Laplace) -> f64 {
    if max < 2 {
        return 1.0;
    }
    let n = max as f64;
    let inputs = (n / 2.0).floor().min(EDGE_SCALES * noise.scale()).ceil() as u64;
    let worst = |end: f64| {
        let inner = (1.0 - 2.0 * end) / (n - 1.0);
        let divergences = (0..=inputs).map(|x| divergence(x as f64, n, noise.decay(), end, inner));
        divergences.fold(f64::NEG_INFINITY, f64::max)
    };
    // The worst divergence is convex in the weight of the ends: thirds find its lowest point.
    let (mut low, mut high) = (1e-9, 0.5 - 1e-9);
    for _ in 0..32 {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if worst(a) < worst(b) { high = b } else { low = a }
    }
    worst(f64::midpoint(low, high)) / std::f64::consts::LN_2 + SLACK_BITS
}

/// The divergence in nats of input `x`'s outputs from: `end` at 0 and `n`, `inner` at each value between.
fn divergence(x: f64, n: f64, q: f64, end: f64, inner: f64) -> f64 {
    let a = (1.0 - q) / (1.0 + q);
    // Sums over d = 1..m of a·q^d and of its product with the logarithm.
    let sums = |m: f64| {
        let tail = q.powf(m);
        let mass = a * q * (1.0 - tail) / (1.0 - q);
        let moment = a * q * (1.0 - (m + 1.0) * tail + m * tail * q) / ((1.0 - q) * (1.0 - q));
        (mass, a.ln() * mass + q.ln() * moment)
    };
    let (left, right) = (sums((x - 1.0).max(0.0)), sums((n - 1.0 - x).max(0.0)));
    // The input's own value lies between the ends unless it is one of them.
    let own = if x >= 1.0 && x <= n - 1.0 { (a, a * a.ln()) } else { (0.0, 0.0) };
    // From an end, the values between begin one step away on one side only, and the sums above already say so.
    let mass = left.0 + right.0 + own.0;
    let entropy = left.1 + right.1 + own.1;
    let at_end = |distance: f64| {
        let p = q.powf(distance) / (1.0 + q);
        if p > 0.0 { p * (p / end).ln() } else { 0.0 }
    };
    entropy - mass * inner.ln() + at_end(x) + at_end(n - x)
}

/// Blahut and Arimoto's search for the inputs that tell most.
#[derive(Debug)]
struct Search {
    /// P(output | input), a row an input.
    rows: Vec<Vec<f64>>,
    /// Σ p ln p of each row.
    row_entropies: Vec<f64>,
    /// P(input).
    inputs: Vec<f64>,
}

impl Search {
    fn new(max: u64, noise: Laplace) -> Self {
        let n = usize::try_from(max).expect("at most SEARCHED_MAX");
        let q = noise.decay();
        let p = |x: usize, y: usize| {
            let distance = i32::try_from(x.abs_diff(y)).unwrap_or(i32::MAX);
            let edge = y == 0 || y == n;
            q.powi(distance) * if edge { 1.0 } else { 1.0 - q } / (1.0 + q)
        };
        let rows: Vec<Vec<f64>> = (0..=n).map(|x| (0..=n).map(|y| p(x, y)).collect()).collect();
        let entropy = |row: &Vec<f64>| row.iter().filter(|&&p| p > 0.0).map(|p| p * p.ln()).sum();
        let row_entropies = rows.iter().map(entropy).collect();
        Self { inputs: vec![1.0 / (n as f64 + 1.0); n + 1], rows, row_entropies }
    }

    /// The lowest upper bound met, in bits.
    fn run(mut self) -> f64 {
        let mut least = f64::INFINITY;
        for _ in 0..ROUNDS_MAX {
            let divergences = self.divergences();
            let upper = divergences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = self.inputs.iter().zip(&divergences).map(|(p, d)| p * d.exp()).sum();
            least = least.min(upper);
            if (upper - total.ln()) / std::f64::consts::LN_2 < GAP_BITS {
                break;
            }
            for (p, d) in self.inputs.iter_mut().zip(&divergences) {
                *p *= d.exp() / total;
            }
        }
        least / std::f64::consts::LN_2 + SLACK_BITS
    }

    fn divergences(&self) -> Vec<f64> {
        let mut outputs = vec![0.0; self.rows.len()];
        for (row, weight) in self.rows.iter().zip(&self.inputs) {
            outputs.iter_mut().zip(row).for_each(|(sum, p)| *sum += weight * p);
        }
        let logs: Vec<f64> = outputs.iter().map(|p: &f64| p.max(f64::MIN_POSITIVE).ln()).collect();
        let divergence = |(row, entropy): (&Vec<f64>, &f64)| {
            entropy - row.iter().zip(&logs).map(|(p, log)| p * log).sum::<f64>()
        };
        self.rows.iter().zip(&self.row_entropies).map(divergence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(max: u64, t: u32, s: u32) -> f64 {
        Capacities::default().bits(max, Laplace::new(t, s))
    }

    /// Figures of an independent program (Blahut–Arimoto in Python, to two digits).
    #[test]
    fn agrees_with_an_independent_program() {
        for (max, t, s, expected) in
            [(255, 1, 1, 5.68), (255, 2, 1, 4.64), (255, 10, 1, 2.49), (63, 1, 1, 3.74), (1023, 1, 1, 7.66)]
        {
            let bits = bits(max, t, s);
            assert!((-0.006..0.02).contains(&(bits - expected)), "0 to {max}, scale {t}/{s}: {bits}");
        }
        assert!((bits(255, 0, 1) - 8.0).abs() < 1e-12, "no noise");
    }

    #[test]
    fn the_flat_bound_lies_closely_above_the_searched_one() {
        for (max, t, s) in
            [(255, 1, 1), (255, 2, 1), (200, 5, 2), (255, 10, 1), (40, 1, 2), (3, 1, 1), (2, 9, 1)]
        {
            let noise = Laplace::new(t, s).unwrap();
            let (flat, searched) = (flat_bits(max, noise), Search::new(max, noise).run());
            let gap = flat - searched;
            assert!((-0.003..0.12).contains(&gap), "0 to {max}, scale {t}/{s}: {flat}, {searched}");
        }
    }

    /// The closed form against sums written out.
    #[test]
    fn divergences_add_up() {
        let (n, noise) = (9.0, Laplace::new(3, 2).unwrap());
        let search = Search::new(9, noise);
        let (end, inner) = (0.2, 0.6 / 8.0);
        for x in 0..=9u8 {
            let row = &search.rows[usize::from(x)];
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let outputs = (0..=9).map(|y| if y == 0 || y == 9 { end } else { inner });
            let expected: f64 = row.iter().zip(outputs).map(|(p, q): (&f64, f64)| p * (p / q).ln()).sum();
            let got = divergence(x.into(), n, noise.decay(), end, inner);
            assert!((got - expected).abs() < 1e-12, "{x}: {got}, {expected}");
        }
    }

    #[test]
    fn more_noise_tells_less_and_more_room_tells_more() {
        assert!(bits(3600, 2, 1) > bits(3600, 5, 1) && bits(3600, 5, 1) > bits(3600, 10, 1));
        assert!(bits(300, 2, 1) < bits(3600, 2, 1));
        assert!(bits(115_200, 1200, 1) < 7.0 && bits(115_200, 1200, 1) > 4.0);
        assert!(bits(1, 1, 1) <= 1.0 && bits(0, 1, 1) == 0.0);
    }
}
