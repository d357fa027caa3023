//! Open files: uploads, downloads, and the pace they may go at.

mod download;
mod pacer;
mod upload;

pub use download::Download;
pub(crate) use pacer::Pacer;
pub use upload::Upload;
pub(crate) use upload::UploadParts;
