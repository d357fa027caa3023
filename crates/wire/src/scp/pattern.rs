//! Paths with wildcards. A client sends them as they are, because on other servers a shell expands them before `scp` runs.

/// A path of a command line, with a backslash before each special character that was quoted (see
/// [`exec::split_patterns`](crate::exec::split_patterns)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    /// The path if nothing in it is special.
    pub literal: Vec<u8>,
    /// Its names, from the root down.
    pub steps: Vec<Step>,
}

/// One name of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// This one.
    Name(Vec<u8>),
    /// Those that match.
    Matching(NamePattern),
}

impl PathPattern {
    /// Reads a word. A `~` alone at the beginning is the home, which is the root.
    pub fn parse(word: &[u8]) -> Self {
        let word = match word {
            [b'~'] => b"",
            [b'~', rest @ ..] if rest.starts_with(b"/") => rest,
            other => other,
        };
        let steps = word.split(|byte| *byte == b'/').map(|name| {
            let pattern = NamePattern::parse(name);
            match pattern.is_wild() {
                true => Step::Matching(pattern),
                false => Step::Name(unescape(name)),
            }
        });
        Self {
            literal: unescape(word),
            steps: steps.collect(),
        }
    }

    /// Whether anything has to be looked up to know which paths are meant.
    pub fn is_wild(&self) -> bool {
        let wild = |step: &Step| matches!(step, Step::Matching(_));
        self.steps.iter().any(wild)
    }
}

/// A pattern of one name: `*`, `?`, `[a-z]`, `[!a-z]` (POSIX.1-2017, Shell Command Language 2.13, without character classes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(Vec<Token>);

/// A character, or a byte that is part of none.
type Unit = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Unit(Unit),
    Any,
    AnyNumber,
    Set {
        negated: bool,
        ranges: Vec<(Unit, Unit)>,
    },
}

impl NamePattern {
    /// Reads a pattern. A `[` without its `]` is an ordinary character.
    pub fn parse(text: &[u8]) -> Self {
        let text = units(text);
        let mut tokens = Vec::new();
        let mut rest = text.as_slice();
        while let Some((unit, behind)) = rest.split_first() {
            rest = behind;
            match char_of(*unit) {
                Some('*') => {
                    // Several mean the same as one, and cost more.
                    if tokens.last() != Some(&Token::AnyNumber) {
                        tokens.push(Token::AnyNumber);
                    }
                }
                Some('?') => tokens.push(Token::Any),
                Some('[') => match set(rest) {
                    Some((token, behind)) => {
                        tokens.push(token);
                        rest = behind;
                    }
                    None => tokens.push(Token::Unit(*unit)),
                },
                Some('\\') => {
                    let (escaped, behind) = rest.split_first().unwrap_or((unit, &[]));
                    tokens.push(Token::Unit(*escaped));
                    rest = behind;
                }
                Some(_) | None => tokens.push(Token::Unit(*unit)),
            }
        }
        Self(tokens)
    }

    fn is_wild(&self) -> bool {
        let plain = |token: &Token| matches!(token, Token::Unit(_));
        !self.0.iter().all(plain)
    }

    /// Whether a name matches. A dot at the beginning is matched by a dot only, as in a shell: `*` means what is not hidden.
    ///
    /// Takes at most the length of the name times that of the pattern, whatever they are.
    pub fn matches(&self, name: &[u8]) -> bool {
        let dot = Token::Unit(u32::from('.'));
        if name.first() == Some(&b'.') && self.0.first() != Some(&dot) {
            return false;
        }
        let name = units(name);
        let (mut at, mut token) = (0, 0);
        // Where the last `*` stands, and how much of the name it takes: more if what follows it does not fit.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            let unit = name.get(at).copied().unwrap_or_default();
            match self.0.get(token) {
                Some(Token::AnyNumber) => {
                    star = Some((token, at));
                    token += 1;
                }
                Some(one) if one.takes(unit) => {
                    token += 1;
                    at += 1;
                }
                Some(_) | None => match &mut star {
                    Some((after, taken)) => {
                        *taken += 1;
                        token = *after + 1;
                        at = *taken;
                    }
                    None => return false,
                },
            }
        }
        let mut rest = self.0.iter().skip(token);
        rest.all(|token| *token == Token::AnyNumber)
    }
}

impl Token {
    /// Whether this, which stands for one character, stands for that one.
    fn takes(&self, unit: Unit) -> bool {
        match self {
            Self::Unit(own) => *own == unit,
            Self::Any => true,
            Self::AnyNumber => false,
            Self::Set { negated, ranges } => {
                let within = |(low, high): &(Unit, Unit)| (*low..=*high).contains(&unit);
                ranges.iter().any(within) != *negated
            }
        }
    }
}

