//! `outis describe`: everything that leaves, figure by figure, before anything is seen. For whoever has to judge
//! an installation; the same rules run in `outis watch`.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;
use outis_record::{AlertPlace, Area, Cell, Disclosure, Figure, NEAREST_UNTIL_CM, Place, Schema};
use serde::Serialize;

use crate::{
    alert::{AlertPlan, Limit, Operational, Situation},
    config::{self, Camera, Setup},
    detector::Cache,
    exit::Exit,
    merge::CLOSING_MS,
    pause::PauseTerms,
    release::CLOCK_STEP_MS,
    report::json::{Terms, seconds},
    scene::Scene,
    speaker::SpeakerPlan,
};

/// Tell what leaves the cameras of a configuration: every figure, its range, noise and threshold, and when
#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// The configuration file; see docs/ref/config.md
    config: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads the configuration as `outis watch` does, and prints what it would tell.
pub(crate) fn run(arguments: &DescribeArgs) -> anyhow::Result<Exit> {
    let setup = config::load_to_describe(&arguments.config, &Cache::from_env())?;
    let Setup { cameras, speaker, pause, .. } = setup;
    let described = cameras.iter().map(|camera| describe(camera, speaker.as_ref(), pause));
    let cameras = described.collect::<anyhow::Result<Vec<_>>>()?;
    let text = if arguments.json {
        serde_json::to_string_pretty(&Description { cameras })? + "\n"
    } else {
        cameras.iter().map(CameraDescription::text).collect::<Vec<_>>().join("\n")
    };
    io::stdout().write_all(text.as_bytes()).context("the description cannot be printed")?;
    Ok(Exit::Whole)
}

#[derive(Debug, Serialize)]
struct Description {
    cameras: Vec<CameraDescription>,
}

/// What leaves one camera.
#[derive(Debug, Serialize)]
struct CameraDescription {
    camera: String,
    /// What would find people and vehicles on this machine; null where it is not in the cache.
    detector: Option<&'static str>,
    #[serde(flatten)]
    terms: Terms,
    window_s: f64,
    /// An upper bound on the information in one window, whatever the eye does.
    bits_per_window: f64,
    bits_per_second: f64,
    /// The share of times and states in it.
    frame_bits: f64,
    when: String,
    beside: &'static str,
    /// What a second stream of the same camera is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    substream: Option<&'static str>,
    pause: PauseDescription,
    /// Areas at which nobody looks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blanked: Vec<String>,
    /// Alerts that may leave between windows, each hour.
    alerts_per_hour: u32,
    /// Their share of the bits of a window: by what they say, and when they come.
    alert_bits: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<AlertDescription>,
    cells: Vec<CellDescription>,
}

const SUBSTREAM: &str = "a second, smaller stream of the same view is watched for motion: while nothing moves, fewer pictures of the \
                         first are decoded. Nothing of it leaves; when it is away the terminal says so, once a start of the camera";

/// How passers-by can object.
#[derive(Debug, Serialize)]
struct PauseDescription {
    /// How long a pause is unless something else is asked for.
    seconds: u32,
    /// At most this share of a window.
    window_share: f64,
    told: &'static str,
}

/// The paused seconds come from the door, so they are no part of the bits that an eye can tell.
const PAUSE_TOLD: &str = "paused_s with each window, and on record: whole seconds, by the door. No eye has a say in them, and nobody's \
                          request is kept: they add nothing to the bits";

/// What may leave at once, and why.
#[derive(Debug, Serialize)]
struct AlertDescription {
    /// Such as "too-full in zone \"square\": more than 6 people for 3 s".
    situations: Vec<String>,
    gap_s: f64,
    carries: &'static str,
    /// Besides the terminal, the page and the file.
    heard_by: Vec<String>,
    regime: &'static str,
    purpose: String,
    basis: String,
    objection: String,
}

const CARRIES: &str = "its kind, its zone and the time, and nothing else; no noise: ε does not cover alerts";

/// No promise of what an authority would say.
const REGIME: &str = "operational: counting in order to act is not statistics. The exception for statistics does not cover \
                      it, and people must be able to object in fact. Whether the text below allows it is for whoever \
                      answers for this camera";

