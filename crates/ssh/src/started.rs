//! What a channel is started for: what the client asks for, or what a key or a certificate forces on its connection.

use std::fmt;
use std::sync::Arc;

use sftpgo_core::auth::ForcedCommands;

use crate::command::{self, Exec, Refused};
use crate::transport::ChannelRequest;

/// Options of `internal-sftp` that are about its log; the others restrict it in ways of their own.
const LOG_OPTIONS: &[&[u8]] = &[b"-f", b"-l"];

/// What runs in a channel.
#[derive(Debug)]
pub(crate) enum Started {
    Sftp,
    Command(Exec),
}

/// Why nothing is started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotStarted {
    Subsystem(String),
    Command(Refused, String),
    /// The login may run something else only.
    Forced(String),
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subsystem(name) => write!(f, "unknown subsystem refused: {name:?}"),
            Self::Command(why, line) => write!(f, "command refused, {why}: {line:?}"),
            Self::Forced(command) => write!(
                f,
                "refused, the key or the certificate of the login allows {command:?} only"
            ),
        }
    }
}

impl Started {
    /// What a request starts. With a forced command that is what every exec request runs, whatever it says, as with OpenSSH;
    /// but where SFTP is forced only the subsystem starts it, so that clients that try a command first are not led to take
    /// SFTP for its output. Subsystems are not replaced either.
    ///
    /// # Errors
    /// It starts nothing.
    pub(crate) fn choose(
        request: &ChannelRequest,
        forced: Option<&str>,
        enabled: &[String],
    ) -> Result<Self, NotStarted> {
        let Some(forced) = forced else {
            return Self::requested(request, enabled);
        };
        let only = || NotStarted::Forced(forced.to_owned());
        match (Self::forced(forced, enabled).ok_or_else(only)?, request) {
            (Self::Sftp, ChannelRequest::Subsystem(name)) if name == "sftp" => Ok(Self::Sftp),
            (Self::Command(exec), ChannelRequest::Exec(_)) => Ok(Self::Command(exec)),
            (Self::Sftp | Self::Command(_), _) => Err(only()),
        }
    }

    fn requested(request: &ChannelRequest, enabled: &[String]) -> Result<Self, NotStarted> {
        match request {
            ChannelRequest::Subsystem(name) if name == "sftp" => Ok(Self::Sftp),
            ChannelRequest::Subsystem(name) => Err(NotStarted::Subsystem(name.clone())),
            ChannelRequest::Exec(line) => match command::parse(line, enabled) {
                Ok(exec) => Ok(Self::Command(exec)),
                Err(refused) => {
                    let line = line.get(..256.min(line.len())).unwrap_or_default();
                    let line = String::from_utf8_lossy(line).into_owned();
                    Err(NotStarted::Command(refused, line))
                }
            },
        }
    }

    /// What a forced command stands for; `None` if that is not served.
    fn forced(command: &str, enabled: &[String]) -> Option<Self> {
        let words = sftpgo_wire::exec::split(command.as_bytes()).ok()?;
        let (name, options) = words.split_first()?;
        if name == b"internal-sftp" || name.ends_with(b"/sftp-server") {
            let is_harmless = options.chunks(2).all(
                |option| matches!(option, [name, _] if LOG_OPTIONS.contains(&name.as_slice())),
            );
            return is_harmless.then_some(Self::Sftp);
        }
        let exec = command::parse(command.as_bytes(), enabled).ok()?;
        Some(Self::Command(exec))
    }
}

/// The commands that can be forced: those that are enabled, and SFTP.
#[derive(Debug)]
pub(crate) struct Forcible(pub(crate) Arc<[String]>);

impl ForcedCommands for Forcible {
    fn serve(&self, command: &str) -> bool {
        Started::forced(command, &self.0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled() -> Arc<[String]> {
        ["pwd", "git-upload-pack", "scp"].map(str::to_owned).into()
    }

    fn chosen(request: &ChannelRequest, forced: Option<&str>) -> Option<String> {
        match Started::choose(request, forced, &enabled()).ok()? {
            Started::Sftp => Some("sftp".to_owned()),
            Started::Command(exec) => Some(exec.text),
        }
    }

    fn exec(line: &str) -> ChannelRequest {
        ChannelRequest::Exec(line.as_bytes().to_vec())
    }

    fn subsystem(name: &str) -> ChannelRequest {
        ChannelRequest::Subsystem(name.to_owned())
    }

    #[test]
    fn without_a_forced_command_a_request_is_what_it_says() {
        assert_eq!(chosen(&exec("pwd"), None).as_deref(), Some("pwd"));
        assert_eq!(chosen(&subsystem("sftp"), None).as_deref(), Some("sftp"));
        assert_eq!(chosen(&exec("md5sum x"), None), None);
        assert_eq!(chosen(&subsystem("netconf"), None), None);
    }

    #[test]
    fn a_forced_command_runs_instead_of_any_other_and_nothing_else_does() {
        let forced = Some("git-upload-pack '/a.git'");
        for line in ["git-upload-pack '/b.git'", "scp -t /", "rm", "'"] {
            assert_eq!(chosen(&exec(line), forced).as_deref(), forced, "{line}");
        }
        assert_eq!(chosen(&subsystem("sftp"), forced), None);
    }

    #[test]
    fn where_sftp_is_forced_its_subsystem_is_all_there_is() {
        let forced = Some("internal-sftp");
        assert_eq!(chosen(&subsystem("sftp"), forced).as_deref(), Some("sftp"));
        for request in [
            exec("pwd"),
            exec("internal-sftp"),
            exec("scp -t /"),
            subsystem("x"),
        ] {
            assert_eq!(chosen(&request, forced), None, "{request:?}");
        }
    }

    #[test]
    fn what_is_not_served_as_it_stands_cannot_be_forced() {
        let served = Forcible(enabled());
        for command in [
            "internal-sftp",
            "internal-sftp -l VERBOSE -f AUTH",
            "/usr/lib/openssh/sftp-server",
            "pwd",
            "scp -t /in",
        ] {
            assert!(served.serve(command), "{command}");
        }
        for command in [
            "",
            "/bin/sh",
            "internal-sftp -R",
            "internal-sftp -d /home",
            "internal-sftp -l",
            "internal-sftp; pwd",
            "md5sum x",
            "scp",
            "pwd '",
        ] {
            assert!(!served.serve(command), "{command}");
        }
    }
}
