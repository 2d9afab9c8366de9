//! Alerts of one camera: what its owner asked for, and how often one may leave the door.
//!
//! Counting in order to act is another thing in law than statistics; whoever asks for it says why, on what ground, and
//! how people can object.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use outis_record::{Alert, AlertKind, AlertPlace, AlertTerms, Class, Profile, ZoneIndex};
use serde::Deserialize;

use crate::{
    on_ground::GroupsKey,
    scene::{Name, Scene},
};

/// How long a situation may have to last, in seconds.
const FOR_S: RangeInclusive<f64> = 0.0..=600.0;

/// How far apart people may be asked to stay, in metres.
const NEARER_THAN_M: RangeInclusive<f64> = 0.1..=100.0;

/// The most people that a limit may allow: the tracker follows no more.
const MORE_THAN_MAX: u32 = outis_record::possible::PRESENT_MAX;

/// The most situations of one camera.
const ALERTS_MAX: usize = 64;

/// The longest text of purpose, basis or objection, in characters.
const TEXT_CHARS_MAX: usize = 400;

/// Section `[[camera.alert]]`: a situation that people are asked to change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertConfig {
    kind: KindName,
    /// The whole picture, if absent.
    zone: Option<Name>,
    more_than: Option<u32>,
    nearer_than_m: Option<f64>,
    groups: Option<GroupsKey>,
    #[serde(default = "for_s")]
    for_s: f64,
}

fn for_s() -> f64 {
    3.0
}

/// Section `[camera.operational]`: why alerts are given at all.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operational {
    /// What for.
    pub(crate) purpose: String,
    /// The text or ground that allows it, in the owner's words.
    pub(crate) basis: String,
    /// How passers-by can object.
    pub(crate) objection: String,
    /// The least time between two alerts in seconds.
    #[serde(default = "gap_s")]
    gap_s: u32,
}

fn gap_s() -> u32 {
    60
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct KindName(AlertKind);

impl TryFrom<String> for KindName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = || AlertKind::ALL.map(AlertKind::name).join(", ");
        let kind = AlertKind::from_name(&name);
        kind.map(Self).ok_or_else(|| format!("\"{name}\" is not a kind of alert; there are {}", known()))
    }
}

/// The alerts of one camera.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AlertPlan {
    pub(crate) situations: Vec<Situation>,
    pub(crate) terms: AlertTerms,
    /// There when there are alerts.
    pub(crate) operational: Option<Operational>,
}

/// What is not to be, where, and for how long: as the eye is told it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Situation {
    pub(crate) place: AlertPlace,
    pub(crate) limit: Limit,
    pub(crate) for_s: f64,
}

/// A limit that people are asked to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Metres between people, and whether those who walk together are left out.
    NearerThanM(f64, bool),
    /// People in one place.
    MoreThan(u32),
}

/// What a camera has besides its alerts, by which they are judged.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) has_ground: bool,
    pub(crate) classes: &'a [Class],
    pub(crate) profile: Profile,
}

impl AlertPlan {
    /// Checks what the configuration says.
    ///
    /// # Errors
    /// Says what to change.
    pub(crate) fn check(
        alerts: Vec<AlertConfig>,
        operational: Option<Operational>,
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let operational = match (alerts.len(), operational) {
            (0, None) => return Ok(Self::default()),
            (0, Some(_)) => return Err("operational is for alerts, and there is no [[camera.alert]]".into()),
            (_, None) => {
                return Err("an alert is counting in order to act, which is not statistics: add a section \
                            [camera.operational] with purpose, basis and objection"
                    .into());
            }
            (more, _) if more > ALERTS_MAX => {
                return Err(format!("{more} alerts; at most {ALERTS_MAX} are possible"));
            }
            (_, Some(operational)) => operational,
        };
        for (key, text) in [
            ("purpose", &operational.purpose),
            ("basis", &operational.basis),
            ("objection", &operational.objection),
        ] {
            if text.trim().is_empty()
                || text.chars().count() > TEXT_CHARS_MAX
                || text.contains(char::is_control)
            {
                return Err(format!("operational: {key} is one line of 1 to {TEXT_CHARS_MAX} characters"));
            }
        }
        if !around.classes.contains(&Class::Person) {
            return Err("an alert is about people: add \"person\" to classes".into());
        }
        let situations = alerts.into_iter().map(|alert| alert.check(around));
        let situations =
            situations.collect::<Result<Vec<_>, _>>().map_err(|error| format!("alert: {error}"))?;
        let told = situations.iter().map(Situation::alert).collect();
        let gap_ms = operational.gap_s.saturating_mul(1000);
        let terms = AlertTerms::new(told, gap_ms).map_err(|error| format!("operational: gap_s: {error}"))?;
        Ok(Self { situations, terms, operational: Some(operational) })
    }
}

