//! `curl` and the REST API over TLS, with passwords that `openssl` and Python's `bcrypt` made.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sftpgo_testdb::Certificates;
use sftpgo_testkit::TestServer;
use tokio::runtime::Runtime;

use super::support::{Run, python};

const PASSWORD: &str = "pässword: with a colon";

/// The hash that another program makes of [`PASSWORD`].
fn hashed(run: Run) -> String {
    run.succeed().text().trim().to_owned()
}

/// A password file with a user for each kind of hash.
fn users(work: &Path) -> String {
    let openssl = |kind: &str| {
        let run = Run::new("openssl", work, work);
        hashed(run.args(["passwd", kind, PASSWORD]))
    };
    let bcrypt = |prefix: &str| {
        let script = "import bcrypt, sys\n\
                      salt = bcrypt.gensalt(5, sys.argv[2].encode())\n\
                      print(bcrypt.hashpw(sys.argv[1].encode(), salt).decode())";
        let run = Run::new(python(), work, work);
        hashed(run.args(["-c", script, PASSWORD, prefix]))
    };
    let (apr1, md5) = (openssl("-apr1"), openssl("-1"));
    let (new, old) = (bcrypt("2b"), bcrypt("2a"));
    // What `htpasswd -B` calls it.
    let htpasswd = new.replacen("$2b$", "$2y$", 1);
    format!("apr1:{apr1}\nmd5:{md5}\nnew:{new}\nold:{old}\nhtpasswd:{htpasswd}\n")
}

#[test]
fn curl_asks_over_tls_with_passwords_that_other_programs_hashed() {
    let directory = tempfile::tempdir().unwrap();
    let work = directory.path();
    let certificates = Certificates::make(work);
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    // Of several threads: they serve while this one waits.
    let runtime = Runtime::new().unwrap();
    let builder = TestServer::builder()
        .set("httpd.auth_user_file", "users")
        .set("httpd.certificate_file", "server.pem")
        .set("httpd.certificate_key_file", "server.key")
        .file("users", users(work))
        .file("server.pem", read(&certificates.server()))
        .file("server.key", read(&certificates.key()));
    let server = runtime.block_on(builder.start());
    let port = server.http_address().port();
    let curl = |arguments: &[&str]| {
        Run::new("curl", work, work)
            .args(["-q", "-sS", "-w", " %{http_code} %{http_version}"])
            .arg("--resolve")
            .arg(format!("localhost:{port}:127.0.0.1"))
            .arg("--cacert")
            .arg(certificates.authority())
            .args(arguments)
    };
    let url = format!("https://localhost:{port}/api/v1/providerstatus");
    for name in ["apr1", "md5", "new", "old", "htpasswd"] {
        let right = format!("{name}:{PASSWORD}");
        let said = curl(&["-u", &right, &url]).succeed().text();
        assert!(
            said.contains("\"Alive\"") && said.ends_with(" 200 1.1"),
            "{name}: {said}"
        );
    }
    let said = curl(&["-u", "new:wrong", &url]).succeed().text();
    assert!(said.ends_with(" 401 1.1"), "{said}");
    for version in ["1.2", "1.3"] {
        let least = format!("--tlsv{version}");
        let arguments = [
            &least,
            "--tls-max",
            version,
            "-u",
            &format!("new:{PASSWORD}"),
            &url,
        ];
        let said = curl(&arguments).succeed().text();
        assert!(said.ends_with(" 200 1.1"), "{version}: {said}");
    }
    let old = ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", &url];
    assert_ne!(curl(&old).fail().code(), None);
    let plain = url.replace("https:", "http:");
    let said = curl(&["-u", "new:wrong", &plain]).succeed().text();
    assert!(
        said.contains("use https://") && said.ends_with(" 400 1"),
        "{said}"
    );
    let untrusting = Run::new("curl", work, work).args(["-q", "-sS", "--resolve"]);
    let resolved = format!("localhost:{port}:127.0.0.1");
    untrusting
        .arg(resolved)
        .arg(&url)
        .fail()
        .says("certificate");
    runtime.block_on(server.drain(Duration::from_secs(5)));
}
