//! Totals as a table for the terminal. Classes that were never seen are left out; lines and zones never are.

use outis_record::Progress;
use unicode_width::UnicodeWidthStr;

use super::{
    from_milli,
    ground::{AreaReport, PeopleReport},
    mean_dwell_s, shares,
};
use crate::{
    scene::Scene,
    view::{ClassTotals, MasksView, Told, WindowView},
};

/// The whole report.
pub(crate) fn render(title: &str, scene: &Scene, window: &WindowView, progress: Progress) -> String {
    let mut shown: Vec<&ClassTotals> = window.by_class.iter().filter(|totals| totals.is_seen()).collect();
    let nothing_seen = shown.is_empty();
    // So that each place still has a row, of zeros.
    shown.extend(window.by_class.first().filter(|_| nothing_seen));

    let Progress { frames, looks, width_px, height_px, .. } = progress;
    let observed = duration(window.observed_ms);
    let mut text =
        format!("{title}: {observed} observed, {frames} frames of {width_px}x{height_px}, {looks} looks\n");
    if nothing_seen {
        text += "Nothing of the classes asked for was seen.\n";
    }
    let on_ground = PeopleReport::new(scene, &window.on_ground);
    let people = on_ground.iter().flat_map(|report| [near(report), walks(report), queues(report)]);
    let tables = [lines(scene, &shown), zones(scene, &shown), flows(scene, &shown), view(&shown)];
    let masks = window.masks.as_ref().map(masks);
    for table in tables.into_iter().chain(people).chain(masks) {
        if !table.rows.is_empty() {
            text.push('\n');
            text += &table.render();
        }
    }
    if !scene.lines().is_empty() {
        text += "\nForward: from the left of the line to its right, looking from its first point to its second.\n";
    }
    text
}

fn lines(scene: &Scene, shown: &[&ClassTotals]) -> Table {
    // With several classes, which share of all that passed each of them has.
    let heads = ["Line", "Class", "Forward", "Backward", "Share"];
    let columns = if shown.len() > 1 { heads.len() } else { heads.len() - 1 };
    let mut table = Table::new(&heads[..columns], 2);
    for (index, line) in scene.lines().iter().enumerate() {
        let mut name = line.name.as_str();
        let mut row = |class: &str, forward: Told, backward: Told, share: Option<f64>| {
            let share = share.map_or_else(dash, |share| format!("{:.0} %", 100.0 * share));
            let cells = [name, class, &figure(forward), &figure(backward), &share];
            table.rows.push(cells[..columns].iter().map(ToString::to_string).collect());
            name = "";
        };
        let counts = || shown.iter().map(|totals| totals.lines[index]);
        let shares = shares(shown, index);
        for (at, (totals, count)) in shown.iter().zip(counts()).enumerate() {
            let share = shares.as_ref().map(|shares| shares[at]);
            row(totals.class.name(), count.forward, count.backward, share);
        }
        if shown.len() > 1 {
            let (forward, backward) = (counts().map(|c| c.forward), counts().map(|c| c.backward));
            row("all", Told::sum(forward), Told::sum(backward), shares.map(|_| 1.0));
        }
    }
    table
}

fn zones(scene: &Scene, shown: &[&ClassTotals]) -> Table {
    let mut table = Table::new(&["Zone", "Class", "Entered", "Left", "Mean", "Max", "Mean stay"], 2);
    for (index, zone) in scene.zones().iter().enumerate() {
        let mut name = zone.name.as_str();
        for totals in shown {
            let figures = totals.zones[index];
            let stay = mean_dwell_s(figures.dwell);
            table.push([
                name,
                totals.class.name(),
                &figure(figures.entered),
                &figure(figures.left),
                &mean(figures.presence.mean_milli),
                &figure(figures.presence.max),
                &stay.map_or_else(|| "-".to_owned(), |stay| format!("{stay:.1} s")),
            ]);
            name = "";
        }
    }
    table
}

fn flows(scene: &Scene, shown: &[&ClassTotals]) -> Table {
    let mut table = Table::new(&["From", "To", "Class", "Journeys"], 3);
    for totals in shown {
        for journeys in totals.flows.iter().filter(|journeys| journeys.count != Told::Number(0)) {
            let (from, to) = (scene.name(journeys.from), scene.name(journeys.to));
            table.push([from, to, totals.class.name(), &figure(journeys.count)]);
        }
    }
    table
}

fn view(shown: &[&ClassTotals]) -> Table {
    let mut table = Table::new(&["In the picture", "Mean", "Max"], 1);
    for totals in shown {
        table.push([totals.class.name(), &mean(totals.view.mean_milli), &figure(totals.view.max)]);
    }
    table
}

/// The name of an area.
fn area<'a>(report: &AreaReport<'a>) -> &'a str {
    report.zone.unwrap_or("whole picture")
}

fn near(people: &PeopleReport<'_>) -> Table {
    let mut table = Table::new(&["Where", "Nearer than", "Share of time", "Encounters"], 2);
    for report in &people.areas {
        let mut name = area(report);
        for near in report.distances.iter().flat_map(|distances| &distances.near) {
            let share = near.share.map(|share| format!("{:.1} %", 100.0 * share));
            let within = format!("{} m", near.within_m);
            table.push([name, &within, &share.unwrap_or_else(dash), &figure(near.encounters)]);
            name = "";
        }
    }
    table
}

