//! Sound as numbers: another rate, another volume, never louder than full.

/// Samples between -1 and 1, of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sound {
    pub(crate) samples: Vec<f32>,
    pub(crate) rate_hz: u32,
}

/// How much of the input the resampler looks at on either side, in periods of the lower rate.
const REACH: f64 = 16.0;

/// The share of the band that is kept; the rest is where the filter falls.
const BAND: f64 = 0.92;

/// Peaks stay below this: one decibel under full scale, because what is behind may overshoot.
const CEILING: f32 = 0.891;

/// The limiter begins to turn down this long before a peak, and is back as long after it, in seconds.
const LIMITER_S: f32 = 0.005;

impl Sound {
    /// The same at another rate: a windowed sinc (Smith, "Digital Audio Resampling", 1984; Blackman's window).
    pub(crate) fn at_rate(&self, rate_hz: u32) -> Self {
        if rate_hz == self.rate_hz {
            return self.clone();
        }
        let step = f64::from(self.rate_hz) / f64::from(rate_hz);
        // In units of the input's rate: half of the narrower band.
        let cutoff = BAND * (1.0 / step).min(1.0);
        let reach = REACH / (1.0 / step).min(1.0);
        let length = (self.samples.len() as f64 / step).round() as usize;
        let tap = |distance: f64| {
            let x = std::f64::consts::PI * distance * cutoff;
            let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
            let turn = std::f64::consts::PI * distance / reach;
            sinc * cutoff * (0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
        };
        let sample = |index: usize| {
            let at = index as f64 * step;
            let first = (at - reach).ceil().max(0.0) as usize;
            let last = ((at + reach).floor() as usize).min(self.samples.len() - 1);
            let near = self.samples.get(first..=last).unwrap_or_default();
            let sum = near.iter().zip(first..).map(|(&value, i)| f64::from(value) * tap(at - i as f64));
            sum.sum::<f64>() as f32
        };
        Self { samples: (0..length).map(sample).collect(), rate_hz }
    }

    /// One after the other, with a pause in seconds between; all at the rate of the first.
    pub(crate) fn join(sounds: &[Self], pause_s: f32) -> Option<Self> {
        let rate_hz = sounds.first()?.rate_hz;
        let pause = vec![0.0; (pause_s * rate_hz as f32) as usize];
        let parts: Vec<Vec<f32>> = sounds.iter().map(|sound| sound.at_rate(rate_hz).samples).collect();
        Some(Self { samples: parts.join(&pause[..]), rate_hz })
    }

    /// Louder by so many decibels, or quieter below zero. What would go beyond full scale is turned down for a moment.
    pub(crate) fn amplified(&self, gain_db: f32) -> Self {
        let gain = 10f32.powf(gain_db / 20.0);
        let loud: Vec<f32> = self.samples.iter().map(|sample| sample * gain).collect();
        let reach = ((LIMITER_S * self.rate_hz as f32) as usize).max(1);
        // The least gain that any sample within reach needs, and then the mean of those within reach: it is steady, and
        // at each sample no higher than that sample needs, because all within its reach are not.
        let needed: Vec<f32> = loud.iter().map(|sample| (CEILING / sample.abs()).min(1.0)).collect();
        let around = |index: usize| index.saturating_sub(reach)..(index + reach + 1).min(loud.len());
        let least: Vec<f32> =
            (0..loud.len()).map(|index| needed[around(index)].iter().copied().fold(1.0, f32::min)).collect();
        let samples = loud.iter().enumerate().map(|(index, sample)| {
            let near = &least[around(index)];
            sample * near.iter().sum::<f32>() / near.len() as f32
        });
        Self { samples: samples.collect(), ..*self }
    }

    /// As sixteen-bit samples.
    pub(crate) fn pcm(&self) -> Vec<i16> {
        self.samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16).collect()
    }

    /// How long it is, in seconds.
    pub(crate) fn length_s(&self) -> f32 {
        self.samples.len() as f32 / self.rate_hz as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, rate_hz: u32, amplitude: f32) -> Sound {
        let step = std::f32::consts::TAU * hz / rate_hz as f32;
        Sound { samples: (0..rate_hz).map(|n| amplitude * (n as f32 * step).sin()).collect(), rate_hz }
    }

    /// Root mean square, without the ends.
    fn level(sound: &Sound) -> f32 {
        let middle = &sound.samples[sound.samples.len() / 8..sound.samples.len() * 7 / 8];
        (middle.iter().map(|sample| sample * sample).sum::<f32>() / middle.len() as f32).sqrt()
    }

    #[test]
    fn what_fits_the_new_rate_stays_and_the_rest_goes() {
        // (tone, from, to, level in decibels)
        let cases = [
            (1_000.0, 22_050, 8_000, -0.1..0.1),
            (3_000.0, 22_050, 8_000, -0.5..0.5),
            (5_000.0, 22_050, 8_000, -200.0..-50.0),
            (1_000.0, 44_100, 8_000, -0.1..0.1),
            (1_000.0, 8_000, 16_000, -0.1..0.1),
            (1_000.0, 8_000, 8_000, -0.001..0.001),
        ];
        for (hz, from, to, expected) in cases {
            let before = tone(hz, from, 0.5);
            let after = before.at_rate(to);
            assert_eq!(after.samples.len(), to as usize, "{hz} Hz from {from} to {to}: a second is a second");
            let change_db = 20.0 * (level(&after) / level(&before)).log10();
            assert!(expected.contains(&change_db), "{hz} Hz from {from} to {to}: {change_db} dB");
        }
    }

    #[test]
    fn louder_and_never_too_loud() {
        let quiet = tone(440.0, 8_000, 0.1);
        let change_db = |gain| 20.0 * (level(&quiet.amplified(gain)) / level(&quiet)).log10();
        assert!((change_db(6.0) - 6.0).abs() < 0.01 && (change_db(-12.0) + 12.0).abs() < 0.01);
        // 0.1 by 40 dB would be ten times full scale.
        let loud = quiet.amplified(40.0);
        let peak = loud.samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.85..=CEILING + 1e-4).contains(&peak), "{peak}");
        assert!(loud.pcm().iter().all(|sample| sample.abs() < 29_300));
        let burst: Vec<f32> = (0..8_000).map(|n| if n == 4_000 { 0.9 } else { 0.1 }).collect();
        let burst = Sound { samples: burst, rate_hz: 8_000 }.amplified(6.0);
        assert!(
            burst.samples[4_000] <= CEILING + 1e-4 && burst.samples[100] > 0.19,
            "far from the peak nothing changes"
        );
    }

    #[test]
    fn parts_come_one_after_the_other() {
        let joined = Sound::join(&[tone(440.0, 16_000, 0.5), tone(440.0, 8_000, 0.5)], 0.5).unwrap();
        assert_eq!((joined.rate_hz, joined.length_s()), (16_000, 2.5));
        assert!(joined.samples[17_000..23_000].iter().all(|&sample| sample == 0.0));
        assert_eq!(Sound::join(&[], 0.5), None);
    }
}
