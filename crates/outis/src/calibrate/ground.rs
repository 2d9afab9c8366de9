//! `outis calibrate --no-page`: finds how a camera hangs and looks from the people who walk by, and writes it as a configuration.
//!
//! No tape measure, and no picture: the eye fits, and says at the end how the camera hangs in two records of numbers.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use outis_record::{GroundView, Notice, Progress};

use super::{
    draft::Camera,
    watching::{self, PEOPLE_MIN, Stage, Watched},
    write_new,
};
use crate::{
    camera::Stop,
    exit::Exit,
    ground::Pose,
    launch::{CameraPlan, Programs},
    meter::Meter,
    report::notice_sentences,
    tally::warn_of_runtime,
};

/// Watches a source and writes what was found. `title` is what it is called on the terminal.
pub(super) async fn run(
    camera: &Camera,
    plan: CameraPlan,
    longest_s: u32,
    title: &str,
    out: Option<PathBuf>,
    stop: &Stop,
) -> anyhow::Result<Exit> {
    // Said before the minutes of work, not after them.
    if let Some(out) = out.as_ref().filter(|out| out.exists()) {
        anyhow::bail!("{} is there already; name a new file", out.display());
    }
    let (live, meter) = (plan.source.is_live(), Meter::new(title));
    warn_of_runtime(&plan.detector, &meter);
    let mut begun = false;
    let hear = |stage| match stage {
        Stage::Watching { media_ms, duration_ms } => {
            // Once its eye is at work, so that nobody waits for a camera that is not there.
            if live && !std::mem::replace(&mut begun, true) {
                meter.line(&format!(
                    "People are watched for {longest_s} s at most; Ctrl-C ends it sooner, with those who were seen. It takes \
                     at least {PEOPLE_MIN}, better a hundred."
                ));
            }
            meter.says("watching people");
            meter.progress(Progress { media_ms, duration_ms, ..Progress::default() });
        }
        Stage::Fitting => meter.says("finding the ground under those who were seen"),
    };
    let longest = Duration::from_secs(longest_s.into());
    let watched = watching::watch(plan, longest, &Programs::beside_this_one()?, stop, hear).await;
    meter.finish();
    let watched = watched.with_context(|| title.to_owned())?;
    // That the packets of a live camera end somewhere is no fault of anybody's.
    let mut notices = watched.finish.notices.clone();
    notices.retain(|notice, _| !live || *notice != Notice::Truncated);
    for sentence in notice_sentences(&notices) {
        meter.warn(&sentence);
    }
    let Some((view, _)) = &watched.ground else {
        eprintln!("{title}: {}", why_none(&watched));
        return Ok(Exit::Nothing);
    };
    if live && watched.broke_off {
        meter.warn(&format!(
            "it broke off after {} s: those who were seen until then are used",
            watched.seconds()
        ));
    }
    let text = configuration(camera, view, watched.finish.progress);
    match &out {
        Some(out) => write_new(out, &text)?,
        None => io::stdout().write_all(text.as_bytes()).context("the configuration cannot be printed")?,
    }
    Ok(match live {
        true if watched.broke_off => Exit::InPart,
        // It has no end that one could have waited for.
        true => Exit::Whole,
        false => Exit::of(&[Ok(watched.finish)]),
    })
}

/// Why those who were seen do not tell the ground.
fn why_none(watched: &Watched) -> String {
    let broke_off = if watched.broke_off { ", after which it broke off" } else { "" };
    format!(
        "no ground plane could be made in {} s of it{broke_off}; it takes at least {PEOPLE_MIN} people who walk and are seen \
         from head to foot, no larger than a third of the picture. Watch for longer, or when more people pass",
        watched.seconds()
    )
}

/// A configuration that `outis watch` takes.
fn configuration(camera: &Camera, view: &GroundView, progress: Progress) -> String {
    let people = view.people;
    let Pose { focal_px, pitch_deg, roll_deg, height_m, picture_px: [width, height] } =
        Pose::found(view, [progress.width_px.into(), progress.height_px.into()]);
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
        "{}\n[camera.ground]\nfocal_px = {focal_px:.1}\npitch_deg = {pitch_deg:.3}\nroll_deg = {roll_deg:.3}\n\
         height_m = {height_m:.3}\npicture = [{width}, {height}]\n",
        camera.section(camera.name()),
    );
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        config::tests::{camera, setup},
        detector::Detector,
        source::Source,
    };

    fn of(source: &str, credentials_file: Option<&str>) -> Camera {
        let source = Source::parse(Path::new(source), Path::new("/videos")).unwrap();
        Camera::new(&source, credentials_file.map(PathBuf::from), Detector::default(), None)
    }

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
        let text = configuration(&of("the \"old\" gate.avi", None), &view, progress);
        let (before, ground) = text.split_once("[camera.ground]").unwrap();
        assert!(before.contains("24 people") && before.contains("51 %"), "{text}");
        let plan = camera(&format!("[camera.ground]{ground}")).unwrap().plan;
        assert_eq!(plan.ground.unwrap().arguments(), ["--pose=1190.4,16.48,-3.09,7.07,384,288"]);
        assert_eq!(plan.scene.drawn_px(), Some([768, 576]));
        let parsed: toml::Table = text.parse().unwrap();
        assert_eq!(parsed["camera"][0]["name"].as_str(), Some("the \"old\" gate"));

        let live = configuration(&of("rtsp://gate.example/1", Some("/etc/gate.login")), &view, progress);
        let cameras = setup(&live).cameras;
        let stream = Source::parse(Path::new("rtsp://gate.example/1"), Path::new("")).unwrap();
        assert_eq!(cameras[0].plan.source.written(), stream.written());
        assert!(live.contains("credentials_file = \"/etc/gate.login\""), "{live}");
    }
}
