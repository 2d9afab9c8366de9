//! A window as it is told: figures by class and place. There is no exact figure in it that its profile does not
//! tell, so whatever shows or writes it cannot leak one.

use std::collections::HashMap;

use outis_record::{
    Area, Class, Disclosure, Figure, NEAREST_SPANS, Place, Profile, Released, Schema, Window, WindowState,
};
use serde::{Serialize, Serializer};

/// A figure as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Told {
    /// The profile does not tell this figure.
    #[default]
    Never,
    /// Too few stand behind it, or nobody looked, or the ground is doubted.
    Withheld,
    /// The figure, as noisy and rounded as its profile says.
    Number(u64),
}

impl Told {
    /// The number, if there is one.
    pub(crate) fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Never | Self::Withheld => None,
        }
    }

    /// Whether the profile never tells it.
    pub(crate) fn is_never(&self) -> bool {
        *self == Self::Never
    }

    /// A sum, made of what was told: where a part was not, nor is the sum. So no sum tells a withheld part.
    pub(crate) fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let add = |sum, part| match (sum, part) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Withheld, _) | (_, Self::Withheld) => Self::Withheld,
            (Self::Number(a), Self::Number(b)) => Self::Number(a.saturating_add(b)),
        };
        parts.into_iter().fold(Self::Number(0), add)
    }

    fn map(self, change: impl FnOnce(u64) -> u64) -> Self {
        match self {
            Self::Number(number) => Self::Number(change(number)),
            other => other,
        }
    }
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}

/// One window's figures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowView {
    pub(crate) window: Window,
    pub(crate) state: WindowState,
    pub(crate) profile: Profile,
    /// Milliseconds of the window during which the camera was observed.
    pub(crate) observed_ms: u64,
    /// Milliseconds of the window during which passers-by had the camera paused. Known to the door, not to an eye.
    pub(crate) paused_ms: u64,
    /// Frames in which the detector looked; told with exact figures only.
    pub(crate) looks: Option<u32>,
    /// Figures of each configured class, in the order of [`Class::ALL`].
    pub(crate) by_class: Vec<ClassTotals>,
    /// What was measured of people on the ground.
    pub(crate) on_ground: GroundView,
    /// Who wore a mask; `None` where nobody asks.
    pub(crate) masks: Option<MasksView>,
}

/// People who went by, by what was seen of their faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MasksView {
    /// Everybody.
    pub(crate) people: Told,
    /// Of whom it is known.
    pub(crate) judged: Told,
    /// Of those, with a mask; told with exact figures only.
    pub(crate) with_mask: Told,
    /// Their share of the judged in hundredths, in steps of [`Profile::SHARE_STEP_PERCENT`].
    pub(crate) share_percent: Told,
}

/// Figures of one class in one window. Lines and zones are in the order of the scene.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassTotals {
    pub(crate) class: Class,
    pub(crate) view: Presence,
    pub(crate) lines: Vec<Crossings>,
    pub(crate) zones: Vec<ZoneTotals>,
    pub(crate) flows: Vec<Journeys>,
}

/// Passages over a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Crossings {
    pub(crate) forward: Told,
    pub(crate) backward: Told,
    /// In either direction, where that is all that is told.
    pub(crate) both: Told,
}

/// How many were present at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Presence {
    /// At the newest moment.
    pub(crate) now: Told,
    /// At most.
    pub(crate) max: Told,
    /// On average, in thousandths.
    pub(crate) mean_milli: Told,
}

/// Figures of one class in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ZoneTotals {
    pub(crate) entered: Told,
    pub(crate) left: Told,
    pub(crate) presence: Presence,
    pub(crate) dwell: Dwell,
}

/// How long visits lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dwell {
    /// Visits that ended.
    pub(crate) visits: Told,
    /// The sum of their lengths, in milliseconds.
    pub(crate) total_ms: Told,
}

/// Journeys of one class from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Journeys {
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) count: Told,
}

/// What was measured of people on the ground; empty where nothing is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct GroundView {
    /// The picture, then the zones.
    pub(crate) areas: Vec<AreaView>,
    /// How long people were on each cell, in milliseconds.
    pub(crate) heat_ms: Vec<Told>,
}

