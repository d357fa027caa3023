//! Which directories are shared, and where the user sees them.

use std::path::{Path, PathBuf, absolute};

use sftpgo_core::model::{FilesystemConfig, FilesystemProvider, VirtualFolder};

use crate::app::AppError;

/// Between the name of a folder and its directory, as in the reference's script.
const NAME_ENDS: &str = "::";

/// The directories of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// What the user sees as `/`; `None` if that only holds the folders, or is a bucket.
    pub home: Option<PathBuf>,
    /// Folders below it.
    pub folders: Vec<VirtualFolder>,
}

impl Shared {
    /// From what flags say: one directory is the home; several are folders with their names, and so is each that is given
    /// one, as `/NAME::DIR`. Without any it is the working directory. Beside a bucket only named ones are shared: others
    /// were written for the reference, which did nothing with them.
    ///
    /// # Errors
    /// A directory that is none, a name that two have.
    pub fn new(directories: &[PathBuf], store: &FilesystemConfig) -> Result<Self, AppError> {
        let local = store.provider == FilesystemProvider::Local;
        let mut plain = Vec::new();
        let mut folders = Vec::new();
        for directory in directories {
            match named(directory)? {
                (Some(name), directory) => add(&mut folders, name, &directory)?,
                (None, directory) => plain.push(directory),
            }
        }
        let home = match (local, plain.as_slice()) {
            (false, _) => None,
            (true, [one]) if folders.is_empty() => Some(existing(one)?),
            (true, []) if folders.is_empty() => Some(existing(Path::new("."))?),
            (true, several) => {
                for directory in several {
                    let directory = existing(directory)?;
                    let name = directory.file_name().and_then(|name| name.to_str());
                    let name = name.ok_or_else(|| unnamed(&directory))?;
                    add(&mut folders, format!("/{name}"), &directory)?;
                }
                None
            }
        };
        Ok(Self { home, folders })
    }

    /// Where the permissions of the share hold: everywhere, or in each folder if `/` only holds those.
    pub(super) fn roots(&self, store: &FilesystemConfig) -> Vec<String> {
        let empty = self.home.is_none() && store.provider == FilesystemProvider::Local;
        if !empty {
            return vec!["/".to_owned()];
        }
        let folders = self.folders.iter();
        folders.map(|folder| folder.virtual_path.clone()).collect()
    }
}

/// The name that is given to a directory, if one is.
fn named(directory: &Path) -> Result<(Option<String>, PathBuf), AppError> {
    let text = directory.to_str().filter(|text| text.starts_with('/'));
    match text.and_then(|text| text.split_once(NAME_ENDS)) {
        Some((name, path)) if !path.is_empty() => {
            if name.len() < 2 || name.ends_with('/') {
                return Err(AppError(format!(
                    "--directory {}: the name of a folder looks like /docs",
                    directory.display()
                )));
            }
            Ok((Some(name.to_owned()), path.into()))
        }
        Some(_) | None => Ok((None, directory.to_owned())),
    }
}

fn unnamed(directory: &Path) -> AppError {
    AppError(format!(
        "--directory {}: it has no name that clients can see; give it one: --directory /NAME::{0}",
        directory.display()
    ))
}

fn add(folders: &mut Vec<VirtualFolder>, name: String, directory: &Path) -> Result<(), AppError> {
    let directory = existing(directory)?;
    let mapped = directory.to_str().map(str::to_owned);
    let mapped_path = mapped.ok_or_else(|| {
        AppError(format!(
            "--directory {}: its path is not UTF-8",
            directory.display()
        ))
    })?;
    if let Some(other) = folders.iter().find(|other| other.virtual_path == name) {
        return Err(AppError(format!(
            "{} and {mapped_path} would both be {name}: give one another name: --directory /NAME::{mapped_path}",
            other.mapped_path
        )));
    }
    folders.push(VirtualFolder {
        virtual_path: name,
        mapped_path,
    });
    Ok(())
}

/// Absolute, without links on the way: a server that is shown one directory must not serve another later.
fn existing(directory: &Path) -> Result<PathBuf, AppError> {
    let wrong = |reason: &dyn std::fmt::Display| {
        let shown = absolute(directory);
        let shown = shown.as_deref().unwrap_or(directory);
        AppError(format!("cannot share {}: {reason}", shown.display()))
    };
    let real = directory.canonicalize().map_err(|error| wrong(&error))?;
    if !real.is_dir() {
        return Err(wrong(&"it is not a directory"));
    }
    // Not only looked up, but readable: an empty listing would tell nobody why.
    std::fs::read_dir(&real).map_err(|error| wrong(&error))?;
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(directories: &[&Path]) -> Result<Shared, String> {
        let directories: Vec<_> = directories.iter().map(|path| path.to_path_buf()).collect();
        let shared = Shared::new(&directories, &FilesystemConfig::default());
        shared.map_err(|error| error.to_string())
    }

    fn tree() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["a", "b", "c/a"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        (directory, root)
    }

    #[test]
    fn one_directory_is_what_the_user_sees_first() {
        let (_guard, root) = tree();
        let shared = local(&[&root.join("a")]).unwrap();
        assert_eq!(shared.home, Some(root.join("a")));
        assert_eq!(shared.roots(&FilesystemConfig::default()), ["/"]);
        let here = local(&[]).unwrap();
        assert_eq!(
            here.home,
            Some(std::env::current_dir().unwrap().canonicalize().unwrap())
        );
    }

    #[test]
    fn several_directories_are_folders_with_their_names() {
        let (_guard, root) = tree();
        let shared = local(&[&root.join("a"), &root.join("b")]).unwrap();
        assert_eq!(shared.home, None);
        assert_eq!(shared.roots(&FilesystemConfig::default()), ["/a", "/b"]);
        let error = local(&[&root.join("a"), &root.join("c/a")]).unwrap_err();
        assert!(error.contains("/NAME::"), "{error}");
    }

    #[test]
    fn a_directory_can_be_given_a_name() {
        let (_guard, root) = tree();
        let named = format!("/docs::{}", root.join("a").display());
        let shared = local(&[Path::new(&named)]).unwrap();
        assert_eq!(shared.home, None);
        assert_eq!(shared.folders[0].virtual_path, "/docs");
        assert_eq!(Path::new(&shared.folders[0].mapped_path), root.join("a"));
        let nameless = format!("/::{}", root.display());
        assert!(local(&[Path::new(&nameless)]).is_err());
    }

    #[test]
    fn what_is_no_directory_is_refused_with_its_path() {
        let (_guard, root) = tree();
        std::fs::write(root.join("file"), "").unwrap();
        for name in ["file", "missing"] {
            let error = local(&[&root.join(name)]).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn beside_a_bucket_only_named_directories_are_shared() {
        let (_guard, root) = tree();
        let bucket = FilesystemConfig {
            provider: FilesystemProvider::S3,
            ..FilesystemConfig::default()
        };
        let named = PathBuf::from(format!("/docs::{}", root.join("a").display()));
        let shared = Shared::new(&[root.join("b"), named], &bucket).unwrap();
        assert_eq!((shared.home.as_ref(), shared.folders.len()), (None, 1));
        assert_eq!(shared.roots(&bucket), ["/"]);
    }
}
