//! What is left when the door is killed, and what the next start makes of it.

use std::{fs, io::Write};

use outis_ledger::{Ledger, LedgerError, Moment, Notice, Readers, What};

use crate::book::{Book, MORNING_S, ROOMY, at, notices, parts, window};

#[test]
fn a_run_after_a_run() {
    let book = Book::of_windows(3);
    let mut ledger = book.started_at("two", 20);
    assert_eq!(notices(&mut ledger), []);
    ledger.finish(window("gate", 0), at(20));
    ledger.paused("gate", 90, at(21));
    ledger.stop(at(22)).unwrap();
    let windows = book.windows();
    let numbers: Vec<_> = windows.iter().map(|(seal, _)| (seal.sequence, seal.run, seal.start_ms)).collect();
    assert_eq!(numbers, [(0, 0, 0), (1, 0, 1000), (2, 0, 2000), (3, 1, 0)]);
    assert_eq!(windows[3].1, b"gate 0");
    let report = book.report();
    assert_eq!((report.runs, report.interrupted, report.windows, report.paused_s), (2, 0, 4, 90));
}

#[test]
fn a_killed_run_leaves_partial_windows_and_no_number_is_used_twice() {
    let book = Book::new();
    let mut ledger = book.started("one");
    ledger.finish(window("gate", 0), at(10));
    ledger.keep_running(window("gate", 1));
    ledger.keep_running(window("square", 0));
    drop(ledger);

    let mut ledger = book.started_at("two", 20);
    assert_eq!(notices(&mut ledger), [Notice::Interrupted { logged: 0, recovered: 2, torn_bytes: 0 }]);
    ledger.stop(at(30)).unwrap();
    let windows = book.windows();
    let seen: Vec<_> =
        windows.iter().map(|(seal, payload)| (seal.sequence, seal.run, payload.as_slice())).collect();
    assert_eq!(seen, [(0, 0, &b"gate 0"[..]), (1, 0, b"square 0"), (2, 0, b"gate 1")]);
    assert!(windows.iter().all(|(seal, _)| seal.configuration == windows[0].0.configuration));
    assert_eq!((book.report().interrupted, book.report().runs), (1, 2));
}

#[test]
fn a_window_that_was_signed_is_not_recovered_again() {
    let book = Book::new();
    let mut ledger = book.started("one");
    ledger.keep_running(window("gate", 0));
    let running = fs::read_dir(book.folder.path().join("running")).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read(&running).unwrap();
    ledger.finish(window("gate", 0), at(10));
    assert!(!running.exists());
    // As if the power had been cut between the two.
    fs::write(&running, kept).unwrap();
    drop(ledger);
    book.started_at("one", 20).stop(at(20)).unwrap();
    assert_eq!(book.windows().len(), 1);
    assert!(!running.exists());
}

#[test]
fn signed_windows_that_were_not_logged_are_logged_and_torn_ends_cut() {
    let book = Book::new();
    let mut ledger = book.started("one");
    ledger.finish(window("gate", 0), at(10));
    let (tile, aside) = (book.public().join("tile"), book.public().join("aside"));
    fs::rename(&tile, &aside).unwrap();
    fs::write(&tile, "in the way").unwrap();
    ledger.finish(window("gate", 1), at(11));
    drop(ledger);
    fs::remove_file(&tile).unwrap();
    fs::rename(&aside, &tile).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(book.public().join("windows/000")).unwrap();
    file.write_all(&[0, 0, 1, 0, 7, 7, 7]).unwrap();
    assert!(!book.report().is_sound(), "the verifier sees it until the door has put it right");

    let mut ledger = book.open(20);
    assert_eq!(notices(&mut ledger), [Notice::Interrupted { logged: 1, recovered: 0, torn_bytes: 7 }]);
    ledger.start(parts("one"), at(20)).unwrap();
    ledger.finish(window("gate", 0), at(21));
    ledger.stop(at(22)).unwrap();
    let numbers: Vec<_> = book.windows().iter().map(|(seal, _)| (seal.sequence, seal.run)).collect();
    assert_eq!(numbers, [(0, 0), (1, 0), (2, 1)]);
}

