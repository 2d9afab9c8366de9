//! How fast packets are passed on. Knows media time only; the wall clock is an argument.

use std::time::Duration;

/// The speed, and the moment it counts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Media seconds per second; 0 is as fast as possible.
    speed: f64,
    anchor: Option<Anchor>,
}

/// A packet that went out: from it the due times of all later ones are told.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Anchor {
    media_us: i64,
    wall: Duration,
}

impl Pace {
    /// A packet may wait this long, in media time, for its turn; a wider gap is a jump of the clock,
    /// and nobody waits for that.
    const GAP_MAX: Duration = Duration::from_secs(10);

    const SPEED_MAX: f64 = 1000.0;

    /// Reads a speed from the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let speed = text.parse::<f64>().ok().filter(|s| (0.0..=Self::SPEED_MAX).contains(s));
        let speed = speed.ok_or_else(|| format!("a speed is a number from 0 to {}", Self::SPEED_MAX))?;
        Ok(Self { speed, anchor: None })
    }

    /// How long the packet decoded at `media_us` microseconds has to wait at the moment `wall`.
    pub(crate) fn wait(&mut self, media_us: i64, wall: Duration) -> Duration {
        if self.speed == 0.0 {
            return Duration::ZERO;
        }
        let anchor = *self.anchor.get_or_insert(Anchor { media_us, wall });
        let media_s = media_us.saturating_sub(anchor.media_us) as f64 * 1e-6;
        let due_s = anchor.wall.as_secs_f64() + media_s / self.speed;
        let wait_s = due_s - wall.as_secs_f64();
        if (wait_s * self.speed).abs() > Self::GAP_MAX.as_secs_f64() {
            self.anchor = Some(Anchor { media_us, wall });
            return Duration::ZERO;
        }
        Duration::from_secs_f64(wait_s.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn speeds_are_numbers_in_reach() {
        for (text, good) in [
            ("1", true),
            ("0", true),
            ("2.5", true),
            ("-1", false),
            ("nan", false),
            ("1e9", false),
            ("x", false),
        ] {
            assert_eq!(Pace::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn packets_wait_for_their_turn() {
        /// Media, wall and wait in milliseconds, packet by packet.
        type Case = (&'static str, &'static [(i64, u64, u64)]);
        let cases: [Case; 4] = [
            (
                "real time, no drift",
                &[(0, 100, 0), (40, 101, 39), (80, 140, 40), (120, 300, 0), (160, 301, 0)],
            ),
            ("reordered", &[(0, 0, 0), (80, 0, 80), (40, 80, 0)]),
            ("jump ahead", &[(0, 0, 0), (60_000, 0, 0), (60_040, 0, 40)]),
            ("jump back", &[(60_000, 0, 0), (0, 0, 0), (40, 0, 40)]),
        ];
        for (name, packets) in cases {
            let mut pace = Pace::parse("1").unwrap();
            for &(media_ms, wall_ms, wait_ms) in packets {
                let wait = pace.wait(media_ms * 1000, MS(wall_ms));
                assert_eq!(wait.as_millis() as u64, wait_ms, "{name} at {media_ms}");
            }
        }
        let mut double = Pace::parse("2").unwrap();
        double.wait(0, MS(0));
        assert_eq!(double.wait(1_000_000, MS(0)), MS(500));
        assert_eq!(Pace::parse("0").unwrap().wait(9, MS(0)), MS(0));
    }
}
