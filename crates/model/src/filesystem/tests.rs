//! The tables agree with the structs, and the rules of each back end hold.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::user::{UserRules, ValidationError};

fn checked(filesystem: &Value) -> Result<FilesystemConfig, ValidationError> {
    let mut config: FilesystemConfig = serde_json::from_value(filesystem.clone()).unwrap();
    config.check(&UserRules::default())?;
    Ok(config)
}

/// What is wrong with `base` if `name` has that value; empty if nothing is.
fn wrong(provider: i64, base: &Value, name: &str, value: Value) -> String {
    let object = FilesystemProvider::from_number(provider)
        .back_end()
        .unwrap();
    let mut config = base.clone();
    config[name] = value;
    let made = checked(&json!({ "provider": provider, object.object: config }));
    made.err().map_or(String::new(), |error| error.to_string())
}

fn s3() -> Value {
    json!({ "bucket": "b", "region": "r" })
}

fn gcs() -> Value {
    json!({ "bucket": "b", "automatic_credentials": 1 })
}

fn azure() -> Value {
    json!({ "container": "c", "account_name": "acc" })
}

/// Every setting, with a value that is not the empty one.
fn full() -> FilesystemConfig {
    let mut config = FilesystemConfig::default();
    for back_end in BACK_ENDS {
        for field in back_end.fields {
            let text = match field.kind {
                Kind::Secret(..) => "$aes$k$d",
                Kind::Text(..) | Kind::Number(..) | Kind::Flag(_) | Kind::Switch(_) => "1",
            };
            field.set(&mut config, text).unwrap();
        }
    }
    config
}

#[test]
fn every_setting_of_a_back_end_is_in_its_table_and_leads_to_itself() {
    let full = serde_json::to_value(full()).unwrap();
    for back_end in BACK_ENDS {
        let written: BTreeSet<_> = full[back_end.object].as_object().unwrap().keys().collect();
        let listed: BTreeSet<_> = back_end.fields.iter().map(|field| field.name).collect();
        assert!(written.iter().eq(&listed), "{written:?}, {listed:?}");
        for field in back_end.fields {
            let mut one = FilesystemConfig::default();
            let text = if field.secret(&mut one).is_some() {
                "$aes$k$d"
            } else {
                "1"
            };
            field.set(&mut one, text).unwrap();
            let one = serde_json::to_value(one).unwrap();
            let keys: Vec<_> = one[back_end.object].as_object().unwrap().keys().collect();
            assert_eq!(keys, [field.name]);
        }
    }
}

#[test]
fn a_struct_has_no_setting_that_its_table_has_not() {
    let config = FilesystemConfig::default();
    for (back_end, shown) in BACK_ENDS.iter().zip([
        format!("{:#?}", config.s3config),
        format!("{:#?}", config.gcsconfig),
        format!("{:#?}", config.azblobconfig),
    ]) {
        let lines = shown
            .lines()
            .filter_map(|line| line.trim().split_once(": "));
        let fields: BTreeSet<_> = lines.map(|(name, _)| name).collect();
        let listed: BTreeSet<_> = back_end.fields.iter().map(|field| field.name).collect();
        assert_eq!(fields, listed);
    }
}

/// The tables of `docs/object-stores.md`: `| name, name | meaning |` below "Field of `object`".
#[test]
fn the_documentation_lists_exactly_the_settings_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/object-stores.md");
    let text = std::fs::read_to_string(path).unwrap();
    for back_end in BACK_ENDS {
        let head = format!("| Field of `{}` |", back_end.object);
        let table = text.split(&head).nth(1).unwrap().lines().skip(2);
        let rows = table.take_while(|line| line.starts_with('|'));
        let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','));
        let documented: BTreeSet<_> = names.map(|name| name.trim().trim_matches('`')).collect();
        let listed: BTreeSet<_> = back_end.fields.iter().map(|field| field.name).collect();
        assert_eq!(documented, listed);
    }
}

#[test]
fn names_in_forms_and_of_flags_are_unique() {
    let fields = || BACK_ENDS.iter().flat_map(|back_end| back_end.fields);
    let forms: BTreeSet<_> = fields().map(|field| field.form).collect();
    let flags: BTreeSet<_> = fields().map(|field| field.flag).collect();
    assert_eq!(
        (forms.len(), flags.len()),
        (fields().count(), fields().count())
    );
    assert!(fields().all(|field| field.help.ends_with('.') && !field.label.is_empty()));
}

