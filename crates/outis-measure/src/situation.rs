//! Situations that people are asked to change: two are too close, or too many are in one place, for some seconds.
//!
//! An alert must come at once, while counts may wait. So this looks at where the tracker believes people to be at the
//! newest look, not at the positions that are final seconds later. It says that something is so, never who.

use std::collections::BTreeMap;

use outis_record::{Alert, AlertKind, AlertPlace, Class};

use crate::{
    GroundPlane, GroundPoint, MediaTime, Scene, TrackId, Zone,
    groups::{Groups, TOGETHER_M},
    track::Present,
};

/// A situation that does not hold for so long, in seconds, has not ended: a detector misses someone now and then.
const LAPSE_MAX_S: f32 = 0.5;

/// Between two looks farther apart than this, in seconds, nothing is known, and a situation begins anew.
const GAP_MAX_S: f32 = 2.0;

/// Someone unseen for longer than this, in seconds, may be anywhere: the tracker's guess is not held against people.
pub(crate) const UNSEEN_MAX_S: f32 = 1.0;

/// Two who were too close are so until they are farther apart than this many times the distance. A detector's jitter
/// of 3 % of the height is 5 cm across, and several times that in depth.
const APART: f32 = 1.2;

/// The most pairs of which it is known since when they are close, for each rule. A crowd in which there are more needs
/// no pair more to be too close.
const PAIRS_MAX: usize = 1024;

/// What is not to be, where, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Where.
    pub place: AlertPlace,
    /// What.
    pub limit: Limit,
    /// It must have been so for this long, in seconds.
    pub for_s: f32,
}

/// What people are asked to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Two people are no nearer to each other than this, in metres. Needs a ground plane.
    Apart {
        /// The distance in metres.
        nearer_than_m: f32,
        /// People who walk together may be nearer. It takes two to five seconds to tell.
        leave_out_groups: bool,
    },
    /// No more people than this are there.
    Room {
        /// How many may be there.
        more_than: u32,
    },
}

impl Situation {
    fn leaves_out_groups(&self) -> bool {
        matches!(self.limit, Limit::Apart { leave_out_groups: true, .. })
    }

    /// What is said when it comes to it.
    pub fn alert(&self) -> Alert {
        let kind = match self.limit {
            Limit::Apart { .. } => AlertKind::TooClose,
            Limit::Room { .. } => AlertKind::TooFull,
        };
        Alert { kind, place: self.place }
    }
}

/// Watches for the situations of one camera.
#[derive(Debug, Default)]
pub(crate) struct Situations {
    rules: Vec<Rule>,
    ground: Option<GroundPlane>,
    gap_s: f32,
    /// Kept where a situation leaves out those who walk together.
    groups: Option<Groups>,
    /// When the newest alert was given.
    last: Option<MediaTime>,
}

#[derive(Debug)]
struct Rule {
    situation: Situation,
    /// `None` is the whole picture.
    zone: Option<Zone>,
    /// Since when which pair is close; for a limit of room there is one entry.
    runs: BTreeMap<Case, Run>,
    /// When this rule's alert was given last.
    told: Option<MediaTime>,
}

/// Whom a situation is about: two tracks, or everybody.
type Case = Option<(TrackId, TrackId)>;

#[derive(Debug, Clone, Copy)]
struct Run {
    since: MediaTime,
    /// The newest look at which it held.
    held: MediaTime,
}

/// A person of the newest look, with their place on the ground.
#[derive(Debug, Clone, Copy)]
struct Person {
    present: Present,
    ground: Option<GroundPoint>,
}

impl Situations {
    /// Watches a scene for situations; any two alerts are at least a gap apart, whatever they are about.
    ///
    /// # Panics
    /// When a situation is about a zone that the scene has not.
    pub(crate) fn new(scene: &Scene, situations: &[Situation], gap_ms: u32) -> Self {
        let zone = |place| match place {
            AlertPlace::View => None,
            AlertPlace::Zone(zone) => Some(scene.zones[usize::from(zone.0)].clone()),
        };
        let rule = |&situation: &Situation| Rule {
            situation,
            zone: zone(situation.place),
            runs: BTreeMap::new(),
            told: None,
        };
        Self {
            rules: situations.iter().map(rule).collect(),
            ground: scene.ground,
            gap_s: gap_ms as f32 / 1000.0,
            groups: situations.iter().any(Situation::leaves_out_groups).then(Groups::default),
            last: None,
        }
    }

