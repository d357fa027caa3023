//! [`Users`]: the names and hashes of a password file, as `htpasswd` of Apache writes it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use sftpgo_core::auth::OperatorPasswords;

/// The formats that count here (reference 4.4), and the names by which core knows them. `$2$` and `$2x$` are bcrypt of old
/// programs, which for passwords of plain letters computed the same.
const FORMATS: [(&str, &str); 7] = [
    ("$2a$", "$2a$"),
    ("$2b$", "$2b$"),
    ("$2y$", "$2y$"),
    ("$2$", "$2a$"),
    ("$2x$", "$2a$"),
    ("$1$", "$1$"),
    ("$apr1$", "$apr1$"),
];

/// No `Debug`: the hashes are secrets.
pub(super) struct Users {
    /// By name; `None` if no password can match.
    stored: HashMap<String, Option<Arc<str>>>,
    /// The hashes that a password can match. One of them is computed for a name that nobody has, always the same for the
    /// same name: so such a name costs what a name costs that somebody has.
    usable: Vec<Arc<str>>,
    picker: RandomState,
}

/// What there is of a name.
pub(super) enum Found<'a> {
    /// The hash of somebody's password.
    Hash(&'a str),
    /// Nobody, or nobody who can log in. A check against `like` takes the time of one.
    Nobody { like: Option<&'a str> },
}

impl Users {
    /// Reads the text of a file: `user:hash` per line, comments after `#`, blanks before them. Gives warnings too.
    ///
    /// # Errors
    /// What is wrong, in words that show nothing of the file but the number of the line.
    pub(super) fn parse(text: &str, picker: &RandomState) -> Result<(Self, Vec<String>), String> {
        let mut users = Self {
            stored: HashMap::new(),
            usable: Vec::new(),
            picker: picker.clone(),
        };
        let mut warnings = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = users.add(line).map_err(|reason| in_line(number, &reason))?;
            warnings.extend(entry.map(|warning| in_line(number, &warning)));
        }
        if users.usable.is_empty() {
            warnings.push("it names nobody who can log in".to_owned());
        }
        Ok((users, warnings))
    }

    /// Adds what a line says; gives a warning if nobody can log in by it.
    fn add(&mut self, line: &str) -> Result<Option<String>, String> {
        let mut fields = line.split(':');
        let (Some(name), Some(hash), None) = (fields.next(), fields.next(), fields.next()) else {
            return Err("it is not of the form user:hash".to_owned());
        };
        let (name, hash) = (name.trim(), hash.trim());
        if line.contains('"') {
            return Err("it has a quotation mark".to_owned());
        }
        if name.is_empty() {
            return Err("it has no user name".to_owned());
        }
        let (stored, defect) = match usable(hash) {
            Ok(stored) => {
                let stored: Arc<str> = stored.into();
                self.usable.push(Arc::clone(&stored));
                (Some(stored), None)
            }
            Err(defect) => (None, Some(defect)),
        };
        if self.stored.insert(name.to_owned(), stored).is_some() {
            return Err("its user was named before".to_owned());
        }
        let warning = |defect| format!("no password matches the hash of {name:?}: {defect}");
        Ok(defect.map(warning))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.stored.len()
    }

    pub(super) fn find(&self, name: &str) -> Found<'_> {
        match self.stored.get(name) {
            Some(Some(stored)) => Found::Hash(stored),
            Some(None) | None => Found::Nobody {
                like: self.somebodys(name),
            },
        }
    }

    fn somebodys(&self, name: &str) -> Option<&str> {
        let number = u64::try_from(self.usable.len()).ok()?;
        let picked = self.picker.hash_one(name).checked_rem(number)?;
        let picked = self.usable.get(usize::try_from(picked).ok()?);
        picked.map(|stored| &**stored)
    }
}

fn in_line(number: usize, what: &str) -> String {
    format!("line {number}: {what}")
}

