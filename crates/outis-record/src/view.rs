//! How a camera hangs and looks, as the people tell who walk before it, and how well they tell it. Plain numbers of the camera, none of a person.

/// A camera over flat ground: what the eye says once at the end of a run, when it was asked to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroundView {
    /// Focal length in tenths of a pixel.
    pub focal_dpx: u32,
    /// Height above the ground in millimetres.
    pub height_mm: u32,
    /// By how much it looks below the horizon, in thousandths of a degree.
    pub pitch_mdeg: i32,
    /// By how much the horizon is turned clockwise, in thousandths of a degree.
    pub roll_mdeg: i32,
    /// How many people it was made of.
    pub people: u16,
    /// Typical deviation of a box's height from its person's, in thousandths.
    pub residual_permille: u16,
    /// Standard deviation of the focal length, in thousandths.
    pub focal_permille: u16,
    /// Share of the picture in which distances are good, in percent.
    pub good_percent: u8,
    /// Share in which they are fair.
    pub fair_percent: u8,
}

impl GroundView {
    /// The most people that are counted here.
    pub const PEOPLE_MAX: u16 = 1000;

    /// Whether a camera can be like this.
    pub fn is_possible(&self) -> bool {
        (10..=1_000_000).contains(&self.focal_dpx)
            && (100..=200_000).contains(&self.height_mm)
            && (-90_000..=90_000).contains(&self.pitch_mdeg)
            && (-45_000..=45_000).contains(&self.roll_mdeg)
            && (1..=Self::PEOPLE_MAX).contains(&self.people)
            && self.residual_permille <= 1000
            && self.focal_permille <= 1000
            && self.good_percent <= 100 - self.fair_percent.min(100)
            && self.fair_percent <= 100
    }

    pub(crate) fn to_wire(self) -> [u64; 3] {
        let low_high = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let percents = u32::from(self.good_percent) | u32::from(self.fair_percent) << 8;
        [
            low_high(self.focal_dpx, self.height_mm),
            low_high(self.pitch_mdeg.cast_unsigned(), self.roll_mdeg.cast_unsigned()),
            u64::from(self.people)
                | u64::from(self.residual_permille) << 16
                | u64::from(self.focal_permille) << 32
                | u64::from(percents) << 48,
        ]
    }

    /// `None` when no camera can be like this.
    pub(crate) fn from_wire([a, b, c]: [u64; 3]) -> Option<Self> {
        let (low, high) = (|v: u64| v as u32, |v: u64| (v >> 32) as u32);
        let view = Self {
            focal_dpx: low(a),
            height_mm: high(a),
            pitch_mdeg: low(b).cast_signed(),
            roll_mdeg: high(b).cast_signed(),
            people: c as u16,
            residual_permille: (c >> 16) as u16,
            focal_permille: (c >> 32) as u16,
            good_percent: (c >> 48) as u8,
            fair_percent: (c >> 56) as u8,
        };
        view.is_possible().then_some(view)
    }
}

/// How well a distance is known in a part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Quality {
    /// Within 10 % (one standard deviation).
    Good = 0,
    /// Within 20 %.
    Fair = 1,
    /// Worse, or above the horizon.
    Poor = 2,
}

/// Where in the picture distances are known, cell by cell: what the eye says beside its [`GroundView`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroundQuality(pub [Quality; GroundQuality::CELLS]);

impl GroundQuality {
    /// Cells across and down; row by row, from the upper left corner.
    pub const GRID: (u16, u16) = (12, 8);
    /// All cells.
    pub const CELLS: usize = 96;
    const PER_WORD: usize = 32;

    pub(crate) fn to_wire(self) -> [u64; 3] {
        let mut words = [0; 3];
        for (index, quality) in self.0.into_iter().enumerate() {
            words[index / Self::PER_WORD] |= u64::from(quality as u8) << (2 * (index % Self::PER_WORD));
        }
        words
    }

    /// `None` when a cell is of a fourth kind.
    pub(crate) fn from_wire(words: [u64; 3]) -> Option<Self> {
        let mut cells = [Quality::Poor; Self::CELLS];
        for (index, cell) in cells.iter_mut().enumerate() {
            *cell = match words[index / Self::PER_WORD] >> (2 * (index % Self::PER_WORD)) & 3 {
                0 => Quality::Good,
                1 => Quality::Fair,
                2 => Quality::Poor,
                _ => return None,
            };
        }
        Some(Self(cells))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn view() -> impl Strategy<Value = GroundView> {
        let sizes = (10u32..=1_000_000, 100u32..=200_000, -90_000..=90_000, -45_000..=45_000);
        let shares = (1u16..=1000, 0u16..=1000, 0u16..=1000, 0u8..=50, 0u8..=50);
        (sizes, shares).prop_map(|((focal_dpx, height_mm, pitch_mdeg, roll_mdeg), shares)| {
            let (people, residual_permille, focal_permille, good_percent, fair_percent) = shares;
            GroundView {
                focal_dpx,
                height_mm,
                pitch_mdeg,
                roll_mdeg,
                people,
                residual_permille,
                focal_permille,
                good_percent,
                fair_percent,
            }
        })
    }

    #[test]
    fn no_camera_is_like_this() {
        let camera = GroundView {
            focal_dpx: 11_900,
            height_mm: 7070,
            pitch_mdeg: 16_500,
            roll_mdeg: -3_100,
            people: 20,
            residual_permille: 30,
            focal_permille: 80,
            good_percent: 50,
            fair_percent: 30,
        };
        assert_eq!(GroundView::from_wire(camera.to_wire()), Some(camera));
        let cases = [
            ("no focal length", GroundView { focal_dpx: 0, ..camera }),
            ("in the clouds", GroundView { height_mm: 300_000, ..camera }),
            ("over its head", GroundView { pitch_mdeg: 90_001, ..camera }),
            ("on its side", GroundView { roll_mdeg: -45_001, ..camera }),
            ("nobody", GroundView { people: 0, ..camera }),
            ("more than the picture", GroundView { good_percent: 71, ..camera }),
        ];
        for (name, camera) in cases {
            assert_eq!(GroundView::from_wire(camera.to_wire()), None, "{name}");
        }
    }

    /// On the heap: so many strategies side by side are too much for the stack of a test.
    pub(crate) fn quality() -> impl Strategy<Value = GroundQuality> {
        const KINDS: [Quality; 3] = [Quality::Good, Quality::Fair, Quality::Poor];
        prop::collection::vec(0..KINDS.len(), GroundQuality::CELLS)
            .prop_map(|cells| GroundQuality(std::array::from_fn(|cell| KINDS[cells[cell]])))
    }

    #[test]
    fn a_fourth_quality_is_refused() {
        let cells = GroundQuality([Quality::Fair; GroundQuality::CELLS]);
        assert_eq!(GroundQuality::from_wire(cells.to_wire()), Some(cells));
        let (columns, rows) = GroundQuality::GRID;
        assert_eq!(usize::from(columns * rows), GroundQuality::CELLS);
        for word in 0..3 {
            let mut words = cells.to_wire();
            words[word] |= 3 << 40;
            assert_eq!(GroundQuality::from_wire(words), None, "{word}");
        }
    }
}
