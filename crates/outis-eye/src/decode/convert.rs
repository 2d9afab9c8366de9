//! Makes frames of any pixel format readable: 8-bit planes of YUV or grey.
//!
//! Most cameras send such planes already, and those pass through untouched.

use ffmpeg_next::{
    format::Pixel,
    frame::Video,
    software::scaling::{Context, Flags, context::Definition},
};
use outis_measure::MediaTime;

use super::{
    color::{Tags, color_space},
    ffi,
};
use crate::frame::{Frame, Layout, Rotation, Unreadable, is_readable};

/// Converts frames, and keeps the tables for the format it last met.
#[derive(Default)]
pub(crate) struct Converter {
    scaler: Option<Scaler>,
}

struct Scaler {
    context: Context,
    from: Definition,
}

impl Converter {
    /// A readable frame.
    pub(crate) fn convert(
        &mut self,
        video: Video,
        at: MediaTime,
        rotation: Rotation,
    ) -> Result<Frame, Unreadable> {
        let format = video.format();
        let size = (video.width(), video.height());
        if !(1..=Frame::SIDE_MAX_PX).contains(&size.0) || !(1..=Frame::SIDE_MAX_PX).contains(&size.1) {
            return Err(Unreadable);
        }
        let tags = ffi::color_tags(&video);
        if is_readable(&video) {
            let color = color_space(tags, format, size);
            return Frame::new(video, at, rotation, color);
        }
        let (target, tags) = readable_form(format, tags).ok_or(Unreadable)?;
        self.scale(&video, target, tags, (at, rotation))
    }

    fn scale(
        &mut self,
        video: &Video,
        target: Pixel,
        tags: Tags,
        (at, rotation): (MediaTime, Rotation),
    ) -> Result<Frame, Unreadable> {
        let size = (video.width(), video.height());
        let scaler =
            self.scaler(Definition { format: video.format(), width: size.0, height: size.1 }, target)?;
        let mut out = Video::empty();
        scaler.context.run(video, &mut out).map_err(|_| Unreadable)?;
        Frame::new(out, at, rotation, color_space(tags, target, size))
    }

    fn scaler(&mut self, from: Definition, target: Pixel) -> Result<&mut Scaler, Unreadable> {
        if self.scaler.as_ref().is_none_or(|scaler| scaler.from != from) {
            let Definition { format, width, height } = from;
            // All of the chroma is used, and nothing is dithered or rounded away.
            let flags = Flags::BILINEAR | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INP;
            let context =
                Context::get(format, width, height, target, width, height, flags).map_err(|_| Unreadable)?;
            self.scaler = Some(Scaler { context, from });
        }
        self.scaler.as_mut().ok_or(Unreadable)
    }
}

