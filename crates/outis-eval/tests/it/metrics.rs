//! Our metrics against those of the PyPI packages trackeval 1.3.0 and motmetrics 1.4.0.

use outis_eval::cache;
use outis_eval::metrics::clear::{Clear, clear};
use outis_eval::metrics::hota::hota;
use outis_eval::metrics::identity::identity;
use outis_eval::metrics::{Comparison, counts};
use outis_eval::mot::{self, Frames};
use outis_measure::ImageBox;
use serde_json::Value;

type Row = (usize, i64, [i32; 4]);

/// HOTA, DetA, AssA, MOTA, IDF1 and (misses, false boxes, switches).
type Expected = ([f64; 5], (usize, usize, usize));

fn check(name: &str, comparison: &Comparison, (figures, mistakes): Expected) {
    let (h, c) = (hota(comparison), clear(comparison));
    let got = [h.hota, h.detection, h.association, c.mota(), identity(comparison).idf1()];
    for (index, (got, expected)) in got.into_iter().zip(figures).enumerate() {
        assert!((got - expected).abs() < 1e-4, "{name}, figure {index}: {got}, expected {expected}");
    }
    let Clear { missed, false_boxes, switches, .. } = c;
    assert_eq!((missed, false_boxes, switches), mistakes, "{name}");
}

fn frames(rows: &[Row]) -> Frames<(i64, ImageBox)> {
    let mut frames: Frames<(i64, ImageBox)> = Vec::new();
    for &(frame, id, bbox) in rows {
        if frames.len() < frame {
            frames.resize_with(frame, Vec::new);
        }
        let [left, top, width, height] = bbox.map(|v| v as f32);
        frames[frame - 1].push((id, ImageBox::from_left_top_width_height(left, top, width, height)));
    }
    frames
}

/// Two people walk side by side for twenty frames.
fn two_walkers() -> Vec<Row> {
    let place = |frame: i32, k: i32| (frame as usize, i64::from(k), [100 * k + 5 * frame, 50 * k, 40, 100]);
    (1..=20).flat_map(|frame| [place(frame, 0), place(frame, 1)]).collect()
}

#[test]
fn small_cases_agree_with_trackeval() {
    let truth = two_walkers();
    let changed =
        |change: fn(Row) -> Option<Row>| truth.iter().copied().filter_map(change).collect::<Vec<Row>>();
    let ghost = (5..15).map(|frame| (frame, 9, [600, 400, 40, 100]));
    let cases: [(&str, Vec<Row>, Expected); 6] = [
        ("the truth itself", truth.clone(), ([1.0, 1.0, 1.0, 1.0, 1.0], (0, 0, 0))),
        (
            "swapped halfway",
            changed(|(f, k, b)| Some((f, if f > 10 { 1 - k } else { k }, b))),
            ([0.577350, 1.0, 0.333333, 0.95, 0.5], (0, 0, 2)),
        ),
        (
            "broken",
            changed(|(f, k, b)| {
                (k != 0 || !(8..=10).contains(&f)).then_some((f, if k == 0 && f > 10 { 7 } else { k }, b))
            }),
            ([0.828402, 0.925, 0.741892, 0.9, 0.779221], (3, 0, 1)),
        ),
        (
            "a fifth of the width aside",
            changed(|(f, k, [x, y, w, h])| Some((f, k, [x + 8, y, w, h]))),
            ([0.684211, 0.684211, 0.684211, 1.0, 1.0], (0, 0, 0)),
        ),
        (
            "a ghost",
            truth.iter().copied().chain(ghost).collect(),
            ([0.894427, 0.8, 1.0, 0.75, 0.888889], (0, 10, 0)),
        ),
        ("nothing found", vec![(1, 0, [900, 900, 1, 1])], ([0.0, 0.0, 0.0, -0.025, 0.0], (40, 1, 0))),
    ];
    for (name, tracked, expected) in cases {
        check(name, &Comparison::of_all(&frames(&truth), &frames(&tracked)), expected);
    }
}

/// Six people who overlap, with misses, jitter and lost identities drawn by a linear congruential generator.
#[test]
fn a_crowd_agrees_with_trackeval() {
    let mut state: i64 = 1;
    let mut draw = |below: i64| {
        state = (1_103_515_245 * state + 12345) % (1 << 31);
        (state >> 16) % below
    };
    let (mut truth, mut tracked) = (Vec::new(), Vec::new());
    let mut ids = [0, 1, 2, 3, 4, 5];
    for frame in 1..=40 {
        for k in 0..6 {
            let (x, y) = (30 * k + (k + 2) * frame, 10 * k);
            truth.push((frame as usize, i64::from(k), [x, y, 40, 100]));
            if draw(100) < 4 {
                ids[k as usize] = 100 + draw(1000);
            }
            if draw(100) < 85 {
                let (dx, dy) = (draw(21) as i32 - 10, draw(41) as i32 - 20);
                tracked.push((frame as usize, ids[k as usize], [x + dx, y + dy, 40, 100]));
            }
        }
    }
    let comparison = Comparison::of_all(&frames(&truth), &frames(&tracked));
    check("crowd", &comparison, ([0.350273, 0.519825, 0.237250, 0.670833, 0.468182], (53, 13, 13)));
}

#[test]
fn occupancy_error_by_hand() {
    let truth = two_walkers();
    let tracked: Vec<Row> = truth.iter().copied().filter(|&(frame, k, _)| k == 0 || frame > 5).collect();
    let comparison = Comparison::of_all(&frames(&truth), &frames(&tracked));
    assert_eq!(counts::occupancy_mae(&comparison), 0.25, "one too few in 5 of 20 frames");
}

/// Truth and a tracker's output of TUD-Campus and TUD-Stadtmitte, which the package motmetrics ships.
#[test]
fn tud_agrees_with_trackeval_and_motmetrics() {
    let reference: Value =
        serde_json::from_str(include_str!("../../../../testdata/reference/tud.json")).unwrap();
    for (name, expected) in reference["sequences"].as_object().unwrap() {
        let folder = cache::folder().join("tud").join(name);
        if !folder.join("gt.txt").is_file() {
            println!("not run: {} is absent; bench/python/fetch_tud fetches it", folder.display());
            continue;
        }
        let truth = mot::read_objects(&folder.join("gt.txt")).unwrap();
        let tracked = mot::read_objects(&folder.join("test.txt")).unwrap();
        let clear = &expected["by_trackeval"];
        let figures =
            [&expected["hota"], &expected["deta"], &expected["assa"], &clear["mota"], &clear["idf1"]];
        let mistakes = ["fn", "fp", "idsw"].map(|key| clear[key].as_u64().unwrap() as usize);
        check(
            name,
            &Comparison::of_all(&truth, &tracked),
            (figures.map(|figure| figure.as_f64().unwrap()), mistakes.into()),
        );
        assert_eq!(clear, &expected["by_motmetrics"], "{name}: the two packages agree");
    }
}
