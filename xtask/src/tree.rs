//! The project's own files: tracked, or new and not ignored.
//!
//! What git ignores (build output, caches) does not exist for the checks, because a clone lacks it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Folders that are passed over when the tree is not a git checkout.
const NEVER_OURS: &[&str] = &["target", ".git", "__pycache__", "node_modules"];

/// The files of the project, by path from its root, `/` between parts.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    files: BTreeSet<String>,
}

impl Tree {
    /// Lists the tree that this program was built from.
    pub(crate) fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
        let mut files = match listed_by_git(root) {
            Some(files) => files,
            None => walk(root)?,
        };
        // Git still lists a file that was deleted and not yet committed.
        files.retain(|file| root.join(file).is_file());
        Ok(Self { root: root.to_owned(), files })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &str> {
        self.files().filter(move |file| Path::new(file).extension().is_some_and(|found| found == extension))
    }

    /// Whether `path` is a file or folder of the project.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        path.is_empty()
            || self.files.contains(path)
            || self.files.range(inside.clone()..).next().is_some_and(|file| file.starts_with(&inside))
    }

    /// The text of a file; None when it is not text.
    pub(crate) fn text(&self, file: &str) -> Result<Option<String>> {
        let bytes = fs::read(self.root.join(file)).with_context(|| format!("cannot read {file}"))?;
        Ok(String::from_utf8(bytes).ok())
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[&str]) -> Self {
        Self { root: PathBuf::new(), files: files.iter().map(ToString::to_string).collect() }
    }
}

/// `path` as seen from the root when it is written in a file of `folder`; None when it leads out of the tree.
pub(crate) fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn listed_by_git(root: &Path) -> Option<BTreeSet<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let files = String::from_utf8_lossy(&listing.stdout);
    let files: BTreeSet<_> = files.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
    // An archive of the sources may lie inside somebody else's checkout, which lists none of it.
    files.contains("Cargo.toml").then_some(files)
}

fn walk(root: &Path) -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if !NEVER_OURS.iter().any(|name| entry.file_name() == *name) {
                    folders.push(path);
                }
            } else if let Some(file) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                files.insert(file.to_owned());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_exist_through_their_files() {
        let tree = Tree::of(&["crates/eye/src/lib.rs", "crates/eyelid.md"]);
        for (path, expected) in [
            ("crates/eye/src/lib.rs", true),
            ("crates/eye", true),
            ("crates/eye/", true),
            ("crates/eyelid.md", true),
            ("crates/ey", false),
            ("docs", false),
        ] {
            assert_eq!(tree.has(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_seen_from_the_root() {
        for (folder, path, expected) in [
            ("docs/guide", "../design/glossary.md", Some("docs/design/glossary.md")),
            ("", "./README.md", Some("README.md")),
            ("docs", "../../outside.md", None),
            ("docs", "/etc/passwd", None),
        ] {
            assert_eq!(resolve(folder, path).as_deref(), expected, "{folder} + {path}");
        }
    }
}
