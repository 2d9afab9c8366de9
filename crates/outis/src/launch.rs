//! Starts an intake and an eye and ties them together: `intake → packets → eye → records → door`. A camera's substream has an
//! intake of its own, with a second pipe to the same eye.
//!
//! The door holds only the end of the last pipe. When the door dies in whatever way, that pipe
//! breaks, then the eye ends, and with it every intake.

use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    future::pending,
    io::{self, Write as _},
    os::fd::RawFd,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use command_fds::{CommandFdExt as _, FdMapping};
use outis_record::{Class, Disclosure, DisclosureError, Profile, Schema, SchemaError};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    alert::AlertPlan,
    course::{Origin, Timing},
    credentials::CredentialsError,
    detector::{DetectorFiles, Runtime},
    ground::{FindGround, Ground},
    scene::{Point, Scene},
    source::{Source, Stream},
};

/// Where an eye that is started with `--substream` finds the packets of it.
const SUBSTREAM_DESCRIPTOR: RawFd = 5;

/// What the exit code of an intake stands for whose camera sent nothing for too long.
const SILENT: &str = "the camera was silent for 10 s; if this happens again, check its network";

/// The most bytes kept of what a program says on its standard error.
const WORDS_BYTES_MAX: usize = 4096;

/// How long a program may take to end once its pipes are closed.
const END_WAIT: Duration = Duration::from_secs(5);

/// Everything one camera is started with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CameraPlan {
    pub(crate) source: Source,
    /// A smaller stream of the same view, in which the eye sees whether anything moves; a camera of the network may have one.
    pub(crate) substream: Option<Stream>,
    /// How fast it is played, if it is a file.
    pub(crate) pace: Pace,
    pub(crate) detector: DetectorFiles,
    pub(crate) looks: Looks,
    /// Milliseconds of processor time for the network in each second of video; `None` for what the eye finds fair.
    pub(crate) inference_ms: Option<f64>,
    pub(crate) classes: Vec<Class>,
    pub(crate) scene: Scene,
    pub(crate) ground: Option<Ground>,
    /// Whether the eye is to find the ground from the people who walk on it.
    pub(crate) find_ground: Option<FindGround>,
    pub(crate) flows: bool,
    /// By whose rules its windows are told.
    pub(crate) profile: Profile,
    pub(crate) window_ms: u32,
    /// How often the running totals are told; never, if absent.
    pub(crate) snapshot_ms: Option<u32>,
    /// When people are asked to change something; by default never.
    pub(crate) alerts: AlertPlan,
}

impl CameraPlan {
    /// Whether its programs are started again when they have ended: those of a live camera, but not where the ground is to be
    /// found. What is gathered for that is in the eye alone, and another one would begin with nobody.
    pub(crate) fn is_renewed(&self) -> bool {
        self.source.is_live() && self.find_ground.is_none()
    }

    /// Which cells each of its windows has.
    pub(crate) fn schema(&self) -> Result<Schema, SchemaError> {
        let (lines, zones) = (self.scene.lines().len(), self.scene.zones().len());
        let schema = Schema::new(lines, zones, &self.classes, self.flows)?;
        let schema = schema.with_ground(self.scene.on_ground().cells())?;
        if self.detector.masks.is_some() { schema.with_masks() } else { Ok(schema) }
    }

    /// What may be told of its windows. A plan whose schema cannot be has been refused before.
    pub(crate) fn disclosure(&self, schema: &Schema) -> Result<Disclosure, DisclosureError> {
        Disclosure::new(self.profile, schema, self.window_ms)?.with_alerts(self.alerts.terms.clone())
    }

