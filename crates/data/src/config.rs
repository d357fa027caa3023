//! The `data_provider` section: [`DataProviderConfig`] as written in a settings file, and
//! [`DataProviderSettings`] as the rest of the program may rely on it.

mod actions;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_model::{Actions, HookTarget, HookText, LoginMethod, SettingIssue, UserEvent};

use crate::sql::{mysql, postgres};

pub use actions::UserActionsConfig;

/// Text that `Debug` does not show: passwords and connection strings.
///
/// It deliberately has no `Display`; [`HiddenText::reveal`] is the one way to the text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HiddenText(String);

impl HiddenText {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "\"\""
        } else {
            "[redacted]"
        })
    }
}

/// Where accounts are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataProviderConfig {
    /// `sqlite`, `mysql`, `postgresql`, `bolt` or `memory`.
    pub driver: String,
    /// sqlite, bolt: the database file. mysql, postgresql: the database name. memory: a dump
    /// file to load, or empty. Files are absolute or relative to the configuration directory.
    pub name: String,
    /// Host of the database server (mysql, postgresql): a name or an address; or a Unix socket, for postgresql its
    /// directory and for mysql its path. Empty is this machine.
    pub host: String,
    /// Port of the database server (mysql, postgresql). MySQL and MariaDB usually have 3306.
    pub port: u16,
    /// User name at the database server.
    pub username: String,
    /// Password at the database server. Never shown.
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub password: HiddenText,
    /// TLS to the database server, not for Unix sockets. postgresql: 0 disable, 1 require (the certificate is not
    /// checked), 2 verify-ca (it is, but for the name of the host), 3 verify-full. mysql: 0 false, 1 true (the
    /// certificate and its name are checked), 2 skip-verify (they are not), 3 preferred (as 2 if the server can, else
    /// none). Certificates are checked with the authorities that this machine and browsers trust; others are named
    /// in the connection string.
    pub sslmode: i32,
    /// Used instead of the other values for the connection, if not empty. Never shown. The spelling
    /// `connectionstring` is accepted too. sqlite: `file:<path>`. postgresql: `host='..' port=.. dbname='..' user='..'
    /// password='..' sslmode=..` or a `postgres://` URL, with `sslrootcert` for a certificate authority of your own.
    /// mysql: `user:password@tcp(host:port)/database?tls=..`, `user:password@unix(/path)/database` or a `mysql://` URL,
    /// with `ssl-ca` for a certificate authority (its slashes written `%2F`).
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub connection_string: HiddenText,
    /// Name of the table that holds the users: letters, digits, `_`, and one `.` after a schema or, with mysql, a
    /// database. postgresql takes capitals for small letters.
    pub users_table: String,
    /// 0 refuses to add, change and delete users, and writes neither last login nor quota. Then the table may be a
    /// view, and the database user needs no right but to read it and the table `schema_version`.
    pub manage_users: i32,
    /// 0 never, 1 always, 2 only for users that have a quota limit.
    pub track_quota: i32,
    /// Most open connections to a database server (mysql, postgresql), up to 1000; 0 is 20.
    pub pool_size: u32,
    /// A user added without a home directory gets this directory plus the user name.
    /// An absolute path, or empty.
    pub users_base_dir: String,
    /// What to run when a user is added, changed or deleted.
    pub actions: UserActionsConfig,
    /// Decides who may log in and what their account is like: the absolute path of a program, or a URL with `http://` or
    /// `https://`. The name `external_auth_hook` is accepted too. `docs/logins.md` says what it is asked and answers.
    #[schemars(with = "String")]
    pub external_auth_program: HookText,
    /// Login methods that `external_auth_program` decides about: sum of 1 password, 2 public key,
    /// 4 keyboard interactive; 0 means all.
    pub external_auth_scope: i32,
    /// Directory where the reference wrote credentials of Google Cloud Storage, absolute or relative to the configuration
    /// directory. They are read for accounts that have none stored, and never written.
    pub credentials_path: String,
    /// May change a user just before the login: the absolute path of a program, or a URL with `http://` or `https://`. The
    /// name `pre_login_hook` is accepted too. Not asked for login methods that `external_auth_program` decides about.
    #[schemars(with = "String")]
    pub pre_login_program: HookText,
}

