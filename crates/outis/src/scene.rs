//! Lines and zones as their owner drew and named them. The eye gets the numbers, the names stay here.

use std::{collections::HashSet, fmt};

use outis_record::{LineIndex, Place, Schema, ZoneIndex};
use serde::Deserialize;

use crate::{
    exactly::Exactly,
    on_ground::GroundFigures,
    polygon::{self, Unsound},
};

/// The longest name in characters.
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// The farthest coordinate from the picture's corner in pixels: larger than any picture, small enough for exact sums.
pub(crate) const COORDINATE_PX_MAX: f64 = 100_000.0;

/// The most areas at which nobody looks.
pub(crate) const BLANKS_MAX: usize = 64;

/// The most corners of a zone.
pub(crate) const CORNERS_MAX: usize = 64;

/// All places of one camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Scene {
    lines: Vec<Line>,
    zones: Vec<Zone>,
    /// Areas at which nobody looks.
    blanks: Vec<Zone>,
    on_ground: GroundFigures,
    /// Width and height of the picture that all this was drawn in, where that is known.
    drawn_px: Option<[u32; 2]>,
}

impl Scene {
    /// A scene whose names are all different.
    pub(crate) fn new(lines: Vec<Line>, zones: Vec<Zone>) -> Result<Self, SceneError> {
        let count = lines.len() + zones.len();
        if count > Schema::PLACES_MAX {
            return Err(SceneError::TooMany(count));
        }
        let mut names = HashSet::new();
        let all = lines.iter().map(|line| &line.name).chain(zones.iter().map(|zone| &zone.name));
        for name in all {
            if !names.insert(name) {
                return Err(SceneError::SameName(name.clone()));
            }
        }
        Ok(Self { lines, zones, ..Self::default() })
    }

    /// The same scene with areas at which nobody looks.
    pub(crate) fn with_blanks(self, blanks: Vec<Zone>) -> Result<Self, SceneError> {
        match blanks.len() {
            0..=BLANKS_MAX => Ok(Self { blanks, ..self }),
            count => Err(SceneError::TooManyBlanks(count)),
        }
    }

    /// Areas at which nobody looks.
    pub(crate) fn blanks(&self) -> &[Zone] {
        &self.blanks
    }

    /// The same scene with what is measured on its ground.
    pub(crate) fn with_ground(self, on_ground: GroundFigures) -> Self {
        Self { on_ground, ..self }
    }

    /// The same scene, drawn in a picture of this size if it was not said to be drawn in another.
    pub(crate) fn or_drawn_in(self, size_px: Option<[u32; 2]>) -> Self {
        Self { drawn_px: self.drawn_px.or(size_px), ..self }
    }

    /// Width and height of the picture that it was drawn in, where that is known.
    pub(crate) fn drawn_px(&self) -> Option<[u32; 2]> {
        self.drawn_px
    }

    /// What is measured on its ground.
    pub(crate) fn on_ground(&self) -> &GroundFigures {
        &self.on_ground
    }

    /// The lines, in the order of their indices.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The zones, in the order of their indices.
    pub(crate) fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// Whether anything is drawn.
    pub(crate) fn has_places(&self) -> bool {
        !self.lines.is_empty() || !self.zones.is_empty()
    }

    /// The name of a place. The assembler has checked that the place is in the schema made from this scene.
    pub(crate) fn name(&self, place: Place) -> &str {
        match place {
            Place::Line(index) => self.lines[usize::from(index.0)].name.as_str(),
            Place::Zone(index) => self.zones[usize::from(index.0)].name.as_str(),
        }
    }

    /// Which place of another scene has the same name and shape as one of this one, in a picture of the same size.
    pub(crate) fn place_in(&self, place: Place, other: &Self) -> Option<Place> {
        if let (Some(size_px), Some(other_px)) = (self.drawn_px, other.drawn_px)
            && size_px != other_px
        {
            return None;
        }
        let number = |at: usize| u16::try_from(at).ok();
        match place {
            Place::Line(LineIndex(index)) => {
                let line = self.lines.get(usize::from(index))?;
                let at = other.lines.iter().position(|then| then == line)?;
                number(at).map(LineIndex).map(Place::Line)
            }
            Place::Zone(ZoneIndex(index)) => {
                let zone = self.zones.get(usize::from(index))?;
                let at = other.zones.iter().position(|then| then == zone)?;
                number(at).map(ZoneIndex).map(Place::Zone)
            }
        }
    }

