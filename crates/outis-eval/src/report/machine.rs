//! On what, of what and when was measured.

use std::process::Command;

use super::checkout;

/// Processor, cores, memory, commit and date, as sentences.
pub(crate) fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let model = field(&cpu, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_kb: f64 =
        field(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0.0);
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or("unknown".to_owned());
    let changed =
        output("git", &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|s| !s.is_empty());
    let date = output("date", &["--utc", "+%Y-%m-%d"]).unwrap_or_default();
    format!(
        "Measured on {date} with {model}, {cores} cores, {:.1} GB memory; commit {commit}{}.\n",
        memory_kb / 1e6,
        if changed { " and changes on top of it" } else { "" }
    )
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(checkout()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
