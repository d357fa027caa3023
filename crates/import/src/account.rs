//! What accounts of files with colons have in common.

use std::collections::BTreeMap;

use sftpgo_model::UserRecord;

use crate::report::Notes;

/// Ids that new files can be given to.
const IDS: std::ops::RangeInclusive<i64> = 1..=65535;

/// An enabled user that may do everything in its home.
pub(crate) fn new(name: &str, home: &str) -> UserRecord {
    UserRecord {
        status: 1,
        username: name.to_owned(),
        home_dir: home.to_owned(),
        permissions: BTreeMap::from([("/".to_owned(), vec!["*".to_owned()])]),
        ..UserRecord::default()
    }
}

/// Takes the owner of new files over.
pub(crate) fn set_owner(user: &mut UserRecord, notes: &mut Notes, uid: &str, gid: &str) {
    let mut id = |name: &str, text: &str| match text.parse::<i64>() {
        Ok(id) if IDS.contains(&id) => id,
        _ => {
            notes.lost(
                name,
                format!(
                    "{name} {text:?} is not between 1 and 65535: new files get the owner of the server process"
                ),
            );
            0
        }
    };
    user.uid = id("uid", uid);
    user.gid = id("gid", gid);
}
