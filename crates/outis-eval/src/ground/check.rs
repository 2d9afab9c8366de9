//! Whether the daily check of the ground doubts the wrong grounds, and no right one.

use std::path::Path;

use outis_measure::{Detection, GroundPlane, GroundPoint, MeasureSettings, Measurer, MediaTime, Scene};
use outis_record::{Class, GroundCells, Schema};

use super::{
    cameras, pets_looks,
    simulated::{self, Camera, PICTURE_PX},
    tsai_plane,
};
use crate::report::table::Table;

/// What was done to a camera, or to its ground, after the ground had been told.
struct Case {
    name: &'static str,
    /// How the camera hangs when people walk by.
    now: fn(Camera) -> Camera,
    /// By how much the typed places are stretched: across, and ahead.
    stretched: (f32, f32),
}

const CASES: [Case; 14] = {
    const fn turned(name: &'static str, now: fn(Camera) -> Camera) -> Case {
        Case { name, now, stretched: (1.0, 1.0) }
    }
    const fn typed(name: &'static str, across: f32, ahead: f32) -> Case {
        Case { name, now: |camera| camera, stretched: (across, ahead) }
    }
    [
        turned("as it hangs", |camera| camera),
        turned("turned down by 3°", |c| Camera { pitch_deg: c.pitch_deg + 3.0, ..c }),
        turned("turned up by 3°", |c| Camera { pitch_deg: c.pitch_deg - 3.0, ..c }),
        turned("turned down by 6°", |c| Camera { pitch_deg: c.pitch_deg + 6.0, ..c }),
        turned("turned up by 6°", |c| Camera { pitch_deg: c.pitch_deg - 6.0, ..c }),
        turned("turned down by 12°", |c| Camera { pitch_deg: c.pitch_deg + 12.0, ..c }),
        turned("tilted by 10°", |c| Camera { roll_deg: c.roll_deg + 10.0, ..c }),
        turned("zoomed by a third", |c| Camera { view_deg: 0.75 * c.view_deg, ..c }),
        typed("all sides 10 % too long", 1.1, 1.1),
        typed("all sides 20 % too long", 1.2, 1.2),
        typed("all sides 20 % too short", 0.8, 0.8),
        typed("the depth half as long again", 1.0, 1.5),
        typed("the depth a third too short", 1.0, 0.67),
        typed("feet for metres", 3.28, 3.28),
    ]
};

/// Whether the check doubts a ground in the end.
pub fn doubts(
    plane: GroundPlane,
    looks: impl IntoIterator<Item = (MediaTime, Vec<Detection>)>,
    picture_px: (f32, f32),
) -> bool {
    let metres = GroundCells { speed: true, ..GroundCells::default() };
    let schema = Schema::new(0, 0, &[Class::Person], false).and_then(|schema| schema.with_ground(metres));
    let schema = schema.expect("people are counted");
    let scene = Scene { ground: Some(plane), ..Scene::default() };
    let mut measurer = Measurer::new(scene, schema, MeasureSettings::default());
    measurer.set_picture_px(picture_px);
    looks.into_iter().for_each(|(at, found)| measurer.look(at, &found));
    measurer.finish();
    measurer.doubts_ground()
}

/// How wrong a ground is before a camera: the median error of lengths of a metre where it sees people.
fn error(told: &GroundPlane, camera: &Camera) -> Option<f64> {
    let truth = camera.ground_plane()?;
    let (width, height) = PICTURE_PX;
    let mut errors = Vec::new();
    for (x, y) in (1..8u16).flat_map(|x| (1..8u16).map(move |y| (f32::from(x) / 8.0, f32::from(y) / 8.0))) {
        let at = |dx: f32, dy: f32| outis_measure::ImagePoint::new(x * width + dx, y * height + dy);
        if truth.locate(at(0.0, 0.0)).is_none_or(|p| p.distance_m(GroundPoint::default()) > 40.0) {
            continue;
        }
        for (dx, dy) in [(4.0, 0.0), (0.0, 4.0)] {
            let length = |plane: &GroundPlane| plane.distance_m(at(-dx, -dy), at(dx, dy));
            let Some(true_m) = length(&truth) else { continue };
            errors.push(length(told).map_or(f64::INFINITY, |m| f64::from((m / true_m - 1.0).abs())));
        }
    }
    errors.sort_by(f64::total_cmp);
    errors.get(errors.len() / 2).copied()
}

/// The tables of the check.
///
/// # Errors
/// When a file that was named cannot be read.
pub fn section(pets: &Path, clip: Option<&Path>) -> anyhow::Result<String> {
    let mut table = Table::new([
        "ground",
        "cameras",
        "doubted",
        "median error of a metre, where it holds",
        "and where it is doubted",
    ]);
    for Case { name, now, stretched: (across, ahead) } in CASES {
        let (mut count, mut held, mut doubted) = (0, Vec::new(), Vec::new());
        for (seed, camera) in (1..).zip(cameras()) {
            let stretch = |p: GroundPoint| GroundPoint { x_m: across * p.x_m, y_m: ahead * p.y_m };
            let Some(told) = camera.typed_plane(stretch) else { continue };
            let seen = now(camera);
            let Some(error) = error(&told, &seen) else { continue };
            count += 1;
            let is_doubted = doubts(told, simulated::looks(&seen, seed), PICTURE_PX);
            (if is_doubted { &mut doubted } else { &mut held }).push(error);
        }
        let median = |errors: &mut Vec<f64>| {
            errors.sort_by(f64::total_cmp);
            errors.get(errors.len() / 2).map_or("-".to_owned(), |error| format!("{:.0} %", 100.0 * error))
        };
        let share = doubted.len();
        table.row([
            name.to_owned(),
            count.to_string(),
            share.to_string(),
            median(&mut held),
            median(&mut doubted),
        ]);
    }
    let mut text = table.text();
    if pets.join("View_001.xml").is_file() {
        let plane = tsai_plane(&pets.join("View_001.xml"))?;
        for (name, looks) in pets_looks(pets, clip)? {
            let says = if doubts(plane, looks, super::PETS_PX) { "is doubted" } else { "holds" };
            text += &format!("\nThe calibration of PETS 2009 with {name}: {says}.\n");
        }
    }
    Ok(text)
}
