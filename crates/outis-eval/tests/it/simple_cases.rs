//! The counter is never wrong in the simple cases.

use outis_eval::{cases, product};
use outis_measure::MeasureSettings;

#[test]
fn never_wrong_in_the_simple_cases() {
    let outcomes = cases::play_all(
        |looks, line| {
            let looks = looks.iter().map(|(at, found)| (*at, found.as_slice()));
            product::count(looks, &[*line], MeasureSettings::default()).unwrap()[0]
        },
        5,
    );
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.wrong.is_empty())
        .map(|o| format!("{} at {} fps, {} of {}: {:?}", o.name, o.fps, o.wrong.len(), o.runs, o.wrong))
        .collect();
    assert!(wrong.is_empty(), "counted wrong (forward/backward):\n{}", wrong.join("\n"));
}
