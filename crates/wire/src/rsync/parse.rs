//! From words to a command.

use super::table::{FOLLOWING, LETTERS, LONG, NUMBERED, Takes};
use super::{RsyncCommand, RsyncError};

/// Longest value of an option that is let through.
const MAX_VALUE: usize = 1024;

/// Reads the words of a command line, the first of which is `rsync`.
///
/// # Errors
/// See [`RsyncError`].
pub fn parse(words: &[Vec<u8>]) -> Result<RsyncCommand, RsyncError> {
    let mut rest = words.iter().skip(1).map(Vec::as_slice);
    if rest.next() != Some(b"--server") {
        return Err(RsyncError::NotServer);
    }
    let mut command = RsyncCommand {
        sender: false,
        options: Vec::new(),
        paths: Vec::new(),
        relative: false,
        mkpath: false,
        safe_links: false,
        munge_links: false,
        fake_super: false,
        follows_links: false,
        removes_sources: false,
    };
    // Values of long options may be words of their own, so the `.` that ends the options is one that is no value.
    loop {
        match rest.next() {
            Some(b".") => break,
            Some(long) if long.starts_with(b"--") => command.long(long, &mut rest)?,
            Some(short) if short.starts_with(b"-") => command.short(short)?,
            Some(_) | None => return Err(RsyncError::Paths),
        }
    }
    command.paths = rest.map(<[u8]>::to_vec).collect();
    if command.paths.is_empty() {
        // `host:` is the home.
        command.paths.push(b".".to_vec());
    }
    if !command.sender && command.paths.len() != 1 {
        return Err(RsyncError::Paths);
    }
    Ok(command)
}

impl RsyncCommand {
    fn long<'w>(
        &mut self,
        word: &'w [u8],
        rest: &mut impl Iterator<Item = &'w [u8]>,
    ) -> Result<(), RsyncError> {
        if word == b"--sender" {
            self.sender = true;
            return Ok(());
        }
        let body = word.strip_prefix(b"--").unwrap_or(word);
        let (name, inline) = match body.iter().position(|byte| *byte == b'=') {
            Some(at) => (body.get(..at), body.get(at + 1..)),
            None => (Some(body), None),
        };
        let row = LONG
            .iter()
            .find(|(known, _)| Some(known.as_bytes()) == name);
        let Some((name, takes)) = row else {
            return Err(RsyncError::Option(shown(word)));
        };
        let option = format!("--{name}");
        if *takes == Takes::Nothing {
            if inline.is_some() {
                return Err(RsyncError::Value(option));
            }
            self.note(name);
            self.options.push(option.into_bytes());
            return Ok(());
        }
        let value = inline.or_else(|| rest.next());
        let value = value.ok_or_else(|| RsyncError::Value(option.clone()))?;
        check(*takes, value, &option)?;
        self.note(name);
        // One word, so that no value can be taken for an option.
        let mut argument = option.into_bytes();
        argument.push(b'=');
        argument.extend_from_slice(value);
        self.options.push(argument);
        Ok(())
    }

    fn note(&mut self, name: &str) {
        match name {
            "mkpath" => self.mkpath = true,
            "safe-links" => self.safe_links = true,
            "munge-links" => self.munge_links = true,
            "fake-super" => self.fake_super = true,
            "no-relative" => self.relative = false,
            "copy-unsafe-links" | "files-from" => self.follows_links = true,
            "remove-source-files" | "remove-sent-files" => self.removes_sources = true,
            _ => {}
        }
    }

    fn short(&mut self, word: &[u8]) -> Result<(), RsyncError> {
        let letters = word.get(1..).unwrap_or_default();
        if letters.is_empty() {
            return Err(RsyncError::Option(shown(word)));
        }
        for (index, letter) in letters.iter().enumerate() {
            let behind = letters.get(index + 1..).unwrap_or_default();
            match letter {
                b's' => return Err(RsyncError::SecludedArguments),
                // What the client can do, for the server to choose from: `-e.iLsfxCIvu`. It takes the rest of the word.
                b'e' if is_capabilities(behind) => break,
                letter if NUMBERED.contains(letter) && is_number(behind) => break,
                letter if LETTERS.contains(letter) => {}
                _ => return Err(RsyncError::Option(shown(&[b'-', *letter]))),
            }
            self.relative |= *letter == b'R';
            self.follows_links |= FOLLOWING.contains(letter);
        }
        self.options.push(word.to_vec());
        Ok(())
    }
}

