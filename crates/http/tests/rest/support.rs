//! A server of its own for every test, and a client that sends what it is told, byte by byte.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sftpgo_core::auth::KeyTrust;
use sftpgo_core::model::UserRecord;
use sftpgo_core::{Core, CoreParts, CoreSettings};
use sftpgo_data::{DataProvider, MemoryProvider, UserStore as _};
use sftpgo_http::config::{HttpdConfig, HttpdSettings};
use sftpgo_http::{HttpFrontEnd, HttpLimits, VersionInfo};
use sftpgo_net::{Listener, Server, Tls, TlsFiles};
use sftpgo_storage::registry::Backends;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct TestServer {
    pub(crate) core: Arc<Core>,
    pub(crate) provider: Arc<MemoryProvider>,
    pub(crate) server: Server,
    pub(crate) homes: TempDir,
    pub(crate) tls: Option<Arc<Tls>>,
}

/// Who may log in to [`TestServer::with_users`]: of the vectors of reference 4.4.
pub(crate) const USERS: &str = "alice:$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola\n\
                                bob:$apr1$gLnIkRIf$Xr/6aJfmIrihP4b2N2tcs/\n";
pub(crate) const BY_ALICE: &str = "Authorization: Basic YWxpY2U6cGFzc3dvcmQx\r\n";
pub(crate) const BY_BOB: &str = "Authorization: Basic Ym9iOnBhc3N3b3JkMg==\r\n";

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(CoreSettings::default(), HttpLimits::default())
    }

    pub(crate) fn with_limits(limits: HttpLimits) -> Self {
        Self::with(CoreSettings::default(), limits)
    }

    /// One that asks for a password.
    pub(crate) fn with_users() -> Self {
        Self::set_up(CoreSettings::default(), HttpLimits::default(), |homes| {
            std::fs::write(homes.join("users"), USERS).unwrap();
            HttpdConfig {
                auth_user_file: homes.join("users").to_str().unwrap().to_owned(),
                ..HttpdConfig::default()
            }
        })
    }

    /// One that speaks TLS.
    pub(crate) fn with_tls(files: &TlsFiles, limits: HttpLimits) -> Self {
        Self::set_up(CoreSettings::default(), limits, |_| HttpdConfig {
            certificate_file: files.certificate.to_str().unwrap().to_owned(),
            certificate_key_file: files.key.to_str().unwrap().to_owned(),
            ..HttpdConfig::default()
        })
    }

    pub(crate) fn with(settings: CoreSettings, limits: HttpLimits) -> Self {
        Self::set_up(settings, limits, |_| HttpdConfig::default())
    }

    fn set_up(
        settings: CoreSettings,
        limits: HttpLimits,
        config: impl FnOnce(&Path) -> HttpdConfig,
    ) -> Self {
        let provider = Arc::new(MemoryProvider::with_users(Vec::new()).unwrap());
        let core = Core::start(CoreParts {
            provider: Arc::clone(&provider) as Arc<dyn DataProvider>,
            backends: Backends::new(),
            settings,
            keys: KeyTrust::default(),
        });
        let homes = tempfile::tempdir().unwrap();
        let config = HttpdConfig {
            backups_path: homes.path().join("backups").to_str().unwrap().to_owned(),
            ..config(homes.path())
        };
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), "test").unwrap();
        let version = VersionInfo {
            version: "0.9.6".into(),
            ..VersionInfo::default()
        };
        let front = HttpFrontEnd::new(Arc::clone(&core), &settings_from(config), version);
        let front = front.unwrap().with_limits(limits);
        let tls = front.tls().cloned();
        let server = front.serve(listener);
        Self {
            core,
            provider,
            server,
            homes,
            tls,
        }
    }

    /// The password file of [`Self::with_users`].
    pub(crate) fn user_file(&self) -> PathBuf {
        self.homes.path().join("users")
    }

    /// Where dumps are written.
    pub(crate) fn backups(&self) -> PathBuf {
        self.homes.path().join("backups")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// An account that every rule accepts. Its password matches nothing: a hash is stored as it is, and making one takes
    /// a while.
    pub(crate) fn user(&self, name: &str) -> Value {
        json!({
            "username": name, "password": "$argon2id$none", "status": 1,
            "home_dir": self.homes.path().join(name), "permissions": {"/": ["*"]},
        })
    }

    /// Adds it, and gives the reply.
    pub(crate) async fn added(&self, user: &Value) -> Value {
        let reply = self.send("POST", "/api/v1/user", user).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    /// The account as it is stored.
    pub(crate) async fn stored(&self, name: &str) -> Option<UserRecord> {
        self.provider.user_by_name(name).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, "").await
    }

    pub(crate) async fn send(&self, method: &str, target: &str, body: &Value) -> Reply {
        self.call(method, target, &body.to_string()).await
    }

    /// What curl sends.
    pub(crate) async fn call(&self, method: &str, target: &str, body: &str) -> Reply {
        self.call_by("", method, target, body).await
    }

    /// The same with a further header field.
    pub(crate) async fn call_by(
        &self,
        field: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> Reply {
        let address = self.address();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: curl/7.64.0\r\nAccept: */*\r\n{field}\
             Content-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Connection: close\r\n\r\n{body}"
        );
        self.raw(request.as_bytes()).await
    }

    /// Sends bytes and reads the one reply that ends the connection.
    pub(crate) async fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect().await;
        // Fails if the server has refused before it read everything; the reply says why.
        let _ = stream.write_all(request).await;
        Reply::parse(&rest_of(&mut stream).await)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }
}

pub(crate) fn settings_from(config: HttpdConfig) -> HttpdSettings {
    config.resolve(Path::new("/srv")).unwrap().0
}

/// Everything until the server closes the connection.
pub(crate) async fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection that is cut off may be reset.
    let _ = read.expect("the server neither answered nor closed");
    bytes
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no reply: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The `error` of a generic reply whose status is that of the response.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        assert_eq!(json["status"], self.status, "{}", self.body);
        json["error"].as_str().unwrap().to_owned()
    }
}
