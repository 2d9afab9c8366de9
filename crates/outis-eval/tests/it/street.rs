//! The counting benchmark itself: what plain counters get on it.

use std::collections::BTreeMap;

use outis_eval::product;
use outis_eval::street::distance::{self, DistanceOptions, HEIGHT_M};
use outis_eval::street::{self, DetectedFrame, Noise, Options, Report};
use outis_measure::{Line, MeasureSettings};
use outis_record::DirectionalCount;

/// Runs a counter on the street; none where the trajectories are absent.
fn bench(
    noise: Noise,
    fps: f64,
    counter: fn(&[DetectedFrame], f64, &[Line]) -> Vec<DirectionalCount>,
) -> Option<Report> {
    let options = Options { data: street::default_data(), fps, noise, seeds: 1 };
    if !options.data.join("eth-ucy").is_dir() {
        println!("not run: the trajectories of ETH and UCY are not at {}", options.data.display());
        return None;
    }
    Some(street::bench(counter, &options).unwrap())
}

/// Knows whose box each is and counts every change of sides of the foot.
fn sign_changes(looks: &[DetectedFrame], _fps: f64, lines: &[Line]) -> Vec<DirectionalCount> {
    let mut counts = vec![DirectionalCount::default(); lines.len()];
    let mut sides: BTreeMap<(u32, usize), bool> = BTreeMap::new();
    for look in looks {
        for (detection, person) in look.detections.iter().zip(&look.persons) {
            let Some(person) = *person else { continue };
            let foot = detection.bbox.foot();
            for (index, line) in lines.iter().enumerate() {
                let right = line.distance_px(foot) > 0.0;
                let was_right = sides.insert((person, index), right).unwrap_or(right);
                if right != was_right && (0.0..=line.length_px()).contains(&line.along_px(foot)) {
                    let count = &mut counts[index];
                    *(if right { &mut count.forward } else { &mut count.backward }) += 1;
                }
            }
        }
    }
    counts
}

/// The product's counter.
fn ours(looks: &[DetectedFrame], _fps: f64, lines: &[Line]) -> Vec<DirectionalCount> {
    let looks = looks.iter().map(|look| (look.at, look.detections.as_slice()));
    product::count(looks, lines, MeasureSettings::default()).unwrap_or_default()
}

#[test]
fn our_counts_err_no_more_than_promised() {
    for (fps, error_max) in [(25.0, 0.05), (12.5, 0.06), (5.0, 0.07)] {
        for noise in [Noise::field(), Noise::drift()] {
            let Some(report) = bench(noise, fps, ours) else { return };
            assert!(report.error().mean <= error_max, "{fps} looks a second: {}", report.summary());
        }
    }
}

/// Time near others is measured at 5 looks a second as well as promised, whatever the noise; with people who walk
/// together left out, less well. Of eight pairs of seq_eth who keep together the annotation does not say that they are groups:
/// what is promised is promised of the truth in which they are. Against the annotated truth it is farther off.
#[test]
fn distances_err_no_more_than_promised() {
    let data = street::default_data();
    if !data.join("eth-ucy").is_dir() {
        println!("not run: the trajectories of ETH and UCY are not at {}", data.display());
        return;
    }
    for (leave_out_groups, error_max) in [(false, [0.05, 0.05]), (true, [0.10, 0.10])] {
        for noise in [Noise::field(), Noise::drift()] {
            let options = DistanceOptions { fps: 5.0, noise, seeds: 5, leave_out_groups, height_m: HEIGHT_M };
            for run in distance::run(&data, options).unwrap() {
                let errors = [run.completed_error(0), run.completed_error(1)];
                let held = errors.iter().zip(error_max).all(|(error, most)| error.abs() <= most);
                assert!(held, "{}, groups left out: {leave_out_groups}: {errors:?}", run.street.name());
                let annotated = [run.near_error(0), run.near_error(1)];
                assert!(annotated[0].abs() <= 0.30 && annotated[1].abs() <= 0.10, "{annotated:?}");
                assert!(run.truth.present_s > 1000.0 && run.truth.near_share[0] > 0.05, "{:?}", run.truth);
            }
        }
    }
}

#[test]
fn sign_changes_are_nearly_right_on_perfect_boxes_and_useless_on_noisy_ones() {
    let perfect = Noise { white_share: 0.0, false_per_frame: 0.0, miss_mean_s: 1e-9, ..Noise::field() };
    let Some(report) = bench(perfect, 25.0, sign_changes) else { return };
    assert!(report.true_passages() > 1000, "{}", report.true_passages());
    assert!(report.lines.len() >= 12, "six lines on each street");
    assert!(report.pooled_error().mean < 0.08, "{}", report.summary());
    let Some(report) = bench(Noise::field(), 25.0, sign_changes) else { return };
    assert!(report.pooled_error().mean > 0.5, "{}", report.summary());
}
