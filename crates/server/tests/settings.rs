//! Where settings come from, which source wins, and what stops the start.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sftpgo_data::config::{Driver, TrackQuota};
use sftpgo_server::config::{Environment, Inputs, LoadError, Loaded, Source, load};
use sftpgo_ssh::config::{HostKeys, UploadMode};
use tempfile::TempDir;

/// A configuration directory with at most one file, and an environment.
struct Setup {
    directory: TempDir,
    inputs: Inputs,
}

impl Setup {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inputs = Inputs {
            config_dir: directory.path().to_path_buf(),
            // Not `sftpgo`: /etc/sftpgo of the machine must not matter.
            config_file: "settings-under-test".into(),
            environment: Environment::default(),
        };
        Self { directory, inputs }
    }

    fn file(self, extension: &str, text: &str) -> Self {
        fs::write(self.path(extension), text).unwrap();
        self
    }

    fn path(&self, extension: &str) -> std::path::PathBuf {
        self.directory
            .path()
            .join(format!("settings-under-test.{extension}"))
    }

    fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        let pairs = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        self.inputs.environment = pairs.collect();
        self
    }

    fn load(&self) -> Loaded {
        load(&self.inputs).unwrap()
    }

    fn refused(&self) -> LoadError {
        load(&self.inputs).err().expect("the settings are wrong")
    }
}

fn shown(loaded: &Loaded, key: &str) -> (Value, Source) {
    let value = loaded
        .values()
        .iter()
        .find(|value| value.key == key)
        .unwrap();
    (value.value.clone(), value.source.clone())
}

#[test]
fn every_format_sets_the_same_values() {
    let formats = [
        (
            "json",
            r#"{"sftpd":{"bind_port":"22","Upload_Mode":1,"keys":[{"private_key":"k"}]},"data_provider":{"driver":"memory","name":""}}"#,
        ),
        (
            "toml",
            "[sftpd]\nbind_port = 22\nupload_mode = 1\n[[sftpd.keys]]\nprivate_key = 'k'\n[data_provider]\ndriver = 'memory'\nname = ''\n",
        ),
        (
            "yaml",
            "sftpd:\n  bind_port: 22\n  upload_mode: 1\n  keys:\n  - private_key: k\ndata_provider: {driver: memory, name: ''}\n",
        ),
        (
            "yml",
            "SFTPD: {BIND_PORT: 22, UPLOAD_MODE: 1, KEYS: [{PRIVATE_KEY: k}]}\ndata_provider: {driver: memory, name: ''}\n",
        ),
        (
            "hcl",
            "sftpd {\n  bind_port = 22\n  upload_mode = 1\n  keys {\n    private_key = \"k\"\n  }\n}\ndata_provider = {\n  driver = \"memory\"\n  name = \"\"\n}\n",
        ),
        (
            "properties",
            "sftpd.bind_port=22\nsftpd.upload_mode=1\nsftpd.keys.0.private_key=k\ndata_provider.driver=memory\ndata_provider.name=\n",
        ),
        (
            "props",
            "sftpd.bind_port 22\nsftpd.upload_mode:1\nsftpd.keys.0.private_key=k\ndata_provider.driver=memory\ndata_provider.name=\n",
        ),
        (
            "prop",
            "sftpd.bind_port = 22\nsftpd.upload_mode=1\nsftpd.keys.0.private_key=k\ndata_provider.driver=memory\ndata_provider.name=\n",
        ),
        (
            "env",
            "SFTPD.BIND_PORT=22\nSFTPD__UPLOAD_MODE=1\nSFTPGO_SFTPD__KEYS__0__PRIVATE_KEY=k\nDATA_PROVIDER.DRIVER=memory\nDATA_PROVIDER.NAME=\n",
        ),
        (
            "dotenv",
            "sftpd.bind_port='22'\nsftpd.upload_mode=1\nsftpd.keys.0.private_key=k\ndata_provider.driver=memory\ndata_provider.name=''\n",
        ),
        (
            "ini",
            "[sftpd]\nbind_port=22\nupload_mode=1\n[sftpd.keys.0]\nprivate_key=k\n[data_provider]\ndriver=memory\nname=\n",
        ),
    ];
    for (extension, text) in formats {
        let setup = Setup::new().file(extension, text);
        let loaded = setup.load();
        assert_eq!(loaded.file(), Some(setup.path(extension).as_path()));
        let (settings, warnings) = loaded.settings().unwrap();
        assert_eq!(settings.sftpd.bind.port(), 22, "{extension}");
        assert_eq!(
            settings.sftpd.upload_mode,
            UploadMode::Atomic,
            "{extension}"
        );
        let key = setup.directory.path().join("k");
        assert_eq!(
            settings.sftpd.host_keys,
            HostKeys::Files(vec![key]),
            "{extension}"
        );
        assert_eq!(settings.data_provider.driver, Driver::Memory, "{extension}");
        assert_eq!(settings.data_provider.file, None, "{extension}");
        assert_eq!(warnings, Vec::<String>::new(), "{extension}");
    }
}

