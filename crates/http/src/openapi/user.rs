//! The shapes of accounts (reference 3): as they are shown, as they are added, as they are changed.

use serde_json::{Map, Value, json};
use sftpgo_core::model::filesystem::{BACK_ENDS, Field, Kind, TextRule};

/// What only the server writes; in a body it is ignored, but for the `id`, which must be that of the path.
const KEPT_BY_SERVER: [&str; 5] = [
    "id",
    "used_quota_size",
    "used_quota_files",
    "last_quota_update",
    "last_login",
];

/// What is left out of replies when it is empty.
const LEFT_OUT: [&str; 3] = ["password", "public_keys", "virtual_folders"];

const PERMISSIONS: [&str; 12] = [
    "*",
    "list",
    "download",
    "upload",
    "overwrite",
    "rename",
    "delete",
    "create_dirs",
    "create_symlinks",
    "chmod",
    "chown",
    "chtimes",
];

/// As replies show it: no password, secrets hidden.
pub(super) fn shown() -> Value {
    let mut properties = properties(false);
    properties.remove("password");
    let required = properties
        .keys()
        .filter(|key| !LEFT_OUT.contains(&key.as_str()))
        .cloned()
        .collect::<Vec<_>>();
    json!({
        "type": "object",
        "description": "An account as it is shown: without its password, and with secrets hidden.",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// As it is sent to be added.
pub(super) fn new() -> Value {
    json!({
        "type": "object",
        "description": "An account to be added. It needs a password or a public key, and a home directory unless \
            data_provider.users_base_dir is set.",
        "properties": written(),
        "required": ["username", "permissions"],
        "anyOf": [{ "required": ["password"] }, { "required": ["public_keys"] }],
        "examples": [example()],
    })
}

/// As it is sent to be changed.
pub(super) fn changes() -> Value {
    let mut properties = written();
    let id = json!({ "description": "If it is sent, that of the path.", "type": "integer", "format": "int64" });
    properties.insert("id".to_owned(), id);
    json!({
        "type": "object",
        "description": "Changes of an account. What is left out stays; lists are replaced, `file_extensions` and \
            `permissions` only by something that is not empty; `filters` and `filesystem` are merged key by key. \
            The user name stays as it is.",
        "properties": properties,
    })
}

/// An account that every rule accepts.
fn example() -> Value {
    json!({
        "username": "alice",
        "password": "wonderland",
        "public_keys": [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@laptop",
        ],
        "status": 1,
        "expiration_date": 4_102_444_800_000_i64,
        "home_dir": "/srv/sftpgo/alice",
        "virtual_folders": [{ "virtual_path": "/shared", "mapped_path": "/srv/sftpgo/shared" }],
        "max_sessions": 10,
        "quota_size": 1_073_741_824,
        "quota_files": 10_000,
        "permissions": { "/": ["*"], "/shared": ["list", "download"] },
        "upload_bandwidth": 10_000,
        "filters": {
            "allowed_ip": ["192.0.2.0/24", "2001:db8::/32"],
            "denied_ip": ["192.0.2.66/32"],
            "denied_login_methods": ["keyboard-interactive"],
            "file_extensions": [{ "path": "/shared", "denied_extensions": [".exe"] }],
        },
        "filesystem": { "provider": 0 },
    })
}

fn written() -> Map<String, Value> {
    let mut properties = properties(true);
    properties.retain(|key, _| !KEPT_BY_SERVER.contains(&key.as_str()));
    properties
}

/// All keys. What is sent is restricted where it is checked; what is shown may be older than a check.
fn properties(sent: bool) -> Map<String, Value> {
    let all = json!({
        "id": number("Assigned when the account is added."),
        "status": restricted(sent, number("1 enabled, 0 disabled."), json!({ "enum": [0, 1] })),
        "username": restricted(sent, text("Login name, unique."), json!({ "minLength": 1 })),
        "expiration_date": number("Milliseconds since 1970 after which logins fail; 0 is never."),
        "password": restricted(
            sent,
            text("A password, or a hash in a known format, which is stored as it is. Never shown."),
            json!({ "maxLength": 1024 }),
        ),
        "public_keys": list("Lines as in `authorized_keys`.", json!({ "type": "string" })),
        "home_dir": restricted(sent, text("An absolute directory on the server."), json!({ "pattern": "^/" })),
        "virtual_folders": list("Directories of the server outside the home, shown in it.", folder()),
        "uid": number("Owner of new files; counts from 1 to 65535."),
        "gid": number("Group of new files; counts from 1 to 65535."),
        "max_sessions": number("Sessions at the same time; 0 is unlimited."),
        "quota_size": number("Bytes that may be stored; 0 is unlimited."),
        "quota_files": number("Files that may be stored; 0 is unlimited."),
        "permissions": permissions(sent),
        "used_quota_size": number("Bytes that are stored."),
        "used_quota_files": number("Files that are stored."),
        "last_quota_update": number("When those two changed, in milliseconds since 1970."),
        "upload_bandwidth": number("Kilobytes (1000 bytes) a second; 0 is unlimited."),
        "download_bandwidth": number("Kilobytes (1000 bytes) a second; 0 is unlimited."),
        "last_login": number("Milliseconds since 1970; 0 is never."),
        "filters": filters(sent),
        "filesystem": filesystem(sent),
    });
    match all {
        Value::Object(properties) => properties,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn permissions(sent: bool) -> Value {
    let names = restricted(
        sent,
        json!({ "type": "string" }),
        json!({ "enum": PERMISSIONS }),
    );
    let permissions = json!({
        "description": "From directory to the names of what may be done there; `/` must be among the directories.",
        "type": "object",
        "additionalProperties": { "type": "array", "items": names },
    });
    let root = json!({
        "properties": { "/": { "type": "array", "items": names, "minItems": 1, "maxItems": 12 } },
        "required": ["/"],
        "propertyNames": { "pattern": "^/" },
    });
    restricted(sent, permissions, root)
}

fn filters(sent: bool) -> Value {
    let texts = |description| list(description, json!({ "type": "string" }));
    let extensions = json!({
        "type": "object",
        "properties": {
            "path": text("A directory, as clients see it; counts for what is below, too."),
            "allowed_extensions": texts("Endings that names may have; empty means any."),
            "denied_extensions": texts("Endings that they may not have."),
        },
    });
    let method = json!({ "enum": ["publickey", "password", "keyboard-interactive"] });
    let method = restricted(sent, json!({ "type": "string" }), method);
    json!({
        "type": "object",
        "description": "From where and how the user may log in, and which files may be used.",
        "properties": {
            "allowed_ip": texts("Networks (192.0.2.0/24) that logins may come from; empty means any."),
            "denied_ip": texts("Networks that they may not come from; these go before the others."),
            "denied_login_methods": list("Some of them, but not all.", method),
            "required_login_methods": texts("Sequences such as `publickey,password`, of which one has to be proved whole."),
            "file_extensions": list("Which files may be used, by directory.", extensions),
        },
    })
}

/// The tables of the back ends, as schemas.
fn filesystem(sent: bool) -> Value {
    let mut numbers = vec![0];
    let mut meaning = "0 local disks".to_owned();
    let mut properties = Map::new();
    for back_end in BACK_ENDS {
        let number = back_end.provider.number();
        numbers.push(number);
        meaning += &format!(", {number} {}", back_end.title);
        let fields = back_end.fields.iter();
        let fields = fields.map(|field| (field.name.to_owned(), setting(sent, field)));
        let object = json!({
            "description": format!("Settings of {}.", back_end.title),
            "type": "object",
            "properties": fields.collect::<Map<_, _>>(),
        });
        properties.insert(back_end.object.to_owned(), object);
    }
    let provider = number(&format!("{meaning}."));
    let provider = restricted(sent, provider, json!({ "enum": numbers }));
    properties.insert("provider".to_owned(), provider);
    json!({
        "type": "object",
        "description": "Where the files are.",
        "properties": properties,
    })
}

/// What is said of a back end that is not in use is not checked.
fn setting(sent: bool, field: &Field) -> Value {
    let help = field.help;
    match &field.kind {
        Kind::Text(_, TextRule::OneOf(choices)) => {
            let choices: Vec<_> = std::iter::once(&"").chain(*choices).collect();
            restricted(sent, text(help), json!({ "enum": choices }))
        }
        Kind::Text(..) => text(help),
        Kind::Secret(..) => text(&format!(
            "{help} Shown in a hidden form, which means \"as it is\" when it is sent back."
        )),
        Kind::Number(_, bounds) => {
            let unit = match bounds.unit {
                "" => String::new(),
                unit => format!("{unit}, "),
            };
            number(&format!(
                "{help} {unit}{} to {}; 0 is {}.",
                bounds.least, bounds.most, bounds.usual
            ))
        }
        Kind::Flag(_) => json!({ "description": help, "type": "boolean" }),
        Kind::Switch(_) => number(&format!("1: {help}")),
    }
}

fn folder() -> Value {
    json!({
        "type": "object",
        "properties": {
            "virtual_path": text("Where clients see it; absolute, and not `/`."),
            "mapped_path": text("The directory on the server; neither in the home nor around it."),
        },
    })
}

fn number(description: &str) -> Value {
    json!({ "description": description, "type": "integer", "format": "int64" })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn list(description: &str, items: Value) -> Value {
    json!({ "description": description, "type": "array", "items": items })
}

/// A schema with a further restriction, where it is one of what is sent.
fn restricted(sent: bool, mut schema: Value, restriction: Value) -> Value {
    if let (true, Some(schema), Value::Object(restriction)) =
        (sent, schema.as_object_mut(), restriction)
    {
        schema.extend(restriction);
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sftpgo_core::model::UserRecord;

    use super::*;

    /// An account in which nothing is empty.
    const FULL: &str = r#"{"id":1,"status":1,"username":"u","expiration_date":1,"password":"p","public_keys":["k"],
        "home_dir":"/h","virtual_folders":[{"virtual_path":"/v","mapped_path":"/m"}],"uid":1,"gid":1,"max_sessions":1,
        "quota_size":1,"quota_files":1,"permissions":{"/":["*"]},"used_quota_size":1,"used_quota_files":1,
        "last_quota_update":1,"upload_bandwidth":1,"download_bandwidth":1,"last_login":1,
        "filters":{"allowed_ip":["a"],"denied_ip":["a"],"denied_login_methods":["a"],"required_login_methods":["a"],
            "file_extensions":[{"path":"/","allowed_extensions":["a"],"denied_extensions":["a"]}]},
        "filesystem":{"provider":1,"s3config":{"bucket":"a","key_prefix":"a","region":"a","access_key":"a",
            "access_secret":"$aes$a$a","endpoint":"a","storage_class":"a","session_token":"$aes$a$a","role_arn":"a","acl":"a",
            "upload_part_size":1,"upload_concurrency":1,"download_part_size":1,"download_concurrency":1,"force_path_style":true,
            "ca_certificates":"a"},"gcsconfig":{"bucket":"a","key_prefix":"a",
            "credentials":"$aes$a$a","automatic_credentials":1,"storage_class":"a","acl":"a","upload_part_size":1,"endpoint":"a",
            "ca_certificates":"a"},"azblobconfig":{"container":"a","account_name":"a","account_key":"$aes$a$a",
            "sas_url":"$aes$a$a","endpoint":"a","upload_part_size":1,"upload_concurrency":1,"download_part_size":1,
            "download_concurrency":1,"access_tier":"a","key_prefix":"a","use_emulator":true,"ca_certificates":"a"}}}"#;

    /// Every key with its type, with those above it.
    fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            // Its keys are data.
            Value::Object(_) if path == "/permissions" => {
                found.insert(format!("{path} object"));
            }
            Value::Object(members) => {
                found.insert(format!("{path} object"));
                for (key, value) in members {
                    keys(value, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => {
                found.insert(format!("{path} array"));
                items
                    .iter()
                    .for_each(|item| keys(item, &format!("{path}/-"), found));
            }
            Value::String(_) => {
                found.insert(format!("{path} string"));
            }
            Value::Number(_) => {
                found.insert(format!("{path} integer"));
            }
            Value::Bool(_) => {
                found.insert(format!("{path} boolean"));
            }
            Value::Null => panic!("{path}"),
        }
    }

    fn described(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        found.insert(format!("{path} {}", schema["type"].as_str().unwrap()));
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            described(schema, &format!("{path}/{key}"), found);
        }
        if let Some(items) = schema.get("items") {
            described(items, &format!("{path}/-"), found);
        }
    }

    #[test]
    fn every_key_of_an_account_is_described_and_no_other() {
        let record: UserRecord = serde_json::from_str(FULL).unwrap();
        let mut written = BTreeSet::new();
        keys(&serde_json::to_value(&record).unwrap(), "", &mut written);
        let all = json!({ "type": "object", "properties": properties(false) });
        let mut found = BTreeSet::new();
        described(&all, "", &mut found);
        assert_eq!(found, written);
    }

    #[test]
    fn what_is_always_there_is_required_of_what_is_shown() {
        let record = serde_json::to_value(UserRecord::default()).unwrap();
        let always: BTreeSet<&str> = record
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let shown = shown();
        let required = shown["required"].as_array().unwrap();
        let required: BTreeSet<&str> = required.iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(required, always);
        assert!(shown["properties"].get("password").is_none());
    }
}
