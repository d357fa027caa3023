//! The program as the shell sees it: output, exit status, environment.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs the program in `directory` with these variables and no others.
fn sftpgo(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sftpgo"));
    command
        .env_clear()
        .envs(variables.iter().copied())
        .args(arguments);
    // Not the home or the settings file of whoever runs the test.
    command
        .env("HOME", directory)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn the_version_is_one_line() {
    let directory = tempfile::tempdir().unwrap();
    for flag in ["-v", "--version"] {
        let output = sftpgo(directory.path(), &[], &[flag]);
        let expected = format!("SFTPGo version: {}\n", sftpgo_server::version::full());
        assert_eq!((status(&output), stdout(&output)), (Some(0), expected));
    }
    assert!(sftpgo_server::version::full().starts_with(env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &[][..],
        &["help"],
        &["--help"],
        &["help", "serve"],
        &["user", "-h"],
    ] {
        let output = sftpgo(directory.path(), &[], arguments);
        assert_eq!(status(&output), Some(0), "{arguments:?}");
        assert!(stdout(&output).contains("Usage: sftpgo"), "{arguments:?}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_status_one() {
    let directory = tempfile::tempdir().unwrap();
    let wrong: [&[&str]; 6] = [
        &["no-such-command"],
        &["serve", "--no-such-flag"],
        &["serve", "--log-max-size", "x"],
        &["serve", "--log-compress=maybe"],
        &["user", "add"],
        &["user", "add", "u", "--ask-password", "--no-password"],
    ];
    for arguments in wrong {
        let output = sftpgo(directory.path(), &[], arguments);
        assert_eq!(status(&output), Some(1), "{arguments:?}");
        assert!(!stderr(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_variable_of_a_flag_is_checked_like_the_flag() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = [
        ("SFTPGO_LOG_COMPRESS", "maybe"),
        ("SFTPGO_LOG_MAX_AGE", ""),
        ("SFTPGO_LOG_VERBOSE", ""),
    ];
    for variable in wrong {
        let output = sftpgo(directory.path(), &[variable], &["serve"]);
        assert_eq!(status(&output), Some(1), "{variable:?}");
    }
}

#[test]
fn a_password_is_never_an_argument() {
    let directory = tempfile::tempdir().unwrap();
    for flag in [
        "--password",
        "--ask-password",
        "--password-stdin",
        "--no-password",
    ] {
        let output = sftpgo(
            directory.path(),
            &[],
            &["user", "add", "u", flag, "hunter2"],
        );
        assert_eq!(status(&output), Some(1), "{flag}");
    }
}

#[test]
fn check_accepts_good_settings() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("sftpgo.toml"),
        "[sftpd]\nupload_mode = 9\n",
    )
    .unwrap();
    let output = sftpgo(directory.path(), &[], &["config", "check"]);
    assert_eq!(status(&output), Some(0));
    assert_eq!(
        stdout(&output),
        "The settings of ./sftpgo.toml can be used.\n"
    );
    assert!(
        stderr(&output).starts_with("Warning: sftpd.upload_mode: 9 "),
        "{output:?}"
    );
}

#[test]
fn check_and_serve_refuse_bad_settings() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("sftpgo.json"),
        r#"{"sftpd":{"bind_prot":1}}"#,
    )
    .unwrap();
    for arguments in [&["config", "check"][..], &["serve"], &["initprovider"]] {
        let output = sftpgo(directory.path(), &[], arguments);
        assert_eq!(status(&output), Some(1), "{arguments:?}");
        assert_eq!(
            stderr(&output),
            "Error: unknown setting sftpd.bind_prot in ./sftpgo.json \
             (did you mean sftpd.bind_port?)\n"
        );
    }
    assert!(
        !directory.path().join("sftpgo.log").exists(),
        "nothing was started"
    );
}

#[test]
fn an_unknown_variable_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [
        ("SFTPGO_SFTPD_BIND_PORT", "1"),
        ("SFTPGO_LOG_FILE_PATH", ""),
    ];
    let output = sftpgo(directory.path(), &variables, &["config", "check"]);
    assert_eq!(status(&output), Some(1));
    assert_eq!(
        stderr(&output),
        "Error: unknown variable SFTPGO_SFTPD_BIND_PORT (did you mean SFTPGO_SFTPD__BIND_PORT?)\n"
    );
}

#[test]
fn show_names_the_source_of_every_value() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("conf")).unwrap();
    fs::write(
        directory.path().join("conf/mine.yaml"),
        "data_provider: {password: hunter2}\nsftpd: {umask: '0077'}\n",
    )
    .unwrap();
    let variables = [
        ("SFTPGO_CONFIG_DIR", "conf"),
        ("SFTPGO_HTTPD__BIND_PORT", "0"),
        ("SFTPGO_DATA_PROVIDER__CONNECTION_STRING", "hunter3"),
    ];
    let arguments = ["config", "show", "--json", "--config-file=mine"];
    let output = sftpgo(directory.path(), &variables, &arguments);
    assert_eq!(status(&output), Some(0), "{output:?}");
    assert!(!stdout(&output).contains("hunter"));
    let page: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["file"], "conf/mine.yaml");
    let row = |key: &str| {
        let rows = page["settings"].as_array().unwrap();
        let row = rows.iter().find(|row| row["key"] == key).unwrap();
        (
            row["value"].clone(),
            row["source"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        row("config_dir"),
        (json!("conf"), "SFTPGO_CONFIG_DIR".into())
    );
    assert_eq!(row("config_file"), (json!("mine"), "--config-file".into()));
    assert_eq!(row("sftpd.umask"), (json!("0077"), "conf/mine.yaml".into()));
    assert_eq!(
        row("httpd.bind_port"),
        (json!(0), "SFTPGO_HTTPD__BIND_PORT".into())
    );
    assert_eq!(row("sftpd.bind_port"), (json!(2022), "default".into()));
    assert_eq!(row("data_provider.password").0, json!("[redacted]"));
    assert_eq!(
        row("data_provider.connection_string").0,
        json!("[redacted]")
    );
    let text = stdout(&sftpgo(
        directory.path(),
        &variables,
        &["config", "show", "-fmine"],
    ));
    assert!(
        text.contains("\nsftpd.umask = \"0077\"  # conf/mine.yaml\n"),
        "{text}"
    );
}

#[test]
fn a_flag_wins_over_its_variable() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [("SFTPGO_CONFIG_DIR", "elsewhere")];
    let arguments = ["config", "show", "-c", "here"];
    let text = stdout(&sftpgo(directory.path(), &variables, &arguments));
    assert!(
        text.contains("\nconfig_dir = \"here\"  # --config-dir\n"),
        "{text}"
    );
}