fn check(takes: Takes, value: &[u8], option: &str) -> Result<(), RsyncError> {
    let of = |fine: &[u8]| {
        value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || fine.contains(byte))
    };
    let fine = match takes {
        Takes::Nothing => false,
        Takes::Number => is_number(value),
        Takes::Text(others) => !value.is_empty() && of(others),
        Takes::Only(expected) => value == expected,
        Takes::Directory if !is_below(value) => return Err(RsyncError::Path(option.to_owned())),
        Takes::Directory => true,
    };
    if fine && value.len() <= MAX_VALUE {
        Ok(())
    } else {
        Err(RsyncError::Value(option.to_owned()))
    }
}

fn is_number(value: &[u8]) -> bool {
    let digits = value
        .strip_prefix(b"-")
        .or_else(|| value.strip_prefix(b"+"))
        .unwrap_or(value);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.len() <= 32
        && digits
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
}

fn is_capabilities(value: &[u8]) -> bool {
    value.len() <= 64
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.')
}

/// Whether a path stays where it starts, whatever is there.
fn is_below(value: &[u8]) -> bool {
    !value.is_empty()
        && !value.starts_with(b"/")
        && !value.starts_with(b"-")
        && value
            .split(|byte| *byte == b'/')
            .all(|name| name != b".." && name.len() <= 255)
}

