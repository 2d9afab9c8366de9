//! `outis-adversary`: one attempt to get a picture out, in a process of its own. `outis prove` starts it.
//!
//! `jailed` locks itself in exactly as the eye does, through the same library, and then tries; `free` tries without,
//! which shows that the attempt would succeed. There is nothing to protect here: the picture is a test pattern.

use std::{os::fd::AsFd, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use outis_adversary::{Canary, Surroundings, all, by_name};
use outis_jail::{Engine, JailError, Leave, Role};

/// Tries to get a picture out. For `outis prove`; of no other use.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the attempts, one a line: name, whether it can be made without the jail, and what it is.
    List,
    /// One attempt, locked in as the eye is.
    Jailed(Attempt),
    /// The same without.
    Free(Attempt),
    /// One system call behind the lock of any program, with chosen arguments: for the test of the rules.
    Call(Call),
}

#[derive(Debug, clap::Args)]
struct Call {
    /// Whose lock, by the name of its rules.
    role: String,
    /// The call's number and its six arguments.
    #[arg(num_args = 7, allow_hyphen_values = true)]
    numbers: Vec<u64>,
}

impl Call {
    /// Locks itself in as the program of that role does, up to that step, and calls.
    fn make(&self) -> Result<bool, String> {
        let &[number, a, b, c, d, e, f] = &self.numbers[..] else { return Err("six arguments".into()) };
        lock_in(&self.role)?;
        Ok(outis_adversary::call(number.cast_signed(), [a, b, c, d, e, f]).is_ok())
    }
}

/// Does as the program of a role does, up to that step.
fn lock_in(role: &str) -> Result<(), String> {
    let role = Role::from_name(role).ok_or_else(|| format!("there is no role `{role}`"))?;
    let eye = |engine| outis_jail::enter_eye(engine)?.lock().map(drop);
    let intake = || outis_jail::enter_intake(std::io::stdin().as_fd().try_clone_to_owned().map_err(refused)?);
    let device = || {
        let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(refused)?;
        outis_jail::lock_intake_of_device(input).map(drop)
    };
    // Port 9 throws everything away; nobody is called.
    let live = || outis_jail::enter_intake_live(9);
    let locked = match role {
        Role::Eye => eye(Engine::OnnxRuntime),
        Role::EyeBuiltIn => eye(Engine::BuiltIn),
        Role::Still => outis_jail::lock_still().map(drop),
        Role::IntakeOpening => intake().map(drop),
        Role::Intake => intake().and_then(|(entered, _)| entered.lock().map(drop)),
        Role::IntakeDevice => device(),
        Role::IntakeLiveOpening => live().map(drop),
        Role::IntakeLive => live().and_then(|entered| entered.lock(&[]).map(drop)),
    };
    locked.map_err(|error| error.to_string())
}

fn refused(source: std::io::Error) -> JailError {
    JailError::Step { step: "use standard input", source }
}

#[derive(Debug, clap::Args)]
struct Attempt {
    /// Its name, or a system call's number, `@`, and which of the edge arguments.
    name: String,
    /// A folder that it may try to write to.
    #[arg(long)]
    folder: PathBuf,
    /// A port of this machine, TCP and UDP, that somebody listens at.
    #[arg(long)]
    port: u16,
    /// Whose lock, by the name of its rules.
    #[arg(long, default_value_t = Role::Eye.name().to_owned())]
    role: String,
}

impl Attempt {
    fn surroundings(&self) -> Surroundings {
        Surroundings::new(&self.folder, self.port)
    }
}

fn main() -> ExitCode {
    let (attempt, jailed) = match Args::parse().action {
        Action::List => {
            all().for_each(|named| println!("{}\t{}\t{}", named.name, named.kind.name(), named.what));
            return ExitCode::SUCCESS;
        }
        Action::Call(call) => match call.make() {
            Ok(done) => outis_jail::leave(if done { Leave::Done } else { Leave::Fault }),
            Err(error) => {
                eprintln!("outis-adversary: {error}");
                return ExitCode::FAILURE;
            }
        },
        Action::Jailed(attempt) => (attempt, true),
        Action::Free(attempt) => (attempt, false),
    };
    let Some(way) = by_name(&attempt.name) else {
        eprintln!("outis-adversary: there is no attempt `{}`; see `outis-adversary list`", attempt.name);
        return ExitCode::from(2);
    };
    let (surroundings, canary) = (attempt.surroundings(), Canary::new());
    if jailed {
        if let Err(error) = lock_in(&attempt.role) {
            eprintln!("outis-adversary: {error}");
            return ExitCode::FAILURE;
        }
    } else {
        // The numbers that the descriptors have behind the lock.
        way.prepare();
    }
    let done = way.attempt(&canary, &surroundings);
    outis_jail::leave(if done.is_ok() { Leave::Done } else { Leave::Fault })
}
