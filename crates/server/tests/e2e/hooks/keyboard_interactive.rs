//! `keyboard_interactive_auth_program` (reference 9.5, D.3).

use serde_json::{Value, json};
use sftpgo_testkit::{Account, Asked, Attempted, PASSWORD, SshClient, TestServer};

use super::Scripts;

/// The program of D.3: the password, then a code.
const TWO_STEPS: &str = r#"
echo "$SFTPGO_AUTHD_USERNAME" >> "$here/asked"
printf '%s' "$SFTPGO_AUTHD_PASSWORD" > "$here/hash"
echo '{"questions":["Pin: "],"echos":[false],"check_password":1}'
read -r told
echo "$told" > "$here/told"
[ "$told" = OK ] || exit 1
echo '{"questions":["Code: "],"echos":[true],"instruction":"second step"}'
read -r code
if [ "$code" = 123456 ]; then echo '{"auth_result":1}'; else echo '{"auth_result":-1}'; fi
"#;

const METHODS: [&str; 3] = ["publickey", "password", "keyboard-interactive"];

async fn server_running(program: &str) -> TestServer {
    let server = TestServer::builder()
        .set("sftpd.keyboard_interactive_auth_program", program)
        .start()
        .await;
    server.add(Account::new("alice")).await;
    server
}

fn questions(instruction: &str, questions: &[(&str, bool)]) -> Asked {
    let questions = questions
        .iter()
        .map(|(text, echo)| ((*text).to_owned(), *echo));
    Asked::Questions(instruction.to_owned(), questions.collect())
}

fn refused() -> Asked {
    Asked::Over(Attempted::refused(&METHODS))
}

/// Whether a dialogue with these answers, a round each, logs in.
async fn logs_in(client: &mut SshClient, username: &str, rounds: &[&[&str]]) -> bool {
    let mut asked = client.interactive(username).await;
    for answers in rounds {
        if let Asked::Over(_) = asked {
            break;
        }
        asked = client.answer(answers).await;
    }
    asked == Asked::Over(Attempted::LoggedIn)
}

/// TestLoginKeyboardInteractiveAuth, and the transcript of D.3.
#[tokio::test]
async fn a_dialogue_of_two_rounds_logs_in_and_the_program_never_sees_the_password() {
    let scripts = Scripts::new();
    let server = server_running(&scripts.script("dialogue", TWO_STEPS)).await;
    let mut client = server.connect().await;
    assert_eq!(
        client.interactive("alice").await,
        questions("", &[("Pin: ", false)])
    );
    assert_eq!(
        client.answer(&[PASSWORD]).await,
        questions("second step", &[("Code: ", true)])
    );
    assert_eq!(
        client.answer(&["123456"]).await,
        Asked::Over(Attempted::LoggedIn)
    );
    assert_eq!(scripts.text("told"), "OK\n");
    let stored = server
        .users()
        .stored_by_name("alice")
        .await
        .unwrap()
        .password;
    assert_eq!(scripts.text("hash"), stored);
    let metrics = server.core().metrics();
    assert_eq!(metrics.keyboard_interactive_logins.ok.value(), 1);
}

#[tokio::test]
async fn a_wrong_answer_in_either_round_is_refused_and_the_next_dialogue_may_be_right() {
    let scripts = Scripts::new();
    let server = server_running(&scripts.script("dialogue", TWO_STEPS)).await;
    let mut client = server.connect().await;
    client.interactive("alice").await;
    assert_eq!(client.answer(&["wrong"]).await, refused());
    client.interactive("alice").await;
    client.answer(&[PASSWORD]).await;
    assert_eq!(client.answer(&["654321"]).await, refused());
    assert!(logs_in(&mut client, "alice", &[&[PASSWORD], &["123456"]]).await);
}

#[tokio::test]
async fn the_method_is_offered_if_there_is_a_program_and_only_then() {
    let scripts = Scripts::new();
    let server = server_running(&scripts.script("dialogue", TWO_STEPS)).await;
    let methods = server.connect().await.methods("alice").await;
    let names: Vec<String> = methods.iter().map(String::from).collect();
    assert_eq!(names, METHODS);
    let without = TestServer::start().await;
    without.add(Account::new("alice")).await;
    let asked = without.connect().await.interactive("alice").await;
    assert_eq!(asked, Asked::Over(Attempted::refused(&METHODS[..2])));
}

/// Neither in the end, nor is anybody told on the way whether the password was right.
#[tokio::test]
async fn a_dialogue_that_the_account_does_not_allow_is_one_with_nobody() {
    let scripts = Scripts::new();
    let server = server_running(&scripts.script("dialogue", TWO_STEPS)).await;
    // The hash that nobody has the password of is made once.
    server.connect().await.interactive("nobody").await;
    let filters = |filters: Value| json!({ "filters": filters });
    for (name, change) in [
        ("late", json!({ "expiration_date": 1 })),
        ("off", json!({ "status": 0 })),
        (
            "denied",
            filters(json!({ "denied_login_methods": ["keyboard-interactive"] })),
        ),
        (
            "elsewhere",
            filters(json!({ "denied_ip": ["127.0.0.0/8"] })),
        ),
        (
            "key-first",
            filters(json!({ "required_login_methods": ["publickey,keyboard-interactive"] })),
        ),
    ] {
        server.add(Account::new(name)).await;
        server.change(name, &change).await;
        let mut client = server.connect().await;
        let before = server.core().password_hashes();
        for password in [PASSWORD, PASSWORD, "wrong"] {
            assert_eq!(
                client.interactive(name).await,
                questions("", &[("Pin: ", false)])
            );
            assert_eq!(client.answer(&[password]).await, refused(), "{name}");
        }
        assert_eq!(server.core().password_hashes() - before, 3, "{name}");
    }
}

