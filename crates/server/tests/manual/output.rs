//! Compares what a page says that commands write with what they do write.

/// Whether the text is what the page shows. `...` in a line of the page stands for anything in that line, and a line of
/// nothing but `...` for any number of lines. Blanks at the ends of lines do not count.
pub(crate) fn matches(shown: &str, written: &str) -> bool {
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    let written: Vec<&str> = written.lines().map(str::trim_end).collect();
    lines_match(&shown, &written)
}

fn lines_match(shown: &[&str], written: &[&str]) -> bool {
    match shown.split_first() {
        None => written.is_empty(),
        Some((&"...", rest)) => {
            (0..=written.len()).any(|left_out| lines_match(rest, &written[left_out..]))
        }
        Some((line, rest)) => written
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(shown: &str, written: &str) -> bool {
    let Some((start, rest)) = shown.split_once("...") else {
        return shown == written;
    };
    let Some(mut remaining) = written.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split("...").collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = remaining.split_once(part) else {
            return false;
        };
        remaining = after;
    }
    remaining.ends_with(end)
}

#[test]
fn dots_stand_for_what_differs_from_run_to_run() {
    assert!(matches("a\nb\n", "a  \nb\n"));
    assert!(!matches("a\n", "a\nb\n"));
    assert!(!matches("a\nb\n", "a\n"));
    assert!(matches("id ... of ...s\n", "id 17 of cats\n"));
    assert!(!matches("id ... of ...s\n", "id 17 of cat\n"));
    assert!(matches("first\n...\nlast\n", "first\nlast\n"));
    assert!(matches("first\n...\nlast\n", "first\n1\n2\nlast\n"));
    assert!(!matches("first\n...\nlast\n", "first\n1\nlast\n2\n"));
}
