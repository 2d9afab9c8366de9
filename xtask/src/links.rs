//! Files and headings that documentation names: do they exist?
//!
//! Reads Markdown links, and paths in backticks in Markdown and in `//!` comments. Does not go on the network.

use anyhow::Result;

use crate::finding::Finding;
use crate::tree::{Tree, resolve};

/// A word in backticks with one of these endings is a file of ours even when its first part is unknown.
const OUR_ENDINGS: &[&str] = &[".md", ".py", ".rs", ".sh", ".toml"];
/// Files that recipes fetch and git ignores.
const FETCHED_ENDINGS: &[&str] = &[".avi", ".onnx"];

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.with_extension("md") {
        let Some(text) = tree.text(file)? else { continue };
        for (line, prose) in prose_lines(&text) {
            for target in link_targets(prose) {
                findings.extend(broken_link(tree, file, line, target)?);
            }
            findings.extend(missing_paths(tree, file, line, prose));
        }
    }
    for file in tree.with_extension("rs") {
        let Some(source) = tree.text(file)? else { continue };
        for (at, line) in source.lines().enumerate() {
            if let Some(prose) = line.trim_start().strip_prefix("//!") {
                findings.extend(missing_paths(tree, file, at + 1, prose));
            }
        }
    }
    Ok(findings)
}

fn broken_link(tree: &Tree, file: &str, line: usize, target: &str) -> Result<Option<Finding>> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(None);
    }
    let broken =
        |what: String| Some(Finding::at_line(file, line, what, "mend the link, or write what it points to"));
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let pointed = if path.is_empty() { Some(file.to_owned()) } else { resolve(folder_of(file), path) };
    let Some(pointed) = pointed.filter(|path| tree.has(path)) else {
        return Ok(broken(format!("links to {path}, which does not exist")));
    };
    if heading.is_empty() || !pointed.ends_with(".md") {
        return Ok(None);
    }
    let headings = tree.text(&pointed)?.map(|text| anchors(&text)).unwrap_or_default();
    Ok(if headings.iter().any(|known| known == heading) {
        None
    } else {
        broken(format!("links to #{heading}, which is no heading of {pointed}"))
    })
}

fn missing_paths(tree: &Tree, file: &str, line: usize, prose: &str) -> Vec<Finding> {
    let bases = bases_of(file);
    let words = backticked(prose).into_iter().flat_map(str::split_whitespace);
    words
        .filter(|word| is_missing_path(tree, &bases, word))
        .map(|word| {
            Finding::at_line(
                file,
                line,
                format!("names `{word}`, which does not exist"),
                "name what is there now",
            )
        })
        .collect()
}

/// Where a path written in `file` may start: the root, the file's folder, its crate, its crate's sources.
fn bases_of(file: &str) -> Vec<String> {
    let mut bases = vec![String::new(), folder_of(file).to_owned()];
    let parts: Vec<_> = file.split('/').collect();
    match parts.as_slice() {
        ["crates", name, _, ..] => bases.extend([format!("crates/{name}"), format!("crates/{name}/src")]),
        ["xtask", _, ..] => bases.extend(["xtask".to_owned(), "xtask/src".to_owned()]),
        _ => {}
    }
    bases
}

/// Whether `word` claims to be a path of this tree and is not.
fn is_missing_path(tree: &Tree, bases: &[String], word: &str) -> bool {
    let looks_like_one = word.contains('/')
        && !word.starts_with('/')
        && !word.contains("//")
        && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_./-".contains(letter))
        && !FETCHED_ENDINGS.iter().any(|ending| word.ends_with(ending));
    if !looks_like_one {
        return false;
    }
    let mut candidates = bases.iter().filter_map(|base| resolve(base, word));
    if candidates.any(|path| tree.has(&path)) {
        return false;
    }
    let first = word.split('/').next().unwrap_or_default();
    let starts_here =
        bases.iter().filter_map(|base| resolve(base, first)).any(|path| !path.is_empty() && tree.has(&path));
    let leads_out = resolve("", word).is_none();
    !leads_out && (starts_here || OUR_ENDINGS.iter().any(|ending| word.ends_with(ending)))
}

fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The lines of a Markdown text outside fenced code, numbered from 1.
pub(crate) fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_fence = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_fence ^= is_fence;
        (!in_fence && !is_fence).then_some((at + 1, line))
    })
}

/// The parts of a line between backticks.
pub(crate) fn backticked(line: &str) -> Vec<&str> {
    let mut spans: Vec<_> = line.split('`').collect();
    if spans.len().is_multiple_of(2) {
        spans.pop(); // The last backtick opens nothing that this line closes.
    }
    spans.into_iter().skip(1).step_by(2).collect()
}

/// What the links and pictures of a line point to.
fn link_targets(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|after| after.split_once(')'))
        .filter_map(|(target, _)| target.split_whitespace().next())
        .collect()
}

/// The anchors of a text's headings, as code hosts form them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose_lines(text).filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_backticks() {
        let tree =
            Tree::of(&["crates/eye/src/decode/ffi.rs", "crates/eye/tests/it/main.rs", "docs/ref/config.md"]);
        for (name, file, line, expected) in [
            ("from the root", "docs/a.md", "see `crates/eye/src/decode`", 0),
            ("from the file's folder", "docs/a.md", "see `ref/config.md`", 0),
            ("from the crate", "crates/eye/src/lib.rs", "see `tests/it/main.rs`", 0),
            ("from the crate's sources", "crates/eye/src/a/b.rs", "see `decode/ffi.rs`", 0),
            ("gone", "docs/a.md", "see `crates/eye/src/encode.rs`", 1),
            ("gone, of an unknown folder", "docs/a.md", "see `old/notes.md`", 1),
            ("a word of a command", "docs/a.md", "run `bash docs/gone`", 1),
            ("a media type", "docs/a.md", "sends `text/event-stream`", 0),
            ("a route", "docs/a.md", "serves `/events`", 0),
            ("a fetched file", "docs/a.md", "reads `docs/nanodet-g.onnx`", 0),
            ("outside the tree", "docs/a.md", "see `../../elsewhere/notes.md`", 0),
            ("not in backticks", "docs/a.md", "and/or crates/none", 0),
            ("an open backtick", "docs/a.md", "a ` docs/gone", 0),
        ] {
            assert_eq!(missing_paths(&tree, file, 1, line).len(), expected, "{name}");
        }
    }

    #[test]
    fn links_of_a_line() {
        let line = "[a](b.md) and ![c](d/e.png \"title\") and [f](https://example.org/g)";
        assert_eq!(link_targets(line), ["b.md", "d/e.png", "https://example.org/g"]);
    }

    #[test]
    fn links_to_files() {
        let tree = Tree::of(&["docs/a.md", "README.md"]);
        for (target, broken) in [
            ("../README.md", false),
            ("a.md", false),
            ("https://example.org/x", false),
            ("b.md", true),
            ("../../outside.md", true),
        ] {
            assert_eq!(broken_link(&tree, "docs/a.md", 1, target).unwrap().is_some(), broken, "{target}");
        }
    }

    #[test]
    fn headings_become_anchors() {
        let text = "# The `eye`, and why\n```\n# not a heading\n```\n## Two words\n";
        assert_eq!(anchors(text), ["the-eye-and-why", "two-words"]);
    }
}