#[test]
fn only_one_door_works_in_a_folder() {
    let book = Book::new();
    let _one = book.started("one");
    let two = Ledger::open(book.folder.path(), ROOMY, Readers::All, at(0));
    assert!(matches!(two, Err(LedgerError::InUse(_))), "{two:?}");
}

#[test]
fn a_ledger_with_a_part_missing_is_not_continued_and_stays_as_it_is() {
    let cases: [(&str, &[&str], &str); 4] = [
        ("the key", &["device.key"], "put the key back"),
        ("key and checkpoint", &["device.key", "public/checkpoint"], "put the key back"),
        ("the checkpoint", &["public/checkpoint"], "no checkpoint"),
        ("the entries", &["public/tile/entries/000.p/4"], "is missing"),
    ];
    for (name, gone, part) in cases {
        let book = Book::of_windows(2);
        gone.iter().for_each(|gone| fs::remove_file(book.folder.path().join(gone)).unwrap());
        let windows = fs::read(book.public().join("windows/000")).unwrap();
        let error = Ledger::open(book.folder.path(), ROOMY, Readers::All, at(9)).unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
        assert_eq!(fs::read(book.public().join("windows/000")).unwrap(), windows, "{name}");
    }
}

#[test]
fn the_clock_may_jump_and_the_log_says_so() {
    let day_s = 86_400;
    let moments = [
        ("as it should", 100, 100, 0),
        ("a day later", 100 + day_s, 100 + day_s as u64, 0),
        ("set forwards by an hour", 200 + day_s + 3600, 200 + day_s as u64, 1),
        ("set backwards by three days", 300 - 2 * day_s, 300 + day_s as u64, 2),
        ("a little backwards, as clocks are trimmed", 299 - 2 * day_s, 301 + day_s as u64, 2),
    ];
    let book = Book::new();
    let mut ledger = book.started("one");
    for (index, (_, wall_s, steady_s, _)) in (0..).zip(moments) {
        let now = Moment { wall_s: MORNING_S + wall_s, steady_ms: steady_s * 1000 };
        ledger.finish(window("gate", index), now);
    }
    drop(ledger);
    let report = book.report();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!(report.clocks_set, moments.last().unwrap().3);
    // The next start comes up with a clock that has forgotten everything.
    let mut ledger =
        Ledger::open(book.folder.path(), ROOMY, Readers::All, Moment { wall_s: 0, steady_ms: 0 }).unwrap();
    ledger.start(parts("one"), Moment { wall_s: 1, steady_ms: 1000 }).unwrap();
    assert!(notices(&mut ledger).iter().any(|notice| matches!(notice, Notice::Clock { by_s } if *by_s < 0)));
    let now = Moment { wall_s: MORNING_S, steady_ms: 5000 };
    ledger.finish(window("gate", 9), now);
    ledger.stop(now).unwrap();
    let report = book.report();
    assert_eq!((report.is_sound(), report.clocks_set), (true, 4), "{report:#?}");
}

#[test]
fn a_day_ends_with_its_root() {
    let book = Book::new();
    let mut ledger = book.started("one");
    for day in 0..3 {
        for index in 0..2 {
            ledger.finish(window("gate", day * 2 + index), at(10 + day * 86_400 + index));
        }
    }
    ledger.stop(at(4 * 86_400)).unwrap();
    assert!(book.report().is_sound());
    let bundle = fs::read(book.public().join("tile/entries/000.p/11")).unwrap();
    let mut days = Vec::new();
    let mut rest = bundle.as_slice();
    while let [a, b, after @ ..] = rest {
        let (entry, after) = after.split_at(u16::from_be_bytes([*a, *b]).into());
        if let What::Day { day, windows, .. } = outis_ledger::Entry::decode(entry).unwrap().what {
            days.push((day, windows));
        }
        rest = after;
    }
    let first = MORNING_S / 86_400;
    assert_eq!(days, [(first, 2), (first + 1, 2), (first + 2, 2)]);
}