/// The readable format nearest to another one, and the colour tags that then hold.
fn readable_form(format: Pixel, tags: Tags) -> Option<(Pixel, Tags)> {
    let descriptor = format.descriptor()?;
    if Layout::of(format).is_some() {
        // Only the order of its rows is wrong.
        return Some((format, tags));
    }
    if ffi::is_rgb(format) {
        // libswscale makes YUV of RGB by BT.601 and in limited range unless told otherwise.
        return Some((Pixel::YUV444P, Tags { matrix: 6, range: 1 }));
    }
    let target = match (descriptor.nb_components(), descriptor.log2_chroma_w(), descriptor.log2_chroma_h()) {
        (1 | 2, ..) => Pixel::GRAY8,
        (_, 1, 1) => Pixel::YUV420P,
        (_, 1, 0) => Pixel::YUV422P,
        _ => Pixel::YUV444P,
    };
    Some((target, tags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Range;

    /// Red, green and blue of a flat picture. No two alike, so that a swap shows.
    const COLOR: [u8; 3] = [200, 90, 40];

    /// BT.601 luma weights, and the spans of luma and chroma in limited range (ITU-R BT.601-7 §2.5).
    fn yuv_limited() -> [f32; 3] {
        let [r, g, b] = COLOR.map(|value| f32::from(value) / 255.0);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.772, 128.0 + 224.0 * (r - y) / 1.402]
    }

    /// A flat picture in some pixel format, made from RGB by libswscale.
    fn flat(format: Pixel) -> Video {
        let (width, height) = (67, 35);
        let mut rgb = Video::new(Pixel::RGB24, width, height);
        let stride = rgb.stride(0);
        for row in rgb.data_mut(0).chunks_exact_mut(stride) {
            row[..3 * width as usize].as_chunks_mut().0.fill(COLOR);
        }
        let flags = Flags::BILINEAR | Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT | Flags::FULL_CHR_H_INP;
        let mut scaler = Context::get(Pixel::RGB24, width, height, format, width, height, flags).unwrap();
        let mut out = Video::empty();
        scaler.run(&rgb, &mut out).unwrap();
        out
    }

    fn converted(video: Video) -> Frame {
        Converter::default().convert(video, MediaTime::ZERO, Rotation::None).expect("readable")
    }

    /// The values in the middle and in the last corner, which an odd size puts at risk.
    fn check(name: &str, frame: &Frame, expected: [f32; 3]) {
        let luma = frame.luma();
        let mut planes = vec![(luma, expected[0])];
        if let Some((u, v)) = frame.chroma() {
            planes.extend([(u, expected[1]), (v, expected[2])]);
        }
        for (plane, (view, expected)) in planes.into_iter().enumerate() {
            for (x, y) in [(view.width / 2, view.height / 2), (view.width - 1, view.height - 1)] {
                let found = f32::from(view.row(y)[x]);
                assert!((found - expected).abs() <= 2.0, "{name} plane {plane}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn every_format_shows_the_same_colour() {
        use Pixel::*;
        let formats = [
            YUV420P,
            YUV422P,
            YUV444P,
            YUV440P,
            YUV411P,
            YUV410P,
            NV12,
            NV21,
            YUYV422,
            UYVY422,
            YUV420P10LE,
            YUV422P10LE,
            YUV444P10LE,
            YUV420P12LE,
            YUV420P16LE,
            P010LE,
            RGB24,
            BGR24,
            RGBA,
            BGRA,
            GBRP,
            GBRP10LE,
        ];
        for format in formats {
            let name = format.descriptor().unwrap().name();
            let frame = converted(flat(format));
            assert_eq!((frame.width_px(), frame.height_px()), (67, 35), "{name}");
            assert_eq!(frame.color().range, Range::Limited, "{name}");
            assert!(frame.chroma().is_some(), "{name}");
            check(name, &frame, yuv_limited());
        }
    }

    #[test]
    fn full_range_stays_full() {
        let [y, u, v] = yuv_limited();
        let full = [
            (y - 16.0) / 219.0 * 255.0,
            (u - 128.0) / 224.0 * 255.0 + 128.0,
            (v - 128.0) / 224.0 * 255.0 + 128.0,
        ];
        for format in [Pixel::YUVJ420P, Pixel::YUVJ422P, Pixel::YUVJ444P] {
            let frame = converted(flat(format));
            assert_eq!(frame.color().range, Range::Full);
            check(format.descriptor().unwrap().name(), &frame, full);
        }
    }

    #[test]
    fn grey_has_no_chroma() {
        let grey = (yuv_limited()[0] - 16.0) / 219.0 * 255.0;
        for format in [Pixel::GRAY8, Pixel::GRAY10LE, Pixel::GRAY12LE, Pixel::GRAY16LE, Pixel::YA8] {
            let name = format.descriptor().unwrap().name();
            let frame = converted(flat(format));
            assert!(frame.chroma().is_none(), "{name}");
            assert_eq!(frame.color().range, Range::Full, "{name}");
            check(name, &frame, [grey, 0.0, 0.0]);
        }
    }

    #[test]
    fn a_change_of_format_makes_new_tables() {
        let mut converter = Converter::default();
        for format in [Pixel::RGB24, Pixel::NV12, Pixel::YUV420P, Pixel::RGB24] {
            let frame = converter.convert(flat(format), MediaTime::ZERO, Rotation::None).unwrap();
            check("in turn", &frame, yuv_limited());
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (format, width, height) in [
            (Pixel::VAAPI, 64, 64),
            (Pixel::YUV420P, 20_000, 2),
            (Pixel::YUV420P, 0, 0),
            (Pixel::None, 64, 64),
        ] {
            let mut video = Video::empty();
            video.set_format(format);
            video.set_width(width);
            video.set_height(height);
            let converted = Converter::default().convert(video, MediaTime::ZERO, Rotation::None);
            assert_eq!(converted.err(), Some(Unreadable), "{format:?} {width}x{height}");
        }
    }
}
