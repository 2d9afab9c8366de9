//! The command line of the eye. The door writes it; people read it in error messages only.

use std::path::PathBuf;

use clap::{ArgGroup, Parser};
use outis_eye::{
    detect::{DetectorChoice, Runtime},
    mask::{MaskBudget, MaskChoice},
    plan::{Budget, PlanSettings, Way},
    run::{Alerts, Settings},
    schedule::LookRate,
};
use outis_measure::{
    AutoGroundSettings, CameraPose, CounterSettings, GroundPlane, GroundPoint, GroundSettings, HeatGrid,
    ImagePoint, Limit, Line, MeasureSettings, NearSettings, Scene, Situation, TsaiCamera, Zone,
};
use outis_record::{AlertKind, AlertPlace, Class, GroundCells, Schema, SchemaError, ZoneIndex};

/// Thirty thousand years: keeps sums of times far from the end of what 64 bits hold.
const ORIGIN_MAX_MS: i64 = 1_000_000_000_000_000;

/// Decodes packets from outis-intake on standard input, counts, and writes 64-byte records to standard output.
#[derive(Debug, Parser)]
#[command(version, group = ArgGroup::new("engine").required(true))]
pub(crate) struct Args {
    /// Name of the model, as on its card.
    #[arg(long)]
    model: String,
    /// File of the model.
    #[arg(long, value_name = "PATH")]
    model_file: PathBuf,
    /// Library of ONNX Runtime.
    #[arg(long, value_name = "PATH", group = "engine")]
    runtime: Option<PathBuf>,
    /// Use the built-in runtime instead of a library.
    #[arg(long, group = "engine")]
    rten: bool,
    /// Packets of the camera's second, smaller stream of the same view come on descriptor 5: while nobody moves and nothing
    /// changes in it, the first stream rests.
    #[arg(long)]
    substream: bool,
    /// How often the detector looks, per second of media time.
    #[arg(long, value_name = "FPS", default_value = "5", value_parser = look_rate)]
    detect_fps: LookRate,
    /// Let the detector look at every frame.
    #[arg(long, conflicts_with = "detect_fps")]
    every_frame: bool,
    /// Milliseconds of processor time that the network may take for each second of video, on average; without, 1.5
    /// times what looking at the whole picture costs.
    #[arg(long, value_name = "N", value_parser = inference_ms)]
    inference_ms: Option<f32>,
    /// A network that tells who wears a mask, and its file; one that finds faces, then one that judges them, or one that
    /// does both.
    #[arg(long = "mask-model", value_name = "NAME=PATH", value_parser = mask_model)]
    mask_models: Vec<(String, PathBuf)>,
    /// Milliseconds of processor time that masks may take for each second of video, on average.
    #[arg(long, value_name = "N", value_parser = inference_ms, requires = "mask_models")]
    mask_ms: Option<f32>,
    /// What to count, such as person,bicycle.
    #[arg(long, value_name = "NAMES", required = true, value_delimiter = ',', value_parser = class)]
    classes: Vec<Class>,
    /// A counting line, in pixels of the displayed picture. In the order of their numbers.
    #[arg(long = "line", value_name = "X1,Y1,X2,Y2", allow_hyphen_values = true, value_parser = line)]
    lines: Vec<Line>,
    /// A zone, corner by corner. In the order of their numbers.
    #[arg(long = "zone", value_name = "X,Y,X,Y,X,Y…", allow_hyphen_values = true, value_parser = zone)]
    zones: Vec<Zone>,
    /// An area at which nobody looks, corner by corner
    #[arg(long = "blank", value_name = "X,Y,X,Y,X,Y…", allow_hyphen_values = true, value_parser = zone)]
    blanks: Vec<Zone>,
    /// Size of the picture that lines, zones and ground were drawn in; without, they are for the first picture.
    #[arg(long, value_name = "WIDTH,HEIGHT", value_parser = size)]
    drawn_for: Option<(u32, u32)>,
    /// Four points of the picture in pixels, and their places on the ground in metres.
    #[arg(long, value_name = "X,Y,…:M,M,…", allow_hyphen_values = true, value_parser = ground)]
    ground: Option<GroundPlane>,
    /// A calibrated camera in Tsai's terms: focal,kappa1,cx,cy,sx,dpx,dpy,tx,ty,tz,rx,ry,rz; millimetres on the
    /// sensor, metres in the world, radians.
    #[arg(long, value_name = "N,N,…", allow_hyphen_values = true, conflicts_with = "ground", value_parser = tsai)]
    tsai: Option<GroundPlane>,
    /// How a camera hangs and looks: focal length in pixels, pitch and roll in degrees, height in metres, and the
    /// middle of the picture.
    #[arg(long, value_name = "F,P,R,H,X,Y", allow_hyphen_values = true, conflicts_with_all = ["ground", "tsai"],
          value_parser = pose)]
    pose: Option<GroundPlane>,
    /// Do not hold the ground against the people who walk on it.
    #[arg(long)]
    no_ground_check: bool,
    /// Find the ground from the people who walk on it, and tell at the end how the camera hangs and looks.
    #[arg(long)]
    fit_ground: bool,
    /// The focal length in pixels, where it is known.
    #[arg(long, value_name = "F", requires = "fit_ground", value_parser = focal)]
    fit_focal_px: Option<f64>,
    /// Tell how long people were nearer than these metres, and how often they met. In ascending order.
    #[arg(long, value_name = "M,M", value_delimiter = ',', value_parser = metres)]
    near: Vec<f32>,
    /// Two who stay nearer for so many seconds meet.
    #[arg(long, value_name = "S", default_value = "5", value_parser = metres)]
    encounter_s: f32,
    /// People who walk together are no neighbours of each other.
    #[arg(long)]
    leave_out_groups: bool,
    /// Tell how many are on how much ground of each zone.
    #[arg(long)]
    density: bool,
    /// Tell how fast people walk, and how long they stand.
    #[arg(long)]
    speed: bool,
    /// A zone in which people queue, by its number, and the point of the picture where they are served.
    #[arg(long = "queue", value_name = "ZONE[:X,Y]", value_parser = queue)]
    queues: Vec<(u16, Option<ImagePoint>)>,
    /// A grid on the ground on which people's presence is told: its lowest corner and its cells' side in metres, its
    /// columns and rows.
    #[arg(long, value_name = "X,Y,M,COLUMNS,ROWS", allow_hyphen_values = true, value_parser = heat)]
    heat: Option<HeatGrid>,
    /// Count journeys between lines and zones.
    #[arg(long)]
    flows: bool,
    /// Let no passage add more than the noise of the release is made for.
    #[arg(long)]
    bounded: bool,
    /// A situation for an alert: what, where (a zone's number or "view"), how many people or metres (with a g behind: groups
    /// left out), for how many seconds.
    #[arg(long = "alert", value_name = "KIND:PLACE:LIMIT:S", requires = "alert_gap_ms", value_parser = situation)]
    alerts: Vec<Situation>,
    /// The least time between two alerts in milliseconds of media time.
    #[arg(long, value_name = "N")]
    alert_gap_ms: Option<u32>,
    /// Length of a window in milliseconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    window_ms: u32,
    /// The wall clock at media time 0, in milliseconds from the Unix epoch; without, windows count from the first
    /// frame. A live stream says it itself.
    #[arg(long, value_name = "UNIX_MS", default_value_t = 0, allow_hyphen_values = true,
          value_parser = clap::value_parser!(i64).range(-ORIGIN_MAX_MS..=ORIGIN_MAX_MS))]
    window_origin_ms: i64,
    /// Tell the running window's totals every so many milliseconds of media time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    snapshot_ms: Option<u32>,
}

