//! What an update of an account says about secrets that its sender has only seen hidden (reference 11.7).

use serde_json::{Map, Value};

use super::{BACK_ENDS, FilesystemConfig};

/// Takes out of the `filesystem` object of an update what means "as it is stored": a secret in the form that replies show, and
/// one left empty where the back end says so.
pub(crate) fn keep_stored_secrets(stored: &FilesystemConfig, filesystem: &mut Map<String, Value>) {
    let secrets = stored.secrets();
    for back_end in BACK_ENDS {
        let sent = filesystem.get_mut(back_end.object);
        let Some(sent) = sent.and_then(Value::as_object_mut) else {
            continue;
        };
        (back_end.keep)(stored, sent);
        let own = secrets
            .iter()
            .filter(|(of, ..)| of.provider == back_end.provider);
        for (_, field, secret) in own {
            let text = sent.get(field.name).and_then(Value::as_str);
            if text.is_some_and(|text| secret.is_shown_as(text)) {
                sent.remove(field.name);
            }
        }
    }
}
