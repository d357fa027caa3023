//! The `sftpd` section: [`SftpdConfig`] as written in a settings file, and [`SftpdSettings`] as
//! the rest of the program may rely on it.

mod actions;
mod limits;
mod proxy;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sftpgo_core::action::ActionLimits;
use sftpgo_core::auth::KeyFiles;
use sftpgo_core::model::{Actions, FileEvent, HookTarget, HookText, SettingIssue};
use sftpgo_net::AcceptLimits;
use sftpgo_net::proxy::ProxyPolicy;

use crate::algorithms::{Algorithms, Wanted};
use crate::command::{DEFAULT_COMMANDS, known_commands};

pub use actions::FileActionsConfig;
pub use limits::LimitsConfig;

/// The software version in the identification line unless `banner` says otherwise.
const BUILT_IN_BANNER: &str = concat!("SFTPGo_", env!("CARGO_PKG_VERSION"));

/// RFC 4253 4.2: the identification line has at most 255 bytes with `SSH-2.0-` and CR LF.
const LONGEST_BANNER: usize = 255 - "SSH-2.0-\r\n".len();

/// The SSH server: SFTP, SCP and SSH commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SftpdConfig {
    /// TCP port; 0 picks a free one.
    pub bind_port: u16,
    /// IP address or host name to listen on; empty means every interface.
    pub bind_address: String,
    /// Minutes without activity after which a connection is closed; 0 or less means never.
    pub idle_timeout: i64,
    /// Failed login attempts before the connection is closed; 0 means 6, a negative number
    /// means no limit.
    pub max_auth_tries: i32,
    /// Umask of the process, octal digits up to `0377`. A bad value leaves the umask alone.
    /// Not used on Windows.
    pub umask: String,
    /// Software version in the identification line, after `SSH-2.0-`; empty means
    /// `SFTPGo_` and the version.
    pub banner: String,
    /// 0 writes to the file itself, 1 writes to a temporary file that replaces the target when
    /// the upload is complete, 2 as 1 but an interrupted upload keeps what arrived, so that
    /// it can be resumed.
    pub upload_mode: i32,
    /// What to run after a transfer or a change, or to ask before it.
    pub actions: FileActionsConfig,
    /// Host keys. Empty means `id_rsa`, `id_ecdsa` and `id_ed25519` in the configuration
    /// directory, which are generated if missing.
    pub keys: Vec<HostKeyConfig>,
    /// Deprecated: true adds `scp` to `enabled_ssh_commands`.
    pub enable_scp: bool,
    /// Files with public keys of authorities, absolute or relative to the configuration directory.
    /// A key stands in each line, as in `authorized_keys`. OpenSSH certificates that one of them
    /// has signed log in the users whom they name, if there is an account. Read at the start and
    /// on SIGHUP. SFTPGo 0.9 does not have this setting.
    pub trusted_user_ca_keys: Vec<String>,
    /// File with keys and certificates that do not log in any more, absolute or relative to the
    /// configuration directory: a key revocation list (`ssh-keygen -k`), or a public key in each
    /// line. Read at the start and on SIGHUP. SFTPGo 0.9 does not have this setting.
    pub revoked_user_keys: String,
    /// Which algorithms are offered: `compat` (clients of the last ten years), `modern` (key
    /// exchange that holds against quantum computers only; audits find nothing) or `legacy`
    /// (clients that know SHA-1 only too). `docs/ssh-algorithms.md` says which clients need which.
    pub algorithms_profile: String,
    /// Key exchange algorithms, best first; empty means those of the profile.
    pub kex_algorithms: Vec<String>,
    /// Ciphers, best first; empty means those of the profile.
    pub ciphers: Vec<String>,
    /// Message authentication codes, best first; empty means those of the profile.
    pub macs: Vec<String>,
    /// Signatures of host keys, best first; empty means those of the profile. Those are offered
    /// for which there is a key.
    pub host_key_algorithms: Vec<String>,
    /// Signatures of users' keys that are accepted; empty means those of the profile.
    pub public_key_algorithms: Vec<String>,
    /// File with a text shown before the login, absolute or relative to the configuration
    /// directory.
    pub login_banner_file: String,
    /// 0 applies requests to change permissions, owner and times, 1 silently ignores them.
    pub setstat_mode: i32,
    /// SSH commands that users may run: `scp`, `md5sum`, `sha1sum`, `sha256sum`, `sha384sum`,
    /// `sha512sum`, `cd`, `pwd`, `df`, `git-receive-pack`, `git-upload-pack`, `git-upload-archive`,
    /// `rsync`, or `*` for all of them.
    pub enabled_ssh_commands: Vec<String>,
    /// Leads the dialogue of keyboard-interactive authentication: the absolute path of a program, or a URL with `http://` or
    /// `https://`. Without it, or if there is no such file, the method is not offered. The name
    /// `keyboard_interactive_auth_hook` is accepted too. `docs/logins.md` describes the dialogue.
    #[schemars(with = "String")]
    pub keyboard_interactive_auth_program: HookText,
    /// PROXY protocol, version 1 or 2: 0 off, 1 optional, 2 required. The address of the header is the client's, for
    /// filters, limits, logs and bans.
    pub proxy_protocol: i32,
    /// Addresses and networks of proxies. Headers of others are ignored with `proxy_protocol` 1, and with 2 others may not
    /// connect. Empty means that everybody's header is believed: anybody who can reach the port can then say any address.
    pub proxy_allowed: Vec<String>,
    /// How many connections there may be.
    pub limits: LimitsConfig,
}