impl Args {
    /// Which detector to load.
    pub(crate) fn detector(&self) -> DetectorChoice {
        DetectorChoice {
            model: self.model.clone(),
            model_file: self.model_file.clone(),
            runtime: self.runtime.clone().map_or(Runtime::Rten, Runtime::OnnxRuntime),
        }
    }

    /// Whether the camera's second stream is watched, too.
    pub(crate) fn has_substream(&self) -> bool {
        self.substream
    }

    /// What to tell masks with, and what that may cost.
    pub(crate) fn masks(&self) -> Option<(MaskChoice, MaskBudget)> {
        if self.mask_models.is_empty() {
            return None;
        }
        let choice = MaskChoice { models: self.mask_models.clone(), runtime: self.detector().runtime };
        Some((choice, self.mask_ms.map_or(MaskBudget::default(), |ms_per_s| MaskBudget { ms_per_s })))
    }

    /// What to measure.
    pub(crate) fn settings(self) -> Result<Settings, SettingsError> {
        self.check_alerts()?;
        let cells = GroundCells {
            thresholds: u8::try_from(self.near.len()).unwrap_or(u8::MAX),
            density: self.density,
            speed: self.speed,
            queues: self.queues.iter().fold(0, |queues, (zone, _)| queues | 1 << zone),
            heat_cells: self.heat.map_or(0, |grid| grid.cells()),
        };
        let schema = Schema::new(self.lines.len(), self.zones.len(), &self.classes, self.flows)?;
        let schema = schema.with_ground(cells)?;
        let mut near = NearSettings {
            encounter_s: self.encounter_s,
            leave_out_groups: self.leave_out_groups,
            ..NearSettings::default()
        };
        near.distances_m.iter_mut().zip(&self.near).for_each(|(distance, metres)| *distance = *metres);
        let head = |index: usize| {
            self.queues.iter().find(|(zone, _)| usize::from(*zone) == index).and_then(|(_, head)| *head)
        };
        let zones = self.zones.iter().cloned().enumerate().map(|(index, zone)| match head(index) {
            Some(head) => zone.with_head(head),
            None => zone,
        });
        let schema = if self.mask_models.is_empty() { schema } else { schema.with_masks()? };
        Ok(Settings {
            scene: Scene {
                zones: zones.collect(),
                lines: self.lines,
                ground: self.ground.or(self.tsai).or(self.pose),
            },
            drawn_px: self.drawn_for,
            blanks: self.blanks,
            schema,
            measure: MeasureSettings {
                window_ms: self.window_ms,
                origin_ms: self.window_origin_ms,
                counter: CounterSettings { bounded: self.bounded, ..CounterSettings::default() },
                auto_ground: self.fit_ground.then(|| AutoGroundSettings {
                    focal_px: self.fit_focal_px,
                    ..AutoGroundSettings::default()
                }),
                check_ground: !self.no_ground_check,
                ground: GroundSettings { near, heat: self.heat },
                ..MeasureSettings::default()
            },
            look_rate: if self.every_frame { LookRate::EveryFrame } else { self.detect_fps },
            way: Way::Planned(PlanSettings {
                budget: self.inference_ms.map_or(Budget::default(), Budget::MillisPerSecond),
                ..PlanSettings::default()
            }),
            alerts: Alerts { situations: self.alerts, gap_ms: self.alert_gap_ms.unwrap_or(u32::MAX) },
            snapshot_ms: self.snapshot_ms,
        })
    }

