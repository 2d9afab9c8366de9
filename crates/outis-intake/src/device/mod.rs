//! A camera of this machine, by Video4Linux: `/dev/video0`. Everything is set up before the lock; behind it buffers are
//! taken and given back, and nothing else can be asked of the device.
//!
//! Alternative considered: libavdevice. Refused, because Debian's is linked with the X server's, sound and game libraries,
//! all of which would be in this program.

mod ffi;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    },
    path::Path,
    time::{Instant, SystemTime},
};

use outis_jail::{Input, LockedIntake};
use outis_packet::{Ending, Header, Name, Packet, Ratio, WriteError, Writer};

use crate::{forward::Followed, patience::SILENCE_MAX};

/// V4L2_CAP_VIDEO_CAPTURE and V4L2_CAP_STREAMING.
const NEEDED: u32 = 0x0000_0001 | 0x0400_0000;

/// Enough that one can be filled while one is read.
const BUFFERS: u32 = 4;

/// So many formats of a device are looked at.
const FORMATS_MAX: u32 = 64;

/// What can be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// The device's four characters.
    name: &'static [u8; 4],
    /// libav's codec.
    codec: &'static str,
    /// Of pictures that are not coded, the layout of samples by libav's name, and the bytes of a pixel in its first plane.
    layout: Option<(&'static str, u32)>,
}

/// Coded ones first: they are smaller.
const FORMS: [Form; 8] = [
    Form { name: b"MJPG", codec: "mjpeg", layout: None },
    Form { name: b"JPEG", codec: "mjpeg", layout: None },
    Form { name: b"H264", codec: "h264", layout: None },
    Form { name: b"HEVC", codec: "hevc", layout: None },
    Form { name: b"YUYV", codec: "rawvideo", layout: Some(("yuyv422", 2)) },
    Form { name: b"UYVY", codec: "rawvideo", layout: Some(("uyvy422", 2)) },
    Form { name: b"NV12", codec: "rawvideo", layout: Some(("nv12", 1)) },
    Form { name: b"YU12", codec: "rawvideo", layout: Some(("yuv420p", 1)) },
];

/// A device that films.
#[derive(Debug)]
pub(crate) struct Device {
    header: Header,
    buffers: ffi::Buffers,
}

/// Why a device cannot be watched. The sentences follow "cannot open PATH:".
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error("there is no such device; is the camera plugged in? `ls /dev/video*` shows those there are")]
    NotFound,
    #[error("permission denied; let the user that runs this program into the group `video`")]
    Permission,
    #[error("another program watches this camera; end that, or take another camera")]
    Busy,
    #[error("this is no camera; cameras have several devices, so take the one with the lowest number")]
    NotACamera,
    #[error(
        "it offers no format that can be read (MJPEG, H.264, H.265, YUYV, UYVY, NV12, YU12); take another camera"
    )]
    Format,
    #[error("{0}")]
    Io(io::Error),
}

