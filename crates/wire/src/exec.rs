//! The text of an exec request (RFC 4254 6.5): split into words as a POSIX shell splits them, and nothing more. There is no
//! shell behind it: no variables, no globs, no `;`.

use std::fmt;

/// Longest text that is looked at. OpenSSH's packets hold 256 KiB; command lines with thousands of names fit into this.
pub const MAX_COMMAND: usize = 64 * 1024;

/// Most words of one command.
pub const MAX_WORDS: usize = 4096;

/// Why a text is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitError {
    /// A quote is not closed, or a backslash is the last character.
    Unbalanced,
    /// Longer than [`MAX_COMMAND`], or more words than [`MAX_WORDS`].
    TooLong,
    /// Contains NUL.
    Nul,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbalanced => "a quote or a backslash is left open",
            Self::TooLong => "the command is too long",
            Self::Nul => "the command contains NUL",
        })
    }
}

impl std::error::Error for SplitError {}

/// Splits a command line into words: spaces, tabs and newlines separate; single quotes are literal; in double quotes a
/// backslash escapes `$`, `` ` ``, `"`, `\` and newline; elsewhere it escapes whatever follows; `#` at the start of a word
/// begins a comment up to the end of the line (POSIX.1-2017, Shell Command Language 2.2 and 2.3).
///
/// # Errors
/// See [`SplitError`].
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, SplitError> {
    split_marking(line, |_| false)
}

/// As [`split`], but leaves a backslash in front of each quoted character that a shell would otherwise expand in a path:
/// `'*'.txt` becomes `\*.txt`, and a quoted backslash becomes two.
///
/// # Errors
/// See [`SplitError`].
pub fn split_patterns(line: &[u8]) -> Result<Vec<Vec<u8>>, SplitError> {
    split_marking(line, |byte| {
        matches!(byte, b'*' | b'?' | b'[' | b']' | b'~' | b'!' | b'^' | b'\\')
    })
}

