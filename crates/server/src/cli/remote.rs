//! The options of commands that ask a running server, and whom they then ask.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use sftpgo_client::{BaseUrl, ClientSettings, Credentials, Limits, Trust, UrlError};
use zeroize::Zeroizing;

use super::{ConfigArgs, prompt, warn};
use crate::app::Target;
use crate::config::Settings;

/// The variable with the password: an argument would be seen by everybody on the machine.
const PASSWORD_VARIABLE: &str = "SFTPGO_AUTH_PASSWORD";
/// Files of passwords and certificates are small; more is a mistake.
const LARGEST_FILE: u64 = 1 << 20;

/// Which server is asked, and by whom; or where the settings are, of whose server or data provider it is about.
#[derive(Debug, Clone, Args)]
pub struct RemoteArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// Ask the running server at this URL, as in `https://sftp.example.com:8080`
    #[arg(
        long,
        value_name = "URL",
        env = "SFTPGO_URL",
        hide_env_values = true,
        value_parser = url_parser()
    )]
    url: Option<GivenUrl>,

    /// Name to log in with, if the server has a password file
    #[arg(
        long,
        value_name = "NAME",
        env = "SFTPGO_AUTH_USER",
        hide_env_values = true
    )]
    auth_user: Option<String>,

    /// File with the password on its first line; else the variable SFTPGO_AUTH_PASSWORD has it, or
    /// it is asked for
    #[arg(long, value_name = "FILE")]
    auth_password_file: Option<PathBuf>,

    /// File with the certificate of the server or of its authority (PEM), if this machine does not
    /// know it
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// A URL as it was given. What is wrong with it is told later: clap would show the text, in which a password may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum GivenUrl {
    /// An empty variable.
    None,
    Url(BaseUrl),
    Wrong(UrlError),
}

fn url_parser() -> impl TypedValueParser<Value = GivenUrl> {
    StringValueParser::new().map(|text: String| {
        if text.is_empty() {
            return GivenUrl::None;
        }
        BaseUrl::parse(&text).map_or_else(GivenUrl::Wrong, GivenUrl::Url)
    })
}

impl RemoteArgs {
    /// What a command works on: the server that was named, or the data provider of the settings.
    ///
    /// # Errors
    /// Everything that is wrong with the options or the settings, a sentence each.
    pub(super) fn target(&self) -> Result<Target, Vec<String>> {
        if let Some(base) = self.given()? {
            let server = self.settings(base, self.trust()?)?;
            return Ok(Target::Server(Box::new(server)));
        }
        for (flag, given) in [
            ("--auth-password-file", self.auth_password_file.is_some()),
            ("--ca-file", self.ca_file.is_some()),
        ] {
            // Whoever forgot the URL means another database than that of the settings.
            if given {
                return Err(vec![format!(
                    "{flag} is for a running server: name it with --url"
                )]);
            }
        }
        Ok(Target::Provider(Box::new(settings(&self.config)?)))
    }

    /// The server that was named, or the one that the settings are of.
    ///
    /// # Errors
    /// As [`target`](Self::target); also if the settings have no HTTP server.
    pub(super) fn server(&self) -> Result<ClientSettings, Vec<String>> {
        if let Some(base) = self.given()? {
            return self.settings(base, self.trust()?);
        }
        let httpd = settings(&self.config)?.httpd;
        let tls = httpd.tls.as_ref();
        let base = httpd
            .bind
            .and_then(|address| BaseUrl::of_listener(address, tls.is_some()));
        let Some(base) = base else {
            return Err(vec![
                "httpd.bind_port is 0, so the server of these settings cannot be asked: set it, or name another server \
                 with --url"
                    .to_owned(),
            ]);
        };
        let trust = match tls {
            // The name in the certificate is not that of loopback, but the file is at hand.
            Some(files) if self.ca_file.is_none() => {
                trusting(&files.certificate, "httpd.certificate_file", Trust::exactly)?
            }
            Some(_) | None => self.trust()?,
        };
        self.settings(base, trust)
    }

    fn given(&self) -> Result<Option<BaseUrl>, Vec<String>> {
        match &self.url {
            None | Some(GivenUrl::None) => Ok(None),
            Some(GivenUrl::Url(base)) => Ok(Some(base.clone())),
            Some(GivenUrl::Wrong(error)) => Err(vec![format!("--url (SFTPGO_URL): {error}")]),
        }
    }

    fn settings(&self, base: BaseUrl, trust: Trust) -> Result<ClientSettings, Vec<String>> {
        let credentials = self.credentials(&base).map_err(|problem| vec![problem])?;
        if credentials.is_some() && base.is_open() {
            warn(&format!(
                "the password goes to {base} in the clear, and others on the way can read it: use https://"
            ));
        }
        Ok(ClientSettings {
            base,
            credentials,
            trust,
            limits: Limits::default(),
        })
    }

