//! An object and what is kept with it in one body: `multipart/related`, RFC 2387.
//! <https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects>

use std::fmt::Write as _;

use bytes::Bytes;

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult};
use super::document::Kept;

/// A body and its media type.
pub(super) struct Related {
    pub(super) media_type: String,
    /// In pieces: the content is that of the caller, and counts there as long as it is kept.
    pub(super) body: Vec<Bytes>,
}

/// Of bytes that nobody says anything about, as Google has it.
const UNKNOWN: &str = "application/octet-stream";

impl Related {
    pub(super) fn new(kept: &Kept, content: Bytes) -> ObjectResult<Self> {
        let document = serde_json::to_string(kept).map_err(|error| {
            let context = "write a document";
            ObjectError::with_source(ObjectErrorKind::Internal, context, error)
        })?;
        let boundary = boundary()?;
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{document}\r\n\
             --{boundary}\r\nContent-Type: {UNKNOWN}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        Ok(Self {
            media_type: format!("multipart/related; boundary={boundary}"),
            body: vec![head.into(), content, tail.into()],
        })
    }
}

/// What nobody can have written into a file.
fn boundary() -> ObjectResult<String> {
    let mut random = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut random).map_err(|error| {
        let context = "there are no random numbers";
        ObjectError::with_source(ObjectErrorKind::Internal, context, error)
    })?;
    let mut text = String::from("sftpgo-");
    for byte in random {
        // A string takes everything.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
