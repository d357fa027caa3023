//! The `ls -l` line of a NAME entry (draft 7).
//!
//! The draft leaves its form open, but FileZilla takes type, size, owner and date from it, so the columns, the English
//! months and the numeric owners are what clients rely on. There is no clock and no time zone here: the caller breaks
//! the time down.

use bytes::{BufMut, BytesMut};

use super::writer::{Align, put_decimal};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// One line: type and permissions, links, owner, group, size, date, name.
#[derive(Debug, Clone, Copy)]
pub struct LongName<'a> {
    /// POSIX mode with the file type bits; without them it is shown as a regular file.
    pub mode: u32,
    /// Number of hard links.
    pub links: u64,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Modification time.
    pub time: LongNameTime,
    /// Name within the directory.
    pub name: &'a [u8],
}

/// A local time, broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongNameTime {
    /// 1 to 12; anything else is shown as January.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Year of our era.
    pub year: u16,
    /// Whether the time of day is shown rather than the year: `ls` does so for half a year (365/2 days).
    pub recent: bool,
}

impl LongName<'_> {
    /// Appends the line, without a line end.
    pub fn write(&self, out: &mut BytesMut) {
        out.put_slice(&mode_text(self.mode));
        out.put_u8(b' ');
        put_decimal(out, self.links, 4, Align::Right);
        out.put_u8(b' ');
        put_decimal(out, self.uid.into(), 8, Align::Left);
        out.put_u8(b' ');
        put_decimal(out, self.gid.into(), 8, Align::Left);
        out.put_u8(b' ');
        put_decimal(out, self.size, 8, Align::Right);
        out.put_u8(b' ');
        self.time.write(out);
        out.put_u8(b' ');
        out.put_slice(self.name);
    }
}

impl LongNameTime {
    fn write(self, out: &mut BytesMut) {
        let month = MONTHS.get(usize::from(self.month.saturating_sub(1)));
        out.put_slice(*month.unwrap_or(&b"Jan"));
        out.put_u8(b' ');
        put_decimal(out, self.day.into(), 2, Align::Right);
        out.put_u8(b' ');
        if self.recent {
            put_two_digits(out, self.hour);
            out.put_u8(b':');
            put_two_digits(out, self.minute);
        } else {
            put_decimal(out, self.year.into(), 5, Align::Right);
        }
    }
}

fn put_two_digits(out: &mut BytesMut, value: u8) {
    out.put_u8(b'0' + value / 10 % 10);
    out.put_u8(b'0' + value % 10);
}

/// `drwxr-xr-x` and the like: the file type, then three letters for owner, group and others.
pub fn mode_text(mode: u32) -> [u8; 10] {
    let kind = match mode & 0o170_000 {
        0o040_000 => b'd',
        0o120_000 => b'l',
        0o020_000 => b'c',
        0o060_000 => b'b',
        0o010_000 => b'p',
        0o140_000 => b's',
        _ => b'-',
    };
    let [r1, w1, x1] = triplet(mode >> 6, mode & 0o4000 != 0, *b"sS");
    let [r2, w2, x2] = triplet(mode >> 3, mode & 0o2000 != 0, *b"sS");
    let [r3, w3, x3] = triplet(mode, mode & 0o1000 != 0, *b"tT");
    [kind, r1, w1, x1, r2, w2, x2, r3, w3, x3]
}

/// `special` is the letter for a set bit with and without the right to execute.
fn triplet(bits: u32, special_set: bool, special: [u8; 2]) -> [u8; 3] {
    let letter = |bit: u32, letter: u8| if bits & bit != 0 { letter } else { b'-' };
    let [with_execute, without] = special;
    let execute = match (special_set, bits & 1 != 0) {
        (true, true) => with_execute,
        (true, false) => without,
        (false, _) => letter(1, b'x'),
    };
    [letter(4, b'r'), letter(2, b'w'), execute]
}
