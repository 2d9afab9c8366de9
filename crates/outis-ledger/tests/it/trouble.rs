//! Disks that are full, small or not to be written to.

use std::{fs, os::unix::fs::PermissionsExt};

use outis_ledger::{Ledger, LedgerError, Notice, Readers, WINDOWS_PER_FILE, Window};

use crate::book::{Book, ROOMY, at, notices, parts, window};

#[test]
fn the_oldest_windows_go_when_there_is_no_more_room_and_the_log_says_so() {
    let book = Book::new();
    // Room for one file of these small windows and a little more.
    let mut ledger = Ledger::open(book.folder.path(), 20_000, Readers::All, at(0)).unwrap();
    ledger.start(parts("one"), at(1)).unwrap();
    let windows = 3 * WINDOWS_PER_FILE + 5;
    for index in 0..windows {
        ledger.finish(window("gate", index), at(10 + index));
    }
    let dropped: Vec<Notice> =
        notices(&mut ledger).into_iter().filter(|notice| matches!(notice, Notice::Dropped { .. })).collect();
    let expected = |first| Notice::Dropped { first, windows: WINDOWS_PER_FILE };
    assert_eq!(dropped, [expected(0), expected(WINDOWS_PER_FILE)]);
    ledger.stop(at(1000)).unwrap();
    assert!(!book.public().join("windows/000").exists() && !book.public().join("windows/001").exists());
    let report = book.report();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!((report.dropped, report.windows), (2 * WINDOWS_PER_FILE, windows - 2 * WINDOWS_PER_FILE));
    // The numbers go on after the next start.
    let mut ledger = book.started_at("one", 1005);
    ledger.finish(window("gate", 0), at(1010));
    ledger.stop(at(1011)).unwrap();
    assert_eq!(book.windows().last().unwrap().0.sequence, windows);
}

#[test]
fn a_window_waits_while_nothing_can_be_written_and_is_then_signed() {
    let book = Book::new();
    let mut ledger = book.started("one");
    ledger.finish(window("gate", 0), at(10));
    notices(&mut ledger);
    // A file where the folder of windows should be refuses every write, for root too.
    let (windows, aside) = (book.public().join("windows"), book.public().join("aside"));
    fs::rename(&windows, &aside).unwrap();
    fs::write(&windows, "in the way").unwrap();
    for index in 1..4 {
        ledger.finish(window("gate", index), at(10 + index));
    }
    let told = notices(&mut ledger);
    assert!(
        matches!(told.as_slice(), [Notice::Waiting { windows: 1, entries: 0, .. }]),
        "once, not three times: {told:?}"
    );
    assert!(ledger.is_waiting());
    fs::remove_file(&windows).unwrap();
    fs::rename(&aside, &windows).unwrap();
    ledger.settle(at(20));
    assert_eq!(notices(&mut ledger), [Notice::Resumed]);
    ledger.stop(at(21)).unwrap();
    assert_eq!(book.windows().len(), 4);
}

#[test]
fn the_log_catches_up_when_only_it_could_not_be_written() {
    let book = Book::new();
    let mut ledger = book.started("one");
    let (tile, aside) = (book.public().join("tile"), book.public().join("aside"));
    fs::rename(&tile, &aside).unwrap();
    fs::write(&tile, "in the way").unwrap();
    for index in 0..3 {
        ledger.finish(window("gate", index), at(10 + index));
    }
    fs::remove_file(&tile).unwrap();
    fs::rename(&aside, &tile).unwrap();
    ledger.finish(window("gate", 3), at(20));
    ledger.stop(at(21)).unwrap();
    assert_eq!(book.windows().len(), 4);
}

#[test]
fn memory_is_bounded_and_the_loss_is_told_and_logged() {
    let book = Book::new();
    let mut ledger = book.started("one");
    let windows = book.public().join("windows");
    fs::write(&windows, "in the way").unwrap();
    let large = |index: u64| Window { payload: vec![7; 7 << 20], ..window("gate", index) };
    for index in 0..6 {
        ledger.finish(large(index), at(10 + index));
    }
    let lost = notices(&mut ledger).iter().filter(|notice| matches!(notice, Notice::Lost(1))).count();
    assert_eq!(lost, 2, "32 MiB hold four of these");
    fs::remove_file(&windows).unwrap();
    ledger.stop(at(30)).unwrap();
    let report = book.report();
    assert_eq!((report.is_sound(), report.windows, report.lost), (true, 4, 2), "{report:#?}");
    let kept: Vec<i64> = book.windows().iter().map(|(seal, _)| seal.start_ms).collect();
    assert_eq!(kept, [2000, 3000, 4000, 5000], "the oldest went");
}

#[test]
fn a_window_that_is_too_large_blocks_no_other() {
    let book = Book::new();
    let mut ledger = book.started("one");
    ledger.finish(Window { payload: vec![7; 9 << 20], ..window("gate", 0) }, at(10));
    ledger.finish(window("gate", 1), at(11));
    ledger.stop(at(12)).unwrap();
    assert_eq!((book.report().windows, book.report().lost), (1, 1));
}

#[test]
fn what_still_waits_at_the_end_is_told() {
    let book = Book::new();
    let mut ledger = book.started("one");
    fs::write(book.public().join("windows"), "in the way").unwrap();
    ledger.finish(window("gate", 0), at(10));
    let error = ledger.stop(at(11)).unwrap_err();
    assert!(matches!(error, LedgerError::Unwritten { windows: 1, entries: 1, .. }), "{error}");
}

#[test]
fn folders_that_cannot_be_used_are_refused_with_what_to_do() {
    let book = Book::new();
    let path = book.folder.path().join("file");
    fs::write(&path, "").unwrap();
    for folder in [path.clone(), path.join("below"), "/proc/outis".into()] {
        let error = Ledger::open(&folder, ROOMY, Readers::All, at(0)).unwrap_err().to_string();
        assert!(error.contains("`state`"), "{error}");
    }
    let open = Book::of_windows(1);
    let key = open.folder.path().join("device.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Ledger::open(open.folder.path(), ROOMY, Readers::All, at(0)).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}
