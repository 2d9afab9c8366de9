//! The configuration of `outis watch`. Every key, with its default, is told in `docs/ref/config.md`;
//! a test holds the two together.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use outis_ledger::{Part, Readers};
use outis_record::{Class, Profile, ZoneIndex};
use serde::Deserialize;

use crate::{
    alert::{AlertConfig, AlertPlan, Operational, Surroundings},
    classes::ClassName,
    credentials::Credentials,
    detector::{Cache, Detector, DetectorFiles, MaskFiles},
    exactly::Exactly,
    exit::UsageError,
    ground::{Ground, GroundConfig},
    inventory,
    launch::{CameraPlan, Looks, Pace},
    on_ground::{GroundKeys, GroupsKey, HeatKeys},
    pause::PauseTerms,
    scene::{Line, Name, Point, Scene, Zone},
    source::{self, Source, Transport},
    speaker::{SpeakerConfig, SpeakerPlan},
};

/// The largest configuration file in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The most cameras that one door serves.
const CAMERAS_MAX: usize = 64;

/// The longest window in seconds: a day.
const WINDOW_S_MAX: u32 = 86_400;

/// Budgets of the network, in milliseconds of processor time for each second of video, as the eye takes them.
const INFERENCE_MS: RangeInclusive<f64> = 1.0..=60_000.0;

/// Sides of the picture that lines are drawn in, in pixels, as the eye takes them.
const PICTURE_PX: RangeInclusive<u32> = 1..=16_384;

/// How much of a wrong line an error shows.
const EXCERPT_CHARS_MAX: usize = 100;

/// How often the running totals come for the page, in media time.
const SNAPSHOT_MS: u32 = 500;

/// Where the page is served unless the configuration says otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8720);

/// A whole configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the local page is served.
    #[serde(default = "listen")]
    pub(crate) listen: SocketAddr,
    #[serde(default)]
    pub(crate) output: OutputConfig,
    /// Where the device's key, its signed windows and its log are.
    state: Option<PathBuf>,
    /// How much room signed windows may take.
    #[serde(default = "keep_mb")]
    keep_mb: u32,
    /// The text of the sign that tells passers-by, as it hangs there.
    sign: Option<PathBuf>,
    /// Who hears of alerts.
    speaker: Option<SpeakerConfig>,
    /// How passers-by may have cameras paused.
    #[serde(default)]
    pause: PauseTerms,
    camera: Vec<CameraConfig>,
}

/// Section `[output]`: where finished windows are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputConfig {
    /// A file of JSON lines, one for each window.
    pub(crate) json_lines: Option<PathBuf>,
    /// A CSV file, one row for each figure.
    pub(crate) csv: Option<PathBuf>,
    /// A file of JSON lines, one for each alert.
    pub(crate) alerts: Option<PathBuf>,
}

/// Section `[[camera]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraConfig {
    name: Name,
    source: PathBuf,
    substream: Option<PathBuf>,
    transport: Option<Transport>,
    credentials_file: Option<PathBuf>,
    credentials_env: Option<String>,
    #[serde(default)]
    detector: Detector,
    detect_fps: Option<f64>,
    #[serde(default)]
    every_frame: bool,
    inference_ms: Option<f64>,
    #[serde(default)]
    masks: bool,
    mask_ms: Option<f64>,
    classes: Option<Vec<ClassName>>,
    #[serde(default = "window_s")]
    window_s: u32,
    #[serde(default)]
    flows: bool,
    #[serde(default)]
    profile: ProfileName,
    pace: Option<f64>,
    picture: Option<Exactly<u32, 2>>,
    #[serde(default)]
    line: Vec<LineConfig>,
    #[serde(default)]
    zone: Vec<ZoneConfig>,
    #[serde(default)]
    blank: Vec<BlankConfig>,
    ground: Option<GroundConfig>,
    #[serde(default)]
    alert: Vec<AlertConfig>,
    operational: Option<Operational>,
    #[serde(default)]
    distance_m: Vec<f64>,
    encounter_s: Option<f64>,
    groups: Option<GroupsKey>,
    #[serde(default)]
    density: bool,
    #[serde(default)]
    speed: bool,
    heat: Option<HeatKeys>,
}

/// A profile in a configuration.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct ProfileName(Profile);

impl Default for ProfileName {
    fn default() -> Self {
        Self(Profile::Statistics)
    }
}

