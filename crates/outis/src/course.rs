//! Whether what an eye says comes when it can come: not too often, not too early, not too late.
//!
//! An eye that was taken over could speak through the number and the moments of its records. An honest one tells
//! its progress by a fixed step of media time, each kind of fault once between two other records, a window once
//! its decisions are taken, and nothing ahead of the clock of a source that is played at a fixed speed.

use std::time::{Duration, SystemTime};

use outis_record::{Notice, Progress, Window, WindowState};

/// Without snapshots, progress is told this often, in milliseconds of media time.
const PROGRESS_MS: u64 = 1000;

/// Progress that may be told beyond one each step: at the beginning, at the end, and while nothing moves.
const PROGRESS_SPARE: u64 = 4;

/// Decisions wait up to two seconds for later evidence; after this, in milliseconds of media time that were also
/// looked at, a window is late.
const LAG_MAX_MS: u64 = 4_000;

/// How far media time may be ahead of a paced source's clock: what lies in pipes and queues, and clocks that differ.
const AHEAD_MAX: Duration = Duration::from_secs(60);
const AHEAD_SHARE: f64 = 0.05;

/// No longer than this does a video go on without a key frame, in milliseconds.
const KEY_GAP_MAX_MS: i64 = 600_000;

/// How far the times of a live camera may be from this program's: their clocks are one, but what is read from it waits
/// in pipes and queues, and a camera's own timestamps run up to two seconds off.
const CLOCK_SLACK_MS: i64 = 5_000;

/// What is foreseen of one eye's timing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Timing {
    /// Length of a window in milliseconds.
    pub(crate) window_ms: u32,
    /// Milliseconds of media time between running totals; without, there are none.
    pub(crate) snapshot_ms: Option<u32>,
    /// What the windows count from.
    pub(crate) origin: Origin,
    /// How fast the source is played, where its clock is to be trusted no further.
    pub(crate) speed_max: Option<f64>,
}

/// What the windows' clock says at media time zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Windows of a file count from its first frame.
    FirstFrame,
    /// The same of a file of which everything before this place was left out, in milliseconds; the first key frame after it
    /// comes a while later.
    Later { from_ms: i64 },
    /// Windows of a live camera are those of the wall clock, which said this when its programs were started, in
    /// milliseconds from the Unix epoch. Its first frame came a while later; the eye knows when.
    Wall { start_ms: i64 },
}

impl Origin {
    /// Windows of the wall clock, of programs that are started now.
    pub(crate) fn now() -> Self {
        Self::Wall { start_ms: unix_ms(SystemTime::now()) }
    }
}

/// Milliseconds from the Unix epoch; 0 for a clock that was never set.
pub(crate) fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The course of one run so far.
#[derive(Debug)]
pub(crate) struct Course {
    timing: Timing,
    /// The wall clock at media time zero, at the earliest and at the latest; 0 for files.
    origin_ms: (i64, i64),
    heard: bool,
    newest: Progress,
    progress_count: u64,
    snapshot_since_progress: bool,
    /// Kinds of notices since the last other record.
    noticed: Vec<Notice>,
    finished: Option<Window>,
    /// Media time as it was known when the newest alert came.
    alerted_ms: Option<u64>,
    over: bool,
    lateness: Lateness,
}

/// How long the end of the window that is to come next has been past.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Lateness {
    #[default]
    Running,
    /// Its end is past; so many looks had been taken then.
    Past { looks: u32 },
    /// Since this media time a look after its end has certainly been taken.
    Looked { media_ms: u64 },
    /// Decisions have had their time; the next look must bring it.
    Due { looks: u32 },
}

