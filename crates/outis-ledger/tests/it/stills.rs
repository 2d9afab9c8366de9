//! That somebody was shown a picture of the street is on record, whether or not a door is at work.

use std::fs;

use outis_ledger::{Entry, What, hand_in};

use crate::book::{Book, MORNING_S, at, window};

fn still() -> Entry {
    Entry { at_s: MORNING_S, what: What::Still { camera: "gate".into(), moments: 31 } }
}

#[test]
fn lines_are_drawn_before_anything_is_counted() {
    let book = Book::new();
    book.open(1).still("gate", 31, at(1)).unwrap();
    assert!(book.report().is_sound(), "{:#?}", book.report());
    let mut ledger = book.started_at("one", 20);
    ledger.finish(window("gate", 0), at(21));
    ledger.stop(at(22)).unwrap();
    book.open(30).still("gate", 31, at(30)).unwrap();
    assert_eq!(book.windows().len(), 1);
    let report = book.report();
    assert_eq!((report.runs, report.stills, report.interrupted), (1, 2, 0));
}

#[test]
fn a_door_at_work_puts_on_record_what_is_handed_in() {
    let book = Book::new();
    let mut ledger = book.started("one");
    let handed = hand_in(book.folder.path(), &still()).unwrap();
    assert!(!handed.is_logged());
    ledger.take_handed_in(at(5));
    assert!(handed.is_logged());
    ledger.take_handed_in(at(6));

    let taken_back = hand_in(book.folder.path(), &still()).unwrap();
    taken_back.take_back();
    ledger.take_handed_in(at(7));
    ledger.stop(at(8)).unwrap();
    let report = book.report();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!((report.stills, report.entries), (1, 3));
}

#[test]
fn nobody_hands_in_what_is_the_doors_to_say() {
    let book = Book::new();
    let mut ledger = book.started("one");
    let pause = Entry { at_s: MORNING_S, what: What::Paused { camera: "gate".into(), seconds: 60 } };
    hand_in(book.folder.path(), &pause).unwrap();
    let folder = book.folder.path().join("handed-in");
    fs::write(folder.join("noise"), [0xff; 100]).unwrap();
    fs::create_dir(folder.join("unreadable")).unwrap();
    // Somebody is still writing this one.
    fs::write(folder.join(".draft"), still().encode()).unwrap();
    ledger.take_handed_in(at(5));
    ledger.stop(at(6)).unwrap();
    assert_eq!((book.report().entries, book.report().paused_s, book.report().stills), (2, 0, 0));
    let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".draft", "unreadable"]);
}
