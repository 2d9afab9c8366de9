//! The questions of Video4Linux that a camera of this machine is asked, each with its answer as a `Result`. The structures
//! are those of linux/videodev2.h on 64-bit processors.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_ulong},
    fs::File,
    io, mem,
    os::fd::{AsRawFd, RawFd},
    ptr, slice,
};

/// V4L2_BUF_TYPE_VIDEO_CAPTURE.
const CAPTURE: u32 = 1;
/// V4L2_MEMORY_MMAP.
const MMAP: u32 = 1;

/// VIDIOC_…: direction, size of the structure, 'V', number.
const QUERYCAP: c_ulong = request::<Capability>(READ, 0);
const ENUM_FMT: c_ulong = request::<FormatDescription>(READ | WRITE, 2);
const G_FMT: c_ulong = request::<Format>(READ | WRITE, 4);
const S_FMT: c_ulong = request::<Format>(READ | WRITE, 5);
const REQBUFS: c_ulong = request::<RequestBuffers>(READ | WRITE, 8);
const QUERYBUF: c_ulong = request::<Buffer>(READ | WRITE, 9);
/// `rules/intake-device.toml` names it.
const QBUF: c_ulong = request::<Buffer>(READ | WRITE, 15);
/// `rules/intake-device.toml` names it.
const DQBUF: c_ulong = request::<Buffer>(READ | WRITE, 17);
const STREAMON: c_ulong = request::<c_int>(WRITE, 18);

const WRITE: c_ulong = 1;
const READ: c_ulong = 2;

/// _IOC of asm-generic/ioctl.h.
const fn request<T>(direction: c_ulong, number: c_ulong) -> c_ulong {
    direction << 30 | (mem::size_of::<T>() as c_ulong) << 16 | (b'V' as c_ulong) << 8 | number
}

#[repr(C)]
struct Capability {
    names: [u8; 80],
    version: u32,
    capabilities: u32,
    device_caps: u32,
    reserved: [u32; 3],
}

#[repr(C)]
struct FormatDescription {
    index: u32,
    kind: u32,
    flags: u32,
    description: [u8; 32],
    pixel_format: u32,
    bus_code: u32,
    reserved: [u32; 3],
}

#[repr(C)]
struct Format {
    kind: u32,
    padding: u32,
    picture: Picture,
    rest: [u32; 38],
}

/// What a device is set to (v4l2_pix_format).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    /// Four characters.
    pub(super) pixel_format: u32,
    field: u32,
    pub(super) bytes_per_line: u32,
    size_bytes: u32,
    color_space: u32,
    private: u32,
    flags: u32,
    matrix: u32,
    range: u32,
    transfer: u32,
}

#[repr(C)]
struct RequestBuffers {
    count: u32,
    kind: u32,
    memory: u32,
    capabilities: u32,
    flags: u32,
}

#[repr(C)]
struct Buffer {
    index: u32,
    kind: u32,
    bytes_used: u32,
    flags: u32,
    field: u32,
    padding: u32,
    seconds: i64,
    micros: i64,
    timecode: [u32; 4],
    sequence: u32,
    memory: u32,
    offset: u64,
    length: u32,
    reserved: [u32; 2],
    end: u32,
}

// The numbers of the calls hold these, so a wrong one would be no call at all.
const _: () = assert!(
    mem::size_of::<Capability>() == 104
        && mem::size_of::<FormatDescription>() == 64
        && mem::size_of::<Format>() == 208
        && mem::size_of::<RequestBuffers>() == 20
        && mem::size_of::<Buffer>() == 88
);

fn zeroed<T>() -> T {
    // SAFETY: used for the structures above only, which are plain numbers.
    unsafe { mem::zeroed() }
}