    /// When its eye is to speak, if it is started now; from a later place of a file, if that is more than 0.
    pub(crate) fn timing(&self, from_ms: u64) -> Timing {
        let (origin, speed_max) = match self.pace {
            _ if self.source.is_live() => (Origin::now(), Some(1.0)),
            Pace::Times(times) if !self.profile.is_exact() => (Origin::FirstFrame, Some(times)),
            Pace::Times(_) | Pace::Unpaced => (Origin::FirstFrame, None),
        };
        let origin = match origin {
            Origin::FirstFrame if from_ms > 0 => {
                Origin::Later { from_ms: i64::try_from(from_ms).unwrap_or(i64::MAX) }
            }
            origin => origin,
        };
        Timing { window_ms: self.window_ms, snapshot_ms: self.snapshot_ms, origin, speed_max }
    }
}

/// How fast a file is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// As fast as it can be counted.
    Unpaced,
    /// This many times as fast as it was filmed.
    Times(f64),
}

impl Pace {
    /// The highest speed; above it nothing is gained over [`Pace::Unpaced`].
    pub(crate) const TIMES_MAX: f64 = 1000.0;

    /// From a number, of which 0 means unpaced.
    pub(crate) fn new(times: f64) -> Result<Self, PaceError> {
        match times {
            0.0 => Ok(Self::Unpaced),
            _ if times > 0.0 && times <= Self::TIMES_MAX => Ok(Self::Times(times)),
            _ => Err(PaceError(times)),
        }
    }
}

/// A pace that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a speed; 1 is real time, 2 twice as fast, 0 as fast as possible, {max} the most", max = Pace::TIMES_MAX)]
pub(crate) struct PaceError(f64);

/// How often the detector looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Looks {
    /// So many times in a second of media time.
    PerSecond(f64),
    /// At every frame.
    EveryFrame,
}

impl Looks {
    /// Enough to count walking people and slow cars; see the accuracy tables.
    pub(crate) const DEFAULT: Self = Self::PerSecond(Self::DEFAULT_PER_SECOND as f64);

    /// The same as a number.
    pub(crate) const DEFAULT_PER_SECOND: u64 = 5;

    /// The highest rate; no camera films faster.
    pub(crate) const PER_SECOND_MAX: f64 = 240.0;

    /// From a rate on the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, LooksError> {
        Self::per_second(text.parse().unwrap_or(f64::NAN))
    }

    /// From a rate.
    pub(crate) fn per_second(fps: f64) -> Result<Self, LooksError> {
        if fps > 0.0 && fps <= Self::PER_SECOND_MAX { Ok(Self::PerSecond(fps)) } else { Err(LooksError(fps)) }
    }
}

/// A rate of looks that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a number of looks per second; more than 0 and at most {max} are possible", max = Looks::PER_SECOND_MAX)]
pub(crate) struct LooksError(f64);

/// The folder with the sibling programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
}

/// A program could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error("{} is missing: the programs belong in one folder; build them all, or install them together", .0.display())]
    MissingProgram(PathBuf),
    #[error("{} cannot be started: {error}", program.display())]
    Spawn { program: PathBuf, error: io::Error },
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl Programs {
    /// The folder this very program is in.
    pub(crate) fn beside_this_one() -> io::Result<Self> {
        let this = env::current_exe()?;
        Ok(Self { folder: this.parent().unwrap_or(Path::new("/")).to_owned() })
    }

    /// Starts all programs of one camera; from a later place of a file, if that is more than 0.
    pub(crate) fn launch(&self, plan: &CameraPlan, from_ms: u64) -> Result<Crew, LaunchError> {
        let (intake_path, eye_path) = (self.find("outis-intake")?, self.find("outis-eye")?);
        let address = intake_input(&plan.source)?;
        let (intake, packets) = start(&intake_path, &intake_arguments(plan, from_ms), piped(address), None)?;
        let start_substream = |stream: &Stream| {
            let address = stream.secret_address()?;
            start(&intake_path, &stream_arguments(stream), piped(Some(address)), None)
        };
        let (substream, motion) = plan.substream.as_ref().map(start_substream).transpose()?.unzip();
        let (eye, records) = start(&eye_path, &eye_arguments(plan), packets.try_into(), motion)?;
        Ok(Crew { intake, substream, eye, records: Some(records) })
    }

    /// Starts an intake and, in the place of an eye, who makes a picture of a street with nobody in it.
    pub(crate) fn launch_still(
        &self,
        source: &Source,
        seconds: u32,
    ) -> Result<(Program, Program, ChildStdout), LaunchError> {
        let (intake_path, still_path) = (self.find("outis-intake")?, self.find("outis-still")?);
        let address = intake_input(source)?;
        let (intake, packets) = start(&intake_path, &source_arguments(source), piped(address), None)?;
        let arguments = ["--seconds".into(), seconds.to_string().into()];
        let (still, picture) = start(&still_path, &arguments, packets.try_into(), None)?;
        Ok((intake, still, picture))
    }

    /// Where one of them is.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, LaunchError> {
        let path = self.folder.join(name);
        if path.is_file() { Ok(path) } else { Err(LaunchError::MissingProgram(path)) }
    }
}

