//! Whether pictures in memory could come to lie on a disk: where there is swap, and this user may not lock memory.

use std::fs;

/// What to say to whoever starts a camera; `None` when no page of it can be swapped out.
pub(crate) fn warning() -> Option<&'static str> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    could_be_swapped(&read("/proc/swaps"), &read("/proc/self/status"), &read("/proc/self/limits")).then_some(
        "this machine has swap, and this user may not keep memory out of it: parts of pictures could come to lie on its \
         disk until they are overwritten. Run outis as a service (docs/samples/outis-watch.service), or encrypt the swap, \
         or switch it off",
    )
}

/// From the three files of /proc, each empty where it cannot be read.
fn could_be_swapped(swaps: &str, status: &str, limits: &str) -> bool {
    /// Who has this may raise the limit (capabilities(7)).
    const CAP_SYS_RESOURCE: u64 = 1 << 24;
    let has_swap = swaps.lines().skip(1).any(|line| !line.trim().is_empty());
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let may_raise = capabilities
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|all| all & CAP_SYS_RESOURCE != 0);
    // "Max locked memory         8388608              8388608              bytes": soft, then hard.
    let hard = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"));
    let unlimited = hard.and_then(|line| line.split_whitespace().nth(1)) == Some("unlimited");
    has_swap && !may_raise && !unlimited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_warned() {
        const NONE: &str = "Filename\tType\tSize\tUsed\tPriority\n";
        const SOME: &str = "Filename\tType\tSize\tUsed\tPriority\n/swapfile file 1 0 -2\n";
        const USER: &str = "Name:\toutis\nCapEff:\t0000000000000000\n";
        const ROOT: &str = "Name:\toutis\nCapEff:\t000001ffffffffff\n";
        const LITTLE: &str =
            "Limit  Soft Limit  Hard Limit  Units\nMax locked memory  8388608  8388608  bytes\n";
        const SERVICE: &str =
            "Limit  Soft Limit  Hard Limit  Units\nMax locked memory  8388608  unlimited  bytes\n";
        let cases = [
            ("no swap", NONE, USER, LITTLE, false),
            ("swap, an ordinary user", SOME, USER, LITTLE, true),
            ("swap, root", SOME, ROOT, LITTLE, false),
            ("swap, a service", SOME, USER, SERVICE, false),
            ("swap, and nothing known of the user", SOME, "", "", true),
            ("nothing known of swap", "", USER, LITTLE, false),
        ];
        for (name, swaps, status, limits, warned) in cases {
            assert_eq!(could_be_swapped(swaps, status, limits), warned, "{name}");
        }
    }
}
