//! [`ActionRunner`]: the one place to which events are reported.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sftpgo_data::DataProvider;
use sftpgo_model::action::Event as _;
use sftpgo_model::{FileEvent, UserEvent, UserRecord};
use tokio::time::timeout;

use super::courier::{About, Courier, Patience};
use super::file::FileAction;
use super::queue::{Bounds, Queue, Yard};
use super::settings::ActionSettings;
use super::user::UserAction;
use crate::hook::{HttpClient, Questions};
use crate::metrics::Metrics;

/// How long those are waited for that were given up: their programs are killed, and nothing else is left to do.
const GRACE: Duration = Duration::from_secs(2);

/// What actions need of the server.
#[derive(Debug)]
pub(crate) struct ActionRunnerParts {
    pub(crate) settings: ActionSettings,
    pub(crate) provider: Arc<dyn DataProvider>,
    pub(crate) client: HttpClient,
    pub(crate) metrics: Arc<Metrics>,
}

/// Carries out actions, and asks gates.
#[derive(Debug)]
pub(crate) struct ActionRunner {
    pub(super) settings: Arc<ActionSettings>,
    pub(super) courier: Courier,
    /// Gates that are asked at a time.
    pub(super) gates: Questions,
    files: Queue<FileAction>,
    users: Queue<UserAction>,
    yard: Yard,
}

impl ActionRunner {
    /// Must be called on the runtime that actions are to run on.
    pub(crate) fn start(parts: ActionRunnerParts) -> Arc<Self> {
        let settings = Arc::new(parts.settings);
        let yard = Yard::new(parts.metrics);
        let courier = Courier {
            client: parts.client,
            metrics: Arc::clone(&yard.metrics),
            starts: yard.tasks.clone(),
        };
        let files = {
            let bounds = Bounds {
                running: settings.files.running,
                waiting: settings.files.waiting,
                setting: "sftpd.actions.max_waiting",
            };
            let (settings, courier) = (Arc::clone(&settings), courier.clone());
            Queue::start(&yard, bounds, move |action| {
                tell_of_file(Arc::clone(&settings), courier.clone(), action)
            })
        };
        let users = {
            let bounds = Bounds {
                running: settings.users.running,
                waiting: settings.users.waiting,
                setting: "data_provider.actions.max_waiting",
            };
            let (settings, courier) = (Arc::clone(&settings), courier.clone());
            let provider = parts.provider;
            Queue::start(&yard, bounds, move |action| {
                let provider = Arc::clone(&provider);
                tell_of_user(Arc::clone(&settings), courier.clone(), provider, action)
            })
        };
        Arc::new(Self {
            settings,
            courier,
            gates: Questions::default(),
            files,
            users,
            yard,
        })
    }

    /// Whether anything happens on this event.
    pub(crate) fn wants(&self, event: FileEvent) -> bool {
        self.settings.files.wants(event)
    }

    /// Reports what has happened to a file, if anybody wants to know. Never waits.
    pub(crate) fn file(&self, event: FileEvent, action: impl FnOnce() -> FileAction) {
        if self.wants(event) {
            self.files.push(action());
        }
    }

    /// Reports what has happened to an account, if anybody wants to know. Never waits.
    pub(crate) fn user(&self, event: UserEvent, user: impl FnOnce() -> UserRecord) {
        if self.settings.users.wants(event) {
            let user = user();
            self.users.push(UserAction { event, user });
        }
    }

    /// Gives up what runs and waits.
    pub(crate) fn give_up(&self) {
        self.yard.given_up.cancel();
    }

    /// Takes no more, and carries out what waits: for as long as the settings say, then it is given up and the log says how
    /// many that were.
    pub(crate) async fn stop(&self) {
        let Yard {
            tasks,
            closing,
            given_up,
            lost,
            ..
        } = &self.yard;
        closing.cancel();
        tasks.close();
        let limit = self.settings.limits.stop;
        if timeout(limit, tasks.wait()).await.is_err() {
            given_up.cancel();
            // Dropping them has killed their programs; of those that do not end even so nothing can be said.
            let _ = timeout(GRACE, tasks.wait()).await;
        }
        let lost = lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(
                sender = "action",
                "the server stops: {lost} actions that were running or waiting are lost"
            );
        }
    }
}

async fn tell_of_file(settings: Arc<ActionSettings>, courier: Courier, action: FileAction) {
    let patience = Patience {
        command: settings.limits.file_command,
        url: settings.limits.url,
    };
    let about = About {
        section: "sftpd.actions",
        event: action.event.name(),
        username: &action.username,
    };
    let targets = &settings.files.targets;
    courier
        .deliver(targets, action.message(), patience, &about)
        .await;
}

async fn tell_of_user(
    settings: Arc<ActionSettings>,
    courier: Courier,
    provider: Arc<dyn DataProvider>,
    mut action: UserAction,
) {
    if let Some(user) = current(&*provider, &action).await {
        action.user = user;
    }
    let patience = Patience {
        command: settings.limits.user_command,
        url: settings.limits.url,
    };
    let about = About {
        section: "data_provider.actions",
        event: action.event.name(),
        username: &action.user.username,
    };
    match action.message() {
        Ok(message) => {
            let targets = &settings.users.targets;
            courier.deliver(targets, message, patience, &about).await;
        }
        Err(error) => {
            courier.metrics.action_errors.increment();
            tracing::error!(sender = "action", %error, "an account cannot be told of");
        }
    }
}

/// The account as it is stored now. One that was removed meanwhile, or cannot be read, is told of as it was.
async fn current(provider: &dyn DataProvider, action: &UserAction) -> Option<UserRecord> {
    match action.event {
        UserEvent::Delete => None,
        UserEvent::Add | UserEvent::Update => {
            let read = provider.user_by_id(action.user.id).await;
            read.inspect_err(|error| tracing::warn!(sender = "action", %error, "an account is told of as it was written"))
                .ok()
                .flatten()
        }
    }
}