impl AlertDescription {
    fn new(camera: &Camera, speaker: Option<&SpeakerPlan>) -> Option<Self> {
        let AlertPlan { situations, terms, operational } = &camera.plan.alerts;
        let Operational { purpose, basis, objection, .. } = operational.as_ref()?;
        let words = |situation: &Situation| {
            let place = match situation.place {
                AlertPlace::View => String::new(),
                AlertPlace::Zone(zone) => {
                    format!(" in zone \"{}\"", camera.plan.scene.name(Place::Zone(zone)))
                }
            };
            let limit = match situation.limit {
                Limit::NearerThanM(metres, leave_out_groups) => {
                    let but = if leave_out_groups { ", unless they walk together" } else { "" };
                    format!("two people nearer than {metres} m{but}")
                }
                Limit::MoreThan(people) => format!("more than {people} people"),
            };
            format!("{}{place}: {limit} for {} s", situation.alert().kind.name(), situation.for_s)
        };
        Some(Self {
            situations: situations.iter().map(words).collect(),
            gap_s: seconds(terms.gap_ms().into()),
            carries: CARRIES,
            heard_by: speaker.map(|speaker| speaker.hearers(camera.name.as_str())).unwrap_or_default(),
            regime: REGIME,
            purpose: purpose.clone(),
            basis: basis.clone(),
            objection: objection.clone(),
        })
    }

    fn text(&self, per_hour: u32, bits: f64) -> String {
        let Self { situations, gap_s, carries, heard_by, regime, purpose, basis, objection } = self;
        let mut text =
            format!("  alerts     at most one in {gap_s} s, {per_hour} an hour, {bits} bits in a window\n");
        for situation in situations {
            text += &format!("             {situation}\n");
        }
        text += &format!("             each carries {carries}\n");
        for hearer in heard_by {
            text += &format!("             heard by {hearer}\n");
        }
        text += &format!("  regime     {regime}\n");
        text += &format!("  purpose    {purpose}\n  basis      {basis}\n  objection  {objection}\n");
        text
    }
}

/// One figure that leaves.
#[derive(Debug, Serialize)]
struct CellDescription {
    name: String,
    class: &'static str,
    unit: &'static str,
    /// It is told from 0, or what it is withheld below, to this.
    max: u64,
    step: u64,
    withheld_below: u64,
    /// Scale of the discrete Laplace noise; null without.
    noise_scale: Option<f64>,
    /// In 95 of 100 windows the noise is at most this.
    noise_95: Option<u64>,
    bits: f64,
}

fn describe(
    camera: &Camera,
    speaker: Option<&SpeakerPlan>,
    pause: PauseTerms,
) -> anyhow::Result<CameraDescription> {
    let PauseTerms { seconds: pause_s, window_share } = pause;
    let plan = &camera.plan;
    let schema: Schema = plan.schema()?;
    let disclosure: Disclosure = plan.disclosure(&schema)?;
    let window_s = seconds(plan.window_ms.into());
    let exact = disclosure.profile().is_exact();
    let cells = disclosure.cells().iter().zip(disclosure.bits_by_cell());
    let bits = disclosure.bits_per_window();
    let step_s = CLOCK_STEP_MS / 1000;
    Ok(CameraDescription {
        camera: camera.name.as_str().to_owned(),
        detector: Some(plan.detector.model).filter(|model| !model.is_empty()),
        terms: Terms::new(disclosure.profile()),
        window_s,
        bits_per_window: rounded(bits),
        bits_per_second: rounded(bits / window_s),
        frame_bits: rounded(disclosure.frame_bits()),
        when: if exact {
            format!("after each window of {window_s} s, and running totals on the local page")
        } else {
            let save = if plan.alerts.situations.is_empty() {
                "never between"
            } else {
                "between them nothing but alerts"
            };
            let when = if plan.source.is_live() {
                format!(
                    "{} s after the end of each window of {window_s} s, at that second",
                    CLOSING_MS / 1000
                )
            } else {
                format!("after each window of {window_s} s")
            };
            format!("{when}, {save}")
        },
        beside: if exact {
            "progress, frame counts and faults as they come; how the run ended"
        } else {
            debug_assert_eq!(step_s, 60);
            "on the local page a clock in steps of 60 s, kinds of faults and the number of frames with each window, \
             the size of the picture once; to the second when a camera is away and why; how the run ended"
        },
        substream: plan.substream.is_some().then_some(SUBSTREAM),
        pause: PauseDescription { seconds: pause_s, window_share, told: PAUSE_TOLD },
        blanked: plan.scene.blanks().iter().map(|area| area.name.as_str().to_owned()).collect(),
        alerts_per_hour: disclosure.alerts().per_hour(),
        alert_bits: rounded(disclosure.alert_bits()),
        alerts: AlertDescription::new(camera, speaker),
        cells: cells.map(|(cell, bits)| CellDescription::new(cell, bits, &plan.scene)).collect(),
    })
}

