//! Calls a camera on the network, in the order that keeps it from whatever it does not need to reach: its name is
//! resolved first, then no file can be opened, then it is called, and once it has answered the list holds.

use std::{
    ffi::CString,
    io,
    net::{IpAddr, ToSocketAddrs},
    sync::mpsc,
    thread,
};

use clap::ValueEnum;
use ffmpeg_next::{Dictionary, Error, error};
use outis_jail::LockedIntake;

use crate::{
    address::{Address, Scheme},
    ffi,
    patience::{Patience, SILENCE_MAX},
    source::{OpenError, Source},
};

/// Of a name that stands for many addresses so many are tried.
const NUMBERS_MAX: usize = 4;

/// The most bytes that the kernel is asked to keep for us while we are busy. A key frame of 4K video fits.
const UDP_BUFFER_BYTES: &str = "2097152";

/// How the packets of an RTSP camera travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Transport {
    /// Within the connection. Nothing gets lost.
    #[default]
    Tcp,
    /// Beside it.
    Udp,
}

/// Why a camera cannot be watched. The sentences follow "cannot open ADDRESS:".
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("its name cannot be resolved; check the name, or write its number")]
    Name,
    #[error("the connection was refused; check the port, and whether the camera's service is on")]
    Refused,
    #[error("it cannot be reached ({0}); check the address and the network")]
    Unreachable(io::Error),
    #[error("it was silent for {} s when it was called; check the address, and whether it is on", SILENCE_MAX.as_secs())]
    Silent,
    #[error("wrong name or password (401); check both, and whether this user may watch")]
    Unauthorized,
    #[error("this user may not watch it (403); let him, or name another")]
    Forbidden,
    #[error("there is no such stream on it (404); check the path of the address")]
    NotFound,
    #[error("it refuses the request; another transport, `tcp` or `udp`, may do")]
    Request,
    #[error("it has a fault of its own (5xx); start it anew")]
    Server,
    #[error("this system's libav speaks no TLS; use rtsp:// or http:// on a network of your own")]
    NoTls,
    #[error("there is no video in it, only other media; name a stream with moving pictures")]
    NoVideo,
    #[error("it sends video of an unsupported codec; set it to H.264, H.265 or MJPEG")]
    Codec,
    #[error("its answer is no video stream; check the path of the address")]
    NotVideo,
    #[error("it broke off, or sends us to another address; name the address that the video comes from")]
    BrokeOff,
    #[error("{0}")]
    Other(Error),
}

/// Calls a camera and locks this process in. The errors are whole sentences.
pub(crate) fn call(
    address: &Address,
    transport: Transport,
) -> Result<(LockedIntake, Source, Patience), String> {
    let cannot_open = |error: CallError| format!("cannot open {address}: {error}");
    let patience = Patience::new();
    let numbers = resolve(address, &patience).map_err(cannot_open)?;
    let entered = outis_jail::enter_intake_live(address.port()).map_err(|error| error.to_string())?;
    let source = connect(address, &numbers, transport, &patience).map_err(cannot_open)?;
    let locked = entered.lock(&numbers).map_err(|error| format!("cannot open {address}: {error}"))?;
    patience.renew();
    Ok((locked, source, patience))
}

/// The numbers of a host, in the order in which they should be tried.
fn resolve(address: &Address, patience: &Patience) -> Result<Vec<IpAddr>, CallError> {
    // The C library decides alone how long it asks. The thread is gone when there are numbers; without, we end.
    let (sender, answer) = mpsc::channel();
    let asked = (address.host.clone(), address.port());
    let asking = thread::spawn(move || {
        let numbers = asked.to_socket_addrs().map(|all| all.map(|one| one.ip().to_canonical()).collect());
        // Nobody waits any more when this fails.
        let _ = sender.send(numbers);
    });
    let numbers: io::Result<Vec<IpAddr>> =
        answer.recv_timeout(patience.left()).map_err(|_| CallError::Name)?;
    asking.join().map_err(|_| CallError::Name)?;
    let mut numbers = numbers.map_err(|_| CallError::Name)?;
    numbers.dedup();
    numbers.truncate(NUMBERS_MAX);
    if numbers.is_empty() { Err(CallError::Name) } else { Ok(numbers) }
}

