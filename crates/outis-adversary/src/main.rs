//! `outis-adversary`: one attempt to get a picture out, in a process of its own. `outis prove` starts it.
//!
//! `jailed` locks itself in exactly as the eye does, through the same library, and then tries; `free` tries without,
//! which shows that the attempt would succeed. There is nothing to protect here: the picture is a test pattern.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use outis_adversary::{Canary, Surroundings, all, by_name};
use outis_jail::{Engine, Leave};

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
        Action::Jailed(attempt) => (attempt, true),
        Action::Free(attempt) => (attempt, false),
    };
    let Some(way) = by_name(&attempt.name) else {
        eprintln!("outis-adversary: there is no attempt `{}`; see `outis-adversary list`", attempt.name);
        return ExitCode::from(2);
    };
    let (surroundings, canary) = (attempt.surroundings(), Canary::new());
    if jailed {
        let locked = outis_jail::enter_eye(Engine::OnnxRuntime).and_then(outis_jail::EnteredEye::lock);
        if let Err(error) = locked {
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
