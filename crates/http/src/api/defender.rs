//! `/api/v1/defender`: who is banned, who is near it, and lifting a ban. Names and forms are those of later versions of the
//! reference, which had no such thing yet.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use sftpgo_core::defender::{DefendedHost, Defender};
use sftpgo_core::model::{Source, UnixMillis};

use super::Api;
use super::parameters::{Parameters, Sent};
use crate::problem::{ApiResult, Problem, acknowledged};
use crate::reply;

/// An address that is either banned or has points, never both.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DefenderHost", deny_unknown_fields)]
pub(crate) struct HostView {
    /// The address in hexadecimal digits, for paths.
    id: String,
    /// An IPv4 address, or an IPv6 network of 64 bits.
    ip: String,
    /// Its points.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u32>,
    /// Until when it is banned (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    ban_time: Option<String>,
}

impl From<DefendedHost> for HostView {
    fn from(host: DefendedHost) -> Self {
        let ip = host.source.to_string();
        Self {
            id: id_of(&ip),
            ip,
            score: host.banned_until.is_none().then_some(host.score),
            ban_time: host.banned_until.map(date_time),
        }
    }
}

/// Until when an address is banned.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BanTime", deny_unknown_fields)]
pub(crate) struct BanTimeView {
    /// RFC 3339; null if it is not banned.
    date_time: Option<String>,
}

/// The points of an address.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Score", deny_unknown_fields)]
pub(crate) struct ScoreView {
    /// 0 while it is banned.
    score: u32,
}

type HostId = Result<Path<String>, PathRejection>;

/// Every address that is banned or has points.
pub(crate) async fn list(State(api): State<Arc<Api>>) -> ApiResult {
    let hosts = defender(&api)?.hosts().into_iter();
    let views: Vec<_> = hosts.map(HostView::from).collect();
    Ok(reply::json(StatusCode::OK, &views))
}

/// One of them.
pub(crate) async fn show(State(api): State<Arc<Api>>, id: HostId) -> ApiResult {
    let host = defender(&api)?.host(source_of(id)?);
    let host = host.ok_or_else(not_found)?;
    Ok(reply::json(StatusCode::OK, &HostView::from(host)))
}

/// Lifts a ban, or forgets points.
pub(crate) async fn forgive(State(api): State<Arc<Api>>, id: HostId) -> ApiResult {
    let source = source_of(id)?;
    if !defender(&api)?.forgive(source) {
        return Err(not_found());
    }
    tracing::info!(
        sender = "httpd",
        "{source} was forgiven by an administrator: no ban, no points"
    );
    Ok(acknowledged("Host removed"))
}

/// Until when an address is banned; `null` if it is not.
pub(crate) async fn ban_time(State(api): State<Arc<Api>>, parameters: Sent) -> ApiResult {
    let host = defender(&api)?.host(asked_for(parameters)?);
    let until = host.and_then(|host| host.banned_until);
    let date_time = until.map(date_time);
    Ok(reply::json(StatusCode::OK, &BanTimeView { date_time }))
}

/// The points of an address; 0 while it is banned.
pub(crate) async fn score(State(api): State<Arc<Api>>, parameters: Sent) -> ApiResult {
    let host = defender(&api)?.host(asked_for(parameters)?);
    let score = host.map_or(0, |host| host.score);
    Ok(reply::json(StatusCode::OK, &ScoreView { score }))
}

fn defender(api: &Api) -> Result<&Arc<Defender>, Problem> {
    let disabled = || {
        Problem::error(
            StatusCode::FORBIDDEN,
            "the defender is not enabled (defender.enabled)",
        )
    };
    api.core.defender().ok_or_else(disabled)
}

fn not_found() -> Problem {
    Problem::message(StatusCode::NOT_FOUND, "Not Found")
}

/// The parameter `ip` of a query.
fn asked_for(parameters: Sent) -> Result<Source, Problem> {
    let parameters = Parameters::read(parameters)?;
    let address: Option<IpAddr> = parameters.value("ip").and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| Problem::bad_request("Invalid ip"))?;
    Ok(Source::of(address))
}

/// An address, or the id of one.
fn source_of(id: HostId) -> Result<Source, Problem> {
    let named = |id: &str| id.parse().ok().or_else(|| decoded(id)?.parse().ok());
    let source = id.ok().and_then(|Path(id)| named(&id));
    source.ok_or_else(|| Problem::bad_request("Invalid host id"))
}

/// The text in hexadecimal: networks have a slash in it, which no path segment can have.
fn id_of(ip: &str) -> String {
    ip.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decoded(id: &str) -> Option<String> {
    let (pairs, rest) = id.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from((digit(*high)? << 4) | digit(*low)?).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    String::from_utf8(bytes.filter(|_| rest.is_empty())?).ok()
}

/// RFC 3339, in UTC, to the second.
fn date_time(time: UnixMillis) -> String {
    let seconds = jiff::Timestamp::from_second(time.0.div_euclid(1000));
    seconds.map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: &str) -> Result<String, Problem> {
        source_of(Ok(Path(id.to_owned()))).map(|source| source.to_string())
    }

    #[test]
    fn a_host_is_named_by_its_address_or_its_id() {
        for ip in ["192.0.2.1", "2001:db8:0:1::/64"] {
            assert_eq!(source(ip).unwrap(), ip);
            assert_eq!(source(&id_of(ip)).unwrap(), ip);
        }
        assert_eq!(id_of("192.0.2.1"), "3139322e302e322e31");
        assert_eq!(source("2001:db8::5").unwrap(), "2001:db8::/64");
        for wrong in ["", "3", "313", "zz", "00", "é", "host", "192.0.2.0/24"] {
            assert!(source(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_written_as_everybody_reads_them() {
        assert_eq!(
            date_time(UnixMillis(1_600_000_000_999)),
            "2020-09-13T12:26:40Z"
        );
    }
}
