//! The heat map: how long people were where on the ground, cell by cell.

use std::collections::BTreeMap;

use outis_record::{GroundCells, GroundTotals, PassageBounds};

use crate::{GroundPoint, TrackId};

/// A grid of square cells on the ground, fixed by the configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatGrid {
    from: GroundPoint,
    cell_m: f32,
    columns: u16,
    rows: u16,
}

impl HeatGrid {
    /// The smallest cell in metres: a finer one would show single ways.
    pub const CELL_M_MIN: f32 = 1.0;

    /// A grid from its lowest corner; its rows lie along the first axis of the ground. `None` when a cell is smaller
    /// than [`HeatGrid::CELL_M_MIN`], or there are none or more than [`GroundCells::HEAT_CELLS_MAX`].
    pub fn new(from: GroundPoint, cell_m: f32, columns: u16, rows: u16) -> Option<Self> {
        let cells = u32::from(columns) * u32::from(rows);
        let sound = from.x_m.is_finite() && from.y_m.is_finite() && cell_m.is_finite();
        let fits = (1..=u32::from(GroundCells::HEAT_CELLS_MAX)).contains(&cells);
        (sound && fits && cell_m >= Self::CELL_M_MIN).then_some(Self { from, cell_m, columns, rows })
    }

    /// How many cells it has.
    pub fn cells(&self) -> u16 {
        self.columns * self.rows
    }

    /// The cell in which a point is, row by row.
    fn cell(&self, point: GroundPoint) -> Option<u16> {
        let index = |value: f32, from: f32, count: u16| {
            let cell = ((value - from) / self.cell_m).floor();
            (0.0..f32::from(count)).contains(&cell).then_some(cell as u16)
        };
        let column = index(point.x_m, self.from.x_m, self.columns)?;
        Some(index(point.y_m, self.from.y_m, self.rows)? * self.columns + column)
    }
}

/// Adds up how long people were where.
#[derive(Debug)]
pub(crate) struct HeatMeter {
    grid: HeatGrid,
    /// How long each has been on each cell: with bounds only.
    spent_ms: Option<BTreeMap<TrackId, BTreeMap<u16, u64>>>,
}

impl HeatMeter {
    pub(crate) fn new(grid: HeatGrid, bounded: bool) -> Self {
        Self { grid, spent_ms: bounded.then(BTreeMap::new) }
    }

    /// Somebody is at a point, for so long.
    pub(crate) fn person(
        &mut self,
        track: TrackId,
        point: GroundPoint,
        span_ms: u64,
        totals: &mut GroundTotals,
    ) {
        let Some(cell) = self.grid.cell(point) else { return };
        let counts_ms = match &mut self.spent_ms {
            Some(spent_ms) => {
                let spent_ms = spent_ms.entry(track).or_default().entry(cell).or_default();
                let counts_ms = span_ms.min(PassageBounds::HEAT_CELL_MS - *spent_ms);
                *spent_ms += counts_ms;
                counts_ms
            }
            None => span_ms,
        };
        *totals.heat_ms_mut(cell) += counts_ms;
    }

    /// Forgets the tracks that have ended.
    pub(crate) fn retire(&mut self, alive: impl Fn(TrackId) -> bool) {
        if let Some(spent_ms) = &mut self.spent_ms {
            spent_ms.retain(|&track, _| alive(track));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_by_hand() {
        let point = |x_m, y_m| GroundPoint { x_m, y_m };
        let grid = HeatGrid::new(point(-4.0, 10.0), 2.0, 3, 2).unwrap();
        let cases = [
            (point(-4.0, 10.0), Some(0)),
            (point(-2.1, 11.9), Some(0)),
            (point(1.9, 10.0), Some(2)),
            (point(-3.0, 12.0), Some(3)),
            (point(1.9, 13.9), Some(5)),
            (point(2.0, 11.0), None),
            (point(-4.1, 11.0), None),
            (point(0.0, 14.0), None),
            (point(f32::NAN, 11.0), None),
        ];
        for (point, cell) in cases {
            assert_eq!(grid.cell(point), cell, "{point:?}");
        }
    }

    #[test]
    fn grids_that_cannot_be() {
        let grid = |cell_m, columns, rows| HeatGrid::new(GroundPoint::default(), cell_m, columns, rows);
        assert!(grid(1.0, 20, 20).is_some());
        assert!(grid(0.9, 20, 20).is_none() && grid(1.0, 21, 20).is_none() && grid(1.0, 0, 20).is_none());
        assert!(grid(f32::NAN, 2, 2).is_none());
    }
}
