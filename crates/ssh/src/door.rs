//! Who is let in: what the listener asks of the defender, and what is counted and logged of those who are not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sftpgo_core::defender::HostEvent;
use sftpgo_core::{ConnectionInfo, Core};
use sftpgo_net::proxy::HeaderError;
use sftpgo_net::{Doorkeeper, Refusal};
use tokio_util::sync::CancellationToken;

/// The doorkeeper of the SSH listener.
#[derive(Debug)]
pub(crate) struct Door {
    core: Arc<Core>,
}

impl Door {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl Doorkeeper for Door {
    fn is_banned(&self, address: IpAddr) -> bool {
        let defender = self.core.defender();
        defender.is_some_and(|defender| defender.refuses(address))
    }

    fn refused(&self, address: IpAddr, refusal: Refusal) {
        self.core.metrics().refused_connections.increment();
        if refusal.is_excess()
            && let Some(defender) = self.core.defender()
        {
            defender.report(address, HostEvent::LimitExceeded);
        }
    }

    /// The line of a connection that failed before the login (reference 9.6); there is no connection to name in it.
    fn without_header(&self, peer: SocketAddr, error: &HeaderError) {
        if matches!(error, HeaderError::Closed) {
            self.core.metrics().probes.increment();
        }
        let info = ConnectionInfo {
            id: String::new(),
            peer,
            client_version: String::new(),
            cancel: CancellationToken::new(),
        };
        self.core.authenticator().log_untried(&info, error);
    }
}
