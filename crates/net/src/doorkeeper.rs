//! What a listener asks of, and tells, whoever knows more about addresses than it does.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::proxy::HeaderError;
use crate::refusal::Refusal;

/// Asked about each connection before a byte is sent. Called in the accept loop: nothing here may wait.
pub trait Doorkeeper: fmt::Debug + Send + Sync {
    /// Whether a connection from `address` is closed at once. It may count the attempt.
    fn is_banned(&self, address: IpAddr) -> bool;

    /// A connection from `address` was refused. There may be very many of them: no line in the log for each.
    fn refused(&self, address: IpAddr, refusal: Refusal);

    /// A connection was closed because of its PROXY header; `peer` is the other end of the socket.
    fn without_header(&self, peer: SocketAddr, error: &HeaderError);
}

/// Lets everybody in, and forgets it.
#[derive(Debug)]
pub(crate) struct OpenDoor;

impl Doorkeeper for OpenDoor {
    fn is_banned(&self, _address: IpAddr) -> bool {
        false
    }

    fn refused(&self, _address: IpAddr, _refusal: Refusal) {}

    fn without_header(&self, _peer: SocketAddr, _error: &HeaderError) {}
}
