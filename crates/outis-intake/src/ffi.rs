//! Fields of libavformat's structures that the wrapper crate has no safe accessor for. Reads only.
#![allow(unsafe_code)]

use std::{ffi::CStr, mem, slice};

use ffmpeg_next::{
    Stream, ffi,
    ffi::{AVDurationEstimationMethod, AVPixelFormat},
    format::context::Input,
};

/// A stream's codec parameters, as plain values.
pub(crate) struct Parameters {
    pub(crate) codec_tag: u32,
    pub(crate) extradata: Vec<u8>,
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) pixel_format: Option<String>,
    pub(crate) bits_per_sample: i32,
    pub(crate) profile: i32,
    pub(crate) level: i32,
    pub(crate) reorder_frames: i32,
    pub(crate) matrix: i32,
    pub(crate) range: i32,
}

/// Reads a stream's codec parameters.
pub(crate) fn parameters(stream: &Stream<'_>) -> Parameters {
    // SAFETY: a stream borrows its open context, and every AVStream of one has codec parameters.
    let p = unsafe { &*(*stream.as_ptr()).codecpar };
    let extradata = match usize::try_from(p.extradata_size) {
        // SAFETY: libavcodec/codec_par.h: `extradata` points to `extradata_size` bytes.
        Ok(size) if !p.extradata.is_null() => unsafe { slice::from_raw_parts(p.extradata, size) }.to_vec(),
        _ => Vec::new(),
    };
    Parameters {
        codec_tag: p.codec_tag,
        extradata,
        width: p.width,
        height: p.height,
        pixel_format: pixel_format_name(p.format),
        bits_per_sample: p.bits_per_coded_sample,
        profile: p.profile,
        level: p.level,
        reorder_frames: p.video_delay,
        matrix: p.color_space as i32,
        range: p.color_range as i32,
    }
}

fn pixel_format_name(format: i32) -> Option<String> {
    if format < 0 {
        return None;
    }
    // SAFETY: for a video stream `format` holds a value of this enumeration, written by the library whose
    // headers the enumeration was generated from.
    let format = unsafe { mem::transmute::<i32, AVPixelFormat>(format) };
    // SAFETY: takes any value and returns null or a static string.
    let name = unsafe { ffi::av_get_pix_fmt_name(format) };
    // SAFETY: not null, and terminated by a zero byte.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

/// The length that the container states, in microseconds; `None` when it does not, or when libavformat has only
/// guessed it from the size of the file.
pub(crate) fn stated_duration_us(input: &Input) -> Option<i64> {
    // SAFETY: `input` owns an open context.
    let context = unsafe { &*input.as_ptr() };
    let guessed =
        context.duration_estimation_method == AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    // AV_NOPTS_VALUE is negative.
    Some(context.duration).filter(|&duration| duration > 0 && !guessed)
}
