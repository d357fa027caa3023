//! Open files: uploads, downloads, and the pace they may go at.

mod changeable;
mod copy;
mod download;
mod pacer;
mod read_back;
mod upload;

pub(crate) use changeable::Changeable;
pub use copy::{CopyRange, Source, copy};
pub use download::Download;
pub(crate) use pacer::Pacer;
pub(crate) use read_back::ReadBack;
pub use upload::Upload;
pub(crate) use upload::{Place, UploadParts};
