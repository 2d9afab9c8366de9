//! How right the ground is that is made of the people who walk on it.

pub mod check;
pub mod simulated;

use std::path::Path;

use anyhow::Context;
use outis_measure::{
    AutoGround, AutoGroundSettings, Detection, GroundFit, GroundPlane, ImagePoint, MediaTime, Score,
    TrackPoint, Tracker, TrackerSettings, TsaiCamera,
};
use outis_record::{Class, Quality};

use self::simulated::Camera;
use crate::{mot, report::table::Table, watch::Watcher};

/// Points of the picture between which distances are compared, across and down.
const GRID: (u16, u16) = (32, 24);

/// The ground under what a detector found, fitted as the eye fits it.
pub fn fit(
    looks: impl IntoIterator<Item = (MediaTime, Vec<Detection>)>,
    tracker: TrackerSettings,
    settings: AutoGroundSettings,
    picture_px: (f32, f32),
) -> Option<GroundFit> {
    let mut tracker = Tracker::new(tracker);
    let mut auto = AutoGround::new(settings);
    let mut points: Vec<TrackPoint> = Vec::new();
    for (at, found) in looks {
        tracker.look(at, &found);
        points.extend(tracker.take_points());
    }
    tracker.finish();
    points.extend(tracker.take_points());
    points.sort_by_key(|point| point.at);
    points.chunk_by(|a, b| a.at == b.at).for_each(|look| auto.look(look, picture_px));
    auto.fit()
}

/// Errors of distances in the part of the picture that is said to be of one quality.
#[derive(Debug, Clone, Copy, Default)]
pub struct Errors {
    /// Share of the picture.
    pub area: f64,
    /// Median of the errors of distances between any two points of it, as a share.
    pub median: f64,
    /// Nine in ten are smaller.
    pub ninth: f64,
    /// Median of the errors of distances under five metres.
    pub near_median: f64,
}

/// Compares distances between all pairs of points of a grid.
pub fn errors(fit: &GroundFit, truth: &GroundPlane, (width, height): (f32, f32), quality: Quality) -> Errors {
    let (columns, rows) = GRID;
    let at = |index: u16, count: u16, side: f32| (f32::from(index) + 0.5) * side / f32::from(count);
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    let all = all.map(|(column, row)| ImagePoint::new(at(column, columns, width), at(row, rows, height)));
    let points: Vec<ImagePoint> = all.filter(|point| fit.quality(*point) == quality).collect();
    let plane = fit.plane();
    let (mut every, mut near) = (Vec::new(), Vec::new());
    for (index, a) in points.iter().enumerate() {
        for b in &points[index + 1..] {
            let Some(true_m) = truth.distance_m(*a, *b) else { continue };
            let error = match plane.distance_m(*a, *b) {
                Some(m) => f64::from((m / true_m - 1.0).abs()),
                None => f64::INFINITY,
            };
            every.push(error);
            if true_m < 5.0 {
                near.push(error);
            }
        }
    }
    every.sort_by(f64::total_cmp);
    near.sort_by(f64::total_cmp);
    let quantile = |errors: &[f64], share: f64| {
        errors.get((share * errors.len() as f64) as usize).copied().unwrap_or(f64::NAN)
    };
    Errors {
        area: points.len() as f64 / f64::from(columns * rows),
        median: quantile(&every, 0.5),
        ninth: quantile(&every, 0.9),
        near_median: quantile(&near, 0.5),
    }
}

/// One line of a table: a camera, what was fitted, and how wrong it is.
fn row(name: &str, fit: &GroundFit, truth: &GroundPlane, picture_px: (f32, f32)) -> [String; 9] {
    let (pose, [focal_sd, ..]) = (fit.pose(), fit.spreads());
    let [good, fair] = [Quality::Good, Quality::Fair].map(|quality| errors(fit, truth, picture_px, quality));
    let percent =
        |share: f64| if share.is_nan() { "-".to_owned() } else { format!("{:.1} %", 100.0 * share) };
    [
        name.to_owned(),
        fit.people().to_string(),
        format!("{:.2} m, {:.1}°, {:.0} px", pose.height_m, pose.pitch_rad.to_degrees(), pose.focal_px),
        percent(focal_sd),
        percent(good.area),
        percent(good.median),
        percent(good.ninth),
        percent(fair.area),
        percent(fair.median),
    ]
}

