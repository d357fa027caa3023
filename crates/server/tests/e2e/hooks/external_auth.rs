//! `external_auth_program` (reference 9.3).

use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use sftpgo_testkit::{Account, FileClient as _, PASSWORD, Sftp, SshClient, TestServer};

use super::{Scripts, key_works, password_works, users};
use crate::program::{run, text};
use crate::running::{Serve, configured};

/// The reference's sample: alice, with [`PASSWORD`], any key, or keyboard-interactive; nobody else.
fn sample(scripts: &Scripts, more: &Value) -> String {
    let user = scripts.user("alice", more);
    let script = format!(
        r#"
echo asked >> "$here/asked"
if [ "$SFTPGO_AUTHD_USERNAME" = alice ]; then
  if [ "$SFTPGO_AUTHD_PASSWORD" = '{PASSWORD}' ] || [ -n "$SFTPGO_AUTHD_PUBLIC_KEY" ] \
    || [ "$SFTPGO_AUTHD_KEYBOARD_INTERACTIVE" = 1 ]; then
    echo '{user}'
    exit 0
  fi
fi
echo '{{"username":""}}'"#
    );
    scripts.script("auth", &script)
}

async fn server_asking(program: &str, scope: i32) -> TestServer {
    TestServer::builder()
        .set("data_provider.external_auth_program", program)
        .set("data_provider.external_auth_scope", scope)
        .start()
        .await
}

/// TestLoginExternalAuthPwdAndPubKey
#[tokio::test]
async fn whom_the_program_knows_is_made_and_logs_in_with_password_and_key() {
    let scripts = Scripts::new();
    let program = sample(&scripts, &json!({ "quota_files": 100, "quota_size": 0 }));
    let server = server_asking(&program, 0).await;
    assert!(!server.connect().await.password("bob", PASSWORD).await);
    assert!(!password_works(&server, "wrong").await);
    assert_eq!(users(&server).await, 0);

    let mut client = server.connect().await;
    assert!(client.password("alice", PASSWORD).await);
    let mut sftp = Sftp::open(Arc::new(client)).await.unwrap();
    sftp.put(b"/file", b"content").await.unwrap();
    assert!(scripts.home("alice").join("file").exists());
    let counted = server.quota("alice").await;
    assert_eq!((counted.files, counted.bytes), (1, 7));

    // What the server keeps of a user is not the program's.
    assert!(key_works(&server).await);
    assert_eq!(server.quota("alice").await, counted);
    let alice = server.users().stored_by_name("alice").await.unwrap();
    assert!(alice.last_login > 0);
    assert_eq!(alice.public_keys.len(), 1, "the key it logged in with");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn keys_that_the_program_lists_are_kept_and_the_one_that_is_used_is_added() {
    let scripts = Scripts::new();
    let (own, other) = (Account::key("alice"), Account::key("other"));
    let listed = json!({ "public_keys": [own.line("laptop"), other.line("phone")] });
    let server = server_asking(&sample(&scripts, &listed), 0).await;
    let keys = async || {
        let alice = server.users().stored_by_name("alice").await.unwrap();
        alice.public_keys
    };
    assert!(key_works(&server).await);
    assert_eq!(keys().await, [own.line("laptop"), other.line("phone")]);
    let third = Account::key("third");
    assert!(server.connect().await.key("alice", &third).await);
    assert_eq!(keys().await.len(), 3);
}

/// TestLoginExternalAuthPwd
#[tokio::test]
async fn with_scope_1_passwords_are_the_programs_and_keys_are_the_accounts() {
    let scripts = Scripts::new();
    let server = server_asking(&sample(&scripts, &json!({})), 1).await;
    assert!(!key_works(&server).await);
    assert!(password_works(&server, PASSWORD).await);
    assert!(!key_works(&server).await);
    assert_eq!(scripts.lines("asked"), 1);
}

/// TestLoginExternalAuthPubKey
#[tokio::test]
async fn with_scope_2_keys_are_the_programs_and_passwords_are_the_accounts() {
    let scripts = Scripts::new();
    let server = server_asking(&sample(&scripts, &json!({})), 2).await;
    assert!(!password_works(&server, PASSWORD).await);
    assert!(key_works(&server).await);
    assert!(!password_works(&server, PASSWORD).await);
    assert_eq!(scripts.lines("asked"), 1);
}

/// TestLoginExternalAuthInteractive
#[tokio::test]
async fn with_scope_4_the_program_makes_the_account_of_a_dialogue() {
    let scripts = Scripts::new();
    let auth = sample(&scripts, &json!({ "password": PASSWORD }));
    let dialogue = scripts.script(
        "dialogue",
        r#"echo '{"questions":["Password: "],"echos":[false],"check_password":1}'
read answer
[ "$answer" = OK ] && echo '{"auth_result":1}'"#,
    );
    let server = TestServer::builder()
        .set("data_provider.external_auth_program", auth)
        .set("data_provider.external_auth_scope", 4)
        .set("sftpd.keyboard_interactive_auth_program", dialogue)
        .start()
        .await;
    assert!(!key_works(&server).await);
    for (answer, works) in [("wrong", false), (PASSWORD, true)] {
        let mut client = server.connect().await;
        client.interactive("alice").await;
        let end = client.answer(&[answer]).await;
        let logged_in = sftpgo_testkit::Asked::Over(sftpgo_testkit::Attempted::LoggedIn);
        assert_eq!(end == logged_in, works, "{end:?}");
    }
    assert!(!key_works(&server).await);
    assert_eq!(users(&server).await, 1);
}

/// TestLoginExternalAuthErrors
#[tokio::test]
async fn a_program_that_gives_no_user_lets_nobody_in_and_makes_nobody() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let bob = scripts.user("bob", &json!({}));
    let no_home = json!({ "username": "alice", "status": 1, "permissions": { "/": ["*"] } });
    for (number, text) in [
        "echo no".to_owned(),
        "exit 0".to_owned(),
        format!("echo '{user}'; exit 1"),
        format!("echo '{bob}'"),
        format!("echo '{user}{user}'"),
        format!("echo '{no_home}'"),
        "echo '[]'".to_owned(),
        "kill -9 $$".to_owned(),
        format!("cat /dev/zero | head -c 2000000; echo '{user}'"),
    ]
    .iter()
    .enumerate()
    {
        let program = scripts.script(&number.to_string(), text);
        let server = server_asking(&program, 0).await;
        assert!(!password_works(&server, PASSWORD).await, "{text}");
        assert!(!key_works(&server).await, "{text}");
        assert_eq!(users(&server).await, 0, "{text}");
    }
}