    fn check_alerts(&self) -> Result<(), SettingsError> {
        for Situation { place, limit, .. } in &self.alerts {
            if let AlertPlace::Zone(zone) = *place
                && usize::from(zone.0) >= self.zones.len()
            {
                return Err(SettingsError::NoZone(zone.0));
            }
            if matches!(limit, Limit::Apart { .. }) && self.ground.or(self.tsai).or(self.pose).is_none() {
                return Err(SettingsError::NoGround);
            }
        }
        Ok(())
    }
}

/// Arguments that are fine each for itself, and not together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("an alert is about zone {0}, and there is none of that number")]
    NoZone(u16),
    #[error("an alert is about metres between people, and --ground does not say where the ground is")]
    NoGround,
}

fn situation(text: &str) -> Result<Situation, String> {
    let wrong =
        || "an alert is KIND:PLACE:LIMIT:SECONDS, such as too-full:0:5:3 or too-close:view:1.5:3".to_owned();
    let parts: [&str; 4] = text.split(':').collect::<Vec<_>>().try_into().map_err(|_| wrong())?;
    let [kind, place, limit, for_s] = parts;
    let place = match place {
        "view" => AlertPlace::View,
        zone => AlertPlace::Zone(ZoneIndex(zone.parse().map_err(|_| wrong())?)),
    };
    let positive =
        |text: &str| text.parse().ok().filter(|n: &f32| *n >= 0.0 && n.is_finite()).ok_or_else(wrong);
    let limit = match AlertKind::from_name(kind).ok_or_else(wrong)? {
        AlertKind::TooClose => match limit.strip_suffix('g') {
            Some(limit) => Limit::Apart { nearer_than_m: positive(limit)?, leave_out_groups: true },
            None => Limit::Apart { nearer_than_m: positive(limit)?, leave_out_groups: false },
        },
        AlertKind::TooFull => Limit::Room { more_than: limit.parse().map_err(|_| wrong())? },
    };
    Ok(Situation { place, limit, for_s: positive(for_s)? })
}

