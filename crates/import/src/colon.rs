//! Files of lines whose fields stand between colons: passwd and those like it.

/// A line that is no comment and not empty.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    /// Its fields; `None` if they are no UTF-8.
    pub(crate) fields: Option<Vec<&'a str>>,
}

impl<'a> Line<'a> {
    /// A field; empty if the line is too short.
    pub(crate) fn field(&self, at: usize) -> &'a str {
        let fields = self.fields.as_ref();
        fields
            .and_then(|fields| fields.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.fields.as_ref().map_or(0, Vec::len)
    }

    /// What stands for the user in a report if its name cannot be read.
    pub(crate) fn place(&self) -> String {
        format!("line {}", self.number)
    }
}

/// The lines of a file. Lines that begin with `+` or `-` ask other services (nsswitch's `compat`) and are given, too.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    lines.filter_map(|(index, line)| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            return None;
        }
        let text = std::str::from_utf8(line).ok();
        Some(Line {
            number: index + 1,
            fields: text.map(|text| text.split(':').collect()),
        })
    })
}

/// The number of a field; an empty one is none. `Err` if it is no number that fits.
pub(crate) fn number(text: &str) -> Result<Option<i64>, ()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(drop)
}
