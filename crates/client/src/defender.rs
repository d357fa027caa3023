//! Addresses that are banned or near it (`/api/v1/defender`).

use http::Method;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::ClientError;

/// An address that is either banned or has points, never both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    /// The address in hexadecimal digits.
    pub id: String,
    /// An IPv4 address, or an IPv6 network of 64 bits.
    pub ip: String,
    /// Its points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// Until when it is banned (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_time: Option<String>,
}

impl Client {
    /// Every address that is banned or has points.
    ///
    /// # Errors
    /// `Refused` if nobody is banned there (`defender.enabled`).
    pub async fn hosts(&self) -> Result<Vec<Host>, ClientError> {
        self.value(Call::api(Method::GET, &["defender", "hosts"]))
            .await
    }

    /// Lifts a ban, or forgets points. An IPv6 address stands for its network.
    ///
    /// # Errors
    /// `NotFound` if the address has neither; `Refused` if it is none, or nobody is banned there.
    pub async fn forgive(&self, address: &str) -> Result<(), ClientError> {
        let call = Call::api(Method::DELETE, &["defender", "hosts", address]);
        let absent = format!("{address:?} is not banned and has no points");
        self.done(call.about(absent)).await
    }
}
