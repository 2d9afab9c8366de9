//! `outis count`: the exact totals of one file, for its owner.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;
use outis_record::{Class, Profile};

use crate::{
    alert::AlertPlan,
    classes,
    detector::{Cache, Detector, DetectorFiles, MaskFiles},
    exit::{Exit, UsageError},
    ground::{self, Ground},
    launch::{CameraPlan, Looks, Pace, Programs},
    meter::Meter,
    on_ground::{GroundKeys, GroupsKey},
    report::{csv, json::CountReport, table},
    scene::{Line, Scene, Zone},
    source::{self, Source},
    stop,
    tally::{Tally, WHOLE_FILE_MS, tally},
};

/// How often the running totals come, for the bar; in media time.
const SNAPSHOT_MS: u32 = 1000;

/// Count who and what passes in a video file
#[derive(Debug, Args)]
#[command(after_help = "\
A line runs from its first point to its second, in pixels from the upper left corner of the picture.
Forward is from its left to its right, looking along it.

Exit codes: 0 the whole file was counted, 3 a part of it, 1 nothing, 2 wrong usage.")]
pub(crate) struct CountArgs {
    /// The video file
    video: PathBuf,

    /// A line to count passages over; may be given several times
    #[arg(long, value_name = "NAME:X1,Y1,X2,Y2", value_parser = Line::parse)]
    line: Vec<Line>,

    /// A zone to count arrivals, departures and stays in; may be given several times
    #[arg(long, value_name = "NAME:X,Y,X,Y,X,Y…", value_parser = Zone::parse)]
    zone: Vec<Zone>,

    /// An area at which nobody looks: painted over before anything sees it; may be given several times
    #[arg(long, value_name = "NAME:X,Y,X,Y,X,Y…", value_parser = Zone::parse)]
    blank: Vec<Zone>,

    /// Print JSON instead of a table
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print CSV instead of a table
    #[arg(long)]
    csv: bool,

    /// Which detector finds people and vehicles
    #[arg(long, value_enum, default_value_t)]
    detector: Detector,

    /// How often the detector looks, per second of video [default: 5]
    #[arg(long, value_name = "F", value_parser = Looks::parse, conflicts_with = "every_frame")]
    detect_fps: Option<Looks>,

    /// Look at every frame: slower, and rarely better
    #[arg(long)]
    every_frame: bool,

    /// What to count, with commas between [default: person,bicycle,car,motorcycle,bus,truck]
    #[arg(long, value_delimiter = ',', value_parser = classes::parse)]
    classes: Vec<Class>,

    /// Count journeys from each line or zone to each other
    #[arg(long)]
    flows: bool,

    /// Where the ground is: the file that `outis calibrate` wrote, or a calibration of Tsai's (.xml)
    #[arg(long, value_name = "FILE")]
    ground: Option<PathBuf>,

    /// Tell how long people were nearer to each other than this, and how often two met, in metres; up to three, with
    /// commas between
    #[arg(long, value_name = "M", value_delimiter = ',', requires = "ground")]
    distance: Vec<f64>,

    /// Tell metres also where the people do not fit the ground: children, or feet that something hides
    #[arg(long, requires = "ground")]
    no_ground_check: bool,

    /// People who walk together are no neighbours of each other
    #[arg(long, requires = "distance")]
    leave_out_groups: bool,

    /// Tell how many people wore a mask; needs `models/fetch masks`
    #[arg(long)]
    masks: bool,
}

/// Counts and prints.
pub(crate) async fn run(arguments: CountArgs) -> anyhow::Result<Exit> {
    let form = arguments.form();
    let title = arguments.video.display().to_string();
    let plan = arguments.plan()?;
    let scene = plan.scene.clone();
    let programs = Programs::beside_this_one()?;
    let meter = Meter::new(&title);
    let counted = tally(plan, &programs, &stop::on_signals()?, &meter, |_| {}).await;
    let Tally { window, finish } = counted.with_context(|| title.clone())?;
    let text = match form {
        Form::Table => table::render(&title, &scene, &window, finish.progress),
        Form::Csv => csv::count(&scene, &window),
        Form::Json => serde_json::to_string_pretty(&CountReport::new(&scene, &window, &finish))? + "\n",
    };
    io::stdout().write_all(text.as_bytes()).context("the report cannot be printed")?;
    Ok(Exit::of(&[Ok(finish)]))
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Table,
    Json,
    Csv,
}

impl CountArgs {
    fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Table,
        }
    }

    fn plan(self) -> anyhow::Result<CameraPlan> {
        source::only_file(&self.video).map_err(UsageError::new)?;
        let cache = Cache::from_env();
        let masks = self.masks.then(|| MaskFiles::find(&cache)).transpose()?;
        let detector = DetectorFiles { masks, ..self.detector.find(&cache)? };
        if self.detector == Detector::Auto {
            eprintln!("detector: {}", detector.model);
        }
        let ground = self.ground.as_deref().map(ground::read).transpose().map_err(UsageError::new)?;
        let ground =
            ground.map(|ground| Ground { is_checked: ground.is_checked && !self.no_ground_check, ..ground });
        let keys = GroundKeys {
            distance_m: self.distance,
            groups: self.leave_out_groups.then_some(GroupsKey::LeaveOut),
            ..GroundKeys::default()
        };
        let on_ground = keys.check(Vec::new(), ground.as_ref()).map_err(UsageError::new)?;
        let scene = Scene::new(self.line, self.zone).and_then(|scene| scene.with_blanks(self.blank));
        let scene = scene.map_err(UsageError::new)?.with_ground(on_ground);
        let every_frame = self.every_frame.then_some(Looks::EveryFrame);
        Ok(CameraPlan {
            scene: scene.or_drawn_in(ground.as_ref().and_then(Ground::picture_px)),
            source: Source::File(self.video),
            substream: None,
            pace: Pace::Unpaced,
            detector,
            looks: every_frame.or(self.detect_fps).unwrap_or(Looks::DEFAULT),
            inference_ms: None,
            classes: if self.classes.is_empty() { Class::ALL.to_vec() } else { self.classes },
            ground,
            find_ground: None,
            flows: self.flows,
            profile: Profile::Exact,
            window_ms: WHOLE_FILE_MS,
            snapshot_ms: Some(SNAPSHOT_MS),
            alerts: AlertPlan::default(),
        })
    }
}
