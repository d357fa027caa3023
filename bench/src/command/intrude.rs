//! `intrude`: connections that never log in, many at a time: half-open ones of every kind, wrong passwords, and those that only
//! look whether somebody is there.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::LoadError;
use crate::report::{frequency, with};
use crate::target::{Connection, Target};

#[derive(Args)]
pub(crate) struct IntrudeArgs {
    /// Connections in all
    #[arg(long, default_value_t = 50_000)]
    count: u64,
    /// Connections at once
    #[arg(long, default_value_t = 500)]
    parallel: u64,
    /// How long those are held that are left half-open, in seconds
    #[arg(long, default_value_t = 5.0)]
    hold: f64,
    /// Addresses of 127.0.0.0/8 to come from, in turn, from 127.1.0.1 on; 0 leaves the choice to the system
    #[arg(long, default_value_t = 0)]
    sources: u32,
}

/// How far a connection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Closed at once.
    Probe,
    /// Says nothing, and stays.
    Silent,
    /// Identifies itself, and stays.
    Greeting,
    /// Identifies itself, and leaves.
    GreetingAndGone,
    /// Begins to exchange keys, and stays.
    HalfExchange,
    /// Exchanges keys, and stays.
    Exchange,
    /// Tries a wrong password.
    WrongPassword,
    /// Tries a name that nobody has.
    UnknownUser,
}

/// The order in which they come, again and again. Few compute a hash or exchange keys: that is what intruders spare themselves.
const ROUND: [Kind; 20] = [
    Kind::Silent,
    Kind::Greeting,
    Kind::HalfExchange,
    Kind::Probe,
    Kind::Silent,
    Kind::Greeting,
    Kind::HalfExchange,
    Kind::WrongPassword,
    Kind::Silent,
    Kind::Greeting,
    Kind::HalfExchange,
    Kind::GreetingAndGone,
    Kind::Silent,
    Kind::Greeting,
    Kind::HalfExchange,
    Kind::Exchange,
    Kind::Silent,
    Kind::Probe,
    Kind::GreetingAndGone,
    Kind::UnknownUser,
];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Silent => "silent",
            Self::Greeting => "greeting",
            Self::GreetingAndGone => "greeting and gone",
            Self::HalfExchange => "half an exchange of keys",
            Self::Exchange => "exchange of keys",
            Self::WrongPassword => "wrong password",
            Self::UnknownUser => "unknown user",
        }
    }
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It went as far as it wanted.
    Through,
    /// It was closed without a byte, or there was none.
    TurnedAway,
    /// It was closed on its way.
    Cut,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Through => "through",
            Self::TurnedAway => "turned_away",
            Self::Cut => "cut",
        }
    }
}

type Counts = BTreeMap<(Kind, Outcome), u64>;

/// Makes the connections. That somebody is logged in by a wrong password is the one thing that ends it as an error.
pub(crate) async fn run(target: &Arc<Target>, args: &IntrudeArgs) -> Result<Value, LoadError> {
    let taken = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let intruders = (0..args.parallel.max(1)).map(|_| {
        let intruder = Intruder {
            target: Arc::clone(target),
            taken: Arc::clone(&taken),
            count: args.count,
            hold: Duration::from_secs_f64(args.hold),
            sources: args.sources,
        };
        tokio::spawn(intruder.work())
    });
    let found = try_join_all(intruders).await?;
    let elapsed = begun.elapsed();
    let mut counts = Counts::new();
    for each in found {
        for (key, count) in each? {
            *counts.entry(key).or_default() += count;
        }
    }
    let mut kinds: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for ((kind, outcome), count) in counts {
        let outcomes = kinds.entry(kind.name()).or_default();
        outcomes.insert(outcome.name(), count);
    }
    let more = json!({"parallel": args.parallel, "sources": args.sources, "kinds": kinds});
    Ok(with(frequency("intrude", args.count, elapsed), more))
}

struct Intruder {
    target: Arc<Target>,
    taken: Arc<AtomicU64>,
    count: u64,
    hold: Duration,
    sources: u32,
}

impl Intruder {
    async fn work(self) -> Result<Counts, LoadError> {
        let mut counts = Counts::new();
        loop {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            if number >= self.count {
                return Ok(counts);
            }
            let turn = usize::try_from(number % 20).unwrap_or(0);
            let kind = ROUND.get(turn).copied().unwrap_or(Kind::Probe);
            let outcome = self.intrude(kind, number).await?;
            *counts.entry((kind, outcome)).or_default() += 1;
        }
    }

