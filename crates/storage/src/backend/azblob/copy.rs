//! Copies within a container.
//!
//! By the calls that are done when they are answered. The other kind of copy, which goes on by itself, leaves an empty blob where
//! it is to go if it is given up or fails, also in place of one that was there.

use std::ops::Range;

use bytes::Bytes;
use http::Method;

use super::super::object::{
    Attributes, Condition, CopyRequest, ObjectError, ObjectErrorKind, ObjectResult,
    ObjectStore as _, PartTag, PutOptions, UploadRef,
};
use super::block::{Staged, part};
use super::credential::Shared;
use super::header::{content, metadata, same_content, tier};
use super::store::AzureStore;

/// The largest blob that one call copies.
pub(super) const MAX_COPY: u64 = 256 << 20;
/// The longest URL that a source may have.
const LONGEST_SOURCE: usize = 2048;
/// Bytes that are read and written at a time where the store does not copy.
const PIECE: u64 = 4 << 20;

impl AzureStore {
    /// Makes another blob of one that is there.
    pub(super) async fn copy_to_another(&self, request: &CopyRequest) -> ObjectResult<()> {
        if request.replace {
            return self.copy_as(request, request.attributes.clone()).await;
        }
        match self.copy_from_url(request).await {
            Err(error) if is_no_copy(&error) => {
                let mut attributes = self.properties(&request.from).await?.info.attributes;
                attributes
                    .storage_class
                    .clone_from(&request.attributes.storage_class);
                self.copy_as(request, attributes).await
            }
            copied => copied,
        }
    }

    async fn copy_from_url(&self, request: &CopyRequest) -> ObjectResult<()> {
        let source = self.source(&request.from).await?;
        let call = self
            .client
            .of_blob(Method::PUT, "copy a blob", &request.to, "")
            .header("x-ms-copy-source", &source.url)
            .header_if(
                "x-ms-copy-source-authorization",
                source.authorization.as_deref(),
            )
            .header_if("x-ms-source-if-match", request.etag.as_deref())
            .header("x-ms-requires-sync", "true")
            // It is not copied by itself; metadata is.
            .headers(&tier(&request.attributes));
        let answer = self.client.send(call).await?;
        if answer
            .header("x-ms-copy-status")
            .is_some_and(|status| status != "success")
        {
            let context = "the store copies the blob later";
            return Err(ObjectError::new(ObjectErrorKind::Unavailable, context));
        }
        Ok(())
    }

    /// Copies the bytes, as one part of an upload that has these attributes.
    async fn copy_as(&self, request: &CopyRequest, attributes: Attributes) -> ObjectResult<()> {
        let source = self.properties(&request.from).await?.info;
        if request
            .etag
            .as_ref()
            .is_some_and(|etag| *etag != source.etag)
        {
            return Err(changed());
        }
        let options = PutOptions {
            attributes,
            condition: Condition::None,
        };
        if source.size == 0 {
            return self.put(&request.to, Bytes::new(), &options).await;
        }
        let upload = self.create_upload(&request.to, &options).await?;
        let from = (request.from.as_str(), source.etag.as_str());
        let copied = self.copy_part(&upload, 1, from, 0..source.size).await?;
        self.complete_upload(&upload, &[copied], Condition::None)
            .await
    }

    /// Makes a block of a range of a blob.
    pub(super) async fn stage_from_url(
        &self,
        to: &UploadRef,
        number: u32,
        (from, etag): (&str, &str),
        range: &Range<u64>,
    ) -> ObjectResult<PartTag> {
        let staged = Staged::of(&to.id)?;
        let source = self.source(from).await?;
        let last = range.end.saturating_sub(1);
        let call = self
            .staging(to, &staged.block(number, 0))
            .header("x-ms-copy-source", &source.url)
            .header_if(
                "x-ms-copy-source-authorization",
                source.authorization.as_deref(),
            )
            .header(
                "x-ms-source-range",
                &format!("bytes={}-{last}", range.start),
            )
            .header("x-ms-source-if-match", etag);
        self.client.send(call).await?;
        Ok(part(number, 1))
    }

    /// The same where the store does not do it: some behind a firewall or with a signature for one address only do not reach
    /// themselves, some do not know the call. The bytes come here, and go back.
    pub(super) async fn stage_through(
        &self,
        to: &UploadRef,
        number: u32,
        (from, etag): (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        let staged = Staged::of(&to.id)?;
        let (mut start, mut pieces) = (range.start, 0_u32);
        while start < range.end {
            let end = range.end.min(start.saturating_add(PIECE));
            let bytes = self.get(from, etag, start..end).await?;
            if bytes.len() as u64 != end.saturating_sub(start) {
                let context = "the store sent another number of bytes than it was asked for";
                return Err(ObjectError::new(ObjectErrorKind::Unavailable, context));
            }
            let call = self
                .staging(to, &staged.block(number, pieces))
                .body(bytes.whole());
            self.client.send(call).await?;
            (start, pieces) = (end, pieces.saturating_add(1));
        }
        Ok(part(number, pieces))
    }

    async fn source(&self, key: &str) -> ObjectResult<Shared> {
        let source = self.client.share(key).await?;
        if source.url.len() > LONGEST_SOURCE {
            let context = "the URL of the blob is too long for the store to copy it";
            return Err(ObjectError::new(ObjectErrorKind::Unsupported, context));
        }
        Ok(source)
    }

    /// Gives a blob other attributes where it is: no byte of it moves.
    pub(super) async fn replace_in_place(&self, request: &CopyRequest) -> ObjectResult<()> {
        let key = &request.to;
        let found = self.properties(key).await?;
        let (now, wanted) = (&found.info.attributes, &request.attributes);
        let moved = wanted.storage_class.is_some() && wanted.storage_class != now.storage_class;
        if same_content(now, wanted) && now.metadata == wanted.metadata && !moved {
            // Also after an earlier attempt whose answer got lost.
            return Ok(());
        }
        if request
            .etag
            .as_ref()
            .is_some_and(|etag| *etag != found.info.etag)
        {
            return Err(changed());
        }
        let mut etag = found.info.etag.clone();
        if !same_content(now, wanted) {
            // What is not said is taken away.
            let call = self
                .client
                .of_blob(
                    Method::PUT,
                    "set the properties of a blob",
                    key,
                    "comp=properties",
                )
                .header("if-match", &etag)
                .header_if("x-ms-blob-content-md5", found.content_md5.as_deref())
                .headers(&content(wanted));
            let answer = self.client.send(call).await?;
            etag = answer.header("etag").unwrap_or_default().to_owned();
        }
        if now.metadata != wanted.metadata {
            let call = self
                .client
                .of_blob(
                    Method::PUT,
                    "set the metadata of a blob",
                    key,
                    "comp=metadata",
                )
                .header("if-match", &etag)
                .headers(&metadata(wanted));
            self.client.send(call).await?;
        }
        if moved {
            let call = self
                .client
                .of_blob(Method::PUT, "set the tier of a blob", key, "comp=tier")
                .headers(&tier(wanted));
            self.client.send(call).await?;
        }
        Ok(())
    }
}

/// Whether the store does not copy, while it may well read and write.
pub(super) fn is_no_copy(error: &ObjectError) -> bool {
    matches!(
        error.kind(),
        ObjectErrorKind::Unsupported | ObjectErrorKind::PermissionDenied
    )
}

fn changed() -> ObjectError {
    let context = "the blob was changed meanwhile";
    ObjectError::new(ObjectErrorKind::Precondition, context)
}
