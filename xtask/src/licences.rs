//! Every dependency's licence against the allow-list of xtask/borders.toml.
//!
//! Reads licence expressions as SPDX writes them; knows no licence text.

use anyhow::{Result, bail};

use crate::borders::{Borders, FILE};
use crate::finding::Finding;
use crate::packages::built_from;
use crate::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>> {
    let licences = Borders::read(tree)?.licences;
    let allowed = |licence: &str| licences.allowed.iter().any(|known| known == licence);
    let mut findings = Vec::new();
    for package in built_from(tree.root())? {
        let what = match permits(&package.licence, &allowed) {
            Ok(true) => continue,
            Ok(false) => format!("is under {:?}; {}", package.licence, licences.why),
            Err(error) => format!("declares the licence {:?}: {error:#}", package.licence),
        };
        findings.push(Finding::new(
            format!("{} {}", package.name, package.version),
            what,
            format!("replace it, or add its licence to {FILE} after reading it"),
        ));
    }
    Ok(findings)
}

/// Whether a licence expression can be met with allowed licences only.
///
/// `OR` leaves the choice to us, `AND` binds us to both, `AND` before `OR`; the old `/` means `OR`.
/// An exception (`WITH`) only adds permissions, so it is passed over.
fn permits(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { words: spaced.split_whitespace().collect(), next: 0 };
    let answer = words.any_of(allowed)?;
    match words.peek() {
        None => Ok(answer),
        Some(word) => bail!("{word:?} is out of place"),
    }
}

struct Words<'a> {
    words: Vec<&'a str>,
    next: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn take_if(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn any_of(&mut self, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
        let mut answer = self.all_of(allowed)?;
        while self.take_if("OR") {
            answer |= self.all_of(allowed)?;
        }
        Ok(answer)
    }

    fn all_of(&mut self, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
        let mut answer = self.one(allowed)?;
        while self.take_if("AND") {
            answer &= self.one(allowed)?;
        }
        Ok(answer)
    }

    fn one(&mut self, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
        if self.take_if("(") {
            let answer = self.any_of(allowed)?;
            if !self.take_if(")") {
                bail!("a bracket is not closed");
            }
            return Ok(answer);
        }
        let Some(licence) = self.peek().filter(|word| !["AND", "OR", "WITH", ")"].contains(word)) else {
            bail!("a licence is missing");
        };
        self.next += 1;
        if self.take_if("WITH") {
            self.next += 1;
        }
        Ok(allowed(licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed = |licence: &str| ["MIT", "Apache-2.0", "Unicode-3.0"].contains(&licence);
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("MIT OR GPL-3.0-only", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("MIT/Apache-2.0", Some(true)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true)),
            ("GPL-2.0-only OR MIT AND Unicode-3.0", Some(true)),
            ("(GPL-2.0-only OR MIT) AND AGPL-3.0-only", Some(false)),
            ("Apache-2.0 WITH LLVM-exception OR MIT", Some(true)),
            ("", None),
            ("MIT OR", None),
            ("(MIT", None),
            ("MIT MIT", None),
        ] {
            assert_eq!(permits(expression, &allowed).ok(), expected, "{expression}");
        }
    }
}
