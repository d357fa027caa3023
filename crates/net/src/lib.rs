//! Listeners, accept limits and the graceful drain: what every front end that accepts connections shares.

mod accept;
mod limit;
mod listener;
mod workers;

pub use accept::{Server, serve};
pub use limit::{AcceptLimits, ConnectionLimiter, ConnectionSlot};
pub use listener::{BindError, Listener, listen_address};
pub use workers::Workers;
