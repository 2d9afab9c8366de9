//! All attempts, side by side on all processors: those with a name, every family of sockets, every system call.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, bail, ensure};
use outis_jail::Role;
use serde::Serialize;

use super::{
    attempt::{self, Outcome, Stopped},
    place::Place,
};

/// Families of sockets, each with every type.
const FAMILIES: u32 = 47;
/// System calls by number: beyond the newest of Linux 6.18.
const NUMBERS: u32 = 471;
/// Numbers that the kernel itself lets past every filter: uretprobe and uprobe, for code that a tracer of the kernel has
/// put into a program (x86 from Linux 6.11). From anywhere else they end the process or do nothing.
const PAST_FILTERS: &[u32] = if cfg!(target_arch = "x86_64") { &[335, 336] } else { &[] };
/// Sets of edge arguments that each number is tried with.
const EDGES: u32 = 6;

/// One attempt with a name, and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Attempt {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) stopped_by: String,
    pub(super) bytes_out: u64,
    /// What the same attempt brings out without the lock; absent for what nobody should try.
    pub(super) bytes_out_without_lock: Option<u64>,
    pub(super) holds: bool,
}

/// Attempts that are told as one.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sweep {
    pub(super) attempts: u32,
    /// Ended by the kernel at the call.
    pub(super) stopped_by_kernel: u32,
    /// Calls that no filter stops, in a form that is harmless: refused, without effect, or a fault of the process.
    pub(super) without_effect: u32,
    /// Whole records, which the door refused.
    pub(super) stopped_by_door: u32,
    pub(super) bytes_out: u64,
    /// What should not have happened.
    pub(super) surprises: Vec<String>,
}

/// What came of all attempts.
#[derive(Debug, Serialize)]
pub(super) struct Battery {
    pub(super) attempts: Vec<Attempt>,
    pub(super) socket_families: Sweep,
    pub(super) system_calls: Sweep,
}

impl Battery {
    pub(super) fn bytes_out(&self) -> u64 {
        let named: u64 = self.attempts.iter().map(|attempt| attempt.bytes_out).sum();
        named + self.socket_families.bytes_out + self.system_calls.bytes_out
    }

    pub(super) fn holds(&self) -> bool {
        let swept = |sweep: &Sweep| sweep.bytes_out == 0 && sweep.surprises.is_empty();
        self.attempts.iter().all(|attempt| attempt.holds)
            && swept(&self.socket_families)
            && swept(&self.system_calls)
    }
}

/// Makes all attempts.
pub(super) fn run(adversary: &Path) -> anyhow::Result<Battery> {
    let named = list(adversary)?;
    let listed: BTreeSet<i64> = Role::Eye.rules()?.iter().map(outis_jail::Rule::number).collect();
    // The first one alone: when the lock cannot be had, one sentence is enough.
    let place = Place::new().context("there is no folder or port for the attempts")?;
    if let Outcome { stopped: Stopped::NotLocked(words), .. } =
        attempt::run(adversary, "jailed", "0@0", &place)?
    {
        bail!("{words}");
    }
    let attempts = side_by_side(named.len(), |index, place| {
        let Named { name, kind, what } = &named[index];
        let outcome = attempt::run(adversary, "jailed", name, place)?;
        let free = match kind.as_str() {
            "leak" => Some(attempt::run(adversary, "free", name, place)?.bytes_out),
            _ => None,
        };
        Ok(judge(name, what, kind, outcome, free))
    })?;
    let families = side_by_side(FAMILIES as usize, |family, place| {
        let name = format!("socket-family-{family}");
        Ok((false, name.clone(), attempt::run(adversary, "jailed", &name, place)?))
    })?;
    let calls = side_by_side((NUMBERS * EDGES) as usize, |index, place| {
        let (number, edge) = (index as u32 / EDGES, index as u32 % EDGES);
        let name = format!("{number}@{edge}");
        let outcome = attempt::run(adversary, "jailed", &name, place)?;
        Ok((listed.contains(&number.into()) || PAST_FILTERS.contains(&number), name, outcome))
    })?;
    Ok(Battery { attempts, socket_families: sweep(families), system_calls: sweep(calls) })
}

struct Named {
    name: String,
    kind: String,
    what: String,
}

/// Asks the adversary what it knows.
fn list(adversary: &Path) -> anyhow::Result<Vec<Named>> {
    let output = Command::new(adversary).arg("list").env_clear().output();
    let output = output.with_context(|| format!("{} cannot be started", adversary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        Some(Named { name: parts.next()?, kind: parts.next()?, what: parts.next()? })
    };
    let list: Option<Vec<Named>> = text.lines().map(named).collect();
    let list = list.filter(|list| !list.is_empty());
    ensure!(output.status.success(), "{} does not tell its attempts", adversary.display());
    list.with_context(|| format!("{} comes from another build", adversary.display()))
}

fn judge(name: &str, what: &str, kind: &str, outcome: Outcome, free: Option<u64>) -> Attempt {
    let Outcome { stopped, bytes_out } = outcome;
    let in_time = match kind {
        "record" | "timed" => matches!(stopped, Stopped::Door(_)),
        "crash" => matches!(stopped, Stopped::Fault(_)),
        _ => matches!(stopped, Stopped::Kernel | Stopped::Refused),
    };
    Attempt {
        name: name.to_owned(),
        what: what.to_owned(),
        stopped_by: stopped.to_string(),
        bytes_out,
        bytes_out_without_lock: free,
        holds: in_time && bytes_out == 0,
    }
}

fn sweep(outcomes: Vec<(bool, String, Outcome)>) -> Sweep {
    let mut sweep = Sweep::default();
    for (is_listed, name, Outcome { stopped, bytes_out }) in outcomes {
        sweep.attempts += 1;
        sweep.bytes_out += bytes_out;
        match stopped {
            Stopped::Kernel => sweep.stopped_by_kernel += 1,
            Stopped::Door(_) => sweep.stopped_by_door += 1,
            Stopped::Refused | Stopped::Fault(_) | Stopped::Waiting | Stopped::Nobody if is_listed => {
                sweep.without_effect += 1;
            }
            other => sweep.surprises.push(format!("{name}: {other}")),
        }
        if bytes_out > 0 {
            sweep.surprises.push(format!("{name}: {bytes_out} bytes"));
        }
    }
    sweep
}

/// Does jobs 0 to `count`, each worker with a place of its own, and returns their results in order.
fn side_by_side<T: Send>(
    count: usize,
    job: impl Fn(usize, &Place) -> io::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    let work = || -> io::Result<()> {
        let place = Place::new()?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            let result = job(index, &place)?;
            results.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
        })
    })
    .context("an attempt could not be made")?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
