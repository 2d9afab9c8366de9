//! What the eye is made of: no network, no demuxer.

use std::{fs, process::Command};

#[test]
fn no_network_stack_is_linked() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "outis-eye", "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.contains("outis-record"), "{tree}");
    let network =
        ["tokio", "hyper", "rustls", "native-tls", "openssl", "http", "ureq", "reqwest", "mio", "socket2"];
    for name in tree.lines().filter_map(|line| line.split_whitespace().next()) {
        let known = network.iter().find(|part| name == **part || name.starts_with(&format!("{part}-")));
        assert_eq!(known, None, "outis-eye depends on {name}");
    }
}

#[test]
fn no_demuxer_is_linked() {
    // The names of needed libraries stand in the program as they are.
    let program = fs::read(env!("CARGO_BIN_EXE_outis-eye")).expect("the program");
    let names = |library: &[u8]| program.windows(library.len()).any(|window| window == library);
    assert!(names(b"libavcodec.so"));
    for library in ["libavformat.so", "libavdevice.so", "libavfilter.so", "libcurl.so", "libssl.so"] {
        assert!(!names(library.as_bytes()), "outis-eye needs {library}");
    }
}

/// Every PNG names its header so, and what writes one has the name in it.
#[test]
fn no_picture_can_be_written() {
    let has = |program: &[u8], mark: &[u8]| program.windows(mark.len()).any(|window| window == mark);
    let eye = fs::read(env!("CARGO_BIN_EXE_outis-eye")).expect("the program");
    assert!(!has(&eye, b"IHDR"), "the eye has an encoder");
    let still = std::path::Path::new(env!("CARGO_BIN_EXE_outis-eye")).with_file_name("outis-still");
    assert!(has(&fs::read(still).expect("built with the workspace"), b"IHDR"), "the mark is the right one");
}

/// The feature that puts an adversary into the eye is for one test, and nobody else's command turns it on.
#[test]
fn the_adversary_is_in_no_shipped_eye() {
    let program = fs::read(env!("CARGO_BIN_EXE_outis-eye")).expect("the program");
    let mark = b"OutisCanary";
    assert!(
        !program.windows(mark.len()).any(|window| window == mark),
        "the adversary's picture is in the eye"
    );
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let manifest =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("a manifest");
    assert!(
        !manifest.lines().any(|line| line.trim_start().starts_with("default =")),
        "the eye has no default feature"
    );
    for file in ["Makefile", "scripts/test", "scripts/toolchain", "models/fetch", "docs/guide/install.md"] {
        let text =
            fs::read_to_string(format!("{root}/{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(!text.contains("--all-features") && !text.contains("malicious"), "{file}");
    }
}
