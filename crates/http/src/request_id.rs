//! Request ids: the one a client or proxy sends, else `<hostname>/<10 random characters>-<6 digits>` (reference 11.3).

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;

const HEADER: &str = "x-request-id";
/// Longer ones are not ids.
const MAX_LENGTH: usize = 128;

/// Gives every request an id.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids with a prefix that no other run of the server has.
    pub(crate) fn new() -> Self {
        let prefix = format!("{}/{}", hostname(), random_name());
        Self {
            prefix,
            next: AtomicU64::new(1),
        }
    }

    /// The id of the request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> String {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        sent.filter(|id| is_harmless(id)).map_or_else(
            || {
                format!(
                    "{}-{:06}",
                    self.prefix,
                    self.next.fetch_add(1, Ordering::Relaxed)
                )
            },
            str::to_owned,
        )
    }
}

/// Ids end up in logs and in front of people: nothing but letters, digits and the punctuation that ids have.
fn is_harmless(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(allowed)
}

/// Tells runs of the server apart; deliberately not a secret, so the seed of the standard hasher is random enough.
fn random_name() -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bits = RandomState::new().hash_one(HEADER);
    let mut name = String::new();
    for _ in 0..10 {
        let digit = DIGITS
            .get(usize::try_from(bits % 32).unwrap_or(0))
            .copied()
            .unwrap_or(b'x');
        name.push(char::from(digit));
        bits /= 32;
    }
    name
}

#[cfg(target_os = "linux")]
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| is_harmless(name))
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(not(target_os = "linux"))]
fn hostname() -> String {
    "localhost".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, sent.parse().unwrap());
        RequestIds::new().of(&headers)
    }

    #[test]
    fn a_sent_id_is_used() {
        assert_eq!(id_for("host/ab-000012"), "host/ab-000012");
    }

    #[test]
    fn a_sent_id_that_is_none_is_replaced() {
        for sent in ["", "a b", "\"},{\"x\":\"", "é", &"a".repeat(129)] {
            assert_ne!(id_for(sent), sent);
        }
    }

    #[test]
    fn generated_ids_count_up() {
        let ids = RequestIds::new();
        let (first, second) = (ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
        assert!(first.ends_with("-000001") && second.ends_with("-000002"));
        let random = first.rsplit('/').next().unwrap();
        assert_eq!(random.len(), "0123456789-000001".len());
    }
}
