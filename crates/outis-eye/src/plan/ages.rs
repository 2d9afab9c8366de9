//! For how long areas were not looked at, when many that overlap are asked for at once. Knows times of blocks.

use outis_measure::ImageBox;

use super::changes::spans;

/// The ages of all blocks, summed from the upper left corner on: the sum over any rectangle is that of four values
/// (Crow 1984).
pub(super) struct Ages {
    columns: usize,
    rows: usize,
    /// In microseconds, whose sums are exact; a column and a row of zeros come first.
    sums: Vec<u64>,
}

impl Ages {
    /// From the ages in seconds, row by row.
    pub(super) fn new(columns: usize, mut ages_s: impl ExactSizeIterator<Item = f32>) -> Self {
        let rows = ages_s.len() / columns.max(1);
        let mut sums = vec![0; (columns + 1) * (rows + 1)];
        for y in 0..rows {
            let (above, row) = sums[y * (columns + 1)..][..2 * (columns + 1)].split_at_mut(columns + 1);
            let mut in_row = 0;
            for ((sum, above), age_s) in row[1..].iter_mut().zip(&above[1..]).zip(&mut ages_s) {
                in_row += (1e6 * age_s) as u64;
                *sum = above + in_row;
            }
        }
        Self { columns, rows, sums }
    }

    /// The mean over the blocks whose centres lie in a box, in seconds; zero where there are none.
    pub(super) fn mean_s(&self, bbox: &ImageBox) -> f32 {
        let (across, down) = spans(self.columns, self.rows, bbox);
        let sum = |x: usize, y: usize| self.sums[y * (self.columns + 1) + x];
        let inside = sum(across.end, down.end) + sum(across.start, down.start)
            - sum(across.end, down.start)
            - sum(across.start, down.end);
        (inside as f64 / 1e6 / (across.len() * down.len()).max(1) as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_the_means_of_their_blocks(
            columns in 1_usize..12,
            ages_s in proptest::collection::vec(0.0_f32..60.0, 0..90),
            (left, top) in (-20.0_f32..100.0, -20.0_f32..100.0),
            (width, height) in (0.0_f32..120.0, 0.0_f32..120.0),
        ) {
            let rows = ages_s.len() / columns;
            let ages_s = &ages_s[..columns * rows];
            let bbox = ImageBox { left, top, width, height };
            let (across, down) = spans(columns, rows, &bbox);
            let inside: Vec<f32> = down
                .flat_map(|y| across.clone().map(move |x| y * columns + x))
                .map(|index| ages_s[index])
                .collect();
            let expected = inside.iter().sum::<f32>() / inside.len().max(1) as f32;
            let found = Ages::new(columns, ages_s.iter().copied()).mean_s(&bbox);
            prop_assert!((found - expected).abs() < 1e-3, "{} is not {}", found, expected);
        }
    }
}