/// One host key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HostKeyConfig {
    /// Private key file, absolute or relative to the configuration directory.
    pub private_key: String,
}

impl Default for SftpdConfig {
    fn default() -> Self {
        Self {
            bind_port: 2022,
            bind_address: String::new(),
            idle_timeout: 15,
            max_auth_tries: 0,
            umask: "0022".into(),
            banner: String::new(),
            upload_mode: 0,
            actions: FileActionsConfig::default(),
            keys: Vec::new(),
            enable_scp: false,
            trusted_user_ca_keys: Vec::new(),
            revoked_user_keys: String::new(),
            algorithms_profile: "compat".into(),
            kex_algorithms: Vec::new(),
            ciphers: Vec::new(),
            macs: Vec::new(),
            host_key_algorithms: Vec::new(),
            public_key_algorithms: Vec::new(),
            login_banner_file: String::new(),
            setstat_mode: 0,
            enabled_ssh_commands: DEFAULT_COMMANDS.iter().copied().map(String::from).collect(),
            keyboard_interactive_auth_program: HookText::default(),
            proxy_protocol: 0,
            proxy_allowed: Vec::new(),
            limits: LimitsConfig::default(),
        }
    }
}

/// How an upload reaches its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadMode {
    /// Written in place.
    Standard,
    /// Written to a temporary file and renamed when complete.
    Atomic,
    /// As `Atomic`, but what arrived of an interrupted upload is kept under the target name.
    AtomicResume,
}

/// Where the host keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeys {
    /// `id_rsa`, `id_ecdsa` and `id_ed25519` in this directory; a missing one is generated.
    GenerateIn(PathBuf),
    /// These files; one that cannot be read stops the start.
    Files(Vec<PathBuf>),
    /// Keys that are made at the start and forgotten at the end; no setting asks for them.
    InMemory,
}

