//! Uploads in parts: blocks that are staged beside a blob, until a list of them makes the blob.
//!
//! Azure has no uploads: staged blocks belong to the name of the blob, whoever sent them. So the names of blocks tell whose they
//! are, and whoever ends an upload lists its own. What the others have staged is dropped then, which they learn when they list
//! theirs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult, PartTag};
use super::header::Headers;

/// An upload, as [`UploadRef::id`](super::super::object::UploadRef::id) has it: nothing of it is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged {
    /// What the names of its blocks begin with, and no others.
    prefix: String,
    /// What the blob is to have.
    pub(super) headers: Headers,
}

impl Staged {
    /// A new one.
    pub(super) fn new(headers: Headers) -> ObjectResult<Self> {
        let mut random = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| {
            let context = "there are no random numbers";
            ObjectError::new(ObjectErrorKind::Internal, context)
        })?;
        let mut prefix = String::new();
        for byte in random {
            // A string takes everything.
            let _ = write!(prefix, "{byte:02x}");
        }
        Ok(Self { prefix, headers })
    }

    /// The upload of that id.
    pub(super) fn of(id: &str) -> ObjectResult<Self> {
        serde_json::from_str(id).map_err(|error| {
            let context = "this is no upload of ours";
            ObjectError::with_source(ObjectErrorKind::Internal, context, error)
        })
    }

    /// The id of the upload.
    pub(super) fn id(&self) -> ObjectResult<String> {
        serde_json::to_string(self).map_err(|error| {
            let context = "an upload cannot be noted";
            ObjectError::with_source(ObjectErrorKind::Internal, context, error)
        })
    }

    /// The name of a block. All of them are equally long, as Azure asks for.
    pub(super) fn block(&self, number: u32, piece: u32) -> String {
        STANDARD.encode(format!("{}-{number:06}-{piece:05}", self.prefix))
    }

    /// The names of all blocks of these parts.
    pub(super) fn blocks(&self, parts: &[PartTag]) -> ObjectResult<Vec<String>> {
        let mut blocks = Vec::with_capacity(parts.len());
        for part in parts {
            let pieces = part.etag.parse().map_err(|error| {
                let context = "this is no part of ours";
                ObjectError::with_source(ObjectErrorKind::Internal, context, error)
            })?;
            blocks.extend((0..pieces).map(|piece| self.block(part.number, piece)));
        }
        Ok(blocks)
    }
}

/// A part that is so many blocks.
pub(super) fn part(number: u32, pieces: u32) -> PartTag {
    PartTag {
        number,
        etag: pieces.to_string(),
    }
}

/// The list that makes a blob. The latest block of each name: asked for again, after an answer that got lost, it is the one that
/// the blob has already.
pub(super) fn block_list(blocks: &[String]) -> String {
    let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for block in blocks {
        list.push_str("<Latest>");
        list.push_str(block);
        list.push_str("</Latest>");
    }
    list.push_str("</BlockList>");
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_two_uploads_are_never_the_same_and_all_names_are_equally_long() {
        let (one, other) = (
            Staged::new(Vec::new()).unwrap(),
            Staged::new(Vec::new()).unwrap(),
        );
        assert_ne!(one.block(1, 0), other.block(1, 0));
        assert_ne!(one.block(1, 0), one.block(1, 1));
        assert_ne!(one.block(1, 0), one.block(2, 0));
        assert_eq!(one.block(50_000, 256).len(), one.block(1, 0).len());
        // Azure takes 64 bytes.
        assert!(STANDARD.decode(one.block(50_000, 0)).unwrap().len() <= 64);
    }

    #[test]
    fn an_upload_is_known_by_its_id() {
        let headers = vec![("x-ms-meta-a".to_owned(), "b".to_owned())];
        let upload = Staged::new(headers).unwrap();
        let again = Staged::of(&upload.id().unwrap()).unwrap();
        assert_eq!(again, upload);
        let blocks = again.blocks(&[part(1, 1), part(2, 2)]).unwrap();
        assert_eq!(
            blocks,
            [upload.block(1, 0), upload.block(2, 0), upload.block(2, 1)]
        );
        assert!(Staged::of("another's").is_err());
    }
}
