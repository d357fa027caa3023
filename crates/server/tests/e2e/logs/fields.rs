//! Every line of the log that others read has the fields of the reference, in its order (14.2 to 14.6).

use std::fmt;

use rustix::process::{getgid, getuid};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sftpgo_testkit::{FileClient as _, SshClient, request};
use sftpgo_wire::sftp::Attrs;

use crate::running::{Serve, add_user, configured};

const APP: &str = "level time sender connection_id message";
const TRANSFER: &str =
    "level time sender elapsed_ms size_bytes username file_path connection_id protocol";
const COMMAND: &str = "level time sender username file_path target_path filemode uid gid access_time \
     modification_time ssh_command connection_id protocol";
const FAILED: &str = "level time sender client_ip username login_type error";
const HTTP: &str = "level time sender method proto remote_addr request_id uri user_agent resp_status resp_size \
     elapsed_ms";

/// The keys of a JSON object in their order, separated by spaces.
struct Keys(String);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                    keys.push(key);
                }
                Ok(Keys(keys.join(" ")))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The next line of this sender.
fn line_of(serve: &mut Serve, sender: &str) -> (String, Value) {
    let line = serve
        .line_with(&format!(r#""sender":"{sender}","#))
        .unwrap();
    let Keys(keys) = serde_json::from_str(&line).unwrap();
    (keys, serde_json::from_str(&line).unwrap())
}

fn attributes(change: Attrs) -> Attrs {
    Attrs {
        size: None,
        ..change
    }
}

#[tokio::test]
async fn every_line_has_the_fields_of_the_reference_in_their_order() {
    let directory = configured(&Value::Null);
    add_user(directory.path(), "alice");
    let home = directory.path().join("homes/alice");
    let on_disk = |name: &str| json!(home.join(name));
    let mut serve = Serve::start_logging(directory.path());

    let mut guest = SshClient::connect(serve.ssh, None).await;
    assert!(!guest.password("nobody", "wrong").await);
    let (keys, line) = line_of(&mut serve, "connection_failed");
    assert_eq!((keys.as_str(), &line["level"]), (FAILED, &json!("debug")));

    let mut sftp = serve.sftp("alice").await;
    let (keys, line) = line_of(&mut serve, "core");
    assert_eq!((keys.as_str(), &line["level"]), (APP, &json!("info")));
    let id = line["connection_id"].clone();
    assert_eq!(id.as_str().unwrap().len(), 64);

    sftp.put(b"/file", b"12345").await.unwrap();
    sftp.get(b"/file").await.unwrap();
    for sender in ["Upload", "Download"] {
        let (keys, line) = line_of(&mut serve, sender);
        assert_eq!((keys.as_str(), &line["level"]), (TRANSFER, &json!("info")));
        assert!(line["elapsed_ms"].is_u64());
        assert_eq!(line["size_bytes"], 5);
        assert_eq!(
            (&line["file_path"], &line["connection_id"]),
            (&on_disk("file"), &id)
        );
        assert_eq!(
            (&line["username"], &line["protocol"]),
            (&json!("alice"), &json!("SFTP"))
        );
    }

    // What each command tells beside its path; all else has the value for "nothing".
    sftp.mkdir(b"/dir").await.unwrap();
    let set = |change| attributes(change);
    let mode = Attrs {
        permissions: Some(0o640),
        ..Attrs::EMPTY
    };
    let times = Attrs {
        times: Some((1_000_000_000, 1_100_000_000)),
        ..Attrs::EMPTY
    };
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let owner = Attrs {
        owner: Some((uid, gid)),
        ..Attrs::EMPTY
    };
    for change in [mode, times, owner] {
        sftp.setstat(b"/file", &set(change)).await.unwrap();
    }
    sftp.symlink(b"/file", b"/link").await.unwrap();
    sftp.plain_rename(b"/file", b"/other").await.unwrap();
    sftp.remove(b"/other").await.unwrap();
    sftp.rmdir(b"/dir").await.unwrap();
    let ssh = std::sync::Arc::clone(sftp.ssh());
    assert_eq!(ssh.exec(b"pwd", b"").await.unwrap().status, Some(0));
    for (sender, told) in [
        ("Mkdir", json!({ "file_path": on_disk("dir") })),
        (
            "Chmod",
            json!({ "file_path": on_disk("file"), "filemode": "-rw-r-----" }),
        ),
        ("Chtimes", json!({ "file_path": on_disk("file") })),
        (
            "Chown",
            json!({ "file_path": on_disk("file"), "uid": uid, "gid": gid }),
        ),
        (
            "Symlink",
            json!({ "file_path": on_disk("file"), "target_path": on_disk("link") }),
        ),
        (
            "Rename",
            json!({ "file_path": on_disk("file"), "target_path": on_disk("other") }),
        ),
        ("Remove", json!({ "file_path": on_disk("other") })),
        ("Rmdir", json!({ "file_path": on_disk("dir") })),
        (
            "SSHCommand",
            json!({ "ssh_command": "pwd", "protocol": "SSH" }),
        ),
    ] {
        let (keys, line) = line_of(&mut serve, sender);
        assert_eq!(
            (keys.as_str(), &line["level"]),
            (COMMAND, &json!("info")),
            "{sender}"
        );
        let mut expected = json!({
            "username": "alice", "file_path": "", "target_path": "", "filemode": "", "uid": -1, "gid": -1,
            "access_time": "", "modification_time": "", "ssh_command": "", "connection_id": id, "protocol": "SFTP",
        });
        for (key, value) in told.as_object().unwrap() {
            expected[key] = value.clone();
        }
        for (key, value) in expected.as_object().unwrap() {
            match (sender, key.as_str()) {
                // The zone is that of the machine; seconds are the same everywhere.
                ("Chtimes", "access_time") => assert!(line[key].as_str().unwrap().ends_with(":40")),
                ("Chtimes", "modification_time") => {
                    assert!(line[key].as_str().unwrap().ends_with(":20"));
                }
                _ => assert_eq!(&line[key], value, "{sender} {key}"),
            }
        }
    }

    request(serve.http, "GET", "/api/v1/version", &Value::Null).await;
    let (keys, line) = line_of(&mut serve, "httpd");
    assert_eq!((keys.as_str(), &line["level"]), (HTTP, &json!("info")));
    // `YYYY-MM-DDTHH:MM:SS.mmm`, and no zone behind it.
    let time = line["time"].as_str().unwrap();
    assert_eq!((time.len(), &time[10..11], &time[19..20]), (23, "T", "."));
}

/// 14.1: the setting is for the console; ban tools read lines of level debug.
#[tokio::test]
async fn a_log_that_is_not_verbose_still_has_failed_logins() {
    let directory = configured(&Value::Null);
    let mut serve = Serve::start(directory.path(), &[("SFTPGO_LOG_VERBOSE", "false")]);
    let mut guest = SshClient::connect(serve.ssh, None).await;
    assert!(!guest.password("nobody", "wrong").await);
    drop(guest);
    serve.signal(rustix::process::Signal::TERM);
    while serve.line_with("\0").is_some() {}
    let log = std::fs::read_to_string(directory.path().join("sftpgo.log")).unwrap();
    assert!(log.contains(r#""level":"debug""#) && log.contains(r#""sender":"connection_failed""#));
    assert!(!serve.seen().join("\n").contains("DEBUG"));
}