/// What was measured in one area: none of the parts that are not asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct AreaView {
    /// Time by the distance to the nearest neighbour, in milliseconds.
    pub(crate) nearest_ms: Option<[Told; NEAREST_SPANS]>,
    /// Time in which distances were measured, in milliseconds.
    pub(crate) measured_ms: Told,
    /// Of each distance: time nearer than that, in milliseconds, and encounters.
    pub(crate) near: Vec<(Told, Told)>,
    pub(crate) speed: Option<SpeedView>,
    pub(crate) density: Option<DensityView>,
    pub(crate) queue: Option<QueueView>,
}

/// How people walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpeedView {
    pub(crate) walked_mm: Told,
    pub(crate) walking_ms: Told,
    pub(crate) standing_ms: Told,
}

/// How many were on how much ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DensityView {
    pub(crate) ground_dm2: Told,
    pub(crate) mean_milli: Told,
    pub(crate) max: Told,
}

/// People in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueView {
    pub(crate) mean_milli: Told,
    pub(crate) max: Told,
    pub(crate) served: Told,
    pub(crate) waited_ms: Told,
}

impl WindowView {
    /// Sorts what was released by class and place.
    pub(crate) fn new(released: &Released, disclosure: &Disclosure, schema: &Schema) -> Self {
        let cells = disclosure.cells().iter().map(|cell| (cell.class, cell.figure));
        let told = cells.zip(released.values.iter().copied()).collect();
        let figures = Figures { told, observed_ms: released.observed_ms };
        Self {
            window: released.window,
            state: released.state,
            profile: released.profile,
            observed_ms: released.observed_ms,
            paused_ms: 0,
            looks: released.looks,
            by_class: schema.classes().iter().map(|&class| figures.class(class, schema)).collect(),
            on_ground: figures.on_ground(schema),
            masks: schema.masks().then(|| figures.masks()),
        }
    }

    /// Whether the detector never looked, as at a source that never opened.
    pub(crate) fn is_blank(&self) -> bool {
        self.looks.map_or(self.observed_ms == 0, |looks| looks == 0)
    }
}

/// Every released figure; `None` is withheld.
#[derive(Debug)]
struct Figures {
    told: HashMap<(Class, Figure), Option<u64>>,
    observed_ms: u64,
}

impl Figures {
    fn class(&self, class: Class, schema: &Schema) -> ClassTotals {
        let told = |figure| self.told(class, figure);
        let mean = |present: Told| self.mean_milli(present);
        let (mut lines, mut zones) = (Vec::new(), Vec::new());
        for place in schema.places() {
            match place {
                Place::Line(line) => lines.push(Crossings {
                    forward: told(Figure::LineForward(line)),
                    backward: told(Figure::LineBackward(line)),
                    both: told(Figure::LineBoth(line)),
                }),
                Place::Zone(zone) => zones.push(ZoneTotals {
                    entered: told(Figure::ZoneEntered(zone)),
                    left: told(Figure::ZoneLeft(zone)),
                    presence: Presence {
                        now: told(Figure::ZoneNow(zone)),
                        max: told(Figure::ZoneMax(zone)),
                        mean_milli: mean(told(Figure::ZonePresent(zone))),
                    },
                    dwell: Dwell {
                        visits: told(Figure::ZoneStays(zone)),
                        total_ms: told(Figure::ZoneStayTotal(zone)),
                    },
                }),
            }
        }
        let pairs = schema.flow_pairs().into_iter();
        ClassTotals {
            class,
            view: Presence {
                now: told(Figure::ViewNow),
                max: told(Figure::ViewMax),
                mean_milli: mean(told(Figure::ViewPresent)),
            },
            lines,
            zones,
            flows: pairs
                .map(|(from, to)| Journeys { from, to, count: told(Figure::Flow(from, to)) })
                .collect(),
        }
    }

    fn masks(&self) -> MasksView {
        let told = |figure| self.told(Class::Person, figure);
        let (judged, with_mask) = (told(Figure::MasksJudged), told(Figure::MasksWith));
        // Where counts are told, their share is made of them; nobody's share is none.
        let share = match (judged.number(), with_mask.number()) {
            (Some(judged @ 1..), Some(with_mask)) => {
                let step = Profile::SHARE_STEP_PERCENT;
                Told::Number((100 * with_mask / judged + step / 2) / step * step)
            }
            (Some(_), Some(_)) => Told::Withheld,
            _ => told(Figure::MasksShare),
        };
        MasksView { people: told(Figure::MasksPeople), judged, with_mask, share_percent: share }
    }

