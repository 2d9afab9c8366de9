//! Processor time, as the kernel books it.

use std::ops::Range;
use std::time::Duration;

/// Ticks in a second of the times in `/proc`: fixed for programs on Linux, whatever the kernel counts with.
const TICKS_PER_S: f64 = 100.0;

/// Processor time of this process and of all children it has waited for; zero where `/proc` does not tell.
pub fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_secs_f64(ticks(&stat).unwrap_or(0.0) / TICKS_PER_S)
}

/// Processor time of another process alone, without its children; zero when there is none.
pub(crate) fn spent_by(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    Duration::from_secs_f64(own_ticks(&stat).unwrap_or(0.0) / TICKS_PER_S)
}

/// A field of a process's status, such as its name.
pub(crate) fn status(pid: u32, field: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(':')?.trim().to_owned()))
}

/// The processes that a process has started and that are there still.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Fields 14 to 17 of proc(5): user and system time, own and of waited-for children.
/// The second field is a name that may hold anything; fields are counted from the parenthesis after it.
fn ticks(stat: &str) -> Option<f64> {
    Some(own_ticks(stat)? + sum_of(stat, 13..15)?)
}

/// Fields 14 and 15: own times.
fn own_ticks(stat: &str) -> Option<f64> {
    sum_of(stat, 11..13)
}

/// The sum of some of the fields that come after the name.
fn sum_of(stat: &str, after_name: Range<usize>) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    fields.get(after_name)?.iter().map(|field| field.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 200 0 0 31 7 500 20 20 0 1 0 100 1000 10";
        assert_eq!((ticks(stat), own_ticks(stat)), (Some(558.0), Some(38.0)));
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
