//! How dark a view is. Knows its mean brightness only.

use crate::frame::Range;

/// What a well exposed picture is on average, as a share of the way from black to white: middle grey reflects 18 %, which
/// is coded as 1.099 x 0.18^0.45 - 0.099 (ITU-R BT.709-6, section 1).
const MIDDLE_GREY: f32 = 0.409;
/// A view is dark from this share of middle grey down, and no more so below the other.
const DARK_FROM: f32 = 0.5;
const DARK_BELOW: f32 = 0.25;

/// Of a view with this mean brightness, as its frames code it: 0 when it is as bright as most, 1 when it is dark.
pub(super) fn darkness(mean: u8, range: Range) -> f32 {
    let (black, white) = range.black_and_white();
    let of_grey = (f32::from(mean) - black) / (white - black) / MIDDLE_GREY;
    ((DARK_FROM - of_grey) / (DARK_FROM - DARK_BELOW)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_dark_below_half_of_middle_grey() {
        // Codes of middle grey: 16 + 219 x 0.409 = 106, or 255 x 0.409 = 104.
        let cases = [
            (106, Range::Limited, 0.0),
            (61, Range::Limited, 0.0),
            (50, Range::Limited, 0.48),
            (38, Range::Limited, 1.0),
            (0, Range::Limited, 1.0),
            (104, Range::Full, 0.0),
            (53, Range::Full, 0.0),
            (26, Range::Full, 1.0),
            (0, Range::Full, 1.0),
        ];
        for (mean, range, expected) in cases {
            let found = darkness(mean, range);
            assert!((found - expected).abs() < 0.01, "{mean} of {range:?}: {found} is not {expected}");
        }
    }
}
