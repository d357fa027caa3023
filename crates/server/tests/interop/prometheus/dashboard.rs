//! The dashboard and the alert rules against a Prometheus that watches a server at work.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::scraped::Scraped;
use super::watcher::{JOB, Prometheus};
use super::{packaged, until};

fn dashboard() -> Value {
    let text = fs::read_to_string(packaged("grafana/sftpgo.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Title and expression of every query.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for panel in list(dashboard, "panels") {
        for target in list(panel, "targets") {
            let title = panel["title"].as_str().unwrap().to_owned();
            queries.push((title, target["expr"].as_str().unwrap().to_owned()));
        }
    }
    queries
}

/// As Grafana does when everything is chosen. The window holds the whole test.
fn interpolated(expression: &str) -> String {
    let text = expression
        .replace("$__rate_interval", "10m")
        .replace("$job", JOB)
        .replace("$instance", ".*");
    assert!(!text.contains('$'), "{text}");
    text
}

#[test]
fn every_query_of_the_dashboard_finds_something_after_a_scenario() {
    let server = Scraped::start();
    let prometheus = Prometheus::scraping(&server);
    // From 0, or there would be no rate.
    until("a first scrape", || {
        let found = prometheus.query("sftpgo_build_info").unwrap();
        found.into_iter().next()
    });
    Runtime::new().unwrap().block_on(server.use_it());
    for (series, least) in [
        ("sftpgo_uploads_total", 2.0),
        ("sftpgo_downloads_total", 2.0),
        ("sftpgo_upload_errors_total", 1.0),
        ("sftpgo_login_ok_total", 2.0),
        ("sftpgo_login_ko_total", 2.0),
        ("sftpgo_ssh_commands_total", 3.0),
        ("sftpgo_ssh_command_errors_total", 1.0),
        ("sftpgo_http_client_errors_total", 1.0),
    ] {
        let query = format!("{series} >= {least}");
        until(&query, || {
            prometheus.query(&query).unwrap().into_iter().next()
        });
    }

    let dashboard = dashboard();
    let queries = queries(&dashboard);
    assert!(queries.len() > 50);
    for (title, expression) in queries {
        let found = prometheus.query(&interpolated(&expression));
        let found = found.unwrap_or_else(|error| panic!("{title}: {expression}: {error}"));
        let numbers = found.iter().filter(|series| series.value.is_finite());
        assert!(numbers.count() > 0, "{title}: {expression}: {found:?}");
    }
    for variable in list(&dashboard["templating"], "list") {
        let Some(query) = variable["query"]["query"].as_str() else {
            continue;
        };
        let inner = query.strip_prefix("label_values(").unwrap();
        let (series, label) = inner.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        let found = prometheus.query(&interpolated(series)).unwrap();
        assert!(found.iter().any(|series| series.labels.contains_key(label)));
    }
    for annotation in list(&dashboard["annotations"], "list") {
        if let Some(expression) = annotation["expr"].as_str() {
            prometheus.query(&interpolated(expression)).unwrap();
        }
    }

    // The rules as well: those that need a day of data find nothing, and none of them fails.
    let rules = until("every rule to be evaluated", || {
        let rules = prometheus.rules();
        let unknown = rules.iter().any(|(_, health)| health == "unknown");
        (!unknown && !rules.is_empty()).then_some(rules)
    });
    for (name, health) in &rules {
        assert_eq!(health, "ok", "{name}");
    }
    let firing = prometheus.query("ALERTS").unwrap();
    assert!(firing.is_empty(), "{firing:?}");
}

/// A name that is misspelt finds nothing, and a rule that finds nothing says nothing.
#[test]
fn rules_ask_for_metrics_that_are_documented() {
    let documented = fs::read_to_string(packaged("../docs/metrics.md")).unwrap();
    let rules = fs::read_to_string(packaged("prometheus/sftpgo.rules.yml")).unwrap();
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("sftpgo_") || word.starts_with("process_"));
    let mut checked = 0;
    for name in names {
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(documented.contains(&format!("`{name}`")), "{name}");
        checked += 1;
    }
    assert!(checked > 20);
}

/// What Grafana needs to show it, and what makes a dashboard one that can be read.
#[test]
fn the_dashboard_is_one_that_grafana_can_show() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let mut ids = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in list(&dashboard, "panels") {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(cells.insert((x, y)), "{title} lies over another panel");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(unit.is_some_and(|unit| !unit.is_empty()), "{title}");
        let targets = list(panel, "targets");
        let letters: BTreeSet<_> = targets
            .iter()
            .map(|target| target["refId"].as_str())
            .collect();
        assert_eq!(letters.len(), targets.len(), "{title}");
        let sources = targets.iter().chain([panel]);
        for source in sources.map(|part| &part["datasource"]) {
            assert_eq!(source["uid"], "${datasource}", "{title}");
            assert_eq!(source["type"], "prometheus", "{title}");
        }
    }
}
