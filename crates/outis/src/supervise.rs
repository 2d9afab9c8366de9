//! What becomes of a camera whose programs have ended. A file has been counted; a live camera is started again, after a
//! while that doubles, or as soon as it answers otherwise. Its programs never mend anything: they end, and begin anew.
//! Whoever finds a camera's ground does that once, of a file or of a live camera.

use std::collections::BTreeMap;

use outis_record::{Outcome, Progress};
use tokio::time::{Instant, sleep_until};

use crate::{
    backoff::{Backoff, Strikes},
    camera::{CameraError, Finish, Order},
    launch::{CameraPlan, Pace, Programs},
    probe::{self, Answer},
    run::{Call, Calls, Over, Way, Why, run},
};

/// Runs a camera until its source ends or somebody stops it: a file, or a live camera whose ground is to be found. While it is
/// paused a film runs on.
///
/// # Errors
/// When nothing of it can be told.
pub(crate) async fn once(
    plan: &CameraPlan,
    programs: &Programs,
    mut way: Way,
    mut calls: Calls,
) -> Result<Finish, CameraError> {
    let mut film = Film::new(plan.pace);
    let (mut paused, mut was_paused) = (calls.paused().is_some(), false);
    let end = loop {
        if paused {
            let from_ms = film.at_ms(Instant::now());
            // To a file there is no other call than to end.
            if pause(plan, &mut way, &mut calls).await?.is_some() {
                break Err(CameraError::Stopped);
            }
            if film.begun.is_some() {
                was_paused = true;
                way.skip(from_ms, film.at_ms(Instant::now()));
            }
        }
        film.begun.get_or_insert_with(Instant::now);
        match run(plan, programs, &mut way, &mut calls).await {
            // What speaks against its programs ends it, whenever it comes.
            Over { why: Why::Called(Call::Pause), end, .. }
                if !end.as_ref().is_err_and(CameraError::is_grave) =>
            {
                paused = true;
            }
            Over { end, .. } => break end,
        }
    };
    // An eye that died without a last word leaves its running window behind. How it died is known by now: only of
    // one that nothing speaks against is anything told. A film may also end while nobody looks.
    let ended_unseen = was_paused && matches!(end, Err(CameraError::NothingDecoded { .. }));
    if ended_unseen || matches!(end, Err(CameraError::Silent(_) | CameraError::Stopped)) {
        way.finish().await?;
    }
    match end {
        Err(_) if ended_unseen => Ok(Finish { stopped: false, ..stopped(end) }),
        Err(CameraError::Stopped) if was_paused => Ok(stopped(end)),
        Ok(finish) if was_paused => Ok(Finish { outcome: Outcome::Truncated, ..finish }),
        end => end,
    }
}

/// Where a film is for somebody who never looks away.
#[derive(Debug)]
struct Film {
    speed: f64,
    begun: Option<Instant>,
}

impl Film {
    fn new(pace: Pace) -> Self {
        let speed = match pace {
            Pace::Times(times) => times,
            // It has no time of its own, and goes on as if it were played.
            Pace::Unpaced => 1.0,
        };
        Self { speed, begun: None }
    }

    /// In milliseconds from its beginning. Its programs take a while to start, so they are never farther.
    fn at_ms(&self, now: Instant) -> u64 {
        let Some(begun) = self.begun else { return 0 };
        (1000.0 * self.speed * now.saturating_duration_since(begun).as_secs_f64()) as u64
    }
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
    // Whoever asked for a pause before a crash has it still.
    let mut paused = calls.paused().is_some();
    loop {
        let (mut call, end) = match paused {
            true => (Some(Call::Pause), Err(CameraError::Stopped)),
            false => {
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
                    Why::Called(Call::Pause) if grave => {
                        way.down(reason(&why, &end, words), grave).await;
                        if !strikes.another(Instant::now()) {
                            way.finish().await?;
                            return end;
                        }
                        Some(Call::Pause)
                    }
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
                (call, end)
            }
        };
        if let Some(Call::Pause) = call {
            call = pause(&plan, &mut way, &mut calls).await?;
            backoff.reset();
        }
        match call {
            None | Some(Call::Pause) => {}
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
        paused = calls.paused().is_some();
    }
}

/// Nothing of a camera is looked at until its pause is over, or somebody calls.
async fn pause(plan: &CameraPlan, way: &mut Way, calls: &mut Calls) -> Result<Option<Call>, CameraError> {
    let mut beat = way.beat();
    let mut shown = None;
    loop {
        tokio::select! {
            call = calls.hold() => {
                if call.is_none() {
                    way.resume().await;
                }
                return Ok(call);
            }
            _ = beat.tick() => {
                if way.clock_was_set() {
                    way.reset_clock(plan).await?;
                }
                // Somebody may have asked for more meanwhile, or the clock is another.
                if let Some(until) = calls.paused() {
                    way.pause(until);
                    if shown.replace(until) != Some(until) {
                        way.paused().await;
                    }
                }
                way.tick().await?;
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
    let mut beat = way.beat();
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
