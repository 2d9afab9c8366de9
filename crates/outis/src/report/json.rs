//! Totals as JSON. The shape depends on the configuration only: a cell of zero is written as zero.

use std::collections::BTreeMap;

use outis_record::{Class, Notice, WindowState};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{from_milli, mean_dwell_s, notice_kind};
use crate::{
    assemble::{ClassTotals, Presence, WindowView, ZoneTotals},
    camera::Finish,
    scene::Scene,
};

/// What `outis count --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct CountReport<'a> {
    #[serde(flatten)]
    totals: Totals<'a>,
    source: Source,
    observed_s: f64,
    notices: Vec<NoticeCount>,
    complete: bool,
}

impl<'a> CountReport<'a> {
    pub(crate) fn new(scene: &'a Scene, window: &WindowView, finish: &Finish) -> Self {
        let progress = finish.progress;
        let source = Source {
            frames: progress.frames,
            looks: progress.looks,
            width: progress.width_px,
            height: progress.height_px,
            duration_s: seconds(progress.duration_ms.max(progress.media_ms)),
        };
        Self {
            totals: Totals::new(scene, window),
            source,
            observed_s: seconds(window.observed_ms.into()),
            notices: notice_counts(&finish.notices),
            complete: finish.is_whole(),
        }
    }
}

/// One window of one camera: a line of the file that `outis watch` writes.
#[derive(Debug, Serialize)]
pub(crate) struct WindowReport<'a> {
    camera: &'a str,
    #[serde(flatten)]
    pub(crate) bounds: Bounds,
    #[serde(flatten)]
    totals: Totals<'a>,
}

impl<'a> WindowReport<'a> {
    pub(crate) fn new(camera: &'a str, scene: &'a Scene, window: &WindowView) -> Self {
        Self { camera, bounds: Bounds::new(window), totals: Totals::new(scene, window) }
    }
}

/// Which span of time a window is about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Bounds {
    /// Seconds from the first frame of the file.
    pub(crate) media_start_s: f64,
    pub(crate) length_s: f64,
    pub(crate) state: &'static str,
    pub(crate) observed_s: f64,
    pub(crate) looks: u32,
}

impl Bounds {
    pub(crate) fn new(view: &WindowView) -> Self {
        Self {
            // Exact in a double for three hundred thousand years.
            media_start_s: view.window.start_ms() as f64 / 1000.0,
            length_s: seconds(view.window.length_ms().into()),
            state: state_name(view.state),
            observed_s: seconds(view.observed_ms.into()),
            looks: view.looks,
        }
    }
}

pub(crate) fn state_name(state: WindowState) -> &'static str {
    match state {
        WindowState::Open => "open",
        WindowState::Closed => "closed",
        WindowState::Partial => "partial",
    }
}

/// The totals of a window, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Totals<'a> {
    lines: Vec<LineTotals<'a>>,
    zones: Vec<ZoneReport<'a>>,
    flows: Vec<FlowReport<'a>>,
    occupancy: Occupancy,
}

#[derive(Debug, Serialize)]
struct Source {
    frames: u32,
    looks: u32,
    width: u16,
    height: u16,
    duration_s: f64,
}

/// A fault that was survived.
#[derive(Debug, Serialize)]
pub(crate) struct NoticeCount {
    kind: &'static str,
    count: u32,
    text: &'static str,
}

pub(crate) fn notice_counts(notices: &BTreeMap<Notice, u32>) -> Vec<NoticeCount> {
    let count =
        |(&notice, &count)| NoticeCount { kind: notice_kind(notice), count, text: Notice::describe(notice) };
    notices.iter().map(count).collect()
}

#[derive(Debug, Serialize)]
struct LineTotals<'a> {
    name: &'a str,
    #[serde(flatten)]
    all: Directions,
    classes: ByClass<Directions>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Directions {
    forward: u64,
    backward: u64,
}

#[derive(Debug, Serialize)]
struct ZoneReport<'a> {
    name: &'a str,
    #[serde(flatten)]
    all: Zone,
    classes: ByClass<ClassZone>,
}

/// Sums over all classes. There is no maximum: those of two classes are not at the same moment.
#[derive(Debug, Serialize)]
struct Zone {
    entered: u64,
    left: u64,
    occupancy: MeanOccupancy,
    dwell: Dwell,
}

