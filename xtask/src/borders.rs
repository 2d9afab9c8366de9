//! Who may see whom: xtask/borders.toml against the dependency tree of each crate.
//!
//! The rules and their reasons are in that file; here is only the comparison.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::finding::Finding;
use crate::packages::{Depth, Package, linked_into};
use crate::tree::Tree;

pub(crate) const FILE: &str = "xtask/borders.toml";

/// The borders of the workspace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Borders {
    #[serde(rename = "set")]
    sets: Vec<Set>,
    #[serde(rename = "crate")]
    pub(crate) crates: Vec<Crate>,
    pub(crate) licences: Licences,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    packages: Vec<String>,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crate {
    pub(crate) name: String,
    uses: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    only: Option<Vec<String>>,
    #[serde(default, rename = "unsafe")]
    pub(crate) unsafe_files: Vec<String>,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Licences {
    pub(crate) allowed: Vec<String>,
    pub(crate) why: String,
}

impl Borders {
    pub(crate) fn read(tree: &Tree) -> Result<Self> {
        let text =
            fs::read_to_string(tree.root().join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
        toml::from_str(&text).with_context(|| format!("{FILE} is not as its head describes"))
    }

    fn set(&self, name: &str) -> Result<&Set> {
        self.sets.iter().find(|set| set.name == name).with_context(|| format!("{FILE} names no set {name:?}"))
    }
}

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let borders = Borders::read(tree)?;
    let ours = workspace_crates(tree);
    let mut findings = unlisted(&borders, &ours);
    for border in borders.crates.iter().filter(|border| ours.contains(&border.name)) {
        let sets = border.never.iter().map(|name| borders.set(name)).collect::<Result<Vec<_>>>()?;
        let linked = linked_into(tree.root(), &border.name, Depth::All)?;
        let named = match border.only {
            Some(_) => linked_into(tree.root(), &border.name, Depth::Direct)?,
            None => BTreeSet::new(),
        };
        findings.extend(crossings(border, &sets, &ours, &linked, &named));
    }
    Ok(findings)
}

/// A crate's folder has its name, so the tree lists them.
fn workspace_crates(tree: &Tree) -> BTreeSet<String> {
    let manifests = tree.files().filter_map(|file| file.strip_suffix("/Cargo.toml"));
    manifests
        .filter(|folder| folder.starts_with("crates/") || *folder == "xtask")
        .filter_map(|folder| folder.rsplit('/').next())
        .map(str::to_owned)
        .collect()
}

fn unlisted(borders: &Borders, ours: &BTreeSet<String>) -> Vec<Finding> {
    let listed: BTreeSet<_> = borders.crates.iter().map(|border| border.name.clone()).collect();
    let missing = ours.difference(&listed).map(|name| {
        Finding::new(
            name,
            "has no borders",
            format!("add a [[crate]] row to {FILE} that says what it may see and why"),
        )
    });
    let gone = listed.difference(ours).map(|name| {
        Finding::new(FILE, format!("has a row for {name}, which is no crate here"), "remove the row")
    });
    missing.chain(gone).collect()
}

/// What `border` forbids and the dependency tree has.
fn crossings(
    border: &Crate,
    never: &[&Set],
    ours: &BTreeSet<String>,
    linked: &BTreeSet<Package>,
    named: &BTreeSet<Package>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let crate_name = &border.name;
    for package in linked {
        let name = &package.name;
        if ours.contains(name) && !border.uses.contains(name) {
            findings.push(Finding::new(
                crate_name,
                format!("depends on {name}; the border says: {}", border.why),
                format!("see who brings it: cargo tree --package {crate_name} --invert {name}"),
            ));
        }
        for set in never.iter().filter(|set| set.packages.contains(name)) {
            findings.push(Finding::new(
                crate_name,
                format!("is linked with {name} (set {:?}): {}", set.name, set.why),
                format!("see who brings it: cargo tree --package {crate_name} --invert {name}"),
            ));
        }
    }
    for package in named.iter().filter(|package| !ours.contains(&package.name)) {
        if border.only.as_ref().is_some_and(|only| !only.contains(&package.name)) {
            findings.push(Finding::new(
                crate_name,
                format!("names {} as a dependency; the border says: {}", package.name, border.why),
                format!("do without it, or argue in {FILE} why it may"),
            ));
        }
    }
    findings
}

/// The row of the crate that a file belongs to.
pub(crate) fn crate_of<'a>(borders: &'a Borders, file: &str) -> Option<&'a Crate> {
    let folder = file.strip_prefix("crates/").unwrap_or(file);
    let name = folder.split('/').next()?;
    borders.crates.iter().find(|border| border.name == name)
}

/// Refuses a file that could not mean what it says.
pub(crate) fn require_reasons(borders: &Borders) -> Result<()> {
    let reasons = borders.sets.iter().map(|set| (&set.name, &set.why));
    for (name, why) in reasons.chain(borders.crates.iter().map(|border| (&border.name, &border.why))) {
        if why.trim().is_empty() {
            bail!("{FILE}: {name} gives no reason");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(names: &[&str]) -> BTreeSet<Package> {
        let package = |name: &&str| Package {
            name: name.to_string(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
        };
        names.iter().map(package).collect()
    }

    fn border(uses: &[&str], only: Option<&[&str]>) -> Crate {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        Crate {
            name: "eye".to_owned(),
            uses: owned(uses),
            never: vec!["network".to_owned()],
            only: only.map(owned),
            unsafe_files: Vec::new(),
            why: "it holds pictures".to_owned(),
        }
    }

    #[test]
    fn crossings_of_a_border() {
        let network =
            Set { name: "network".to_owned(), packages: vec!["tokio".to_owned()], why: "silence".to_owned() };
        let ours: BTreeSet<_> = ["eye", "record", "hub"].map(str::to_owned).into();
        for (name, only, linked, named, expected) in [
            ("within its borders", None, &["record", "serde"][..], &[][..], 0),
            ("a crate of ours that it may not see", None, &["hub"], &[], 1),
            ("a network stack, however deep", None, &["record", "tokio"], &[], 1),
            ("a package outside a closed list", Some(&["thiserror"][..]), &["serde"], &["serde"], 1),
            ("a package on a closed list", Some(&["thiserror"]), &["thiserror", "syn"], &["thiserror"], 0),
        ] {
            let border = border(&["record"], only);
            let found = crossings(&border, &[&network], &ours, &packages(linked), &packages(named));
            assert_eq!(found.len(), expected, "{name}: {found:?}");
        }
    }

    #[test]
    fn every_crate_has_a_row_and_every_row_a_crate() {
        let borders = Borders {
            sets: Vec::new(),
            crates: vec![border(&[], None)],
            licences: Licences { allowed: Vec::new(), why: String::new() },
        };
        let ours = BTreeSet::from(["record".to_owned()]);
        let found = unlisted(&borders, &ours);
        assert_eq!(found.iter().map(|finding| finding.place.as_str()).collect::<Vec<_>>(), ["record", FILE]);
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        let borders = Borders::read(&Tree::open().unwrap()).unwrap();
        require_reasons(&borders).unwrap();
        for border in &borders.crates {
            assert!(border.never.iter().all(|name| borders.set(name).is_ok()), "{}", border.name);
        }
        assert_eq!(crate_of(&borders, "crates/outis-eye/src/lib.rs").unwrap().name, "outis-eye");
        assert_eq!(crate_of(&borders, "xtask/src/main.rs").unwrap().name, "xtask");
    }
}
