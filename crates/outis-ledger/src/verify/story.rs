//! Do the entries tell one story: runs that follow each other, windows numbered without a gap, true daily roots?

use super::{Kind, Report, tree::Entries};
use crate::{Digest, What, root};

/// A window, as the log knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logged {
    pub(super) envelope: Digest,
    /// How many runs had begun when it was logged.
    pub(super) runs: usize,
}

/// What the log says, taken together.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// By their numbers, from 0 on.
    pub(super) windows: Vec<Logged>,
    /// The configuration of each run.
    pub(super) configurations: Vec<Option<Digest>>,
    /// The first window that was not dropped.
    pub(super) dropped_to: u64,
}

impl Story {
    /// The configuration in force.
    pub(super) fn configuration(&self) -> Option<Digest> {
        self.configurations.last().copied().flatten()
    }
}

pub(super) fn check(entries: &Entries, report: &mut Report) -> Story {
    let mut story = Story::default();
    let mut day = Vec::new();
    let mut newest_s = i64::MIN;
    let mut running = false;
    // Lines are drawn before anything is counted: that is the one thing that may come before a start.
    let first = entries.entries.iter().position(|entry| !matches!(entry.what, What::Still { .. }));
    for (index, entry) in entries.entries.iter().enumerate() {
        let mut wrong =
            |sentence: String| report.find(Kind::Inconsistent, format!("entry {index}"), sentence);
        let is_clock = matches!(entry.what, What::Clock { .. });
        if entry.at_s < newest_s && !is_clock {
            wrong(format!(
                "it is of {} s before the one before it, and the log does not say that the clock was set",
                newest_s.saturating_sub(entry.at_s)
            ));
        }
        newest_s = entry.at_s;
        if first == Some(index) && !matches!(entry.what, What::Start { .. }) {
            wrong("the log does not begin with a start".into());
        }
        match &entry.what {
            What::Start { run, .. } => {
                if *run != story.configurations.len() as u64 {
                    wrong(format!(
                        "it is the start of run {run}, and run {} should begin",
                        story.configurations.len()
                    ));
                }
                if entry.what.configuration().is_none() {
                    wrong("the start declares no configuration".into());
                }
                story.configurations.push(entry.what.configuration());
                report.interrupted += u64::from(running);
                running = true;
            }
            What::Stop { run } => {
                if !running || run.checked_add(1) != Some(story.configurations.len() as u64) {
                    wrong(format!("run {run} was not running"));
                }
                running = false;
            }
            What::Window { sequence, envelope } => {
                if *sequence != story.windows.len() as u64 {
                    wrong(format!(
                        "it logs window {sequence}, and window {} should follow",
                        story.windows.len()
                    ));
                }
                story.windows.push(Logged { envelope: *envelope, runs: story.configurations.len() });
                day.push(*envelope);
            }
            What::Day { windows, root: logged, .. } => {
                if (*windows, *logged) != (day.len() as u64, root(&day)) {
                    wrong("the daily root is not the one of the day's windows".into());
                }
                day.clear();
            }
            What::Dropped { first, windows } => {
                let end = first.saturating_add(*windows);
                if *first != story.dropped_to || end > story.windows.len() as u64 {
                    wrong("it drops windows that are not the oldest".into());
                } else {
                    story.dropped_to = end;
                }
            }
            What::Paused { seconds, .. } => report.paused_s = report.paused_s.saturating_add(*seconds),
            What::Still { .. } => report.stills += 1,
            What::Lost { windows } => report.lost = report.lost.saturating_add(*windows),
            What::Clock { .. } => report.clocks_set += 1,
        }
    }
    report.runs = story.configurations.len() as u64;
    report.dropped = story.dropped_to;
    story
}
