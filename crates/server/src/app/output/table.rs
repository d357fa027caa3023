//! Tables with a header, and lists of facts.

use std::fmt::Write as _;

use super::screen;
use super::text::plain;

/// Between two columns.
const GAP: &str = "  ";

/// Rows below a header. Every cell is made harmless.
#[derive(Debug)]
pub(in crate::app) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(in crate::app) fn new(header: [&'static str; N]) -> Self {
        Self {
            header,
            rows: Vec::new(),
        }
    }

    pub(in crate::app) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| plain(&cell)));
    }

    /// Aligned columns. On a terminal that is too narrow for them every row becomes a paragraph with a line for each
    /// cell: columns that break over several lines cannot be read.
    pub(in crate::app) fn text(&self) -> String {
        self.within(screen::columns())
    }

    fn within(&self, columns: Option<usize>) -> String {
        let widths = self.widths();
        let needed = widths.iter().sum::<usize>() + GAP.len() * N.saturating_sub(1);
        if columns.is_some_and(|columns| columns < needed) && !self.rows.is_empty() {
            return self.paragraphs();
        }
        let mut text = String::new();
        push_line(&mut text, self.header.iter().copied().zip(widths));
        for row in &self.rows {
            push_line(&mut text, row.iter().map(String::as_str).zip(widths));
        }
        text
    }

    fn widths(&self) -> [usize; N] {
        let mut widths = self.header.map(width);
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        widths
    }

    fn paragraphs(&self) -> String {
        let paragraphs = self.rows.iter().map(|row| {
            let mut facts = Facts::default();
            for (name, value) in self
                .header
                .iter()
                .zip(row)
                .filter(|(_, value)| !value.is_empty())
            {
                facts.harmless(name, value.clone());
            }
            facts.text()
        });
        paragraphs.collect::<Vec<_>>().join("\n")
    }
}

/// Names and values, a line each. Every value is made harmless.
#[derive(Debug, Default)]
pub(in crate::app) struct Facts {
    lines: Vec<(String, String)>,
}

impl Facts {
    pub(in crate::app) fn fact(&mut self, name: &str, value: impl AsRef<str>) {
        self.harmless(name, plain(value.as_ref()));
    }

    fn harmless(&mut self, name: &str, value: String) {
        self.lines.push((name.to_owned(), value));
    }

    pub(in crate::app) fn text(&self) -> String {
        let names = self.lines.iter().map(|(name, _)| width(name));
        let widest = names.max().unwrap_or_default();
        let mut text = String::new();
        for (name, value) in &self.lines {
            push_line(
                &mut text,
                [(name.as_str(), widest), (value.as_str(), 0)].into_iter(),
            );
        }
        text
    }
}

fn push_line<'a>(text: &mut String, cells: impl Iterator<Item = (&'a str, usize)>) {
    let mut line = String::new();
    for (cell, width) in cells {
        // Writing into a string cannot fail.
        let _ = write!(line, "{cell:width$}{GAP}");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<3> {
        let mut table = Table::new(["NAME", "STATE", "HOME"]);
        table.row(["zoë".into(), "enabled".into(), "/srv/zoë".into()]);
        table.row(["a\nb".into(), String::new(), "/".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_below_a_header() {
        let expected = "NAME  STATE    HOME\nzoë   enabled  /srv/zoë\na\\nb           /\n";
        assert_eq!(table().within(None), expected);
        assert_eq!(table().within(Some(23)), expected);
        let empty: Table<1> = Table::new(["NAME"]);
        assert_eq!(empty.within(Some(1)), "NAME\n");
    }

    #[test]
    fn on_a_narrow_terminal_a_row_is_a_paragraph() {
        let expected = "NAME   zoë\nSTATE  enabled\nHOME   /srv/zoë\n\nNAME  a\\nb\nHOME  /\n";
        assert_eq!(table().within(Some(22)), expected);
    }
}
