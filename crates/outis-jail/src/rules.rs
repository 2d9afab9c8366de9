//! The allow-lists: what a program may ask of the kernel, read from `rules/`. Knows no kernel.

use serde::Deserialize;

use crate::{JailError, calls};

/// Which program is locked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `outis-eye`, looking with ONNX Runtime.
    Eye,
    /// `outis-eye`, looking with its built-in engine.
    EyeBuiltIn,
    /// `outis-still`, which makes one picture of an empty street.
    Still,
    /// `outis-intake`, looking at the beginning of its source.
    IntakeOpening,
    /// `outis-intake`, passing its source on.
    Intake,
    /// `outis-intake`, calling a camera on the network.
    IntakeLiveOpening,
    /// `outis-intake`, passing on what a camera on the network sends.
    IntakeLive,
    /// `outis-intake`, passing on what a camera of this machine films.
    IntakeDevice,
}

/// What happens to a call that a rule describes. All others end the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out.
    Allowed,
    /// It is not carried out; the caller gets this error number.
    Refused(u16),
}

/// One row of an allow-list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name of the call.
    pub call: String,
    /// What its arguments must be, all of it.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// The error number it is answered with, when it is not carried out.
    error: Option<u16>,
    /// What it is for.
    pub why: String,
}

/// What one argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Which argument, from 0.
    pub argument: u8,
    /// The lower 32 bits are this.
    int: Option<u32>,
    /// All 64 bits are this.
    is: Option<u64>,
    /// None of these bits is set.
    lacks: Option<u64>,
}

/// A condition that was checked for having exactly one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The lower 32 bits are this.
    Int(u32),
    /// All 64 bits are this.
    Is(u64),
    /// None of these bits is set.
    Lacks(u64),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    allow: Vec<Rule>,
    refuse: Vec<Rule>,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Eye,
        Self::EyeBuiltIn,
        Self::Still,
        Self::IntakeOpening,
        Self::Intake,
        Self::IntakeLiveOpening,
        Self::IntakeLive,
        Self::IntakeDevice,
    ];

    /// From its name in messages.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eye => "eye",
            Self::EyeBuiltIn => "eye with its built-in engine",
            Self::Still => "still",
            Self::IntakeOpening => "intake that opens its source",
            Self::Intake => "intake",
            Self::IntakeLiveOpening => "intake that calls a camera",
            Self::IntakeLive => "intake of a camera",
            Self::IntakeDevice => "intake of a camera of this machine",
        }
    }

    /// Its allow-list, in the order of the files.
    ///
    /// # Errors
    /// When the files under `rules/`, which are part of the program, are not as they describe themselves.
    pub fn rules(self) -> Result<Vec<Rule>, JailError> {
        const EYE: &str = include_str!("../rules/eye.toml");
        const ANY: &str = include_str!("../rules/intake-any.toml");
        const LIVE: &str = include_str!("../rules/intake-live.toml");
        const INTAKE: &str = include_str!("../rules/intake.toml");
        let texts: &[&str] = match self {
            Self::Eye => &[EYE],
            Self::EyeBuiltIn => &[EYE, include_str!("../rules/eye-built-in.toml")],
            Self::Still => &[include_str!("../rules/still.toml")],
            Self::IntakeOpening => &[ANY, INTAKE, include_str!("../rules/intake-opening.toml")],
            Self::Intake => &[ANY, INTAKE],
            Self::IntakeLiveOpening => &[ANY, LIVE, include_str!("../rules/intake-live-opening.toml")],
            Self::IntakeLive => &[ANY, LIVE],
            Self::IntakeDevice => &[ANY, include_str!("../rules/intake-device.toml")],
        };
        let faulty = |what: String| JailError::Rules { role: self.name(), what };
        let mut rules = Vec::new();
        for text in texts {
            let File { allow, refuse } = toml::from_str(text).map_err(|error| faulty(error.to_string()))?;
            if allow.iter().any(|rule| rule.error.is_some()) || refuse.iter().any(|rule| rule.error.is_none())
            {
                return Err(faulty("an error number belongs to what is refused, and only there".into()));
            }
            rules.extend(allow.into_iter().chain(refuse));
        }
        rules.iter().try_for_each(Rule::check).map_err(faulty)?;
        Ok(rules)
    }
}

impl Rule {
    /// What happens to the calls it describes.
    pub fn verdict(&self) -> Verdict {
        self.error.map_or(Verdict::Allowed, Verdict::Refused)
    }

    /// The number of its call on this processor.
    pub fn number(&self) -> i64 {
        // Checked when it was read.
        calls::number(&self.call).unwrap_or(-1)
    }

    /// Whether it describes a call with these arguments.
    pub fn describes(&self, number: i64, arguments: &[u64; 6]) -> bool {
        let holds = |condition: &Condition| {
            let argument = arguments.get(usize::from(condition.argument)).copied().unwrap_or(0);
            match condition.holds() {
                // The cast takes the lower half, as the kernel does.
                Some(Holds::Int(value)) => argument as u32 == value,
                Some(Holds::Is(value)) => argument == value,
                Some(Holds::Lacks(bits)) => argument & bits == 0,
                None => false,
            }
        };
        number == self.number() && self.when.iter().all(holds)
    }

