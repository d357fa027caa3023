//! The fields of a user as flags. `None` and an empty list mean that a flag was not given.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A file of keys is small; more is a mistake.
const LARGEST_KEY_FILE: u64 = 1 << 20;

/// Everything about a user except name and password.
#[derive(Debug, Clone, Default, Args)]
pub struct UserFields {
    /// Home directory, an absolute path
    #[arg(long, value_name = "DIR")]
    pub home_dir: Option<PathBuf>,

    /// Permissions for a directory: `/:*` or `/docs:list,download`; the flag may be repeated, and
    /// all given ones replace the former permissions
    #[arg(long = "permission", value_name = "DIR:PERM,PERM")]
    pub permissions: Vec<DirectoryPermission>,

    /// Public key in authorized_keys format, or `@FILE`; the flag may be repeated, all given keys
    /// replace the former ones, and an empty text removes all
    #[arg(long = "public-key", value_name = "KEY")]
    public_keys: Vec<String>,

    /// File of public keys in authorized_keys format; as `--public-key @FILE`
    #[arg(long = "public-key-file", value_name = "FILE")]
    public_key_files: Vec<PathBuf>,

    /// Most bytes the user may store: `1000000`, `10GB`, `10GiB`; 0 means no limit
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub quota_size: Option<i64>,

    /// Most files the user may store; 0 means no limit
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(0..))]
    pub quota_files: Option<i32>,

    /// Most sessions at a time; 0 means no limit
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(0..))]
    pub max_sessions: Option<i32>,

    /// Upload bandwidth in KB/s (1 KB is 1000 bytes); 0 means no limit
    #[arg(long, value_name = "KBPS", value_parser = clap::value_parser!(i64).range(0..))]
    pub upload_bandwidth: Option<i64>,

    /// Download bandwidth in KB/s (1 KB is 1000 bytes); 0 means no limit
    #[arg(long, value_name = "KBPS", value_parser = clap::value_parser!(i64).range(0..))]
    pub download_bandwidth: Option<i64>,

    /// When the user expires: `2030-12-31` (the day begins in UTC), `2030-12-31T18:00:00Z` or
    /// `never`
    #[arg(long, value_name = "DATE", value_parser = parse_expiry)]
    pub expires: Option<i64>,

    /// 1 for a user that may log in, 0 for one that may not
    #[arg(long, group = "active", value_parser = clap::value_parser!(i32).range(0..=1))]
    status: Option<i32>,

    /// As `--status 1`
    #[arg(long, group = "active")]
    enable: bool,

    /// As `--status 0`
    #[arg(long, group = "active")]
    disable: bool,

    /// User id for new files, 1 to 65535; 0 means none
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=65535))]
    pub uid: Option<i32>,

    /// Group id for new files, 1 to 65535; 0 means none
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..=65535))]
    pub gid: Option<i32>,

    /// Network from which logins are allowed, in CIDR notation; the flag may be repeated, all
    /// given ones replace the former ones, and an empty text removes all
    #[arg(long = "allow-ip", value_name = "CIDR")]
    pub allowed_ip: Vec<String>,

    /// Network from which logins are denied, in CIDR notation; may be repeated as `--allow-ip`
    #[arg(long = "deny-ip", value_name = "CIDR")]
    pub denied_ip: Vec<String>,

    /// Login method that is denied: `publickey`, `password` or `keyboard-interactive`; the flag may
    /// be repeated, all given ones replace the former ones, and an empty text removes all
    #[arg(long = "deny-method", value_name = "METHOD")]
    pub denied_methods: Vec<String>,

    /// Login methods that must all be proved, in this order: `publickey,password`; the flag may be
    /// repeated for other ways in, all given ones replace the former ones, and an empty text
    /// removes all
    #[arg(long = "require-methods", value_name = "METHOD,METHOD")]
    pub required_methods: Vec<String>,
}

/// The permissions of one directory, not yet checked against the known permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPermission {
    /// Virtual path of the directory.
    pub directory: String,
    /// Names of permissions.
    pub permissions: Vec<String>,
}

/// `DIR:PERM,PERM`; without a directory the root is meant. A directory may contain `:`.
impl FromStr for DirectoryPermission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (directory, permissions) = match text.rsplit_once(':') {
            Some(parts) => parts,
            None if text.starts_with('/') => {
                return Err("no permissions after the directory".into());
            }
            None => ("/", text),
        };
        if !directory.starts_with('/') {
            return Err("the directory must begin with `/`".into());
        }
        let names = permissions
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let permissions = names.map(str::to_owned).collect();
        Ok(Self {
            directory: directory.to_owned(),
            permissions,
        })
    }
}

