//! Photographs of faces as a video: people who are near, one after the other.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// How long each photograph's scene is, in seconds.
pub const SCENE_S: u32 = 10;

/// Photographs that pass before a grey wall, one after the other, six seconds each: 1280 x 720, 10 frames a second. Written
/// into a folder.
///
/// # Errors
/// When ffmpeg is absent or fails.
pub fn film(folder: &Path, photographs: &Path, names: &[&str]) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]);
    let mut graph = String::new();
    for (index, name) in names.iter().enumerate() {
        let picture = photographs.join(name);
        command.args(["-f", "lavfi", "-t"]).arg(SCENE_S.to_string());
        command.args(["-i", "color=c=gray:s=1280x720:r=10"]);
        command.args(["-loop", "1", "-framerate", "10", "-t", "6", "-i"]).arg(picture);
        let (wall, photograph) = (2 * index, 2 * index + 1);
        graph += &format!("[{photograph}]scale=-2:700[p{index}];");
        graph +=
            &format!("[{wall}][p{index}]overlay=x='200+40*t':y=10:eof_action=pass,format=yuv420p[v{index}];");
    }
    graph.extend((0..names.len()).map(|index| format!("[v{index}]")));
    graph += &format!("concat=n={}:v=1:a=0", names.len());
    let video = folder.join("faces.mkv");
    let made =
        command.args(["-filter_complex", &graph, "-c:v", "libx264", "-crf", "16"]).arg(&video).status();
    let made = made.context("ffmpeg is needed: run scripts/packages")?;
    ensure!(made.success(), "ffmpeg cannot make a film of {}", photographs.display());
    Ok(video)
}