impl TryFrom<String> for ProfileName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = || Profile::ALL.map(Profile::name).join(", ");
        let profile = Profile::from_name(&name);
        profile.map(Self).ok_or_else(|| format!("\"{name}\" is not a profile; there are {}", known()))
    }
}

/// Section `[[camera.line]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineConfig {
    name: Name,
    points: Exactly<Point, 2>,
}

/// Section `[[camera.zone]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneConfig {
    name: Name,
    corners: Vec<Point>,
    #[serde(default)]
    queue: bool,
    head: Option<Point>,
}

/// Section `[[camera.blank]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlankConfig {
    name: Name,
    corners: Vec<Point>,
}

fn listen() -> SocketAddr {
    LISTEN
}

fn keep_mb() -> u32 {
    256
}

fn window_s() -> u32 {
    900
}

/// A configuration that can be run.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    pub(crate) output: OutputConfig,
    pub(crate) state: StateConfig,
    /// The configuration as the log declares it.
    pub(crate) part: Part,
    /// The text of the sign that tells passers-by.
    pub(crate) sign: Option<PathBuf>,
    /// Who hears of alerts.
    pub(crate) speaker: Option<SpeakerPlan>,
    /// How passers-by may have cameras paused.
    pub(crate) pause: PauseTerms,
    pub(crate) cameras: Vec<Camera>,
}

/// Where the ledger is, and how much it may hold.
#[derive(Debug)]
pub(crate) struct StateConfig {
    pub(crate) folder: PathBuf,
    pub(crate) keep_bytes: u64,
    /// Who may read the signed windows.
    pub(crate) readers: Readers,
}

/// One camera, checked.
#[derive(Debug, Clone)]
pub(crate) struct Camera {
    pub(crate) name: Name,
    pub(crate) plan: CameraPlan,
}

/// Reads a configuration file. Paths in it are relative to the folder it is in.
///
/// # Errors
/// [`UsageError`] for whatever its author can put right in it; others when a detector is missing from the cache.
pub(crate) fn load(path: &Path, cache: &Cache) -> anyhow::Result<Setup> {
    load_with(path, |detector, masks| to_run(detector, masks, cache))
}

/// Judges a text that is to become this file.
///
/// # Errors
/// As [`load`].
pub(crate) fn check(path: &Path, text: &str, cache: &Cache) -> anyhow::Result<Setup> {
    setup(path, text, |detector, masks| to_run(detector, masks, cache))
}

fn to_run(detector: Detector, masks: bool, cache: &Cache) -> anyhow::Result<DetectorFiles> {
    let masks = masks.then(|| MaskFiles::find(cache)).transpose()?;
    Ok(DetectorFiles { masks, ..detector.find(cache)? })
}

/// The same where nothing will be run: a detector is named when it is there, and need not be.
///
/// # Errors
/// [`UsageError`] for whatever its author can put right in it.
pub(crate) fn load_to_describe(path: &Path, cache: &Cache) -> anyhow::Result<Setup> {
    load_with(path, |detector, masks| {
        let masks = masks.then(|| MaskFiles::find(cache).unwrap_or_default());
        Ok(DetectorFiles { masks, ..detector.find(cache).unwrap_or_else(|_| DetectorFiles::absent()) })
    })
}

fn load_with(
    path: &Path,
    find: impl Fn(Detector, bool) -> anyhow::Result<DetectorFiles>,
) -> anyhow::Result<Setup> {
    let file = path.display();
    let text = read(path).map_err(|error| UsageError::new(format!("{file} cannot be read: {error}")))?;
    setup(path, &text, find)
}

