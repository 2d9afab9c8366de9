//! The part of the accuracy report about distances between people.

use std::path::Path;

use super::percent;
use super::table::Table;
use crate::street::distance::{self, DISTANCES_M, DistanceOptions, ENCOUNTER_S, HEIGHT_M, Run};
use crate::street::{BenchError, Noise};

/// Runs with different noise.
const SEEDS: u64 = 5;

pub(super) fn section(data: &Path) -> anyhow::Result<String> {
    if !data.join("eth-ucy").is_dir() {
        let place = data.display();
        return Ok(format!("Not measured: the trajectories of ETH and UCY are not at `{place}`.\n"));
    }
    Ok(main_table(data)? + &left_out(data)? + &variants(data)?)
}

fn options(noise: Noise, leave_out_groups: bool) -> DistanceOptions {
    DistanceOptions { fps: 5.0, noise, seeds: SEEDS, leave_out_groups, height_m: HEIGHT_M }
}

const UNSPOILED: &str = "no jitter, no misses in full view, no boxes of nothing";

fn unspoiled() -> Noise {
    Noise { white_share: 0.0, miss_mean_s: 1e-9, false_per_frame: 0.0, ..Noise::field() }
}

fn long_misses() -> Noise {
    Noise { miss_mean_s: 0.64, ..Noise::field() }
}

fn signed(share: f64) -> String {
    format!("{:+.1} %", 100.0 * share)
}

fn main_table(data: &Path) -> Result<String, BenchError> {
    let heads = [
        "street, groups, noise",
        "nearer than",
        "true",
        "measured",
        "error",
        "over seeds",
        "encounters, true and measured",
    ];
    let mut table = Table::new(heads);
    for leave_out_groups in [false, true] {
        for (name, noise) in [("white", Noise::field()), ("white and drift", Noise::drift())] {
            for run in distance::run(data, options(noise, leave_out_groups))? {
                let groups = if leave_out_groups { "left out" } else { "counted" };
                for (threshold, metres) in DISTANCES_M.into_iter().enumerate() {
                    table.row(row(
                        &run,
                        &format!("{}, {groups}, {name}", run.street.name()),
                        threshold,
                        metres,
                    ));
                }
            }
        }
    }
    Ok(format!(
        "Share of person-time with a neighbour nearer than 1 m and than 2 m, and pairs that stayed nearer for {ENCOUNTER_S} s: \
         the trajectories of the counting benchmark seen by its camera at 5 looks a second, {SEEDS} seeds. True are the positions of \
         everybody whose feet are in the picture. With groups left out, who walks together is no neighbour of each other; true \
         groups are the annotated ones.\n{}",
        table.text()
    ))
}

fn row(run: &Run, head: &str, threshold: usize, metres: f32) -> [String; 7] {
    let errors = run.near_errors(threshold);
    let (least, most) =
        errors.fold((f64::MAX, f64::MIN), |(least, most), error| (least.min(error), most.max(error)));
    [
        head.to_owned(),
        format!("{metres} m"),
        percent(run.truth.near_share[threshold]),
        percent(run.mean(|measured| measured.near_share[threshold])),
        signed(run.near_error(threshold)),
        format!("{} to {}", signed(least), signed(most)),
        format!(
            "{}, {:.1}",
            run.truth.encounters[threshold],
            run.mean(|m| f64::from(m.encounters[threshold]))
        ),
    ]
}

/// How much of the error with groups left out is the annotation's, and how much that of noise and cameras.
fn left_out(data: &Path) -> Result<String, BenchError> {
    let field = Noise::field();
    let base = options(field, true);
    let with = |noise| DistanceOptions { noise, ..base };
    let low = DistanceOptions { height_m: 4.0, ..base };
    let cases = [
        ("white, as above", base),
        ("white and drift, as above", with(Noise::drift())),
        (UNSPOILED, with(unspoiled())),
        ("misses twice as long", with(long_misses())),
        ("10 looks a second", DistanceOptions { fps: 10.0, ..base }),
        ("the camera 4 m high", low),
        ("the camera 4 m high, misses twice as long", DistanceOptions { noise: long_misses(), ..low }),
        ("the camera 9 m high", DistanceOptions { height_m: 9.0, ..base }),
    ];
    let heads = ["groups left out", "seq_eth, 1 m", "2 m", "completed, 1 m", "2 m", "zara01, 1 m", "2 m"];
    let mut table = Table::new(heads);
    let mut true_shares = String::new();
    for (name, options) in cases {
        let runs = distance::run(data, options)?;
        let [eth, zara] = runs.as_slice() else { continue };
        if true_shares.is_empty() {
            let [annotated, completed] = [eth.truth, eth.completed].map(|truth| percent(truth.near_share[0]));
            true_shares = format!("{annotated} of person-time within 1 m becomes {completed}");
        }
        let against_annotation = |run: &Run| [0, 1].map(|threshold| signed(run.near_error(threshold)));
        let ([eth_1, eth_2], [zara_1, zara_2]) = (against_annotation(eth), against_annotation(zara));
        let [completed_1, completed_2] = [0, 1].map(|threshold| signed(eth.completed_error(threshold)));
        table.row([name.to_owned(), eth_1, eth_2, completed_1, completed_2, zara_1, zara_2]);
    }
    Ok(format!(
        "In seq_eth eight pairs keep together and are not annotated as groups: all that are not and were within 1 m of each \
         other for five seconds or longer in all. They move like groups; that they are is our reading, and nobody annotated them \
         a second time. Completed is the truth in which they are groups too: {true_shares}. If they are, that much \
         of the error in seq_eth is the annotation's. The better the boxes, the nearer comes the share within 1 m to the completed \
         truth, and the farther from the annotated one. In zara01 there is no such pair. Where misses are long, little error \
         against the annotated truth of seq_eth is no merit: groups that were not found make up for pairs that were not annotated.\n{}",
        table.text()
    ))
}

fn variants(data: &Path) -> Result<String, BenchError> {
    let field = Noise::field();
    let base = options(field, false);
    let with = |noise| DistanceOptions { noise, ..base };
    let cases = [
        ("as above", base),
        (UNSPOILED, with(unspoiled())),
        ("half the jitter", with(field.with_jitter_scaled(0.5))),
        ("1.5 times the jitter", with(field.with_jitter_scaled(1.5))),
        ("misses twice as long", with(long_misses())),
        ("twice as many boxes of nothing", with(Noise { false_per_frame: 1.2, ..field })),
        ("10 looks a second", DistanceOptions { fps: 10.0, ..base }),
        ("25 looks a second", DistanceOptions { fps: 25.0, ..base }),
        ("the camera 4 m high", DistanceOptions { height_m: 4.0, ..base }),
        ("the camera 9 m high", DistanceOptions { height_m: 9.0, ..base }),
    ];
    let mut table = Table::new(["groups counted, white noise", "seq_eth, 1 m", "2 m", "zara01, 1 m", "2 m"]);
    for (name, options) in cases {
        let runs = distance::run(data, options)?;
        let error = |street: usize, threshold| {
            runs.get(street).map_or(String::new(), |run| signed(run.near_error(threshold)))
        };
        table.row([name.to_owned(), error(0, 0), error(0, 1), error(1, 0), error(1, 1)]);
    }
    Ok(format!(
        "Other noises, rates and cameras, to show that nothing is tuned to one of them:\n{}",
        table.text()
    ))
}