fn mask_model(text: &str) -> Result<(String, PathBuf), String> {
    let named = text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty());
    let (name, path) = named.ok_or_else(|| "a network is NAME=PATH".to_owned())?;
    Ok((name.to_owned(), path.into()))
}

fn look_rate(text: &str) -> Result<LookRate, String> {
    let rate = text.parse().ok().and_then(LookRate::from_fps);
    rate.ok_or_else(|| format!("a rate is a number above 0 and at most {}", LookRate::FPS_MAX))
}

fn inference_ms(text: &str) -> Result<f32, String> {
    let (least, most) = (Budget::MILLIS_MIN, Budget::MILLIS_MAX);
    let ms = text.parse().ok().filter(|ms: &f32| (least..=most).contains(ms));
    ms.ok_or_else(|| format!("a budget is {least} to {most} milliseconds for each second of video"))
}

fn class(text: &str) -> Result<Class, String> {
    Class::from_name(text)
        .ok_or_else(|| format!("the classes are {}", Class::ALL.map(Class::name).join(", ")))
}

fn line(text: &str) -> Result<Line, String> {
    let [start, end] =
        points(text)?.try_into().map_err(|_| "a line has two points: X1,Y1,X2,Y2".to_owned())?;
    Line::new(start, end).map_err(|error| error.to_string())
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::new(points(text)?).map_err(|error| error.to_string())
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.trim().parse().ok().filter(|px| (1..=65_535).contains(px));
    let size = text.split_once(',').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    size.ok_or_else(|| "a size is two numbers of pixels: WIDTH,HEIGHT".to_owned())
}

fn ground(text: &str) -> Result<GroundPlane, String> {
    let four =
        || "a ground plane has four points of the picture, a colon, and four places in metres".to_owned();
    let (image, ground) = text.split_once(':').ok_or_else(four)?;
    let image = points(image)?.try_into().map_err(|_| four())?;
    let ground: [ImagePoint; 4] = points(ground)?.try_into().map_err(|_| four())?;
    let ground = ground.map(|p| GroundPoint { x_m: p.x_px, y_m: p.y_px });
    GroundPlane::from_points(image, ground).map_err(|error| error.to_string())
}

fn metres(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "metres and seconds are numbers above 0".to_owned())
}

