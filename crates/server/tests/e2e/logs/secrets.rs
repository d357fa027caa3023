//! No secret gets out: not into the log, the console, the metrics, an error reply, or the list of processes.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use sftpgo_testkit::{
    Account, Attempted, FileClient as _, SshClient, TestKey, TestServer, until, within,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::hooks::Scripts;
use crate::hooks::service::{Request, Service};
use crate::program::{run, sftpgo, text};
use crate::running::{Serve, configured};

// None is a part of another, and none is a word.
const RIGHT_PASSWORD: &str = "Vq8-right-Kx2p";
const WRONG_PASSWORD: &str = "Zt5-wrong-Lm9w";
const PASSWORD_OF_THE_HOOK: &str = "Hn4-hooked-Pd7s";
const RIGHT_ANSWER: &str = "Qa3-answer-Ry6f";
const WRONG_ANSWER: &str = "Bc1-answer-Ue8g";
const HOOK_PASSWORD: &str = "Jw9-service-Ti5h";
const HOOK_TOKEN: &str = "Oz2-token-Xl4k";
const ACTION_TOKEN: &str = "Tb9-action-Gi1r";
const PROVIDER_PASSWORD: &str = "Fs7-provider-Nv3j";
const S3_SECRET: &str = "Gp6-bucket-Ec1y";
const GOOGLE_SECRET: &str = "Ys6-google-Kb3e";
/// In base64, as keys of Azure are.
const AZURE_KEY: &str = "UGsyLWF6dXJlLVZvN2g=";
const AZURE_SIGNATURE: &str = "Rd9-signed-Fy2m";
const ADMIN_PASSWORD: &str = "Mr8-admin-Da5u";
/// `admin:` and the password, as it goes over the wire.
const ADMIN_BASIC: &str = "YWRtaW46TXI4LWFkbWluLURhNXU=";
/// Of that password.
const ADMIN_HASH: &str = "$apr1$Zk3vQ8pL$BM6ownep3Ik.V6iicv0ug/";
const GUESSED_PASSWORD: &str = "Wd6-guess-Oe3t";
/// `admin:` and that.
const GUESSED_BASIC: &str = "YWRtaW46V2Q2LWd1ZXNzLU9lM3Q=";
const SESSION: &str = "Ih3-cookie-Wb9q";
const QUERY_SECRET: &str = "Ck5-query-Sf2z";

/// Asks for the password, and then for a code; notes what anybody sees of its process.
const DIALOGUE: &str = r#"
tr '\0' ' ' < /proc/$$/cmdline > "$here/dialogue.cmdline"
echo 'diagnostics of the dialogue' >&2
echo '{"questions":["Password: "],"echos":[false],"check_password":1}'
read -r told
[ "$told" = OK ] || exit 1
echo '{"questions":["Code: "],"echos":[true]}'
read -r code
if [ "$code" = ANSWER ]; then echo '{"auth_result":1}'; else echo '{"auth_result":-1}'; fi
"#;

/// Everything that anybody could read, each with a name for it.
#[derive(Default)]
struct Readable(Vec<(String, String)>);

impl Readable {
    fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.0.push((name.into(), text.into()));
    }

    /// What a command says, whether it succeeds or not.
    fn add_command(&mut self, directory: &Path, arguments: &[&str]) {
        let output = run(directory, arguments, "");
        let said = [text(&output.stdout), text(&output.stderr)].concat();
        assert!(!said.is_empty(), "{arguments:?}");
        self.add(arguments.join(" "), said);
    }

    /// A request of the administrator.
    async fn request(&mut self, serve: &Serve, method: &str, path: &str, body: &Value) -> u16 {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let length = body.len();
        let fields = format!(
            "Authorization: Basic {ADMIN_BASIC}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        self.raw(serve, &format!("{method} {path}"), &fields, &body)
            .await
    }

    /// A request with these header fields; the status of the reply.
    async fn raw(&mut self, serve: &Serve, line: &str, fields: &str, body: &str) -> u16 {
        let address = serve.http;
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\n{fields}Connection: close\r\n\r\n{body}"
        );
        let reply = within(line, async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.unwrap();
            reply
        })
        .await;
        let status = reply.split(' ').nth(1).unwrap().parse().unwrap();
        self.add(line, reply);
        status
    }
}