fn setup(
    path: &Path,
    text: &str,
    find: impl Fn(Detector, bool) -> anyhow::Result<DetectorFiles>,
) -> anyhow::Result<Setup> {
    let file = path.display();
    let config = parse(text).map_err(|error| UsageError::new(format!("{file}, {error}")))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let Config { listen, output, state, keep_mb, sign, speaker, pause, camera } = config;
    let mut cameras = Vec::with_capacity(camera.len());
    for camera in camera {
        let detector = find(camera.detector, camera.masks)?;
        let camera = camera.check(folder, detector);
        cameras.push(camera.map_err(|error| UsageError::new(format!("{file}, {error}")))?);
    }
    let beside = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    let output = OutputConfig {
        json_lines: beside(output.json_lines),
        csv: beside(output.csv),
        alerts: beside(output.alerts),
    };
    let state = StateConfig {
        folder: beside(state).unwrap_or_else(inventory::default_state_folder),
        keep_bytes: u64::from(keep_mb) << 20,
        // Exact windows tell of one person in a quiet hour.
        readers: match cameras.iter().any(|camera| camera.plan.profile.is_exact()) {
            true => Readers::Owner,
            false => Readers::All,
        },
    };
    let names: Vec<&str> = cameras.iter().map(|camera| camera.name.as_str()).collect();
    let speaker = speaker.map(|speaker| speaker.check(folder, &state.folder, &names)).transpose();
    let speaker = speaker.map_err(|error| UsageError::new(format!("{file}, speaker: {error}")))?;
    let pause = pause.check().map_err(|error| UsageError::new(format!("{file}, pause: {error}")))?;
    let part = inventory::configuration(path, text);
    Ok(Setup { listen, output, state, part, sign: beside(sign), speaker, pause, cameras })
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// What is wrong in a configuration, and where.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("line {line}: {message}\n    {excerpt}")]
    Syntax { line: usize, message: String, excerpt: String },
    #[error("no camera in it: add a section [[camera]]")]
    NoCamera,
    #[error("{0} cameras; at most {CAMERAS_MAX} are possible")]
    ManyCameras(usize),
    #[error("two cameras are named \"{0}\"; each needs a name of its own")]
    SameName(Name),
    #[error("camera \"{camera}\": {message}")]
    Camera { camera: Name, message: String },
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    let config: Config = toml::from_str(text).map_err(|error| syntax_error(text, &error))?;
    match config.camera.len() {
        0 => return Err(ConfigError::NoCamera),
        cameras @ CAMERAS_MAX.. if cameras > CAMERAS_MAX => return Err(ConfigError::ManyCameras(cameras)),
        _ => {}
    }
    let mut names = HashSet::new();
    match config.camera.iter().find(|camera| !names.insert(&camera.name)) {
        Some(camera) => Err(ConfigError::SameName(camera.name.clone())),
        None => Ok(config),
    }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let before = &text.as_bytes()[..start];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let excerpt = text.lines().nth(line - 1).unwrap_or_default().trim();
    // TOML has keys where the parser's own words have fields.
    let message =
        error.message().replace("unknown field", "unknown key").replace("missing field", "missing key");
    let excerpt = source::without_secrets(excerpt);
    let excerpt = excerpt.chars().take(EXCERPT_CHARS_MAX).filter(|c| !c.is_control()).collect();
    ConfigError::Syntax { line, message, excerpt }
}

impl CameraConfig {
    fn check(self, folder: &Path, detector: DetectorFiles) -> Result<Camera, ConfigError> {
        let name = self.name.clone();
        let plan = self.plan(folder, detector);
        let plan = plan.map_err(|message| ConfigError::Camera { camera: name.clone(), message })?;
        Ok(Camera { name, plan })
    }

