//! `cargo xtask check`: what cargo, rustc and clippy cannot check for us.
//!
//! Knows the list of checks and how a result is printed; what each check asks is in its own file.
#![forbid(unsafe_code)]

mod borders;
mod finding;
mod licences;
mod links;
mod packages;
mod places;
mod promises;
mod rust_text;
mod tree;
mod unsafe_code;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use finding::Finding;
use tree::Tree;

/// One question about the tree, and how to answer it.
struct Check {
    name: &'static str,
    asks: &'static str,
    run: fn(&Tree) -> Result<Vec<Finding>>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "borders",
        asks: "each crate sees only what xtask/borders.toml lets it see",
        run: borders::check,
    },
    Check { name: "unsafe", asks: "unsafe code only in the listed ffi.rs files", run: unsafe_code::check },
    Check { name: "licences", asks: "every dependency's licence is in the allow-list", run: licences::check },
    Check { name: "links", asks: "files and headings named in docs and in `//!` exist", run: links::check },
    Check {
        name: "promises",
        asks: "every promise names a test that exists, or says it has none",
        run: promises::check,
    },
    Check {
        name: "places",
        asks: "no file names a package registry's address or a path of one machine",
        run: places::check,
    },
];

const USAGE: &str = "usage: cargo xtask check [NAME]...";

fn main() -> ExitCode {
    match run(&env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// True when every check that was asked for passed.
fn run(arguments: &[String]) -> Result<bool> {
    let Some(("check", names)) = arguments.split_first().map(|(command, rest)| (command.as_str(), rest))
    else {
        bail!("{USAGE}\nchecks: {}", names_of(CHECKS));
    };
    let chosen = choose(names)?;
    let tree = Tree::open()?;
    let failed = chosen.iter().filter(|check| !report(check, (check.run)(&tree))).count();
    println!("{} passed, {failed} failed", chosen.len() - failed);
    Ok(failed == 0)
}

fn choose(names: &[String]) -> Result<Vec<&'static Check>> {
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    names
        .iter()
        .map(|name| match CHECKS.iter().find(|check| check.name == name) {
            Some(check) => Ok(check),
            None => bail!("there is no check named {name:?}; there are {}", names_of(CHECKS)),
        })
        .collect()
}

fn names_of(checks: &[Check]) -> String {
    checks.iter().map(|check| check.name).collect::<Vec<_>>().join(", ")
}

/// Prints one check's answer; true when it passed. A check that could not be carried out has failed.
fn report(check: &Check, answer: Result<Vec<Finding>>) -> bool {
    let passed = matches!(&answer, Ok(findings) if findings.is_empty());
    println!("{}  {:9} {}", if passed { "ok  " } else { "FAIL" }, check.name, check.asks);
    match answer {
        Ok(findings) => findings.iter().for_each(|finding| println!("{finding}")),
        Err(error) => println!("      could not be checked: {error:#}"),
    }
    passed
}