impl Default for DataProviderConfig {
    fn default() -> Self {
        Self {
            driver: "sqlite".into(),
            name: "sftpgo.db".into(),
            host: String::new(),
            port: 5432,
            username: String::new(),
            password: HiddenText::default(),
            sslmode: 0,
            connection_string: HiddenText::default(),
            users_table: "users".into(),
            manage_users: 1,
            track_quota: 1,
            pool_size: 0,
            users_base_dir: String::new(),
            actions: UserActionsConfig::default(),
            external_auth_program: HookText::default(),
            external_auth_scope: 0,
            credentials_path: "credentials".into(),
            pre_login_program: HookText::default(),
        }
    }
}

/// Which data provider keeps the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// One SQLite file.
    Sqlite,
    /// A PostgreSQL server.
    Postgresql,
    /// A MySQL or MariaDB server.
    Mysql,
    /// One file of an embedded key/value store.
    Bolt,
    /// Memory, filled from a dump file if one is named.
    Memory,
}

impl Driver {
    /// The name used in settings and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Bolt => "bolt",
            Self::Memory => "memory",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Self::Sqlite,
            Self::Postgresql,
            Self::Mysql,
            Self::Bolt,
            Self::Memory,
        ]
        .into_iter()
        .find(|driver| driver.name() == name)
    }
}

/// For whom used space is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackQuota {
    /// For nobody.
    Off,
    /// For every user.
    Always,
    /// For users that have a limit.
    LimitedOnly,
}

/// How to reach a database server. Only meaningful for server drivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseServer {
    /// Name of the database.
    pub database: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name.
    pub username: String,
    /// Password.
    pub password: HiddenText,
    /// 0..=3 as documented at [`DataProviderConfig::sslmode`].
    pub ssl_mode: u8,
}

/// The `data_provider` section after validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataProviderSettings {
    /// Which data provider.
    pub driver: Driver,
    /// sqlite, bolt: always the database file. memory: the dump file, if any. Absolute if the
    /// base directory was.
    pub file: Option<PathBuf>,
    /// How to reach a database server.
    pub server: DatabaseServer,
    /// Replaces `file` and `server` if set.
    pub connection_string: Option<HiddenText>,
    /// A plain SQL identifier, safe to put into a statement.
    pub users_table: String,
    /// Whether users may be added, changed and deleted, and logins and quota be recorded.
    pub manage_users: bool,
    /// For whom used space is counted.
    pub track_quota: TrackQuota,
    /// Most open connections to a database server.
    pub pool_size: Option<u32>,
    /// Absolute parent of home directories that are not given.
    pub users_base_dir: Option<PathBuf>,
    /// Where files with credentials of Google Cloud Storage may be; absolute if the base directory was.
    pub credentials_dir: Option<PathBuf>,
    /// What decides about logins; a program is there.
    pub external_auth: Option<HookTarget>,
    /// The login methods that it decides about; not empty.
    pub external_auth_scope: Vec<LoginMethod>,
    /// What may change users before they are looked at; a program is there.
    pub pre_login: Option<HookTarget>,
    /// What is run when a user is added, changed or deleted.
    pub actions: Actions<UserEvent>,
}