#[derive(Debug, Serialize)]
struct ClassZone {
    entered: u32,
    left: u32,
    occupancy: ClassOccupancy,
    dwell: Dwell,
}

#[derive(Debug, Serialize)]
struct Dwell {
    visits: u32,
    mean_s: Option<f64>,
}

#[derive(Debug, Serialize)]
struct FlowReport<'a> {
    from: &'a str,
    to: &'a str,
    count: u64,
    classes: ByClass<u32>,
}

#[derive(Debug, Serialize)]
struct Occupancy {
    #[serde(flatten)]
    all: MeanOccupancy,
    classes: ByClass<ClassOccupancy>,
}

#[derive(Debug, Serialize)]
struct MeanOccupancy {
    now: u64,
    mean: f64,
}

#[derive(Debug, Serialize)]
struct ClassOccupancy {
    now: u32,
    mean: f64,
    max: u32,
}

/// An object with a class's name for each key, in the order of [`Class::ALL`].
#[derive(Debug)]
struct ByClass<T>(Vec<(Class, T)>);

impl<T: Serialize> Serialize for ByClass<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (class, value) in &self.0 {
            map.serialize_entry(class.name(), value)?;
        }
        map.end()
    }
}

impl<'a> Totals<'a> {
    pub(crate) fn new(scene: &'a Scene, window: &WindowView) -> Self {
        let classes = window.by_class.as_slice();
        let lines = scene.lines().iter().enumerate();
        let zones = scene.zones().iter().enumerate();
        let flows = classes.first().map_or(0, |totals| totals.flows.len());
        Self {
            lines: lines.map(|(index, line)| LineTotals::new(line.name.as_str(), index, classes)).collect(),
            zones: zones.map(|(index, zone)| ZoneReport::new(zone.name.as_str(), index, classes)).collect(),
            flows: (0..flows).map(|index| FlowReport::new(scene, index, classes)).collect(),
            occupancy: Occupancy {
                all: MeanOccupancy::sum(classes.iter().map(|totals| totals.view)),
                classes: by_class(classes, |totals| totals.view.into()),
            },
        }
    }
}

impl<'a> LineTotals<'a> {
    fn new(name: &'a str, index: usize, classes: &[ClassTotals]) -> Self {
        let directions = |totals: &ClassTotals| {
            let line = totals.lines[index];
            Directions { forward: line.forward.into(), backward: line.backward.into() }
        };
        let all = classes.iter().map(directions).fold(Directions { forward: 0, backward: 0 }, |sum, line| {
            Directions { forward: sum.forward + line.forward, backward: sum.backward + line.backward }
        });
        Self { name, all, classes: by_class(classes, directions) }
    }
}

impl<'a> ZoneReport<'a> {
    fn new(name: &'a str, index: usize, classes: &[ClassTotals]) -> Self {
        let zones = || classes.iter().map(|totals| totals.zones[index]);
        let visits = zones().fold(0u32, |sum, zone| sum.saturating_add(zone.dwell.visits));
        let all = Zone {
            entered: zones().map(|zone| u64::from(zone.visits.entered)).sum(),
            left: zones().map(|zone| u64::from(zone.visits.left)).sum(),
            occupancy: MeanOccupancy::sum(zones().map(|zone| zone.presence)),
            dwell: Dwell::new(
                visits,
                zones().fold(0u64, |sum, zone| sum.saturating_add(zone.dwell.total_ms)),
            ),
        };
        Self { name, all, classes: by_class(classes, |totals| totals.zones[index].into()) }
    }
}

impl<'a> FlowReport<'a> {
    fn new(scene: &'a Scene, index: usize, classes: &[ClassTotals]) -> Self {
        let journeys = classes[0].flows[index];
        Self {
            from: scene.name(journeys.from),
            to: scene.name(journeys.to),
            count: classes.iter().map(|totals| u64::from(totals.flows[index].count)).sum(),
            classes: by_class(classes, |totals| totals.flows[index].count),
        }
    }
}

impl Dwell {
    fn new(visits: u32, total_ms: u64) -> Self {
        Self { visits, mean_s: mean_dwell_s(visits, total_ms) }
    }
}

