//! What stands between a client and a store: it counts, and makes fail what a test wants to fail.

mod forward;
mod line;
mod link;
mod rule;

pub use link::Link;
pub use rule::{Action, Answer, Gate, Placed, Rule};

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Dialect, Requests, serve};

/// A proxy on a port of its own. Dropped, it ends with all connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

/// What its connections share.
#[derive(Debug)]
struct Shared {
    store: SocketAddr,
    /// `None`: bytes are bytes.
    dialect: Option<Dialect>,
    link: watch::Sender<Link>,
    rules: Mutex<Vec<Placed>>,
    requests: Requests,
    end: CancellationToken,
}

impl Proxy {
    /// One that understands the requests to a store.
    pub async fn http(store: SocketAddr, dialect: Dialect) -> Self {
        Self::start(store, Some(dialect)).await
    }

    /// One that passes bytes on, whatever they are; [rules](Self::place) do nothing there.
    pub async fn tcp(target: SocketAddr) -> Self {
        Self::start(target, None).await
    }

    async fn start(store: SocketAddr, dialect: Option<Dialect>) -> Self {
        let (listener, address) = serve::listen().await;
        let end = CancellationToken::new();
        let shared = Arc::new(Shared {
            store,
            dialect,
            link: watch::Sender::new(Link::default()),
            rules: Mutex::default(),
            requests: Requests::default(),
            end: end.clone(),
        });
        let accepting = Arc::clone(&shared);
        serve::accept_until(end.clone(), listener, move |client| {
            connection(client, Arc::clone(&accepting))
        });
        Self {
            address,
            shared,
            _end: end.drop_guard(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has gone through it, or was answered by it.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.shared.requests
    }

    /// From now on requests are treated like this. The first rule that applies counts, in the order they were placed.
    pub fn place(&self, rule: Rule) -> Placed {
        let placed = Placed::new(rule);
        self.shared.rules.lock().push(placed.clone());
        placed
    }

    /// Takes all rules away.
    pub fn take_away_rules(&self) {
        self.shared.rules.lock().clear();
    }

    /// From now on the connections are like this, old ones included.
    pub fn set_link(&self, link: Link) {
        self.shared.link.send_replace(link);
    }
}

/// One client, to its end.
async fn connection(client: TcpStream, shared: Arc<Shared>) {
    let link = shared.link.subscribe();
    if link.borrow().refused {
        line::reset(&client);
        return;
    }
    let Some(dialect) = shared.dialect else {
        if let Ok(store) = TcpStream::connect(shared.store).await {
            let _ = store.set_nodelay(true);
            line::join(client, store, link, &CancellationToken::new(), &shared.end).await;
        }
        return;
    };
    // The link is what a client has to us; behind it, nothing is slow.
    let (near, far) = tokio::io::duplex(line::PIECE);
    let cut = CancellationToken::new();
    let answer = |request| {
        let running = shared.requests.begin(dialect, &request);
        forward::answer(request, running, Arc::clone(&shared), cut.clone())
    };
    tokio::join!(
        serve::serve(far, answer),
        line::join(client, near, link, &cut, &shared.end),
    );
}