    fn trust(&self) -> Result<Trust, Vec<String>> {
        match &self.ca_file {
            Some(file) => trusting(file, "--ca-file", Trust::these),
            None => Ok(Trust::default()),
        }
    }

    fn credentials(&self, base: &BaseUrl) -> Result<Option<Credentials>, String> {
        let variable = std::env::var_os(PASSWORD_VARIABLE).filter(|value| !value.is_empty());
        let Some(name) = self.auth_user.as_deref().filter(|name| !name.is_empty()) else {
            if self.auth_password_file.is_some() || variable.is_some() {
                return Err(
                    "there is a password and nobody who has it: give --auth-user".to_owned(),
                );
            }
            return Ok(None);
        };
        let password = match (&self.auth_password_file, variable) {
            (Some(file), _) => first_line(file)?,
            (None, Some(value)) => of_variable(value)?,
            (None, None) => ask(name, base)?,
        };
        let credentials = Credentials::new(name, &password).map_err(|error| error.to_string())?;
        Ok(Some(credentials))
    }
}

fn settings(config: &ConfigArgs) -> Result<Settings, Vec<String>> {
    let loaded = config.load().and_then(|loaded| loaded.settings());
    let (settings, warnings) = loaded.map_err(|error| error.problems().to_vec())?;
    warnings.iter().for_each(|warning| warn(warning));
    Ok(settings)
}

fn trusting<E: std::fmt::Display>(
    file: &Path,
    named: &str,
    make: fn(&[u8]) -> Result<Trust, E>,
) -> Result<Trust, Vec<String>> {
    let wrong =
        |error: &dyn std::fmt::Display| vec![format!("{named} {}: {error}", file.display())];
    let pem = read(file).map_err(|error| wrong(&error))?;
    make(&pem).map_err(|error| wrong(&error))
}

fn of_variable(value: OsString) -> Result<Zeroizing<String>, String> {
    let text = value.into_string().map(Zeroizing::new);
    text.map_err(|_| format!("{PASSWORD_VARIABLE} is not valid UTF-8"))
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, String> {
    let wrong = |reason: &dyn std::fmt::Display| {
        format!("--auth-password-file {}: {reason}", file.display())
    };
    let bytes = Zeroizing::new(read(file).map_err(|error| wrong(&error))?);
    if is_open_to_others(file) {
        warn(&wrong(
            &"others on this machine can read it: chmod 600 helps",
        ));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(&"it is not UTF-8"))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(wrong(
            &"its first line, which should be the password, is empty",
        ));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST_FILE)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let attributes = std::fs::metadata(file);
    attributes.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

fn ask(name: &str, base: &BaseUrl) -> Result<Zeroizing<String>, String> {
    let asked = prompt::password(&format!("Password of {name:?} at {base}: "));
    asked.map_err(|error| {
        format!(
            "cannot ask for the password of {name:?} ({error}): give --auth-password-file, or set {PASSWORD_VARIABLE}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        remote: RemoteArgs,
    }

    fn command(arguments: &[&str]) -> Command {
        Command::try_parse_from([&["x"], arguments].concat()).unwrap()
    }

    fn refused(arguments: &[&str]) -> String {
        let refused = command(arguments).remote.target().map(|_| ()).unwrap_err();
        refused.join("\n")
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_never_shown() {
        let arguments = ["--url", "https://admin:hunter2@host"];
        assert!(!format!("{:?}", command(&arguments)).contains("hunter2"));
        let said = refused(&arguments);
        assert!(
            said.contains("--url") && said.contains("--auth-password-file"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn options_of_a_server_without_a_url_are_a_mistake() {
        for flag in ["--ca-file", "--auth-password-file"] {
            let said = refused(&[flag, "/x"]);
            assert!(said.contains(flag) && said.contains("--url"), "{said}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        let empty = empty.to_str().unwrap();
        let url = ["--url", "https://host", "--auth-user", "admin"];
        for (arguments, words) in [
            (["--ca-file", empty], ["--ca-file", "no certificate"]),
            (["--ca-file", "/no/such"], ["--ca-file", "/no/such"]),
            (
                ["--auth-password-file", empty],
                ["--auth-password-file", "first line"],
            ),
            (
                ["--auth-password-file", "/no/such"],
                ["--auth-password-file", "/no/such"],
            ),
        ] {
            let said = refused(&[&url[..], &arguments[..]].concat());
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        let said = refused(&["--url", "https://host", "--auth-password-file", empty]);
        assert!(said.contains("--auth-user"), "{said}");
    }
}
