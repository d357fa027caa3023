//! Attributes between the wire and the core, and the `ls -l` line of listings.

use bytes::BytesMut;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sftpgo_core::{Entry, FileTime, Metadata, SetAttributes};
use sftpgo_wire::sftp::{Attrs, LongName, LongNameTime};

/// Half a year: older entries show the year instead of the time of day (`ls`).
const RECENT_SECONDS: i64 = 365 * 24 * 3600 / 2;

/// Everything version 3 can say of a file. Times outside its 32 bits are shown as the nearest that fits.
pub(super) fn to_wire(metadata: &Metadata) -> Attrs {
    Attrs {
        size: Some(metadata.size),
        owner: Some((metadata.uid, metadata.gid)),
        permissions: Some(metadata.mode),
        times: Some((seconds(metadata.accessed), seconds(metadata.modified))),
    }
}

fn seconds(time: FileTime) -> u32 {
    u32::try_from(time.seconds.max(0)).unwrap_or(u32::MAX)
}

/// What a client wants changed, but for the size.
pub(super) fn from_wire(attrs: &Attrs) -> SetAttributes {
    let time = |seconds: u32| FileTime {
        seconds: i64::from(seconds),
        nanos: 0,
    };
    SetAttributes {
        owner: attrs.owner.map(|(uid, gid)| (Some(uid), Some(gid))),
        mode: attrs.permissions.map(|mode| mode & 0o777),
        times: attrs
            .times
            .map(|(accessed, modified)| (time(accessed), time(modified))),
    }
}

/// Writes long names in the time zone of the server.
#[derive(Debug)]
pub(super) struct LongNames {
    zone: TimeZone,
    now: Timestamp,
}

impl LongNames {
    pub(super) fn new() -> Self {
        Self {
            zone: TimeZone::system(),
            now: Timestamp::now(),
        }
    }

    /// Appends the line of an entry.
    pub(super) fn write(&self, entry: &Entry, out: &mut BytesMut) {
        let metadata = &entry.metadata;
        LongName {
            mode: metadata.mode,
            links: metadata.links,
            uid: metadata.uid,
            gid: metadata.gid,
            size: metadata.size,
            time: self.local(metadata.modified),
            name: &entry.name,
        }
        .write(out);
    }

    fn local(&self, time: FileTime) -> LongNameTime {
        let stamp = Timestamp::from_second(time.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = self.zone.to_offset(stamp).to_datetime(stamp);
        let small = |value: i8| u8::try_from(value).unwrap_or(0);
        LongNameTime {
            month: small(local.month()),
            day: small(local.day()),
            hour: small(local.hour()),
            minute: small(local.minute()),
            year: u16::try_from(local.year()).unwrap_or(0),
            recent: self.now.as_second().saturating_sub(time.seconds) < RECENT_SECONDS,
        }
    }
}
