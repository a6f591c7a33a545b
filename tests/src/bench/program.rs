//! Programs that Potluck is compared with: found, started on loopback, and ended.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

/// How long a server may take to listen, or to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Where a program lies. Where it is missing, the package of Debian that has it is named, and the bench
/// goes on without.
pub(super) fn find(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers lie where only root looks.
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = std::env::split_paths(&path).chain(usual);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        eprintln!("{name} is missing, so nothing is compared with it: apt-get install {package}");
    }
    found
}

/// An address of loopback at which nothing listens.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// A connection to a server, which may have to get ready first.
pub(super) fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let until = Instant::now() + PATIENCE;
    let stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => ensure!(Instant::now() < until, "nothing listens at {address}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    stream.set_nodelay(true)?;
    // A server that is stuck ends the bench.
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A process that ends with this value.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(command: &mut Command, missing: &str) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| missing.to_owned())?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
