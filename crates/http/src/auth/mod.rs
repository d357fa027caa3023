//! HTTP basic authentication against a file of names and hashes (`httpd.auth_user_file`, reference 11.2).
//!
//! Asked for by every [route](crate::routes) that is not free. A password is checked on core's bounded pool, a name that
//! nobody has costs what one of the others costs, and a pair that was right within the last minute costs nothing, so that
//! a script that asks every few seconds burns no core. Failures are counted by address: who fails too often waits. A pair
//! that is known goes before that, because behind a reverse proxy everybody has one address, and whoever guesses there
//! must not lock out who is at work.

mod attempts;
mod credentials;
mod file;
mod users;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sftpgo_core::Core;
use sftpgo_core::auth::OperatorPasswords;
use sftpgo_core::model::Source;

use crate::problem::Problem;
use crate::{body, reply};
use attempts::Attempts;
use credentials::Credentials;
use file::UserFile;
use users::{Found, Users};

/// Literally so in the reference.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"SFTPGo Web\"");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Replies below it are JSON.
const API: &str = "/api/v1";
/// When who found the pool full may come again.
const BUSY: Duration = Duration::from_secs(5);
/// Characters of a name in the log.
const MOST_LOGGED: usize = 256;

/// Where a request comes from; put into its extensions before it is routed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What keeps routes from who has no password.
pub(crate) struct Lock {
    file: UserFile,
    passwords: OperatorPasswords,
    attempts: Attempts,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Why a request does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// No credentials, or wrong ones, or a file that cannot be used; nobody is told which.
    Unauthorized,
    /// Too many failures from there.
    TooMany { wait: Duration },
    /// Too many are being checked.
    Busy,
}

impl Lock {
    /// Reads the file. Blocks.
    ///
    /// # Errors
    /// It cannot be read or understood; a sentence that names it.
    pub(crate) fn open(path: PathBuf, core: &Core) -> Result<Self, String> {
        Ok(Self {
            file: UserFile::open(path)?,
            passwords: core.operator_passwords(),
            attempts: Attempts::default(),
        })
    }

    async fn admit(&self, headers: &HeaderMap, peer: IpAddr) -> Result<(), Refusal> {
        // First, so that a change is noticed and told whoever asks.
        let users = self.file.users().await;
        let given = Credentials::of(headers).ok_or(Refusal::Unauthorized)?;
        let users = users.ok_or(Refusal::Unauthorized)?;
        if self.is_known(&users, &given) {
            return Ok(());
        }
        let turn = self.attempts.turn(Source::of(peer)).await?;
        // Who had the turn before may have asked the same.
        if self.is_known(&users, &given) {
            return Ok(());
        }
        if self.check(&users, &given).await? {
            return Ok(());
        }
        turn.failed();
        log_failure(peer, given.name());
        Err(Refusal::Unauthorized)
    }

    fn is_known(&self, users: &Users, given: &Credentials) -> bool {
        match users.find(given.name()) {
            Found::Hash(stored) => {
                let (name, password) = (given.name(), given.password());
                self.passwords.is_known(name, password, stored)
            }
            Found::Nobody { .. } => false,
        }
    }

    async fn check(&self, users: &Users, given: &Credentials) -> Result<bool, Refusal> {
        let (name, password) = (given.name(), given.password());
        let checked = match users.find(name) {
            Found::Hash(stored) => self.passwords.check(name, password, stored).await,
            Found::Nobody { like } => {
                let pretended = self.passwords.pretend(password, like).await;
                pretended.map(|()| false)
            }
        };
        checked.map_err(|_| Refusal::Busy)
    }
}

/// What ban tools such as fail2ban read, as for SSH (reference 14.5).
fn log_failure(peer: IpAddr, name: &str) {
    let end = name.char_indices().nth(MOST_LOGGED).map(|(end, _)| end);
    tracing::debug!(
        sender = "connection_failed",
        client_ip = %peer.to_canonical(),
        username = name.get(..end.unwrap_or(name.len())).unwrap_or_default(),
        login_type = "http-basic",
        error = "wrong user name or password",
    );
}

/// Lets a request go on to its handler if it brings a name and a password.
pub(crate) async fn check(
    State(lock): State<Arc<Lock>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4([0, 0, 0, 0].into()), |Peer(peer)| peer.ip());
    match lock.admit(request.headers(), peer).await {
        Ok(()) => {
            // Of no use to anybody behind here, and so in nobody's way to a log.
            request.headers_mut().remove(header::AUTHORIZATION);
            next.run(request).await
        }
        Err(refusal) => {
            let in_json = request.uri().path().starts_with(API);
            body::dismiss(request).await;
            refusal.reply(in_json)
        }
    }
}

impl Refusal {
    fn reply(self, in_json: bool) -> Response {
        let (status, reason) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::TooMany { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many failed logins from this address",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many logins are being checked",
            ),
        };
        let mut response = if in_json {
            Problem::error(status, reason).into_response()
        } else {
            reply::typed(status, TEXT, format!("{reason}\n"))
        };
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            Self::TooMany { wait } => {
                headers.insert(header::RETRY_AFTER, seconds(wait));
            }
            Self::Busy => {
                headers.insert(header::RETRY_AFTER, seconds(BUSY));
            }
        }
        response
    }
}

/// Whole seconds, rounded up: who waits so long is let in.
fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
