//! What is measured on the ground, in metres: the keys of a camera that ask for it, checked, and the words in which the
//! eye is told. The eye does the measuring; here are numbers and names.

use std::ffi::OsString;

use outis_record::{GroundCells, ZoneIndex};
use serde::Deserialize;

use crate::{exactly::Exactly, ground::Ground, scene::Point};

/// Distances of which can be told, in metres: below, feet are not known well enough; above, it is no distance between
/// two people.
const DISTANCE_M: std::ops::RangeInclusive<f64> = 0.3..=5.0;

/// How long an encounter can be asked to last, in seconds.
const ENCOUNTER_S: std::ops::RangeInclusive<f64> = 1.0..=60.0;

/// How long an encounter lasts unless the configuration says otherwise, in seconds: longer than it takes to pass.
const ENCOUNTER_S_DEFAULT: f64 = 5.0;

/// The sides that a cell of the heat map can have, in metres.
const CELL_M: std::ops::RangeInclusive<f64> = 1.0..=100.0;

/// Keys of `[[camera]]` about the ground.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GroundKeys {
    pub(crate) distance_m: Vec<f64>,
    pub(crate) encounter_s: Option<f64>,
    pub(crate) groups: Option<GroupsKey>,
    pub(crate) density: bool,
    pub(crate) speed: bool,
    pub(crate) heat: Option<HeatKeys>,
}

/// What becomes of people who walk together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupsKey {
    /// They are neighbours like any others.
    Count,
    /// They are no neighbours of each other.
    LeaveOut,
}

/// Section `[camera.heat]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeatKeys {
    cell_m: f64,
    from_m: Option<Exactly<f64, 2>>,
    to_m: Option<Exactly<f64, 2>>,
}

/// What is measured on the ground of one camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct GroundFigures {
    /// Ascending, in metres.
    pub(crate) distances_m: Vec<f64>,
    pub(crate) encounter_s: f64,
    pub(crate) leaves_out_groups: bool,
    pub(crate) density: bool,
    pub(crate) speed: bool,
    /// The zones in which people queue, with where they are served.
    pub(crate) queues: Vec<(ZoneIndex, Option<Point>)>,
    pub(crate) heat: Option<Heat>,
}

/// The grid of a heat map on the ground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heat {
    pub(crate) from_m: [f64; 2],
    pub(crate) cell_m: f64,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

impl GroundKeys {
    /// The figures that are asked for, beside these queues.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub(crate) fn check(
        self,
        queues: Vec<(ZoneIndex, Option<Point>)>,
        ground: Option<&Ground>,
    ) -> Result<GroundFigures, String> {
        let Self { distance_m: mut distances_m, encounter_s, groups, density, speed, heat } = self;
        if let Some(metres) = distances_m.iter().find(|metres| !DISTANCE_M.contains(metres)) {
            let (least, most) = (DISTANCE_M.start(), DISTANCE_M.end());
            return Err(format!("distance_m: {metres} m; {least} to {most} m are possible"));
        }
        let most = usize::from(GroundCells::THRESHOLDS_MAX);
        if distances_m.len() > most {
            return Err(format!(
                "distance_m has {} distances; at most {most} are possible",
                distances_m.len()
            ));
        }
        distances_m.sort_by(f64::total_cmp);
        if distances_m.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("distance_m has the same distance twice".into());
        }
        if distances_m.is_empty() && (encounter_s.is_some() || groups.is_some()) {
            return Err(
                "encounter_s and groups are about distances: add distance_m = [1.0, 2.0], or leave them out"
                    .into(),
            );
        }
        if let Some(seconds) = encounter_s.filter(|seconds| !ENCOUNTER_S.contains(seconds)) {
            let (least, most) = (ENCOUNTER_S.start(), ENCOUNTER_S.end());
            return Err(format!("encounter_s is {seconds}; {least} to {most} seconds are possible"));
        }
        let figures = GroundFigures {
            distances_m,
            encounter_s: encounter_s.unwrap_or(ENCOUNTER_S_DEFAULT),
            leaves_out_groups: groups == Some(GroupsKey::LeaveOut),
            density,
            speed,
            queues,
            heat: heat.map(|keys| keys.check(ground)).transpose()?,
        };
        if ground.is_none() && !figures.cells().is_none() {
            return Err("distances, density, speed, queues and heat are in metres, and the ground is not known: add a section \
                        [camera.ground]"
                .into());
        }
        Ok(figures)
    }
}