    /// Whether it has a place in common with another scene.
    pub(crate) fn goes_on_from(&self, other: &Self) -> bool {
        let lines = (0..self.lines.len()).filter_map(|index| u16::try_from(index).ok());
        let zones = (0..self.zones.len()).filter_map(|index| u16::try_from(index).ok());
        let places = lines.map(|line| Place::Line(LineIndex(line)));
        let mut places = places.chain(zones.map(|zone| Place::Zone(ZoneIndex(zone))));
        places.any(|place| self.place_in(place, other).is_some())
    }

    /// Warnings about places that lie wholly outside the picture they were drawn in, or one of this size where that is not
    /// known: they would count nothing for ever.
    pub(crate) fn outside_warnings(&self, width_px: u16, height_px: u16) -> Vec<String> {
        let [width_px, height_px] = self.drawn_px.unwrap_or([width_px, height_px].map(u32::from));
        let (width, height) = (f64::from(width_px), f64::from(height_px));
        let lines =
            self.lines.iter().filter(|line| !line.touches(width, height)).map(|line| ("line", &line.name));
        let zones =
            self.zones.iter().filter(|zone| !zone.touches(width, height)).map(|zone| ("zone", &zone.name));
        lines
            .chain(zones)
            .map(|(kind, name)| {
                format!(
                    "{kind} \"{name}\" lies wholly outside the picture of {width_px}x{height_px} pixels and counts nothing"
                )
            })
            .collect()
    }
}

/// The name of a camera, line or zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = SceneError;

    fn try_from(name: String) -> Result<Self, SceneError> {
        if name.trim().is_empty() {
            Err(SceneError::EmptyName)
        } else if name.chars().count() > NAME_CHARS_MAX {
            Err(SceneError::LongName(name.chars().take(12).filter(|c| !c.is_control()).collect()))
        } else if name.chars().any(char::is_control) {
            Err(SceneError::ControlInName)
        } else {
            Ok(Self(name))
        }
    }
}

/// A point of the picture in pixels, x to the right and y down; within [`COORDINATE_PX_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Exactly<f64, 2>")]
pub(crate) struct Point {
    pub(crate) x_px: f64,
    pub(crate) y_px: f64,
}

impl TryFrom<Exactly<f64, 2>> for Point {
    type Error = SceneError;

    fn try_from(Exactly(pair): Exactly<f64, 2>) -> Result<Self, SceneError> {
        pair.try_into()
    }
}

impl TryFrom<[f64; 2]> for Point {
    type Error = SceneError;

    fn try_from([x_px, y_px]: [f64; 2]) -> Result<Self, SceneError> {
        for value in [x_px, y_px] {
            if !value.is_finite() || value.abs() > COORDINATE_PX_MAX {
                return Err(SceneError::Coordinate(value));
            }
        }
        Ok(Self { x_px, y_px })
    }
}

/// A counting line, drawn from its first point to its second.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: Name,
    pub(crate) points: [Point; 2],
}

impl Line {
    /// A line; its points are at least a pixel apart.
    pub(crate) fn new(name: Name, points: [Point; 2]) -> Result<Self, SceneError> {
        let [a, b] = points;
        if (b.x_px - a.x_px).hypot(b.y_px - a.y_px) < 1.0 {
            return Err(SceneError::ShortLine(name));
        }
        Ok(Self { name, points })
    }

    /// Reads `NAME:X1,Y1,X2,Y2`.
    pub(crate) fn parse(text: &str) -> Result<Self, SceneError> {
        let form = "NAME:X1,Y1,X2,Y2, such as \"door:100,400,300,400\"";
        let (name, points) = parse_place(text, form)?;
        let points = points.try_into().map_err(|_| SceneError::Form { text: text.to_owned(), form })?;
        Self::new(name, points)
    }

