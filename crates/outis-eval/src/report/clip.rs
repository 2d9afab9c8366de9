//! The part of the accuracy report about the clip with truth: ours beside every Python tracker and counter.

use std::path::Path;

use outis_measure::{ImagePoint, Line, Score, TrackerSettings};
use outis_record::{Class, DirectionalCount};

use super::percent;
use super::python::{Boxes, COUNTERS, Python};
use super::table::Table;
use crate::clip::{self, VTEST_LINES, Verdict, random_lines};
use crate::count_error::Report;
use crate::mot;
use crate::parallel::in_parallel;
use crate::watch::{Watched, Watcher};
use outis_eye::plan::Way;

const MODELS: [&str; 2] = ["nanodet-g", "yolox-nano"];
/// Every frame of the clip, and every other: 5 looks a second.
const STEPS: [u32; 2] = [1, 2];
const TRACKERS: [&str; 5] = ["bytetrack", "sort", "ocsort", "cbiou", "botsort"];
/// Lowest scores that the Python trackers are given.
const SCORES_MIN: [f32; 6] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

/// Frames a second of the clip, and so of its truth.
const TRUTH_FPS: f64 = 10.0;

/// What somebody made of the clip.
struct Row {
    name: String,
    drawn: Counted,
    random: Counted,
    verdict: Verdict,
}

/// How right the counts over some lines are.
#[derive(Clone, Copy)]
struct Counted {
    error: f64,
    bias: f64,
}

pub(super) fn section(data: &Path, clip: &Path, python: Option<&Python>) -> anyhow::Result<String> {
    let truth_file = data.join("pets09-s2l1/gt_mot.txt");
    if !truth_file.is_file() {
        return Ok(format!("Not measured: the truth of the clip is not at `{}`.\n", truth_file.display()));
    }
    let truth = mot::read_objects(&truth_file)?;
    let lines: Vec<(String, Line)> = VTEST_LINES
        .iter()
        .map(|&(name, [x1, y1, x2, y2])| {
            Ok((name.to_owned(), Line::new(ImagePoint::new(x1, y1), ImagePoint::new(x2, y2))?))
        })
        .collect::<Result<_, outis_measure::SceneError>>()?;
    let drawn = lines.len();
    let lines = [lines, random_lines(&truth, TRUTH_FPS)].concat();
    let mut text = "`vtest.avi` of the package opencv-doc: 795 frames, 10 a second, up to eight people at once, most of \
                    them hidden now and then. Eight lines were drawn, and were known while the tracker was made; thirty are \
                    random. Outis looks as `outis count` does. Python: trackers of `trackers` and LineZone of \
                    `supervision` on boxes of the same network, once from the input that Outis gives it and once from its \
                    card's square; of all their settings (5 trackers, 3 counters, 6 lowest scores) the best for each figure.\n\n"
        .to_owned();
    for model in MODELS {
        let mut watcher = match Watcher::new(model) {
            Ok(watcher) => watcher,
            Err(error) => {
                text += &format!("`{model}` was not measured: {error}\n\n");
                continue;
            }
        };
        let thresholds = watcher.detector().thresholds();
        let tracker = TrackerSettings {
            score_new: thresholds.score_new.get(),
            score_min: thresholds.score_min.get(),
            ..TrackerSettings::default()
        };
        // The Python trackers are also given weaker boxes than ours takes.
        watcher.floor = Score::new(SCORES_MIN[0]);
        watcher.way = Way::default();
        let watched = watcher.watch(clip, 1)?;
        watcher.way = Way::Whole;
        let square = watcher.watch(clip, 2)?;
        for every in STEPS {
            let stage = Stage { watched: &watched, truth: &truth, lines: &lines, drawn, every };
            let mut rows = vec![stage.ours(tracker)?];
            // Python is slow, and at every frame it is no better: it is asked where the product works by default.
            if let Some(python) = python.filter(|_| every == 2) {
                rows.extend(stage.best_of_python(python, "")?);
                let stage = Stage { watched: &square, ..stage };
                rows.extend(stage.best_of_python(python, "card's input, ")?);
            }
            let title = format!("{model}, {:.0} looks a second", watched.fps() / f64::from(every));
            text += &format!("**{title}**\n{}", table(&rows));
            if every == 2 {
                text += &stage.line_table(tracker)?;
            }
        }
    }
    Ok(text)
}

struct Stage<'a> {
    watched: &'a Watched,
    truth: &'a mot::Frames<(i64, outis_measure::ImageBox)>,
    /// The drawn ones, then the random ones.
    lines: &'a [(String, Line)],
    drawn: usize,
    every: u32,
}