    fn check(&self) -> Result<(), String> {
        if calls::number(&self.call).is_none() {
            return Err(format!("there is no call `{}`", self.call));
        }
        if self.why.trim().is_empty() {
            return Err(format!("`{}` has no reason", self.call));
        }
        let sound = |condition: &Condition| condition.argument < 6 && condition.holds().is_some();
        if self.when.iter().all(sound) { Ok(()) } else { Err(format!("a condition of `{}`", self.call)) }
    }
}

impl Condition {
    /// Its one meaning; `None` when it has none or several.
    pub fn holds(&self) -> Option<Holds> {
        match (self.int, self.is, self.lacks) {
            (Some(value), None, None) => Some(Holds::Int(value)),
            (None, Some(value), None) => Some(Holds::Is(value)),
            (None, None, Some(bits)) => Some(Holds::Lacks(bits)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_can_be_read_and_says_why() {
        for role in Role::ALL {
            let rules = role.rules().unwrap();
            assert!(rules.len() > 10, "{}", role.name());
            assert!(rules.iter().all(|rule| rule.why.len() > 10), "{}", role.name());
        }
    }

    #[test]
    fn no_list_for_video_has_a_call_that_opens_sends_starts_or_signals() {
        let harmless = [
            "read",
            "write",
            "lseek",
            "mmap",
            "mprotect",
            "munmap",
            "mremap",
            "madvise",
            "brk",
            "futex",
            "sched_yield",
            "sched_getaffinity",
            "clock_gettime",
            "clock_nanosleep",
            "restart_syscall",
            "exit",
            "exit_group",
            "close",
        ];
        for role in [Role::Eye, Role::EyeBuiltIn, Role::Still, Role::Intake] {
            for rule in role.rules().unwrap() {
                let known =
                    harmless.contains(&rule.call.as_str()) || matches!(rule.verdict(), Verdict::Refused(_));
                assert!(known, "{}: {}", role.name(), rule.call);
            }
        }
    }

    /// An intake of a camera can say something, to whom its sockets are connected: to the camera.
    #[test]
    fn an_intake_of_a_camera_sends_to_the_camera_alone_and_opens_nothing() {
        let live = Role::IntakeLive.rules().unwrap();
        let passes = |call: &str, arguments: [u64; 6]| {
            let number = calls::number(call).unwrap();
            live.iter().any(|rule| rule.describes(number, &arguments))
        };
        assert!(passes("sendto", [5, 0x1000, 90, 0x4000, 0, 0]));
        assert!(!passes("sendto", [5, 0x1000, 90, 0x4000, 0x2000, 16]), "to an address");
        assert!(!passes("sendto", [5, 0x1000, 90, 0x4000, 0x2000, 0]), "to an address without a length");
        assert!(!passes("sendto", [4, 0x1000, 90, 0x4000, 0, 0]), "on another descriptor");
        assert!(!passes("read", [3, 0x1000, 90, 0, 0, 0]), "a file");
        let others =
            ["socket", "connect", "bind", "openat", "close", "unshare", "capset", "prlimit64", "fcntl"];
        // What is refused is answered with an error, and not carried out.
        for rule in live.iter().filter(|rule| rule.verdict() == Verdict::Allowed) {
            assert!(!others.contains(&rule.call.as_str()) || rule.call == "close", "{}", rule.call);
        }
        assert!(!passes("close", [5, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn arguments_are_exact() {
        let eye = Role::Eye.rules().unwrap();
        let passes = |call: &str, arguments: [u64; 6]| {
            let number = calls::number(call).unwrap();
            eye.iter().any(|rule| rule.describes(number, &arguments))
        };
        const NONE: u64 = u64::MAX;
        let cases = [
            ("a record", "write", [4, 0x1000, 64, 0, 0, 0], true),
            ("a longer one", "write", [4, 0x1000, 65, 0, 0, 0], false),
            ("a record and four gigabytes", "write", [4, 0x1000, 64 | 1 << 32, 0, 0, 0], false),
            ("a record elsewhere", "write", [2, 0x1000, 64, 0, 0, 0], false),
            ("packets", "read", [3, 0x1000, 8192, 0, 0, 0], true),
            ("packets of a second stream", "read", [5, 0x1000, 8192, 0, 0, 0], true),
            ("a second stream to write to", "write", [5, 0x1000, 64, 0, 0, 0], false),
            ("what is not ours to read", "read", [0, 0x1000, 8192, 0, 0, 0], false),
            ("memory", "mmap", [0, 4096, 3, 0x22, NONE, 0], true),
            ("memory, as some compilers put it", "mmap", [0, 4096, 3, 0x22, 0xffff_ffff, 0], true),
            ("memory to run", "mmap", [0, 4096, 7, 0x22, NONE, 0], false),
            ("memory of a file", "mmap", [0, 4096, 3, 0x2, 3, 0], false),
            ("memory for others", "mmap", [0, 4096, 3, 0x21, NONE, 0], false),
            ("a quiet end", "exit_group", [0; 6], true),
            ("an end that says something", "exit_group", [77, 0, 0, 0, 0, 0], false),
        ];
        for (name, call, arguments, expected) in cases {
            assert_eq!(passes(call, arguments), expected, "{name}");
        }
    }
}
