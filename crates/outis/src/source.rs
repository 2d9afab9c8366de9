//! What may be named as a source, and how a name that may hold a password is told.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Deserialize;

use crate::credentials::{Credentials, CredentialsError};

/// The schemes that a camera of the network is named with.
const SCHEMES: [&str; 4] = ["rtsp", "rtsps", "http", "https"];

/// The longest address in bytes, without name and password.
const ADDRESS_BYTES_MAX: usize = 2048;

/// A source as a configuration names it. There is no secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A video file: it is counted once, to its end.
    File(PathBuf),
    /// A camera of this machine.
    Device(PathBuf),
    /// A camera of the network.
    Stream(Stream),
}

/// A camera of the network, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) address: Address,
    pub(crate) transport: Transport,
    /// Where its name and password are, if it asks for them.
    pub(crate) credentials: Option<Credentials>,
}

/// By which way the packets of an RTSP camera come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// Within the connection: nothing is lost, and what comes late is late.
    #[default]
    Tcp,
    /// Beside it: what is lost is lost.
    Udp,
}

/// The address of a camera in the network, without name and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    scheme: String,
    /// Host and, if it is given, port.
    authority: String,
    /// What follows, with its first slash.
    rest: String,
}

/// Why a source cannot be. The address is never repeated: it may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("{scheme}:// is not a source; there are files, /dev/videoN and {}", addresses())]
    Scheme { scheme: String },
    #[error(
        "the address holds a name or password, and configurations are shown around: write `user:password` into a file \
         that only its owner can read (chmod 600), name that in credentials_file, and leave it out of the address"
    )]
    Secret,
    #[error("the address is not one of a camera, such as rtsp://camera.example:554/stream")]
    Form,
    #[error("`outis count` counts files; a camera is watched: name it in the configuration of `outis watch`")]
    NotAFile,
}

/// Why a camera cannot have a substream. No address is repeated here either.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubstreamError {
    #[error("substream is for cameras of the network, and the source is none; leave it out")]
    NoCamera,
    #[error("substream: {0}")]
    Address(#[from] AddressError),
    #[error(
        "substream is no address of a camera of the network, such as rtsp://camera.example/2; name the camera's second, \
         smaller stream, or leave it out"
    )]
    NoAddress,
    #[error(
        "substream is the source's own address, and would bring the same large pictures twice; name the camera's second, \
         smaller stream, or leave it out"
    )]
    SameAddress,
    #[error(
        "substream is of another host than the source, which would be sent this camera's name and password; name a stream of \
         the same camera, or leave it out"
    )]
    AnotherHost,
}

fn addresses() -> String {
    SCHEMES.map(|scheme| format!("{scheme}://")).join(", ")
}

impl Source {
    /// Takes what a configuration names.
    ///
    /// # Errors
    /// Says what to change, without repeating the address.
    pub(crate) fn parse(source: &Path, folder: &Path) -> Result<Self, AddressError> {
        match source.to_str().and_then(|source| source.split_once("://")) {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let address = Address::parse(scheme, rest)?;
                Ok(Self::Stream(Stream { address, transport: Transport::default(), credentials: None }))
            }
            _ if is_device(source) => Ok(Self::Device(source.to_owned())),
            _ => Ok(Self::File(folder.join(source))),
        }
    }

    /// Takes what a configuration names as a second stream of this source: of the same camera, so that it comes by the same way
    /// and asks for the same name and password.
    ///
    /// # Errors
    /// Says what to change, without repeating an address.
    pub(crate) fn substream(&self, named: &Path) -> Result<Stream, SubstreamError> {
        let Self::Stream(main) = self else { return Err(SubstreamError::NoCamera) };
        let Self::Stream(second) = Self::parse(named, Path::new(""))? else {
            return Err(SubstreamError::NoAddress);
        };
        if second.address.is_the_same_as(&main.address) {
            return Err(SubstreamError::SameAddress);
        }
        if second.address.host() != main.address.host() {
            return Err(SubstreamError::AnotherHost);
        }
        Ok(Stream { address: second.address, ..main.clone() })
    }

    /// As a configuration names it; a file by its absolute path.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::File(path) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).to_string_lossy().into_owned()
            }
            Self::Device(path) => path.to_string_lossy().into_owned(),
            Self::Stream(stream) => stream.address.with(""),
        }
    }

    /// Whether it goes on as long as the world does, so that there is a new moment to be counted after each failure.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Whether it is a file, or would be one if it were there: no stream, no device, no pipe.
    pub(crate) fn is_own_file(&self) -> bool {
        match self {
            Self::File(path) => {
                !path.starts_with("/dev") && path.metadata().map_or(true, |meta| meta.is_file())
            }
            Self::Device(_) | Self::Stream(_) => false,
        }
    }
}

