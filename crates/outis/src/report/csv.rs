//! Totals as CSV, one figure a row, so that a spreadsheet can filter and pivot them. What a profile never tells has
//! no row; what it withholds has a row with an empty value.

use outis_record::Class;

use super::{from_milli, ground::PeopleReport, json::Bounds, mean_dwell_s};
use crate::{
    scene::Scene,
    view::{ClassTotals, MasksView, Told, WindowView},
};

/// Columns of `outis count --csv`.
pub(crate) const COUNT_HEADER: &str = "kind,place,to,class,measure,value\n";

/// Columns of the file that `outis watch` writes.
pub(crate) const WINDOW_HEADER: &str =
    "camera,media_start_s,length_s,state,observed_s,paused_s,kind,place,to,class,measure,value\n";

/// The totals of a whole file, with a header.
pub(crate) fn count(scene: &Scene, window: &WindowView) -> String {
    let mut text = COUNT_HEADER.to_owned();
    for_each_row(scene, window, |row| text += row);
    text
}

/// One window of one camera, without a header.
pub(crate) fn window(camera: &str, scene: &Scene, window: &WindowView) -> String {
    let Bounds { media_start_s, length_s, state, observed_s, paused_s, .. } = Bounds::new(window);
    let prefix = format!("{},{media_start_s},{length_s},{state},{observed_s},{paused_s},", field(camera));
    let mut text = String::new();
    for_each_row(scene, window, |row| {
        text += &prefix;
        text += row;
    });
    text
}

fn for_each_row(scene: &Scene, window: &WindowView, mut take: impl FnMut(&str)) {
    for totals in &window.by_class {
        class_rows(scene, totals, &mut |place, measure, value| {
            let Place { kind, name, to } = place;
            let class = Class::name(totals.class);
            take(&format!("{kind},{},{},{class},{measure},{value}\n", field(name), field(to)));
        });
    }
    ground_rows(scene, window, &mut take);
    if let Some(masks) = &window.masks {
        mask_rows(masks, &mut take);
    }
}

fn mask_rows(masks: &MasksView, take: &mut impl FnMut(&str)) {
    let rows = [
        ("masks_people", masks.people),
        ("masks_judged", masks.judged),
        ("masks_with", masks.with_mask),
        ("masks_share_percent", masks.share_percent),
    ];
    for (measure, told) in rows.into_iter().filter(|(_, told)| !told.is_never()) {
        let value = told.number().map(|number| number.to_string()).unwrap_or_default();
        take(&format!("view,,,person,{measure},{value}\n"));
    }
}

#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    kind: &'static str,
    name: &'a str,
    to: &'a str,
}

/// Figures of people on the ground. A share or mean of which a part is not told has an empty value.
fn ground_rows(scene: &Scene, window: &WindowView, take: &mut impl FnMut(&str)) {
    let Some(people) = PeopleReport::new(scene, &window.on_ground) else { return };
    for area in &people.areas {
        let (kind, name) = area.zone.map_or(("view", ""), |zone| ("zone", zone));
        let mut row = |measure: &str, value: Option<f64>| {
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            take(&format!("{kind},{},,person,{measure},{value}\n", field(name)));
        };
        let count = |told: Told| told.number().map(|number| number as f64);
        if let Some(distances) = &area.distances {
            row("distances_measured_s", distances.measured_s);
            for near in &distances.near {
                row(&format!("within_{}m_s", near.within_m), near.person_s);
                row(&format!("within_{}m_share", near.within_m), near.share);
                if !near.encounters.is_never() {
                    row(&format!("within_{}m_encounters", near.within_m), count(near.encounters));
                }
            }
            for span in distances.nearest.iter().flatten() {
                let until = span.until_m.map_or("beyond".to_owned(), |until_m| format!("to_{until_m}m"));
                row(&format!("nearest_{until}_s"), span.person_s);
            }
        }
        if let Some(speed) = &area.speed {
            row("speed_mean_m_s", speed.mean_m_s);
            row("walking_s", speed.walking_s);
            row("standing_s", speed.standing_s);
            row("standing_share", speed.standing_share);
        }
        if let Some(density) = &area.density {
            row("ground_m2", density.ground_m2);
            row("density_mean_per_m2", density.mean_per_m2);
            row("density_max_per_m2", density.max_per_m2);
        }
        if let Some(queue) = &area.queue {
            row("queue_mean", queue.mean_length);
            row("queue_max", count(queue.max_length));
            row("queue_served", count(queue.served));
            row("queue_wait_mean_s", queue.mean_wait_s);
        }
    }
    if let Some(heat) = &people.heat {
        for (cell, person_s) in heat.person_s.iter().enumerate() {
            let (column, row) = (cell % usize::from(heat.columns), cell / usize::from(heat.columns));
            let [x, y] =
                [(0, column), (1, row)].map(|(axis, at)| heat.from_m[axis] + heat.cell_m * at as f64);
            let value = person_s.map(|seconds| seconds.to_string()).unwrap_or_default();
            take(&format!("heat,{x};{y},,person,presence_s,{value}\n"));
        }
    }
}