impl UserFields {
    /// Whether the user may log in; `None` if no flag says so.
    #[must_use]
    pub fn active(&self) -> Option<bool> {
        match (self.status, self.enable, self.disable) {
            (_, true, _) => Some(true),
            (_, _, true) => Some(false),
            (status, false, false) => status.map(|status| status == 1),
        }
    }

    /// The lines of all given keys; `None` if no flag was given, empty if all shall be removed.
    ///
    /// # Errors
    /// A key file cannot be read; the text names it.
    pub fn read_public_keys(&self) -> Result<Option<Vec<String>>, String> {
        if self.public_keys.is_empty() && self.public_key_files.is_empty() {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for key in &self.public_keys {
            match key.strip_prefix('@') {
                Some(path) => keys.extend(read_key_file(Path::new(path))?),
                None => keys.extend(key_lines(key)),
            }
        }
        for path in &self.public_key_files {
            keys.extend(read_key_file(path)?);
        }
        Ok(Some(keys))
    }
}

/// The keys of a file in `authorized_keys` format.
///
/// # Errors
/// It cannot be read; the text names it.
pub(in crate::cli) fn read_key_file(path: &Path) -> Result<Vec<String>, String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_KEY_FILE).read_to_string(&mut text));
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(key_lines(&text))
}

/// Files of keys come with comments, blank lines and the line ends of Windows.
pub(in crate::cli) fn key_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn parse_size(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text
        .get(digits.len()..)
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let number: i64 = digits
        .parse()
        .map_err(|_| "expected a size such as 10GB".to_owned())?;
    let factor: i64 = match unit.as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        // A bare letter means 1000 to some and 1024 to others.
        _ => return Err("units are B, KB, MB, GB, TB (1000) and KiB, MiB, GiB, TiB (1024)".into()),
    };
    let size = number.checked_mul(factor).filter(|size| *size >= 0);
    size.ok_or_else(|| "the size is out of range".to_owned())
}

/// Milliseconds since the epoch; 0 is never.
fn parse_expiry(text: &str) -> Result<i64, String> {
    if text == "never" {
        return Ok(0);
    }
    let day = || {
        text.parse::<Date>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|day| day.timestamp())
    };
    let time: Option<Timestamp> = text.parse().ok();
    match time.or_else(day) {
        Some(time) if time.as_millisecond() > 0 => Ok(time.as_millisecond()),
        Some(_) => Err("the date is before 1970".into()),
        None => Err("expected a date such as 2030-12-31, or never".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_decimal_and_binary_units() {
        for (text, size) in [
            ("0", 0),
            ("123", 123),
            ("10GB", 10_000_000_000),
            ("1 kib", 1024),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["", "GB", "1G", "-1", "1.5GB", "99999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_expiry_is_a_date_a_time_or_never() {
        assert_eq!(parse_expiry("never"), Ok(0));
        assert_eq!(parse_expiry("2030-12-31"), Ok(1_924_905_600_000));
        assert_eq!(
            parse_expiry("2030-12-31T01:00:00+01:00"),
            Ok(1_924_905_600_000)
        );
        for text in ["", "soon", "2030-13-01", "1960-01-01"] {
            assert!(parse_expiry(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_permission_names_a_directory_or_means_the_root() {
        let parse = |text: &str| {
            let parsed: DirectoryPermission = text.parse().unwrap();
            (parsed.directory, parsed.permissions.join("+"))
        };
        assert_eq!(parse("*"), ("/".into(), "*".into()));
        assert_eq!(
            parse("/a:b:list, download"),
            ("/a:b".into(), "list+download".into())
        );
        assert_eq!(parse("/closed:"), ("/closed".into(), String::new()));
        for text in ["/docs", "docs:list"] {
            assert!(text.parse::<DirectoryPermission>().is_err(), "{text}");
        }
    }

    #[test]
    fn public_keys_come_from_texts_and_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        std::fs::write(&file, "# mine\r\nssh-ed25519 B\r\n\r\nssh-rsa C\r\n").unwrap();
        let fields = UserFields {
            public_keys: vec!["ssh-ed25519 A".into(), format!("@{}", file.display())],
            public_key_files: vec![file],
            ..Default::default()
        };
        let keys = fields.read_public_keys().unwrap().unwrap();
        assert_eq!(
            keys,
            [
                "ssh-ed25519 A",
                "ssh-ed25519 B",
                "ssh-rsa C",
                "ssh-ed25519 B",
                "ssh-rsa C"
            ]
        );
        assert_eq!(UserFields::default().read_public_keys(), Ok(None));
        let none = UserFields {
            public_keys: vec![String::new()],
            ..Default::default()
        };
        assert_eq!(none.read_public_keys(), Ok(Some(vec![])));
        let missing = UserFields {
            public_keys: vec!["@/no/such".into()],
            ..Default::default()
        };
        assert!(missing.read_public_keys().unwrap_err().contains("/no/such"));
    }
}