/// The `sftpd` section after validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpdSettings {
    /// Where to listen. The unspecified IPv6 address means every interface, IPv4 too; port 0
    /// means any free one.
    pub bind: SocketAddr,
    /// Time without activity after which a connection is closed; `None` means never.
    pub idle_timeout: Option<Duration>,
    /// Failed attempts before the connection is closed; `None` means no limit.
    pub max_auth_tries: Option<u32>,
    /// Umask to set for the process; `None` leaves it alone.
    pub umask: Option<u16>,
    /// Software version for the identification line: printable ASCII, never empty.
    pub banner: String,
    /// How an upload reaches its target.
    pub upload_mode: UploadMode,
    /// Where the host keys come from.
    pub host_keys: HostKeys,
    /// Whose certificates log users in, and which keys do not.
    pub user_keys: KeyFiles,
    /// What is offered.
    pub algorithms: Algorithms,
    /// File with a text to show before the login. One that cannot be read is a warning.
    pub login_banner_file: Option<PathBuf>,
    /// Whether requests to change permissions, owner and times are answered with success and
    /// not applied.
    pub ignore_setstat: bool,
    /// SSH commands that users may run; each is a known one, none twice.
    pub enabled_ssh_commands: Vec<String>,
    /// Whose PROXY headers are read.
    pub proxy: ProxyPolicy,
    /// How many connections there may be.
    pub accept: AcceptLimits,
    /// What leads the dialogue of keyboard-interactive; a program is there. `None` does not offer that method.
    pub keyboard_interactive: Option<HookTarget>,
    /// What is run after a transfer or a change, or asked before it.
    pub actions: Actions<FileEvent>,
    /// How long actions may take, those on accounts too. No key of the section changes it.
    pub action_limits: ActionLimits,
    /// Limits of a connection that no key of the section changes.
    pub limits: ConnectionLimits,
}

/// Limits of a connection that are the same everywhere, but in tests that would have to wait for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Handshake and login must end within this (reference 9.1).
    pub login: Duration,
    /// A hook must answer, and a dialogue that one leads must end, within this (reference C).
    pub hooks: Duration,
    /// Keys must be exchanged anew within this, once it has begun. Much may be on its way to a slow client before it hears of it.
    pub key_exchange: Duration,
    /// Bytes in one direction after which keys are exchanged anew (RFC 4253 section 9); 1 GiB at most.
    pub rekey_bytes: usize,
    /// Time without a word of a client that is logged in after which it is asked whether it is still there.
    pub keep_alive: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(120),
            hooks: Duration::from_secs(60),
            key_exchange: Duration::from_secs(300),
            rekey_bytes: 1 << 30,
            keep_alive: Duration::from_secs(60),
        }
    }
}

impl SftpdConfig {
    /// Checks the section and turns it into settings; relative paths are below `base_dir`.
    ///
    /// A host name in `bind_address` is looked up here, so this may block.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve(
        self,
        base_dir: &Path,
    ) -> Result<(SftpdSettings, Vec<SettingIssue>), SettingIssue> {
        let mut warnings = Vec::new();
        let settings = SftpdSettings {
            bind: sftpgo_net::listen_address(&self.bind_address, self.bind_port)
                .map_err(|reason| SettingIssue::new("sftpd.bind_address", reason))?,
            idle_timeout: minutes(self.idle_timeout),
            max_auth_tries: match self.max_auth_tries {
                0 => Some(6),
                tries => u32::try_from(tries).ok(),
            },
            umask: parse_umask(&self.umask, &mut warnings),
            banner: checked_banner(&self.banner)?,
            upload_mode: checked_upload_mode(self.upload_mode, &mut warnings),
            host_keys: host_keys(&self.keys, base_dir)?,
            user_keys: user_keys(
                &self.trusted_user_ca_keys,
                &self.revoked_user_keys,
                base_dir,
            )?,
            login_banner_file: (!self.login_banner_file.is_empty())
                .then(|| base_dir.join(&self.login_banner_file)),
            ignore_setstat: checked_setstat_mode(self.setstat_mode)?,
            enabled_ssh_commands: self.ssh_commands(&mut warnings),
            keyboard_interactive: checked_dialogue(
                &self.keyboard_interactive_auth_program,
                &mut warnings,
            ),
            algorithms: self.algorithms(&mut warnings)?,
            proxy: proxy::resolve(self.proxy_protocol, &self.proxy_allowed, &mut warnings)?,
            accept: self.limits.resolve()?,
            actions: self.actions.resolve(&mut warnings)?,
            action_limits: ActionLimits::default(),
            limits: ConnectionLimits::default(),
        };
        Ok((settings, warnings))
    }

    fn algorithms(&self, warnings: &mut Vec<SettingIssue>) -> Result<Algorithms, SettingIssue> {
        let wanted = Wanted {
            profile: &self.algorithms_profile,
            kex: &self.kex_algorithms,
            ciphers: &self.ciphers,
            macs: &self.macs,
            host_keys: &self.host_key_algorithms,
            public_keys: &self.public_key_algorithms,
        };
        wanted.resolve(warnings)
    }

    fn ssh_commands(&self, warnings: &mut Vec<SettingIssue>) -> Vec<String> {
        let mut wanted: Vec<&str> = Vec::new();
        for name in &self.enabled_ssh_commands {
            match name.as_str() {
                "*" => wanted.extend(known_commands().map(|name: &str| name)),
                name if known_commands().any(|known| known == name) => wanted.push(name),
                unknown => {
                    let reason = format!("unknown command {unknown:?}; not enabled");
                    warnings.push(SettingIssue::new("sftpd.enabled_ssh_commands", reason));
                }
            }
        }
        if self.enable_scp {
            wanted.push("scp");
        }
        let mut commands: Vec<String> = Vec::new();
        for name in wanted {
            if !commands.iter().any(|known| known == name) {
                commands.push(name.to_owned());
            }
        }
        commands
    }
}

