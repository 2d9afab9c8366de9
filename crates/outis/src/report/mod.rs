//! How totals are told: as a table for people, as JSON and CSV for programs.

pub(crate) mod alert;
pub(crate) mod csv;
pub(crate) mod ground;
pub(crate) mod json;
pub(crate) mod table;

use std::collections::BTreeMap;

use outis_record::Notice;

use crate::view::{ClassTotals, Dwell, Told};

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
        Notice::CameraMoved => "camera-moved",
        Notice::GroundDoubted => "ground-doubted",
    }
}

/// Sentences about what went wrong on the way.
pub(crate) fn notice_sentences(notices: &BTreeMap<Notice, u32>) -> impl Iterator<Item = String> + '_ {
    notices.iter().map(|(&notice, count)| match notice {
        Notice::Truncated | Notice::CameraMoved | Notice::GroundDoubted => notice.describe().to_owned(),
        _ => format!("{}: {count}", notice.describe()),
    })
}

/// The modal split of a line: which share of all that passed it, in either direction, each class has, in the order of the
/// classes. `None` with a single class, when nobody passed, or where a part of it is not told: no share tells what is
/// withheld.
fn shares(classes: &[&ClassTotals], line: usize) -> Option<Vec<f64>> {
    let passed = classes.iter().map(|totals| {
        let crossings = totals.lines[line];
        if crossings.both.is_never() {
            Told::sum([crossings.forward, crossings.backward])
        } else {
            crossings.both
        }
    });
    let passed = passed.map(Told::number).collect::<Option<Vec<u64>>>()?;
    let all = passed.iter().sum::<u64>();
    (classes.len() > 1 && all > 0).then(|| passed.iter().map(|&passed| passed as f64 / all as f64).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::tests::view;

    #[test]
    fn the_modal_split_tells_nothing_that_is_withheld() {
        let mut window = view();
        let split = |window: &crate::view::WindowView, line| {
            shares(&window.by_class.iter().collect::<Vec<_>>(), line)
        };
        // Eight people and two cars.
        assert_eq!(split(&window, 1), Some(vec![0.8, 0.2]));
        assert_eq!(split(&window, 0), None, "nobody passed");
        assert_eq!(shares(&[&window.by_class[0]], 1), None, "one class is no split");
        window.by_class[1].lines[1].forward = Told::Withheld;
        assert_eq!(split(&window, 1), None, "the cars would be what is missing");
        // A profile that tells both directions as one.
        for (totals, both) in window.by_class.iter_mut().zip([30, 10]) {
            let never = Told::Never;
            totals.lines[1] =
                crate::view::Crossings { forward: never, backward: never, both: Told::Number(both) };
        }
        assert_eq!(split(&window, 1), Some(vec![0.75, 0.25]));
    }
}
