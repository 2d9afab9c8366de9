//! What a camera's substream saves: a part of the benchmarks page.

use std::path::Path;

use super::{machine, percent, table::Table};
use crate::cameras::FPS;
use crate::cameras::substream::{self, Pair, SUBSTREAM_PX, Watched};
use crate::compose::{self, STREET_B, STREET_QUIET, Street, Variant};
use crate::mot;

/// A quiet street with either model, and a busy one, where there is nothing to save.
pub const SUBSTREAM_RUNS: [(Street, &str); 3] =
    [(STREET_QUIET, "nanodet-g"), (STREET_QUIET, "yolox-nano"), (STREET_B, "nanodet-g")];

/// Watches each street with its model in both ways, and says what that cost and how right it was.
///
/// # Errors
/// When the truth of the clip or a program is absent, or one fails.
pub fn section(clip: &Path, runs: &[(Street, &str)]) -> anyhow::Result<String> {
    let clip_truth = mot::read_objects(&crate::street::default_data().join("pets09-s2l1/gt_mot.txt"))?;
    let quiet = STREET_QUIET.truth(Variant::Day, &clip_truth);
    let empty = quiet.iter().filter(|present| present.is_empty()).count() as f64 / quiet.len() as f64;
    let mut pairs = Vec::new();
    for &(street, model) in runs {
        let pair = substream::measure(street, model, clip, &clip_truth)?;
        pairs.push((format!("{}, {model}", street.name), pair));
    }
    Ok(describe(&pairs, empty))
}

fn describe(pairs: &[(String, Pair)], empty: f64) -> String {
    let (width, height) = SUBSTREAM_PX;
    let mut text = machine::description();
    text += &format!(
        "\n`outis watch` on real RTSP streams as above. The composed street quiet is {} minutes long; single people and \
         small groups pass, and {:.0} % of the time nobody is there and nothing moves but the sensor's noise. Street b is \
         never empty. The substream is the same film in {width} x {height}, {FPS} frames a second, H.264 at 0.5 Mbit/s. Each \
         street was watched by two cameras at the same time, one with its substream and one without, and counted from \
         the film's beginning to its end.\n",
        STREET_QUIET.frames / compose::FPS / 60,
        100.0 * empty
    );
    let mut table = Table::new([
        "CPU for each second of video",
        "eye, ms",
        "intakes, ms",
        "all, ms",
        "ratio",
        "looks a second",
        "observed",
        "count error",
        "passages counted, of the true",
    ]);
    for (name, pair) in pairs {
        table.row(row(format!("{name}, without"), &pair.without, 1.0));
        table.row(row(format!("{name}, with substream"), &pair.with, pair.ratio()));
    }
    text += &table.text();
    let left = pairs.iter().map(|(name, pair)| format!("{} on {name}", percent(pair.ratio())));
    let left = left.collect::<Vec<_>>().join(", ");
    text + &format!("With its substream a camera takes {left} of the processor time that it takes without.\n")
}

fn row(name: String, watched: &Watched, ratio: f64) -> [String; 9] {
    let counts = &watched.counts;
    [
        name,
        format!("{:.1}", watched.ms(watched.eye)),
        format!("{:.1}", watched.ms(watched.intakes)),
        format!("{:.1}", watched.all_ms()),
        format!("{ratio:.2}"),
        format!("{:.2}", watched.looks_per_s()),
        percent(watched.observed()),
        percent(counts.pooled_error().mean),
        format!("{} of {}", counts.counted(), counts.true_passages()),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use outis_measure::{ImagePoint, Line};
    use outis_record::DirectionalCount;

    use super::*;
    use crate::cameras::Heard;
    use crate::count_error::Report;

    #[test]
    fn a_pair_is_two_rows_and_a_share() {
        let line = Line::new(ImagePoint::new(0.0, 0.0), ImagePoint::new(9.0, 0.0)).unwrap();
        let count = |forward, backward| DirectionalCount { forward, backward };
        let counts = |counted| Report::of_one_run(&[("path".to_owned(), line)], &[count(15, 5)], &[counted]);
        let heard = Heard { looks: 905, media_ms: 181_000, observed_ms: 90_500, ..Heard::default() };
        let ms = Duration::from_millis;
        let without = Watched {
            video_s: 180.0,
            eye: ms(45_000),
            intakes: ms(900),
            heard,
            counts: counts(count(15, 4)),
        };
        let with =
            Watched { eye: ms(18_000), intakes: ms(1_800), counts: counts(count(16, 5)), ..without.clone() };
        let text = describe(&[("quiet, some-net".to_owned(), Pair { without, with })], 0.65);
        let cells = |start: &str| -> Vec<String> {
            let row = text.lines().find(|line| line.starts_with(start)).unwrap();
            row.split('|')
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !cell.is_empty())
                .skip(1)
                .collect()
        };
        let expected = ["250.0", "5.0", "255.0", "1.00", "5.00", "50.0 %", "5.0 %", "19 of 20"];
        assert_eq!(cells("| quiet, some-net, without"), expected);
        let expected = ["100.0", "10.0", "110.0", "0.43", "5.00", "50.0 %", "5.0 %", "21 of 20"];
        assert_eq!(cells("| quiet, some-net, with substream"), expected);
        assert!(text.contains("65 % of the time nobody is there"), "{text}");
        assert!(
            text.ends_with("takes 43.1 % on quiet, some-net of the processor time that it takes without.\n")
        );
    }
}
