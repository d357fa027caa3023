//! What users do, once for every protocol: only [`FileClient`] is used, so a protocol joins with a row in [`PROTOCOLS`].

mod listing;
mod modes;
mod names;
mod permissions;
mod quota;
mod transfers;
mod virtual_folders;

use sftpgo_testkit::{Account, Answer, Builder, FileClient, Refusal, ScpFiles, TestServer};

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

/// A server with one account, and the protocol to use it with.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    protocol: Protocol,
}

impl Scene {
    /// Plays a scenario with every protocol, each on a server of its own with the account `alice`.
    pub(crate) async fn each(
        builder: Builder,
        account: Account,
        scenario: impl AsyncFn(Self, Box<dyn FileClient>),
    ) {
        for protocol in PROTOCOLS {
            let server = protocol.enable(builder.clone()).start().await;
            server.add(account.clone()).await;
            let scene = Self {
                server,
                protocol: *protocol,
            };
            let client = scene.client().await;
            scenario(scene, client).await;
        }
    }

    /// Plays it with default settings and an account that may do everything.
    pub(crate) async fn plain(scenario: impl AsyncFn(Self, Box<dyn FileClient>)) {
        Self::each(TestServer::builder(), Account::new("alice"), scenario).await;
    }

    /// A further client of `alice`.
    pub(crate) async fn client(&self) -> Box<dyn FileClient> {
        match self.protocol {
            Protocol::Sftp => Box::new(self.server.sftp("alice").await),
            Protocol::Scp => Box::new(ScpFiles::new(self.server.sftp("alice").await)),
        }
    }

    /// A place in the home, on the disk.
    pub(crate) fn disk(&self, path: &str) -> std::path::PathBuf {
        self.server.home("alice").join(path)
    }

    /// The names in a directory on the disk, temporary files included.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.disk(path)).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
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
