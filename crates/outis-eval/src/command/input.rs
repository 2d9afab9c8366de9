//! What `track` and `count` are told: a file of detections, its clock, and lines.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use outis_eval::mot::{self, FRAME_MAX, Frames};
use outis_eval::product::Clock;
use outis_measure::{Detection, ImagePoint, Line, TrackerSettings};

/// The most frames in a second that a camera may have.
const FPS_MAX: f64 = 1000.0;

/// A file of detections and how its frame numbers pass.
#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// MOT lines: frame,-1,x,y,w,h,score,class; frames count from 1
    #[arg(long, value_name = "FILE")]
    detections: PathBuf,
    /// Frames in a second of the file's frame numbers
    #[arg(long, value_parser = parse_fps)]
    fps: f64,
    /// Looks at frames 1, 1+N, 1+2N… only
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(FRAME_MAX)))]
    every: u32,
    /// How many frames there are [default: up to the last with a detection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=i64::from(FRAME_MAX)))]
    frames: Option<u32>,
    /// A detection at least this sure may start a track [default: the tracker's]
    #[arg(long, value_name = "SCORE")]
    score_new: Option<f32>,
    /// A detection less sure is not looked at [default: the tracker's]
    #[arg(long, value_name = "SCORE")]
    score_min: Option<f32>,
}

impl Input {
    pub(crate) fn read(&self) -> anyhow::Result<(Clock, Frames<Detection>)> {
        let detections = mot::read_detections(&self.detections)?;
        let frames = self.frames.unwrap_or(u32::try_from(detections.len()).unwrap_or(FRAME_MAX));
        Ok((Clock { fps: self.fps, every: self.every, frames }, detections))
    }

    pub(crate) fn tracker(&self) -> TrackerSettings {
        let default = TrackerSettings::default();
        TrackerSettings {
            score_new: self.score_new.unwrap_or(default.score_new),
            score_min: self.score_min.unwrap_or(default.score_min),
            ..default
        }
    }
}

fn parse_fps(text: &str) -> Result<f64, String> {
    let fps = text.parse().ok().filter(|&fps: &f64| fps > 0.0 && fps <= FPS_MAX);
    fps.ok_or_else(|| format!("more than 0 and at most {FPS_MAX} are possible"))
}

/// `NAME:X1,Y1,X2,Y2`: a counting line in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineArgument {
    pub(crate) name: String,
    pub(crate) line: Line,
}

impl FromStr for LineArgument {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = || format!("\"{text}\" is not NAME:X1,Y1,X2,Y2");
        let (name, numbers) = text.rsplit_once(':').with_context(shape)?;
        anyhow::ensure!(!name.is_empty(), "\"{text}\": the line has no name; write NAME:X1,Y1,X2,Y2");
        let numbers: Result<Vec<f32>, _> = numbers.split(',').map(|n| n.trim().parse()).collect();
        let [x1, y1, x2, y2] = *numbers.with_context(shape)? else { anyhow::bail!(shape()) };
        let line = Line::new(ImagePoint::new(x1, y1), ImagePoint::new(x2, y2))
            .with_context(|| format!("line \"{name}\""))?;
        Ok(Self { name: name.to_owned(), line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let line = |text: &str| text.parse::<LineArgument>();
        let gate = line("main gate:10,20.5,-30,40").unwrap();
        assert_eq!(gate.name, "main gate");
        assert_eq!(
            (gate.line.start(), gate.line.end()),
            (ImagePoint::new(10.0, 20.5), ImagePoint::new(-30.0, 40.0))
        );
        assert_eq!(line("a:b:0,0,9,9").unwrap().name, "a:b");
        for (text, fault) in [
            ("10,20,30,40", "is not NAME:X1,Y1,X2,Y2"),
            (":10,20,30,40", "has no name"),
            ("A:10,20,30", "is not NAME:X1,Y1,X2,Y2"),
            ("A:10,20,30,x", "is not NAME:X1,Y1,X2,Y2"),
            ("A:1,1,1,1", "less than a pixel apart"),
            ("A:1,1,NaN,1", "not a finite number"),
        ] {
            let message = format!("{:#}", line(text).unwrap_err());
            assert!(message.contains(fault), "{text}: {message}");
        }
    }
}
