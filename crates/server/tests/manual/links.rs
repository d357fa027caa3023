//! Every link of the documents leads somewhere, and every page of the manual is in the table of contents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::page::{pages, root};

/// Documents beside the manual.
const OTHERS: [&str; 12] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "SEMANTICS.md",
    "bench/README.md",
    "bench/RESULTS.md",
    "bench/RESULTS-accounts.md",
    "bench/RESULTS-intruders.md",
    "bench/RESULTS-objects.md",
    "bench/RESULTS-others.md",
    "bench/RESULTS-rolling.md",
];

/// The lines of a text that are not in a block of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The line with what is between backquotes taken out.
fn without_code(line: &str) -> String {
    let parts = line.split('`').step_by(2);
    parts.collect::<Vec<_>>().join(" ")
}

/// Targets of the links and pictures in a line.
fn targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let after = line.split("](").skip(1);
    after
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchors of the headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = title.trim().to_lowercase();
        let letters = title.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        });
        let anchor: String = letters.collect();
        // A heading that is there already gets a number.
        let taken = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone())
            .chain(taken)
            .find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

/// The text of a document, with what it includes.
fn document(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let included = text.lines().filter_map(|line| {
        let name = line.strip_prefix("{{#include ")?.strip_suffix("}}")?;
        fs::read_to_string(path.parent()?.join(name)).ok()
    });
    let parts: Vec<String> = included.collect();
    Some(format!("{text}\n{}", parts.join("\n")))
}

/// Why a link of a document leads nowhere.
fn problem(document_path: &str, target: &str) -> Option<String> {
    if target.starts_with("http://") || target.starts_with("https://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let from = root().join(document_path);
    let path = if file.is_empty() {
        from
    } else {
        from.parent().unwrap().join(file)
    };
    let Ok(path) = path.canonicalize() else {
        return Some(format!("there is no {file}"));
    };
    let manual = root().join("docs");
    if document_path.starts_with("docs/") && !path.starts_with(&manual) {
        return Some(format!(
            "{file} is not in the book: name the file, or include it in a page"
        ));
    }
    if anchor.is_empty() {
        return None;
    }
    let known = anchors(&document(&path)?);
    (!known.contains(anchor)).then(|| format!("{file} has no heading #{anchor}"))
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut documents: Vec<(String, String)> = pages()
        .into_iter()
        .map(|page| (page.path, page.text))
        .collect();
    for path in OTHERS {
        documents.push((
            path.to_owned(),
            fs::read_to_string(root().join(path)).unwrap(),
        ));
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, text) in documents {
        for (number, line) in prose(&text) {
            for target in targets(line) {
                count += 1;
                wrong.extend(problem(&path, &target).map(|why| format!("{path}:{number}: {why}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "{count} links were found");
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed: Vec<String> = summary.lines().flat_map(targets).collect();
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(
        listed.len(),
        unique.len(),
        "docs/SUMMARY.md lists a page twice"
    );
    let there: BTreeSet<String> = pages()
        .into_iter()
        .filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned))
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(unique, there, "left: in docs/SUMMARY.md, right: in docs/");
}

#[test]
fn anchors_are_those_of_the_headings() {
    let text =
        "# A `b.c` and (d)\n\n```sh\n# no heading\n```\n## Two_words - here\n## Two_words - here\n";
    let expected = ["a-bc-and-d", "two_words---here", "two_words---here-1"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
    assert_eq!(
        targets("[a](b.md#c), `[x](y)` ![d](e.png)"),
        ["b.md#c", "e.png"]
    );
}
