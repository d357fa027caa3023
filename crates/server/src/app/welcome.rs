//! What an operator reads after the start: where the server listens, its host keys, and how to add the first user.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use sftpgo_core::data::UserQuery;
use sftpgo_data::config::Driver;

use super::compose::App;
use super::supervise::ServeOptions;
use crate::config::Settings;
use crate::version;

/// Logs where the server listens, and tells whoever looks at stdout.
pub(super) async fn greet(app: &App, settings: &Settings, options: &ServeOptions) {
    tracing::info!(sender = "sftpd", "listening on {}", app.ssh_address());
    if !options.greet {
        return;
    }
    let mut text = where_it_listens(app);
    if has_no_users(app).await {
        let advice = FirstUser {
            settings,
            settings_file: options.settings_file.as_deref(),
            http: app.http_address(),
            scheme: scheme(app),
        };
        text.push_str(&advice.text());
    }
    let mut stdout = std::io::stdout().lock();
    // Nobody need be looking.
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

fn scheme(app: &App) -> &'static str {
    if app.has_tls() { "https" } else { "http" }
}

fn where_it_listens(app: &App) -> String {
    // Writing into a string cannot fail.
    let mut text = format!("\nSFTPGo {} is ready.\n", version::VERSION);
    let _ = writeln!(text, "  SFTP      {}", app.ssh_address());
    match app.http_address() {
        Some(address) => {
            let scheme = scheme(app);
            let _ = writeln!(text, "  REST API  {scheme}://{address}/api/v1/version");
            let _ = writeln!(text, "  Web admin {scheme}://{address}/web");
        }
        None => text.push_str("  REST API  off (httpd.bind_port is 0)\n"),
    }
    for fingerprint in app.fingerprints() {
        let _ = writeln!(text, "  Host key  {fingerprint}");
    }
    text
}

/// An unreachable data provider says so in the log; here it only means no advice.
async fn has_no_users(app: &App) -> bool {
    let any = UserQuery {
        limit: 1,
        ..UserQuery::default()
    };
    let found = app.core().user_admin().list(&any).await;
    found.is_ok_and(|users| users.is_empty())
}

/// How to add the first user: lines that work when they are pasted.
struct FirstUser<'a> {
    settings: &'a Settings,
    settings_file: Option<&'a Path>,
    http: Option<SocketAddr>,
    scheme: &'static str,
}

impl FirstUser<'_> {
    fn text(&self) -> String {
        let mut text = String::from("\nThere is no user yet.");
        if !self.settings.data_provider.manage_users {
            text.push_str(
                " Accounts are managed elsewhere, because data_provider.manage_users is 0.\n\n",
            );
            return text;
        }
        let commands = [self.command_line(), self.curl()];
        match commands
            .into_iter()
            .flatten()
            .reduce(|first, second| format!("{first}or\n{second}"))
        {
            Some(commands) => {
                let _ = write!(text, " Add the first one with\n{commands}\n");
            }
            None => text.push_str(self.without_commands()),
        }
        text
    }

    /// The command runs in a process of its own, which sees neither the users of a server's memory nor a file that the
    /// server has locked.
    fn command_line(&self) -> Option<String> {
        match self.settings.data_provider.driver {
            Driver::Memory | Driver::Bolt => return None,
            Driver::Sqlite | Driver::Postgresql | Driver::Mysql => {}
        }
        let mut line = String::from("  sftpgo user add alice");
        if let Some(home) = self.home() {
            let _ = write!(line, " --home-dir {}", quoted(&home));
        }
        let directory = &self.settings.config_dir;
        if std::env::current_dir().ok().as_ref() != Some(directory) {
            let _ = write!(
                line,
                " --config-dir {}",
                quoted(&directory.to_string_lossy())
            );
        }
        let name = self.settings_file.and_then(Path::file_stem);
        if let Some(name) = name.filter(|name| *name != "sftpgo") {
            let _ = write!(line, " --config-file {}", quoted(&name.to_string_lossy()));
        }
        Some(line + "\n")
    }

    /// What remains with the REST API off.
    fn without_commands(&self) -> &'static str {
        if self.settings.data_provider.driver == Driver::Bolt {
            return " The bolt data provider is of one process at a time: stop the server to add users with `sftpgo user \
                    add`, or switch on the REST API (httpd.bind_port).\n\n";
        }
        " The memory data provider begins with the users of the file in data_provider.name, or takes them over the REST \
         API, which is off.\n\n"
    }

    fn curl(&self) -> Option<String> {
        let mut address = self.http?;
        if address.ip().to_canonical().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let mut user = serde_json::json!({
            "username": "alice",
            "password": "CHOOSE-A-PASSWORD",
            "status": 1,
            "permissions": { "/": ["*"] },
        });
        if let (Some(home), Some(user)) = (self.home(), user.as_object_mut()) {
            user.insert("home_dir".to_owned(), home.into());
        }
        // curl asks for the password.
        let password_file = &self.settings.httpd.auth_user_file;
        let login = password_file.as_ref().map_or("", |_| "-u OPERATOR ");
        let scheme = self.scheme;
        Some(format!(
            "  curl {login}{scheme}://{address}/api/v1/user -H 'Content-Type: application/json' -d {}\n",
            quoted(&user.to_string())
        ))
    }

    /// Below the configuration directory, which we can write; never the directory itself, which holds the host keys.
    fn home(&self) -> Option<String> {
        if self.settings.data_provider.users_base_dir.is_some() {
            return None;
        }
        let home = self.settings.config_dir.join("files").join("alice");
        Some(home.to_string_lossy().into_owned())
    }
}

/// As one word of a POSIX shell.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        for (word, expected) in [
            ("/srv/a-b.c_d", "/srv/a-b.c_d"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
