//! The one door out: a window's exact totals in, what may be told of them out.
//!
//! The order matters. *Bound* first, because noise hides no more than it was made for. Then *noise*. Then
//! *threshold*, on the noisy figure: on the exact one, being withheld would itself be exact news. Then *round*.
//!
//! No sum of figures is released beside them. Whoever adds up adds released figures, and where one of them is
//! withheld there is no sum: so no total can be solved for a withheld part.

use crate::{
    Cell, DirectionalCount, Disclosure, Dwell, Figure, Laplace, Masks, NoRandomness, Occupancy, Profile,
    Randomness, Visits, Window, WindowState, WindowTotals,
};

/// What is told of one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The window.
    pub window: Window,
    /// Whether it was observed to its end.
    pub state: WindowState,
    /// By whose rules it was released.
    pub profile: Profile,
    /// Milliseconds during which the camera was observed, in steps of [`Disclosure::observed_step_ms`].
    pub observed_ms: u64,
    /// Looks of the detector; told with exact figures only.
    pub looks: Option<u32>,
    /// The figures, in the order of [`Disclosure::cells`]; `None` is withheld.
    pub values: Vec<Option<u64>>,
}

impl Released {
    /// Stands for a withheld figure, in as many bytes as any other.
    const WITHHELD: u64 = u64::MAX;

    /// The figures as bytes, for signing and storing: eight for each, whatever it is. What a window shows by its
    /// length is its configuration.
    pub fn encode(&self) -> Vec<u8> {
        let told = |value: &Option<u64>| value.unwrap_or(Self::WITHHELD).to_le_bytes();
        self.values.iter().flat_map(told).collect()
    }
}

impl WindowTotals {
    /// Bounds, adds noise, withholds, rounds.
    ///
    /// Takes the totals, so that nobody releases a window twice: the mean of many releases has no noise.
    ///
    /// # Errors
    /// When there are no random bits; then nothing is told.
    pub fn release(
        self,
        state: WindowState,
        disclosure: &Disclosure,
        randomness: &mut dyn Randomness,
    ) -> Result<Released, NoRandomness> {
        // Where nobody looked there is nothing to tell: a zero would say that nobody came by.
        let looked = self.looks() > 0;
        let whole = looked && (state == WindowState::Closed || disclosure.profile().tells_partial());
        let mut masks = None;
        let told = |cell: &Cell| {
            if !whole || self.is_doubtful(cell) {
                return Ok(None);
            }
            match cell.noise {
                Some(noise) if cell.figure.is_of_masks() => {
                    let noisy = match masks {
                        Some(noisy) => noisy,
                        None => *masks.insert(NoisyMasks::draw(self.masks(), cell, noise, randomness)?),
                    };
                    Ok(noisy.tell(cell, disclosure.profile()))
                }
                _ => tell(self.figure(cell), cell, randomness),
            }
        };
        let values = disclosure.cells().iter().map(told).collect::<Result<_, _>>()?;
        let exact = disclosure.profile().is_exact();
        Ok(Released {
            window: self.window(),
            state,
            profile: disclosure.profile(),
            observed_ms: self.observed_ms() - self.observed_ms() % disclosure.observed_step_ms(),
            looks: exact.then_some(self.looks()),
            values,
        })
    }

    /// What would be told if the window ended here: kept on the device's own disk while the window runs, and told
    /// in place of its release if the device dies first. Never both, so a passage is told of once.
    ///
    /// # Errors
    /// When there are no random bits.
    pub fn draft(
        &self,
        disclosure: &Disclosure,
        randomness: &mut dyn Randomness,
    ) -> Result<Released, NoRandomness> {
        self.clone().release(WindowState::Partial, disclosure, randomness)
    }

