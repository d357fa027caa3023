//! Amazon S3, and what speaks like it.
//!
//! Only calls are made here (`store`), with the official library; what they are made for is in
//! [`object`](super::object).

mod backend;
mod client;
mod document;
mod error;
mod key;
mod settings;
mod store;
mod trust;
mod unfinished;

pub use backend::S3Backend;
pub use settings::{S3Credentials, S3Settings};
