//! The time of the last change, kept with the object as rclone keeps it: metadata `mtime`, seconds since 1970 as a decimal
//! number. So rclone sees the times that clients set here, and clients here those of rclone.

use super::store::{Attributes, ObjectInfo};
use crate::metadata::FileTime;

/// The name of the value.
pub const MTIME: &str = "mtime";
const NANOS_DIGITS: usize = 9;

/// As rclone writes it: no more digits than needed.
pub fn format_mtime(time: FileTime) -> String {
    // A time before 1970 counts back from it: -0.5 is half a second before.
    let (sign, seconds, nanos) = if time.seconds < 0 && time.nanos > 0 {
        let seconds = time.seconds.saturating_add(1);
        (
            "-",
            seconds.unsigned_abs(),
            1_000_000_000_u32.saturating_sub(time.nanos),
        )
    } else if time.seconds < 0 {
        ("-", time.seconds.unsigned_abs(), 0)
    } else {
        ("", time.seconds.unsigned_abs(), time.nanos)
    };
    let text = format!("{sign}{seconds}.{nanos:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads what rclone or this server wrote; `None` for anything else.
pub fn parse_mtime(text: &str) -> Option<FileTime> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let fraction = fraction.get(..NANOS_DIGITS).unwrap_or(fraction);
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    Some(match (negative, nanos) {
        (false, nanos) => FileTime { seconds, nanos },
        (true, 0) => FileTime {
            seconds: seconds.checked_neg()?,
            nanos: 0,
        },
        (true, nanos) => FileTime {
            seconds: seconds.checked_neg()?.checked_sub(1)?,
            nanos: 1_000_000_000_u32.saturating_sub(nanos),
        },
    })
}

/// When the file was changed: as somebody said, else when the store took it.
pub(super) fn modified_of(info: &ObjectInfo) -> FileTime {
    let set = info.attributes.metadata.get(MTIME);
    set.and_then(|text| parse_mtime(text))
        .unwrap_or(info.modified)
}

/// Notes the time of the last change.
pub(super) fn note_modified(attributes: &mut Attributes, time: FileTime) {
    let text = format_mtime(time);
    attributes.metadata.insert(MTIME.to_owned(), text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_rclone_does() {
        for (seconds, nanos, text) in [
            (1_354_040_105, 123_456_789, "1354040105.123456789"),
            (1_354_040_105, 0, "1354040105"),
            (1_354_040_100, 500_000_000, "1354040100.5"),
            (0, 0, "0"),
            (-1, 500_000_000, "-0.5"),
            (-20, 0, "-20"),
        ] {
            let time = FileTime { seconds, nanos };
            assert_eq!(format_mtime(time), text);
            assert_eq!(parse_mtime(text), Some(time));
        }
        for text in ["", "x", ".5", "1e9", "1.x", "--1", "99999999999999999999"] {
            assert_eq!(parse_mtime(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_comes_back(seconds in -1_i64 << 40..1 << 40, nanos in 0_u32..1_000_000_000) {
            let time = FileTime { seconds, nanos };
            prop_assert_eq!(parse_mtime(&format_mtime(time)), Some(time));
        }
    }
}
