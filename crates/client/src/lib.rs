//! A client of the REST API of a running server, for the command line.
//!
//! It asks and translates, and holds no rules: what may be done and what is right, the server says. Every request has a
//! deadline and every answer a bound; nothing is sent twice, and redirects are not followed, because what is sent holds
//! passwords. [`ClientError`] says what happened and what to do about it, in words for administrators who work with the
//! command line, and shows no secret.

mod base;
mod call;
mod change;
mod client;
mod connection;
mod credentials;
mod defender;
mod error;
mod maintenance;
mod problem;
mod quota;
mod server;
mod trust;
mod user;

pub use base::{BaseUrl, UrlError};
pub use client::{Client, ClientSettings, Limits};
pub use connection::{Connection, Transfer};
pub use credentials::{Credentials, CredentialsError};
pub use defender::Host;
pub use error::{ClientError, ClientErrorKind};
pub use quota::{QuotaScan, Started};
pub use server::{Provider, Version};
pub use trust::{Trust, TrustError};
pub use user::NewPassword;
