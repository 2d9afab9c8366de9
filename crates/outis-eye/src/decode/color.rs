//! What the tags of a stream say about its colours, and what is assumed when they say nothing.

use ffmpeg_next::format::Pixel;

use crate::frame::{ColorSpace, Matrix, Range};

/// The numbers of ITU-T H.273 as libav keeps them in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tags {
    /// Matrix coefficients.
    pub(crate) matrix: u32,
    /// 0 unknown, 1 limited, 2 full.
    pub(crate) range: u32,
}

/// How the values of an 8-bit YUV or grey frame of this format and size are meant.
pub(crate) fn color_space(tags: Tags, format: Pixel, (width, height): (u32, u32)) -> ColorSpace {
    ColorSpace { matrix: matrix(tags.matrix, (width, height)), range: range(tags.range, format) }
}

fn matrix(tag: u32, (width, height): (u32, u32)) -> Matrix {
    match tag {
        // SMPTE 240M, the analogue ancestor of BT.709, differs from it by less than eyes see.
        1 | 7 => Matrix::Bt709,
        4..=6 => Matrix::Bt601,
        9 | 10 => Matrix::Bt2020,
        // Untagged: standard definition has the old coefficients, high definition the new ones.
        _ if width.max(height) >= 1280 || width.min(height) >= 720 => Matrix::Bt709,
        _ => Matrix::Bt601,
    }
}

fn range(tag: u32, format: Pixel) -> Range {
    let full_by_format = matches!(
        format,
        Pixel::YUVJ420P
            | Pixel::YUVJ422P
            | Pixel::YUVJ440P
            | Pixel::YUVJ444P
            | Pixel::YUVJ411P
            // libav takes grey without a tag as full.
            | Pixel::GRAY8
    );
    match tag {
        1 => Range::Limited,
        2 => Range::Full,
        _ if full_by_format => Range::Full,
        _ => Range::Limited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_win_over_guesses() {
        use {Matrix::*, Range::*};
        const SD: (u32, u32) = (768, 576);
        const HD: (u32, u32) = (1920, 1080);
        let cases = [
            ("standard definition", (2, 0), Pixel::YUV420P, SD, (Bt601, Limited)),
            ("high definition", (2, 0), Pixel::YUV420P, HD, (Bt709, Limited)),
            ("upright telephone", (2, 0), Pixel::YUV420P, (480, 854), (Bt601, Limited)),
            ("cinema format", (2, 0), Pixel::YUV420P, (1280, 534), (Bt709, Limited)),
            ("JPEG", (5, 2), Pixel::YUVJ422P, HD, (Bt601, Full)),
            ("JPEG without tags", (2, 0), Pixel::YUVJ420P, SD, (Bt601, Full)),
            ("tagged against its size", (1, 2), Pixel::YUV420P, SD, (Bt709, Full)),
            ("ultra high definition", (9, 1), Pixel::YUV420P, (3840, 2160), (Bt2020, Limited)),
            ("grey", (2, 0), Pixel::GRAY8, SD, (Bt601, Full)),
            ("limited grey", (2, 1), Pixel::GRAY8, SD, (Bt601, Limited)),
        ];
        for (name, (matrix, range), format, size, expected) in cases {
            let space = color_space(Tags { matrix, range }, format, size);
            assert_eq!((space.matrix, space.range), expected, "{name}");
        }
    }
}