fn walks(people: &PeopleReport<'_>) -> Table {
    let mut table = Table::new(&["Where", "Mean speed", "Standing", "Mean per m²", "Max per m²"], 1);
    for report in &people.areas {
        if report.speed.is_none() && report.density.is_none() {
            continue;
        }
        let (speed, density) = (report.speed.as_ref(), report.density.as_ref());
        let mean = speed.and_then(|speed| speed.mean_m_s).map(|mean| format!("{mean:.2} m/s"));
        let standing = speed.and_then(|speed| speed.standing_share);
        let per_m2 = |value: Option<f64>| value.map_or_else(dash, |value| format!("{value:.3}"));
        table.push([
            area(report),
            &mean.unwrap_or_else(dash),
            &standing.map_or_else(dash, |share| format!("{:.1} %", 100.0 * share)),
            &per_m2(density.and_then(|density| density.mean_per_m2)),
            &per_m2(density.and_then(|density| density.max_per_m2)),
        ]);
    }
    table
}

fn queues(people: &PeopleReport<'_>) -> Table {
    let mut table = Table::new(&["Queue", "Mean length", "Max", "Served", "Mean wait"], 1);
    for report in &people.areas {
        let Some(queue) = &report.queue else { continue };
        table.push([
            area(report),
            &queue.mean_length.map_or_else(dash, |mean| format!("{mean:.1}")),
            &figure(queue.max_length),
            &figure(queue.served),
            &queue.mean_wait_s.map_or_else(dash, |wait| format!("{wait:.0} s")),
        ]);
    }
    table
}

fn dash() -> String {
    "-".to_owned()
}

fn masks(masks: &MasksView) -> Table {
    let mut table = Table::new(&["Masks", "People", "Judged", "With mask", "Share"], 1);
    let share = masks.share_percent.number().map_or_else(|| "-".to_owned(), |share| format!("{share} %"));
    let [people, judged, with_mask] = [masks.people, masks.judged, masks.with_mask].map(figure);
    table.push(["", &people, &judged, &with_mask, &share]);
    table
}

/// A figure, or a dash where there is none.
fn figure(told: Told) -> String {
    told.number().map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn mean(milli: Told) -> String {
    milli.number().map_or_else(|| "-".to_owned(), |milli| format!("{:.2}", from_milli(milli)))
}

/// A length of time for people: `3 h 05 min`, `1 min 20 s`, `8.4 s`.
pub(crate) fn duration(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..60 => format!("{}.{} s", s, ms % 1000 / 100),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// Rows of text: the first columns are names, set to the left; the others figures, set to the right.
#[derive(Debug)]
struct Table {
    names: usize,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    const GAP: &str = "  ";

    fn new(header: &[&str], names: usize) -> Self {
        Self { names, header: header.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    fn push<const N: usize>(&mut self, row: [&str; N]) {
        debug_assert_eq!(N, self.header.len());
        self.rows.push(row.map(str::to_owned).to_vec());
    }

    fn render(&self) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |column: usize| lines().map(|line| line[column].width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let pad = " ".repeat(width - cell.width());
                if column < self.names { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
            });
            let cells: Vec<String> = cells.collect();
            text += cells.join(Self::GAP).trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble::tests::view,
        report::json::tests::{finish, scene},
        view::{Crossings, Presence, ZoneTotals},
    };

    #[test]
    fn what_the_terminal_shows() {
        let expected = "\
street.avi: 10.0 s observed, 100 frames of 768x576, 1 looks

Line  Class   Forward  Backward  Share
west  person        0         0      -
      car           0         0      -
      all           0         0      -
A     person        3         5   80 %
      car           2         0   20 %
      all           5         5  100 %

Zone          Class   Entered  Left  Mean  Max  Mean stay
plaza, \"old\"  person        7     6  0.00    0      1.5 s
              car           0     0  0.00    0          -

From  To            Class   Journeys
A     plaza, \"old\"  person         1

In the picture  Mean  Max
person          2.50    4
car             0.00    0

Forward: from the left of the line to its right, looking from its first point to its second.
";
        assert_eq!(render("street.avi", &scene(), &view(), finish().progress), expected);
    }

    #[test]
    fn lines_stay_when_nothing_was_seen() {
        let mut empty = view();
        for totals in &mut empty.by_class {
            let zero = Told::Number(0);
            let nobody = Presence { now: zero, max: zero, mean_milli: zero };
            let (line, zone) = (&mut totals.lines, &mut totals.zones);
            line.fill(Crossings { forward: zero, backward: zero, both: Told::Never });
            zone.fill(ZoneTotals { entered: zero, left: zero, presence: nobody, ..ZoneTotals::default() });
            totals.flows.clear();
            totals.view = nobody;
        }
        let text = render("street.avi", &scene(), &empty, finish().progress);
        assert!(
            text.contains("Nothing of the classes") && text.contains("A     person        0         0\n"),
            "{text}"
        );
    }

    #[test]
    fn durations() {
        let cases = [(0, "0.0 s"), (8_499, "8.4 s"), (79_500, "1 min 19 s"), (11_100_000, "3 h 05 min")];
        for (ms, expected) in cases {
            assert_eq!(duration(ms), expected);
        }
    }
}
