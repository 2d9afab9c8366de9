//! Where windows are handed in: finished ones to the ledger and then to the owner's files, running ones to the
//! ledger, which keeps them for the case of a crash.
//!
//! It knows no process; what it takes was checked by the assembler.

use std::fs;

use outis_ledger::Window;
use outis_record::WindowState;

use crate::{
    books::Books,
    camera::{CameraError, Finish},
    config::Camera,
    journal::{Journal, Pending},
    launch::CameraPlan,
    output::Output,
    payload,
    scene::Scene,
    view::WindowView,
};

/// The windows of all cameras of one run.
#[derive(Debug)]
pub(crate) struct Desk {
    cameras: Vec<Camera>,
    output: Output,
    books: Books,
    journal: Journal,
    all_written: bool,
}

impl Desk {
    /// Where the windows of these cameras go. What a crash has left on record only is written to the files first.
    pub(crate) fn new(cameras: Vec<Camera>, mut output: Output, books: Books, journal: Journal) -> Self {
        let mut all_written = true;
        let mut complete = |left: &Pending| match output.complete(&left.lines) {
            Ok(false) => {}
            Ok(true) => {
                eprintln!("note: a window that a crash had left on record only is in the files now");
            }
            Err(error) => {
                eprintln!("error: {error:#}; the window is in the ledger");
                all_written = false;
            }
        };
        if let Some(left) = journal.left() {
            if books.has_signed(&left) {
                complete(&left);
            }
            journal.clear();
        }
        // What the ledger has signed of windows that were running. Each is forgotten before the next is written: should
        // this be interrupted too, the one in the files is the last one there.
        for (path, drafts) in journal.left_running() {
            if let Some(signed) = drafts.iter().find(|draft| books.has_signed(draft)) {
                complete(signed);
            }
            let _ = fs::remove_file(path);
        }
        Self { cameras, output, books, journal, all_written }
    }

    /// The cameras, by their numbers.
    pub(crate) fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// Takes a window of a camera. Of a file, one in which nothing was looked at tells nothing; of a live camera it tells
    /// that the camera was away.
    pub(crate) fn window(&mut self, index: usize, window: WindowView) {
        if window.is_blank() && !self.cameras[index].plan.source.is_live() {
            return;
        }
        if window.state == WindowState::Open {
            self.draft(index, &WindowView { state: WindowState::Partial, ..window });
        } else {
            self.finished(index, &window);
        }
    }

    /// Keeps what may be told of a running window should this program die. It is shown to nobody.
    pub(crate) fn draft(&mut self, index: usize, window: &WindowView) {
        let Self { cameras, output, books, journal, .. } = self;
        let Camera { name, plan } = &cameras[index];
        let run = books.run();
        books.running(index, plan.window_ms, || {
            let signed = to_sign(name.as_str(), &plan.scene, window)?;
            if let Ok(lines) = output.lines(name.as_str(), &plan.scene, window) {
                // On a full disk a crash may leave the files one window behind the ledger.
                let _ = journal.keep_running(Pending::new(run, &signed, lines));
            }
            Some(signed)
        });
    }

    /// Logs for how long a window that will be handed in now was paused.
    pub(crate) fn paused(&mut self, index: usize, seconds: u64) {
        self.books.paused(self.cameras[index].name.as_str(), seconds);
    }

    /// Goes on with a camera by another plan.
    pub(crate) fn change(&mut self, index: usize, plan: CameraPlan) {
        self.cameras[index].plan = plan;
    }

    /// One camera more, with the next number; or one that had ended, by another plan.
    pub(crate) fn begin(&mut self, index: usize, camera: Camera) {
        match self.cameras.get_mut(index) {
            Some(ended) => *ended = camera,
            None => {
                self.cameras.push(camera);
                self.books.add_camera();
            }
        }
    }

    /// The ledger.
    pub(crate) fn books(&mut self) -> &mut Books {
        &mut self.books
    }

    /// Whether a finished window could not be written to the owner's files.
    pub(crate) fn is_behind(&self) -> bool {
        !self.all_written
    }

    /// A live camera is away: of an eye that broke the rules, what was kept is forgotten.
    pub(crate) fn forget(&mut self, index: usize) {
        let name = self.cameras[index].name.as_str();
        self.books.forget(name);
        self.journal.forget_running(name);
    }

    /// Ends a camera. Of an eye that nothing speaks against, the gate has told the running window as partial by now;
    /// of any other, what was kept of it is forgotten.
    pub(crate) fn end(&mut self, index: usize, end: &Result<Finish, CameraError>) {
        if !matches!(end, Ok(_) | Err(CameraError::Silent(_) | CameraError::Stopped)) {
            self.forget(index);
        }
    }

    /// Writes what a full disk has kept waiting.
    pub(crate) fn settle(&mut self) {
        self.books.settle();
    }

    fn finished(&mut self, index: usize, window: &WindowView) {
        let Camera { name, plan } = &self.cameras[index];
        let lines = self.output.lines(name.as_str(), &plan.scene, window);
        match to_sign(name.as_str(), &plan.scene, window) {
            Some(signed) => {
                if let Ok(lines) = &lines {
                    // On a full disk a crash may leave the files one window behind the ledger.
                    let _ = self.journal.keep(&Pending::new(self.books.run(), &signed, lines.clone()));
                }
                self.books.finished(signed);
            }
            None => eprintln!("error: camera \"{name}\": a window cannot be encoded; please report this"),
        }
        // The window is signed and safe: a file that cannot be written ends nothing.
        if let Err(error) = lines.and_then(|lines| self.output.write(&lines)) {
            eprintln!("error: camera \"{name}\": {error:#}; the window is in the ledger");
            self.all_written = false;
        }
        self.journal.forget_running(name.as_str());
        self.journal.clear();
    }

