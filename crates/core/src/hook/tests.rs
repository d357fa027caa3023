//! Programs that are asked, and that ask.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sftpgo_model::HookTarget;
use tempfile::TempDir;

use super::*;

/// A script of the shell. Another program writes it: nobody can execute a file that is open for writing, and whatever this
/// process has open is for a moment also open in programs that other tests start.
fn script(directory: &TempDir, text: &str) -> HookTarget {
    let path = directory.path().join("script");
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$1\" && chmod 700 \"$1\"", "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    input
        .write_all(format!("#!/bin/sh\n{text}\n").as_bytes())
        .unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success());
    HookTarget::Program(path)
}

fn hooks(limit: Duration) -> Hooks {
    let settings = LoginHooks {
        limit,
        ..LoginHooks::default()
    };
    Hooks::new(settings, HttpClient::default())
}

fn question() -> Question {
    Question {
        variables: vec![("ASKED", "hush".into())],
        body: Zeroizing::default(),
        query: Vec::new(),
    }
}

async fn ask(text: &str, limit: Duration) -> Result<String, HookError> {
    let directory = tempfile::tempdir().unwrap();
    let target = script(&directory, text);
    let answer = hooks(limit)
        .ask(&target, question(), &CancellationToken::new())
        .await?;
    Ok(String::from_utf8(answer.to_vec()).unwrap())
}

const LONG: Duration = Duration::from_secs(60);

async fn kind(text: &str) -> HookErrorKind {
    ask(text, LONG).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_program_finds_the_question_in_its_environment_and_prints_the_answer() {
    let answer = ask("printf '%s' \"$ASKED $#\"; cat; echo more >&2", LONG).await;
    assert_eq!(answer.unwrap(), "hush 0");
}

#[tokio::test]
async fn an_exit_status_says_no_and_too_much_output_is_broken() {
    assert_eq!(kind("echo yes; exit 7").await, HookErrorKind::Refused);
    assert_eq!(kind("kill -9 $$").await, HookErrorKind::Refused);
    assert_eq!(
        kind("head -c 1048577 /dev/zero").await,
        HookErrorKind::Broken
    );
    assert_eq!(
        ask("head -c 1048576 /dev/zero", LONG).await.unwrap().len(),
        1 << 20
    );
}

#[tokio::test]
async fn what_cannot_be_run_is_broken_and_its_question_is_not_repeated() {
    let target = HookTarget::Program("/no/such/program".into());
    let asked = hooks(LONG)
        .ask(&target, question(), &CancellationToken::new())
        .await;
    let error = asked.unwrap_err();
    assert_eq!(error.kind(), HookErrorKind::Broken);
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn a_question_ends_in_time_or_with_its_connection() {
    let began = Instant::now();
    let slow = ask("sleep 1000", Duration::from_millis(200)).await;
    assert_eq!(slow.unwrap_err().kind(), HookErrorKind::Broken);
    let directory = tempfile::tempdir().unwrap();
    let target = script(&directory, "sleep 1000");
    let cancel = CancellationToken::new();
    let hooks = hooks(LONG);
    let (asked, ()) = tokio::join!(hooks.ask(&target, question(), &cancel), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    });
    assert_eq!(asked.unwrap_err().kind(), HookErrorKind::Gone);
    assert!(began.elapsed() < LONG / 2);
}

#[tokio::test]
async fn what_leaves_the_group_of_a_program_does_not_hold_up_its_end() {
    let directory = tempfile::tempdir().unwrap();
    // It keeps the pipes.
    let HookTarget::Program(path) = script(&directory, "setsid sleep 20 &\nexit 0") else {
        panic!("a script is a program");
    };
    let began = Instant::now();
    let ran = program::run(&path, vec!["an argument".into()], Vec::new()).await;
    assert_eq!(ran, Ok(()));
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_conversation_goes_line_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let target = script(
        &directory,
        r#"echo "1 $SFTPGO_AUTHD_USERNAME $SFTPGO_AUTHD_PASSWORD"; read -r a; read -r b; echo "2 $a,$b"; printf 'no end'"#,
    );
    let opening = Opening {
        username: "alice".to_owned(),
        address: [192, 0, 2, 1].into(),
        hash: Zeroizing::new("$hash".to_owned()),
    };
    let cancel = CancellationToken::new();
    let mut talk = hooks(LONG).converse(&target, opening).await.unwrap();
    let hear = async |talk: &mut Conversation| {
        let heard = talk.hear(&cancel).await;
        heard.map(|heard| String::from_utf8(heard.to_vec()).unwrap())
    };
    assert_eq!(hear(&mut talk).await.unwrap(), "1 alice $hash\n");
    let answers = ["x", "y z"].map(|answer| Zeroizing::new(answer.to_owned()));
    talk.say(Vec::new(), answers.into(), &cancel).await.unwrap();
    assert_eq!(hear(&mut talk).await.unwrap(), "2 x,y z\n");
    assert_eq!(hear(&mut talk).await.unwrap(), "no end");
    assert_eq!(
        hear(&mut talk).await.unwrap_err().kind(),
        HookErrorKind::Refused
    );
}
