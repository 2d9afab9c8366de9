//! The name and password that a camera of the network asks for: where they are, and how they reach its intake.
//!
//! They are read when a camera is started and kept no longer than it takes to write them into its pipe: no
//! configuration, command line, environment of a child, message or log has them.

use std::{
    env,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use crate::source::Address;

/// The longest name and password together, in bytes.
const BYTES_MAX: u64 = 512;

/// Permissions that nobody but the owner may have.
const OTHERS: u32 = 0o077;

/// Where a camera's name and password are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A file whose first line is `user:password`.
    File(PathBuf),
    /// A variable of this program's own environment, with the same in it.
    Variable(String),
}

/// Why they cannot be used. What they are is never told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("credentials_file {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("credentials_file {} can be read by others (mode {mode:03o}): chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("credentials_env: there is no variable {0}")]
    NoVariable(String),
    #[error("{0} does not hold one line `user:password` of at most {BYTES_MAX} characters")]
    Form(String),
}

impl Credentials {
    /// The whole address for an intake, with name and password in it.
    ///
    /// # Errors
    /// When they cannot be read, or others can.
    pub(crate) fn address(&self, address: &Address) -> Result<String, CredentialsError> {
        let text = self.read()?;
        let login = text.lines().next().unwrap_or_default();
        let well = login.len() as u64 <= BYTES_MAX && !login.chars().any(char::is_control);
        let (user, password) =
            login.split_once(':').filter(|_| well).ok_or_else(|| CredentialsError::Form(self.place()))?;
        Ok(address.with(&format!("{}:{}@", percent_encoded(user), percent_encoded(password))))
    }

    fn read(&self) -> Result<String, CredentialsError> {
        match self {
            Self::Variable(name) => env::var(name).map_err(|_| CredentialsError::NoVariable(name.clone())),
            Self::File(path) => {
                let io = |error| CredentialsError::Io { path: path.clone(), error };
                let file = File::open(path).map_err(io)?;
                let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
                if mode & OTHERS != 0 {
                    return Err(CredentialsError::Open { path: path.clone(), mode });
                }
                let mut text = String::new();
                // One more than a whole line may have, so that a longer one is not cut and tried.
                file.take(BYTES_MAX + 2).read_to_string(&mut text).map_err(io)?;
                Ok(text)
            }
        }
    }

    fn place(&self) -> String {
        match self {
            Self::File(path) => format!("credentials_file {}", path.display()),
            Self::Variable(name) => format!("the variable {name}"),
        }
    }
}

/// RFC 3986 §2.1: every byte that is not unreserved, so that no character of a password ends it.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        path::Path,
    };

    use super::*;
    use crate::source::Source;

    fn address() -> Address {
        match Source::parse(Path::new("rtsp://camera:554/1"), Path::new("")) {
            Ok(Source::Stream(stream)) => stream.address,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_gives_name_and_password_to_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("login");
        let credentials = Credentials::File(path.clone());
        let set = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            credentials.address(&address())
        };
        assert!(matches!(credentials.address(&address()), Err(CredentialsError::Io { .. })));
        let cases = [
            ("plain", "me:word\n", Some("rtsp://me:word@camera:554/1")),
            ("signs", "a@b:p:/?#ä %", Some("rtsp://a%40b:p%3A%2F%3F%23%C3%A4%20%25@camera:554/1")),
            ("empty password", "me:\n", Some("rtsp://me:@camera:554/1")),
            ("no colon", "secret\n", None),
            ("empty", "", None),
            ("control", "me:sec\x07ret", None),
            ("long", &format!("me:{}", "s".repeat(600)), None),
        ];
        for (name, text, expected) in cases {
            let made = set(text, 0o600);
            assert_eq!(made.as_deref().ok(), expected, "{name}");
            if let Err(error) = made {
                let said = error.to_string();
                assert!(said.contains("user:password") && !said.contains("sec"), "{name}: {said}");
            }
        }
        let said = set("me:word", 0o640).unwrap_err().to_string();
        assert!(said.contains("chmod 600") && said.contains("640"), "{said}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let said = Credentials::Variable("OUTIS_NO_SUCH".into()).address(&address()).unwrap_err().to_string();
        assert!(said.contains("OUTIS_NO_SUCH"), "{said}");
    }
}