    /// Ends the run; false when something could not be written.
    pub(crate) fn close(self) -> bool {
        let closed = self.books.close().inspect_err(|error| eprintln!("error: ledger: {error}"));
        closed.is_ok() && self.all_written
    }
}

fn to_sign(camera: &str, scene: &Scene, window: &WindowView) -> Option<Window> {
    let payload = payload::encode(camera, scene, window).ok()?;
    Some(Window { camera: camera.to_owned(), start_ms: window.window.start_ms(), payload })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use outis_ledger::{
        Readers, Seal,
        verify::{Demands, verify},
    };
    use outis_record::Window as Span;

    use super::*;
    use crate::{
        assemble::Breach,
        assemble::tests::view,
        config::{OutputConfig, StateConfig, tests::camera},
        inventory,
        report::json::tests::scene,
    };

    fn desk(folder: &Path) -> Desk {
        let state =
            StateConfig { folder: folder.join("state"), keep_bytes: 1 << 20, readers: Readers::Owner };
        let parts = vec![inventory::configuration(Path::new("w.toml"), "")];
        let output = OutputConfig { json_lines: Some(folder.join("w.jsonl")), csv: None, alerts: None };
        let books = Books::open(&state, parts, 1).unwrap();
        let mut camera = camera("").unwrap();
        camera.plan.scene = scene();
        Desk::new(vec![camera], Output::open(&output).unwrap(), books, Journal::new(&state.folder))
    }

    fn at(start_ms: i64, state: WindowState) -> WindowView {
        WindowView { window: Span::new(start_ms, 60_000).unwrap(), state, ..view() }
    }

    /// Starts and states of the windows that are signed, and how many lines the owner's file has.
    fn told(folder: &Path) -> (Vec<(i64, String)>, usize) {
        let mut windows = Vec::new();
        let public = folder.join("state/public");
        let report = verify(&public, &Demands::default(), |seal: &Seal, payload| {
            let line = payload::line(seal, payload).unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            windows.push((seal.start_ms, line["window"]["state"].as_str().unwrap().to_owned()));
        });
        assert!(report.unwrap().is_sound());
        (windows, fs::read_to_string(folder.join("w.jsonl")).unwrap().lines().count())
    }

    #[test]
    fn what_becomes_of_a_running_window() {
        use WindowState::{Closed, Open, Partial};
        let closed = |start_ms: i64| (start_ms, "closed".to_owned());
        let partial = |start_ms: i64| (start_ms, "partial".to_owned());
        let silent = || Err(CameraError::Silent("signal 9".into()));
        let breach = || Err(CameraError::Breach(Breach::Cell));
        let cases = [
            ("its eye finished it", vec![at(0, Open), at(0, Closed)], silent(), vec![closed(0)]),
            (
                "its eye was killed",
                vec![at(0, Closed), at(60_000, Open), at(60_000, Partial)],
                silent(),
                vec![closed(0), partial(60_000)],
            ),
            ("its eye broke the rules", vec![at(0, Closed), at(60_000, Open)], breach(), vec![closed(0)]),
            (
                "the next one runs already",
                vec![at(60_000, Open), at(0, Closed), at(60_000, Partial)],
                silent(),
                vec![closed(0), partial(60_000)],
            ),
            ("nothing was looked at", vec![WindowView { looks: Some(0), ..at(0, Closed) }], silent(), vec![]),
        ];
        for (name, windows, end, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let mut desk = desk(folder.path());
            windows.into_iter().for_each(|window| desk.window(0, window));
            desk.end(0, &end);
            assert!(desk.close());
            let lines = expected.len();
            assert_eq!(told(folder.path()), (expected, lines), "{name}");
            let left = fs::read_dir(folder.path().join("state/running")).unwrap().count();
            assert_eq!(left, 0, "{name}");
        }
    }

    #[test]
    fn a_killed_door_leaves_its_running_window_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = desk(folder.path());
        first.window(0, at(0, WindowState::Open));
        drop(first);
        // The start after that finds nothing to do.
        for _ in 0..2 {
            assert!(desk(folder.path()).close());
            assert_eq!(told(folder.path()), (vec![(0, "partial".to_owned())], 1));
        }
    }

    #[test]
    fn a_window_of_an_earlier_run_is_not_taken_for_one_that_was_never_signed() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = desk(folder.path());
        first.window(0, at(0, WindowState::Closed));
        assert!(first.close());
        // The same film again, and killed before the signature.
        let second = desk(folder.path());
        let view = at(0, WindowState::Closed);
        let window = to_sign("gate", &scene(), &view).unwrap();
        let lines = second.output.lines("gate", &scene(), &view).unwrap();
        second.journal.keep(&Pending::new(second.books.run(), &window, lines)).unwrap();
        fs::write(folder.path().join("w.jsonl"), "").unwrap();
        drop(second);
        assert!(desk(folder.path()).close());
        assert_eq!(told(folder.path()), (vec![(0, "closed".to_owned())], 0));
    }

    #[test]
    fn a_window_that_was_signed_and_not_written_is_written_by_the_next_start() {
        for (name, signed, lines) in [("killed after the signature", true, 1), ("killed before it", false, 0)]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut first = desk(folder.path());
            let view = at(0, WindowState::Closed);
            let window = to_sign("gate", &scene(), &view).unwrap();
            let pending = Pending::new(
                first.books.run(),
                &window,
                first.output.lines("gate", &scene(), &view).unwrap(),
            );
            first.journal.keep(&pending).unwrap();
            if signed {
                first.books.finished(window);
            }
            drop(first);
            // The start after that finds nothing to do.
            for _ in 0..2 {
                assert!(desk(folder.path()).close());
                assert_eq!(told(folder.path()).1, lines, "{name}");
            }
        }
    }
}
