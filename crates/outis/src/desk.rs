//! Where windows are handed in: finished ones to the ledger and then to the owner's files, running ones to the
//! ledger, which keeps them for the case of a crash.
//!
//! It knows no process; what it takes was checked by the assembler.

use outis_ledger::Window;
use outis_record::WindowState;

use crate::{
    assemble::WindowView,
    books::Books,
    camera::{CameraError, Finish},
    config::Camera,
    output::Output,
    payload,
    scene::Scene,
};

/// The windows of all cameras of one run.
#[derive(Debug)]
pub(crate) struct Desk {
    cameras: Vec<Camera>,
    output: Output,
    books: Books,
    /// The newest totals of each camera's running window.
    running: Vec<Option<WindowView>>,
    all_written: bool,
}

impl Desk {
    pub(crate) fn new(cameras: Vec<Camera>, output: Output, books: Books) -> Self {
        let running = vec![None; cameras.len()];
        Self { cameras, output, books, running, all_written: true }
    }

    /// The cameras, by their numbers.
    pub(crate) fn cameras(&self) -> &[Camera] {
        &self.cameras
    }

    /// Takes a window of a camera. One in which nothing was looked at, as of a source that never opened, tells nothing.
    pub(crate) fn window(&mut self, index: usize, window: WindowView) {
        if window.looks == 0 {
            return;
        }
        if window.state == WindowState::Open {
            let Camera { name, plan } = &self.cameras[index];
            self.books.running(index, plan.window_ms, || {
                let partial = WindowView { state: WindowState::Partial, ..window.clone() };
                to_sign(name.as_str(), &plan.scene, &partial)
            });
            self.running[index] = Some(window);
        } else {
            let done = |running: &mut WindowView| running.window <= window.window;
            self.running[index].take_if(done);
            self.finished(index, &window);
        }
    }

    /// Ends a camera. What its eye did not finish is told as partial, unless the eye is not to be believed.
    pub(crate) fn end(&mut self, index: usize, end: &Result<Finish, CameraError>) {
        let Some(window) = self.running[index].take() else { return };
        let name = self.cameras[index].name.clone();
        if matches!(end, Err(CameraError::Breach(_) | CameraError::Read(_))) {
            self.books.forget(name.as_str());
            return;
        }
        let observed_s = f64::from(window.observed_ms) / 1000.0;
        eprintln!("camera \"{name}\": its running window is told as partial, {observed_s} s of it observed");
        self.finished(index, &WindowView { state: WindowState::Partial, ..window });
    }

    /// Writes what a full disk has kept waiting.
    pub(crate) fn settle(&mut self) {
        self.books.settle();
    }

    fn finished(&mut self, index: usize, window: &WindowView) {
        let Camera { name, plan } = &self.cameras[index];
        match to_sign(name.as_str(), &plan.scene, window) {
            Some(signed) => self.books.finished(signed),
            None => eprintln!("error: camera \"{name}\": a window cannot be encoded; please report this"),
        }
        // The window is signed and safe: a file that cannot be written ends nothing.
        if let Err(error) = self.output.write(name.as_str(), &plan.scene, window) {
            eprintln!("error: camera \"{name}\": {error:#}; the window is in the ledger");
            self.all_written = false;
        }
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
