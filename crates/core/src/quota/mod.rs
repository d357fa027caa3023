//! Quota: reserve while bytes arrive, settle with what is really there. Invariant: when nothing is open, a user's counters
//! equal the sum over the user's files, whatever succeeded or failed before.

mod activity;
mod counters;
mod files;
mod hold;
mod ledger;
mod lock;
mod mount;
mod rescan;
mod scan;
mod scans;
mod sharing;
mod state;

pub(crate) use hold::QuotaHold;
pub use ledger::QuotaLedger;
pub(crate) use mount::MountQuota;
pub(crate) use rescan::If;
pub use rescan::{Quiet, ScanSummary};
pub use scans::QuotaScan;
pub(crate) use scans::{NotListed, Scans};

/// Which users' quotas are counted (`data_provider.track_quota`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QuotaTracking {
    /// Nobody's; limits are not enforced.
    Off,
    /// Everybody's.
    #[default]
    Always,
    /// Only of users that have a limit.
    LimitedOnly,
}
