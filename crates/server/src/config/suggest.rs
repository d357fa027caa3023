//! What somebody probably meant by a name that does not exist.

/// The known name nearest to `wrong`, if one is near enough to be helpful.
///
/// A name in the wrong section (`bind_port` for `sftpd.bind_port`) counts as near when its last
/// part is right.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let mut distance = edit_distance(&wrong, name);
        // Short words such as `host` or `port` belong to too many things to say anything.
        if last_part(&wrong) == last_part(name) && last_part(name).len() >= 6 {
            distance = distance.min(1);
        }
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    let enough = (wrong.len() / 4).clamp(1, 4);
    best.filter(|(distance, _)| *distance <= enough)
        .map(|(_, name)| name)
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Edits (insert, delete, replace, swap neighbours) from `a` to `b`; optimal string alignment,
/// because swapped letters are the commonest slip.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (row, ca) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, cb) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column) + usize::from(ca != *cb);
            let deleted = at(&last, column + 1) + 1;
            let inserted = at(&current, column) + 1;
            let mut least = replaced.min(deleted).min(inserted);
            let previous_b = column.checked_sub(1).and_then(|index| b.get(index));
            if row > 0 && previous_a == Some(*cb) && previous_b == Some(&ca) {
                least = least.min(at(&before_last, column - 1) + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_a = Some(ca);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = [
        "sftpd.bind_port",
        "sftpd.bind_address",
        "httpd.bind_port",
        "data_provider.driver",
    ];

    #[test]
    fn a_slip_finds_its_setting() {
        assert_eq!(
            nearest("sftpd.bind_prot", KNOWN.into_iter()),
            Some("sftpd.bind_port")
        );
        assert_eq!(
            nearest("sftp.bind_port", KNOWN.into_iter()),
            Some("sftpd.bind_port")
        );
        assert_eq!(
            nearest("SFTPD.Bindport", KNOWN.into_iter()),
            Some("sftpd.bind_port")
        );
    }

    #[test]
    fn the_wrong_section_finds_its_setting() {
        assert_eq!(
            nearest("provider.sql.driver", KNOWN.into_iter()),
            Some("data_provider.driver")
        );
    }

    #[test]
    fn something_else_altogether_finds_nothing() {
        assert_eq!(nearest("smtp.host", KNOWN.into_iter()), None);
    }

    #[test]
    fn distances_are_counted_in_edits() {
        for (a, b, distance) in [
            ("", "", 0),
            ("a", "", 1),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
        }
    }
}
