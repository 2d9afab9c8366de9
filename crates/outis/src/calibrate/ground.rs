//! `outis calibrate --no-page`: finds how a camera hangs and looks from the people who walk by, and writes it as a configuration.
//!
//! No tape measure, and no picture: the eye fits, and says at the end how the camera hangs in two records of numbers.

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
    detector::{Cache, Detector, DetectorFiles},
    exit::{Exit, UsageError},
    ground::{FindGround, Pose},
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
pub(super) const PEOPLE_MIN: u32 = 15;

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
    let plan = plan(Source::File(video.clone()), detector.find(&Cache::from_env())?, focal_px);
    let title = video.display().to_string();
    let meter = Meter::new(&title);
    let mut found = None;
    let hear = |event: &Event| {
        if let Event::GroundView(view, _) = event {
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

/// How a file is watched to find the ground.
pub(super) fn plan(source: Source, detector: DetectorFiles, focal_px: Option<f64>) -> CameraPlan {
    CameraPlan {
        source,
        pace: Pace::Unpaced,
        detector,
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
    }
}

/// A configuration that `outis watch` takes.
fn configuration(video: &Path, view: &GroundView, progress: Progress) -> String {
    let people = view.people;
    let Pose { focal_px, pitch_deg, roll_deg, height_m, picture_px: [width, height] } =
        Pose::found(view, [progress.width_px.into(), progress.height_px.into()]);
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
        "[[camera]]\nname = {}\nsource = {}\n\n[camera.ground]\nfocal_px = {focal_px:.1}\npitch_deg = {pitch_deg:.3}\nroll_deg = {roll_deg:.3}\n\
         height_m = {height_m:.3}\npicture = [{width}, {height}]\n",
        quoted(&name),
        quoted(&source.to_string_lossy()),
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
