//! What a camera's substream saves: a part of the benchmarks page.

use std::path::Path;

use super::{machine, percent, table::Table};
use crate::cameras::FPS;
use crate::cameras::substream::{self, Pair, SUBSTREAM_PX, Watched};
use crate::compose::{self, STREET_B, STREET_EMPTY, STREET_QUIET, Street, Variant};
use crate::mot::{self, Frames};

/// A quiet street with either model, one in which nobody comes, and a busy one, where there is nothing to save.
pub const SUBSTREAM_RUNS: [(Street, &str); 4] = [
    (STREET_QUIET, "nanodet-g"),
    (STREET_QUIET, "yolox-nano"),
    (STREET_EMPTY, "nanodet-g"),
    (STREET_B, "nanodet-g"),
];

/// Watches each street with its model in both ways, and says what that cost and how right it was.
///
/// # Errors
/// When the truth of the clip or a program is absent, or one fails.
pub fn section(clip: &Path, runs: &[(Street, &str)]) -> anyhow::Result<String> {
    let clip_truth = mot::read_objects(&crate::street::default_data().join("pets09-s2l1/gt_mot.txt"))?;
    let quiet = Emptiness::of(&STREET_QUIET.truth(Variant::Day, &clip_truth));
    let mut pairs = Vec::new();
    for &(street, model) in runs {
        let pair = substream::measure(street, model, clip, &clip_truth)?;
        pairs.push((format!("{}, {model}", street.name), pair));
    }
    Ok(describe(&pairs, quiet))
}

/// How often nobody is in a street.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Emptiness {
    share: f64,
    /// How long it lasts each time, on average.
    lasts_s: f64,
}

impl Emptiness {
    fn of<T>(truth: &Frames<T>) -> Self {
        let empty = truth.iter().filter(|present| present.is_empty()).count() as f64;
        let runs = truth.chunk_by(|a, b| a.is_empty() == b.is_empty());
        let times = runs.filter(|run| run[0].is_empty()).count().max(1) as f64;
        Self { share: empty / truth.len().max(1) as f64, lasts_s: empty / f64::from(compose::FPS) / times }
    }
}

fn describe(pairs: &[(String, Pair)], quiet: Emptiness) -> String {
    let (width, height) = SUBSTREAM_PX;
    let mut text = machine::description();
    text += &format!(
        "\n`outis watch` on real RTSP streams as above. The composed street quiet is {} minutes long; single people and \
         small groups pass, and {:.0} % of the time, {:.0} s at a time, nobody is there and nothing moves but the sensor's \
         noise. To empty, the same street, nobody comes for a minute; b is never empty. All show things that networks now and then \
         take for people. The substream is the same film in {width} x {height}, {FPS} frames a second, H.264 at \
         0.5 Mbit/s. Each street was watched by two cameras at the same time, one with its substream and one without, and \
         people were counted from the film's beginning to its end, without the bound that noise sets to each passage.\n",
        STREET_QUIET.frames / compose::FPS / 60,
        100.0 * quiet.share,
        quiet.lasts_s
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
    let left = pairs.iter().map(|(name, pair)| format!("{} ({name})", percent(pair.ratio())));
    let left = left.collect::<Vec<_>>().join(", ");
    text + &format!(
        "Of the processor time that it takes without, a camera with its substream takes {left}.\n"
    )
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

    const EMPTINESS: Emptiness = Emptiness { share: 0.65, lasts_s: 12.0 };

    #[test]
    fn a_street_is_empty_now_and_then() {
        let present = |frames: usize, people: usize| vec![vec![(); people]; frames];
        let truth = [present(100, 0), present(50, 2), present(50, 1), present(60, 0), present(140, 3)];
        assert_eq!(Emptiness::of(&truth.concat()), Emptiness { share: 0.4, lasts_s: 8.0 });
        assert_eq!(Emptiness::of(&present(10, 1)), Emptiness { share: 0.0, lasts_s: 0.0 });
    }

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
        let text = describe(&[("quiet, some-net".to_owned(), Pair { without, with })], EMPTINESS);
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
        assert!(text.contains("65 % of the time, 12 s at a time, nobody is there"), "{text}");
        let expected = "a camera with its substream takes 43.1 % (quiet, some-net).\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