    fn plan(self, folder: &Path, detector: DetectorFiles) -> Result<CameraPlan, String> {
        let looks = match (self.detect_fps, self.every_frame) {
            (Some(_), true) => return Err("detect_fps and every_frame exclude each other".into()),
            (Some(fps), false) => Looks::per_second(fps).map_err(|e| format!("detect_fps: {e}"))?,
            (None, true) => Looks::EveryFrame,
            (None, false) => Looks::DEFAULT,
        };
        if let Some(ms) = self.inference_ms.filter(|ms| !INFERENCE_MS.contains(ms)) {
            let (least, most) = (INFERENCE_MS.start(), INFERENCE_MS.end());
            return Err(format!("inference_ms is {ms}; {least} to {most} milliseconds are possible"));
        }
        let detector = with_mask_budget(detector, self.masks, self.mask_ms)?;
        if !(1..=WINDOW_S_MAX).contains(&self.window_s) {
            return Err(format!("window_s is {}; 1 to {WINDOW_S_MAX} seconds are possible", self.window_s));
        }
        let access = Access {
            transport: self.transport,
            credentials_file: self.credentials_file,
            credentials_env: self.credentials_env,
        };
        let (ProfileName(profile), source) = (self.profile, access.source(&self.source, folder)?);
        let substream = self.substream.map(|named| source.substream(&named)).transpose();
        let substream = substream.map_err(|error| error.to_string())?;
        if source.is_live() && self.pace.is_some() {
            return Err("pace is for files: a camera plays as fast as time passes; leave it out".into());
        }
        if profile.is_exact() && !source.is_own_file() {
            let remedy = "leave out profile, or record to a file first";
            return Err(format!("profile \"exact\" is for your own files, and the source is none: {remedy}"));
        }
        let classes = self.classes.map(|classes| classes.into_iter().map(|ClassName(class)| class).collect());
        let ground = self.ground.map(|ground| ground.check(folder)).transpose()?;
        let picture_px = picture_px(self.picture, ground.as_ref())?;
        let queues = queues(&self.zone)?;
        let keys = GroundKeys {
            distance_m: self.distance_m,
            encounter_s: self.encounter_s,
            groups: self.groups,
            density: self.density,
            speed: self.speed,
            heat: self.heat,
        };
        let on_ground = keys.check(queues, ground.as_ref())?;
        let lines = self.line.into_iter().map(|line| Line::new(line.name, line.points.0));
        let zones = self.zone.into_iter().map(|zone| Zone::new(zone.name, zone.corners));
        let lines = lines.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let zones = zones.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let blanks = self.blank.into_iter().map(|blank| Zone::new(blank.name, blank.corners));
        let blanks = blanks.collect::<Result<_, _>>().map_err(|e| format!("blank: {e}"))?;
        let scene = Scene::new(lines, zones).and_then(|scene| scene.with_blanks(blanks));
        let scene = scene.map_err(|e| e.to_string())?.with_ground(on_ground).or_drawn_in(picture_px);
        let classes = classes.unwrap_or_else(|| Class::ALL.to_vec());
        let around = Surroundings { scene: &scene, has_ground: ground.is_some(), classes: &classes, profile };
        let alerts = AlertPlan::check(self.alert, self.operational, &around)?;
        let plan = CameraPlan {
            source,
            substream,
            pace: Pace::new(self.pace.unwrap_or(1.0)).map_err(|e| format!("pace: {e}"))?,
            detector,
            looks,
            inference_ms: self.inference_ms,
            classes,
            scene,
            ground,
            find_ground: None,
            flows: self.flows,
            profile,
            window_ms: self.window_s * 1000,
            snapshot_ms: Some(SNAPSHOT_MS),
            alerts,
        };
        let schema = plan.schema().map_err(|e| e.to_string())?;
        plan.disclosure(&schema).map_err(|e| e.to_string())?;
        Ok(plan)
    }
}

/// The size of the picture that lines, zones and ground were drawn in, where the section says it.
fn picture_px(picture: Option<Exactly<u32, 2>>, ground: Option<&Ground>) -> Result<Option<[u32; 2]>, String> {
    let of_ground = ground.and_then(Ground::picture_px);
    let Some(Exactly(size_px)) = picture else { return Ok(of_ground) };
    if let Some(side) = size_px.iter().find(|side| !PICTURE_PX.contains(*side)) {
        let (least, most) = (PICTURE_PX.start(), PICTURE_PX.end());
        return Err(format!("picture: a side of {side} pixels; {least} to {most} are possible"));
    }
    match of_ground {
        Some([width, height]) if [width, height] != size_px => Err(format!(
            "picture is {} x {}, and the ground is for a picture of {width} x {height}: lines and ground need the same one",
            size_px[0], size_px[1]
        )),
        _ => Ok(Some(size_px)),
    }
}

/// A budget for masks needs masks to spend it on.
fn with_mask_budget(detector: DetectorFiles, masks: bool, ms: Option<f64>) -> Result<DetectorFiles, String> {
    match ms {
        Some(_) if !masks => Err("mask_ms is for cameras with masks = true".into()),
        Some(ms) if !INFERENCE_MS.contains(&ms) => {
            let (least, most) = (INFERENCE_MS.start(), INFERENCE_MS.end());
            Err(format!("mask_ms is {ms}; {least} to {most} milliseconds are possible"))
        }
        _ => {
            let masks = detector.masks.map(|masks| MaskFiles { ms, ..masks });
            Ok(DetectorFiles { masks, ..detector })
        }
    }
}

