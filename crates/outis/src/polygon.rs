//! Whether a polygon is a sound one. The eye, which computes with it, judges by the same rules again; here mistakes are
//! found before it is started, and told with the name of what was drawn.

use crate::scene::Point;

/// The least area that is one, in square pixels.
const AREA_PX2_MIN: f64 = 1.0;

/// Why a polygon is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsound {
    /// Two of its edges cross.
    Crossing,
    /// It encloses less than a pixel.
    Empty,
}

/// Judges a polygon by its corners in order.
pub(crate) fn check(corners: &[Point]) -> Result<(), Unsound> {
    let next = corners.iter().cycle().skip(1);
    let edges: Vec<(Point, Point)> = corners.iter().copied().zip(next.copied()).collect();
    let n = edges.len();
    // Neighbouring edges share a corner, which is no crossing.
    let apart = |i: usize, j: usize| (i, j) != (0, n - 1);
    if (0..n).any(|i| (i + 2..n).any(|j| apart(i, j) && cross(edges[i], edges[j]))) {
        return Err(Unsound::Crossing);
    }
    let twice: f64 = edges.iter().map(|(a, b)| a.x_px * b.y_px - b.x_px * a.y_px).sum();
    if twice.abs() / 2.0 < AREA_PX2_MIN { Err(Unsound::Empty) } else { Ok(()) }
}

fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |p: Point, q: Point, r: Point| {
        (q.x_px - p.x_px) * (r.y_px - p.y_px) - (q.y_px - p.y_px) * (r.x_px - p.x_px)
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, corners and verdict.
    type Case<'a> = (&'a str, &'a [[f64; 2]], Result<(), Unsound>);

    #[test]
    fn what_is_a_polygon() {
        let cases: [Case<'_>; 6] = [
            ("triangle", &[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]], Ok(())),
            ("other way round", &[[9.0, 9.0], [9.0, 0.0], [0.0, 0.0]], Ok(())),
            ("dented", &[[0.0, 0.0], [9.0, 0.0], [4.0, 4.0], [9.0, 9.0], [0.0, 9.0]], Ok(())),
            ("bow", &[[0.0, 0.0], [9.0, 9.0], [9.0, 0.0], [0.0, 9.0]], Err(Unsound::Crossing)),
            (
                "last edge over the second",
                &[[0.0, 0.0], [9.0, 0.0], [4.0, 9.0], [12.0, 9.0]],
                Err(Unsound::Crossing),
            ),
            ("in one row", &[[0.0, 0.0], [5.0, 5.0], [9.0, 9.0]], Err(Unsound::Empty)),
        ];
        for (name, corners, expected) in cases {
            let corners: Vec<Point> = corners.iter().map(|&[x_px, y_px]| Point { x_px, y_px }).collect();
            assert_eq!(check(&corners), expected, "{name}");
        }
    }
}