    /// Takes who is there at a look; an alert when it comes to one. Of several that are due the one that has not been
    /// given for longest comes first.
    pub(crate) fn look(&mut self, at: MediaTime, present: impl Iterator<Item = Present>) -> Option<Alert> {
        if self.rules.is_empty() {
            return None;
        }
        let ground = self.ground;
        let people = present.filter(|present| present.class == Class::Person);
        let people: Vec<Person> = people
            .map(|present| Person { present, ground: ground.and_then(|plane| plane.locate(present.foot)) })
            .collect();
        if let Some(groups) = &mut self.groups {
            watch_groups(groups, at, &people);
        }
        let groups = self.groups.as_ref();
        let due = self.rules.iter_mut().filter_map(|rule| rule.look(at, &people, groups).then_some(rule));
        let due: Vec<&mut Rule> = due.collect();
        if self.last.is_some_and(|last| at.seconds_since(last) < self.gap_s) {
            return None;
        }
        let rule = due.into_iter().min_by_key(|rule| rule.told)?;
        rule.told = Some(at);
        self.last = Some(at);
        Some(rule.situation.alert())
    }
}

/// Takes note of who is near whom, for a while and without drifting apart.
fn watch_groups(groups: &mut Groups, at: MediaTime, people: &[Person]) {
    let placed = |person: &Person| person.ground.map(|ground| (person.present.track, ground));
    let people: Vec<(TrackId, GroundPoint)> = people.iter().filter_map(placed).collect();
    for (index, &one) in people.iter().enumerate() {
        for &other in &people[index + 1..] {
            if one.1.distance_m(other.1) < TOGETHER_M {
                groups.near(at, one, other);
            }
        }
    }
    groups.forget(at);
}

impl Rule {
    /// Whether its situation has been so for long enough, and is so now.
    fn look(&mut self, at: MediaTime, people: &[Person], groups: Option<&Groups>) -> bool {
        let inside =
            |person: &&Person| self.zone.as_ref().is_none_or(|zone| zone.depth_px(person.present.foot) > 0.0);
        let people: Vec<&Person> = people.iter().filter(inside).collect();
        match self.situation.limit {
            Limit::Room { more_than } => {
                if people.len() > more_than as usize {
                    self.hold(None, at);
                }
            }
            Limit::Apart { nearer_than_m, leave_out_groups } => {
                let groups = groups.filter(|_| leave_out_groups);
                let together = |a: &Person, b: &Person| {
                    groups.is_some_and(|groups| groups.are_together(a.present.track, b.present.track))
                };
                for (index, one) in people.iter().enumerate() {
                    for other in people[index + 1..].iter().filter(|other| !together(one, other)) {
                        self.pair(one, other, nearer_than_m, at);
                    }
                }
            }
        }
        self.runs.retain(|_, run| at.seconds_since(run.held) <= LAPSE_MAX_S);
        let for_s = self.situation.for_s;
        self.runs.values().any(|run| run.held == at && at.seconds_since(run.since) >= for_s)
    }

    fn pair(&mut self, one: &Person, other: &Person, nearer_than_m: f32, at: MediaTime) {
        let (Some(a), Some(b)) = (one.ground, other.ground) else { return };
        let distance_m = a.distance_m(b);
        let case = Some((one.present.track, other.present.track));
        let known = self.runs.contains_key(&case);
        let (limit_m, room) =
            if known { (APART * nearer_than_m, true) } else { (nearer_than_m, self.runs.len() < PAIRS_MAX) };
        if room && distance_m < limit_m {
            self.hold(case, at);
        }
    }

    fn hold(&mut self, case: Case, at: MediaTime) {
        let run = self.runs.entry(case).or_insert(Run { since: at, held: at });
        if at.seconds_since(run.held) > GAP_MAX_S {
            run.since = at;
        }
        run.held = at;
    }
}

#[cfg(test)]
mod tests {
    use outis_record::ZoneIndex;

    use super::*;
    use crate::{Detection, ImageBox, ImagePoint, Score, Tracker, TrackerSettings};

    /// Forty pixels are a metre, seen from straight above; so the arithmetic is easy.
    const PX_PER_M: f32 = 40.0;

