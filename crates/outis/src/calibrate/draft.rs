//! What was drawn becomes a configuration: text for `outis watch`, which judges it by its own rules.

use std::{
    fmt::Write as _,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use clap::ValueEnum as _;
use serde::Deserialize;

use super::quoted;
use crate::{
    config::{self, Setup},
    detector::{Cache, Detector},
    launch::CameraPlan,
    source::{Source, Transport},
    tsai,
};

/// Sides that a tape measure or a map gives, in metres.
const SIDES_M: RangeInclusive<f64> = 0.1..=1000.0;

/// Three corners that span less than this lie in one row: twice an area in square pixels.
const TURN_PX2_MIN: f64 = 50.0;
/// The same of the ground, in square metres: less than the smallest rectangle.
const TURN_M2_MIN: f64 = 0.005;

/// The camera that lines are drawn for.
#[derive(Debug, Clone)]
pub(super) struct Camera {
    source: Source,
    credentials_file: Option<PathBuf>,
    detector: Detector,
    /// A calibration that tells the ground: none is drawn then.
    tsai: Option<tsai::Calibration>,
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
    ground: Option<DrawnGround>,
}

/// Four places on the ground: corners of a rectangle whose sides somebody knows, or points whose places somebody knows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnGround {
    /// In order around it.
    corners: [[f64; 2]; 4],
    /// From the first corner to the second, and from the second to the third; none while they are not typed.
    sides_m: Option<[f64; 2]>,
    /// Where each corner is, instead; none of a rectangle.
    #[serde(default)]
    metres: Option<[Option<[f64; 2]>; 4]>,
    /// From whom it was found, when nobody has measured or moved anything since.
    found: Option<FoundFrom>,
}

/// What `finding.rs` told the page of a ground.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FoundFrom {
    people: u32,
    good_percent: u8,
    fair_percent: u8,
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
    pub(super) fn new(
        source: &Source,
        credentials_file: Option<PathBuf>,
        detector: Detector,
        tsai: Option<tsai::Calibration>,
    ) -> Self {
        let name = match source {
            Source::File(path) => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
            Source::Device(_) | Source::Stream(_) => None,
        };
        let name = name.unwrap_or_else(|| "camera".to_owned());
        Self { source: source.clone(), credentials_file, detector, tsai, name }
    }

    /// The calibration that tells its ground.
    pub(super) fn calibration(&self) -> Option<&tsai::Calibration> {
        self.tsai.as_ref()
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

    /// Its section as a configuration begins it: how it is called, and how its pictures come.
    pub(super) fn section(&self, name: &str) -> String {
        let mut text =
            format!("[[camera]]\nname = {}\nsource = {}\n", quoted(name), quoted(&self.source.written()));
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
        text
    }

    /// The configuration, with comments.
    pub(super) fn configuration(&self, draft: &Draft, [width, height]: [u32; 2]) -> String {
        let mut text = format!(
            "# Drawn with `outis calibrate`. What every key means: docs/ref/config.md. To count: outis watch FILE\n\n{}",
            self.section(&draft.name),
        );
        if self.can_be_tried() {
            text += "# Your own file: every figure as it is, each minute, as fast as it can be counted.\n\
                     profile = \"exact\"\nwindow_s = 60\npace = 0\n";
        }
        let _ = writeln!(
            text,
            "# Width and height of the picture that all this was drawn in.\npicture = [{width}, {height}]"
        );
        if let Some(calibration) = &self.tsai {
            let file = quoted(&calibration.path.to_string_lossy());
            let _ = write!(text, "\n# A calibration by Tsai's method.\n[camera.ground]\ntsai = {file}\n");
        } else if let Some((ground, metres)) = draft.ground.as_ref().and_then(|g| Some((g, g.metres()?))) {
            let corners = ground.corners.each_ref().map(point).join(", ");
            let whence = match (ground.found, ground.sides_m) {
                (None, Some([a, b])) if ground.metres.is_none() => format!(
                    "A rectangle on the ground, {a} m from its first corner to its second and {b} m to its third, as typed."
                ),
                (None, _) => "Four points of the ground, and where they are, as typed.".to_owned(),
                (Some(FoundFrom { people, good_percent, fair_percent }), _) => format!(
                    "Found from {people} people who walked by. Nobody measured anything: check one distance that you know.\n\
                     # Distances are good (within 10 %) in {good_percent} % of the picture and fair (within 20 %) in another \
                     {fair_percent} %."
                ),
            };
            let _ = write!(
                text,
                "\n# {whence}\n\
                 [camera.ground]\nimage = [{corners}]\nmetres = [{}]\n",
                metres.map(|[x, y]| format!("[{x}, {y}]")).join(", "),
            );
        }
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

    /// Whether it goes on as long as the world does.
    pub(super) fn is_live(&self) -> bool {
        self.source.is_live()
    }

    /// Whether people can be watched to find its ground: what is neither a file nor a camera has been read for its picture.
    pub(super) fn can_be_watched(&self) -> bool {
        self.source.is_live() || self.source.is_own_file()
    }

    /// The camera as a plan in which nothing is drawn but where nobody looks.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn to_watch(
        &self,
        draft: &Draft,
        picture_px: [u32; 2],
        out: &Path,
        cache: &Cache,
    ) -> Result<CameraPlan, String> {
        if !self.can_be_watched() {
            return Err(
                "only a file or a camera can be watched: record a few minutes to a file, and open that"
                    .to_owned(),
            );
        }
        let draft = Draft { name: self.name.clone(), blanks: draft.blanks.clone(), ..Draft::default() };
        let setup = config::check(out, &self.configuration(&draft, picture_px), cache);
        let camera = setup.map_err(|error| format!("{error:#}"))?.cameras.into_iter().next();
        camera.map(|camera| camera.plan).ok_or_else(|| "there is no camera".to_owned())
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
        draft.ground.as_ref().filter(|_| self.tsai.is_none()).map_or(Ok(()), DrawnGround::check)?;
        let text = self.configuration(draft, picture_px);
        let setup = config::check(out, &text, cache).map_err(|error| format!("{error:#}"))?;
        let [width, height] = picture_px.map(|side| u16::try_from(side).unwrap_or(u16::MAX));
        match setup.cameras.iter().flat_map(|c| c.plan.scene.outside_warnings(width, height)).next() {
            Some(warning) => Err(warning),
            None => Ok((text, setup)),
        }
    }
}

