//! Runs a program and says what it and its children cost.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cpu;

/// How often memory is looked at.
const PERIOD: Duration = Duration::from_millis(50);
/// Processes deep below the one that was started.
const DEPTH_MAX: usize = 4;

/// What a program cost.
#[derive(Debug)]
pub(super) struct Cost {
    /// Processor time of the program and all its children.
    pub(super) cpu: Duration,
    /// From start to end.
    pub(super) wall: Duration,
    /// The most memory each process had at once, in kB, by the name of its program.
    pub(super) peak_kb: BTreeMap<String, u64>,
    /// What it printed.
    pub(super) printed: String,
}

/// Runs a program to its end.
///
/// Its processor time is taken from what the kernel books for children that were waited for, so nothing else may
/// be waited for meanwhile.
pub(super) fn run(mut command: Command) -> anyhow::Result<Cost> {
    // A file and no pipe: a program that prints much would wait for us while we wait for it.
    let mut printed = tempfile::tempfile()?;
    let (cpu_before, started) = (cpu::spent(), Instant::now());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    let mut peak_kb = BTreeMap::new();
    let status = loop {
        note_memory(&child, &mut peak_kb);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(PERIOD);
    };
    let (cpu, wall) = (cpu::spent().saturating_sub(cpu_before), started.elapsed());
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    let mut text = String::new();
    printed.rewind()?;
    printed.read_to_string(&mut text)?;
    Ok(Cost { cpu, wall, peak_kb, printed: text })
}

fn note_memory(child: &Child, peak_kb: &mut BTreeMap<String, u64>) {
    let mut generation = vec![child.id()];
    for _ in 0..DEPTH_MAX {
        for &pid in &generation {
            if let Some((name, kb)) = high_water(pid) {
                let peak = peak_kb.entry(name).or_default();
                *peak = kb.max(*peak);
            }
        }
        generation = generation.into_iter().flat_map(cpu::children).collect();
    }
}

/// Name of a process and its greatest resident memory so far.
fn high_water(pid: u32) -> Option<(String, u64)> {
    Some((cpu::status(pid, "Name")?, cpu::status(pid, "VmHWM")?.split(' ').next()?.parse().ok()?))
}
