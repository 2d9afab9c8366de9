//! The counting benchmark itself: what plain counters get on it.

use std::collections::BTreeMap;

use outis_eval::street::{self, DetectedFrame, Noise, Options, Report};
use outis_measure::Line;
use outis_record::DirectionalCount;

/// Runs a counter on perfect or on noisy boxes; none where the trajectories are absent.
fn bench(
    noise: Noise,
    counter: fn(&[DetectedFrame], f64, &[Line]) -> Vec<DirectionalCount>,
) -> Option<Report> {
    let options = Options { data: street::default_data(), fps: 25.0, noise, seeds: 1 };
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

#[test]
fn sign_changes_are_nearly_right_on_perfect_boxes_and_useless_on_noisy_ones() {
    let perfect = Noise { white_share: 0.0, false_per_frame: 0.0, miss_mean_s: 1e-9, ..Noise::field() };
    let Some(report) = bench(perfect, sign_changes) else { return };
    assert!(report.true_passages() > 1000, "{}", report.true_passages());
    assert!(report.lines.len() >= 12, "six lines on each street");
    assert!(report.pooled_error().mean < 0.08, "{}", report.summary());
    let Some(report) = bench(Noise::field(), sign_changes) else { return };
    assert!(report.pooled_error().mean > 0.5, "{}", report.summary());
}
