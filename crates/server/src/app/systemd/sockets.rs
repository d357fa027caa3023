//! Socket activation: listening sockets that the service manager opened and this process inherits, see sd_listen_fds(3). They
//! stay open over a restart, so that clients wait instead of being refused, and ports below 1024 need no privileges.
#![expect(
    unsafe_code,
    reason = "the numbers of inherited descriptors come from the environment; see `adopt`"
)]

use std::io;
use std::net::TcpListener;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use rustix::net::SocketType;
use rustix::net::sockopt::{socket_acceptconn, socket_type};

use crate::app::AppError;

/// Names of sockets (`FileDescriptorName=`).
const SSH: &str = "sftp";
const HTTP: &str = "http";

/// Listening sockets, where there are some.
#[derive(Debug, Default)]
pub struct InheritedSockets {
    /// For SSH, instead of `sftpd.bind_address` and `sftpd.bind_port`.
    pub ssh: Option<TcpListener>,
    /// For HTTP, instead of `httpd.bind_address` and `httpd.bind_port`.
    pub http: Option<TcpListener>,
}

impl InheritedSockets {
    /// Those of this process.
    pub(super) fn of_process() -> Result<Self, AppError> {
        let wrong = |error: io::Error| {
            AppError(format!(
                "the sockets of the service manager cannot be used (LISTEN_FDS, LISTEN_FDNAMES): {error}"
            ))
        };
        let mut sockets = Self::default();
        for (number, name) in sd_notify::listen_fds_with_names().map_err(wrong)? {
            let socket = listener(adopt(number)).map_err(|why| {
                AppError(format!(
                    "the socket {name:?} of the service manager cannot be used: {why}"
                ))
            })?;
            match place(&name, sockets.ssh.is_some(), sockets.http.is_some())? {
                Place::Ssh => sockets.ssh = Some(socket),
                Place::Http => sockets.http = Some(socket),
            }
        }
        Ok(sockets)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Ssh,
    Http,
}

/// What a socket of this name is for. Units that name no descriptor give it their own name: the first of these is for SSH.
fn place(name: &str, has_ssh: bool, has_http: bool) -> Result<Place, AppError> {
    match name {
        HTTP if !has_http => Ok(Place::Http),
        HTTP => Err(too_many(HTTP)),
        SSH if has_ssh => Err(too_many(SSH)),
        _ if !has_ssh => Ok(Place::Ssh),
        _ => Err(AppError(format!(
            "the service manager passes a socket {name:?} beside the one for SFTP: set FileDescriptorName={HTTP} in its \
             unit if it is for HTTP, or remove it"
        ))),
    }
}

fn too_many(name: &str) -> AppError {
    AppError(format!(
        "the service manager passes more than one socket {name:?}, and one is served: keep one ListenStream= in the unit; \
         [::]:PORT takes IPv4 as well"
    ))
}

fn adopt(number: RawFd) -> OwnedFd {
    // SAFETY: `listen_fds` has just changed the flags of this descriptor, so it is open. LISTEN_PID says that it was opened for
    // this very process, and nothing else here looks at these variables: `ServiceManager::of_process` is called once, first.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// The descriptor as a listening TCP socket; else a sentence about what it is.
fn listener(socket: OwnedFd) -> Result<TcpListener, String> {
    let kind = socket_type(&socket).map_err(|error| format!("it is no socket ({error})"))?;
    if kind != SocketType::STREAM {
        return Err("it is not for connections: use ListenStream=".to_owned());
    }
    if !socket_acceptconn(&socket).unwrap_or(false) {
        return Err("it does not listen: use Accept=no".to_owned());
    }
    let socket = TcpListener::from(socket);
    // Fails for anything but IPv4 and IPv6.
    if socket.local_addr().is_err() {
        return Err("it has no IP address: use ListenStream= with a port".to_owned());
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpStream, UdpSocket};
    use std::os::unix::net::UnixListener;

    #[test]
    fn names_say_what_a_socket_is_for_and_the_first_other_is_for_ssh() {
        for (name, has_ssh, has_http, expected) in [
            ("sftp", false, false, Some(Place::Ssh)),
            ("sftp", false, true, Some(Place::Ssh)),
            ("http", true, false, Some(Place::Http)),
            ("http", false, false, Some(Place::Http)),
            ("sftpgo.socket", false, false, Some(Place::Ssh)),
            ("unknown", false, true, Some(Place::Ssh)),
            ("", false, false, Some(Place::Ssh)),
            ("sftpgo.socket", true, false, None),
            ("sftp", true, false, None),
            ("http", false, true, None),
        ] {
            let found = place(name, has_ssh, has_http);
            assert_eq!(found.ok(), expected, "{name} {has_ssh} {has_http}");
        }
    }

    #[test]
    fn what_does_not_listen_for_tcp_is_refused_with_what_to_write() {
        let listening = TcpListener::bind("127.0.0.1:0").unwrap();
        let connected = TcpStream::connect(listening.local_addr().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let unix = UnixListener::bind(directory.path().join("socket")).unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        for (socket, word) in [
            (OwnedFd::from(connected), "Accept=no"),
            (OwnedFd::from(unix), "with a port"),
            (OwnedFd::from(datagrams), "ListenStream="),
            (OwnedFd::from(file), "no socket"),
        ] {
            let why = listener(socket).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
        assert!(listener(listening.into()).is_ok());
    }
}
