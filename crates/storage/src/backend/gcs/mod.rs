//! Google Cloud Storage, by its JSON interface.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).

mod backend;
mod settings;
mod store;

pub use backend::GcsBackend;
pub use settings::{GcsCredentials, GcsSettings};