    /// The running totals, for the screen beside an own file: `None` unless the disclosure is exact.
    pub fn preview(&self, disclosure: &Disclosure) -> Option<Released> {
        disclosure.profile().is_exact().then(|| Released {
            window: self.window(),
            state: WindowState::Open,
            profile: disclosure.profile(),
            observed_ms: self.observed_ms(),
            looks: Some(self.looks()),
            values: disclosure
                .cells()
                .iter()
                .map(|cell| (!self.is_doubtful(cell)).then(|| self.figure(cell)))
                .collect(),
        })
    }

    /// Whether a figure is about metres that are none. A wrong figure is worse than none.
    fn is_doubtful(&self, cell: &Cell) -> bool {
        self.is_ground_doubted() && cell.figure.is_on_ground()
    }

    /// The exact figure of a cell: a count, or milliseconds.
    fn figure(&self, cell: &Cell) -> u64 {
        let class = cell.class;
        match cell.figure {
            Figure::ViewNow => self.view(class).now.into(),
            Figure::ViewMax => self.view(class).max.into(),
            Figure::ViewPresent => self.view(class).present_ms,
            Figure::LineForward(line) => self.line(line, class).forward.into(),
            Figure::LineBackward(line) => self.line(line, class).backward.into(),
            Figure::LineBoth(line) => {
                let DirectionalCount { forward, backward } = self.line(line, class);
                u64::from(forward) + u64::from(backward)
            }
            Figure::ZoneEntered(zone) => {
                let Visits { entered, .. } = self.visits(zone, class);
                entered.into()
            }
            Figure::ZoneLeft(zone) => self.visits(zone, class).left.into(),
            Figure::ZoneNow(zone) => self.occupancy(zone, class).now.into(),
            Figure::ZoneMax(zone) => self.occupancy(zone, class).max.into(),
            Figure::ZonePresent(zone) => {
                let Occupancy { present_ms, .. } = self.occupancy(zone, class);
                present_ms
            }
            Figure::ZoneStays(zone) => self.dwell(zone, class).visits.into(),
            Figure::ZoneStayTotal(zone) => {
                let Dwell { total_ms, .. } = self.dwell(zone, class);
                total_ms
            }
            Figure::Flow(from, to) => self.flow(from, to, class).into(),
            Figure::MasksPeople => self.masks().people(),
            Figure::MasksJudged => self.masks().judged(),
            Figure::MasksWith => self.masks().with_mask.into(),
            Figure::MasksShare => {
                let masks = self.masks();
                100 * u64::from(masks.with_mask) / masks.judged().max(1)
            }
            on_ground => self.ground().figure(on_ground).unwrap_or(0),
        }
    }
}

/// Three counters of which a passage raises one, with noise on each. What is told of masks is made of these and of
/// nothing else, so it costs a passage no more than they do.
#[derive(Debug, Clone, Copy)]
struct NoisyMasks {
    with_mask: i64,
    without_mask: i64,
    unknown: i64,
}

