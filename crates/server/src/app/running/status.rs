//! `sftpgo status`: what runs there and how it fares.

use std::time::Duration;

use serde::Serialize;
use sftpgo_client::{Client, ClientError, ClientErrorKind, ClientSettings, Provider, Version};
use sftpgo_core::model::UnixMillis;
use sftpgo_http::shown;

use super::refused;
use crate::app::AppError;
use crate::app::output::{Facts, json, local_time, print};
use crate::app::target::client;
use crate::cli::Format;

/// What there is to say of a server.
#[derive(Debug, Serialize)]
struct Status {
    url: String,
    version: Version,
    /// Whether the data provider answers.
    provider_alive: bool,
    /// Why it does not; empty if it does.
    provider_error: String,
    /// Milliseconds since 1970, if the server says so.
    started: Option<i64>,
    connections: usize,
    sessions: usize,
    uploads: usize,
    downloads: usize,
    quota_scans: usize,
    /// Addresses; `None` if nobody is banned there.
    bans: Option<usize>,
}

/// Shows how a server fares.
///
/// # Errors
/// The server cannot be asked, or its data provider does not answer: that is shown, and the command fails.
pub async fn show_status(server: ClientSettings, format: Format) -> Result<(), AppError> {
    let client = client(server).await?;
    let status = Status::of(&client).await.map_err(refused)?;
    print(&match format {
        Format::Table => status.facts().text(),
        Format::Json => json(&status)?,
    })?;
    if status.provider_alive {
        return Ok(());
    }
    Err(AppError(format!(
        "the data provider of the server does not answer: {}",
        status.provider_error
    )))
}

impl Status {
    async fn of(client: &Client) -> Result<Self, ClientError> {
        let version = client.version().await?;
        let provider_error = match client.provider().await? {
            Provider::Alive => String::new(),
            Provider::Away(reason) => reason,
        };
        let sessions = client.connections().await?;
        let mut ids: Vec<&str> = sessions
            .iter()
            .map(|session| session.connection_id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let transfers = || {
            sessions
                .iter()
                .flat_map(|session| &session.active_transfers)
        };
        let of_kind = |kind: &str| transfers().filter(|one| one.operation_type == kind).count();
        Ok(Self {
            url: client.base().to_string(),
            version,
            provider_alive: provider_error.is_empty(),
            provider_error,
            started: client
                .started()
                .await?
                .map(|seconds| seconds.saturating_mul(1000)),
            connections: ids.len(),
            sessions: sessions.len(),
            uploads: of_kind("upload"),
            downloads: of_kind("download"),
            quota_scans: client.quota_scans().await?.len(),
            bans: bans(client).await?,
        })
    }

    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        facts.fact("server", &self.url);
        facts.fact("version", &self.version.version);
        for (name, value) in [
            ("built", &self.version.build_date),
            ("commit", &self.version.commit_hash),
        ] {
            if !value.is_empty() {
                facts.fact(name, value);
            }
        }
        let provider = if self.provider_alive {
            "answers"
        } else {
            "does not answer"
        };
        facts.fact("data provider", provider);
        if let Some(started) = self.started {
            facts.fact("started", local_time(started));
            let running = UnixMillis::now().0.saturating_sub(started);
            let running = Duration::from_millis(u64::try_from(running).unwrap_or(0));
            facts.fact("running for", shown::lasting(running));
        }
        for (name, count) in [
            ("connections", self.connections),
            ("sessions", self.sessions),
            ("uploads", self.uploads),
            ("downloads", self.downloads),
            ("quota scans", self.quota_scans),
        ] {
            facts.fact(name, count.to_string());
        }
        let bans = self.bans.map_or_else(
            || "none: the defender is off (defender.enabled)".to_owned(),
            |count| count.to_string(),
        );
        facts.fact("bans", bans);
        facts
    }
}

/// The number of banned addresses; `None` if the server says that it bans nobody.
async fn bans(client: &Client) -> Result<Option<usize>, ClientError> {
    match client.hosts().await {
        Ok(hosts) => {
            let banned = hosts.iter().filter(|host| host.ban_time.is_some());
            Ok(Some(banned.count()))
        }
        Err(error) if error.kind() == ClientErrorKind::Refused => Ok(None),
        Err(error) => Err(error),
    }
}