fn ask<T>(device: RawFd, request: c_ulong, structure: &mut T) -> io::Result<()> {
    // SAFETY: the request's number says the structure's size, within which the kernel reads and writes.
    let answer = unsafe { libc::ioctl(device, request, ptr::from_mut(structure)) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What a device can do: bits V4L2_CAP_….
pub(super) fn capabilities(device: &File) -> io::Result<u32> {
    /// V4L2_CAP_DEVICE_CAPS: this very device has fields of its own.
    const DEVICE_CAPS: u32 = 0x8000_0000;
    let mut capability: Capability = zeroed();
    ask(device.as_raw_fd(), QUERYCAP, &mut capability)?;
    let own = capability.capabilities & DEVICE_CAPS != 0;
    Ok(if own { capability.device_caps } else { capability.capabilities })
}

/// The device's format of a number, as four characters; `None` after the last.
pub(super) fn format(device: &File, index: u32) -> Option<u32> {
    let mut description = FormatDescription { index, kind: CAPTURE, ..zeroed() };
    ask(device.as_raw_fd(), ENUM_FMT, &mut description).ok()?;
    Some(description.pixel_format)
}

/// Sets the format and leaves the size as it is. Returns what the device has made of it.
pub(super) fn set_format(device: &File, pixel_format: u32) -> io::Result<Picture> {
    let mut format = Format { kind: CAPTURE, ..zeroed() };
    ask(device.as_raw_fd(), G_FMT, &mut format)?;
    format.picture.pixel_format = pixel_format;
    (format.picture.bytes_per_line, format.picture.size_bytes) = (0, 0);
    ask(device.as_raw_fd(), S_FMT, &mut format)?;
    Ok(format.picture)
}

/// Memory that the device fills, mapped for the life of this process.
#[derive(Debug)]
pub(super) struct Buffers(Vec<Mapped>);

#[derive(Debug, Clone, Copy)]
struct Mapped {
    at: *const u8,
    length: usize,
}

/// A picture's place among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    index: u32,
    bytes: usize,
    /// The device knows that it is not whole.
    pub(super) damaged: bool,
    /// By the clock that is never set.
    pub(super) micros: i64,
}

impl Buffers {
    /// Has the device fill so many, or as many as it can.
    pub(super) fn start(device: &File, count: u32) -> io::Result<Self> {
        let mut wanted = RequestBuffers { count, kind: CAPTURE, memory: MMAP, ..zeroed() };
        ask(device.as_raw_fd(), REQBUFS, &mut wanted)?;
        let mut mapped = Vec::new();
        for index in 0..wanted.count.min(count) {
            let mut buffer = Buffer { index, kind: CAPTURE, memory: MMAP, ..zeroed() };
            ask(device.as_raw_fd(), QUERYBUF, &mut buffer)?;
            let (length, offset) = (buffer.length as usize, (buffer.offset & 0xffff_ffff) as libc::off_t);
            let (access, way) = (libc::PROT_READ, libc::MAP_SHARED);
            // SAFETY: maps memory of the device's where the kernel chooses.
            let at = unsafe { libc::mmap(ptr::null_mut(), length, access, way, device.as_raw_fd(), offset) };
            if at == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            mapped.push(Mapped { at: at.cast(), length });
            ask(device.as_raw_fd(), QBUF, &mut buffer)?;
        }
        let mut kind = CAPTURE as c_int;
        ask(device.as_raw_fd(), STREAMON, &mut kind)?;
        Ok(Self(mapped))
    }

    /// Takes a filled buffer out, shows it, and gives it back to the device.
    pub(super) fn take<T>(&self, device: RawFd, see: impl FnOnce(Filled, &[u8]) -> T) -> io::Result<T> {
        /// V4L2_BUF_FLAG_ERROR.
        const ERROR: u32 = 0x40;
        let mut buffer = Buffer { kind: CAPTURE, memory: MMAP, ..zeroed() };
        ask(device, DQBUF, &mut buffer)?;
        let filled = Filled {
            index: buffer.index,
            bytes: buffer.bytes_used as usize,
            damaged: buffer.flags & ERROR != 0,
            micros: buffer.seconds.saturating_mul(1_000_000).saturating_add(buffer.micros),
        };
        let mapped = self.0.get(filled.index as usize).filter(|mapped| filled.bytes <= mapped.length);
        let bytes = mapped.map_or(&[][..], |mapped| {
            // SAFETY: so many bytes were mapped, and nothing unmaps them. The device writes to a buffer only while it has
            // it, and it gets this one back below, when nobody reads it any more.
            unsafe { slice::from_raw_parts(mapped.at, filled.bytes) }
        });
        let seen = see(filled, bytes);
        ask(device, QBUF, &mut buffer)?;
        Ok(seen)
    }
}

/// Waits until there is a picture; `false` when none came in time.
pub(super) fn wait(device: RawFd, milliseconds: c_int) -> io::Result<bool> {
    let mut waiting = libc::pollfd { fd: device, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure of ours.
    let answer = unsafe { libc::poll(&raw mut waiting, 1, milliseconds) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer > 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that linux/videodev2.h comes to, as `strace` and the rules have them.
    #[test]
    fn requests_have_the_kernels_numbers() {
        let numbers = [QUERYCAP, ENUM_FMT, G_FMT, S_FMT, REQBUFS, QUERYBUF, QBUF, DQBUF, STREAMON];
        let expected: [c_ulong; 9] = [
            0x8068_5600,
            0xc040_5602,
            0xc0d0_5604,
            0xc0d0_5605,
            0xc014_5608,
            0xc058_5609,
            0xc058_560f,
            0xc058_5611,
            0x4004_5612,
        ];
        assert_eq!(numbers, expected);
    }
}
