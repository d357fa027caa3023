//! Finds and reads the settings file (reference 2.1).

use std::io::Read;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::LoadError;
use super::format::{EXTENSIONS, Format};

/// More than any settings file needs; a device or a log given by mistake ends here.
const LARGEST_FILE: u64 = 4 << 20;

/// The name used when none is given.
pub(crate) const DEFAULT_NAME: &str = "sftpgo";

/// A settings file that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    /// Files of the same name in the same directory that come later in the order.
    pub(crate) shadowed: Vec<PathBuf>,
}

/// Directories to search, the first hit wins.
pub(crate) fn directories(config_dir: &Path, environment: &Environment) -> Vec<PathBuf> {
    let mut directories = vec![config_dir.to_path_buf()];
    if cfg!(target_os = "linux") {
        if let Some(home) = environment.value("HOME") {
            directories.push(Path::new(home).join(".config/sftpgo"));
        }
        directories.push("/etc/sftpgo".into());
    }
    if config_dir != Path::new(".") {
        directories.push(".".into());
    }
    directories
}

/// Looks for `name` with one of the known extensions.
///
/// A name that already ends in a known extension is taken as it is if that file exists, since
/// this is what people try first.
pub(crate) fn find(name: &str, directories: &[PathBuf]) -> Option<Found> {
    let name = if name.is_empty() { DEFAULT_NAME } else { name };
    directories
        .iter()
        .find_map(|directory| find_in(directory, name))
}

fn find_in(directory: &Path, name: &str) -> Option<Found> {
    let with_extension = EXTENSIONS.iter().map(|(extension, format)| {
        let path = directory.join(format!("{name}.{extension}"));
        (path, *format)
    });
    let given = Path::new(name)
        .extension()
        .and_then(|e| Format::of_extension(e.to_str()?));
    let as_given = given.map(|format| (directory.join(name), format));
    let mut found = with_extension
        .chain(as_given)
        .filter(|(path, _)| path.is_file());
    let (path, format) = found.next()?;
    // `sftpgo.env` beside `sftpgo.json` is the usual `EnvironmentFile` of systemd.
    let shadowed = found
        .filter(|(_, format)| *format != Format::Envfile)
        .map(|(path, _)| path)
        .collect();
    Some(Found {
        path,
        format,
        shadowed,
    })
}

/// The text of a settings file.
pub(crate) fn read(path: &Path) -> Result<String, LoadError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        LoadError::one(format!("cannot read {}: {error}", path.display()))
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(LARGEST_FILE + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(unreadable(&"too large for a settings file"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_first_directory_and_extension_win() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        for path in [&one, &two] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("sftpgo.ini"), "").unwrap();
            fs::write(path.join("sftpgo.toml"), "").unwrap();
            fs::write(path.join("sftpgo.env"), "").unwrap();
        }
        let found = find("", &[root.path().join("missing"), one.clone(), two]).unwrap();
        assert_eq!(
            (found.path, found.format),
            (one.join("sftpgo.toml"), Format::Toml)
        );
        assert_eq!(found.shadowed, [one.join("sftpgo.ini")]);
    }

    #[test]
    fn a_name_may_carry_its_extension() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("my.yml"), "").unwrap();
        let directories = [root.path().to_path_buf()];
        assert_eq!(find("my.yml", &directories).unwrap().format, Format::Yaml);
        assert_eq!(find("my", &directories).unwrap().format, Format::Yaml);
        assert_eq!(find("my.json", &directories), None);
    }

    #[test]
    fn a_directory_is_not_a_settings_file() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("sftpgo.json")).unwrap();
        assert_eq!(find("sftpgo", &[root.path().to_path_buf()]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_home_and_system_directories_are_searched() {
        let environment: Environment = [("HOME".into(), "/home/u".into())].into_iter().collect();
        let expected = ["/c", "/home/u/.config/sftpgo", "/etc/sftpgo", "."].map(PathBuf::from);
        assert_eq!(directories(Path::new("/c"), &environment), expected);
    }
}
