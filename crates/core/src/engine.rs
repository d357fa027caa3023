//! [`Core`]: what one server process shares between its connections. Built once, by the composition root.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sftpgo_data::DataProvider;
use sftpgo_storage::registry::Backends;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Authenticator, PasswordHasher};
use crate::metrics::Metrics;
use crate::program::Programs;
use crate::quota::{QuotaLedger, QuotaTracking};
use crate::registry::Registry;

/// How uploads become visible (`sftpd.upload_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UploadMode {
    /// In place, while bytes arrive.
    #[default]
    Standard,
    /// In one step at the end; nothing stays of an upload that failed.
    Atomic,
    /// In one step at the end; what arrived of an upload that failed stays, so that it can be resumed.
    AtomicResume,
}

/// Settings of the rules, resolved.
#[derive(Debug, Clone)]
pub struct CoreSettings {
    /// How uploads become visible.
    pub upload_mode: UploadMode,
    /// Bits taken away from the modes of new files and directories.
    pub umask: u32,
    /// Whether changes of mode, owner and times are silently left out (`sftpd.setstat_mode` 1).
    pub ignore_setstat: bool,
    /// Which users' quotas are counted.
    pub quota_tracking: QuotaTracking,
    /// Whether accounts may be changed, and logins and quotas be written.
    pub manage_users: bool,
    /// Where homes are made that a record does not name.
    pub users_base_dir: Option<PathBuf>,
    /// When connections that do nothing are closed; `None` is never.
    pub idle_timeout: Option<Duration>,
    /// Open files of one session.
    pub max_transfers_per_session: usize,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            upload_mode: UploadMode::Standard,
            umask: 0o022,
            ignore_setstat: false,
            quota_tracking: QuotaTracking::Always,
            manage_users: true,
            users_base_dir: None,
            idle_timeout: Some(Duration::from_secs(15 * 60)),
            max_transfers_per_session: 1024,
        }
    }
}

/// What the composition root brings.
#[derive(Debug)]
pub struct CoreParts {
    /// Where accounts are.
    pub provider: Arc<dyn DataProvider>,
    /// Where files are.
    pub backends: Backends,
    /// The rules.
    pub settings: CoreSettings,
}

/// The shared middle of the server.
#[derive(Debug)]
pub struct Core {
    pub(crate) provider: Arc<dyn DataProvider>,
    pub(crate) backends: Backends,
    pub(crate) settings: CoreSettings,
    pub(crate) hasher: Arc<PasswordHasher>,
    pub(crate) quota: QuotaLedger,
    pub(crate) programs: Programs,
    programs_are_confined: bool,
    /// Steps of digests that are computed at a time.
    pub(crate) digest_steps: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    registry: Arc<Registry>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Core {
    /// Puts the parts together and starts the background work; must be called on a runtime.
    pub fn start(parts: CoreParts) -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let quota = QuotaLedger::new(Arc::clone(&parts.provider), parts.settings.quota_tracking);
        tasks.spawn(quota.flusher(stop.clone()));
        let core = Arc::new(Self {
            provider: parts.provider,
            backends: parts.backends,
            settings: parts.settings,
            hasher: Arc::new(PasswordHasher::new()),
            quota,
            programs: Programs::default(),
            programs_are_confined: crate::program::can_be_confined(),
            digest_steps: Arc::new(Semaphore::new(cores())),
            registry: Arc::new(Registry::new(Arc::clone(&metrics))),
            metrics,
            tasks,
            stop,
        });
        core.tasks.spawn(Arc::clone(&core).watch_provider());
        core.tasks.spawn(Arc::clone(&core).watch_idle());
        core
    }

    /// Counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Live connections.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// When connections that do nothing are closed; `None` is never.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.settings.idle_timeout
    }

    /// The one way to a login.
    pub fn authenticator(self: &Arc<Self>) -> Authenticator {
        Authenticator::new(Arc::clone(self))
    }

    /// Whether the kernel keeps programs that run for accounts within their directories.
    pub fn programs_are_confined(&self) -> bool {
        self.programs_are_confined
    }

    /// Work that must end before the process does: clean-up of transfers whose client is gone.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Ends the background work: waits (at most `limit`) for clean-ups, writes what is counted, closes the provider.
    pub async fn stop(&self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("clean-up of transfers did not end in time; quotas may need a scan");
        }
        self.quota.flush().await;
        self.provider.close().await;
    }

    async fn watch_provider(self: Arc<Self>) {
        loop {
            let result = self.provider.check().await;
            if let Err(error) = &result {
                tracing::error!(%error, "the data provider does not answer");
            }
            self.metrics
                .provider_available
                .set(i64::from(result.is_ok()));
            if !self.pause(Duration::from_secs(30)).await {
                return;
            }
        }
    }

    async fn watch_idle(self: Arc<Self>) {
        let Some(limit) = self.settings.idle_timeout else {
            return;
        };
        let period = (limit / 10).clamp(Duration::from_millis(100), Duration::from_secs(60));
        while self.pause(period).await {
            self.registry.close_idle(limit);
        }
    }

    /// Waits; `false` when the server stops.
    pub(crate) async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
