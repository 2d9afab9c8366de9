//! Where alerts go once they may leave: terminal, file, loudspeakers and whoever else hears of them.

use jiff::Timestamp;
use outis_record::Alert;

use crate::{
    config::Camera,
    output::AlertFile,
    report::alert::AlertReport,
    speaker::{Speaker, SpeakerPlan},
};

/// Passes alerts on.
#[derive(Debug)]
pub(crate) struct Alarms {
    file: Option<AlertFile>,
    speaker: Option<Speaker>,
}

impl Alarms {
    /// Makes everything ready that is to hear of alerts.
    ///
    /// # Errors
    /// When a message or a loudspeaker cannot be made ready.
    pub(crate) fn start(
        file: Option<AlertFile>,
        speaker: Option<SpeakerPlan>,
        cameras: &[Camera],
    ) -> anyhow::Result<Self> {
        if speaker.is_some() && cameras.iter().all(|camera| camera.plan.alerts.situations.is_empty()) {
            eprintln!("warning: there is a section [speaker], and no camera gives alerts");
        }
        Ok(Self { file, speaker: speaker.map(Speaker::start).transpose()? })
    }

    /// Passes an alert on. What cannot be done is said, and ends nothing.
    pub(crate) fn alert(&mut self, camera: &Camera, alert: Alert, at: Timestamp) -> AlertReport {
        let report = AlertReport::new(camera.name.as_str(), &camera.plan.scene, alert, at);
        // People first: a disk may take its time.
        if let Some(speaker) = &mut self.speaker {
            speaker.alert(&report.camera, alert.kind, &report.json(), at);
        }
        eprintln!("{}", report.sentence());
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write(&report)) {
            eprintln!("error: camera \"{}\": {error:#}", report.camera);
        }
        report
    }

    /// Ends what hears of alerts; what is being said is said to its end, unless everything was stopped by hand.
    pub(crate) async fn close(self, stopped: bool) {
        if let Some(speaker) = self.speaker {
            speaker.close(stopped).await;
        }
    }
}
