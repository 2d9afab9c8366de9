//! How wrong counts are, and how that is told.

use outis_measure::Line;
use outis_record::DirectionalCount;
use serde_json::{Value, json};

/// A line with fewer true passages has no error of its own; it counts in the pooled one.
pub const TRUE_MIN: u32 = 10;

/// One line of one street in every run.
#[derive(Debug, Clone)]
pub struct LineResult {
    /// Street and line, such as `zara01/mid-030`.
    pub name: String,
    /// True passages.
    pub truth: DirectionalCount,
    /// What the counter said, one entry a seed.
    pub counted: Vec<DirectionalCount>,
}

/// How wrong a counter was on every line in every run.
#[derive(Debug, Clone)]
pub struct Report {
    /// All lines of all streets.
    pub lines: Vec<LineResult>,
}

/// A mean and the least and greatest of what it was made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
}

impl Spread {
    /// Of some values; all zero when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        if values.is_empty() {
            return Self { mean: 0.0, min: 0.0, max: 0.0 };
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let (min, max) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        Self { mean, min, max }
    }
}

/// Directional error: passages too many or too few in each direction, as a share of the true ones.
pub fn directional_error(truth: DirectionalCount, counted: DirectionalCount) -> f64 {
    let wrong = counted.forward.abs_diff(truth.forward) + counted.backward.abs_diff(truth.backward);
    f64::from(wrong) / f64::from(total(truth).max(1))
}

fn total(count: DirectionalCount) -> u32 {
    count.forward + count.backward
}

impl Report {
    /// Of one run, from what was true and what was counted over each line.
    pub fn of_one_run(
        lines: &[(String, Line)],
        truth: &[DirectionalCount],
        counted: &[DirectionalCount],
    ) -> Self {
        let line = |(((name, _), &truth), &counted): ((&(String, Line), _), _)| LineResult {
            name: name.clone(),
            truth,
            counted: vec![counted],
        };
        Self { lines: lines.iter().zip(truth).zip(counted).map(line).collect() }
    }

    /// Number of runs with different noise.
    pub fn seeds(&self) -> usize {
        self.lines.first().map_or(0, |line| line.counted.len())
    }

    /// Directional error, mean over the lines with enough passages; mean and range over the seeds.
    pub fn error(&self) -> Spread {
        Spread::of((0..self.seeds()).map(|seed| {
            let own = self.lines.iter().filter(|line| total(line.truth) >= TRUE_MIN);
            Spread::of(own.map(|line| directional_error(line.truth, line.counted[seed]))).mean
        }))
    }

    /// The line with the greatest error, mean over the seeds.
    pub fn worst_line(&self) -> Option<(&str, f64)> {
        let own = self.lines.iter().filter(|line| total(line.truth) >= TRUE_MIN);
        own.map(|line| (line.name.as_str(), line.error().mean)).max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// All wrong passages of all lines as a share of all true ones; mean and range over the seeds.
    pub fn pooled_error(&self) -> Spread {
        let truth = f64::from(self.true_passages().max(1));
        Spread::of((0..self.seeds()).map(|seed| {
            let wrong = |line: &LineResult| {
                directional_error(line.truth, line.counted[seed]) * f64::from(total(line.truth).max(1))
            };
            self.lines.iter().map(wrong).sum::<f64>() / truth
        }))
    }

    /// Passages counted beyond the true ones as a share of these; negative when too few are counted.
    pub fn bias(&self) -> f64 {
        f64::from(self.counted()) / (f64::from(self.true_passages().max(1)) * self.seeds().max(1) as f64)
            - 1.0
    }

    /// Passages counted over all lines in all runs.
    pub fn counted(&self) -> u32 {
        self.lines.iter().flat_map(|line| &line.counted).map(|&count| total(count)).sum()
    }

    /// True passages over all lines.
    pub fn true_passages(&self) -> u32 {
        self.lines.iter().map(|line| total(line.truth)).sum()
    }

    /// Everything, for programs.
    pub fn to_json(&self) -> Value {
        let count = |c: &DirectionalCount| json!({"forward": c.forward, "backward": c.backward});
        let (error, pooled) = (self.error(), self.pooled_error());
        json!({
            "error_mean": error.mean, "error_min": error.min, "error_max": error.max,
            "pooled_error": pooled.mean, "bias": self.bias(),
            "true_passages": self.true_passages(), "seeds": self.seeds(),
            "lines": self.lines.iter().map(|line| json!({
                "name": line.name, "truth": count(&line.truth),
                "counted": line.counted.iter().map(count).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        })
    }

    /// One line for a table: mean error (range), pooled error, bias, worst line.
    pub fn summary(&self) -> String {
        let (error, pooled) = (self.error(), self.pooled_error());
        let (worst, worst_error) = self.worst_line().unwrap_or(("none", 0.0));
        format!(
            "{:5.2} % ({:.2}-{:.2})  pooled {:5.2} %  bias {:+.2} %  worst line {worst} {:.1} %",
            100.0 * error.mean,
            100.0 * error.min,
            100.0 * error.max,
            100.0 * pooled.mean,
            100.0 * self.bias(),
            100.0 * worst_error,
        )
    }

    /// A row a line: truth, mean counted and error.
    pub fn rows(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let mean = |pick: fn(&DirectionalCount) -> u32| {
                Spread::of(line.counted.iter().map(|c| f64::from(pick(c)))).mean
            };
            text += &format!(
                "{:24} true {:4} {:4}   counted {:6.1} {:6.1}   error {:6.2} %\n",
                line.name,
                line.truth.forward,
                line.truth.backward,
                mean(|c| c.forward),
                mean(|c| c.backward),
                100.0 * line.error().mean,
            );
        }
        text
    }
}

impl LineResult {
    /// Directional error, mean and range over the seeds.
    pub fn error(&self) -> Spread {
        Spread::of(self.counted.iter().map(|&counted| directional_error(self.truth, counted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(forward: u32, backward: u32) -> DirectionalCount {
        DirectionalCount { forward, backward }
    }

    #[test]
    fn errors_by_hand() {
        let line = |name: &str, truth, counted| LineResult { name: name.to_owned(), truth, counted };
        let report = Report {
            lines: vec![
                line("busy", count(30, 10), vec![count(28, 12), count(30, 10)]),
                line("quiet", count(2, 3), vec![count(2, 3), count(7, 3)]),
            ],
        };
        assert_eq!(report.error(), Spread { mean: 0.05, min: 0.0, max: 0.1 });
        let pooled = report.pooled_error();
        assert!((pooled.mean - 0.1).abs() < 1e-12, "4 of 45 wrong, then 5 of 45: {pooled:?}");
        assert!((report.bias() - 5.0 / 90.0).abs() < 1e-12);
        assert_eq!(report.worst_line(), Some(("busy", 0.05)));
    }
}
