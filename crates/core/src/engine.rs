//! [`Core`]: what one server process shares between its connections. Built once, by the composition root.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sftpgo_data::DataProvider;
use sftpgo_storage::counters::StoreCounters;
use sftpgo_storage::registry::Backends;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::action::{ActionRunner, ActionRunnerParts, ActionSettings};
use crate::auth::{Authenticator, KeyTrust, PasswordChecks, PasswordHasher};
use crate::defender::{Defender, DefenderSettings};
use crate::hook::{Hooks, HttpClient, LoginHooks};
use crate::metrics::Metrics;
use crate::program::Programs;
use crate::quota::{QuotaLedger, QuotaTracking, Scans};
use crate::registry::Registry;
use crate::sessions::{Concerned, Live, Sessions, SessionsParts, ThisServer};
use crate::throughput::Throughput;

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
    /// Where the reference kept credentials of Google's storage.
    pub credentials_dir: Option<PathBuf>,
    /// When connections that do nothing are closed; `None` is never.
    pub idle_timeout: Option<Duration>,
    /// Open files of one session.
    pub max_transfers_per_session: usize,
    /// How addresses that misbehave are banned; `None` if they are not.
    pub defender: Option<DefenderSettings>,
    /// Programs and URLs that are asked about logins.
    pub login_hooks: LoginHooks,
    /// Programs and URLs that are told of what happens, or asked before.
    pub actions: ActionSettings,
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
            credentials_dir: None,
            idle_timeout: Some(Duration::from_secs(15 * 60)),
            max_transfers_per_session: 1024,
            defender: None,
            login_hooks: LoginHooks::default(),
            actions: ActionSettings::default(),
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
    /// Whose certificates are believed, and which keys are not any more.
    pub keys: KeyTrust,
}

/// The shared middle of the server.
#[derive(Debug)]
pub struct Core {
    pub(crate) provider: Arc<dyn DataProvider>,
    pub(crate) backends: Backends,
    pub(crate) settings: CoreSettings,
    pub(crate) keys: KeyTrust,
    pub(crate) hasher: Arc<PasswordHasher>,
    pub(crate) passwords: Arc<PasswordChecks>,
    pub(crate) quota: QuotaLedger,
    pub(crate) scans: Scans,
    pub(crate) programs: Programs,
    pub(crate) hooks: Hooks,
    actions: Arc<ActionRunner>,
    programs_are_confined: AtomicBool,
    /// Held while accounts are dumped or restored: a dump in the middle of a restore would be neither the old nor the new.
    pub(crate) all_accounts: Arc<tokio::sync::Mutex<()>>,
    /// Steps of digests that are computed at a time.
    pub(crate) digest_steps: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    registry: Arc<Registry>,
    pub(crate) throughput: Throughput,
    /// How many sessions each user has.
    pub(crate) sessions: Sessions,
    /// The logins in use.
    pub(crate) live: Live,
    defender: Option<Arc<Defender>>,
    /// Who must know what happens to sessions and accounts.
    pub(crate) concerned: Arc<dyn Concerned>,
    tasks: TaskTracker,
    /// What tells other servers that this one lives, until nothing is left that they must count.
    beating: TaskTracker,
    stop: CancellationToken,
    stop_beating: CancellationToken,
}

