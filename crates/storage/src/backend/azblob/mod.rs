//! Azure Blob Storage, by its REST interface.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).

mod backend;
mod settings;
mod store;

pub use backend::AzureBackend;
pub use settings::{AzureCredentials, AzureSettings};
