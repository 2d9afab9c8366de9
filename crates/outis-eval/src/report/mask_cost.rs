//! What masks cost: the product with and without them, where people are far and where they are near. A part of the
//! benchmarks page.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use super::processes::{self, Cost};
use super::ratio;
use super::table::Table;
use crate::count_error::Spread;
use crate::{masks, street};

/// Both run so often, in turn; ratios are taken within a round.
pub const MASK_ROUNDS: usize = 3;
/// People near to the camera, four with a mask and four without.
const PHOTOGRAPHS: [&str; 8] = [
    "maksssksksss117.png",
    "maksssksksss218.png",
    "maksssksksss259.png",
    "maksssksksss239.png",
    "maksssksksss37.png",
    "maksssksksss530.png",
    "maksssksksss553.png",
    "maksssksksss618.png",
];
/// The demo's clip in seconds.
const CLIP_S: f64 = 79.5;

/// Counts each film with masks and without.
///
/// # Errors
/// When a program fails, or networks for masks are not in the cache.
pub fn section(clip: &Path, rounds: usize) -> anyhow::Result<String> {
    let mut table =
        Table::new(["CPU for each second of video", "ms", "against without", "MB of the eye", "faces known"]);
    row(&mut table, "the demo's clip: nobody is near", clip, CLIP_S, rounds)?;
    let photographs = street::default_data().join("mask40");
    let folder = tempfile::tempdir()?;
    let mut absent = String::new();
    if photographs.is_dir() {
        let film = masks::film(folder.path(), &photographs, &PHOTOGRAPHS)?;
        let film_s = PHOTOGRAPHS.len() as f64 * f64::from(masks::SCENE_S);
        row(&mut table, "720p, somebody near for six of ten seconds", &film, film_s, rounds)?;
    } else {
        absent = format!("People who are near were not measured: {} is absent.\n", photographs.display());
    }
    Ok(format!(
        "`outis count` with and without `--masks`, at 5 looks a second, with the networks that are in the cache; {rounds} \
         rounds in turn.\n{absent}{}",
        table.text()
    ))
}

fn row(table: &mut Table, name: &str, film: &Path, film_s: f64, rounds: usize) -> anyhow::Result<()> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut newest = None;
    for _ in 0..rounds {
        let plain = count(film, false)?;
        let masked = count(film, true)?;
        without.push(plain.cpu.as_secs_f64());
        with.push(masked.cpu.as_secs_f64());
        newest = Some((plain, masked));
    }
    let (plain, masked) = newest.context("not one round")?;
    let told: Value = serde_json::from_str(&masked.printed).context("`outis count` printed no JSON")?;
    let judged = told["masks"]["judged"].as_u64().context("it told no masks")?;
    let sides =
        [("without", &without, &plain, "-".to_owned()), ("with masks", &with, &masked, judged.to_string())];
    for (way, seconds, cost, known) in sides {
        table.row([
            format!("{name}, {way}"),
            format!("{:.0}", 1e3 * Spread::of(seconds.iter().copied()).mean / film_s),
            ratio(seconds, &without),
            format!("{}", cost.peak_kb.get("outis-eye").copied().unwrap_or(0) / 1024),
            known,
        ]);
    }
    Ok(())
}

fn count(film: &Path, masks: bool) -> anyhow::Result<Cost> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("outis"));
    command.arg("count").arg(film).args(["--json", "--classes", "person", "--detector", "nanodet-g"]);
    if masks {
        command.arg("--masks");
    }
    processes::run(command)
}
