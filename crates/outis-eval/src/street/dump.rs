//! Writes a street to files, so that counters in other languages run on exactly the same boxes.

use std::fmt::Write as _;
use std::path::Path;

use outis_record::DirectionalCount;
use serde_json::json;

use super::lines::NamedLine;
use super::noise::DetectedFrame;
use super::world::World;

/// Writes one run: `detections.txt` (MOT lines without ids), `persons.txt` (for each of them the person or -1),
/// `truth.txt` (MOT lines of whole true boxes at the rate of the truth; the last two fields are the
/// visible share and -1) and `lines.json`.
///
/// Frame numbers of the detections count frames of `fps`, those of the truth frames of `truth.fps`.
///
/// # Errors
/// When the folder or a file cannot be written.
pub(super) fn write(
    folder: &Path,
    fps: f64,
    detected: &[DetectedFrame],
    truth: &World,
    lines: &[NamedLine],
    true_counts: &[DirectionalCount],
) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (mut detections, mut persons) = (String::new(), String::new());
    for (index, frame) in detected.iter().enumerate() {
        for (detection, person) in frame.detections.iter().zip(&frame.persons) {
            let b = detection.bbox;
            let _ = writeln!(
                detections,
                "{},-1,{:.2},{:.2},{:.2},{:.2},{:.4},0,-1,-1",
                index + 1,
                b.left,
                b.top,
                b.width,
                b.height,
                detection.score.get()
            );
            let _ = writeln!(persons, "{}", person.map_or(-1, i64::from));
        }
    }
    std::fs::write(folder.join("detections.txt"), detections)?;
    std::fs::write(folder.join("persons.txt"), persons)?;
    std::fs::write(folder.join("truth.txt"), truth_lines(truth))?;
    let list: Vec<_> = lines
        .iter()
        .zip(true_counts)
        .map(|(named, count)| {
            let (a, b) = (named.line.start(), named.line.end());
            json!({
                "name": named.name, "x1": a.x_px, "y1": a.y_px, "x2": b.x_px, "y2": b.y_px,
                "forward": count.forward, "backward": count.backward,
            })
        })
        .collect();
    let all = json!({"fps": fps, "frames": detected.len(), "truth_fps": truth.fps, "lines": list});
    std::fs::write(folder.join("lines.json"), format!("{all:#}\n"))
}

fn truth_lines(truth: &World) -> String {
    let mut text = String::new();
    for (index, presences) in truth.frames.iter().enumerate() {
        for presence in presences {
            let b = presence.bbox;
            let _ = writeln!(
                text,
                "{},{},{:.2},{:.2},{:.2},{:.2},1,0,{:.3},-1",
                index + 1,
                presence.person,
                b.left,
                b.top,
                b.width,
                b.height,
                presence.visible_share
            );
        }
    }
    text
}
