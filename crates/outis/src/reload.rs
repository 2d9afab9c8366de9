//! What a configuration that was read again asks of cameras that run. Pure: it compares, and starts nothing.

use crate::{
    config::{Camera, Setup, StateConfig},
    exit::UsageError,
    launch::CameraPlan,
};

/// What is to be done, by the cameras' numbers.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Live cameras that go on by another plan.
    pub(crate) change: Vec<(usize, CameraPlan)>,
    /// Cameras that end.
    pub(crate) leave: Vec<usize>,
    /// Cameras that begin: those that had ended under their old number, new ones under the next.
    pub(crate) begin: Vec<(usize, Camera)>,
}

/// The rest of a configuration, which stays for as long as the program runs.
#[derive(Debug)]
pub(crate) struct Standing {
    setup: Setup,
}

impl Standing {
    /// Of the configuration that the program was started with.
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup }
    }

    /// Compares a configuration that was read again with the cameras there are and whether they are at work.
    ///
    /// # Errors
    /// When something was changed that cannot change meanwhile; says what.
    pub(crate) fn compare(&self, cameras: &[(&Camera, bool)], new: &Setup) -> Result<Changes, UsageError> {
        let refuse = |what: &str| {
            Err(UsageError::new(format!("{what} cannot change while cameras run: start outis anew for it")))
        };
        let Setup { listen, output, state, .. } = &self.setup;
        let StateConfig { folder, keep_bytes, readers } = state;
        if *listen != new.listen {
            return refuse("listen");
        }
        if *output != new.output {
            return refuse("[output]");
        }
        if self.setup.pause != new.pause {
            return refuse("[pause]");
        }
        if self.setup.speaker != new.speaker {
            return refuse("[speaker]");
        }
        if (folder, keep_bytes) != (&new.state.folder, &new.state.keep_bytes) {
            return refuse("state and keep_mb");
        }
        if *readers != new.state.readers {
            return refuse("who may read the windows (a first or last camera with profile \"exact\")");
        }
        let mut changes = Changes::default();
        let mut next = cameras.len();
        for camera in &new.cameras {
            let known = cameras.iter().position(|(known, _)| known.name == camera.name);
            match known.map(|index| (index, cameras[index])) {
                None => {
                    changes.begin.push((next, camera.clone()));
                    next += 1;
                }
                Some((_, (old, _))) if old.plan == camera.plan && !old.plan.source.is_live() => {}
                Some((index, (_, false))) => changes.begin.push((index, camera.clone())),
                Some((_, (old, true))) if old.plan == camera.plan => {}
                Some((index, (old, true))) => {
                    let name = camera.name.as_str();
                    let (from, to) = (&old.plan, &camera.plan);
                    if !from.source.is_live() || !to.source.is_live() {
                        return refuse(&format!("camera \"{name}\" is a file, which"));
                    }
                    if (from.window_ms, from.profile) != (to.window_ms, to.profile) {
                        return refuse(&format!("window_s and profile of camera \"{name}\""));
                    }
                    changes.change.push((index, to.clone()));
                }
            }
        }
        let stays = |camera: &Camera| new.cameras.iter().any(|new| new.name == camera.name);
        let gone = cameras.iter().enumerate().filter(|(_, (camera, at_work))| *at_work && !stays(camera));
        changes.leave = gone.map(|(index, _)| index).collect();
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::tests::setup;

    const BOTH: &str = "[[camera]]\nname = \"gate\"\nsource = \"rtsp://a/1\"\n\n[[camera]]\nname = \"film\"\nsource = \"a.avi\"\n";

    fn compare(new: &str, at_work: [bool; 2]) -> Result<Changes, String> {
        let standing = Standing::new(setup(BOTH));
        let cameras: Vec<(&Camera, bool)> = standing.setup.cameras.iter().zip(at_work).collect();
        standing.compare(&cameras, &setup(new)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_to_be_done() {
        let numbers = |changes: Changes| {
            let change: Vec<usize> = changes.change.iter().map(|(index, _)| *index).collect();
            let begin: Vec<usize> = changes.begin.iter().map(|(index, _)| *index).collect();
            (change, changes.leave, begin)
        };
        let (film_away, _) = BOTH.split_at(BOTH.rfind("\n[[camera]]").unwrap());
        let line = "[[camera.line]]\nname = \"A\"\npoints = [[1,2],[3,4]]\n";
        let drawn = BOTH.replacen("rtsp://a/1\"\n", &format!("rtsp://a/1\"\n{line}"), 1);
        let substream = BOTH.replacen("rtsp://a/1\"\n", "rtsp://a/1\"\nsubstream = \"rtsp://a/2\"\n", 1);
        let more = format!("{BOTH}\n[[camera]]\nname = \"yard\"\nsource = \"rtsp://a/2\"\n");
        let both = [true; 2];
        for (name, new, at_work, expected) in [
            ("nothing", BOTH, both, (vec![], vec![], vec![])),
            ("a line is drawn", &drawn, both, (vec![0], vec![], vec![])),
            ("a substream", &substream, both, (vec![0], vec![], vec![])),
            ("one more", &more, both, (vec![], vec![], vec![2])),
            ("one less", film_away, both, (vec![], vec![1], vec![])),
            ("one less that had ended", film_away, [true, false], (vec![], vec![], vec![])),
            ("one was given up", BOTH, [false, false], (vec![], vec![], vec![0])),
        ] {
            assert_eq!(numbers(compare(new, at_work).unwrap()), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_change_is_refused_with_its_name() {
        for (from, to, part) in [
            ("[[camera]]\nname = \"gate\"", "keep_mb = 7\n[[camera]]\nname = \"gate\"", "state and keep_mb"),
            (
                "[[camera]]\nname = \"gate\"",
                "listen = \"127.0.0.1:1\"\n[[camera]]\nname = \"gate\"",
                "listen",
            ),
            (
                "[[camera]]\nname = \"gate\"",
                "output = { csv = \"c\" }\n[[camera]]\nname = \"gate\"",
                "[output]",
            ),
            ("[[camera]]\nname = \"gate\"", "[pause]\nseconds = 60\n[[camera]]\nname = \"gate\"", "[pause]"),
            (
                "[[camera]]\nname = \"gate\"",
                "[speaker]\ncard = [{}]\n[[camera]]\nname = \"gate\"",
                "[speaker]",
            ),
            ("a/1\"", "a/1\"\nwindow_s = 1800", "window_s and profile of camera \"gate\""),
            ("a/1\"", "a/1\"\nprofile = \"open-data\"", "window_s and profile"),
            ("a.avi\"", "a.avi\"\nflows = true", "camera \"film\" is a file"),
            ("a.avi\"", "a.avi\"\nprofile = \"exact\"", "who may read"),
        ] {
            let said = compare(&BOTH.replacen(from, to, 1), [true; 2]).unwrap_err();
            assert!(said.contains(part), "{to}: {said}");
        }
        assert_eq!(Path::new("/etc/outis"), setup(BOTH).state.folder.parent().unwrap());
    }
}
