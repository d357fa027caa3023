//! Azure Blob Storage, by its REST interface: block blobs.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>

mod backend;
mod block;
mod client;
mod copy;
mod credential;
mod document;
mod error;
mod header;
mod key;
mod settings;
mod store;

pub use backend::AzureBackend;
pub use settings::{AzureCredentials, AzureSettings};
