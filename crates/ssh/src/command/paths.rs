//! The paths among the arguments of a command.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::model::path::escape_bytes;
use sftpgo_core::{OpError, OpErrorKind, OpResult};
use sftpgo_wire::exec;

use super::table::Exec;

/// The arguments that are paths: whatever is no option, and everything behind `--`. The last argument is always one, as in
/// the reference (8.2): `md5sum -x` is the digest of a file.
///
/// # Errors
/// An option that is not in `options`.
pub(super) fn arguments<'a>(exec: &'a Exec, options: &[&str]) -> OpResult<Vec<&'a [u8]>> {
    let mut paths = Vec::new();
    let mut only_paths = false;
    let count = exec.words.len();
    for (position, word) in exec.words.iter().enumerate().skip(1) {
        let last = position + 1 == count;
        let option = !only_paths && word.len() > 1 && word.starts_with(b"-");
        if option && options.iter().any(|option| option.as_bytes() == word) {
            continue;
        }
        if option && word == b"--" {
            only_paths = true;
        } else if option && !last {
            return Err(OpError::new(
                OpErrorKind::InvalidArgument,
                "this option is not supported",
            ));
        } else if last {
            paths.extend(exec::path_argument(&exec.words));
        } else {
            paths.push(word.as_slice());
        }
    }
    Ok(paths)
}

/// The path argument that a command acted on last: as the command log has it, and as a path if it is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Argument {
    /// As [`logged`] gives it.
    pub(super) logged: String,
    pub(super) path: Option<VirtualPath>,
}

impl Argument {
    pub(super) fn new(argument: Option<&[u8]>) -> Self {
        Self {
            logged: logged(argument),
            path: argument.and_then(|argument| VirtualPath::parse(argument).ok()),
        }
    }
}

/// A path argument as the command log has it: absolute and clean, with the slash that the client wrote behind it; empty if
/// there is none (reference 8.2, 14.4).
pub(crate) fn logged(argument: Option<&[u8]>) -> String {
    let Some(argument) = argument else {
        return String::new();
    };
    let Ok(path) = VirtualPath::parse(argument) else {
        return escape_bytes(argument);
    };
    let slash = !path.is_root() && argument.ends_with(b"/");
    format!("{path}{}", if slash { "/" } else { "" })
}

/// A path as tools print it: one line, with a mark in front if something had to be escaped. GNU coreutils' rule, which the
/// readers of their output know.
pub(super) fn printed(path: &VirtualPath) -> (&'static [u8], Vec<u8>) {
    let mut out = Vec::with_capacity(path.as_bytes().len());
    for byte in path.as_bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(*byte),
        }
    }
    let escaped = out.len() != path.as_bytes().len();
    (if escaped { b"\\" } else { b"" }, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_the_path_as_the_reference_cleans_it() {
        for (argument, path) in [
            ("/tmp/../path", "/path"),
            ("/tmp/", "/tmp/"),
            ("tmp/", "/tmp/"),
            ("tmp//", "/tmp/"),
            ("..", "/"),
            (".", "/"),
            ("//", "/"),
            ("../..", "/"),
            ("/..", "/"),
            ("/a space.txt", "/a space.txt"),
        ] {
            assert_eq!(logged(Some(argument.as_bytes())), path, "{argument}");
        }
        assert_eq!(logged(None), "");
        assert_eq!(logged(Some(b"a\0b")), "a\\u{0}b");
    }
}
