//! Quota: reserve while bytes arrive, settle with what is really there. Invariant: when nothing is open, a user's counters
//! equal the sum over the user's files, whatever succeeded or failed before.

mod activity;
mod hold;
mod ledger;
mod names;
mod scan;

pub(crate) use hold::{QuotaHold, Settlement};
pub use ledger::QuotaLedger;

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