fn class_rows(scene: &Scene, totals: &ClassTotals, row: &mut impl FnMut(Place<'_>, &str, &str)) {
    let mut write = |kind, name, to, measure, value: &str| row(Place { kind, name, to }, measure, value);
    let mut row = |kind, name, to, measure, told: Told| match told {
        Told::Never => {}
        Told::Withheld => write(kind, name, to, measure, ""),
        // What is counted in thousandths says so by its name.
        Told::Number(milli) if measure == "occupancy_mean" || measure.ends_with("_s") => {
            write(kind, name, to, measure, &from_milli(milli).to_string());
        }
        Told::Number(number) => write(kind, name, to, measure, &number.to_string()),
    };
    row("view", "", "", "occupancy_mean", totals.view.mean_milli);
    row("view", "", "", "occupancy_max", totals.view.max);
    for (line, count) in scene.lines().iter().zip(&totals.lines) {
        let name = line.name.as_str();
        row("line", name, "", "forward", count.forward);
        row("line", name, "", "backward", count.backward);
        row("line", name, "", "both", count.both);
    }
    for (zone, figures) in scene.zones().iter().zip(&totals.zones) {
        let name = zone.name.as_str();
        row("zone", name, "", "entered", figures.entered);
        row("zone", name, "", "left", figures.left);
        row("zone", name, "", "occupancy_mean", figures.presence.mean_milli);
        row("zone", name, "", "occupancy_max", figures.presence.max);
        row("zone", name, "", "dwell_visits", figures.dwell.visits);
        if figures.dwell.visits.is_never() {
            row("zone", name, "", "dwell_total_s", figures.dwell.total_ms);
        } else {
            // Nobody's dwell has no mean: the value stays empty.
            let mean_s = mean_dwell_s(figures.dwell).map(|mean_s| (mean_s * 1000.0).round() as u64);
            row("zone", name, "", "dwell_mean_s", mean_s.map_or(Told::Withheld, Told::Number));
        }
    }
    for journeys in &totals.flows {
        row("flow", scene.name(journeys.from), scene.name(journeys.to), "count", journeys.count);
    }
}

/// A text field, quoted where RFC 4180 asks for it.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assemble::tests::view, report::json::tests::scene};

    #[test]
    fn every_figure_has_a_row() {
        let text = count(&scene(), &view());
        // Per class: 2 of the view, 2 of each line, 6 of the zone, 6 flows.
        assert_eq!(text.lines().count(), 1 + 2 * (2 + 4 + 6 + 6));
        for row in [
            "line,A,,person,forward,3",
            "line,A,,car,forward,2",
            "view,,,person,occupancy_mean,2.5",
            "zone,\"plaza, \"\"old\"\"\",,person,dwell_mean_s,1.5",
            "zone,\"plaza, \"\"old\"\"\",,car,dwell_mean_s,",
            "flow,A,\"plaza, \"\"old\"\"\",person,count,1",
        ] {
            assert!(text.lines().any(|line| line == row), "{row}\n{text}");
        }
    }

    #[test]
    fn rows_of_a_window_name_camera_and_time() {
        let text = window("gate", &scene(), &view());
        assert!(text.starts_with("gate,0,60,closed,10,0,view,,,person,occupancy_mean,2.5\n"), "{text}");
        let columns = WINDOW_HEADER.trim_end().split(',').count();
        assert!(text.lines().filter(|line| !line.contains('"')).all(|l| l.split(',').count() == columns));
    }
}
