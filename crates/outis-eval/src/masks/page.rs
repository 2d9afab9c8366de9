//! The section of the accuracy page that is about masks.

use std::fmt::Write as _;
use std::path::Path;

use outis_eye::detect::card::Cards;
use outis_eye::mask::MaskCard;

use super::{Counts, Point, SIDES_PX, Sample, choose, count, incorrect, is_for_choosing, samples};
use crate::cache;
use crate::report::Table;
use crate::watch::FaceWatcher;

/// The ways to judge masks: names of cards.
const WAYS: [&[&str]; 2] = [&["centerface", "mask-mobilenet-v2"], &["rfb-640-masked-face"]];

/// Measures every way whose networks are there, on `mask40` in the data folder.
///
/// # Errors
/// When what is there cannot be measured. What is absent is said.
pub fn section(data: &Path) -> anyhow::Result<String> {
    let folder = data.join("mask40");
    if !folder.is_dir() {
        return Ok(format!("Not measured: the photographs are not at `{}`.\n", folder.display()));
    }
    let mut text = "40 photographs of a public collection, 181 faces marked by people: 132 with a mask, 45 without, 4 with one \
                    worn incorrectly, which is in neither class below. The operating point was chosen on every other \
                    photograph (the point that judges most faces rightly with at least nine of ten said rightly in each \
                    class); the tables are of the other half, face by face, without the vote of a passage. Size: the root of \
                    a face's area in pixels. Not known: not found, too small, or neither surely the one nor the other; \
                    precision is of what was said, recall of all that was marked, and of what is known. Faces in nobody's marks \
                    count as wrong.\n"
        .to_owned();
    for names in WAYS {
        let cards: Vec<&MaskCard> =
            Cards::known().mask_models.iter().filter(|card| names.contains(&card.name.as_str())).collect();
        let missing = cards.iter().find(|card| !cache::folder().join("models").join(&card.file).is_file());
        if let Some(card) = missing {
            let _ = write!(
                text,
                "\n`{}`: not measured, it is not in the cache. {}\n",
                names.join("` and `"),
                card.find
            );
            continue;
        }
        let mut watcher = FaceWatcher::new(names)?;
        let point = watcher.point();
        let all = samples(&mut watcher, &folder)?;
        text += &way(names, point, &all);
    }
    Ok(text)
}

/// The operating point on its card, and what it is worth.
fn way(names: &[&str], point: Point, all: &[Sample]) -> String {
    let (choosing, reporting): (Vec<Sample>, Vec<Sample>) =
        all.iter().partition(|sample| is_for_choosing(sample));
    let Point { score_min, side_min_px, with_min, without_max } = point;
    let chosen = choose(&choosing, names.len() == 1);
    let same = if chosen == Some(point) {
        "as chosen".to_owned()
    } else {
        format!("chosen now would be {chosen:?}")
    };
    let mut text = format!(
        "\n### `{}`\n\nFaces found with {score_min} or more, {side_min_px} pixels or larger; with a mask from {with_min} on, \
         without up to {without_max} ({same}).\n",
        names.join("` and `")
    );
    let mut table = Table::new([
        "face",
        "class",
        "marked",
        "right",
        "wrong",
        "not known",
        "precision",
        "recall",
        "of known",
    ]);
    let mut from = 0.0;
    for until in SIDES_PX.into_iter().chain([f32::INFINITY]) {
        let size = match until {
            _ if from == 0.0 => format!("under {until} px"),
            _ if until.is_infinite() => format!("from {from} px"),
            _ => format!("{from} to {until} px"),
        };
        let of_size: Vec<Sample> =
            reporting.iter().copied().filter(|sample| (from..until).contains(&sample.side_px)).collect();
        rows(&mut table, &size, &of_size, &point);
        from = until;
    }
    rows(&mut table, "all", &reporting, &point);
    text += &table.text();
    let [with, without, unknown] = incorrect(all.iter(), &point);
    text += &format!(
        "Masks worn incorrectly, both halves: {with} taken as with, {without} as without, {unknown} not known.\n"
    );
    text
}

fn rows(table: &mut Table, size: &str, samples: &[Sample], point: &Point) {
    for (class, counts) in ["with", "without"].into_iter().zip(count(samples.iter(), point)) {
        let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
        let Counts { marked, right, wrong, unknown } = counts;
        table.row([
            size.to_owned(),
            class.to_owned(),
            marked.to_string(),
            right.to_string(),
            wrong.to_string(),
            unknown.to_string(),
            share(counts.precision()),
            share(counts.recall()),
            share(counts.recall_of_judged()),
        ]);
    }
}
