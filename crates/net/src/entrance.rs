//! Who may come in: from where a connection comes, by its PROXY header if it has one, and whether it is let in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::doorkeeper::{Doorkeeper, OpenDoor};
use crate::limit::{AcceptLimits, ConnectionLimiter, ConnectionSlot};
use crate::proxy::{Header, HeaderError, ProxyMode, ProxyPolicy, Trust, read_header};
use crate::refusal::{Refusal, RefusalLog};

/// Where headers are optional, a client that says nothing for so long has none: it waits for the server's first word. A
/// proxy sends its header at once; this leaves time for it to be sent again (section 2 asks for three seconds at least).
const SILENCE: Duration = Duration::from_secs(5);
/// For a header to come, unless said otherwise.
const HEADER_DEADLINE: Duration = Duration::from_secs(120);

/// The rules for connections to a listener.
#[derive(Debug)]
pub struct Entrance {
    limiter: ConnectionLimiter,
    proxy: ProxyPolicy,
    header_deadline: Duration,
    doorkeeper: Arc<dyn Doorkeeper>,
    pub(crate) refusals: RefusalLog,
}

/// A connection that was accepted and not refused.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// It may come in.
    Known(ConnectionSlot),
    /// Its header must be read first.
    BehindHeader(ConnectionSlot, Trust),
}

impl Entrance {
    /// An entrance to the listener of this name, with these limits and nothing else.
    pub fn new(listener: &'static str, limits: AcceptLimits) -> Self {
        Self {
            limiter: ConnectionLimiter::new(limits),
            proxy: ProxyPolicy::default(),
            header_deadline: HEADER_DEADLINE,
            doorkeeper: Arc::new(OpenDoor),
            refusals: RefusalLog::new(listener),
        }
    }

    /// Reads PROXY headers, which must come within `deadline`.
    #[must_use]
    pub fn with_proxy(mut self, policy: ProxyPolicy, deadline: Duration) -> Self {
        self.proxy = policy;
        self.header_deadline = deadline;
        self
    }

    /// Asks about every connection.
    #[must_use]
    pub fn with_doorkeeper(mut self, doorkeeper: Arc<dyn Doorkeeper>) -> Self {
        self.doorkeeper = doorkeeper;
        self
    }

    /// Lets a new connection from `peer` in, or up to its header; `None` if it is refused.
    pub(crate) fn meet(&self, peer: SocketAddr) -> Option<Arrival> {
        let address = peer.ip().to_canonical();
        let trust = self.proxy.trust(address);
        let arrival = match trust {
            // Counted like others, so that not each of a flood of them is told.
            Trust::Refused => match self.admit(address) {
                Ok(_) => {
                    let reason = HeaderError::NotAllowed;
                    self.doorkeeper.without_header(peer, &reason);
                    Err(Refusal::NotAProxy)
                }
                Err(refusal) => Err(refusal),
            },
            Trust::NoHeader => self.admit(address).map(Arrival::Known),
            Trust::Ignored => {
                let slot = self.admit(address);
                slot.map(|slot| Arrival::BehindHeader(slot, trust))
            }
            // Nobody said that it is a proxy: it might lead its own address out of a ban.
            Trust::Believed { listed: false } if self.doorkeeper.is_banned(address) => {
                Err(Refusal::Banned)
            }
            // All clients come from the address of their proxy, which is therefore not counted.
            Trust::Believed { .. } => {
                let slot = self.limiter.admit_unknown();
                slot.map(|slot| Arrival::BehindHeader(slot, trust))
            }
        };
        self.unless_refused(arrival, address)
    }

    fn admit(&self, address: IpAddr) -> Result<ConnectionSlot, Refusal> {
        if self.doorkeeper.is_banned(address) {
            return Err(Refusal::Banned);
        }
        self.limiter.admit(address)
    }

    fn unless_refused<T>(&self, result: Result<T, Refusal>, address: IpAddr) -> Option<T> {
        let refused = |refusal| {
            self.doorkeeper.refused(address, refusal);
            self.refusals.note(refusal, address);
        };
        result.map_err(refused).ok()
    }

    /// Reads the header of a connection; gives the client's address, or `None` if the connection must be closed.
    pub(crate) async fn behind_header(
        &self,
        stream: &mut TcpStream,
        peer: SocketAddr,
        slot: &mut ConnectionSlot,
        trust: Trust,
    ) -> Option<SocketAddr> {
        let begun = Instant::now();
        let read = tokio::time::timeout(self.header_deadline, self.client(stream, peer, trust));
        let client = match read.await.unwrap_or(Err(HeaderError::Late)) {
            Ok(client) => client,
            Err(error) => {
                self.doorkeeper.without_header(peer, &error);
                return None;
            }
        };
        slot.waited = begun.elapsed();
        if trust != Trust::Ignored {
            let address = client.ip().to_canonical();
            let admitted = if self.doorkeeper.is_banned(address) {
                Err(Refusal::Banned)
            } else {
                slot.comes_from(address)
            };
            self.unless_refused(admitted, address)?;
        }
        Some(client)
    }

    async fn client(
        &self,
        stream: &mut TcpStream,
        peer: SocketAddr,
        trust: Trust,
    ) -> Result<SocketAddr, HeaderError> {
        let required = self.proxy.mode == ProxyMode::Required;
        let patience = (!required).then_some(SILENCE.min(self.header_deadline / 2));
        match read_header(stream, patience).await? {
            None if required => Err(HeaderError::Missing),
            Some(Header::Client(client)) if trust != Trust::Ignored => Ok(client),
            Some(Header::Client(_) | Header::Unsaid) | None => Ok(peer),
        }
    }
}
