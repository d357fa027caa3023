//! Gates: who is asked before a file is written, read or removed, and may refuse.

use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use sftpgo_core::action::ActionLimits;
use sftpgo_testkit::{
    Account, Answer, FileClient as _, Refusal, ScpFiles, Sftp, TestServer, Usage, until,
};
use sftpgo_wire::sftp::{Attrs, Extension, OpenFlags};

use super::bounds::HANGS;
use crate::hooks::Scripts;
use crate::hooks::service::Service;

/// Notes what it is asked, and refuses what is secret.
pub(super) const REFUSES: &str = r#"
printf '%s\n' "$#;$1;$2;${3##*/};$4$5;$SFTPGO_ACTION_FILE_SIZE;$SFTPGO_ACTION_LOCAL_FILE" >> "$here/asked"
case "$3" in *secret*) exit 1 ;; esac"#;

/// A server with these gates, all of which ask one program.
pub(super) async fn gated(scripts: &Scripts, events: &[&str], text: &str) -> TestServer {
    let program = scripts.script("gate", text);
    let server = TestServer::builder()
        .set("sftpd.enabled_ssh_commands", vec!["*"])
        .set(
            "sftpd.actions",
            json!({ "execute_on": events, "command": program }),
        )
        .start()
        .await;
    server
        .add(Account::new("alice").quota(100, 100_000_000))
        .await;
    server
}

/// Fails the test unless the account may not do it, in words that say nothing of the server.
#[track_caller]
pub(super) fn denied<T>(answer: Answer<T>) {
    match answer {
        Ok(_) => panic!("a gate was open"),
        Err(refused) => {
            assert_eq!(refused.kind, Refusal::Denied, "{refused:?}");
            assert!(
                refused.message.trim_end().ends_with("Permission Denied"),
                "{refused:?}"
            );
        }
    }
}

fn asked(scripts: &Scripts) -> Vec<String> {
    scripts.text("asked").lines().map(str::to_owned).collect()
}

const READ: OpenFlags = OpenFlags::READ;
const WRITE: OpenFlags = OpenFlags(OpenFlags::WRITE.0 | OpenFlags::CREATE.0);

#[tokio::test]
async fn what_a_program_refuses_is_not_uploaded_and_nothing_is_touched_or_counted() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-upload"], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    denied(sftp.put(b"/secret", b"new").await);
    assert!(!home.join("secret").exists());
    assert_eq!(server.quota("alice").await, Usage { files: 0, bytes: 0 });
    sftp.put(b"/fine", b"123").await.unwrap();
    // One that is there stays as it is, however it is opened.
    fs::write(home.join("secret"), b"old").unwrap();
    denied(sftp.put(b"/secret", b"new").await);
    denied(sftp.append(b"/secret", b"new").await);
    let cut = Attrs {
        size: Some(0),
        ..Attrs::EMPTY
    };
    denied(sftp.setstat(b"/secret", &cut).await);
    let second = Extension::Hardlink {
        from: Bytes::from_static(b"/fine"),
        to: Bytes::from_static(b"/secret2"),
    };
    denied(sftp.extended(&second).await);
    let mut scp = ScpFiles::new(sftp);
    denied(scp.put(b"/secret", b"new").await);
    scp.put(b"/fine2", b"12345").await.unwrap();
    scp.get(b"/secret").await.unwrap();
    scp.remove_file(b"/fine2").await.unwrap();
    assert_eq!(fs::read(home.join("secret")).unwrap(), b"old");
    assert!(!home.join("secret2").exists());
    assert_eq!(server.quota("alice").await, Usage { files: 1, bytes: 3 });
    assert_eq!(
        asked(&scripts),
        [
            "5;pre-upload;alice;secret;;;true",
            "5;pre-upload;alice;fine;;;true",
            "5;pre-upload;alice;secret;;3;true",
            "5;pre-upload;alice;secret;;3;true",
            "5;pre-upload;alice;secret;;;true",
            "5;pre-upload;alice;secret2;;;true",
            "5;pre-upload;alice;secret;;3;true",
            "5;pre-upload;alice;fine2;;;true",
        ]
    );
    let metrics = server.core().metrics();
    assert_eq!(metrics.gate_refusals.value(), 6);
    // Gates are no actions.
    assert_eq!(metrics.actions.value(), 0);
}

