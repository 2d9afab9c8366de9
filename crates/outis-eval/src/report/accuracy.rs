//! `docs/ref/accuracy.md`: how right counts and tracks are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use outis_measure::MeasureSettings;
use serde_json::Value;

use super::python::Python;
use super::table::Table;
use super::{Page, checkout, clip, distance, machine, street};
use crate::cases::{self, Outcome};
use crate::metrics::Comparison;
use crate::metrics::clear::clear;
use crate::metrics::hota::hota;
use crate::metrics::identity::identity;
use crate::{cache, ground, masks, mot, product};

/// How often each simple case is played with each kind of line and jitter.
const CASE_SEEDS: u64 = 5;

/// Measures everything and writes the report. `python_seeds` runs of the counting benchmark are also given to the
/// Python packages; with 0, these are left out altogether.
///
/// # Errors
/// When something that is there cannot be measured. What is absent is said in the report.
pub fn accuracy(data: &Path, python_seeds: u64) -> anyhow::Result<String> {
    let python = if python_seeds > 0 { Some(Python::set_up()?) } else { None };
    let mut text = "# How right the counts are\n\nWritten by `make eval`; do not edit.\n\n".to_owned();
    text += &machine::description();
    text += "\nCount error: passages too many or too few in each direction, as a share of the true ones. A true passage: \
             the foot changes sides through the line, goes at least 6 % of the person's height beyond it on both sides \
             and stays there for 0.17 s.\n";
    let mut page = Page(text);
    page.section("Counting benchmark", || street::section(data, python.as_ref(), python_seeds))?;
    page.section("Distances between people", || distance::section(data))?;
    page.section("The ground", || ground(data))?;
    page.section("Simple cases", || Ok(simple_cases(CASE_SEEDS).0))?;
    page.section("A real clip", || clip::section(data, &clip_file(), python.as_ref()))?;
    page.section("Masks", || masks::section(data))?;
    page.section("The metrics themselves", tud)?;
    Ok(page.0)
}

/// The section about the demo clip alone, with or without the Python packages.
///
/// # Errors
/// When something that is there cannot be measured.
pub fn clip(data: &Path, with_python: bool) -> anyhow::Result<String> {
    let python = with_python.then(Python::set_up).transpose()?;
    clip::section(data, &clip_file(), python.as_ref())
}

/// The section about the ground that is made of people, and about grounds that are held against them.
///
/// # Errors
/// When something that is there cannot be measured.
pub fn ground(data: &Path) -> anyhow::Result<String> {
    let clip = Some(clip_file()).filter(|clip| clip.is_file());
    ground::section(data, clip.as_deref())
}

fn clip_file() -> PathBuf {
    cache::folder().join("clips/vtest.avi")
}

/// The section about the cases in which a counter must never be wrong, and how each wrong run was played.
pub fn simple_cases(seeds: u64) -> (String, Vec<String>) {
    let outcomes = cases::play_all(
        |looks, line| {
            let looks = looks.iter().map(|(at, found)| (*at, found.as_slice()));
            let counts = product::count(looks, &[*line], MeasureSettings::default());
            counts.ok().and_then(|counts| counts.first().copied()).unwrap_or_default()
        },
        seeds,
    );
    let heads = ["runs counted wrong", "30 fps", "25 fps", "12.5 fps", "10 fps", "5 fps"];
    let mut table = Table::new(heads);
    let runs = outcomes.first().map_or(0, |outcome| outcome.runs);
    for of_case in outcomes.chunks(cases::RATES_FPS.len()) {
        let wrong = |index: usize| of_case.get(index).map_or(String::new(), |o| o.wrong.len().to_string());
        let name = of_case.first().map_or(String::new(), |outcome| outcome.name.to_owned());
        table.row([name, wrong(0), wrong(1), wrong(2), wrong(3), wrong(4)]);
    }
    let text = format!(
        "Each is played {runs} times at each rate: upright, level and slanted line, white jitter of 3 % and slow \
         jitter of 3.5 % of the box, {seeds} seeds.\n{}",
        table.text()
    );
    let told =
        |outcome: &Outcome| format!("{}, {} fps: {}", outcome.name, outcome.fps, outcome.wrong.join("; "));
    (text, outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).map(told).collect())
}

fn tud() -> anyhow::Result<String> {
    // Says itself what is missing when it fails.
    let _ = Command::new(checkout().join("bench/python/fetch_tud")).stdout(Stdio::null()).status();
    let file = checkout().join("testdata/reference/tud.json");
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let mut table = Table::new(["tracker's result of", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches"]);
    for name in ["TUD-Campus", "TUD-Stadtmitte"] {
        let folder = cache::folder().join("tud").join(name);
        if !folder.join("gt.txt").is_file() {
            return Ok(format!(
                "Not compared: `{}` is absent; `bench/python/fetch_tud` fetches it.\n",
                folder.display()
            ));
        }
        let truth = mot::read_objects(&folder.join("gt.txt"))?;
        let comparison = Comparison::of_all(&truth, &mot::read_objects(&folder.join("test.txt"))?);
        let (h, c) = (hota(&comparison), clear(&comparison));
        let figures = [h.hota, h.detection, h.association, c.mota(), identity(&comparison).idf1()];
        let [a, b, d, e, f] = figures.map(|figure| format!("{figure:.4}"));
        table.row([format!("{name}, ours"), a, b, d, e, f, c.switches.to_string()]);
        let expected = &reference["sequences"][name];
        let theirs = &expected["by_trackeval"];
        let [a, b, d, e, f] =
            [&expected["hota"], &expected["deta"], &expected["assa"], &theirs["mota"], &theirs["idf1"]]
                .map(|figure| format!("{:.4}", figure.as_f64().unwrap_or(f64::NAN)));
        table.row([format!("{name}, trackeval 1.3.0"), a, b, d, e, f, theirs["idsw"].to_string()]);
    }
    Ok(format!("Our HOTA, CLEAR MOT and IDF1 beside those of a package that others use:\n{}", table.text()))
}
