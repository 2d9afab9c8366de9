//! Counts one source as one window, with a progress bar: what `outis count` and `outis demo` share.

use outis_record::{Progress, WindowState};

use crate::{
    camera::{CameraError, Finish, Fleet, Report, Stop},
    detector::{DetectorFiles, Runtime},
    launch::{CameraPlan, Programs},
    meter::Meter,
    release::Event,
    report::notice_sentences,
    scene::Scene,
    view::WindowView,
};

/// One window for a whole file: as long as a window can be, 49 days.
pub(crate) const WHOLE_FILE_MS: u32 = u32::MAX;

/// The totals of one source, and how its run ended.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) window: WindowView,
    pub(crate) finish: Finish,
}

/// Counts the source of a plan whose window is [`WHOLE_FILE_MS`]; `also` hears every event first.
pub(crate) async fn tally(
    plan: CameraPlan,
    programs: &Programs,
    stop: &Stop,
    meter: &Meter,
    mut also: impl FnMut(&Event),
) -> Result<Tally, CameraError> {
    let scene = plan.scene.clone();
    warn_of_runtime(&plan.detector, meter);
    let mut fleet = Fleet::new(programs, stop);
    fleet.begin(0, plan, None);
    let mut window = None;
    let mut picture_seen = false;
    while let Some(report) = fleet.next().await {
        match report {
            Report::Event(_, event) => {
                also(&event);
                match event {
                    Event::Progress(progress) | Event::End(_, progress) => {
                        meter.progress(progress);
                        picture_seen = picture_seen || warn_of_outside(&scene, progress, meter);
                    }
                    Event::Window(view) if view.state == WindowState::Open => meter.totals(&view),
                    Event::Window(view) => window = Some(view),
                    Event::Draft(_) | Event::Notice(..) | Event::Alert(_) | Event::GroundView(..) => {}
                }
            }
            // A file is not started again, and its plan does not change; nobody can pause it here.
            Report::Alive(_)
            | Report::Down { .. }
            | Report::SubstreamAway { .. }
            | Report::Paused(_)
            | Report::Resumed(_)
            | Report::ClockSet(_)
            | Report::Changed(..) => {}
            Report::End(_, end) => {
                meter.finish();
                let finish = end?;
                for sentence in notice_sentences(&finish.notices) {
                    meter.warn(&sentence);
                }
                let window = window.ok_or_else(|| CameraError::Silent("it told no totals".into()))?;
                return Ok(Tally { window, finish });
            }
        }
    }
    Err(CameraError::Silent("it told nothing".into()))
}

/// Warns of a runtime that takes its time.
pub(crate) fn warn_of_runtime(detector: &DetectorFiles, meter: &Meter) {
    if detector.runtime == Runtime::BuiltIn {
        meter.warn("ONNX Runtime is not in the cache; the built-in one takes twice the time (`make models`)");
    }
}

/// Warns of misplaced lines and zones once the size of the picture is known; false until then.
fn warn_of_outside(scene: &Scene, progress: Progress, meter: &Meter) -> bool {
    let known = progress.width_px > 0;
    if known {
        for warning in scene.outside_warnings(progress.width_px, progress.height_px) {
            meter.warn(&warning);
        }
    }
    known
}