impl AlertConfig {
    fn check(self, around: &Surroundings<'_>) -> Result<Situation, String> {
        let Self { kind: KindName(kind), zone, more_than, nearer_than_m, groups, for_s } = self;
        let place = match zone {
            None => AlertPlace::View,
            Some(name) => {
                let index = around.scene.zones().iter().position(|zone| zone.name == name);
                let index = index.and_then(|index| u16::try_from(index).ok());
                AlertPlace::Zone(ZoneIndex(index.ok_or_else(|| format!("there is no zone \"{name}\""))?))
            }
        };
        if !FOR_S.contains(&for_s) {
            return Err(format!(
                "for_s is {for_s}; {} to {} seconds are possible",
                FOR_S.start(),
                FOR_S.end()
            ));
        }
        if kind == AlertKind::TooFull && groups.is_some() {
            return Err("groups is for too-close".into());
        }
        let limit = match (kind, more_than, nearer_than_m) {
            (AlertKind::TooFull, Some(more_than), None) => {
                // As with any figure: nothing about fewer people than the profile tells of.
                let least = around.profile.k().saturating_sub(1).max(1);
                if !(least..=MORE_THAN_MAX).contains(&more_than) {
                    return Err(format!(
                        "more_than is {more_than}; {least} to {MORE_THAN_MAX} people are possible with profile \"{}\"",
                        around.profile
                    ));
                }
                Limit::MoreThan(more_than)
            }
            (AlertKind::TooClose, None, Some(metres)) => {
                if !NEARER_THAN_M.contains(&metres) {
                    let (least, most) = (NEARER_THAN_M.start(), NEARER_THAN_M.end());
                    return Err(format!("nearer_than_m is {metres}; {least} to {most} metres are possible"));
                }
                if !around.has_ground {
                    return Err("metres between people need a section [camera.ground]".into());
                }
                Limit::NearerThanM(metres, groups == Some(GroupsKey::LeaveOut))
            }
            (AlertKind::TooFull, ..) => return Err("too-full needs more_than, and no nearer_than_m".into()),
            (AlertKind::TooClose, ..) => return Err("too-close needs nearer_than_m, and no more_than".into()),
        };
        Ok(Situation { place, limit, for_s })
    }
}

impl Situation {
    /// What is said when it comes to it.
    pub(crate) fn alert(&self) -> Alert {
        let kind = match self.limit {
            Limit::NearerThanM(..) => AlertKind::TooClose,
            Limit::MoreThan(_) => AlertKind::TooFull,
        };
        Alert { kind, place: self.place }
    }

    /// As the eye reads it.
    pub(crate) fn argument(&self) -> String {
        let place = match self.place {
            AlertPlace::View => "view".to_owned(),
            AlertPlace::Zone(zone) => zone.0.to_string(),
        };
        let limit = match self.limit {
            Limit::NearerThanM(metres, leave_out_groups) => {
                format!("{metres}{}", if leave_out_groups { "g" } else { "" })
            }
            Limit::MoreThan(people) => people.to_string(),
        };
        format!("{}:{place}:{limit}:{}", self.alert().kind.name(), self.for_s)
    }
}

/// Lets alerts out at the steps of the door's own clock and no nearer to each other than a gap, whatever the eye does:
/// that is what their bits are counted by. An eye that is honest keeps the gap in media time, so what comes too early
/// by little is late by little, and waits; anything else is left out.
#[derive(Debug)]
pub(crate) struct Brake {
    begun: Instant,
    gap: Duration,
    /// When the newest one went out.
    last: Option<Duration>,
}

impl Brake {
    const STEP: Duration = Duration::from_millis(AlertTerms::STEP_MS as u64);

    /// An alert waits no longer than this: a call to people who may have gone helps nobody.
    const WAIT_MAX: Duration = Duration::from_secs(1);

    pub(crate) fn new(terms: &AlertTerms) -> Self {
        Self { begun: Instant::now(), gap: Duration::from_millis(terms.gap_ms().into()), last: None }
    }

    /// Goes on by other terms; the newest alert still counts.
    pub(crate) fn change(&mut self, terms: &AlertTerms) {
        self.gap = Duration::from_millis(terms.gap_ms().into());
    }

    /// How long an alert has to wait that comes now; `None` when it must not go out.
    pub(crate) fn hold(&mut self) -> Option<Duration> {
        self.wait(self.begun.elapsed())
    }

