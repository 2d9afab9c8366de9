//! Where alerts go once they may leave: terminal, file and loudspeakers.

use jiff::Timestamp;
use outis_record::Alert;

use crate::{config::Camera, output::AlertFile, report::alert::AlertReport};

/// Passes alerts on.
#[derive(Debug)]
pub(crate) struct Alarms {
    file: Option<AlertFile>,
}

impl Alarms {
    pub(crate) fn new(file: Option<AlertFile>) -> Self {
        Self { file }
    }

    /// Passes an alert on. What cannot be done is said, and ends nothing.
    pub(crate) fn alert(&mut self, camera: &Camera, alert: Alert, at: Timestamp) -> AlertReport {
        let report = AlertReport::new(camera.name.as_str(), &camera.plan.scene, alert, at);
        eprintln!("{}", report.sentence());
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write(&report)) {
            eprintln!("error: camera \"{}\": {error:#}", report.camera);
        }
        report
    }
}
