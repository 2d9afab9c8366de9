//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::camera::Stop;

/// What a shell expects of a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Listens for the signals from now on.
pub(crate) fn on_signals() -> io::Result<Stop> {
    let (sender, stop) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if sender.send_replace(true) {
                // The programs of the cameras notice by their broken pipes.
                std::process::exit(INTERRUPTED);
            }
        }
    });
    Ok(stop)
}