/// A server that has no host key does not start.
const UNSTARTABLE: [(&str, &str); 4] = [
    ("SFTPGO_SFTPD__KEYS__0__PRIVATE_KEY", "missing"),
    ("SFTPGO_DATA_PROVIDER__DRIVER", "memory"),
    ("SFTPGO_DATA_PROVIDER__NAME", ""),
    ("SFTPGO_HTTPD__BIND_PORT", "0"),
];

#[test]
fn with_an_empty_log_path_stdout_is_json() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [&UNSTARTABLE[..], &[("SFTPGO_LOG_FILE_PATH", "")]].concat();
    let output = sftpgo(directory.path(), &variables, &["serve"]);
    assert_eq!(status(&output), Some(1));
    let text = stdout(&output);
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line["sender"] == "config" && line["level"] == "warn")
    );
    assert_eq!(lines.last().unwrap()["level"], "error");
    assert!(!directory.path().join("sftpgo.log").exists());
}

#[test]
fn with_a_log_file_stdout_is_for_people() {
    let directory = tempfile::tempdir().unwrap();
    let output = sftpgo(
        directory.path(),
        &UNSTARTABLE,
        &["serve", "-l", "logs/s.log"],
    );
    assert_eq!(status(&output), Some(1));
    assert!(
        stdout(&output)
            .lines()
            .last()
            .unwrap()
            .contains(" ERROR service: "),
        "{output:?}"
    );
    let log = fs::read_to_string(directory.path().join("logs/s.log")).unwrap();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["level"], &last["sender"]),
        (&json!("error"), &json!("service"))
    );
}

#[test]
fn a_log_file_that_cannot_be_opened_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let output = sftpgo(
        directory.path(),
        &UNSTARTABLE,
        &["serve", "-l", "file/s.log"],
    );
    assert_eq!(status(&output), Some(1));
    assert!(
        stderr(&output).contains("cannot open the log file"),
        "{output:?}"
    );
}

/// In these the shell itself reads the script, which is what finds a mistake in it.
#[test]
fn shells_read_their_completions() {
    let directory = tempfile::tempdir().unwrap();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef sftpgo"),
        ("fish", "complete -c sftpgo"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let output = sftpgo(directory.path(), &[], &["completions", shell]);
        assert_eq!(status(&output), Some(0), "{}", stderr(&output));
        let script = stdout(&output);
        assert!(script.contains(word), "{shell}");
        assert!(script.contains("initprovider"), "{shell}");
        fs::write(directory.path().join(shell), script).unwrap();
    }
    // Completes `sftpgo init`.
    let test = "source ./bash && COMP_WORDS=(sftpgo init) COMP_CWORD=1 && _sftpgo sftpgo init sftpgo && \
                echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-eu", "-c", test])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!(stdout(&output), "initprovider\n", "{}", stderr(&output));
}

#[test]
fn every_command_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("a/b");
    let output = sftpgo(directory.path(), &[], &["man", pages.to_str().unwrap()]);
    assert_eq!(status(&output), Some(0), "{}", stderr(&output));
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    assert!(page("sftpgo.1").contains("sftpgo\\-serve(1)"));
    assert!(page("sftpgo-serve.1").contains("SIGUSR1"));
    assert!(page("sftpgo-user-add.1").contains("home\\-dir"));
    assert!(page("sftpgo-config-show.1").contains(".SH NAME"));

    fs::write(directory.path().join("file"), "").unwrap();
    let refused = sftpgo(directory.path(), &[], &["man", "file"]);
    assert_eq!(status(&refused), Some(1));
    assert!(stderr(&refused).contains("cannot write file"));
}
