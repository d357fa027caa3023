//! What stores share that are asked over HTTP without a library of their makers: connections, answers, credentials.
//!
//! Nothing is repeated here, and only connecting has a deadline of its own: [`object`](super::object) does both, for all
//! stores.

mod address;
mod answer;
mod client;
mod connections;
mod credential;
mod pieces;
mod trust;

pub(super) use address::{is_open, plain};
pub(super) use answer::{Answer, kind_of_status};
pub(super) use client::Http;
pub(super) use connections::Connections;
pub(super) use credential::{context, unsigned};
pub(super) use trust::{authorities, unusable};
