//! How many live cameras the machine carries: a part of the benchmarks page.

use std::path::Path;
use std::time::Duration;

use super::{machine, percent, table::Table};
use crate::cameras::{self, FPS, LOOKS_PER_S, Load, SERVER, Stages};

/// The numbers of cameras that are tried.
pub const CAMERAS: [usize; 8] = [1, 2, 4, 5, 6, 7, 8, 9];
/// Seconds for which each is measured.
pub const CAMERAS_S: u64 = 40;

/// Runs more and more cameras until looks are lost, and says what that cost.
///
/// # Errors
/// When a program is absent or fails.
pub fn section(clip: &Path, numbers: &[usize], measure: Duration, beyond: bool) -> anyhow::Result<String> {
    let mut loads = Vec::new();
    for &number in numbers {
        let load = cameras::load(clip, number, measure)?;
        let is_carried = load.is_carried();
        loads.push(load);
        if !is_carried && !beyond {
            break;
        }
    }
    let stages = cameras::stages(clip)?;
    Ok(describe(&loads, &stages, measure))
}

fn describe(loads: &[Load], stages: &Stages, measure: Duration) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = machine::description();
    text += &format!(
        "\n`outis watch` on real RTSP streams over TCP, served on this machine by Debian's GStreamer (its processor time \
         is not ours and told apart): the composed street b, 1920 x 1080, {FPS} frames a second, H.264 at 4 Mbit/s \
         without B-frames, {LOOKS_PER_S} looks a second. All cameras see the same, and were started together. Measured for {} s each after a warm-up; the figures of the camera that came off \
         worst. What the planner had no budget to look at does not count as observed, with one camera as with many.\n",
        measure.as_secs()
    );
    let mut table = Table::new([
        "cameras",
        "looks a second",
        "looks lost, all",
        "frames lost, all",
        "observed",
        "older by",
        "cores, ours",
        "cores, server",
        "memory",
    ]);
    for load in loads {
        let server = load.cpu.get(SERVER).copied().unwrap_or_default().as_secs_f64();
        let kb: u64 = load.memory_kb.iter().filter(|(name, _)| *name != SERVER).map(|(_, kb)| kb).sum();
        table.row([
            load.cameras.to_string(),
            format!("{:.2}", load.looks_per_s()),
            load.looks_lost().to_string(),
            format!("{:.0}", load.frames_lost().max(0.0)),
            percent(load.observed()),
            format!("{:.1} s", load.lag_growth().as_secs_f64()),
            format!("{:.2}", load.cores()),
            format!("{:.2}", server / load.wall.as_secs_f64()),
            format!("{} MB", kb / 1024),
        ]);
    }
    text += &table.text();
    let carried = loads.iter().filter(|load| load.is_carried()).map(|load| load.cameras).max();
    text += &match carried {
        Some(carried) => format!("{cores} cores carry {carried} such cameras with nothing lost.\n"),
        None => format!("{cores} cores carry no such camera with nothing lost.\n"),
    };
    text += "\nWhere the time of one camera goes. Stages in one process on the same film, unpaced; programs from the \
             table's run with the most cameras that was carried.\n";
    let mut table = Table::new(["CPU for each second of video", "ms", "share"]);
    let sum = stages.sum();
    for (name, ms) in stages.named() {
        table.row([name.to_owned(), format!("{ms:.1}"), percent(ms / sum)]);
    }
    table.row(["all stages".to_owned(), format!("{sum:.1}"), percent(1.0)]);
    if let Some(load) = loads.iter().rfind(|load| load.is_carried()).or(loads.last()) {
        let seconds = load.wall.as_secs_f64() * load.cameras as f64;
        for name in ["outis-eye", "outis-intake", "outis"] {
            let ms = 1e3 * load.cpu.get(name).copied().unwrap_or_default().as_secs_f64() / seconds;
            table.row([format!("`{name}`, {} cameras", load.cameras), format!("{ms:.1}"), percent(ms / sum)]);
        }
    }
    text + &table.text()
}