impl Transport {
    /// Its name on an intake's command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Stream {
    /// The whole address for an intake, with name and password in it.
    ///
    /// # Errors
    /// When they cannot be read, or others can.
    pub(crate) fn secret_address(&self) -> Result<String, CredentialsError> {
        match &self.credentials {
            Some(credentials) => credentials.address(&self.address),
            None => Ok(self.address.with("")),
        }
    }
}

impl Address {
    fn parse(scheme: &str, rest: &str) -> Result<Self, AddressError> {
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Err(AddressError::Scheme { scheme });
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // Not every password is percent-encoded as it should be: an @ anywhere before the query may end one.
        if authority.contains('@') || path.split(['?', '#']).next().is_some_and(|path| path.contains('@')) {
            return Err(AddressError::Secret);
        }
        let address = Self {
            scheme,
            authority: authority.to_owned(),
            rest: path.split('#').next().unwrap_or_default().into(),
        };
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
        let known = address.host_and_port().is_some();
        let fits = rest.len() <= ADDRESS_BYTES_MAX && plain(rest);
        if known && fits { Ok(address) } else { Err(AddressError::Form) }
    }

    /// Where to connect; the scheme's own port where none is given.
    pub(crate) fn host_and_port(&self) -> Option<(&str, u16)> {
        let after = self.authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match self.authority[after..].rfind(':') {
            Some(colon) => self.authority.split_at(after + colon),
            None => (self.authority.as_str(), ""),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|&port| port > 0)?,
            None => match self.scheme.as_str() {
                "rtsp" => 554,
                "rtsps" => 322,
                "http" => 80,
                _ => 443,
            },
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (!bare.is_empty() && (bare.len() < host.len() || !bare.contains(':'))).then_some((bare, port))
    }

    /// Whether it leads to the same stream, as far as can be told without asking.
    fn is_the_same_as(&self, other: &Self) -> bool {
        let place = |address: &Self| (address.host(), address.host_and_port().map(|(_, port)| port));
        (&self.scheme, place(self), self.path()) == (&other.scheme, place(other), other.path())
    }

    /// Whom it names, in small letters.
    fn host(&self) -> Option<String> {
        self.host_and_port().map(|(host, _)| host.to_ascii_lowercase())
    }

    /// How it speaks.
    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What is asked for, with its first slash.
    pub(crate) fn path(&self) -> &str {
        if self.rest.is_empty() { "/" } else { &self.rest }
    }

    /// The whole address, with what goes before the host.
    pub(crate) fn with(&self, before_host: &str) -> String {
        let Self { scheme, authority, rest } = self;
        format!("{scheme}://{before_host}{authority}{rest}")
    }
}

/// Host and port: a query may hold a token.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.scheme, self.authority)
    }
}

/// Refuses what is no file; for a path that is one.
///
/// # Errors
/// Says where a camera belongs.
pub(crate) fn only_file(source: &Path) -> Result<(), AddressError> {
    match Source::parse(source, Path::new(""))? {
        Source::File(_) => Ok(()),
        Source::Device(_) | Source::Stream(_) => Err(AddressError::NotAFile),
    }
}

