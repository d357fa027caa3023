//! `filesystem`: the store of the home, and its secrets, which are objects in 2.x.

use serde_json::{Map, Value};
use sftpgo_model::filesystem::{BACK_ENDS, Kind};

use super::value::{is_set, take_set, text};
use crate::report::Notes;

/// The stores of 2.x that are not there, by number.
const ELSEWHERE: [(i64, &str); 3] = [
    (4, "an encrypted directory"),
    (5, "another SFTP server"),
    (6, "an HTTP server"),
];

/// Brings the store into the form of this program.
///
/// # Errors
/// There is no such store, or one of its secrets cannot be read.
pub(super) fn convert(user: &mut Map<String, Value>, notes: &mut Notes) -> Result<(), String> {
    let Some(Value::Object(filesystem)) = user.get_mut("filesystem") else {
        return Ok(());
    };
    let provider = filesystem
        .get("provider")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    if let Some((_, what)) = ELSEWHERE.iter().find(|(number, _)| *number == provider) {
        return Err(format!(
            "its files are in {what}, which this server cannot use: move them to a directory or an object store first"
        ));
    }
    if !(0..=3).contains(&provider) {
        return Err(format!(
            "its files are in a store of kind {provider}, which is not known"
        ));
    }
    note_buffers(filesystem, notes);
    for back_end in BACK_ENDS {
        if back_end.provider.number() != provider {
            filesystem.remove(back_end.object);
            continue;
        }
        let Some(Value::Object(config)) = filesystem.get_mut(back_end.object) else {
            continue;
        };
        for field in back_end
            .fields
            .iter()
            .filter(|field| is_secret(&field.kind))
        {
            open_secret(config, field.name)?;
        }
        let known = |key: &str| back_end.fields.iter().any(|field| field.name == key);
        config.retain(|key, value| {
            if !known(key) && is_set(value) {
                notes.lost(
                    format!("filesystem.{}.{key}", back_end.object),
                    "there is no such setting",
                );
            }
            known(key)
        });
    }
    Ok(())
}

fn is_secret(kind: &Kind) -> bool {
    matches!(kind, Kind::Secret(..))
}

fn note_buffers(filesystem: &mut Map<String, Value>, notes: &mut Notes) {
    if take_set(filesystem, "osconfig").is_some() {
        notes.lost("filesystem.osconfig", "the sizes of buffers cannot be set");
    }
}

/// A secret object becomes the text in it, if that can be read.
fn open_secret(config: &mut Map<String, Value>, key: &str) -> Result<(), String> {
    let Some(Value::Object(secret)) = config.get(key) else {
        return Ok(());
    };
    let (status, payload) = (text(secret, "status"), text(secret, "payload"));
    if status.is_empty() && payload.is_empty() {
        config.remove(key);
        return Ok(());
    }
    if status != "Plain" {
        return Err(format!(
            "its {key} is encrypted ({status}): write {{\"status\": \"Plain\", \"payload\": \"...\"}} in its place and import again"
        ));
    }
    let payload = Value::from(payload);
    config.insert(key.to_owned(), payload);
    Ok(())
}
