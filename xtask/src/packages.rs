//! Which packages a crate's program is made of, as `cargo tree` tells anyone who asks.
//!
//! Per crate, with the features of that crate alone: cargo's metadata would show the union over the workspace.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A package in somebody's dependency tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Licence expression, empty when the package declares none.
    pub(crate) licence: String,
}

/// How far down the tree to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Direct,
    All,
}

/// The packages that `package` is linked from, itself left out. Build scripts' and tests' are not in the program.
pub(crate) fn linked_into(root: &Path, package: &str, depth: Depth) -> Result<BTreeSet<Package>> {
    let mut arguments = vec!["--package", package, "--edges", "normal"];
    if depth == Depth::Direct {
        arguments.extend(["--depth", "1"]);
    }
    let mut packages = tree(root, &arguments)?;
    packages.retain(|found| found.name != package);
    Ok(packages)
}

/// Everything that is compiled for the workspace's programs and their build, tests left out.
pub(crate) fn built_from(root: &Path) -> Result<BTreeSet<Package>> {
    tree(root, &["--workspace", "--edges", "normal,build"])
}

fn tree(root: &Path, arguments: &[&str]) -> Result<BTreeSet<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{l}|"])
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cannot run `cargo tree`")?;
    if !output.status.success() {
        bail!(
            "`cargo tree {}` failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| !line.is_empty()).map(parse).collect()
}

/// A line is `name vVERSION (where)|licence|`, and ends in `(*)` when the package was printed before.
fn parse(line: &str) -> Result<Package> {
    let mut fields = line.split('|');
    let (Some(id), Some(licence)) = (fields.next(), fields.next()) else {
        bail!("`cargo tree` printed {line:?}, which is not `name vVERSION|licence|`");
    };
    let mut words = id.split_whitespace();
    let (Some(name), Some(version)) = (words.next(), words.next().and_then(|word| word.strip_prefix('v')))
    else {
        bail!("`cargo tree` printed {id:?} where a name and a version should be");
    };
    Ok(Package { name: name.to_owned(), version: version.to_owned(), licence: licence.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree() {
        for (line, name, version, licence) in [
            ("serde v1.0.1|MIT OR Apache-2.0|", "serde", "1.0.1", "MIT OR Apache-2.0"),
            ("serde v1.0.1|MIT OR Apache-2.0| (*)", "serde", "1.0.1", "MIT OR Apache-2.0"),
            ("syn v2.0.0 (proc-macro)|MIT|", "syn", "2.0.0", "MIT"),
            ("ours v0.1.0 (some/folder)||", "ours", "0.1.0", ""),
        ] {
            let expected =
                Package { name: name.to_owned(), version: version.to_owned(), licence: licence.to_owned() };
            assert_eq!(parse(line).unwrap(), expected, "{line}");
        }
        assert!(parse("warning: something else").is_err());
    }
}