/// The hash as core takes it, or why no password can match it.
fn usable(hash: &str) -> Result<String, String> {
    let mut formats = FORMATS.iter();
    let stored = formats.find_map(|(prefix, known)| {
        let rest = hash.strip_prefix(prefix)?;
        Some(format!("{known}{rest}"))
    });
    let stored = stored.ok_or("it is neither bcrypt nor md5crypt (htpasswd -B makes bcrypt)")?;
    OperatorPasswords::defect(&stored).map_or(Ok(stored), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola";
    const APR1: &str = "$apr1$gLnIkRIf$Xr/6aJfmIrihP4b2N2tcs/";

    fn parse(text: &str) -> Result<(Users, Vec<String>), String> {
        Users::parse(text, &RandomState::new())
    }

    fn hash_of(users: &Users, name: &str) -> Option<String> {
        match users.find(name) {
            Found::Hash(stored) => Some(stored.to_owned()),
            Found::Nobody { .. } => None,
        }
    }

    #[test]
    fn comments_empty_lines_blanks_and_line_ends_of_windows_are_nothing() {
        let text = format!("\u{feff}# users\r\n\r\n  alice:{BCRYPT}\r\n \t# bob:x\n bob: {APR1} ");
        let (users, warnings) = parse(&text).unwrap();
        assert_eq!(hash_of(&users, "alice").as_deref(), Some(BCRYPT));
        assert_eq!(hash_of(&users, "bob").as_deref(), Some(APR1));
        assert_eq!((users.len(), warnings), (2, Vec::new()));
        assert_eq!(hash_of(&users, "Alice"), None);
    }

    #[test]
    fn what_is_no_list_of_pairs_is_refused_by_its_line_alone() {
        for line in [
            "secret",
            "alice:realm:secret",
            ":secret",
            "alice:\"secret",
            "\"alice\":secret",
            "alice:secret:",
        ] {
            let error = parse(&format!("# x\n{line}\n")).err().unwrap();
            assert!(error.starts_with("line 2: "), "{line}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let twice = parse(&format!("alice:{BCRYPT}\nalice:{APR1}\n"));
        assert_eq!(twice.err().unwrap(), "line 2: its user was named before");
    }

    #[test]
    fn every_name_of_bcrypt_counts_and_other_formats_match_nothing() {
        let rest = BCRYPT.strip_prefix("$2y$").unwrap();
        for prefix in ["$2a$", "$2$", "$2x$", "$2y$", "$2b$"] {
            let (users, warnings) = parse(&format!("alice:{prefix}{rest}")).unwrap();
            assert!(hash_of(&users, "alice").is_some(), "{prefix}");
            assert!(warnings.is_empty());
        }
        for hash in [
            "",
            "sesame",
            "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "rqXexS6ZhobKA",
            "$2z$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola",
            "$2y$05$short",
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        ] {
            let (users, warnings) = parse(&format!("alice:{hash}\nbob:{APR1}")).unwrap();
            assert_eq!(hash_of(&users, "alice"), None, "{hash}");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(
                hash.is_empty() || !warnings[0].contains(hash),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn a_name_that_nobody_has_costs_what_one_of_the_others_costs_and_always_the_same() {
        let (users, _) = parse(&format!("alice:{BCRYPT}\nbob:{APR1}\ncarol:x")).unwrap();
        let like = |name: &str| match users.find(name) {
            Found::Hash(_) => panic!("{name}"),
            Found::Nobody { like } => like.unwrap().to_owned(),
        };
        let mut seen = std::collections::HashSet::new();
        for number in 0..100 {
            let name = format!("nobody{number}");
            assert_eq!(like(&name), like(&name));
            seen.insert(like(&name));
        }
        seen.insert(like("carol"));
        assert_eq!(seen, [BCRYPT.to_owned(), APR1.to_owned()].into());
    }

    #[test]
    fn a_file_without_users_lets_nobody_in_and_says_so() {
        let (users, warnings) = parse("# nobody\n").unwrap();
        assert!(matches!(users.find(""), Found::Nobody { like: None }));
        assert_eq!(warnings, ["it names nobody who can log in"]);
    }
}