/// Its answers differ from those of an account in nothing but the end.
#[tokio::test]
async fn who_does_not_exist_is_asked_like_everybody_and_never_let_in() {
    let scripts = Scripts::new();
    let ask_all = r#"
printf '%s' "$SFTPGO_AUTHD_PASSWORD" > "$here/hash"
echo '{"questions":["a","b"],"echos":[true,false]}'
read -r a; read -r b
echo '{"auth_result":1}'"#;
    let server = server_running(&scripts.script("ask-all", ask_all)).await;
    let mut client = server.connect().await;
    let asked = questions("", &[("a", true), ("b", false)]);
    assert_eq!(client.interactive("bob").await, asked);
    assert!(
        scripts
            .text("hash")
            .starts_with("$argon2id$v=19$m=65536,t=3,p=2$")
    );
    assert_eq!(client.answer(&["x", "y"]).await, refused());
    assert_eq!(client.interactive("alice").await, asked);
    assert_eq!(
        client.answer(&["x", "y"]).await,
        Asked::Over(Attempted::LoggedIn)
    );

    let server = server_running(&scripts.script("two-steps", TWO_STEPS)).await;
    let mut client = server.connect().await;
    let before = server.core().password_hashes();
    assert_eq!(
        client.interactive("bob").await,
        questions("", &[("Pin: ", false)])
    );
    assert_eq!(client.answer(&[PASSWORD]).await, refused());
    assert!(
        server.core().password_hashes() > before,
        "it costs a check as well"
    );
}

#[tokio::test]
async fn a_program_that_breaks_the_dialogue_lets_nobody_in() {
    let scripts = Scripts::new();
    let many = format!(
        r#"echo '{{"questions":{:?},"echos":{:?}}}'"#,
        vec!["q"; 33],
        vec![true; 33]
    );
    for (number, script) in [
        "echo no",
        "echo '{}'",
        r#"echo '{"auth_result":0}'"#,
        r#"echo '{"questions":["a","b"],"echos":[true]}'"#,
        r#"echo '{"auth_result":-1}'"#,
        "exit 0",
        &many,
        r#"printf '{"instruction":"'; head -c 20000 /dev/zero | tr '\0' x; echo '","auth_result":1}'"#,
    ]
    .iter()
    .enumerate()
    {
        let program = scripts.script(&number.to_string(), script);
        let server = server_running(&program).await;
        assert_eq!(server.connect().await.interactive("alice").await, refused(), "{script}");
    }
}

#[tokio::test]
async fn a_program_that_never_stops_asking_is_stopped() {
    let scripts = Scripts::new();
    let endless =
        r#"while :; do echo '{"questions":["again"],"echos":[true]}'; read -r answer; done"#;
    let server = server_running(&scripts.script("endless", endless)).await;
    let mut client = server.connect().await;
    let mut asked = client.interactive("alice").await;
    let mut rounds = 0;
    while let Asked::Questions(..) = asked {
        asked = client.answer(&["again"]).await;
        rounds += 1;
    }
    assert_eq!((asked, rounds), (refused(), 32));
}

#[tokio::test]
async fn answers_that_are_too_many_too_few_or_would_be_several_lines_are_refused() {
    let scripts = Scripts::new();
    let two = r#"
echo '{"questions":["a","b"],"echos":[true,true]}'
read -r a; read -r b
echo "$a|$b" >> "$here/read"
echo '{"auth_result":1}'"#;
    let server = server_running(&scripts.script("two", two)).await;
    let long = "x".repeat(5000);
    for answers in [
        &[][..],
        &["a"],
        &["a", "b", "c"],
        &["a\nb", "c"],
        &["a", "b\r"],
        &["a\0", "b"],
        &["a", &long],
    ] {
        let mut client = server.connect().await;
        client.interactive("alice").await;
        assert_eq!(client.answer(answers).await, refused(), "{answers:?}");
    }
    assert_eq!(scripts.text("read"), "");
    let mut client = server.connect().await;
    assert!(logs_in(&mut client, "alice", &[&["ä {}\"", ""]]).await);
    assert_eq!(scripts.text("read"), "ä {}\"|\n");
}

#[tokio::test]
async fn the_account_is_looked_at_again_when_the_dialogue_is_over() {
    let scripts = Scripts::new();
    let server = server_running(&scripts.script("dialogue", TWO_STEPS)).await;
    let mut client = server.connect().await;
    client.interactive("alice").await;
    client.answer(&[PASSWORD]).await;
    server.change("alice", &json!({ "status": 0 })).await;
    assert_eq!(client.answer(&["123456"]).await, refused());
}