    /// Whether any part of it lies in a picture of this size (Liang-Barsky clipping).
    fn touches(&self, width: f64, height: f64) -> bool {
        let [a, b] = self.points;
        let (dx, dy) = (b.x_px - a.x_px, b.y_px - a.y_px);
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        for (direction, room) in [(-dx, a.x_px), (dx, width - a.x_px), (-dy, a.y_px), (dy, height - a.y_px)] {
            if direction == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if direction < 0.0 {
                first = first.max(room / direction);
            } else {
                last = last.min(room / direction);
            }
        }
        first <= last
    }
}

/// A zone: the inside of a polygon.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Zone {
    pub(crate) name: Name,
    pub(crate) corners: Vec<Point>,
}

impl Zone {
    /// A zone of 3 to [`CORNERS_MAX`] corners whose edges do not cross.
    pub(crate) fn new(name: Name, corners: Vec<Point>) -> Result<Self, SceneError> {
        if !(3..=CORNERS_MAX).contains(&corners.len()) {
            return Err(SceneError::Corners { name, corners: corners.len() });
        }
        match polygon::check(&corners) {
            Ok(()) => Ok(Self { name, corners }),
            Err(Unsound::Crossing) => Err(SceneError::CrossingEdges(name)),
            Err(Unsound::Empty) => Err(SceneError::EmptyZone(name)),
        }
    }

    /// Reads `NAME:X1,Y1,X2,Y2,X3,Y3…`.
    pub(crate) fn parse(text: &str) -> Result<Self, SceneError> {
        let form =
            "NAME:X1,Y1,X2,Y2,X3,Y3 with three corners or more, such as \"square:10,10,300,10,300,200\"";
        let (name, corners) = parse_place(text, form)?;
        Self::new(name, corners)
    }

    /// Whether the rectangle around it overlaps a picture of this size.
    fn touches(&self, width: f64, height: f64) -> bool {
        let any = |inside: &dyn Fn(&Point) -> bool| self.corners.iter().any(inside);
        any(&|p| p.x_px > 0.0)
            && any(&|p| p.x_px < width)
            && any(&|p| p.y_px > 0.0)
            && any(&|p| p.y_px < height)
    }
}

fn parse_place(text: &str, form: &'static str) -> Result<(Name, Vec<Point>), SceneError> {
    let wrong = || SceneError::Form { text: text.to_owned(), form };
    // The last colon: a name may hold others.
    let (name, numbers) = text.rsplit_once(':').ok_or_else(wrong)?;
    let numbers = numbers.split(',').map(|number| number.trim().parse().map_err(|_| wrong()));
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    let points = pairs.iter().map(|&pair| Point::try_from(pair)).collect::<Result<_, _>>()?;
    Ok((Name::try_from(name.to_owned())?, points))
}

