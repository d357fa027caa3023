//! What the operator reads when the share is there: how to connect, with lines that work when they are pasted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use sftpgo_core::model::FilesystemProvider;

use super::advertise::Advertisement;
use super::{Password, Share};
use crate::app::output::plain;
use crate::version;

/// A share that can be used.
pub(super) struct Ready<'a> {
    pub(super) share: &'a Share,
    pub(super) password: &'a Password,
    pub(super) port: u16,
    pub(super) fingerprints: &'a [String],
    pub(super) public_keys: &'a [String],
    /// The advertisement, or why there is none; `None` if nobody asked for one.
    pub(super) advertised: Option<&'a Result<Advertisement, String>>,
}

impl Ready<'_> {
    pub(super) fn print(&self) {
        let addresses = self.addresses();
        let mut stdout = std::io::stdout().lock();
        // Nobody need be looking.
        let _ = stdout
            .write_all(self.text(&addresses).as_bytes())
            .and_then(|()| stdout.flush());
    }

    /// Where clients reach the server: on this machine last, for others are who is waited for.
    fn addresses(&self) -> Vec<IpAddr> {
        if let Some(address) = self
            .share
            .address
            .filter(|address| !address.is_unspecified())
        {
            return vec![address];
        }
        let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
            .unwrap_or_default()
            .into_iter()
            .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
            .map(|interface| interface.ip())
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses.push(Ipv4Addr::LOCALHOST.into());
        addresses
    }

    fn text(&self, addresses: &[IpAddr]) -> String {
        let mut lines = Lines(format!(
            "\nSFTPGo {} shares {}\n\n",
            version::VERSION,
            self.what()
        ));
        for (index, address) in addresses.iter().enumerate() {
            let name = if index == 0 { "Connect" } else { "" };
            lines.add(name, &self.command(*address));
        }
        match self.password {
            Password::Made(password) => lines.add("Password", password),
            Password::Given(_) => lines.add("Password", "the one you chose"),
            Password::None => lines.add("Password", "none, only keys log in"),
        }
        for key in &self.share.public_keys {
            lines.add("Key", &plain(key));
        }
        lines.add("May", &self.share.permissions.join(", "));
        lines.add("Commands", &self.share.commands.join(", "));
        for filter in &self.share.filters {
            let mut rule = format!("in {}:", plain(&filter.path));
            for (verb, list) in [
                ("only", &filter.allowed_extensions),
                ("no", &filter.denied_extensions),
            ] {
                if !list.is_empty() {
                    let _ = write!(rule, " {verb} {}", plain(&list.join(" ")));
                }
            }
            lines.add("Files", &rule);
        }
        for fingerprint in self.fingerprints {
            lines.add("Host key", fingerprint);
        }
        if let Some(key) = self.public_keys.first() {
            lines.add("known_hosts", &self.known_host(addresses, key));
        }
        self.about_the_network(&mut lines);
        lines.0.push_str("\nCtrl-C ends it.\n\n");
        lines.0
    }

    fn what(&self) -> String {
        let shared = &self.share.shared;
        let store = &self.share.store;
        let mut parts = Vec::new();
        match (store.provider, &shared.home) {
            (FilesystemProvider::Local, Some(home)) => parts.push(plain(&home.to_string_lossy())),
            (FilesystemProvider::Local, None) => {}
            (FilesystemProvider::S3, _) => parts.push(bucket(
                "S3 bucket",
                &store.s3config.bucket,
                &store.s3config.key_prefix,
            )),
            (FilesystemProvider::Gcs, _) => parts.push(bucket(
                "Google bucket",
                &store.gcsconfig.bucket,
                &store.gcsconfig.key_prefix,
            )),
            (FilesystemProvider::Azure, _) => parts.push(bucket(
                "Azure container",
                &store.azblobconfig.container,
                &store.azblobconfig.key_prefix,
            )),
        }
        for folder in &shared.folders {
            parts.push(format!(
                "{} as {}",
                plain(&folder.mapped_path),
                plain(&folder.virtual_path)
            ));
        }
        parts.join(", ")
    }

    fn command(&self, address: IpAddr) -> String {
        // sftp takes an IPv6 address in brackets only.
        let host = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let user = &self.share.username;
        format!(
            "sftp -P {} {}",
            self.port,
            crate::app::welcome::quoted(&format!("{user}@{host}"))
        )
    }

    /// One line for all addresses (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
    fn known_host(&self, addresses: &[IpAddr], key: &str) -> String {
        let hosts = addresses.iter().map(|address| match self.port {
            22 => address.to_string(),
            port => format!("[{address}]:{port}"),
        });
        format!("{} {key}", hosts.collect::<Vec<_>>().join(","))
    }

    fn about_the_network(&self, lines: &mut Lines) {
        match self.advertised {
            Some(Ok(advertisement)) => {
                lines.add(
                    "Network",
                    &format!("finds it as \"{}\"", advertisement.instance),
                );
                if advertisement.with_credentials {
                    let what = match self.password {
                        Password::None => "user name: there is no password to tell",
                        Password::Given(_) | Password::Made(_) => "user name and password",
                    };
                    lines.add("", &format!("and hears the {what}"));
                }
            }
            Some(Err(reason)) => lines.add("Network", &format!("is not told of it: {reason}")),
            None => {}
        }
    }
}

fn bucket(kind: &str, name: &str, prefix: &str) -> String {
    match prefix {
        "" => format!("{kind} {}", plain(name)),
        prefix => format!("{kind} {}, below {}", plain(name), plain(prefix)),
    }
}

/// Lines with a name before each.
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.0, "  {name:11} {value}");
    }
}
