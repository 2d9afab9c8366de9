//! What the jail costs: the product beside the same work in this program, whose eye nothing holds. A part of the benchmarks
//! page.

use std::path::Path;

use super::benchmarks::{count, without_the_jail};
use super::table::Table;
use crate::count_error::Spread;

/// How often both run. More than elsewhere: what is looked for is three hundredths.
pub const JAIL_ROUNDS: usize = 5;

/// Runs both in turn, each of them first as often as the other, and says what the lock adds.
///
/// # Errors
/// When a program is absent or fails.
pub fn section(clip: &Path, rounds: usize) -> anyhow::Result<String> {
    let (mut jailed, mut free) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                jailed.push(count(clip, true, 1.0, 0.0)?.cpu.as_secs_f64());
            } else {
                free.push(without_the_jail(clip)?.cpu.as_secs_f64());
            }
        }
    }
    let mut table = Table::new(["CPU of all processes together", "s", "against the same round without"]);
    for (name, seconds) in
        [("`outis count --every-frame`", &jailed), ("the same work in `outis-eval`", &free)]
    {
        let ratios = Spread::of(seconds.iter().zip(&free).map(|(a, b)| a / b));
        let cost = Spread::of(seconds.iter().copied()).mean;
        let ratio = format!("{:.3} ({:.3}-{:.3})", ratios.mean, ratios.min, ratios.max);
        table.row([name.to_owned(), format!("{cost:.2}"), ratio]);
    }
    Ok(format!(
        "The demo's clip, every frame looked at, the same detector and lines, {rounds} rounds. In `outis-eval` eye and door \
         are one process that no kernel's list holds; its intake is the product's own, which locks itself in always.\n{}",
        table.text()
    ))
}
