//! How many connections there may be: in all, before their login, and from one address before its login; and how fast, and
//! after what, an address may open them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sftpgo_model::{AddressSet, Source, SourceMap};
use tokio_util::sync::CancellationToken;

use crate::penalty::{Debt, Misconduct, Penalties};
use crate::rate::{Bucket, StartRate};
use crate::refusal::Refusal;

/// Addresses of which it is remembered how fast they come and what they owe; 4 MiB in all. Half of them stay when there are
/// more: those that matter longest.
const REMEMBERED: usize = 1 << 16;

/// Limits of one listener. An IPv6 address counts with its network of 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptLimits {
    /// Connections at the same time.
    pub connections: usize,
    /// Connections that have not logged in yet.
    pub unauthenticated: usize,
    /// Of these, from one address.
    pub unauthenticated_per_address: usize,
    /// How fast they may come from one address; `None` as fast as they like.
    pub start_rate: Option<StartRate>,
    /// What misconduct costs; `None` nothing.
    pub penalties: Option<Penalties>,
    /// To whom `start_rate` and `penalties` do not apply.
    pub exempt: AddressSet,
}

impl AcceptLimits {
    /// A number of connections, and no other limit: for protocols in which nobody logs in on a connection.
    pub fn number(connections: usize) -> Self {
        Self {
            connections,
            unauthenticated: connections,
            unauthenticated_per_address: connections,
            start_rate: None,
            penalties: None,
            exempt: AddressSet::default(),
        }
    }
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            unauthenticated: 1_000,
            unauthenticated_per_address: 256,
            ..Self::number(20_000)
        }
    }
}

#[derive(Debug)]
struct Counts {
    connections: usize,
    unauthenticated: usize,
    by_source: HashMap<Source, usize>,
    records: SourceMap<Record>,
}

/// What is remembered of an address.
#[derive(Debug)]
struct Record {
    bucket: Bucket,
    debt: Debt,
}

impl Record {
    fn matters_until(&self, limits: &AcceptLimits) -> Instant {
        let bucket = self.bucket.full_at();
        match &limits.penalties {
            Some(penalties) => self.debt.matters_until(penalties).max(bucket),
            None => bucket,
        }
    }
}

/// Counts connections against [`AcceptLimits`].
#[derive(Debug, Clone)]
pub struct ConnectionLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: AcceptLimits,
    counts: Mutex<Counts>,
}

impl ConnectionLimiter {
    /// A limiter with nothing counted.
    pub fn new(limits: AcceptLimits) -> Self {
        let counts = Counts {
            connections: 0,
            unauthenticated: 0,
            by_source: HashMap::new(),
            records: SourceMap::new(REMEMBERED / 2, REMEMBERED),
        };
        Self(Arc::new(Inner {
            limits,
            counts: Mutex::new(counts),
        }))
    }

    /// Counts a connection from `address`, unless a limit is reached.
    ///
    /// # Errors
    /// Which limit it is.
    pub fn admit(&self, address: IpAddr) -> Result<ConnectionSlot, Refusal> {
        let mut slot = self.admit_unknown()?;
        slot.comes_from(address)?;
        Ok(slot)
    }

    /// Counts a connection that has yet to say from where it comes.
    ///
    /// # Errors
    /// The limits for all connections together.
    pub fn admit_unknown(&self) -> Result<ConnectionSlot, Refusal> {
        let limits = &self.0.limits;
        let mut counts = self.0.counts.lock();
        if counts.connections >= limits.connections {
            return Err(Refusal::Connections);
        }
        if counts.unauthenticated >= limits.unauthenticated {
            return Err(Refusal::Unauthenticated);
        }
        counts.connections += 1;
        counts.unauthenticated += 1;
        Ok(ConnectionSlot {
            limiter: self.clone(),
            source: None,
            exempt: false,
            authenticated: false,
            draining: CancellationToken::new(),
            waited: Duration::ZERO,
        })
    }
}

