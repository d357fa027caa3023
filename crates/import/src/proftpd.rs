//! Virtual users of ProFTPD: `AuthUserFile` and `AuthGroupFile`, as `ftpasswd` writes them.

use std::collections::BTreeMap;

use crate::colon::{self, Line};
use crate::report::{Found, Import, ImportError, Notes};
use crate::{Context, KeyFile, account, keys, password};

/// The files.
#[derive(Debug, Clone, Copy)]
pub struct ProftpdFiles<'a> {
    /// `AuthUserFile`.
    pub users: &'a [u8],
    /// `AuthGroupFile`.
    pub groups: Option<&'a [u8]>,
}

/// Reads the users. `keys` gives the key files of a user, by name and home (`SFTPAuthorizedUserKeys` of `mod_sftp`).
///
/// # Errors
/// Not one line of the users' file is like one of `ftpasswd`.
pub fn proftpd(
    files: ProftpdFiles<'_>,
    keys: &mut dyn FnMut(&str, &str) -> Vec<KeyFile>,
    context: Context<'_>,
) -> Result<Import, ImportError> {
    let groups = groups_by_member(files.groups.unwrap_or_default());
    let users: Vec<_> = colon::lines(files.users)
        .map(|line| user(&line, &groups, keys, context))
        .collect();
    if users.iter().all(|found| found.user.is_err()) {
        return Err(ImportError::new(
            "no user is in it: an AuthUserFile, which `ftpasswd --passwd` makes, is expected",
        ));
    }
    Ok(Import {
        users,
        notes: Vec::new(),
    })
}

/// The names and ids of the groups of each member.
fn groups_by_member(text: &[u8]) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in colon::lines(text) {
        for member in line.field(3).split(',').filter(|name| !name.is_empty()) {
            let group = (line.field(0), line.field(2));
            groups.entry(member).or_default().push(group);
        }
    }
    groups
}

fn user(
    line: &Line<'_>,
    groups: &BTreeMap<&str, Vec<(&str, &str)>>,
    key_files: &mut dyn FnMut(&str, &str) -> Vec<KeyFile>,
    context: Context<'_>,
) -> Found {
    let (name, stored, gid) = (line.field(0), line.field(1), line.field(3));
    if line.len() != 7 {
        let reason = "the line has not seven fields of UTF-8, as those of an AuthUserFile";
        return Found::refused(line.place(), reason);
    }
    let mut notes = Notes::default();
    let mut user = account::new(name, line.field(5));
    account::set_owner(&mut user, &mut notes, line.field(2), gid);
    keys::add(&mut user, &mut notes, &key_files(name, line.field(5)));
    let hash = stored.trim_start_matches('!');
    if hash.is_empty() || hash.starts_with('*') {
        password::leave_out(&mut user, &mut notes, "the user has no password");
    } else {
        password::carry(&mut user, &mut notes, hash, context);
        if hash.len() != stored.len() {
            notes.disabled(
                "locked",
                "the password is locked (`ftpasswd --lock`): to unlock, `sftpgo user set NAME --enable`",
            );
        }
    }
    let others = groups.get(name).into_iter().flatten();
    let others: Vec<_> = others
        .filter(|(_, id)| *id != gid)
        .map(|(name, _)| *name)
        .collect();
    if !others.is_empty() {
        let others = others.join(", ");
        notes.lost(
            "groups",
            format!("{others}: new files get one group only, that of the user"),
        );
    }
    notes.found(user)
}