    fn on_ground(&self, schema: &Schema) -> GroundView {
        let cells = schema.ground();
        if cells.is_none() {
            return GroundView::default();
        }
        let told = |figure| self.told(Class::Person, figure);
        let area = |area: Area| {
            let nearest_ms: [Told; NEAREST_SPANS] =
                std::array::from_fn(|span| told(Figure::Nearest(area, span as u8)));
            let is_near_told = cells.thresholds > 0;
            let spans_told = is_near_told && !nearest_ms[0].is_never();
            let zone = match area {
                Area::View => None,
                Area::Zone(zone) => Some(zone),
            };
            AreaView {
                nearest_ms: spans_told.then_some(nearest_ms),
                measured_ms: if spans_told { Told::sum(nearest_ms) } else { told(Figure::Measured(area)) },
                near: (0..cells.thresholds)
                    .map(|threshold| {
                        (told(Figure::Near(area, threshold)), told(Figure::Encounters(area, threshold)))
                    })
                    .collect(),
                speed: cells.speed.then(|| SpeedView {
                    walked_mm: told(Figure::Walked(area)),
                    walking_ms: told(Figure::Walking(area)),
                    standing_ms: told(Figure::Standing(area)),
                }),
                density: zone.filter(|_| cells.density).map(|zone| DensityView {
                    ground_dm2: told(Figure::Ground(zone)),
                    mean_milli: self.mean_milli(told(Figure::GroundPresent(zone))),
                    max: told(Figure::GroundMax(zone)),
                }),
                queue: zone.filter(|&zone| cells.has_queue(zone)).map(|zone| QueueView {
                    mean_milli: self.mean_milli(told(Figure::QueueTime(zone))),
                    max: told(Figure::QueueMax(zone)),
                    served: told(Figure::Served(zone)),
                    waited_ms: told(Figure::Waited(zone)),
                }),
            }
        };
        let areas = std::iter::once(Area::View).chain(schema.zone_indices().map(Area::Zone));
        GroundView {
            areas: areas.map(area).collect(),
            heat_ms: (0..cells.heat_cells).map(|cell| told(Figure::Heat(cell))).collect(),
        }
    }

    /// How many were present on average, in thousandths, from the time they were present.
    fn mean_milli(&self, present: Told) -> Told {
        // In no time there is no mean; with noise it would be any number.
        if self.observed_ms == 0 && present.number().is_some_and(|ms| ms > 0) {
            return Told::Withheld;
        }
        let observed_ms = u128::from(self.observed_ms.max(1));
        present.map(|ms| u64::try_from(u128::from(ms) * 1000 / observed_ms).unwrap_or(u64::MAX))
    }

    fn told(&self, class: Class, figure: Figure) -> Told {
        match self.told.get(&(class, figure)) {
            None => Told::Never,
            Some(None) => Told::Withheld,
            Some(Some(number)) => Told::Number(*number),
        }
    }
}

impl ClassTotals {
    /// Whether anything of this class was told beside zeros.
    pub(crate) fn is_seen(&self) -> bool {
        let any = |told: Told| told.number().is_some_and(|number| number > 0);
        any(self.view.max)
            || any(self.view.mean_milli)
            || self.lines.iter().any(|line| any(line.forward) || any(line.backward) || any(line.both))
            || self.zones.iter().any(|zone| any(zone.entered) || any(zone.left))
            || self.flows.iter().any(|journeys| any(journeys.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_tells_no_part_that_is_not_told() {
        use Told::{Never, Number, Withheld};
        let cases = [
            (vec![], Number(0)),
            (vec![Number(7), Number(5)], Number(12)),
            (vec![Number(7), Withheld], Withheld),
            (vec![Withheld, Withheld], Withheld),
            (vec![Never, Withheld], Never),
            (vec![Number(u64::MAX), Number(1)], Number(u64::MAX)),
        ];
        for (parts, expected) in cases {
            assert_eq!(Told::sum(parts.clone()), expected, "{parts:?}");
        }
        assert_eq!(serde_json::to_string(&[Number(3), Withheld, Never]).unwrap(), "[3,null,null]");
    }
}