/// One that cannot be run lets nobody in: without it the method is not even offered, as in the reference.
fn checked_dialogue(text: &HookText, warnings: &mut Vec<SettingIssue>) -> Option<HookTarget> {
    let key = "sftpd.keyboard_interactive_auth_program";
    let mut warn = |reason: String| warnings.push(SettingIssue::new(key, reason));
    let target = match text.target() {
        Ok(target) => target?,
        Err(reason) => {
            warn(format!("{reason}; keyboard-interactive is not offered"));
            return None;
        }
    };
    if let HookTarget::Program(path) = &target
        && !path.is_file()
    {
        warn(format!(
            "there is no file {}; keyboard-interactive is not offered",
            path.display()
        ));
        return None;
    }
    if target.is_exposed() {
        warn("answers are sent to another machine unencrypted; use https://".to_owned());
    }
    Some(target)
}

fn minutes(number: i64) -> Option<Duration> {
    let seconds = u64::try_from(number).ok()?.checked_mul(60)?;
    (seconds > 0).then_some(Duration::from_secs(seconds))
}

/// Eight bits as in the reference; set-id and sticky bits never belong into a umask.
fn parse_umask(text: &str, warnings: &mut Vec<SettingIssue>) -> Option<u16> {
    let umask = u8::from_str_radix(text.trim(), 8).ok().map(u16::from);
    if umask.is_none() {
        let reason = format!("{text:?} is not octal up to 0377; the umask stays as it is");
        warnings.push(SettingIssue::new("sftpd.umask", reason));
    }
    umask
}

fn checked_banner(text: &str) -> Result<String, SettingIssue> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(BUILT_IN_BANNER.to_owned());
    }
    // RFC 4253 4.2: anything else would break the version exchange of every client.
    if text.len() <= LONGEST_BANNER && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(text.to_owned());
    }
    let reason = format!("must be printable ASCII of at most {LONGEST_BANNER} characters");
    Err(SettingIssue::new("sftpd.banner", reason))
}

fn checked_upload_mode(number: i32, warnings: &mut Vec<SettingIssue>) -> UploadMode {
    match number {
        0 => UploadMode::Standard,
        1 => UploadMode::Atomic,
        2 => UploadMode::AtomicResume,
        other => {
            let reason = format!("{other} is not one of 0, 1, 2; using 0");
            warnings.push(SettingIssue::new("sftpd.upload_mode", reason));
            UploadMode::Standard
        }
    }
}

fn checked_setstat_mode(number: i32) -> Result<bool, SettingIssue> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        other => {
            let reason = format!("{other} is not one of 0, 1");
            Err(SettingIssue::new("sftpd.setstat_mode", reason))
        }
    }
}

