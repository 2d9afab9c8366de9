//! What was drawn, tried on a file: counted as `outis count` does, with the running figures as the page of a watch gets them.

use super::job::Job;
use crate::{
    config,
    launch::{CameraPlan, Pace, Programs},
    live::Live,
    meter::Meter,
    tally::{WHOLE_FILE_MS, tally},
};

/// How often figures come, in media time.
const SNAPSHOT_MS: u32 = 500;

/// Starts to count; the newest figures are JSON.
pub(super) fn start(camera: &config::Camera, programs: Programs) -> Job<String> {
    let plan = CameraPlan {
        pace: Pace::Unpaced,
        window_ms: WHOLE_FILE_MS,
        snapshot_ms: Some(SNAPSHOT_MS),
        ..camera.plan.clone()
    };
    let mut live = Live::new([(camera.name.as_str(), &plan.scene, plan.profile)]);
    Job::start(live.json(), |newest, stop| async move {
        // The terminal is for those who are not at the page.
        let meter = Meter::silent();
        let counted = tally(plan, &programs, &stop, &meter, |event| {
            live.event(0, event);
            newest.tell(live.json());
        })
        .await;
        live.end(0, &counted.map(|counted| counted.finish));
        newest.tell(live.json());
    })
}
