//! Figures and lists of an account as people read them (reference 3.7), and times.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sftpgo_core::model::{UnixMillis, UserRecord};

/// Bytes with the units of powers of 1000.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Exact to a tenth in whole numbers: a float would round 999,999 up to "1000.0 KB".
    let mut divisor: u64 = 1000;
    let mut unit = "KB";
    for larger in UNITS.into_iter().skip(1) {
        let rounds_up = bytes >= divisor.saturating_mul(1000) - divisor / 20;
        match divisor.checked_mul(1000).filter(|_| rounds_up) {
            Some(next) => (divisor, unit) = (next, larger),
            None => break,
        }
    }
    let tenths = (u128::from(bytes) * 10 + u128::from(divisor) / 2) / u128::from(divisor);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

fn signed_size(bytes: i64) -> String {
    size(u64::try_from(bytes).unwrap_or(0))
}

/// `Files: 1/10` and, if it says something, `Size: 5 B/1.0 KB`; the reference puts ". " between them.
pub(super) fn quota(user: &UserRecord) -> Vec<String> {
    let mut files = format!("Files: {}", user.used_quota_files);
    // Writing into a string cannot fail.
    if user.quota_files > 0 {
        let _ = write!(files, "/{}", user.quota_files);
    }
    let mut texts = vec![files];
    if user.used_quota_size > 0 || user.quota_size > 0 {
        let mut bytes = format!("Size: {}", signed_size(user.used_quota_size));
        if user.quota_size > 0 {
            let _ = write!(bytes, "/{}", signed_size(user.quota_size));
        }
        texts.push(bytes);
    }
    texts
}

/// `"/": "*", "/sub": "list, download"`; the root sorts first.
pub(super) fn permissions(user: &UserRecord) -> String {
    let lists = user.permissions.iter();
    let lists =
        lists.map(|(directory, names)| format!("\"{directory}\": \"{}\"", names.join(", ")));
    lists.collect::<Vec<_>>().join(", ")
}

/// `Download: 1.0 MB/s.` and `Upload: unlimited.`; the reference puts a blank between them.
pub(super) fn bandwidth(user: &UserRecord) -> Vec<String> {
    let limit = |kilobytes: i64| match u64::try_from(kilobytes) {
        Ok(kilobytes) if kilobytes > 0 => format!("{}/s.", size(kilobytes.saturating_mul(1000))),
        Ok(_) | Err(_) => "unlimited.".to_owned(),
    };
    vec![
        format!("Download: {}", limit(user.download_bandwidth)),
        format!("Upload: {}", limit(user.upload_bandwidth)),
    ]
}

/// Everything else that says something, by what it is about.
pub(super) fn info(user: &UserRecord) -> Vec<(&'static str, String)> {
    let mut pieces = Vec::new();
    if user.last_login > 0 {
        pieces.push(("Last login", local_time(UnixMillis(user.last_login))));
    }
    if let Some(back_end) = user.filesystem.provider.back_end() {
        pieces.push(("Storage", back_end.short.to_owned()));
    }
    let count = |list: &[String]| i64::try_from(list.len()).unwrap_or(i64::MAX);
    for (name, value) in [
        ("Public keys", count(&user.public_keys)),
        ("Max sessions", user.max_sessions),
        ("UID", user.uid),
        ("GID", user.gid),
        ("Denied IP/Mask", count(&user.filters.denied_ip)),
        ("Allowed IP/Mask", count(&user.filters.allowed_ip)),
    ] {
        if value > 0 {
            pieces.push((name, value.to_string()));
        }
    }
    pieces
}

/// The day on which an account expires, in local time; empty if it does not.
pub(super) fn expiration(user: &UserRecord) -> String {
    if user.expiration_date <= 0 {
        return String::new();
    }
    formatted(UnixMillis(user.expiration_date), "%Y-%m-%d")
}

