//! [`TestServer`]: the composed server of the product, on free ports of loopback, in a temporary directory.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sftpgo_core::Core;
use sftpgo_core::action::ActionLimits;
use sftpgo_core::admin::UserAdmin;
use sftpgo_server::app::App;
use sftpgo_server::config::{Environment, Inputs, load};
use tempfile::TempDir;

use crate::account::Account;
use crate::client::{Sftp, SshClient};
use crate::disk::{Usage, usage};
use crate::keys::TestKey;
use crate::within;

/// A server with its settings still open.
#[derive(Debug, Clone)]
pub struct Builder {
    settings: Map<String, Value>,
    files: Vec<(String, String)>,
    idle_timeout: Option<Duration>,
    login_deadline: Option<Duration>,
    key_exchange_deadline: Option<Duration>,
    hook_limit: Option<Duration>,
    action_limits: Option<ActionLimits>,
    rekey_bytes: Option<usize>,
    keep_alive: Option<Duration>,
}

impl Builder {
    /// Sets a key of a settings file, such as `sftpd.setstat_mode`.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let (section, name) = key.split_once('.').expect("section.name");
        let section = self.settings.entry(section).or_insert_with(|| json!({}));
        section
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value.into());
        self
    }

    /// A file in the configuration directory.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<String>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// 0 in place, 1 atomic, 2 atomic with resume.
    #[must_use]
    pub fn upload_mode(self, mode: u8) -> Self {
        self.set("sftpd.upload_mode", mode)
    }

    /// 0 nobody, 1 everybody, 2 users with a limit.
    #[must_use]
    pub fn track_quota(self, mode: u8) -> Self {
        self.set("data_provider.track_quota", mode)
    }

    /// `memory` (the default here) or `sqlite`.
    #[must_use]
    pub fn driver(self, name: &str) -> Self {
        let file = if name == "memory" { "" } else { "sftpgo.db" };
        self.set("data_provider.driver", name)
            .set("data_provider.name", file)
    }

    /// The accounts of another server, which has them in `sqlite`: both then serve one database.
    #[must_use]
    pub fn beside(self, other: &TestServer) -> Self {
        let file = other.config_dir().join("sftpgo.db");
        self.set("data_provider.driver", "sqlite")
            .set("data_provider.name", file.to_str().unwrap())
    }

    /// When idle connections are closed; the settings file knows minutes only.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// By when a client must have logged in; no setting says so.
    #[must_use]
    pub fn login_deadline(mut self, deadline: Duration) -> Self {
        self.login_deadline = Some(deadline);
        self
    }

    /// How long hooks may take; no setting says so.
    #[must_use]
    pub fn hook_limit(mut self, limit: Duration) -> Self {
        self.hook_limit = Some(limit);
        self
    }

    /// How long actions may take; no setting says so.
    #[must_use]
    pub fn action_limits(mut self, limits: ActionLimits) -> Self {
        self.action_limits = Some(limits);
        self
    }

    /// How long keys may be exchanged anew; no setting says so.
    #[must_use]
    pub fn key_exchange_deadline(mut self, deadline: Duration) -> Self {
        self.key_exchange_deadline = Some(deadline);
        self
    }

    /// After how many bytes keys are exchanged anew; no setting says so.
    #[must_use]
    pub fn rekey_bytes(mut self, bytes: usize) -> Self {
        self.rekey_bytes = Some(bytes);
        self
    }

    /// After how long a silent client is asked whether it is still there; no setting says so.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = Some(interval);
        self
    }

    /// Starts it.
    pub async fn start(self) -> TestServer {
        let directory = tempfile::tempdir().unwrap();
        let conf = directory.path().join("conf");
        fs::create_dir(&conf).unwrap();
        fs::create_dir(directory.path().join("homes")).unwrap();
        fs::write(conf.join("host_key"), TestServer::host_key().file()).unwrap();
        fs::write(
            conf.join("sftpgo.json"),
            Value::from(self.settings).to_string(),
        )
        .unwrap();
        for (name, content) in self.files {
            fs::write(conf.join(name), content).unwrap();
        }
        let inputs = Inputs {
            config_dir: conf,
            config_file: String::new(),
            environment: Environment::default(),
        };
        let (mut settings, warnings) = load(&inputs).unwrap().settings().unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        // In a settings file port 0 would switch it off.
        settings.httpd.bind = Some(([127, 0, 0, 1], 0).into());
        settings.sftpd.idle_timeout = self.idle_timeout.or(settings.sftpd.idle_timeout);
        settings.sftpd.action_limits = self.action_limits.unwrap_or_default();
        let limits = &mut settings.sftpd.limits;
        limits.login = self.login_deadline.unwrap_or(limits.login);
        limits.hooks = self.hook_limit.unwrap_or(limits.hooks);
        limits.key_exchange = self.key_exchange_deadline.unwrap_or(limits.key_exchange);
        limits.rekey_bytes = self.rekey_bytes.unwrap_or(limits.rekey_bytes);
        limits.keep_alive = self.keep_alive.unwrap_or(limits.keep_alive);
        let app = App::start(&settings).await.unwrap();
        TestServer { app, directory }
    }
}