impl Core {
    /// Puts the parts together and starts the background work; must be called on a runtime.
    pub fn start(parts: CoreParts) -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        let defender = parts.settings.defender.clone();
        let defender =
            defender.map(|settings| Arc::new(Defender::new(settings, Arc::clone(&metrics))));
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let quota = QuotaLedger::new(Arc::clone(&parts.provider), parts.settings.quota_tracking);
        tasks.spawn(quota.flusher(stop.clone()));
        let hasher = Arc::new(PasswordHasher::new());
        let passwords = Arc::new(PasswordChecks::new(Arc::clone(&hasher)));
        let this_server = Arc::new(ThisServer::new(quota.clone(), Arc::clone(&passwords)));
        let concerned = Arc::clone(&this_server) as Arc<dyn Concerned>;
        let sessions = Sessions::new(SessionsParts {
            provider: Arc::clone(&parts.provider),
            concerned: Arc::clone(&concerned),
            tasks: tasks.clone(),
        });
        let client = HttpClient::default();
        let actions = ActionRunner::start(ActionRunnerParts {
            settings: parts.settings.actions.clone(),
            provider: Arc::clone(&parts.provider),
            client: client.clone(),
            metrics: Arc::clone(&metrics),
        });
        let core = Arc::new(Self {
            provider: parts.provider,
            backends: parts.backends,
            hooks: Hooks::new(parts.settings.login_hooks.clone(), client),
            actions,
            settings: parts.settings,
            keys: parts.keys,
            passwords,
            hasher,
            quota,
            scans: Scans::default(),
            programs: Programs::default(),
            programs_are_confined: crate::program::can_be_confined().into(),
            all_accounts: Arc::default(),
            digest_steps: Arc::new(Semaphore::new(cores())),
            registry: Arc::new(Registry::new(Arc::clone(&metrics))),
            throughput: Throughput::default(),
            metrics,
            sessions,
            live: Live::default(),
            defender,
            concerned,
            tasks,
            beating: TaskTracker::new(),
            stop,
            stop_beating: CancellationToken::new(),
        });
        this_server.is_part_of(&core);
        core.tasks.spawn(Arc::clone(&core).watch_provider());
        core.tasks.spawn(Arc::clone(&core).watch_idle());
        core.tasks.spawn(Arc::clone(&core).measure_throughput());
        core.tasks.spawn(Arc::clone(&core).follow_accounts());
        core.beating.spawn(Arc::clone(&core).beat());
        core
    }

    /// Counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What back ends count of themselves.
    pub fn store_counters(&self) -> &StoreCounters {
        self.backends.counters()
    }

    /// Live connections.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Whose certificates are believed, and which keys are not any more.
    pub fn keys(&self) -> &KeyTrust {
        &self.keys
    }

    /// When connections that do nothing are closed; `None` is never.
    pub fn idle_timeout(&self) -> Option<Duration> {
        self.settings.idle_timeout
    }

    /// Who bans addresses that misbehave; `None` if nobody does.
    pub fn defender(&self) -> Option<&Arc<Defender>> {
        self.defender.as_ref()
    }

    /// How many password hashes were computed so far, those included that nobody could match.
    pub fn password_hashes(&self) -> u64 {
        self.hasher.computed()
    }

    /// The one way to a login.
    pub fn authenticator(self: &Arc<Self>) -> Authenticator {
        Authenticator::new(Arc::clone(self))
    }

    /// Whether the kernel keeps programs that run for accounts within their directories.
    pub fn programs_are_confined(&self) -> bool {
        self.programs_are_confined.load(Ordering::Relaxed)
    }

    /// From now on serves only what is served where the kernel cannot confine programs, for tests of that.
    pub fn assume_unconfined_programs(&self) {
        self.programs_are_confined.store(false, Ordering::Relaxed);
    }

    /// Whoever is told of what happens, and asked before.
    pub(crate) fn actions(&self) -> &Arc<ActionRunner> {
        &self.actions
    }

    /// Gives up the actions that run and wait, for a stop that must not wait any longer.
    pub fn give_up_actions(&self) {
        self.actions.give_up();
    }

    /// Work that must end before the process does: clean-up of transfers whose client is gone.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Ends the background work: waits (at most `limit`) for clean-ups, writes what is counted, carries out the actions that
    /// wait while it gives sessions back (for as long again), closes the provider.
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
        self.stop_beating.cancel();
        self.beating.close();
        let leaving = async {
            self.beating.wait().await;
            self.sessions.leave().await;
        };
        // Everything that is told of has happened by now.
        let (left, ()) = tokio::join!(tokio::time::timeout(limit, leaving), self.actions.stop());
        if left.is_err() {
            tracing::warn!("the other servers were not told that this one stops");
        }
        self.provider.close().await;
    }

    /// Ends when the server begins to stop.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Keeps telling the other servers that this one lives.
    async fn beat(self: Arc<Self>) {
        let transfers = || {
            let connections = self.registry.connections();
            let transfers: usize = connections.iter().map(|open| open.transfer_count()).sum();
            u32::try_from(transfers).unwrap_or(u32::MAX)
        };
        let sessions = self.sessions.clone();
        sessions
            .keep_beating(&self.metrics, transfers, self.stop_beating.clone())
            .await;
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
