//! Processor time, as the kernel books it.

use std::time::Duration;

/// Ticks in a second of the times in `/proc`: fixed for programs on Linux, whatever the kernel counts with.
const TICKS_PER_S: f64 = 100.0;

/// Processor time of this process and of all children it has waited for; zero where `/proc` does not tell.
pub fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_secs_f64(ticks(&stat).unwrap_or(0.0) / TICKS_PER_S)
}

/// Fields 14 to 17 of proc(5): user and system time, own and of waited-for children.
/// The second field is a name that may hold anything; fields are counted from the parenthesis after it.
fn ticks(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 200 0 0 31 7 500 20 20 0 1 0 100 1000 10";
        assert_eq!(ticks(stat), Some(558.0));
        assert_eq!(ticks("42 (a) S 1"), None);
    }

    #[test]
    fn work_takes_time() {
        let before = spent();
        let mut sum = 0_u64;
        while spent() - before < Duration::from_millis(20) {
            sum = std::hint::black_box(sum + 1);
        }
    }
}
