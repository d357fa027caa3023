//! What users do, once for every protocol and every kind of home: only [`FileClient`] is used, so a protocol joins with a row
//! in [`PROTOCOLS`], and an object store with a row in `StoreKind::ALL`.
//!
//! What homes promise differently is decided by the capabilities of their back end ([`Scene::can`]), never by its name.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod home;
mod listing;
mod modes;
mod names;
mod permissions;
mod quota;
mod transfers;
mod virtual_folders;

use futures_util::future::join_all;
use sftpgo_storage::Capabilities;
use sftpgo_testkit::{
    Account, Answer, Builder, FileClient, Refusal, ScpFiles, Sftp, TestServer, Usage,
};

use home::{Home, Place};

/// A protocol whose clients can do all of [`FileClient`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Sftp,
    /// Whole files by SCP, the rest by SFTP.
    Scp,
}

const PROTOCOLS: &[Protocol] = &[Protocol::Sftp, Protocol::Scp];

impl Protocol {
    fn enable(self, builder: Builder) -> Builder {
        match self {
            Self::Sftp => builder,
            Self::Scp => builder.set("sftpd.enabled_ssh_commands", vec!["scp"]),
        }
    }
}

/// A server with one account, its home, and the protocol to use it with.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    protocol: Protocol,
    home: Home,
    place: Place,
}

impl Scene {
    async fn new(builder: Builder, account: Account, protocol: Protocol, home: Home) -> Self {
        let server = protocol.enable(builder).start().await;
        let (place, account) = home.make(&server, account).await;
        server.add(account).await;
        Self {
            server,
            protocol,
            home,
            place,
        }
    }

    /// Plays a scenario with every protocol in every kind of home, each on a server of its own with the account `alice`.
    pub(crate) async fn each(
        builder: Builder,
        account: Account,
        scenario: impl AsyncFn(Self, Box<dyn FileClient>),
    ) {
        // Side by side: they wait for their stores, and each is large.
        let homes = Home::all().map(|home| {
            let (builder, account, scenario) = (&builder, &account, &scenario);
            Box::pin(async move {
                for protocol in PROTOCOLS {
                    let scene = Self::new(builder.clone(), account.clone(), *protocol, home).await;
                    let client = scene.client().await;
                    scenario(scene, client).await;
                }
            })
        });
        join_all(homes).await;
    }

    /// Plays it with default settings and an account that may do everything.
    pub(crate) async fn plain(scenario: impl AsyncFn(Self, Box<dyn FileClient>)) {
        Self::each(TestServer::builder(), Account::new("alice"), scenario).await;
    }

    /// Plays one that speaks SFTP and nothing else, in every kind of home.
    pub(crate) async fn sftp(builder: Builder, scenario: impl AsyncFn(Self, Sftp)) {
        let homes = Home::all().map(|home| {
            let (builder, scenario) = (&builder, &scenario);
            Box::pin(async move {
                let account = Account::new("alice");
                let scene = Self::new(builder.clone(), account, Protocol::Sftp, home).await;
                let client = scene.server.sftp("alice").await;
                scenario(scene, client).await;
            })
        });
        join_all(homes).await;
    }

    /// A further client of `alice`.
    pub(crate) async fn client(&self) -> Box<dyn FileClient> {
        match self.protocol {
            Protocol::Sftp => Box::new(self.server.sftp("alice").await),
            Protocol::Scp => Box::new(ScpFiles::new(self.server.sftp("alice").await)),
        }
    }

    /// What the home can do.
    pub(crate) fn can(&self) -> &'static Capabilities {
        self.home.capabilities()
    }

    /// Makes a file in the home, past the server.
    pub(crate) async fn make(&self, path: &str, content: &[u8]) {
        self.place.make(path, content).await;
    }

    /// Makes many empty files in the home.
    pub(crate) async fn make_all(&self, paths: impl Iterator<Item = String>) {
        self.place.make_all(paths).await;
    }

    /// Makes a directory in the home, and those above it.
    pub(crate) async fn make_dir(&self, path: &str) {
        self.place.make_dir(path).await;
    }

    /// The content of a file in the home, past the server.
    pub(crate) async fn stored(&self, path: &str) -> Option<Vec<u8>> {
        self.place.content(path).await
    }

    /// The names in the root of the home, temporary files included.
    pub(crate) async fn names(&self) -> Vec<String> {
        self.place.names().await
    }

    /// What is really in the home.
    pub(crate) async fn usage(&self) -> Usage {
        self.place.usage().await
    }

    /// Whether a name that is text can be one in the home.
    pub(crate) fn holds(&self, name: &[u8]) -> bool {
        self.home.holds(&String::from_utf8_lossy(name))
    }

    /// How many files are many: more than a listing gets at once.
    pub(crate) fn many(&self) -> usize {
        self.place.many()
    }
}

/// Why something was refused; fails the test if it was not.
pub(crate) fn refusal<T>(answer: Answer<T>) -> Refusal {
    match answer {
        Ok(_) => panic!("it was not refused"),
        Err(refused) => refused.kind,
    }
}

/// Bytes that show it if blocks change places.
pub(crate) fn content(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..size).map(next).collect()
}
