//! An eye that was taken over while it really decodes: its own program, built with the feature `malicious`, tries
//! every way out from within, with a real frame in its hands.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use outis_adversary::{Kind, all};
use outis_jail::{Role, was_stopped};
use outis_record::{RECORD_LEN, Record};
use tempfile::TempDir;

use crate::{
    clips::{Clips, cached},
    pipeline::intake,
};

/// Builds the malicious eye beside the real one; the real one's file is not touched.
fn malicious() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let real = Path::new(env!("CARGO_BIN_EXE_outis-eye"));
        let target = real.ancestors().nth(2).expect("target/PROFILE/outis-eye");
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--package",
                "outis-eye",
                "--features",
                "malicious",
                "--bin",
                "outis-eye-malicious",
            ])
            .args(["--quiet", "--offline", "--locked", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the malicious eye cannot be built");
        target.join("debug/outis-eye-malicious")
    })
}

/// What came of an attempt from within.
struct Tried {
    status: ExitStatus,
    /// What the eye said before, and whatever it said at last.
    out: Vec<u8>,
    /// Anything on standard error or in the folder.
    beside: usize,
}

fn attempt(way: &str, stream: &Path, engine: &str) -> Tried {
    let folder = TempDir::new().expect("a folder");
    let model = cached("models/nanodet-g.onnx");
    let output = Command::new(malicious())
        .arg(way)
        .arg(folder.path())
        .args(["--model", "nanodet-g", "--model-file"])
        .arg(model)
        .args(engine.split(' '))
        .args(["--classes", "person", "--window-ms", "900000", "--every-frame"])
        .current_dir(folder.path())
        .stdin(File::open(stream).expect("the stream"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the malicious eye starts");
    let files = fs::read_dir(folder.path()).expect("the folder").count();
    Tried { status: output.status, out: output.stdout, beside: output.stderr.len() + files }
}

fn check(way: &str, kind: Option<Kind>, tried: &Tried) {
    let Tried { status, out, beside } = tried;
    assert_eq!(*beside, 0, "{way}: {status}");
    let (records, rest) = out.as_chunks::<RECORD_LEN>();
    assert!(rest.is_empty(), "{way}: {} bytes", out.len());
    let refused = records.iter().filter(|record| Record::from_bytes(**record).message().is_err()).count();
    // It has said how far it was, which is its duty, before it turned.
    assert!(!records.is_empty(), "{way}: it turned before it looked");
    match kind {
        Some(Kind::Record) => assert!(refused > 0, "{way}: the door would have taken it"),
        // Sound ones, of which `outis prove` shows that the door refuses their moments.
        Some(Kind::Timed) => assert!(refused == 0 && records.len() > 1, "{way}: {}", records.len()),
        Some(Kind::Crash) => assert!(!status.success() && refused == 0, "{way}: {status}"),
        Some(Kind::Leak | Kind::Jailed) => assert!(was_stopped(*status) && refused == 0, "{way}: {status}"),
        // One of the calls on the list, in another form.
        None => assert!(refused == records.len() - 1 || refused == 0, "{way}: {refused}"),
    }
}

/// Tries them on two threads: each attempt is a process, most of whose time is the start of the network.
fn try_all(ways: &[(String, Option<Kind>)], engine: &str) {
    let clips = Clips::new();
    let stream = clips.path("stream");
    fs::write(&stream, intake(clips.street("street.mp4", "-c:v libx264")).out).expect("the stream");
    malicious();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((way, kind)) = ways.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(way, *kind, &attempt(way, &stream, engine));
                }
            });
        }
    });
}

fn library() -> String {
    format!("--runtime {}", cached("runtime/libonnxruntime.so.1.23.2").display())
}

#[test]
fn no_way_out_from_within() {
    let mut ways: Vec<_> = all().map(|named| (named.name.to_owned(), Some(named.kind))).collect();
    ways.extend((0..=46).map(|family| (format!("socket-family-{family}"), Some(Kind::Jailed))));
    try_all(&ways, &library());
}

#[test]
fn no_system_call_beyond_the_list_from_within() {
    /// Numbers that the kernel lets past filters: docs/design/jail.md.
    const PAST_FILTERS: [i64; 2] = [335, 336];
    let listed: Vec<i64> = Role::Eye.rules().expect("rules").iter().map(outis_jail::Rule::number).collect();
    let ways: Vec<_> = outis_adversary::NUMBERS
        .map(|number| {
            let possible = listed.contains(&number.into()) || PAST_FILTERS.contains(&number.into());
            // Each with one set of arguments, in turn; `outis prove` tries them with all.
            let edge = number as usize % outis_adversary::EDGES;
            (format!("{number}@{edge}"), (!possible).then_some(Kind::Jailed))
        })
        .collect();
    try_all(&ways, &library());
}

#[test]
fn the_built_in_engine_is_held_as_well() {
    let ways = [
        "long-write",
        "udp",
        "memory-file",
        "new-process",
        "code",
        "exit-code",
        "ring",
        "name",
        "32-bit-write",
    ];
    let ways: Vec<_> = ways.iter().map(|way| ((*way).to_owned(), Some(Kind::Jailed))).collect();
    try_all(&ways, "--rten");
    // This one call its list answers with an error: nothing is opened, and the adversary is still locked in.
    let clips = Clips::new();
    let stream = clips.path("stream");
    fs::write(&stream, intake(clips.street("street.mp4", "-c:v libx264")).out).expect("the stream");
    let tried = attempt("file", &stream, "--rten");
    assert_eq!((tried.status.code(), tried.beside, tried.out.len()), (Some(101), 0, RECORD_LEN));
}