/// Whether this is the name of one: `/dev/videoN`.
pub(crate) fn is_device(source: &Path) -> bool {
    let number = source.as_os_str().as_bytes().strip_prefix(b"/dev/video");
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

impl Device {
    /// Has a device film.
    pub(crate) fn open(path: &Path) -> Result<(File, Self), DeviceError> {
        let opened = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = opened?;
        let capabilities = ffi::capabilities(&file).map_err(|_| DeviceError::NotACamera)?;
        if capabilities & NEEDED != NEEDED {
            return Err(DeviceError::NotACamera);
        }
        let offered: Vec<u32> = (0..FORMATS_MAX).map_while(|index| ffi::format(&file, index)).collect();
        let form = best(&offered).ok_or(DeviceError::Format)?;
        let picture = ffi::set_format(&file, form.four_characters())?;
        let header = header(&picture, form).ok_or(DeviceError::Format)?;
        let buffers = ffi::Buffers::start(&file, BUFFERS)?;
        Ok((file, Self { header, buffers }))
    }

    /// Passes on every picture.
    ///
    /// # Errors
    /// When the pipe fails.
    pub(crate) fn follow(self, locked: LockedIntake, device: &Input) -> Result<Followed, WriteError> {
        let device = device.as_raw_fd();
        let wait_ms = SILENCE_MAX.as_millis() as i32;
        let mut stream: Option<(Instant, Writer<_>)> = None;
        let mut out = Some(locked.into_packets());
        loop {
            match ffi::wait(device, wait_ms) {
                Ok(true) => {}
                Ok(false) => return Ok(Followed::Silent),
                Err(_) => break,
            }
            let written = self.buffers.take(device, |filled, data| {
                if let Some(out) = out.take() {
                    stream = Some((Instant::now(), Writer::new(out, &self.header())?));
                }
                let Some((first, writer)) = &mut stream else { return Ok(()) };
                pass_on(writer, first, filled, data)
            });
            match written {
                Ok(written) => written?,
                // Woken for nothing.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Unplugged.
                Err(_) => break,
            }
        }
        stream.map_or(Ok(()), |(_, writer)| writer.end(Ending::Truncated)).map(|()| Followed::Ended)
    }

    fn header(&self) -> Header {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let origin_unix_ms = since_epoch.map_or(0, |time| time.as_millis() as u64);
        Header { origin_unix_ms: Some(origin_unix_ms), ..self.header.clone() }
    }
}

fn pass_on(
    writer: &mut Writer<impl Write>,
    first: &Instant,
    filled: ffi::Filled,
    data: &[u8],
) -> Result<(), WriteError> {
    let packet = Packet {
        pts: Some(filled.micros),
        arrival_us: first.elapsed().as_micros() as u64,
        // Cameras of machines send pictures that need no other, but for H.264 and H.265, whose decoder waits by itself.
        key: true,
        corrupt: filled.damaged,
        data,
        ..Packet::default()
    };
    match writer.packet(&packet) {
        Err(WriteError::TooLarge { .. }) => Ok(()),
        other => other,
    }
}

impl Form {
    fn four_characters(self) -> u32 {
        u32::from_le_bytes(*self.name)
    }
}

/// The first of our formats that is offered.
fn best(offered: &[u32]) -> Option<Form> {
    FORMS.into_iter().find(|form| offered.contains(&form.four_characters()))
}

/// `None` when the device has made something else of what it was asked for, or leaves room between lines.
fn header(picture: &ffi::Picture, form: Form) -> Option<Header> {
    let Form { codec, layout, .. } = form;
    let side = |px: u32| (1..=Header::SIDE_MAX_PX).contains(&px).then_some(px);
    let (width_px, height_px) = (side(picture.width_px)?, side(picture.height_px)?);
    let tight = layout.is_none_or(|(_, bytes)| picture.bytes_per_line == width_px * bytes);
    if picture.pixel_format != form.four_characters() || !tight {
        return None;
    }
    Some(Header {
        codec: Name::new(codec).ok()?,
        codec_tag: 0,
        extradata: Vec::new(),
        width_px,
        height_px,
        pixel_format: layout.and_then(|(layout, _)| Name::new(layout).ok()),
        bits_per_sample: 0,
        profile: -99,
        level: -99,
        reorder_frames: 0,
        matrix: 2,
        range: 0,
        time_base: Ratio::new(1, 1_000_000)?,
        frame_rate: None,
        duration_us: None,
        origin_unix_ms: None,
        skipped_ms: 0,
        rotation_deg: 0,
    })
}

impl From<io::Error> for DeviceError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::Permission,
            io::ErrorKind::ResourceBusy => Self::Busy,
            _ => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_numbers() {
        let cases = [
            ("/dev/video0", true),
            ("/dev/video12", true),
            ("/dev/video", false),
            ("/dev/video0.avi", false),
            ("/dev/vide0", false),
            ("video0", false),
        ];
        for (name, is_one) in cases {
            assert_eq!(is_device(Path::new(name)), is_one, "{name}");
        }
    }

    #[test]
    fn coded_pictures_are_preferred() {
        let name = |offered: &[&[u8; 4]]| {
            let offered: Vec<u32> = offered.iter().map(|name| u32::from_le_bytes(**name)).collect();
            best(&offered).map(|form| form.name)
        };
        assert_eq!(name(&[b"YUYV", b"H264", b"MJPG"]), Some(b"MJPG"));
        assert_eq!(name(&[b"RGB3", b"YUYV"]), Some(b"YUYV"));
        assert_eq!(name(&[b"RGB3", b"BA81"]), None);
    }

    #[test]
    fn what_is_no_camera_is_refused_in_one_sentence() {
        let refused = |path: &str| Device::open(Path::new(path)).unwrap_err().to_string();
        assert!(refused("/dev/video4294967295").contains("no such device"));
        assert!(refused("/dev/null").contains("this is no camera"));
    }
}
