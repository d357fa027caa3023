//! Virtual users of Pure-FTPd: `pureftpd.passwd`, as `pure-pw` writes it.
//!
//! Its fields: name, hash, uid, gid, gecos, home, upload and download bandwidth in bytes per second, ratios of uploads and
//! downloads, connections, files, bytes, local addresses allowed and denied, those of clients, times of day.

use std::net::IpAddr;

use sftpgo_model::UserRecord;

use crate::colon::{self, Line};
use crate::report::{Found, Import, ImportError, Notes};
use crate::{Context, account, password};

/// Fields that a line has at least: up to the home.
const LEAST: usize = 6;

/// Reads the users.
///
/// # Errors
/// Not one line is like one of `pure-pw`.
pub fn pure_ftpd(text: &[u8], context: Context<'_>) -> Result<Import, ImportError> {
    let users: Vec<_> = colon::lines(text)
        .map(|line| user(&line, context))
        .collect();
    if users.iter().all(|found| found.user.is_err()) {
        return Err(ImportError::new(
            "no user is in it: a pureftpd.passwd, which `pure-pw` makes, is expected",
        ));
    }
    Ok(Import {
        users,
        notes: Vec::new(),
    })
}

fn user(line: &Line<'_>, context: Context<'_>) -> Found {
    if line.len() < LEAST {
        let reason = "the line has not the fields of a pureftpd.passwd in UTF-8";
        return Found::refused(line.place(), reason);
    }
    let mut notes = Notes::default();
    // What is before the mark is the root of the user, who begins in what is behind it.
    let (home, start) = line
        .field(5)
        .split_once("/./")
        .unwrap_or((line.field(5), ""));
    let mut user = account::new(line.field(0), if home.is_empty() { "/" } else { home });
    if !start.is_empty() {
        notes.lost("home", format!("sessions begin in /, not in {start:?}"));
    }
    account::set_owner(&mut user, &mut notes, line.field(2), line.field(3));
    match line.field(1) {
        "" | "*" => password::leave_out(&mut user, &mut notes, "the user has no password"),
        stored => password::carry(&mut user, &mut notes, stored, context),
    }
    carry_limits(&mut user, &mut notes, line);
    user.filters.allowed_ip = addresses(&mut notes, "allowed clients", line.field(15));
    user.filters.denied_ip = addresses(&mut notes, "denied clients", line.field(16));
    note_the_rest(&mut notes, line);
    notes.found(user)
}

fn carry_limits(user: &mut UserRecord, notes: &mut Notes, line: &Line<'_>) {
    let mut limit = |about: &str, at: usize| match colon::number(line.field(at)) {
        Ok(number) => number.unwrap_or(0).max(0),
        Err(()) => {
            notes.disabled(about, "the limit is no number; set it and enable the user");
            0
        }
    };
    // A kilobyte is 1000 bytes in accounts; less than one must not become no limit.
    let bandwidth = |bytes: i64| bytes.saturating_add(999) / 1000;
    user.upload_bandwidth = bandwidth(limit("upload bandwidth", 6));
    user.download_bandwidth = bandwidth(limit("download bandwidth", 7));
    user.max_sessions = limit("connections", 10);
    user.quota_files = limit("quota of files", 11);
    user.quota_size = limit("quota of bytes", 12);
}

/// Ranges in CIDR notation. A filter that is only in part understood would let others in.
fn addresses(notes: &mut Notes, about: &str, text: &str) -> Vec<String> {
    let mut ranges = Vec::new();
    for item in text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        match range(item) {
            Some(range) => ranges.push(range),
            None => notes.disabled(
                about,
                format!("{item:?} is no address or network: add it with `sftpgo user set` (--allow-ip, --deny-ip) and --enable"),
            ),
        }
    }
    ranges
}

fn range(text: &str) -> Option<String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then(|| format!("{address}/{bits}"))
}

fn note_the_rest(notes: &mut Notes, line: &Line<'_>) {
    let is_set = |at: usize| !matches!(line.field(at), "" | "0");
    if is_set(8) || is_set(9) {
        notes.lost("ratios", "there are no ratios of uploads to downloads");
    }
    if is_set(13) || is_set(14) {
        notes.lost(
            "local addresses",
            "users cannot be bound to an address of the server",
        );
    }
    if is_set(17) {
        let times = line.field(17);
        notes.lost("times", format!("logins are not limited to times of day ({times:?}); `sftpgo user set NAME --disable` if they must be"));
    }
    if line.len() > 18 {
        notes.lost("fields", "the line has more fields than are known");
    }
}
