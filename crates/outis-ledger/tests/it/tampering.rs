//! Lies about what was signed, each of which the verifier must name.

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};

use outis_ledger::{
    Checkpoint, DeviceKey, Digest, Edge, Entry, Ledger, Readers, Seal, What, leaf_hash, root, seal,
    verify::{Demands, Kind, Report, verify},
};

use crate::book::{Book, at, parts, window};

/// Windows in the book that is lied about.
const WINDOWS: u64 = 6;

/// Entries of its log: the start, the windows, the stop.
const ENTRIES: u64 = WINDOWS + 2;

struct Case {
    name: &'static str,
    lie: fn(&Book),
    kind: Kind,
    /// What place and sentence of the finding must contain.
    says: &'static str,
}

fn case(name: &'static str, kind: Kind, says: &'static str, lie: fn(&Book)) -> Case {
    Case { name, lie, kind, says }
}

#[test]
fn every_lie_is_found_and_named() {
    use Kind::{
        Added, Changed, Inconsistent, Missing, Reordered, RolledBack, Undeclared, Unsigned, WrongKey,
    };
    let cases = [
        case("a count was changed", Changed, "window 2", |book| frames(book, |f| flip(&mut f[2], b"gate 2"))),
        case("a signature was changed", Changed, "window 5", |book| {
            frames(book, |f| *f[5].last_mut().unwrap() ^= 1);
        }),
        case("a header was changed", Changed, "window 1", |book| {
            frames(book, |f| flip(&mut f[1], b"camera"))
        }),
        case("a window was taken out", Missing, "window 3", |book| frames(book, |f| drop(f.remove(3)))),
        case("the last window was cut off", Missing, "window 5", |book| frames(book, |f| drop(f.pop()))),
        case("two windows were swapped", Reordered, "window 1", |book| frames(book, |f| f.swap(1, 2))),
        case("a window was put in twice", Added, "window 2: it is there twice", |book| {
            frames(book, |f| f.insert(3, f[2].clone()));
        }),
        case("another device's window", Unsigned, "window 4", |book| {
            frames(book, |f| f[4] = seal(&label(4), b"lie".to_vec(), &DeviceKey::from_seed(&[9; 32])));
        }),
        case("a window without a signature", Unsigned, "no window is missing", |book| {
            frames(book, |f| f.push(b"lie".to_vec()));
        }),
        case("the file of windows is gone", Missing, "window 0", |book| remove(book, "windows/000")),
        case("a length in the file of windows", Changed, "window 0", |book| {
            edit(book, "windows/000", |b| b[1] = 9)
        }),
        case("a window that the device has signed and not logged", Added, "window 6", |book| {
            let key = stolen(book);
            frames(book, |f| f.push(seal(&Seal { sequence: 6, ..label(6) }, b"more".to_vec(), &key)));
        }),
        case("another window of the same number", Changed, "window 2", |book| {
            let key = stolen(book);
            frames(book, |f| f[2] = seal(&label(2), b"fewer people".to_vec(), &key));
        }),
        case("the declared configuration was changed", Changed, "entry 0", |book| {
            entries(book, |e| e[0] = start(0, "another"));
        }),
        case("an entry was changed", Changed, "entry 3", |book| {
            entries(book, |e| e[3].what = What::Window { sequence: 2, envelope: Digest::of(b"lie") });
        }),
        case("two entries were swapped", Reordered, "entry 2", |book| entries(book, |e| e.swap(1, 2))),
        case("an entry was taken out", Missing, "7 entries", |book| entries(book, |e| drop(e.remove(4)))),
        case("an entry was put in", Added, "9 entries", |book| {
            entries(book, |e| e.insert(4, start(1, "one")))
        }),
        case("the entries are gone", Missing, "entries 0 and on", |book| {
            remove(book, "tile/entries/000.p/8")
        }),
        case("a hash was changed", Changed, "tile/0/000.p/8", |book| {
            edit(book, "tile/0/000.p/8", |b| b[40] ^= 1)
        }),
        case("a tile is gone", Missing, "tile/0/000.p/8", |book| remove(book, "tile/0/000.p/8")),
        case("an older tile was changed", Changed, "tile/0/000.p/3", |book| {
            edit(book, "tile/0/000.p/3", |b| b[40] ^= 1);
        }),
        case("a file that does not belong", Added, "tile/0/note", |book| {
            fs::write(book.public().join("tile/0/note"), "lie").unwrap();
        }),
        case("the size was changed", Unsigned, "checkpoint", |book| {
            text(book, "checkpoint", "\n8\n", "\n7\n")
        }),
        case("the checkpoint is gone", Missing, "checkpoint", |book| remove(book, "checkpoint")),
        case("the public key is gone", Missing, "device.vkey", |book| remove(book, "device.vkey")),
        case("an older checkpoint was put back", Added, "window 5", |book| {
            let key = stolen(book);
            publish(book, &log_of(book)[..6], &key);
            remove(book, "tile/0/000.p/8");
            remove(book, "tile/0/000.p/7");
            remove(book, "tile/entries/000.p/8");
            remove(book, "tile/entries/000.p/7");
        }),
        case("everything was set back to an older state", RolledBack, "cut back", |book| {
            let key = stolen(book);
            publish_alone(book, &log_of(book)[..6], &key);
            frames(book, |f| f.truncate(5));
        }),
        case("history was rewritten with the stolen key", RolledBack, "rewritten", |book| {
            let key = stolen(book);
            let mut log = log_of(book);
            log[0] = start(0, "kinder");
            publish_alone(book, &log, &key);
        }),
        case("everything was signed anew by another key", WrongKey, "device.vkey", |book| {
            let key = DeviceKey::from_seed(&[9; 32]);
            publish_alone(book, &log_of(book), &key);
            fs::write(book.public().join("device.vkey"), format!("{}\n", key.public())).unwrap();
        }),
        case("a configuration that was not declared", Undeclared, "window 6", |book| {
            let key = stolen(book);
            let configuration = Digest::of(b"another");
            let bytes = seal(&Seal { sequence: 6, configuration, ..label(6) }, b"more".to_vec(), &key);
            let mut log = log_of(book);
            log.insert(
                7,
                Entry { at_s: log[7].at_s, what: What::Window { sequence: 6, envelope: Digest::of(&bytes) } },
            );
            publish_alone(book, &log, &key);
            frames(book, |f| f.push(bytes));
        }),
        case("a span of time was told twice under two numbers", Inconsistent, "before", |book| {
            let key = stolen(book);
            let bytes = seal(&Seal { sequence: 6, ..label(2) }, b"more".to_vec(), &key);
            let mut log = log_of(book);
            log.insert(
                7,
                Entry { at_s: log[7].at_s, what: What::Window { sequence: 6, envelope: Digest::of(&bytes) } },
            );
            publish_alone(book, &log, &key);
            frames(book, |f| f.push(bytes));
        }),
        case("a number was left out", Inconsistent, "window 6 should follow", |book| {
            let key = stolen(book);
            let mut log = log_of(book);
            log.insert(
                7,
                Entry { at_s: log[7].at_s, what: What::Window { sequence: 7, envelope: Digest::of(b"") } },
            );
            publish_alone(book, &log, &key);
        }),
        case("the clock ran backwards in silence", Inconsistent, "entry 7", |book| {
            let key = stolen(book);
            let mut log = log_of(book);
            log[7].at_s -= 3600;
            publish_alone(book, &log, &key);
        }),
        case("a daily root of other windows", Inconsistent, "entry 7", |book| {
            let key = stolen(book);
            let mut log = log_of(book);
            let what = What::Day { day: 1, windows: 6, root: root(&[]) };
            log.insert(7, Entry { at_s: log[7].at_s, what });
            publish_alone(book, &log, &key);
        }),
        case("windows dropped that are not the oldest", Inconsistent, "not the oldest", |book| {
            let key = stolen(book);
            let mut log = log_of(book);
            log.insert(7, Entry { at_s: log[7].at_s, what: What::Dropped { first: 1, windows: 2 } });
            publish_alone(book, &log, &key);
        }),
    ];
    assert!(cases.len() >= 20);
    for Case { name, lie, kind, says } in cases {
        let book = Book::of_windows(WINDOWS);
        let demands = demands(&book);
        assert!(check(&book, &demands).is_sound(), "{name}");
        lie(&book);
        let report = check(&book, &demands);
        let named = report.findings.iter().any(|f| f.kind == kind && f.to_string().contains(says));
        assert!(named, "{name}: {report:#?}");
        assert!(report.findings.len() <= 12, "{name}: {report:#?}");
    }
}