impl Stage<'_> {
    fn segments(&self) -> Vec<Line> {
        self.lines.iter().map(|&(_, line)| line).collect()
    }

    fn looks(&self) -> impl Iterator<Item = u32> + use<> {
        (1..=self.watched.times.len() as u32).step_by(self.every as usize)
    }

    /// The same clip with only the looks that are made, and only boxes the tracker takes.
    fn thinned(&self, score_min: f32) -> Watched {
        let strong = |found: &Vec<outis_measure::Detection>| {
            found.iter().copied().filter(|detection| detection.score.get() >= score_min).collect()
        };
        let looks = self.looks().filter_map(|frame| Some((frame, strong(self.watched.looks.get(&frame)?))));
        Watched { looks: looks.collect(), ..self.watched.clone() }
    }

    fn measured(&self, tracker: TrackerSettings) -> anyhow::Result<clip::ClipResult> {
        let watched = self.thinned(tracker.score_min);
        Ok(clip::measure(&watched, &self.segments(), tracker, Some(Class::Person))?)
    }

    fn ours(&self, tracker: TrackerSettings) -> anyhow::Result<Row> {
        let result = self.measured(tracker)?;
        Ok(self.row("**Outis**".to_owned(), &result.tracks, &result.counted))
    }

    fn row(
        &self,
        name: String,
        tracks: &mot::Frames<(i64, outis_measure::ImageBox)>,
        counted: &[DirectionalCount],
    ) -> Row {
        let verdict = clip::judge(tracks, self.looks(), self.truth, self.watched.fps(), &self.segments());
        let over = |lines: std::ops::Range<usize>| {
            let truth = &verdict.true_counts[lines.clone()];
            let report = Report::of_one_run(&self.lines[lines.clone()], truth, &counted[lines]);
            Counted { error: report.pooled_error().mean, bias: report.bias() }
        };
        let (drawn, random) = (over(0..self.drawn), over(self.drawn..self.lines.len()));
        Row { name, drawn, random, verdict }
    }

    fn line_table(&self, tracker: TrackerSettings) -> anyhow::Result<String> {
        let result = self.measured(tracker)?;
        let verdict = self.row(String::new(), &result.tracks, &result.counted).verdict;
        let mut table = Table::new(["line", "true", "counted", "error"]);
        let pair = |c: DirectionalCount| format!("{}, {}", c.forward, c.backward);
        let report = Report::of_one_run(self.lines, &verdict.true_counts, &result.counted);
        for line in report.lines.into_iter().take(self.drawn) {
            let error = percent(line.error().mean);
            table.row([line.name.clone(), pair(line.truth), pair(line.counted[0]), error]);
        }
        Ok(format!("Outis line by line (forward, backward):\n{}", table.text()))
    }

    /// The setting with the best counts, the one with the best HOTA, the one with the best IDF1, and the defaults.
    fn best_of_python(&self, python: &Python, boxes: &str) -> anyhow::Result<Vec<Row>> {
        let runs = in_parallel(&SCORES_MIN, |&score_min| self.in_python(python, score_min));
        let mut rows = Vec::new();
        for run in runs {
            rows.extend(run?);
        }
        let best = |title: &str, rank: fn(&Row) -> f64| {
            let row = rows.iter().min_by(|a, b| rank(a).total_cmp(&rank(b)))?;
            Some(Row { name: format!("{boxes}{title}: {}", row.name), verdict: row.verdict.clone(), ..*row })
        };
        let default = |counter: &str| {
            let name = format!("bytetrack, {counter}, score {}", SCORES_MIN[0]);
            let row = rows.iter().find(|row| row.name == name)?;
            Some(Row { name: format!("{boxes}defaults: {name}"), verdict: row.verdict.clone(), ..*row })
        };
        let chosen = [
            default(COUNTERS[0]),
            default(COUNTERS[2]),
            best("best counts, drawn", |row| row.drawn.error),
            best("best counts, random", |row| row.random.error),
            best("best HOTA", |row| -row.verdict.hota.hota),
            best("best IDF1", |row| -row.verdict.idf1),
        ];
        Ok(chosen.into_iter().flatten().collect())
    }

    fn in_python(&self, python: &Python, score_min: f32) -> anyhow::Result<Vec<Row>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("boxes.txt");
        let mut text = String::new();
        for (&frame, found) in &self.watched.looks {
            found.iter().for_each(|detection| mot::write_detection(&mut text, frame, detection));
        }
        std::fs::write(&file, text)?;
        let boxes = Boxes {
            file: &file,
            fps: self.watched.fps(),
            every: self.every,
            frames: self.watched.times.len(),
            score_min,
            lines: self.lines,
        };
        let counts = python.count_tracks(&boxes, &TRACKERS, Some(folder.path()))?;
        let mut rows = Vec::new();
        for (tracker, counts) in TRACKERS.iter().zip(counts) {
            let tracks = mot::read_objects(&folder.path().join(format!("{tracker}.txt")))?;
            for (counter, counted) in COUNTERS.iter().zip(counts) {
                rows.push(self.row(format!("{tracker}, {counter}, score {score_min}"), &tracks, &counted));
            }
        }
        Ok(rows)
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new([
        "",
        "8 drawn lines",
        "bias",
        "30 random lines",
        "bias",
        "occupancy MAE",
        "HOTA",
        "IDF1",
        "MOTA",
        "switches",
    ]);
    for row in rows {
        table.row([
            row.name.clone(),
            percent(row.drawn.error),
            format!("{:+.1} %", 100.0 * row.drawn.bias),
            percent(row.random.error),
            format!("{:+.1} %", 100.0 * row.random.bias),
            format!("{:.2}", row.verdict.occupancy_mae),
            format!("{:.3}", row.verdict.hota.hota),
            format!("{:.3}", row.verdict.idf1),
            format!("{:.3}", row.verdict.clear.mota()),
            row.verdict.clear.switches.to_string(),
        ]);
    }
    table.text()
}