/// Starts a program. What it writes comes out of the pipe.
fn start(
    program: &Path,
    arguments: &[OsString],
    input: io::Result<Stdio>,
    substream: Option<ChildStdout>,
) -> Result<(Program, ChildStdout), LaunchError> {
    let spawned = input.and_then(|input| spawn(program, arguments, input, substream));
    let mut child = spawned.map_err(|error| LaunchError::Spawn { program: program.to_owned(), error })?;
    let output = child.stdout.take().expect("its standard output is a pipe");
    Ok((Program::new(child), output))
}

fn spawn(
    program: &Path,
    arguments: &[OsString],
    input: Stdio,
    substream: Option<ChildStdout>,
) -> io::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        // No variable of the caller's reaches them: some make a library write reports of its own.
        .env_clear()
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for the door: it ends the intake, and the eye then tells what it has counted.
        .process_group(0)
        .kill_on_drop(true);
    if let Some(packets) = substream {
        let mapping = FdMapping { parent_fd: packets.into_owned_fd()?, child_fd: SUBSTREAM_DESCRIPTOR };
        command.fd_mappings(vec![mapping]).map_err(io::Error::other)?;
    }
    // The command holds our copy of that pipe, and ends here with it: an intake notices that its eye is gone.
    command.spawn()
}

/// A pipe that holds these bytes and then ends, or nothing to read from.
fn piped(bytes: Option<String>) -> io::Result<Stdio> {
    let Some(bytes) = bytes else { return Ok(Stdio::null()) };
    let (reader, mut writer) = io::pipe()?;
    // A pipe takes a page at once, and an address is no longer.
    writer.write_all(bytes.as_bytes())?;
    Ok(reader.into())
}

/// What an intake reads on its standard input: the address of a stream, because others can read a command line.
fn intake_input(source: &Source) -> Result<Option<String>, CredentialsError> {
    match source {
        Source::Stream(stream) => stream.secret_address().map(Some),
        Source::File(_) | Source::Device(_) => Ok(None),
    }
}

/// The command line of an intake.
pub(crate) fn intake_arguments(plan: &CameraPlan, from_ms: u64) -> Vec<OsString> {
    let mut arguments = source_arguments(&plan.source);
    if let Source::File(_) = &plan.source {
        if let Pace::Times(times) = plan.pace {
            arguments.extend(["--pace".into(), times.to_string().into()]);
        }
        if from_ms > 0 {
            arguments.extend(["--from-ms".into(), from_ms.to_string().into()]);
        }
    }
    arguments
}

/// Which source, on the command line of an intake.
fn source_arguments(source: &Source) -> Vec<OsString> {
    match source {
        Source::Stream(stream) => stream_arguments(stream),
        Source::Device(path) => vec![path.clone().into_os_string()],
        // An absolute path is never taken for an option.
        Source::File(path) => {
            vec![std::path::absolute(path).unwrap_or_else(|_| path.clone()).into_os_string()]
        }
    }
}

