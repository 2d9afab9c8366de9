//! What an attacker with a million windows could find out, tried: is a passage hidden as well as declared, and
//! can a taken-over eye tell more through its counts than declared?

use crate::{
    Class, Disclosure, Figure, LineIndex, Profile, Released, Schema, Window, WindowState, WindowTotals,
    randomness::tests::Seeded,
};

const RUNS: u32 = 1_000_000;
const WINDOW_MS: u32 = 900_000;
/// Of all bounds of all events together, one in a hundred thousand tests may fail by chance.
const RISK: f64 = 1e-5 / 64.0;

fn schema() -> Schema {
    Schema::new(2, 0, &[Class::Person], false).unwrap()
}

fn disclosure(profile: Profile) -> Disclosure {
    Disclosure::new(profile, &schema(), WINDOW_MS).unwrap()
}

/// A window with the same count over both lines in both directions, and so many seconds of presence.
fn totals(count: u32, present_s: u64) -> WindowTotals {
    let mut totals = WindowTotals::new(schema(), Window::new(0, WINDOW_MS).unwrap());
    for line in [LineIndex(0), LineIndex(1)] {
        let counts = totals.line_mut(line, Class::Person);
        (counts.forward, counts.backward) = (count, count);
    }
    totals.view_mut(Class::Person).present_ms = 1000 * present_s;
    totals.add_look();
    totals
}

/// How often each event happens in [`RUNS`] releases.
fn frequencies(totals: &WindowTotals, disclosure: &Disclosure, events: &[Event], seed: u64) -> Vec<u32> {
    let mut seeded = Seeded(seed);
    let mut seen = vec![0; events.len()];
    for _ in 0..RUNS {
        let released = totals.clone().release(WindowState::Closed, disclosure, &mut seeded).unwrap();
        for (seen, event) in seen.iter_mut().zip(events) {
            *seen += u32::from(event.happened(&released));
        }
    }
    seen
}

/// Something an attacker may look for.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Every figure is at least what it would be with the passage.
    All { count: u64, present_s: u64 },
    /// The first counter is at least this.
    CountFrom(u64),
    /// The first counter is withheld.
    Withheld,
}

impl Event {
    fn happened(self, released: &Released) -> bool {
        // The time comes first, then the four counters.
        let count = |index: usize| released.values[1 + index];
        match self {
            Self::All { count: least, present_s } => {
                released.values[0].is_some_and(|ms| ms >= 1000 * present_s)
                    && (0..4).all(|index| count(index).is_some_and(|count| count >= least))
            }
            Self::CountFrom(least) => count(0).is_some_and(|count| count >= least),
            Self::Withheld => count(0).is_none(),
        }
    }
}

/// The largest ε that the two frequencies prove, at the risk named above: 0 when they prove none.
fn epsilon_proved(with: u32, without: u32) -> f64 {
    let low = |seen: u32| clopper_pearson(seen, RISK).0;
    let high = |seen: u32| clopper_pearson(seen, RISK).1;
    let not = |seen: u32| RUNS - seen;
    let ratios = [
        low(with) / high(without),
        low(without) / high(with),
        low(not(with)) / high(not(without)),
        low(not(without)) / high(not(with)),
    ];
    ratios.into_iter().fold(1.0, f64::max).ln()
}

/// Clopper and Pearson's (1934) interval for a probability, from how often it came in [`RUNS`].
fn clopper_pearson(seen: u32, risk: f64) -> (f64, f64) {
    let (k, n) = (f64::from(seen), f64::from(RUNS));
    let low = if seen == 0 { 0.0 } else { beta_quantile(risk, k, n - k + 1.0) };
    let high = if seen == RUNS { 1.0 } else { beta_quantile(1.0 - risk, k + 1.0, n - k) };
    (low, high)
}

fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if beta_cdf(middle, a, b) < p { low = middle } else { high = middle }
    }
    low
}

