//! Google Cloud Storage, by its JSON interface.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).
//!
//! **The version of an object is its generation**, which every new content changes and nothing else does. What is read, copied,
//! continued or given other metadata is named with it, so that no call ever means another object than the one that was seen.
//!
//! **An upload is one stream** (`upload`): a resumable session takes parts one after the other. There are two ways to have several
//! on their way at a time, and neither is better. The interface in XML has uploads in parts like S3's: another protocol with
//! other errors and conditions, parts that are paid for until a rule of the bucket removes them, and no emulator that has it.
//! Parts could be objects of their own that are put together: everybody would see them, and a crash would leave them. A session
//! leaves nothing: who knows its address may end it, and Google does so after a week. Bytes come from a client in one stream as
//! well, many uploads are many connections, and while a part is on its way the next one is filled.
//!
//! **A file is continued** by putting what is added behind it (`copy`): sessions copy no parts.
//!
//! **A file of one part is one call** with everything that is kept with it (`related`).

mod backend;
mod client;
mod copy;
mod credential;
mod document;
mod error;
mod place;
mod related;
mod settings;
mod store;
mod upload;

pub use backend::GcsBackend;
pub use settings::{GcsCredentials, GcsSettings};