impl Inner {
    /// Counts one more from `source` that is not logged in.
    fn count_source(&self, source: Source, exempt: bool, now: Instant) -> Result<(), Refusal> {
        let limits = &self.limits;
        let mut counts = self.counts.lock();
        let counts = &mut *counts;
        if !exempt
            && let Some(record) = counts.records.get(source)
            && record.debt.refuses(now)
        {
            return Err(Refusal::Penalized);
        }
        let from_here = counts.by_source.get(&source).copied().unwrap_or(0);
        if from_here >= limits.unauthenticated_per_address {
            return Err(Refusal::UnauthenticatedFromAddress);
        }
        if !exempt && let Some(rate) = &limits.start_rate {
            let record = self.record(&mut counts.records, source, now);
            if !record.bucket.take(rate, now) {
                return Err(Refusal::StartRate);
            }
        }
        counts.by_source.insert(source, from_here + 1);
        Ok(())
    }

    fn record<'a>(
        &self,
        records: &'a mut SourceMap<Record>,
        source: Source,
        now: Instant,
    ) -> &'a mut Record {
        let make = || Record {
            bucket: Bucket::full(now),
            debt: Debt::none(now),
        };
        records.entry(source, make, |record| record.matters_until(&self.limits))
    }

    fn punish(&self, source: Source, misconduct: Misconduct, now: Instant) {
        if let Some(penalties) = &self.limits.penalties {
            let mut counts = self.counts.lock();
            let record = self.record(&mut counts.records, source, now);
            record.debt.add(misconduct, penalties, now);
        }
    }
}

/// A counted connection; dropping it takes it out of the count.
#[derive(Debug)]
pub struct ConnectionSlot {
    limiter: ConnectionLimiter,
    /// From where it comes, once that is known.
    source: Option<Source>,
    exempt: bool,
    authenticated: bool,
    pub(crate) draining: CancellationToken,
    /// How long it took until it was known from where it comes.
    pub(crate) waited: Duration,
}

impl ConnectionSlot {
    /// Cancelled when the listener stops accepting: a connection that only waits for its client's next request ends then.
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// What the PROXY header took of the time to log in.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Notes that somebody logged in: the connection counts as unauthenticated no more.
    pub fn authenticated(&mut self) {
        if !std::mem::replace(&mut self.authenticated, true) {
            self.limiter.0.counts.lock().release_login(self.source);
        }
    }

    /// Notes how the connection ended instead of in a login. Others from its address may be refused for it for a while.
    pub fn misbehaved(&self, misconduct: Misconduct) {
        if let Some(source) = self.source
            && !self.exempt
        {
            self.limiter.0.punish(source, misconduct, Instant::now());
        }
    }

    /// Counts it as one from `address`, unless a limit of the address is reached.
    pub(crate) fn comes_from(&mut self, address: IpAddr) -> Result<(), Refusal> {
        let source = Source::of(address);
        let inner = &self.limiter.0;
        let exempt = inner.limits.exempt.contains(address);
        inner.count_source(source, exempt, Instant::now())?;
        self.source = Some(source);
        self.exempt = exempt;
        Ok(())
    }
}