#[tokio::test]
async fn what_a_program_refuses_is_not_downloaded_by_any_way() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-download"], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::create_dir(home.join("dir")).unwrap();
    for name in ["secret", "fine", "dir/secret", "dir/fine"] {
        fs::write(home.join(name), b"content").unwrap();
    }
    denied(sftp.get(b"/secret").await);
    assert_eq!(sftp.get(b"/fine").await.unwrap(), b"content");
    let second = Extension::Hardlink {
        from: Bytes::from_static(b"/secret"),
        to: Bytes::from_static(b"/other"),
    };
    denied(sftp.extended(&second).await);
    let byte = Extension::CheckFile {
        target: sftpgo_wire::sftp::extension::CheckFileTarget::Path(Bytes::from_static(b"/secret")),
        algorithms: Bytes::from_static(b"md5"),
        offset: 1,
        len: 1,
        block_size: 0,
    };
    denied(sftp.extended_value(&byte).await);
    // A handle that may be written is one that cannot be read.
    let both = OpenFlags(READ.0 | OpenFlags::WRITE.0);
    let handle = sftp.open_file(b"/secret", both).await.unwrap();
    denied(sftp.read(&handle, 0, 10).await);
    sftp.write(&handle, 0, b"C").await.unwrap();
    sftp.close(&handle).await.unwrap();
    assert_eq!(fs::read(home.join("secret")).unwrap(), b"Content");
    let mut scp = ScpFiles::new(sftp);
    denied(scp.get(b"/secret").await);
    assert_eq!(scp.get(b"/fine").await.unwrap(), b"content");
    scp.put(b"/secret", b"uploads are nobody's business")
        .await
        .unwrap();
    assert!(asked(&scripts).contains(&"5;pre-download;alice;secret;;7;true".to_owned()));
}

#[tokio::test]
async fn directories_are_not_asked_about_and_a_program_may_make_the_file_that_is_read() {
    let scripts = Scripts::new();
    let fetches = format!("{REFUSES}\ncase \"$3\" in *archived) echo content > \"$3\" ;; esac");
    let server = gated(&scripts, &["pre-download"], &fetches).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    fs::create_dir(home.join("dir")).unwrap();
    sftp.list(b"/").await.unwrap();
    sftp.open_file(b"/dir", READ).await.unwrap_err();
    assert_eq!(asked(&scripts), Vec::<String>::new());
    assert_eq!(sftp.get(b"/archived").await.unwrap(), b"content\n");
    let missing = sftp.get(b"/missing").await.unwrap_err();
    assert_eq!(missing.kind, Refusal::NotFound);
    assert_eq!(
        asked(&scripts),
        [
            "5;pre-download;alice;archived;;;true",
            "5;pre-download;alice;missing;;;true"
        ]
    );
}

#[tokio::test]
async fn what_a_program_refuses_is_not_removed() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-delete"], REFUSES).await;
    let mut sftp = server.sftp("alice").await;
    let home = server.home("alice");
    sftp.put(b"/secret", b"123").await.unwrap();
    sftp.put(b"/fine", b"1").await.unwrap();
    sftp.mkdir(b"/secret-dir").await.unwrap();
    denied(sftp.remove(b"/secret").await);
    assert!(home.join("secret").exists());
    sftp.remove(b"/fine").await.unwrap();
    sftp.remove(b"/secret-dir").await.unwrap_err();
    sftp.rmdir(b"/secret-dir").await.unwrap();
    assert_eq!(
        asked(&scripts),
        [
            "5;pre-delete;alice;secret;;3;true",
            "5;pre-delete;alice;fine;;1;true"
        ]
    );
    assert_eq!(server.quota("alice").await, Usage { files: 1, bytes: 3 });
}

#[tokio::test]
async fn what_the_account_may_not_do_is_not_asked_about() {
    let scripts = Scripts::new();
    let events = ["pre-upload", "pre-download", "pre-delete"];
    let program = scripts.script("gate", REFUSES);
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({ "execute_on": events, "command": program }),
        )
        .start()
        .await;
    let account = Account::new("alice").permit("/", "list,upload");
    server.add(account).await;
    let mut sftp = server.sftp("alice").await;
    fs::write(server.home("alice").join("file"), b"1").unwrap();
    denied(sftp.put(b"/file", b"1").await);
    denied(sftp.get(b"/file").await);
    denied(sftp.remove(b"/file").await);
    assert_eq!(asked(&scripts), Vec::<String>::new());
    sftp.put(b"/new", b"1").await.unwrap();
    assert_eq!(asked(&scripts).len(), 1);
}

