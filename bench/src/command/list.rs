//! `list`: one directory, from OPENDIR to the end.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};

use crate::error::LoadError;
use crate::listing::list;
use crate::report::{frequency, with};
use crate::session::Session;
use crate::small::file_name;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Directory on the server
    dir: String,
    /// Files that must be in it, as `make` with `--files` named them
    #[arg(long, default_value_t = 100_000)]
    files: u32,
    /// READDIRs in flight: OpenSSH's client has 1, FileZilla 4
    #[arg(long, default_value_t = 4)]
    depth: usize,
}

/// Lists, and checks that each file is there once.
pub(crate) async fn run(target: &Arc<Target>, args: &ListArgs) -> Result<Value, LoadError> {
    let mut session = Session::open(target).await?;
    let begun = Instant::now();
    let listing = list(&mut session.sftp, args.dir.as_bytes(), args.depth.max(1)).await?;
    let elapsed = begun.elapsed();
    session.part().await;
    let names = listing.entries.into_iter().map(|entry| entry.filename);
    check(names.collect(), args.files)?;
    let figures = frequency("list", u64::from(args.files), elapsed);
    Ok(with(figures, json!({"replies": listing.replies})))
}

/// Whether `names` are those of the files 0 to `files`, each once, beside the two that some servers send.
pub(super) fn check(mut names: Vec<Bytes>, files: u32) -> Result<(), LoadError> {
    names.retain(|name| name != "." && name != "..");
    names.sort_unstable();
    let got = names.len();
    let expected = (0..files).map(file_name);
    // Numbers have a fixed width, so names sort as numbers do.
    let mut pairs = expected.zip(&names);
    if let Some((expected, name)) = pairs.find(|(expected, name)| *name != expected) {
        let name = String::from_utf8_lossy(name);
        return Err(LoadError::Wrong(format!(
            "{name} where {expected} should be"
        )));
    }
    if got == files as usize {
        return Ok(());
    }
    Err(LoadError::Wrong(format!("{got} entries of {files}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(numbers: &[u32]) -> Vec<Bytes> {
        let mut names: Vec<_> = numbers.iter().map(|n| Bytes::from(file_name(*n))).collect();
        names.push(Bytes::from_static(b"."));
        names
    }

    #[test]
    fn a_complete_listing_in_any_order_is_right() {
        assert!(check(names(&[2, 0, 1]), 3).is_ok());
    }

    #[test]
    fn a_missing_a_doubled_and_a_foreign_entry_are_found() {
        assert!(check(names(&[0, 2]), 3).is_err());
        assert!(check(names(&[0, 1]), 3).is_err());
        assert!(check(names(&[0, 1, 1]), 3).is_err());
        assert!(check(names(&[0, 1, 2, 3]), 3).is_err());
    }
}
