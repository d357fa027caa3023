//! Tells the local network of the share: multicast DNS (RFC 6762) and DNS-SD (RFC 6763), the service `_sftp-ssh._tcp`
//! (reference 15.2).

use std::net::IpAddr;
use std::time::Duration;

use mdns_sd::{ServiceDaemon, ServiceInfo};

use super::{Password, Share};
use crate::version;

const SERVICE: &str = "_sftp-ssh._tcp.local.";
/// For the good-bye to be sent.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// A service that the local network can find, until it is ended.
pub(super) struct Advertisement {
    daemon: ServiceDaemon,
    full_name: String,
    /// Its name, as people see it in lists.
    pub(super) instance: String,
    /// Whether the credentials are in it.
    pub(super) with_credentials: bool,
}

impl Advertisement {
    /// Begins; `None` if nobody asked for it. The error is a sentence: a share works without.
    pub(super) fn begin(
        share: &Share,
        port: u16,
        password: &Password,
    ) -> Option<Result<Self, String>> {
        if !share.advertise {
            return None;
        }
        let address = share.address.filter(|address| !address.is_unspecified());
        if address.is_some_and(|address| address.is_loopback()) {
            return Some(Err("only this machine can connect".to_owned()));
        }
        Some(Self::register(share, port, password, address).map_err(|error| error.to_string()))
    }

    fn register(
        share: &Share,
        port: u16,
        password: &Password,
        address: Option<IpAddr>,
    ) -> mdns_sd::Result<Self> {
        let instance = format!("SFTPGo portable {port}");
        let mut text = vec![("version".to_owned(), version::full())];
        let secret = match password {
            Password::Given(password) | Password::Made(password) => Some(password),
            Password::None => None,
        };
        let with_credentials = share.advertise_credentials;
        if with_credentials {
            text.push(("user".to_owned(), share.username.clone()));
            text.extend(secret.map(|secret| ("password".to_owned(), secret.to_string())));
        }
        let addresses: Vec<IpAddr> = address.into_iter().collect();
        let service = ServiceInfo::new(
            SERVICE,
            &instance,
            &host_name(),
            addresses.as_slice(),
            port,
            text.as_slice(),
        )?;
        let service = match address {
            Some(_) => service,
            None => service.enable_addr_auto(),
        };
        let full_name = service.get_fullname().to_owned();
        let daemon = ServiceDaemon::new()?;
        daemon.register(service)?;
        Ok(Self {
            daemon,
            full_name,
            instance,
            with_credentials,
        })
    }

    /// Says good-bye, so that nobody sees the share in a list for another hour.
    pub(super) async fn end(self) {
        let ended = async {
            if let Ok(status) = self.daemon.unregister(&self.full_name) {
                let _ = status.recv_async().await;
            }
            if let Ok(status) = self.daemon.shutdown() {
                let _ = status.recv_async().await;
            }
        };
        if tokio::time::timeout(GOOD_BYE, ended).await.is_err() {
            tracing::warn!(
                sender = "service",
                "the local network was not told that the share ends: no answer within {} s",
                GOOD_BYE.as_secs()
            );
        }
    }
}

/// A name of our own: that of the machine belongs to its own responder, which would think it taken.
fn host_name() -> String {
    let mut random = [0_u8; 4];
    // Without random numbers no session would work either; two shares of that name on one network would, all the same.
    let _ = aws_lc_rs::rand::fill(&mut random);
    format!("sftpgo-{:08x}.local.", u32::from_ne_bytes(random))
}
