//! The command line that an `scp` client runs on the server.

use std::fmt;

/// Which way the bytes go, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `-t`: the client uploads.
    Sink,
    /// `-f`: the client downloads.
    Source,
}

/// What the client asks for. A sink has one path, a source at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// `-t` or `-f`.
    pub direction: Direction,
    /// `-r`: directories too.
    pub recursive: bool,
    /// `-p`: times and modes.
    pub preserve: bool,
    /// `-d`: the target must be a directory; clients say so when they send several files.
    pub directory: bool,
    /// The paths, as they were given.
    pub paths: Vec<Vec<u8>>,
}

/// Why a command line is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentError {
    /// Not exactly one of `-t` and `-f`: what the client wants is not told, or it would make the server a client.
    NoDirection,
    /// A flag that is not known, and that may take the next word as its value.
    UnknownFlag(u8),
    /// No path.
    NoPath,
    /// A sink with more than one path.
    AmbiguousTarget,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirection => f.write_str("exactly one of -t and -f is needed"),
            Self::UnknownFlag(flag) => write!(f, "unknown option -{}", flag.escape_ascii()),
            Self::NoPath => f.write_str("a path is needed"),
            Self::AmbiguousTarget => f.write_str("ambiguous target"),
        }
    }
}

impl std::error::Error for ArgumentError {}

impl Arguments {
    /// Reads the words behind the name of the command. Flags may be joined (`-rpt`) and end at the first word that is none, or
    /// behind `--`.
    ///
    /// Flags that change nothing on this side are ignored, whichever client sends them: `-v`, `-q`, `-B`, `-C`, `-T`, `-O` and
    /// `-1` to `-4` and `-6`. Any other is refused: its value could be taken for the path.
    ///
    /// # Errors
    /// See [`ArgumentError`].
    pub fn parse(words: &[Vec<u8>]) -> Result<Self, ArgumentError> {
        let (mut sink, mut source) = (false, false);
        let (mut recursive, mut preserve, mut directory) = (false, false, false);
        let mut rest = words.iter().peekable();
        while let Some(word) = rest.next_if(|word| word.len() > 1 && word.starts_with(b"-")) {
            if word == b"--" {
                break;
            }
            for flag in word.iter().skip(1) {
                match flag {
                    b't' => sink = true,
                    b'f' => source = true,
                    b'r' => recursive = true,
                    b'p' => preserve = true,
                    b'd' => directory = true,
                    b'v' | b'q' | b'B' | b'C' | b'T' | b'O' | b'1'..=b'4' | b'6' => {}
                    other => return Err(ArgumentError::UnknownFlag(*other)),
                }
            }
        }
        let paths: Vec<_> = rest.cloned().collect();
        let direction = match (sink, source) {
            (true, false) => Direction::Sink,
            (false, true) => Direction::Source,
            (true, true) | (false, false) => return Err(ArgumentError::NoDirection),
        };
        if paths.is_empty() {
            return Err(ArgumentError::NoPath);
        }
        if direction == Direction::Sink && paths.len() > 1 {
            return Err(ArgumentError::AmbiguousTarget);
        }
        Ok(Self {
            direction,
            recursive,
            preserve,
            directory,
            paths,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, ArgumentError> {
        let words: Vec<_> = line
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| word.as_bytes().to_vec())
            .collect();
        Arguments::parse(&words)
    }

    #[test]
    fn flags_may_be_apart_or_joined() {
        for line in [
            "-r -p -t /d",
            "-rp -t /d",
            "-rpt /d",
            "-trp -- /d",
            "-v -q -prt /d",
        ] {
            let expected = Arguments {
                direction: Direction::Sink,
                recursive: true,
                preserve: true,
                directory: false,
                paths: vec![b"/d".to_vec()],
            };
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
        assert!(parse("-d -t d").unwrap().directory);
    }

    #[test]
    fn a_path_may_begin_with_a_dash_behind_the_flags() {
        assert_eq!(parse("-t -- -r").unwrap().paths, [b"-r".to_vec()]);
        assert_eq!(
            parse("-f a -r").unwrap().paths,
            [b"a".to_vec(), b"-r".to_vec()]
        );
        assert_eq!(parse("-t -").unwrap().paths, [b"-".to_vec()]);
        assert!(!parse("-f a -r").unwrap().recursive);
    }

    #[test]
    fn a_command_line_that_is_not_that_of_a_server_is_refused() {
        assert_eq!(parse("a b"), Err(ArgumentError::NoDirection));
        assert_eq!(parse("-r a"), Err(ArgumentError::NoDirection));
        assert_eq!(parse("-t -f a"), Err(ArgumentError::NoDirection));
        assert_eq!(parse(""), Err(ArgumentError::NoDirection));
        assert_eq!(parse("-t"), Err(ArgumentError::NoPath));
        assert_eq!(parse("-f --"), Err(ArgumentError::NoPath));
        assert_eq!(parse("-t a b"), Err(ArgumentError::AmbiguousTarget));
    }

    #[test]
    fn an_unknown_flag_is_refused_since_it_may_take_the_path_as_its_value() {
        assert_eq!(parse("-S prog -t a"), Err(ArgumentError::UnknownFlag(b'S')));
        assert_eq!(parse("-rX -t a"), Err(ArgumentError::UnknownFlag(b'X')));
        assert_eq!(
            parse("-t --recursive a"),
            Err(ArgumentError::UnknownFlag(b'-'))
        );
    }
}