fn stream_arguments(stream: &Stream) -> Vec<OsString> {
    vec!["--address-on-stdin".into(), "--transport".into(), stream.transport.name().into()]
}

/// The command line of an eye.
pub(crate) fn eye_arguments(plan: &CameraPlan) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--model".into(), plan.detector.model.into()];
    arguments.extend(["--model-file".into(), plan.detector.model_file.clone().into_os_string()]);
    match &plan.detector.runtime {
        Runtime::Library(library) => arguments.extend(["--runtime".into(), library.clone().into_os_string()]),
        Runtime::BuiltIn => arguments.push("--rten".into()),
    }
    if let Some(masks) = &plan.detector.masks {
        for (name, file) in &masks.networks {
            let mut network = OsString::from(format!("--mask-model={name}="));
            network.push(file);
            arguments.push(network);
        }
        arguments.extend(masks.ms.map(|ms| format!("--mask-ms={ms}").into()));
    }
    match plan.looks {
        Looks::PerSecond(fps) => arguments.extend(["--detect-fps".into(), fps.to_string().into()]),
        Looks::EveryFrame => arguments.push("--every-frame".into()),
    }
    if let Some(ms) = plan.inference_ms {
        arguments.extend(["--inference-ms".into(), ms.to_string().into()]);
    }
    let classes: Vec<&str> = plan.classes.iter().map(|class| class.name()).collect();
    arguments.extend(["--classes".into(), classes.join(",").into()]);
    // One argument each, so that a negative coordinate is not taken for an option.
    arguments.extend(plan.scene.lines().iter().map(|line| format!("--line={}", list(&line.points)).into()));
    arguments.extend(plan.scene.zones().iter().map(|zone| format!("--zone={}", list(&zone.corners)).into()));
    arguments
        .extend(plan.scene.blanks().iter().map(|area| format!("--blank={}", list(&area.corners)).into()));
    if let Some([width, height]) = plan.scene.drawn_px() {
        arguments.push(format!("--drawn-for={width},{height}").into());
    }
    arguments.extend(plan.ground.iter().flat_map(Ground::arguments));
    arguments.extend(plan.find_ground.iter().flat_map(FindGround::arguments));
    arguments.extend(plan.scene.on_ground().arguments());
    if plan.flows {
        arguments.push("--flows".into());
    }
    if !plan.profile.is_exact() {
        arguments.push("--bounded".into());
    }
    if plan.substream.is_some() {
        arguments.push("--substream".into());
    }
    arguments.extend(alert_arguments(&plan.alerts));
    arguments.extend(["--window-ms".into(), plan.window_ms.to_string().into()]);
    if let Some(snapshot_ms) = plan.snapshot_ms {
        arguments.extend(["--snapshot-ms".into(), snapshot_ms.to_string().into()]);
    }
    arguments
}

fn alert_arguments(alerts: &AlertPlan) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = alerts
        .situations
        .iter()
        .map(|situation| format!("--alert={}", situation.argument()).into())
        .collect();
    if !arguments.is_empty() {
        arguments.extend(["--alert-gap-ms".into(), alerts.terms.gap_ms().to_string().into()]);
    }
    arguments
}

/// Numbers with commas between, as an eye reads them.
pub(crate) fn list(points: &[Point]) -> String {
    let mut text = String::new();
    for (index, point) in points.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{},{}", point.x_px, point.y_px);
    }
    text
}

/// The running programs of one camera. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) intake: Program,
    /// The intake of the camera's substream, until it has ended.
    pub(crate) substream: Option<Program>,
    pub(crate) eye: Program,
    records: Option<ChildStdout>,
}

impl Crew {
    /// Kills all of them, without waiting.
    pub(crate) fn kill(&mut self) {
        // First whoever looks.
        self.eye.kill();
        self.kill_intakes();
    }

