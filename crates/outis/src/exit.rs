//! How the command tells its caller what became of the job.

use std::process::ExitCode;

use crate::camera::{CameraError, Finish};

/// The command's end, as its exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Every source was counted to its end.
    Whole = 0,
    /// Nothing was counted; or what was checked is not as it was signed.
    Nothing = 1,
    /// The command line or the configuration cannot be.
    Usage = 2,
    /// Counted in part; the report says what is missing.
    InPart = 3,
}

impl Exit {
    /// The end of cameras that run until somebody stops them: then a stop is no loss.
    pub(crate) fn of_stopped(ends: &[Result<Finish, CameraError>]) -> Self {
        let stopped = |end: &Result<Finish, CameraError>| match end {
            Ok(finish) => finish.stopped || finish.is_whole(),
            Err(error) => matches!(error, CameraError::Stopped),
        };
        if ends.iter().all(stopped) { Self::Whole } else { Self::of(ends) }
    }

    /// The end of several cameras together.
    pub(crate) fn of(ends: &[Result<Finish, CameraError>]) -> Self {
        let whole = |end: &Result<Finish, CameraError>| matches!(end, Ok(finish) if finish.is_whole());
        if ends.iter().all(whole) {
            Self::Whole
        } else if ends.iter().all(|end| matches!(end, Err(CameraError::Settings(_)))) {
            Self::Usage
        } else if ends.iter().all(Result::is_err) {
            Self::Nothing
        } else {
            Self::InPart
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error of the person who wrote the command line or the configuration: [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(String);

impl UsageError {
    /// Wraps an error of that kind.
    pub(crate) fn new(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use outis_record::{Outcome, Progress};

    use super::*;

    #[test]
    fn several_cameras_end_together() {
        let end = |outcome| {
            let progress = Progress { frames: 1, ..Progress::default() };
            Ok(Finish { outcome, progress, notices: BTreeMap::new(), stopped: false })
        };
        let whole = || end(Outcome::Complete);
        let part = || end(Outcome::Truncated);
        let failed = || Err(CameraError::UnsupportedCodec);
        let settings = || Err(CameraError::Settings("edges cross".into()));
        let cases = [
            ("all whole", vec![whole(), whole()], Exit::Whole),
            ("one broke off", vec![whole(), part()], Exit::InPart),
            ("one failed", vec![whole(), failed()], Exit::InPart),
            ("all failed", vec![failed(), settings()], Exit::Nothing),
            ("all refused", vec![settings(), settings()], Exit::Usage),
        ];
        for (name, ends, exit) in cases {
            assert_eq!(Exit::of(&ends), exit, "{name}");
        }
    }
}