fn connect(
    address: &Address,
    numbers: &[IpAddr],
    transport: Transport,
    patience: &Patience,
) -> Result<Source, CallError> {
    let mut last = CallError::Name;
    for &number in numbers {
        match open(address, number, transport, patience) {
            // Whatever libav makes of being interrupted.
            Err(_) if patience.is_over() => return Err(CallError::Silent),
            Err(error @ (CallError::Refused | CallError::Unreachable(_))) => last = error,
            other => return other,
        }
    }
    Err(last)
}

fn open(
    address: &Address,
    number: IpAddr,
    transport: Transport,
    patience: &Patience,
) -> Result<Source, CallError> {
    // An address has no zero byte in it.
    let whole = CString::new(address.with_number(number)).map_err(|_| CallError::NotVideo)?;
    let (format, options) =
        if address.scheme.is_rtsp() { (c"rtsp", rtsp(transport)) } else { (c"mpjpeg", http(address)) };
    let patience = patience.clone();
    let input = ffi::call(&whole, format, options, move || patience.is_over())?;
    // Pictures over HTTP have no times of their own, and come without being asked for once more.
    let is_rtsp = address.scheme.is_rtsp();
    let mut source = Source::of_camera(input, is_rtsp).map_err(|error| match error {
        OpenError::NoVideoStream => CallError::NoVideo,
        OpenError::UnknownCodec => CallError::Codec,
        _ => CallError::NotVideo,
    })?;
    if is_rtsp {
        source.play()?;
    }
    Ok(source)
}

fn rtsp(transport: Transport) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "rtp,udp,tcp,tls");
    options.set("format_whitelist", "rtsp");
    options.set("codec_whitelist", "none");
    options.set("user_agent", "outis");
    options.set("allowed_media_types", "video");
    // What it has is looked at before it is asked for.
    options.set("initial_pause", "1");
    match transport {
        Transport::Tcp => options.set("rtsp_transport", "tcp"),
        Transport::Udp => {
            options.set("rtsp_transport", "udp");
            // Connects these sockets too, to where the camera says it sends from.
            options.set("rtsp_flags", "filter_src");
            options.set("buffer_size", UDP_BUFFER_BYTES);
        }
    }
    options
}

fn http(address: &Address) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set(
        "protocol_whitelist",
        if address.scheme == Scheme::Http { "http,tcp" } else { "https,http,tls,tcp" },
    );
    options.set("format_whitelist", "mpjpeg");
    options.set("codec_whitelist", "none");
    options.set("user_agent", "outis");
    // It is called by its number, but some serve several names.
    options.set("headers", &format!("Host: {}\r\n", address.host_and_port()));
    options.set("max_redirects", "0");
    options.set("seekable", "0");
    options.set("icy", "0");
    options
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        match error {
            Error::Other { errno: error::ECONNREFUSED } => Self::Refused,
            Error::Other {
                errno:
                    errno @ (error::EHOSTUNREACH
                    | error::ENETUNREACH
                    | error::ETIMEDOUT
                    | error::ECONNRESET
                    | error::EACCES),
            } => Self::Unreachable(io::Error::from_raw_os_error(errno)),
            Error::HttpUnauthorized => Self::Unauthorized,
            Error::HttpForbidden => Self::Forbidden,
            Error::HttpNotFound => Self::NotFound,
            Error::HttpBadRequest | Error::HttpOther4xx => Self::Request,
            Error::HttpServerError => Self::Server,
            Error::ProtocolNotFound => Self::NoTls,
            Error::InvalidData | Error::Eof => Self::NotVideo,
            Error::Other { errno: error::EIO | error::EPIPE } => Self::BrokeOff,
            other => Self::Other(other),
        }
    }
}
