//! What becomes of a camera whose programs have ended. A file has been counted; a live camera is started again, after a
//! while that doubles, or as soon as it answers otherwise. Its programs never mend anything: they end, and begin anew.

use std::{collections::BTreeMap, time::Duration};

use outis_record::{Outcome, Progress};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    backoff::{Backoff, Strikes},
    camera::{CameraError, Finish, Order},
    launch::{CameraPlan, Programs},
    probe::{self, Answer},
    run::{Call, Calls, Over, Way, Why, run},
};

/// How often the windows of a camera that is away are looked after.
const BEAT: Duration = Duration::from_secs(1);

/// Runs a camera whose source is a file until that ends or somebody stops it.
///
/// # Errors
/// When nothing of it can be told.
pub(crate) async fn once(
    plan: &CameraPlan,
    programs: &Programs,
    mut way: Way,
    mut calls: Calls,
) -> Result<Finish, CameraError> {
    let Over { end, .. } = run(plan, programs, &mut way, &mut calls).await;
    // An eye that died without a last word leaves its running window behind. How it died is known by now: only of
    // one that nothing speaks against is anything told.
    if let Err(CameraError::Silent(_) | CameraError::Stopped) = end {
        way.finish().await?;
    }
    end
}

/// Runs a live camera until somebody stops it, however often its programs end.
///
/// # Errors
/// When it cannot be run as it is configured, or its eyes broke the rules too often.
pub(crate) async fn again_and_again(
    mut plan: CameraPlan,
    programs: &Programs,
    mut way: Way,
    mut calls: Calls,
) -> Result<Finish, CameraError> {
    let (mut backoff, mut strikes, mut answer) = (Backoff::default(), Strikes::default(), None);
    // The picture that lines were drawn in, where the configuration does not say it: the camera may come back with another.
    let mut picture_px = None;
    loop {
        let scene = plan.scene.clone().or_drawn_in(picture_px);
        let drawn = CameraPlan { scene, ..plan.clone() };
        let Over { why, end, words, counted, picture_px: seen_px } =
            run(&drawn, programs, &mut way, &mut calls).await;
        let grave = end.as_ref().is_err_and(CameraError::is_grave);
        way.rest(grave);
        if !grave && (plan.scene.has_places() || plan.ground.is_some()) {
            picture_px = picture_px.or(seen_px);
        }
        if !counted.is_zero() {
            // It was there: what it answered before is history.
            answer = None;
        }
        let call = match why {
            Why::Called(call) => Some(call),
            _ if end.as_ref().is_err_and(CameraError::is_lasting) => {
                way.finish().await?;
                return end;
            }
            Why::ClockSet => {
                way.reset_clock(&plan).await?;
                None
            }
            Why::Ended | Why::Stuck => {
                way.down(reason(&why, &end, words), grave).await;
                if grave && !strikes.another(Instant::now()) {
                    way.finish().await?;
                    return end;
                }
                let until = Instant::now() + backoff.after(counted);
                wait(&plan, until, &mut answer, &mut way, &mut calls).await?
            }
        };
        match call {
            None => {}
            Some(Call::Order(Order::Change(new))) => {
                way.change(&plan, &new).await?;
                if !new.scene.goes_on_from(&plan.scene) {
                    // All of it was drawn anew, in what is seen now.
                    picture_px = None;
                }
                plan = *new;
                backoff.reset();
            }
            Some(Call::Stop | Call::Order(Order::Leave)) => {
                way.finish().await?;
                return Ok(stopped(end));
            }
        }
    }
}

/// Waits until it is time to start a camera again, or there is news of it, or somebody calls.
async fn wait(
    plan: &CameraPlan,
    until: Instant,
    answer: &mut Option<Answer>,
    way: &mut Way,
    calls: &mut Calls,
) -> Result<Option<Call>, CameraError> {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut news = Box::pin(probe::news(&plan.source, answer));
    loop {
        tokio::select! {
            () = sleep_until(until) => return Ok(None),
            () = &mut news => return Ok(None),
            call = calls.next() => return Ok(Some(call)),
            _ = beat.tick() => {
                if way.clock_was_set() {
                    way.reset_clock(plan).await?;
                }
                way.tick().await?;
            }
        }
    }
}

/// Why a camera is away, in one sentence by who knows best.
fn reason(why: &Why, end: &Result<Finish, CameraError>, words: String) -> String {
    match end {
        Err(error) if error.is_grave() => error.to_string(),
        _ if matches!(why, Why::Stuck) => "its eye told no progress for too long and was ended".into(),
        _ if !words.is_empty() => words,
        Err(error) => error.to_string(),
        Ok(_) => "its stream ended".into(),
    }
}

/// A live camera that was stopped has done what it was there for, whatever its last run came to.
fn stopped(end: Result<Finish, CameraError>) -> Finish {
    let nothing = || Finish {
        outcome: Outcome::Truncated,
        progress: Progress::default(),
        notices: BTreeMap::new(),
        stopped: true,
    };
    Finish { stopped: true, ..end.unwrap_or_else(|_| nothing()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::Breach;

    #[test]
    fn who_knows_best_says_why_a_camera_is_away() {
        let finish = || Ok(stopped(Err(CameraError::Stopped)));
        let cases = [
            (Why::Ended, finish(), "the camera was silent", "the camera was silent"),
            (Why::Ended, finish(), "", "its stream ended"),
            (Why::Stuck, Err(CameraError::Silent("killed".into())), "", "no progress"),
            (Why::Ended, Err(CameraError::UnsupportedCodec), "", "codec"),
            (Why::Ended, Err(CameraError::Breach(Breach::Cell)), "silent", "the eye was stopped"),
            (Why::Stuck, Err(CameraError::KernelStopped("outis-eye")), "", "the kernel stopped outis-eye"),
        ];
        for (why, end, words, part) in cases {
            let said = reason(&why, &end, words.into());
            assert!(said.contains(part), "{why:?}, {end:?}: {said}");
        }
    }
}