impl DrawnGround {
    /// What no camera makes of a rectangle is refused here: `outis watch` takes any four points.
    fn check(&self) -> Result<(), String> {
        let Some(metres) = self.metres() else {
            let missing = match self.metres {
                Some(_) => "ground: type where each of its corners is: two numbers each, in metres",
                None => "ground: type how long the sides of the rectangle are, in metres",
            };
            return Err(missing.to_owned());
        };
        let sides_m = self.sides_m.filter(|_| self.metres.is_none());
        if let Some(side_m) = sides_m.iter().flatten().find(|side_m| !SIDES_M.contains(side_m)) {
            let (least, most) = (SIDES_M.start(), SIDES_M.end());
            return Err(format!("ground: a side of {side_m} m; {least} to {most} m are possible"));
        }
        if !goes_round(&self.corners, TURN_PX2_MIN) {
            return Err(
                "ground: its corners must go round it in order, and no three of them may lie in one row"
                    .to_owned(),
            );
        }
        // Whoever types places may well mix up two of them.
        if goes_round(&metres, TURN_M2_MIN) {
            Ok(())
        } else {
            Err("ground: by their metres its corners do not go round it in order, or three of them lie in one row"
                .to_owned())
        }
    }

    /// Where the corners are on the ground; none while something is not typed.
    fn metres(&self) -> Option<[[f64; 2]; 4]> {
        match (self.metres, self.sides_m) {
            (Some([Some(a), Some(b), Some(c), Some(d)]), _) => Some([a, b, c, d]),
            (Some(_), _) => None,
            (None, sides_m) => sides_m.map(|[a, b]| [[0.0, 0.0], [a, 0.0], [a, b], [0.0, b]]),
        }
    }
}