/// Heads of the tables.
const HEADS: [&str; 9] = [
    "camera, boxes",
    "people",
    "height, pitch, focal length",
    "focal length ±",
    "good area",
    "median error",
    "nine in ten",
    "fair area",
    "median error",
];

/// The tables of a report: the clip of PETS 2009 against its calibration, and simulated cameras against themselves.
///
/// # Errors
/// When a file that was named cannot be read.
pub fn section(data: &Path, clip: Option<&Path>) -> anyhow::Result<String> {
    let mut text = "Errors are those of distances between any two of 32 x 24 points of the picture that lie in the area \
                    said to be good (or fair), as a share of the true distance. The calibration is used for judging only.\n\n"
        .to_owned();
    let folder = data.join("pets09-s2l1");
    if folder.join("View_001.xml").is_file() {
        text += &pets(&folder, clip)?;
    } else {
        text += "The calibration of PETS 2009 is absent; simulated cameras only.\n";
    }
    text += "\nSimulated cameras, 1280 x 720, ten minutes, 12 people a minute, 3 % jitter on each edge of a box:\n\n";
    text += &simulated_cameras();
    text += "\nThe daily check: the same cameras, of which the ground was typed before something happened to them, or was typed \
             wrongly. Each is judged by ten minutes of people.\n\n";
    text += &check::section(&folder, clip)?;
    Ok(text)
}

/// Our detector looks at every second frame of the clip's ten a second, as the product does.
const EVERY: u32 = 2;

/// Size of the pictures of PETS 2009.
pub const PETS_PX: (f32, f32) = (768.0, 576.0);

/// Looks and what was found in them.
pub type Looks = Vec<(MediaTime, Vec<Detection>)>;

/// The people of PETS 2009, by whose boxes they are.
///
/// # Errors
/// When a file cannot be read.
pub fn pets_looks(folder: &Path, clip: Option<&Path>) -> anyhow::Result<Vec<(&'static str, Looks)>> {
    let found = |path: &Path| -> anyhow::Result<Vec<(MediaTime, Vec<Detection>)>> {
        let frames = mot::read_detections(path)?;
        Ok((0u32..)
            .zip(frames)
            .filter(|(_, found)| !found.is_empty())
            .map(|(frame, found)| (MediaTime::from_seconds(f64::from(frame) / 10.0), found))
            .collect())
    };
    let person = |bbox| Detection { bbox, class: Class::Person, score: Score::new(0.9) };
    let true_boxes = mot::read_objects(&folder.join("gt_mot.txt"))?;
    let true_looks: Vec<_> = (0u32..)
        .zip(true_boxes)
        .map(|(frame, boxes)| {
            let boxes = boxes.into_iter().map(|(_, bbox)| person(bbox)).collect();
            (MediaTime::from_seconds(f64::from(frame) / 10.0), boxes)
        })
        .collect();
    let mut kinds = vec![("true boxes", true_looks)];
    for (name, model) in [("NanoDet-g", "nanodet-g"), ("YOLOX-nano", "yolox-nano")] {
        let Some(clip) = clip else { continue };
        // A card whose file is absent is for a file that the user brings.
        let Ok(mut watcher) = Watcher::new(model) else { continue };
        let watched = watcher.watch(clip, EVERY)?;
        kinds.push((name, watched.timed_looks().map(|(at, found)| (at, found.to_vec())).collect()));
    }
    let public = folder.join("det_faster-rcnn_sort.txt");
    if public.is_file() {
        kinds.push(("Faster R-CNN, public", found(&public)?));
    }
    Ok(kinds)
}