impl DataProviderConfig {
    /// Checks the section and turns it into settings; relative paths are below `base_dir`.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve(
        self,
        base_dir: &Path,
    ) -> Result<(DataProviderSettings, Vec<SettingIssue>), SettingIssue> {
        let mut warnings = Vec::new();
        let driver = Driver::parse(&self.driver).ok_or_else(|| {
            let reason = format!(
                "unknown driver {:?}; expected sqlite, mysql, postgresql, bolt or memory",
                self.driver
            );
            SettingIssue::new("data_provider.driver", reason)
        })?;
        warnings.extend(self.checked_connection_string(driver)?);
        let settings = DataProviderSettings {
            driver,
            file: self.database_file(driver, base_dir)?,
            connection_string: Some(self.connection_string.clone()).filter(|text| !text.is_empty()),
            users_table: self.checked_users_table()?,
            manage_users: self.manage_users != 0,
            track_quota: self.checked_track_quota()?,
            pool_size: Some(self.pool_size).filter(|size| *size > 0),
            users_base_dir: self.checked_users_base_dir(&mut warnings),
            credentials_dir: Some(&self.credentials_path)
                .filter(|path| !path.is_empty())
                .map(|path| base_dir.join(path)),
            external_auth: checked_hook(
                "data_provider.external_auth_program",
                &self.external_auth_program,
                &mut warnings,
            )?,
            external_auth_scope: self.checked_scope(&mut warnings),
            pre_login: checked_hook(
                "data_provider.pre_login_program",
                &self.pre_login_program,
                &mut warnings,
            )?,
            actions: self.actions.resolve(&mut warnings)?,
            server: self.database_server()?,
        };
        Ok((settings, warnings))
    }

    fn checked_scope(&self, warnings: &mut Vec<SettingIssue>) -> Vec<LoginMethod> {
        let bits = [
            (1, LoginMethod::Password),
            (2, LoginMethod::PublicKey),
            (4, LoginMethod::KeyboardInteractive),
        ];
        let scope = self.external_auth_scope;
        if !(0..=7).contains(&scope) {
            let reason = format!("{scope} is not one of 0 to 7; using 0, which means all methods");
            warnings.push(SettingIssue::new(
                "data_provider.external_auth_scope",
                reason,
            ));
        } else if scope != 0 {
            let covered = bits.into_iter().filter(|(bit, _)| scope & bit != 0);
            return covered.map(|(_, method)| method).collect();
        }
        bits.map(|(_, method)| method).into()
    }

    fn database_file(
        &self,
        driver: Driver,
        base_dir: &Path,
    ) -> Result<Option<PathBuf>, SettingIssue> {
        let named = !matches!(self.name.as_str(), "" | "." | "..");
        match driver {
            Driver::Postgresql | Driver::Mysql => Ok(None),
            Driver::Memory => Ok(named.then(|| base_dir.join(&self.name))),
            Driver::Sqlite | Driver::Bolt if named => Ok(Some(base_dir.join(&self.name))),
            // A connection string names the file itself.
            Driver::Sqlite if !self.connection_string.is_empty() => Ok(None),
            Driver::Sqlite | Driver::Bolt => {
                let reason = format!("{:?} is not a file name", self.name);
                Err(SettingIssue::new("data_provider.name", reason))
            }
        }
    }

    /// A string for a database server is read now, so that a look at the settings shows what is wrong with it; gives a
    /// warning of what has no effect.
    fn checked_connection_string(
        &self,
        driver: Driver,
    ) -> Result<Option<SettingIssue>, SettingIssue> {
        let text = self.connection_string.reveal();
        let checked = match driver {
            _ if text.is_empty() => return Ok(None),
            Driver::Postgresql => postgres::check_connection_string(text),
            Driver::Mysql => mysql::check_connection_string(text),
            Driver::Sqlite | Driver::Bolt | Driver::Memory => return Ok(None),
        };
        let key = "data_provider.connection_string";
        let ignored = checked.map_err(|reason| SettingIssue::new(key, reason))?;
        let names = ignored.join(", ");
        let warning = SettingIssue::new(key, format!("these parameters have no effect: {names}"));
        Ok(Some(warning).filter(|_| !ignored.is_empty()))
    }

    fn database_server(self) -> Result<DatabaseServer, SettingIssue> {
        let ssl_mode = u8::try_from(self.sslmode).ok().filter(|mode| *mode <= 3);
        let ssl_mode = ssl_mode.ok_or_else(|| {
            let reason = format!("{} is not one of 0, 1, 2, 3", self.sslmode);
            SettingIssue::new("data_provider.sslmode", reason)
        })?;
        Ok(DatabaseServer {
            database: self.name,
            host: self.host,
            port: self.port,
            username: self.username,
            password: self.password,
            ssl_mode,
        })
    }

    /// The name goes into SQL text, where it cannot be a bound parameter.
    fn checked_users_table(&self) -> Result<String, SettingIssue> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|c: char| c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if self.users_table.len() <= 128 && self.users_table.split('.').all(plain) {
            return Ok(self.users_table.clone());
        }
        let reason = format!("{:?} is not a plain table name", self.users_table);
        Err(SettingIssue::new("data_provider.users_table", reason))
    }

    fn checked_track_quota(&self) -> Result<TrackQuota, SettingIssue> {
        match self.track_quota {
            0 => Ok(TrackQuota::Off),
            1 => Ok(TrackQuota::Always),
            2 => Ok(TrackQuota::LimitedOnly),
            other => {
                let reason = format!("{other} is not one of 0, 1, 2");
                Err(SettingIssue::new("data_provider.track_quota", reason))
            }
        }
    }

    fn checked_users_base_dir(&self, warnings: &mut Vec<SettingIssue>) -> Option<PathBuf> {
        let directory = Path::new(&self.users_base_dir);
        if directory.is_absolute() {
            return Some(directory.to_path_buf());
        }
        if !self.users_base_dir.is_empty() {
            let reason = format!(
                "{:?} is not an absolute path; not used",
                self.users_base_dir
            );
            warnings.push(SettingIssue::new("data_provider.users_base_dir", reason));
        }
        None
    }
}