#[test]
fn the_sample_file_of_the_reference_loads_without_a_warning() {
    let sample = r#"{"sftpd":{"bind_port":2022,"bind_address":"","idle_timeout":15,"max_auth_tries":0,"umask":"0022","banner":"",
        "upload_mode":0,"actions":{"execute_on":[],"command":"","http_notification_url":""},"keys":[],"enable_scp":false,
        "kex_algorithms":[],"ciphers":[],"macs":[],"login_banner_file":"","setstat_mode":0,
        "enabled_ssh_commands":["md5sum","sha1sum","cd","pwd"],"keyboard_interactive_auth_program":"",
        "proxy_protocol":0,"proxy_allowed":[]},
        "data_provider":{"driver":"sqlite","name":"sftpgo.db","host":"","port":5432,"username":"","password":"","sslmode":0,
        "connection_string":"","users_table":"users","manage_users":1,"track_quota":2,"pool_size":0,"users_base_dir":"",
        "actions":{"execute_on":[],"command":"","http_notification_url":""},"external_auth_program":"",
        "external_auth_scope":0,"credentials_path":"credentials","pre_login_program":""},
        "httpd":{"bind_port":8080,"bind_address":"127.0.0.1","templates_path":"templates","static_files_path":"static",
        "backups_path":"backups","auth_user_file":"","certificate_file":"","certificate_key_file":""}}"#;
    let (settings, warnings) = Setup::new().file("json", sample).load().settings().unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(settings.data_provider.track_quota, TrackQuota::LimitedOnly);
}

#[test]
fn without_a_file_defaults_and_environment_apply() {
    let setup = Setup::new().variables(&[("SFTPGO_SFTPD__BIND_PORT", "0")]);
    let loaded = setup.load();
    assert_eq!(loaded.file(), None);
    let (settings, warnings) = loaded.settings().unwrap();
    assert_eq!(settings.sftpd.bind.port(), 0);
    assert_eq!(settings.config_dir, setup.directory.path());
    assert_eq!(settings.data_provider.track_quota, TrackQuota::Always);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("no settings file settings-under-test in "),
        "{warnings:?}"
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let setup = Setup::new()
        .file("toml", "[sftpd]\nbind_port = 22\nidle_timeout = 3\n")
        .variables(&[("SFTPGO_SFTPD__BIND_PORT", "23")]);
    let loaded = setup.load();
    let variable = Source::Variable("SFTPGO_SFTPD__BIND_PORT".into());
    assert_eq!(shown(&loaded, "sftpd.bind_port"), (json!(23), variable));
    let file = Source::File(setup.path("toml"));
    assert_eq!(shown(&loaded, "sftpd.idle_timeout"), (json!(3), file));
    assert_eq!(
        shown(&loaded, "sftpd.umask"),
        (json!("0022"), Source::Default)
    );
}

