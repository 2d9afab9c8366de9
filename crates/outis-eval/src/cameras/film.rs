//! The composed street as a camera of today sends it: 1080p, 25 frames a second, H.264 at 4 Mbit/s without B-frames; and
//! as its substream.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::FPS;

/// Changes with the recipe, so that no old film is taken for a new one.
const EDITION: u32 = 1;
/// A street is some minutes long; it is put behind itself so often.
const REPEATS: u32 = 3;
/// Width and height of a substream in pixels.
pub const SUBSTREAM_PX: (u32, u32) = (640, 360);

/// The whole street once; made when it is not there yet.
///
/// Between the street's own frames, ten a second, lie blends of two. The detector's looks, five a second, fall on its
/// own.
pub(super) fn once(street: &Path) -> anyhow::Result<PathBuf> {
    coded(street, &format!("camera{EDITION}.ts"), "", "4M")
}

/// The same as cameras also offer it, for whoever wants less of it: small, at half a megabit a second.
pub(super) fn substream(street: &Path) -> anyhow::Result<PathBuf> {
    let (width, height) = SUBSTREAM_PX;
    coded(street, &format!("substream{EDITION}.ts"), &format!(",scale={width}:{height}"), "512k")
}

/// As a camera codes what it sees: scaled when its noise is in it already.
fn coded(street: &Path, extension: &str, scaled: &str, rate: &str) -> anyhow::Result<PathBuf> {
    let film = street.with_extension(extension);
    make(&film, |unfinished| {
        let mut ffmpeg = ffmpeg();
        ffmpeg.arg("-i").arg(street);
        ffmpeg.args(["-vf", &format!("minterpolate=fps={FPS}:mi_mode=blend,noise=alls=4:allf=t{scaled}")]);
        ffmpeg.args(["-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", "-bf", "0", "-refs", "1"]);
        ffmpeg.args(["-g", "50", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-an", "-f", "mpegts"]);
        ffmpeg.arg(unfinished);
        ffmpeg
    })?;
    Ok(film)
}

/// Several times the whole street, for a server that plays a film once.
pub(super) fn prepare(street: &Path) -> anyhow::Result<PathBuf> {
    again(&once(street)?)
}

/// A film and so many repeats behind it, packet by packet as they are.
pub(super) fn again(once: &Path) -> anyhow::Result<PathBuf> {
    let film = once.with_extension("long.ts");
    make(&film, |unfinished| {
        let mut ffmpeg = ffmpeg();
        ffmpeg.args(["-stream_loop", &REPEATS.to_string(), "-i"]).arg(once);
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
