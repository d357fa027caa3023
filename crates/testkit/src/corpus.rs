//! Two hundred ways to write a path, so that every protocol is asked the same: is what it decides about a spelling what
//! it decides about the canonical path?
//!
//! Products have cleaned paths after they had checked them, with other rules for `\`, `%2e`, trailing dots or look-alikes
//! of Unicode than the file system's (SFTPGo CVE-2026-30914). Here a path is bytes between slashes and nothing else: what
//! a spelling means follows from [`canonical`] alone, which is written apart from the product on purpose.

/// What a spelling comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The path that it was made from.
    Same,
    /// Another path: other systems might take it for the same one, this server must not.
    Other,
    /// No path at all, which is refused whatever is done with it.
    Nothing,
}

/// One way to write a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// The bytes that a client sends.
    pub raw: Vec<u8>,
    /// What they come to.
    pub meaning: Meaning,
}

impl Spelling {
    /// The absolute, clean path that the bytes mean; of no use for [`Meaning::Nothing`].
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        canonical(&self.raw)
    }

    /// The bytes for a message of a test, cut to what can be read.
    #[must_use]
    pub fn shown(&self) -> String {
        let start = self.raw.get(..80).unwrap_or(&self.raw);
        start.escape_ascii().to_string()
    }
}

/// The rule: split at `/`, drop what is empty or `.`, let `..` take back a name if there is one.
#[must_use]
pub fn canonical(raw: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in raw.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    [b"/", &names.join(&b'/')[..]].concat()
}

/// All ways to write the absolute, clean `path`, which has at least two names of ASCII letters and dots: about 250, those
/// of each meaning together.
///
/// # Panics
///
/// If `path` is not of that form, or the corpus has lost its size.
#[must_use]
pub fn spellings(path: &str) -> Vec<Spelling> {
    let (directory, name) = path.rsplit_once('/').unwrap();
    assert!(directory.len() > 1 && path.starts_with('/') && path.is_ascii());
    let with = |meaning| move |raw: Vec<u8>| Spelling { raw, meaning };
    let mut all: Vec<_> = same(path).into_iter().map(with(Meaning::Same)).collect();
    let target = canonical(path.as_bytes());
    assert!(all.iter().all(|spelling| spelling.canonical() == target));
    let others = other(directory, name).into_iter();
    all.extend(others.map(with(Meaning::Other)));
    all.extend(nothing(path).into_iter().map(with(Meaning::Nothing)));
    let is_true = |spelling: &Spelling| {
        (spelling.meaning == Meaning::Other) != (spelling.canonical() == target)
            || spelling.meaning == Meaning::Nothing
    };
    assert!(all.iter().all(is_true), "a spelling of the wrong meaning");
    assert!(all.len() >= 200);
    all
}

/// Every combination of ways to begin, to separate and to end.
fn same(path: &str) -> Vec<Vec<u8>> {
    let heads = [
        "",
        "/",
        "//",
        "/./",
        "./",
        "../../",
        "/..//.././",
        "none/../",
    ];
    let separators = ["/", "//", "/./", "/none/.././"];
    let tails = ["", "/", "/.", "/none/.."];
    let relative = path.trim_start_matches('/');
    let mut all = Vec::new();
    for head in heads {
        for separator in separators {
            for tail in tails {
                let middle = relative.replace('/', separator);
                all.push(format!("{head}{middle}{tail}").into_bytes());
            }
        }
    }
    all
}

/// What is a path of its own here.
fn other(directory: &str, name: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    all.extend(SEPARATORS.map(|separator| {
        let head = directory.as_bytes();
        [head, separator, name.as_bytes()].concat()
    }));
    all.extend(CLIMBS.map(|climb| {
        let tail = format!("{directory}/{name}");
        [b"/open/", climb, tail.as_bytes()].concat()
    }));
    for suffix in SUFFIXES {
        all.push([directory.as_bytes(), b"/", name.as_bytes(), suffix].concat());
        all.push([directory.as_bytes(), suffix, b"/", name.as_bytes()].concat());
    }
    all.extend(PREFIXES.map(|prefix| format!("{prefix}{directory}/{name}").into_bytes()));
    all.extend(transformed(directory, name).map(String::into_bytes));
    all
}

/// What others take for `/`: backslashes, percent and overlong encodings, look-alikes (U+2215, U+2044, U+29F8, U+FF0F,
/// U+FF3C).
const SEPARATORS: [&[u8]; 16] = [
    b"\\",
    b"\\\\",
    b"/\\",
    b"/.\\",
    b"/..\\",
    b"%2f",
    b"%2F",
    b"%5c",
    b"%252f",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    "\u{2215}".as_bytes(),
    "\u{2044}".as_bytes(),
    "\u{29f8}".as_bytes(),
    "\u{ff0f}".as_bytes(),
    "\u{ff3c}".as_bytes(),
];

