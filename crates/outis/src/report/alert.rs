//! An alert as it is told: where, what and when, and nothing else.

use jiff::Timestamp;
use outis_record::{Alert, AlertPlace, Place};
use serde::Serialize;

use crate::scene::Scene;

/// One line of the file of alerts, what a hook and a broker get, and what the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct AlertReport {
    kind: &'static str,
    pub(crate) camera: String,
    pub(crate) alert: &'static str,
    /// The zone it is about; null for the whole picture.
    pub(crate) zone: Option<String>,
    /// The door's clock, to the second.
    pub(crate) time: String,
}

impl AlertReport {
    pub(crate) fn new(camera: &str, scene: &Scene, alert: Alert, at: Timestamp) -> Self {
        let zone = match alert.place {
            AlertPlace::View => None,
            AlertPlace::Zone(zone) => Some(scene.name(Place::Zone(zone)).to_string()),
        };
        let time = Timestamp::from_second(at.as_second()).unwrap_or(at).to_string();
        Self { kind: "alert", camera: camera.to_owned(), alert: alert.kind.name(), zone, time }
    }

    /// The line, without its end.
    pub(crate) fn json(&self) -> String {
        // Plain texts: nothing in them can fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For the person at the terminal.
    pub(crate) fn sentence(&self) -> String {
        let place = self.zone.as_ref().map_or_else(String::new, |zone| format!(" in zone \"{zone}\""));
        format!("camera \"{}\": alert {}{place}", self.camera, self.alert)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use outis_record::{AlertKind, ZoneIndex};

    use super::*;
    use crate::report::json::tests::scene;

    pub(crate) fn report() -> AlertReport {
        let alert = Alert { kind: AlertKind::TooFull, place: AlertPlace::Zone(ZoneIndex(0)) };
        let at = Timestamp::from_millisecond(1_700_000_000_987).unwrap();
        AlertReport::new("gate", &scene(), alert, at)
    }

    #[test]
    fn zone_kind_and_time_and_nothing_else() {
        let expected = r#"{"kind":"alert","camera":"gate","alert":"too-full","zone":"plaza, \"old\"","time":"2023-11-14T22:13:20Z"}"#;
        assert_eq!(report().json(), expected);
        let view = Alert { kind: AlertKind::TooClose, place: AlertPlace::View };
        let view = AlertReport::new("gate", &scene(), view, Timestamp::UNIX_EPOCH);
        assert!(view.json().contains("\"zone\":null"), "{view:?}");
        assert_eq!(view.sentence(), "camera \"gate\": alert too-close");
    }
}