#[test]
fn an_honest_continuation_is_consistent_with_an_older_checkpoint() {
    let book = Book::of_windows(WINDOWS);
    let demands = demands(&book);
    let mut ledger = book.started_at("two", 50);
    for index in 0..300 {
        ledger.finish(window("gate", index), at(100 + index));
    }
    ledger.stop(at(500)).unwrap();
    let report = check(&book, &demands);
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!((report.windows, report.entries), (WINDOWS + 300, ENTRIES + 302));
    let wanted =
        |text: &str| Demands { configuration: Some(Digest::of(text.as_bytes())), ..Demands::default() };
    assert!(check(&book, &wanted("two")).is_sound());
    assert_eq!(check(&book, &wanted("one")).findings[0].kind, Kind::Undeclared);
}

#[test]
fn no_changed_byte_of_any_file_goes_unnoticed() {
    let book = Book::of_windows(WINDOWS);
    let mut files = Vec::new();
    let mut folders = vec![book.public()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > 15);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let change = (any::<Index>(), any::<Index>(), 1..=u8::MAX);
    let result = runner.run(&change, |(file, at, by)| {
        let path = file.get(&files);
        let right = fs::read(path).unwrap();
        let mut wrong = right.clone();
        wrong[at.index(right.len())] ^= by;
        fs::write(path, wrong).unwrap();
        let report = book.report();
        fs::write(path, right).unwrap();
        prop_assert!(!report.is_sound(), "{}", path.display());
        Ok(())
    });
    result.unwrap();
    assert!(book.report().is_sound());
}

