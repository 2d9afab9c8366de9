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
    Ok(main_table(data)? + &variants(data)?)
}

fn options(noise: Noise, leave_out_groups: bool) -> DistanceOptions {
    DistanceOptions { fps: 5.0, noise, seeds: SEEDS, leave_out_groups, height_m: HEIGHT_M }
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
         groups are the annotated ones. In seq_eth some pairs walk side by side all the way and are not annotated as a \
         group (eight of them make 120 of the 332 person-seconds within 1 m): by motion alone these cannot be told from groups.\n{}",
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

fn variants(data: &Path) -> Result<String, BenchError> {
    let field = Noise::field();
    let base = options(field, false);
    let with = |noise| DistanceOptions { noise, ..base };
    let cases = [
        ("as above", base),
        (
            "no jitter, no misses in full view, no boxes of nothing",
            with(Noise { white_share: 0.0, miss_mean_s: 1e-9, false_per_frame: 0.0, ..field }),
        ),
        ("half the jitter", with(field.with_jitter_scaled(0.5))),
        ("1.5 times the jitter", with(field.with_jitter_scaled(1.5))),
        ("misses twice as long", with(Noise { miss_mean_s: 0.64, ..field })),
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
