//! [`ObjectStore`] for Azure: one call of the protocol for each of its own.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;

use super::super::object::{
    Condition, Content, CopyRequest, KeyRule, Limits, ListPage, ListRequest, Listed, MTIME,
    ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore, PartTag, PutOptions,
    UploadRef, UploadsPage, parse_mtime,
};
use super::super::rest::{Http, context};
use super::block::{Staged, block_list, part};
use super::client::{Call, Client};
use super::copy::{MAX_COPY, is_no_copy};
use super::credential::Signatures;
use super::document::{ListedBlob, Listing, committed_blocks};
use super::header::{Properties, quoted, sendable, time_of, whole};
use super::key::{MAX_KEY, in_url, refusal};
use super::settings::AzureSettings;
use crate::error::StorageResult;
use crate::metadata::FileTime;

const LIMITS: Limits = Limits {
    // Azure takes a single byte; smaller blobs are continued faster by writing them anew.
    min_part: 1 << 20,
    max_part: 4000 << 20,
    max_parts: 50_000,
    max_copy: MAX_COPY,
    copies_parts: true,
    max_key: MAX_KEY,
};

/// How programs of Hadoop mark a blob that is a directory.
const HADOOP_FOLDER: &str = "hdi_isfolder";

/// One container.
#[derive(Debug)]
pub(super) struct AzureStore {
    pub(super) client: Client,
}

impl AzureStore {
    /// Makes no call.
    ///
    /// # Errors
    /// `Internal` if the settings are none that can be used.
    pub(super) fn new(http: Http, settings: &AzureSettings) -> StorageResult<Self> {
        let signatures = Signatures::new(context(&http), settings)?;
        Ok(Self {
            client: Client::new(http, signatures, settings)?,
        })
    }

    /// What is known of a blob.
    pub(super) async fn properties(&self, key: &str) -> ObjectResult<Properties> {
        let call = self
            .client
            .of_blob(Method::HEAD, "look for a blob", key, "");
        let answer = self.client.send(call).await?;
        Properties::of(&answer)
    }

    /// A call that stages a block.
    pub(super) fn staging(&self, to: &UploadRef, block: &str) -> Call {
        let query = format!("comp=block&blockid={}", in_url(block));
        self.client
            .of_blob(Method::PUT, "write a block", &to.key, &query)
    }

    /// Whether a blob is made of these blocks.
    async fn is_made_of(&self, key: &str, blocks: &[String]) -> ObjectResult<bool> {
        let query = "comp=blocklist&blocklisttype=committed";
        let call = self
            .client
            .of_blob(Method::GET, "list the blocks of a blob", key, query);
        let answer = self.client.send(call).await?;
        Ok(committed_blocks(&answer.document().await?)? == blocks)
    }

    async fn page(&self, request: &ListRequest, marker: &str) -> ObjectResult<Listing> {
        let call = self.client.of_container(
            "list blobs",
            &[
                ("comp", "list"),
                ("prefix", &request.prefix),
                ("delimiter", if request.by_folder { "/" } else { "" }),
                ("marker", marker),
                ("maxresults", &request.limit.to_string()),
                ("include", "metadata"),
            ],
        );
        let answer = self.client.send(call).await?;
        Listing::parse(&answer.document().await?)
    }
}

#[async_trait]
impl ObjectStore for AzureStore {
    fn identity(&self) -> &str {
        self.client.identity()
    }

    fn limits(&self) -> &Limits {
        &LIMITS
    }

    fn key_rule(&self) -> KeyRule {
        refusal
    }

    fn replaces_in_place(&self) -> bool {
        true
    }

    /// By the call that every account needs: a signature for a container may not ask for its properties.
    async fn check(&self) -> ObjectResult<()> {
        let request = ListRequest {
            prefix: String::new(),
            by_folder: false,
            continuation: None,
            limit: 1,
        };
        self.page(&request, "").await?;
        Ok(())
    }

    async fn head(&self, key: &str) -> ObjectResult<ObjectInfo> {
        let info = self.properties(key).await?.info;
        let metadata = &info.attributes.metadata;
        if is_hadoop_folder(info.size, metadata.get(HADOOP_FOLDER)) {
            let context = "a directory of Hadoop has the name";
            return Err(ObjectError::new(ObjectErrorKind::NotFound, context));
        }
        Ok(info)
    }

    async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage> {
        let mut marker = request.continuation.clone().unwrap_or_default();
        loop {
            let listing = self.page(request, &marker).await?;
            let page = ListPage {
                objects: listing.blobs.into_iter().filter_map(listed).collect(),
                folders: listing.prefixes,
                continuation: listing.next,
            };
            match page.continuation {
                // Azure may give a page without anything, and go on.
                Some(next) if page.objects.is_empty() && page.folders.is_empty() => marker = next,
                Some(_) | None => return Ok(page),
            }
        }
    }