fn split_marking(line: &[u8], marked: fn(u8) -> bool) -> Result<Vec<Vec<u8>>, SplitError> {
    if line.len() > MAX_COMMAND {
        return Err(SplitError::TooLong);
    }
    if line.contains(&0) {
        return Err(SplitError::Nul);
    }
    let mut words = Vec::new();
    // `Some` from the first character or quote of a word: `''` is a word too.
    let mut word: Option<Vec<u8>> = None;
    let mut rest = line.iter().copied();
    let push = |word: &mut Vec<u8>, byte| {
        if marked(byte) {
            word.push(b'\\');
        }
        word.push(byte);
    };
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(word.take()),
            b'#' if word.is_none() => {
                rest.by_ref().find(|byte| *byte == b'\n');
            }
            b'\'' => quoted(&mut rest, word.get_or_insert_default(), push)?,
            b'"' => double_quoted(&mut rest, word.get_or_insert_default(), push)?,
            b'\\' => match rest.next().ok_or(SplitError::Unbalanced)? {
                // A line that goes on.
                b'\n' => {}
                escaped => push(word.get_or_insert_default(), escaped),
            },
            _ => word.get_or_insert_default().push(byte),
        }
        if words.len() > MAX_WORDS {
            return Err(SplitError::TooLong);
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(
    rest: &mut impl Iterator<Item = u8>,
    word: &mut Vec<u8>,
    push: impl Fn(&mut Vec<u8>, u8),
) -> Result<(), SplitError> {
    loop {
        match rest.next().ok_or(SplitError::Unbalanced)? {
            b'\'' => return Ok(()),
            byte => push(word, byte),
        }
    }
}

fn double_quoted(
    rest: &mut impl Iterator<Item = u8>,
    word: &mut Vec<u8>,
    push: impl Fn(&mut Vec<u8>, u8),
) -> Result<(), SplitError> {
    loop {
        match rest.next().ok_or(SplitError::Unbalanced)? {
            b'"' => return Ok(()),
            b'\\' => match rest.next().ok_or(SplitError::Unbalanced)? {
                b'\n' => {}
                escaped @ (b'$' | b'`' | b'"' | b'\\') => push(word, escaped),
                other => {
                    push(word, b'\\');
                    push(word, other);
                }
            },
            byte => push(word, byte),
        }
    }
}

/// The path that a command names: its last argument without one pair of quotes that survived the splitting (some clients
/// quote twice); `None` if it has no argument.
pub fn path_argument(words: &[Vec<u8>]) -> Option<&[u8]> {
    match words {
        [_command, .., path] => Some(unquoted(path)),
        [] | [_] => None,
    }
}

fn unquoted(path: &[u8]) -> &[u8] {
    match path {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<String> {
        let words = split(line.as_bytes()).unwrap();
        words
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_split_as_a_shell_splits_it() {
        assert_eq!(words("scp  -t\t/tmp\n"), ["scp", "-t", "/tmp"]);
        assert_eq!(words("md5sum '/a space.txt'"), ["md5sum", "/a space.txt"]);
        assert_eq!(words(r#"md5sum "/a \"b\" \n""#), ["md5sum", r#"/a "b" \n"#]);
        assert_eq!(words(r"md5sum /a\ b\'c"), ["md5sum", "/a b'c"]);
        assert_eq!(words("a'b'\"c\"d"), ["abcd"]);
        assert_eq!(words("a '' \"\""), ["a", "", ""]);
        assert_eq!(words("a #b c\nd e#f"), ["a", "d", "e#f"]);
        assert_eq!(words("a\\\nb"), ["ab"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn nothing_is_expanded_or_run() {
        assert_eq!(words("cd $HOME; rm *"), ["cd", "$HOME;", "rm", "*"]);
        assert_eq!(words("echo `id` | sh"), ["echo", "`id`", "|", "sh"]);
    }

    #[test]
    fn quoted_wildcards_keep_a_mark_for_whoever_expands_paths() {
        let patterns = |line: &str| {
            let words = split_patterns(line.as_bytes()).unwrap();
            words.join(&b' ')
        };
        assert_eq!(patterns(r"scp -f *.txt '*'.txt"), br"scp -f *.txt \*.txt");
        assert_eq!(patterns(r#""a?b" a\[b\] '~'"#), br"a\?b a\[b\] \~");
        assert_eq!(patterns(r"a\\b 'c\d' "), br"a\\b c\\d");
    }

    #[test]
    fn an_open_quote_is_refused() {
        for line in ["a '", "a \"b", "a \\", "a \"\\"] {
            assert_eq!(split(line.as_bytes()), Err(SplitError::Unbalanced));
        }
    }

    #[test]
    fn length_and_nul_are_refused() {
        assert_eq!(split(b"a\0b"), Err(SplitError::Nul));
        assert_eq!(split(&[b'a'; MAX_COMMAND + 1]), Err(SplitError::TooLong));
        let many = b"a ".repeat(MAX_WORDS + 2);
        assert_eq!(split(&many), Err(SplitError::TooLong));
    }

    #[test]
    fn the_path_is_the_last_argument() {
        let path = |line: &str| {
            let words = split(line.as_bytes()).unwrap();
            path_argument(&words).map(|path| String::from_utf8(path.to_vec()).unwrap())
        };
        assert_eq!(path("md5sum"), None);
        assert_eq!(path("md5sum /a b"), Some("b".to_owned()));
        assert_eq!(path(r#"md5sum "'/a b'""#), Some("/a b".to_owned()));
    }

    proptest! {
        #[test]
        fn quoting_and_splitting_gives_the_word_back(
            input in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..20), 0..8)
        ) {
            let quote = |word: &Vec<u8>| {
                let mut out = vec![b'\''];
                for byte in word {
                    match byte {
                        b'\'' => out.extend(b"'\\''"),
                        byte => out.push(*byte),
                    }
                }
                out.push(b'\'');
                out
            };
            let line = input.iter().map(quote).collect::<Vec<_>>().join(&b' ');
            prop_assert_eq!(split(&line).unwrap(), input);
        }

        #[test]
        fn no_input_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&line);
        }
    }
}
