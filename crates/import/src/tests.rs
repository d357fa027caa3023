//! Every source, with files as they are found.

mod any_input;
mod bolt;
mod dump;
mod groups;
mod lists;

use sftpgo_model::UserRecord;

use crate::{Context, Effect, Found, Import};

/// 2026-01-01.
const NOW: i64 = 1_767_225_600_000;
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice";

/// Hashes of crypt(3) but DES can be checked.
fn check(stored: &str) -> Result<(), String> {
    let known = ["$6$", "$y$", "$1$", "$2a$", "$argon2id$"];
    if known.iter().any(|prefix| stored.starts_with(prefix)) {
        Ok(())
    } else {
        Err("its format is not known".to_owned())
    }
}

fn context() -> Context<'static> {
    Context {
        now: NOW,
        check_hash: &check,
    }
}

fn found<'a>(import: &'a Import, name: &str) -> &'a Found {
    import.users.iter().find(|user| user.name == name).unwrap()
}

fn user<'a>(import: &'a Import, name: &str) -> &'a UserRecord {
    found(import, name).user.as_ref().unwrap()
}

/// What the notes of a user are about, with their effects.
fn notes(found: &Found) -> Vec<(Effect, &str)> {
    let notes = found.notes.iter();
    notes
        .map(|note| (note.effect, note.about.as_str()))
        .collect()
}
