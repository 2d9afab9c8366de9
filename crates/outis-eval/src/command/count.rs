//! `outis-eval count`: boxes in, passages over lines out.

use outis_eval::product;
use outis_measure::{Line, MeasureSettings};
use outis_record::DirectionalCount;
use serde::Serialize;

use super::input::{Input, LineArgument};

/// Counts passages over lines; prints JSON
#[derive(Debug, clap::Args)]
pub(crate) struct Count {
    #[command(flatten)]
    input: Input,
    /// A counting line in pixels; may be given several times
    #[arg(long = "line", value_name = "NAME:X1,Y1,X2,Y2", required = true)]
    lines: Vec<LineArgument>,
}

impl Count {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (clock, detections) = self.input.read()?;
        let lines: Vec<Line> = self.lines.iter().map(|named| named.line).collect();
        let settings = MeasureSettings { tracker: self.input.tracker(), ..MeasureSettings::default() };
        let counts = product::count(clock.looks(&detections), &lines, settings)?;
        println!("{}", serde_json::to_string(&Counts::new(&self.lines, &counts))?);
        Ok(())
    }
}

/// Counts as they are printed: `{"lines":[{"name":"A","forward":3,"backward":5}]}`.
#[derive(Debug, Serialize)]
pub(crate) struct Counts<'a> {
    lines: Vec<LineCount<'a>>,
}

#[derive(Debug, Serialize)]
struct LineCount<'a> {
    name: &'a str,
    forward: u32,
    backward: u32,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(lines: &'a [LineArgument], counts: &[DirectionalCount]) -> Self {
        let row = |(line, count): (&'a LineArgument, &DirectionalCount)| LineCount {
            name: &line.name,
            forward: count.forward,
            backward: count.backward,
        };
        Self { lines: lines.iter().zip(counts).map(row).collect() }
    }
}