/// A record at a moment at which none is foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Untimely {
    #[error("it told its progress more often than is foreseen")]
    Progress,
    #[error("its progress ran backwards, or it looked at more frames than there were")]
    Backwards,
    #[error("its time ran ahead of its source's")]
    Ahead,
    #[error("it told running totals, or told them again without progress")]
    Snapshot,
    #[error("it told a kind of fault twice in a row")]
    Notice,
    #[error("it gave alerts more often than is foreseen")]
    Alert,
    #[error("it left out a window")]
    Skipped,
    #[error("it finished a window before its end")]
    Early,
    #[error("it told a window too late")]
    Late,
    #[error("it went on after a window that ended with the source")]
    AfterLast,
    #[error("it told a window of another time than the present")]
    Elsewhere,
}

impl Course {
    pub(crate) fn new(timing: Timing) -> Self {
        let origin_ms = match timing.origin {
            Origin::FirstFrame => (0, 0),
            Origin::Later { from_ms } => (from_ms, from_ms.saturating_add(KEY_GAP_MAX_MS)),
            Origin::Wall { start_ms } => (start_ms, start_ms),
        };
        Self {
            timing,
            origin_ms,
            heard: false,
            newest: Progress::default(),
            progress_count: 0,
            snapshot_since_progress: false,
            noticed: Vec::new(),
            finished: None,
            alerted_ms: None,
            over: false,
            lateness: Lateness::Running,
        }
    }

    /// Takes a report of progress, so long after the start of the programs.
    pub(crate) fn progress(&mut self, progress: Progress, elapsed: Duration) -> Result<(), Untimely> {
        self.hear(elapsed);
        self.advance(progress, elapsed)?;
        if self.over {
            return Err(Untimely::AfterLast);
        }
        self.noticed.clear();
        self.snapshot_since_progress = false;
        self.progress_count += 1;
        let snapshots = self.timing.snapshot_ms.map_or(0, |ms| progress.media_ms / u64::from(ms.max(1)));
        let foreseen = (PROGRESS_SPARE + progress.media_ms / PROGRESS_MS).saturating_add(snapshots);
        if self.progress_count > foreseen {
            return Err(Untimely::Progress);
        }
        self.lateness = self.lateness.after(progress, self.next_end_ms());
        if self.lateness == Lateness::Running { Ok(()) } else { self.lateness.judge(progress) }
    }

    /// Takes the last word.
    pub(crate) fn end(&mut self, progress: Progress, elapsed: Duration) -> Result<(), Untimely> {
        self.advance(progress, elapsed)
    }

    /// Takes a notice.
    pub(crate) fn notice(&mut self, notice: Notice) -> Result<(), Untimely> {
        if self.noticed.contains(&notice) {
            return Err(Untimely::Notice);
        }
        self.noticed.push(notice);
        Ok(())
    }

    /// Takes an alert, of which any two are so far apart in media time. What of that is known is the newest progress, which
    /// is told before an alert and each second.
    pub(crate) fn alert(&mut self, gap_ms: u32) -> Result<(), Untimely> {
        if self.over {
            return Err(Untimely::AfterLast);
        }
        self.noticed.clear();
        let now_ms = self.newest.media_ms;
        let early = |last_ms: u64| now_ms + PROGRESS_MS < last_ms.saturating_add(gap_ms.into());
        if self.alerted_ms.is_some_and(early) {
            return Err(Untimely::Alert);
        }
        self.alerted_ms = Some(now_ms);
        Ok(())
    }

    /// Takes a whole window that is one of the configured ones.
    pub(crate) fn window(
        &mut self,
        window: Window,
        state: WindowState,
        elapsed: Duration,
    ) -> Result<(), Untimely> {
        self.hear(elapsed);
        if let Origin::Wall { start_ms } = self.timing.origin {
            let now_ms = wall_ms(start_ms, elapsed).saturating_add(CLOCK_SLACK_MS);
            let then_ms = start_ms.saturating_sub(CLOCK_SLACK_MS);
            if window.start_ms() > now_ms || window.end_ms() < then_ms {
                return Err(Untimely::Elsewhere);
            }
            if state == WindowState::Closed && window.end_ms() > now_ms {
                return Err(Untimely::Early);
            }
        }
        if self.over {
            return Err(Untimely::AfterLast);
        }
        self.noticed.clear();
        if state == WindowState::Open {
            let foreseen = self.timing.snapshot_ms.is_some() && !self.snapshot_since_progress;
            self.snapshot_since_progress = true;
            return if foreseen { Ok(()) } else { Err(Untimely::Snapshot) };
        }
        if self.finished.is_some_and(|finished| window.start_ms() != finished.end_ms()) {
            return Err(Untimely::Skipped);
        }
        self.over = state == WindowState::Partial;
        self.finished = Some(window);
        self.lateness = Lateness::Running;
        Ok(())
    }

