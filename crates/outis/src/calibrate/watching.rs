//! People are watched until enough of them have walked by, and the eye then says how the camera hangs: what the page and the
//! terminal share.
//!
//! A file is watched to its end, a live camera for the longest time, and either until somebody says that it is enough. There is
//! one eye, because what it gathers is in itself alone: when a camera breaks off, who was seen until then is used.

use std::{future::pending, time::Duration};

use outis_record::{Class, GroundQuality, GroundView, Notice, Outcome, Profile};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    alert::AlertPlan,
    camera::{CameraError, Finish, Fleet, Report, Stop},
    detector::DetectorFiles,
    ground::FindGround,
    launch::{CameraPlan, Looks, Pace, Programs},
    release::Event,
    scene::Scene,
    source::Source,
    tally::WHOLE_FILE_MS,
};

/// The fewest people of whom an eye makes a ground plane.
pub(super) const PEOPLE_MIN: u32 = 15;

/// For so long a live camera is watched at most, unless somebody says otherwise.
pub(super) const LONGEST_S: u32 = 1800;

/// How often progress is told of a file, in media time.
const SNAPSHOT_MS: u32 = 500;

/// A live camera's windows are as long as those of `outis watch`. Nobody is told them.
const WINDOW_MS: u32 = 900_000;

/// How far the watching has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// So much of a file that is so long; 0 when nobody knows how long. A live camera is watched for as long as it takes.
    Watching { media_ms: u64, duration_ms: u64 },
    /// It was enough, and the eye fits.
    Fitting,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Watched {
    /// Where the ground is, and where in the picture it is known well; `None` when those who were seen do not tell it.
    pub(super) ground: Option<(GroundView, GroundQuality)>,
    /// Whether the source ended before anybody said that it was enough, and before its own end, if it has one.
    pub(super) broke_off: bool,
    pub(super) finish: Finish,
}

impl Watched {
    /// Whether the machine was too slow, and a fifth of all looks or more was left out for it.
    pub(super) fn was_slow(&self) -> bool {
        let Finish { notices, progress, .. } = &self.finish;
        let due = Looks::DEFAULT_PER_SECOND * progress.media_ms / 1000;
        notices.contains_key(&Notice::Behind) && 5 * u64::from(progress.looks) < 4 * due
    }

    /// How many seconds of video were watched.
    pub(super) fn seconds(&self) -> u64 {
        self.finish.progress.media_ms / 1000
    }
}

/// How a source is watched to find the ground. Of a live camera no exact figure is made, as it is nowhere.
pub(super) fn plan(source: Source, detector: DetectorFiles, focal_px: Option<f64>) -> CameraPlan {
    let (profile, window_ms, snapshot_ms) = match source.is_live() {
        true => (Profile::Statistics, WINDOW_MS, None),
        false => (Profile::Exact, WHOLE_FILE_MS, Some(SNAPSHOT_MS)),
    };
    CameraPlan {
        source,
        substream: None,
        pace: Pace::Unpaced,
        detector,
        looks: Looks::DEFAULT,
        inference_ms: None,
        classes: vec![Class::Person],
        scene: Scene::default(),
        ground: None,
        find_ground: Some(FindGround { focal_px }),
        flows: false,
        profile,
        window_ms,
        snapshot_ms,
        alerts: AlertPlan::default(),
    }
}

/// Watches until the source is over, `stop` is true, or a live camera was watched for the longest time, of which it hears.
///
/// # Errors
/// When nobody was watched: the source cannot be opened or decoded, or its eye said nothing at its end.
pub(super) async fn watch(
    plan: CameraPlan,
    longest: Duration,
    programs: &Programs,
    stop: &Stop,
    mut hear: impl FnMut(Stage),
) -> Result<Watched, CameraError> {
    let mut stop = stop.clone();
    let live = plan.source.is_live();
    let (enough, until) = watch::channel(false);
    let mut fleet = Fleet::new(programs, &until);
    fleet.begin(0, plan, None);
    let (mut ground, mut fitting) = (None, false);
    // When its eye first looked: a camera's time is everybody's.
    let mut began: Option<Instant> = None;
    loop {
        let due = began.map(|began| began + longest);
        let report = tokio::select! {
            report = fleet.next() => report,
            () = asked(&mut stop, due), if !fitting => {
                fitting = true;
                enough.send_replace(true);
                hear(Stage::Fitting);
                continue;
            }
        };
        match report {
            Some(Report::Event(_, Event::GroundView(view, quality))) => ground = Some((view, quality)),
            Some(Report::Event(_, Event::Progress(progress))) if !live && !fitting => {
                hear(Stage::Watching { media_ms: progress.media_ms, duration_ms: progress.duration_ms });
            }
            // What the eye of a live camera says of its progress is told once a minute; that it is at work, each second.
            Some(Report::Alive(_)) if live && !fitting => {
                let began = began.get_or_insert_with(Instant::now);
                let media_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                hear(Stage::Watching { media_ms, duration_ms: 0 });
            }
            Some(Report::End(_, end)) => {
                let finish = end?;
                let broke_off = !finish.stopped && (live || finish.outcome == Outcome::Truncated);
                return Ok(Watched { ground, broke_off, finish });
            }
            Some(_) => {}
            None => return Err(CameraError::Silent("it told nothing".into())),
        }
    }
}

/// Waits until somebody says that it is enough, or for the longest time. May be dropped while it waits.
async fn asked(stop: &mut Stop, due: Option<Instant>) {
    let said = async {
        if stop.wait_for(|&stop| stop).await.is_err() {
            // Nobody can say so any more.
            pending::<()>().await;
        }
    };
    let late = async {
        match due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = said => {}
        () = late => {}
    }
}
