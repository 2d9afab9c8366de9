//! What was measured of people on the ground, for files, page and terminal: shares and means of what was told, in metres
//! and seconds. Where a part is not told, nor is what is made of it.

use outis_record::NEAREST_UNTIL_CM;
use serde::Serialize;

use crate::{
    on_ground::Heat,
    scene::Scene,
    view::{AreaView, DensityView, GroundView, QueueView, SpeedView, Told},
};

/// Figures of people on the ground, by area.
#[derive(Debug, Serialize)]
pub(crate) struct PeopleReport<'a> {
    /// The picture, then the zones.
    pub(crate) areas: Vec<AreaReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heat: Option<HeatReport>,
}

/// Figures of one area.
#[derive(Debug, Serialize)]
pub(crate) struct AreaReport<'a> {
    /// The zone; null for the whole picture.
    pub(crate) zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distances: Option<Distances>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<Speed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) density: Option<Density>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<Queue>,
}

/// How near people came to each other.
#[derive(Debug, Serialize)]
pub(crate) struct Distances {
    /// Person-seconds in which it was measured.
    pub(crate) measured_s: Option<f64>,
    pub(crate) near: Vec<Near>,
    /// Absent where the profile does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nearest: Option<Vec<Span>>,
}

/// Time nearer than a distance.
#[derive(Debug, Serialize)]
pub(crate) struct Near {
    pub(crate) within_m: f64,
    pub(crate) person_s: Option<f64>,
    /// Of the time measured.
    pub(crate) share: Option<f64>,
    pub(crate) encounters: Told,
}

/// Time by the distance to the nearest neighbour.
#[derive(Debug, Serialize)]
pub(crate) struct Span {
    /// Null for whoever has nobody within the last distance.
    pub(crate) until_m: Option<f64>,
    pub(crate) person_s: Option<f64>,
}

/// How people walked.
#[derive(Debug, Serialize)]
pub(crate) struct Speed {
    pub(crate) mean_m_s: Option<f64>,
    pub(crate) walking_s: Option<f64>,
    pub(crate) standing_s: Option<f64>,
    pub(crate) standing_share: Option<f64>,
}

/// People per square metre.
#[derive(Debug, Serialize)]
pub(crate) struct Density {
    /// Null where the zone reaches to the horizon.
    pub(crate) ground_m2: Option<f64>,
    pub(crate) mean_per_m2: Option<f64>,
    pub(crate) max_per_m2: Option<f64>,
}

/// People in a line.
#[derive(Debug, Serialize)]
pub(crate) struct Queue {
    pub(crate) mean_length: Option<f64>,
    pub(crate) max_length: Told,
    pub(crate) served: Told,
    pub(crate) mean_wait_s: Option<f64>,
}

/// Person-seconds on each cell of the ground, row by row from the lowest corner.
#[derive(Debug, Serialize)]
pub(crate) struct HeatReport {
    pub(crate) from_m: [f64; 2],
    pub(crate) cell_m: f64,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) person_s: Vec<Option<f64>>,
}

impl<'a> PeopleReport<'a> {
    /// None where nothing is asked for.
    pub(crate) fn new(scene: &'a Scene, view: &GroundView) -> Option<Self> {
        if view.areas.is_empty() {
            return None;
        }
        let zones = scene.zones().iter().map(|zone| Some(zone.name.as_str()));
        let names = std::iter::once(None).chain(zones);
        let areas = names.zip(&view.areas).map(|(zone, area)| AreaReport::new(scene, zone, area)).collect();
        let heat = scene.on_ground().heat.map(|Heat { from_m, cell_m, columns, rows }| HeatReport {
            from_m,
            cell_m,
            columns,
            rows,
            person_s: view.heat_ms.iter().map(|&told| seconds(told)).collect(),
        });
        Some(Self { areas, heat })
    }
}

