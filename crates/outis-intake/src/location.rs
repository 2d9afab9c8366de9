//! What the user names as a source, turned into the path of a file. Opens nothing.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Why a source cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocationError {
    // Only the scheme is repeated: the rest of an address may hold a password.
    #[error("{0}:// sources are not supported, only files; record the stream to a file and name that")]
    Scheme(String),
    #[error("the name of the source is not valid UTF-8; rename the file or link to it under a plain name")]
    NotUtf8,
    #[error("the name of the source is empty; name a video file")]
    Empty,
}

/// The path of the file that a source names, as a plain path or as `file://` address.
pub(crate) fn file_path(source: &OsStr) -> Result<PathBuf, LocationError> {
    let source = source.to_str().ok_or(LocationError::NotUtf8)?;
    let path = match source.split_once("://") {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") => path,
        Some((scheme, _)) if is_scheme(scheme) => return Err(LocationError::Scheme(scheme.to_lowercase())),
        _ => source,
    };
    if path.is_empty() { Err(LocationError::Empty) } else { Ok(Path::new(path).to_owned()) }
}

/// RFC 3986 §3.1: a letter, then letters, digits, `+`, `-` and `.`.
fn is_scheme(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_files() {
        let scheme = |name: &str| Err(LocationError::Scheme(name.to_owned()));
        let cases = [
            ("clip.avi", Ok("clip.avi")),
            ("/a b/clip.avi", Ok("/a b/clip.avi")),
            ("file:///a/clip.avi", Ok("/a/clip.avi")),
            ("FILE://clip.avi", Ok("clip.avi")),
            ("odd/://name", Ok("odd/://name")),
            ("concat:a.avi|b.avi", Ok("concat:a.avi|b.avi")),
            ("rtsp://user:secret@10.0.0.1/cam", scheme("rtsp")),
            ("HTTP://example.org/a.mp4", scheme("http")),
            ("", Err(LocationError::Empty)),
            ("file://", Err(LocationError::Empty)),
        ];
        for (source, path) in cases {
            assert_eq!(file_path(OsStr::new(source)), path.map(PathBuf::from), "{source}");
        }
    }

    #[test]
    fn a_password_is_never_repeated() {
        let error = file_path(OsStr::new("rtsp://user:secret@10.0.0.1/cam")).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
