//! `outis calibrate --no-page`: finds how a camera hangs and looks from the people who walk by, and writes it as a configuration.
//!
//! No tape measure, and no picture: the eye fits, and says at the end how the camera hangs in one record of numbers.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context;
use outis_record::{Class, GroundView, Profile, Progress};

use super::{quoted, write_new};
use crate::{
    alert::AlertPlan,
    detector::{Cache, Detector},
    exit::{Exit, UsageError},
    ground::FindGround,
    launch::{CameraPlan, Looks, Pace, Programs},
    meter::Meter,
    release::Event,
    scene::Scene,
    source::{self, Source},
    stop,
    tally::{WHOLE_FILE_MS, tally},
};

/// How often progress is told, in media time.
const SNAPSHOT_MS: u32 = 500;

/// The fewest people of whom an eye makes a ground plane.
const PEOPLE_MIN: u32 = 15;

/// Watches the file to its end and writes what was found.
pub(super) async fn run(
    video: PathBuf,
    out: Option<PathBuf>,
    focal_px: Option<f64>,
    detector: Detector,
) -> anyhow::Result<Exit> {
    source::only_file(&video).map_err(UsageError::new)?;
    // Said before the minutes of work, not after them.
    if let Some(out) = out.as_ref().filter(|out| out.exists()) {
        anyhow::bail!("{} is there already; name a new file", out.display());
    }
    let plan = CameraPlan {
        source: Source::File(video.clone()),
        pace: Pace::Unpaced,
        detector: detector.find(&Cache::from_env())?,
        looks: Looks::DEFAULT,
        inference_ms: None,
        classes: vec![Class::Person],
        scene: Scene::default(),
        ground: None,
        find_ground: Some(FindGround { focal_px }),
        flows: false,
        profile: Profile::Exact,
        window_ms: WHOLE_FILE_MS,
        snapshot_ms: Some(SNAPSHOT_MS),
        alerts: AlertPlan::default(),
    };
    let title = video.display().to_string();
    let meter = Meter::new(&title);
    let mut found = None;
    let hear = |event: &Event| {
        if let Event::GroundView(view) = event {
            found = Some(*view);
        }
    };
    let counted = tally(plan, &Programs::beside_this_one()?, &stop::on_signals()?, &meter, hear).await;
    let finish = counted.with_context(|| title.clone())?.finish;
    let Some(view) = found else {
        eprintln!(
            "{title}: no ground plane could be made; it takes at least {PEOPLE_MIN} people who walk and are seen from \
             head to foot"
        );
        return Ok(Exit::Nothing);
    };
    let text = configuration(&video, &view, finish.progress);
    match &out {
        Some(out) => write_new(out, &text)?,
        None => io::stdout().write_all(text.as_bytes()).context("the configuration cannot be printed")?,
    }
    Ok(Exit::of(&[Ok(finish)]))
}

/// A configuration that `outis watch` takes.
fn configuration(video: &Path, view: &GroundView, progress: Progress) -> String {
    let GroundView { focal_dpx, height_mm, pitch_mdeg, roll_mdeg, people, .. } = *view;
    let thousandth = |value: i32| f64::from(value) / 1000.0;
    let name = video.file_stem().map_or("camera".into(), |stem| stem.to_string_lossy().into_owned());
    let source = std::path::absolute(video).unwrap_or_else(|_| video.to_owned());
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# Written by `outis calibrate` from {people} people who walked by. Nobody measured anything: check one distance \
         that\n# you know. A box's height deviates from its person's by {:.1} %; the focal length is known to {:.0} %.\n\
         # Distances are good (within 10 %) in {} % of the picture and fair (within 20 %) in another {} %.\n\n",
        f64::from(view.residual_permille) / 10.0,
        f64::from(view.focal_permille) / 10.0,
        view.good_percent,
        view.fair_percent,
    );
    let _ = write!(
        text,
        "[[camera]]\nname = {}\nsource = {}\n\n[camera.ground]\nfocal_px = {:.1}\npitch_deg = {:.3}\nroll_deg = {:.3}\n\
         height_m = {:.3}\npicture = [{}, {}]\n",
        quoted(&name),
        quoted(&source.to_string_lossy()),
        f64::from(focal_dpx) / 10.0,
        thousandth(pitch_mdeg),
        thousandth(roll_mdeg),
        f64::from(height_mm) / 1000.0,
        progress.width_px,
        progress.height_px,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::camera;

    #[test]
    fn what_is_written_is_what_watch_takes() {
        let view = GroundView {
            focal_dpx: 11_904,
            height_mm: 7070,
            pitch_mdeg: 16_480,
            roll_mdeg: -3_090,
            people: 24,
            residual_permille: 26,
            focal_permille: 80,
            good_percent: 51,
            fair_percent: 38,
        };
        let progress = Progress { width_px: 768, height_px: 576, ..Progress::default() };
        let text = configuration(Path::new("/video/the \"old\" gate.avi"), &view, progress);
        let (before, ground) = text.split_once("[camera.ground]").unwrap();
        assert!(before.contains("24 people") && before.contains("51 %"), "{text}");
        let plan = camera(&format!("[camera.ground]{ground}")).unwrap().plan;
        assert_eq!(plan.ground.unwrap().arguments(), ["--pose=1190.4,16.48,-3.09,7.07,384,288"]);
        assert_eq!(plan.scene.drawn_px(), Some([768, 576]));
        let parsed: toml::Table = text.parse().unwrap();
        assert_eq!(parsed["camera"][0]["name"].as_str(), Some("the \"old\" gate"));
    }
}
