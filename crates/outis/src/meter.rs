//! The progress bar on standard error, and the sentences beside it. Without a terminal there is no
//! bar: only the sentences.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use outis_record::Progress;

use crate::{
    report::table::duration,
    view::{Told, WindowView},
};

/// A source of unknown length shows a spinner that turns at this rate.
const SPIN: Duration = Duration::from_millis(120);

/// What a person sees while a source is counted.
#[derive(Debug)]
pub(crate) struct Meter {
    bar: ProgressBar,
    title: String,
}

impl Meter {
    /// A bar for one source.
    pub(crate) fn new(title: &str) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self::on(target, title)
    }

    /// One that shows no bar, for work that is followed elsewhere.
    pub(crate) fn silent() -> Self {
        Self::on(ProgressDrawTarget::hidden(), "")
    }

    fn on(target: ProgressDrawTarget, title: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{spinner} {prefix}  {msg}"));
        bar.set_prefix(title.to_owned());
        bar.set_message("loading the detector");
        bar.enable_steady_tick(SPIN);
        Self { bar, title: title.to_owned() }
    }

    /// Moves the bar.
    pub(crate) fn progress(&self, progress: Progress) {
        let Progress { media_ms, duration_ms, .. } = progress;
        if duration_ms > 0 && self.bar.length().is_none() {
            self.bar.set_style(style("{prefix}  [{bar:28}] {percent:>3}%  {msg}").progress_chars("=> "));
            self.bar.set_length(duration_ms);
        }
        // A container may state less than it holds.
        self.bar.set_position(media_ms.min(self.bar.length().unwrap_or(u64::MAX)));
        let length = if duration_ms > 0 { format!(" of {}", duration(duration_ms)) } else { String::new() };
        self.bar.set_prefix(format!("{} {}{length}", self.title, duration(media_ms)));
    }

    /// Says what is being done.
    pub(crate) fn says(&self, text: &'static str) {
        self.bar.set_message(text);
    }

    /// Shows the running totals.
    pub(crate) fn totals(&self, window: &WindowView) {
        let classes = window.by_class.iter();
        let now = Told::sum(classes.clone().map(|totals| totals.view.now));
        let lines = classes.flat_map(|totals| &totals.lines);
        let passages = Told::sum(lines.flat_map(|line| [line.forward, line.backward]));
        if let (Some(now), Some(passages)) = (now.number(), passages.number()) {
            self.bar.set_message(format!("{now} in the picture, {passages} over the lines"));
        }
    }

    /// Something the person should know, without an end of the work.
    pub(crate) fn warn(&self, text: &str) {
        self.line(&format!("warning: {text}"));
    }

    /// A line beside the bar.
    pub(crate) fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
