//! How right the counts of a real clip are, from the pixels to the passages, where its truth is at hand.

use std::process::Command;

use outis_eval::{cache, clip, mot, street};
use serde_json::Value;

/// Wrong passages as a share of the true ones over lines that nobody chose. Half of what the best of ninety settings of
/// Python's trackers and counters makes of the same network's boxes on the same lines, 9.3 % at its best; see
/// `docs/ref/accuracy.md`.
const ERROR_MAX: f64 = 0.0465;

#[test]
fn random_lines_over_the_clip_are_counted_rightly() {
    let truth_file = street::default_data().join("pets09-s2l1/gt_mot.txt");
    if !truth_file.is_file() {
        println!("not run: the truth of the clip is not at {}", truth_file.display());
        return;
    }
    let truth = mot::read_objects(&truth_file).unwrap();
    let lines: Vec<String> = clip::random_lines(&truth, 10.0)
        .into_iter()
        .map(|(name, line)| {
            let (a, b) = (line.start(), line.end());
            format!("--line={name}:{},{},{},{}", a.x_px, a.y_px, b.x_px, b.y_px)
        })
        .collect();
    for (model, file) in [("nanodet-g", "nanodet-g.onnx"), ("yolox-nano", "yolox_nano.onnx")] {
        if !cache::folder().join("models").join(file).is_file() {
            println!("not run: {model} is not in the cache folder");
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_outis-eval"))
            .arg("video")
            .arg(cache::folder().join("clips/vtest.avi"))
            .args(["--model", model, "--every", "2", "--json", "--truth"])
            .arg(&truth_file)
            .args(&lines)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = verdict["truth"]["count_error"].as_f64().unwrap();
        assert!(error <= ERROR_MAX, "{model}: {error}");
    }
}
