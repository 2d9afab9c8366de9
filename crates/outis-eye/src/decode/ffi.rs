//! Foreign calls into libavcodec and libavutil that the wrapper crate has no safe form of.
#![allow(unsafe_code)]

use std::{
    ffi::{CString, c_int},
    ptr, slice,
};

use ffmpeg_next::{
    codec::{self, Context, Parameters, packet::Packet as LibavPacket, packet::Ref as _},
    ffi::{self, AVCodecParameters, AVColorRange, AVColorSpace},
    format::Pixel,
    frame::Video,
};
use outis_packet::{Header, Name};

use super::color::Tags;

/// The bytes that libavcodec may read beyond the end of a buffer it is given.
const PADDING: usize = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;

/// The codec that libav calls by a name, when this build of it knows the name.
pub(crate) fn codec_id(name: &Name) -> Option<codec::Id> {
    let name = CString::new(name.as_str()).ok()?;
    // SAFETY: takes a string that ends with zero, returns null or a static description.
    let descriptor = unsafe { ffi::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref()? };
    Some(descriptor.id.into())
}

/// Codec parameters from the header of a stream; `None` when memory runs out.
pub(crate) fn parameters(codec: codec::Id, header: &Header) -> Option<Parameters> {
    let mut parameters = Parameters::new();
    parameters.set_medium(ffmpeg_next::media::Type::Video);
    parameters.set_id(codec);
    // SAFETY: `parameters` owns the structure it has just allocated; null when memory ran out.
    let p: &mut AVCodecParameters = unsafe { parameters.as_mut_ptr().as_mut()? };
    p.codec_tag = header.codec_tag;
    p.width = c_int::try_from(header.width_px).ok()?;
    p.height = c_int::try_from(header.height_px).ok()?;
    p.format = header.pixel_format.as_ref().map_or(-1, pixel_format);
    p.bits_per_coded_sample = c_int::try_from(header.bits_per_sample).ok()?;
    p.profile = header.profile;
    p.level = header.level;
    p.video_delay = header.reorder_frames.into();
    p.color_range = match header.range {
        1 => AVColorRange::AVCOL_RANGE_MPEG,
        2 => AVColorRange::AVCOL_RANGE_JPEG,
        _ => AVColorRange::AVCOL_RANGE_UNSPECIFIED,
    };
    p.color_space = match header.matrix {
        1 => AVColorSpace::AVCOL_SPC_BT709,
        5 | 6 => AVColorSpace::AVCOL_SPC_BT470BG,
        9 | 10 => AVColorSpace::AVCOL_SPC_BT2020_NCL,
        _ => AVColorSpace::AVCOL_SPC_UNSPECIFIED,
    };
    let extradata = &header.extradata;
    if !extradata.is_empty() {
        p.extradata_size = c_int::try_from(extradata.len()).ok()?;
        // SAFETY: returns null or that many zeroed bytes, which the parameters own and free.
        p.extradata = unsafe { ffi::av_mallocz(extradata.len() + PADDING) }.cast();
        if p.extradata.is_null() {
            return None;
        }
        // SAFETY: both are `extradata.len()` bytes long at least, and one of them is new.
        unsafe { ptr::copy_nonoverlapping(extradata.as_ptr(), p.extradata, extradata.len()) };
    }
    Some(parameters)
}

fn pixel_format(name: &Name) -> c_int {
    let Ok(name) = CString::new(name.as_str()) else { return -1 };
    // SAFETY: takes a string that ends with zero, returns a value of the enumeration, -1 for an unknown name.
    unsafe { ffi::av_get_pix_fmt(name.as_ptr()) as c_int }
}

/// Bounds what a decoder may do with hostile bytes: no picture of more pixels than this.
pub(crate) fn limit_pixels(context: &mut Context, pixels_max: u32) {
    // SAFETY: `context` owns a valid AVCodecContext.
    unsafe { (*context.as_mut_ptr()).max_pixels = pixels_max.into() };
}

/// Gives a packet new codec parameters, which hold from it on. Returns whether there was memory for them.
pub(crate) fn attach_extradata(packet: &mut LibavPacket, extradata: &[u8]) -> bool {
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA;
    // SAFETY: the packet is valid and owned; the call returns null or `extradata.len()` bytes within it.
    // The cast takes back a const that the wrapper's read-only view added to memory we own.
    let side =
        unsafe { ffi::av_packet_new_side_data(packet.as_ptr().cast_mut(), kind, extradata.len() as _) };
    if side.is_null() {
        return false;
    }
    // SAFETY: see above; the memory is new, so it does not overlap.
    unsafe { ptr::copy_nonoverlapping(extradata.as_ptr(), side, extradata.len()) };
    true
}

/// When a decoded frame is shown, in units of the stream's time base: by its own timestamp as far as libav could
/// make one out, else by that of the packet that completed it.
pub(crate) fn shown_at(video: &Video) -> Option<i64> {
    // SAFETY: `video` owns a valid AVFrame.
    let frame = unsafe { &*video.as_ptr() };
    [frame.best_effort_timestamp, frame.pkt_dts].into_iter().find(|&time| time != ffi::AV_NOPTS_VALUE)
}

/// What a decoded frame says about its colours.
pub(crate) fn color_tags(video: &Video) -> Tags {
    // SAFETY: `video` owns a valid AVFrame.
    let frame = unsafe { &*video.as_ptr() };
    Tags { matrix: frame.colorspace as u32, range: frame.color_range as u32 }
}

/// Whether the samples of a pixel format are red, green and blue, also by way of a palette.
pub(crate) fn is_rgb(format: Pixel) -> bool {
    let Some(descriptor) = format.descriptor() else { return false };
    // SAFETY: descriptors are static.
    let flags = unsafe { (*descriptor.as_ptr()).flags };
    flags & (ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) as u64 != 0
}

/// The samples of an 8-bit plane and its stride, when libav's buffer really holds that many rows of that width.
///
/// `None` for planes that are missing, stored bottom-up (negative stride) or smaller than stated.
pub(crate) fn plane(video: &Video, index: usize, width: usize, height: usize) -> Option<(&[u8], usize)> {
    // SAFETY: `video` owns a valid AVFrame for the whole call.
    let frame = unsafe { &*video.as_ptr() };
    let data = *frame.data.get(index)?;
    let stride = usize::try_from(*frame.linesize.get(index)?).ok()?;
    let len = stride.checked_mul(height.checked_sub(1)?)?.checked_add(width)?;
    if data.is_null() || stride < width || width == 0 {
        return None;
    }
    // SAFETY: the function only reads the frame, in spite of its signature, and returns null or a buffer that
    // the frame keeps alive.
    let buffer =
        unsafe { ffi::av_frame_get_plane_buffer(video.as_ptr().cast_mut(), index as c_int).as_ref()? };
    let offset = (data as usize).checked_sub(buffer.data as usize)?;
    #[allow(clippy::unnecessary_cast)] // its type differs between releases of libav
    let size = buffer.size as usize;
    if offset.checked_add(len)? > size {
        return None;
    }
    // SAFETY: `data .. data + len` lies within one buffer, checked above; the frame is borrowed for as long as
    // the slice lives, and nothing writes into a decoded frame.
    Some((unsafe { slice::from_raw_parts(data, len) }, stride))
}
