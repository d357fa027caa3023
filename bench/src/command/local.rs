//! `make` and `check`: the same content in local files, to lay out what is downloaded and to verify what was uploaded.

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use clap::Args;
use serde_json::{Value, json};

use crate::content::Content;
use crate::error::LoadError;
use crate::small::{file_content, file_name};

const BLOCK: usize = 1 << 20;

#[derive(Args)]
pub(crate) struct LocalArgs {
    /// A file, or with `--files` a directory
    path: PathBuf,
    /// Bytes per file
    #[arg(long, default_value_t = 1 << 30)]
    size: u64,
    /// Seed of a single file's content
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of small files, which have seeds of their own
    #[arg(long)]
    files: Option<u32>,
}

impl LocalArgs {
    /// Every file with its content.
    fn each(
        &self,
        mut work: impl FnMut(&Path, Content) -> Result<(), LoadError>,
    ) -> Result<Value, LoadError> {
        let Some(files) = self.files else {
            let content = Content::new(self.seed);
            work(&self.path, content)?;
            return Ok(json!({"size": self.size, "sha256": content.sha256(self.size)}));
        };
        for number in 0..files {
            work(&self.path.join(file_name(number)), file_content(number))?;
        }
        Ok(json!({"size": self.size, "files": files}))
    }
}

/// Writes the files.
pub(crate) fn make(args: &LocalArgs) -> Result<Value, LoadError> {
    if args.files.is_some() {
        fs::create_dir_all(&args.path)?;
    }
    args.each(|path, content| {
        let mut file = BufWriter::with_capacity(BLOCK, fs::File::create(path)?);
        let mut buffer = BytesMut::new();
        let mut offset = 0;
        while offset < args.size {
            let len = usize::try_from(args.size - offset).map_or(BLOCK, |rest| rest.min(BLOCK));
            buffer.clear();
            content.append(offset, len, &mut buffer);
            file.write_all(&buffer)?;
            offset += len as u64;
        }
        file.flush()?;
        Ok(())
    })
}

/// Compares the files, their lengths included.
pub(crate) fn check(args: &LocalArgs) -> Result<Value, LoadError> {
    let mut buffer = vec![0; BLOCK];
    args.each(|path, content| {
        let wrong = |what: &str| LoadError::Wrong(format!("{}: {what}", path.display()));
        let mut file = fs::File::open(path)?;
        let mut offset = 0;
        loop {
            let len = file.read(&mut buffer)?;
            if len == 0 {
                break;
            }
            if !content.matches(offset, buffer.get(..len).unwrap_or_default()) {
                return Err(wrong("wrong bytes"));
            }
            offset += len as u64;
        }
        if offset == args.size {
            return Ok(());
        }
        Err(wrong("wrong length"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(path: PathBuf, files: Option<u32>) -> LocalArgs {
        LocalArgs {
            path,
            size: 5000,
            seed: 9,
            files,
        }
    }

    #[test]
    fn what_was_made_passes_the_check_and_a_changed_length_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let single = args(dir.path().join("one"), None);
        make(&single).unwrap();
        check(&single).unwrap();
        let file = fs::OpenOptions::new()
            .write(true)
            .open(&single.path)
            .unwrap();
        file.set_len(4999).unwrap();
        assert!(check(&single).is_err());
    }

    #[test]
    fn a_tree_lacks_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let tree = args(dir.path().join("tree"), Some(3));
        make(&tree).unwrap();
        check(&tree).unwrap();
        fs::remove_file(tree.path.join(file_name(1))).unwrap();
        assert!(check(&tree).is_err());
    }
}
