//! `outis speak`: has the messages of a configuration spoken into files, so that they can be heard before they are
//! needed, on a machine that may have no engine later.

use std::path::PathBuf;

use clap::Args;

use crate::{
    config,
    detector::Cache,
    exit::{Exit, UsageError},
};

/// Have the messages of the loudspeakers spoken into files, and list them
#[derive(Debug, Args)]
pub(crate) struct SpeakArgs {
    /// The configuration file; see docs/ref/config.md
    config: PathBuf,
}

/// Speaks what has not been spoken yet.
pub(crate) fn run(arguments: &SpeakArgs) -> anyhow::Result<Exit> {
    let setup = config::load_to_describe(&arguments.config, &Cache::from_env())?;
    let Some(speaker) = setup.speaker else {
        return Err(
            UsageError::new("there is nothing to say: the configuration has no section [speaker]").into()
        );
    };
    for line in speaker.messages.speak()? {
        println!("{line}");
    }
    Ok(Exit::Whole)
}