impl NoisyMasks {
    /// For the first cell that is about masks: the number of people, whose highest value bounds each counter.
    fn draw(
        exact: Masks,
        people: &Cell,
        noise: Laplace,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, NoRandomness> {
        let mut noisy = |count: u32| {
            let bounded = u64::from(count).min(people.max).cast_signed();
            Ok(bounded.saturating_add(noise.sample(randomness)?))
        };
        Ok(Self {
            with_mask: noisy(exact.with_mask)?,
            without_mask: noisy(exact.without_mask)?,
            unknown: noisy(exact.unknown)?,
        })
    }

    /// One figure; `None` when it is withheld. A share is told only where its judged are.
    fn tell(self, cell: &Cell, profile: Profile) -> Option<u64> {
        let judged = self.with_mask.saturating_add(self.without_mask).max(0).cast_unsigned();
        let people = judged.saturating_add_signed(self.unknown);
        let k = u64::from(profile.k()).max(1);
        let (value, behind) = match cell.figure {
            Figure::MasksPeople => (people, people),
            Figure::MasksShare => (100 * self.with_mask.max(0).cast_unsigned() / judged.max(1), judged),
            _ => (judged, judged),
        };
        (behind >= k).then(|| ((value + cell.step / 2) / cell.step * cell.step).min(cell.max))
    }
}

/// One figure through its rule; `None` when it is withheld.
fn tell(exact: u64, cell: &Cell, randomness: &mut dyn Randomness) -> Result<Option<u64>, NoRandomness> {
    // Milliseconds to whole seconds moves a sum by no more than the passage itself does.
    let bounded = (exact / cell.unit).min(cell.max);
    let Some(noise) = cell.noise else { return Ok(Some(bounded * cell.unit)) };
    let noisy = bounded.saturating_add_signed(noise.sample(randomness)?);
    if noisy < cell.withheld_below {
        return Ok(None);
    }
    let rounded = (noisy.saturating_add(cell.step / 2) / cell.step).saturating_mul(cell.step);
    Ok(Some(rounded.min(cell.max) * cell.unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Area, Class, GroundCells, LineIndex, Schema, ZoneIndex,
        randomness::tests::{Dry, Seeded},
    };

    const WINDOW_MS: u32 = 1_200_000;

    fn totals(forward: u32, present_ms: u64) -> WindowTotals {
        let schema = Schema::new(1, 1, &[Class::Person], false).unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(0, WINDOW_MS).unwrap());
        totals.line_mut(LineIndex(0), Class::Person).forward = forward;
        totals.view_mut(Class::Person).present_ms = present_ms;
        totals.dwell_mut(ZoneIndex(0), Class::Person).total_ms = present_ms;
        totals.set_observed(1_100_900, 5_000);
        totals
    }

    fn released(profile: Profile, totals: WindowTotals, seed: u64) -> Released {
        let disclosure = Disclosure::new(profile, totals.schema(), WINDOW_MS).unwrap();
        totals.release(WindowState::Closed, &disclosure, &mut Seeded(seed)).unwrap()
    }

    fn value(profile: Profile, totals: &WindowTotals, figure: Figure, seed: u64) -> Option<u64> {
        let disclosure = Disclosure::new(profile, totals.schema(), WINDOW_MS).unwrap();
        let index = disclosure.cells().iter().position(|cell| cell.figure == figure).unwrap();
        released(profile, totals.clone(), seed).values[index]
    }

    #[test]
    fn rules_hold_for_every_draw() {
        let forward = Figure::LineForward(LineIndex(0));
        let (mut withheld, mut told) = (0, 0);
        for seed in 0..2_000 {
            let few = value(Profile::Statistics, &totals(5, 0), forward, seed);
            assert!(few.is_none_or(|count| count >= 5), "{few:?}");
            if few.is_none() {
                withheld += 1
            } else {
                told += 1
            }
            let open = value(Profile::OpenData, &totals(60, 0), forward, seed);
            assert!(open.is_none_or(|count| count >= 10 && count % 5 == 0), "{open:?}");
            let most = value(Profile::Statistics, &totals(u32::MAX, u64::MAX), forward, seed);
            assert!(most.is_some_and(|count| count <= 4800), "{most:?}");
            let stay = Figure::ZoneStayTotal(ZoneIndex(0));
            let time = value(Profile::Statistics, &totals(0, 700_000), stay, seed);
            assert!(time.is_none_or(|ms| ms >= 600_000 && ms % 10_000 == 0), "{time:?}");
        }
        assert!(withheld > 500 && told > 500, "the threshold is on the noisy figure: {withheld}, {told}");
    }

    #[test]
    fn exact_is_exact_and_others_tell_neither_moments_nor_looks() {
        let forward = Figure::LineForward(LineIndex(0));
        assert_eq!(value(Profile::Exact, &totals(3, 1), forward, 1), Some(3));
        assert_eq!(value(Profile::Exact, &totals(3, 1), Figure::ViewPresent, 1), Some(1));
        let exact = released(Profile::Exact, totals(3, 1), 1);
        assert_eq!((exact.observed_ms, exact.looks), (1_100_900, Some(5_000)));
        let told = released(Profile::Statistics, totals(3, 1), 1);
        assert_eq!((told.observed_ms, told.looks), (1_100_000, None));
        for profile in Profile::ALL {
            let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
            let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
            let totals = WindowTotals::new(schema, Window::new(0, WINDOW_MS).unwrap());
            assert_eq!(totals.preview(&disclosure).is_some(), profile.is_exact(), "{profile}");
        }
    }

    /// What is told of masks in so many draws, as (people, judged, share).
    fn masks_told(profile: Profile, exact: Masks, draws: u64) -> Vec<[Option<u64>; 3]> {
        let schema = Schema::new(0, 0, &[Class::Person], false).unwrap().with_masks().unwrap();
        let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
        let draw = |seed| {
            let mut totals = WindowTotals::new(schema.clone(), Window::new(0, WINDOW_MS).unwrap());
            *totals.masks_mut() = exact;
            totals.set_observed(WINDOW_MS.into(), 6_000);
            let released = totals.release(WindowState::Closed, &disclosure, &mut Seeded(seed)).unwrap();
            *released.values.last_chunk().unwrap()
        };
        (0..draws).map(draw).collect()
    }

    #[test]
    fn the_share_of_masks_is_told_in_steps_and_above_k_only() {
        let crowd = Masks { with_mask: 300, without_mask: 100, unknown: 50 };
        for profile in [Profile::Statistics, Profile::OpenData, Profile::Fr2021269] {
            let told = masks_told(profile, crowd, 500);
            let shares: Vec<u64> = told.iter().map(|[_, _, share]| share.unwrap()).collect();
            assert!(shares.iter().all(|share| share % 5 == 0), "{profile}: {shares:?}");
            let mean = shares.iter().sum::<u64>() as f64 / 500.0;
            assert!((73.0..77.0).contains(&mean), "{profile}: {mean}");
            let judged = told.iter().map(|[_, judged, _]| judged.unwrap()).sum::<u64>() as f64 / 500.0;
            let people = told.iter().map(|[people, ..]| people.unwrap()).sum::<u64>() as f64 / 500.0;
            assert!((397.0..403.0).contains(&judged) && (447.0..453.0).contains(&people), "{profile}");
        }
        // Twenty unknown and nobody judged: people may be told, a share only where the noise looks like people.
        let unjudged = masks_told(Profile::OpenData, Masks { unknown: 60, ..Masks::default() }, 2_000);
        let few = unjudged.iter().filter(|[people, judged, share]| {
            assert_eq!(judged.is_some(), share.is_some(), "one is told with the other");
            assert!(judged.is_none_or(|judged| judged >= 10) && people.is_none_or(|people| people >= 10));
            share.is_some()
        });
        assert!(few.count() < 200);
    }

    #[test]
    fn exact_masks_are_counts() {
        let schema = Schema::new(0, 0, &[Class::Person], false).unwrap().with_masks().unwrap();
        let mut totals = WindowTotals::new(schema, Window::new(0, WINDOW_MS).unwrap());
        *totals.masks_mut() = Masks { with_mask: 3, without_mask: 1, unknown: 2 };
        totals.set_observed(WINDOW_MS.into(), 6_000);
        let figures = [Figure::MasksPeople, Figure::MasksJudged, Figure::MasksWith];
        assert_eq!(figures.map(|figure| value(Profile::Exact, &totals, figure, 1)), [6, 4, 3].map(Some));
    }

    #[test]
    fn the_decree_tells_nothing_of_a_part() {
        let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
        let disclosure = Disclosure::new(Profile::Fr2021269, &schema, WINDOW_MS).unwrap();
        for (state, told) in [(WindowState::Closed, true), (WindowState::Partial, false)] {
            let mut totals = WindowTotals::new(schema.clone(), Window::new(0, WINDOW_MS).unwrap());
            totals.line_mut(LineIndex(0), Class::Person).backward = 500;
            totals.add_look();
            let released = totals.release(state, &disclosure, &mut Seeded(1)).unwrap();
            assert_eq!((released.values.len(), released.values[0].is_some()), (1, told), "{state:?}");
        }
    }

    #[test]
    fn where_nobody_looked_nothing_is_told_and_no_zero() {
        for profile in Profile::ALL {
            let schema = Schema::new(1, 0, &[Class::Person], false).unwrap();
            let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
            let totals = WindowTotals::new(schema, Window::new(0, WINDOW_MS).unwrap());
            let released = totals.release(WindowState::Closed, &disclosure, &mut Seeded(1)).unwrap();
            assert!(released.values.iter().all(Option::is_none) && released.observed_ms == 0, "{profile}");
        }
    }

    #[test]
    fn of_a_doubted_ground_nothing_is_told_and_the_rest_is() {
        for profile in [Profile::Exact, Profile::Statistics, Profile::OpenData] {
            let cells = GroundCells { thresholds: 1, speed: true, density: true, ..GroundCells::default() };
            let schema = Schema::new(1, 1, &[Class::Person], false).unwrap().with_ground(cells).unwrap();
            let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
            let mut totals = WindowTotals::new(schema, Window::new(0, WINDOW_MS).unwrap());
            totals.line_mut(LineIndex(0), Class::Person).forward = 4000;
            totals.ground_mut().near_mut(Area::View, 0).near_ms = 4_000_000;
            totals.set_observed(WINDOW_MS.into(), 6_000);
            let told = |totals: &WindowTotals, on_ground: bool| {
                let released =
                    totals.clone().release(WindowState::Closed, &disclosure, &mut Seeded(1)).unwrap();
                let values = disclosure.cells().iter().zip(released.values);
                values.filter(|(cell, v)| cell.figure.is_on_ground() == on_ground && v.is_some()).count()
            };
            assert!(told(&totals, true) > 0 && told(&totals, false) > 0, "{profile}");
            let others = told(&totals, false);
            totals.doubt_ground();
            assert_eq!((told(&totals, true), told(&totals, false)), (0, others), "{profile}");
            let later = WindowTotals::new(totals.schema().clone(), totals.window());
            let mut merged = later.clone();
            merged.add_earlier(&totals, Some);
            assert!(merged.is_ground_doubted() && !later.is_ground_doubted());
            if let Some(preview) = totals.preview(&disclosure) {
                let on_ground = disclosure.cells().iter().zip(preview.values);
                assert!(on_ground.filter(|(cell, _)| cell.figure.is_on_ground()).all(|(_, v)| v.is_none()));
            }
        }
    }

    #[test]
    fn without_random_bits_nothing_is_told() {
        let totals = totals(3, 1);
        let disclosure = Disclosure::new(Profile::Statistics, totals.schema(), WINDOW_MS).unwrap();
        assert_eq!(totals.release(WindowState::Closed, &disclosure, &mut Dry), Err(NoRandomness));
    }

    proptest! {
        /// What happened in the street, and what was withheld of it, shows in no length.
        #[test]
        fn the_length_of_a_release_is_fixed_by_the_schema(
            lines in 0usize..4,
            zones in 0usize..3,
            flows in any::<bool>(),
            profile in prop::sample::select(vec![Profile::Exact, Profile::Statistics, Profile::OpenData]),
            counts in prop::collection::vec(any::<u32>(), 4),
            seed in any::<u64>(),
        ) {
            let schema = Schema::new(lines, zones, &[Class::Person, Class::Bus], flows).unwrap();
            let disclosure = Disclosure::new(profile, &schema, WINDOW_MS).unwrap();
            let window = Window::new(0, WINDOW_MS).unwrap();
            let empty = WindowTotals::new(schema.clone(), window);
            let mut full = empty.clone();
            for (line, count) in (0..u16::try_from(lines).unwrap()).zip(counts) {
                full.line_mut(LineIndex(line), Class::Person).forward = count;
            }
            let length = |totals: WindowTotals| {
                let released = totals.release(WindowState::Closed, &disclosure, &mut Seeded(seed)).unwrap();
                released.encode().len()
            };
            prop_assert_eq!(length(full), length(empty));
        }
    }
}
