//! Says that this server lives, and hears of those that do not.

use std::time::Duration;

use sftpgo_data::{Beat, ClusterStore, DataResult, Load};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Sessions;
use crate::metrics::Metrics;

/// How often; others take a server for dead after [`sftpgo_data::NODE_LIFETIME`].
pub(super) const PERIOD: Duration = Duration::from_secs(2);

impl Sessions {
    /// The background work; ends with `end`. Call [`leave`](Self::leave) then.
    ///
    /// `transfers` tells how many there are on this server.
    pub(crate) async fn keep_beating(
        self,
        metrics: &Metrics,
        transfers: impl Fn() -> u32 + Send,
        end: CancellationToken,
    ) {
        let mut reached = true;
        loop {
            let load = Load {
                sessions: self.held(),
                transfers: transfers(),
            };
            let everywhere = match self.store() {
                None => Ok(load),
                Some(store) => self.beat(store, load).await,
            };
            match everywhere {
                Ok(everywhere) => {
                    if !std::mem::replace(&mut reached, true) {
                        tracing::info!("the other servers hear of this one again");
                    }
                    metrics.cluster_sessions.set(everywhere.sessions.into());
                    metrics.cluster_transfers.set(everywhere.transfers.into());
                }
                Err(error) => {
                    if std::mem::replace(&mut reached, false) {
                        tracing::error!(%error, "the other servers cannot hear of this one");
                    }
                }
            }
            tokio::select! {
                () = end.cancelled() => return,
                () = sleep(PERIOD) => {}
            }
        }
    }

    async fn beat(&self, store: &dyn ClusterStore, load: Load) -> DataResult<Load> {
        let Beat {
            was_forgotten,
            orphans,
            to_share,
            everywhere,
        } = store.beat(load).await?;
        // Told once only, so before anything can fail.
        for username in orphans {
            self.concerned().recount(&username).await;
        }
        if was_forgotten {
            tracing::warn!(
                "the other servers took this one for dead; its sessions are noted again"
            );
            self.all_forgotten();
        }
        for username in to_share {
            self.share(&username).await?;
        }
        for user in self.unnoted() {
            self.note(user).await?;
        }
        Ok(everywhere)
    }

    /// Gives every session of this server back.
    pub(crate) async fn leave(&self) {
        let Some(store) = self.store() else { return };
        if let Err(error) = store.leave().await {
            tracing::warn!(%error, "the other servers take the sessions of this one for its own for some seconds");
        }
    }
}