    fn scene() -> Scene {
        let p = ImagePoint::new;
        let corners = [(0.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0)];
        let metres = corners.map(|(x, y)| GroundPoint { x_m: x / PX_PER_M, y_m: y / PX_PER_M });
        Scene {
            zones: vec![
                Zone::new(vec![p(200.0, 0.0), p(400.0, 0.0), p(400.0, 400.0), p(200.0, 400.0)]).unwrap(),
            ],
            ground: Some(GroundPlane::from_points(corners.map(|(x, y)| p(x, y)), metres).unwrap()),
            ..Scene::default()
        }
    }

    fn too_close(place: AlertPlace, nearer_than_m: f32, for_s: f32) -> Situation {
        Situation { place, limit: Limit::Apart { nearer_than_m, leave_out_groups: false }, for_s }
    }

    fn too_full(place: AlertPlace, more_than: u32, for_s: f32) -> Situation {
        Situation { place, limit: Limit::Room { more_than }, for_s }
    }

    /// Where people stand at a time in seconds, in metres from the corner.
    type Street = fn(f32) -> Vec<(f32, f32)>;

    /// When which alert came, in seconds, of a street that is looked at so often.
    fn alerts(
        rules: &[Situation],
        gap_ms: u32,
        looks_per_s: f32,
        until_s: f32,
        street: Street,
    ) -> Vec<(f32, AlertKind)> {
        let mut situations = Situations::new(&scene(), rules, gap_ms);
        let mut tracker = Tracker::new(TrackerSettings::default());
        let looks = (until_s * looks_per_s) as u32;
        let mut told = Vec::new();
        for look in 0..=looks {
            let time_s = look as f32 / looks_per_s;
            let at = MediaTime::from_seconds(time_s.into());
            let person = |(x_m, y_m): (f32, f32)| Detection {
                bbox: ImageBox::standing_on(ImagePoint::new(x_m * PX_PER_M, y_m * PX_PER_M), 20.0, 60.0),
                class: Class::Person,
                score: Score::new(0.8),
            };
            let detections: Vec<Detection> = street(time_s).into_iter().map(person).collect();
            tracker.look(at, &detections);
            told.extend(situations.look(at, tracker.present(UNSEEN_MAX_S)).map(|alert| (time_s, alert.kind)));
        }
        told
    }

    /// The first alert, and how many came.
    fn check(name: &str, rule: Situation, street: Street, first: Option<(f32, f32)>) {
        for looks_per_s in [5.0, 10.0, 25.0] {
            let told = alerts(&[rule], 60_000, looks_per_s, 12.0, street);
            match (first, &told[..]) {
                (None, []) => {}
                (Some((earliest, latest)), [(at, _)]) if (earliest..=latest).contains(at) => {}
                _ => panic!("{name} at {looks_per_s} looks a second: {told:?}, expected {first:?}"),
            }
        }
    }

