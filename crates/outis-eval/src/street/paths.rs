//! Where real people walked: annotated ground positions of ETH and UCY, and the path between them.
//! Knows metres and seconds; no camera and no picture.
//!
//! Pellegrini, Ess, Schindler, van Gool: You'll never walk alone, ICCV 2009 (ETH);
//! Lerner, Chrysanthou, Lischinski: Crowds by example, Eurographics 2007 (UCY).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use outis_measure::GroundPoint;

/// A street of which trajectories exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Street {
    /// The forecourt of ETH Zurich: 360 people in 12.9 minutes.
    SeqEth,
    /// A shopping street in Nicosia: 148 people in 6 minutes.
    Zara01,
}

impl Street {
    /// All streets.
    pub const ALL: [Self; 2] = [Self::SeqEth, Self::Zara01];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::SeqEth => "seq_eth",
            Self::Zara01 => "zara01",
        }
    }

    /// Frame numbers of the annotation that pass in a second. Both are annotated every 0.4 s: every sixth
    /// frame in the one, every tenth in the other.
    fn annotation_fps(self) -> f64 {
        match self {
            Self::SeqEth => 15.0,
            Self::Zara01 => 25.0,
        }
    }

    fn file(self, data: &Path) -> PathBuf {
        self.folder(data).join("obsmat.txt")
    }

    /// Its folder.
    pub(super) fn folder(self, data: &Path) -> PathBuf {
        data.join("eth-ucy").join(self.name())
    }
}

/// One person's way across the ground.
#[derive(Debug, Clone)]
pub struct GroundPath {
    /// Number of the person in the annotation.
    pub person: u32,
    // (seconds from the start of the recording, position), in order of time; at least two.
    knots: Vec<(f64, [f64; 2])>,
}

/// Why trajectories could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The file is not there or cannot be read.
    #[error("{}: {source}; name the folder that holds eth-ucy/ with --data or OUTIS_SHARED", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not eight numbers.
    #[error("{}, line {line}: expected eight numbers \"frame id x z y vx vz vy\"", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

/// Reads a street's trajectories from the folder that holds `eth-ucy/`.
///
/// # Errors
/// When the file is absent or a line of it is not understood.
pub fn read(street: Street, data: &Path) -> Result<Vec<GroundPath>, PathError> {
    let path = street.file(data);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(PathError::Read { path, source }),
    };
    match parse(&text, street.annotation_fps()) {
        Ok(paths) => Ok(paths),
        Err(line) => Err(PathError::Line { path, line }),
    }
}

fn parse(text: &str, fps: f64) -> Result<Vec<GroundPath>, usize> {
    let mut knots: BTreeMap<u32, Vec<(f64, [f64; 2])>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        let Ok([frame, id, x, _, y, ..]) = numbers.as_deref() else { return Err(index + 1) };
        if ![frame, id, x, y].iter().all(|v| v.is_finite()) {
            return Err(index + 1);
        }
        knots.entry(*id as u32).or_default().push((frame / fps, [*x, *y]));
    }
    let start_s = knots.values().flatten().map(|knot| knot.0).fold(f64::INFINITY, f64::min);
    let mut paths = Vec::new();
    for (person, mut knots) in knots {
        knots.sort_by(|a, b| a.0.total_cmp(&b.0));
        knots.dedup_by(|b, a| a.0 == b.0);
        knots.iter_mut().for_each(|knot| knot.0 -= start_s);
        if knots.len() >= 2 {
            paths.push(GroundPath { person, knots });
        }
    }
    Ok(paths)
}

impl GroundPath {
    /// When the person was last seen, in seconds from the start of the recording.
    pub fn end_s(&self) -> f64 {
        self.knots[self.knots.len() - 1].0
    }

    /// The annotated positions.
    pub fn positions(&self) -> impl Iterator<Item = GroundPoint> + '_ {
        self.knots.iter().map(|&(_, position)| ground(position))
    }

    /// Where the person was; `None` before the first and after the last annotation.
    ///
    /// A cubic through the annotated points whose slope at each is that between its neighbours (Catmull and
    /// Rom, 1974): people do not turn corners in an instant.
    pub fn at(&self, time_s: f64) -> Option<GroundPoint> {
        let after = self.knots.partition_point(|knot| knot.0 <= time_s);
        if after == 0 {
            return None;
        }
        if after == self.knots.len() {
            let (end_s, position) = self.knots[after - 1];
            return (time_s - end_s < 1e-9).then(|| ground(position));
        }
        let ((t0, p0), (t1, p1)) = (self.knots[after - 1], self.knots[after]);
        let (slope0, slope1) = (self.slope(after - 1), self.slope(after));
        let (span, s) = (t1 - t0, (time_s - t0) / (t1 - t0));
        let (s2, s3) = (s * s, s * s * s);
        let value = |axis: usize| {
            (2.0 * s3 - 3.0 * s2 + 1.0) * p0[axis]
                + (s3 - 2.0 * s2 + s) * span * slope0[axis]
                + (3.0 * s2 - 2.0 * s3) * p1[axis]
                + (s3 - s2) * span * slope1[axis]
        };
        Some(ground([value(0), value(1)]))
    }

    fn slope(&self, index: usize) -> [f64; 2] {
        let (before, after) = (index.saturating_sub(1), (index + 1).min(self.knots.len() - 1));
        let ((t0, p0), (t1, p1)) = (self.knots[before], self.knots[after]);
        [0, 1].map(|axis| (p1[axis] - p0[axis]) / (t1 - t0))
    }
}

fn ground([x, y]: [f64; 2]) -> GroundPoint {
    GroundPoint { x_m: x as f32, y_m: y as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_PEOPLE: &str = "10 1 0 0 5 0 0 0\n16 1 1 0 5 0 0 0\n\n22 1 2 0 5 0 0 0\n16 2 7 0 7 0 0 0\n";

    #[test]
    fn a_steady_walk_stays_steady_between_annotations() {
        let paths = parse(TWO_PEOPLE, 15.0).unwrap();
        assert_eq!(paths.len(), 1, "a person seen once has no path");
        let cases = [(-0.1, None), (0.0, Some(0.0)), (0.1, Some(0.25)), (0.6, Some(1.5)), (0.81, None)];
        for (time_s, expected) in cases {
            let x = paths[0].at(time_s).map(|p| p.x_m);
            assert_eq!(x.map(|x| (x * 1e4).round() / 1e4), expected, "at {time_s}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, line) in
            [("1 2 3", 1), ("10 1 0 0 5 0 0 0\n16 1 x 0 5 0 0 0", 2), ("1 1 NaN 0 1 0 0 0", 1)]
        {
            assert_eq!(parse(text, 25.0).unwrap_err(), line, "{text}");
        }
    }
}
