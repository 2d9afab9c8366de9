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
