//! Which figures on the ground are told, and how much noise hides a passage in them.
//!
//! A passage is measured on the ground for its first [`PassageBounds::GROUND_MS`], and others see it only so long. What
//! it changes in that time, whoever else is there:
//!
//! | figure | one passage changes at most |
//! |---|---|
//! | time measured, walking, standing; presence for density; all heat cells together | 60 s in the picture, 60 s in all zones |
//! | time near, each distance | (1 + 2) · 60 s in the picture, as much in all zones: its own, and that of two others |
//! | encounters in the picture, each distance | 2 |
//! | way walked | 180 m in the picture, 180 m in all zones |
//! | queues: standing, waited | 120 s each, in one zone |
//! | queues: served | 1 |
//! | spans of nearest distances, encounters in zones, density and queue at most | never released with noise |
//!
//! Two others, and not everybody around: of all pairs nearer than the distance, the nearest first, those count at
//! which neither has two already. A new passage then changes for how many others there is a neighbour by no more than
//! two (Day, Li and Lyu 2016), and encounters likewise.

use crate::{Area, Figure, Laplace, NEAREST_SPANS, PassageBounds, Profile, Schema};

/// The fastest that counts, in metres per second: a run.
const WALK_M_PER_S: u32 = 3;

/// What is told on the ground, in the order of the release.
pub(crate) fn figures(profile: Profile, schema: &Schema) -> Vec<Figure> {
    let (cells, exact) = (schema.ground(), profile.is_exact());
    let areas = std::iter::once(Area::View).chain(schema.zone_indices().map(Area::Zone));
    let mut figures = Vec::new();
    for area in areas {
        if cells.thresholds > 0 {
            if exact {
                figures.extend((0..NEAREST_SPANS as u8).map(|span| Figure::Nearest(area, span)));
            } else {
                figures.push(Figure::Measured(area));
            }
            for threshold in 0..cells.thresholds {
                figures.push(Figure::Near(area, threshold));
                if exact || area == Area::View {
                    figures.push(Figure::Encounters(area, threshold));
                }
            }
        }
        if cells.speed {
            figures.extend([Figure::Walked(area), Figure::Walking(area), Figure::Standing(area)]);
        }
    }
    for zone in schema.zone_indices() {
        if cells.density {
            figures.extend([Figure::Ground(zone), Figure::GroundPresent(zone)]);
            figures.extend(exact.then_some(Figure::GroundMax(zone)));
        }
        if cells.has_queue(zone) {
            figures.extend([Figure::QueueTime(zone), Figure::Served(zone), Figure::Waited(zone)]);
            figures.extend(exact.then_some(Figure::QueueMax(zone)));
        }
    }
    figures.extend((0..cells.heat_cells).map(Figure::Heat));
    figures
}

/// A group of figures that share one part of ε, with how much one passage changes all of them together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    share: u32,
    /// In units: seconds, metres, or counts.
    sensitivity: u32,
}

/// The parts of ε of all groups of figures on the ground.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    near: Part,
    encounters: Part,
    walked: Part,
    walking: Part,
    density: Part,
    queue_times: Part,
    served: Part,
    heat: Part,
}

impl Parts {
    pub(crate) fn new(schema: &Schema) -> Self {
        let cells = schema.ground();
        let seconds = |ms: u64| u32::try_from(ms / 1000).unwrap_or(u32::MAX);
        let (ground_s, queue_s) = (seconds(PassageBounds::GROUND_MS), seconds(PassageBounds::PRESENT_MS));
        // The picture, and all zones together.
        let areas = if schema.zones() > 0 { 2 } else { 1 };
        let distances = u32::from(cells.thresholds);
        let part = |wanted: bool, share: u32, sensitivity: u32| Part {
            share: if wanted { share } else { 0 },
            sensitivity,
        };
        let near = areas * ground_s * (1 + distances * (1 + PassageBounds::NEIGHBOURS));
        Self {
            near: part(distances > 0, 2, near),
            encounters: part(distances > 0, 1, distances * PassageBounds::ENCOUNTERS),
            walked: part(cells.speed, 1, areas * ground_s * WALK_M_PER_S),
            walking: part(cells.speed, 1, areas * ground_s),
            density: part(cells.density && schema.zones() > 0, 1, ground_s),
            queue_times: part(cells.queues != 0, 1, 2 * queue_s),
            served: part(cells.queues != 0, 1, 1),
            heat: part(cells.heat_cells > 0, 1, ground_s),
        }
    }

    fn all(&self) -> [Part; 8] {
        let Self { near, encounters, walked, walking, density, queue_times, served, heat } = *self;
        [near, encounters, walked, walking, density, queue_times, served, heat]
    }

    /// How many parts of ε they take.
    pub(crate) fn shares(&self) -> u32 {
        self.all().iter().map(|part| part.share).sum()
    }

    /// The noise of a figure, of `shares` parts in all; the outer `None` when the figure is none on the ground.
    pub(crate) fn noise(&self, figure: Figure, epsilon: u32, shares: u32) -> Option<Option<Laplace>> {
        let Part { share, sensitivity } = match figure {
            Figure::Measured(_) | Figure::Near(..) => self.near,
            Figure::Encounters(..) => self.encounters,
            Figure::Walked(_) => self.walked,
            Figure::Walking(_) | Figure::Standing(_) => self.walking,
            Figure::GroundPresent(_) => self.density,
            Figure::QueueTime(_) | Figure::Waited(_) => self.queue_times,
            Figure::Served(_) => self.served,
            Figure::Heat(_) => self.heat,
            // The size of a zone is by the configuration, and no secret of anybody.
            Figure::Ground(_) => return Some(None),
            _ => return None,
        };
        Some(Laplace::new(sensitivity * shares, epsilon * share))
    }
}

/// The most that counts of one passage in one figure on the ground, in units; `None` for other figures.
pub(crate) fn most_of_a_passage(figure: Figure) -> Option<u64> {
    let ground_s = PassageBounds::GROUND_MS / 1000;
    match figure {
        Figure::Measured(_)
        | Figure::Near(..)
        | Figure::Nearest(..)
        | Figure::Walking(_)
        | Figure::Standing(_)
        | Figure::GroundPresent(_) => Some(ground_s),
        Figure::Walked(_) => Some(ground_s * u64::from(WALK_M_PER_S)),
        Figure::Heat(_) => Some(PassageBounds::HEAT_CELL_MS / 1000),
        Figure::Encounters(..) | Figure::Served(_) => Some(1),
        Figure::Ground(_) => Some(0),
        _ => None,
    }
}
