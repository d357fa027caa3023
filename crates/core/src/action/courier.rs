//! [`Courier`]: carries one action out, to a program and to a URL at the same time.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sftpgo_model::HookUrl;
use sftpgo_model::action::ActionTargets;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::hook::{HookError, HttpClient, program};
use crate::metrics::Metrics;

/// What is told. No `Debug`: a hash may be in it.
pub(super) struct Message {
    /// Of a program.
    pub(super) arguments: Vec<OsString>,
    /// What it finds in its environment beside.
    pub(super) variables: Vec<(&'static str, OsString)>,
    /// What is added to the query of a URL.
    pub(super) query: Vec<(&'static str, Vec<u8>)>,
    /// What a URL is sent with POST; it is asked with GET if there is nothing.
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
}

/// How long each of both may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) command: Duration,
    pub(super) url: Duration,
}

/// What the log says of an action.
#[derive(Debug)]
pub(super) struct About<'a> {
    /// The section of the settings.
    pub(super) section: &'static str,
    pub(super) event: &'static str,
    pub(super) username: &'a str,
}

/// Runs programs and asks URLs.
#[derive(Debug, Clone)]
pub(super) struct Courier {
    pub(super) client: HttpClient,
    pub(super) metrics: Arc<Metrics>,
    /// Programs that are being started: the server does not end before they have an owner, or an end.
    pub(super) starts: TaskTracker,
}

impl Courier {
    /// Tells everybody; what goes wrong is logged and counted.
    pub(super) async fn deliver(
        &self,
        targets: &ActionTargets,
        message: Message,
        patience: Patience,
        about: &About<'_>,
    ) {
        let Message {
            arguments,
            variables,
            query,
            body,
        } = message;
        let command = async {
            if let Some(path) = &targets.command {
                let began = Instant::now();
                let done = self.run(path, arguments, variables, patience.command).await;
                self.note(about, "command", began, done);
            }
        };
        let url = async {
            if let Some(url) = &targets.url {
                let began = Instant::now();
                let done = self.ask(url, &query, body, patience.url).await;
                self.note(about, "http_notification_url", began, done);
            }
        };
        tokio::join!(command, url);
        self.metrics.actions.increment();
    }

    /// Runs a program, which must end with 0 in time; else it is ended, with all that it has started.
    pub(super) async fn run(
        &self,
        path: &Path,
        arguments: Vec<OsString>,
        variables: Vec<(&'static str, OsString)>,
        patience: Duration,
    ) -> Result<(), HookError> {
        let running = program::run(path, arguments, variables, &self.starts);
        let ran = timeout(patience, running).await;
        ran.unwrap_or_else(|_| Err(HookError::too_slow()))
    }

    /// Asks a URL, which must answer with 2xx in time.
    pub(super) async fn ask(
        &self,
        url: &HookUrl,
        query: &[(&'static str, Vec<u8>)],
        body: Option<Zeroizing<Vec<u8>>>,
        patience: Duration,
    ) -> Result<(), HookError> {
        let told = timeout(patience, self.client.tell(url, query, body)).await;
        told.unwrap_or_else(|_| Err(HookError::too_slow()))
    }

    fn note(&self, about: &About<'_>, key: &str, began: Instant, done: Result<(), HookError>) {
        let About {
            section,
            event,
            username,
        } = about;
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match done {
            Ok(()) => tracing::debug!(
                sender = "action",
                action = event,
                username,
                elapsed_ms,
                "{section}.{key} was told"
            ),
            Err(error) => {
                self.metrics.action_errors.increment();
                tracing::warn!(
                    sender = "action",
                    action = event,
                    username,
                    elapsed_ms,
                    "{section}.{key} failed: {error}"
                );
            }
        }
    }
}
