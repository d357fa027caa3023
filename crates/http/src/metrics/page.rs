//! Which metrics there are (reference 13): names are part of the interface, dashboards use them.

use sftpgo_core::Metrics;
use sftpgo_core::metrics::histogram::{Histogram, LoginTime, Snapshot};
use sftpgo_core::metrics::{Counter, Gauge, LoginCounters};

use super::HttpMetrics;
use super::text::{Label, Page};
use crate::server::VersionInfo;

/// Which build answers.
pub(super) fn write_build(page: &mut Page, version: &VersionInfo) {
    let labels = [
        ("version", version.version.as_str()),
        ("commit", version.commit_hash.as_str()),
        ("build_date", version.build_date.as_str()),
    ];
    page.gauges(
        "sftpgo_build_info",
        "Always 1; which build this is, is in the labels.",
        [(&labels[..], 1)],
    );
}

/// Transfers, commands, logins, connections.
pub(super) fn write_core(page: &mut Page, metrics: &Metrics) {
    let (up, down) = (&metrics.uploads, &metrics.downloads);
    page.gauge(
        "sftpgo_dataprovider_availability",
        "1 if the data provider answers, 0 if not.",
        metrics.provider_available.value(),
    );
    page.gauge(
        "sftpgo_active_connections",
        "Sessions that are open.",
        metrics.active_connections.value(),
    );
    page.gauge(
        "sftpgo_cluster_sessions",
        "Logged-in sessions on all servers that share the data provider.",
        metrics.cluster_sessions.value(),
    );
    page.gauge(
        "sftpgo_cluster_transfers",
        "Running transfers on all servers that share the data provider.",
        metrics.cluster_transfers.value(),
    );
    let counters: [(&str, &str, &Counter); 8] = [
        (
            "sftpgo_uploads_total",
            "Uploads that were completed.",
            &up.completed,
        ),
        (
            "sftpgo_downloads_total",
            "Downloads that were completed.",
            &down.completed,
        ),
        (
            "sftpgo_upload_errors_total",
            "Uploads that failed.",
            &up.failed,
        ),
        (
            "sftpgo_download_errors_total",
            "Downloads that failed.",
            &down.failed,
        ),
        (
            "sftpgo_upload_size",
            "Bytes received, those of failed uploads included.",
            &up.bytes,
        ),
        (
            "sftpgo_download_size",
            "Bytes sent, those of failed downloads included.",
            &down.bytes,
        ),
        (
            "sftpgo_ssh_commands_total",
            "SSH commands that succeeded.",
            &metrics.ssh_commands,
        ),
        (
            "sftpgo_ssh_command_errors_total",
            "SSH commands that failed.",
            &metrics.ssh_command_errors,
        ),
    ];
    for (name, help, counter) in counters {
        page.counter(name, help, counter.value());
    }
    let connections = [
        (
            "sftpgo_refused_connections_total",
            "Connections that were closed without a byte: limits, penalties, bans.",
            &metrics.refused_connections,
        ),
        (
            "sftpgo_connection_probes_total",
            "Connections that were closed before the client identified itself.",
            &metrics.probes,
        ),
        (
            "sftpgo_defender_bans_total",
            "Bans of the defender.",
            &metrics.bans,
        ),
    ];
    for (name, help, counter) in connections {
        page.counter(name, help, counter.value());
    }
    write_transfers(page, metrics);
    write_sessions(page, metrics);
    write_actions(page, metrics);
    write_logins(page, "", "Logins", &metrics.logins);
    write_logins(
        page,
        "password_",
        "Password logins",
        &metrics.password_logins,
    );
    write_logins(
        page,
        "public_key_",
        "Public key logins",
        &metrics.public_key_logins,
    );
    let interactive = &metrics.keyboard_interactive_logins;
    write_logins(
        page,
        "keyboard_interactive_",
        "Keyboard-interactive logins",
        interactive,
    );
}

/// What the reference has not: names of our own, with labels.
fn write_transfers(page: &mut Page, metrics: &Metrics) {
    let (up, down) = (&metrics.uploads, &metrics.downloads);
    let (upload, download) = ([("direction", "upload")], [("direction", "download")]);
    let passed = [
        (&upload[..], up.passed.value()),
        (&download[..], down.passed.value()),
    ];
    page.counters(
        "sftpgo_transfer_bytes_total",
        "Bytes of transfers as they pass, those of running transfers included.",
        passed,
    );
    let active = [
        (&upload[..], up.active.value()),
        (&download[..], down.active.value()),
    ];
    page.gauges(
        "sftpgo_active_transfers",
        "Transfers that are running.",
        active,
    );
    let times = [
        (&upload[..], up.times.snapshot()),
        (&download[..], down.times.snapshot()),
    ];
    page.histograms(
        "sftpgo_transfer_duration_seconds",
        "From the opening of a file to its end, of transfers that were completed.",
        times,
    );
    let sizes = [
        (&upload[..], up.sizes.snapshot()),
        (&download[..], down.sizes.snapshot()),
    ];
    page.histograms(
        "sftpgo_transfer_size_bytes",
        "Bytes of each transfer that was completed.",
        sizes,
    );
}