    /// At its first word an eye has seen its first frame.
    fn hear(&mut self, elapsed: Duration) {
        if let (Origin::Wall { start_ms }, false) = (self.timing.origin, self.heard) {
            let now_ms = wall_ms(start_ms, elapsed);
            self.origin_ms = (start_ms.saturating_sub(CLOCK_SLACK_MS), now_ms.saturating_add(CLOCK_SLACK_MS));
        }
        self.heard = true;
    }

    fn advance(&mut self, progress: Progress, elapsed: Duration) -> Result<(), Untimely> {
        let Progress { media_ms, frames, looks, .. } = progress;
        let newest = self.newest;
        let forward = media_ms >= newest.media_ms && frames >= newest.frames && looks >= newest.looks;
        if !forward || looks > frames {
            return Err(Untimely::Backwards);
        }
        if let Some(speed) = self.timing.speed_max {
            let reached_s = elapsed.as_secs_f64() * speed * (1.0 + AHEAD_SHARE);
            if media_ms as f64 / 1000.0 > reached_s + AHEAD_MAX.as_secs_f64() * speed.max(1.0) {
                return Err(Untimely::Ahead);
            }
        }
        // A closed window came just before this: its end must be past by now.
        let early = |finished: Window| media_ms < media_ms_at(finished.end_ms(), self.origin_ms.1);
        if !self.over && self.finished.is_some_and(early) {
            return Err(Untimely::Early);
        }
        self.newest = progress;
        Ok(())
    }

    /// The media time at which the window that is to come next ends, at the latest.
    fn next_end_ms(&self) -> u64 {
        let window_ms = self.timing.window_ms;
        let (earliest_ms, latest_ms) = self.origin_ms;
        let next = match self.finished {
            Some(finished) => Window::new(finished.end_ms(), window_ms),
            None => Window::containing(latest_ms, window_ms),
        };
        next.map_or(u64::MAX, |next| media_ms_at(next.end_ms(), earliest_ms))
    }
}

/// The media time at a moment of the windows' clock.
fn media_ms_at(at_ms: i64, origin_ms: i64) -> u64 {
    u64::try_from(at_ms.saturating_sub(origin_ms)).unwrap_or(0)
}