/// What others take for `..`.
const CLIMBS: [&[u8]; 20] = [
    b"%2e%2e",
    b"%2E.",
    b".%2e",
    b"%252e%252e",
    b"..%00",
    b"..%2f",
    b"..\\",
    b"\\..",
    b"...",
    b"....",
    b".. ",
    b" ..",
    b". .",
    b"..;",
    b"..\t",
    b"\xc0\xae\xc0\xae",
    "\u{2025}".as_bytes(),
    "\u{ff0e}\u{ff0e}".as_bytes(),
    "\u{2024}\u{2024}".as_bytes(),
    ".\u{200b}.".as_bytes(),
];

/// What others cut from the end of a name: dots and spaces, streams, parameters, NUL in disguise, what is not seen
/// (U+200B, U+202E, U+FEFF, U+00AD), line ends.
const SUFFIXES: [&[u8]; 18] = [
    b".",
    b"..",
    b" ",
    b". .",
    b"::$DATA",
    b":$INDEX_ALLOCATION",
    b";",
    b";a=b",
    b"?",
    b"#",
    b"%00",
    b"%20",
    b"\\",
    b"\r",
    b"\n",
    "\u{200b}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
];

/// What others take for the root, or expand.
const PREFIXES: [&str; 12] = [
    "C:",
    "\\\\?\\",
    "file://",
    "/proc/self/root",
    "/dev/fd/../fd/3",
    "~",
    "~/",
    "$HOME",
    "${PWD}",
    "%username%",
    "`pwd`",
    "$(pwd)",
];

/// What is the same only where case, Unicode forms or patterns do not count.
fn transformed(directory: &str, name: &str) -> impl Iterator<Item = String> {
    // Letters of other scripts and of full width that look like, or are folded to, those of ASCII.
    let like = |text: &str, wide: bool| -> String {
        let other = |letter: char| match letter {
            'a' => '\u{430}',
            'c' => '\u{441}',
            'e' => '\u{435}',
            'o' => '\u{43e}',
            's' => '\u{17f}',
            _ => letter,
        };
        let full_width = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap();
        text.chars()
            .map(|letter| match letter {
                letter if !letter.is_ascii_alphabetic() => letter,
                letter if wide => full_width(letter),
                letter => other(letter),
            })
            .collect()
    };
    let (first, rest) = name.split_at(1);
    [
        format!("{}/{name}", directory.to_uppercase()),
        format!("{directory}/{}", name.to_uppercase()),
        format!("{}/{name}", like(directory, false)),
        format!("{directory}/{}", like(name, false)),
        format!("{}/{name}", like(directory, true)),
        format!("{directory}/{}", like(name, true)),
        format!("{directory}/{first}\u{301}{rest}"),
        format!("{directory}/[{first}]{rest}"),
        format!("{directory}/?{rest}"),
        format!("{directory}/*"),
        format!("{directory}*/{name}"),
        format!("{directory}/{{{name}}}"),
        format!("{directory}/'{name}'"),
        format!("\"{directory}/{name}\""),
        format!("{directory}2/{name}"),
        format!("{directory}/{name}2"),
        format!(" {directory}/{name}"),
        format!("{directory}/ {name}"),
        format!("-{directory}/{name}"),
        format!("{directory}/../{name}"),
    ]
    .into_iter()
}

/// What no file system can hold.
fn nothing(path: &str) -> Vec<Vec<u8>> {
    let path = path.as_bytes();
    let long_name = [b'n'; 256];
    vec![
        [path, b"\0"].concat(),
        [path, b"\0.txt"].concat(),
        [b"\0", path].concat(),
        [b"/open/..\0", path].concat(),
        [b"/open\0/..", path].concat(),
        [b"/", &long_name[..], b"/..", path].concat(),
        [path, b"/", &long_name[..]].concat(),
        [path, &b"/long-enough".repeat(400)[..]].concat(),
        [&b"/.".repeat(20_000)[..], path].concat(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_is_as_large_and_as_varied_as_it_says() {
        let all = spellings("/closed/secret.txt");
        let distinct: std::collections::HashSet<_> = all.iter().map(|one| &one.raw).collect();
        assert_eq!(distinct.len(), all.len());
        for (meaning, least) in [
            (Meaning::Same, 100),
            (Meaning::Other, 80),
            (Meaning::Nothing, 9),
        ] {
            let count = all.iter().filter(|one| one.meaning == meaning).count();
            assert!(count >= least, "{meaning:?}: {count}");
        }
    }

    #[test]
    fn canonical_paths_have_no_dots_and_no_empty_names() {
        for (raw, clean) in [
            ("", "/"),
            ("../..", "/"),
            ("a/./b//c/../d/", "/a/b/d"),
            ("/a\\../b", "/a\\../b"),
        ] {
            assert_eq!(canonical(raw.as_bytes()), clean.as_bytes());
        }
    }
}