#[test]
fn settings_that_the_reference_has_not_are_not_written_where_they_are_empty() {
    for provider in 0..3 {
        let config = FilesystemConfig {
            provider: FilesystemProvider::from_number(provider),
            ..FilesystemConfig::default()
        };
        let expected = format!(r#"{{"provider":{provider},"s3config":{{}},"gcsconfig":{{}}}}"#);
        assert_eq!(serde_json::to_string(&config).unwrap(), expected);
    }
    let config: FilesystemConfig = serde_json::from_str(
        r#"{"provider":2,"gcsconfig":{"bucket":"b","key_prefix":"p/","automatic_credentials":1,"storage_class":"NEARLINE"}}"#,
    )
    .unwrap();
    let expected = r#"{"provider":2,"s3config":{},"gcsconfig":{"bucket":"b","key_prefix":"p/","automatic_credentials":1,"storage_class":"NEARLINE"}}"#;
    assert_eq!(serde_json::to_string(&config).unwrap(), expected);
}

#[test]
fn bounds_choices_urls_and_certificates_hold_for_every_back_end() {
    for (provider, base) in [(1, s3()), (2, gcs()), (3, azure())] {
        let back_end = FilesystemProvider::from_number(provider)
            .back_end()
            .unwrap();
        assert_eq!(wrong(provider, &base, "key_prefix", json!("a/../b")), "");
        for field in back_end.fields {
            let bad = match &field.kind {
                Kind::Number(_, bounds) => vec![json!(bounds.most + 1), json!(-1)],
                Kind::Text(_, TextRule::OneOf(_)) => vec![json!("hot")],
                Kind::Text(_, TextRule::Url) => vec![json!("store.example.com"), json!("https://")],
                Kind::Text(_, TextRule::Certificates) => vec![json!("none")],
                Kind::Text(_, TextRule::KeyPrefix) => vec![json!("/p"), json!("a\u{0}b")],
                Kind::Secret(..) => vec![json!("$aes$dd")],
                Kind::Text(_, TextRule::Any) if field.required => vec![json!("")],
                Kind::Text(_, TextRule::Any) | Kind::Flag(_) | Kind::Switch(_) => vec![],
            };
            for value in bad {
                let told = wrong(provider, &base, field.name, value);
                let begin = format!("{}: {} ", back_end.object, field.name);
                assert!(told.starts_with(&begin), "{}: {told}", field.name);
            }
        }
    }
    assert!(wrong(1, &s3(), "upload_part_size", json!(4)).contains("from 5 to 256, or 0 for 5"));
    assert!(wrong(2, &gcs(), "upload_part_size", json!(257)).contains("or 0 for 16"));
}

#[test]
fn credentials_of_google_are_needed_unless_somebody_else_has_them() {
    let base = json!({ "bucket": "b" });
    let missing = wrong(2, &base, "acl", json!(""));
    assert!(missing.starts_with("gcsconfig: credentials "), "{missing}");
    assert_eq!(wrong(2, &base, "automatic_credentials", json!(1)), "");
    assert_eq!(wrong(2, &base, "endpoint", json!("http://localhost:1")), "");
    assert_eq!(wrong(2, &base, "credentials", json!("$aes$k$d")), "");
    let mut config: FilesystemConfig =
        serde_json::from_value(json!({ "provider": 2, "gcsconfig": base })).unwrap();
    let on_disk = UserRules {
        has_gcs_credentials: true,
        ..UserRules::default()
    };
    assert!(config.check(&on_disk).is_ok());
}

#[test]
fn credentials_of_google_are_json_as_it_is_or_in_base64() {
    let json = r#"{"type":"service_account"}"#;
    let encoded = "eyJ0eXBlIjoic2VydmljZV9hY2NvdW50In0=";
    for sent in [json, encoded, "  {\"type\":\"service_account\"}\n"] {
        let config = json!({ "provider": 2, "gcsconfig": { "bucket": "b", "credentials": sent } });
        let made = checked(&config).unwrap().gcsconfig.credentials;
        assert_eq!(made, Secret::from_text(json), "{sent}");
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024));
    for sent in ["no base64!", "{", "bm8ganNvbg==", "[]", &large] {
        let told = wrong(2, &json!({ "bucket": "b" }), "credentials", json!(sent));
        assert!(told.starts_with("gcsconfig: credentials are not"), "{told}");
        assert!(!told.contains(sent), "{told}");
    }
}