/// Why a place or its name cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum SceneError {
    #[error("\"{text}\" is not of the form {form}")]
    Form { text: String, form: &'static str },
    #[error("a name is empty; give each line and zone one")]
    EmptyName,
    #[error("the name that begins \"{0}\" is longer than {max} characters", max = NAME_CHARS_MAX)]
    LongName(String),
    #[error("a name holds a control character, such as a tab or a line end")]
    ControlInName,
    #[error("the name \"{0}\" is given twice; lines and zones need names of their own")]
    SameName(Name),
    #[error("coordinate {0} is not within {max} pixels of the picture's corner", max = COORDINATE_PX_MAX)]
    Coordinate(f64),
    #[error("the two points of line \"{0}\" are less than a pixel apart")]
    ShortLine(Name),
    #[error("zone \"{name}\" has {corners} corners; 3 to {max} are possible", max = CORNERS_MAX)]
    Corners { name: Name, corners: usize },
    #[error("the edges of zone \"{0}\" cross each other; list its corners in order around it")]
    CrossingEdges(Name),
    #[error("zone \"{0}\" encloses less than a square pixel")]
    EmptyZone(Name),
    #[error("{0} blanked areas are given; at most {max} are possible", max = BLANKS_MAX)]
    TooManyBlanks(usize),
    #[error("{0} lines and zones are given; at most {max} are possible", max = Schema::PLACES_MAX)]
    TooMany(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused() {
        let good = [
            ("plain", "A:1,2,3,4", "A", [1.0, 2.0, 3.0, 4.0]),
            ("spaces and fractions", "north gate: 1.5, 2,-3 ,4", "north gate", [1.5, 2.0, -3.0, 4.0]),
            ("colon in the name", "gate: 2:0,0,9,0", "gate: 2", [0.0, 0.0, 9.0, 0.0]),
            ("accents", "entrée:0,0,9,0", "entrée", [0.0, 0.0, 9.0, 0.0]),
        ];
        for (case, text, name, [x1, y1, x2, y2]) in good {
            let line = Line::parse(text).unwrap_or_else(|error| panic!("{case}: {error}"));
            let [a, b] = line.points;
            assert_eq!(
                (line.name.as_str(), a.x_px, a.y_px, b.x_px, b.y_px),
                (name, x1, y1, x2, y2),
                "{case}"
            );
        }
        let bad = [
            ("no name", "1,2,3,4", "NAME:X1,Y1,X2,Y2"),
            ("empty name", ":1,2,3,4", "name is empty"),
            ("three numbers", "A:1,2,3", "NAME:X1,Y1,X2,Y2"),
            ("six numbers", "A:1,2,3,4,5,6", "NAME:X1,Y1,X2,Y2"),
            ("a word", "A:1,2,x,4", "\"A:1,2,x,4\""),
            ("not a number", "A:1,2,nan,4", "coordinate NaN"),
            ("endless", "A:1,2,inf,4", "coordinate inf"),
            ("far away", "A:1,2,1e9,4", "100000 pixels"),
            ("a point", "A:5,5,5,5", "less than a pixel"),
            ("tab in the name", "A\tB:1,2,3,4", "control character"),
        ];
        for (case, text, part) in bad {
            let error = Line::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{case}: {error}");
        }
        let long = format!("{}:1,2,3,4", "é".repeat(NAME_CHARS_MAX + 1));
        assert!(matches!(Line::parse(&long), Err(SceneError::LongName(_))));
        assert!(Line::parse(&long.replacen('é', "", 1)).is_ok());
    }

    #[test]
    fn zones_are_read_or_refused() {
        assert_eq!(Zone::parse("Z:0,0,9,0,9,9").unwrap().corners.len(), 3);
        for (case, text, part) in [
            ("two corners", "Z:0,0,9,0", "2 corners"),
            ("odd", "Z:0,0,9,0,9", "three corners or more"),
            ("65 corners", &format!("Z:{}", ["1,2"; 65].join(",")), "65 corners"),
            ("a bow", "Z:0,0,9,9,9,0,0,9", "edges of zone \"Z\" cross"),
            ("a stroke", "Z:0,0,9,0,5,0", "less than a square pixel"),
        ] {
            let error = Zone::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{case}: {error}");
        }
    }

    #[test]
    fn names_are_shared_by_lines_and_zones() {
        let line = || Line::parse("A:0,0,9,0").unwrap();
        let zone = Zone::parse("A:0,0,9,0,9,9").unwrap();
        assert!(matches!(Scene::new(vec![line(), line()], vec![]), Err(SceneError::SameName(_))));
        assert!(matches!(Scene::new(vec![line()], vec![zone]), Err(SceneError::SameName(_))));
        assert_eq!(Scene::new(vec![line(); 65], vec![]), Err(SceneError::TooMany(65)));
    }

    #[test]
    fn places_outside_the_picture_are_named() {
        let cases = [
            ("inside", "A:10,10,90,40", false),
            ("through it, both ends outside", "A:-50,25,150,25", false),
            ("past its corner", "A:90,-30,130,20", true),
            ("across its corner", "A:80,-10,110,30", false),
            ("to the right of it", "A:101,0,101,50", true),
            ("below, slanted", "A:0,51,100,80", true),
        ];
        for (case, text, outside) in cases {
            let scene = Scene::new(vec![Line::parse(text).unwrap()], vec![]).unwrap();
            assert_eq!(!scene.outside_warnings(100, 50).is_empty(), outside, "{case}");
        }
        let zone = Zone::parse("far:200,10,300,10,300,40").unwrap();
        let warnings = Scene::new(vec![], vec![zone]).unwrap().outside_warnings(100, 50);
        assert!(warnings[0].contains("zone \"far\"") && warnings[0].contains("100x50"), "{warnings:?}");
    }
}
