//! What the server says of itself.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::client::Client;
use crate::error::{ClientError, ClientErrorKind};

/// The metric that says when the process started.
const STARTED: &str = "process_start_time_seconds ";

/// Which build answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Version {
    /// As in `0.1.0`.
    pub version: String,
    /// When it was built, if it says so.
    #[serde(default)]
    pub build_date: String,
    /// Of what, if it says so.
    #[serde(default)]
    pub commit_hash: String,
}

/// How the data provider of the server fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// It answers.
    Alive,
    /// It does not; the server says why.
    Away(String),
}

impl Client {
    /// Which build answers.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn version(&self) -> Result<Version, ClientError> {
        self.value(Call::api(Method::GET, &["version"])).await
    }

    /// Whether the data provider answers.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn provider(&self) -> Result<Provider, ClientError> {
        let call = Call::api(Method::GET, &["providerstatus"]);
        match self.done(call).await {
            Ok(()) => Ok(Provider::Alive),
            Err(error) if error.kind() == ClientErrorKind::Failed => {
                Ok(Provider::Away(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    /// When the process of the server started, in seconds since 1970; `None` if the metrics do not say so, as on systems
    /// without `/proc`.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn started(&self) -> Result<Option<i64>, ClientError> {
        let page = self.text(Call::to(Method::GET, vec!["metrics"])).await?;
        let page = String::from_utf8_lossy(&page);
        Ok(page.lines().find_map(start_time))
    }
}

/// Whole seconds; a fraction and an exponent, which other libraries write, are read too.
fn start_time(line: &str) -> Option<i64> {
    let seconds: f64 = line.strip_prefix(STARTED)?.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and no clock goes that far"
    )]
    (seconds.is_finite() && seconds > 0.0).then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_in_every_way_of_writing_numbers() {
        for (line, expected) in [
            ("process_start_time_seconds 1600000000", Some(1_600_000_000)),
            ("process_start_time_seconds 1.6e9", Some(1_600_000_000)),
            (
                "process_start_time_seconds 1600000000.95",
                Some(1_600_000_000),
            ),
            ("process_start_time_seconds NaN", None),
            ("process_start_time_seconds 0", None),
            ("# HELP process_start_time_seconds x", None),
        ] {
            assert_eq!(start_time(line), expected, "{line}");
        }
    }
}
