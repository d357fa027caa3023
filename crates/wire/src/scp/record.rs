//! Records and replies: one line each, or a zero byte.

use std::fmt;

use bytes::{BufMut, Bytes};

/// Longest record or complaint without its newline: a name as long as a path, and what stands before it.
pub const MAX_RECORD: usize = 4096 + 64;

/// Longest text of a complaint that is sent.
const MAX_TEXT: usize = 1024;

/// Times in seconds since the epoch. The records hold microseconds as well, which every sink drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Last change.
    pub modified: u64,
    /// Last read.
    pub accessed: u64,
}

/// What went wrong on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// `\x02`: it gives up. `\x01`: it goes on.
    pub fatal: bool,
    /// Without the newline; any bytes.
    pub text: Bytes,
}

/// What a source sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// `T`: the times of the file or directory that comes next.
    Times(Times),
    /// `C`: a file, whose bytes follow once the sink has agreed.
    File {
        /// Permission bits.
        mode: u32,
        /// Number of bytes.
        size: u64,
        /// One name: not empty, not `.` or `..`, without `/` and NUL.
        name: Bytes,
    },
    /// `D`: a directory; what comes next lies in it.
    Directory {
        /// Permission bits.
        mode: u32,
        /// As in [`Record::File`].
        name: Bytes,
    },
    /// `E`: the directory ends.
    End,
    /// Something went wrong; no reply is expected.
    Complaint(Complaint),
}

/// What a sink answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A zero byte.
    Ok,
    /// It cannot.
    Complaint(Complaint),
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordError {
    /// It begins with something else than a kind of record.
    Kind,
    /// The mode is missing, or no octal number.
    Mode,
    /// The size is missing, or no decimal number.
    Size,
    /// A file larger than any file can be.
    TooLarge,
    /// The name is missing, or not one that a file can have in its directory.
    Name,
    /// The times are not four numbers.
    Times,
    /// Something behind the `E`.
    End,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "expected control record",
            Self::Mode => "bad mode",
            Self::Size => "size not present",
            Self::TooLarge => "size out of range",
            Self::Name => "unexpected filename",
            Self::Times => "times not present",
            Self::End => "text behind the end of a directory",
        })
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// Whether a record may begin so. Known from the first byte, so that nobody waits for the end of a line that is none.
    pub(super) const fn begins_with(first: u8) -> bool {
        matches!(first, b'T' | b'C' | b'D' | b'E' | 1 | 2)
    }

    /// Reads a line without its newline.
    pub(super) fn parse(line: &[u8]) -> Result<Self, RecordError> {
        let (kind, rest) = line.split_first().ok_or(RecordError::Kind)?;
        match kind {
            b'T' => times(rest).map(Self::Times).ok_or(RecordError::Times),
            b'C' => {
                let (mode, size, name) = entry(rest)?;
                let size = i64::try_from(size).map_err(|_| RecordError::TooLarge)?;
                let size = size.unsigned_abs();
                Ok(Self::File { mode, size, name })
            }
            b'D' => {
                let (mode, _size, name) = entry(rest)?;
                Ok(Self::Directory { mode, name })
            }
            b'E' if rest.is_empty() => Ok(Self::End),
            b'E' => Err(RecordError::End),
            1 | 2 => Ok(Self::Complaint(complaint(*kind, rest))),
            _ => Err(RecordError::Kind),
        }
    }

    /// Appends the record with its newline.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Times(times) => {
                let Times { modified, accessed } = times;
                out.put_slice(format!("T{modified} 0 {accessed} 0\n").as_bytes());
            }
            Self::File { mode, size, name } => {
                out.put_slice(format!("C{mode:04o} {size} ").as_bytes());
                out.put_slice(name);
                out.push(b'\n');
            }
            Self::Directory { mode, name } => {
                out.put_slice(format!("D{mode:04o} 0 ").as_bytes());
                out.put_slice(name);
                out.push(b'\n');
            }
            Self::End => out.put_slice(b"E\n"),
            Self::Complaint(complaint) => complaint.encode(out),
        }
    }
}

impl Reply {
    pub(super) const fn begins_with(first: u8) -> bool {
        matches!(first, 1 | 2)
    }

    pub(super) fn parse(line: &[u8]) -> Result<Self, RecordError> {
        let (kind, rest) = line.split_first().ok_or(RecordError::Kind)?;
        if !Self::begins_with(*kind) {
            return Err(RecordError::Kind);
        }
        Ok(Self::Complaint(complaint(*kind, rest)))
    }

    /// Appends the reply.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ok => out.push(0),
            Self::Complaint(complaint) => complaint.encode(out),
        }
    }
}

impl Complaint {
    /// One with a text for people.
    pub fn new(fatal: bool, text: impl Into<Bytes>) -> Self {
        Self {
            fatal,
            text: text.into(),
        }
    }

    /// Appends it as one line that a terminal can show: controls are replaced, a long text is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(if self.fatal { 2 } else { 1 });
        let text = self.text.iter().take(MAX_TEXT);
        out.extend(text.map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }));
        out.push(b'\n');
    }
}

fn complaint(kind: u8, text: &[u8]) -> Complaint {
    Complaint::new(kind == 2, Bytes::copy_from_slice(text))
}

