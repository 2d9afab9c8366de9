//! For every rule in the data: what it allows passes, and what it does not ends the process.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
};

use outis_jail::{Holds, Role, Rule, Verdict, was_stopped};

/// With which exit code the adversary says that the kernel answered with an error.
const REFUSED: i32 = 101;

fn ask(role: Role, number: i64, arguments: [u64; 6]) -> ExitStatus {
    let arguments = arguments.map(|argument| argument.to_string());
    let output = Command::new(env!("CARGO_BIN_EXE_outis-adversary"))
        .args(["call", role.name(), &number.to_string()])
        .args(arguments)
        // A pipe that has ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the adversary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "{}: {number}", role.name());
    output.status
}

/// Arguments that a rule describes; all the others are zero, so that the call does nothing.
fn described(rule: &Rule) -> [u64; 6] {
    let mut arguments = [0; 6];
    for condition in &rule.when {
        arguments[usize::from(condition.argument)] = match condition.holds() {
            Some(Holds::Int(value)) => value.into(),
            Some(Holds::Is(value)) => value,
            _ => 0,
        };
    }
    arguments
}

/// Arguments that break one condition of a rule each.
fn broken(rule: &Rule) -> Vec<[u64; 6]> {
    let mut all = Vec::new();
    for condition in &rule.when {
        let values = match condition.holds() {
            Some(Holds::Int(value)) => vec![u64::from(value ^ 1), u64::from(value ^ 0x8000_0000)],
            Some(Holds::Is(value)) => vec![value ^ 1, value ^ (1 << 40), u64::MAX],
            Some(Holds::Lacks(bits)) => vec![bits, u64::MAX],
            None => unreachable!("the lists were checked"),
        };
        for value in values {
            let mut arguments = described(rule);
            arguments[usize::from(condition.argument)] = value;
            all.push(arguments);
        }
    }
    all
}

#[test]
fn what_a_rule_describes_passes() {
    for role in Role::ALL {
        for rule in role.rules().unwrap() {
            let status = ask(role, rule.number(), described(&rule));
            let name = format!("{}: {} {:?}", role.name(), rule.call, rule.when);
            assert!(!was_stopped(status), "{name}");
            match rule.verdict() {
                Verdict::Refused(_) => assert_eq!(status.code(), Some(REFUSED), "{name}"),
                // The end of the process is the call itself, or comes after it; its code may be any on the list.
                Verdict::Allowed => assert_eq!(status.signal(), None, "{name}: {status}"),
            }
        }
    }
}

#[test]
fn what_no_rule_describes_ends_the_process() {
    let mut tried = 0;
    for role in Role::ALL {
        let rules = role.rules().unwrap();
        for rule in &rules {
            for arguments in broken(rule) {
                if rules.iter().any(|other| other.describes(rule.number(), &arguments)) {
                    continue;
                }
                let status = ask(role, rule.number(), arguments);
                assert!(was_stopped(status), "{}: {} {arguments:x?}: {status}", role.name(), rule.call);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}