/// To a hundredth upwards: a bound stays one.
fn rounded(bits: f64) -> f64 {
    (bits * 100.0).ceil() / 100.0
}

impl CellDescription {
    fn new(cell: &Cell, bits: f64, scene: &Scene) -> Self {
        let unit = match (cell.figure.is_time(), cell.unit) {
            (false, 1000) if cell.figure.is_length() => "m",
            (false, _) if cell.figure.is_length() => "mm",
            (false, _) => "count",
            (true, 1000) => "s",
            (true, _) => "ms",
        };
        Self {
            name: name(cell.figure, scene),
            class: cell.class.name(),
            unit,
            max: cell.max,
            step: cell.step,
            withheld_below: cell.withheld_below,
            noise_scale: cell.noise.map(|noise| noise.scale()),
            noise_95: cell.noise.map(|noise| noise.error_95()),
            bits: rounded(bits),
        }
    }
}

/// A span of nearest distances in words.
fn span_words(span: u8) -> String {
    let metres = |index: usize| NEAREST_UNTIL_CM.get(index).map(|&cm| f64::from(cm) / 100.0);
    let from = usize::from(span).checked_sub(1).and_then(metres);
    match (from, metres(span.into())) {
        (None, Some(until)) => format!("within {until} m"),
        (Some(from), Some(until)) => format!("at {from} to {until} m"),
        (from, None) => format!("farther than {} m", from.unwrap_or_default()),
    }
}

/// A figure in words, with the names its owner gave.
fn name(figure: Figure, scene: &Scene) -> String {
    use outis_record::Place::{Line, Zone};
    let of = |place, what: &str| format!("{}: {what}", scene.name(place));
    let on = |area, what: &str| match area {
        Area::View => format!("picture: {what}"),
        Area::Zone(zone) => of(Zone(zone), what),
    };
    let metres = |threshold: u8| {
        scene.on_ground().distances_m.get(usize::from(threshold)).copied().unwrap_or_default()
    };
    match figure {
        Figure::ViewNow => "picture: present now".into(),
        Figure::ViewMax => "picture: present at most".into(),
        Figure::ViewPresent => "picture: time present".into(),
        Figure::LineForward(line) => of(Line(line), "forward"),
        Figure::LineBackward(line) => of(Line(line), "backward"),
        Figure::LineBoth(line) => of(Line(line), "in either direction"),
        Figure::ZoneEntered(zone) => of(Zone(zone), "entered"),
        Figure::ZoneLeft(zone) => of(Zone(zone), "left"),
        Figure::ZoneNow(zone) => of(Zone(zone), "present now"),
        Figure::ZoneMax(zone) => of(Zone(zone), "present at most"),
        Figure::ZonePresent(zone) => of(Zone(zone), "time present"),
        Figure::ZoneStays(zone) => of(Zone(zone), "stays"),
        Figure::ZoneStayTotal(zone) => of(Zone(zone), "time of stays"),
        Figure::Flow(from, to) => format!("{} to {}", scene.name(from), scene.name(to)),
        Figure::MasksPeople => "masks: people who went by".into(),
        Figure::MasksJudged => "masks: of whom it is known".into(),
        Figure::MasksWith => "masks: of whom with a mask".into(),
        Figure::MasksShare => "masks: share with a mask, in %".into(),
        Figure::Nearest(area, span) => {
            on(area, &format!("time with the nearest neighbour {}", span_words(span)))
        }
        Figure::Measured(area) => on(area, "time distances were measured"),
        Figure::Near(area, threshold) => {
            on(area, &format!("time with a neighbour within {} m", metres(threshold)))
        }
        Figure::Encounters(area, threshold) => {
            on(area, &format!("encounters within {} m", metres(threshold)))
        }
        Figure::Walked(area) => on(area, "way walked"),
        Figure::Walking(area) => on(area, "time walking"),
        Figure::Standing(area) => on(area, "time standing"),
        Figure::Ground(zone) => of(Zone(zone), "its ground, in dm²"),
        Figure::GroundPresent(zone) => of(Zone(zone), "time on its ground"),
        Figure::GroundMax(zone) => of(Zone(zone), "on its ground at most"),
        Figure::QueueTime(zone) => of(Zone(zone), "time in line"),
        Figure::QueueMax(zone) => of(Zone(zone), "in line at most"),
        Figure::Served(zone) => of(Zone(zone), "served"),
        Figure::Waited(zone) => of(Zone(zone), "time those waited"),
        Figure::Heat(cell) => format!("heat map: time on cell {cell}"),
    }
}