/// `<modified> <microseconds> <accessed> <microseconds>`.
fn times(rest: &[u8]) -> Option<Times> {
    let mut numbers = rest.split(|byte| *byte == b' ').map(decimal);
    let mut next = || numbers.next().flatten();
    let (modified, micros, accessed, more_micros) = (next()?, next()?, next()?, next()?);
    let in_range = micros < 1_000_000 && more_micros < 1_000_000;
    (in_range && numbers.next().is_none()).then_some(Times { modified, accessed })
}

/// `<mode> <size> <name>`; the name may hold spaces.
fn entry(rest: &[u8]) -> Result<(u32, u64, Bytes), RecordError> {
    let mut fields = rest.splitn(3, |byte| *byte == b' ');
    let mode = fields.next().and_then(octal).ok_or(RecordError::Mode)?;
    let size = fields.next().ok_or(RecordError::Size)?;
    let name = fields.next().ok_or(RecordError::Name)?;
    if size.is_empty() || !size.iter().all(u8::is_ascii_digit) {
        return Err(RecordError::Size);
    }
    let size = decimal(size).ok_or(RecordError::TooLarge)?;
    let one_name =
        !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0));
    if !one_name {
        return Err(RecordError::Name);
    }
    Ok((mode, size, Bytes::copy_from_slice(name)))
}

/// Clients send four digits; a few send `st_mode` as it is.
fn octal(text: &[u8]) -> Option<u32> {
    let digits = (1..=7).contains(&text.len()) && text.iter().all(|b| matches!(b, b'0'..=b'7'));
    let value = |sum: u32, digit: &u8| (sum << 3) | u32::from(digit & 7);
    digits.then(|| text.iter().fold(0, value) & 0o7777)
}

/// A number of digits only: no sign, no space.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Record, RecordError> {
        Record::parse(line.as_bytes())
    }

    #[test]
    fn records_are_read_as_openssh_writes_them() {
        let file = |mode, size, name: &'static str| Record::File {
            mode,
            size,
            name: Bytes::from(name),
        };
        assert_eq!(parse("C0644 5 f"), Ok(file(0o644, 5, "f")));
        assert_eq!(parse("C0644 5 a b  c "), Ok(file(0o644, 5, "a b  c ")));
        assert_eq!(
            parse("C0777 9223372036854775807 f"),
            Ok(file(0o777, i64::MAX.unsigned_abs(), "f"))
        );
        assert_eq!(parse("C100644 0 f"), Ok(file(0o644, 0, "f")));
        let (mode, name) = (0o755, Bytes::from("dir"));
        assert_eq!(parse("D0755 0 dir"), Ok(Record::Directory { mode, name }));
        assert_eq!(parse("E"), Ok(Record::End));
        let (modified, accessed) = (1_582_100_000, 1);
        assert_eq!(
            parse("T1582100000 0 1 999999"),
            Ok(Record::Times(Times { modified, accessed }))
        );
        assert_eq!(
            parse("\x01f: no such file"),
            Ok(Record::Complaint(Complaint::new(false, "f: no such file")))
        );
    }

    #[test]
    fn malformed_records_are_refused_each_for_its_reason() {
        use RecordError as E;
        for (line, error) in [
            ("", E::Kind),
            ("X0644 5 f", E::Kind),
            ("C", E::Mode),
            ("C0648 5 f", E::Mode),
            ("C-644 5 f", E::Mode),
            ("C 5 f", E::Mode),
            ("C00000644 5 f", E::Mode),
            ("C0644", E::Size),
            ("C0644  f", E::Size),
            ("C0644 -1 f", E::Size),
            ("C0644 5x f", E::Size),
            ("C0644 0x5 f", E::Size),
            ("C0644 9223372036854775808 f", E::TooLarge),
            ("C0644 99999999999999999999999 f", E::TooLarge),
            ("C0644 5", E::Name),
            ("C0644 5 ", E::Name),
            ("C0644 5 .", E::Name),
            ("C0644 5 ..", E::Name),
            ("C0644 5 ../x", E::Name),
            ("C0644 5 a/b", E::Name),
            ("C0644 5 /etc/passwd", E::Name),
            ("C0644 5 a\0b", E::Name),
            ("D0755 0 ..", E::Name),
            ("D0755 0 ", E::Name),
            ("D0755 x dir", E::Size),
            ("E0755 0 dir", E::End),
            ("T", E::Times),
            ("T1 2 3", E::Times),
            ("T1 0 3 0 0", E::Times),
            ("T-1 0 3 0", E::Times),
            ("T1 1000000 3 0", E::Times),
            ("T99999999999999999999 0 3 0", E::Times),
        ] {
            assert_eq!(parse(line), Err(error), "{line:?}");
        }
    }

    #[test]
    fn a_complaint_is_one_line_that_a_terminal_can_show() {
        let mut out = Vec::new();
        Complaint::new(true, "a\nb\x1b[31m\0").encode(&mut out);
        assert_eq!(out, b"\x02a?b?[31m?\n");
        out.clear();
        Complaint::new(false, vec![b'x'; 5000]).encode(&mut out);
        assert!(out.len() <= MAX_TEXT + 2);
    }
}