impl Counts {
    fn release_login(&mut self, source: Option<Source>) {
        self.unauthenticated = self.unauthenticated.saturating_sub(1);
        if let Some(source) = source
            && let Some(count) = self.by_source.get_mut(&source)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = self.limiter.0.counts.lock();
        counts.connections = counts.connections.saturating_sub(1);
        if !self.authenticated {
            counts.release_login(self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn refusal(limiter: &ConnectionLimiter, from: &str) -> Refusal {
        limiter.admit(address(from)).unwrap_err()
    }

    #[test]
    fn a_login_frees_the_place_of_its_address_and_a_drop_frees_the_rest() {
        let limiter = ConnectionLimiter::new(AcceptLimits {
            connections: 3,
            unauthenticated: 2,
            unauthenticated_per_address: 1,
            ..AcceptLimits::default()
        });
        let (one, two) = ("192.0.2.1", "192.0.2.2");
        let mut first = limiter.admit(address(one)).unwrap();
        assert_eq!(refusal(&limiter, one), Refusal::UnauthenticatedFromAddress);
        let second = limiter.admit(address(two)).unwrap();
        assert_eq!(refusal(&limiter, "192.0.2.3"), Refusal::Unauthenticated);
        first.authenticated();
        let third = limiter.admit(address(one)).unwrap();
        assert_eq!(refusal(&limiter, "192.0.2.3"), Refusal::Connections);
        drop(second);
        assert!(limiter.admit(address(two)).is_ok());
        drop(third);
        drop(first);
        let counts = limiter.0.counts.lock();
        assert_eq!((counts.connections, counts.unauthenticated), (0, 0));
        assert!(counts.by_source.is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limiter = ConnectionLimiter::new(AcceptLimits {
            unauthenticated_per_address: 1,
            ..AcceptLimits::default()
        });
        let _first = limiter.admit(address("2001:db8::1")).unwrap();
        let expected = Refusal::UnauthenticatedFromAddress;
        assert_eq!(refusal(&limiter, "2001:db8::2"), expected);
        assert!(limiter.admit(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn a_connection_that_says_later_from_where_it_comes_counts_there_from_then_on() {
        let limiter = ConnectionLimiter::new(AcceptLimits {
            unauthenticated: 2,
            unauthenticated_per_address: 1,
            ..AcceptLimits::default()
        });
        let mut first = limiter.admit_unknown().unwrap();
        let second = limiter.admit(address("192.0.2.1")).unwrap();
        let full = limiter.admit_unknown().unwrap_err();
        assert_eq!(full, Refusal::Unauthenticated);
        let taken = first.comes_from(address("192.0.2.1")).unwrap_err();
        assert_eq!(taken, Refusal::UnauthenticatedFromAddress);
        drop(second);
        first.comes_from(address("192.0.2.1")).unwrap();
        let expected = Refusal::UnauthenticatedFromAddress;
        assert_eq!(refusal(&limiter, "192.0.2.1"), expected);
    }

    fn strict(exempt: &[&str]) -> ConnectionLimiter {
        ConnectionLimiter::new(AcceptLimits {
            start_rate: Some(StartRate {
                per_second: 1,
                burst: 8,
            }),
            penalties: Some(Penalties::default()),
            exempt: AddressSet::parse(exempt).unwrap(),
            ..AcceptLimits::default()
        })
    }

    #[test]
    fn an_address_that_fails_is_refused_and_others_are_not() {
        let limiter = strict(&[]);
        for _ in 0..4 {
            let slot = limiter.admit(address("192.0.2.1")).unwrap();
            slot.misbehaved(Misconduct::FailedLogin);
        }
        assert_eq!(refusal(&limiter, "192.0.2.1"), Refusal::Penalized);
        assert!(limiter.admit(address("192.0.2.2")).is_ok());
    }

    #[test]
    fn an_address_that_comes_too_fast_is_refused_and_others_are_not() {
        let limiter = strict(&[]);
        let admitted = (0..20).filter(|_| limiter.admit(address("192.0.2.1")).is_ok());
        // One more at most, should this take a second.
        assert!((8..=9).contains(&admitted.count()));
        assert_eq!(refusal(&limiter, "192.0.2.1"), Refusal::StartRate);
        assert!(limiter.admit(address("192.0.2.2")).is_ok());
    }

    #[test]
    fn who_is_exempt_may_come_fast_and_fail() {
        let limiter = strict(&["192.0.2.0/24"]);
        for _ in 0..100 {
            let slot = limiter.admit(address("192.0.2.1")).unwrap();
            slot.misbehaved(Misconduct::TooSlow);
        }
        assert!(limiter.0.counts.lock().records.is_empty());
    }

    #[test]
    fn what_is_remembered_of_addresses_is_bounded() {
        let limiter = strict(&[]);
        for number in 0..4 {
            let slot = limiter.admit(address("192.0.2.1")).unwrap();
            slot.misbehaved(Misconduct::FailedLogin);
            drop(slot);
            for other in 0..40_000_u32 {
                let bits = 0x0a00_0000 + number * 40_000 + other;
                drop(limiter.admit(IpAddr::V4(bits.into())).unwrap());
            }
            assert!(limiter.0.counts.lock().records.len() <= REMEMBERED);
        }
        // Who owes something matters longer than who only came.
        assert_eq!(refusal(&limiter, "192.0.2.1"), Refusal::Penalized);
    }
}