/// The service that the pre-login hook asks: it sets the password of carol, and leaves others alone.
fn pre_login(request: &Request) -> (u16, &'static str, String) {
    let asked: Value = serde_json::from_str(&request.body).unwrap();
    if asked["username"] == "carol" {
        let user = json!({ "username": "carol", "password": PASSWORD_OF_THE_HOOK });
        (200, "", user.to_string())
    } else {
        (204, "", String::new())
    }
}

async fn login(serve: &Serve, user: &str, password: &str) -> (Attempted, SshClient) {
    let mut client = SshClient::connect(serve.ssh, None).await;
    (client.try_password(user, password).await, client)
}

/// A browser sends the form of a user with a mistake in it, and gets it back. What shows that the form was its own: these two
/// are in replies to that browser, and in nothing else.
async fn browse(serve: &Serve, readable: &mut Readable) -> Vec<String> {
    let by_admin = format!("Authorization: Basic {ADMIN_BASIC}\r\n");
    assert_eq!(
        readable.raw(serve, "GET /web/user", &by_admin, "").await,
        200
    );
    let (_, page) = readable.0.pop().unwrap();
    let after = |mark: &str, end: char| {
        let rest = page.split_once(mark).unwrap().1;
        rest.split_once(end).unwrap().0.to_owned()
    };
    let cookie = after("sftpgo_form=", ';');
    let token = after("name=\"_form_token\" value=\"", '"');
    let stores = format!(
        "s3_access_secret={S3_SECRET}&az_account_key={AZURE_KEY}&az_sas_url=sig={AZURE_SIGNATURE}&\
         gcs_credential_file={GOOGLE_SECRET}"
    );
    let body = format!(
        "_form_token={token}&username=&password={RIGHT_PASSWORD}&{stores}&fs_provider=1&status=1"
    );
    let fields = format!(
        "{by_admin}Cookie: sftpgo_form={cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    let status = readable.raw(serve, "POST /web/user", &fields, &body).await;
    // The form again, and not a refusal of it.
    assert!(status == 200 || status == 400 || status == 422, "{status}");
    let (_, again) = readable.0.last().unwrap();
    assert!(again.contains("<form"), "{again}");
    vec![cookie, token]
}

/// Logins of every kind, right and wrong.
async fn log_in(serve: &Serve, readable: &mut Readable) {
    for (user, password, expected) in [
        ("alice", RIGHT_PASSWORD, true),
        ("alice", WRONG_PASSWORD, false),
        ("nobody", WRONG_PASSWORD, false),
        ("carol", PASSWORD_OF_THE_HOOK, true),
        ("carol", WRONG_PASSWORD, false),
        // Their stores cannot be reached.
        ("bucket", RIGHT_PASSWORD, true),
        ("google", RIGHT_PASSWORD, true),
        ("azure", RIGHT_PASSWORD, true),
    ] {
        let (answer, client) = login(serve, user, password).await;
        assert_eq!(answer == Attempted::LoggedIn, expected, "{user}");
        readable.add("the answer to a login", format!("{answer:?}"));
        if matches!(user, "bucket" | "google" | "azure") {
            let _ = client.subsystem("sftp").await;
        }
    }
    for (code, expected) in [(RIGHT_ANSWER, true), (WRONG_ANSWER, false)] {
        let mut client = SshClient::connect(serve.ssh, None).await;
        let mut asked = vec![client.interactive("alice").await];
        asked.push(client.answer(&[RIGHT_PASSWORD]).await);
        asked.push(client.answer(&[code]).await);
        let last = asked.last().unwrap();
        let over = sftpgo_testkit::Asked::Over(Attempted::LoggedIn);
        assert_eq!(*last == over, expected);
        readable.add("a dialogue", format!("{asked:?}"));
    }
    let mut client = SshClient::connect(serve.ssh, None).await;
    assert!(!client.key("alice", &TestKey::numbered(77)).await);
    let mut sftp = serve.sftp("alice").await;
    sftp.put(b"/file", b"content").await.unwrap();
    assert!(sftp.get(b"/missing").await.is_err());
}

/// The lines of a private key that say what it is.
fn material(key: &TestKey) -> Vec<String> {
    let file = key.file();
    let lines = file.lines().filter(|line| !line.starts_with("-----"));
    // The first lines say of every key that it is one, and the rest of the last says nothing.
    let lines = lines.skip(2).filter(|line| line.len() > 20);
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn no_secret_of_a_full_run_can_be_read_anywhere() {
    let scripts = Scripts::new();
    let dialogue = scripts.script("dialogue", &DIALOGUE.replace("ANSWER", RIGHT_ANSWER));
    let service = Service::start(pre_login).await;
    let url = service.url(&format!("/ask?token={HOOK_TOKEN}"));
    let url = url.replace("http://", &format!("http://svc:{HOOK_PASSWORD}@"));
    let actions = Service::start(|_| (200, "", String::new())).await;
    let action = |name: &str, event: &str| {
        let text = format!("tr '\\0' ' ' < /proc/$$/cmdline > \"$here/{name}.cmdline\"");
        let url = actions.url(&format!("/told?token={ACTION_TOKEN}"));
        let url = url.replace("http://", &format!("http://svc:{HOOK_PASSWORD}@"));
        let program = scripts.script(name, &text);
        json!({ "execute_on": [event], "command": program, "http_notification_url": url })
    };
    let directory = configured(&json!({
        "sftpd": {
            "keyboard_interactive_auth_program": dialogue,
            "actions": action("file", "upload"),
        },
        "data_provider": {
            "password": PROVIDER_PASSWORD,
            "pre_login_program": url,
            "actions": action("user", "add"),
        },
        "httpd": { "auth_user_file": "operators" },
    }));
    let operators = format!("admin:{ADMIN_HASH}\n");
    fs::write(directory.path().join("operators"), operators).unwrap();
    let at = directory.path();
    let errors = at.join("errors");
    let mut readable = Readable::default();
    let serve = Serve::start_with_errors_in(at, &errors);
    readable.add("the command line of the server", serve.command_line());

    let user = |name: &str, more: Value| {
        let mut user = json!({
            "username": name, "password": RIGHT_PASSWORD, "status": 1, "permissions": { "/": ["*"] },
            "home_dir": at.join("homes").join(name), "public_keys": [Account::key("alice").line("")],
        });
        for (key, value) in more.as_object().unwrap() {
            user[key] = value.clone();
        }
        user
    };
    let s3 = json!({ "bucket": "b", "region": "r", "access_key": "k", "access_secret": S3_SECRET });
    let in_s3 = json!({ "filesystem": { "provider": 1, "s3config": s3 } });
    let google = format!(r#"{{"type":"service_account","private_key":"{GOOGLE_SECRET}"}}"#);
    let google = json!({ "bucket": "b", "endpoint": "http://127.0.0.1:9", "credentials": google });
    let in_google = json!({ "filesystem": { "provider": 2, "gcsconfig": google } });
    let azure = json!({
        "container": "c", "account_name": "a", "endpoint": "http://127.0.0.1:9", "account_key": AZURE_KEY,
        "sas_url": format!("sv=1&sig={AZURE_SIGNATURE}"),
    });
    let in_azure = json!({ "filesystem": { "provider": 3, "azblobconfig": azure } });
    let wrong = json!({ "filesystem": { "provider": 3, "azblobconfig": {
        "container": "c", "account_key": AZURE_KEY, "sas_url": format!("https://{AZURE_SIGNATURE}"),
    } } });
    for (account, status) in [
        (user("alice", json!({})), 200),
        (user("carol", json!({})), 200),
        (user("bucket", in_s3.clone()), 200),
        (user("google", in_google), 200),
        (user("azure", in_azure), 200),
        (user("wrong", wrong), 400),
        // The name is taken, a field is wrong, a type is wrong.
        (user("bucket", in_s3.clone()), 500),
        (
            user("dave", json!({ "permissions": { "/": ["fly"] } })),
            400,
        ),
        (user("dave", json!({ "status": "on" })), 400),
    ] {
        let got = readable
            .request(&serve, "POST", "/api/v1/user", &account)
            .await;
        assert_eq!(got, status, "{account}");
    }
    log_in(&serve, &mut readable).await;
    let of_the_browser = browse(&serve, &mut readable).await;
    for path in [
        "/web/users",
        "/web/user/3",
        "/web/user/4",
        "/web/user/5",
        "/web/connections",
        "/api/v1/user",
        "/api/v1/connection",
        "/api/v1/providerstatus",
        "/metrics",
        "/api/v1/loaddata?input_file=/missing",
    ] {
        readable.request(&serve, "GET", path, &Value::Null).await;
    }
    let guess = format!("Authorization: Basic {GUESSED_BASIC}\r\n");
    assert_eq!(readable.raw(&serve, "GET /metrics", &guess, "").await, 401);
    // Credentials wherever a client can put them.
    let line = format!(
        "GET http://admin:{ADMIN_PASSWORD}@{}/api/v1/user/4711?password={QUERY_SECRET}",
        serve.http
    );
    let fields = format!("Authorization: Basic {ADMIN_BASIC}\r\nCookie: session={SESSION}\r\n");
    readable.raw(&serve, &line, &fields, "").await;
    // Not by its line, which has them.
    let (_, reply) = readable.0.pop().unwrap();
    readable.add("the reply to a request with credentials", reply);
    for name in ["dialogue", "file", "user"] {
        let file = format!("{name}.cmdline");
        until(&file, async || !scripts.text(&file).is_empty()).await;
        readable.add(&file, scripts.text(&file));
    }
    until("actions to be told", async || actions.seen().len() >= 4).await;
    for told in actions.seen() {
        readable.add("what a URL is told", told.body);
    }
    let dump = "/api/v1/dumpdata?output_file=dump.json";
    assert_eq!(
        readable.request(&serve, "GET", dump, &Value::Null).await,
        200
    );

    readable.add_command(at, &["config", "show"]);
    readable.add_command(at, &["config", "check"]);
    readable.add_command(at, &["user", "show", "bucket"]);
    readable.add_command(at, &["user", "list"]);
    let broken = format!("postgres://sftpgo:{PROVIDER_PASSWORD}@127.0.0.1:99999/db");
    let refused = sftpgo(at)
        .arg("initprovider")
        .env("SFTPGO_DATA_PROVIDER__DRIVER", "postgresql")
        .env("SFTPGO_DATA_PROVIDER__CONNECTION_STRING", broken)
        .output()
        .unwrap();
    assert!(!refused.status.success());
    readable.add("a refused connection string", text(&refused.stderr));
    readable.add("a refused connection string", text(&refused.stdout));

    serve.signal(Signal::TERM);
    let (status, console) = serve.wait();
    assert!(status.success());
    let log = fs::read_to_string(at.join("sftpgo.log")).unwrap();
    // It is the log of that run, with everything that there is of level debug.
    for expected in [
        r#""login_type":"password","error":"invalid password"#,
        r#""login_type":"http-basic""#,
        "logged in with: keyboard-interactive",
        "hook asked",
        "diagnostics of the dialogue",
        "/api/v1/user/4711?password=***",
        r#""sender":"Upload""#,
    ] {
        assert!(log.contains(expected), "{expected}");
    }
    readable.add("the log", log);
    readable.add("the console", console.join("\n"));
    readable.add("standard error", fs::read_to_string(errors).unwrap());

    for (name, text) in readable.0.iter().rev().take(3) {
        for secret in &of_the_browser {
            assert!(!text.contains(secret), "what a browser has is in {name}");
        }
    }

    let dump = fs::read_to_string(at.join("backups/dump.json")).unwrap();
    let dump: Value = serde_json::from_str(&dump).unwrap();
    let mut secrets: Vec<String> = [
        RIGHT_PASSWORD,
        WRONG_PASSWORD,
        PASSWORD_OF_THE_HOOK,
        RIGHT_ANSWER,
        WRONG_ANSWER,
        HOOK_PASSWORD,
        HOOK_TOKEN,
        PROVIDER_PASSWORD,
        S3_SECRET,
        GOOGLE_SECRET,
        AZURE_KEY,
        AZURE_SIGNATURE,
        ADMIN_PASSWORD,
        ADMIN_BASIC,
        ADMIN_HASH,
        GUESSED_PASSWORD,
        GUESSED_BASIC,
        ACTION_TOKEN,
        SESSION,
        QUERY_SECRET,
    ]
    .map(str::to_owned)
    .into();
    for user in dump["users"].as_array().unwrap() {
        secrets.push(user["password"].as_str().unwrap().to_owned());
        for (object, secret) in [
            ("s3config", "access_secret"),
            ("gcsconfig", "credentials"),
            ("azblobconfig", "account_key"),
            ("azblobconfig", "sas_url"),
        ] {
            let sealed = &user["filesystem"][object][secret];
            secrets.extend(sealed.as_str().map(str::to_owned));
        }
    }
    secrets.extend(material(&TestServer::host_key()));
    secrets.extend(material(&Account::key("alice")));
    assert!(secrets.len() > 24, "{secrets:?}");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for (name, text) in &readable.0 {
            assert!(
                !text.contains(secret.as_str()),
                "{secret} is in {name}:\n{text}"
            );
        }
    }
}