/// The regularised incomplete beta function, by Lentz's continued fraction (DLMF 8.17.22).
fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_cdf(1.0 - x, b, a);
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln();
    let tiny = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / tiny(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..20_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for numerator in [even, odd] {
            d = 1.0 / tiny(1.0 + numerator * d);
            c = tiny(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (fraction / before - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front.exp() * fraction / a
}

/// Stirling's series; the arguments here are large, and small ones are shifted up.
fn ln_gamma(x: f64) -> f64 {
    if x < 10.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[test]
fn the_interval_is_the_published_one() {
    assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-9);
    // The median of Beta(2, 3), and a point of the binomial table: P(X >= 3 | n = 4, p = .5) = 5/16.
    assert!((beta_quantile(0.5, 2.0, 3.0) - 0.385_728).abs() < 1e-6);
    assert!((beta_cdf(0.5, 3.0, 2.0) - 0.3125).abs() < 1e-9);
}

#[test]
fn a_passage_is_hidden_as_declared() {
    let disclosure = disclosure(Profile::Statistics);
    let counter = disclosure.cells()[1];
    assert_eq!(counter.figure, Figure::LineForward(LineIndex(0)));
    let of_counter = 1.0 / counter.noise.unwrap().scale();
    // One passage over both lines, there and back, and as long in the picture as counts: all that one can do.
    let cases = [
        (
            "in a crowd",
            totals(40, 3000),
            totals(41, 3120),
            vec![
                (Event::All { count: 41, present_s: 3120 }, 1.0),
                (Event::CountFrom(41), of_counter),
                (Event::CountFrom(38), of_counter),
                (Event::CountFrom(60), of_counter),
            ],
        ),
        (
            "at the threshold",
            totals(4, 480),
            totals(5, 600),
            vec![
                (Event::All { count: 5, present_s: 600 }, 1.0),
                (Event::Withheld, of_counter),
                (Event::CountFrom(7), of_counter),
            ],
        ),
        (
            "alone",
            totals(0, 0),
            totals(1, 120),
            vec![(Event::All { count: 5, present_s: 600 }, 1.0), (Event::Withheld, of_counter)],
        ),
    ];
    let mut most = 0.0f64;
    for (name, without, with, events) in cases {
        let (events, declared): (Vec<Event>, Vec<f64>) = events.into_iter().unzip();
        let without = frequencies(&without, &disclosure, &events, 1);
        let with = frequencies(&with, &disclosure, &events, 2);
        for (index, declared) in declared.into_iter().enumerate() {
            let proved = epsilon_proved(with[index], without[index]);
            assert!(proved <= declared, "{name}, {:?}: ε ≥ {proved} of {declared}", events[index]);
            most = most.max(proved / declared);
        }
    }
    // The audit is sharp: what it proves comes close to what is declared, so a tenth more would be seen.
    assert!(most > 0.9, "{most}");
}

#[test]
fn the_audit_sees_a_passage_that_counts_too_much() {
    let disclosure = disclosure(Profile::Statistics);
    let event = [Event::All { count: 42, present_s: 3240 }];
    let without = frequencies(&totals(40, 3000), &disclosure, &event, 3);
    let with = frequencies(&totals(42, 3240), &disclosure, &event, 4);
    assert!(epsilon_proved(with[0], without[0]) > 1.5, "an eye that does not bound costs more than ε");
}

/// The most a reader recovers from one figure when the eye spends it on a message: points at a distance, the
/// nearest taken; the best distance is tried for. H(X) - H(X - X̂) is never more than what is really recovered.
fn recovered(windows: u32, max: u64, tell: &mut dyn FnMut(u64) -> u64) -> f64 {
    let mut best = 0.0f64;
    for distance in [1, 2, 3, 5, 8, 13, 21, 34, 55, 250, 600, 1000, 2000, 4000] {
        let points = max / distance + 1;
        if points < 2 {
            break;
        }
        let mut errors = std::collections::BTreeMap::<i64, u32>::new();
        for window in 0..windows {
            // The golden ratio visits all points evenly, in an order of no meaning.
            let point = (f64::from(window) * 0.618_033_988_75).fract() * points as f64;
            let sent = (point as u64).min(points - 1);
            let heard = (tell(sent * distance) + distance / 2) / distance;
            *errors.entry(sent.cast_signed() - heard.cast_signed()).or_default() += 1;
        }
        let moments = errors.values().fold((0.0, 0.0), |(mean, square), &times| {
            let p = f64::from(times) / f64::from(windows);
            (mean - p * p.log2(), square + p * p.log2().powi(2))
        });
        // A sample shows less disorder than there is, by about this (Miller 1955); finer points than the sample
        // can judge are left out.
        let kinds = errors.len() as f64;
        if kinds > f64::from(windows) / 100.0 {
            continue;
        }
        let unseen = (kinds - 1.0) / (2.0 * f64::from(windows) * std::f64::consts::LN_2);
        // Four standard deviations of the sample: what is claimed to be recovered surely is.
        let sd = ((moments.1 - moments.0 * moments.0).max(0.0) / f64::from(windows)).sqrt();
        let lost = moments.0 + unseen + 4.0 * sd;
        best = best.max((points as f64).log2() - lost);
    }
    best
}

#[test]
fn a_smuggler_gets_no_more_than_bits_per_window() {
    const WINDOWS: u32 = 10_000;
    let (disclosure, mut seeded) = (disclosure(Profile::Statistics), Seeded(5));
    let declared = disclosure.bits_by_cell();
    let mut sum = 0.0;
    for (index, cell) in disclosure.cells().iter().enumerate() {
        let bits = recovered(WINDOWS, cell.max, &mut |sent| {
            let totals = match cell.figure {
                Figure::ViewPresent => totals(0, sent),
                _ => totals(u32::try_from(sent).unwrap(), 0),
            };
            let released = totals.release(WindowState::Closed, &disclosure, &mut seeded).unwrap();
            released.values[index].map_or(0, |value| value / cell.unit)
        });
        assert!(bits <= declared[index], "{:?}: {bits} of {}", cell.figure, declared[index]);
        assert!(bits > 0.8 * declared[index], "{:?}: a better code is needed, {bits}", cell.figure);
        sum += bits;
    }
    // Observed seconds and state go through as they are.
    let sum = sum + 901f64.log2() + 1.0;
    let bound = disclosure.bits_per_window();
    assert!(sum <= bound && sum > 0.85 * bound, "{sum} of {bound}");

    // The meter would see it: without noise, one counter alone tells more than it may.
    let counter = disclosure.cells()[1];
    assert!(recovered(WINDOWS, counter.max, &mut |sent| sent) > declared[1] + 1.0);
}
