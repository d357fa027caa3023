//! The `httpd` section: [`HttpdConfig`] as written in a settings file, and [`HttpdSettings`] as
//! the rest of the program may rely on it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_core::model::SettingIssue;
use sftpgo_net::TlsFiles;

/// The REST API, the web admin and the metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HttpdConfig {
    /// TCP port; 0 switches the HTTP server off.
    pub bind_port: u16,
    /// IP address or host name to listen on; empty means every interface.
    pub bind_address: String,
    /// Directory with HTML templates of your own for the web admin, absolute or relative to the
    /// configuration directory. A template that is not there, and one that is not made for this
    /// program, is the built-in one: the directory need not exist.
    pub templates_path: String,
    /// Directory with static files of your own for the web admin, absolute or relative to the
    /// configuration directory. They are served under `/static/` beside the built-in ones, or
    /// instead of those with the same name: the directory need not exist.
    pub static_files_path: String,
    /// Directory where `dumpdata` may write, absolute or relative to the configuration
    /// directory.
    pub backups_path: String,
    /// Password file (htpasswd, with bcrypt or md5crypt hashes) for HTTP basic authentication,
    /// absolute or relative to the configuration directory; empty means no authentication. It
    /// is read again when it changes. docs/rest-api.md tells more.
    pub auth_user_file: String,
    /// PEM certificate with its chain, absolute or relative to the configuration directory. HTTPS
    /// is used if both the certificate and its key are set; both are read again on SIGHUP.
    pub certificate_file: String,
    /// PEM private key without a passphrase, absolute or relative to the configuration directory.
    pub certificate_key_file: String,
    /// Allows an address other than loopback without `auth_user_file`. Everybody who reaches
    /// the port can then manage users. SFTPGo 0.9 does not have this setting.
    pub allow_no_auth: bool,
}

impl Default for HttpdConfig {
    fn default() -> Self {
        Self {
            bind_port: 8080,
            bind_address: "127.0.0.1".into(),
            templates_path: "templates".into(),
            static_files_path: "static".into(),
            backups_path: "backups".into(),
            auth_user_file: String::new(),
            certificate_file: String::new(),
            certificate_key_file: String::new(),
            allow_no_auth: false,
        }
    }
}

/// The `httpd` section after validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpdSettings {
    /// Where to listen; `None` means that the HTTP server is off. The unspecified IPv6 address
    /// means every interface, IPv4 too.
    pub bind: Option<SocketAddr>,
    /// Where `dumpdata` may write.
    pub backups_path: PathBuf,
    /// Where templates of the operator are, if there are any.
    pub templates_path: PathBuf,
    /// Where static files of the operator are, if there are any.
    pub static_files_path: PathBuf,
    /// Password file for basic authentication. If it is set every request must be
    /// authenticated; a server that cannot do so must not start.
    pub auth_user_file: Option<PathBuf>,
    /// Certificate and key. If set, plain HTTP must not be spoken.
    pub tls: Option<TlsFiles>,
}

