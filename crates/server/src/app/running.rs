//! Commands that only a running server can answer: connections, quota scans, bans, status.

mod bans;
mod connections;
mod quota;
mod status;

pub use bans::manage_bans;
pub use connections::manage_connections;
pub use quota::manage_quota;
pub use status::show_status;

use sftpgo_client::ClientError;

use super::AppError;

fn refused(error: ClientError) -> AppError {
    AppError::new(error)
}