impl<'a> AreaReport<'a> {
    fn new(scene: &Scene, zone: Option<&'a str>, area: &AreaView) -> Self {
        let distances_m = &scene.on_ground().distances_m;
        let distances = (!distances_m.is_empty()).then(|| Distances {
            measured_s: seconds(area.measured_ms),
            near: distances_m
                .iter()
                .zip(&area.near)
                .map(|(&within_m, &(near_ms, encounters))| Near {
                    within_m,
                    person_s: seconds(near_ms),
                    // With noise, a part may come out larger than the whole.
                    share: ratio(near_ms, area.measured_ms).map(|share| rounded(share.min(1.0), 1e4)),
                    encounters,
                })
                .collect(),
            nearest: area.nearest_ms.map(|spans| {
                let until_m = NEAREST_UNTIL_CM.iter().map(|&cm| Some(f64::from(cm) / 100.0));
                let until_m = until_m.chain([None]);
                until_m.zip(spans).map(|(until_m, ms)| Span { until_m, person_s: seconds(ms) }).collect()
            }),
        });
        Self {
            zone,
            distances,
            speed: area.speed.map(Speed::from),
            density: area.density.map(Density::from),
            queue: area.queue.map(Queue::from),
        }
    }
}

impl From<SpeedView> for Speed {
    fn from(SpeedView { walked_mm, walking_ms, standing_ms }: SpeedView) -> Self {
        let all_ms = Told::sum([walking_ms, standing_ms]);
        Self {
            // Millimetres per millisecond are metres per second.
            mean_m_s: ratio(walked_mm, walking_ms).map(|speed| rounded(speed, 100.0)),
            walking_s: seconds(walking_ms),
            standing_s: seconds(standing_ms),
            standing_share: ratio(standing_ms, all_ms).map(|share| rounded(share, 1e4)),
        }
    }
}

impl From<DensityView> for Density {
    fn from(DensityView { ground_dm2, mean_milli, max }: DensityView) -> Self {
        let ground_m2 = ground_dm2.number().filter(|&dm2| dm2 > 0).map(|dm2| dm2 as f64 / 100.0);
        let per_m2 = |people: Option<f64>| Some(rounded(people? / ground_m2?, 1e4));
        Self {
            ground_m2,
            mean_per_m2: per_m2(mean_milli.number().map(|milli| milli as f64 / 1000.0)),
            max_per_m2: per_m2(max.number().map(|max| max as f64)),
        }
    }
}

impl From<QueueView> for Queue {
    fn from(QueueView { mean_milli, max, served, waited_ms }: QueueView) -> Self {
        Self {
            mean_length: mean_milli.number().map(|milli| milli as f64 / 1000.0),
            max_length: max,
            served,
            mean_wait_s: ratio(waited_ms, served).map(|ms| rounded(ms / 1000.0, 10.0)),
        }
    }
}

/// One number over another, if both are told and the other is not zero.
fn ratio(part: Told, whole: Told) -> Option<f64> {
    let (part, whole) = (part.number()?, whole.number().filter(|&whole| whole > 0)?);
    Some(part as f64 / whole as f64)
}

/// To so many steps in one.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

fn seconds(ms: Told) -> Option<f64> {
    ms.number().map(|ms| ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_made_of_what_is_told() {
        let n = Told::Number;
        let speed = Speed::from(SpeedView { walked_mm: n(2600), walking_ms: n(2000), standing_ms: n(500) });
        assert_eq!((speed.mean_m_s, speed.standing_share), (Some(1.3), Some(0.2)));
        let speed =
            Speed::from(SpeedView { walked_mm: n(2600), walking_ms: Told::Withheld, standing_ms: n(500) });
        assert_eq!((speed.mean_m_s, speed.standing_share, speed.standing_s), (None, None, Some(0.5)));
        let density =
            Density::from(DensityView { ground_dm2: n(5000), mean_milli: n(2500), max: Told::Never });
        assert_eq!((density.mean_per_m2, density.max_per_m2), (Some(0.05), None));
        let density = Density::from(DensityView { ground_dm2: n(0), mean_milli: n(2500), max: n(4) });
        assert_eq!((density.ground_m2, density.mean_per_m2), (None, None));
        let queue =
            Queue::from(QueueView { mean_milli: n(1500), max: n(3), served: n(4), waited_ms: n(90_000) });
        assert_eq!((queue.mean_length, queue.mean_wait_s), (Some(1.5), Some(22.5)));
        let nobody = Queue::from(QueueView { mean_milli: n(0), max: n(0), served: n(0), waited_ms: n(0) });
        assert_eq!(nobody.mean_wait_s, None);
    }
}
