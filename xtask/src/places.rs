//! Addresses and paths that only one place knows: a package registry's host, a folder of one machine.
//!
//! Packages are named, and the client's own settings say where they come from; paths start at the tree's root.

use anyhow::Result;

use crate::finding::Finding;
use crate::tree::Tree;

/// Parts of host names that package registries have and documents we cite have not.
const REGISTRY_LABELS: &[&str] =
    &["crates", "deb", "files", "index", "npmjs", "pypi", "pythonhosted", "registry", "static"];
/// First folders of paths that belong to one machine or one person.
const MACHINE_FOLDERS: &[&str] = &["Users", "home", "root", "work"];
/// Cargo writes this one, with its own name for the registry.
const WRITTEN_BY_CARGO: &str = "Cargo.lock";

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| *file != WRITTEN_BY_CARGO) {
        let Some(text) = tree.text(file)? else { continue };
        for (at, line) in text.lines().enumerate() {
            let hosts = registry_hosts(line).into_iter();
            findings.extend(hosts.map(|host| {
                let what = format!("names the host {host:?} of a package registry");
                Finding::at_line(file, at + 1, what, "name the package and its client instead")
            }));
            if let Some(folder) = machine_folder(line) {
                let what = format!("names a path under /{folder}, which is one machine's");
                findings.push(Finding::at_line(
                    file,
                    at + 1,
                    what,
                    "start the path at the tree's root, or ask the environment",
                ));
            }
        }
    }
    Ok(findings)
}

fn registry_hosts(line: &str) -> Vec<&str> {
    let hosts = line.split("://").skip(1).filter_map(|after| {
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && !".-".contains(letter));
        after.get(..end.unwrap_or(after.len()))
    });
    hosts
        .filter(|host| host.contains('.') && host.split('.').any(|label| REGISTRY_LABELS.contains(&label)))
        .collect()
}

fn machine_folder(line: &str) -> Option<&'static str> {
    let starts_path = |at: usize| {
        line[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_alphanumeric() && !"_./-$}~*".contains(before))
    };
    MACHINE_FOLDERS.iter().copied().find(|folder| {
        let path = format!("/{folder}/");
        line.match_indices(&path).any(|(at, _)| starts_path(at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, expected) in [
            ("example.org", false),
            ("registry.example.org", true),
            ("docs.example.org", false),
            ("files", false),
        ] {
            let line = format!("see <https://{host}/some/registry/page> for it");
            assert_eq!(!registry_hosts(&line).is_empty(), expected, "{host}");
        }
    }

    #[test]
    fn folders() {
        for (before, after, expected) in [
            ("at /", "/me/outis", true),
            ("\"/", "/me\"", true),
            ("/", "/", true),
            ("docs/", "/a", false),
            ("$PREFIX/", "/a", false),
            ("../", "/a", false),
            ("see /", "page", false),
        ] {
            let line = format!("{before}{}{after}", MACHINE_FOLDERS[1]);
            assert_eq!(machine_folder(&line).is_some(), expected, "{line}");
        }
    }
}