    /// Kills whoever brings packets, without waiting; the eye then tells what it has counted.
    pub(crate) fn kill_intakes(&mut self) {
        self.intake.kill();
        if let Some(substream) = &mut self.substream {
            substream.kill();
        }
    }

    /// Waits until the intake of the substream has ended; for ever where there is none. May be dropped while it waits.
    pub(crate) async fn substream_ended(&mut self) {
        match &mut self.substream {
            Some(substream) => substream.ended().await,
            None => pending().await,
        }
    }

    /// The pipe of records; to be taken once.
    pub(crate) fn take_records(&mut self) -> Option<ChildStdout> {
        self.records.take()
    }
}

/// One running program.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    words: JoinHandle<String>,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when it had to be killed.
    pub(crate) status: Option<ExitStatus>,
    /// What it said on its standard error, without the line end.
    pub(crate) words: String,
}

impl Program {
    fn new(mut child: Child) -> Self {
        let errors = child.stderr.take().expect("its standard error is a pipe");
        Self { child, words: tokio::spawn(read_words(errors)) }
    }

    /// Kills it, without waiting.
    pub(crate) fn kill(&mut self) {
        // It fails only when the program has already ended.
        let _ = self.child.start_kill();
    }

    /// Waits until it has ended, however long that takes. May be dropped while it waits.
    async fn ended(&mut self) {
        // It fails only when nobody can be waited for.
        let _ = self.child.wait().await;
    }

    /// Waits for its end; kills it when that takes too long.
    pub(crate) async fn end(mut self) -> Ended {
        let status = timeout(END_WAIT, self.child.wait()).await.ok().and_then(Result::ok);
        if status.is_none() {
            self.kill();
        }
        let mut words = timeout(END_WAIT, self.words).await.ok().and_then(Result::ok).unwrap_or_default();
        // Behind its lock an intake can say nothing but this, and only so.
        if status.and_then(|status| status.code()) == Some(outis_jail::Leave::Silent as i32) {
            words = SILENT.into();
        }
        Ended { status, words }
    }
}

