//! From rules to the kernel's filter. What no rule describes kills the whole process, whichever of its threads asks,
//! and so does a call made in another machine's language (32-bit, x32).

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use crate::{
    JailError,
    rules::{Holds, Role, Rule, Verdict},
};

/// Filters of a role, ready to be installed in this order.
pub(crate) struct Filters(Vec<BpfProgram>);

impl Filters {
    /// Translates the rules of a role.
    ///
    /// A filter has one action for what it describes, so each error number takes a filter of its own. The kernel asks
    /// all of them and does the strictest: to kill before to refuse, to refuse before to carry out.
    pub(crate) fn new(role: Role) -> Result<Self, JailError> {
        let rules = role.rules()?;
        let faulty = |what: String| JailError::Rules { role: role.name(), what };
        let mut errors: Vec<u16> = rules.iter().filter_map(refusal).collect();
        errors.sort_unstable();
        errors.dedup();
        let mut filters = Vec::new();
        for error in errors {
            let refused: Vec<&Rule> = rules.iter().filter(|rule| refusal(rule) == Some(error)).collect();
            filters.push(
                program(&refused, SeccompAction::Allow, SeccompAction::Errno(error.into()))
                    .map_err(faulty)?,
            );
        }
        // The last one kills, so nothing can be installed after it.
        let all: Vec<&Rule> = rules.iter().collect();
        filters.push(program(&all, SeccompAction::KillProcess, SeccompAction::Allow).map_err(faulty)?);
        Ok(Self(filters))
    }

    /// Installs them for every thread of this process.
    pub(crate) fn install(self) -> Result<(), JailError> {
        self.0
            .iter()
            .try_for_each(|filter| apply_filter_all_threads(filter))
            .map_err(|error| JailError::Seccomp(error.to_string()))
    }
}

fn refusal(rule: &Rule) -> Option<u16> {
    match rule.verdict() {
        Verdict::Refused(error) => Some(error),
        Verdict::Allowed => None,
    }
}

fn program(rules: &[&Rule], others: SeccompAction, described: SeccompAction) -> Result<BpfProgram, String> {
    let mut table: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let unconditional = |call: &str| rules.iter().any(|rule| rule.call == call && rule.when.is_empty());
    for rule in rules {
        let rows = table.entry(rule.number()).or_default();
        // An empty list of rows means any arguments.
        if !unconditional(&rule.call) {
            rows.push(row(rule)?);
        }
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let filter = SeccompFilter::new(table, others, described, arch).map_err(|error| error.to_string())?;
    filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())
}

fn row(rule: &Rule) -> Result<SeccompRule, String> {
    let conditions = rule.when.iter().map(|condition| {
        let (length, operator, value) = match condition.holds().ok_or("a condition without meaning")? {
            Holds::Int(value) => (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value.into()),
            Holds::Is(value) => (SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value),
            Holds::Lacks(bits) => (SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(bits), 0),
        };
        SeccompCondition::new(condition.argument, length, operator, value).map_err(|error| error.to_string())
    });
    let conditions = conditions.collect::<Result<Vec<_>, String>>()?;
    SeccompRule::new(conditions).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_filters_that_fit_the_kernel() {
        /// BPF_MAXINSNS of the kernel.
        const INSTRUCTIONS_MAX: usize = 4096;
        for role in Role::ALL {
            let Filters(filters) = Filters::new(role).unwrap();
            assert!(filters.iter().all(|filter| filter.len() < INSTRUCTIONS_MAX), "{}", role.name());
            let kills_only = matches!(role, Role::Eye | Role::Still | Role::IntakeDevice);
            assert_eq!(filters.len(), if kills_only { 1 } else { 2 }, "{}", role.name());
        }
    }
}
