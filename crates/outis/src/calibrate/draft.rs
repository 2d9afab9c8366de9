//! What was drawn becomes a configuration: text for `outis watch`, which judges it by its own rules.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::ValueEnum as _;
use serde::Deserialize;

use super::quoted;
use crate::{
    config::{self, Setup},
    detector::{Cache, Detector},
    source::{Source, Transport},
};

/// The camera that lines are drawn for.
#[derive(Debug, Clone)]
pub(super) struct Camera {
    source: Source,
    credentials_file: Option<PathBuf>,
    detector: Detector,
    name: String,
}

/// What the page sends: names and points in pixels of the camera's picture.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    name: String,
    lines: Vec<DrawnLine>,
    zones: Vec<DrawnZone>,
    /// Areas at which nobody looks.
    blanks: Vec<DrawnZone>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnLine {
    name: String,
    points: [[f64; 2]; 2],
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnZone {
    name: String,
    corners: Vec<[f64; 2]>,
}

impl Camera {
    pub(super) fn new(source: &Source, credentials_file: Option<PathBuf>, detector: Detector) -> Self {
        let name = match source {
            Source::File(path) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
            Source::Device(_) | Source::Stream(_) => None,
        };
        let name = name.unwrap_or_else(|| "camera".to_owned());
        Self { source: source.clone(), credentials_file, detector, name }
    }

    /// What it is called until somebody says otherwise.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The same as the name of a file: letters and digits only.
    pub(super) fn file_name(&self) -> String {
        self.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect()
    }

    /// Whether what is drawn can be tried: a file can be counted as often as one likes.
    pub(super) fn can_be_tried(&self) -> bool {
        self.source.is_own_file()
    }

    /// The configuration, with comments.
    pub(super) fn configuration(&self, draft: &Draft, [width, height]: [u32; 2]) -> String {
        let mut text = format!(
            "# Drawn with `outis calibrate`. What every key means: docs/ref/config.md. To count: outis watch FILE\n\n\
             [[camera]]\nname = {}\nsource = {}\n",
            quoted(&draft.name),
            quoted(&self.source.written()),
        );
        if let Source::Stream(stream) = &self.source
            && stream.transport != Transport::default()
        {
            let _ = writeln!(text, "transport = {}", quoted(stream.transport.name()));
        }
        if let Some(file) = &self.credentials_file {
            let _ = writeln!(text, "credentials_file = {}", quoted(&file.to_string_lossy()));
        }
        if self.detector != Detector::default() {
            let name = self.detector.to_possible_value();
            let name = name.as_ref().map_or("auto", |name| name.get_name());
            let _ = writeln!(text, "detector = {}", quoted(name));
        }
        if self.can_be_tried() {
            text += "# Your own file: every figure as it is, each minute, as fast as it can be counted.\n\
                     profile = \"exact\"\nwindow_s = 60\npace = 0\n";
        }
        let _ = writeln!(
            text,
            "# Width and height of the picture that all this was drawn in.\npicture = [{width}, {height}]"
        );
        for DrawnLine { name, points: [a, b] } in &draft.lines {
            let _ = write!(
                text,
                "\n# Forward is from its left to its right, looking from its first point to its second.\n\
                 [[camera.line]]\nname = {}\npoints = [{}, {}]\n",
                quoted(name),
                point(a),
                point(b),
            );
        }
        let zones = draft.zones.iter().map(|zone| ("[[camera.zone]]", zone));
        let blank = "# Painted over before anything looks.\n[[camera.blank]]";
        let blanks = draft.blanks.iter().map(|area| (blank, area));
        for (section, DrawnZone { name, corners }) in zones.chain(blanks) {
            let corners: Vec<String> = corners.iter().map(point).collect();
            let corners = corners.join(", ");
            let _ = write!(text, "\n{section}\nname = {}\ncorners = [{corners}]\n", quoted(name));
        }
        text
    }

    /// The same, judged by the rules of `outis watch`.
    ///
    /// # Errors
    /// What is wrong, in the words of `outis watch`.
    pub(super) fn check(
        &self,
        draft: &Draft,
        picture_px: [u32; 2],
        out: &Path,
        cache: &Cache,
    ) -> Result<(String, Setup), String> {
        if draft.lines.is_empty() && draft.zones.is_empty() {
            return Err("nothing is drawn yet: a line or a zone is needed".to_owned());
        }
        let text = self.configuration(draft, picture_px);
        let setup = config::check(out, &text, cache).map_err(|error| format!("{error:#}"))?;
        let [width, height] = picture_px.map(|side| u16::try_from(side).unwrap_or(u16::MAX));
        match setup.cameras.iter().flat_map(|c| c.plan.scene.outside_warnings(width, height)).next() {
            Some(warning) => Err(warning),
            None => Ok((text, setup)),
        }
    }
}

/// To a tenth of a pixel: no hand draws finer.
fn point([x, y]: &[f64; 2]) -> String {
    let tenth = |value: &f64| (10.0 * value).round() / 10.0;
    format!("[{}, {}]", tenth(x), tenth(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::setup;

    fn camera(source: &str) -> Camera {
        let source = Source::parse(Path::new(source), Path::new("/videos")).unwrap();
        Camera::new(&source, None, Detector::default())
    }

    fn draft(text: &str) -> Draft {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_drawn_is_what_watch_takes() {
        let drawn = draft(
            r#"{"name":"the \"old\" gate","lines":[{"name":"a","points":[[1,2],[300.04,4.96]]}],
                "zones":[{"name":"b\\c","corners":[[10,10],[90,10],[90,90]]}],
                "blanks":[{"name":"flats","corners":[[0,0],[50,0],[50,40],[0,40]]}]}"#,
        );
        let text = camera("gate.mp4").configuration(&drawn, [768, 576]);
        let setup = setup(&text);
        let [camera] = &setup.cameras[..] else { panic!("{text}") };
        assert_eq!(
            (camera.name.as_str(), camera.plan.scene.drawn_px()),
            ("the \"old\" gate", Some([768, 576]))
        );
        let scene = &camera.plan.scene;
        let [a, b] = scene.lines()[0].points;
        assert_eq!([a.x_px, a.y_px, b.x_px, b.y_px], [1.0, 2.0, 300.0, 5.0]);
        assert_eq!((scene.zones()[0].name.as_str(), scene.zones()[0].corners.len()), ("b\\c", 3));
        assert_eq!((scene.blanks()[0].name.as_str(), scene.blanks()[0].corners.len()), ("flats", 4));
        assert_eq!(camera.plan.source, Source::File("/videos/gate.mp4".into()));
    }

    #[test]
    fn a_camera_of_the_network_is_written_without_a_secret() {
        let drawn =
            draft(r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[]}"#);
        let login = Some("/etc/gate.login".into());
        let camera = Camera { credentials_file: login, ..camera("rtsp://gate.example/stream") };
        let text = camera.configuration(&drawn, [1920, 1080]);
        assert!(
            text.contains("credentials_file = \"/etc/gate.login\"") && !text.contains("profile"),
            "{text}"
        );
        assert!(matches!(setup(&text).cameras[0].plan.source, Source::Stream(_)), "{text}");
        assert!(!camera.can_be_tried());
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_watch() {
        for (drawn, expected) in [
            (r#"{"name":"n","lines":[],"zones":[],"blanks":[]}"#, "nothing is drawn"),
            (r#"{"name":" ","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[]}"#, "name"),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[1,2]]}],"zones":[],"blanks":[]}"#,
                "less than a pixel",
            ),
            (
                r#"{"name":"n","lines":[],"zones":[{"name":"bow","corners":[[0,0],[9,9],[9,0],[0,9]]}],"blanks":[]}"#,
                "\"bow\" cross",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[900,2],[950,5]]}],"zones":[],"blanks":[]}"#,
                "outside the picture",
            ),
        ] {
            let checked =
                camera("g.mp4").check(&draft(drawn), [768, 576], Path::new("g.toml"), &Cache::from_env());
            let error = checked.err().unwrap();
            assert!(error.contains(expected), "{drawn}: {error}");
        }
        assert!(
            serde_json::from_str::<Draft>(r#"{"name":"n","lines":[],"zones":[],"blanks":[],"more":1}"#)
                .is_err()
        );
    }
}
