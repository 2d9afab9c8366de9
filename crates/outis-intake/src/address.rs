//! The address of a camera on the network. Knows its parts, which of them may be told, and opens nothing.

use std::fmt::{self, Write as _};

/// The most bytes of an address; tokens of clouds are long.
pub(crate) const LEN_MAX: usize = 4096;

/// How a camera is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RTSP (RFC 2326).
    Rtsp,
    /// The same within TLS.
    Rtsps,
    /// Pictures one after another as one endless answer (multipart/x-mixed-replace).
    Http,
    /// The same within TLS.
    Https,
}

/// An address, taken apart. Its [`Display`](fmt::Display) tells scheme, host and port, and nothing that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// Name and password as they are meant, if there are any.
    user: Option<(String, String)>,
    /// A name or a number; a number of IPv6 without its brackets.
    pub(crate) host: String,
    stated_port: Option<u16>,
    /// Path and query, as they go to the camera.
    path: String,
}

/// Why a text is no address of a camera. Repeats nothing of it but a scheme.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("the address is longer than {LEN_MAX} bytes; ask the camera for a shorter one")]
    TooLong,
    #[error("the address is not plain text on one line; write it as rtsp://HOST/PATH")]
    NotText,
    #[error("{0}:// addresses are not supported; use rtsp, rtsps, http or https")]
    Scheme(String),
    #[error("the address has no scheme; write it as rtsp://HOST/PATH, or http://HOST/PATH for MJPEG")]
    NoScheme,
    #[error("the address has no valid host; write it as rtsp://HOST/PATH")]
    Host,
    #[error("the port of the address is no number from 1 to 65535")]
    Port,
}

impl Scheme {
    const ALL: [Self; 4] = [Self::Rtsp, Self::Rtsps, Self::Http, Self::Https];

    /// As it stands in an address.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rtsp => "rtsp",
            Self::Rtsps => "rtsps",
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Whether it is RTSP, in the open or not.
    pub(crate) fn is_rtsp(self) -> bool {
        matches!(self, Self::Rtsp | Self::Rtsps)
    }

