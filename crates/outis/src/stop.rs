//! Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once. SIGHUP asks to read the
//! configuration again.

use std::io::{self, IsTerminal};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::camera::Stop;

/// What a shell expects of a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Listens for the signals from now on.
pub(crate) fn on_signals() -> io::Result<Stop> {
    Ok(listen()?.1)
}

/// Asks to read the configuration again.
#[derive(Debug)]
pub(crate) struct Reload {
    hangup: Signal,
    /// Whether the program was started at a terminal.
    terminal: bool,
    stop: watch::Sender<bool>,
}

/// Listens for the signals, SIGHUP among them, from now on.
pub(crate) fn on_signals_and_reload() -> io::Result<(Stop, Reload)> {
    let hangup = signal(SignalKind::hangup())?;
    let (sender, stop) = listen()?;
    Ok((stop, Reload { hangup, terminal: io::stderr().is_terminal(), stop: sender }))
}

impl Reload {
    /// Waits until somebody asks. May be dropped while it waits.
    pub(crate) async fn asked(&mut self) {
        loop {
            if self.hangup.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            if !self.terminal || io::stderr().is_terminal() {
                return;
            }
            // The terminal itself was closed: nobody asks for a reload, and nobody looks on.
            self.stop.send_replace(true);
        }
    }
}

fn listen() -> io::Result<(watch::Sender<bool>, Stop)> {
    let (sender, stop) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stopper = sender.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stopper.send_replace(true) {
                // The programs of the cameras notice by their broken pipes.
                std::process::exit(INTERRUPTED);
            }
        }
    });
    Ok((sender, stop))
}