impl MeanOccupancy {
    fn sum(presences: impl Iterator<Item = Presence> + Clone) -> Self {
        let mean_milli: u64 = presences.clone().map(|presence| u64::from(presence.mean_milli)).sum();
        Self { now: presences.map(|presence| u64::from(presence.now)).sum(), mean: seconds(mean_milli) }
    }
}

impl From<Presence> for ClassOccupancy {
    fn from(presence: Presence) -> Self {
        Self { now: presence.now, mean: from_milli(presence.mean_milli), max: presence.max }
    }
}

impl From<ZoneTotals> for ClassZone {
    fn from(zone: ZoneTotals) -> Self {
        Self {
            entered: zone.visits.entered,
            left: zone.visits.left,
            occupancy: zone.presence.into(),
            dwell: Dwell::new(zone.dwell.visits, zone.dwell.total_ms),
        }
    }
}

fn by_class<T>(classes: &[ClassTotals], value: impl Fn(&ClassTotals) -> T) -> ByClass<T> {
    ByClass(classes.iter().map(|totals| (totals.class, value(totals))).collect())
}

/// Thousandths to whole ones.
pub(crate) fn seconds(milli: u64) -> f64 {
    milli as f64 / 1000.0
}

#[cfg(test)]
pub(crate) mod tests {
    use outis_record::{Outcome, Progress};
    use serde_json::json;

    use super::*;
    use crate::{
        assemble::tests::view,
        scene::{Line, Zone},
    };

    /// The names of the places in [`view`].
    pub(crate) fn scene() -> Scene {
        let line = |text| Line::parse(text).unwrap();
        let zone = Zone::parse("plaza, \"old\":0,0,9,0,9,9").unwrap();
        Scene::new(vec![line("west:0,0,9,0"), line("A:0,5,9,5")], vec![zone]).unwrap()
    }

    pub(crate) fn finish() -> Finish {
        let progress = Progress {
            media_ms: 9_900,
            duration_ms: 10_000,
            frames: 100,
            looks: 1,
            width_px: 768,
            height_px: 576,
        };
        let notices = BTreeMap::from([(Notice::DamagedPacket, 2)]);
        Finish { outcome: Outcome::Complete, progress, notices, stopped: false }
    }

    #[test]
    fn the_shape_of_a_count() {
        let (scene, view) = (scene(), view());
        let report = serde_json::to_value(CountReport::new(&scene, &view, &finish())).unwrap();
        let expected = json!({
            "name": "A", "forward": 5, "backward": 5,
            "classes": {"person": {"forward": 3, "backward": 5}, "car": {"forward": 2, "backward": 0}}
        });
        assert_eq!(report["lines"][1], expected);
        let expected = json!({"entered": 7, "left": 6, "occupancy": {"now": 0, "mean": 0.0, "max": 0},
            "dwell": {"visits": 6, "mean_s": 1.5}});
        assert_eq!(report["zones"][0]["classes"]["person"], expected);
        assert_eq!(report["zones"][0]["classes"]["car"]["dwell"], json!({"visits": 0, "mean_s": null}));
        assert_eq!(report["zones"][0]["entered"], 7);
        assert_eq!(report["flows"].as_array().unwrap().len(), 6);
        let expected =
            json!({"from": "A", "to": "plaza, \"old\"", "count": 1, "classes": {"person": 1, "car": 0}});
        assert!(report["flows"].as_array().unwrap().contains(&expected));
        assert_eq!(report["occupancy"]["mean"], 2.5);
        assert_eq!(report["occupancy"]["classes"]["person"]["max"], 4);
        let expected = json!({"frames": 100, "looks": 1, "width": 768, "height": 576, "duration_s": 10.0});
        assert_eq!(report["source"], expected);
        assert_eq!(report["notices"][0]["kind"], "damaged-packet");
        assert_eq!((&report["complete"], &report["observed_s"]), (&json!(false), &json!(10.0)));
    }

    #[test]
    fn the_shape_of_a_window() {
        let (scene, view) = (scene(), view());
        let text = serde_json::to_string(&WindowReport::new("gate", &scene, &view)).unwrap();
        let start =
            r#"{"camera":"gate","media_start_s":0.0,"length_s":60.0,"state":"closed","observed_s":10.0,"#;
        assert!(text.starts_with(start), "{text}");
        assert!(!text.contains('\n'));
    }
}
