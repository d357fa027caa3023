//! SEMANTICS.md keeps its promise: every row names tests that are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What the last cell of a row may say instead of naming a test, in the last sections only: rows of the reference's tests
/// for parts that do not exist yet, and for what is no test.
const NO_TEST: [&str; 2] = ["not there yet", "no test"];

/// The sections whose rows are the reference's own tests, with how many there are at least.
const OF_THE_REFERENCE: [(&str, usize); 2] = [
    ("The reference's own tests", 92),
    ("The reference's own tests of HTTP", 63),
];

fn is_of_the_reference(row: &Row) -> bool {
    let mut sections = OF_THE_REFERENCE.iter();
    sections.any(|(section, _)| row.section == *section)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A row of a table.
struct Row {
    line: usize,
    section: String,
    cells: Vec<String>,
}

impl Row {
    fn last(&self) -> &str {
        self.cells.last().unwrap()
    }

    /// What stands between backquotes in the last cell: names of functions, some with the file before them.
    fn names(&self) -> Vec<&str> {
        let quoted = self.last().split('`').skip(1).step_by(2);
        quoted.collect()
    }
}

/// The rows of all tables of a file, without their heads.
fn rows_of(file: &str) -> Vec<Row> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let mut rows = Vec::new();
    let mut section = String::new();
    let mut in_table = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        if !line.starts_with('|') {
            in_table = false;
        } else if line.starts_with("|---") {
            in_table = true;
        } else if in_table {
            let inner = line.trim().strip_prefix('|').unwrap();
            let inner = inner.strip_suffix('|').unwrap();
            let cells = inner.split('|').map(|cell| cell.trim().to_owned());
            rows.push(Row {
                line: number + 1,
                section: section.clone(),
                cells: cells.collect(),
            });
        }
    }
    rows
}

fn rows() -> Vec<Row> {
    rows_of("SEMANTICS.md")
}

/// Names of all functions of a kind of file below `directory`.
fn functions(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let shown = path.to_string_lossy().into_owned();
        if path.is_dir() {
            if !shown.ends_with("/target") {
                functions(&path, found);
            }
        } else if shown.ends_with(".rs") {
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let code = line.trim_start();
                let Some((before, after)) = code.split_once("fn ") else {
                    continue;
                };
                let words = before.split_whitespace();
                let is_item = words
                    .clone()
                    .all(|word| word.starts_with("pub") || word == "async");
                let name = after.split(['(', '<']).next().unwrap();
                if is_item && !name.is_empty() {
                    found.push((shown.clone(), name.to_owned()));
                }
            }
        }
    }
}

#[test]
fn every_row_names_tests_that_exist() {
    let mut found = Vec::new();
    functions(&root().join("crates"), &mut found);
    let names: BTreeSet<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    let mut wrong = Vec::new();
    for row in rows() {
        let named = row.names();
        let may_be_empty =
            is_of_the_reference(&row) && NO_TEST.iter().any(|words| row.last().starts_with(words));
        if named.is_empty() && !may_be_empty {
            wrong.push(format!("line {}: no test: {}", row.line, row.cells[0]));
        }
        for name in named {
            let exists = match name.split_once(' ') {
                // The name of a file, or of a folder and a file, before that of the function.
                Some((file, function)) => found.iter().any(|(path, name)| {
                    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
                    name == function && stem.ends_with(&format!("/{file}"))
                }),
                None => names.contains(name),
            };
            if !exists {
                wrong.push(format!("line {}: there is no `{name}`", row.line));
            }
        }
    }
    assert!(wrong.is_empty(), "SEMANTICS.md:\n{}", wrong.join("\n"));
}

/// Every threat and every incident has a test that is there.
#[test]
fn the_tests_that_security_md_names_exist() {
    let mut found = Vec::new();
    functions(&root().join("crates"), &mut found);
    let names: BTreeSet<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    let mut wrong = Vec::new();
    let sections = [
        "What is defended, and by which test",
        "Incidents of the field",
    ];
    for row in rows_of("SECURITY.md") {
        if !sections.contains(&row.section.as_str()) {
            continue;
        }
        let named = row.names();
        // A script is a test as well.
        let unknown = |name: &&&str| !name.starts_with("scripts/") && !names.contains(**name);
        wrong.extend(
            named
                .iter()
                .filter(unknown)
                .map(|name| format!("line {}: {name}", row.line)),
        );
        if named.is_empty() {
            wrong.push(format!("line {}: no test: {}", row.line, row.cells[0]));
        }
    }
    assert!(wrong.is_empty(), "SECURITY.md:\n{}", wrong.join("\n"));
}

#[test]
fn every_row_has_the_cells_of_its_table() {
    let text = fs::read_to_string(root().join("SEMANTICS.md")).unwrap();
    let mut expected = 0;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("|---") {
            expected = line.matches('|').count();
        } else if line.starts_with('|') && expected > 0 {
            let bars = line.matches('|').count();
            assert_eq!(bars, expected, "line {}: {line}", number + 1);
        } else if line.is_empty() {
            expected = 0;
        }
    }
}

/// Every test of the reference has one row, in the reference's order of names or any other.
#[test]
fn no_test_of_the_reference_has_two_rows() {
    for (section, least) in OF_THE_REFERENCE {
        let mut seen = BTreeSet::new();
        for row in rows().iter().filter(|row| row.section == section) {
            assert!(seen.insert(row.cells[0].clone()), "twice: {}", row.cells[0]);
        }
        assert!(seen.len() >= least, "{section}: {} rows", seen.len());
    }
}
