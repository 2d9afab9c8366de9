//! What `video` and `judge` print: counts, and how right they are.

use outis_eval::clip::Verdict;
use outis_eval::count_error::{LineResult, Report};
use outis_record::DirectionalCount;
use serde_json::{Value, json};

/// Everything that is printed.
pub(crate) struct Outcome {
    pub(crate) frames: usize,
    pub(crate) looks: usize,
    pub(crate) faults: u32,
    pub(crate) counts: Vec<(String, DirectionalCount)>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) cpu_ms_per_frame: f64,
    pub(crate) measure_us_per_look: f64,
}

impl Outcome {
    fn errors(&self, verdict: &Verdict) -> Report {
        let line = |((name, counted), truth): (&(String, DirectionalCount), &DirectionalCount)| LineResult {
            name: name.clone(),
            truth: *truth,
            counted: vec![*counted],
        };
        Report { lines: self.counts.iter().zip(&verdict.true_counts).map(line).collect() }
    }

    /// Prints it.
    pub(crate) fn print(&self, json: bool) {
        if json { println!("{}", self.to_json()) } else { print!("{}", self.table()) }
    }

    fn to_json(&self) -> Value {
        let count = |name: &str, c: &DirectionalCount| json!({"name": name, "forward": c.forward, "backward": c.backward});
        let mut value = json!({
            "frames": self.frames, "looks": self.looks, "faults": self.faults,
            "lines": self.counts.iter().map(|(name, c)| count(name, c)).collect::<Vec<_>>(),
            "cpu_ms_per_frame": self.cpu_ms_per_frame, "measure_us_per_look": self.measure_us_per_look,
        });
        if let Some(verdict) = &self.verdict {
            let errors = self.errors(verdict);
            let names = self.counts.iter().map(|(name, _)| name.as_str());
            value["truth"] = json!({
                "lines": names.zip(&verdict.true_counts).map(|(name, c)| count(name, c)).collect::<Vec<_>>(),
                "count_error": errors.pooled_error().mean, "count_bias": errors.bias(),
                "occupancy_mae": verdict.occupancy_mae,
                "hota": verdict.hota.hota, "det_a": verdict.hota.detection, "ass_a": verdict.hota.association,
                "idf1": verdict.idf1, "mota": verdict.clear.mota(), "switches": verdict.clear.switches,
                "missed": verdict.clear.missed, "false_boxes": verdict.clear.false_boxes,
            });
        }
        value
    }

    fn table(&self) -> String {
        let mut text = format!("{} frames, {} looks, {} damaged\n", self.frames, self.looks, self.faults);
        match &self.verdict {
            None => {
                for (name, c) in &self.counts {
                    text += &format!("{name:24} {:5} forward {:5} backward\n", c.forward, c.backward);
                }
            }
            Some(verdict) => {
                let errors = self.errors(verdict);
                text += &errors.rows();
                text += &format!(
                    "count error   {:6.2} % of {} passages, bias {:+.2} %\noccupancy MAE {:6.2}\n",
                    100.0 * errors.pooled_error().mean,
                    errors.true_passages(),
                    100.0 * errors.bias(),
                    verdict.occupancy_mae
                );
                text += &format!(
                    "HOTA {:.3} (DetA {:.3}, AssA {:.3})  IDF1 {:.3}  MOTA {:.3}  identity switches {}\n",
                    verdict.hota.hota,
                    verdict.hota.detection,
                    verdict.hota.association,
                    verdict.idf1,
                    verdict.clear.mota(),
                    verdict.clear.switches
                );
            }
        }
        text + &format!(
            "CPU {:.2} ms a frame, of it tracking and counting {:.1} us a look\n",
            self.cpu_ms_per_frame, self.measure_us_per_look
        )
    }
}
