//! The text format of Prometheus, version 0.0.4: families of samples, each with its help and type.

use std::fmt::{Display, Write};

use sftpgo_core::metrics::histogram::Snapshot;

/// The text of the page. Writing to it cannot fail: it is a string.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// Name and value. Values come from a list that the program knows: each one is a series that is kept for years.
pub(super) type Label<'a> = (&'static str, &'a str);

impl Page {
    /// Adds a number that only grows.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.counters(name, help, [(&[][..], value)]);
    }

    /// Adds a number that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauges(name, help, [(&[][..], value)]);
    }

    /// Adds numbers that only grow, told apart by labels.
    pub(super) fn counters<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (&'a [Label<'a>], V)>,
    ) {
        self.family("counter", name, help);
        for (labels, value) in rows {
            self.sample(name, labels, &value);
        }
    }

    /// Adds numbers that go up and down, told apart by labels.
    pub(super) fn gauges<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (&'a [Label<'a>], V)>,
    ) {
        self.family("gauge", name, help);
        for (labels, value) in rows {
            self.sample(name, labels, &value);
        }
    }

    /// Adds histograms, told apart by labels.
    pub(super) fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (&'a [Label<'a>], Snapshot)>,
    ) {
        self.family("histogram", name, help);
        let (bucket, sum, count) = (
            format!("{name}_bucket"),
            format!("{name}_sum"),
            format!("{name}_count"),
        );
        for (labels, found) in rows {
            for (bound, below) in &found.buckets {
                let bound = bound.to_string();
                self.sample(&bucket, &with_bound(labels, &bound), below);
            }
            self.sample(&bucket, &with_bound(labels, "+Inf"), &found.count);
            self.sample(&sum, labels, &found.sum);
            self.sample(&count, labels, &found.count);
        }
    }

    /// The finished text.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn family(&mut self, kind: &str, name: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: &dyn Display) {
        self.0.push_str(name);
        let mut before = '{';
        for (label, text) in labels {
            let _ = write!(self.0, "{before}{label}=\"");
            self.push_escaped(text);
            self.0.push('"');
            before = ',';
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    fn push_escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
    }
}

fn with_bound<'a>(labels: &[Label<'a>], bound: &'a str) -> Vec<Label<'a>> {
    let mut labels = labels.to_vec();
    labels.push(("le", bound));
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_cumulative_and_ends_with_its_count() {
        let mut page = Page::default();
        let found = Snapshot {
            buckets: vec![(0.005, 1), (60.0, 3)],
            count: 4,
            sum: 61.5,
        };
        page.histograms("x_seconds", "Help.", [(&[("a", "b")][..], found)]);
        assert_eq!(
            page.into_text(),
            "# HELP x_seconds Help.\n# TYPE x_seconds histogram\n\
             x_seconds_bucket{a=\"b\",le=\"0.005\"} 1\nx_seconds_bucket{a=\"b\",le=\"60\"} 3\n\
             x_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\nx_seconds_sum{a=\"b\"} 61.5\nx_seconds_count{a=\"b\"} 4\n"
        );
    }

    #[test]
    fn values_of_labels_are_escaped() {
        let mut page = Page::default();
        page.gauges("x", "Help.", [(&[("a", "\"\\\n")][..], 1)]);
        assert!(page.into_text().ends_with("x{a=\"\\\"\\\\\\n\"} 1\n"));
    }
}