#[test]
fn a_list_replaces_the_default_list_as_a_whole() {
    let setup = Setup::new().file("json", r#"{"sftpd":{"enabled_ssh_commands":["scp"]}}"#);
    let (settings, _) = setup.load().settings().unwrap();
    assert_eq!(settings.sftpd.enabled_ssh_commands, ["scp"]);
    let setup = setup.variables(&[("SFTPGO_SFTPD__ENABLED_SSH_COMMANDS", "")]);
    let (settings, _) = setup.load().settings().unwrap();
    assert_eq!(settings.sftpd.enabled_ssh_commands, Vec::<String>::new());
    let setup = setup.variables(&[("SFTPGO_SFTPD__ENABLED_SSH_COMMANDS__0", "cd")]);
    let (settings, _) = setup.load().settings().unwrap();
    assert_eq!(settings.sftpd.enabled_ssh_commands, ["cd"]);
}

#[test]
fn everything_that_is_wrong_is_reported_together() {
    let setup = Setup::new()
        .file("json", r#"{"sftpd":{"bind_prot":1,"idle_timeout":"x"}}"#)
        .variables(&[("SFTPGO_HTTPD__BIND_PORT", "")]);
    let path = setup.path("json");
    let path = path.display();
    assert_eq!(
        setup.refused().problems(),
        [
            format!("unknown setting sftpd.bind_prot in {path} (did you mean sftpd.bind_port?)"),
            format!("sftpd.idle_timeout in {path} must be a whole number"),
            "SFTPGO_HTTPD__BIND_PORT must be a whole number from 0 to 65535".to_owned(),
        ]
    );
}

#[test]
fn a_file_that_cannot_be_parsed_stops_the_start() {
    let setup = Setup::new().file("json", "{\n  \"sftpd\": {,}\n}");
    let text = setup.refused().to_string();
    assert!(
        text.starts_with("cannot parse ") && text.contains("line 2"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_not_text_stops_the_start() {
    let setup = Setup::new();
    fs::write(setup.path("json"), [0xff, 0xfe]).unwrap();
    assert!(setup.refused().to_string().starts_with("cannot read "));
}

#[test]
fn a_second_file_is_told_to_be_unused() {
    let setup = Setup::new().file("json", "{}").file("yaml", "");
    let (_, warnings) = setup.load().settings().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains(".yaml is not used"), "{warnings:?}");
}

#[test]
fn files_of_credentials_are_below_the_configuration_directory_or_where_they_are_said_to_be() {
    for (path, found) in [("keys", "keys"), ("/x", "/x")] {
        let text = format!(r#"{{"data_provider":{{"credentials_path":"{path}"}}}}"#);
        let (settings, warnings) = Setup::new().file("json", &text).load().settings().unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        let expected = settings.config_dir.join(found);
        assert_eq!(settings.data_provider.credentials_dir, Some(expected));
    }
    let setup = Setup::new().file("json", r#"{"data_provider":{"credentials_path":""}}"#);
    let (settings, _) = setup.load().settings().unwrap();
    assert_eq!(settings.data_provider.credentials_dir, None);
}

#[test]
fn a_value_that_was_reset_names_its_source() {
    let setup = Setup::new()
        .file("json", "{}")
        .variables(&[("SFTPGO_SFTPD__UPLOAD_MODE", "7")]);
    let (settings, warnings) = setup.load().settings().unwrap();
    assert_eq!(settings.sftpd.upload_mode, UploadMode::Standard);
    assert_eq!(
        warnings,
        ["sftpd.upload_mode: 7 is not one of 0, 1, 2; using 0 (set by SFTPGO_SFTPD__UPLOAD_MODE)"]
    );
}

#[test]
fn values_that_the_server_cannot_start_with_are_reported_together() {
    let file = r#"{"httpd":{"bind_address":"0.0.0.0"},"data_provider":{"driver":"x"}}"#;
    let error = Setup::new()
        .file("json", file)
        .load()
        .settings()
        .unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert!(error.to_string().contains("httpd.allow_no_auth"), "{error}");
}

#[test]
fn secrets_are_not_shown() {
    let file = r#"{"data_provider":{"password":"hunter2"}}"#;
    let setup = Setup::new().file("json", file);
    let loaded = setup.load();
    let (password, _) = shown(&loaded, "data_provider.password");
    assert_eq!(password, json!("[redacted]"));
    let (unset, _) = shown(&loaded, "data_provider.connection_string");
    assert_eq!(unset, json!(""));
    let (settings, _) = loaded.settings().unwrap();
    assert_eq!(settings.data_provider.server.password.reveal(), "hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn hooks_have_the_names_of_later_versions_too() {
    let file = r#"{"sftpd":{"keyboard_interactive_auth_hook":"/bin/sh"},
        "data_provider":{"external_auth_hook":"https://svc:hunter2@auth.example/?a=b","pre_login_hook":"/bin/sh"}}"#;
    let loaded = Setup::new().file("json", file).load();
    let (shown, _) = shown(&loaded, "data_provider.external_auth_program");
    assert_eq!(shown, json!("https://[redacted]@auth.example/?[redacted]"));
    let (settings, warnings) = loaded.settings().unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(settings.sftpd.keyboard_interactive.is_some());
    assert!(settings.data_provider.pre_login.is_some());
    let external = settings.data_provider.external_auth.as_ref().unwrap();
    assert_eq!(external.to_string(), "https://auth.example/");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn relative_paths_are_below_the_configuration_directory() {
    let mut setup = Setup::new().file("json", r#"{"httpd":{"backups_path":"b"}}"#);
    setup.inputs.config_dir = setup.directory.path().join("x/..");
    fs::create_dir(setup.directory.path().join("x")).unwrap();
    let (settings, _) = setup.load().settings().unwrap();
    let root: &Path = setup.directory.path();
    assert_eq!(settings.httpd.backups_path, root.join("b"));
    assert_eq!(settings.data_provider.file, Some(root.join("sftpgo.db")));
    assert_eq!(
        settings.sftpd.host_keys,
        HostKeys::GenerateIn(root.to_path_buf())
    );
}

#[test]
fn a_umask_may_be_a_number_unless_its_digits_are_lost() {
    let yaml = |text: &str| Setup::new().file("yaml", text);
    for text in ["sftpd: {umask: '0077'}", "sftpd: {umask: 77}"] {
        let (settings, _) = yaml(text).load().settings().unwrap();
        assert_eq!(settings.sftpd.umask, Some(0o077), "{text}");
    }
    let text = yaml("sftpd: {umask: 0077}").refused().to_string();
    assert!(text.ends_with("must be text (quote it)"), "{text}");
}