fn write_sessions(page: &mut Page, metrics: &Metrics) {
    let sessions = &metrics.sessions;
    let rows: [(&str, &Gauge); 3] = [
        ("SFTP", &sessions.sftp),
        ("SCP", &sessions.scp),
        ("SSH", &sessions.ssh),
    ];
    let labels = rows.map(|(protocol, _)| [("protocol", protocol)]);
    let values = rows.iter().zip(&labels);
    page.gauges(
        "sftpgo_sessions",
        "Sessions that are open, by protocol.",
        values.map(|((_, gauge), labels)| (&labels[..], gauge.value())),
    );
}

/// How long logins took, by method and result.
pub(super) fn write_login_times(page: &mut Page, metrics: &Metrics) {
    let methods = [
        ("password", &metrics.password_times),
        ("publickey", &metrics.public_key_times),
        ("keyboard-interactive", &metrics.keyboard_interactive_times),
    ];
    let mut rows: Vec<([Label<'_>; 2], Snapshot)> = Vec::new();
    for (method, times) in methods {
        let results: [(&str, &Histogram<LoginTime>); 2] =
            [("ok", &times.ok), ("failed", &times.failed)];
        for (result, histogram) in results {
            let labels = [("method", method), ("result", result)];
            rows.push((labels, histogram.snapshot()));
        }
    }
    page.histograms(
        "sftpgo_login_duration_seconds",
        "How long logins took that came to their end; of keyboard-interactive with the time to answer.",
        rows.iter().map(|(labels, times)| (&labels[..], times.clone())),
    );
}

fn write_actions(page: &mut Page, metrics: &Metrics) {
    let actions = [
        (
            "sftpgo_actions_total",
            "Actions that were carried out, those included that failed.",
            &metrics.actions,
        ),
        (
            "sftpgo_action_errors_total",
            "Programs and URLs of actions that failed.",
            &metrics.action_errors,
        ),
        (
            "sftpgo_actions_dropped_total",
            "Actions that were not carried out: too many were waiting, or the server stopped.",
            &metrics.actions_dropped,
        ),
        (
            "sftpgo_gate_refusals_total",
            "Uploads, downloads and removals that a gate refused, or could not be asked about.",
            &metrics.gate_refusals,
        ),
    ];
    for (name, help, counter) in actions {
        page.counter(name, help, counter.value());
    }
}

fn write_logins(page: &mut Page, prefix: &str, what: &str, logins: &LoginCounters) {
    let counters = [
        ("attempts", "that were tried", &logins.attempts),
        ("ok", "that succeeded", &logins.ok),
        ("ko", "that failed", &logins.failed),
    ];
    for (suffix, how, counter) in counters {
        let name = format!("sftpgo_{prefix}login_{suffix}_total");
        page.counter(&name, &format!("{what} {how}."), counter.value());
    }
}

/// Requests of this front end. The one that asks is not counted yet.
pub(super) fn write_http(page: &mut Page, metrics: &HttpMetrics) {
    let counters: [(&str, &str, &Counter); 4] = [
        (
            "sftpgo_http_req_total",
            "HTTP requests served.",
            &metrics.requests,
        ),
        (
            "sftpgo_http_req_ok_total",
            "HTTP requests answered with 2xx.",
            &metrics.ok,
        ),
        (
            "sftpgo_http_client_errors_total",
            "HTTP requests answered with 4xx.",
            &metrics.client_errors,
        ),
        (
            "sftpgo_http_server_errors_total",
            "HTTP requests answered with 5xx.",
            &metrics.server_errors,
        ),
    ];
    for (name, help, counter) in counters {
        page.counter(name, help, counter.value());
    }
    let labels = metrics
        .times
        .each_ref()
        .map(|(class, _)| [("code", *class)]);
    let rows = metrics.times.iter().zip(&labels);
    page.histograms(
        "sftpgo_http_request_duration_seconds",
        "From the header of a request to the beginning of its answer, by the class of its status.",
        rows.map(|((_, times), labels)| (&labels[..], times.snapshot())),
    );
}
