//! Open files: uploads, downloads, and the pace they may go at.

mod changeable;
mod copy;
mod download;
mod pacer;
mod upload;

pub(crate) use changeable::Changeable;
pub use copy::{CopyRange, Source, copy};
pub use download::Download;
pub(crate) use pacer::Pacer;
pub use upload::Upload;
pub(crate) use upload::UploadParts;