/// A hook that decides about logins cannot be left out with a warning: logins that it would refuse would succeed.
fn checked_hook(
    key: &'static str,
    text: &HookText,
    warnings: &mut Vec<SettingIssue>,
) -> Result<Option<HookTarget>, SettingIssue> {
    let target = text.target();
    let target = target.map_err(|reason| SettingIssue::new(key, reason))?;
    if let Some(HookTarget::Program(path)) = &target
        && !path.is_file()
    {
        let reason = format!("there is no file {}", path.display());
        return Err(SettingIssue::new(key, reason));
    }
    if target.as_ref().is_some_and(HookTarget::is_exposed) {
        let reason = "passwords are sent to another machine unencrypted; use https://";
        warnings.push(SettingIssue::new(key, reason));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(config: DataProviderConfig) -> (DataProviderSettings, Vec<SettingIssue>) {
        config.resolve(Path::new("/srv/conf")).unwrap()
    }

    fn refused(config: DataProviderConfig) -> SettingIssue {
        config.resolve(Path::new("/srv/conf")).unwrap_err()
    }

    #[test]
    fn defaults_are_a_sqlite_file_in_the_base_directory() {
        let (settings, warnings) = resolved(DataProviderConfig::default());
        assert_eq!(settings.driver, Driver::Sqlite);
        assert_eq!(
            settings.file.as_deref(),
            Some(Path::new("/srv/conf/sftpgo.db"))
        );
        assert_eq!(settings.track_quota, TrackQuota::Always);
        assert!(settings.manage_users);
        assert_eq!(warnings, []);
    }

    #[test]
    fn a_database_file_needs_a_name() {
        for name in ["", ".", ".."] {
            let config = DataProviderConfig {
                name: name.into(),
                ..Default::default()
            };
            assert_eq!(refused(config).key, "data_provider.name");
        }
    }

    #[test]
    fn the_memory_provider_needs_no_file() {
        let memory = |name: &str| DataProviderConfig {
            driver: "memory".into(),
            name: name.into(),
            ..Default::default()
        };
        assert_eq!(resolved(memory("")).0.file, None);
        assert_eq!(
            resolved(memory("/dump.json")).0.file.as_deref(),
            Some(Path::new("/dump.json"))
        );
    }

    #[test]
    fn an_unknown_driver_stops_the_start() {
        let config = DataProviderConfig {
            driver: "oracle".into(),
            ..Default::default()
        };
        assert_eq!(refused(config).key, "data_provider.driver");
    }

    #[test]
    fn a_table_name_cannot_smuggle_sql() {
        for name in ["", "users; DROP TABLE x", "us\"ers", "1users", "a..b"] {
            let config = DataProviderConfig {
                users_table: name.into(),
                ..Default::default()
            };
            assert_eq!(refused(config).key, "data_provider.users_table");
        }
        let config = DataProviderConfig {
            users_table: "public.users".into(),
            ..Default::default()
        };
        assert_eq!(resolved(config).0.users_table, "public.users");
    }

    #[test]
    fn a_relative_users_base_dir_is_dropped_with_a_warning() {
        for directory in [".", "..", "homes"] {
            let config = DataProviderConfig {
                users_base_dir: directory.into(),
                ..Default::default()
            };
            let (settings, warnings) = resolved(config);
            assert_eq!(settings.users_base_dir, None);
            assert_eq!(warnings[0].key, "data_provider.users_base_dir");
        }
    }

    #[test]
    fn numbers_out_of_range_stop_the_start() {
        let config = DataProviderConfig {
            track_quota: 3,
            ..Default::default()
        };
        assert_eq!(refused(config).key, "data_provider.track_quota");
        let config = DataProviderConfig {
            sslmode: -1,
            ..Default::default()
        };
        assert_eq!(refused(config).key, "data_provider.sslmode");
    }

    #[test]
    fn a_connection_string_is_looked_at_with_the_other_settings() {
        let config = |text: &str| DataProviderConfig {
            driver: "mysql".into(),
            connection_string: HiddenText::new(text),
            ..Default::default()
        };
        let (_, warnings) = resolved(config("u:p@tcp(h)/d?charset=utf8&timeout=10s&tls=false"));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].reason.contains("charset, timeout"));
        let issue = refused(config("u:hunter2@tcp(h)/d?speed=9"));
        assert_eq!(issue.key, "data_provider.connection_string");
        assert!(issue.reason.contains("speed") && !issue.reason.contains("hunter2"));
        // Not read where it is of no use.
        let (_, warnings) = resolved(DataProviderConfig {
            driver: "memory".into(),
            ..config("anything")
        });
        assert_eq!(warnings, []);
    }

    #[test]
    fn secrets_do_not_print() {
        let config = DataProviderConfig {
            password: HiddenText::new("hunter2"),
            connection_string: HiddenText::new("postgres://u:hunter2@h/db"),
            driver: "postgresql".into(),
            ..Default::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!format!("{:?}", resolved(config).0).contains("hunter2"));
    }

    fn with_hooks(external: &str, pre_login: &str, scope: i32) -> DataProviderConfig {
        DataProviderConfig {
            external_auth_program: external.into(),
            pre_login_program: pre_login.into(),
            external_auth_scope: scope,
            ..DataProviderConfig::default()
        }
    }

    #[test]
    fn a_hook_that_decides_about_logins_is_there_or_stops_the_start() {
        for bad in [
            "auth",
            "./auth",
            "/no/such/program",
            "/usr",
            "ftp://localhost/",
        ] {
            let issue = refused(with_hooks(bad, "", 0));
            assert_eq!(issue.key, "data_provider.external_auth_program", "{bad}");
            let issue = refused(with_hooks("", bad, 0));
            assert_eq!(issue.key, "data_provider.pre_login_program", "{bad}");
        }
        let (settings, warnings) = resolved(with_hooks("/bin/sh", "http://localhost:1/hook", 0));
        assert_eq!(
            settings.external_auth,
            Some(HookTarget::Program("/bin/sh".into()))
        );
        assert!(settings.pre_login.is_some());
        assert_eq!(warnings, []);
    }

    #[test]
    fn a_scope_is_a_sum_of_methods_and_0_is_all_of_them() {
        use LoginMethod::{KeyboardInteractive, Password, PublicKey};
        for (scope, methods) in [
            (0, vec![Password, PublicKey, KeyboardInteractive]),
            (1, vec![Password]),
            (2, vec![PublicKey]),
            (6, vec![PublicKey, KeyboardInteractive]),
        ] {
            let (settings, warnings) = resolved(with_hooks("/bin/sh", "", scope));
            assert_eq!((settings.external_auth_scope, warnings), (methods, vec![]));
        }
        for scope in [-1, 8] {
            let (settings, warnings) = resolved(with_hooks("/bin/sh", "", scope));
            assert_eq!(settings.external_auth_scope.len(), 3);
            assert_eq!(warnings[0].key, "data_provider.external_auth_scope");
        }
    }

    #[test]
    fn a_hook_that_passwords_are_sent_to_in_the_clear_is_warned_of() {
        let (_, warnings) = resolved(with_hooks("http://svc:hunter2@auth.example/", "", 0));
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].key, "data_provider.external_auth_program");
        assert!(!warnings[0].reason.contains("hunter2"));
        let config = with_hooks("https://svc:hunter2@auth.example/", "", 0);
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!format!("{:?}", resolved(config).0).contains("hunter2"));
    }
}
