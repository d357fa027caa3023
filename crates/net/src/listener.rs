//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::TcpListener;

/// Connections that may wait to be accepted; the kernel caps it.
const BACKLOG: i32 = 1024;

/// A port could not be opened; the message says which and what to do.
#[derive(Debug, Error)]
#[error("cannot listen on {address} ({setting}): {source}{}", hint(source))]
pub struct BindError {
    address: SocketAddr,
    setting: &'static str,
    source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    let kind = error.kind();
    if kind == io::ErrorKind::AddrInUse {
        "; another program uses this port, choose another one"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; ports below 1024 need privileges"
    } else if kind == io::ErrorKind::AddrNotAvailable {
        "; this machine does not have that address"
    } else {
        ""
    }
}

/// The address to listen on for the text of a setting: empty means every interface, a name is looked up (which may block),
/// and IPv4 is preferred where a name has both.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub fn listen_address(host: &str, port: u16) -> Result<SocketAddr, String> {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Ok(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port));
    }
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("{host:?} is not an address to listen on: {error}"))?
        .collect();
    let first_v4 = found.iter().find(|address| address.is_ipv4());
    let first = first_v4.or(found.first()).copied();
    first.ok_or_else(|| format!("{host:?} has no address"))
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    pub(crate) inner: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Opens `address`; port 0 takes a free one. The unspecified IPv6 address takes IPv4 too, and where the system has no
    /// IPv6 it falls back to IPv4. `setting` is named in the error. Must be called on a runtime.
    pub fn bind(address: SocketAddr, setting: &'static str) -> Result<Self, BindError> {
        let any_v6 = address.is_ipv6() && address.ip().is_unspecified();
        let bound = match open(address) {
            Err(error) if any_v6 && no_ipv6(&error) => open(SocketAddr::new(
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                address.port(),
            )),
            bound => bound,
        };
        let inner = bound.map_err(|source| BindError {
            address,
            setting,
            source,
        })?;
        let address = inner.local_addr().map_err(|source| BindError {
            address,
            setting,
            source,
        })?;
        Ok(Self { inner, address })
    }

    /// Takes a socket that somebody else opened and that listens already. Must be called on a runtime.
    ///
    /// # Errors
    /// It is no socket of TCP.
    pub fn inherit(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let inner = TcpListener::from_std(socket)?;
        let address = inner.local_addr()?;
        Ok(Self { inner, address })
    }

    /// The address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

fn no_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own.
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(97)
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // So that a restart need not wait for old connections to be forgotten.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
