//! Counting the files of users anew (`/api/v1/quota_scan`).

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::client::Client;
use crate::error::{ClientError, ClientErrorKind};

/// A scan that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaScan {
    /// Whose files are counted.
    pub username: String,
    /// Milliseconds since 1970.
    pub start_time: i64,
}

/// Since when a scan is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// Since now.
    Now,
    /// Somebody else began it before.
    Before,
}

impl Client {
    /// The scans that are under way, by user.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn quota_scans(&self) -> Result<Vec<QuotaScan>, ClientError> {
        self.value(Call::api(Method::GET, &["quota_scan"])).await
    }

    /// Starts one and does not wait for it.
    ///
    /// # Errors
    /// `NotFound` if there is no such user, `Refused` if nothing is counted (`data_provider.track_quota`).
    pub async fn start_quota_scan(&self, username: &str) -> Result<Started, ClientError> {
        let call = Call::api(Method::POST, &["quota_scan"]).body(json!({ "username": username }));
        let absent = format!("Not found: username {username:?} does not exist");
        match self.done(call.about(absent)).await {
            Ok(()) => Ok(Started::Now),
            Err(error) if error.kind() == ClientErrorKind::Conflict => Ok(Started::Before),
            Err(error) => Err(error),
        }
    }
}