#[test]
fn azure_needs_a_container_an_account_and_secrets_that_can_be_some() {
    let signature = "https://acc.blob.core.windows.net/c?sv=1&sig=s3cret";
    for (name, value) in [
        ("account_key", json!("a2V5")),
        ("sas_url", json!(signature)),
        ("endpoint", json!("blob.core.chinacloudapi.cn")),
        ("endpoint", json!("https://files.example.com")),
        ("access_tier", json!("Cold")),
        ("use_emulator", json!(true)),
    ] {
        assert_eq!(wrong(3, &azure(), name, value), "", "{name}");
    }
    assert_eq!(wrong(3, &json!({}), "sas_url", json!(signature)), "");
    assert_eq!(wrong(3, &json!({}), "sas_url", json!("$aes$k$d")), "");
    for (base, name, value, begin) in [
        (azure(), "container", json!(""), "container"),
        (azure(), "container", json!("a/b"), "container"),
        (azure(), "account_name", json!(""), "account_name"),
        (azure(), "account_name", json!("a.b"), "account_name"),
        (azure(), "account_key", json!("s3cret!"), "account_key"),
        (azure(), "sas_url", json!("https://s3cret"), "sas_url"),
        (azure(), "endpoint", json!("a/b"), "endpoint"),
        (azure(), "endpoint", json!("https://a?b"), "endpoint"),
        (
            json!({ "container": "d" }),
            "sas_url",
            json!(signature),
            "container",
        ),
        (
            json!({ "container": "d" }),
            "sas_url",
            json!("sv=1&sig=x"),
            "account_name",
        ),
    ] {
        let told = wrong(3, &base, name, value);
        let begin = format!("azblobconfig: {begin} ");
        assert!(
            told.starts_with(&begin) && !told.contains("s3cret"),
            "{told}"
        );
    }
}

#[test]
fn nothing_plain_or_open_is_shown() {
    let mut config = full();
    assert!(!config.has_plain_secret());
    let hidden = config.to_hidden();
    let shown = serde_json::to_string(&hidden).unwrap();
    assert!(!shown.contains("$aes$k$d") && shown.contains("$aes$d"));
    for (_, field, _) in config.secrets() {
        field.set(&mut config, "s3cret").unwrap();
        assert!(config.has_plain_secret());
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(serde_json::to_string(&config).is_err());
        assert_eq!(field.shown(&mut config), "");
        field.set(&mut config, "$aes$k$d").unwrap();
    }
}

#[test]
fn secrets_go_with_what_they_belong_to() {
    let stored = full();
    let settled = |change: fn(&mut FilesystemConfig)| {
        let mut config = stored.clone();
        change(&mut config);
        for back_end in BACK_ENDS {
            (back_end.settle)(&stored, &mut config);
        }
        config
    };
    let s3 = settled(|f| f.s3config.access_key = "other".to_owned()).s3config;
    assert!(s3.session_token.is_empty() && !s3.access_secret.is_empty());
    let s3 = settled(|f| f.s3config.access_key.clear()).s3config;
    assert!(s3.session_token.is_empty() && s3.access_secret.is_empty());
    let new = settled(|f| {
        f.s3config.access_secret = Secret::from_text("new");
        f.s3config.session_token = Secret::from_text("its token");
        f.gcsconfig.credentials = Secret::from_text("{}");
        f.azblobconfig.account_key = Secret::from_text("a2V5");
    });
    assert!(!new.s3config.session_token.is_empty());
    assert_eq!(new.gcsconfig.automatic_credentials, 0);
    assert!(new.azblobconfig.sas_url.is_empty() && !new.azblobconfig.account_key.is_empty());
    // Credentials and automatic ones are both set in it.
    assert!(settled(|_| {}).gcsconfig.credentials.is_empty());
    assert_eq!(settled(|_| {}).azblobconfig, stored.azblobconfig);
}

#[test]
fn what_is_hidden_of_a_back_end_that_is_not_used_is_forgotten() {
    let config = json!({ "provider": 1, "s3config": s3(), "gcsconfig": { "bucket": "b", "credentials": "$aes$dd" } });
    let gcs = checked(&config).unwrap().gcsconfig;
    assert_eq!((gcs.bucket.as_str(), gcs.credentials), ("b", Secret::Empty));
}
