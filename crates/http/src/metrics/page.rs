//! Which metrics there are (reference 13): names are part of the interface, dashboards use them.

use std::fmt::{Display, Write};

use sftpgo_core::Metrics;
use sftpgo_core::metrics::{Counter, LoginCounters};

use super::HttpMetrics;

/// The text of the page.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Adds a number that only grows.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.sample("counter", name, help, &value);
    }

    /// Adds a number that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.sample("gauge", name, help, &value);
    }

    /// The finished text.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn sample(&mut self, kind: &str, name: &str, help: &str, value: &dyn Display) {
        // Writing to a String cannot fail.
        let _ = write!(
            self.0,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
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
}
