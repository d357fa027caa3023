//! Google Cloud Storage, by its JSON interface.
//!
//! Only calls are made here; what they are made for is in [`object`](super::object).
//!
//! **The version of an object is its generation**, which every new content changes and nothing else does. What is read, copied,
//! continued or given other metadata is named with it, so that no call ever means another object than the one that was seen.
//!
//! **An upload is one stream** (`upload`): a resumable session takes parts one after the other. The interface like S3's in
//! XML would take several at a time, but it is another protocol with another signature of errors, its parts stay and are paid
//! for until a lifecycle rule removes them, and no emulator has it. A session needs no clean-up: who knows its address may
//! end it, and Google does so after a week. It is not slower where it counts: bytes come from the client in one stream as well,
//! one connection to Google takes more than most of them bring, and many uploads are many streams. Parts are as large as the
//! account says, and while one is on its way the next one is filled.
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
