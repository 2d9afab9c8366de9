//! How wrong numbers of people are: who buys a counter asks for nothing else.

use super::{Comparison, share};

/// Mean over the frames of how many people too many or too few are tracked.
pub fn occupancy_mae(comparison: &Comparison) -> f64 {
    let wrong = comparison.frames.iter().map(|f| f.truth.len().abs_diff(f.tracked.len())).sum::<usize>();
    share(wrong as f64, comparison.frames.len() as f64)
}