/// The option as it may be shown: without its value, escaped, short.
fn shown(word: &[u8]) -> String {
    let name = word.split(|byte| *byte == b'=').next().unwrap_or_default();
    name.iter()
        .take(40)
        .flat_map(|byte| std::ascii::escape_default(*byte))
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::split;
    use proptest::prelude::*;

    fn line(text: &str) -> Result<RsyncCommand, RsyncError> {
        parse(&split(text.as_bytes()).unwrap())
    }

    fn options(text: &str) -> Vec<String> {
        let options = line(text).unwrap().options;
        options
            .into_iter()
            .map(|option| String::from_utf8(option).unwrap())
            .collect()
    }

    /// Recorded from rsync 3.2.7 and 3.5.0.
    #[test]
    fn what_rsync_clients_send_is_understood() {
        let pull = line("rsync --server --sender -vlogDtprze.iLsfxCIvu . a 'b c/'").unwrap();
        assert!(pull.sender && !pull.relative && !pull.follows_links);
        assert_eq!(pull.paths, [b"a".to_vec(), b"b c/".to_vec()]);
        let push = "rsync --server -vlHogDtpRrSe.iLsfxCIvu -B700 --delete-during --partial \
                    --max-delete=3 --backup-dir old --link-dest ./prev . dest/";
        let command = line(push).unwrap();
        assert!(!command.sender && command.relative);
        assert_eq!(
            options(push),
            [
                "-vlHogDtpRrSe.iLsfxCIvu",
                "-B700",
                "--delete-during",
                "--partial",
                "--max-delete=3",
                "--backup-dir=old",
                "--link-dest=./prev",
            ]
        );
        assert_eq!(line("rsync --server -r .").unwrap().paths, [b".".to_vec()]);
        let munged = line("rsync --server -r --munge-links . x").unwrap();
        assert!(munged.munge_links && !munged.safe_links);
    }

    #[test]
    fn what_reaches_files_elsewhere_is_refused() {
        for text in [
            "--log-file=/tmp/x",
            "--log-file=x",
            "--config=/etc/x",
            "--daemon",
            "--rsync-path=/bin/sh",
            "--write-devices",
            "--copy-devices",
            "--filter='merge /etc/passwd'",
            "--exclude-from=/etc/passwd",
            "--password-file=/etc/passwd",
            "--write-batch=x",
            "--only-write-batch=x",
            "--copy-as=root",
            "--no-munge-links",
            "--super",
            "--rsh=sh",
            "--chmod=u+s",
            "--stop",
            "--",
            "---delete",
        ] {
            let refused = line(&format!("rsync --server {text} . d"));
            assert!(matches!(refused, Err(RsyncError::Option(_))), "{text}");
        }
        for text in [
            "--backup-dir=/tmp",
            "--temp-dir ../x",
            "--partial-dir=a/../..",
            "--link-dest=..",
            "--copy-dest=-x",
            "--compare-dest=",
        ] {
            let refused = line(&format!("rsync --server {text} . d"));
            assert!(matches!(refused, Err(RsyncError::Path(_))), "{text}");
        }
        for text in [
            "--files-from=/etc/passwd",
            "--timeout=x",
            "--suffix=/../x",
            "--delete=x",
            "--log-format=%i/x",
        ] {
            let refused = line(&format!("rsync --server {text} . d"));
            assert!(matches!(refused, Err(RsyncError::Value(_))), "{text}");
        }
    }

    #[test]
    fn a_value_is_never_taken_for_the_end_of_the_options() {
        assert_eq!(
            options("rsync --server --backup-dir . . d"),
            ["--backup-dir=."]
        );
        let ended = line("rsync --server --suffix");
        assert_eq!(ended, Err(RsyncError::Value("--suffix".to_owned())));
    }

    #[test]
    fn rsync_by_hand_and_secluded_arguments_are_refused() {
        for text in [
            "rsync",
            "rsync -a /etc d",
            "rsync --daemon",
            "rsync --sender --server . d",
        ] {
            assert_eq!(line(text), Err(RsyncError::NotServer), "{text}");
        }
        assert_eq!(
            line("rsync --server -vlogDtprse.iLsfxCIvu . d"),
            Err(RsyncError::SecludedArguments)
        );
        for text in [
            "rsync --server -r",
            "rsync --server -r d",
            "rsync --server -r . a b",
        ] {
            assert_eq!(line(text), Err(RsyncError::Paths), "{text}");
        }
        for text in [
            "-e/bin/sh",
            "-M--log-file=x",
            "-f",
            "-T/tmp",
            "-",
            "-B",
            "-rPi",
        ] {
            assert!(
                line(&format!("rsync --server {text} . d")).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn options_that_follow_links_take_names_later_or_remove_are_told() {
        for text in [
            "-rL",
            "-rk",
            "-r --copy-unsafe-links",
            "-r --files-from=- --from0",
        ] {
            let command = line(&format!("rsync --server {text} . d")).unwrap();
            assert!(command.follows_links && !command.removes_sources, "{text}");
        }
        for text in ["--remove-source-files", "--remove-sent-files"] {
            let command = line(&format!("rsync --server --sender -r {text} . d")).unwrap();
            assert!(command.removes_sources && !command.follows_links, "{text}");
        }
        // An L among the capabilities is none.
        let command = line("rsync --server -re.iLsfxCIvu . d").unwrap();
        assert!(!command.follows_links);
    }

    #[test]
    fn a_refused_option_is_shown_without_its_value_and_escaped() {
        let error = line("rsync --server '--x\n\u{1b}=secret' . d").unwrap_err();
        assert_eq!(error.to_string(), r"the option --x\n\x1b is not served");
    }

    proptest! {
        #[test]
        fn no_input_panics_and_nothing_unknown_gets_through(
            words in proptest::collection::vec("[-a-zA-Z.=/@~]{0,12}", 0..10)
        ) {
            let mut line = vec![b"rsync".to_vec(), b"--server".to_vec()];
            line.extend(words.into_iter().map(String::into_bytes));
            if let Ok(command) = parse(&line) {
                for option in &command.options {
                    prop_assert!(option.starts_with(b"-"));
                    let text = String::from_utf8_lossy(option);
                    if let Some(long) = text.strip_prefix("--") {
                        let name = long.split('=').next().unwrap_or_default();
                        prop_assert!(LONG.iter().any(|(known, _)| *known == name));
                    }
                }
            }
        }
    }
}
