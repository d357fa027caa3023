//! Users of a Linux system: `passwd` and `shadow` (passwd(5), shadow(5)), and the keys in their homes.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use sftpgo_model::UserRecord;

use crate::colon::{self, Line};
use crate::report::{Found, Import, ImportError, Notes};
use crate::{Context, KeyFile, account, keys, password};

const DAY_MS: i64 = 86_400_000;
/// So much is "never" to what makes shadow files.
const NO_LIMIT_DAYS: i64 = 99_999;

/// The user ids that belong to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UidRange(pub RangeInclusive<u32>);

impl Default for UidRange {
    /// Those of `/etc/login.defs`.
    fn default() -> Self {
        Self(1000..=60_000)
    }
}

/// The files.
#[derive(Debug, Clone, Copy)]
pub struct LinuxFiles<'a> {
    /// `/etc/passwd`.
    pub passwd: &'a [u8],
    /// `/etc/shadow`; without it no password is known, unless it stands in `passwd`.
    pub shadow: Option<&'a [u8]>,
}

/// Reads the users whose ids are in `range`. `keys` gives the key files of a user, by name and home.
///
/// # Errors
/// Not one line of `passwd` is like one of passwd(5).
pub fn linux(
    files: LinuxFiles<'_>,
    range: &UidRange,
    keys: &mut dyn FnMut(&str, &str) -> Vec<KeyFile>,
    context: Context<'_>,
) -> Result<Import, ImportError> {
    let shadow = shadow_by_name(files.shadow.unwrap_or_default());
    let mut import = Import::default();
    let (mut of_system, mut elsewhere) = (0_usize, 0_usize);
    for line in colon::lines(files.passwd) {
        if line.field(0).starts_with(['+', '-']) {
            elsewhere += 1;
            continue;
        }
        if line.len() != 7 {
            let reason = "the line has not seven fields of UTF-8, as passwd(5) says";
            import.users.push(Found::refused(line.place(), reason));
            continue;
        }
        let Ok(uid) = line.field(2).parse::<u32>() else {
            let reason = "its user id is no number";
            import.users.push(Found::refused(line.field(0), reason));
            continue;
        };
        if range.0.contains(&uid) {
            let shadow = shadow.get(line.field(0));
            import.users.push(user(&line, shadow, keys, context));
        } else {
            of_system += 1;
        }
    }
    let nothing_like_it = import.users.iter().all(|found| found.user.is_err());
    if of_system + elsewhere == 0 && nothing_like_it {
        return Err(ImportError::new(
            "no user is in it: a file in the form of passwd(5) is expected",
        ));
    }
    let mut notes = Notes::default();
    if of_system > 0 {
        let (least, most) = (range.0.start(), range.0.end());
        notes.lost(
            "system users",
            format!("{of_system} users with ids outside {least} to {most} are left out; --min-uid and --max-uid change that"),
        );
    }
    if elsewhere > 0 {
        notes.lost(
            "NIS",
            format!("{elsewhere} lines ask another service; write its users to a file with `getent passwd` and import that"),
        );
    }
    import.notes = notes.0;
    Ok(import)
}

fn shadow_by_name(text: &[u8]) -> HashMap<&str, Line<'_>> {
    let lines = colon::lines(text).filter(|line| line.len() >= 2);
    lines.map(|line| (line.field(0), line)).collect()
}

fn user(
    line: &Line<'_>,
    shadow: Option<&Line<'_>>,
    key_files: &mut dyn FnMut(&str, &str) -> Vec<KeyFile>,
    context: Context<'_>,
) -> Found {
    let (name, home) = (line.field(0), line.field(5));
    let mut notes = Notes::default();
    let mut user = account::new(name, home);
    account::set_owner(&mut user, &mut notes, line.field(2), line.field(3));
    keys::add(&mut user, &mut notes, &key_files(name, home));
    let stored = match line.field(1) {
        "x" => shadow.map(|shadow| shadow.field(1)),
        in_passwd => Some(in_passwd),
    };
    carry_password(&mut user, &mut notes, stored, context);
    if let Some(shadow) = shadow {
        carry_ages(&mut user, &mut notes, shadow, context);
    }
    note_shell(&mut notes, line.field(6));
    notes.found(user)
}

/// As pam_unix and shadow(5) read it: what begins with `!` is locked, and what is no hash matches no password.
fn carry_password(
    user: &mut UserRecord,
    notes: &mut Notes,
    stored: Option<&str>,
    context: Context<'_>,
) {
    let Some(stored) = stored else {
        let reason = "there is no line for the user in the shadow file";
        return password::leave_out(user, notes, reason);
    };
    let hash = stored.trim_start_matches('!');
    if stored.is_empty() {
        return password::leave_out(
            user,
            notes,
            "the user needs no password there; here it does",
        );
    }
    if hash.is_empty() || hash.starts_with('*') {
        return password::leave_out(user, notes, "the user has no password");
    }
    password::carry(user, notes, hash, context);
    if hash.len() != stored.len() {
        notes.disabled(
            "locked",
            "the password is locked (`passwd -l`): to unlock, `sftpgo user set NAME --enable`",
        );
    }
}

/// The ages of shadow(5): the day on which an account expires is carried over, those of passwords are not.
fn carry_ages(user: &mut UserRecord, notes: &mut Notes, shadow: &Line<'_>, context: Context<'_>) {
    match colon::number(shadow.field(7)) {
        Ok(None) => {}
        Ok(Some(days)) if days >= 0 => {
            // 0 would be never; on that day it was expired as well.
            user.expiration_date = days.saturating_mul(DAY_MS).max(1);
            if user.expiration_date <= context.now {
                notes.changed(
                    "expired",
                    "the account has expired, there and here; `sftpgo user set NAME --expires never` revives it",
                );
            }
        }
        Ok(Some(_)) | Err(()) => {
            notes.disabled(
                "expired",
                "the day on which the account expires is not understood",
            );
        }
    }
    if colon::number(shadow.field(2)) == Ok(Some(0)) {
        notes.lost(
            "password age",
            "the user was to change the password at the next login",
        );
    }
    let longest = colon::number(shadow.field(4)).ok().flatten();
    if longest.is_some_and(|days| (0..NO_LIMIT_DAYS).contains(&days)) {
        notes.lost("password age", "passwords do not get too old here");
    }
}

fn note_shell(notes: &mut Notes, shell: &str) {
    let program = shell.rsplit('/').next().unwrap_or_default();
    if matches!(program, "nologin" | "false") {
        notes.changed(
            "shell",
            format!("{shell} forbids logins to a shell; to this server the user can log in (`sftpgo user set NAME --disable` if not wanted)"),
        );
    }
}
