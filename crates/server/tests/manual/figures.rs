//! Figures that the README shows are measured ones: each is in the results beside `bench/run`.

use std::collections::BTreeSet;
use std::fs;

use crate::page::root;

/// The numbers of a text, as they are written: `1,317`, `0.71`.
fn numbers(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_ascii_digit() && letter != ',' && letter != '.')
        .map(|number| number.trim_matches([',', '.']))
        .filter(|number| !number.is_empty())
        .collect()
}

#[test]
fn every_figure_of_the_readme_was_measured() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let results = [
        "bench/RESULTS.md",
        "bench/RESULTS-others.md",
        "bench/RESULTS-objects.md",
    ];
    let results = results.map(read).join("\n");
    let measured = numbers(&results);
    let readme = read("README.md");
    let (_, section) = readme.split_once("## Beside OpenSSH").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        // The first cell says what was measured, and the head of a table with what.
        let cells = row
            .split('|')
            .skip(2)
            .filter(|cell| cell.contains(" s") || cell.contains("iB"));
        for number in cells.flat_map(numbers) {
            count += 1;
            if !measured.contains(number) {
                wrong.push(format!("{number} in: {row}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not in the results:\n{}",
        wrong.join("\n")
    );
    assert!(count > 15, "{count} figures were found");
}

#[test]
fn numbers_are_taken_as_they_are_written() {
    assert_eq!(numbers("1,317 MiB/s, 0.71 s."), ["0.71", "1,317"].into());
}
