//! Who is logged in: how many sessions each user has, on this server and on the others that share its data provider, and
//! what running sessions may do when accounts change meanwhile.
//!
//! `slot` counts, `beat` tells the others that this server lives, `live` is the table of logins, `review` follows what
//! happens to accounts. What the clients see of it, the connection list, is in [`crate::registry`].

mod beat;
mod concerned;
mod live;
mod review;
mod slot;
#[cfg(test)]
mod tests;

pub(crate) use concerned::{Concerned, ThisServer};
pub(crate) use live::{Expected, Live, LiveLogin};
pub(crate) use slot::{SessionSlot, Sessions, SessionsParts};