impl HeatKeys {
    fn check(self, ground: Option<&Ground>) -> Result<Heat, String> {
        if !CELL_M.contains(&self.cell_m) {
            let (least, most) = (CELL_M.start(), CELL_M.end());
            return Err(format!("heat: cell_m is {}; {least} to {most} m are possible", self.cell_m));
        }
        // Without corners, the map is as large as what was measured.
        let marks = ground.map(Ground::marks).unwrap_or_default();
        let end = |given: Option<Exactly<f64, 2>>, pick: fn(f64, f64) -> f64| match given {
            Some(Exactly(corner)) => Ok(corner),
            None if marks.is_empty() => Err("heat: say from where to where, with from_m and to_m".to_owned()),
            None => Ok([0, 1].map(|axis| marks.iter().map(|mark| mark[axis]).fold(marks[0][axis], pick))),
        };
        let (from_m, to_m) = (end(self.from_m, f64::min)?, end(self.to_m, f64::max)?);
        let count = |axis: usize| ((to_m[axis] - from_m[axis]) / self.cell_m).ceil();
        let (columns, rows) = (count(0), count(1));
        let cells = columns * rows;
        let most = GroundCells::HEAT_CELLS_MAX;
        if !(columns >= 1.0 && rows >= 1.0 && cells <= f64::from(most)) {
            return Err(format!(
                "heat: {columns} times {rows} cells of {} m from {from_m:?} to {to_m:?}; 1 to {most} are possible: change \
                 cell_m, from_m or to_m",
                self.cell_m
            ));
        }
        Ok(Heat { from_m, cell_m: self.cell_m, columns: columns as u16, rows: rows as u16 })
    }
}

impl GroundFigures {
    /// Which cells they make.
    pub(crate) fn cells(&self) -> GroundCells {
        GroundCells {
            thresholds: u8::try_from(self.distances_m.len()).unwrap_or(u8::MAX),
            density: self.density,
            speed: self.speed,
            queues: self.queues.iter().fold(0, |queues, (zone, _)| queues | 1 << zone.0.min(63)),
            heat_cells: self.heat.map_or(0, |heat| heat.columns * heat.rows),
        }
    }

    /// Whether figures of these and of others mean the same, so that their sum means something. Queues belong to zones,
    /// and go with them.
    pub(crate) fn adds_up_with(&self, other: &Self) -> bool {
        let meant = |figures: &Self| {
            let Self { distances_m, encounter_s, leaves_out_groups, heat, .. } = figures;
            (distances_m.clone(), *encounter_s, *leaves_out_groups, *heat)
        };
        meant(self) == meant(other)
    }