/// The table of PETS 2009, from the folder that holds its truth and its calibration.
///
/// # Errors
/// When a file cannot be read.
pub fn pets(folder: &Path, clip: Option<&Path>) -> anyhow::Result<String> {
    /// Of the file that is judged against; a data sheet would say as much.
    const FOCAL_PX: f64 = 1190.0;
    let truth = tsai_plane(&folder.join("View_001.xml"))?;
    let kinds = pets_looks(folder, clip)?;
    let mut table = Table::new(HEADS);
    for (name, looks) in kinds {
        for (label, focal_px) in [("", None), (", focal length known", Some(FOCAL_PX))] {
            let settings = AutoGroundSettings { focal_px, ..AutoGroundSettings::default() };
            let name = format!("PETS 2009, {name}{label}");
            match fit(looks.clone(), TrackerSettings::default(), settings, PETS_PX) {
                Some(fit) => table.row(row(&name, &fit, &truth, PETS_PX)),
                None => anyhow::bail!("{name}: no ground plane could be made"),
            }
        }
    }
    Ok(format!("PETS 2009, view 1 (the file says 7.07 m, 16.5°, 1190 px), 80 seconds:\n\n{}", table.text()))
}

/// The ground of a calibration file, read as plainly as it is written.
///
/// # Errors
/// When the file cannot be read or lacks a number.
pub fn tsai_plane(path: &Path) -> anyhow::Result<GroundPlane> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let number = |name: &str| {
        let after = text.split_once(&format!(" {name}=\"")).map(|(_, after)| after);
        let number = after.and_then(|after| after.split('"').next()?.parse::<f64>().ok());
        number.with_context(|| format!("{}: no number {name}", path.display()))
    };
    let camera = TsaiCamera {
        focal_mm: number("focal")?,
        kappa1: number("kappa1")?,
        center_px: [number("cx")?, number("cy")?],
        sx: number("sx")?,
        pixel_mm: [number("dpx")?, number("dpy")?],
        translation_m: [number("tx")? / 1000.0, number("ty")? / 1000.0, number("tz")? / 1000.0],
        rotation_rad: [number("rx")?, number("ry")?, number("rz")?],
    };
    Ok(camera.ground_plane()?)
}

/// Cameras of many heights, slants and lenses.
pub fn cameras() -> impl Iterator<Item = Camera> {
    let angles =
        [15.0, 30.0, 45.0, 60.0].into_iter().flat_map(|pitch| [40.0, 65.0, 90.0].map(|view| (pitch, view)));
    let all =
        [3.0, 6.0, 12.0].into_iter().flat_map(move |height| angles.clone().map(move |(p, v)| (height, p, v)));
    all.map(|(height_m, pitch_deg, view_deg)| Camera {
        height_m,
        pitch_deg,
        view_deg,
        roll_deg: if pitch_deg + view_deg > 100.0 { 2.0 } else { -1.5 },
    })
}

fn simulated_cameras() -> String {
    let mut table = Table::new(HEADS);
    let mut medians: [Vec<f64>; 2] = Default::default();
    let (mut count, mut unfitted) = (0, [0; 2]);
    for camera in cameras() {
        count += 1;
        let Some(truth) = camera.ground_plane() else { continue };
        let looks = simulated::looks(&camera, 1);
        let Camera { height_m, pitch_deg, view_deg, .. } = camera;
        for (index, focal_px) in [None, Some(camera.focal_px())].into_iter().enumerate() {
            let settings = AutoGroundSettings { focal_px, ..AutoGroundSettings::default() };
            let Some(fit) = fit(looks.clone(), TrackerSettings::default(), settings, simulated::PICTURE_PX)
            else {
                unfitted[index] += 1;
                continue;
            };
            let good = errors(&fit, &truth, simulated::PICTURE_PX, Quality::Good);
            if good.area > 0.0 {
                medians[index].push(good.median);
            }
            if index == 0 {
                let name =
                    format!("{height_m} m, {pitch_deg}°, {view_deg}° across ({:.0} px)", camera.focal_px());
                table.row(row(&name, &fit, &truth, simulated::PICTURE_PX));
            }
        }
    }
    let mut text = table.text();
    for (index, label) in ["nothing known", "focal length known"].into_iter().enumerate() {
        medians[index].sort_by(f64::total_cmp);
        let within = medians[index].iter().filter(|error| **error <= 0.10).count();
        let middle = medians[index].get(medians[index].len() / 2).copied().unwrap_or(f64::NAN);
        text += &format!(
            "\nWith {label}: of {count} cameras {} have a good area and {} no ground; the median error there is within 10 % \
             for {within}, its median over cameras {:.1} %.\n",
            medians[index].len(),
            unfitted[index],
            100.0 * middle,
        );
    }
    text
}