fn queue(text: &str) -> Result<(u16, Option<ImagePoint>), String> {
    let (zone, head) = text.split_once(':').map_or((text, None), |(zone, head)| (zone, Some(head)));
    let zone = zone.parse().ok().filter(|zone| *zone < 64);
    let zone = zone.ok_or_else(|| "a queue is the number of a zone, 0 to 63".to_owned())?;
    let head = head.map(points).transpose()?;
    match head.as_deref() {
        None => Ok((zone, None)),
        Some(&[head]) => Ok((zone, Some(head))),
        Some(_) => Err("a queue has one head: ZONE:X,Y".to_owned()),
    }
}

fn heat(text: &str) -> Result<HeatGrid, String> {
    let wrong = || {
        format!(
            "a heat map is X,Y,M,COLUMNS,ROWS with cells of 1 m or more, at most {}",
            GroundCells::HEAT_CELLS_MAX
        )
    };
    let words: Vec<&str> = text.split(',').collect();
    let [x, y, cell, columns, rows] = words[..] else { return Err(wrong()) };
    let number = |word: &str| word.parse::<f32>().map_err(|_| wrong());
    let count = |word: &str| word.parse::<u16>().map_err(|_| wrong());
    let from = GroundPoint { x_m: number(x)?, y_m: number(y)? };
    HeatGrid::new(from, number(cell)?, count(columns)?, count(rows)?).ok_or_else(wrong)
}

fn focal(text: &str) -> Result<f64, String> {
    let focal_px = text.parse().ok().filter(|px: &f64| (1.0..=100_000.0).contains(px));
    focal_px.ok_or_else(|| "a focal length is 1 to 100000 pixels".to_owned())
}

fn pose(text: &str) -> Result<GroundPlane, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let numbers: Option<[f64; 6]> = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    let numbers = numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()));
    let [focal_px, pitch_deg, roll_deg, height_m, x, y] =
        numbers.ok_or_else(|| "a pose is six numbers with commas between".to_owned())?;
    let pose = CameraPose {
        focal_px,
        pitch_rad: pitch_deg.to_radians(),
        roll_rad: roll_deg.to_radians(),
        height_m,
        center_px: [x, y],
    };
    let sizes = focal_px >= 1.0 && height_m >= 0.1;
    let plane = sizes.then(|| pose.ground_plane()).flatten();
    plane.ok_or_else(|| "a camera has a focal length of 1 px or more and hangs 0.1 m or higher".to_owned())
}

fn tsai(text: &str) -> Result<GroundPlane, String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let numbers: [f64; 13] = numbers
        .ok()
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| "a calibration is thirteen numbers with commas between".to_owned())?;
    let [focal_mm, kappa1, cx, cy, sx, dpx, dpy, tx, ty, tz, rx, ry, rz] = numbers;
    let camera = TsaiCamera {
        focal_mm,
        kappa1,
        center_px: [cx, cy],
        sx,
        pixel_mm: [dpx, dpy],
        translation_m: [tx, ty, tz],
        rotation_rad: [rx, ry, rz],
    };
    camera.ground_plane().map_err(|error| error.to_string())
}