fn host_keys(keys: &[HostKeyConfig], base_dir: &Path) -> Result<HostKeys, SettingIssue> {
    if keys.is_empty() {
        return Ok(HostKeys::GenerateIn(base_dir.to_path_buf()));
    }
    if keys.iter().any(|key| key.private_key.is_empty()) {
        return Err(SettingIssue::new("sftpd.keys", "a key without private_key"));
    }
    let files = keys.iter().map(|key| base_dir.join(&key.private_key));
    Ok(HostKeys::Files(files.collect()))
}

fn user_keys(
    authorities: &[String],
    revoked: &str,
    base_dir: &Path,
) -> Result<KeyFiles, SettingIssue> {
    if authorities.iter().any(String::is_empty) {
        let reason = "an empty file name";
        return Err(SettingIssue::new("sftpd.trusted_user_ca_keys", reason));
    }
    let files = authorities.iter().map(|name| base_dir.join(name));
    Ok(KeyFiles {
        authorities: files.collect(),
        revoked: (!revoked.is_empty()).then(|| base_dir.join(revoked)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::Profile;

    fn resolved(config: SftpdConfig) -> (SftpdSettings, Vec<SettingIssue>) {
        config.resolve(Path::new("/srv/conf")).unwrap()
    }

    fn warned(config: SftpdConfig) -> (SftpdSettings, &'static str) {
        let (settings, warnings) = resolved(config);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        (settings, warnings[0].key)
    }

    #[test]
    fn defaults_follow_the_reference() {
        let (settings, warnings) = resolved(SftpdConfig::default());
        assert_eq!(settings.bind, "[::]:2022".parse().unwrap());
        assert_eq!(settings.idle_timeout, Some(Duration::from_secs(900)));
        assert_eq!(settings.max_auth_tries, Some(6));
        assert_eq!(settings.umask, Some(0o022));
        assert_eq!(settings.banner, BUILT_IN_BANNER);
        assert_eq!(settings.upload_mode, UploadMode::Standard);
        assert_eq!(settings.host_keys, HostKeys::GenerateIn("/srv/conf".into()));
        assert_eq!(settings.algorithms.profile, Profile::Compat);
        assert_eq!(
            settings.enabled_ssh_commands,
            ["md5sum", "sha1sum", "cd", "pwd", "df"]
        );
        assert_eq!(warnings, []);
    }

    #[test]
    fn an_invalid_upload_mode_is_reset_with_a_warning() {
        for upload_mode in [-1, 3] {
            let (settings, key) = warned(SftpdConfig {
                upload_mode,
                ..Default::default()
            });
            assert_eq!(
                (settings.upload_mode, key),
                (UploadMode::Standard, "sftpd.upload_mode")
            );
        }
    }

    #[test]
    fn a_bad_umask_leaves_the_umask_alone() {
        for umask in ["", "089", "0400", "rw", "-1"] {
            let (settings, key) = warned(SftpdConfig {
                umask: umask.into(),
                ..Default::default()
            });
            assert_eq!((settings.umask, key), (None, "sftpd.umask"));
        }
        let (settings, _) = resolved(SftpdConfig {
            umask: "377".into(),
            ..Default::default()
        });
        assert_eq!(settings.umask, Some(0o377));
    }

    #[test]
    fn a_blank_banner_is_the_built_in_one() {
        let (settings, _) = resolved(SftpdConfig {
            banner: "  ".into(),
            ..Default::default()
        });
        assert_eq!(settings.banner, BUILT_IN_BANNER);
    }

    #[test]
    fn a_banner_cannot_break_the_identification_line() {
        let long = "x".repeat(LONGEST_BANNER + 1);
        for banner in ["a\r\nb", "Grüße", long.as_str()] {
            let config = SftpdConfig {
                banner: banner.into(),
                ..Default::default()
            };
            assert_eq!(
                config.resolve(Path::new("/")).unwrap_err().key,
                "sftpd.banner"
            );
        }
    }

    #[test]
    fn zero_or_less_minutes_never_time_out() {
        for idle_timeout in [0, -1, i64::MIN] {
            let config = SftpdConfig {
                idle_timeout,
                ..Default::default()
            };
            assert_eq!(resolved(config).0.idle_timeout, None);
        }
    }

    #[test]
    fn negative_tries_mean_no_limit() {
        let config = SftpdConfig {
            max_auth_tries: -1,
            ..Default::default()
        };
        assert_eq!(resolved(config).0.max_auth_tries, None);
    }

    #[test]
    fn ssh_commands_are_known_and_named_once() {
        let commands = |names: &[&str], enable_scp| SftpdConfig {
            enabled_ssh_commands: names.iter().map(ToString::to_string).collect(),
            enable_scp,
            ..Default::default()
        };
        let (settings, key) = warned(commands(&["cd", "rm", "cd"], true));
        assert_eq!(settings.enabled_ssh_commands, ["cd", "scp"]);
        assert_eq!(key, "sftpd.enabled_ssh_commands");
        let (settings, _) = resolved(commands(&["pwd", "*"], true));
        assert_eq!(
            settings.enabled_ssh_commands.len(),
            known_commands().count()
        );
    }

    #[test]
    fn host_keys_are_relative_to_the_base_directory() {
        let keys = ["k1", "/etc/k2"].map(|name| HostKeyConfig {
            private_key: name.into(),
        });
        let config = SftpdConfig {
            keys: keys.into(),
            ..Default::default()
        };
        let expected = HostKeys::Files(vec!["/srv/conf/k1".into(), "/etc/k2".into()]);
        assert_eq!(resolved(config).0.host_keys, expected);
    }

    #[test]
    fn files_about_keys_of_users_are_relative_to_the_base_directory() {
        assert_eq!(
            resolved(SftpdConfig::default()).0.user_keys,
            KeyFiles::default()
        );
        let config = SftpdConfig {
            trusted_user_ca_keys: vec!["ca.pub".into(), "/etc/ca.pub".into()],
            revoked_user_keys: "revoked".into(),
            ..Default::default()
        };
        let expected = KeyFiles {
            authorities: vec!["/srv/conf/ca.pub".into(), "/etc/ca.pub".into()],
            revoked: Some("/srv/conf/revoked".into()),
        };
        assert_eq!(resolved(config).0.user_keys, expected);
        let config = SftpdConfig {
            trusted_user_ca_keys: vec![String::new()],
            ..Default::default()
        };
        assert_eq!(
            config.resolve(Path::new("/")).unwrap_err().key,
            "sftpd.trusted_user_ca_keys"
        );
    }

    #[test]
    fn a_dialogue_program_that_is_not_there_is_a_warning_and_not_offered() {
        let with = |program: &str| SftpdConfig {
            keyboard_interactive_auth_program: program.into(),
            ..Default::default()
        };
        for bad in ["dialogue", "/no/such/program", "/usr", "ftp://localhost/"] {
            let (settings, key) = warned(with(bad));
            assert_eq!(settings.keyboard_interactive, None, "{bad}");
            assert_eq!(key, "sftpd.keyboard_interactive_auth_program");
        }
        for good in [
            "/bin/sh",
            "https://auth.example/dialogue",
            "http://[::1]:8000/",
        ] {
            let (settings, warnings) = resolved(with(good));
            assert!(settings.keyboard_interactive.is_some(), "{good}");
            assert_eq!(warnings, []);
        }
        let (settings, _) = warned(with("http://auth.example/"));
        assert!(settings.keyboard_interactive.is_some());
        assert_eq!(
            resolved(SftpdConfig::default()).0.keyboard_interactive,
            None
        );
    }

    #[test]
    fn an_address_that_cannot_be_one_stops_the_start() {
        let config = SftpdConfig {
            bind_address: "no\0host".into(),
            ..Default::default()
        };
        assert_eq!(
            config.resolve(Path::new("/")).unwrap_err().key,
            "sftpd.bind_address"
        );
    }
}
