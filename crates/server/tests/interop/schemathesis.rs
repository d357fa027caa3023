//! `schemathesis`: requests of all kinds, made up from the OpenAPI document that the server itself serves, against what the
//! document says of the answers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sftpgo_testkit::{Account, TestServer};
use tokio::runtime::Runtime;

use super::support::{Run, python};

/// `alice` with the password `password1`.
const USERS: &str = "alice:$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola\n";
/// Everything about answers. That routes ask for a password is tested by walking them: here wrong ones would be too many.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method,\
                      allow_header_conformance";

/// The composed server with a password file, a few users and a defender, its files below a temporary directory. The
/// runtime must outlive it.
async fn start() -> TestServer {
    let server = TestServer::builder()
        .set("httpd.auth_user_file", "users")
        .set("defender.enabled", true)
        .file("users", USERS)
        .start()
        .await;
    for name in ["first", "second", "third"] {
        server.add(Account::new(name)).await;
    }
    server
}

#[test]
fn requests_made_up_from_the_document_meet_no_server_error_and_nothing_undocumented() {
    // Of several threads: they serve while this one waits.
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(start());
    let work = tempfile::tempdir().unwrap();
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scripts");
    let url = format!("http://{}/openapi.json", server.http_address());
    let run = Run::new(
        python().with_file_name("schemathesis"),
        work.path(),
        work.path(),
    );
    let finished = run
        .env("PYTHONPATH", hooks)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .args(["run", &url, "--auth", "alice:password1", "--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        // The same requests each time.
        .args(["--generation-deterministic", "--max-examples", "80"])
        .args(["--workers", "1", "--request-timeout", "20", "--no-color"])
        .args(["--suppress-health-check", "all"])
        .deadline(300)
        .finish();
    assert_eq!(finished.code(), Some(0), "{finished}");

    let document: Value = serde_json::from_str(&sftpgo_http::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let count: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    // It does not ask for the document once more.
    let count = count - 1;
    finished.says(&format!("Selected: {count}/{count}"));
    finished.says(&format!("Tested: {count}"));
    // Whatever was asked to be dumped: nothing is beside the directory for it.
    let conf = server.config_dir();
    assert!(conf.join("backups/users.json").is_file());
    let mut beside: Vec<_> = fs::read_dir(&conf)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    beside.sort();
    assert_eq!(beside, ["backups", "host_key", "sftpgo.json", "users"]);
    runtime.block_on(server.drain(Duration::from_secs(5)));
}
