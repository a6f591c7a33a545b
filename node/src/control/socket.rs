//! The local socket of a data folder: a Unix socket, or a named pipe on Windows.

use std::{io, path::Path};

use interprocess::local_socket::{ListenerOptions, Name, tokio::prelude::*};
pub(super) use interprocess::local_socket::{
    tokio::{Listener, Stream},
    traits::tokio::Listener as AcceptsStreams,
};

/// Opens the socket to its owner alone. What stands at its place is a dead one: the caller holds
/// the data folder's lock.
pub(super) fn listen(socket: &Path) -> io::Result<Listener> {
    match std::fs::remove_file(socket) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    private(ListenerOptions::new().name(name(socket)?), socket)
}

/// Connects to the socket; `None` where nobody listens.
pub(super) async fn connect(socket: &Path) -> io::Result<Option<Stream>> {
    match Stream::connect(name(socket)?).await {
        Ok(stream) => Ok(Some(stream)),
        Err(e) if nobody_there(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Takes the socket away.
pub(super) fn remove(socket: &Path) {
    let _ = std::fs::remove_file(socket);
}

fn nobody_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

#[cfg(unix)]
fn name(socket: &Path) -> io::Result<Name<'_>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    socket.to_fs_name::<GenericFilePath>()
}

#[cfg(unix)]
fn private(options: ListenerOptions<'_>, socket: &Path) -> io::Result<Listener> {
    use std::os::unix::fs::PermissionsExt as _;
    // The folder is private already; not every Unix lets a socket be made with a mode.
    let listener = options.create_tokio()?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Pipes have no folders: the name is that of the path.
#[cfg(windows)]
fn name(socket: &Path) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName as _};
    let hash = blake3::hash(socket.as_os_str().as_encoded_bytes()).to_hex();
    format!("potluck-{}", &hash[..32]).to_ns_name::<GenericNamespaced>()
}

#[cfg(windows)]
fn private(options: ListenerOptions<'_>, _: &Path) -> io::Result<Listener> {
    use interprocess::os::windows::{
        local_socket::ListenerOptionsExt as _, security_descriptor::SecurityDescriptor,
    };
    // Everything for whoever owns the pipe, nothing for anybody else.
    let owner_only = widestring::u16cstr!("D:P(A;;GA;;;OW)");
    let owner_only = SecurityDescriptor::deserialize(owner_only)?;
    options.security_descriptor(owner_only).create_tokio()
}