/// How a camera of the network is reached, as its section says.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) transport: Option<Transport>,
    pub(crate) credentials_file: Option<PathBuf>,
    pub(crate) credentials_env: Option<String>,
}

impl Access {
    pub(crate) fn source(self, source: &Path, folder: &Path) -> Result<Source, String> {
        let credentials = match (self.credentials_file, self.credentials_env) {
            (Some(_), Some(_)) => {
                return Err("credentials_file and credentials_env exclude each other".into());
            }
            (Some(file), None) => Some(Credentials::File(folder.join(file))),
            (None, name) => name.map(Credentials::Variable),
        };
        let mut source = Source::parse(source, folder).map_err(|error| format!("source: {error}"))?;
        match &mut source {
            Source::Stream(stream) => {
                stream.transport = self.transport.unwrap_or_default();
                stream.credentials = credentials;
            }
            Source::File(_) | Source::Device(_) => {
                let of_network = "is for cameras of the network, and the source is none; leave it out";
                if self.transport.is_some() {
                    return Err(format!("transport {of_network}"));
                }
                if credentials.is_some() {
                    return Err(format!("credentials_file or credentials_env {of_network}"));
                }
            }
        }
        Ok(source)
    }
}

/// The zones in which people queue, with where they are served.
fn queues(zones: &[ZoneConfig]) -> Result<Vec<(ZoneIndex, Option<Point>)>, String> {
    if let Some(zone) = zones.iter().find(|zone| zone.head.is_some() && !zone.queue) {
        return Err(format!(
            "zone \"{}\" has the head of a queue: add queue = true, or leave out head",
            zone.name
        ));
    }
    let indexed = zones.iter().zip(0u16..).filter(|(zone, _)| zone.queue);
    Ok(indexed.map(|(zone, index)| (ZoneIndex(index), zone.head)).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::detector::Runtime;

    const PAGE: &str = include_str!("../../../docs/ref/config.md");
    const SAMPLES: [(&str, &str); 6] = [
        ("one-camera.toml", include_str!("../../../docs/samples/one-camera.toml")),
        ("two-cameras.toml", include_str!("../../../docs/samples/two-cameras.toml")),
        ("street.toml", include_str!("../../../docs/samples/street.toml")),
        ("decree.toml", include_str!("../../../docs/samples/decree.toml")),
        ("speaker.toml", include_str!("../../../docs/samples/speaker.toml")),
        ("distances.toml", include_str!("../../../docs/samples/distances.toml")),
    ];

    fn detector() -> DetectorFiles {
        DetectorFiles {
            model: "nanodet-g",
            model_file: "n.onnx".into(),
            runtime: Runtime::BuiltIn,
            masks: None,
        }
    }

    fn cameras(text: &str) -> Result<Vec<Camera>, ConfigError> {
        parse(text)?
            .camera
            .into_iter()
            .map(|camera| {
                let masks = camera.masks.then(MaskFiles::default);
                camera.check(Path::new("/etc/outis"), DetectorFiles { masks, ..detector() })
            })
            .collect()
    }

    /// A whole configuration in /etc/outis, with its ledger beside it.
    pub(crate) fn setup(text: &str) -> Setup {
        let text =
            if text.contains("state =") { text.to_owned() } else { format!("state = \"state\"\n{text}") };
        super::setup(Path::new("/etc/outis/w.toml"), &text, |_, _| Ok(detector())).unwrap()
    }

    /// A camera named gate with these keys more.
    pub(crate) fn camera(more: &str) -> Result<Camera, ConfigError> {
        cameras(&format!("[[camera]]\nname = \"gate\"\nsource = \"a.avi\"\n{more}"))
            .map(|mut all| all.remove(0))
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let Camera { name, plan } = camera("").unwrap();
        assert_eq!((name.as_str(), plan.source), ("gate", Source::File("/etc/outis/a.avi".into())));
        assert_eq!((plan.pace, plan.looks, plan.window_ms), (Pace::Times(1.0), Looks::DEFAULT, 900_000));
        assert_eq!((plan.classes.len(), plan.flows, plan.ground), (Class::COUNT, false, None));
        assert_eq!(plan.profile, Profile::Statistics);
        let config = parse("camera = [{ name = \"a\", source = \"a\" }]").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8720");
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            ("unknown key", "detecter = \"auto\"", &["line 4", "unknown key `detecter`", "`detector`"][..]),
            ("unknown detector", "detector = \"yolo\"", &["line 4", "`yolo`", "`yolox-nano`"]),
            ("unknown class", "classes = [\"person\", \"face\"]", &["line 4", "\"face\"", "bicycle"]),
            ("no class", "classes = []", &["camera \"gate\"", "no class"]),
            ("no budget", "inference_ms = 0", &["gate", "1 to 60000 milliseconds"]),
            ("a budget for nothing", "mask_ms = 50", &["gate", "masks = true"]),
            ("no budget for masks", "masks = true\nmask_ms = 0", &["gate", "mask_ms", "1 to 60000"]),
            ("both rates", "detect_fps = 5\nevery_frame = true", &["gate", "exclude"]),
            ("no rate", "detect_fps = 0", &["gate", "detect_fps"]),
            ("window too long", "window_s = 100000", &["gate", "window_s", "86400"]),
            ("backwards", "pace = -1", &["gate", "pace"]),
            ("unknown profile", "profile = \"raw\"", &["line 4", "\"raw\"", "statistics", "open-data"]),
            ("wrong type", "flows = 1", &["line 4", "boolean"]),
            (
                "point of three",
                "[[camera.line]]\nname = \"A\"\npoints = [[1,2,3],[4,5]]",
                &["line 6", "list of 2", "has 3"],
            ),
            (
                "one point",
                "[[camera.line]]\nname = \"A\"\npoints = [[1,2]]",
                &["line 6", "list of 2", "has 1"],
            ),
            (
                "short line",
                "[[camera.line]]\nname = \"A\"\npoints = [[1,2],[1,2]]",
                &["gate", "\"A\"", "pixel"],
            ),
            ("key of a line", "[[camera.line]]\nnam = \"A\"", &["line 5", "unknown key `nam`", "`points`"]),
            ("no name", "[[camera.zone]]\ncorners = [[0,0],[9,0],[9,9]]", &["line 4", "missing key `name`"]),
            (
                "far ground",
                "[camera.ground]\nimage = [[0,0],[9,0],[9,9],[0,9]]\nmetres = [[0,0],[9,0],[9,inf],[0,9]]",
                &["gate", "ground"],
            ),
            ("no way to the ground", "[camera.ground]", &["gate", "either four points", "tsai"]),
            (
                "half a pose",
                "[camera.ground]\nfocal_px = 900\npitch_deg = 20",
                &["gate", "height_m", "picture"],
            ),
            (
                "in the clouds",
                "[camera.ground]\nfocal_px = 900\npitch_deg = 20\nheight_m = 900\npicture = [768, 576]",
                &["gate", "height_m is 900"],
            ),
            ("a picture of nothing", "picture = [0, 720]", &["gate", "picture: a side of 0", "1 to 16384"]),
            (
                "two pictures",
                "picture = [640, 360]\n[camera.ground]\nfocal_px = 900\npitch_deg = 20\nheight_m = 9\npicture = [768, 576]",
                &["gate", "picture is 640 x 360", "768 x 576"],
            ),
            ("no such calibration", "[camera.ground]\ntsai = \"no.xml\"", &["gate", "no.xml cannot be read"]),
            ("unfinished", "detector = \"", &["line 4"]),
        ];
        for (name, more, parts) in cases {
            let error = camera(more).unwrap_err().to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{name}: {error}");
        }
        let twice = "[[camera]]\nname = \"a\"\nsource = \"a\"\n".repeat(2);
        assert!(matches!(cameras(&twice), Err(ConfigError::SameName(_))));
        assert!(matches!(cameras("camera = []"), Err(ConfigError::NoCamera)));
        assert!(cameras("").unwrap_err().to_string().contains("missing key `camera`"));
    }

    #[test]
    fn profiles_refuse_what_they_do_not_allow_and_say_the_remedy() {
        let line = "[[camera.line]]\nname = \"A\"\npoints = [[1,2],[3,4]]";
        let zone = "[[camera.zone]]\nname = \"Z\"\ncorners = [[0,0],[9,0],[9,9]]";
        let people = "classes = [\"person\"]";
        let decree = "profile = \"fr-2021-269\"";
        let cases: [(&str, String, &[&str]); 14] = [
            ("short by default", "window_s = 899".into(), &["gate", "statistics", "set window_s = 900"]),
            (
                "open data, short",
                "profile = \"open-data\"\nwindow_s = 60".into(),
                &["open-data", "set window_s = 900"],
            ),
            ("open data", "profile = \"open-data\"".into(), &[]),
            ("exact, a second", "profile = \"exact\"\nwindow_s = 1".into(), &[]),
            (
                "decree, by default",
                format!("{decree}\n{people}\n{line}"),
                &["fr-2021-269", "set window_s = 1200"],
            ),
            ("decree", format!("{decree}\n{people}\nwindow_s = 1200\n{line}"), &[]),
            ("decree, longer", format!("{decree}\n{people}\nwindow_s = 3600\n{line}"), &[]),
            (
                "decree, all classes",
                format!("{decree}\nwindow_s = 1200\n{line}"),
                &["set classes = [\"person\"]"],
            ),
            (
                "decree, zone",
                format!("{decree}\n{people}\nwindow_s = 1200\n{line}\n{zone}"),
                &["leave out [[camera.zone]]"],
            ),
            (
                "decree, flows",
                format!(
                    "{decree}\n{people}\nwindow_s = 1200\nflows = true\n{line}\n{}",
                    line.replace("\"A\"", "\"B\"")
                ),
                &["leave out flows"],
            ),
            (
                "decree, nothing drawn",
                format!("{decree}\n{people}\nwindow_s = 1200"),
                &["add a section [[camera.line]]"],
            ),
            ("exact device", "profile = \"exact\"".into(), &["own files", "leave out profile"]),
            ("exact folder", "profile = \"exact\"".into(), &["own files", "leave out profile"]),
            ("noisy device", String::new(), &[]),
        ];
        for (name, more, parts) in cases {
            let source = match name {
                "exact device" | "noisy device" => "/dev/video0",
                "exact folder" => env!("CARGO_MANIFEST_DIR"),
                _ => "a.avi",
            };
            let text = format!("[[camera]]\nname = \"gate\"\nsource = \"{source}\"\n{more}");
            match cameras(&text) {
                Ok(_) => assert!(parts.is_empty(), "{name}: not refused"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(
                        !parts.is_empty() && parts.iter().all(|part| error.contains(part)),
                        "{name}: {error}"
                    );
                }
            }
        }
    }

    #[test]
    fn cameras_of_the_network_have_their_secrets_elsewhere() {
        let source = |source: &str, more: &str| {
            let text = format!("[[camera]]\nname = \"gate\"\nsource = \"{source}\"\n{more}");
            cameras(&text).map(|mut all| all.remove(0).plan.source).map_err(|error| error.to_string())
        };
        let stream = "rtsp://camera.example/stream";
        let Ok(Source::Stream(plain)) = source(stream, "") else { panic!("no stream") };
        assert_eq!((plain.transport, plain.credentials), (Transport::Tcp, None));
        let more = "transport = \"udp\"\ncredentials_file = \"gate.login\"";
        let Ok(Source::Stream(stream_of)) = source(stream, more) else { panic!("no stream") };
        let file = Credentials::File("/etc/outis/gate.login".into());
        assert_eq!((stream_of.transport, stream_of.credentials), (Transport::Udp, Some(file)));
        assert_eq!(source("/dev/video0", ""), Ok(Source::Device("/dev/video0".into())));
        let text = format!(
            "[[camera]]\nname = \"gate\"\nsource = \"{stream}\"\nsubstream = \"rtsp://camera.example/2\"\n{more}"
        );
        let plan = cameras(&text).unwrap().remove(0).plan;
        assert_eq!(plan.substream, plan.source.substream(Path::new("rtsp://camera.example/2")).ok());
        assert!(plan.substream.is_some());

        let cases = [
            (stream, "substream = \"a.avi\"", "such as rtsp://camera.example/2"),
            (
                stream,
                "substream = \"rtsp://me:secret@camera/2\"",
                "substream: the address holds a name or password",
            ),
            (stream, "substream = \"rtsp://camera.example:554/stream\"", "the source's own address"),
            ("a.avi", "substream = \"rtsp://camera/2\"", "substream is for cameras of the network"),
            ("rtsp://me:secret@camera/1", "", "chmod 600"),
            ("rtsp://me:secret@camera/1", "secrets = 1", "line 4"),
            ("rtmp://camera/1", "", "rtsp://"),
            (stream, "credentials_file = \"a\"\ncredentials_env = \"A\"", "exclude"),
            (stream, "transport = \"sctp\"", "`tcp`"),
            (stream, "pace = 2.0", "pace is for files"),
            (stream, "profile = \"exact\"", "own files"),
            ("a.avi", "transport = \"udp\"", "cameras of the network"),
            ("/dev/video0", "credentials_env = \"A\"", "cameras of the network"),
        ];
        for (named, more, part) in cases {
            let error = source(named, more).unwrap_err();
            assert!(error.contains(part) && !error.contains("me:secret"), "{named}, {more}: {error}");
        }
    }

    #[test]
    fn masks_are_off_unless_asked_for() {
        assert!(camera("").unwrap().plan.detector.masks.is_none());
        let Camera { plan, .. } = camera("masks = true\nmask_ms = 50").unwrap();
        assert_eq!(plan.detector.masks.as_ref().and_then(|masks| masks.ms), Some(50.0));
        assert!(plan.schema().unwrap().masks());
        let error = camera("masks = true\nclasses = [\"car\"]").unwrap_err().to_string();
        assert!(error.contains("add \"person\""), "{error}");
        let decree = "profile = \"fr-2021-269\"\nclasses = [\"person\"]\nwindow_s = 1200\nmasks = true";
        assert!(camera(decree).is_ok(), "who went by is told with the masks, so no line is needed");
    }

    #[test]
    fn samples_are_sound() {
        for (name, text) in SAMPLES {
            assert!(cameras(text).is_ok_and(|cameras| !cameras.is_empty()), "{name}");
        }
    }

    /// The keys that a section accepts, as the parser itself lists them.
    fn accepted(section: &str) -> BTreeSet<String> {
        let error = parse(&format!("{section}\nnot_a_key = 1")).unwrap_err().to_string();
        let (_, list) = error.split_once("expected ").unwrap_or_else(|| panic!("{section}: {error}"));
        let list = list.lines().next().unwrap_or_default();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The keys in the tables of the reference page, by its headings.
    fn documented(section: &str) -> BTreeSet<String> {
        let heading = format!("## {section}\n");
        let (_, rest) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("no heading {section}"));
        let body = rest.split("\n## ").next().unwrap_or_default();
        let keys = body.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        keys.map(str::to_owned).collect()
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let sections = [
            ("Top level", ""),
            ("`[output]`", "[output]"),
            ("`[[camera]]`", "[[camera]]"),
            ("`[[camera.line]]`", "[[camera]]\n[[camera.line]]"),
            ("`[[camera.zone]]`", "[[camera]]\n[[camera.zone]]"),
            ("`[[camera.blank]]`", "[[camera]]\n[[camera.blank]]"),
            ("`[camera.ground]`", "[[camera]]\n[camera.ground]"),
            ("`[[camera.alert]]`", "[[camera]]\n[[camera.alert]]"),
            ("`[camera.operational]`", "[[camera]]\n[camera.operational]"),
            ("`[camera.heat]`", "[[camera]]\n[camera.heat]"),
            ("`[pause]`", "[pause]"),
            ("`[speaker]`", "[speaker]"),
            ("`[[speaker.message]]`", "[speaker]\n[[speaker.message]]"),
            ("`[[speaker.rtp]]`", "[speaker]\n[[speaker.rtp]]"),
            ("`[[speaker.card]]`", "[speaker]\n[[speaker.card]]"),
            ("`[[speaker.http]]`", "[speaker]\n[[speaker.http]]"),
            ("`[[speaker.mqtt]]`", "[speaker]\n[[speaker.mqtt]]"),
        ];
        for (heading, section) in sections {
            assert_eq!(documented(heading), accepted(section), "{heading}");
        }
        assert_eq!(PAGE.matches("\n## ").count(), sections.len(), "a heading without a section");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            sample in 0..SAMPLES.len(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), "\\PC{0,12}|[\\[\\]{}=\"',.\n0-9-]{1,6}", 0..20usize), 1..6)
        ) {
            let mut text: Vec<char> = SAMPLES[sample].1.chars().collect();
            for (at, insert, remove) in edits {
                let at = at.index(text.len() + 1);
                let end = (at + remove).min(text.len());
                text.splice(at..end, insert.chars());
            }
            let text: String = text.into_iter().collect();
            if let Err(error) = cameras(&text) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