fn points(text: &str) -> Result<Vec<ImagePoint>, String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let numbers = numbers.map_err(|_| "points are numbers with commas between: X,Y,X,Y".to_owned())?;
    let (points, []) = numbers.as_chunks() else { return Err("a coordinate is missing".to_owned()) };
    Ok(points.iter().map(|&[x_px, y_px]| ImagePoint::new(x_px, y_px)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &str) -> Result<Args, String> {
        let always =
            "outis-eye --model nanodet-g --model-file m.onnx --classes person,car --window-ms 900000";
        let words = always.split_whitespace().chain(more.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_door_says_is_understood() {
        let args = parse(
            "--rten --line 0,300,700,300.5 --line -5,0,20,-7 --zone 0,0,9,0,9,9 --flows --snapshot-ms 500 \
             --window-origin-ms -1",
        );
        let args = args.unwrap();
        assert_eq!(args.detector().runtime, Runtime::Rten);
        let settings = args.settings().unwrap();
        assert_eq!((settings.scene.lines.len(), settings.scene.zones.len()), (2, 1));
        assert_eq!(settings.scene.lines[1].start(), ImagePoint::new(-5.0, 0.0));
        assert_eq!(settings.schema.classes(), [Class::Person, Class::Car]);
        assert_eq!((settings.measure.window_ms, settings.measure.origin_ms), (900_000, -1));
        assert!(settings.scene.ground.is_none());
        assert_eq!((settings.look_rate, settings.snapshot_ms), (LookRate::Fps(5.0), Some(500)));
        assert_eq!(settings.way, Way::default());
        let args = parse("--rten --ground=0,9,9,9,6,1,3,1:0,0,4,0,4,-8.5,0,-8.5").unwrap();
        assert!(args.settings().unwrap().scene.ground.is_some());
        let args = parse("--rten --drawn-for 1920,1080").unwrap();
        assert_eq!(args.settings().unwrap().drawn_px, Some((1920, 1080)));
        let args = parse(
            "--rten --zone 0,0,9,0,9,9 --zone 0,0,9,0,9,9 --near=1,2 --leave-out-groups --density --speed --queue=1:5,-5 \
             --heat=-3,0,2,3,10",
        );
        let settings = args.unwrap().settings().unwrap();
        let cells = settings.schema.ground();
        assert_eq!((cells.thresholds, cells.queues, cells.heat_cells), (2, 0b10, 30));
        assert!(cells.density && cells.speed && settings.measure.ground.near.leave_out_groups);
        assert_eq!(settings.measure.ground.near.distances_m[..2], [1.0, 2.0]);
        assert_eq!(settings.scene.zones[1].head(), Some(ImagePoint::new(5.0, -5.0)));
        let tsai = "--tsai=5.5,0.005,324,282,1.09,0.0051,0.00465,0.8,-1.2,24,2,-0.9,-0.4";
        let args = parse(&format!("--rten {tsai}")).unwrap();
        assert!(args.settings().unwrap().scene.ground.is_some());
        let args = parse("--rten --pose=1190,16.5,-3.1,7.07,384,288 --drawn-for 768,576").unwrap();
        assert!(args.settings().unwrap().scene.ground.is_some());
        let args = parse("--rten --no-ground-check").unwrap().settings().unwrap();
        assert!(!args.measure.check_ground);
        let args = parse("--rten --fit-ground --fit-focal-px 1190").unwrap().settings().unwrap();
        assert_eq!(args.measure.auto_ground.unwrap().focal_px, Some(1190.0));
        let args =
            parse("--rten --mask-model centerface=c.onnx --mask-model mask-mobilenet-v2=m.onnx --mask-ms 50");
        let args = args.unwrap();
        let (choice, budget) = args.masks().unwrap();
        assert_eq!(choice.models[1], ("mask-mobilenet-v2".to_owned(), "m.onnx".into()));
        assert_eq!((choice.runtime, budget.ms_per_s), (Runtime::Rten, 50.0));
        assert!(args.settings().unwrap().schema.masks());
        let way = parse("--rten --inference-ms 120").unwrap().settings().unwrap().way;
        assert!(matches!(way, Way::Planned(PlanSettings { budget: Budget::MillisPerSecond(120.0), .. })));
        let alerts = "--zone 0,0,9,0,9,9 --ground=0,9,9,9,6,1,3,1:0,0,4,0,4,8,0,8 --alert too-full:0:5:3 \
                      --alert too-close:view:1.5g:2.5 --alert-gap-ms 60000";
        let alerts = parse(&format!("--rten {alerts}")).unwrap().settings().unwrap().alerts;
        let zone = AlertPlace::Zone(ZoneIndex(0));
        let full = Situation { place: zone, limit: Limit::Room { more_than: 5 }, for_s: 3.0 };
        let close = Situation {
            place: AlertPlace::View,
            limit: Limit::Apart { nearer_than_m: 1.5, leave_out_groups: true },
            for_s: 2.5,
        };
        assert_eq!(alerts, Alerts { situations: vec![full, close], gap_ms: 60_000 });
        for (more, reason) in [("too-full:0:5:3", "zone 0"), ("too-close:view:1:1", "--ground")] {
            let args = parse(&format!("--rten --alert {more} --alert-gap-ms 60000")).unwrap();
            assert!(args.settings().unwrap_err().to_string().contains(reason), "{more}");
        }
        let args = parse("--runtime lib.so --every-frame").unwrap();
        assert_eq!(args.detector().runtime, Runtime::OnnxRuntime("lib.so".into()));
        assert_eq!(args.settings().unwrap().look_rate, LookRate::EveryFrame);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        let cases = [
            ("", "--runtime"),
            ("--rten --runtime lib.so", "cannot be used with"),
            ("--rten --every-frame --detect-fps 3", "cannot be used with"),
            ("--rten --detect-fps 0", "above 0"),
            ("--rten --detect-fps NaN", "above 0"),
            ("--rten --inference-ms 0", "1 to 60000 milliseconds"),
            ("--rten --inference-ms NaN", "1 to 60000 milliseconds"),
            ("--rten --line 1,2,3", "coordinate is missing"),
            ("--rten --line 1,2", "two points"),
            ("--rten --line 1,2,1,2", "less than a pixel"),
            ("--rten --line a,b,c,d", "numbers"),
            ("--rten --zone 0,0,1,1", "3 to 64 corners"),
            ("--rten --zone 0,0,9,9,9,0,0,9", "cross each other"),
            ("--rten --ground 0,9,9,9,6,1,3,1", "a colon"),
            ("--rten --ground 0,0,1,0,2,0,3,0:0,0,4,0,4,8,0,8", "one line"),
            ("--rten --alert too-full:0:5:3", "--alert-gap-ms"),
            ("--rten --alert-gap-ms 60000 --alert too-full:0:5", "KIND:PLACE:LIMIT:SECONDS"),
            ("--rten --alert-gap-ms 60000 --alert too-full:0:-5:3", "KIND:PLACE:LIMIT:SECONDS"),
            ("--rten --alert-gap-ms 60000 --alert too-close:view:NaN:3", "KIND:PLACE:LIMIT:SECONDS"),
            ("--rten --alert-gap-ms 60000 --alert mask:view:1:3", "KIND:PLACE:LIMIT:SECONDS"),
            ("--rten --drawn-for 1920", "two numbers of pixels"),
            ("--rten --drawn-for 0,1080", "two numbers of pixels"),
            ("--rten --near 1,0", "above 0"),
            ("--rten --queue 64", "0 to 63"),
            ("--rten --queue 0:1", "coordinate is missing"),
            ("--rten --heat=0,0,0.5,3,3", "1 m or more"),
            ("--rten --pose 1190,16.5,-3.1", "six numbers"),
            ("--rten --pose 0,16.5,-3.1,7,384,288", "focal length"),
            ("--rten --fit-focal-px 5", "--fit-ground"),
            ("--rten --tsai 5.5,0.005,324", "thirteen numbers"),
            ("--rten --tsai 5.5,0,324,282,1,.005,.005,800,-1200,24000,2,0,0", "above the ground"),
            ("--rten --mask-model centerface", "NAME=PATH"),
            ("--rten --mask-ms 50", "--mask-model"),
            ("--rten --snapshot-ms 0", "not in 1.."),
            ("--rten --classes face", "person, bicycle"),
        ];
        for (more, reason) in cases {
            let said = parse(more).expect_err(more);
            assert!(said.contains(reason), "{more}: {said}");
        }
    }
}
