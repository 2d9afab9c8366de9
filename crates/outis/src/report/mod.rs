//! How totals are told: as a table for people, as JSON and CSV for programs.

pub(crate) mod alert;
pub(crate) mod csv;
pub(crate) mod ground;
pub(crate) mod json;
pub(crate) mod table;

use std::collections::BTreeMap;

use outis_record::Notice;

use crate::view::Dwell;

/// A notice's name in JSON.
pub(crate) fn notice_kind(notice: Notice) -> &'static str {
    match notice {
        Notice::DamagedPacket => "damaged-packet",
        Notice::MissingTimestamp => "missing-timestamp",
        Notice::TimestampJump => "timestamp-jump",
        Notice::FormatChange => "format-change",
        Notice::UnsupportedFrame => "unsupported-frame",
        Notice::TooManyTracks => "too-many-tracks",
        Notice::Truncated => "truncated",
        Notice::DetectorFault => "detector-fault",
        Notice::Behind => "behind",
    }
}

/// Sentences about what went wrong on the way.
pub(crate) fn notice_sentences(notices: &BTreeMap<Notice, u32>) -> impl Iterator<Item = String> + '_ {
    notices.iter().map(|(&notice, count)| match notice {
        Notice::Truncated => notice.describe().to_owned(),
        _ => format!("{}: {count}", notice.describe()),
    })
}

/// Thousandths as a decimal number.
fn from_milli(milli: u64) -> f64 {
    milli as f64 / 1000.0
}

/// The mean length of visits in seconds, to the millisecond; `None` without visits, or where they are not told.
fn mean_dwell_s(dwell: Dwell) -> Option<f64> {
    let (visits, total_ms) = (dwell.visits.number()?, dwell.total_ms.number()?);
    let mean_ms = (u128::from(total_ms) + u128::from(visits) / 2).checked_div(u128::from(visits))?;
    // A double is exact for every length of a visit that can be.
    Some(mean_ms as f64 / 1000.0)
}
