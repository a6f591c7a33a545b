//! Files by `scp` over loopback, through an sshd with keys of its own that runs as whoever runs the bench.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, ensure};

use super::program::{self, Running};

/// An sshd that ends with this value.
pub(super) struct Scp {
    program: PathBuf,
    /// Keys, settings and what arrives.
    folder: PathBuf,
    user: String,
    address: SocketAddr,
    _server: Running,
}

/// What a copy took, in seconds.
pub(super) struct Took {
    /// Until `scp` was done.
    pub(super) copied: f64,
    /// Until it was on the disk besides, of which `scp` does not take care.
    pub(super) synced: f64,
}

impl Scp {
    /// Starts one with everything in a folder of its own; `None` where it is not installed.
    pub(super) fn start(folder: PathBuf) -> anyhow::Result<Option<Self>> {
        let server = program::find("sshd", "openssh-server");
        let scp = program::find("scp", "openssh-client");
        let keygen = program::find("ssh-keygen", "openssh-client");
        let (Some(server), Some(program), Some(keygen)) = (server, scp, keygen) else {
            return Ok(None);
        };
        fs::create_dir_all(&folder)?;
        let address = program::free_address()?;
        keys(&keygen, &folder, address)?;
        let config = folder.join("sshd_config");
        fs::write(&config, settings(&folder, address))?;
        // An sshd of root wants this, which the system makes only when it starts its own one.
        let _ = fs::create_dir_all("/run/sshd");
        said(Command::new(&server).arg("-t").arg("-f").arg(&config))?;
        let mut command = Command::new(&server);
        let command = command.arg("-D").arg("-f").arg(&config);
        let _server = Running::start(command, "sshd cannot be started")?;
        drop(program::connect(address)?);
        let user = said(Command::new("id").arg("-un"))?.trim().to_owned();
        Ok(Some(Self { program, folder, user, address, _server }))
    }

    /// Copies a file once, and removes what arrived.
    pub(super) fn copy(&self, file: &Path) -> anyhow::Result<Took> {
        let arrived = self.folder.join("arrived");
        let to = format!("{}@{}:{}", self.user, self.address.ip(), arrived.display());
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        command.args(["-q", "-F", "/dev/null", "-P", &self.address.port().to_string()]);
        command.arg("-i").arg(self.folder.join("key"));
        command.args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]);
        command.args(["-o", "StrictHostKeyChecking=yes", "-o"]);
        command.arg(format!("UserKnownHostsFile={}", self.folder.join("known_hosts").display()));
        said(command.arg(file).arg(to))?;
        let copied = started.elapsed().as_secs_f64();
        File::options().write(true).open(&arrived)?.sync_all()?;
        let synced = started.elapsed().as_secs_f64();
        ensure!(arrived.metadata()?.len() == file.metadata()?.len(), "scp has not copied all");
        fs::remove_file(&arrived)?;
        Ok(Took { copied, synced })
    }
}

/// The host's key, which the client knows, and the client's, which the host knows.
fn keys(keygen: &Path, folder: &Path, address: SocketAddr) -> anyhow::Result<()> {
    for name in ["host", "key"] {
        let mut command = Command::new(keygen);
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name));
        said(&mut command)?;
    }
    fs::copy(folder.join("key.pub"), folder.join("authorized_keys"))?;
    let host = fs::read_to_string(folder.join("host.pub"))?;
    let known = format!("[{}]:{} {host}", address.ip(), address.port());
    fs::write(folder.join("known_hosts"), known)?;
    Ok(())
}

fn settings(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "ListenAddress {}\n\
         Port {}\n\
         HostKey {folder}/host\n\
         AuthorizedKeysFile {folder}/authorized_keys\n\
         PidFile none\n\
         StrictModes no\n\
         UsePAM no\n\
         PasswordAuthentication no\n\
         PermitRootLogin prohibit-password\n\
         Subsystem sftp internal-sftp\n",
        address.ip(),
        address.port()
    )
}

/// Runs a command to its end, and gives what it printed.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {error}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
