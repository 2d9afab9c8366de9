//! Puts on record that somebody is shown a picture of the street, before it is shown.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use outis_ledger::{Entry, Ledger, LedgerError, Readers, What, hand_in};
use tokio::time::sleep;

use crate::books::moment;

/// How long the door may take that has the log open; it looks once a second.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);

/// Logs it in the state folder of this device, by the door if one runs there.
///
/// # Errors
/// When it cannot be logged: then the picture must not be shown.
pub(super) async fn still(folder: &Path, camera: &str, moments: u32) -> anyhow::Result<()> {
    let began = Instant::now();
    let now = moment(began);
    let moments = u64::from(moments);
    // Nothing that is there is dropped, and no window is written.
    match Ledger::open(folder, u64::MAX, Readers::Owner, now) {
        Ok(mut ledger) => Ok(ledger.still(camera, moments, now)?),
        Err(LedgerError::InUse(_)) => {
            let what = What::Still { camera: camera.to_owned(), moments };
            let handed = hand_in(folder, &Entry { at_s: now.wall_s, what })?;
            while !handed.is_logged() {
                if began.elapsed() > PATIENCE {
                    handed.take_back();
                    anyhow::bail!(
                        "the `outis watch` that has the log in {} open did not put it on record; see what it says, or name another folder with --state",
                        folder.display()
                    );
                }
                sleep(POLL).await;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