/// As Linux names its cameras: `/dev/video0`.
fn is_device(source: &Path) -> bool {
    let number = source.to_str().and_then(|source| source.strip_prefix("/dev/video"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// RFC 3986 §3.1: a letter, then letters, digits, `+`, `-` and `.`.
fn is_scheme(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(rest)
}

/// A line of text with what stands between `://` and `@` left out: names and passwords.
pub(crate) fn without_secrets(text: &str) -> String {
    match text.split_once("://") {
        Some((before, after)) => match after.rsplit_once('@') {
            Some((_, host)) => format!("{before}://…@{host}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> Result<Source, AddressError> {
        Source::parse(Path::new(source), Path::new("/etc/outis"))
    }

    fn address(source: &str) -> Address {
        match parse(source) {
            Ok(Source::Stream(stream)) => stream.address,
            other => panic!("{source}: {other:?}"),
        }
    }

    #[test]
    fn addresses_with_secrets_are_refused_without_repeating_them() {
        for source in [
            "rtsp://user:secret@10.0.0.1/cam",
            "HTTP://u:secret@example.org",
            "rtsp://u:se/secret@host/1",
            "ftp://u:secret@host/1",
        ] {
            let said = parse(source).unwrap_err().to_string();
            assert!(!said.contains("secret") && !said.contains("10.0.0.1"), "{said}");
        }
        assert_eq!(parse("rtsp://u@host/1"), Err(AddressError::Secret));
        let debug = format!("{:?}", address("rtsp://host/1?token=secret"));
        assert!(!debug.contains("secret"), "{debug}");
    }

    #[test]
    fn files_are_told_from_devices_and_streams() {
        for (source, file, live) in [
            ("clip.avi", true, false),
            ("/a b/clip.avi", true, false),
            ("odd/://name", true, false),
            ("/absent/clip.avi", true, false),
            (env!("CARGO_MANIFEST_DIR"), false, false),
            ("/dev/video0", false, true),
            ("/dev/video", false, false),
            ("/dev/null", false, false),
            ("rtsp://host/1", false, true),
        ] {
            let parsed = parse(source).unwrap();
            assert_eq!((parsed.is_own_file(), parsed.is_live()), (file, live), "{source}");
        }
        assert_eq!(parse("clip.avi"), Ok(Source::File("/etc/outis/clip.avi".into())));
        assert_eq!(only_file(Path::new("rtsp://host/1")), Err(AddressError::NotAFile));
    }

    #[test]
    fn where_to_connect() {
        for (source, expected) in [
            ("rtsp://camera.example/stream", Some(("camera.example", 554))),
            ("RTSP://camera.example:8554/stream?x=1", Some(("camera.example", 8554))),
            ("http://10.0.0.1", Some(("10.0.0.1", 80))),
            ("https://10.0.0.1/a", Some(("10.0.0.1", 443))),
            ("rtsp://[::1]:554/a", Some(("::1", 554))),
            ("rtsp://[::1]/a", Some(("::1", 554))),
        ] {
            assert_eq!(address(source).host_and_port(), expected, "{source}");
        }
        assert_eq!(address("rtsp://h").path(), "/");
        assert_eq!(address("rtsp://h:1/a?b=c#d").with("u:p@"), "rtsp://u:p@h:1/a?b=c");
        for wrong in [
            "rtsp://",
            "rtsp:///a",
            "rtsp://h:0/",
            "rtsp://h:99999/",
            "rtsp://h:x/",
            "rtsp://::1/",
            "rtsp://h/a b",
        ] {
            assert_eq!(parse(wrong), Err(AddressError::Form), "{wrong}");
        }
        let said = parse("rtmp://h/1").unwrap_err().to_string();
        assert!(said.contains("rtmp://") && said.contains("rtsp://, rtsps://"), "{said}");
    }

    #[test]
    fn a_substream_is_another_stream_of_the_same_camera() {
        let main = Stream {
            address: address("rtsp://Camera.example/1"),
            transport: Transport::Udp,
            credentials: Some(Credentials::Variable("LOGIN".into())),
        };
        let of = |source: &Source, named: &str| source.substream(Path::new(named));
        let source = Source::Stream(main.clone());
        for named in ["rtsp://camera.example/2", "rtsp://camera.example:8554/1", "http://camera.example/1"] {
            let expected = Stream { address: address(named), ..main.clone() };
            assert_eq!(of(&source, named), Ok(expected), "{named}");
        }
        for (named, error) in [
            ("rtsp://Camera.example/1", SubstreamError::SameAddress),
            ("RTSP://camera.EXAMPLE:554/1#x", SubstreamError::SameAddress),
            ("rtsp://camera.example.org/2", SubstreamError::AnotherHost),
            ("a.avi", SubstreamError::NoAddress),
            ("/dev/video0", SubstreamError::NoAddress),
            ("rtsp://me:secret@camera.example/2", AddressError::Secret.into()),
            ("rtsp://camera.example:0/2", AddressError::Form.into()),
            ("rtmp://camera.example/2", AddressError::Scheme { scheme: "rtmp".into() }.into()),
        ] {
            let said = error.to_string();
            assert!(said.contains("substream") && !said.contains("secret"), "{said}");
            assert_eq!(of(&source, named), Err(error), "{named}");
        }
        for source in [Source::File("a.avi".into()), Source::Device("/dev/video0".into())] {
            assert_eq!(of(&source, "rtsp://camera.example/2"), Err(SubstreamError::NoCamera));
        }
    }

    #[test]
    fn passwords_are_left_out() {
        let cases = [
            ("source = \"rtsp://u:p@ss@host/1\"", "source = \"rtsp://…@host/1\""),
            ("source = \"rtsp://host/1\"", "source = \"rtsp://host/1\""),
            ("name = \"a@b\"", "name = \"a@b\""),
        ];
        for (text, expected) in cases {
            assert_eq!(without_secrets(text), expected);
        }
    }
}