    async fn intrude(&self, kind: Kind, number: u64) -> Result<Outcome, LoadError> {
        let dialled = self.target.within(self.target.dial(self.source(number)));
        let Ok(Ok(stream)) = dialled.await else {
            return Ok(Outcome::TurnedAway);
        };
        match kind {
            Kind::Probe => Ok(Outcome::Through),
            Kind::Silent | Kind::Greeting | Kind::GreetingAndGone | Kind::HalfExchange => {
                Ok(self.half_open(stream, kind, number).await)
            }
            Kind::Exchange => {
                let Some(handle) = self.exchange(stream).await else {
                    return Ok(Outcome::TurnedAway);
                };
                tokio::time::sleep(self.hold).await;
                Ok(if handle.is_closed() {
                    Outcome::Cut
                } else {
                    Outcome::Through
                })
            }
            Kind::WrongPassword => self.log_in(stream, self.target.user(), number).await,
            Kind::UnknownUser => self.log_in(stream, "nobody-at-all", number).await,
        }
    }

    fn source(&self, number: u64) -> Option<IpAddr> {
        if self.sources == 0 {
            return None;
        }
        let number = u32::try_from(number % u64::from(self.sources)).unwrap_or(0);
        let first = Ipv4Addr::new(127, 1, 0, 1).to_bits();
        Some(Ipv4Addr::from_bits(first + number).into())
    }

    /// A connection that stops before keys are exchanged.
    async fn half_open(&self, mut stream: TcpStream, kind: Kind, number: u64) -> Outcome {
        let mut greeting = [0; 4];
        let greeted = self.target.within(stream.read_exact(&mut greeting)).await;
        if !matches!(greeted, Ok(Ok(_))) {
            return Outcome::TurnedAway;
        }
        let mut words = Vec::new();
        if kind != Kind::Silent {
            words.extend_from_slice(b"SSH-2.0-intruder\r\n");
        }
        if kind == Kind::HalfExchange {
            words.extend(kex_init());
        }
        if stream.write_all(&words).await.is_err() {
            return Outcome::Cut;
        }
        if kind == Kind::GreetingAndGone {
            return Outcome::Through;
        }
        // Whatever the server says meanwhile is taken, and not answered.
        let mut said = [0; 4096];
        let listen = async { while matches!(stream.read(&mut said).await, Ok(1..)) {} };
        let outcome = match tokio::time::timeout(self.hold, listen).await {
            Ok(()) => Outcome::Cut,
            Err(_) => Outcome::Through,
        };
        if number.is_multiple_of(2) {
            // Every other one vanishes with a reset. If that cannot be had, it ends as the others do.
            let _ = stream.set_zero_linger();
        }
        outcome
    }

    async fn exchange(&self, stream: TcpStream) -> Option<Connection> {
        let exchanged = self.target.within(self.target.exchange(stream)).await;
        exchanged.ok()?.ok()
    }

    async fn log_in(
        &self,
        stream: TcpStream,
        user: &str,
        number: u64,
    ) -> Result<Outcome, LoadError> {
        let Some(mut connection) = self.exchange(stream).await else {
            return Ok(Outcome::TurnedAway);
        };
        let password = format!("guess {number}");
        let tried = connection.authenticate_password(user, password);
        match self.target.within(tried).await {
            Ok(Ok(result)) if result.success() => Err(LoadError::Wrong(format!(
                "{user} is logged in with a password that was guessed"
            ))),
            Ok(Ok(_)) => Ok(Outcome::Through),
            Ok(Err(_)) | Err(_) => Ok(Outcome::Cut),
        }
    }
}

/// A KEXINIT packet (RFC 4253 sections 6 and 7.1), which asks for an answer that never gets one.
fn kex_init() -> Vec<u8> {
    const LISTS: [&str; 10] = [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes128-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    for list in LISTS {
        payload.extend(u32::try_from(list.len()).unwrap_or(0).to_be_bytes());
        payload.extend_from_slice(list.as_bytes());
    }
    payload.extend_from_slice(&[0; 5]);
    // Length, padding length, payload and padding are a multiple of 8, with 4 bytes of padding at least.
    let padding = 8 - (5 + payload.len()) % 8;
    let padding = if padding < 4 { padding + 8 } else { padding };
    let length = u32::try_from(1 + payload.len() + padding).unwrap_or(0);
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap_or(0));
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_has_the_length_that_it_says_in_blocks_of_eight() {
        let packet = kex_init();
        let length = u32::from_be_bytes(packet[..4].try_into().unwrap());
        assert_eq!(packet.len(), 4 + length as usize);
        assert_eq!(packet.len() % 8, 0);
        assert!(packet[4] >= 4);
    }

    #[test]
    fn every_kind_has_its_turns() {
        let times = |kind| ROUND.iter().filter(|turn| **turn == kind).count();
        assert_eq!(times(Kind::Silent), 5);
        let others = [
            Kind::Greeting,
            Kind::HalfExchange,
            Kind::Probe,
            Kind::GreetingAndGone,
        ];
        assert_eq!(others.map(times), [4, 4, 2, 2]);
        let last = [Kind::Exchange, Kind::WrongPassword, Kind::UnknownUser];
        assert_eq!(last.map(times), [1, 1, 1]);
    }
}