/// What stands between `[` and `]`, and what follows; `None` if the `]` is missing.
fn set(text: &[Unit]) -> Option<(Token, &[Unit])> {
    let (negated, mut rest) = match text.split_first() {
        Some((first, rest)) if matches!(char_of(*first), Some('!' | '^')) => (true, rest),
        Some(_) | None => (false, text),
    };
    let mut ranges = Vec::new();
    loop {
        let (low, behind) = rest.split_first()?;
        // At the beginning it is one of those that are meant.
        if char_of(*low) == Some(']') && !ranges.is_empty() {
            return Some((Token::Set { negated, ranges }, behind));
        }
        let (low, behind) = member(*low, behind)?;
        let range = behind.split_first().and_then(|(dash, behind)| {
            let (high, behind) = behind.split_first()?;
            let is_range = char_of(*dash) == Some('-') && char_of(*high) != Some(']');
            is_range.then_some((high, behind))
        });
        rest = match range {
            Some((high, behind)) => {
                let (high, behind) = member(*high, behind)?;
                ranges.push((low, high));
                behind
            }
            None => {
                ranges.push((low, low));
                behind
            }
        };
    }
}

/// A member of a set, of which a backslash takes the meaning.
fn member(unit: Unit, behind: &[Unit]) -> Option<(Unit, &[Unit])> {
    if char_of(unit) == Some('\\') {
        let (escaped, behind) = behind.split_first()?;
        return Some((*escaped, behind));
    }
    Some((unit, behind))
}

fn char_of(unit: Unit) -> Option<char> {
    char::from_u32(unit)
}

/// The characters of a text; bytes that are part of none stand behind the last character of Unicode.
fn units(text: &[u8]) -> Vec<Unit> {
    const BEHIND_UNICODE: Unit = 0x0011_0000;
    let mut units = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        units.extend(chunk.valid().chars().map(u32::from));
        let bytes = chunk.invalid().iter();
        units.extend(bytes.map(|byte| BEHIND_UNICODE + u32::from(*byte)));
    }
    units
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        let byte = if *byte == b'\\' {
            rest.next().unwrap_or(byte)
        } else {
            byte
        };
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        NamePattern::parse(pattern.as_bytes()).matches(name.as_bytes())
    }

    #[test]
    fn wildcards_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", "abc"),
            ("*.txt", "a.txt"),
            ("*.txt", "größe.txt"),
            ("a*b*c", "a-b-b-c"),
            ("a**", "a"),
            ("?", "ö"),
            ("gr??e", "größe"),
            ("[abc]x", "bx"),
            ("[a-c]x", "cx"),
            ("[!a-c]x", "dx"),
            ("[^a-c]x", "dx"),
            ("[]]x", "]x"),
            ("[a-]x", "-x"),
            ("[ä-ü]", "ö"),
            (".*", ".hidden"),
            (r"\*x*", "*xy"),
            (r"[\]]", "]"),
            ("a[b", "a[b"),
            ("*[", "x["),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.txt", "a.txt2"),
            ("*.txt", ".txt"),
            ("*", ".hidden"),
            ("?hidden", ".hidden"),
            ("[.]x", ".x"),
            ("?", "ab"),
            ("?", ""),
            ("[abc]", "d"),
            ("[!abc]", "a"),
            (r"\*", "x"),
            ("a*b", "a"),
            ("", "a"),
            ("[z-a]", "m"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        let bytes = NamePattern::parse(b"?-[\xff]");
        assert!(bytes.matches(b"\xe9-\xff") && !bytes.matches(b"\xe9-\xfe"));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(4_000)));
    }

    #[test]
    fn a_path_is_wild_by_its_names_and_quoted_characters_are_not() {
        let path = PathPattern::parse(br"d\*/*.txt");
        assert_eq!(path.literal, b"d*/*.txt");
        assert!(path.is_wild());
        assert_eq!(path.steps[0], Step::Name(b"d*".to_vec()));
        let quoted = PathPattern::parse(br"a\*\[x\]\\");
        assert_eq!(quoted.literal, br"a*[x]\");
        assert!(!quoted.is_wild());
    }

    #[test]
    fn the_home_is_the_root() {
        assert_eq!(PathPattern::parse(b"~").literal, b"");
        assert_eq!(PathPattern::parse(b"~/a").literal, b"/a");
        assert_eq!(PathPattern::parse(br"\~/a").literal, b"~/a");
        assert_eq!(PathPattern::parse(b"~root").literal, b"~root");
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_a_star(name in proptest::collection::vec(any::<u8>(), 1..40)) {
            let escaped: Vec<u8> = name.iter().flat_map(|byte| [b'\\', *byte])
                // A backslash inside a character would break it.
                .collect();
            if name.is_ascii() {
                prop_assert!(NamePattern::parse(&escaped).matches(&name));
            }
            prop_assert_eq!(NamePattern::parse(b"*").matches(&name), name[0] != b'.');
        }

        #[test]
        fn no_pattern_panics(pattern in "[*?\\[\\]!a\\\\-]{0,12}", name in "[a\\[\\]*-]{0,8}") {
            let _ = matches(&pattern, &name);
        }
    }
}
