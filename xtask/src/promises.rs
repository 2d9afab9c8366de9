//! The promises of SPECIFICATION.md: does each name a test that exists?
//!
//! A promise is a row of a table whose last column is `Test`. It names tests in backticks, or says that it has none.

use anyhow::{Context, Result};

use crate::CHECKS;
use crate::finding::Finding;
use crate::links::{backticked, prose_lines};
use crate::rust_text::code_only;
use crate::tree::Tree;

const FILE: &str = "SPECIFICATION.md";
const PENDING: &str = "*test pending*";
const FORMS: &str = "a test is `FILE.rs::FUNCTION`, `FILE`, `cargo xtask check NAME` or `make TARGET`";

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let text = tree.text(FILE)?.with_context(|| format!("{FILE} is not text"))?;
    let promises = promises(&text);
    let mut findings = Vec::new();
    if promises.is_empty() {
        findings.push(Finding::new(FILE, "promises nothing", "write a table whose last column is `Test`"));
    }
    for (line, tests) in promises {
        let named = backticked(tests);
        if named.is_empty() && !tests.contains(PENDING) {
            findings.push(Finding::at_line(
                FILE,
                line,
                "names no test",
                format!("name one ({FORMS}), or write {PENDING}"),
            ));
        }
        for test in named {
            if !exists(tree, test)? {
                findings.push(Finding::at_line(
                    FILE,
                    line,
                    format!("names `{test}`, which does not exist"),
                    FORMS,
                ));
            }
        }
    }
    Ok(findings)
}

/// The last cell of each row of the tables of promises, with its line.
fn promises(text: &str) -> Vec<(usize, &str)> {
    let mut rows = Vec::new();
    let mut in_promises = false;
    for (number, line) in prose_lines(text) {
        let Some(cells) = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            in_promises = false;
            continue;
        };
        let last = cells.rsplit('|').next().unwrap_or_default().trim();
        if last == "Test" {
            in_promises = true;
        } else if in_promises && !last.trim_matches(['-', ':']).is_empty() {
            rows.push((number, last));
        }
    }
    rows
}

fn exists(tree: &Tree, test: &str) -> Result<bool> {
    if let Some(name) = test.strip_prefix("cargo xtask check ") {
        return Ok(CHECKS.iter().any(|check| check.name == name));
    }
    if let Some(target) = test.strip_prefix("make ") {
        let makefile = tree.text("Makefile")?.unwrap_or_default();
        return Ok(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))));
    }
    let Some((file, function)) = test.split_once("::") else {
        return Ok(tree.has(test));
    };
    if !tree.has(file) {
        return Ok(false);
    }
    let source = tree.text(file)?.unwrap_or_default();
    Ok(has_function(&source, function))
}

/// Whether `source` defines a function of this name.
fn has_function(source: &str, name: &str) -> bool {
    let code = code_only(source);
    let mut words =
        code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word == "fn" && words.next() == Some(name) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_promise_tables_only() {
        let text = "\
| Term | Test of time |
|---|---|
| a | b |

| Promise | Number | Test |
|---|---|---|
| one | 1 | `a.rs::f` |
| two | 2 | *test pending* |

| three | 3 | `not in a table of promises` |
";
        assert_eq!(promises(text), [(7, "`a.rs::f`"), (8, "*test pending*")]);
    }

    #[test]
    fn functions_in_code() {
        let source = "// fn commented() {}\nfn real<T>() {}\npub const fn also_real() {}\nreal_call();";
        for (name, expected) in
            [("real", true), ("also_real", true), ("commented", false), ("real_call", false)]
        {
            assert_eq!(has_function(source, name), expected, "{name}");
        }
    }

    #[test]
    fn forms_of_a_test() {
        let tree = Tree::open().unwrap();
        for (test, expected) in [
            ("cargo xtask check borders", true),
            ("cargo xtask check nothing", false),
            ("xtask/src/promises.rs", true),
            ("xtask/src/promises.rs::forms_of_a_test", true),
            ("xtask/src/promises.rs::no_such_test", false),
            ("xtask/src/gone.rs::forms_of_a_test", false),
        ] {
            assert_eq!(exists(&tree, test).unwrap(), expected, "{test}");
        }
    }
}
