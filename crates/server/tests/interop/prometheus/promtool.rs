//! `promtool`, which comes with Prometheus, reads what we write.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sftpgo_testkit::request;
use tokio::runtime::Runtime;

use super::packaged;
use super::scraped::Scraped;
use crate::support::Run;

/// Counters whose names the reference fixed before there was a rule for names (reference 13).
const WITHOUT_TOTAL: [&str; 6] = [
    "upload_size",
    "download_size",
    "list_objects",
    "copy_object",
    "delete_object",
    "head_bucket",
];
/// What `promtool check metrics` ends with if it only dislikes names.
const DISLIKED: i32 = 3;

fn promtool(directory: &Path, arguments: &[&str]) -> Run {
    Run::new("promtool", directory, directory).args(arguments)
}

/// Every complaint that is put up with.
fn expected() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for name in &WITHOUT_TOTAL[..2] {
        names.insert(format!("sftpgo_{name}"));
    }
    for store in ["s3", "gcs", "azblob"] {
        for name in WITHOUT_TOTAL {
            names.insert(format!("sftpgo_{store}_{name}"));
        }
        for name in &WITHOUT_TOTAL[2..] {
            names.insert(format!("sftpgo_{store}_{name}_errors"));
        }
    }
    let complaint = |name| format!("{name} counter metrics should have \"_total\" suffix");
    let mut complaints: BTreeSet<String> = names.iter().map(complaint).collect();
    for store in ["s3", "gcs", "azblob"] {
        // It takes a bucket of objects for one of a histogram.
        complaints.insert(format!(
            "sftpgo_{store}_head_bucket non-histogram metrics should not have \"_bucket\" suffix"
        ));
    }
    complaints
}

#[test]
fn promtool_understands_the_metrics_and_dislikes_the_names_of_the_reference_only() {
    let server = Scraped::start();
    let page = Runtime::new().unwrap().block_on(async {
        server.use_it().await;
        request(server.http, "GET", "/metrics", &Value::Null)
            .await
            .body
    });
    let checked = promtool(server.directory(), &["check", "metrics"])
        .input(page)
        .finish();
    assert_eq!(checked.code(), Some(DISLIKED), "{checked}");
    let complaints = String::from_utf8(checked.stderr.clone()).unwrap();
    let complaints: BTreeSet<String> = complaints.lines().map(str::to_owned).collect();
    assert_eq!(complaints, expected(), "{checked}");
}

#[test]
fn promtool_accepts_the_alert_rules_and_they_do_what_their_tests_say() {
    let directory = packaged("prometheus");
    let checked = promtool(&directory, &["check", "rules", "sftpgo.rules.yml"]).succeed();
    checked.says("12 rules found");
    promtool(&directory, &["test", "rules", "sftpgo.rules.test.yml"]).succeed();
}
