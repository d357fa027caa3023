//! How many connections there may be: in all, before their login, and from one address before its login.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Limits of one listener.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    /// Connections at the same time.
    pub connections: usize,
    /// Connections that have not logged in yet.
    pub unauthenticated: usize,
    /// Of these, from one address.
    pub unauthenticated_per_address: usize,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            unauthenticated: 1_000,
            unauthenticated_per_address: 256,
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    unauthenticated: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Counts connections against [`AcceptLimits`].
#[derive(Debug, Clone)]
pub struct ConnectionLimiter {
    limits: AcceptLimits,
    counts: Arc<Mutex<Counts>>,
}

impl ConnectionLimiter {
    /// A limiter with nothing counted.
    pub fn new(limits: AcceptLimits) -> Self {
        Self {
            limits,
            counts: Arc::default(),
        }
    }

    /// Counts a connection from `address`; `None` if a limit is reached.
    pub fn admit(&self, address: IpAddr) -> Option<ConnectionSlot> {
        let mut counts = self.counts.lock();
        let from_here = counts.by_address.get(&address).copied().unwrap_or(0);
        if counts.connections >= self.limits.connections
            || counts.unauthenticated >= self.limits.unauthenticated
            || from_here >= self.limits.unauthenticated_per_address
        {
            return None;
        }
        counts.connections += 1;
        counts.unauthenticated += 1;
        *counts.by_address.entry(address).or_default() += 1;
        Some(ConnectionSlot {
            counts: Arc::clone(&self.counts),
            address,
            authenticated: false,
            draining: CancellationToken::new(),
        })
    }
}

/// A counted connection; dropping it takes it out of the count.
#[derive(Debug)]
pub struct ConnectionSlot {
    counts: Arc<Mutex<Counts>>,
    address: IpAddr,
    authenticated: bool,
    pub(crate) draining: CancellationToken,
}

impl ConnectionSlot {
    /// Cancelled when the listener stops accepting: a connection that only waits for its client's next request ends then.
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Notes that somebody logged in: the connection counts as unauthenticated no more.
    pub fn authenticated(&mut self) {
        if !std::mem::replace(&mut self.authenticated, true) {
            release_login(&mut self.counts.lock(), self.address);
        }
    }
}

fn release_login(counts: &mut Counts, address: IpAddr) {
    counts.unauthenticated = counts.unauthenticated.saturating_sub(1);
    if let Some(count) = counts.by_address.get_mut(&address) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.by_address.remove(&address);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        counts.connections = counts.connections.saturating_sub(1);
        if !self.authenticated {
            release_login(&mut counts, self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_frees_the_place_of_its_address_and_a_drop_frees_the_rest() {
        let limiter = ConnectionLimiter::new(AcceptLimits {
            connections: 3,
            unauthenticated: 2,
            unauthenticated_per_address: 1,
        });
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut first = limiter.admit(one).unwrap();
        assert!(limiter.admit(one).is_none(), "one address");
        let second = limiter.admit(two).unwrap();
        assert!(
            limiter.admit("192.0.2.3".parse().unwrap()).is_none(),
            "unauthenticated"
        );
        first.authenticated();
        let third = limiter.admit(one).unwrap();
        drop(second);
        assert!(limiter.admit(two).is_some());
        drop(third);
        drop(first);
        let counts = limiter.counts.lock();
        assert_eq!((counts.connections, counts.unauthenticated), (0, 0));
        assert!(counts.by_address.is_empty());
    }
}
