//! Is each window there that was logged, once, in its place, as the device signed it, and no other?

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    path::Path,
};

use super::{Kind, Report, story::Story};
use crate::{
    Digest, EnvelopeError, PublicKey, Seal, WINDOWS_PER_FILE, durable, envelope,
    layout::{self, WINDOWS},
    spool::{self, FILE_BYTES_MAX},
};

pub(super) fn check(
    public: &Path,
    key: &PublicKey,
    story: &Story,
    report: &mut Report,
    seen: &mut dyn FnMut(&Seal, &[u8]),
) -> io::Result<()> {
    let mut files: BTreeSet<u64> = BTreeSet::new();
    for path in durable::files_below(&public.join(WINDOWS))? {
        let path = format!("{WINDOWS}/{path}");
        match layout::windows_first(&path) {
            Some(first) => drop(files.insert(first)),
            None => report.find(Kind::Added, path, "no such file belongs to the windows"),
        }
    }
    let logged = story.windows.len() as u64;
    let first_kept = story.dropped_to - story.dropped_to % WINDOWS_PER_FILE;
    files.extend((first_kept..logged).step_by(WINDOWS_PER_FILE as usize));
    let mut check = Check { key, story, report, seen, starts: HashMap::new() };
    for first in files {
        let path = layout::windows_path(first);
        let bytes = durable::read(&public.join(&path), FILE_BYTES_MAX)?.unwrap_or_default();
        check.file(first, &path, &bytes);
    }
    Ok(())
}

struct Check<'a> {
    key: &'a PublicKey,
    story: &'a Story,
    report: &'a mut Report,
    seen: &'a mut dyn FnMut(&Seal, &[u8]),
    /// Where the newest window of each camera begins, in its newest run.
    starts: HashMap<String, (u64, i64)>,
}

impl Check<'_> {
    fn file(&mut self, first: u64, path: &str, bytes: &[u8]) {
        let (frames, whole) = spool::frames(bytes);
        let logged = self.story.windows.len() as u64;
        let expected = first.max(self.story.dropped_to)..(first + WINDOWS_PER_FILE).min(logged);
        let mut absent: BTreeSet<u64> = expected.clone().collect();
        // Those that are right, by their numbers, and the others by their place in the file.
        let mut right: BTreeMap<u64, (Seal, Vec<u8>)> = BTreeMap::new();
        let mut broken = Vec::new();
        let mut newest = None;
        for (position, frame) in frames.iter().enumerate() {
            let (seal, payload) = match envelope::open(frame, self.key) {
                Ok(opened) => opened,
                Err(error) => {
                    broken.push((position, error));
                    continue;
                }
            };
            let sequence = seal.sequence;
            let place = || format!("{path}, window {sequence}");
            if sequence >= logged {
                let sentence = "it is signed and not in the log: the log was cut back, or the device was stopped \
                                before it could log it and has not started again since";
                self.report.find(Kind::Added, place(), sentence);
                continue;
            }
            if !expected.contains(&sequence) {
                self.report.find(Kind::Added, place(), "it does not belong into this file");
                continue;
            }
            if !absent.remove(&sequence) {
                self.report.find(Kind::Added, place(), "it is there twice");
                continue;
            }
            if newest.is_some_and(|newest| sequence < newest) {
                self.report.find(Kind::Reordered, place(), "it stands behind a later one");
            }
            newest = newest.max(Some(sequence));
            if self.is_as_logged(&seal, Digest::of(frame), &place()) {
                right.insert(sequence, (seal, payload));
            }
        }
        let torn = whole < bytes.len();
        self.name_broken(path, broken, &mut absent, torn);
        for sequence in absent {
            self.report.find(
                Kind::Missing,
                format!("{path}, window {sequence}"),
                "it is logged and not there",
            );
        }
        for (seal, payload) in right.into_values() {
            self.in_time(&seal, path);
            self.report.windows += 1;
            (self.seen)(&seal, &payload);
        }
    }

    fn is_as_logged(&mut self, seal: &Seal, digest: Digest, place: &str) -> bool {
        // The caller has checked that the log has a window of this number.
        let logged = self.story.windows[seal.sequence as usize];
        if logged.envelope != digest {
            self.report.find(
                Kind::Changed,
                place,
                "the device has signed it, and logged another of this number",
            );
            return false;
        }
        let run = usize::try_from(seal.run).ok().filter(|run| *run < logged.runs);
        let declared = run.and_then(|run| self.story.configurations[run]);
        if declared != Some(seal.configuration) {
            let sentence = format!(
                "it was made with the configuration {}, which the log does not declare for run {}",
                seal.configuration.short(),
                seal.run
            );
            self.report.find(Kind::Undeclared, place, sentence);
            return false;
        }
        true
    }

    /// A camera's time runs on within a run, so no window is told twice under two numbers.
    fn in_time(&mut self, seal: &Seal, path: &str) {
        let now = (seal.run, seal.start_ms);
        let before = self.starts.insert(seal.camera.clone(), now);
        if before.is_some_and(|before| before >= now) {
            let place = format!("{path}, window {}", seal.sequence);
            let sentence = format!("camera \"{}\" has told this span of time before", seal.camera);
            self.report.find(Kind::Inconsistent, place, sentence);
        }
    }

    /// What cannot be opened stands, as far as anybody can tell, for the windows that are not there.
    fn name_broken(
        &mut self,
        path: &str,
        broken: Vec<(usize, EnvelopeError)>,
        absent: &mut BTreeSet<u64>,
        torn: bool,
    ) {
        for (position, error) in broken {
            match absent.pop_first() {
                Some(sequence) => {
                    let kind = if error == EnvelopeError::OtherKey { Kind::Unsigned } else { Kind::Changed };
                    self.report.find(kind, format!("{path}, window {sequence}"), error.to_string());
                }
                None => {
                    let place = format!("{path}, place {position}");
                    self.report.find(
                        Kind::Unsigned,
                        place,
                        format!("{error}, and no window is missing here"),
                    );
                }
            }
        }
        if torn {
            let place = match absent.first() {
                Some(sequence) => format!("{path}, window {sequence}"),
                None => path.to_owned(),
            };
            self.report.find(
                Kind::Changed,
                place,
                "from here on the file cannot be taken apart into windows",
            );
            if let Some(first) = absent.pop_first() {
                let more = absent.len();
                absent.clear();
                if more > 0 {
                    let sentence = format!("the {more} windows behind window {first} cannot be read either");
                    self.report.find(Kind::Missing, path, sentence);
                }
            }
        }
    }
}
