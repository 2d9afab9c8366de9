//! What the wrapper crate has no safe function for: fields of libavformat's structures, and to open an address without
//! reading on.
#![allow(unsafe_code)]

use std::{ffi::CStr, mem, ptr, slice};

use ffmpeg_next::{
    Dictionary, Error, Stream, ffi,
    ffi::{AVDurationEstimationMethod, AVPixelFormat},
    format::context::Input,
    util::interrupt,
};

/// Calls an address, up to the point where packets would be read. It is given up when `is_over` says so, now and at every
/// later read.
///
/// # Errors
/// What libavformat says.
pub(crate) fn call(
    address: &CStr,
    format: &CStr,
    options: Dictionary<'_>,
    is_over: impl FnMut() -> bool + Send + 'static,
) -> Result<Input, Error> {
    // SAFETY: takes a string that ends with zero; answers null or a static structure.
    let format = unsafe { ffi::av_find_input_format(format.as_ptr()) };
    if format.is_null() {
        return Err(Error::DemuxerNotFound);
    }
    // SAFETY: no arguments; answers null or a context that is ours.
    let mut context = unsafe { ffi::avformat_alloc_context() };
    if context.is_null() {
        return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
    }
    let patience = interrupt::new(Box::new(is_over));
    // SAFETY: the context is ours, and the guard, which owns what the callback uses, lives as long as the context: it goes
    // with the `Input`, or with this function, where libavformat has freed the context.
    unsafe { (*context).interrupt_callback = patience.interrupt };
    // SAFETY: gives up the list of options, which is owned again below.
    let mut options = unsafe { options.disown() };
    // SAFETY: all pointers are valid; after an error libavformat has freed the context and set it to null.
    let opened =
        unsafe { ffi::avformat_open_input(&raw mut context, address.as_ptr(), format, &raw mut options) };
    // SAFETY: what is left of the options is ours.
    drop(unsafe { Dictionary::own(options) });
    if opened < 0 {
        debug_assert_eq!(context, ptr::null_mut());
        return Err(Error::from(opened));
    }
    // SAFETY: an open context that nobody else owns.
    Ok(unsafe { Input::wrap_with_interrupt(context, patience.guard) })
}

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