#[tokio::test]
async fn what_the_program_says_of_the_account_holds_at_once() {
    let scripts = Scripts::new();
    for (number, (more, works)) in [
        (json!({}), true),
        (json!({ "status": 0 }), false),
        (json!({ "expiration_date": 1 }), false),
        (
            json!({ "filters": { "denied_ip": ["127.0.0.0/8"] } }),
            false,
        ),
        (
            json!({ "filters": { "denied_login_methods": ["password"] } }),
            false,
        ),
        (
            json!({ "filters": { "denied_login_methods": ["publickey"] } }),
            true,
        ),
    ]
    .iter()
    .enumerate()
    {
        let user = scripts.user("alice", more);
        let program = scripts.script(&number.to_string(), &format!("echo '{user}'"));
        let server = server_asking(&program, 0).await;
        assert_eq!(password_works(&server, PASSWORD).await, *works, "{more}");
    }
}

#[tokio::test]
async fn an_account_that_stays_the_same_is_not_written_and_its_password_not_hashed_again() {
    let scripts = Scripts::new();
    let server = server_asking(&sample(&scripts, &json!({})), 0).await;
    assert!(password_works(&server, PASSWORD).await);
    let before = server.users().stored_by_name("alice").await.unwrap();
    let hashes = server.core().password_hashes();
    for _ in 0..3 {
        assert!(password_works(&server, PASSWORD).await);
    }
    let after = server.users().stored_by_name("alice").await.unwrap();
    assert_eq!(before.password, after.password);
    // One a minute; the machine may be slow.
    assert!(server.core().password_hashes() - hashes <= 2);
    assert_eq!(scripts.lines("asked"), 4);
}

#[tokio::test]
async fn a_password_that_looks_like_a_hash_is_a_password() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({}));
    let server = server_asking(&scripts.script("yes", &format!("echo '{user}'")), 0).await;
    let password = "$2a$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG";
    assert!(password_works(&server, password).await);
    let stored = server
        .users()
        .stored_by_name("alice")
        .await
        .unwrap()
        .password;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
}

