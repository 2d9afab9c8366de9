//! Files in the format of the MOT challenge: one box a line, `frame,id,x,y,w,h,score,class,…`.
//! Reads what detectors, trackers and annotators write; knows nothing of what they mean by it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use outis_measure::{Detection, ImageBox, Score};
use outis_record::Class;

/// The greatest frame number: four days at 25 frames per second.
pub const FRAME_MAX: u32 = 10_000_000;

/// One line of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotRow {
    /// Number of the frame, from 1.
    pub frame: u32,
    /// Number of the object; negative when there is none.
    pub id: i64,
    /// Where it is.
    pub bbox: ImageBox,
    /// How sure the detector is, 0 to 1. A missing or negative score is 1.
    pub score: f32,
    /// The eighth field as it stands there, -1 when missing. What it means depends on who wrote it.
    pub class: f64,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MotError {
    /// The file cannot be opened or is not text.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not understood.
    #[error("{}, line {line}: {fault}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Too few fields.
    #[error("{0} fields; at least frame,id,x,y,width,height are needed")]
    Fields(usize),
    /// A field is no number.
    #[error("{field} \"{text}\" is not a finite number")]
    Number {
        /// Name of the field.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A frame number that cannot be.
    #[error("frame {0}: frames are whole numbers from 1 to {max}", max = FRAME_MAX)]
    Frame(f64),
    /// A class that is none of ours.
    #[error("class {0}: 0 to {max} are known (person, bicycle, car, motorcycle, bus, truck); -1 is a person", max = Class::COUNT - 1)]
    Class(f64),
    /// An object is twice in a frame.
    #[error("object {id} is already in frame {frame}")]
    Twice {
        /// The object.
        id: i64,
        /// The frame.
        frame: u32,
    },
}

/// Boxes frame by frame; index 0 is frame 1. As long as the greatest frame number.
pub type Frames<T> = Vec<Vec<T>>;

/// Detections of every frame. The eighth field is an index of [`Class::ALL`]; -1 or nothing is a person.
///
/// # Errors
/// When the file cannot be read or a line is not understood.
pub fn read_detections(path: &Path) -> Result<Frames<Detection>, MotError> {
    by_frame(path, |row, _| {
        let class = match row.class {
            class if class < 0.0 => Some(Class::Person),
            class if class.fract() == 0.0 => Class::from_index(class as usize),
            _ => None,
        };
        let class = class.ok_or(Fault::Class(row.class))?;
        Ok(Some(Detection { bbox: row.bbox, class, score: Score::new(row.score) }))
    })
}

/// Objects of every frame, as (number, box), of a truth or of a tracker.
/// Lines whose score is 0 are left out: in truths of the MOT challenge they mark what does not count.
///
/// # Errors
/// When the file cannot be read, a line is not understood or an object is twice in a frame.
pub fn read_objects(path: &Path) -> Result<Frames<(i64, ImageBox)>, MotError> {
    by_frame(path, |row, others: &[(i64, ImageBox)]| {
        if others.iter().any(|&(id, _)| id == row.id) {
            return Err(Fault::Twice { id: row.id, frame: row.frame });
        }
        Ok((row.score != 0.0).then_some((row.id, row.bbox)))
    })
}

/// One line of a tracker's output.
pub fn write_object(text: &mut String, frame: u32, id: u64, bbox: ImageBox, score: Score) {
    let ImageBox { left, top, width, height } = bbox;
    let _ =
        writeln!(text, "{frame},{id},{left:.2},{top:.2},{width:.2},{height:.2},{:.4},-1,-1,-1", score.get());
}

/// One line of a detector's output.
pub fn write_detection(text: &mut String, frame: u32, detection: &Detection) {
    let ImageBox { left, top, width, height } = detection.bbox;
    let (score, class) = (detection.score.get(), detection.class.index());
    let _ = writeln!(text, "{frame},-1,{left:.2},{top:.2},{width:.2},{height:.2},{score:.4},{class},-1,-1");
}

fn by_frame<T>(
    path: &Path,
    mut take: impl FnMut(&MotRow, &[T]) -> Result<Option<T>, Fault>,
) -> Result<Frames<T>, MotError> {
    let read = |source| MotError::Read { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(read)?;
    let mut frames: Frames<T> = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |fault| MotError::Line { path: path.to_owned(), line: index + 1, fault };
        let row = parse(line).map_err(fault)?;
        let frame = row.frame as usize;
        if frames.len() < frame {
            frames.resize_with(frame, Vec::new);
        }
        let taken = take(&row, &frames[frame - 1]).map_err(fault)?;
        frames[frame - 1].extend(taken);
    }
    Ok(frames)
}

fn parse(line: &str) -> Result<MotRow, Fault> {
    const NAMES: [&str; 8] = ["frame", "id", "x", "y", "width", "height", "score", "class"];
    let mut values = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, -1.0];
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    if fields.len() < 6 {
        return Err(Fault::Fields(fields.len()));
    }
    for ((value, field), text) in values.iter_mut().zip(NAMES).zip(&fields) {
        *value = text
            .parse()
            .ok()
            .filter(|v: &f64| v.is_finite())
            .ok_or_else(|| Fault::Number { field, text: (*text).to_owned() })?;
    }
    let [frame, id, x, y, width, height, score, class] = values;
    if frame.fract() != 0.0 || !(1.0..=f64::from(FRAME_MAX)).contains(&frame) {
        return Err(Fault::Frame(frame));
    }
    let bbox = ImageBox::from_left_top_width_height(x as f32, y as f32, width as f32, height as f32);
    let score = if score < 0.0 { 1.0 } else { score as f32 };
    Ok(MotRow { frame: frame as u32, id: id as i64, bbox, score, class })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_understood() {
        let at = ImageBox::from_left_top_width_height;
        let cases = [
            ("six fields", "3,-1,10,20.5,30,40", (3, -1, at(10.0, 20.5, 30.0, 40.0), 1.0, -1.0)),
            ("a score", "3, -1, 10, 20, 30, 40, 0.25", (3, -1, at(10.0, 20.0, 30.0, 40.0), 0.25, -1.0)),
            ("no score", "1,7,0,0,1,1,-1,-1,-1,-1", (1, 7, at(0.0, 0.0, 1.0, 1.0), 1.0, -1.0)),
            ("a class", "1.0,7,0,0,1,1,.5,2,-1,-1", (1, 7, at(0.0, 0.0, 1.0, 1.0), 0.5, 2.0)),
            ("carriage return", "1,7,0,0,1,1,1\r", (1, 7, at(0.0, 0.0, 1.0, 1.0), 1.0, -1.0)),
        ];
        for (name, line, expected) in cases {
            let row = parse(line).unwrap();
            assert_eq!((row.frame, row.id, row.bbox, row.score, row.class), expected, "{name}");
        }
    }

    #[test]
    fn lines_that_are_refused() {
        let number = |field, text: &str| Fault::Number { field, text: text.to_owned() };
        let cases = [
            ("1,2,3,4,5", Fault::Fields(5)),
            ("a,1,2,3,4,5", number("frame", "a")),
            ("1,1,2,NaN,4,5", number("y", "NaN")),
            ("1,1,2,3,inf,5", number("width", "inf")),
            ("1,1,2,3,4,5,", number("score", "")),
            ("0,1,2,3,4,5", Fault::Frame(0.0)),
            ("1.5,1,2,3,4,5", Fault::Frame(1.5)),
            ("900000000,1,2,3,4,5", Fault::Frame(9e8)),
        ];
        for (line, fault) in cases {
            assert_eq!(parse(line).unwrap_err(), fault, "{line}");
        }
    }

    #[test]
    fn errors_name_file_line_and_fault() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: &str, detections: bool, expected: &str| {
            let path = folder.path().join("boxes.txt");
            std::fs::write(&path, text).unwrap();
            let error = match detections {
                true => read_detections(&path).map(|_| ()),
                false => read_objects(&path).map(|_| ()),
            };
            let message = error.unwrap_err().to_string();
            assert!(message.starts_with(path.to_str().unwrap()) && message.ends_with(expected), "{message}");
        };
        check(
            "\n1,1,2,3,4,5\n1,1,2\n",
            true,
            "line 3: 3 fields; at least frame,id,x,y,width,height are needed",
        );
        check(
            "1,-1,2,3,4,5,.5,6",
            true,
            "0 to 5 are known (person, bicycle, car, motorcycle, bus, truck); -1 is a person",
        );
        check("1,4,2,3,4,5\n1,4,2,3,4,5", false, "line 2: object 4 is already in frame 1");
        let absent = read_objects(&folder.path().join("absent.txt")).unwrap_err().to_string();
        assert!(absent.contains("absent.txt: "), "{absent}");
    }
}