/// A device that signs nonsense must not stop the one who checks it.
#[test]
fn numbers_at_the_end_of_their_range_are_findings_and_no_panic() {
    let book = Book::of_windows(WINDOWS);
    let key = stolen(&book);
    let digest = Digest::of(b"");
    let nonsense = [
        What::Stop { run: u64::MAX },
        What::Start { run: u64::MAX, parts: Vec::new() },
        What::Window { sequence: u64::MAX, envelope: digest },
        What::Dropped { first: u64::MAX, windows: u64::MAX },
        What::Day { day: i64::MIN, windows: u64::MAX, root: digest },
        What::Paused { camera: String::new(), seconds: u64::MAX },
        What::Paused { camera: String::new(), seconds: u64::MAX },
        What::Lost { windows: u64::MAX },
        What::Lost { windows: u64::MAX },
        What::Clock { before_s: i64::MIN },
    ];
    let times = [i64::MAX, i64::MIN];
    let entry = |(index, what): (usize, What)| Entry { at_s: times[index % 2], what };
    let log: Vec<Entry> =
        log_of(&book).into_iter().chain(nonsense.into_iter().enumerate().map(entry)).collect();
    publish_alone(&book, &log, &key);
    // The number of the last file that 64 bits can hold, and one beyond.
    let folder = book.public().join("windows/x288/x230/x376/x151/x711");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("743"), "").unwrap();
    fs::write(folder.join("744"), "").unwrap();
    assert!(book.report().findings.len() >= 6);
    assert!(Ledger::open(book.folder.path(), 1, Readers::All, at(99)).is_ok());
}

#[test]
fn findings_are_limited() {
    let book = Book::of_windows(0);
    let mut ledger = book.started("one");
    for index in 0..260 {
        ledger.finish(window("gate", index), at(100 + index));
    }
    ledger.stop(at(500)).unwrap();
    fs::remove_dir_all(book.public().join("windows")).unwrap();
    let report = book.report();
    assert_eq!((report.findings.len(), report.more_findings), (200, 60));
}

