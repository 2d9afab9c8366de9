//! Runs a program and says what it and its children cost.

use std::collections::BTreeMap;
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
}

/// Runs a program to its end; what it prints is dropped.
///
/// Its processor time is taken from what the kernel books for children that were waited for, so nothing else may
/// be waited for meanwhile.
pub(super) fn run(mut command: Command) -> anyhow::Result<Cost> {
    let (cpu_before, started) = (cpu::spent(), Instant::now());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
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
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(Cost { cpu: cpu::spent().saturating_sub(cpu_before), wall: started.elapsed(), peak_kb })
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