/// Keeps the beginning, and reads on so that the program never waits for us.
async fn read_words(mut errors: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        let room = WORDS_BYTES_MAX - kept.len();
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
    let text = String::from_utf8_lossy(&kept);
    // What a program says about a hostile file must not steer the terminal.
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    };

    use outis_record::{AlertPlace, AlertTerms, ZoneIndex};

    use crate::{
        alert::{Limit, Situation},
        scene::{Line, Zone},
    };

    use super::*;
    use crate::detector::MaskFiles;

    fn plan() -> CameraPlan {
        let line = Line::parse("gate, north:1,-2,3.5,4").unwrap();
        let zone = Zone::parse("Z:0,0,9,0,9,9").unwrap();
        CameraPlan {
            source: Source::File("--pace".into()),
            substream: None,
            pace: Pace::Times(0.5),
            detector: DetectorFiles {
                model: "nanodet-g",
                model_file: "/cache/n.onnx".into(),
                runtime: Runtime::BuiltIn,
                masks: None,
            },
            looks: Looks::DEFAULT,
            inference_ms: None,
            classes: vec![Class::Person, Class::Car],
            scene: Scene::new(vec![line], vec![zone]).unwrap(),
            ground: None,
            find_ground: None,
            flows: true,
            profile: Profile::Statistics,
            window_ms: 900_000,
            snapshot_ms: Some(500),
            alerts: AlertPlan::default(),
        }
    }

    fn words(arguments: &[OsString]) -> Vec<&str> {
        arguments.iter().map(|argument| argument.to_str().unwrap()).collect()
    }

    #[test]
    fn programs_get_numbers_and_no_names() {
        let expected = "--model nanodet-g --model-file /cache/n.onnx --rten --detect-fps 5 --classes person,car \
                        --line=1,-2,3.5,4 --zone=0,0,9,0,9,9 --flows --bounded --window-ms 900000 --snapshot-ms 500";
        assert_eq!(words(&eye_arguments(&plan())).join(" "), expected);

        let whence = crate::ground::Whence::Points {
            image: [[0.0, 9.0], [9.0, 9.0], [6.0, 1.0], [3.0, 1.0]].map(|p| Point::try_from(p).unwrap()),
            metres: [[0.0, 0.0], [4.0, 0.0], [4.0, -8.5], [0.0, -8.5]],
        };
        let ground = Ground { whence, is_checked: false };
        let masks = MaskFiles { networks: vec![("centerface", "/cache/c.onnx".into())], ms: Some(50.0) };
        let detector = DetectorFiles { masks: Some(masks), ..plan().detector };
        let with_masks = CameraPlan { detector, ..plan() };
        assert!(with_masks.schema().unwrap().masks() && !plan().schema().unwrap().masks());
        let arguments = eye_arguments(&with_masks);
        let arguments = words(&arguments);
        assert!(
            arguments.contains(&"--mask-model=centerface=/cache/c.onnx")
                && arguments.contains(&"--mask-ms=50")
        );

        let other = CameraPlan {
            looks: Looks::EveryFrame,
            ground: Some(ground),
            flows: false,
            profile: Profile::Exact,
            ..plan()
        };
        let arguments = eye_arguments(&other);
        let arguments = words(&arguments);
        assert!(arguments.contains(&"--every-frame") && !arguments.contains(&"--flows"));
        assert!(!arguments.contains(&"--bounded"), "an exact count is exact");
        assert!(arguments.iter().all(|word| !word.starts_with("--drawn-for")), "nobody knows for which");
        assert!(arguments.contains(&"--ground=0,9,9,9,6,1,3,1:0,0,4,0,4,-8.5,0,-8.5"), "{arguments:?}");
        assert!(arguments.contains(&"--no-ground-check"), "{arguments:?}");
    }

    #[test]
    fn the_picture_that_lines_were_drawn_in_is_told() {
        let drawn = |size_px| CameraPlan { scene: plan().scene.or_drawn_in(Some(size_px)), ..plan() };
        let arguments = eye_arguments(&drawn([1280, 720]));
        assert!(words(&arguments).contains(&"--drawn-for=1280,720"), "{arguments:?}");
        assert_eq!(drawn([9, 9]).scene.or_drawn_in(Some([4, 3])).drawn_px(), Some([9, 9]), "said once");
    }

    #[test]
    fn situations_are_told_as_numbers() {
        let full = Situation { place: AlertPlace::Zone(ZoneIndex(0)), limit: Limit::MoreThan(6), for_s: 3.0 };
        let terms = AlertTerms::new(vec![full.alert()], 60_000).unwrap();
        let alerts = AlertPlan { situations: vec![full], terms, operational: None };
        let arguments = eye_arguments(&CameraPlan { alerts, ..plan() });
        let arguments = words(&arguments).join(" ");
        assert!(arguments.contains("--alert=too-full:0:6:3 --alert-gap-ms 60000"), "{arguments}");
    }

    #[test]
    fn a_source_is_never_taken_for_an_option() {
        let arguments = intake_arguments(&plan(), 0);
        let arguments = words(&arguments);
        assert!(arguments[0].starts_with('/') && arguments[0].ends_with("/--pace"), "{arguments:?}");
        assert_eq!(arguments[1..], ["--pace", "0.5"]);
    }

    #[test]
    fn the_address_of_a_camera_is_in_no_command_line() {
        let source = Source::parse(Path::new("rtsp://camera/1?token=secret"), Path::new("")).unwrap();
        let plan = CameraPlan { source, ..plan() };
        assert_eq!(words(&intake_arguments(&plan, 0)), ["--address-on-stdin", "--transport", "tcp"]);
        assert_eq!(intake_input(&plan.source).unwrap().as_deref(), Some("rtsp://camera/1?token=secret"));
        assert!(!format!("{plan:?}").contains("secret"));
        let device = CameraPlan { source: Source::Device("/dev/video0".into()), ..plan };
        assert_eq!(words(&intake_arguments(&device, 0)), ["/dev/video0"]);
        assert!(intake_input(&device.source).unwrap().is_none());
    }

    /// A camera with a substream, and in the place of its programs what these say in the words of a shell.
    fn stand_ins(intake: &str, eye: &str) -> (tempfile::TempDir, Programs, CameraPlan) {
        let folder = tempfile::tempdir().unwrap();
        for (name, words) in [("outis-intake", intake), ("outis-eye", eye)] {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{words}\n")).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
        }
        let programs = Programs { folder: folder.path().to_owned() };
        let source = Source::parse(Path::new("rtsp://camera/large"), Path::new("")).unwrap();
        let substream = Some(source.substream(Path::new("rtsp://camera/small")).unwrap());
        (folder, programs, CameraPlan { source, substream, ..plan() })
    }

    #[test]
    fn an_eye_is_told_of_a_substream() {
        let (_folder, _, with) = stand_ins("", "");
        assert!(words(&eye_arguments(&with)).contains(&"--substream"));
        assert!(!words(&eye_arguments(&plan())).contains(&"--substream"));
    }

    #[tokio::test]
    async fn a_substream_has_an_intake_of_its_own_that_notices_when_its_eye_is_gone() {
        let intake = "read -r address; while echo \"$address $*\"; do :; done";
        let (_folder, programs, plan) =
            stand_ins(intake, "read -r one; read -r two <&5; echo \"$one, $two\"");
        let mut crew = programs.launch(&plan, 0).unwrap();
        let mut said = String::new();
        crew.take_records().unwrap().read_to_string(&mut said).await.unwrap();
        let expected =
            ["large", "small"].map(|path| format!("rtsp://camera/{path} --address-on-stdin --transport tcp"));
        assert_eq!(said.trim(), expected.join(", "));
        let Crew { intake, substream, eye, .. } = crew;
        // Whoever had to be killed has no status.
        assert!(eye.end().await.status.is_some_and(|status| status.success()));
        assert!(intake.end().await.status.is_some());
        assert!(substream.unwrap().end().await.status.is_some());
    }

    #[tokio::test]
    async fn all_programs_of_a_camera_are_killed_together() {
        let sleep = "exec sleep 600";
        let (_folder, programs, plan) = stand_ins(sleep, sleep);
        for only_intakes in [false, true] {
            let mut crew = programs.launch(&plan, 0).unwrap();
            if only_intakes {
                crew.kill_intakes()
            } else {
                crew.kill()
            }
            crew.substream_ended().await;
            crew.eye.kill();
            let Crew { intake, substream, eye, .. } = crew;
            for program in [intake, substream.unwrap(), eye] {
                assert_eq!(program.end().await.status.and_then(|status| status.signal()), Some(9));
            }
        }
    }

    #[test]
    fn speeds_and_rates_have_limits() {
        assert_eq!(Pace::new(0.0).unwrap(), Pace::Unpaced);
        assert_eq!(Pace::new(2.0).unwrap(), Pace::Times(2.0));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Pace::new(wrong).is_err(), "{wrong}");
            assert!(Looks::per_second(wrong).is_err(), "{wrong}");
        }
        assert!(Looks::per_second(0.0).is_err());
    }

    #[tokio::test]
    async fn long_or_wild_words_are_cut_and_tamed() {
        assert_eq!(read_words("cannot open\x1b[2J x.avi\n".as_bytes()).await, "cannot open [2J x.avi");
        assert_eq!(read_words("a".repeat(3 * WORDS_BYTES_MAX).as_bytes()).await.len(), WORDS_BYTES_MAX);
    }
}