#[tokio::test]
async fn a_url_agrees_with_2xx_and_refuses_with_anything_else() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let nobody = format!("http://{}/", crate::program::free_address());
    let mut services = Vec::new();
    for (status, opens) in [
        (200, true),
        (204, true),
        (299, true),
        (302, false),
        (403, false),
        (500, false),
    ] {
        let location = "location: http://127.0.0.1:1/\r\n";
        let service = Service::start(move |_| (status, location, String::new())).await;
        services.push((service.url("/gate?a=b"), opens, Some(service)));
    }
    services.push((silent, false, None));
    services.push((nobody, false, None));
    for (url, opens, service) in services {
        let server = TestServer::builder()
            .set(
                "sftpd.actions",
                json!({ "execute_on": ["pre-upload"], "http_notification_url": url }),
            )
            .action_limits(ActionLimits {
                url: Duration::from_millis(500),
                ..ActionLimits::default()
            })
            .start()
            .await;
        server.add(Account::new("alice")).await;
        let mut sftp = server.sftp("alice").await;
        let answer = sftp.put(b"/file", b"1").await;
        match opens {
            true => answer.unwrap(),
            false => denied(answer),
        }
        assert_eq!(server.home("alice").join("file").exists(), opens, "{url}");
        if let Some(service) = service {
            let lines: Vec<String> = service.seen().into_iter().map(|seen| seen.line).collect();
            assert_eq!(lines.len(), 1);
            assert!(
                lines[0].starts_with("GET /gate?a=b&action=pre-upload&local_file=true&path="),
                "{lines:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_program_and_a_url_have_to_agree_both() {
    let scripts = Scripts::new();
    for (status, program, opens) in [
        (200, "exit 0", true),
        (200, "exit 1", false),
        (403, "exit 0", false),
        // It is not waited for.
        (403, "sleep 1000", false),
    ] {
        let service = Service::saying(status, "").await;
        let actions = json!({
            "execute_on": ["pre-upload"],
            "command": scripts.script("gate", program),
            "http_notification_url": service.url("/"),
        });
        let server = TestServer::builder()
            .set("sftpd.actions", actions)
            .start()
            .await;
        server.add(Account::new("alice")).await;
        let mut sftp = server.sftp("alice").await;
        let answer = sftp.put(b"/file", b"1").await;
        assert_eq!(answer.is_ok(), opens, "{status} {program}");
    }
}

#[tokio::test]
async fn a_gate_that_hangs_refuses_in_time_and_its_program_is_ended() {
    let scripts = Scripts::new();
    let server = TestServer::builder()
        .set(
            "sftpd.actions",
            json!({ "execute_on": ["pre-upload"], "command": scripts.script("hangs", HANGS) }),
        )
        .action_limits(ActionLimits {
            file_command: Duration::from_secs(2),
            ..ActionLimits::default()
        })
        .start()
        .await;
    server.add(Account::new("alice")).await;
    let mut sftp = server.sftp("alice").await;
    let begun = Instant::now();
    denied(sftp.put(b"/file", b"1").await);
    assert!(begun.elapsed() < Duration::from_secs(30));
    scripts.until_gone("program").await;
    scripts.until_gone("child").await;
    assert!(!server.home("alice").join("file").exists());
}

/// Hangs when it is asked about what is slow.
const HANGS_IF_SLOW: &str = r#"case "$3" in *slow*)
echo $$ > "$here/program"
exec sleep 1000 ;;
esac"#;

#[tokio::test]
async fn while_a_gate_thinks_other_handles_channels_and_connections_go_on() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-upload", "pre-download"], HANGS_IF_SLOW).await;
    let home = server.home("alice");
    let mut sftp = server.sftp("alice").await;
    let mut channel = Sftp::open(sftp.ssh().clone()).await.unwrap();
    let handle = sftp.open_file(b"/open", WRITE).await.unwrap();
    sftp.send(|out, id| {
        sftpgo_wire::sftp::client::open(out, id, b"/slow", WRITE, &Attrs::EMPTY);
    });
    until("the gate to be asked", async || {
        scripts.text("program").ends_with('\n')
    })
    .await;
    // The same channel: it is written, though the answer comes behind that of the OPEN.
    sftp.send(|out, id| sftpgo_wire::sftp::client::write(out, id, &handle, 0, b"written"));
    until("the write", async || {
        fs::read(home.join("open")).is_ok_and(|content| content == b"written")
    })
    .await;
    channel.put(b"/other", b"1").await.unwrap();
    assert_eq!(channel.get(b"/other").await.unwrap(), b"1");
    let mut other = server.sftp("alice").await;
    other.put(b"/another", b"1").await.unwrap();
    // Whoever goes away is not asked for any more, and has opened nothing.
    sftp.vanish();
    scripts.until_gone("program").await;
    assert!(!home.join("slow").exists());
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_gate() {
    let scripts = Scripts::new();
    let server = gated(&scripts, &["pre-upload"], HANGS_IF_SLOW).await;
    let mut sftp = server.sftp("alice").await;
    sftp.send(|out, id| {
        sftpgo_wire::sftp::client::open(out, id, b"/slow", WRITE, &Attrs::EMPTY);
    });
    until("the gate to be asked", async || {
        scripts.text("program").ends_with('\n')
    })
    .await;
    let begun = Instant::now();
    server.drain(Duration::from_secs(25)).await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    scripts.until_gone("program").await;
    assert!(!server.home("alice").join("slow").exists());
}