fn wall_ms(start_ms: i64, elapsed: Duration) -> i64 {
    start_ms.saturating_add(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

impl Lateness {
    fn after(self, progress: Progress, end_ms: u64) -> Self {
        let Progress { media_ms, looks, .. } = progress;
        match self {
            Self::Running if media_ms >= end_ms => Self::Past { looks },
            Self::Past { looks: then } if looks > then => Self::Looked { media_ms },
            Self::Looked { media_ms: then } if media_ms >= then.saturating_add(LAG_MAX_MS) => {
                Self::Due { looks }
            }
            same => same,
        }
    }

    fn judge(self, progress: Progress) -> Result<(), Untimely> {
        match self {
            Self::Due { looks } if progress.looks > looks => Err(Untimely::Late),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing =
        Timing { window_ms: 10_000, snapshot_ms: Some(500), origin: Origin::FirstFrame, speed_max: None };

    /// What an eye may say, short enough for a table. Times in milliseconds.
    #[derive(Debug, Clone, Copy)]
    enum Said {
        /// Media time; frames and looks are as at 10 and 5 a second.
        Progress(u64),
        /// Media time and looks.
        Looks(u64, u32),
        Open(i64),
        Closed(i64),
        Partial(i64),
        Notice(Notice),
        /// At most one in ten seconds.
        Alert,
        End(u64),
    }
    use Said::{Alert, Closed, End, Looks, Open, Partial};

    fn check(timing: Timing, said: &[Said]) -> Result<(), Untimely> {
        let mut course = Course::new(timing);
        let at = |media_ms: u64, looks: u32| Progress {
            media_ms,
            frames: u32::try_from(media_ms / 100).unwrap(),
            looks,
            ..Progress::default()
        };
        let by_time = |media_ms| at(media_ms, u32::try_from(media_ms / 200).unwrap());
        let window = |start_ms| Window::new(start_ms, timing.window_ms).unwrap();
        for &said in said {
            match said {
                Said::Progress(ms) => course.progress(by_time(ms), Duration::ZERO),
                Looks(ms, looks) => course.progress(at(ms, looks), Duration::ZERO),
                Open(start_ms) => course.window(window(start_ms), WindowState::Open, Duration::ZERO),
                Closed(start_ms) => course.window(window(start_ms), WindowState::Closed, Duration::ZERO),
                Partial(start_ms) => course.window(window(start_ms), WindowState::Partial, Duration::ZERO),
                Said::Notice(notice) => course.notice(notice),
                Alert => course.alert(10_000),
                End(ms) => course.end(by_time(ms), Duration::ZERO),
            }?;
        }
        Ok(())
    }

    #[test]
    fn table_of_courses() {
        use Said::Progress;
        let quiet = Timing { snapshot_ms: None, ..TIMING };
        let (damaged, jump) = (Notice::DamagedPacket, Notice::TimestampJump);
        let seconds = |range: std::ops::Range<u64>| range.map(|s| Progress(1000 * s)).collect::<Vec<_>>();
        /// Name, timing, what is said, and what comes of it.
        type Case = (&'static str, Timing, Vec<Said>, Result<(), Untimely>);
        let cases: [Case; 23] = [
            (
                "a run",
                TIMING,
                vec![Open(0), Progress(0), Open(0), Progress(500), Partial(0), End(700)],
                Ok(()),
            ),
            (
                "a window in time",
                quiet,
                [seconds(0..13), vec![Closed(0), Progress(13_000), Progress(14_000)]].concat(),
                Ok(()),
            ),
            ("a window too late", quiet, seconds(0..18), Err(Untimely::Late)),
            ("a detector that fails", quiet, (1..40).map(|s| Looks(1000 * s, 5)).collect(), Ok(())),
            (
                "a window too early",
                quiet,
                vec![Progress(0), Closed(0), Progress(9_999)],
                Err(Untimely::Early),
            ),
            ("a window left out", quiet, vec![Closed(0), Closed(20_000)], Err(Untimely::Skipped)),
            ("two windows after a gap", quiet, vec![Closed(0), Closed(10_000), Progress(21_000)], Ok(())),
            ("too much progress", quiet, vec![Progress(0); 6], Err(Untimely::Progress)),
            ("backwards", quiet, vec![Progress(2_000), Progress(1_000)], Err(Untimely::Backwards)),
            ("more looks than frames", quiet, vec![Looks(1_000, 11)], Err(Untimely::Backwards)),
            ("running totals nobody asked for", quiet, vec![Open(0)], Err(Untimely::Snapshot)),
            ("running totals twice", TIMING, vec![Open(0), Open(0)], Err(Untimely::Snapshot)),
            ("two kinds of faults", quiet, vec![Said::Notice(damaged), Said::Notice(jump), End(0)], Ok(())),
            (
                "faults between progress",
                quiet,
                vec![Said::Notice(damaged), Progress(0), Said::Notice(damaged)],
                Ok(()),
            ),
            (
                "a fault twice",
                quiet,
                vec![Said::Notice(damaged), Said::Notice(damaged)],
                Err(Untimely::Notice),
            ),
            (
                "progress after the last window",
                quiet,
                vec![Partial(0), Progress(0)],
                Err(Untimely::AfterLast),
            ),
            ("a window after the last", quiet, vec![Partial(0), Closed(10_000)], Err(Untimely::AfterLast)),
            (
                "an alert, and one in its turn",
                quiet,
                vec![Progress(1_000), Alert, Progress(10_000), Alert],
                Ok(()),
            ),
            (
                "alerts too often",
                quiet,
                vec![Progress(1_000), Alert, Progress(9_999), Alert],
                Err(Untimely::Alert),
            ),
            ("an alert twice", quiet, vec![Alert, Alert], Err(Untimely::Alert)),
            ("an alert after the last window", quiet, vec![Partial(0), Alert], Err(Untimely::AfterLast)),
            ("the end goes back", quiet, vec![Progress(5_000), End(4_000)], Err(Untimely::Backwards)),
            ("the last window is short", quiet, vec![Progress(1_000), Partial(0), End(1_100)], Ok(())),
        ];
        for (name, timing, said, expected) in cases {
            assert_eq!(check(timing, &said), expected, "{name}");
        }
    }

    #[test]
    fn windows_of_a_live_camera_are_of_the_present() {
        // Started 3 s before the end of the window that begins at 90 s; the first word came 2 s later.
        let timing = Timing {
            snapshot_ms: Some(500),
            origin: Origin::Wall { start_ms: 97_000 },
            speed_max: Some(1.0),
            ..TIMING
        };
        let window = |start_ms| Window::new(start_ms, 10_000).unwrap();
        let at = |course: &mut Course, s: u64, start_ms, state| {
            let elapsed = Duration::from_secs(s);
            let progress = Progress {
                media_ms: 1000 * s,
                frames: 99,
                looks: u32::try_from(s).unwrap(),
                ..Progress::default()
            };
            course.window(window(start_ms), state, elapsed)?;
            course.progress(progress, elapsed)
        };
        let open = |course: &mut Course, s, start_ms| at(course, s, start_ms, WindowState::Open);
        let closed = |course: &mut Course, s, start_ms| at(course, s, start_ms, WindowState::Closed);
        let begun = || {
            let mut course = Course::new(timing);
            open(&mut course, 2, 90_000).unwrap();
            course
        };
        assert_eq!(closed(&mut begun(), 5, 90_000), Ok(()));
        assert_eq!(open(&mut begun(), 3, 110_000), Err(Untimely::Elsewhere), "a window to come");
        assert_eq!(open(&mut begun(), 3, 80_000), Err(Untimely::Elsewhere), "one that was over before");
        let mut course = begun();
        closed(&mut course, 5, 90_000).unwrap();
        assert_eq!(closed(&mut course, 7, 100_000), Err(Untimely::Early));
        // Its second window is over 13 s after the start; with the slack of clocks and decisions it is late at 23.
        let mut course = begun();
        closed(&mut course, 5, 90_000).unwrap();
        let late = (6..40).find(|&s| open(&mut course, s, 100_000).is_err()).unwrap();
        assert!((20..=26).contains(&late), "{late}");
    }

    #[test]
    fn nothing_runs_ahead_of_a_paced_source() {
        let timing = Timing { speed_max: Some(2.0), snapshot_ms: None, ..TIMING };
        let at = |media_s: u64, elapsed_s| {
            let progress = Progress { media_ms: 1000 * media_s, ..Progress::default() };
            Course::new(timing).progress(progress, Duration::from_secs(elapsed_s))
        };
        assert_eq!(at(3_000, 1_500), Ok(()));
        assert_eq!(at(3_260, 1_500), Ok(()));
        assert_eq!(at(3_290, 1_500), Err(Untimely::Ahead));
    }
}