    #[test]
    fn table_of_situations() {
        use AlertPlace::{View, Zone};
        let zone = Zone(ZoneIndex(0));
        // Two stand 1 m apart. The tracker believes someone after three sightings and 0.35 s.
        let two: Street = |_| vec![(6.0, 5.0), (7.0, 5.0)];
        check("too close", too_close(View, 1.5, 3.0), two, Some((3.3, 3.7)));
        check("not so near", too_close(View, 0.8, 3.0), two, None);
        check("in the zone", too_close(zone, 1.5, 3.0), two, Some((3.3, 3.7)));
        let beside: Street = |_| vec![(4.5, 5.0), (5.5, 5.0)];
        check("one of them outside the zone", too_close(zone, 1.5, 3.0), beside, None);
        let passing: Street = |t| vec![(1.0 + t, 5.0), (9.0 - t, 6.0)];
        check("they pass", too_close(View, 1.5, 3.0), passing, None);
        let blink: Street =
            |t| if (2.0..2.3).contains(&t) { vec![(6.0, 5.0)] } else { vec![(6.0, 5.0), (7.0, 5.0)] };
        check("one is missed for a moment", too_close(View, 1.5, 3.0), blink, Some((3.3, 3.7)));
        // From 2 m they close in to 1 m at 5 s; 1.3 m is within 1.2 x 1.2 m, so a short sway does not end it.
        let sway: Street = |t| match t {
            ..5.0 => vec![(3.0, 5.0), (6.0, 5.0)],
            ..7.0 => vec![(5.0, 5.0), (6.0, 5.0)],
            ..8.0 => vec![(4.7, 5.0), (6.0, 5.0)],
            _ => vec![(5.0, 5.0), (6.0, 5.0)],
        };
        check("they sway", too_close(View, 1.2, 4.0), sway, Some((9.0, 10.0)));

        // A couple walks at 1 m/s, 0.7 m apart; strangers stand as far apart.
        let couple: Street = |t| vec![(0.5 + 0.7 * t, 5.0), (0.5 + 0.7 * t, 5.7)];
        let strangers: Street = |_| vec![(6.0, 5.0), (6.0, 5.7)];
        let limit = Limit::Apart { nearer_than_m: 1.5, leave_out_groups: true };
        let leaving_out = Situation { place: View, limit, for_s: 4.0 };
        check("a couple", leaving_out, couple, None);
        check("a couple is counted", too_close(View, 1.5, 4.0), couple, Some((4.3, 4.7)));
        check("strangers", leaving_out, strangers, Some((4.3, 4.7)));

        let four: Street = |_| vec![(5.5, 1.0), (6.5, 3.0), (7.5, 5.0), (8.5, 7.0)];
        check("too full", too_full(zone, 3, 2.0), four, Some((2.3, 2.7)));
        check("as full as it may be", too_full(zone, 4, 2.0), four, None);
        check("at once", too_full(View, 3, 0.0), four, Some((0.3, 0.6)));
        let leaves: Street = |t| {
            let x = if t < 3.0 { 8.5 } else { 8.5 - 1.5 * (t - 3.0) };
            vec![(5.5, 1.0), (6.5, 3.0), (7.5, 5.0), (x.max(2.0), 7.0)]
        };
        check("one leaves in time", too_full(zone, 3, 7.0), leaves, None);
        check("or not", too_full(View, 3, 7.0), leaves, Some((7.3, 7.7)));
    }

    #[test]
    fn alerts_keep_their_distance_and_take_turns() {
        use AlertPlace::View;
        let two: Street = |_| vec![(6.0, 5.0), (7.0, 5.0)];
        let told = alerts(&[too_full(View, 1, 1.0)], 10_000, 5.0, 45.0, two);
        let times: Vec<f32> = told.iter().map(|(at, _)| *at).collect();
        assert!(
            times.len() == 5 && times.windows(2).all(|pair| (10.0..10.3).contains(&(pair[1] - pair[0]))),
            "{times:?}"
        );

        let both = [too_full(View, 1, 1.0), too_close(View, 1.5, 1.0)];
        let kinds: Vec<AlertKind> =
            alerts(&both, 10_000, 5.0, 35.0, two).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [AlertKind::TooFull, AlertKind::TooClose, AlertKind::TooFull, AlertKind::TooClose]);
    }

    #[test]
    fn a_pause_in_looking_begins_anew() {
        let mut situations = Situations::new(&scene(), &[too_full(AlertPlace::View, 0, 3.0)], 10_000);
        let person =
            Present { track: TrackId::nth(1), foot: ImagePoint::new(9.0, 9.0), class: Class::Person };
        let mut look =
            |at_s: f64| situations.look(MediaTime::from_seconds(at_s), [person].into_iter()).is_some();
        assert!(!look(0.0) && !look(1.0) && !look(2.0), "once a second is often enough");
        assert!(!look(6.0) && !look(8.0) && look(9.0), "nobody knows what was between 2 and 6");
    }

    #[test]
    fn a_crowd_costs_no_more_than_its_limit() {
        let mut situations = Situations::new(&scene(), &[too_close(AlertPlace::View, 5.0, 1.0)], 10_000);
        let crowd = (0..500u16).map(|n| Present {
            track: TrackId::nth(n.into()),
            foot: ImagePoint::new(f32::from(n % 25), f32::from(n / 25)),
            class: Class::Person,
        });
        for look in 0..10 {
            let told = situations.look(MediaTime::from_seconds(f64::from(look) / 5.0), crowd.clone());
            assert_eq!(told.is_some(), look == 5, "{look}");
            assert_eq!(situations.rules[0].runs.len(), PAIRS_MAX);
        }
    }
}
