//! The database file of the reference's driver `bolt`: a file of bbolt, with accounts as in a dump (reference 5.5).

mod file;
mod page;

use serde_json::Value;
use sftpgo_model::user::fold_json;

use file::{Bucket, File};

use crate::Context;
use crate::dump::{Around, convert};
use crate::report::{Found, Import, ImportError};

/// The version of the accounts that 0.9.6 writes; what is older can be read as well.
const NEWEST: i64 = 3;

/// How files of this program's own driver `bolt` begin.
const OWN_FILE: &[u8] = b"redb";

/// Reads the users. Never writes, never follows an offset that is not in the file.
///
/// # Errors
/// It is no file of bbolt, is damaged, or was written by a later version of the reference.
pub fn reference_bolt(file: &[u8], context: Context<'_>) -> Result<Import, ImportError> {
    if file.starts_with(OWN_FILE) {
        return Err(ImportError::new(
            "this is a database of this program: use `sftpgo dump` with its settings, and `sftpgo restore`",
        ));
    }
    let file = File::open(file)?;
    let root = file.root();
    let version = version(&file, &root)?;
    if version > NEWEST {
        return Err(ImportError::new(format!(
            "its version is {version}: it was written by a later version than 0.9.6; make a dump with the old server \
             (`dumpdata`), and import that"
        )));
    }
    let Some(users) = file.bucket(&root, b"users")? else {
        return Err(ImportError::new(
            "there is no bucket `users`: it is a database of another program",
        ));
    };
    let mut found = Vec::new();
    file.each(&users, &mut |key, value| {
        let place = String::from_utf8_lossy(key).into_owned();
        found.push(user(&place, value, version, context));
    })?;
    Ok(Import {
        users: found,
        notes: Vec::new(),
    })
}

/// The first version did not write one.
fn version(file: &File<'_>, root: &Bucket<'_>) -> Result<i64, ImportError> {
    let Some(bucket) = file.bucket(root, b"db_version")? else {
        return Ok(1);
    };
    let mut version = None;
    file.each(&bucket, &mut |key, value| {
        if key == b"version" {
            let value = serde_json::from_slice::<Value>(value).ok();
            version = value
                .map(fold_json)
                .and_then(|value| value.get("version")?.as_i64());
        }
    })?;
    version.ok_or_else(|| ImportError::new("its version cannot be read"))
}

fn user(place: &str, value: &[u8], version: i64, context: Context<'_>) -> Found {
    let Ok(user) = serde_json::from_slice::<Value>(value) else {
        return Found::refused(place, "what is stored is no JSON");
    };
    let mut user = fold_json(user);
    // Accounts of the first version were all enabled.
    if version == 1
        && let Value::Object(members) = &mut user
    {
        members.insert("status".to_owned(), Value::from(1));
    }
    convert(place, user, &Around::default(), context)
}
