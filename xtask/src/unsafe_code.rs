//! Where unsafe code is: in the `ffi.rs` files that xtask/borders.toml lists, and nowhere else.
//!
//! The compiler's lint can be switched off beside the code; this list cannot.

use anyhow::Result;

use crate::borders::{Borders, FILE, crate_of, require_reasons};
use crate::finding::Finding;
use crate::rust_text::{code_only, has_word};
use crate::tree::Tree;

const FORBID: &str = "#![forbid(unsafe_code)]";

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let borders = Borders::read(tree)?;
    require_reasons(&borders)?;
    let mut findings = Vec::new();
    for border in &borders.crates {
        for file in border.unsafe_files.iter().filter(|file| !file.ends_with("/ffi.rs") || !tree.has(file)) {
            findings.push(Finding::new(
                FILE,
                format!("lists {file}"),
                "list only files that exist and are named ffi.rs",
            ));
        }
    }
    for file in tree.with_extension("rs") {
        let Some(source) = tree.text(file)? else { continue };
        let listed = crate_of(&borders, file).map_or(&[][..], |border| &border.unsafe_files);
        findings.extend(look(file, &source, listed));
    }
    Ok(findings)
}

/// What is wrong in one file of a crate whose `listed` files may hold unsafe code.
fn look(file: &str, source: &str, listed: &[String]) -> Vec<Finding> {
    if listed.iter().any(|allowed| allowed == file) {
        return Vec::new();
    }
    let code = code_only(source);
    let mut findings: Vec<_> = code
        .lines()
        .enumerate()
        .filter(|(_, line)| has_word(line, "unsafe"))
        .map(|(at, _)| {
            let remedy = format!("do it safely, or move it to an ffi.rs that {FILE} lists");
            Finding::at_line(file, at + 1, "unsafe code", remedy)
        })
        .collect();
    let is_crate_root = file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
    if is_crate_root && listed.is_empty() && !code.contains(FORBID) {
        findings.push(Finding::new(
            file,
            format!("lacks {FORBID}"),
            "add it: no file of this crate may hold unsafe code",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let listed = ["crates/eye/src/ffi.rs".to_owned()];
        for (name, file, source, listed, expected) in [
            ("unsafe where it is listed", "crates/eye/src/ffi.rs", "unsafe {}", &listed[..], 0),
            ("unsafe elsewhere in that crate", "crates/eye/src/frame.rs", "unsafe {}", &listed, 1),
            ("an ffi.rs that is not listed", "crates/hub/src/ffi.rs", "unsafe {}", &[], 1),
            ("a root that forbids it", "crates/hub/src/lib.rs", "#![forbid(unsafe_code)]", &[], 0),
            ("a root that forgets to", "crates/hub/src/lib.rs", "// #![forbid(unsafe_code)]", &[], 1),
            ("a root with a listed file beside it", "crates/eye/src/lib.rs", "mod ffi;", &listed, 0),
        ] {
            assert_eq!(look(file, source, listed).len(), expected, "{name}");
        }
    }
}
