//! Fetches a published log into a folder, over HTTP or HTTPS, so that it can be checked there.
//!
//! It believes nothing of what it fetches and judges nothing. Plain HTTP would be enough, because every byte is held to a
//! signature; but what a town publishes is served over HTTPS, and who reads it is nobody's business.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use axum::{
    body::Bytes,
    http::{Request, StatusCode, Uri, header},
};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use outis_ledger::{CHECKPOINT, verify::Files};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use crate::{exit::UsageError, tls::Trust};

/// How long one file may take to begin, and each piece of it to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes that are fetched in all.
const BYTES_MAX: u64 = 8 << 30;

/// How often it is begun anew because the log has grown in the meantime.
const TRIES: usize = 3;

/// Fetches everything below an address into a folder. `authorities` is a file of those that may vouch for the server.
///
/// # Errors
/// [`UsageError`] for an address that cannot be fetched or authorities that are none; others when the server does not answer as it should. A file that
/// is not there is no error: the check will tell.
pub(crate) async fn mirror(address: &str, authorities: Option<&Path>, folder: &Path) -> anyhow::Result<()> {
    let site = Site::parse(address)?;
    let trust = site.secret.then(|| Trust::new(authorities)).transpose()?;
    for _ in 0..TRIES {
        let mut fetch = Fetch { site: &site, trust: trust.as_ref(), connection: None, bytes_left: BYTES_MAX };
        for step in Files::STEPS {
            let files = step.list(folder).with_context(|| address.to_owned())?;
            for file in files {
                fetch.file(&file, folder).await.with_context(|| format!("{address}: {file}"))?;
            }
        }
        let before = fs::read(folder.join(CHECKPOINT)).context("the copy of the checkpoint")?;
        fetch.file(CHECKPOINT, folder).await.with_context(|| format!("{address}: {CHECKPOINT}"))?;
        if fs::read(folder.join(CHECKPOINT)).context("the copy of the checkpoint")? == before {
            break;
        }
    }
    Ok(())
}

/// Where the log is.
#[derive(Debug)]
struct Site {
    /// Within TLS.
    secret: bool,
    /// Host and port as they were given.
    authority: String,
    host: String,
    port: u16,
    /// With a slash at its end.
    path: String,
}

impl Site {
    fn parse(address: &str) -> Result<Self, UsageError> {
        let (scheme, _) = address.split_once("://").unwrap_or_default();
        let secret = scheme.eq_ignore_ascii_case("https");
        if !secret && !scheme.eq_ignore_ascii_case("http") {
            return Err(UsageError::new(format!(
                "{scheme}:// is not fetched, only https:// and http://; mirror it with a downloader, and check the \
                 folder that it makes"
            )));
        }
        let wrong =
            || UsageError::new("the address is not one of a folder, such as https://example.org/outis/");
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let path = format!("{}/", uri.path().trim_end_matches('/'));
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if secret { 443 } else { 80 });
        Ok(Self { secret, authority: authority.to_string(), host, port, path })
    }
}

struct Fetch<'a> {
    site: &'a Site,
    /// For one within TLS.
    trust: Option<&'a Trust>,
    connection: Option<SendRequest<Empty<Bytes>>>,
    bytes_left: u64,
}

impl Fetch<'_> {
    /// Fetches one file. What was there under its name before is gone, also when the server has none.
    async fn file(&mut self, file: &str, folder: &Path) -> anyhow::Result<()> {
        let place = folder.join(file);
        fs::create_dir_all(place.parent().unwrap_or(folder)).context("its folder")?;
        let request = Request::get(format!("{}{file}", self.site.path))
            .header(header::HOST, &self.site.authority)
            .body(Empty::new())?;
        let mut connection = self.connection().await?;
        let response = timeout(PATIENCE, connection.send_request(request)).await.context("no answer")??;
        match response.status() {
            StatusCode::OK => {}
            // The check will tell what this means: a window may also be kept from all but its owner.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
                let _ = fs::remove_file(&place);
                return Ok(());
            }
            status if status.is_redirection() => bail!("the server sends us elsewhere; give that address"),
            status => bail!("the server answers {status}"),
        }
        let mut copy = File::create(&place).context("its copy")?;
        let mut body = response.into_body();
        let mut left = self.bytes_left.min(Files::BYTES_MAX);
        while let Some(frame) = timeout(PATIENCE, body.frame()).await.context("no more data")? {
            let Ok(data) = frame?.into_data() else { continue };
            let length = data.len() as u64;
            ensure!(length <= left, "it is longer than any file of a log");
            left -= length;
            self.bytes_left -= length;
            copy.write_all(&data).context("its copy")?;
        }
        self.connection = Some(connection);
        Ok(())
    }

    /// The open connection, or a new one.
    async fn connection(&mut self) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
        if let Some(mut connection) = self.connection.take()
            && connection.ready().await.is_ok()
        {
            return Ok(connection);
        }
        let stream = TcpStream::connect((self.site.host.as_str(), self.site.port));
        let stream = timeout(PATIENCE, stream).await.context("no connection")?.context("no connection")?;
        match self.trust {
            Some(trust) => {
                let stream = timeout(PATIENCE, trust.connect(&self.site.host, stream)).await;
                speak(stream.context("no connection")??).await
            }
            None => speak(stream).await,
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the connection; what goes wrong is told by the request.
    tokio::spawn(async move { drop(driver.await) });
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let site = |address| Site::parse(address).map(|site| (site.host, site.port, site.path));
        let expected = |host: &str, port, path: &str| (host.to_owned(), port, path.to_owned());
        assert_eq!(site("http://example.org").unwrap(), expected("example.org", 80, "/"));
        assert_eq!(site("HTTP://example.org:81/a/b/").unwrap(), expected("example.org", 81, "/a/b/"));
        assert_eq!(site("https://example.org/a").unwrap(), expected("example.org", 443, "/a/"));
        assert_eq!(site("http://[::1]:81/a").unwrap(), expected("::1", 81, "/a/"));
        for (wrong, part) in [
            ("ftp://example.org", "downloader"),
            ("http://", "not one of a folder"),
            ("http://user:secret@example.org", "not one of a folder"),
        ] {
            let error = Site::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains("secret"), "{error}");
        }
    }
}
