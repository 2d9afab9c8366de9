//! Accuracy against cost, as a picture in SVG: what is further to the left and lower is better. Knows points only.

use std::fmt::Write as _;

/// One way of looking.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) name: String,
    /// Which colour: the number of its series.
    pub(super) series: usize,
    /// Milliseconds.
    pub(super) cost: f64,
    /// A share.
    pub(super) error: f64,
}

const SIZE: (f64, f64) = (760.0, 420.0);
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;
/// Of a point.
const RADIUS: f64 = 5.0;
/// Room for a letter, across and down; small letters are narrower.
const LETTER: (f64, f64) = (6.8, 12.0);
const COLOURS: [&str; 3] = ["#0b6e8a", "#b5541c", "#5d6d1e"];

/// Draws the points; costs on a logarithmic axis.
pub(super) fn svg(title: &str, series: &[&str], points: &[Point]) -> String {
    let costs = || points.iter().map(|point| point.cost.max(1e-3));
    let least = costs().fold(f64::MAX, f64::min).max(1e-3) / 1.3;
    let most = costs().fold(least * 2.0, f64::max) * 1.6;
    let error_max = points.iter().map(|point| point.error).fold(0.1, f64::max) * 1.1;
    let x = |cost: f64| LEFT + (SIZE.0 - LEFT - RIGHT) * (cost.max(1e-3) / least).ln() / (most / least).ln();
    let y = |error: f64| SIZE.1 - BOTTOM - (SIZE.1 - TOP - BOTTOM) * error / error_max;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{}</text>\n",
        SIZE.0,
        SIZE.1,
        escaped(title)
    );
    // Writing to a string cannot fail.
    for tick in [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0].into_iter().filter(|t| (least..most).contains(t))
    {
        let (x, bottom) = (x(tick), SIZE.1 - BOTTOM);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
            bottom + 16.0
        );
    }
    for tick in (0..=10).map(|tick| 0.1 * f64::from(tick)).filter(|tick| *tick <= error_max) {
        let (y, right) = (y(tick), SIZE.0 - RIGHT);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{:.0} %</text>",
            LEFT - 6.0,
            y + 4.0,
            100.0 * tick
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">inference, ms of processor time a look</text>",
        SIZE.0 - RIGHT,
        SIZE.1 - 12.0
    );
    let centres: Vec<(f64, f64)> = points.iter().map(|point| (x(point.cost), y(point.error))).collect();
    let mut labels: Vec<Label> = Vec::new();
    for (Point { name, series, .. }, &(x, y)) in points.iter().zip(&centres) {
        let colour = COLOURS[series % COLOURS.len()];
        let label = Label::beside((x, y), name, &labels, &centres);
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
            label.left,
            label.base,
            escaped(name)
        );
        labels.push(label);
    }
    for (index, name) in series.iter().enumerate() {
        let (x, y, colour) =
            (SIZE.0 - 150.0, TOP + 16.0 * (index as f64 + 1.0), COLOURS[index % COLOURS.len()]);
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{}\" r=\"{RADIUS}\" fill=\"{colour}\"/><text x=\"{}\" y=\"{y}\">{}</text>",
            y - 4.0,
            x + 10.0,
            escaped(name)
        );
    }
    svg + "</svg>\n"
}

/// Where the name of a point is written.
#[derive(Debug, Clone, Copy)]
struct Label {
    left: f64,
    /// What letters stand on.
    base: f64,
    width: f64,
}

impl Label {
    /// Beside a point, where it covers no other name and no other point and does not run out of the picture; if there is
    /// no such place, where it lies in the picture.
    fn beside((x, y): (f64, f64), name: &str, others: &[Self], points: &[(f64, f64)]) -> Self {
        let width = LETTER.0 * name.chars().count() as f64;
        let (right, left, middle) = (x + RADIUS + 3.0, x - RADIUS - 3.0 - width, x - width / 2.0);
        let places = [
            (right, y - 5.0),
            (right, y + 14.0),
            (left, y - 5.0),
            (left, y + 14.0),
            (middle, y - 11.0),
            (middle, y + 19.0),
            (middle, y - 24.0),
        ];
        let places = places.map(|(left, base)| Self { left, base, width });
        let inside = || places.iter().filter(|place| place.left >= LEFT && place.right() <= SIZE.0);
        let is_free = |place: &&Self| {
            !others.iter().any(|other| place.covers(other)) && !points.iter().any(|point| place.hides(*point))
        };
        *inside().find(is_free).or(inside().next()).unwrap_or(&places[0])
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn covers(&self, other: &Self) -> bool {
        self.left < other.right() && other.left < self.right() && (self.base - other.base).abs() < LETTER.1
    }

    fn hides(&self, (x, y): (f64, f64)) -> bool {
        (self.left - RADIUS..self.right() + RADIUS).contains(&x)
            && (self.base - LETTER.1 + 2.0 - RADIUS..self.base + 2.0 + RADIUS).contains(&y)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_is_lower_and_further_left() {
        let point = |name: &str, cost, error| Point { name: name.to_owned(), series: 0, cost, error };
        let drawn = svg("a & b", &["net"], &[point("good", 10.0, 0.1), point("bad", 100.0, 0.5)]);
        let centre = |name: &str| {
            let line = drawn.lines().find(|line| line.contains(&format!(">{name}<"))).expect(name);
            let number = |key: &str| -> f64 {
                let rest = &line[line.find(key).expect(key) + key.len()..];
                rest[..rest.find('"').expect("a quote")].parse().expect(rest)
            };
            (number("cx=\""), number("cy=\""))
        };
        let (good, bad) = (centre("good"), centre("bad"));
        assert!(good.0 < bad.0 && good.1 > bad.1, "{good:?} {bad:?}: y points down");
        assert!(drawn.contains("a &amp; b") && drawn.ends_with("</svg>\n"));
        assert!(svg("nothing", &[], &[]).contains("<svg"));
    }

    #[test]
    fn names_are_written_where_they_can_be_read() {
        // Two points side by side, and one at the right border of the picture.
        let centres = [(200.0, 300.0), (225.0, 303.0), (740.0, 100.0)];
        let mut labels: Vec<Label> = Vec::new();
        for centre in centres {
            labels.push(Label::beside(centre, "frame + 3 x 2 tiles", &labels, &centres));
        }
        for (index, label) in labels.iter().enumerate() {
            assert!(label.left >= LEFT && label.right() <= SIZE.0, "{label:?}");
            assert!(!centres.iter().any(|centre| label.hides(*centre)), "{label:?}");
            assert!(!labels[..index].iter().any(|other| label.covers(other)), "{labels:?}");
        }
    }
}
