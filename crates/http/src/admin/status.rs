//! `/web/status`: what runs here, how it fares, and who is banned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use sftpgo_core::model::{Source, UnixMillis};

use super::form::Form;
use super::page::{Page, Question};
use super::text;
use super::visit::{Done, Visit};
use super::{Admin, csrf};
use crate::api::parameters::{Parameters, Sent};

/// Banned addresses on the page; REST has them all.
const MAX_BANS: usize = 200;

const STATUS: &str = "/web/status";

/// What only the composed server knows of itself, for the status page.
#[derive(Debug, Clone)]
pub struct StatusInfo {
    /// When the server started.
    pub started: Instant,
    /// Where it can be reached.
    pub listeners: Vec<ListenerInfo>,
    /// Type and fingerprint of each host key.
    pub host_keys: Vec<String>,
}

/// An address that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListenerInfo {
    /// What is spoken there.
    pub name: String,
    /// `192.0.2.1:2022`
    pub address: String,
}

impl Default for StatusInfo {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            listeners: Vec::new(),
            host_keys: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct StatusPage<'a> {
    version: &'a str,
    build_date: &'a str,
    commit: &'a str,
    uptime: String,
    since: String,
    driver: &'static str,
    provider_answers: bool,
    listeners: &'a [ListenerInfo],
    host_keys: &'a [String],
    sessions: usize,
    transfers: usize,
    upload_rate: String,
    download_rate: String,
    uploaded: String,
    downloaded: String,
    scans: Vec<String>,
    /// `None` if nobody bans.
    bans: Option<Vec<Ban>>,
    more_bans: usize,
}

#[derive(Serialize)]
struct Ban {
    address: String,
    until: String,
    forgive: String,
}

/// `GET /web/status`.
pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let visit = Visit::of(&headers);
    let page = Page {
        status: StatusCode::OK,
        title: "Status",
        section: "status",
        template: "status.html",
    };
    let (core, version) = (&admin.api.core, &admin.api.version);
    let check = tokio::time::timeout(admin.api.limits.health, core.check_provider());
    let provider_answers = matches!(check.await, Ok(Ok(())));
    let connections = core.registry().connections();
    let (rates, metrics) = (core.throughput(), core.metrics());
    let uptime = admin.status.started.elapsed();
    let (bans, more_bans) = bans(&admin);
    let data = StatusPage {
        version: &version.version,
        build_date: &version.build_date,
        commit: &version.commit_hash,
        uptime: text::lasting(uptime),
        since: text::local_time(before(UnixMillis::now(), uptime)),
        driver: core.provider_driver(),
        provider_answers,
        listeners: &admin.status.listeners,
        host_keys: &admin.status.host_keys,
        sessions: connections.len(),
        transfers: connections.iter().map(|open| open.transfer_count()).sum(),
        upload_rate: format!("{}/s", text::size(rates.upload)),
        download_rate: format!("{}/s", text::size(rates.download)),
        uploaded: text::size(metrics.uploads.passed.value()),
        downloaded: text::size(metrics.downloads.passed.value()),
        scans: core
            .quota_scans()
            .into_iter()
            .map(|scan| scan.username)
            .collect(),
        bans,
        more_bans,
    };
    admin.show(&visit, &page, &data)
}

fn before(now: UnixMillis, time: Duration) -> UnixMillis {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    UnixMillis(now.0.saturating_sub(millis))
}

/// The bans that last longest, and how many more there are.
fn bans(admin: &Admin) -> (Option<Vec<Ban>>, usize) {
    let Some(defender) = admin.api.core.defender() else {
        return (None, 0);
    };
    let hosts = defender.hosts().into_iter();
    let mut banned: Vec<_> = hosts
        .filter_map(|host| Some((host.banned_until?, host.source)))
        .collect();
    banned.sort_by_key(|(until, source)| (std::cmp::Reverse(*until), source.to_string()));
    let more = banned.len().saturating_sub(MAX_BANS);
    banned.truncate(MAX_BANS);
    let shown = banned.into_iter().map(|(until, source)| {
        let address = source.to_string();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("source", &address);
        Ban {
            forgive: format!("/web/status/forgive?{}", query.finish()),
            until: text::local_time(until),
            address,
        }
    });
    (Some(shown.collect()), more)
}

/// `GET /web/status/forgive`: asks first.
pub(super) async fn ask_to_forgive(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    parameters: Sent,
) -> Response {
    let visit = Visit::of(&headers);
    let parameters = Parameters::read(parameters).unwrap_or_default();
    let Some(source) = source_of(parameters.value("source").unwrap_or_default()) else {
        return admin.say(&visit, "status", StatusCode::BAD_REQUEST, "Invalid address");
    };
    let question = Question {
        text: format!("Lift the ban of {source}?"),
        detail: "The address may connect again at once, and its points are forgotten.",
        action: "/web/status/forgive".to_owned(),
        button: "Lift the ban",
        dangerous: false,
        back: STATUS,
        field: Some(("source", source.to_string())),
    };
    admin.ask(&visit, "status", &question)
}

/// `POST /web/status/forgive`.
pub(super) async fn forgive(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let visit = Visit::of(request.headers());
    let form = match Form::read(request, &admin.api.limits).await {
        Ok(form) => form,
        Err(problem) => return admin.say_problem(&visit, "status", &problem),
    };
    if !admin.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
        return admin.say_stale(&visit, "status");
    }
    let Some(source) = source_of(form.text("source")) else {
        return admin.say(&visit, "status", StatusCode::BAD_REQUEST, "Invalid address");
    };
    let defender = admin.api.core.defender();
    if !defender.is_some_and(|defender| defender.forgive(source)) {
        let text = "This address is not banned any more.";
        return admin.say(&visit, "status", StatusCode::NOT_FOUND, text);
    }
    tracing::info!(
        sender = "httpd",
        "{source} was forgiven by an administrator: no ban, no points"
    );
    admin.done(STATUS, Done::Forgiven)
}

fn source_of(text: &str) -> Option<Source> {
    text.trim().parse().ok()
}