    fn port(self) -> u16 {
        match self {
            Self::Rtsp => 554,
            Self::Rtsps => 322,
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Address {
    /// Takes an address apart. White space around it does not count.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if text.len() > LEN_MAX {
            return Err(AddressError::TooLong);
        }
        let text = str::from_utf8(text).map_err(|_| AddressError::NotText)?.trim();
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressError::NotText);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::NoScheme)?;
        let known = Scheme::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(scheme));
        let scheme = known.ok_or_else(|| match scheme {
            // Anything longer is no scheme, and may be a secret.
            _ if scheme.len() <= 8 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                AddressError::Scheme(scheme.to_lowercase())
            }
            _ => AddressError::NoScheme,
        })?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = path.split('#').next().unwrap_or_default();
        // Passwords are often written as they are, with an @ in them.
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.split_once(':').unwrap_or((user, ""))), host),
            None => (None, authority),
        };
        let (host, port) = match host.strip_prefix('[') {
            Some(number) => number.split_once(']').ok_or(AddressError::Host)?,
            None => host.find(':').map_or((host, ""), |colon| host.split_at(colon)),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
            return Err(AddressError::Host);
        }
        let stated_port = match port.strip_prefix(':') {
            Some(port) => Some(port.parse().ok().filter(|&port| port > 0).ok_or(AddressError::Port)?),
            None if port.is_empty() => None,
            None => return Err(AddressError::Host),
        };
        Ok(Self {
            scheme,
            user: user.map(|(name, password)| (decoded(name), decoded(password))),
            host: host.to_owned(),
            stated_port,
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
        })
    }

    /// The TCP port.
    pub(crate) fn port(&self) -> u16 {
        self.stated_port.unwrap_or(self.scheme.port())
    }

    /// The host as it stands in an address, with the port when it is not the usual one.
    pub(crate) fn host_and_port(&self) -> String {
        let host = bracketed(&self.host);
        self.stated_port.map_or(host.clone(), |port| format!("{host}:{port}"))
    }

    /// The whole address, secrets included, with the host's number in place of its name.
    pub(crate) fn with_number(&self, number: std::net::IpAddr) -> String {
        let user = self
            .user
            .as_ref()
            .map_or(String::new(), |(name, password)| format!("{}:{}@", encoded(name), encoded(password)));
        let host = bracketed(&number.to_string());
        format!("{}://{user}{host}:{}{}", self.scheme.name(), self.port(), self.path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.scheme.name(), self.host_and_port())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// RFC 3986 §2.1. What is no valid code stands for itself.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).and_then(|code| str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|c| c.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| byte == b'%') {
            Some(coded) => {
                out.push(coded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 3986 §2.3: everything but unreserved characters as a code.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let number = "10.0.0.9".parse().unwrap();
        let cases = [
            ("rtsp://cam/stream", "rtsp://10.0.0.9:554/stream", "rtsp://cam/…"),
            ("RTSP://cam", "rtsp://10.0.0.9:554/", "rtsp://cam/…"),
            (" rtsp://cam:8554/a?token=x#y\n", "rtsp://10.0.0.9:8554/a?token=x", "rtsp://cam:8554/…"),
            ("rtsp://me:pa%20ss@cam/", "rtsp://me:pa%20ss@10.0.0.9:554/", "rtsp://cam/…"),
            ("rtsp://me:p@ss:w%rd@cam/", "rtsp://me:p%40ss%3Aw%25rd@10.0.0.9:554/", "rtsp://cam/…"),
            ("rtsp://me@cam/", "rtsp://me:@10.0.0.9:554/", "rtsp://cam/…"),
            ("http://cam?action=stream", "http://10.0.0.9:80/?action=stream", "http://cam/…"),
            ("https://cam/mjpg", "https://10.0.0.9:443/mjpg", "https://cam/…"),
            ("rtsps://[fe80::1]:322/a", "rtsps://10.0.0.9:322/a", "rtsps://[fe80::1]:322/…"),
        ];
        for (text, whole, told) in cases {
            let address = Address::parse(text.as_bytes()).expect(text);
            assert_eq!((address.with_number(number), address.to_string()), (whole.into(), told.into()));
        }
        let six = Address::parse(b"rtsp://cam/a").unwrap().with_number("fe80::1".parse().unwrap());
        assert_eq!(six, "rtsp://[fe80::1]:554/a");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("rtsp://cam/{}", "a".repeat(LEN_MAX));
        let cases = [
            ("", AddressError::NoScheme),
            ("cam/stream", AddressError::NoScheme),
            ("ftp://cam/", AddressError::Scheme("ftp".into())),
            ("me:secret with spaces://cam/", AddressError::NotText),
            ("me:secret://cam/", AddressError::NoScheme),
            ("rtsp://", AddressError::Host),
            ("rtsp://me:secret@/", AddressError::Host),
            ("rtsp://a b/", AddressError::NotText),
            ("rtsp://c\u{e4}m/", AddressError::Host),
            ("rtsp://[fe80::1/", AddressError::Host),
            ("rtsp://[fe80::1]x/", AddressError::Host),
            ("rtsp://cam:/", AddressError::Port),
            ("rtsp://cam:0/", AddressError::Port),
            ("rtsp://cam:99999/", AddressError::Port),
            ("rtsp://cam/\u{0}", AddressError::NotText),
            (&long, AddressError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(Address::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        assert_eq!(Address::parse(b"rtsp://c\xff/"), Err(AddressError::NotText));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_secret_is_told(
            text in ".{0,80}", name in "[A-Z@:%]{6,12}", password in "[A-Z@:%]{6,12}", path in "[A-Z?&=]{6,12}",
        ) {
            let _ = Address::parse(text.as_bytes());
            let whole = format!("rtsp://{name}:{password}@cam.lan:8554/{path}");
            let address = Address::parse(whole.as_bytes()).unwrap();
            prop_assert_eq!(address.to_string(), "rtsp://cam.lan:8554/…");
            prop_assert_eq!(format!("{address:?}"), "rtsp://cam.lan:8554/…");
        }
    }
}
