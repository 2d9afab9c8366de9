//! Where bytes could turn up beside the pipe: a folder that may be written to, and a port that somebody listens at.

use std::{
    fs,
    io::{self, Read},
    net::{Ipv4Addr, TcpListener, UdpSocket},
    os::unix::ffi::OsStrExt,
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

/// How long bytes on the loopback may take to arrive after their sender has ended.
const ARRIVAL: Duration = Duration::from_millis(50);

/// More than any attempt sends.
const BYTES_MAX: u64 = 1 << 20;

/// One worker's folder and port.
#[derive(Debug)]
pub(super) struct Place {
    folder: TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Place {
    pub(super) fn new() -> io::Result<Self> {
        // The same port for both protocols; another program may hold one of them.
        const TRIES: usize = 20;
        let mut last = io::Error::other("no port");
        for _ in 0..TRIES {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            match UdpSocket::bind(tcp.local_addr()?) {
                Ok(udp) => {
                    tcp.set_nonblocking(true)?;
                    udp.set_nonblocking(true)?;
                    return Ok(Self { folder: tempfile::tempdir()?, tcp, udp });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.tcp.local_addr()?.port())
    }

    /// How many bytes turned up since the last call, in names and contents of files and on the port. A memory image
    /// of a process would be among them, since its folder is the current one.
    pub(super) fn collect(&self) -> io::Result<u64> {
        let mut bytes = self.files()?;
        let mut buffer = [0; 8192];
        while let Ok(read) = self.udp.recv(&mut buffer) {
            bytes += read as u64;
        }
        while let Ok((stream, _)) = self.tcp.accept() {
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(ARRIVAL))?;
            // What came before an error is counted as well.
            let mut arrived = Vec::new();
            let _ = stream.take(BYTES_MAX).read_to_end(&mut arrived);
            bytes += arrived.len() as u64;
        }
        Ok(bytes)
    }

    fn files(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(self.folder())? {
            let (path, metadata) = (entry?.path(), fs::symlink_metadata);
            let metadata = metadata(&path)?;
            bytes += path.file_name().map_or(0, |name| name.as_bytes().len() as u64) + metadata.len();
            if metadata.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
        Ok(bytes)
    }
}
