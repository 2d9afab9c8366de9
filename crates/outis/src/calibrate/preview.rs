//! What was drawn, tried on a file: counted as `outis count` does, with the running figures as the page of a watch gets them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    camera::Stop,
    config,
    launch::{CameraPlan, Pace, Programs},
    live::Live,
    meter::Meter,
    tally::{WHOLE_FILE_MS, tally},
};

/// How often figures come, in media time.
const SNAPSHOT_MS: u32 = 500;

/// A try that is running or over. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Preview {
    /// The newest figures, as JSON.
    state: Arc<Mutex<String>>,
    _stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Preview {
    /// Starts to count.
    pub(super) fn start(camera: &config::Camera, programs: Programs) -> Self {
        let plan = CameraPlan {
            pace: Pace::Unpaced,
            window_ms: WHOLE_FILE_MS,
            snapshot_ms: Some(SNAPSHOT_MS),
            ..camera.plan.clone()
        };
        let name = camera.name.as_str().to_owned();
        let mut live = Live::new([(name.as_str(), &plan.scene, plan.profile)]);
        let state = Arc::new(Mutex::new(live.json()));
        let (sender, stop): (_, Stop) = watch::channel(false);
        let told = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let tell = |live: &Live| *told.lock().unwrap_or_else(PoisonError::into_inner) = live.json();
            // The terminal is for those who are not at the page.
            let meter = Meter::silent();
            let counted = tally(plan, &programs, &stop, &meter, |event| {
                live.event(0, event);
                tell(&live);
            })
            .await;
            live.end(0, &counted.map(|counted| counted.finish));
            tell(&live);
        });
        Self { state, _stop: sender, task }
    }

    /// The newest figures.
    pub(super) fn json(&self) -> String {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        // Its programs end with it.
        self.task.abort();
    }
}