    async fn get(&self, key: &str, etag: &str, range: Range<u64>) -> ObjectResult<Content> {
        let last = range.end.saturating_sub(1);
        let call = self
            .client
            .of_blob(Method::GET, "read a blob", key, "")
            .header("if-match", etag)
            .header("x-ms-range", &format!("bytes={}-{last}", range.start));
        let answer = self.client.send(call).await?;
        let len = range.end.saturating_sub(range.start);
        answer
            .object(usize::try_from(len).unwrap_or(usize::MAX))
            .await
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> ObjectResult<()> {
        let call = self
            .client
            .of_blob(Method::PUT, "write a blob", key, "")
            .header("x-ms-blob-type", "BlockBlob")
            .headers(&whole(&options.attributes))
            .header_if("if-none-match", unless_there(options.condition))
            .body(body);
        self.client.send(call).await?;
        Ok(())
    }

    /// Makes no call: nothing is at the store until a block is.
    async fn create_upload(&self, key: &str, options: &PutOptions) -> ObjectResult<UploadRef> {
        Ok(UploadRef {
            key: key.to_owned(),
            id: Staged::new(sendable(whole(&options.attributes))?)?.id()?,
        })
    }

    async fn put_part(&self, to: &UploadRef, number: u32, body: Bytes) -> ObjectResult<PartTag> {
        let block = Staged::of(&to.id)?.block(number, 0);
        self.client
            .send(self.staging(to, &block).body(body))
            .await?;
        Ok(part(number, 1))
    }

    async fn copy_part(
        &self,
        to: &UploadRef,
        number: u32,
        from: (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        match self.stage_from_url(to, number, from, &range).await {
            Err(error) if is_no_copy(&error) => self.stage_through(to, number, from, range).await,
            staged => staged,
        }
    }

    async fn complete_upload(
        &self,
        to: &UploadRef,
        parts: &[PartTag],
        condition: Condition,
    ) -> ObjectResult<()> {
        let staged = Staged::of(&to.id)?;
        let blocks = staged.blocks(parts)?;
        let call = self
            .client
            .of_blob(
                Method::PUT,
                "make a blob of its blocks",
                &to.key,
                "comp=blocklist",
            )
            .headers(&staged.headers)
            .header_if("if-none-match", unless_there(condition))
            .body(block_list(&blocks));
        let Err(error) = self.client.send(call).await else {
            return Ok(());
        };
        let conflicts = matches!(
            error.kind(),
            ObjectErrorKind::Precondition | ObjectErrorKind::NoSuchUpload
        );
        // The answer to an earlier attempt may have got lost.
        if conflicts && self.is_made_of(&to.key, &blocks).await.unwrap_or(false) {
            return Ok(());
        }
        if error.kind() == ObjectErrorKind::NoSuchUpload {
            let context = "somebody else wrote the file while it was uploaded";
            return Err(ObjectError::with_source(
                ObjectErrorKind::Precondition,
                context,
                error,
            ));
        }
        Err(error)
    }

    /// Makes no call, since there is none that takes away the blocks of one upload and nothing else. Azure drops them when a blob of
    /// the name is written, or after a week.
    async fn abort_upload(&self, _to: &UploadRef) -> ObjectResult<()> {
        Ok(())
    }

    /// Azure ends them.
    async fn list_uploads(&self, _: &str, _: Option<&str>) -> ObjectResult<UploadsPage> {
        Err(end_by_themselves())
    }

    async fn last_part(&self, _: &UploadRef) -> ObjectResult<Option<FileTime>> {
        Err(end_by_themselves())
    }

    async fn copy(&self, request: &CopyRequest) -> ObjectResult<()> {
        if request.from == request.to {
            self.replace_in_place(request).await
        } else {
            self.copy_to_another(request).await
        }
    }

    async fn delete(&self, key: &str) -> ObjectResult<()> {
        let call = self
            .client
            .of_blob(Method::DELETE, "remove a blob", key, "")
            .header("x-ms-delete-snapshots", "include");
        match self.client.send(call).await {
            Err(error) if error.kind() != ObjectErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn listed(blob: ListedBlob) -> Option<Listed> {
    if is_hadoop_folder(blob.size, blob.metadata.get(HADOOP_FOLDER)) {
        return None;
    }
    Some(Listed {
        key: blob.name,
        size: blob.size,
        modified: time_of(blob.modified.as_deref()),
        etag: quoted(&blob.etag),
        changed: blob.metadata.get(MTIME).and_then(|text| parse_mtime(text)),
        storage_class: blob.tier,
    })
}

fn end_by_themselves() -> ObjectError {
    let context = "Azure drops blocks that nobody asks for by itself";
    ObjectError::new(ObjectErrorKind::Unsupported, context)
}

/// The directory itself is known by what is in it.
fn is_hadoop_folder(size: u64, mark: Option<&String>) -> bool {
    size == 0 && mark.is_some_and(|mark| mark.eq_ignore_ascii_case("true"))
}

fn unless_there(condition: Condition) -> Option<&'static str> {
    match condition {
        Condition::None => None,
        Condition::Absent => Some("*"),
    }
}
