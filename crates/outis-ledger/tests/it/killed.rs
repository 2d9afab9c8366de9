//! A writer that is killed while it writes, again and again: whatever it had acknowledged must be there.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "only a process of its own can be killed"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use outis_ledger::{
    Ledger, Readers,
    verify::{Demands, verify},
};

use crate::book::{Book, ROOMY, at, parts, window};

const FOLDER: &str = "OUTIS_LEDGER_WRITER";

/// Enough for a few files of windows and, with their entries, for more than one full tile.
const ROUNDS: u64 = 40;

/// The child: writes windows and says which are done, until it is killed.
#[test]
fn writer() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let mut ledger = Ledger::open(folder.as_ref(), ROOMY, Readers::All, at(0)).unwrap();
    ledger.start(parts("one"), at(0)).unwrap();
    for index in 0.. {
        ledger.keep_running(window("gate", index));
        ledger.finish(window("gate", index), at(0));
        assert!(!ledger.is_waiting());
        writeln!(io::stdout(), "done {} {index}", ledger.run()).unwrap();
    }
}

#[test]
fn what_was_acknowledged_is_there_after_any_kill() {
    let book = Book::new();
    let mut acknowledged = BTreeSet::new();
    let mut since = None;
    let mut random = 5u64;
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "killed::writer", "--nocapture"])
            .env(FOLDER, book.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, heard) = mpsc::channel();
        let reader = thread::spawn(move || {
            let done = |line: String| {
                let (run, index) = line.split_once("done ")?.1.split_once(' ')?;
                Some((run.parse::<u64>().ok()?, index.parse::<i64>().ok()?))
            };
            lines.map_while(Result::ok).filter_map(done).try_for_each(|done| sender.send(done)).ok();
        });
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // After some windows, and at any moment of the next.
        acknowledged.extend(heard.iter().take((random >> 33) as usize % 6));
        thread::sleep(Duration::from_micros((random >> 36) % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        acknowledged.extend(heard);
        // What a stranger saw at this moment binds the device for ever.
        if let Ok(checkpoint) = fs::read(book.public().join("checkpoint")) {
            let demands = Demands { since, ..Demands::default() };
            let report = verify(&book.public(), &demands, |_, _| {}).unwrap();
            let rewritten = report.findings.iter().any(|finding| finding.kind.name() == "rolled-back");
            assert!(!rewritten, "round {round}: {report:#?}");
            since = Some(checkpoint);
        }
    }
    book.started("one").stop(at(0)).unwrap();
    let windows = book.windows();
    assert!(acknowledged.len() > ROUNDS as usize, "too few to mean anything: {}", acknowledged.len());
    let signed: BTreeSet<(u64, i64)> =
        windows.iter().map(|(seal, _)| (seal.run, seal.start_ms / 1000)).collect();
    assert_eq!(acknowledged.difference(&signed).collect::<Vec<_>>(), Vec::<&(u64, i64)>::new(), "lost");
    assert_eq!(signed.len(), windows.len(), "none is there twice");
    let numbers: Vec<u64> = windows.iter().map(|(seal, _)| seal.sequence).collect();
    assert_eq!(numbers, (0..windows.len() as u64).collect::<Vec<_>>());
}