impl CameraDescription {
    /// For people. Figures of classes that have the same rule share a line.
    fn text(&self) -> String {
        let Self {
            camera,
            detector,
            terms,
            window_s,
            bits_per_window,
            bits_per_second,
            when,
            beside,
            substream,
            blanked,
            pause,
            ..
        } = self;
        let mut text = format!("camera \"{camera}\", profile \"{}\"\n", terms.profile());
        let detector = detector.unwrap_or("not in the cache of this machine: `make models` fetches it");
        text += &format!("  detector   {detector}\n");
        text += &format!("  leaves     {when}\n  beside     {beside}\n");
        if !blanked.is_empty() {
            text += &format!("  blanked    {}: painted over before anything looks\n", blanked.join(", "));
        }
        if let Some(substream) = substream {
            text += &format!("  substream  {substream}\n");
        }
        let PauseDescription { seconds, window_share, told } = pause;
        text += &format!(
            "  pauses     {seconds} s a request, at most {} % of a window; told is {told}\n",
            (100.0 * window_share).round()
        );
        text += &match &self.alerts {
            Some(alerts) => alerts.text(self.alerts_per_hour, self.alert_bits),
            None => "  alerts     none\n".to_owned(),
        };
        text += &match terms.epsilon() {
            Some(epsilon) => format!(
                "  privacy    ε = {epsilon} for one passage, all figures together; m passages of one person: m times that\n"
            ),
            None => "  privacy    none: every figure is exact, for the owner of the file\n".to_owned(),
        };
        text += &format!(
            "  at most    {bits_per_window} bits in a window of {window_s} s, {bits_per_second} bits a second\n\n"
        );
        let mut rows: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
        for cell in &self.cells {
            let row = cell.row();
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, classes)) => classes.push(cell.class),
                None => rows.push((row, vec![cell.class])),
            }
        }
        let header = ["figure", "to", "step", "noise (95 %)", "withheld", "bits", "of each"];
        let mut lines = vec![header.map(str::to_owned).to_vec()];
        lines.extend(rows.into_iter().map(|(mut row, classes)| {
            row.push(classes.join(", "));
            row
        }));
        let width = |column: usize| {
            lines.iter().map(|line| unicode_width::UnicodeWidthStr::width(line[column].as_str())).max()
        };
        let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or(0)).collect();
        for line in &lines {
            let mut padded = String::from(" ");
            for (cell, width) in line.iter().zip(&widths) {
                let pad = width - unicode_width::UnicodeWidthStr::width(cell.as_str());
                // Writing to a string cannot fail.
                let _ = write!(padded, " {cell}{} ", " ".repeat(pad));
            }
            text += padded.trim_end();
            text.push('\n');
        }
        text
    }
}

impl CellDescription {
    fn row(&self) -> Vec<String> {
        let unit = if self.unit == "count" { String::new() } else { format!(" {}", self.unit) };
        let below = format!("< {}{unit}", self.withheld_below);
        vec![
            self.name.clone(),
            format!("{}{unit}", self.max),
            format!("{}{unit}", self.step),
            self.noise_95.map_or_else(|| "none".into(), |noise| format!("± {noise}{unit}")),
            if self.withheld_below > 0 { below } else { "never".into() },
            format!("{:.2}", self.bits),
        ]
    }
}
