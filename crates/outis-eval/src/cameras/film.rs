//! The composed street as a camera of today sends it: 1080p, 25 frames a second, H.264 at 4 Mbit/s without B-frames.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::FPS;

/// Changes with the recipe, so that no old film is taken for a new one.
const EDITION: u32 = 1;
/// The street is a minute long; this many more are put behind it.
const REPEATS: u32 = 3;

/// One minute; made when it is not there yet.
///
/// Between the street's own frames, ten a second, lie blends of two. The detector's looks, five a second, fall on its
/// own.
pub(super) fn once(street: &Path) -> anyhow::Result<PathBuf> {
    let film = street.with_extension(format!("camera{EDITION}.ts"));
    make(&film, |unfinished| {
        let mut ffmpeg = ffmpeg();
        ffmpeg.arg("-i").arg(street);
        ffmpeg.args(["-vf", &format!("minterpolate=fps={FPS}:mi_mode=blend,noise=alls=4:allf=t")]);
        ffmpeg.args(["-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", "-bf", "0", "-refs", "1"]);
        ffmpeg.args(["-g", "50", "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-an", "-f", "mpegts"]);
        ffmpeg.arg(unfinished);
        ffmpeg
    })?;
    Ok(film)
}

/// Several minutes of it, for a server that plays a film once.
pub(super) fn prepare(street: &Path) -> anyhow::Result<PathBuf> {
    let minute = once(street)?;
    let film = minute.with_extension("long.ts");
    make(&film, |unfinished| {
        let mut ffmpeg = ffmpeg();
        ffmpeg.args(["-stream_loop", &REPEATS.to_string(), "-i"]).arg(&minute);
        ffmpeg.args(["-c", "copy", "-f", "mpegts"]).arg(unfinished);
        ffmpeg
    })?;
    Ok(film)
}

/// The first seconds of a film, packet by packet as they are.
pub(super) fn first(film: &Path, seconds: u32) -> anyhow::Result<PathBuf> {
    let piece = film.with_extension(format!("first{seconds}.ts"));
    make(&piece, |unfinished| {
        let mut ffmpeg = ffmpeg();
        ffmpeg.arg("-i").arg(film);
        ffmpeg
            .args(["-c", "copy", "-frames:v", &(seconds * FPS).to_string(), "-f", "mpegts"])
            .arg(unfinished);
        ffmpeg
    })?;
    Ok(piece)
}

fn ffmpeg() -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-loglevel", "error", "-y"]);
    ffmpeg
}

fn make(film: &Path, command: impl FnOnce(&Path) -> Command) -> anyhow::Result<()> {
    if film.is_file() {
        return Ok(());
    }
    let unfinished = film.with_extension("part");
    let status = command(&unfinished).status();
    let status = status.context("cannot run ffmpeg, which makes the film; install the package ffmpeg")?;
    anyhow::ensure!(status.success(), "ffmpeg could not make {}", film.display());
    Ok(std::fs::rename(&unfinished, film)?)
}