/// Whether four corners turn the same way at each, each turn spanning more than this.
fn goes_round(corners: &[[f64; 2]; 4], least: f64) -> bool {
    let turns = [0, 1, 2, 3].map(|i: usize| {
        let [[ax, ay], [bx, by], [cx, cy]] = [0, 1, 2].map(|step| corners[(i + step) % 4]);
        (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
    });
    turns.iter().all(|turn| *turn > least) || turns.iter().all(|turn| *turn < -least)
}

/// To a tenth of a pixel: no hand draws finer.
fn point([x, y]: &[f64; 2]) -> String {
    let tenth = |value: &f64| (10.0 * value).round() / 10.0;
    format!("[{}, {}]", tenth(x), tenth(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::tests::setup, ground::Whence};

    fn camera(source: &str) -> Camera {
        let source = Source::parse(Path::new(source), Path::new("/videos")).unwrap();
        Camera::new(&source, None, Detector::default(), None)
    }

    fn draft(text: &str) -> Draft {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_drawn_is_what_watch_takes() {
        let drawn = draft(
            r#"{"name":"the \"old\" gate","lines":[{"name":"a","points":[[1,2],[300.04,4.96]]}],
                "zones":[{"name":"b\\c","corners":[[10,10],[90,10],[90,90]]}],
                "blanks":[{"name":"flats","corners":[[0,0],[50,0],[50,40],[0,40]]}],
                "ground":{"corners":[[100,400],[500,400],[400,200.04],[200,200]],"sides_m":[4,6.5]}}"#,
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
        assert!(text.contains("6.5 m to its third, as typed"), "{text}");
        let found = draft(
            r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                "ground":{"corners":[[100,400],[500,400],[400,200],[200,200]],"sides_m":[4,6.5],
                "found":{"people":22,"good_percent":44,"fair_percent":29}}}"#,
        );
        let told = self::tests::camera("gate.mp4").configuration(&found, [768, 576]);
        assert!(told.contains("22 people") && told.contains("44 %") && !told.contains("typed"), "{told}");
        let Whence::Points { image, metres } = &camera.plan.ground.as_ref().unwrap().whence else {
            panic!("{text}")
        };
        assert_eq!(
            image.map(|p| [p.x_px, p.y_px]),
            [[100.0, 400.0], [500.0, 400.0], [400.0, 200.0], [200.0, 200.0]]
        );
        assert_eq!(*metres, [[0.0, 0.0], [4.0, 0.0], [4.0, 6.5], [0.0, 6.5]]);
        assert_eq!(camera.plan.source, Source::File("/videos/gate.mp4".into()));
    }

    #[test]
    fn nobody_is_measured_where_nobody_is_to_look() {
        let drawn = draft(
            r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],
                "blanks":[{"name":"flats","corners":[[0,0],[300,0],[300,90]]}]}"#,
        );
        let out = Path::new("gate.toml");
        let scene = camera("gate.mp4").to_watch(&drawn, [768, 576], out, &Cache::from_env()).unwrap().scene;
        assert_eq!((scene.blanks().len(), scene.blanks()[0].corners.len()), (1, 3));
        assert_eq!((scene.lines().len(), scene.drawn_px()), (0, Some([768, 576])));
        let live = camera("rtsp://gate.example/stream");
        let plan = live.to_watch(&drawn, [768, 576], out, &Cache::from_env()).unwrap();
        assert!(plan.source.is_live() && plan.scene.blanks().len() == 1);
        // A pipe has been read for its picture.
        let refused = camera("/dev/stdin").to_watch(&drawn, [768, 576], out, &Cache::from_env());
        assert!(refused.unwrap_err().contains("only a file or a camera"));
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
    fn a_ground_of_four_places_or_of_a_calibration_is_written_as_such() {
        let drawn = r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
            "ground":{"corners":[[100,400],[500,400],[400,200],[200,200]],"sides_m":null,
            "metres":[[0,0],[4.5,-1],[4,6],[-0.5,7]]}}"#;
        let text = camera("gate.mp4").configuration(&draft(drawn), [768, 576]);
        assert!(text.contains("as typed"), "{text}");
        let Whence::Points { metres, .. } = setup(&text).cameras[0].plan.ground.clone().unwrap().whence
        else {
            panic!("{text}")
        };
        assert_eq!(metres, [[0.0, 0.0], [4.5, -1.0], [4.0, 6.0], [-0.5, 7.0]]);

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("view.xml");
        std::fs::write(&file, tsai::tests::FILE).unwrap();
        let calibrated = Camera { tsai: Some(tsai::read(&file).unwrap()), ..camera("gate.mp4") };
        let text = calibrated.configuration(&draft(drawn), [768, 576]);
        let ground = setup(&text).cameras[0].plan.ground.clone().unwrap();
        assert!(matches!(ground.whence, Whence::Tsai(_)) && !text.contains("image ="), "{text}");
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_watch() {
        for (drawn, expected) in [
            (r#"{"name":"n","lines":[],"zones":[],"blanks":[]}"#, "nothing is drawn"),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[90,90],[80,40],[20,40]],"sides_m":null}}"#,
                "type how long",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[90,90],[80,40],[20,40]],"sides_m":[4,0.01]}}"#,
                "a side of 0.01 m",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[90,90],[80,40],[20,40]],"sides_m":[4,6],
                    "metres":[[0,0],[4,0],null,[0,6]]}}"#,
                "where each of its corners is",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[90,90],[80,40],[20,40]],"sides_m":null,
                    "metres":[[0,0],[4,6],[4,0],[0,6]]}}"#,
                "by their metres",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[80,40],[90,90],[20,40]],"sides_m":[4,6]}}"#,
                "go round it",
            ),
            (
                r#"{"name":"n","lines":[{"name":"a","points":[[1,2],[30,5]]}],"zones":[],"blanks":[],
                    "ground":{"corners":[[0,90],[45,90],[90,90],[20,40]],"sides_m":[4,6]}}"#,
                "in one row",
            ),
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