impl HttpdConfig {
    /// Checks the section and turns it into settings; relative paths are below `base_dir`.
    ///
    /// A host name in `bind_address` is looked up here, so this may block.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve(
        self,
        base_dir: &Path,
    ) -> Result<(HttpdSettings, Vec<SettingIssue>), SettingIssue> {
        let mut warnings = Vec::new();
        let file = |name: &str| (!name.is_empty()).then(|| base_dir.join(name));
        let settings = HttpdSettings {
            bind: self.checked_bind()?,
            backups_path: self.checked_directory(
                "httpd.backups_path",
                &self.backups_path,
                base_dir,
            )?,
            templates_path: self.checked_directory(
                "httpd.templates_path",
                &self.templates_path,
                base_dir,
            )?,
            static_files_path: self.checked_directory(
                "httpd.static_files_path",
                &self.static_files_path,
                base_dir,
            )?,
            auth_user_file: file(&self.auth_user_file),
            tls: match (
                file(&self.certificate_file),
                file(&self.certificate_key_file),
            ) {
                (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
                (None, None) => None,
                (certificate, _) => {
                    let key = match certificate {
                        Some(_) => "httpd.certificate_file",
                        None => "httpd.certificate_key_file",
                    };
                    let reason = "HTTPS needs a certificate and a key; plain HTTP is used";
                    warnings.push(SettingIssue::new(key, reason));
                    None
                }
            },
        };
        Ok((settings, warnings))
    }

    fn checked_bind(&self) -> Result<Option<SocketAddr>, SettingIssue> {
        const KEY: &str = "httpd.bind_address";
        if self.bind_port == 0 {
            return Ok(None);
        }
        let bind = sftpgo_net::listen_address(&self.bind_address, self.bind_port)
            .map_err(|reason| SettingIssue::new(KEY, reason))?;
        // The reference lets everybody manage users here; on loopback that is kept.
        let protected = bind.ip().to_canonical().is_loopback() || !self.auth_user_file.is_empty();
        if protected || self.allow_no_auth {
            return Ok(Some(bind));
        }
        let reason = format!(
            "refusing to serve the user management on {bind} without a password: set \
             httpd.auth_user_file, or httpd.bind_address to 127.0.0.1, or \
             httpd.allow_no_auth to true"
        );
        Err(SettingIssue::new(KEY, reason))
    }

    /// The configuration directory itself, or the one above it, would be served or written to.
    fn checked_directory(
        &self,
        key: &'static str,
        path: &str,
        base_dir: &Path,
    ) -> Result<PathBuf, SettingIssue> {
        if self.bind_port != 0 && matches!(path, "" | "." | "..") {
            let reason = format!("{path:?} is not a directory of its own: name one");
            return Err(SettingIssue::new(key, reason));
        }
        Ok(base_dir.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(config: HttpdConfig) -> (HttpdSettings, Vec<SettingIssue>) {
        config.resolve(Path::new("/srv/conf")).unwrap()
    }

    fn at(address: &str) -> HttpdConfig {
        HttpdConfig {
            bind_address: address.into(),
            ..Default::default()
        }
    }

    #[test]
    fn defaults_listen_on_loopback_only() {
        let (settings, warnings) = resolved(HttpdConfig::default());
        assert_eq!(settings.bind, Some("127.0.0.1:8080".parse().unwrap()));
        assert_eq!(settings.backups_path, Path::new("/srv/conf/backups"));
        assert_eq!((settings.auth_user_file, settings.tls), (None, None));
        assert_eq!(warnings, []);
    }

    #[test]
    fn port_zero_switches_the_server_off() {
        let config = HttpdConfig {
            bind_port: 0,
            ..at("0.0.0.0")
        };
        assert_eq!(resolved(config).0.bind, None);
    }

    #[test]
    fn an_open_address_without_password_file_is_refused() {
        for address in ["", "0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"] {
            let issue = at(address).resolve(Path::new("/")).unwrap_err();
            assert_eq!(issue.key, "httpd.bind_address");
            assert!(issue.reason.contains("allow_no_auth"), "{issue}");
        }
    }

    #[test]
    fn an_open_address_needs_a_password_file_or_consent() {
        let with_file = HttpdConfig {
            auth_user_file: "users".into(),
            ..at("")
        };
        let (settings, _) = resolved(with_file);
        assert_eq!(
            settings.auth_user_file.as_deref(),
            Some(Path::new("/srv/conf/users"))
        );
        let consent = HttpdConfig {
            allow_no_auth: true,
            ..at("")
        };
        assert_eq!(resolved(consent).0.bind, Some("[::]:8080".parse().unwrap()));
    }

    #[test]
    fn loopback_may_be_written_in_every_way() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
            "localhost",
        ] {
            assert!(
                resolved(at(address))
                    .0
                    .bind
                    .unwrap()
                    .ip()
                    .to_canonical()
                    .is_loopback()
            );
        }
    }

    #[test]
    fn https_needs_both_files() {
        let config = HttpdConfig {
            certificate_file: "c.pem".into(),
            ..Default::default()
        };
        let (settings, warnings) = resolved(config.clone());
        assert_eq!(settings.tls, None);
        assert_eq!(warnings[0].key, "httpd.certificate_file");
        let config = HttpdConfig {
            certificate_key_file: "k.pem".into(),
            ..config
        };
        let tls = resolved(config).0.tls.unwrap();
        assert_eq!(tls.key, Path::new("/srv/conf/k.pem"));
    }

    #[test]
    fn backups_templates_and_static_files_need_a_directory_of_their_own() {
        type Field = fn(&mut HttpdConfig) -> &mut String;
        let fields: [(&str, Field); 3] = [
            ("httpd.backups_path", |config| &mut config.backups_path),
            ("httpd.templates_path", |config| &mut config.templates_path),
            ("httpd.static_files_path", |config| {
                &mut config.static_files_path
            }),
        ];
        for (key, field) in fields {
            for path in ["", ".", ".."] {
                let mut config = HttpdConfig::default();
                *field(&mut config) = path.into();
                assert_eq!(config.clone().resolve(Path::new("/")).unwrap_err().key, key);
                config.bind_port = 0;
                assert!(config.resolve(Path::new("/")).is_ok());
            }
        }
    }
}