    /// The same, so long after the brake was made.
    fn wait(&mut self, now: Duration) -> Option<Duration> {
        let steps = |time: Duration| time.as_nanos().div_ceil(Self::STEP.as_nanos());
        let step = match self.last {
            Some(last) => steps(now).max(steps(last + self.gap)),
            None => steps(now),
        };
        let out = Self::STEP.saturating_mul(u32::try_from(step).ok()?);
        let wait = out.checked_sub(now).filter(|&wait| wait <= Self::WAIT_MAX)?;
        self.last = Some(out);
        Some(wait)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::tests::camera;

    pub(crate) const OPERATIONAL: &str =
        "[camera.operational]\npurpose = \"room\"\nbasis = \"order 7\"\nobjection = \"the button\"\n";
    const ZONE: &str = "[[camera.zone]]\nname = \"square\"\ncorners = [[0,0],[9,0],[9,9]]\n";
    const GROUND: &str =
        "[camera.ground]\nimage = [[0,9],[9,9],[6,1],[3,1]]\nmetres = [[0,0],[4,0],[4,8],[0,8]]\n";
    const FULL: &str = "[[camera.alert]]\nkind = \"too-full\"\nmore_than = 6\n";
    const CLOSE: &str = "[[camera.alert]]\nkind = \"too-close\"\nzone = \"square\"\nnearer_than_m = 1.5\ngroups = \"leave-out\"\nfor_s = 4\n";

    #[test]
    fn what_the_configuration_asks_for() {
        assert_eq!(camera("").unwrap().plan.alerts, AlertPlan::default(), "off by default");
        let plan = camera(&[ZONE, GROUND, OPERATIONAL, FULL, CLOSE].concat()).unwrap().plan.alerts;
        let arguments: Vec<String> = plan.situations.iter().map(Situation::argument).collect();
        assert_eq!(arguments, ["too-full:view:6:3", "too-close:0:1.5g:4"]);
        assert_eq!((plan.terms.alerts().len(), plan.terms.gap_ms()), (2, 60_000));
        assert_eq!(plan.operational.unwrap().basis, "order 7");
    }

    #[test]
    fn alerts_are_refused_with_the_remedy() {
        let full = |more: &str| [OPERATIONAL, "[[camera.alert]]\nkind = \"too-full\"\n", more].concat();
        let cases: [(&str, String, &[&str]); 17] = [
            ("without a reason", FULL.into(), &["gate", "not statistics", "[camera.operational]"]),
            ("a reason for nothing", OPERATIONAL.into(), &["no [[camera.alert]]"]),
            (
                "an empty reason",
                [&OPERATIONAL.replace("order 7", " "), FULL].concat(),
                &["basis is one line"],
            ),
            (
                "no purpose",
                [&OPERATIONAL.replace("purpose", "purpos"), FULL].concat(),
                &["unknown key `purpos`"],
            ),
            ("too often", [&format!("{OPERATIONAL}gap_s = 9\n"), FULL].concat(), &["gap_s", "10 s"]),
            ("unknown kind", FULL.replace("too-full", "mask"), &["\"mask\"", "too-close, too-full"]),
            ("unknown zone", full("more_than = 6\nzone = \"park\""), &["no zone \"park\""]),
            ("no limit", full(""), &["too-full needs more_than"]),
            ("both limits", full("more_than = 6\nnearer_than_m = 1"), &["too-full needs more_than"]),
            ("fewer than k", full("more_than = 3"), &["4 to 512 people", "statistics"]),
            (
                "groups of a crowd",
                full("more_than = 6\ngroups = \"leave-out\""),
                &["groups is for too-close"],
            ),
            ("for ever", full("more_than = 6\nfor_s = 601"), &["for_s is 601", "0 to 600"]),
            ("not a time", full("more_than = 6\nfor_s = nan"), &["for_s"]),
            ("no ground", [ZONE, OPERATIONAL, CLOSE].concat(), &["[camera.ground]"]),
            (
                "far",
                [ZONE, GROUND, OPERATIONAL, &CLOSE.replace("1.5", "0")].concat(),
                &["nearer_than_m is 0", "0.1 to 100"],
            ),
            ("cars only", ["classes = [\"car\"]\n", OPERATIONAL, FULL].concat(), &["add \"person\""]),
            (
                "for publication",
                ["profile = \"open-data\"\n", OPERATIONAL, &FULL.replace('6', "9")].concat(),
                &["open-data", "leave out [[camera.alert]]"],
            ),
        ];
        for (name, more, parts) in cases {
            let error = camera(&more).expect_err(name).to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{name}: {error}");
        }
        let exact = ["profile = \"exact\"\n", OPERATIONAL, &FULL.replace('6', "1")].concat();
        assert!(camera(&exact).is_ok(), "the file is its owner's");
    }

    #[test]
    fn the_brake_lets_few_out_and_tells_only_steps() {
        let alert = Alert { kind: AlertKind::TooFull, place: AlertPlace::View };
        let mut brake = Brake::new(&AlertTerms::new(vec![alert], 10_000).unwrap());
        let ms = Duration::from_millis;
        // (when it comes, when it goes out)
        let cases = [
            (1_001, Some(1_200)),
            (1_300, None),
            (9_000, None),
            (10_150, None),
            (10_900, Some(11_200)),
            (21_200, Some(21_200)),
            (55_555, Some(55_600)),
        ];
        for (now, expected) in cases {
            let out = brake.wait(ms(now)).map(|wait| ms(now) + wait);
            assert_eq!(out, expected.map(ms), "{now}");
        }
    }
}
