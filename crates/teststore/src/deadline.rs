//! Nothing in a test waits for ever.

use std::time::Duration;

/// The longest that anything in a test may take; slow machines included.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for `work`, and fails the test if it does not come to an end.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not happen within {DEADLINE:?}"),
    }
}