/// To the second, in local time.
pub fn local_time(time: UnixMillis) -> String {
    formatted(time, "%Y-%m-%d %H:%M:%S")
}

fn formatted(time: UnixMillis, format: &str) -> String {
    let time = Timestamp::from_millisecond(time.0);
    time.map_or_else(
        |_| "a time that cannot be shown".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime(format)
                .to_string()
        },
    )
}

/// `MM:SS`, or `HH:MM:SS` from an hour on.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// `3 days, 4 hours`: the two largest units.
pub fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [
        (seconds / 86_400, "day"),
        (seconds / 3600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let said = |&(number, unit): &(u64, &str)| match number {
        1 => format!("1 {unit}"),
        _ => format!("{number} {unit}s"),
    };
    let parts: Vec<_> = units
        .iter()
        .skip_while(|(number, _)| *number == 0)
        .take(2)
        .collect();
    match parts.as_slice() {
        [] => "0 seconds".to_owned(),
        parts => {
            let shown = parts.iter().filter(|(number, _)| *number > 0);
            shown.map(|part| said(part)).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_units_of_the_reference() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (1049, "1.0 KB"),
            (1050, "1.1 KB"),
            (999_949, "999.9 KB"),
            (999_950, "1.0 MB"),
            (5_000_000_000, "5.0 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn a_quota_shows_limits_only_where_there_are_some() {
        let mut user = UserRecord::default();
        assert_eq!(quota(&user), ["Files: 0"]);
        (user.used_quota_files, user.quota_files) = (3, 10);
        assert_eq!(quota(&user), ["Files: 3/10"]);
        user.used_quota_size = 2500;
        assert_eq!(quota(&user), ["Files: 3/10", "Size: 2.5 KB"]);
        user.quota_size = 1_000_000;
        assert_eq!(quota(&user), ["Files: 3/10", "Size: 2.5 KB/1.0 MB"]);
        user.used_quota_size = 0;
        assert_eq!(quota(&user), ["Files: 3/10", "Size: 0 B/1.0 MB"]);
    }

    #[test]
    fn permissions_begin_with_the_root() {
        let json = br#"{"permissions":{"/b":["list","download"],"/":["*"],"/a":[]}}"#;
        let user = UserRecord::from_json(json).unwrap();
        assert_eq!(
            permissions(&user),
            r#""/": "*", "/a": "", "/b": "list, download""#
        );
    }

    #[test]
    fn a_bandwidth_of_zero_is_unlimited() {
        let user = UserRecord {
            upload_bandwidth: 128,
            ..UserRecord::default()
        };
        assert_eq!(
            bandwidth(&user),
            ["Download: unlimited.", "Upload: 128.0 KB/s."]
        );
    }

    #[test]
    fn other_things_are_told_only_if_they_are_set() {
        assert_eq!(info(&UserRecord::default()), []);
        let json = br#"{"public_keys":["a","b"],"max_sessions":2,"uid":1000,
            "filters":{"denied_ip":["10.0.0.0/8"]},"filesystem":{"provider":1}}"#;
        let user = UserRecord::from_json(json).unwrap();
        let pieces = info(&user).into_iter();
        let told: Vec<_> = pieces
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let expected = [
            "Storage: S3",
            "Public keys: 2",
            "Max sessions: 2",
            "UID: 1000",
            "Denied IP/Mask: 1",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn spans_are_told_in_two_ways() {
        let spans = [
            (0, "00:00", "0 seconds"),
            (61, "01:01", "1 minute, 1 second"),
            (3600, "01:00:00", "1 hour"),
            (90_000, "25:00:00", "1 day, 1 hour"),
            (172_860, "48:01:00", "2 days"),
        ];
        for (seconds, short, long) in spans {
            let time = Duration::from_secs(seconds);
            assert_eq!(
                (clock(time).as_str(), lasting(time).as_str()),
                (short, long)
            );
        }
    }
}
