//! What may be named as a source, and how a name that may hold a password is told.

use std::path::Path;

/// Why a source cannot be. Only the scheme is repeated: the rest of an address may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}:// sources are not supported, only files; record the stream to a file and name that")]
pub(crate) struct AddressError(String);

/// Refuses an address of a network source; a path is no address.
///
/// # Errors
/// Names the scheme.
pub(crate) fn check(source: &Path) -> Result<(), AddressError> {
    match source.to_str().and_then(|source| source.split_once("://")) {
        Some((scheme, _)) if is_scheme(scheme) => Err(AddressError(scheme.to_lowercase())),
        _ => Ok(()),
    }
}

/// Whether a source is a file, or would be one if it were there: no stream, no device, no pipe.
pub(crate) fn is_file(source: &Path) -> bool {
    check(source).is_ok()
        && !source.starts_with("/dev")
        && source.metadata().map_or(true, |meta| meta.is_file())
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

    #[test]
    fn addresses_are_refused_without_repeating_them() {
        for source in ["rtsp://user:secret@10.0.0.1/cam", "HTTP://u:secret@example.org"] {
            let said = check(Path::new(source)).unwrap_err().to_string();
            assert!(said.contains("://") && !said.contains("secret"), "{said}");
        }
        for path in ["clip.avi", "/a b/clip.avi", "odd/://name", ""] {
            assert_eq!(check(Path::new(path)), Ok(()), "{path}");
        }
    }

    #[test]
    fn files_are_told_from_devices_and_streams() {
        for (source, file) in [
            ("clip.avi", true),
            ("/absent/clip.avi", true),
            (env!("CARGO_MANIFEST_DIR"), false),
            ("/dev/video0", false),
            ("/dev/null", false),
            ("rtsp://host/1", false),
        ] {
            assert_eq!(is_file(Path::new(source)), file, "{source}");
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