    /// The words in which the eye is told.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        if !self.distances_m.is_empty() {
            let distances: Vec<String> = self.distances_m.iter().map(f64::to_string).collect();
            arguments.push(format!("--near={}", distances.join(",")).into());
            arguments.push(format!("--encounter-s={}", self.encounter_s).into());
            arguments.extend(self.leaves_out_groups.then(|| "--leave-out-groups".into()));
        }
        arguments.extend(self.density.then(|| "--density".into()));
        arguments.extend(self.speed.then(|| "--speed".into()));
        arguments.extend(self.queues.iter().map(|(zone, head)| match head {
            Some(Point { x_px, y_px }) => format!("--queue={}:{x_px},{y_px}", zone.0).into(),
            None => format!("--queue={}", zone.0).into(),
        }));
        if let Some(Heat { from_m: [x, y], cell_m, columns, rows }) = self.heat {
            arguments.push(format!("--heat={x},{y},{cell_m},{columns},{rows}").into());
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::camera;

    const GROUND: &str = "ground = { image = [[0, 90], [60, 90], [50, 10], [10, 10]], \
                          metres = [[0, 0], [5, 0], [5, 20], [0, 20]] }\n";

    #[test]
    fn what_is_asked_for_is_told_to_the_eye() {
        let zone = "[[camera.zone]]\nname = \"till\"\ncorners = [[0, 0], [9, 0], [9, 9]]\nqueue = true\nhead = [9, -9]\n";
        let text = "distance_m = [2, 1.5]\ngroups = \"leave-out\"\ndensity = true\nspeed = true\nheat = { cell_m = 2 }\n";
        let plan = camera(&format!("{text}{GROUND}{zone}")).unwrap().plan;
        let cells = plan.scene.on_ground().cells();
        assert_eq!((cells.thresholds, cells.queues, cells.heat_cells), (2, 1, 3 * 10));
        let words: Vec<String> =
            plan.scene.on_ground().arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
        let expected = [
            "--near=1.5,2",
            "--encounter-s=5",
            "--leave-out-groups",
            "--density",
            "--speed",
            "--queue=0:9,-9",
            "--heat=0,0,2,3,10",
        ];
        assert_eq!(words, expected);
        assert!(camera("").unwrap().plan.scene.on_ground().cells().is_none());
        assert_eq!(plan.schema().unwrap().ground(), cells);
    }

    #[test]
    fn figures_of_other_distances_are_not_added_up() {
        let figures = |keys: &str| camera(&format!("{keys}{GROUND}")).unwrap().plan.scene.on_ground().clone();
        let base = figures("distance_m = [1]\n");
        for (keys, same) in [
            ("distance_m = [1]\nspeed = true\n", true),
            ("distance_m = [1.5]\n", false),
            ("distance_m = [1]\ngroups = \"leave-out\"\n", false),
            ("distance_m = [1]\nheat = { cell_m = 3 }\n", false),
        ] {
            assert_eq!(base.adds_up_with(&figures(keys)), same, "{keys}");
        }
    }

    #[test]
    fn what_cannot_be_says_what_to_do() {
        let cases = [
            ("distance_m = [1.0]\n", "add a section [camera.ground]"),
            ("speed = true\n", "add a section [camera.ground]"),
            (&format!("distance_m = [0.1]\n{GROUND}"), "0.3 to 5 m"),
            (&format!("distance_m = [1, 2, 3, 4]\n{GROUND}"), "at most 3"),
            (&format!("distance_m = [1, 1.0]\n{GROUND}"), "twice"),
            (&format!("groups = \"leave-out\"\n{GROUND}"), "add distance_m"),
            (&format!("distance_m = [1]\nencounter_s = 0.5\n{GROUND}"), "1 to 60 seconds"),
            (&format!("distance_m = [1]\ngroups = \"maybe\"\n{GROUND}"), "leave-out"),
            (&format!("heat = {{ cell_m = 0.5 }}\n{GROUND}"), "1 to 100 m"),
            (&format!("heat = {{ cell_m = 1, to_m = [500, 500] }}\n{GROUND}"), "1 to 400 are possible"),
            (&format!("heat = {{ cell_m = 1, to_m = [-5, 5] }}\n{GROUND}"), "1 to 400 are possible"),
            (&format!("density = true\nclasses = [\"car\"]\n{GROUND}"), "add \"person\""),
        ];
        for (text, part) in cases {
            let error = camera(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let zone = "[[camera.zone]]\nname = \"till\"\ncorners = [[0, 0], [9, 0], [9, 9]]\nhead = [1, 1]\n";
        assert!(camera(zone).unwrap_err().to_string().contains("queue = true"));
    }
}
