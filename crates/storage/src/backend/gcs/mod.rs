//! Google Cloud Storage, by its JSON interface.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).

mod settings;

pub use settings::{GcsCredentials, GcsSettings};