/// The key and the checkpoint that a careful stranger has kept.
fn demands(book: &Book) -> Demands {
    let since = fs::read(book.public().join("checkpoint")).unwrap();
    Demands { key: Some(stolen(book).public()), since: Some(since), configuration: None }
}

fn check(book: &Book, demands: &Demands) -> Report {
    verify(&book.public(), demands, |_, _| {}).unwrap()
}

fn stolen(book: &Book) -> DeviceKey {
    DeviceKey::load(&book.folder.path().join("device.key")).unwrap().unwrap()
}

fn label(index: u64) -> Seal {
    Seal {
        sequence: index,
        run: 0,
        camera: "gate".into(),
        start_ms: i64::try_from(index).unwrap() * 1000,
        configuration: Digest::of(b"one"),
    }
}

fn start(run: u64, configuration: &str) -> Entry {
    Entry { at_s: at(1).wall_s, what: What::Start { run, parts: parts(configuration) } }
}

fn remove(book: &Book, name: &str) {
    fs::remove_file(book.public().join(name)).unwrap();
}

fn edit(book: &Book, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let path = book.public().join(name);
    let mut bytes = fs::read(&path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn text(book: &Book, name: &str, from: &str, to: &str) {
    edit(book, name, |bytes| {
        *bytes = String::from_utf8(bytes.clone()).unwrap().replace(from, to).into_bytes()
    });
}

/// Changes a byte of a piece of text within some bytes.
fn flip(bytes: &mut [u8], text: &[u8]) {
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes[at + text.len() - 1] ^= 1;
}

fn apart(bytes: &[u8], length_bytes: usize) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_at(length_bytes);
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (part, after) = after.split_at(length);
        parts.push(part.to_vec());
        rest = after;
    }
    parts
}

fn together(parts: &[Vec<u8>], length_bytes: usize) -> Vec<u8> {
    let part = |part: &Vec<u8>| [&part.len().to_be_bytes()[8 - length_bytes..], part].concat();
    parts.iter().flat_map(part).collect()
}

fn frames(book: &Book, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    edit(book, "windows/000", |bytes| {
        let mut frames = apart(bytes, 4);
        change(&mut frames);
        *bytes = together(&frames, 4);
    });
}

fn log_of(book: &Book) -> Vec<Entry> {
    let bytes = fs::read(book.public().join("tile/entries/000.p/8")).unwrap();
    apart(&bytes, 2).iter().map(|entry| Entry::decode(entry).unwrap()).collect()
}

/// Changes entries in their bundle and nowhere else.
fn entries(book: &Book, change: impl FnOnce(&mut Vec<Entry>)) {
    let mut log = log_of(book);
    change(&mut log);
    let bytes: Vec<Vec<u8>> = log.iter().map(Entry::encode).collect();
    fs::write(book.public().join("tile/entries/000.p/8"), together(&bytes, 2)).unwrap();
}

/// Publishes another log, signed with a key, as the device would.
fn publish(book: &Book, log: &[Entry], key: &DeviceKey) {
    let public = book.public();
    let bytes: Vec<Vec<u8>> = log.iter().map(Entry::encode).collect();
    let mut edge = Edge::default();
    bytes.iter().for_each(|entry| drop(edge.push(leaf_hash(entry))));
    let hashes: Vec<u8> = edge.levels().flatten().flat_map(|hash| hash.0).collect();
    let write = |name: String, bytes: &[u8]| {
        let path: &Path = &public.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write(format!("tile/entries/000.p/{}", log.len()), &together(&bytes, 2));
    write(format!("tile/0/000.p/{}", log.len()), &hashes);
    let checkpoint = Checkpoint { size: edge.size(), root: edge.root() };
    write("checkpoint".into(), checkpoint.sign(key).as_bytes());
}

/// The same, with no trace of the true log.
fn publish_alone(book: &Book, log: &[Entry], key: &DeviceKey) {
    let kept = log.to_vec();
    fs::remove_dir_all(book.public().join("tile")).unwrap();
    publish(book, &kept, key);
}