/// A running server. Dropping it ends its connections; its tasks end with the runtime of the test.
#[derive(Debug)]
pub struct TestServer {
    app: App,
    directory: TempDir,
}

impl TestServer {
    /// A server with the default settings, and users in memory.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server that is not started yet.
    #[must_use]
    pub fn builder() -> Builder {
        let builder = Builder {
            settings: Map::new(),
            files: Vec::new(),
            idle_timeout: None,
            login_deadline: None,
            key_exchange_deadline: None,
            hook_limit: None,
            action_limits: None,
            rekey_bytes: None,
            keep_alive: None,
        };
        builder
            .set("sftpd.bind_address", "127.0.0.1")
            .set("sftpd.bind_port", 0)
            .set("sftpd.keys", json!([{ "private_key": "host_key" }]))
            .driver("memory")
    }

    /// The host key of every test server.
    #[must_use]
    pub fn host_key() -> TestKey {
        TestKey::numbered(1)
    }

    /// Lays this JSON over an account, as an administrator does.
    pub async fn change(&self, username: &str, json: &Value) {
        let users = self.users();
        let id = users.by_name(username).await.unwrap().id;
        let json = json.to_string();
        users.update_from_json(id, json.as_bytes()).await.unwrap();
    }

    /// Adds a user.
    pub async fn add(&self, account: Account) {
        let record = account.record(&self.directory.path().join("homes"));
        self.users().add(record).await.unwrap();
    }

    /// The home of a user that was not given another one. It exists after the first login.
    #[must_use]
    pub fn home(&self, username: &str) -> PathBuf {
        self.directory.path().join("homes").join(username)
    }

    /// The configuration directory, for commands that run beside the server.
    #[must_use]
    pub fn config_dir(&self) -> PathBuf {
        self.directory.path().join("conf")
    }

    /// A connection that is not logged in.
    pub async fn connect(&self) -> SshClient {
        SshClient::connect(self.ssh_address(), Some(&Self::host_key())).await
    }

    /// A connection on which a user is logged in.
    pub async fn login(&self, username: &str) -> SshClient {
        let mut client = self.connect().await;
        assert!(
            client.key(username, &Account::key(username)).await,
            "the login of {username}"
        );
        client
    }

    /// An SFTP session of a user.
    pub async fn sftp(&self, username: &str) -> Sftp {
        Sftp::open(Arc::new(self.login(username).await))
            .await
            .expect("the sftp subsystem")
    }

    /// An SFTP session of a user whose client calls itself `software`.
    pub async fn sftp_as(&self, software: &str, username: &str) -> Sftp {
        let key = Self::host_key();
        let mut client = SshClient::connect_as(software, self.ssh_address(), Some(&key)).await;
        assert!(
            client.key(username, &Account::key(username)).await,
            "the login of {username}"
        );
        Sftp::open(Arc::new(client))
            .await
            .expect("the sftp subsystem")
    }

    /// The counters of a user.
    pub async fn quota(&self, username: &str) -> Usage {
        self.core().flush_quota().await;
        let user = self.users().by_name(username).await.unwrap();
        Usage {
            files: user.used_quota_files,
            bytes: user.used_quota_size,
        }
    }

    /// What is really in a user's home.
    #[must_use]
    pub fn usage(&self, username: &str) -> Usage {
        usage(&self.home(username))
    }

    /// Administration of the users.
    #[must_use]
    pub fn users(&self) -> UserAdmin {
        self.core().user_admin()
    }

    /// Metrics, live connections and the like.
    #[must_use]
    pub fn core(&self) -> &Arc<Core> {
        self.app.core()
    }

    /// Where SSH is served.
    #[must_use]
    pub fn ssh_address(&self) -> SocketAddr {
        self.app.ssh_address()
    }

    /// Where REST is served.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.app.http_address().expect("an HTTP server")
    }

    /// Stops it in order, with `limit` for running transfers.
    pub async fn drain(&self, limit: Duration) {
        within("the stop of the server", self.app.stop(limit)).await;
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.app.end_connections();
    }
}
