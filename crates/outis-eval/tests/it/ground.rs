//! The ground made of the people who walk on it, against the truth.

use outis_eval::{
    ground::{self, check, simulated},
    street,
};
use outis_measure::{AutoGroundSettings, GroundPoint, ImagePoint, TrackerSettings};
use outis_record::Quality;

#[test]
fn distances_are_as_good_as_they_are_said_to_be() {
    let mut judged = 0;
    for camera in ground::cameras().step_by(5) {
        let looks = simulated::looks(&camera, 7);
        let settings =
            AutoGroundSettings { focal_px: Some(camera.focal_px()), ..AutoGroundSettings::default() };
        let fit = ground::fit(looks, TrackerSettings::default(), settings, simulated::PICTURE_PX);
        // Near and through a narrow lens, people fill the picture, and nothing is told.
        let Some(fit) = fit else {
            let away_m = camera.height_m / camera.pitch_deg.to_radians().sin();
            let across_m = 2.0 * away_m * (camera.view_deg.to_radians() / 2.0).tan();
            assert!(across_m < 9.0, "{camera:?}: no ground, and the view is {across_m} m across");
            continue;
        };
        let truth = camera.ground_plane().unwrap();
        for (quality, most) in [(Quality::Good, 0.10), (Quality::Fair, 0.20)] {
            let errors = ground::errors(&fit, &truth, simulated::PICTURE_PX, quality);
            judged += u32::from(errors.area > 0.05);
            assert!(errors.median.is_nan() || errors.median <= most, "{camera:?} {quality:?}: {errors:?}");
        }
        // Above the horizon nothing is measured.
        if camera.pitch_deg < 20.0 {
            assert_eq!(fit.quality(ImagePoint::new(640.0, 1.0)), Quality::Poor, "{camera:?}");
        }
    }
    assert!(judged >= 7, "{judged} areas");
}

/// A fault that is none would be ignored when it is one: so no right ground is doubted. And a wrong one is: by half of the
/// people's heights where people are seen whole, by a fifth in most views.
#[test]
fn a_right_ground_is_not_doubted_and_a_wrong_one_is() {
    let doubted = |stretch: f32, seeds: std::ops::Range<u64>| {
        let typed = move |p: GroundPoint| GroundPoint { x_m: stretch * p.x_m, y_m: stretch * p.y_m };
        let cameras = seeds.flat_map(|seed| ground::cameras().map(move |camera| (seed, camera)));
        let doubted = cameras.filter(|(seed, camera)| {
            let plane = camera.typed_plane(typed).unwrap();
            check::doubts(plane, simulated::looks(camera, *seed), simulated::PICTURE_PX)
        });
        doubted.count()
    };
    assert_eq!(doubted(1.0, 100..104), 0, "of 144");
    // In nine of the 36 views people fill the picture, and nobody can say anything.
    assert!(doubted(1.5, 100..101) >= 25);
    assert!(doubted(0.8, 100..101) >= 18);
}

#[test]
fn nobody_makes_no_ground() {
    let settings = AutoGroundSettings::default();
    let nobody =
        (0..100).map(|look| (outis_measure::MediaTime::from_seconds(f64::from(look) / 5.0), Vec::new()));
    assert!(ground::fit(nobody, TrackerSettings::default(), settings, (768.0, 576.0)).is_none());
}

/// On the true boxes of PETS 2009, against the calibration that comes with them. Also the region in which the authors
/// of the tracking benchmarks say that people walk: Andriyenko and Schindler, CVPR 2011.
#[test]
fn pets_against_its_calibration() {
    let folder = street::default_data().join("pets09-s2l1");
    if !folder.is_dir() {
        println!("not run: PETS 2009 is not at {}", folder.display());
        return;
    }
    let truth = ground::tsai_plane(&folder.join("View_001.xml")).unwrap();
    for (name, looks) in ground::pets_looks(&folder, None).unwrap() {
        assert!(!check::doubts(truth, looks, ground::PETS_PX), "{name}");
    }
    let boxes = outis_eval::mot::read_objects(&folder.join("gt_mot.txt")).unwrap();
    let feet: Vec<_> = boxes.iter().flatten().filter_map(|(_, bbox)| truth.locate(bbox.foot())).collect();
    let within = feet.iter().filter(|p| (-14.1..=5.0).contains(&p.x_m) && (-14.3..=1.75).contains(&p.y_m));
    let share = within.count() as f64 / feet.len() as f64;
    assert!((0.8..0.95).contains(&share), "{share}: 3959 of 4650 feet are in the published region");
    let text = ground::pets(&folder, None).unwrap();
    let row = text.lines().find(|line| line.contains("PETS 2009, true boxes ")).unwrap();
    let median: f64 = row.split('|').nth(6).unwrap().trim().trim_end_matches(" %").parse().unwrap();
    assert!(median <= 10.0, "{row}");
}