#[tokio::test]
async fn a_key_that_is_asked_about_and_then_signs_is_one_question_to_the_program() {
    let scripts = Scripts::new();
    let server = server_asking(&sample(&scripts, &json!({})), 0).await;
    let (mut client, key) = (server.connect().await, Account::key("alice"));
    for _ in 0..3 {
        assert!(client.offer_key("alice", &key).await);
    }
    assert!(client.key("alice", &key).await);
    assert_eq!(scripts.lines("asked"), 1);
    // Of another name it is another question.
    let mut client = server.connect().await;
    assert!(client.offer_key("alice", &key).await);
    assert!(!client.offer_key("bob", &key).await);
    assert!(client.offer_key("alice", &key).await);
    assert_eq!(scripts.lines("asked"), 4);
}

#[tokio::test]
async fn the_program_gets_variables_no_arguments_no_input_and_no_descriptors_of_the_server() {
    let scripts = Scripts::new();
    let program = scripts.script(
        "spy",
        r#"
env | grep ^SFTPGO_AUTHD_ | sort > "$here/variables"
echo "$# arguments, input '$(cat)'" > "$here/rest"
ls /proc/$$/fd > "$here/descriptors"
"#,
    );
    let status = Command::new(&program).stdin(Stdio::null()).status();
    assert!(status.unwrap().success());
    // What tests are started with may be handed on to every program; what the server opens may not.
    let inherited = scripts.text("descriptors");
    // A process of its own: descriptors of other tests are none of its.
    let directory = configured(&json!({ "data_provider": { "external_auth_program": program } }));
    let server = Serve::start(directory.path(), &[]);
    let mut client = SshClient::connect(server.ssh, None).await;
    assert!(!client.password("alice", "p'a \"$(s)s").await);
    assert_eq!(scripts.text("descriptors"), inherited);
    assert_eq!(
        scripts.text("variables"),
        "SFTPGO_AUTHD_IP=127.0.0.1\nSFTPGO_AUTHD_KEYBOARD_INTERACTIVE=\nSFTPGO_AUTHD_PASSWORD=p'a \"$(s)s\n\
         SFTPGO_AUTHD_PUBLIC_KEY=\nSFTPGO_AUTHD_USERNAME=alice\n"
    );
    assert_eq!(scripts.text("rest"), "0 arguments, input ''\n");
    assert!(!client.key("alice", &Account::key("alice")).await);
    let variables = scripts.text("variables");
    let line = Account::key("alice").line("");
    let expected = format!("SFTPGO_AUTHD_PUBLIC_KEY={}\n", line.trim_end());
    assert!(variables.contains(&expected), "{variables}");
    assert!(
        variables.contains("SFTPGO_AUTHD_PASSWORD=\n"),
        "{variables}"
    );
}

#[tokio::test]
async fn no_program_is_asked_about_an_empty_password_or_what_is_no_name() {
    let scripts = Scripts::new();
    let server = server_asking(&sample(&scripts, &json!({})), 0).await;
    assert!(!password_works(&server, "").await);
    for name in ["", "a\nlice", "alice\0", &"a".repeat(256)] {
        assert!(
            !server.connect().await.password(name, PASSWORD).await,
            "{name:?}"
        );
    }
    for password in ["correct\0horse", &"x".repeat(1025)] {
        assert!(!password_works(&server, password).await);
    }
    assert_eq!(scripts.lines("asked"), 0);
}

#[tokio::test]
async fn nothing_that_is_asked_or_answered_gets_into_the_log() {
    let scripts = Scripts::new();
    let user = scripts.user("alice", &json!({ "password": "hunter3" }));
    let program = scripts.script(
        "auth",
        &format!("echo 'what it says of errors' >&2\n[ \"$SFTPGO_AUTHD_PASSWORD\" = hunter2 ] && echo '{user}'"),
    );
    let settings = json!({ "data_provider": { "external_auth_program": program } });
    let directory = configured(&settings);
    let output = run(directory.path(), &["initprovider"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut serve = Serve::start_logging(directory.path());
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(!client.password("alice", "hunter1").await);
    assert!(client.password("alice", "hunter2").await);
    let line = serve.line_with("logged in with: password").unwrap();
    assert!(line.contains("alice"), "{line}");
    let seen = serve.seen().join("\n");
    assert!(seen.contains("stderr: what it says of errors"), "{seen}");
    assert!(
        seen.contains(r#""login_type":"password","error":"refused by the hook"#),
        "{seen}"
    );
    assert!(!seen.contains("hunter"), "{seen}");
}
