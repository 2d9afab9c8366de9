//! A hook: each alert as a POST of its line of JSON, over plain HTTP in the network of the place.
//!
//! A TLS stack would be a hundred packages more in the program that guards the numbers; an alert holds no secret. To
//! somewhere else, a proxy beside this program carries it.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};
use axum::{
    body::Bytes,
    http::{HeaderValue, Request, Uri, header},
};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

/// Section `[[speaker.http]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpConfig {
    url: String,
    /// A file with the token that the hook wants to see.
    token_file: Option<std::path::PathBuf>,
    #[serde(default)]
    pub(crate) cameras: Vec<String>,
}

/// A hook.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Http {
    /// Host and port as they were given.
    authority: String,
    host: String,
    port: u16,
    path: String,
    authorization: Option<HeaderValue>,
}

impl Http {
    /// # Errors
    /// Says what to change. The address is not repeated where it may hold a password.
    pub(crate) fn new(config: &HttpConfig, beside: &Path) -> Result<Self, String> {
        let uri: Uri =
            config.url.parse().map_err(|_| "http: url is no address such as http://10.0.0.5/alert")?;
        if uri.scheme_str() != Some("http") {
            return Err(
                "http: url begins with http://; for https let a proxy beside this program carry it".into()
            );
        }
        let authority = uri.authority().ok_or("http: url has no host")?;
        if authority.as_str().contains('@') {
            return Err(
                "http: no name and password in url; put a token into a file and name it as token_file".into(),
            );
        }
        let authorization = config.token_file.as_deref().map(|file| {
            let path = beside.join(file);
            let cannot = |why: &str| format!("http: token_file {}: {why}", path.display());
            let token = fs::read_to_string(&path).map_err(|error| cannot(&error.to_string()))?;
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .map_err(|_| cannot("it holds more than a token"))?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            authorization: authorization.transpose()?,
        })
    }

    /// Where it is, for messages: a path may hold a secret.
    pub(crate) fn place(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Posts a line of JSON.
    pub(crate) async fn post(&self, json: &str) -> anyhow::Result<()> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.context("no connection")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; its errors are told by the request.
        tokio::spawn(connection);
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(json.to_owned())))?;
        let status = sender.send_request(request).await.context("no answer")?.status();
        if status.is_redirection() {
            bail!("it sends us elsewhere; give that address");
        }
        ensure!(status.is_success(), "it answers {status}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused_without_repeating_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token"), "abc\n").unwrap();
        fs::write(folder.path().join("letter"), "dear\nhook").unwrap();
        let http = |text: &str| Http::new(&toml::from_str(text).unwrap(), folder.path());
        let good = http("url = \"http://[::1]:8080/a/b?c=d\"\ntoken_file = \"token\"").unwrap();
        assert_eq!((good.host.as_str(), good.port, good.path.as_str()), ("::1", 8080, "/a/b?c=d"));
        assert!(good.authorization.as_ref().is_some_and(|value| value == "Bearer abc"));
        assert!(!format!("{good:?}").contains("abc"), "a token is not shown");
        assert_eq!(
            (good.place().as_str(), http("url = \"http://a\"").unwrap().port),
            ("http://[::1]:8080", 80)
        );
        for (text, part) in [
            ("url = \"https://10.0.0.5/\"", "proxy"),
            ("url = \"ftp://10.0.0.5/\"", "http://"),
            ("url = \"10.0.0.5 /\"", "no address"),
            ("url = \"http://me:secret@10.0.0.5/\"", "token_file"),
            ("url = \"http://a/\"\ntoken_file = \"absent\"", "absent"),
            ("url = \"http://a/\"\ntoken_file = \"letter\"", "more than a token"),
        ] {
            let error = http(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
