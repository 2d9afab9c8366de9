//! No file and, where the kernel knows how, no network: Landlock with a list of nothing.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::JailError;

/// The least we insist on: Linux 5.19. Debian 12's kernel 6.1 has it.
const REQUIRED: ABI = ABI::V2;

/// What is used where it is known: TCP (6.7), devices (6.10), abstract sockets and signals (6.12).
const WANTED: ABI = ABI::V6;

/// From now on this thread, and every thread it starts, opens no file of any kind.
pub(crate) fn forbid() -> Result<(), JailError> {
    finish(ruleset().and_then(|ruleset| Ok(ruleset.restrict_self()?.ruleset)))
}

fn finish(status: Result<RulesetStatus, RulesetError>) -> Result<(), JailError> {
    match status.map_err(|error| JailError::Landlock(error.to_string()))? {
        // Partly: what is wanted and not required is not known here.
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(JailError::Landlock("the rules had no effect".into())),
    }
}

/// The same, and no TCP connection but to one port where the kernel knows how.
pub(crate) fn forbid_but_connecting(port: u16) -> Result<(), JailError> {
    finish(ruleset().and_then(|ruleset| {
        Ok(ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?.restrict_self()?.ruleset)
    }))
}

fn ruleset() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(REQUIRED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()
}
